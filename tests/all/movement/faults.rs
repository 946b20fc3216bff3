//! Something fails at each point in turn: the line to the store, a card, a bank. Whatever it is, the end is all or nothing.

use super::*;
use crate::{
    campaign::faults::{Flaky, Fuse, cut, finished},
    harness::on_each_store,
};
use escrowed::{
    escrow::{Escrow, ManualClock},
    memory::Memory,
    sandbox::Sandbox,
};
use futures_lite::future::block_on;

type World<S> = Shop<Flaky<S>>;

async fn world<S: Store>(store: S) -> World<S> {
    let store = Flaky { store, fuse: Fuse::default() };
    let shop = Shop { escrow: Escrow::with_clock(store, Sandbox::new(1), ManualClock::at(START.parse().unwrap())) };
    shop.fill_wallet("cleo", euro("50.00")).await;
    shop
}

/// What workers do, until there is nothing left to do.
async fn works<S: Store>(shop: &World<S>) {
    loop {
        let sent = shop.escrow.send(&worker(), 100).await.map(|sent| sent.taken);
        let due = shop.escrow.run_due(&worker(), 100).await;
        let taken = due.as_ref().map(|due| (due.taken, due.failed));
        match (&sent, &taken) {
            (Ok(0), Ok((0, 0))) => return,
            (_, Ok((_, failed))) => assert_eq!(*failed, 0),
            _ => {}
        }
        if sent.is_err() | due.is_err() {
            assert!(sent.is_ok() || cut(sent));
            assert!(due.is_ok() || cut(due));
            shop.audit().await;
            // Another worker takes over once the lease has ended.
            shop.escrow.clock().advance(Duration::from_secs(61));
        }
    }
}

/// A movement from its plan to its end, each part of it over and over until it was done. Returns what is to be seen, and
/// whether everything was done before the fuse had burnt down.
async fn drive<S: Store>(shop: &World<S>, undone: bool) -> (String, bool) {
    let small = Frame { batch: 2, ..frame() };
    let plan = Plan::many_to_many(small, three_payers(), three_payees());
    let begin = async || shop.escrow.store().begin().await.unwrap();
    let id = loop {
        let mut unit = begin().await;
        let opened = shop.escrow.move_money(&mut unit, plan.clone(), ops()).await;
        let known = opened.as_ref().ok().map(AnyMovement::id);
        if finished(shop, unit, cut(opened)).await {
            break known.expect("what was committed was done");
        }
    };
    works(shop).await;
    let run = Run { shop, id };
    for (name, by) in [("anna", Method::Card), ("cleo", Method::Wallet), ("ben", wire("ben"))] {
        let order = run.order_of(name).await;
        if undone && name == "ben" {
            declines_all(shop);
        }
        loop {
            let mut unit = begin().await;
            let by = by.clone();
            let done = shop.escrow.act(&mut unit, order, order::Command::Pay { by }, user(name)).await;
            if finished(shop, unit, cut(done)).await {
                break;
            }
        }
        works(shop).await;
    }
    let in_time = !shop.escrow.store().fuse.is_out();
    shop.escrow.store().fuse.light(0);
    shop.settle_down().await;
    let all = run.is_over().await;
    assert_eq!(all, !undone);
    let mut seen = vec![run.path().await, run.outside().await];
    for name in ["anna", "ben", "cleo", "sam", "tess", "una"] {
        seen.push(format!("{name}: {}", run.wallet(name).await));
    }
    for place in run.now().await.orders() {
        if place.stands != Stands::Planned {
            let (payins, payouts) = (shop.payins(place.order).await.len(), shop.payouts(place.order).await.len());
            seen.push(format!("{} payins, {payouts} payouts", payins));
        }
    }
    (seen.join("\n"), in_time)
}

fn declines_all<S: Store>(shop: &World<S>) {
    shop.gateway().script(Verb::Charge, [decline()]);
}

/// Fails at every point in turn, until there is none left to fail at. How many there were.
async fn fail_everywhere<S: Store>(undone: bool, make: impl Fn(usize) -> S, step: usize) -> usize {
    let (wanted, _) = drive(&world(make(0)).await, undone).await;
    let mut at = 1;
    loop {
        let shop = world(make(at)).await;
        shop.escrow.store().fuse.light(at);
        let (seen, in_time) = drive(&shop, undone).await;
        assert_eq!(seen, wanted, "after a failure at point {at}");
        if in_time {
            return at;
        }
        at += step;
    }
}

