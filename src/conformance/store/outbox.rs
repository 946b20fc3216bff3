//! Calls on their way to a gateway.

use super::commits::*;
use crate::{
    gateway::{IdempotencyKey, Instruction, Outcome},
    store::{
        Appended, Call, CallState, CallStatus, Commit, DueLease, IfSent, IndexEntry, Lease, LeasedCall, Outbox,
        Postponement, Query, Revision, Settlement, Store, UnitOfWork, Unreadable, Views, Withdrawal,
    },
    text::Prose,
};

pub(super) fn lease(worker: &str, now: u64, until: u64) -> Lease {
    let (worker, gateway) = (worker.parse().unwrap(), "sandbox".parse().unwrap());
    Lease { worker, gateway, now: at(now), until: at(until), limit: 10 }
}

/// Takes calls, all of which can be read.
pub(super) async fn take<U: Outbox>(unit: &mut U, lease: &Lease) -> Vec<LeasedCall> {
    unit.lease(lease).await.unwrap().into_iter().map(Result::unwrap).collect()
}

/// Lists calls, all of which can be read.
pub(super) async fn listed<U: Outbox>(
    unit: &mut U,
    status: CallStatus,
    after: Option<&str>,
    limit: usize,
) -> Vec<CallState> {
    unit.calls(status, after, limit).await.unwrap().into_iter().map(Result::unwrap).collect()
}

pub(super) fn keys(calls: &[LeasedCall]) -> Vec<String> {
    calls.iter().map(|call| call.instruction.key().to_string()).collect()
}

pub(super) fn put_off(call: &Call, status: CallStatus, due: u64) -> Postponement<'static> {
    Postponement { status, ..Postponement::queued(key(call), at(due)) }
}

pub(super) async fn queue<S: Store>(store: &S, number: u128, call: Call) -> Revision {
    saved(store, &Commit { calls: vec![call], ..opens(order(number)) }).await
}

pub(super) fn withdrawing(commit: Commit, key: IdempotencyKey, if_sent: IfSent) -> Commit {
    Commit { withdraws: Some(Withdrawal { key, if_sent }), ..commit }
}

pub(super) fn settling(commit: Commit, key: IdempotencyKey, outcome: Outcome) -> Commit {
    Commit { settles: [Settlement { key, outcome }].into(), ..commit }
}

pub(super) async fn state<S: Store>(store: &S, call: &Call) -> CallState {
    store.begin().await.unwrap().call(&key(call)).await.unwrap().unwrap()
}

/// A call waits in the outbox as its commit put it there, and is handed out when it is due.
pub async fn a_call_waits_as_it_was_written<S: Store>(store: &S) {
    let call = charge(payin(1), at(5));
    queue(store, 1, call.clone()).await;
    let expected = CallState {
        instruction: call.instruction.clone(),
        gateway: call.gateway.clone(),
        status: CallStatus::Queued,
        attempts: 0,
        leases: 0,
        sent: None,
        outcome: None,
        problem: None,
        due: at(5),
    };
    assert_eq!(state(store, &call).await, expected);
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.call(&key(&void(payin(1), at(5)))).await.unwrap(), None);
    assert!(take(&mut unit, &lease("w", 4, 9)).await.is_empty());
    let taken = take(&mut unit, &lease("w", 5, 9)).await;
    let (instruction, status) = (call.instruction, CallStatus::Queued);
    assert_eq!(taken, [LeasedCall { instruction, status, lease: 1, attempts: 0, sent: false }]);
}

/// A commit withdraws a call that no worker has taken; to withdraw what is not there changes nothing.
pub async fn a_call_that_nobody_took_is_withdrawn<S: Store>(store: &S) {
    let (sent, parked) = (charge(payin(1), at(0)), charge(payin(2), at(0)));
    let first = saved(store, &Commit { calls: vec![sent.clone(), parked.clone()], ..opens(order(1)) }).await;
    let mut unit = store.begin().await.unwrap();
    assert!(unit.postpone(&put_off(&parked, CallStatus::Parked, 0)).await.unwrap());
    let second = stored(&mut unit, &withdrawing(goes_on(order(1), first, 2), key(&sent), IfSent::Refuse)).await;
    let third = stored(&mut unit, &withdrawing(goes_on(order(1), second, 3), key(&parked), IfSent::Refuse)).await;
    // Once withdrawn, or never there: there is nothing to take back, and nothing to follow.
    let follow = IfSent::Follow(Box::new(void(payin(1), at(0))));
    let fourth = stored(&mut unit, &withdrawing(goes_on(order(1), third, 4), key(&sent), follow)).await;
    let unknown = key(&charge(payin(9), at(0)));
    stored(&mut unit, &withdrawing(goes_on(order(1), fourth, 5), unknown, IfSent::Refuse)).await;
    assert!(take(&mut unit, &lease("w", 5, 9)).await.is_empty());
    assert_eq!(unit.call(&key(&void(payin(1), at(0)))).await.unwrap(), None);
    store.commit(unit).await.unwrap();
    for call in [sent, parked] {
        assert_eq!(state(store, &call).await.status, CallStatus::Withdrawn);
    }
}

