//! Complaints, escalation and awards.

use super::{DAY, Deal, HOUR, TICK, anna, card, complain, decline, judy, path, sam, terms, with_policy};
use crate::harness::{bank, euro, on_each_store, ops, user};
use escrowed::{
    deal::{Award, Period},
    escrow::EscrowError,
    face_to_face::{AnyFaceToFace, Command, Policy, Status, Terms},
    gateway::Verb,
    lifecycle::Reason,
    money::{Money, MoneyError},
    payment::{AnyPayin, Destination, Method, Route, payin, payout, refund},
    store::Store,
};

fn award(buyer: &str, seller: &str) -> Command<'static> {
    Command::Award { award: Award { buyer: euro(buyer), seller: euro(seller) } }
}

fn to_bank() -> Terms {
    Terms { payout: Some(bank("ba_sam")), ..terms() }
}

async fn back<S: Store>(deal: &Deal<'_, S>) -> Vec<Money> {
    let mut back = Vec::new();
    for id in deal.now().await.facts().till().opened().to_vec() {
        back.push(match deal.shop.load(id).await {
            AnyPayin::Confirmed(payin) => payin.state().refunded(),
            AnyPayin::Refunded(payin) => payin.facts().amount,
            payin => panic!("{payin:?}"),
        });
    }
    back
}

