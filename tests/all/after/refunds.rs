//! Refunds of what was released: who bears them, what is owed, and who stands for it.

use super::{
    chargebacks::{NONE, audit, debts, pair, released, stand},
    charged, decided,
    refunds_returned::act_on,
    tell, wallet,
};
use crate::harness::{Problem, Shop, account, bank, euro, key, on_each_store, ops, party, terms, user, worker};
use escrowed::{
    escrow::{Caller, EscrowError},
    gateway::Verb,
    lifecycle::Reason,
    money::{Money, Share},
    movement::{Frame, Outside, Plan},
    order::{Command, OrderId, Payee, PayoutPlan, Status},
    party::Actor,
    payment::{
        Afterwards, AnyRefund, Destination, Method, RefundId, Route, debt, payin,
        refund::{self, Command as RefundCommand},
    },
    sandbox::Behaviour,
    store::Store,
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

async fn try_refund<S: Store>(
    shop: &Shop<S>,
    id: OrderId,
    amount: Money,
    by: impl Into<Caller>,
) -> Result<AnyRefund, Problem<S>> {
    let mut unit = shop.begin().await;
    let refund = shop.escrow.refund_released(&mut unit, id, amount, by).await?;
    shop.commit(unit).await;
    // The value as it is afterwards is what its log says.
    assert_eq!(format!("{:?}", shop.load(refund.id()).await), format!("{refund:?}"));
    Ok(refund)
}

async fn refund<S: Store>(shop: &Shop<S>, id: OrderId, amount: &str) -> AnyRefund {
    try_refund(shop, id, euro(amount), ops()).await.unwrap()
}

async fn replace<S: Store>(shop: &Shop<S>, id: RefundId, route: Route) -> AnyRefund {
    let mut unit = shop.begin().await;
    let replaced = shop.escrow.act_on_refund(&mut unit, id, RefundCommand::Replace { route }, ops()).await.unwrap();
    shop.commit(unit).await;
    replaced
}

/// Refused, because no more than this is there.
fn at_most<T: std::fmt::Debug, E: std::fmt::Debug>(refused: &Result<T, EscrowError<E>>, amount: &str) {
    let Err(EscrowError::Refused(Reason::TooMuch { available, .. })) = refused else { panic!("{refused:?}") };
    assert_eq!(*available, euro(amount));
}

on_each_store! {
    async fn who_has_enough_gives_it_and_the_buyer_has_it_the_way_it_came(shop) {
        let (id, payin) = released(&shop, Destination::Wallet).await;
        let opened = refund(&shop, id, "50.00").await;
        assert_eq!((opened.status(), opened.held(), &opened.facts().route), (refund::Status::Created, euro("50.00"), &Route::Original));
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair("45.00", NONE), pair("5.00", NONE)]);
        shop.audit().await;
        shop.send().await;
        assert_eq!(shop.load(opened.id()).await.status(), refund::Status::Confirmed);
        let order = shop.order(id).await;
        assert_eq!((order.status(), order.held()), (Status::Released, euro(NONE)));
        let noted = Afterwards::Refunded {
            refund: opened.id(),
            payin,
            amount: euro("50.00"),
            borne: vec![(party("sam"), euro("45.00")), (party("shop"), euro("5.00"))],
        };
        assert_eq!(order.facts().aftermath().notes(), [noted]);
        assert_eq!(shop.load(payin).await.status(), payin::Status::Confirmed);
        audit(&shop).await;

        at_most(&try_refund(&shop, id, euro("50.01"), ops()).await, "50.00");
        refund(&shop, id, "50.00").await;
        shop.send().await;
        assert_eq!(shop.load(payin).await.status(), payin::Status::Refunded);
        assert_eq!(stand(&shop, &["sam", "shop", "anna"]).await, vec![pair(NONE, NONE); 3]);
        assert_eq!(shop.balance("world:sandbox").await, euro(NONE));
        at_most(&try_refund(&shop, id, euro("0.01"), ops()).await, NONE);
        audit(&shop).await;
    }

    async fn what_a_payee_lacks_is_owed_and_covered_until_it_is_paid(shop) {
        let (id, _) = released(&shop, bank("ba_sam")).await;
        shop.fill_wallet("sam", euro("12.00")).await;
        shop.fill_wallet("shop", euro("50.00")).await;
        // Not a cent of tom's is touched.
        shop.fill_wallet("tom", euro("500.00")).await;
        let opened = refund(&shop, id, "50.00").await;
        let left = [pair(NONE, "-33.00"), pair("22.00", NONE), pair("500.00", NONE)];
        assert_eq!(stand(&shop, &["sam", "shop", "tom"]).await, left);
        let debt = debts(&shop, "sam").await.pop().expect("sam owes something");
        let facts = debt.facts().terms();
        assert_eq!((debt.status(), debt.held(), facts.amount), (debt::Status::Covered, euro("33.00"), euro("33.00")));
        assert_eq!((facts.about(), facts.cause, &facts.creditor), (id.subject(), opened.id().subject(), &party("shop")));
        assert_eq!(opened.facts().shares[0].debt, Some(debt.id()));
        shop.send().await;
        assert_eq!(shop.load(opened.id()).await.status(), refund::Status::Confirmed);
        audit(&shop).await;

        // What sam earns goes to whoever stood for it.
        shop.fill_wallet("sam", euro("13.00")).await;
        shop.escrow.clock().advance(DAY);
        shop.escrow.run_due(&worker(), 10).await.unwrap();
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair(NONE, "-20.00"), pair("35.00", NONE)]);
        shop.fill_wallet("sam", euro("40.00")).await;
        let mut unit = shop.begin().await;
        shop.escrow.recover(&mut unit, debt.id(), ops()).await.unwrap();
        shop.commit(unit).await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair("20.00", NONE), pair("55.00", NONE)]);
        assert_eq!(shop.load(debt.id()).await.status(), debt::Status::Paid);
        audit(&shop).await;
    }

    async fn several_bear_it_by_what_each_had_to_the_last_cent(shop) {
        let payee = |name: &str, share, to| Payee { party: party(name), share, to };
        let plan = PayoutPlan::among([
            payee("sam", Share::Fixed(euro("60.00")), Destination::Wallet),
            payee("tom", Share::Rest, bank("ba_tom")),
        ]);
        let id = shop.planned_by_platform(terms(), plan).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        shop.fill_wallet("shop", euro("50.00")).await;
        refund(&shop, id, "50.01").await;
        let left = [pair("29.99", NONE), pair(NONE, "-15.00"), pair("40.00", NONE)];
        assert_eq!(stand(&shop, &["sam", "tom", "shop"]).await, left);
        shop.audit().await;
        // A second one goes by what each still has of it.
        refund(&shop, id, "49.99").await;
        let left = [pair(NONE, NONE), pair(NONE, "-30.00"), pair("20.00", NONE)];
        assert_eq!(stand(&shop, &["sam", "tom", "shop"]).await, left);
        shop.send().await;
        assert_eq!(shop.balance("world:sandbox").await, euro("-20.00"));
        audit(&shop).await;
    }

    async fn where_the_platform_cannot_stand_for_it_nothing_is_written(shop) {
        let (id, _) = released(&shop, bank("ba_sam")).await;
        shop.fill_wallet("tom", euro("500.00")).await;
        let before = stand(&shop, &["sam", "shop", "tom", "anna"]).await;
        // The shop's €10.00 are short by a cent: of its own share, and of what it has to cover.
        for too_much in ["100.00", "50.00", "10.01"] {
            let refused = try_refund(&shop, id, euro(too_much), ops().under("r".parse().unwrap())).await;
            assert!(matches!(refused, Err(EscrowError::Overdrawn(ref purse)) if *purse == account("wallet:shop")), "{refused:?}");
        }
        assert_eq!(stand(&shop, &["sam", "shop", "tom", "anna"]).await, before);
        assert!(shop.refunds(id).await.is_empty() && debts(&shop, "sam").await.is_empty());
        assert!(shop.order(id).await.facts().aftermath().notes().is_empty());
        audit(&shop).await;
        // What was not written has not used its key.
        try_refund(&shop, id, euro("10.00"), ops().under("r".parse().unwrap())).await.unwrap();
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair(NONE, "-9.00"), pair(NONE, NONE)]);
        shop.send().await;
        audit(&shop).await;
    }

    async fn the_platforms_own_share_is_no_debt(shop) {
        let (id, payin) = released(&shop, Destination::Wallet).await;
        // All but €1.00 of the shop's goes to the gateway.
        tell(&shop, &charged(&shop, payin, "dp_1", euro("1.00"), euro("8.90"))).await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair("89.10", NONE), pair("1.00", NONE)]);
        refund(&shop, id, "10.00").await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair("80.10", NONE), pair(NONE, NONE)]);
        let refused = try_refund(&shop, id, euro("1.00"), ops()).await;
        assert!(matches!(refused, Err(EscrowError::Overdrawn(ref purse)) if *purse == account("wallet:shop")), "{refused:?}");
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair("80.10", NONE), pair(NONE, NONE)]);
        shop.send().await;
        audit(&shop).await;
    }

    async fn a_part_of_a_movement_is_not_refunded_past_it(shop) {
        let until = shop.now().plus(DAY);
        let frame = Frame::new("Top-up".parse().unwrap(), until, party("shop"), "sandbox".parse().unwrap());
        let mut unit = shop.begin().await;
        let plan = Plan::top_up(frame, party("anna"), Outside::Card, euro("50.00"));
        let movement = shop.escrow.move_money(&mut unit, plan, user("anna")).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        let id = shop.load(movement.id()).await.order_of(&party("anna")).unwrap();
        assert_eq!((shop.status(id).await, wallet(&shop, "anna").await), (Status::Released, euro("50.00")));
        let refused = try_refund(&shop, id, euro("1.00"), ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::PartOf(of))) if of == movement.id().subject()), "{refused:?}");
        audit(&shop).await;
    }

    async fn the_same_request_twice_is_one_refund(shop) {
        let (id, _) = released(&shop, Destination::Wallet).await;
        let again = || ops().under("refund-1".parse().unwrap());
        let first = try_refund(&shop, id, euro("20.00"), again()).await.unwrap();
        shop.audit().await;
        let mut unit = shop.begin().await;
        let second = shop.escrow.refund_released(&mut unit, id, euro("20.00"), again()).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        let mut unit = shop.begin().await;
        let third = shop.escrow.refund_released(&mut unit, id, euro("20.00"), again()).await.unwrap();
        drop(unit);
        // The first answer, also after others went on.
        for answer in [second, third] {
            assert_eq!((answer.id(), answer.status()), (first.id(), refund::Status::Created));
        }
        assert_eq!((shop.refunds(id).await.len(), wallet(&shop, "sam").await), (1, euro("72.00")));
        let other = try_refund(&shop, id, euro("20.01"), again()).await;
        assert!(matches!(other, Err(EscrowError::OtherRequest { .. })), "{other:?}");
        // Without a key it is another one.
        refund(&shop, id, "20.00").await;
        assert_eq!((shop.refunds(id).await.len(), wallet(&shop, "sam").await), (2, euro("54.00")));
        shop.send().await;
        audit(&shop).await;
    }

    async fn nobody_but_the_platform_may(shop) {
        let (id, _) = released(&shop, Destination::Wallet).await;
        for by in [user("anna"), user("sam"), user("shop"), Actor::arbiter(party("ops")), Actor::Clock, Actor::Gateway] {
            let refused = try_refund(&shop, id, euro("1.00"), by.clone()).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::WrongActor { .. }))), "{by}: {refused:?}");
        }
        // Nor by way of a refund of one's own making.
        let opened = refund(&shop, id, "1.00").await;
        let terms = opened.facts().clone();
        for by in [user("anna"), Actor::Gateway] {
            let (at, stamp) = (shop.now(), escrowed::party::Stamp::new(by, shop.now()));
            let refused = refund::open(RefundId::generate(at), terms.clone(), &stamp);
            assert!(matches!(refused, Err(Reason::WrongActor { .. })), "{refused:?}");
        }
        let at = escrowed::party::Stamp::new(ops(), shop.now());
        let mut more = terms.clone();
        more.amount = euro("1.01");
        assert!(matches!(refund::open(RefundId::generate(at.at), more, &at), Err(Reason::WrongAmount { .. })));
        for consent in [refund::Consent::ByHand, refund::Consent::Owed] {
            let by_hand = refund::Terms { consent, ..terms.clone() };
            assert!(matches!(refund::open(RefundId::generate(at.at), by_hand, &at), Err(Reason::NotThisWay { .. })));
        }
        shop.send().await;
        audit(&shop).await;
    }

    async fn only_of_what_was_released_and_not_more(shop) {
        let held = shop.paid(terms()).await;
        let refused = try_refund(&shop, held, euro("1.00"), ops()).await;
        let why = Reason::WrongStatus { action: "refund_released", status: "PUBLISHED" };
        assert!(matches!(refused, Err(EscrowError::Refused(ref reason)) if *reason == why), "{refused:?}");
        let unknown = try_refund(&shop, OrderId::generate(shop.now()), euro("1.00"), ops()).await;
        assert!(matches!(unknown, Err(EscrowError::Unknown(_))), "{unknown:?}");

        // €20.00 go back before the release, €30.00 are charged back after it.
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), Destination::Wallet)).await;
        shop.act(id, Command::RefundPart { amount: euro("20.00") }, ops()).await;
        let part = shop.refunds(id).await.remove(0).id();
        act_on(&shop, part, RefundCommand::Approve {}, ops()).await.unwrap();
        shop.send().await;
        shop.act(id, Command::Validate {}, ops()).await;
        at_most(&try_refund(&shop, id, euro("80.01"), ops()).await, "80.00");
        for (wrong, amount) in [("nothing", "0.00 EUR"), ("less", "-1.00 EUR"), ("yen", "100 JPY")] {
            let refused = try_refund(&shop, id, amount.parse().unwrap(), ops()).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::Money(_)))), "{wrong}: {refused:?}");
        }
        let payin = shop.payin(id).await.id();
        let dispute = charged(&shop, payin, "dp_1", euro("30.00"), euro(NONE));
        tell(&shop, &dispute).await;
        at_most(&try_refund(&shop, id, euro("50.01"), ops()).await, "50.00");
        refund(&shop, id, "40.00").await;
        at_most(&try_refund(&shop, id, euro("10.01"), ops()).await, "10.00");
        // What was won back may be refunded again.
        tell(&shop, &decided(&shop, &dispute, true)).await;
        at_most(&try_refund(&shop, id, euro("40.01"), ops()).await, "40.00");
        shop.audit().await;
    }

    async fn what_was_refunded_and_is_charged_back_all_the_same_is_the_buyers_to_bear(shop) {
        let (id, payin) = released(&shop, Destination::Wallet).await;
        refund(&shop, id, "40.00").await;
        shop.send().await;
        tell(&shop, &charged(&shop, payin, "dp_1", euro("100.00"), euro(NONE))).await;
        assert_eq!(stand(&shop, &["sam", "shop", "anna"]).await, [pair(NONE, NONE), pair(NONE, NONE), pair(NONE, "-40.00")]);
        audit(&shop).await;
    }

    async fn one_that_is_denied_holds_the_money_and_goes_another_way(shop) {
        let (id, payin) = released(&shop, bank("ba_sam")).await;
        shop.fill_wallet("shop", euro("90.00")).await;
        shop.gateway().script(Verb::Refund, [Behaviour::Decline { reason: "card expired".parse().unwrap() }]);
        let opened = refund(&shop, id, "100.00").await;
        shop.send().await;
        let denied = shop.load(opened.id()).await;
        assert_eq!((denied.status(), denied.held()), (refund::Status::Denied, euro("100.00")));
        assert_eq!((shop.status(id).await, shop.load(payin).await.status()), (Status::Released, payin::Status::Confirmed));
        // It is on its way back all the same: nothing more is there to refund.
        at_most(&try_refund(&shop, id, euro("0.01"), ops()).await, NONE);
        assert!(shop.gateway().effects(&key(opened.id().subject(), Verb::Refund)) == 0);
        audit(&shop).await;

        assert_eq!(replace(&shop, opened.id(), Route::Account("ba_anna".parse().unwrap())).await.held(), euro(NONE));
        shop.audit().await;
        shop.send().await;
        let stands: Vec<_> = shop.refunds(id).await.iter().map(AnyRefund::status).collect();
        assert!(stands.contains(&refund::Status::Denied) && stands.contains(&refund::Status::Confirmed), "{stands:?}");
        assert_eq!(shop.load(payin).await.status(), payin::Status::Refunded);
        // Who bore it did so once.
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair(NONE, "-90.00"), pair(NONE, NONE)]);
        audit(&shop).await;
    }

    async fn what_was_paid_from_a_wallet_is_there_at_once(shop) {
        shop.fill_wallet("anna", euro("100.00")).await;
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Wallet }, user("anna")).await;
        let plan = PayoutPlan::to(party("sam"), Destination::Wallet);
        shop.act(id, Command::Accept { payout: Some(plan) }, user("sam")).await;
        shop.act(id, Command::Validate {}, ops()).await;
        let again = || ops().under("r".parse().unwrap());
        assert_eq!(try_refund(&shop, id, euro("30.00"), again()).await.unwrap().status(), refund::Status::Confirmed);
        assert_eq!(try_refund(&shop, id, euro("30.00"), again()).await.unwrap().status(), refund::Status::Confirmed);
        let left = [pair("63.00", NONE), pair("7.00", NONE), pair("30.00", NONE)];
        assert_eq!(stand(&shop, &["sam", "shop", "anna"]).await, left);
        assert_eq!(refund(&shop, id, "70.00").await.status(), refund::Status::Confirmed);
        assert_eq!(shop.payin(id).await.status(), payin::Status::Refunded);
        assert_eq!(wallet(&shop, "anna").await, euro("100.00"));
        audit(&shop).await;
    }
}
