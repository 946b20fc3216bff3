//! Complaints and how they end: in time or too late, awarded to one side or to both, to the last minor unit.

use super::{DAY, Deal, TICK, anna, audit, award, complain, complaint, decline, judy, sam, terms};
use crate::harness::{bank, euro, on_each_store, ops, user};
use escrowed::{
    deal::{Award, Side},
    gateway::Verb,
    lifecycle::Reason,
    money::MoneyError,
    party::Actor,
    payment::{Destination, Route, payin, payout, refund},
    store::Store,
    transaction::{Action, AnyTransaction, Command, Complaint, Status, Terms},
};
use std::time::Duration;

/// In `complaint_submitted`; the seller is to be paid by bank.
async fn disputed<S: Store>(shop: &crate::harness::Shop<S>) -> Deal<'_, S> {
    Deal::complained(shop, Terms { payout: Some(bank("ba_sam")), ..terms() }).await
}

#[test]
fn complaints_are_of_three_kinds() {
    let kinds = ["item_not_received", "item_not_as_described", "other"];
    for kind in kinds {
        let json = serde_json::json!({ "category": kind, "description": "x" });
        let complaint: Complaint = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(complaint).unwrap(), json);
    }
    for bad in [
        serde_json::json!({ "category": "bored", "description": "x" }),
        serde_json::json!({ "category": "other", "description": "" }),
        serde_json::json!({ "category": "other", "description": "x", "by": "anna" }),
        serde_json::json!({ "category": "other" }),
    ] {
        assert!(serde_json::from_value::<Complaint>(bad.clone()).is_err(), "{bad}");
    }
}

