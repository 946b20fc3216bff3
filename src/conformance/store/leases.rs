//! Who has a call, and whether it may have been sent.

use super::{commits::*, outbox::*};
use crate::{
    gateway::Outcome,
    store::{
        Appended, Call, CallStatus, Commit, IfSent, LeasedCall, Outbox, Postponement, Revision, Store, UnitOfWork,
    },
};

/// The word of who has this call, about when to see to it again.
fn word(call: &LeasedCall, status: CallStatus, due: u64) -> Postponement<'static> {
    Postponement { status, ..Postponement::queued(call.instruction.key(), at(due)).under(call) }
}

/// The same, and that nothing was sent under that lease.
fn unsent(call: &LeasedCall, status: CallStatus, due: u64) -> Postponement<'static> {
    Postponement { unsent: true, ..word(call, status, due) }
}

/// Takes the one call that is due.
async fn take_one<U: Outbox>(unit: &mut U, worker: &str, now: u64, until: u64) -> LeasedCall {
    let [call] = &take(unit, &lease(worker, now, until)).await[..] else { panic!("one call is due") };
    call.clone()
}

async fn refuses_to_withdraw<U: UnitOfWork>(unit: &mut U, call: &Call, expected: Revision) {
    let withdraw = withdrawing(goes_on(order(1), expected, 2), key(call), IfSent::Refuse);
    assert_eq!(unit.append(&withdraw).await.unwrap(), Appended::Sent { key: key(call) });
}

/// Every lease of a call has a higher number than those before it, whatever became of them; a worker that lost its lease notes
/// nothing on the call any more.
pub async fn a_lease_that_was_lost_notes_nothing<S: Store>(store: &S) {
    let call = charge(payin(1), at(0));
    queue(store, 1, call.clone()).await;
    let mut unit = store.begin().await.unwrap();
    let mut lost = Vec::new();
    // The gateway has it, it is held, failed, is parked and put back: none of that makes an old lease count again.
    for (number, becomes) in [
        CallStatus::Queued,
        CallStatus::Held,
        CallStatus::Queued,
        CallStatus::Pending,
        CallStatus::Pending,
        CallStatus::Parked,
        CallStatus::Queued,
    ]
    .into_iter()
    .enumerate()
    {
        let now = 10 * number as u64;
        let slow = take_one(&mut unit, "slow", now, now + 2).await;
        let fast = take_one(&mut unit, "fast", now + 2, now + 90).await;
        assert_eq!([slow.lease, fast.lease], [2 * number as u64 + 1, 2 * number as u64 + 2]);
        lost.push(slow);
        assert!(unit.postpone(&word(&fast, becomes, now + 5)).await.unwrap());
        let before = unit.call(&key(&call)).await.unwrap().unwrap();
        assert_eq!((before.status, before.leases), (becomes, fast.lease));
        for slow in &lost {
            for status in CallStatus::ALL.into_iter().filter(|status| status.is_open()) {
                assert!(!unit.postpone(&word(slow, status, now + 6)).await.unwrap(), "{slow:?} {status:?}");
                assert!(!unit.postpone(&unsent(slow, status, now + 6)).await.unwrap(), "{slow:?} {status:?}");
            }
        }
        assert_eq!(unit.call(&key(&call)).await.unwrap().unwrap(), before);
        if becomes == CallStatus::Parked {
            assert!(unit.postpone(&put_off(&call, CallStatus::Queued, now + 6)).await.unwrap());
            assert_eq!(unit.call(&key(&call)).await.unwrap().unwrap().leases, before.leases);
        }
        lost.push(fast);
    }
}

