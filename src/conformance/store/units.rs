//! Units that are open at the same moment. Where they take turns, the second one begins when the first has ended, and keeps
//! these promises with ease.

use super::commits::*;
use crate::{
    id::Subject,
    money::Currency,
    store::{Appended, Commit, DueLease, IndexRow, Lease, Outbox, Query, Request, Revision, Store, UnitOfWork, Views},
};
use futures_util::future::{join, join_all};
use std::{cell::Cell, future::poll_fn, task::Poll};

/// How often an open unit looks whether another one has come as far. Where units take turns, none ever has.
const LOOKS: usize = 100;

/// Waits with a unit open, and not for ever. An error is the unit's, which has read meanwhile.
async fn wait<U: UnitOfWork>(unit: &mut U, until: impl Fn() -> bool) -> Result<(), U::Error> {
    for _ in 0..LOOKS {
        if until() {
            break;
        }
        // As long as the other one needs for one thing, by whatever way there is to the storage.
        unit.log(order(0)).await?;
        let mut others = true;
        poll_fn(|cx| {
            if !std::mem::take(&mut others) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
    Ok(())
}

/// Two units have written something each, and then meet: one of them has lost. It is refused, and then goes on as if nothing
/// had been asked; or it is told by an error, and then its commit is one, too. What it has written before is there after a
/// commit that says so.
pub async fn what_was_written_before_a_lost_race_is_there_or_told_of<S: Store>(store: &S) {
    let asked = |number, key: u128| {
        let request = Some(Request::new(&format!("anna-{key}"), "open").unwrap());
        Commit { request, ..opens(order(number)) }
    };
    for round in (0..40).step_by(10) {
        // The same request.
        let pair = |number| [opens(order(round + number)), asked(round + number + 1, round)];
        race(store, [pair(1), pair(4)]).await;
    }
    for round in (100..140).step_by(10) {
        // The same subject.
        let first = saved(store, &opens(order(round))).await;
        let pair = |number| [opens(order(round + number)), goes_on(order(round), first, 2)];
        race(store, [pair(1), pair(4)]).await;
    }
    // Each has what the other one wants.
    let [one, two] = [200, 201].map(|number| opens(order(number)));
    let [one, two] =
        [goes_on(order(200), saved(store, &one).await, 2), goes_on(order(201), saved(store, &two).await, 2)];
    race(store, [[one.clone(), two.clone()], [two, one]]).await;
}

/// Lets two write two commits each. What they meet about is the second one.
async fn race<S: Store>(store: &S, pairs: [[Commit; 2]; 2]) {
    let written = &Cell::new(0);
    let write = |[before, meets]: [Commit; 2]| async move {
        let mut unit = store.begin().await.unwrap();
        let mut told = Vec::new();
        let mut last = append(store, &mut unit, &before, &mut told).await;
        written.set(written.get() + 1);
        if last == Some(true) {
            last = match wait(&mut unit, || written.get() == 2).await {
                Ok(()) => append(store, &mut unit, &meets, &mut told).await,
                Err(error) => lost(store, &error),
            };
        }
        if last == Some(false) {
            // Refused, and as usable as before.
            let more = opens(order(1_000 + before.subject().uuid().as_u128()));
            last = append(store, &mut unit, &more, &mut told).await;
        }
        match store.commit(unit).await {
            Ok(()) => (told, true),
            Err(error) => {
                assert!(last.is_none() || store.is_lost_race(&error), "{error}");
                (told, false)
            }
        }
    };
    for (told, committed) in join_all(pairs.map(write)).await {
        let mut unit = store.begin().await.unwrap();
        for (subject, revision) in told {
            let there = unit.log(subject).await.unwrap().is_some_and(|log| log.revision == revision);
            assert_eq!(there, committed, "{subject} was written, and the commit said {committed}");
        }
    }
}

/// Whether it was stored or refused, or else lost with an error.
async fn append<S: Store>(
    store: &S,
    unit: &mut S::Unit,
    commit: &Commit,
    told: &mut Vec<(Subject, Revision)>,
) -> Option<bool> {
    match unit.append(commit).await {
        Ok(Appended::Stored(revision)) => {
            told.push((commit.subject(), revision));
            Some(true)
        }
        Ok(refused) => {
            assert_eq!(refused, Appended::Stale);
            Some(false)
        }
        Err(error) => lost(store, &error),
    }
}

fn lost<S: Store>(store: &S, error: &S::Error) -> Option<bool> {
    assert!(store.is_lost_race(error), "{error}");
    None
}

/// What a unit has written and not committed, nobody else finds anywhere, nor does a worker take it.
pub async fn what_is_not_committed_is_seen_by_nobody_else<S: Store>(store: &S) {
    let commit = Commit {
        entries: vec![entry("world:sandbox", "wallet:alice", 5)],
        calls: vec![charge(payin(1), at(0))],
        index: IndexRow { parties: ["alice".parse().unwrap()].into(), deadline: Some(at(0)), ..opens(order(1)).index },
        request: Some(Request::new("anna-1", "open").unwrap()),
        ..opens(order(1))
    };
    let (seen, committing) = (&Cell::new(false), &Cell::new(false));
    let mut unit = store.begin().await.unwrap();
    stored(&mut unit, &commit).await;
    let look = async {
        let mut other = store.begin().await.unwrap();
        let mut found = found(&mut other).await;
        let worker = || "w".parse().unwrap();
        let lease = DueLease { worker: worker(), now: at(0), until: at(9), limit: 9 };
        if !other.lease_due(&lease).await.unwrap().is_empty() {
            found.push("a deadline");
        }
        let gateway = "sandbox".parse().unwrap();
        let lease = Lease { worker: worker(), gateway, now: at(0), until: at(9), limit: 9 };
        if !other.lease(&lease).await.unwrap().is_empty() {
            found.push("a call that is due");
        }
        // Once it is being committed it may be there.
        assert!(committing.get() || found.is_empty(), "what was not committed was seen: {found:?}");
        seen.set(true);
    };
    let commit = async {
        wait(&mut unit, || seen.get()).await.unwrap();
        committing.set(true);
        store.commit(unit).await.unwrap();
    };
    join(commit, look).await;
    let all = ["a log", "an answer", "a row", "a party", "a balance", "an entry", "a call"];
    assert_eq!(found(&mut store.begin().await.unwrap()).await, all);
}

/// Of what was written there, what a unit finds.
async fn found<U: Outbox + Views>(unit: &mut U) -> Vec<&'static str> {
    let alice = account("wallet:alice");
    let party = Query::Party("alice".parse().unwrap());
    let looks = [
        ("a log", unit.log(order(1)).await.unwrap().is_some()),
        ("an answer", unit.answered(&"anna-1".parse().unwrap()).await.unwrap().is_some()),
        ("a row", !unit.find(&Query::All, None, 9).await.unwrap().rows.is_empty()),
        ("a party", !unit.find(&party, None, 9).await.unwrap().rows.is_empty()),
        ("a balance", !unit.balance(&alice, Currency::EUR).await.unwrap().is_zero()),
        ("an entry", !unit.entries(&alice, 0, 9).await.unwrap().is_empty()),
        ("a call", unit.call(&key(&charge(payin(1), at(0)))).await.unwrap().is_some()),
    ];
    looks.into_iter().filter_map(|(what, there)| there.then_some(what)).collect()
}
