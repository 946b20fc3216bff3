//! Chargebacks of payins whose money came after their end, and went back by itself.

use super::{
    chargebacks::{NONE, audit, debts, pair, stand},
    charged, decided,
    refunds_returned::replace,
    tell, try_tell,
};
use crate::harness::{Shop, euro, key, on_each_store, terms, user};
use escrowed::{
    escrow::{EscrowError, Reported},
    gateway::{Dispute, Outcome, Verb},
    lifecycle::Reason,
    order::{Command, OrderId, Status},
    payment::{
        AnyPayin, AnyRefund, Method, PayinId, RefundId, Route, debt,
        payin::{self, Action, Taken},
        refund,
    },
    sandbox::Behaviour,
    store::Store,
};

/// The gateway has anna's €100, and nobody has heard of it: the payin was called off, or declined at first.
async fn over<S: Store>(shop: &Shop<S>, denied: bool) -> (OrderId, PayinId) {
    let id = shop.open(terms()).await;
    shop.gateway().script(Verb::Charge, [Behaviour::WebhookFirst]);
    shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
    let payin = shop.payin(id).await.id();
    shop.send().await;
    if denied {
        let reason = "no".parse().unwrap();
        shop.report(key(payin.subject(), Verb::Charge), Outcome::Declined { reason }).await;
        assert_eq!(shop.load(payin).await.status(), payin::Status::Denied);
    } else {
        shop.act(id, Command::Cancel {}, user("anna")).await;
        assert_eq!(shop.load(payin).await.status(), payin::Status::Cancelled);
    }
    (id, payin)
}

/// It settles, and goes into this refund.
async fn bounce<S: Store>(shop: &Shop<S>, payin: PayinId) -> RefundId {
    for report in shop.gateway().reports() {
        shop.hear(&report).await;
    }
    let bounced = match shop.load(payin).await {
        AnyPayin::Denied(payin) => payin.state().after().bounced(),
        AnyPayin::Cancelled(payin) => payin.state().after().bounced(),
        other => panic!("it is over: {other:?}"),
    };
    bounced.expect("the money came")
}

/// How much of it is gone, in minor units.
async fn gone<S: Store>(shop: &Shop<S>, payin: PayinId) -> i64 {
    let gone = match shop.load(payin).await {
        AnyPayin::Denied(payin) => payin.state().disputes().gone(euro(NONE).currency()),
        AnyPayin::Cancelled(payin) => payin.state().disputes().gone(euro(NONE).currency()),
        other => panic!("it is over: {other:?}"),
    };
    gone.unwrap().minor()
}