/// What a worker took to send may have been sent: it is not withdrawn, and the next one is told. Only the worker itself can
/// say that it sent nothing.
pub async fn what_was_taken_to_be_sent_may_have_been<S: Store>(store: &S) {
    for status in [CallStatus::Queued, CallStatus::Held, CallStatus::Parked] {
        let number = 10 + status as u128;
        let call = charge(payin(number), at(0));
        let revision = queue(store, number, call.clone()).await;
        let mut unit = store.begin().await.unwrap();
        let first = take_one(&mut unit, "one", 0, 9).await;
        assert_eq!((first.sent, unit.call(&key(&call)).await.unwrap().unwrap().sent), (false, Some(1)));
        // Who says nothing of it may have sent it, and so may who died. The next one knows nothing of that.
        let second = take_one(&mut unit, "two", 9, 20).await;
        assert!(second.sent);
        assert!(unit.postpone(&unsent(&second, status, 20)).await.unwrap());
        let kept = unit.call(&key(&call)).await.unwrap().unwrap();
        assert_eq!((kept.status, kept.sent), (status, Some(1)));
        let withdraw = withdrawing(goes_on(order(number), revision, 2), key(&call), IfSent::Refuse);
        assert_eq!(unit.append(&withdraw).await.unwrap(), Appended::Sent { key: key(&call) });
        // Nor does it matter who postpones it, or how often.
        for again in [CallStatus::Queued, CallStatus::Held, CallStatus::Parked, CallStatus::Queued] {
            assert!(unit.postpone(&Postponement { unsent: true, ..put_off(&call, again, 20) }).await.unwrap());
        }
        let third = take_one(&mut unit, "three", 20, 30).await;
        assert!(third.sent);
        assert!(unit.postpone(&unsent(&third, CallStatus::Held, 30)).await.unwrap());
        assert_eq!(unit.append(&withdraw).await.unwrap(), Appended::Sent { key: key(&call) });
        assert!(unit.postpone(&put_off(&call, CallStatus::Parked, 40)).await.unwrap());
        store.commit(unit).await.unwrap();
    }
}

/// A call of which the only worker that had it says that it sent nothing is withdrawn like one that nobody took.
pub async fn what_was_not_sent_may_be_withdrawn<S: Store>(store: &S) {
    for status in [CallStatus::Queued, CallStatus::Held, CallStatus::Parked] {
        let number = 10 + status as u128;
        let call = charge(payin(number), at(0));
        let revision = queue(store, number, call.clone()).await;
        let mut unit = store.begin().await.unwrap();
        let mut taken = take_one(&mut unit, "one", 0, 9).await;
        if status == CallStatus::Queued {
            // However often.
            assert!(unit.postpone(&unsent(&taken, status, 5)).await.unwrap());
            taken = take_one(&mut unit, "two", 5, 9).await;
            assert_eq!((taken.lease, taken.attempts, taken.sent), (2, 1, false));
        }
        assert!(unit.postpone(&unsent(&taken, status, 20)).await.unwrap());
        let kept = unit.call(&key(&call)).await.unwrap().unwrap();
        assert_eq!((kept.status, kept.sent), (status, None));
        stored(&mut unit, &withdrawing(goes_on(order(number), revision, 2), key(&call), IfSent::Refuse)).await;
        assert!(!unit.postpone(&unsent(&taken, status, 20)).await.unwrap());
        assert_eq!(unit.call(&key(&call)).await.unwrap().unwrap().status, CallStatus::Withdrawn);
        store.commit(unit).await.unwrap();
    }
}

