//! Each caller gets its own answer, and none before it is durable.

use super::rig::{Desk, End, Fails, Rig};
use crate::{
    coalescing::{Coalescing, Shared},
    conformance::store::commits::{account, at, charge, entry, euro, goes_on, key, opens, order, payin, record},
    memory::MemoryError,
    store::{Appended, AppendedAll, Commit, Outbox, Request, Store, UnitOfWork, Views},
};
use futures_lite::future::block_on;
use std::sync::atomic::Ordering;

type Answer = Result<AppendedAll, Shared<MemoryError>>;

/// All at once, each on a writer of its own.
fn all_write(store: &Coalescing<Rig>, groups: &[Vec<Commit>]) -> Vec<Answer> {
    let callers = groups.iter().map(|group| {
        let mut writer = store.writer();
        async move { writer.append_all(group).await }
    });
    let answered = |end| match end {
        End::Answered(answer) => answer,
        End::Panicked | End::Dropped => unreachable!("nobody is dropped"),
    };
    Desk::new(callers).run(|_| None).into_iter().map(answered).collect()
}

fn stored(answer: &Answer) -> bool {
    matches!(answer, Ok(AppendedAll::Stored(_)))
}

fn refused(answer: &Answer) -> Option<(usize, &Appended)> {
    match answer {
        Ok(AppendedAll::Refused { position, why }) => Some((*position, why)),
        Ok(AppendedAll::Stored(_)) | Err(_) => None,
    }
}

fn taking(number: u128, from: &str, minor: i64) -> Commit {
    Commit { entries: vec![entry(from, "world:sandbox", minor)], ..opens(order(number)) }
}

fn asked(number: u128, key: &str) -> Commit {
    Commit { request: Some(Request::new(key, "x").unwrap()), ..opens(order(number)) }
}

fn units(store: &Coalescing<Rig>) -> (usize, usize) {
    (store.store().begun.load(Ordering::SeqCst), store.store().committed.load(Ordering::SeqCst))
}

#[test]
fn those_who_come_at_once_share_a_unit() {
    let store = Coalescing::new(Rig::new(1, Fails::Never));
    let groups: Vec<_> = (0..50).map(|number| vec![opens(order(number))]).collect();
    assert!(all_write(&store, &groups).iter().all(stored));
    assert_eq!(units(&store), (1, 1));
    let few = Coalescing::with_limit(Rig::new(1, Fails::Never), 20);
    assert!(all_write(&few, &groups).iter().all(stored));
    assert_eq!(units(&few), (3, 3));
    // What one caller writes stays together.
    let much = vec![(50..80).map(|number| opens(order(number))).collect::<Vec<_>>(), vec![opens(order(90))]];
    assert!(all_write(&few, &much).iter().all(stored));
    assert_eq!(units(&few), (5, 5));
}

#[test]
fn a_refusal_is_for_whom_it_concerns() {
    let store = Coalescing::new(Rig::new(1, Fails::Never));
    let mut unbooked = opens(order(8));
    unbooked.index.held = euro(5);
    let fill = Commit { entries: vec![entry("world:sandbox", "wallet:alice", 10)], ..opens(order(1)) };
    let groups = vec![
        vec![fill],
        vec![opens(order(1))],
        vec![taking(2, "wallet:alice", 6)],
        vec![opens(order(3)), taking(4, "wallet:alice", 6)],
        vec![taking(5, "wallet:alice", 4)],
        vec![opens(order(6)), opens(order(6))],
        vec![opens(order(6))],
        vec![asked(7, "k")],
        vec![asked(9, "k")],
        vec![unbooked],
        vec![],
        vec![opens(order(10)), opens(order(11))],
    ];
    let answers = all_write(&store, &groups);
    let overdrawn = Appended::Overdrawn { account: account("wallet:alice") };
    assert_eq!(refused(&answers[1]), Some((0, &Appended::Stale)));
    assert_eq!(refused(&answers[3]), Some((1, &overdrawn)));
    assert_eq!(refused(&answers[5]), Some((1, &Appended::Stale)));
    assert_eq!(refused(&answers[8]), Some((0, &Appended::Stale)));
    assert_eq!(refused(&answers[9]), Some((0, &Appended::Unbooked { subject: order(8) })));
    for number in [0, 2, 4, 6, 7, 10, 11] {
        assert!(stored(&answers[number]), "{number}: {:?}", answers[number]);
    }
    assert_eq!(units(&store), (1, 1));
    block_on(async {
        let mut unit = store.begin().await.unwrap();
        assert!(unit.log(order(3)).await.unwrap().is_none(), "it was written with what was refused");
        let Ok(AppendedAll::Stored(revisions)) = &answers[11] else { unreachable!() };
        let mut found = Vec::new();
        for number in [10, 11] {
            found.push(unit.log(order(number)).await.unwrap().unwrap().revision);
        }
        assert_eq!(*revisions, found);
    });
}

