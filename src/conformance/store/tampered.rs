//! Rows that somebody has tampered with, or that a later version wrote: for the tests of the stores in databases.

use super::{commits::*, outbox::*};
use crate::store::{CallState, CallStatus, DueLease, Outbox, Postponement, Query, Store, Unreadable, Views};

/// What is in the outbox in this status, in pages of one.
async fn one_by_one<S: Store>(store: &S, status: CallStatus) -> Vec<Result<CallState, Unreadable>> {
    let (mut unit, mut all, mut after) = (store.begin().await.unwrap(), Vec::new(), None::<String>);
    while let Some(call) = unit.calls(status, after.as_deref(), 1).await.unwrap().pop() {
        after = Some(call.as_ref().map_or_else(|row| row.id.clone(), |call| call.instruction.key().to_string()));
        all.push(call);
    }
    all
}

/// A call that cannot be read is parked and stops no other one; it is listed, and goes on once it can be read.
pub(crate) async fn a_call_stops_no_other<S: Store>(store: &S, run: impl AsyncFn(&str)) {
    let calls = [1, 2, 3, 4].map(|number| charge(payin(number), at(number as u64)));
    for (number, call) in (1..).zip(&calls) {
        queue(store, number, call.clone()).await;
    }
    let keys = calls.each_ref().map(|call| key(call).to_string());
    let json = serde_json::to_string(&calls[0].instruction).unwrap();
    let foreign = serde_json::to_string(&calls[3].instruction).unwrap();
    // A way to ask that only a later version knows; no JSON; another one's; numbers and words out of range.
    let tampers = [
        "instruction = '{\"conjure\":{}}'".to_owned(),
        "instruction = '{'".to_owned(),
        format!("instruction = '{foreign}'"),
        "attempts = 5000000000".to_owned(),
        "outcome = '{\"lost\":{}}'".to_owned(),
        format!("key = '{}:conjure'", payin(1)),
    ];
    for tamper in tampers {
        run(&format!("UPDATE escrowed_calls SET {tamper} WHERE key = '{}'", keys[0])).await;
        let mut unit = store.begin().await.unwrap();
        let taken = unit.lease(&lease("w", 9, 10)).await.unwrap();
        let [Err(unreadable), rest @ ..] = &taken[..] else { panic!("{tamper}: {taken:?}") };
        assert!(unreadable.id.starts_with(&payin(1).to_string()), "{tamper}: {unreadable}");
        let sent: Vec<_> = rest.iter().map(|call| call.as_ref().unwrap().instruction.key().to_string()).collect();
        assert_eq!(sent, keys[1..], "{tamper}");
        // It is nobody's now, and comes back to nobody by itself. Those beside it do.
        assert!(unit.postpone(&Postponement::parked(key(&calls[2]), at(9))).await.unwrap());
        let again = unit.lease(&lease("w", 99, 100)).await.unwrap();
        assert_eq!(again.iter().filter(|call| call.is_ok()).count(), 2, "{tamper}: {again:?}");
        assert_eq!(again.len(), 2, "{tamper}: {again:?}");
        store.commit(unit).await.unwrap();
        let listed = one_by_one(store, CallStatus::Parked).await;
        let [Err(parked), Ok(beside)] = &listed[..] else { panic!("{tamper}: {listed:?}") };
        assert_eq!((&parked.id, beside.instruction.key()), (&unreadable.id, key(&calls[2])), "{tamper}");

        // Whoever can read it finds out why it waits, and that nothing was sent.
        run(&format!(
            "UPDATE escrowed_calls SET key = '{}', instruction = '{json}', attempts = 1, outcome = NULL WHERE key = '{}'",
            keys[0], unreadable.id
        ))
        .await;
        let mut unit = store.begin().await.unwrap();
        let state = unit.call(&key(&calls[0])).await.unwrap().unwrap();
        assert_eq!((state.status, state.sent, state.due), (CallStatus::Parked, None, at(9)), "{tamper}");
        assert!(state.problem.unwrap().as_str().starts_with("it cannot be read: "), "{tamper}");
        for call in &calls {
            assert!(unit.postpone(&Postponement::queued(key(call), at(9))).await.unwrap());
        }
        let [first, ..] = &take(&mut unit, &lease("w", 200, 201)).await[..] else { panic!("{tamper}: nothing is due") };
        assert_eq!((first.instruction.key(), first.sent), (key(&calls[0]), false), "{tamper}");
        // As before.
        for (due, call) in (1..).zip(&calls) {
            assert!(unit.postpone(&Postponement::queued(key(call), at(due))).await.unwrap());
        }
        store.commit(unit).await.unwrap();
        run(&format!("UPDATE escrowed_calls SET sent = NULL WHERE key = '{}'", keys[0])).await;
    }
}

/// A subject whose row cannot be read keeps no other deadline waiting, and is told each time its lease has ended.
pub(crate) async fn a_subject_stops_no_other<S: Store>(store: &S, run: impl AsyncFn(&str)) {
    let mut revisions = Vec::new();
    for (number, deadline) in [(1, 1), (2, 2), (3, 3)] {
        let mut commit = opens(order(number));
        commit.index.deadline = Some(at(deadline));
        revisions.push(saved(store, &commit).await);
    }
    let (id, mut now) = (order(1).to_string(), 10);
    for (tamper, repair) in [
        ("parties = '{'", "parties = '[]'"),
        ("about = 'nothing'", "about = NULL"),
        ("currency = 'XAU'", "currency = 'EUR'"),
    ] {
        run(&format!("UPDATE escrowed_subjects SET {tamper} WHERE id = '{id}'")).await;
        let due = |now, limit| DueLease { worker: "w".parse().unwrap(), now: at(now), until: at(now + 10), limit };
        let mut unit = store.begin().await.unwrap();
        for now in [now, now + 10] {
            let alone = unit.lease_due(&due(now, 1)).await.unwrap();
            let [Err(unreadable)] = &alone[..] else { panic!("{tamper}: {alone:?}") };
            assert_eq!(unreadable.id, id, "{tamper}");
            let rest = unit.lease_due(&due(now, 9)).await.unwrap();
            let rest: Vec<_> = rest.into_iter().map(|row| row.unwrap().subject).collect();
            assert_eq!(rest, [order(2), order(3)], "{tamper}");
        }
        let all = unit.lease_due(&due(now + 20, 9)).await.unwrap();
        assert_eq!(all.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false], "{tamper}");
        store.commit(unit).await.unwrap();
        run(&format!("UPDATE escrowed_subjects SET {repair} WHERE id = '{id}'")).await;
        now += 30;
    }
    let mut unit = store.begin().await.unwrap();
    let first = unit.find(&Query::DueBy(at(9)), None, 1).await.unwrap().rows;
    let lease = DueLease { worker: "w".parse().unwrap(), now: at(now), until: at(now + 1), limit: 1 };
    let rows = unit.lease_due(&lease).await.unwrap();
    assert_eq!(rows.into_iter().map(Result::unwrap).collect::<Vec<_>>(), first);
    // It goes on like any other.
    stored(&mut unit, &goes_on(order(1), revisions[0], 2)).await;
}