/// A call that a worker has taken to send is not withdrawn: the commit is refused, or another call follows it.
pub async fn a_call_that_was_taken_refuses_or_is_followed<S: Store>(store: &S) {
    let call = charge(payin(1), at(0));
    let first = queue(store, 1, call.clone()).await;
    let mut unit = store.begin().await.unwrap();
    assert_eq!(take(&mut unit, &lease("w", 0, 9)).await.len(), 1);
    let refused = Appended::Sent { key: key(&call) };
    let mut commit = withdrawing(goes_on(order(1), first, 2), key(&call), IfSent::Refuse);
    commit.entries = vec![entry("world:sandbox", "wallet:alice", 5)];
    assert_eq!(unit.append(&commit).await.unwrap(), refused);
    assert_eq!(unit.log(order(1)).await.unwrap().unwrap().revision, first);

    let moved = Outcome::Settled { moved: euro(1250) };
    let second = stored(&mut unit, &settling(goes_on(order(1), first, 2), key(&call), moved)).await;
    let late = withdrawing(goes_on(order(1), second, 3), key(&call), IfSent::Refuse);
    assert_eq!(unit.append(&late).await.unwrap(), refused);
    let follower = void(payin(1), at(3));
    let follow = IfSent::Follow(Box::new(follower.clone()));
    stored(&mut unit, &withdrawing(goes_on(order(1), second, 3), key(&call), follow)).await;
    store.commit(unit).await.unwrap();
    assert_eq!(state(store, &call).await.status, CallStatus::Settled);
    let state = state(store, &follower).await;
    assert_eq!((state.status, state.due), (CallStatus::Queued, at(3)));
}

/// The same call a second time, or once more after one that was sent, is an error that names it, and nothing is written.
pub async fn a_call_is_put_in_once<S: Store>(store: &S) {
    let (call, other) = (charge(payin(1), at(0)), charge(payin(2), at(0)));
    let first = queue(store, 1, call.clone()).await;
    let mut unit = store.begin().await.unwrap();
    let again = Commit { calls: vec![call.clone()], ..opens(order(2)) };
    let error = unit.append(&again).await.unwrap_err().to_string();
    assert!(error.contains(&key(&call).to_string()), "{error}");
    assert_eq!(unit.log(order(2)).await.unwrap(), None);
    drop(unit);

    queue(store, 2, other.clone()).await;
    let mut unit = store.begin().await.unwrap();
    assert_eq!(take(&mut unit, &lease("w", 0, 9)).await.len(), 2);
    let follow = IfSent::Follow(Box::new(other.clone()));
    let error = unit.append(&withdrawing(goes_on(order(1), first, 2), key(&call), follow)).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains(&key(&other).to_string()), "{error}");
    assert_eq!(unit.log(order(1)).await.unwrap().unwrap().revision, first);
}

/// The answer to a call that was never made is an error that names it, and nothing is written.
pub async fn only_known_calls_are_settled<S: Store>(store: &S) {
    let unknown = key(&charge(payin(1), at(0)));
    let outcome = Outcome::Declined { reason: "no funds".parse().unwrap() };
    let mut unit = store.begin().await.unwrap();
    let error = unit.append(&settling(opens(order(1)), unknown, outcome)).await.unwrap_err().to_string();
    assert!(error.contains(&unknown.to_string()), "{error}");
    assert_eq!(unit.log(order(1)).await.unwrap(), None);
}

/// A commit of several steps may answer several calls, also one that it asks for itself.
pub async fn one_commit_answers_several_calls<S: Store>(store: &S) {
    let calls = [1, 2].map(|number| charge(payin(number), at(0)));
    let first = queue(store, 1, calls[0].clone()).await;
    let settles =
        calls.each_ref().map(|call| Settlement { key: key(call), outcome: Outcome::Settled { moved: euro(1) } });
    let commit =
        Commit { calls: vec![calls[1].clone()], settles: settles.into_iter().collect(), ..goes_on(order(1), first, 2) };
    saved(store, &commit).await;
    for call in &calls {
        assert_eq!(state(store, call).await.status, CallStatus::Settled);
    }
    let mut unit = store.begin().await.unwrap();
    assert!(take(&mut unit, &lease("w", 99, 100)).await.is_empty());
}