#[test]
fn many_refusals_cost_no_more_than_few() {
    let store = Coalescing::new(Rig::new(0, Fails::Never));
    // Every other one is refused.
    let groups: Vec<_> = (0..400).map(|number| vec![opens(order(number / 2))]).collect();
    let answers = all_write(&store, &groups);
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(stored(answer), number % 2 == 0, "{number}: {answer:?}");
    }
    assert_eq!(units(&store), (1, 1));
    // Nothing is committed where nothing was written.
    assert!(all_write(&store, &groups).iter().all(|answer| refused(answer).is_some()));
    assert_eq!(units(&store), (2, 1));
}

#[test]
fn an_error_while_writing_is_for_whom_it_concerns() {
    let store = Coalescing::new(Rig::new(1, Fails::Never));
    let with_call = |number| Commit { calls: vec![charge(payin(1), at(0))], ..opens(order(number)) };
    let groups = vec![vec![opens(order(1))], vec![with_call(2)], vec![with_call(3)], vec![opens(order(4))]];
    let answers = all_write(&store, &groups);
    assert_eq!(answers.iter().map(stored).collect::<Vec<_>>(), [true, true, false, true]);
    let Err(Shared::Storage(error)) = &answers[2] else { panic!("{:?}", answers[2]) };
    assert!(matches!(**error, MemoryError::DuplicateCall { key: twice } if twice == key(&charge(payin(1), at(0)))));
    block_on(async {
        let mut writer = store.writer();
        assert!(writer.log(order(3)).await.unwrap().is_none());
        assert!(writer.log(order(4)).await.unwrap().is_some());
        assert!(writer.call(&key(&charge(payin(1), at(0)))).await.unwrap().is_some());
    });
}

#[test]
fn nothing_is_acknowledged_that_is_not_durable() {
    for (fails, durable) in [(Fails::ToBegin, false), (Fails::BeforeCommit, false), (Fails::AfterCommit, true)] {
        // Of the second, one would have been refused; that does not hold either when nobody knows what is durable.
        for numbers in [vec![1, 2, 3], vec![1, 2, 2, 3]] {
            let store = Coalescing::new(Rig::new(2, fails));
            let groups: Vec<_> = numbers.iter().map(|number| vec![opens(order(*number))]).collect();
            let answers = all_write(&store, &groups);
            let told = |answer: &Answer| match answer {
                Err(Shared::Storage(_)) => fails == Fails::ToBegin,
                Err(Shared::Unknown(_)) => fails != Fails::ToBegin,
                Ok(_) | Err(Shared::Panicked) => false,
            };
            assert!(answers.iter().all(told), "{fails:?}: {answers:?}");
            block_on(async {
                let mut unit = store.begin().await.unwrap();
                for number in [1, 2, 3] {
                    assert_eq!(unit.log(order(number)).await.unwrap().is_some(), durable, "{fails:?}");
                }
            });
            // The queue goes on.
            let again = all_write(&store, &groups);
            assert_eq!(again.iter().filter(|answer| stored(answer)).count(), if durable { 0 } else { 3 });
        }
    }
}

