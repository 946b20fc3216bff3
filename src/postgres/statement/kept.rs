//! The texts that were written so far.

use foldhash::fast::RandomState;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

/// Those of the whole process: a unit of work is only a connection, and has no place to keep them.
pub(super) static KEPT: LazyLock<Kept> = LazyLock::new(Kept::default);

/// Texts by the numbers that their pieces are told apart by.
#[derive(Default)]
pub(super) struct Kept(RwLock<All>);

#[derive(Default)]
struct All {
    texts: HashMap<Arc<[u64]>, Arc<str>, RandomState>,
    // In the order in which they came.
    keys: VecDeque<Arc<[u64]>>,
}

/// As many as are kept. There would be a few hundred, were it not for lists of different lengths.
const MANY: usize = 1024;

/// None is kept that takes more bytes with its key, as that of a commit with thousands of values: together they take no more than
/// 16 MiB.
const LARGE: usize = 1 << 14;

impl Kept {
    pub(super) fn find(&self, key: &[u64]) -> Option<Arc<str>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).texts.get(key).cloned()
    }

    /// Keeps a text, unless it is large. Where there are too many, the oldest one goes, which is written anew when it is needed.
    pub(super) fn keep(&self, key: &[u64], text: &str) -> Arc<str> {
        let (key, text) = (Arc::<[u64]>::from(key), Arc::<str>::from(text));
        if size_of_val(&*key) + text.len() > LARGE {
            return text;
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = all.texts.get(&key) {
            return Arc::clone(text);
        }
        if all.keys.len() >= MANY
            && let Some(oldest) = all.keys.pop_front()
        {
            all.texts.remove(&oldest);
        }
        all.keys.push_back(Arc::clone(&key));
        all.texts.insert(key, Arc::clone(&text));
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
            assert!(Arc::ptr_eq(&text, &kept.keep(&[1, number], "SELECT")), "it is kept once");
        }
        assert_eq!(kept.0.read().unwrap().texts.len(), MANY);
        assert_eq!(kept.find(&[1, MANY as u64 - 1]), None, "the oldest are gone");
        assert!(kept.find(&[1, MANY as u64]).is_some());

        assert_eq!(kept.keep(&[2], &"x".repeat(LARGE)).len(), LARGE);
        assert_eq!(kept.find(&[2]), None);
    }
}