/// A pending answer ends the lease and keeps the call open; a final one closes it for good.
pub async fn a_pending_answer_keeps_a_call_open<S: Store>(store: &S) {
    let call = charge(payin(1), at(0));
    let first = queue(store, 1, call.clone()).await;
    let mut unit = store.begin().await.unwrap();
    assert_eq!(take(&mut unit, &lease("w", 0, 60)).await[0].attempts, 0);
    let pending = Outcome::Pending { direct_link: Some("https://pay.example/1".parse().unwrap()) };
    let second = stored(&mut unit, &settling(goes_on(order(1), first, 2), key(&call), pending.clone())).await;
    let state = unit.call(&key(&call)).await.unwrap().unwrap();
    assert_eq!((state.status, state.attempts, state.outcome), (CallStatus::Pending, 1, Some(pending)));
    // Its lease has ended with the answer, so that it can be looked up again.
    assert_eq!(take(&mut unit, &lease("x", 1, 60)).await[0].attempts, 1);
    let declined = Outcome::Declined { reason: "too late".parse().unwrap() };
    stored(&mut unit, &settling(goes_on(order(1), second, 3), key(&call), declined.clone())).await;
    let state = unit.call(&key(&call)).await.unwrap().unwrap();
    assert_eq!((state.status, state.outcome), (CallStatus::Settled, Some(declined)));
    assert!(take(&mut unit, &lease("y", 99, 100)).await.is_empty());
}

/// Calls are handed out in the order in which they fall due, those of other gateways never.
pub async fn calls_are_leased_in_the_order_they_fall_due<S: Store>(store: &S) {
    for (number, due) in [(1, 3), (2, 1), (3, 2), (4, 1), (5, 9)] {
        queue(store, number, charge(payin(number), at(due))).await;
    }
    let mut elsewhere = charge(payin(6), at(0));
    elsewhere.gateway = "other".parse().unwrap();
    queue(store, 6, elsewhere).await;
    let mut unit = store.begin().await.unwrap();
    let some = take(&mut unit, &Lease { limit: 2, ..lease("w", 5, 9) }).await;
    assert_eq!(keys(&some), [payin(2), payin(4)].map(|id| format!("{id}:charge")));
    let rest = take(&mut unit, &lease("w", 5, 9)).await;
    assert_eq!(keys(&rest), [payin(3), payin(1)].map(|id| format!("{id}:charge")));
    assert!(take(&mut unit, &Lease { limit: 0, ..lease("w", 99, 100) }).await.is_empty());
}

/// While a worker has a call nobody else gets it; when the lease has ended, somebody does.
pub async fn a_lease_keeps_others_off_until_it_ends<S: Store>(store: &S) {
    for number in 1..=3 {
        queue(store, number, charge(payin(number), at(0))).await;
    }
    let mut unit = store.begin().await.unwrap();
    let one = take(&mut unit, &Lease { limit: 1, ..lease("one", 0, 10) }).await;
    let two = take(&mut unit, &lease("two", 0, 20)).await;
    assert_eq!((one.len(), two.len()), (1, 2));
    assert!(two.iter().all(|call| !one.contains(call)));
    store.commit(unit).await.unwrap();
    let mut unit = store.begin().await.unwrap();
    assert!(take(&mut unit, &lease("two", 9, 20)).await.is_empty());
    let expired = take(&mut unit, &lease("two", 10, 20)).await;
    assert_eq!(expired, [LeasedCall { lease: 2, attempts: 1, sent: true, ..one[0].clone() }]);
}

