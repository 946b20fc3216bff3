//! The handover, the complaint period and the release.

use super::{DAY, Deal, TICK, anna, card, complain, decline, judy, path, sam, terms};
use crate::harness::{bank, euro, on_each_store, ops, user};
use escrowed::{
    escrow::EscrowError,
    face_to_face::{AnyFaceToFace, Charges, Command, Status, Terms},
    gateway::Verb,
    lifecycle::Reason,
    payment::{AnyPayout, Destination, payout},
    store::Store,
};

fn to_bank() -> Terms {
    Terms { payout: Some(bank("ba_sam")), ..terms() }
}

/// The period is over and the payout to sam's bank account is denied.
async fn denied<S: Store>(deal: &Deal<'_, S>) -> AnyPayout {
    deal.decline(Verb::Payout);
    deal.act(anna(), Command::EndComplaintPeriod {}).await;
    deal.shop.send().await;
    assert_eq!(deal.status().await, Status::ComplaintPeriodEnded);
    let denied = deal.shop.payouts(deal.id).await.remove(0);
    assert_eq!((denied.status(), denied.held()), (payout::Status::Denied, euro("175.00")));
    denied
}

on_each_store! {
    async fn both_confirm_the_buyer_first(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        let first = deal.act(anna(), Command::ConfirmHandover {}).await;
        let ends = shop.now().plus(DAY);
        assert_eq!((first.status(), first.deadline()), (Status::BuyerHandoverConfirmed, Some(ends)));
        assert!(matches!(deal.refused(anna(), Command::ConfirmHandover {}).await, Reason::WrongActor { .. }));
        deal.wait(DAY / 2);
        // The period that runs goes on.
        let second = deal.act(sam(), Command::ConfirmHandover {}).await;
        assert_eq!((second.status(), second.deadline()), (Status::SellerHandoverConfirmed, Some(ends)));
        deal.wait(DAY / 2 - TICK);
        assert_eq!(deal.clock().await, 0);
        deal.wait(TICK);
        assert_eq!(deal.clock().await, 1);
        assert_eq!(shop.balance("wallet:sam").await, euro("175.00"));
        deal.over(Status::FundsReleased).await;
    }

    async fn both_confirm_the_seller_first(shop) {
        let deal = Deal::skipped(&shop, terms()).await;
        deal.act(sam(), Command::ConfirmHandover {}).await;
        for who in [anna(), sam()] {
            assert!(matches!(deal.refused(who, Command::ConfirmHandover {}).await, Reason::WrongStatus { .. }));
        }
        deal.wait(DAY);
        assert_eq!(deal.clock().await, 1);
        assert_eq!(shop.balance("wallet:sam").await, euro("45.00"));
        deal.over(Status::FundsReleased).await;
    }

    async fn a_silent_seller_is_paid_all_the_same(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        deal.act(anna(), Command::ConfirmHandover {}).await;
        deal.wait(DAY);
        assert_eq!(deal.clock().await, 1);
        let passed = "buyer_handover_confirmed complaint_period_ended funds_released";
        assert!(path(&deal.now().await).ends_with(passed));
        deal.over(Status::FundsReleased).await;
    }

    async fn the_seller_confirms_after_the_period_and_before_the_clock(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        deal.act(anna(), Command::ConfirmHandover {}).await;
        deal.wait(2 * DAY);
        deal.act(sam(), Command::ConfirmHandover {}).await;
        let late = deal.refused(anna(), complain()).await;
        assert!(matches!(late, Reason::TooLate { action: "complain", .. }));
        assert_eq!(deal.clock().await, 1);
        deal.over(Status::FundsReleased).await;
    }

    async fn only_the_two_sides_confirm(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        for who in [user("eve"), ops(), judy(), escrowed::party::Actor::Clock] {
            assert!(matches!(deal.refused(who, Command::ConfirmHandover {}).await, Reason::WrongActor { .. }));
        }
        assert_eq!(deal.status().await, Status::RemainderPaid);
    }

    async fn nothing_can_be_cancelled_once_all_is_paid(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        for step in [None, Some(anna()), Some(sam())] {
            if let Some(who) = step {
                deal.act(who, Command::ConfirmHandover {}).await;
            }
            for who in [anna(), sam(), ops()] {
                assert!(matches!(deal.refused(who, Command::Cancel {}).await, Reason::WrongStatus { .. }));
            }
            assert!(matches!(deal.refused(anna(), card()).await, Reason::WrongStatus { .. }));
        }
    }

    async fn the_buyer_ends_the_period_early(shop) {
        let deal = Deal::handed_over(&shop, to_bank()).await;
        for who in [sam(), ops(), user("eve")] {
            assert!(matches!(deal.refused(who, Command::EndComplaintPeriod {}).await, Reason::WrongActor { .. }));
        }
        assert_eq!(deal.act(anna(), Command::EndComplaintPeriod {}).await.status(), Status::ComplaintPeriodEnded);
        assert!(deal.now().await.deadline().is_none());
        shop.send().await;
        assert_eq!(shop.balance("world:sandbox").await, euro("-5.00"));
        deal.over(Status::FundsReleased).await;
    }

    async fn an_extension_holds_once_both_agree(shop) {
        let deal = Deal::handed_over(&shop, terms()).await;
        let ends = deal.now().await.deadline().unwrap();
        let longer = ends.plus(DAY);
        let extend = |until| Command::Extend { until };
        for until in [ends, shop.now()] {
            assert!(matches!(deal.refused(anna(), extend(until)).await, Reason::WrongTime { .. }));
        }
        assert!(matches!(deal.refused(ops(), extend(longer)).await, Reason::WrongActor { .. }));
        // Said once or twice by the same side, it is a proposal.
        for _ in 0..2 {
            assert_eq!(deal.act(anna(), extend(longer)).await.deadline(), Some(ends));
        }
        // Another date is another proposal.
        assert_eq!(deal.act(sam(), extend(longer.plus(DAY))).await.deadline(), Some(ends));
        assert_eq!(deal.act(sam(), extend(longer)).await.deadline(), Some(ends), "the buyer's word was replaced");
        assert_eq!(deal.act(anna(), extend(longer)).await.deadline(), Some(longer));
        deal.wait(2 * DAY - TICK);
        assert_eq!(deal.clock().await, 0);
        deal.act(anna(), complain()).await;
        shop.audit().await;
    }

    async fn an_extension_that_only_one_wants_changes_nothing(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        deal.act(anna(), Command::ConfirmHandover {}).await;
        let ends = deal.now().await.deadline().unwrap();
        deal.act(anna(), Command::Extend { until: ends.plus(DAY) }).await;
        assert_eq!(deal.act(sam(), Command::ConfirmHandover {}).await.deadline(), Some(ends));
        deal.wait(DAY);
        let late = deal.refused(sam(), Command::Extend { until: ends.plus(DAY) }).await;
        assert!(matches!(late, Reason::TooLate { action: "extend", .. }));
        assert_eq!(deal.clock().await, 1);
        deal.over(Status::FundsReleased).await;
    }

    async fn a_proposal_outlives_the_sellers_confirmation(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        deal.act(anna(), Command::ConfirmHandover {}).await;
        let until = deal.now().await.deadline().unwrap().plus(DAY);
        deal.act(anna(), Command::Extend { until }).await;
        deal.act(sam(), Command::ConfirmHandover {}).await;
        assert_eq!(deal.act(sam(), Command::Extend { until }).await.deadline(), Some(until));
    }

    async fn a_waived_period_lets_the_platform_release(shop) {
        let deal = Deal::handed_over(&shop, terms()).await;
        let early = deal.refused(ops(), Command::Release {}).await;
        assert!(matches!(early, Reason::NotDue { action: "release", due: Some(_) }));
        for who in [sam(), ops()] {
            assert!(matches!(deal.refused(who, Command::Waive {}).await, Reason::WrongActor { .. }));
        }
        deal.act(anna(), Command::Waive {}).await;
        assert!(matches!(deal.refused(anna(), Command::Waive {}).await, Reason::TooLate { .. }), "once");
        assert!(matches!(deal.refused(anna(), complain()).await, Reason::TooLate { .. }));
        let until = shop.now().plus(3 * DAY);
        assert!(matches!(deal.refused(sam(), Command::Extend { until }).await, Reason::TooLate { .. }));
        for who in [anna(), sam()] {
            assert!(matches!(deal.refused(who, Command::Release {}).await, Reason::WrongActor { .. }));
        }
        assert_eq!(deal.act(ops(), Command::Release {}).await.status(), Status::FundsReleased);
        assert_eq!(shop.balance("wallet:sam").await, euro("175.00"));
        assert_eq!(shop.balance("wallet:shop").await, euro("5.00"));
        assert!(path(&deal.now().await).ends_with("seller_handover_confirmed funds_released"));
        deal.over(Status::FundsReleased).await;
    }

    async fn a_waived_period_that_nobody_releases_ends_by_the_clock(shop) {
        let deal = Deal::handed_over(&shop, terms()).await;
        deal.act(anna(), Command::Waive {}).await;
        assert_eq!(deal.clock().await, 0);
        deal.wait(DAY);
        assert_eq!(deal.clock().await, 1);
        deal.over(Status::FundsReleased).await;
    }

    async fn the_platform_releases_into_a_wallet_only(shop) {
        let deal = Deal::handed_over(&shop, to_bank()).await;
        deal.act(anna(), Command::Waive {}).await;
        assert!(matches!(deal.refused(ops(), Command::Release {}).await, Reason::NotThisWay { .. }));
        deal.act(sam(), Command::SetPayout { to: Destination::Wallet }).await;
        assert_eq!(deal.act(ops(), Command::Release {}).await.status(), Status::FundsReleased);
        deal.over(Status::FundsReleased).await;
        // And also once the time is over, should the clock be late.
        let deal = Deal::handed_over(&shop, terms()).await;
        deal.wait(DAY - TICK);
        assert!(matches!(deal.refused(ops(), Command::Release {}).await, Reason::NotDue { .. }));
        deal.wait(TICK);
        assert_eq!(deal.act(ops(), Command::Release {}).await.status(), Status::FundsReleased);
        assert_eq!(deal.clock().await, 0);
        deal.over(Status::FundsReleased).await;
    }

    async fn a_denied_payout_is_replaced(shop) {
        for to in [bank("ba_other"), Destination::Wallet] {
            let deal = Deal::handed_over(&shop, to_bank()).await;
            let payout = denied(&deal).await.id();
            let mut unit = shop.begin().await;
            let replace = || payout::Command::Replace { to: to.clone() };
            let stranger = shop.escrow.act_on_payout(&mut unit, payout, replace(), anna()).await;
            assert!(matches!(stranger, Err(EscrowError::Refused(Reason::WrongActor { .. }))));
            shop.escrow.act_on_payout(&mut unit, payout, replace(), sam()).await.unwrap();
            let twice = shop.escrow.act_on_payout(&mut unit, payout, replace(), sam()).await;
            assert!(matches!(twice, Err(EscrowError::Refused(Reason::Already { .. }))));
            shop.commit(unit).await;
            shop.send().await;
            deal.over(Status::FundsReleased).await;
        }
        assert_eq!(shop.balance("wallet:sam").await, euro("175.00"));
        assert_eq!(shop.balance("world:sandbox").await, euro("-185.00"));
    }

    async fn a_payout_denied_again_is_replaced_again(shop) {
        let deal = Deal::handed_over(&shop, to_bank()).await;
        let mut payout = denied(&deal).await.id();
        for left in (0..3).rev() {
            if left > 0 {
                shop.gateway().script(Verb::Payout, [decline()]);
            }
            let mut unit = shop.begin().await;
            let to = bank(&format!("ba_{left}"));
            shop.escrow.act_on_payout(&mut unit, payout, payout::Command::Replace { to }, ops()).await.unwrap();
            shop.commit(unit).await;
            shop.send().await;
            let AnyFaceToFace::ComplaintPeriodEnded(now) = deal.now().await else { break };
            payout = now.state().outgoing().legs()[0].payment.try_into().unwrap();
        }
        assert_eq!(shop.payouts(deal.id).await.len(), 4);
        deal.over(Status::FundsReleased).await;
    }

    async fn a_payout_is_never_given_back_to_a_deal_that_is_over(shop) {
        let deal = Deal::handed_over(&shop, to_bank()).await;
        deal.act(anna(), Command::EndComplaintPeriod {}).await;
        let open = shop.payouts(deal.id).await.remove(0).id();
        let mut unit = shop.begin().await;
        let refused = shop.escrow.act_on_payout(&mut unit, open, payout::Command::Cancel {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{refused:?}");
        drop(unit);
        shop.audit().await;
        shop.send().await;
        deal.over(Status::FundsReleased).await;

        let deal = Deal::handed_over(&shop, to_bank()).await;
        let payout = denied(&deal).await.id();
        let mut unit = shop.begin().await;
        let refused = shop.escrow.act_on_payout(&mut unit, payout, payout::Command::GiveBack {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{refused:?}");
        drop(unit);
        assert_eq!(shop.load(payout).await.held(), euro("175.00"), "it waits to be replaced");
        shop.audit().await;
    }

    async fn a_seller_with_nothing_to_get_gets_no_payout(shop) {
        let charges = Some(Charges { buyer: euro("20.00"), seller: euro("30.00") });
        let deal = Deal::skipped(&shop, Terms { charges, ..to_bank() }).await;
        deal.act(sam(), Command::ConfirmHandover {}).await;
        assert_eq!(deal.act(anna(), Command::EndComplaintPeriod {}).await.status(), Status::FundsReleased);
        assert!(shop.payouts(deal.id).await.is_empty());
        assert_eq!(shop.balance("wallet:shop").await, euro("50.00"));
        deal.over(Status::FundsReleased).await;
    }
}
