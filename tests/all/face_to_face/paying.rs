//! The deposit and the remainder: paid, skipped, under review, and back with the buyer.

use super::{DAY, Deal, anna, card, judy, path, sam, terms, with_policy};
use crate::harness::{bank, euro, on_each_store, ops, user};
use escrowed::{
    escrow::EscrowError,
    face_to_face::{AnyFaceToFace, Charges, Command, Kept, Policy, Status, Terms},
    gateway::Verb,
    lifecycle::Reason,
    payment::{AnyPayin, Destination, Method, Route, payin, refund},
    store::Store,
};

async fn call_off<S: Store>(deal: &Deal<'_, S>) {
    let payin = deal.payin().await.id();
    let mut unit = deal.shop.begin().await;
    deal.shop.escrow.act_on_payin(&mut unit, payin, payin::Command::Cancel {}, anna()).await.unwrap();
    deal.shop.commit(unit).await;
}

/// What of the deposit went back to the card.
async fn refunded<S: Store>(deal: &Deal<'_, S>) -> String {
    let deposit = deal.now().await.facts().till().opened()[0];
    match deal.shop.load(deposit).await {
        AnyPayin::Confirmed(payin) => payin.state().refunded().to_string(),
        AnyPayin::Refunded(payin) => payin.facts().amount.to_string(),
        payin => panic!("{payin:?}"),
    }
}