/// A later call waits while an earlier one of the same payment is queued, even if it is due first.
pub async fn a_later_call_of_a_payment_waits_for_the_queued_one<S: Store>(store: &S) {
    let (first, second) = (charge(payin(1), at(5)), void(payin(1), at(0)));
    let revision = saved(store, &Commit { calls: vec![first.clone(), second], ..opens(order(1)) }).await;
    let mut unit = store.begin().await.unwrap();
    assert!(take(&mut unit, &lease("w", 1, 9)).await.is_empty());
    assert_eq!(keys(&take(&mut unit, &lease("w", 5, 9)).await), [format!("{}:charge", payin(1))]);
    assert!(take(&mut unit, &lease("w", 6, 9)).await.is_empty());
    let pending = Outcome::Pending { direct_link: None };
    stored(&mut unit, &settling(goes_on(order(1), revision, 2), key(&first), pending)).await;
    assert!(unit.postpone(&put_off(&first, CallStatus::Pending, 50)).await.unwrap());
    assert_eq!(keys(&take(&mut unit, &lease("w", 6, 9)).await), [format!("{}:void", payin(1))]);
}

/// Calls of one order are handed out one after another, those of another order beside them.
pub async fn the_calls_of_one_order_keep_their_order<S: Store>(store: &S) {
    // Two payments of one order, and one of another.
    let about = |number, order_number| {
        let mut commit = opens(payin(number));
        commit.index.about = Some(order(order_number));
        commit.calls = vec![charge(payin(number), at(0))];
        commit
    };
    for (number, order_number) in [(1, 1), (2, 1), (3, 2)] {
        saved(store, &about(number, order_number)).await;
    }
    let mut unit = store.begin().await.unwrap();
    let first = take(&mut unit, &lease("w", 0, 9)).await;
    assert_eq!(keys(&first), [payin(1), payin(3)].map(|id| format!("{id}:charge")));
    assert!(take(&mut unit, &lease("x", 0, 9)).await.is_empty());
    // A call that the gateway has does not hold up the next one, nor does one that is parked.
    assert!(unit.postpone(&Postponement::pending(first[0].instruction.key(), at(50))).await.unwrap());
    assert_eq!(keys(&take(&mut unit, &lease("x", 1, 9)).await), [format!("{}:charge", payin(2))]);
}

/// Deadlines are handed out the earliest first, to one worker at a time, until the lease ends or the subject goes on.
pub async fn a_deadline_is_leased_once<S: Store>(store: &S) {
    let mut revisions = Vec::new();
    for (number, deadline) in [(1, 20), (2, 10), (3, 30), (4, 10)] {
        let mut commit = opens(order(number));
        commit.index.deadline = Some(at(deadline));
        revisions.push(saved(store, &commit).await);
    }
    let due = |worker: &str, now, until, limit| DueLease {
        worker: worker.parse().unwrap(),
        now: at(now),
        until: at(until),
        limit,
    };
    let subjects = |rows: Vec<Result<IndexEntry, Unreadable>>| -> Vec<_> {
        rows.into_iter().map(|row| row.unwrap().subject).collect()
    };
    let mut unit = store.begin().await.unwrap();
    assert!(unit.lease_due(&due("a", 9, 99, 9)).await.unwrap().is_empty());
    assert_eq!(subjects(unit.lease_due(&due("a", 20, 40, 2)).await.unwrap()), [order(2), order(4)]);
    drop(unit);
    // A lease that was rolled back was never taken. Where that happens a moment later, the subjects may still be held.
    let mut rows = Vec::new();
    for _ in 0..1_000 {
        let mut unit = store.begin().await.unwrap();
        let first = unit.find(&Query::DueBy(at(20)), None, 1).await.unwrap().rows;
        rows = unit.lease_due(&due("a", 20, 40, 2)).await.unwrap();
        if rows.first().map(|row| row.as_ref().unwrap()) == first.first() {
            store.commit(unit).await.unwrap();
            break;
        }
    }
    assert_eq!(subjects(rows), [order(2), order(4)]);

    let mut unit = store.begin().await.unwrap();
    assert_eq!(subjects(unit.lease_due(&due("b", 20, 50, 9)).await.unwrap()), [order(1)]);
    assert!(unit.lease_due(&due("b", 39, 50, 0)).await.unwrap().is_empty());
    assert_eq!(subjects(unit.lease_due(&due("b", 39, 60, 9)).await.unwrap()), [order(3)]);
    // A lease ends by time, or with the subject's next commit.
    assert_eq!(subjects(unit.lease_due(&due("b", 40, 70, 9)).await.unwrap()), [order(2), order(4)]);
    let mut commit = goes_on(order(3), revisions[2], 2);
    commit.index.deadline = Some(at(35));
    stored(&mut unit, &commit).await;
    assert_eq!(subjects(unit.lease_due(&due("c", 41, 70, 9)).await.unwrap()), [order(3)]);
    // Whoever has a lease may find its subjects like anybody else.
    assert_eq!(unit.find(&Query::DueBy(at(99)), None, 9).await.unwrap().rows.len(), 4);
}

