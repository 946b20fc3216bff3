//! Sentences at compile time.

/// A sentence put together while the crate is compiled, where nothing can be allocated.
pub(super) struct Words {
    bytes: [u8; 512],
    length: usize,
}

impl Words {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; 512], length: 0 }
    }

    pub(super) const fn push(&mut self, word: &str) {
        let word = word.as_bytes();
        let mut i = 0;
        while i < word.len() && self.length < self.bytes.len() {
            self.bytes[self.length] = word[i];
            self.length += 1;
            i += 1;
        }
    }

    pub(super) const fn as_str(&self) -> &str {
        let (said, _) = self.bytes.split_at(self.length);
        match std::str::from_utf8(said) {
            Ok(text) => text,
            Err(_) => "a lifecycle's table is unsound",
        }
    }
}