on_each_store! {
    async fn from_the_opening_to_the_release(shop) {
        let deal = Deal::handed_over(&shop, terms()).await;
        assert_eq!(deal.held().await, "180.00 EUR");
        deal.act(sam(), Command::SetPayout { to: bank("ba_sam") }).await;
        deal.wait(DAY);
        assert_eq!(deal.clock().await, 1);
        assert_eq!(deal.status().await, Status::ComplaintPeriodEnded);
        shop.send().await;
        assert_eq!(
            path(&deal.now().await),
            "created joined deposit_paid deposit_accepted priced remainder_paid seller_handover_confirmed \
             complaint_period_ended funds_released"
        );
        assert_eq!(shop.balance("wallet:shop").await, euro("5.00"));
        assert_eq!(shop.balance("world:sandbox").await, euro("-5.00"));
        assert_eq!(shop.gateway().net(escrowed::money::Currency::EUR), euro("5.00"));
        let deal_now = deal.now().await;
        let facts = deal_now.facts();
        assert_eq!((facts.price(), facts.till().paid().len()), (Some(euro("180.00")), 2));
        assert_eq!(facts.till().paid()[1].amount, euro("130.00"));
        deal.over(Status::FundsReleased).await;
    }

    async fn a_wallet_pays_deposit_and_remainder_at_once(shop) {
        shop.fill_wallet("anna", euro("179.99")).await;
        let deal = Deal::joined(&shop, terms()).await;
        let by_wallet = || Command::Pay { by: Method::Wallet };
        assert_eq!(deal.act(anna(), by_wallet()).await.status(), Status::DepositPaid);
        deal.act(sam(), Command::AcceptDeposit {}).await;
        deal.act(sam(), Command::SetPrice { price: euro("180.00") }).await;
        let short = deal.attempt(anna(), by_wallet()).await;
        assert!(matches!(short, Err(EscrowError::Overdrawn(account)) if account.to_string() == "wallet:anna"));
        assert!(deal.now().await.facts().till().underway().is_none());
        shop.fill_wallet("anna", euro("0.01")).await;
        assert_eq!(deal.act(anna(), by_wallet()).await.status(), Status::RemainderPaid);
        assert_eq!(shop.balance("wallet:anna").await, euro("0.00"));
        deal.act(sam(), Command::ConfirmHandover {}).await;
        assert_eq!(deal.act(anna(), Command::EndComplaintPeriod {}).await.status(), Status::FundsReleased);
        assert_eq!(shop.balance("wallet:sam").await, euro("175.00"));
        deal.over(Status::FundsReleased).await;
    }

    async fn only_its_owner_and_the_platform_spend_from_a_wallet(shop) {
        shop.fill_wallet("anna", euro("50.00")).await;
        let deal = Deal::joined(&shop, terms()).await;
        for who in [sam(), user("eve")] {
            let refused = deal.refused(who, Command::Pay { by: Method::Wallet }).await;
            assert!(matches!(refused, Reason::WrongActor { action: "pay", .. }));
        }
        assert_eq!(deal.act(ops(), Command::Pay { by: Method::Wallet }).await.status(), Status::DepositPaid);
        shop.audit().await;
    }

    async fn the_remainder_is_skipped_as_agreed_when_it_was_opened(shop) {
        let deal = Deal::deposited(&shop, Terms { skip_remainder: true, ..terms() }).await;
        assert_eq!(deal.act(sam(), Command::AcceptDeposit {}).await.status(), Status::RemainderSkipped);
        let passed = "created joined deposit_paid deposit_accepted remainder_skipped";
        assert_eq!(path(&deal.now().await), passed);
        deal.act(sam(), Command::ConfirmHandover {}).await;
        deal.act(anna(), Command::EndComplaintPeriod {}).await;
        assert_eq!(shop.balance("wallet:sam").await, euro("45.00"));
        deal.over(Status::FundsReleased).await;
    }

    async fn the_remainder_is_skipped_later(shop) {
        let deal = Deal::priced(&shop, terms()).await;
        deal.act(anna(), card()).await;
        let payin = deal.payin().await.id().subject();
        assert_eq!(deal.refused(sam(), Command::SkipRemainder {}).await, Reason::Underway(payin));
        call_off(&deal).await;
        assert_eq!(deal.act(sam(), Command::SkipRemainder {}).await.status(), Status::RemainderSkipped);
        shop.send().await;
        assert_eq!(deal.held().await, "50.00 EUR");
        shop.audit().await;
    }

    async fn a_price_is_more_than_the_deposit_in_its_currency(shop) {
        let deal = Deal::accepted(&shop, terms()).await;
        for price in ["50.00 EUR", "49.99 EUR", "0.00 EUR", "-180.00 EUR", "180.00 USD"] {
            let refused = deal.refused(sam(), Command::SetPrice { price: price.parse().unwrap() }).await;
            assert!(matches!(refused, Reason::NotThisWay { .. } | Reason::Money(_)), "{price}: {refused}");
        }
        deal.act(sam(), Command::SetPrice { price: euro("50.01") }).await;
        deal.act(anna(), card()).await;
        assert_eq!(deal.payin().await.facts().amount, euro("0.01"));
        shop.send().await;
        assert_eq!(deal.status().await, Status::RemainderPaid);
        shop.audit().await;
    }

    async fn cancelled_before_the_seller_accepts(shop) {
        for who in [sam(), ops()] {
            let deal = Deal::deposited(&shop, terms()).await;
            assert!(matches!(deal.refused(anna(), Command::Cancel {}).await, Reason::WrongActor { .. }));
            assert_eq!(deal.act(who, Command::Cancel {}).await.status(), Status::CancelledWithDeposit);
            shop.send().await;
            assert_eq!(refunded(&deal).await, "50.00 EUR", "in full, fees included");
            assert_eq!(shop.balance("wallet:shop").await, euro("0.00"));
            deal.over(Status::DepositRefunded).await;
        }
    }

    async fn cancelled_after_the_seller_accepted(shop) {
        let mut kept = 0;
        for (who, priced) in [(anna(), false), (sam(), false), (ops(), false), (anna(), true), (ops(), true)] {
            let deal = if priced { Deal::priced(&shop, terms()).await } else { Deal::accepted(&shop, terms()).await };
            deal.act(who, Command::Cancel {}).await;
            shop.send().await;
            assert_eq!(refunded(&deal).await, "48.00 EUR", "less the buyer's fee");
            kept += 2;
            assert_eq!(shop.balance("wallet:shop").await, euro(&format!("{kept}.00")));
            deal.over(Status::DepositRefunded).await;
        }
        let deal = Deal::priced(&shop, terms()).await;
        assert!(matches!(deal.refused(sam(), Command::Cancel {}).await, Reason::WrongActor { .. }));
    }

    async fn another_policy_keeps_something_else(shop) {
        let policy = || Policy {
            kept_before_acceptance: Kept::BuyerFee, kept_after_acceptance: Kept::Nothing, ..Policy::default()
        };
        let deal = Deal::deposited(&shop, with_policy(policy())).await;
        deal.act(sam(), Command::Cancel {}).await;
        shop.send().await;
        assert_eq!(refunded(&deal).await, "48.00 EUR");
        deal.over(Status::DepositRefunded).await;
        let deal = Deal::accepted(&shop, with_policy(policy())).await;
        deal.act(anna(), Command::Cancel {}).await;
        shop.send().await;
        assert_eq!(refunded(&deal).await, "50.00 EUR");
        deal.over(Status::DepositRefunded).await;
        assert_eq!(shop.balance("wallet:shop").await, euro("2.00"));
    }

    async fn a_fee_may_keep_all_of_the_deposit(shop) {
        let charges = Some(Charges { buyer: euro("50.00"), seller: euro("0.00") });
        let deal = Deal::accepted(&shop, Terms { charges, ..terms() }).await;
        assert_eq!(deal.act(anna(), Command::Cancel {}).await.status(), Status::DepositRefunded);
        assert_eq!(shop.balance("wallet:shop").await, euro("50.00"));
        assert!(shop.refunds(deal.id).await.is_empty());
        deal.over(Status::DepositRefunded).await;
    }

    async fn a_deposit_goes_back_the_way_it_came(shop) {
        shop.fill_wallet("anna", euro("50.00")).await;
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), Command::Pay { by: Method::Wallet }).await;
        assert_eq!(deal.act(sam(), Command::Cancel {}).await.status(), Status::DepositRefunded);
        assert_eq!(shop.balance("wallet:anna").await, euro("50.00"));
        deal.over(Status::DepositRefunded).await;

        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), Command::Pay { by: Method::BankWire { refund_to: "ba_anna".parse().unwrap() } }).await;
        shop.send().await;
        deal.act(sam(), Command::Cancel {}).await;
        shop.send().await;
        assert_eq!(shop.refunds(deal.id).await.remove(0).facts().route, Route::Account("ba_anna".parse().unwrap()));
        deal.over(Status::DepositRefunded).await;
    }

    async fn called_off_before_anything_is_paid(shop) {
        let deal = Deal::opened(&shop, terms()).await;
        assert!(matches!(deal.refused(anna(), Command::Cancel {}).await, Reason::WrongActor { .. }));
        deal.act(sam(), Command::Cancel {}).await;
        deal.over(Status::Cancelled).await;
        for who in [anna(), sam()] {
            let deal = Deal::joined(&shop, terms()).await;
            assert!(matches!(deal.refused(ops(), Command::Cancel {}).await, Reason::WrongActor { .. }));
            deal.act(who, Command::Cancel {}).await;
            deal.over(Status::Cancelled).await;
        }
    }

    async fn a_payment_under_review_cannot_be_accepted(shop) {
        let deal = Deal::deposited(&shop, terms()).await;
        for who in [anna(), sam(), judy()] {
            let refused = deal.refused(who, Command::Review { under_review: true }).await;
            assert!(matches!(refused, Reason::WrongActor { .. }));
        }
        let reviewed = deal.act(ops(), Command::Review { under_review: true }).await;
        assert!(matches!(reviewed, AnyFaceToFace::DepositPaid(deal) if deal.state().under_review()));
        assert!(matches!(deal.refused(sam(), Command::AcceptDeposit {}).await, Reason::Missing { .. }));
        let at = shop.escrow.stamp(sam());
        assert!(!deal.now().await.actions(&at).any(|action| action.name() == "accept_deposit"));
        deal.act(escrowed::party::Actor::Gateway, Command::Review { under_review: false }).await;
        assert_eq!(deal.act(sam(), Command::AcceptDeposit {}).await.status(), Status::DepositAccepted);
        shop.audit().await;
    }

    async fn a_payment_under_review_may_go_back(shop) {
        let deal = Deal::deposited(&shop, terms()).await;
        deal.act(ops(), Command::Review { under_review: true }).await;
        deal.act(ops(), Command::Cancel {}).await;
        shop.send().await;
        deal.over(Status::DepositRefunded).await;
    }

    async fn a_denied_refund_of_the_deposit_is_replaced(shop) {
        for to in [Route::Wallet, Route::Account("ba_anna".parse().unwrap())] {
            let deal = Deal::deposited(&shop, terms()).await;
            deal.decline(Verb::Refund);
            deal.act(sam(), Command::Cancel {}).await;
            shop.send().await;
            assert_eq!(deal.status().await, Status::CancelledWithDeposit);
            let denied = shop.refunds(deal.id).await.remove(0);
            assert_eq!((denied.status(), denied.held()), (refund::Status::Denied, euro("50.00")));
            let mut unit = shop.begin().await;
            let replace = || refund::Command::Replace { route: to.clone() };
            let stranger = shop.escrow.act_on_refund(&mut unit, denied.id(), replace(), anna()).await;
            assert!(matches!(stranger, Err(EscrowError::Refused(Reason::WrongActor { .. }))));
            shop.escrow.act_on_refund(&mut unit, denied.id(), replace(), ops()).await.unwrap();
            shop.commit(unit).await;
            shop.send().await;
            assert_eq!(deal.payin().await.status(), payin::Status::Refunded);
            deal.over(Status::DepositRefunded).await;
        }
    }

    async fn the_refund_of_a_deposit_cannot_be_called_off(shop) {
        let deal = Deal::deposited(&shop, terms()).await;
        deal.act(sam(), Command::Cancel {}).await;
        let refund = shop.refunds(deal.id).await.remove(0).id();
        let mut unit = shop.begin().await;
        let refused = shop.escrow.act_on_refund(&mut unit, refund, refund::Command::Cancel {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))));
        drop(unit);
        shop.send().await;
        deal.over(Status::DepositRefunded).await;
    }

    async fn the_seller_may_say_where_to_be_paid_until_it_is_paid(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        for (who, to) in [(sam(), bank("ba_1")), (ops(), Destination::Wallet), (sam(), bank("ba_2"))] {
            deal.act(who, Command::SetPayout { to: to.clone() }).await;
            assert_eq!(deal.now().await.facts().terms().payout, Some(to));
        }
        assert!(matches!(deal.refused(anna(), Command::SetPayout { to: bank("ba") }).await, Reason::WrongActor { .. }));
        shop.audit().await;
    }
}
