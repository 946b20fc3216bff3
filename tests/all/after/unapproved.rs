//! A refund that waits for an operator's approval, and is sent another way instead.

use super::{
    chargebacks::debts,
    charged, owed,
    refunds_returned::{act_on, replace},
    tell, wallet,
};
use crate::harness::{Shop, bank, euro, key, on_each_store, ops, party, terms, user};
use escrowed::{
    escrow::EscrowError,
    gateway::Verb,
    lifecycle::Reason,
    order::{Blocking, Command, OrderId, PayoutPlan, Status},
    party::Actor,
    payment::{AnyRefund, Consent, RefundId, Route, debt, payin, refund},
    store::Store,
};

/// Anna paid €100, sam refused, and the refund is owed.
async fn rejected<S: Store>(shop: &Shop<S>) -> (OrderId, RefundId) {
    let id = shop.paid(terms()).await;
    shop.act(id, Command::Reject {}, user("sam")).await;
    (id, shop.refunds(id).await.remove(0).id())
}

/// A refund of €20 that an operator opened by hand.
async fn by_hand<S: Store>(shop: &Shop<S>, id: OrderId) -> RefundId {
    shop.act(id, Command::RefundPart { amount: euro("20.00") }, ops()).await;
    shop.refunds(id).await.remove(0).id()
}

/// Where its money went.
async fn redirected<S: Store>(shop: &Shop<S>, id: RefundId, route: Route) -> RefundId {
    let AnyRefund::Replaced(refund) = replace(shop, id, route.clone()).await else { panic!("its money is gone") };
    let (by, through) = refund.state().went().clone();
    assert_eq!(
        (through, refund.held(), refund.facts().amount),
        (route, euro("0.00"), shop.load(by).await.facts().amount)
    );
    by
}

async fn audit<S: Store>(shop: &Shop<S>) {
    shop.audit().await;
    shop.audit_calls().await;
}

on_each_store! {
    async fn what_a_buyer_who_charged_back_is_owed_pays_what_the_buyer_owes(shop) {
        let (order, refund) = rejected(&shop).await;
        let payin = shop.payin(order).await.id();
        tell(&shop, &charged(&shop, payin, "dp_1", euro("100.00"), euro("0.00"))).await;
        assert_eq!(owed(&shop, "anna").await, euro("-100.00"));
        // The money need not go to the card that has it already. In the wallet it pays the debt in the same write.
        let debt = debts(&shop, "anna").await.remove(0).id();
        let by = redirected(&shop, refund, Route::Wallet).await;
        assert_eq!(shop.load(by).await.status(), refund::Status::Confirmed);
        assert_eq!((owed(&shop, "anna").await, wallet(&shop, "anna").await), (euro("0.00"), euro("0.00")));
        assert_eq!((shop.load(debt).await.status(), shop.status(order).await), (debt::Status::Paid, Status::Rejected));
        assert_eq!(shop.payin(order).await.status(), payin::Status::Refunded);
        shop.send().await;
        assert_eq!(shop.gateway().effects(&key(refund.subject(), Verb::Refund)), 0);
        audit(&shop).await;
    }

    async fn to_an_account_it_is_sent_without_another_word(shop) {
        let (order, refund) = rejected(&shop).await;
        let by = redirected(&shop, refund, Route::Account("ba_anna".parse().unwrap())).await;
        let opened = shop.load(by).await;
        assert_eq!((opened.status(), opened.facts().consent, opened.facts().again), (refund::Status::Created, Consent::NotNeeded, None));
        shop.audit().await;
        // Its money is gone, and nothing leads back.
        for command in [refund::Command::Approve {}, refund::Command::Cancel {}, refund::Command::Replace { route: Route::Wallet }] {
            let refused = act_on(&shop, refund, command, ops()).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::WrongStatus { .. }))), "{refused:?}");
        }
        shop.send().await;
        assert_eq!((shop.load(by).await.status(), shop.load(refund).await.status()), (refund::Status::Confirmed, refund::Status::Replaced));
        assert_eq!((shop.payin(order).await.status(), shop.balance("world:sandbox").await), (payin::Status::Refunded, euro("0.00")));
        assert_eq!(shop.gateway().effects(&key(refund.subject(), Verb::Refund)), 0);
        assert_eq!(shop.gateway().effects(&key(by.subject(), Verb::Refund)), 1);
        audit(&shop).await;
    }

    async fn one_that_nothing_can_take_back_any_more_goes_into_the_wallet(shop) {
        let block = Command::Block { why: Blocking::Operator("let me see".parse().unwrap()) };
        for (command, ends) in [
            (block, Status::BlockedRelease),
            (Command::Cancel {}, Status::Cancelled),
            (Command::Validate {}, Status::Released),
        ] {
            let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
            let refund = by_hand(&shop, id).await;
            shop.act(id, command, ops()).await;
            shop.send().await;
            assert_eq!(shop.status(id).await, ends);
            let refused = act_on(&shop, refund, refund::Command::Cancel {}, ops()).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::WrongStatus { .. }))), "{refused:?}");
            let before = wallet(&shop, "anna").await;
            redirected(&shop, refund, Route::Wallet).await;
            assert_eq!(wallet(&shop, "anna").await, before.checked_add(euro("20.00")).unwrap());
            assert_eq!((shop.status(id).await, shop.order(id).await.facts().refunded()), (ends, euro("20.00")));
            audit(&shop).await;
        }
    }

    async fn only_before_its_approval_and_by_the_platform_alone(shop) {
        let (_, refund) = rejected(&shop).await;
        let other_way = || refund::Command::Replace { route: Route::Wallet };
        for by in [user("anna"), user("sam"), Actor::arbiter(party("judy"))] {
            let refused = act_on(&shop, refund, other_way(), by).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::WrongActor { .. }))), "{refused:?}");
        }
        let at = shop.escrow.stamp(ops());
        assert!(shop.load(refund).await.may(refund::Action::Replace, &at).is_ok());
        let own = shop.paid(terms()).await;
        shop.act(own, Command::Cancel {}, user("anna")).await;
        act_on(&shop, refund, refund::Command::Approve {}, ops()).await.unwrap();
        assert!(shop.load(refund).await.may(refund::Action::Replace, &at).is_err());
        // The gateway may have been asked by now. One that goes by itself may have been, too.
        for sent in [refund, shop.refunds(own).await.remove(0).id()] {
            let refused = act_on(&shop, sent, other_way(), ops()).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::Already { .. }))), "{refused:?}");
        }
        shop.send().await;
        assert_eq!((wallet(&shop, "anna").await, shop.balance("world:sandbox").await), (euro("0.00"), euro("0.00")));
        audit(&shop).await;
    }

    async fn the_same_request_twice_sends_it_once(shop) {
        let (_, refund) = rejected(&shop).await;
        let again = || ops().under("other-way-1".parse().unwrap());
        let mut by = Vec::new();
        for _ in 0..2 {
            let mut unit = shop.begin().await;
            let command = refund::Command::Replace { route: Route::Wallet };
            let AnyRefund::Replaced(refund) = shop.escrow.act_on_refund(&mut unit, refund, command, again()).await.unwrap() else {
                panic!("its money is gone")
            };
            shop.commit(unit).await;
            by.push(refund.state().went().0);
        }
        assert_eq!((by[0], wallet(&shop, "anna").await), (by[1], euro("100.00")));
        audit(&shop).await;
    }
}