/// A postponed call comes back when its time has come, with its problem and attempts; a parked one only once it is queued.
pub async fn postponed_calls_come_back_and_parked_ones_do_not<S: Store>(store: &S) {
    let call = charge(payin(1), at(0));
    let revision = queue(store, 1, call.clone()).await;
    let problem: Prose = "connection reset".parse().unwrap();
    let mut unit = store.begin().await.unwrap();
    take(&mut unit, &lease("w", 0, 60)).await;
    assert!(
        unit.postpone(&Postponement { problem: Some(&problem), ..put_off(&call, CallStatus::Queued, 5) })
            .await
            .unwrap()
    );
    assert!(take(&mut unit, &lease("w", 4, 60)).await.is_empty());
    let state = unit.call(&key(&call)).await.unwrap().unwrap();
    assert_eq!((state.problem, state.due, state.attempts), (Some(problem), at(5), 1));
    assert_eq!(take(&mut unit, &lease("w", 5, 60)).await[0].attempts, 1);

    assert!(unit.postpone(&put_off(&call, CallStatus::Parked, 6)).await.unwrap());
    assert!(take(&mut unit, &lease("w", 99, 100)).await.is_empty());
    assert!(unit.postpone(&put_off(&call, CallStatus::Queued, 7)).await.unwrap());
    assert_eq!(take(&mut unit, &lease("w", 7, 60)).await[0].attempts, 2);

    let moved = Outcome::Settled { moved: euro(1250) };
    stored(&mut unit, &settling(goes_on(order(1), revision, 2), key(&call), moved)).await;
    assert!(!unit.postpone(&put_off(&call, CallStatus::Queued, 8)).await.unwrap());
    assert!(!unit.postpone(&put_off(&void(payin(1), at(0)), CallStatus::Parked, 8)).await.unwrap());
    assert_eq!(unit.call(&key(&call)).await.unwrap().unwrap().due, at(7));
}

/// A lease in a unit that is dropped was never taken.
pub async fn a_lease_that_was_rolled_back_was_never_taken<S: Store>(store: &S) {
    let call = charge(payin(1), at(0));
    queue(store, 1, call.clone()).await;
    let mut unit = store.begin().await.unwrap();
    take(&mut unit, &lease("w", 0, 60)).await;
    assert!(unit.postpone(&put_off(&call, CallStatus::Parked, 6)).await.unwrap());
    drop(unit);
    // Where a dropped unit is rolled back a moment later, it may still hold the call.
    for _ in 0..1_000 {
        let mut unit = store.begin().await.unwrap();
        if let Some(call) = take(&mut unit, &lease("x", 0, 60)).await.first() {
            assert_eq!(call.attempts, 0);
            return;
        }
    }
    panic!("the call was never handed out again");
}

/// Calls in one status are listed in order of their keys as text, page by page.
pub async fn calls_are_listed_by_key<S: Store>(store: &S) {
    // By their text: a capture comes before a charge.
    let capture = Instruction::Capture { payin: payin(1), amount: euro(1) };
    let capture = Call { instruction: capture, ..charge(payin(1), at(0)) };
    let calls = vec![charge(payin(2), at(0)), void(payin(1), at(0)), charge(payin(1), at(0)), capture];
    saved(store, &Commit { calls: calls.clone(), ..opens(order(1)) }).await;
    let mut sorted: Vec<_> = calls.iter().map(|call| key(call).to_string()).collect();
    sorted.sort();
    let mut unit = store.begin().await.unwrap();
    let mut seen: Vec<String> = Vec::new();
    while let [call] = &listed(&mut unit, CallStatus::Queued, seen.last().map(String::as_str), 1).await[..] {
        seen.push(call.instruction.key().to_string());
    }
    assert_eq!(seen, sorted);
    // After what is no key, the keys that come after it all the same.
    assert_eq!(listed(&mut unit, CallStatus::Queued, Some("pi"), 9).await.len(), 4);
    assert!(listed(&mut unit, CallStatus::Queued, Some("pj"), 9).await.is_empty());
    assert!(unit.postpone(&Postponement::parked(seen[1].parse().unwrap(), at(0))).await.unwrap());
    assert_eq!(listed(&mut unit, CallStatus::Queued, None, 9).await.len(), 3);
    assert_eq!(listed(&mut unit, CallStatus::Parked, None, 9).await.len(), 1);
    assert!(listed(&mut unit, CallStatus::Settled, None, 9).await.is_empty());
}
