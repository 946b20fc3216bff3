//! The complaint period and its end: handed over or delivered, waited out or waived, and paid out.

use super::{DAY, Deal, HOUR, TICK, anna, audit, award, card, complain, judy, sam, terms, track, with_policy};
use crate::harness::{bank, euro, on_each_store, ops, user};
use escrowed::{
    deal::{Period, Side},
    escrow::EscrowError,
    gateway::Verb,
    lifecycle::Reason,
    party::Actor,
    payment::{Destination, Stands, payout},
    sandbox::Behaviour,
    transaction::{Action, AnyTransaction, Command, Policy, Status},
};

on_each_store! {
    async fn each_side_confirms_the_handover_in_its_own_status(shop) {
        let sides = [(Side::Buyer, "buyer_handover_confirmed"), (Side::Seller, "seller_handover_confirmed")];
        for (by, confirmed) in sides {
            let deal = Deal::handed_over(&shop, by).await;
            assert_eq!(deal.now().await.deadline(), Some(shop.now().plus(DAY)), "the complaint period runs");
            for again in [anna(), sam()] {
                assert!(matches!(deal.refused(again, Command::ConfirmHandover {}).await, Reason::WrongStatus { .. }));
            }
            deal.wait(DAY);
            assert_eq!(deal.clock().await, 1);
            let way = format!("created joined paid payment_accepted {confirmed} complaint_period_ended funds_released");
            assert_eq!(deal.path().await, way);
            deal.over(Status::FundsReleased).await;
        }
        assert_eq!(shop.balance("wallet:sam").await, euro("202.00"));
    }

    async fn nobody_else_confirms_a_handover(shop) {
        let deal = Deal::accepted(&shop, terms()).await;
        for by in [user("eve"), ops(), judy(), Actor::Clock, Actor::Gateway] {
            let refused = deal.refused(by.clone(), Command::ConfirmHandover {}).await;
            let (action, status) = ("confirm_handover", "payment_accepted");
            assert_eq!(refused, Reason::WrongActor { action, status, by, roles: vec!["buyer", "seller"] });
        }
    }

    async fn delivery_is_the_sellers_or_the_platforms_word(shop) {
        let deal = Deal::tracked(&shop, terms()).await;
        let AnyTransaction::Tracked(tracked) = deal.now().await else { panic!() };
        assert_eq!(tracked.state().tracking().code.as_str(), "RR123IE");
        assert!(matches!(deal.refused(anna(), Command::Deliver {}).await, Reason::WrongActor { .. }));
        let delivered = deal.act(ops(), Command::Deliver {}).await;
        assert_eq!(delivered.complaints_until(), Some(shop.now().plus(DAY)));
        assert_eq!(delivered.deadline(), delivered.complaints_until());
    }

    async fn the_clock_ends_the_period_at_its_end_and_once(shop) {
        let policy = Policy { complaint: Period::hours(2), ..Policy::default() };
        let deal = Deal::delivered(&shop, with_policy(policy)).await;
        deal.wait(2 * HOUR - TICK);
        assert_eq!(deal.clock().await, 0, "not a microsecond early");
        let due = Some(shop.now().plus(TICK));
        let early = deal.refused(Actor::Clock, Command::EndComplaintPeriod {}).await;
        assert_eq!(early, Reason::NotDue { action: "end_complaint_period", due });
        deal.wait(TICK);
        assert_eq!(deal.clock().await, 1);
        assert_eq!(deal.clock().await, 0, "once");
        assert_eq!(deal.payouts().await.len(), 1);
        deal.over(Status::FundsReleased).await;
    }

    async fn the_buyer_waives_the_rest_of_the_period(shop) {
        let deal = Deal::delivered(&shop, terms()).await;
        for by in [sam(), ops(), user("eve"), judy()] {
            assert!(matches!(deal.refused(by, Command::EndComplaintPeriod {}).await, Reason::WrongActor { .. }));
        }
        let ended = deal.act(anna(), Command::EndComplaintPeriod {}).await;
        assert_eq!(ended.status(), Status::FundsReleased, "into a wallet it is all one breath");
        assert_eq!(deal.wallet("sam").await, "101.00 EUR");
        let late = deal.refused(anna(), complain()).await;
        assert_eq!(late, Reason::WrongStatus { action: "complain", status: "funds_released" });
        deal.wait(DAY);
        assert_eq!(deal.clock().await, 0, "nothing is left for the clock");
        deal.over(Status::FundsReleased).await;
    }

    async fn what_a_screen_offers_is_what_may_be_done(shop) {
        let deal = Deal::delivered(&shop, terms()).await;
        let now = deal.now().await;
        let offers = |by| -> Vec<_> { now.actions(&shop.escrow.stamp(by)).collect() };
        assert_eq!(offers(anna()), [Action::Complain, Action::EndComplaintPeriod]);
        assert_eq!((offers(sam()), offers(ops())), (vec![Action::SetPayout], vec![Action::SetPayout]));
        assert!(offers(user("eve")).is_empty() && offers(judy()).is_empty() && offers(Actor::Clock).is_empty());
        deal.wait(DAY);
        let offers = |by| -> Vec<_> { now.actions(&shop.escrow.stamp(by)).collect() };
        for by in [anna(), Actor::Clock] {
            assert_eq!(offers(by), [Action::EndComplaintPeriod]);
        }
    }

    async fn a_denied_payout_is_replaced_by_payee_or_platform(shop) {
        for (by, to) in [(sam(), Destination::Wallet), (ops(), Destination::Wallet), (sam(), bank("ba_other"))] {
            let deal = Deal::leaving(&shop).await;
            deal.decline(Verb::Payout);
            shop.send().await;
            let AnyTransaction::ComplaintPeriodEnded(ended) = deal.now().await else { panic!() };
            assert_eq!(ended.state().outgoing().standing(Stands::Denied).count(), 1);
            assert_eq!(deal.payouts().await[0].held(), euro("101.00"), "it still holds the money");
            assert!(matches!(deal.refused(Actor::Gateway, Command::Release {}).await, Reason::Missing { .. }));
            let replace = |to: &Destination| payout::Command::Replace { to: to.clone() };
            let stranger = deal.on_payout(anna(), replace(&to)).await;
            assert!(matches!(stranger, Err(EscrowError::Refused(Reason::WrongActor { .. }))));
            deal.on_payout(by, replace(&to)).await.unwrap();
            shop.send().await;
            assert_eq!(deal.payouts().await.len(), 2);
            let AnyTransaction::FundsReleased(released) = deal.now().await else { panic!() };
            assert!(released.state().outgoing().all_confirmed());
            deal.over(Status::FundsReleased).await;
        }
        assert_eq!(shop.balance("wallet:sam").await, euro("202.00"));
    }

    async fn a_payout_is_not_given_back_to_what_is_over(shop) {
        let deal = Deal::leaving(&shop).await;
        deal.decline(Verb::Payout);
        shop.send().await;
        let refused = deal.on_payout(ops(), payout::Command::GiveBack {}).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))));
        // Nothing of it was written.
        assert_eq!(deal.payouts().await[0].held(), euro("101.00"));
        assert_eq!(deal.status().await, Status::ComplaintPeriodEnded);
        audit(&shop).await;
        deal.on_payout(ops(), payout::Command::Replace { to: Destination::Wallet }).await.unwrap();
        deal.over(Status::FundsReleased).await;
    }

    async fn an_unsent_payout_is_not_called_off_either(shop) {
        let deal = Deal::leaving(&shop).await;
        let open = deal.payouts().await[0].id();
        let mut unit = shop.begin().await;
        let refused = shop.escrow.act_on_payout(&mut unit, open, payout::Command::Cancel {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))));
        drop(unit);
        shop.send().await;
        deal.over(Status::FundsReleased).await;
    }

    async fn a_payout_of_unknown_outcome_is_looked_up(shop) {
        for behaviour in [Behaviour::TimeoutBefore, Behaviour::TimeoutAfter] {
            let deal = Deal::leaving(&shop).await;
            shop.gateway().script(Verb::Payout, [behaviour]);
            shop.send().await;
            assert_eq!(deal.status().await, Status::ComplaintPeriodEnded);
            deal.wait(HOUR);
            shop.send().await;
            let call = crate::harness::key(deal.payouts().await[0].id().subject(), Verb::Payout);
            assert_eq!(shop.gateway().effects(&call), 1);
            deal.over(Status::FundsReleased).await;
        }
    }

    async fn nobody_but_a_gateway_says_that_money_arrived(shop) {
        let deal = Deal::leaving(&shop).await;
        for by in [anna(), sam(), ops(), judy(), Actor::Clock] {
            assert!(matches!(deal.refused(by, Command::Release {}).await, Reason::WrongActor { .. }));
        }
        assert!(matches!(deal.refused(Actor::Gateway, Command::Release {}).await, Reason::Missing { .. }));
    }

    async fn a_long_story_from_end_to_end(shop) {
        // Paid at the second try, shipped after more time, denied by the bank, and complained of in vain.
        let deal = Deal::joined(&shop, terms()).await;
        deal.decline(Verb::Charge);
        for _ in 0..2 {
            deal.act(anna(), card()).await;
            shop.send().await;
        }
        deal.act(sam(), Command::SetPayout { to: bank("ba_sam") }).await;
        deal.act(sam(), Command::AcceptPayment {}).await;
        deal.act(anna(), Command::ExtendTracking { until: shop.now().plus(10 * DAY) }).await;
        deal.wait(9 * DAY);
        assert_eq!(deal.clock().await, 0);
        deal.act(sam(), track()).await;
        deal.wait(30 * DAY);
        deal.act(ops(), Command::Deliver {}).await;
        deal.wait(HOUR);
        deal.act(anna(), complain()).await;
        deal.decline(Verb::Payout);
        deal.act(judy(), award("0.00", "115.00")).await;
        shop.send().await;
        assert_eq!(deal.status().await, Status::ComplaintSubmitted);
        deal.on_payout(sam(), payout::Command::Replace { to: bank("ba_other") }).await.unwrap();
        shop.send().await;
        assert_eq!(deal.outside().await, "0.00 EUR");
        deal.over(Status::FundsReleased).await;
    }
}