#[test]
fn a_failure_anywhere_changes_nothing_of_what_comes_of_it_in_memory() {
    for undone in [false, true] {
        let points = block_on(fail_everywhere(undone, |_| Memory::new(), 1));
        assert!(points > 20, "only {points} points");
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn a_failure_anywhere_changes_nothing_of_what_comes_of_it_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    for undone in [false, true] {
        let open = |at| escrowed::sqlite::Sqlite::open(folder.path().join(format!("{undone}{at}.db"))).unwrap();
        let points = block_on(fail_everywhere(undone, open, 3));
        assert!(points > 20, "only {points} points");
    }
}

/// Everybody pays by card; the gateway declines the nth call of each kind. Whether all of it arrived.
async fn declined_at<S: Store>(shop: &Shop<S>, plan: Plan, verb: Verb, nth: usize) -> bool {
    let mut behaviours = vec![Behaviour::Settle; nth];
    behaviours.push(decline());
    shop.gateway().script(verb, behaviours);
    let run = Run::of(shop, plan, ops()).await;
    for place in run.now().await.orders().filter(|place| place.stands == Stands::Open) {
        let pay = order::Command::Pay { by: Method::Card };
        let payer = Actor::Party(place.payer.clone());
        // The others were called off together with the one that was declined.
        if shop.status(place.order).await == order::Status::PendingPublish
            && shop.order(place.order).await.facts().payins().is_empty()
        {
            shop.act(place.order, pay, payer).await;
            shop.send().await;
        }
    }
    shop.send().await;
    run.clock().await;
    shop.settle_down().await;
    run.is_over().await
}

on_each_store! {
    async fn a_decline_at_each_point_ends_all_or_nothing(shop) {
        let to_banks = || ["sam", "tess", "una"].map(|name| payee(name, Share::Rest, bank(&format!("ba_{name}")))).to_vec();
        let plans = || [
            Plan::one_to_many(frame(), party("anna"), Method::Card, euro("100.00"), to_banks()),
            many_to_one(),
            Plan::many_to_many(frame(), three_payers(), to_banks()),
            top_up(),
        ];
        for (plan, (payers, banks)) in plans().into_iter().zip([(1, 3), (3, 0), (3, 3), (1, 0)]) {
            for nth in 0..payers {
                assert!(!declined_at(&shop, plan.clone(), Verb::Charge, nth).await, "the charge {nth} of {plan:?}");
            }
            // What a bank declines after the point of no return arrives all the same.
            for nth in 0..banks {
                assert!(declined_at(&shop, plan.clone(), Verb::Payout, nth).await, "the payout {nth} of {plan:?}");
            }
            for nth in 0..payers - 1 {
                // The payers before it have their money back, though their bank would not take it at first.
                shop.gateway().script(Verb::Refund, vec![Behaviour::TimeoutAfter; nth + 1]);
                assert!(!declined_at(&shop, plan.clone(), Verb::Charge, nth + 1).await, "the charge {nth} of {plan:?}");
            }
        }
        // Only the payouts that were to arrive did.
        let arrived: Vec<_> = ["sam", "tess", "una"].into_iter().map(|name| format!("wallet:{name}")).collect();
        assert_eq!(shop.balance(&arrived[0]).await, euro("73.34"));
    }

    async fn repeated_and_reordered_webhooks_change_nothing(shop) {
        let run = Run::of(&shop, many_to_many(), ops()).await;
        for name in ["anna", "ben", "cleo"] {
            run.pay(name, Method::Card).await;
        }
        shop.send().await;
        let mut heard = shop.gateway().reports_shuffled();
        heard.extend(shop.gateway().reports());
        for _ in 0..3 {
            for report in heard.iter().rev() {
                shop.hear(report).await;
            }
        }
        assert_eq!(run.outside().await, "60.00 EUR");
        assert!(run.is_over().await);
        assert_eq!((run.wallet("tess").await, run.wallet("una").await), ("30.00 EUR".into(), "30.00 EUR".into()));
    }
}
