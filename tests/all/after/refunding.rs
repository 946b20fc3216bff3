//! Chargebacks while a refund of the same payin has not arrived: whoever is to get it owes what it is to get.

use super::{
    chargebacks::{NONE, audit, debts, pair, released, stand},
    charged, decided, owed,
    refunds_returned::{act_on, replace, send_back},
    tell, wallet,
};
use crate::harness::{Shop, bank, euro, on_each_store, ops, party, terms, user};
use escrowed::{
    escrow::EscrowError,
    gateway::{Dispute, Verb},
    lifecycle::Reason,
    order::{Command, OrderId, PayoutPlan, Status},
    payment::{Afterwards, AnyRefund, Destination, PayinId, RefundId, Route, debt, payin, refund},
    sandbox::Behaviour,
    store::Store,
};

/// Of an order that anna has paid, an operator refunds this by hand.
async fn refunding<S: Store>(shop: &Shop<S>, amount: &str) -> (OrderId, PayinId, RefundId) {
    let id = shop.paid(terms()).await;
    let refund = refund_part(shop, id, amount).await;
    (id, shop.payin(id).await.id(), refund)
}

async fn refund_part<S: Store>(shop: &Shop<S>, id: OrderId, amount: &str) -> RefundId {
    let before: Vec<_> = shop.refunds(id).await.iter().map(AnyRefund::id).collect();
    shop.act(id, Command::RefundPart { amount: euro(amount) }, ops()).await;
    let opened = shop.refunds(id).await.into_iter().find(|refund| !before.contains(&refund.id()));
    opened.expect("a refund").id()
}

async fn approve<S: Store>(shop: &Shop<S>, id: RefundId) {
    act_on(shop, id, refund::Command::Approve {}, ops()).await.unwrap();
    shop.send().await;
}

/// Charged back, and told.
async fn disputed<S: Store>(shop: &Shop<S>, payin: PayinId, reference: &str, amount: &str) -> Dispute {
    let dispute = charged(shop, payin, reference, euro(amount), euro(NONE));
    tell(shop, &dispute).await;
    dispute
}

async fn lost<S: Store>(shop: &Shop<S>, dispute: &Dispute) {
    tell(shop, &decided(shop, dispute, false)).await;
}

/// Sam accepts what is left, and is paid into the wallet.
async fn release<S: Store>(shop: &Shop<S>, id: OrderId) {
    let plan = PayoutPlan::to(party("sam"), Destination::Wallet);
    shop.act(id, Command::Accept { payout: Some(plan) }, user("sam")).await;
    shop.act(id, Command::Validate {}, ops()).await;
    assert_eq!(shop.status(id).await, Status::Released);
}

