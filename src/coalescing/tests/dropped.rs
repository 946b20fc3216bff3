//! Whoever is dropped, wherever: the others are written, and somebody leads.

use super::rig::{Desk, End, Fails, Rig};
use crate::{
    coalescing::Coalescing,
    conformance::store::commits::{opens, order},
    store::{Appended, Store, UnitOfWork},
};
use futures_lite::future::block_on;

const CALLERS: usize = 5;

/// Lets some callers be dropped after some polls. Whether any of them was still there to be dropped.
fn drop_some(limit: usize, pauses: usize, drops: &[(usize, usize)]) -> bool {
    let store = Coalescing::with_limit(Rig::new(pauses, Fails::Never), limit);
    let callers = (0..CALLERS).map(|number| {
        let mut writer = store.writer();
        async move { writer.append(&opens(order(number as u128))).await.unwrap() }
    });
    let when = |number| drops.iter().find(|(caller, _)| *caller == number).map(|(_, polls)| *polls);
    let ends = Desk::new(callers).run(when);
    block_on(async {
        let mut unit = store.begin().await.unwrap();
        for (number, end) in ends.iter().enumerate() {
            let log = unit.log(order(number as u128)).await.unwrap();
            match end {
                End::Answered(Appended::Stored(revision)) => {
                    assert_eq!(log.map(|log| log.revision), Some(*revision), "{drops:?}: {number} was lost");
                }
                // It may be durable, or not.
                End::Dropped => {}
                end => panic!("{drops:?}: {number}: {end:?}"),
            }
        }
        drop(unit);
        // The queue is as good as new.
        let appended = store.writer().append(&opens(order(99))).await.unwrap();
        assert!(matches!(appended, Appended::Stored(_)));
    });
    ends.contains(&End::Dropped)
}

#[test]
fn anywhere() {
    for pauses in 0..3 {
        for limit in [1, 2, 100] {
            for caller in 0..CALLERS {
                let mut polls = 0;
                while drop_some(limit, pauses, &[(caller, polls)]) {
                    polls += 1;
                }
                assert!(polls > 1, "it was never dropped while it waited");
            }
        }
    }
}

#[test]
fn two_of_them_anywhere() {
    for limit in [2, 100] {
        for (one, other) in [(0, 1), (0, 2), (1, 3), (3, 4), (0, 4)] {
            for first in 0..12 {
                for second in 0..12 {
                    drop_some(limit, 1, &[(one, first), (other, second)]);
                }
            }
        }
    }
}

#[test]
fn all_of_them() {
    for pauses in 0..3 {
        for polls in 0..12 {
            let drops: Vec<_> = (0..CALLERS).map(|caller| (caller, polls)).collect();
            drop_some(2, pauses, &drops);
            let uneven: Vec<_> = (0..CALLERS).map(|caller| (caller, (polls * (caller + 1)) % 7)).collect();
            drop_some(2, pauses, &uneven);
        }
    }
}