#[test]
fn who_waits_while_there_is_no_unit_to_be_had_does_not_wait_again() {
    // The first two go together; the others come meanwhile.
    let store = Coalescing::with_limit(Rig::new(2, Fails::ToBegin), 2);
    let groups: Vec<_> = (1..=5).map(|number| vec![opens(order(number))]).collect();
    let answers = all_write(&store, &groups);
    assert!(answers.iter().all(|answer| matches!(answer, Err(Shared::Storage(_)))), "{answers:?}");
    assert_eq!(units(&store), (1, 0));
    assert!(all_write(&store, &groups).iter().all(stored));
}

#[test]
fn a_race_that_is_lost_at_the_commit_is_for_whom_it_concerns() {
    let groups = |numbers: &[u128]| numbers.iter().map(|number| vec![opens(order(*number))]).collect::<Vec<_>>();
    // All of them together, those who do not meet twice, then one after another: the first of them may lose again, and only that
    // one has lost.
    for (races, numbers, expected) in [
        (1, &[1, 2, 2, 3][..], &[true, true, false, true][..]),
        (2, &[1, 2, 2, 3], &[false, true, false, true]),
        (2, &[1, 2, 3], &[true; 3]),
        (3, &[1, 2, 3], &[false, true, true]),
    ] {
        let store = Coalescing::new(Rig::new(1, Fails::ToWin(races)));
        let answers = all_write(&store, &groups(numbers));
        for (number, stored_) in expected.iter().enumerate() {
            assert!(stored(&answers[number]) == *stored_, "{races}, {number}: {answers:?}");
            assert!(*stored_ || refused(&answers[number]) == Some((0, &Appended::Stale)), "{races}: {answers:?}");
        }
        block_on(async {
            let mut unit = store.begin().await.unwrap();
            for (number, there) in [(1, expected[0]), (2, true), (3, true)] {
                assert_eq!(unit.log(order(number)).await.unwrap().is_some(), there, "{races}: {number}");
            }
        });
    }
    // Whoever is alone loses only to others, too.
    let store = Coalescing::new(Rig::new(1, Fails::ToWin(1)));
    assert!(all_write(&store, &groups(&[1])).iter().all(stored));
    let store = Coalescing::new(Rig::new(1, Fails::ToWin(2)));
    assert_eq!(refused(&all_write(&store, &groups(&[1]))[0]), Some((0, &Appended::Stale)));
}

#[test]
fn a_panic_in_the_store_is_told_to_everybody_in_the_unit_and_the_queue_goes_on() {
    let store = Coalescing::new(Rig::new(1, Fails::Never));
    // No step makes such a commit.
    let gapped = Commit { records: vec![record(1, "opened"), record(3, "gapped")].into(), ..opens(order(2)) };
    let groups = [opens(order(1)), gapped, opens(order(3))];
    let callers = groups.iter().map(|commit| {
        let mut writer = store.writer();
        async move { writer.append(commit).await }
    });
    let ends = Desk::new(callers).run(|_| None);
    assert!(matches!(ends[0], End::Panicked), "{ends:?}");
    for end in &ends[1..] {
        assert!(matches!(end, End::Answered(Err(Shared::Panicked))), "{ends:?}");
    }
    assert!(all_write(&store, &[vec![opens(order(1))], vec![opens(order(3))]]).iter().all(stored));
}

#[test]
fn a_writer_reads_what_is_durable_while_others_write() {
    let store = Coalescing::new(Rig::new(3, Fails::Never));
    let callers = (0..20u128).map(|number| {
        let mut writer = store.writer();
        async move {
            let Appended::Stored(revision) = writer.append(&opens(order(number))).await.unwrap() else { panic!() };
            let log = writer.log(order(number)).await.unwrap().unwrap();
            assert_eq!(log.revision, revision);
            let next = goes_on(order(number), revision, 2);
            assert!(matches!(writer.append(&next).await.unwrap(), Appended::Stored(_)));
            let one = Commit { entries: vec![entry("world:sandbox", "wallet:alice", 1)], ..opens(order(100 + number)) };
            writer.append(&one).await.unwrap();
            writer.balance(&account("wallet:alice"), euro(0).currency()).await.unwrap().minor()
        }
    });
    let ends = Desk::new(callers).run(|_| None);
    assert!(ends.iter().all(|end| matches!(end, End::Answered(1..=20))), "{ends:?}");
}