on_each_store! {
    async fn the_payer_bears_what_it_is_to_get_and_the_seller_has_its_part(shop) {
        let (id, payin, refund) = refunding(&shop, "50.00").await;
        let dispute = disputed(&shop, payin, "dp_1", "50.00").await;
        let order = shop.order(id).await;
        assert_eq!((order.status(), order.held()), (Status::Published, euro("50.00")));
        assert_eq!(stand(&shop, &["anna", "sam", "shop"]).await, [pair(NONE, "-50.00"), pair(NONE, NONE), pair(NONE, NONE)]);
        lost(&shop, &dispute).await;
        // Into the wallet it pays what anna owes: she has her €50 from the bank.
        replace(&shop, refund, Route::Wallet).await;
        assert_eq!(debts(&shop, "anna").await.remove(0).status(), debt::Status::Paid);
        release(&shop, id).await;
        assert_eq!(stand(&shop, &["anna", "sam", "shop"]).await, [pair(NONE, NONE), pair("40.00", NONE), pair("10.00", NONE)]);
        audit(&shop).await;
    }

    async fn also_where_it_was_declined_because_the_charge_is_disputed(shop) {
        let (id, payin, refund) = refunding(&shop, "50.00").await;
        // The network is faster than its notice.
        let dispute = charged(&shop, payin, "dp_1", euro("60.00"), euro(NONE));
        approve(&shop, refund).await;
        assert_eq!(shop.load(refund).await.status(), refund::Status::Denied);
        tell(&shop, &dispute).await;
        let order = shop.order(id).await;
        assert_eq!((order.status(), order.held(), owed(&shop, "anna").await), (Status::BlockedRelease, euro("40.00"), euro("-50.00")));
        replace(&shop, refund, Route::Wallet).await;
        assert_eq!(stand(&shop, &["anna"]).await, [pair(NONE, NONE)]);
        lost(&shop, &dispute).await;
        shop.act(id, Command::Unblock {}, ops()).await;
        release(&shop, id).await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair("30.00", NONE), pair("10.00", NONE)]);
        audit(&shop).await;
    }

    async fn won_it_comes_back_to_whom_it_was_taken_from(shop) {
        let (id, payin, refund) = refunding(&shop, "33.33").await;
        shop.fill_wallet("anna", euro("3.34")).await;
        let dispute = disputed(&shop, payin, "dp_1", "70.01").await;
        // €33.33 are anna's to bear, of which €3.34 are there; €36.68 were held.
        assert_eq!(shop.order(id).await.held(), euro("29.99"));
        assert_eq!(stand(&shop, &["anna", "sam", "shop"]).await, [pair(NONE, "-29.99"), pair(NONE, NONE), pair(NONE, NONE)]);
        audit(&shop).await;
        replace(&shop, refund, Route::Wallet).await;
        assert_eq!(stand(&shop, &["anna"]).await, [pair("3.34", NONE)]);
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!((shop.order(id).await.held(), wallet(&shop, "anna").await), (euro("66.67"), euro("36.67")));
        audit(&shop).await;
    }

    async fn what_has_arrived_is_not_called_upon(shop) {
        let (id, payin, refund) = refunding(&shop, "50.00").await;
        approve(&shop, refund).await;
        disputed(&shop, payin, "dp_1", "50.00").await;
        assert_eq!((shop.order(id).await.held(), owed(&shop, "anna").await), (euro(NONE), euro(NONE)));
        audit(&shop).await;
    }

    async fn what_comes_back_is_called_upon_again(shop) {
        let (id, payin, refund) = refunding(&shop, "50.00").await;
        approve(&shop, refund).await;
        send_back(&shop, refund).await;
        let dispute = disputed(&shop, payin, "dp_1", "50.00").await;
        assert_eq!((shop.order(id).await.held(), owed(&shop, "anna").await), (euro("50.00"), euro("-50.00")));
        replace(&shop, refund, Route::Wallet).await;
        assert_eq!(stand(&shop, &["anna"]).await, [pair(NONE, NONE)]);
        lost(&shop, &dispute).await;
        release(&shop, id).await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair("40.00", NONE), pair("10.00", NONE)]);
        audit(&shop).await;
    }
}

