//! Payins that fail, expire, are called off or come too late.

use super::{Deal, HOUR, TICK, anna, card, decline, in_an_hour, sam, terms};
use crate::harness::{euro, key, on_each_store, ops};
use escrowed::{
    escrow::Reported,
    face_to_face::{Command, Status},
    gateway::{Outcome, Verb},
    lifecycle::Reason,
    payment::{Method, Route, payin, refund},
    sandbox::{Behaviour, Resolution},
};

on_each_store! {
    async fn a_payin_under_way_is_called_off_with_the_deal(shop) {
        // Not yet sent: it never reaches the gateway.
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        deal.act(sam(), Command::Cancel {}).await;
        assert_eq!(deal.payin().await.status(), payin::Status::Cancelled);
        shop.send().await;
        assert!(shop.gateway().calls().is_empty());
        deal.over(Status::Cancelled).await;
    }

    async fn money_that_lands_after_the_cancellation_goes_back(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        shop.send().await;
        deal.act(anna(), Command::Cancel {}).await;
        let call = shop.gateway().pending().remove(0);
        shop.gateway().resolve(&call, Resolution::Settle).unwrap();
        let settled = || Outcome::Settled { moved: euro("50.00") };
        assert_eq!(shop.report(call, settled()).await, Reported::Taken);
        assert_eq!(shop.report(call, settled()).await, Reported::Repeated);
        // The first refund fails; another one succeeds. None of it is the deal's business.
        deal.decline(Verb::Refund);
        shop.send().await;
        let denied = shop.refunds(deal.id).await.remove(0);
        assert_eq!(denied.status(), refund::Status::Denied);
        let mut unit = shop.begin().await;
        let replace = refund::Command::Replace { route: Route::Wallet };
        shop.escrow.act_on_refund(&mut unit, denied.id(), replace, ops()).await.unwrap();
        shop.commit(unit).await;
        assert_eq!(shop.balance("wallet:anna").await, euro("50.00"));
        deal.over(Status::Cancelled).await;
    }

    async fn a_remainder_under_way_is_called_off_with_the_deal(shop) {
        let deal = Deal::priced(&shop, terms()).await;
        deal.act(anna(), card()).await;
        assert_eq!(deal.act(anna(), Command::Cancel {}).await.status(), Status::CancelledWithDeposit);
        assert_eq!(deal.payin().await.status(), payin::Status::Cancelled);
        shop.send().await;
        deal.over(Status::DepositRefunded).await;
    }

    async fn a_remainder_under_way_is_called_off_although_the_refund_is_over_at_once(shop) {
        shop.fill_wallet("anna", euro("50.00")).await;
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), Command::Pay { by: Method::Wallet }).await;
        deal.act(sam(), Command::AcceptDeposit {}).await;
        deal.act(sam(), Command::SetPrice { price: euro("180.00") }).await;
        deal.act(anna(), card()).await;
        // The deposit is back in the wallet in the same breath.
        assert_eq!(deal.act(anna(), Command::Cancel {}).await.status(), Status::DepositRefunded);
        assert_eq!(deal.payin().await.status(), payin::Status::Cancelled, "the buyer must not pay any more");
        shop.send().await;
        assert!(shop.gateway().effects(&key(deal.payin().await.id().subject(), Verb::Charge)) == 0);
        deal.over(Status::DepositRefunded).await;
    }

    async fn a_remainder_that_lands_after_the_cancellation_goes_back(shop) {
        let deal = Deal::priced(&shop, terms()).await;
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        deal.act(anna(), card()).await;
        shop.send().await;
        deal.act(anna(), Command::Cancel {}).await;
        let call = shop.gateway().pending().remove(0);
        shop.gateway().resolve(&call, Resolution::Settle).unwrap();
        assert_eq!(shop.report(call, Outcome::Settled { moved: euro("130.00") }).await, Reported::Taken);
        shop.send().await;
        assert_eq!(shop.refunds(deal.id).await.len(), 2);
        assert_eq!(shop.gateway().net(escrowed::money::Currency::EUR), euro("2.00"));
        deal.over(Status::DepositRefunded).await;
    }

    async fn a_denied_payin_leaves_room_for_another(shop) {
        shop.gateway().script(Verb::Charge, [decline(), Behaviour::Settle, decline()]);
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        let underway = deal.payin().await.id().subject();
        assert_eq!(deal.refused(anna(), card()).await, Reason::Underway(underway));
        shop.send().await;
        assert_eq!(deal.status().await, Status::Joined);
        deal.act(ops(), card()).await;
        shop.send().await;
        assert_eq!(deal.status().await, Status::DepositPaid);
        deal.act(sam(), Command::AcceptDeposit {}).await;
        deal.act(sam(), Command::SetPrice { price: euro("180.00") }).await;
        for status in [Status::Priced, Status::RemainderPaid] {
            deal.act(anna(), card()).await;
            shop.send().await;
            assert_eq!(deal.status().await, status);
        }
        assert_eq!(deal.now().await.facts().till().opened().len(), 4);
        shop.audit().await;
    }

    async fn a_denied_payin_that_succeeds_after_all_goes_back(shop) {
        shop.gateway().script(Verb::Charge, [decline()]);
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), card()).await;
        shop.send().await;
        let late = key(deal.payin().await.id().subject(), Verb::Charge);
        deal.act(anna(), card()).await;
        shop.send().await;
        assert_eq!(shop.report(late, Outcome::Settled { moved: euro("50.00") }).await, Reported::Taken);
        assert_eq!(deal.held().await, "50.00 EUR", "the second payin's");
        assert_eq!(shop.refunds(deal.id).await.len(), 1);
        shop.audit().await;
    }

    async fn the_time_to_pay_runs_out(shop) {
        let deal = Deal::joined(&shop, in_an_hour()).await;
        for remainder in [false, true] {
            if remainder {
                deal.act(anna(), card()).await;
                shop.send().await;
                deal.act(sam(), Command::AcceptDeposit {}).await;
                deal.act(sam(), Command::SetPrice { price: euro("180.00") }).await;
            }
            deal.act(anna(), card()).await;
            deal.wait(HOUR - TICK);
            assert_eq!(deal.clock().await, 0);
            deal.wait(TICK);
            assert_eq!(deal.clock().await, 1);
            assert_eq!(deal.clock().await, 0);
            assert_eq!(deal.payin().await.status(), payin::Status::Cancelled);
            assert!(deal.now().await.facts().till().underway().is_none());
        }
        deal.act(anna(), card()).await;
        shop.send().await;
        assert_eq!(deal.status().await, Status::RemainderPaid);
        assert_eq!(deal.held().await, "180.00 EUR");
        shop.audit().await;
    }
}