/// A call that the gateway has is not held, and nobody can say any more that it was not sent.
pub async fn a_pending_call_is_not_held<S: Store>(store: &S) {
    for by_commit in [false, true] {
        let number = 10 + u128::from(by_commit);
        let call = charge(payin(number), at(0));
        let revision = queue(store, number, call.clone()).await;
        let mut unit = store.begin().await.unwrap();
        // Its word comes while a worker has it that has sent nothing.
        let taken = take_one(&mut unit, "w", 0, 9).await;
        if by_commit {
            let pending = Outcome::Pending { direct_link: None };
            stored(&mut unit, &settling(goes_on(order(number), revision, 2), key(&call), pending)).await;
        } else {
            assert!(unit.postpone(&Postponement::pending(key(&call), at(0))).await.unwrap());
        }
        let kept = unit.call(&key(&call)).await.unwrap().unwrap();
        assert_eq!((kept.status, kept.sent), (CallStatus::Pending, Some(0)));
        for held in [unsent(&taken, CallStatus::Held, 5), put_off(&call, CallStatus::Held, 5)] {
            assert!(!unit.postpone(&held).await.unwrap());
        }
        assert_eq!(unit.call(&key(&call)).await.unwrap().unwrap(), kept);
        assert!(unit.postpone(&unsent(&taken, CallStatus::Queued, 5)).await.unwrap());
        let again = take_one(&mut unit, "x", 5, 9).await;
        assert!(again.sent);
        assert!(unit.postpone(&unsent(&again, CallStatus::Parked, 9)).await.unwrap());
        assert_eq!(unit.call(&key(&call)).await.unwrap().unwrap().sent, Some(0));
        store.commit(unit).await.unwrap();
    }
}

/// A call that is held holds up no other and comes back when its time comes, to be asked about: it is withdrawn even then,
/// until whoever has it queues it to be sent.
pub async fn a_held_call_holds_up_nobody_and_may_be_withdrawn<S: Store>(store: &S) {
    let (first, second) = (charge(payin(1), at(0)), void(payin(1), at(0)));
    let revision = saved(store, &Commit { calls: vec![first.clone(), second], ..opens(order(1)) }).await;
    let mut unit = store.begin().await.unwrap();
    let taken = take_one(&mut unit, "w", 0, 9).await;
    assert!(unit.postpone(&unsent(&taken, CallStatus::Held, 5)).await.unwrap());
    let state = unit.call(&key(&first)).await.unwrap().unwrap();
    assert_eq!((state.status, state.attempts, state.due), (CallStatus::Held, 0, at(5)));
    assert_eq!(listed(&mut unit, CallStatus::Held, None, 9).await, [state]);
    assert_eq!(keys(&take(&mut unit, &lease("w", 1, 90)).await), [format!("{}:void", payin(1))]);
    let again = take_one(&mut unit, "w", 5, 9).await;
    let (instruction, status) = (first.instruction.clone(), CallStatus::Held);
    assert_eq!(again, LeasedCall { instruction, status, lease: 2, attempts: 0, sent: false });
    assert_eq!(unit.call(&key(&first)).await.unwrap().unwrap().sent, None);
    // Another one has it meanwhile, and has leave to send it.
    let other = take_one(&mut unit, "x", 9, 12).await;
    assert!(!unit.postpone(&word(&again, CallStatus::Queued, 20)).await.unwrap());
    assert!(unit.postpone(&word(&other, CallStatus::Queued, 20)).await.unwrap());
    assert_eq!(unit.call(&key(&first)).await.unwrap().unwrap().sent, Some(3));
    refuses_to_withdraw(&mut unit, &first, revision).await;
    assert!(take(&mut unit, &lease("y", 19, 30)).await.is_empty());
    // It is the last word on that lease only if nobody has it now.
    assert!(unit.postpone(&word(&other, CallStatus::Held, 20)).await.unwrap());
    refuses_to_withdraw(&mut unit, &first, revision).await;
    assert!(unit.postpone(&unsent(&other, CallStatus::Held, 20)).await.unwrap());
    assert_eq!(take_one(&mut unit, "z", 20, 30).await.lease, 4);
    stored(&mut unit, &withdrawing(goes_on(order(1), revision, 2), key(&first), IfSent::Refuse)).await;
    assert!(!unit.postpone(&word(&other, CallStatus::Queued, 20)).await.unwrap());
    assert_eq!(unit.call(&key(&first)).await.unwrap().unwrap().status, CallStatus::Withdrawn);
}
