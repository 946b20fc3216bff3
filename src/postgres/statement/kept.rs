//! The texts that were written so far.

use foldhash::fast::RandomState;
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

/// Those of the whole process: a unit of work is only a connection, and has no place to keep them.
pub(super) static KEPT: LazyLock<Kept> = LazyLock::new(Kept::default);

/// Texts by the numbers that their pieces are told apart by.
#[derive(Default)]
pub(super) struct Kept(RwLock<HashMap<Box<[u64]>, Arc<str>, RandomState>>);

/// As many as are kept. There would be a few hundred, were it not for lists of different lengths.
const MANY: usize = 1024;

/// None is kept that has more bytes, as that of a commit with thousands of values: all together take no more than 16 MiB.
const LONG: usize = 1 << 14;

impl Kept {
    pub(super) fn find(&self, key: &[u64]) -> Option<Arc<str>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Keeps a text, unless it is very long. When there are too many, any other one goes, which is written anew when it is needed.
    pub(super) fn keep(&self, key: &[u64], text: &str) -> Arc<str> {
        let (key, text) = (Box::from(key), Arc::<str>::from(text));
        if text.len() <= LONG {
            let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= MANY
                && let Some(any) = all.keys().next().cloned()
            {
                all.remove(&any);
            }
            all.insert(key, Arc::clone(&text));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let kept = Kept::default();
        for number in 0..2 * MANY as u64 {
            assert_eq!(kept.find(&[1, number]), None);
            let text = kept.keep(&[1, number], "SELECT");
            assert!(Arc::ptr_eq(&text, &kept.find(&[1, number]).unwrap()));
        }
        assert_eq!(kept.0.read().unwrap().len(), MANY);

        assert_eq!(kept.keep(&[2], &"x".repeat(LONG + 1)).len(), LONG + 1);
        assert_eq!(kept.find(&[2]), None);
    }
}