on_each_store! {
    async fn a_complaint_in_the_last_moment_and_a_moment_late(shop) {
        for buyer_first in [true, false] {
            for (waited, in_time) in [(DAY - TICK, true), (DAY, false), (DAY + HOUR, false)] {
                let deal = Deal::paid(&shop, terms()).await;
                deal.act(if buyer_first { anna() } else { sam() }, Command::ConfirmHandover {}).await;
                let deadline = deal.now().await.deadline().unwrap();
                deal.wait(waited);
                if in_time {
                    let AnyFaceToFace::Complained(now) = deal.act(anna(), complain()).await else { panic!() };
                    assert_eq!(now.state().what().unwrap().as_str(), "It squeaks");
                    assert_eq!((now.held(), now.deadline()), (euro("180.00"), None));
                    assert_eq!(deal.clock().await, 0, "the period is over with the complaint");
                } else {
                    let late = Reason::TooLate { action: "complain", deadline };
                    assert_eq!(deal.refused(anna(), complain()).await, late);
                    assert_eq!(deal.clock().await, 1);
                    assert!(matches!(deal.refused(anna(), complain()).await, Reason::WrongStatus { .. }));
                }
            }
        }
        shop.audit().await;
    }

    async fn a_policy_may_leave_another_time_to_complain(shop) {
        let policy = Policy { complaint: Period::seconds(1), ..Policy::default() };
        let deal = Deal::handed_over(&shop, with_policy(policy)).await;
        deal.wait(std::time::Duration::from_millis(999));
        assert_eq!(deal.clock().await, 0);
        deal.wait(std::time::Duration::from_millis(1));
        assert_eq!(deal.clock().await, 1);
        deal.over(Status::FundsReleased).await;
    }

    async fn a_complaint_before_any_handover(shop) {
        for skip in [true, false] {
            let deal = if skip { Deal::skipped(&shop, terms()).await } else { Deal::paid(&shop, terms()).await };
            deal.wait(29 * DAY);
            for who in [sam(), ops(), user("eve"), judy()] {
                assert!(matches!(deal.refused(who, complain()).await, Reason::WrongActor { .. }));
            }
            assert_eq!(deal.act(anna(), complain()).await.status(), Status::Complained);
            deal.wait(60 * DAY);
            assert_eq!(deal.clock().await, 0);
        }
        shop.audit().await;
    }

    async fn two_silent_parties_are_escalated(shop) {
        for skip in [true, false] {
            for by_clock in [true, false] {
                let deal = if skip { Deal::skipped(&shop, terms()).await } else { Deal::paid(&shop, terms()).await };
                let due = deal.now().await.deadline();
                assert_eq!(due, Some(shop.now().plus(30 * DAY)));
                deal.wait(30 * DAY - TICK);
                assert_eq!(deal.clock().await, 0);
                let early = Reason::NotDue { action: "escalate", due };
                assert_eq!(deal.refused(ops(), Command::Escalate {}).await, early);
                deal.wait(TICK);
                for who in [anna(), sam(), judy()] {
                    assert!(matches!(deal.refused(who, Command::Escalate {}).await, Reason::WrongActor { .. }));
                }
                if by_clock {
                    assert_eq!(deal.clock().await, 1);
                } else {
                    deal.act(ops(), Command::Escalate {}).await;
                }
                let AnyFaceToFace::Complained(now) = deal.now().await else { panic!() };
                assert!(now.state().what().is_none());
                assert_eq!(deal.clock().await, 0);
            }
        }
        shop.audit().await;
    }

    async fn a_handover_after_its_deadline_and_before_the_clock_counts(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        deal.wait(31 * DAY);
        deal.act(anna(), Command::ConfirmHandover {}).await;
        assert_eq!(deal.clock().await, 0);
        deal.wait(DAY);
        assert_eq!(deal.clock().await, 1);
        deal.over(Status::FundsReleased).await;
    }

    async fn everything_to_the_buyer(shop) {
        let deal = Deal::complained(&shop, to_bank()).await;
        let AnyFaceToFace::Complained(now) = deal.act(judy(), award("180.00", "0.00")).await else { panic!() };
        let awarded = now.state().awarded().unwrap();
        assert_eq!((awarded.outgoing.legs().len(), awarded.award.buyer), (2, euro("180.00")));
        assert!(now.held().is_zero());
        shop.send().await;
        assert_eq!(back(&deal).await, [euro("50.00"), euro("130.00")]);
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
        let passed = path(&deal.now().await);
        assert!(passed.ends_with("remainder_paid complained funds_released"), "{passed}");
        deal.over(Status::FundsReleased).await;
    }

    async fn everything_to_the_seller(shop) {
        let deal = Deal::complained(&shop, terms()).await;
        assert_eq!(deal.act(judy(), award("0.00", "180.00")).await.status(), Status::FundsReleased);
        assert_eq!(shop.balance("wallet:sam").await, euro("180.00"));
        assert!(shop.refunds(deal.id).await.is_empty());
        deal.over(Status::FundsReleased).await;
    }

    async fn divided_to_the_last_minor_unit(shop) {
        // The remainder goes back first, then the deposit.
        for (buyer, seller, deposit, remainder) in [
            ("0.01", "179.99", "0.00", "0.01"),
            ("130.00", "50.00", "0.00", "130.00"),
            ("130.01", "49.99", "0.01", "130.00"),
            ("179.99", "0.01", "49.99", "130.00"),
        ] {
            let deal = Deal::complained(&shop, to_bank()).await;
            assert_eq!(deal.act(judy(), award(buyer, seller)).await.status(), Status::Complained);
            assert!(matches!(deal.refused(judy(), award("0.00", "0.00")).await, Reason::Already { .. }));
            shop.send().await;
            assert_eq!(back(&deal).await, [euro(deposit), euro(remainder)]);
            let payout = shop.payouts(deal.id).await.remove(0);
            assert_eq!((payout.status(), payout.facts().amount), (payout::Status::Confirmed, euro(seller)));
            deal.over(Status::FundsReleased).await;
        }
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
    }

    async fn divided_between_wallets_at_once(shop) {
        shop.fill_wallet("anna", euro("180.00")).await;
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), Command::Pay { by: Method::Wallet }).await;
        deal.act(sam(), Command::AcceptDeposit {}).await;
        deal.act(sam(), Command::SetPrice { price: euro("180.00") }).await;
        deal.act(anna(), Command::Pay { by: Method::Wallet }).await;
        deal.act(anna(), complain()).await;
        assert_eq!(deal.act(judy(), award("150.00", "30.00")).await.status(), Status::FundsReleased);
        assert_eq!(shop.balance("wallet:anna").await, euro("150.00"));
        assert_eq!(shop.balance("wallet:sam").await, euro("30.00"));
        assert_eq!(back(&deal).await, [euro("20.00"), euro("130.00")]);
        deal.over(Status::FundsReleased).await;
    }

    async fn a_wallet_refund_beside_a_bank_payout(shop) {
        shop.fill_wallet("anna", euro("50.00")).await;
        let deal = Deal::joined(&shop, to_bank()).await;
        deal.act(anna(), Command::Pay { by: Method::Wallet }).await;
        deal.act(sam(), Command::AcceptDeposit {}).await;
        deal.act(sam(), Command::SkipRemainder {}).await;
        deal.act(anna(), complain()).await;
        // The buyer has the money at once; the seller's is on its way.
        assert_eq!(deal.act(judy(), award("30.00", "20.00")).await.status(), Status::Complained);
        assert_eq!(shop.balance("wallet:anna").await, euro("30.00"));
        shop.send().await;
        deal.over(Status::FundsReleased).await;
    }

    async fn a_wallet_refund_beside_a_card_refund(shop) {
        shop.fill_wallet("anna", euro("50.00")).await;
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), Command::Pay { by: Method::Wallet }).await;
        deal.act(sam(), Command::AcceptDeposit {}).await;
        deal.act(sam(), Command::SetPrice { price: euro("180.00") }).await;
        deal.act(anna(), card()).await;
        shop.send().await;
        deal.act(anna(), complain()).await;
        assert_eq!(deal.act(judy(), award("150.00", "30.00")).await.status(), Status::Complained);
        assert_eq!(shop.balance("wallet:anna").await, euro("20.00"));
        shop.send().await;
        assert_eq!(back(&deal).await, [euro("20.00"), euro("130.00")]);
        deal.over(Status::FundsReleased).await;
    }

    async fn an_award_of_the_deposit_alone(shop) {
        let deal = Deal::skipped(&shop, terms()).await;
        deal.act(anna(), complain()).await;
        deal.act(judy(), award("49.99", "0.01")).await;
        shop.send().await;
        assert_eq!(back(&deal).await, [euro("49.99")]);
        assert_eq!(shop.balance("wallet:sam").await, euro("0.01"));
        deal.over(Status::FundsReleased).await;
    }

    async fn an_award_that_does_not_add_up(shop) {
        let deal = Deal::complained(&shop, terms()).await;
        for (buyer, seller) in [("90.00", "89.99"), ("90.00", "90.01"), ("0.00", "0.00"), ("180.00", "180.00")] {
            let refused = deal.refused(judy(), award(buyer, seller)).await;
            assert!(matches!(refused, Reason::WrongAmount { expected, .. } if expected == euro("180.00")), "{refused}");
        }
        for (buyer, seller) in [("-1.00", "181.00"), ("181.00", "-1.00")] {
            let refused = deal.refused(judy(), award(buyer, seller)).await;
            assert!(matches!(refused, Reason::Money(MoneyError::Negative { .. })), "{refused}");
        }
        let dollars = || "180.00 USD".parse().unwrap();
        for (buyer, seller) in [(dollars(), euro("0.00")), (euro("180.00"), "0.00 USD".parse().unwrap())] {
            let refused = deal.refused(judy(), Command::Award { award: Award { buyer, seller } }).await;
            assert!(matches!(refused, Reason::Money(_)), "{refused}");
        }
        let foreign = Award { buyer: dollars(), seller: "0.00 USD".parse().unwrap() };
        assert!(matches!(deal.refused(judy(), Command::Award { award: foreign }).await, Reason::WrongAmount { .. }));
        let endless = Award { buyer: Money::from_minor(i64::MAX, euro("1.00").currency()), seller: euro("180.00") };
        assert!(matches!(deal.refused(judy(), Command::Award { award: endless }).await, Reason::Money(_)));
        for who in [anna(), sam(), ops(), user("judy")] {
            assert!(matches!(deal.refused(who, award("90.00", "90.00")).await, Reason::WrongActor { .. }));
        }
        assert_eq!(deal.held().await, "180.00 EUR");
        shop.audit().await;
    }

    async fn a_denied_payout_and_a_denied_refund_of_an_award_are_replaced(shop) {
        let deal = Deal::complained(&shop, to_bank()).await;
        deal.decline(Verb::Payout);
        shop.gateway().script(Verb::Refund, [decline(), decline()]);
        deal.act(judy(), award("150.00", "30.00")).await;
        shop.send().await;
        assert_eq!(deal.status().await, Status::Complained);
        let (payout, refunds) = (shop.payouts(deal.id).await.remove(0).id(), shop.refunds(deal.id).await);
        let mut unit = shop.begin().await;
        let refused = shop.escrow.act_on_payout(&mut unit, payout, payout::Command::GiveBack {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))));
        drop(unit);
        let mut unit = shop.begin().await;
        let to = Destination::Wallet;
        shop.escrow.act_on_payout(&mut unit, payout, payout::Command::Replace { to }, ops()).await.unwrap();
        for (nth, denied) in refunds.into_iter().enumerate() {
            assert_eq!(denied.status(), refund::Status::Denied);
            let route = if nth == 0 { Route::Wallet } else { Route::Account("ba_anna".parse().unwrap()) };
            let replace = refund::Command::Replace { route };
            shop.escrow.act_on_refund(&mut unit, denied.id(), replace, ops()).await.unwrap();
        }
        shop.commit(unit).await;
        assert_eq!(deal.status().await, Status::Complained, "one refund is on its way");
        shop.send().await;
        assert_eq!(back(&deal).await, [euro("20.00"), euro("130.00")]);
        assert_eq!(deal.payin().await.status(), payin::Status::Refunded);
        assert_eq!(shop.balance("wallet:sam").await, euro("30.00"));
        deal.over(Status::FundsReleased).await;
    }

    async fn the_seller_may_not_move_the_payout_of_an_award_by_its_deal(shop) {
        let deal = Deal::complained(&shop, to_bank()).await;
        let refused = deal.refused(sam(), Command::SetPayout { to: Destination::Wallet }).await;
        assert!(matches!(refused, Reason::WrongStatus { .. }));
    }
}
