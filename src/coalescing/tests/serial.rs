//! What many at once are answered is what they would be answered one after another.

use super::rig::{Desk, End, Fails, Rig};
use crate::{
    coalescing::Coalescing,
    conformance::store::commits::{at, charge, entry, goes_on, opens, order, payin},
    memory::Memory,
    seed::random,
    store::{Appended, AppendedAll, Commit, Query, Request, Revision, Store, UnitOfWork, Views},
};
use futures_lite::future::block_on;
use proptest::prelude::*;

/// What one caller wants to write.
#[derive(Debug, Clone)]
struct Wish(Vec<Part>);

#[derive(Debug, Clone)]
struct Part {
    number: u128,
    /// On the revision of the subjects that are there from the start; else it opens one.
    goes_on: bool,
    moves: Option<(bool, i64)>,
    key: Option<u8>,
    call: Option<u128>,
}

const THERE: u128 = 3;

fn wish() -> impl Strategy<Value = Wish> {
    let part = (
        0..8u128,
        any::<bool>(),
        prop::option::of((any::<bool>(), 1..6i64)),
        prop::option::weighted(0.2, 0..3u8),
        prop::option::weighted(0.05, 0..3u128),
    );
    let part = part.prop_map(|(number, goes_on, moves, key, call)| Part { number, goes_on, moves, key, call });
    prop::collection::vec(part, 1..4).prop_map(Wish)
}

impl Wish {
    fn commits(&self, there: &[Revision]) -> Vec<Commit> {
        let commit = |part: &Part| {
            let revision = there.get(usize::try_from(part.number).unwrap()).filter(|_| part.goes_on);
            let mut commit = match revision {
                Some(revision) => goes_on(order(part.number), *revision, 2),
                None => opens(order(part.number)),
            };
            commit.entries.extend(part.moves.map(|(into, minor)| {
                let (from, to) = if into { ("world:a", "wallet:x") } else { ("wallet:x", "world:a") };
                entry(from, to, minor)
            }));
            commit.request = part.key.map(|key| Request::new(&format!("key-{key}"), "x").unwrap());
            commit.calls.extend(part.call.map(|number| charge(payin(number), at(0))));
            commit
        };
        self.0.iter().map(commit).collect()
    }
}

/// The subjects that are there from the start, and their revisions.
async fn set_up(store: &impl Store) -> Vec<Revision> {
    let mut unit = store.begin().await.unwrap();
    let mut revisions = Vec::new();
    for number in 0..THERE {
        let Appended::Stored(revision) = unit.append(&opens(order(number))).await.unwrap() else { unreachable!() };
        revisions.push(revision);
    }
    store.commit(unit).await.unwrap();
    revisions
}

/// An answer without what may differ: the marks of revisions and the texts of errors.
fn told<E>(answer: Result<AppendedAll, E>) -> String {
    match answer {
        Ok(AppendedAll::Stored(revisions)) => format!("stored {}", revisions.len()),
        Ok(refused) => format!("{refused:?}"),
        Err(_) => "error".to_owned(),
    }
}

async fn one_after_another(store: &Memory, wishes: &[Wish], there: &[Revision]) -> Vec<String> {
    let mut answers = Vec::new();
    for wish in wishes {
        let mut unit = store.begin().await.unwrap();
        let answer = unit.append_all(&wish.commits(there)).await;
        if matches!(answer, Ok(AppendedAll::Stored(_))) {
            store.commit(unit).await.unwrap();
        }
        answers.push(told(answer));
    }
    answers
}

fn at_once(store: &Coalescing<Rig>, wishes: &[Wish], there: &[Revision]) -> Vec<String> {
    let callers = wishes.iter().map(|wish| {
        let mut writer = store.writer();
        async move { told(writer.append_all(&wish.commits(there)).await) }
    });
    let answer = |end| match end {
        End::Answered(answer) => answer,
        End::Panicked | End::Dropped => unreachable!("nobody is dropped"),
    };
    Desk::new(callers).run(|_| None).into_iter().map(answer).collect()
}

/// All that a store holds, but for the marks of revisions.
async fn everything(store: &impl Store) -> String {
    let mut unit = store.begin().await.unwrap();
    let mut rows = unit.find(&Query::All, None, 100).await.unwrap().rows;
    let mut logs = Vec::new();
    for row in &mut rows {
        row.revision = Revision::new(0);
        logs.push(unit.log(row.subject).await.unwrap().unwrap().records);
    }
    let (balances, books) = (unit.balances(None, 100).await.unwrap(), unit.books(0, 1_000).await.unwrap());
    format!("{rows:?} {logs:?} {balances:?} {books:?}")
}

proptest! {
    #![proptest_config(random(400))]

    #[test]
    fn as_one_after_another(wishes in prop::collection::vec(wish(), 1..24), limit in 1..40usize, pauses in 0..2usize) {
        let (plain, shared) = (Memory::new(), Coalescing::with_limit(Rig::new(pauses, Fails::Never), limit));
        let there = (block_on(set_up(&plain)), block_on(set_up(&shared)));
        let expected = block_on(one_after_another(&plain, &wishes, &there.0));
        prop_assert_eq!(at_once(&shared, &wishes, &there.1), expected);
        prop_assert_eq!(block_on(everything(&shared)), block_on(everything(&plain)));
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn from_many_threads_into_one_file() {
    use crate::sqlite::Sqlite;
    use std::{collections::BTreeMap, thread};

    const THREADS: u128 = 8;
    const WRITES: u128 = 40;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("market.db");
    let store = Coalescing::new(Sqlite::open(&path).unwrap());
    // Each writes its own, and tries to be the first at what all want.
    let won: Vec<BTreeMap<u128, Revision>> = thread::scope(|scope| {
        let callers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let mut writer = store.writer();
                scope.spawn(move || {
                    block_on(async {
                        let mut won = BTreeMap::new();
                        for write in 0..WRITES {
                            for number in [write, 1_000 + thread * 1_000 + write] {
                                if let Appended::Stored(revision) = writer.append(&opens(order(number))).await.unwrap()
                                {
                                    // Nobody is told before another connection can read it.
                                    won.insert(number, revision);
                                }
                                assert!(writer.log(order(number)).await.unwrap().is_some());
                            }
                        }
                        won
                    })
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    drop(store);
    let store = Sqlite::open(&path).unwrap();
    block_on(async {
        let mut unit = store.begin().await.unwrap();
        for (number, revision) in won.iter().flatten() {
            assert_eq!(unit.log(order(*number)).await.unwrap().unwrap().revision, *revision);
        }
    });
    let first = |number: u128| won.iter().filter(|won| won.contains_key(&number)).count();
    assert!((0..WRITES).all(|number| first(number) == 1), "each was opened by one of them");
    assert_eq!(won.iter().map(BTreeMap::len).sum::<usize>(), usize::try_from(THREADS * WRITES + WRITES).unwrap());
}