on_each_store! {
    async fn what_its_refund_has_pays_what_its_payer_owes(shop) {
        for denied in [false, true] {
            let (id, payin) = over(&shop, denied).await;
            let refund = bounce(&shop, payin).await;
            let dispute = charged(&shop, payin, &format!("dp_{denied}"), euro("100.00"), euro("15.00"));
            assert_eq!(tell(&shop, &dispute).await, Reported::Taken);
            assert_eq!(tell(&shop, &dispute).await, Reported::Repeated);
            // The order never had it. The gateway's fee is the platform's.
            let fees = if denied { "-30.00" } else { "-15.00" };
            assert_eq!(stand(&shop, &["anna", "sam", "shop"]).await, [pair(NONE, "-100.00"), pair(NONE, NONE), pair(NONE, fees)]);
            assert!(shop.order(id).await.facts().aftermath().notes().is_empty());
            assert_eq!(gone(&shop, payin).await, 10_000);
            // The card has it already.
            shop.send().await;
            assert_eq!(shop.load(refund).await.status(), refund::Status::Denied);
            replace(&shop, refund, Route::Wallet).await;
            assert_eq!(stand(&shop, &["anna", "shop"]).await, [pair(NONE, NONE), pair(NONE, fees)]);
            assert_eq!(debts(&shop, "anna").await.pop().unwrap().status(), debt::Status::Paid);
            audit(&shop).await;
            assert_eq!(tell(&shop, &decided(&shop, &dispute, false)).await, Reported::Taken);
            assert_eq!(gone(&shop, payin).await, 10_000);
            audit(&shop).await;
        }
    }

    async fn what_its_payer_had_paid_comes_back_when_it_is_won(shop) {
        let (_, payin) = over(&shop, false).await;
        let refund = bounce(&shop, payin).await;
        let dispute = charged(&shop, payin, "dp_1", euro("70.01"), euro(NONE));
        // The end may come first.
        let won = decided(&shop, &dispute, true);
        assert_eq!(tell(&shop, &won).await, Reported::Taken);
        assert_eq!(tell(&shop, &dispute).await, Reported::Late);
        assert_eq!((stand(&shop, &["anna"]).await, gone(&shop, payin).await), (vec![pair(NONE, NONE)], 0));
        // Of the next one some is paid by then.
        let dispute = charged(&shop, payin, "dp_2", euro("40.00"), euro(NONE));
        tell(&shop, &dispute).await;
        shop.send().await;
        let AnyRefund::Denied(denied) = replace(&shop, refund, Route::Wallet).await else { panic!("it was denied") };
        assert!(denied.state().went().is_some());
        assert_eq!(stand(&shop, &["anna"]).await, [pair("60.00", NONE)]);
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!((stand(&shop, &["anna"]).await, gone(&shop, payin).await), (vec![pair("100.00", NONE)], 0));
        audit(&shop).await;
    }

    async fn until_its_money_has_come_it_is_to_come_again(shop) {
        for denied in [false, true] {
            let (id, payin) = over(&shop, denied).await;
            let dispute = charged(&shop, payin, &format!("dp_{denied}"), euro("100.00"), euro(NONE));
            let early = try_tell(&shop, &dispute).await;
            assert!(matches!(early, Err(EscrowError::Overtaken(about)) if about == payin.subject()), "{early:?}");
            // Nobody can write of it what has not happened.
            let at = shop.escrow.stamp(escrowed::party::Actor::Gateway);
            for action in [Action::ChargeBack, Action::WinBack] {
                let refused = shop.load(payin).await.may(action, &at);
                assert!(matches!(refused, Err(Reason::Missing { .. })), "{refused:?}");
            }
            bounce(&shop, payin).await;
            assert_eq!(tell(&shop, &dispute).await, Reported::Taken);
            let ended = if denied { Status::Failure } else { Status::Cancelled };
            assert_eq!((shop.status(id).await, gone(&shop, payin).await), (ended, 10_000));
            tell(&shop, &decided(&shop, &dispute, false)).await;
        }
        shop.send().await;
        audit(&shop).await;
    }

    async fn none_takes_more_than_came(shop) {
        let (_, payin) = over(&shop, false).await;
        bounce(&shop, payin).await;
        let first = charged(&shop, payin, "dp_1", euro("60.00"), euro(NONE));
        tell(&shop, &first).await;
        let second = Dispute { reference: "dp_2".parse().unwrap(), ..first.clone() };
        // The end of the first is on its way.
        let overtaken = try_tell(&shop, &second).await;
        assert!(matches!(overtaken, Err(EscrowError::Overtaken(_))), "{overtaken:?}");
        let more = try_tell(&shop, &Dispute { amount: euro("100.01"), ..second }).await;
        assert!(matches!(more, Err(EscrowError::Refused(Reason::TooMuch { .. }))), "{more:?}");
        shop.settle_down().await;
        audit(&shop).await;
    }

    async fn it_is_charged_back_by_what_came_and_not_by_what_was_asked(shop) {
        let id = shop.open(terms()).await;
        shop.gateway().script(Verb::Charge, [Behaviour::WrongAmount(euro("120.00"))]);
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        let payin = shop.payin(id).await.id();
        // The call is parked, for it is another amount than was asked.
        shop.send().await;
        shop.act(id, Command::Cancel {}, user("anna")).await;
        let moved = Outcome::Settled { moved: euro("120.00") };
        shop.report(key(payin.subject(), Verb::Charge), moved).await;
        let refund = bounce(&shop, payin).await;
        assert_eq!(shop.load(payin).await.came(), Some(euro("120.00")));
        let dispute = charged(&shop, payin, "dp_1", euro("120.00"), euro(NONE));
        let more = Dispute { reference: "dp_2".parse().unwrap(), amount: euro("120.01"), ..dispute.clone() };
        let refused = try_tell(&shop, &more).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::TooMuch { .. }))), "{refused:?}");
        assert_eq!(tell(&shop, &dispute).await, Reported::Taken);
        assert_eq!(stand(&shop, &["anna"]).await, [pair(NONE, "-120.00")]);
        shop.send().await;
        replace(&shop, refund, Route::Wallet).await;
        assert_eq!(stand(&shop, &["anna"]).await, [pair(NONE, NONE)]);
        audit(&shop).await;
    }
}