on_each_store! {
    async fn in_the_last_microsecond_and_not_later(shop) {
        let deal = Deal::delivered(&shop, terms()).await;
        deal.wait(DAY - TICK);
        let AnyTransaction::ComplaintSubmitted(disputed) = deal.act(anna(), complain()).await else { panic!() };
        assert_eq!(disputed.state().complaint(), &complaint());
        assert_eq!(disputed.deadline(), None, "no clock runs while an arbiter decides");
        deal.wait(30 * DAY);
        assert_eq!(deal.clock().await, 0);
        for late in [Duration::ZERO, TICK, Duration::from_secs(1)] {
            let deal = Deal::delivered(&shop, terms()).await;
            let deadline = shop.now().plus(DAY);
            deal.wait(DAY + late);
            // Even if the clock has not come by yet.
            assert_eq!(deal.refused(anna(), complain()).await, Reason::TooLate { action: "complain", deadline });
            assert_eq!(deal.clock().await, 1);
            assert_eq!(deal.status().await, Status::FundsReleased);
        }
        audit(&shop).await;
    }

    async fn a_typed_complaint_comes_too_late_as_well(shop) {
        let deal = Deal::delivered(&shop, terms()).await;
        deal.wait(DAY);
        let AnyTransaction::Delivered(delivered) = deal.now().await else { panic!() };
        let refused = delivered.complain(complaint(), &shop.escrow.stamp(anna())).unwrap_err();
        assert!(matches!(refused.reason, Reason::TooLate { action: "complain", .. }));
        assert_eq!(refused.value.status(), Status::Delivered);
    }

    async fn only_the_buyer_complains(shop) {
        for deal in [
            Deal::delivered(&shop, terms()).await,
            Deal::handed_over(&shop, Side::Buyer).await,
            Deal::handed_over(&shop, Side::Seller).await,
        ] {
            for by in [sam(), user("eve"), ops(), judy(), Actor::Clock, Actor::Gateway] {
                assert!(matches!(deal.refused(by, complain()).await, Reason::WrongActor { .. }));
            }
            assert_eq!(deal.act(anna(), complain()).await.status(), Status::ComplaintSubmitted);
        }
    }

    async fn everything_to_the_buyer(shop) {
        let deal = disputed(&shop).await;
        let awarded = deal.act(judy(), award("115.00", "0.00")).await;
        assert_eq!((awarded.status(), awarded.held()), (Status::ComplaintSubmitted, euro("0.00")));
        assert!(deal.payouts().await.is_empty(), "who gets nothing gets no payout");
        shop.send().await;
        assert_eq!(deal.payin().await.status(), payin::Status::Refunded);
        assert_eq!(deal.outside().await, "0.00 EUR");
        let AnyTransaction::Refunded(refunded) = deal.now().await else { panic!() };
        assert!(refunded.state().outgoing().all_confirmed());
        deal.over(Status::Refunded).await;
    }

    async fn everything_to_the_seller(shop) {
        let deal = disputed(&shop).await;
        deal.act(judy(), award("0.00", "115.00")).await;
        assert!(deal.refunds().await.is_empty());
        shop.send().await;
        assert_eq!(deal.outside().await, "0.00 EUR");
        assert_eq!(deal.payin().await.status(), payin::Status::Confirmed);
        deal.over(Status::FundsReleased).await;
    }

    async fn shared_to_the_last_minor_unit(shop) {
        for (buyer, seller) in [("0.01", "114.99"), ("114.99", "0.01"), ("38.33", "76.67")] {
            let deal = Deal::complained(&shop, terms()).await;
            let before = shop.balance("wallet:sam").await;
            let awarded = deal.act(judy(), award(buyer, seller)).await;
            let AnyTransaction::ComplaintSubmitted(awarded) = awarded else { panic!("the refund is still on its way") };
            let made = awarded.state().awarded().unwrap();
            assert_eq!(made.award, Award { buyer: euro(buyer), seller: euro(seller) });
            assert_eq!(made.outgoing.legs().len(), 2);
            shop.send().await;
            let got = shop.balance("wallet:sam").await.checked_sub(before).unwrap();
            assert_eq!(got, euro(seller));
            let payin::AnyPayin::Confirmed(payin) = deal.payin().await else { panic!() };
            assert_eq!(payin.state().refunded(), euro(buyer));
            deal.over(Status::FundsReleased).await;
        }
        for name in ["shop", "till"] {
            assert!(shop.balance(&format!("wallet:{name}")).await.is_zero(), "an arbiter takes no fees");
        }
    }

    async fn from_wallet_to_wallets_an_award_settles_at_once(shop) {
        shop.fill_wallet("anna", euro("230.00")).await;
        for (buyer, seller, end) in [("115.00", "0.00", Status::Refunded), ("15.00", "100.00", Status::FundsReleased)] {
            let deal = Deal::joined(&shop, terms()).await;
            deal.act(anna(), Command::OpenPayin { by: escrowed::payment::Method::Wallet }).await;
            deal.act(sam(), Command::AcceptPayment {}).await;
            deal.act(sam(), Command::ConfirmHandover {}).await;
            deal.act(anna(), complain()).await;
            assert_eq!(deal.act(judy(), award(buyer, seller)).await.status(), end);
            assert!(shop.gateway().calls().iter().all(|call| call.verb == Verb::Charge), "no gateway is asked");
            deal.over(end).await;
        }
        assert_eq!(shop.balance("wallet:anna").await, euro("130.00"));
        assert_eq!(shop.balance("wallet:sam").await, euro("100.00"));
    }

    async fn an_award_that_does_not_add_up(shop) {
        let deal = disputed(&shop).await;
        for (buyer, seller) in [("15.00", "99.99"), ("15.00", "100.01"), ("0.00", "0.00"), ("115.00", "115.00")] {
            let refused = deal.refused(judy(), award(buyer, seller)).await;
            let found = euro(buyer).checked_add(euro(seller)).unwrap();
            assert_eq!(refused, Reason::WrongAmount { expected: euro("115.00"), found });
        }
        for (buyer, seller) in [("-1.00", "116.00"), ("116.00", "-1.00"), ("-0.01", "115.01")] {
            let refused = deal.refused(judy(), award(buyer, seller)).await;
            assert!(matches!(refused, Reason::Money(MoneyError::Negative { .. })), "{refused}");
        }
        for (buyer, seller) in [("115.00 GBP", "0.00 GBP"), ("0.00 GBP", "115.00 EUR"), ("115.00 EUR", "0.00 GBP")] {
            let award = Award { buyer: buyer.parse().unwrap(), seller: seller.parse().unwrap() };
            let refused = deal.refused(judy(), Command::Award { award }).await;
            assert!(matches!(refused, Reason::Money(_) | Reason::WrongAmount { .. }), "{refused}");
        }
        let all = |minor| escrowed::money::Money::from_minor(minor, escrowed::money::Currency::EUR);
        let award = Award { buyer: all(i64::MAX), seller: all(1) };
        assert!(matches!(deal.refused(judy(), Command::Award { award }).await, Reason::Money(MoneyError::Overflow)));
        assert_eq!((deal.held().await.as_str(), deal.refunds().await.len()), ("115.00 EUR", 0));
        audit(&shop).await;
    }

    async fn one_award_only(shop) {
        let deal = disputed(&shop).await;
        deal.act(judy(), award("15.00", "100.00")).await;
        for (buyer, seller) in [("15.00", "100.00"), ("0.00", "0.00"), ("115.00", "0.00")] {
            assert!(matches!(deal.refused(judy(), award(buyer, seller)).await, Reason::Already { .. }));
        }
        let offers: Vec<Action> = deal.now().await.actions(&shop.escrow.stamp(judy())).collect();
        assert!(offers.is_empty());
        shop.send().await;
        deal.over(Status::FundsReleased).await;
    }

    async fn nobody_but_an_arbiter_decides(shop) {
        let deal = disputed(&shop).await;
        for by in [anna(), sam(), user("judy"), ops(), Actor::Clock, Actor::Gateway] {
            assert!(matches!(deal.refused(by, award("15.00", "100.00")).await, Reason::WrongActor { .. }));
        }
        for command in [Command::Refund {}, Command::SettleComplaint {}] {
            assert!(matches!(deal.refused(Actor::Gateway, command).await, Reason::Missing { .. }), "there is no award");
        }
    }

    async fn an_award_ends_only_when_both_sides_have_theirs(shop) {
        // Whichever of the two comes first.
        for (first, second) in [(Verb::Refund, Verb::Payout), (Verb::Payout, Verb::Refund)] {
            let deal = disputed(&shop).await;
            deal.act(judy(), award("15.00", "100.00")).await;
            shop.gateway().script(second, [escrowed::sandbox::Behaviour::Pend]);
            shop.send().await;
            assert_eq!(deal.status().await, Status::ComplaintSubmitted, "{first:?} alone is not the end");
            let early = deal.refused(Actor::Gateway, Command::SettleComplaint {}).await;
            assert!(matches!(early, Reason::Missing { .. }));
            let call = shop.gateway().pending().remove(0);
            assert_eq!(call.verb, second);
            shop.gateway().resolve(&call, escrowed::sandbox::Resolution::Settle).unwrap();
            for report in shop.gateway().reports_shuffled() {
                shop.try_report(&report).await.unwrap();
            }
            deal.over(Status::FundsReleased).await;
        }
    }

    async fn denied_payments_of_an_award_are_replaced(shop) {
        let deal = disputed(&shop).await;
        deal.act(judy(), award("15.00", "100.00")).await;
        shop.gateway().script(Verb::Refund, [decline()]);
        shop.gateway().script(Verb::Payout, [decline()]);
        shop.send().await;
        let AnyTransaction::ComplaintSubmitted(stuck) = deal.now().await else { panic!() };
        let awarded = stuck.state().awarded().unwrap();
        assert_eq!(awarded.outgoing.standing(escrowed::payment::Stands::Denied).count(), 2);
        deal.on_refund(ops(), refund::Command::Replace { route: Route::Wallet }).await.unwrap();
        assert_eq!(deal.status().await, Status::ComplaintSubmitted);
        assert_eq!(deal.wallet("anna").await, "15.00 EUR");
        let given_back = deal.on_payout(ops(), payout::Command::GiveBack {}).await;
        assert!(given_back.is_err(), "there is no way for money to come back");
        deal.on_payout(sam(), payout::Command::Replace { to: Destination::Wallet }).await.unwrap();
        assert_eq!(deal.wallet("sam").await, "100.00 EUR");
        deal.over(Status::FundsReleased).await;
    }

    async fn a_denied_refund_of_all_of_it_is_replaced(shop) {
        let deal = disputed(&shop).await;
        deal.act(judy(), award("115.00", "0.00")).await;
        deal.decline(Verb::Refund);
        shop.send().await;
        assert_eq!(deal.status().await, Status::ComplaintSubmitted);
        let route = Route::Account("ba_anna".parse().unwrap());
        deal.on_refund(ops(), refund::Command::Replace { route }).await.unwrap();
        shop.send().await;
        assert_eq!(deal.outside().await, "0.00 EUR");
        deal.over(Status::Refunded).await;
    }
}