on_each_store! {
    async fn each_refund_is_called_upon_once_by_all_disputes_together(shop) {
        let (id, payin, refund) = refunding(&shop, "50.00").await;
        // What anna's wallet gives is of the same €50.
        shop.fill_wallet("anna", euro("30.00")).await;
        let first = disputed(&shop, payin, "dp_1", "30.00").await;
        assert_eq!((stand(&shop, &["anna"]).await, shop.order(id).await.held()), (vec![pair(NONE, NONE)], euro("50.00")));
        // It is the same money, whichever refund has it.
        let AnyRefund::Replaced(replaced) = replace(&shop, refund, Route::Account("ba_anna".parse().unwrap())).await else {
            panic!("it was not sent yet")
        };
        shop.gateway().script(Verb::Refund, [Behaviour::Pend]);
        shop.send().await;
        let by = replaced.state().went().0;
        assert_eq!(shop.load(by).await.status(), refund::Status::Created);
        let second = disputed(&shop, payin, "dp_2", "30.01").await;
        assert_eq!((owed(&shop, "anna").await, shop.order(id).await.held()), (euro("-20.00"), euro("39.99")));
        // Once the first is won, that much can be called upon again.
        tell(&shop, &decided(&shop, &first, true)).await;
        assert_eq!(wallet(&shop, "anna").await, euro("30.00"));
        let third = disputed(&shop, payin, "dp_3", "69.99").await;
        assert_eq!((stand(&shop, &["anna"]).await, shop.order(id).await.held()), (vec![pair(NONE, "-20.00")], euro(NONE)));
        for dispute in [&second, &third] {
            lost(&shop, dispute).await;
        }
        shop.settle_down().await;
        audit(&shop).await;
    }

    async fn a_refund_that_was_opened_since_is_called_upon_too(shop) {
        let (id, payin, refund) = refunding(&shop, "50.00").await;
        let first = disputed(&shop, payin, "dp_1", "50.00").await;
        replace(&shop, refund, Route::Wallet).await;
        lost(&shop, &first).await;
        let second = refund_part(&shop, id, "20.00").await;
        let dispute = disputed(&shop, payin, "dp_2", "25.00").await;
        assert_eq!((owed(&shop, "anna").await, shop.order(id).await.held()), (euro("-20.00"), euro("25.00")));
        replace(&shop, second, Route::Wallet).await;
        assert_eq!(stand(&shop, &["anna"]).await, [pair(NONE, NONE)]);
        lost(&shop, &dispute).await;
        audit(&shop).await;
    }

    async fn what_is_to_pay_for_a_chargeback_is_not_taken_back(shop) {
        let (id, payin, refund) = refunding(&shop, "50.00").await;
        let other = refund_part(&shop, id, "20.00").await;
        let [first, second] = if refund < other { [refund, other] } else { [other, refund] };
        let amount = shop.load(first).await.facts().amount;
        let dispute = charged(&shop, payin, "dp_1", amount, euro(NONE));
        tell(&shop, &dispute).await;
        assert_eq!(shop.status(id).await, Status::Published);
        let note = shop.order(id).await.facts().aftermath().notes().to_vec();
        assert!(matches!(&note[..], [Afterwards::ChargedBack { refunds, .. }] if *refunds == [first]), "{note:?}");
        let refused = act_on(&shop, first, refund::Command::Cancel {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{refused:?}");
        // The other one has nothing to do with it.
        act_on(&shop, second, refund::Command::Cancel {}, ops()).await.unwrap();
        tell(&shop, &decided(&shop, &dispute, true)).await;
        act_on(&shop, first, refund::Command::Cancel {}, ops()).await.unwrap();
        let order = shop.order(id).await;
        assert_eq!((order.held(), order.facts().refunded()), (euro("100.00"), euro(NONE)));
        assert_eq!(stand(&shop, &["anna"]).await, [pair(NONE, NONE)]);
        audit(&shop).await;
    }
}

on_each_store! {
    async fn what_is_refunded_after_the_release_is_not_taken_from_the_payees_twice(shop) {
        let (id, payin) = released(&shop, Destination::Wallet).await;
        let mut unit = shop.begin().await;
        let refund = shop.escrow.refund_released(&mut unit, id, euro("50.00"), ops()).await.unwrap().id();
        shop.commit(unit).await;
        let dispute = charged(&shop, payin, "dp_1", euro("60.01"), euro(NONE));
        shop.send().await;
        assert_eq!(shop.load(refund).await.status(), refund::Status::Denied);
        tell(&shop, &dispute).await;
        // Of what is beyond the refund sam and the shop bear their shares.
        let left = [pair(NONE, "-50.00"), pair("35.99", NONE), pair("4.00", NONE)];
        assert_eq!(stand(&shop, &["anna", "sam", "shop"]).await, left);
        replace(&shop, refund, Route::Wallet).await;
        assert_eq!(stand(&shop, &["anna"]).await, [pair(NONE, NONE)]);
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!(stand(&shop, &["anna", "sam", "shop"]).await, [pair("50.00", NONE), pair("45.00", NONE), pair("5.00", NONE)]);
        audit(&shop).await;
    }

    async fn what_goes_back_when_it_is_called_off_is_the_payers_before_what_others_were_paid(shop) {
        let plan = PayoutPlan::among([
            escrowed::order::Payee { party: party("sam"), share: escrowed::money::Share::Fixed(euro("60.00")), to: bank("ba_sam") },
            escrowed::order::Payee { party: party("tom"), share: escrowed::money::Share::Rest, to: Destination::Wallet },
        ]);
        let id = shop.planned(terms(), plan).await;
        shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason: "no".parse().unwrap() }]);
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        let denied = shop.payouts(id).await.into_iter().find(|payout| payout.held().is_positive()).expect("it was declined").id();
        let mut unit = shop.begin().await;
        shop.escrow.act_on_payout(&mut unit, denied, escrowed::payment::payout::Command::GiveBack {}, ops()).await.unwrap();
        shop.commit(unit).await;
        shop.act(id, Command::Cancel {}, ops()).await;
        let payin = shop.payin(id).await.id();
        let dispute = disputed(&shop, payin, "dp_1", "60.00").await;
        assert_eq!(stand(&shop, &["anna", "tom", "shop"]).await, [pair(NONE, "-60.00"), pair("30.00", NONE), pair("10.00", NONE)]);
        lost(&shop, &dispute).await;
        shop.send().await;
        audit(&shop).await;
        assert_eq!(shop.load(payin).await.status(), payin::Status::Confirmed);
    }
}
