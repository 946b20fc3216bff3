//! A payout that the bank sends back days after it had arrived.

use crate::harness::{Problem, Shop, bank, euro, key, on_each_store, ops, party, terms, user};
use escrowed::{
    escrow::{EscrowError, Reported},
    gateway::{IdempotencyKey, Outcome, Report, Verb},
    lifecycle::Reason,
    money::{Money, Share},
    order::{Command, OrderId, Payee, PayoutPlan, Status},
    party::Actor,
    payment::{Afterwards, AnyPayout, Destination, PayoutId, payout},
    sandbox::Behaviour,
    store::{Query, Store},
};
use std::time::Duration;

const DAYS: Duration = Duration::from_secs(3 * 86_400);

fn settled(amount: &str) -> Outcome {
    Outcome::Settled { moved: euro(amount) }
}

fn returned(amount: &str) -> Outcome {
    Outcome::Returned { moved: euro(amount), reason: "account closed".parse().unwrap() }
}

fn replace(to: Destination) -> payout::Command {
    payout::Command::Replace { to }
}

async fn act_on<S: Store>(
    shop: &Shop<S>,
    id: PayoutId,
    command: payout::Command,
    by: Actor,
) -> Result<AnyPayout, Problem<S>> {
    let mut unit = shop.begin().await;
    let payout = shop.escrow.act_on_payout(&mut unit, id, command, by).await?;
    shop.commit(unit).await;
    Ok(payout)
}

/// Sam was paid €90 into an account, and the order is over.
async fn released<S: Store>(shop: &Shop<S>) -> (OrderId, PayoutId) {
    let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
    shop.act(id, Command::Validate {}, ops()).await;
    shop.send().await;
    assert_eq!(shop.status(id).await, Status::Released);
    (id, shop.payouts(id).await[0].id())
}

async fn send_back<S: Store>(shop: &Shop<S>, id: PayoutId) -> IdempotencyKey {
    let call = key(id.subject(), Verb::Payout);
    shop.escrow.clock().advance(DAYS);
    assert_eq!(shop.gateway().send_back(&call, "account closed".parse().unwrap()), Some(returned("90.00")));
    for report in shop.gateway().reports() {
        shop.hear(&report).await;
    }
    call
}

async fn notes<S: Store>(shop: &Shop<S>, id: OrderId) -> Vec<Afterwards> {
    shop.order(id).await.facts().aftermath().notes().to_vec()
}

async fn held<S: Store>(shop: &Shop<S>, id: PayoutId) -> Money {
    shop.balance(&format!("escrow:{id}")).await
}

