//! Workers that take calls at the same moment as others, or as somebody withdraws or answers them.

use super::{
    commits::*,
    together::{MANY, insist},
};
use crate::{
    gateway::{IdempotencyKey, Outcome},
    id::Subject,
    store::{Appended, CallStatus, Commit, IfSent, Lease, Outbox, Settlement, Store, Withdrawal},
};
use futures_util::future::{join, join_all};
use std::{cell::RefCell, collections::HashSet};

/// Takes at most `limit` calls in a unit of its own.
async fn lease<S: Store>(store: &S, worker: u32, limit: usize) -> Vec<IdempotencyKey> {
    let (worker, gateway) = (format!("w{worker}").parse().unwrap(), "sandbox".parse().unwrap());
    let lease = Lease { worker, gateway, now: at(0), until: at(60), limit };
    loop {
        let mut unit = store.begin().await.unwrap();
        let taken = match unit.lease(&lease).await {
            Ok(taken) => store.commit(unit).await.map(|()| taken),
            Err(error) => Err(error),
        };
        match taken {
            Ok(taken) => return taken.into_iter().map(|call| call.unwrap().instruction.key()).collect(),
            Err(error) if store.is_lost_race(&error) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Takes calls, at most `limit` in each unit, until there are none.
pub(super) async fn take<S: Store>(store: &S, worker: u32, limit: usize) -> Vec<IdempotencyKey> {
    let mut mine = Vec::new();
    loop {
        match lease(store, worker, limit).await {
            taken if taken.is_empty() => return mine,
            taken => mine.extend(taken),
        }
    }
}

/// Calls are withdrawn while workers take them: each is withdrawn, or a worker has it, and whoever withdraws it is told which.
pub async fn a_call_is_withdrawn_or_taken<S: Store>(store: &S) {
    let call = |number| charge(payin(number), at(0));
    let follower = |number| void(payin(number), at(99));
    let mut revisions = Vec::new();
    for number in 1..=20 {
        revisions.push((number, saved(store, &Commit { calls: vec![call(number)], ..opens(order(number)) }).await));
    }
    let withdraw = |(number, first): (u128, _)| async move {
        let if_sent =
            if number.is_multiple_of(2) { IfSent::Refuse } else { IfSent::Follow(Box::new(follower(number))) };
        let withdraws = Some(Withdrawal { key: key(&call(number)), if_sent });
        (number, insist(store, &Commit { withdraws, ..goes_on(order(number), first, 2) }).await)
    };
    let workers = join_all((0..MANY).map(|worker| take(store, worker, 1)));
    let (held, answers) = join(workers, join_all(revisions.into_iter().map(withdraw))).await;
    let held = held.concat();
    let mut unit = store.begin().await.unwrap();
    for (number, answer) in answers {
        let key = key(&call(number));
        let taken = held.contains(&key);
        let withdrawn = unit.call(&key).await.unwrap().unwrap().status == CallStatus::Withdrawn;
        assert!(taken != withdrawn, "{key} was taken: {taken}, and withdrawn: {withdrawn}");
        let refused = answer == Appended::Sent { key };
        assert!(refused || matches!(answer, Appended::Stored(_)), "{answer:?}");
        let followed = unit.call(&self::key(&follower(number))).await.unwrap().is_some();
        let told = if number.is_multiple_of(2) { refused } else { followed };
        assert_eq!((told, refused && followed), (taken, false), "{key} was taken, and that was not told: {answer:?}");
    }
}

/// Many workers take the calls of orders that have two each, while some of the first are answered: the second is handed out
/// only once the first is answered.
pub async fn the_second_call_of_an_order_waits_among_many<S: Store>(store: &S) {
    let (first, second) = (|number| charge(payin(number), at(0)), |number| void(payin(number), at(0)));
    let mut revisions = Vec::new();
    for number in 1..=10 {
        let commit = Commit { calls: vec![first(number), second(number)], ..opens(order(number)) };
        revisions.push((number, saved(store, &commit).await));
    }
    let of = |numbers: &[u128], call: fn(u128) -> crate::store::Call| -> Vec<_> {
        numbers.iter().map(|number| key(&call(*number))).collect()
    };
    let all: Vec<_> = (1..=10).collect();
    let mut held = join_all((0..MANY).map(|worker| take(store, worker, 3))).await.concat();
    held.extend(take(store, MANY, 3).await);
    held.sort();
    assert_eq!(held, of(&all, first), "the first calls, and no second one before its first was answered");

    // Whose first call is being answered, or is answered.
    let answered = &RefCell::new(HashSet::<Subject>::new());
    let some: Vec<_> = revisions.into_iter().filter(|(number, _)| number.is_multiple_of(2)).collect();
    let numbers: Vec<_> = some.iter().map(|(number, _)| *number).collect();
    let answer = |(number, revision)| async move {
        answered.borrow_mut().insert(payin(number));
        let settles = [Settlement { key: key(&first(number)), outcome: Outcome::Settled { moved: euro(1250) } }].into();
        let answer = insist(store, &Commit { settles, ..goes_on(order(number), revision, 2) }).await;
        assert!(matches!(answer, Appended::Stored(_)), "{answer:?}");
    };
    let work = |worker| async move {
        let mut mine = Vec::new();
        for _ in 0..10 {
            let taken = lease(store, worker, 1).await;
            let early = taken.iter().find(|key| !answered.borrow().contains(&key.subject));
            assert_eq!(early, None, "a second call before its first was answered");
            mine.extend(taken);
        }
        mine
    };
    let (mut held, _) = join(join_all((0..MANY).map(work)), join_all(some.into_iter().map(answer))).await;
    held.push(take(store, MANY, 3).await);
    let mut held = held.concat();
    held.sort();
    assert_eq!(held, of(&numbers, second));
}
