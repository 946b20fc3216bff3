//! One worker and a gateway that takes its time; who holds what is seen between two polls.

use super::{asked, asleep, gated, pay_out, shift};
use crate::harness::{START, Shop, key, on_each_store, terms, worker};
use escrowed::{
    escrow::{Bell, Clock, EscrowError, Policy, Sent},
    gateway::{IdempotencyKey, Outcome, Verb},
    order::{AnyOrder, OrderId, Status},
    payment::payout,
    sandbox::Behaviour,
    store::{CallStatus, Store},
};
use futures_lite::future::poll_once;
use std::{pin::pin, sync::Mutex, time::Duration};

/// The calls of an order's two payouts, in their order.
async fn payouts<S: Store>(shop: &Shop<S>, id: OrderId) -> [IdempotencyKey; 2] {
    let AnyOrder::PendingRelease(order) = shop.order(id).await else { panic!("{id} is not on its way out") };
    [0, 1].map(|leg: usize| key(order.state().payouts().legs()[leg].payment, Verb::Payout))
}

on_each_store! {
    async fn calls_of_different_orders_are_sent_side_by_side(shop) {
        let (slow, call) = asked(&shop).await;
        let (quick, _) = asked(&shop).await;
        let (escrow, gate) = gated(&shop);
        gate.shut(call);
        let name = worker();
        let mut send = pin!(escrow.send(&name, 10));
        while shop.status(quick).await != Status::Published {
            assert!(poll_once(&mut send).await.is_none(), "one call is still on its way");
        }
        assert_eq!(shop.status(slow).await, Status::PendingPublish);
        gate.open();
        assert_eq!(send.await.unwrap(), Sent { taken: 2, answered: 2, ..Sent::default() });
        assert_eq!(shop.status(slow).await, Status::Published);
        shop.audit().await;
    }

    async fn no_more_are_under_way_at_once_than_the_policy_says(shop) {
        let mut calls = Vec::new();
        for _ in 0..5 {
            calls.push(asked(&shop).await.1);
        }
        let (escrow, gate) = gated(&shop);
        let escrow = escrow.with_policy(Policy { at_once: 2, ..Policy::default() });
        calls.iter().for_each(|call| gate.shut(*call));
        let name = worker();
        let mut send = pin!(escrow.send(&name, 4));
        while gate.went_in().len() < 2 {
            assert!(poll_once(&mut send).await.is_none());
        }
        for _ in 0..9 {
            assert!(poll_once(&mut send).await.is_none());
            // Time in which a store could have answered.
            drop(shop.begin().await);
        }
        assert_eq!(gate.went_in(), calls[..2]);
        // The others were not even taken: their leases do not run while they wait for a hand.
        assert_eq!(shop.escrow.send(&"another".parse().unwrap(), 1).await.unwrap().answered, 1);
        gate.open();
        assert_eq!(send.await.unwrap(), Sent { taken: 4, answered: 4, ..Sent::default() });
        assert_eq!(gate.went_in().len(), 4);
        shop.audit_calls().await;
    }

    async fn a_slow_call_holds_up_no_call_that_comes_later(shop) {
        let (slow, call) = asked(&shop).await;
        let (escrow, gate) = gated(&shop);
        gate.shut(call);
        let (shift, bell) = (shift("w"), Bell::new());
        let mut work = pin!(escrow.work(&shift, &bell, asleep));
        while gate.went_in().is_empty() {
            assert!(poll_once(&mut work).await.is_none());
        }
        let (quick, _) = asked(&shop).await;
        bell.ring();
        while shop.status(quick).await != Status::Published {
            assert!(poll_once(&mut work).await.is_none());
        }
        assert_eq!(shop.status(slow).await, Status::PendingPublish);
        gate.open();
        bell.stop();
        let worked = work.await;
        assert_eq!((worked.sent.answered, worked.failures), (2, 0));
        shop.audit_calls().await;
    }

    async fn a_worker_that_is_told_to_stop_finishes_what_it_holds(shop) {
        let (held, call) = asked(&shop).await;
        let (escrow, gate) = gated(&shop);
        gate.shut(call);
        let (shift, bell) = (shift("w"), Bell::new());
        let mut work = pin!(escrow.work(&shift, &bell, asleep));
        while gate.went_in().is_empty() {
            assert!(poll_once(&mut work).await.is_none());
        }
        let (left, _) = asked(&shop).await;
        bell.stop();
        for _ in 0..9 {
            assert!(poll_once(&mut work).await.is_none(), "it does not leave a call without an answer");
        }
        gate.open();
        let worked = work.await;
        assert_eq!(worked.sent, Sent { taken: 1, answered: 1, ..Sent::default() });
        assert_eq!((shop.status(held).await, shop.status(left).await), (Status::Published, Status::PendingPublish));
        // A shift that is over before it begins takes nothing.
        assert_eq!(escrow.work(&shift, &bell, asleep).await.sent.taken, 0);
        shop.send().await;
        shop.audit_calls().await;
    }

    async fn an_idle_worker_wakes_at_the_end_of_its_idle_time(shop) {
        let (_, gate) = gated(&shop);
        let (shift, bell) = (shift("w"), Bell::new());
        let naps = Mutex::new(Vec::new());
        let sleep = |time| {
            let mut naps = naps.lock().unwrap();
            naps.push(time);
            if naps.len() == 10 {
                bell.stop();
            }
            futures_lite::future::yield_now()
        };
        let worked = shop.escrow.work(&shift, &bell, sleep).await;
        assert_eq!((worked.sent.taken, worked.failures, gate.went_in()), (0, 0, vec![]));
        assert!(naps.lock().unwrap().iter().all(|nap| *nap == shift.idle));
    }

    async fn a_worker_that_dies_loses_its_lease_and_not_the_call(shop) {
        // Whether it dies before the gateway has acted or after is all the same to the one that comes next.
        for acts in [true, false] {
            let (id, call) = asked(&shop).await;
            if !acts {
                shop.gateway().script_call(&call, [Behaviour::TimeoutBefore]);
            }
            let (escrow, gate) = gated(&shop);
            gate.shut(call);
            let name = worker();
            let mut dies = Box::pin(escrow.send(&name, 10));
            while gate.went_in().is_empty() {
                assert!(poll_once(&mut dies).await.is_none());
            }
            drop(dies);
            assert_eq!(shop.gateway().effects(&call), u32::from(acts));
            let next = "next".parse().unwrap();
            assert_eq!(shop.escrow.send(&next, 10).await.unwrap().taken, 0, "the lease still runs");
            shop.escrow.clock().advance(Policy::default().lease);
            assert_eq!(shop.escrow.send(&next, 10).await.unwrap(), Sent { taken: 1, answered: 1, ..Sent::default() });
            assert_eq!((shop.gateway().effects(&call), shop.status(id).await), (1, Status::Published));
        }
        shop.audit_calls().await;
    }

    async fn a_worker_that_is_too_slow_notes_nothing(shop) {
        let (id, call) = asked(&shop).await;
        shop.gateway().script_call(&call, [Behaviour::TimeoutBefore]);
        let (escrow, gate) = gated(&shop);
        gate.shut(call);
        let name = worker();
        let mut slow = pin!(escrow.send(&name, 10));
        while gate.went_in().is_empty() {
            assert!(poll_once(&mut slow).await.is_none());
        }
        // Its lease ends, another worker takes the call, and fails as well.
        shop.escrow.clock().advance(Policy::default().lease);
        shop.gateway().script_call(&call, [Behaviour::TimeoutBefore]);
        assert_eq!(shop.escrow.send(&"quick".parse().unwrap(), 10).await.unwrap().unknown, 1);
        gate.open();
        assert_eq!(slow.await.unwrap(), Sent { taken: 1, lost: 1, ..Sent::default() });
        shop.escrow.clock().advance(Duration::from_secs(2));
        shop.send().await;
        assert_eq!((shop.gateway().effects(&call), shop.status(id).await), (1, Status::Published));
    }

    async fn an_answer_that_contradicts_the_webhook_is_told(shop) {
        let id = shop.paid(terms()).await;
        pay_out(&shop, id).await;
        let (escrow, gate) = gated(&shop);
        let [first, _] = payouts(&shop, id).await;
        gate.shut(first);
        let name = worker();
        let mut send = pin!(escrow.send(&name, 1));
        while gate.went_in().is_empty() {
            assert!(poll_once(&mut send).await.is_none());
        }
        shop.report(first, Outcome::Declined { reason: "no such account".parse().unwrap() }).await;
        gate.open();
        // The call is settled, so there is nothing to park; nobody is left in the dark all the same.
        assert!(matches!(send.await, Err(EscrowError::Contradiction { key, .. }) if key == first));
        assert_eq!(shop.status(id).await, Status::BlockedRelease);
        shop.audit().await;
    }

    async fn the_calls_of_one_order_are_sent_in_their_order(shop) {
        let id = shop.paid(terms()).await;
        pay_out(&shop, id).await;
        let (escrow, gate) = gated(&shop);
        let [first, second] = payouts(&shop, id).await;
        gate.shut(first);
        let (shift, bell) = (shift("w"), Bell::new());
        let mut work = pin!(escrow.work(&shift, &bell, asleep));
        while gate.went_in().is_empty() {
            assert!(poll_once(&mut work).await.is_none());
        }
        for _ in 0..9 {
            bell.ring();
            assert!(poll_once(&mut work).await.is_none());
            drop(shop.begin().await);
        }
        assert_eq!(gate.went_in(), [first], "the second payout waits for the first");
        gate.open();
        while shop.status(id).await != Status::Released {
            assert!(poll_once(&mut work).await.is_none());
        }
        bell.stop();
        assert_eq!(work.await.sent.answered, 2);
        assert_eq!(gate.went_in(), [first, second]);
        assert!(shop.payouts(id).await.iter().all(|payout| payout.status() == payout::Status::Confirmed));
    }

    async fn what_keeps_failing_is_parked_listed_and_put_back(shop) {
        let (one, first) = asked(&shop).await;
        let (_, second) = asked(&shop).await;
        let policy = Policy { attempts: 3, ..Policy::default() };
        let shop = Shop { escrow: shop.escrow.with_policy(policy) };
        for call in [first, second] {
            shop.gateway().script_call(&call, [Behaviour::TimeoutBefore, Behaviour::TimeoutBefore, Behaviour::TimeoutBefore]);
        }
        // Time passes only while the worker idles.
        let (shift, bell) = (shift("w"), Bell::new());
        let clock = shop.escrow.clock().clone();
        let limit = shop.now().plus(Duration::from_secs(40));
        let (clock, bell_of, store) = (&clock, &bell, shop.escrow.store());
        let sleep = move |time| async move {
            // What the store is doing for the worker is over by then.
            for _ in 0..5 {
                drop(store.begin().await.unwrap());
            }
            clock.advance(time);
            if clock.now() > limit {
                bell_of.stop();
            }
        };
        let worked = shop.escrow.work(&shift, &bell, sleep).await;
        assert_eq!(worked.sent, Sent { taken: 6, unknown: 4, parked: 2, ..Sent::default() });

        let mut unit = shop.begin().await;
        let mut listed: Vec<String> = Vec::new();
        while let [Ok(call)] = &shop.escrow.parked(&mut unit, listed.last().map(String::as_str), 1).await.unwrap()[..] {
            assert_eq!((call.status, call.attempts), (CallStatus::Parked, 3));
            assert_eq!(call.problem.as_ref().unwrap().as_str(), "no answer came in time: look the call up by its key");
            assert!(call.due > START.parse().unwrap() && call.due <= shop.now());
            listed.push(call.instruction.key().to_string());
        }
        assert_eq!(listed.len(), 2);
        shop.escrow.requeue(&mut unit, &first).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        assert_eq!((shop.status(one).await, shop.gateway().effects(&first)), (Status::Published, 1));
        let mut unit = shop.begin().await;
        assert_eq!(shop.escrow.parked(&mut unit, None, 9).await.unwrap().len(), 1);
    }
}