on_each_store! {
    async fn it_holds_its_money_again_and_the_order_says_so_without_changing_its_status(shop) {
        let (order, payout) = released(&shop).await;
        assert_eq!((held(&shop, payout).await, shop.balance("world:sandbox").await), (euro("0.00"), euro("-10.00")));
        send_back(&shop, payout).await;
        assert_eq!(shop.load(payout).await.status(), payout::Status::Returned);
        assert_eq!((held(&shop, payout).await, shop.balance("world:sandbox").await), (euro("90.00"), euro("-100.00")));
        assert_eq!(shop.status(order).await, Status::Released);
        let note = Afterwards::PayoutReturned {
            payout,
            payee: party("sam"),
            amount: euro("90.00"),
            reason: "account closed".parse().unwrap(),
        };
        assert_eq!(notes(&shop, order).await, [note]);
        // It waits visibly.
        let waiting = Query::status("payout".parse().unwrap(), "RETURNED");
        assert_eq!(shop.find(&waiting).await, [payout.subject()]);
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn its_money_goes_to_another_account_of_the_payee(shop) {
        let (order, first) = released(&shop).await;
        send_back(&shop, first).await;
        let AnyPayout::Returned(payout) = act_on(&shop, first, replace(bank("ba_new")), user("sam")).await.unwrap() else {
            panic!("it stays what it is")
        };
        let (again, _) = payout.state().went().cloned().unwrap();
        assert_eq!((held(&shop, first).await, held(&shop, again).await), (euro("0.00"), euro("90.00")));
        // Neither it nor the one that sends it again gives the order anything back, and it goes on once.
        let twice = act_on(&shop, first, replace(Destination::Wallet), ops()).await;
        assert!(matches!(twice, Err(EscrowError::Refused(Reason::Already { .. }))));
        let back = act_on(&shop, again, payout::Command::Cancel {}, ops()).await;
        assert!(matches!(back, Err(EscrowError::Refused(Reason::NotThisWay { .. }))));

        shop.send().await;
        assert_eq!((held(&shop, again).await, shop.status(order).await), (euro("0.00"), Status::Released));
        let notes = notes(&shop, order).await;
        assert!(matches!(notes[1], Afterwards::PayoutSentAgain { payout, by, .. } if (payout, by) == (first, again)));
        assert_eq!(notes[2], Afterwards::PayoutArrived { payout: again });
        assert_eq!(shop.balance("world:sandbox").await, euro("-10.00"));
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn its_money_goes_into_the_payees_wallet(shop) {
        let (order, payout) = released(&shop).await;
        send_back(&shop, payout).await;
        act_on(&shop, payout, replace(Destination::Wallet), ops()).await.unwrap();
        assert_eq!((held(&shop, payout).await, shop.balance("wallet:sam").await), (euro("0.00"), euro("90.00")));
        assert_eq!((notes(&shop, order).await.len(), shop.status(order).await), (2, Status::Released));
        shop.audit().await;
    }

    async fn one_that_is_sent_again_may_be_denied_and_come_back_too(shop) {
        let (order, first) = released(&shop).await;
        send_back(&shop, first).await;
        shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason: "unknown account".parse().unwrap() }]);
        let AnyPayout::Returned(payout) = act_on(&shop, first, replace(bank("ba_bad")), ops()).await.unwrap() else { panic!() };
        let second = payout.state().went().unwrap().0;
        shop.send().await;
        assert_eq!((shop.load(second).await.status(), held(&shop, second).await), (payout::Status::Denied, euro("90.00")));
        let back = act_on(&shop, second, payout::Command::GiveBack {}, ops()).await;
        assert!(matches!(back, Err(EscrowError::Refused(Reason::NotThisWay { .. }))));
        let AnyPayout::Denied(payout) = act_on(&shop, second, replace(bank("ba_good")), user("sam")).await.unwrap() else { panic!() };
        let Some(payout::Went::On { payout: third, .. }) = payout.state().went().cloned() else { panic!() };
        shop.send().await;
        send_back(&shop, third).await;
        act_on(&shop, third, replace(Destination::Wallet), ops()).await.unwrap();
        assert_eq!((shop.balance("wallet:sam").await, shop.status(order).await), (euro("90.00"), Status::Released));
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn its_report_comes_twice_early_and_late(shop) {
        let (_, payout) = released(&shop).await;
        let call = send_back(&shop, payout).await;
        for (outcome, what) in [
            (returned("90.00"), Reported::Repeated),
            (Outcome::Returned { moved: euro("90.00"), reason: "in other words".parse().unwrap() }, Reported::Repeated),
            (settled("90.00"), Reported::Late),
            (Outcome::Pending { direct_link: None }, Reported::Late),
        ] {
            assert_eq!(shop.report(call, outcome).await, what);
        }
        for lie in [returned("89.99"), settled("89.99"), Outcome::Declined { reason: "no".parse().unwrap() }] {
            let told = shop.try_report(&Report { key: call, outcome: lie }).await;
            assert!(matches!(told, Err(EscrowError::Contradiction { .. })), "{told:?}");
        }
        assert_eq!(held(&shop, payout).await, euro("90.00"));
        shop.audit().await;
    }

    async fn it_may_be_told_before_anybody_has_said_that_it_settled(shop) {
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
        shop.act(id, Command::Validate {}, ops()).await;
        let payout = shop.payouts(id).await[0].id();
        let call = key(payout.subject(), Verb::Payout);
        shop.gateway().script(Verb::Payout, [Behaviour::TimeoutAfter]);
        shop.escrow.send(&crate::harness::worker(), 10).await.unwrap();
        shop.gateway().send_back(&call, "account closed".parse().unwrap()).unwrap();
        assert_eq!(shop.report(call, returned("90.00")).await, Reported::Taken);
        assert_eq!(shop.report(call, settled("90.00")).await, Reported::Late);
        assert_eq!((shop.status(id).await, notes(&shop, id).await.len()), (Status::Released, 1));
        assert_eq!(held(&shop, payout).await, euro("90.00"));
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn what_the_bank_keeps_of_it_is_gone_and_the_rest_goes_on(shop) {
        let (order, payout) = released(&shop).await;
        let call = key(payout.subject(), Verb::Payout);
        shop.gateway().send_back_less(&call, euro("2.00"), "account closed".parse().unwrap()).unwrap();
        shop.report(call, returned("88.00")).await;
        assert_eq!((held(&shop, payout).await, shop.balance("world:sandbox").await), (euro("88.00"), euro("-98.00")));
        let [Afterwards::PayoutReturned { amount, .. }] = &notes(&shop, order).await[..] else { panic!("no such note") };
        assert_eq!(*amount, euro("88.00"));
        // That it had settled is late news, and that less had is none.
        assert_eq!(shop.report(call, settled("90.00")).await, Reported::Late);
        let less = shop.try_report(&Report { key: call, outcome: settled("88.00") }).await;
        assert!(matches!(less, Err(EscrowError::Contradiction { .. })), "{less:?}");
        let AnyPayout::Returned(first) = act_on(&shop, payout, replace(bank("ba_new")), user("sam")).await.unwrap() else {
            panic!("it stays what it is")
        };
        shop.send().await;
        let again = shop.load(first.state().went().unwrap().0).await;
        assert_eq!((again.status(), again.facts().amount), (payout::Status::Confirmed, euro("88.00")));
        assert_eq!(shop.gateway().net(euro("0.00").currency()), euro("10.00"));
        shop.audit().await;
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn more_than_was_paid_or_nothing_does_not_come_back(shop) {
        let (_, payout) = released(&shop).await;
        let call = key(payout.subject(), Verb::Payout);
        for wrong in ["90.01", "0.00"] {
            let told = shop.try_report(&Report { key: call, outcome: returned(wrong) }).await;
            assert!(matches!(told, Err(EscrowError::Refused(Reason::WrongAmount { .. }))), "{told:?}");
        }
        let payin = shop.payins(shop_order(&shop, payout).await).await[0].id();
        let charge = Report { key: key(payin.subject(), Verb::Charge), outcome: returned("100.00") };
        assert!(matches!(shop.try_report(&charge).await, Err(EscrowError::Contradiction { .. })));
        shop.audit().await;
    }

    async fn one_of_several_comes_back_before_the_others_arrive(shop) {
        let half = |name: &str, share| Payee { party: party(name), share, to: bank(&format!("ba_{name}")) };
        let plan = PayoutPlan::among([half("sam", Share::Percent("50%".parse().unwrap())), half("tom", Share::Rest)]);
        let id = shop.planned_by_platform(terms(), plan).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.gateway().script(Verb::Payout, [Behaviour::Settle, Behaviour::Pend]);
        shop.send().await;
        let payouts = shop.payouts(id).await;
        let first = payouts.iter().find(|payout| payout.status() == payout::Status::Confirmed).unwrap().id();
        shop.gateway().send_back(&key(first.subject(), Verb::Payout), "closed".parse().unwrap()).unwrap();
        for report in shop.gateway().reports() {
            shop.hear(&report).await;
        }
        assert_eq!((shop.status(id).await, notes(&shop, id).await.len()), (Status::PendingRelease, 1));
        shop.settle_down().await;
        assert_eq!((shop.status(id).await, held(&shop, first).await), (Status::Released, euro("45.00")));
        shop.audit().await;
    }
}

async fn shop_order<S: Store>(shop: &Shop<S>, payout: PayoutId) -> OrderId {
    shop.load(payout).await.facts().about.try_into().unwrap()
}
