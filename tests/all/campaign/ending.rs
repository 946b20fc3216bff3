//! Validating, calling off, payouts and refunds that are denied.

use super::*;
use crate::harness::{bank, on_each_store, ops};
use escrowed::{
    payment::{Destination, Route, payout},
    pledge::Pool,
    pledge::Stage,
};

on_each_store! {
    async fn the_platform_may_validate_for_a_silent_owner(shop) {
        let (drive, _) = Drive::funded(&shop, terms()).await;
        for by in [user("anna"), user("eve"), Actor::Gateway, Actor::Clock] {
            assert!(matches!(drive.refused(by, Command::Validate {}).await, Reason::WrongActor { .. }));
        }
        drive.act(ops(), Command::Validate {}).await;
        drive.expect(Status::Released).await;
    }

    async fn an_owner_who_stays_silent_strands_nobodys_money(shop) {
        let (drive, pledges) = Drive::funded(&shop, terms()).await;
        let due = drive.now().await.deadline().expect("a deadline");
        drive.wait(90 * DAY - TICK);
        assert!(due > shop.now());
        assert_eq!(drive.tick().await, 0);
        drive.wait(TICK);
        drive.clock().await;
        shop.send().await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED CANCELLED RETURNED");
        assert_eq!(drive.statuses(pledges).await, ["REFUNDED"; 3]);
        assert_eq!(drive.outside().await, "0.00 EUR");
        shop.audit().await;
    }

    async fn a_campaign_is_called_off_while_it_runs_and_once_it_is_funded(shop) {
        for by in [olga(), ops()] {
            let drive = Drive::opened(&shop, terms()).await;
            let [anna, ben, cleo] = drive.backed(["50.00", "40.00", "30.00"]).await;
            drive.wait(SLOT);
            drive.clock().await;
            let dora = drive.pays("dora", "5.00").await;
            shop.gateway().script(Verb::Charge, [Behaviour::Settle, Behaviour::Pend]);
            let emil = drive.pays("emil", "5.00").await;
            shop.send().await;
            assert!(matches!(drive.refused(user("anna"), Command::Cancel {}).await, Reason::WrongActor { .. }));
            drive.act(by.clone(), Command::Cancel {}).await;
            drive.clock().await;
            shop.settle_down().await;
            assert_eq!(drive.path().await, "OPEN CANCELLED RETURNED");
            // Gathered, waiting to be gathered, not paid yet: each goes its way.
            assert_eq!(drive.statuses([anna, ben, cleo, dora]).await, ["REFUNDED"; 4]);
            assert_eq!(drive.status(emil).await, pledge::Status::Cancelled);
            assert_eq!(drive.outside().await, "0.00 EUR");
        }
        let (drive, pledges) = Drive::funded(&shop, {
            let mut terms = terms();
            terms.deadline = shop.now().plus(DAY);
            terms
        }).await;
        drive.act(olga(), Command::Cancel {}).await;
        drive.clock().await;
        shop.send().await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED CANCELLED RETURNED");
        assert_eq!(drive.statuses(pledges).await, ["REFUNDED"; 3]);
        assert!(matches!(drive.refused(olga(), Command::Cancel {}).await, Reason::WrongStatus { .. }));
        shop.audit().await;
    }

    async fn a_denied_refund_is_replaced(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let [anna, ben, cleo] = drive.backed(["50.00", "20.00", "9.99"]).await;
        drive.decline(Verb::Refund);
        drive.over().await;
        // One of the three is denied; the campaign is over all the same, and the pledge says which.
        drive.expect(Status::Returned).await;
        let drive = Drive { shop: &shop, id: shop.find(&Query::of::<AnyCampaign>(Status::Returned)).await[0].try_into().unwrap() };
        let mut denied = Vec::new();
        for pledge in [anna, ben, cleo] {
            if drive.status(pledge).await == pledge::Status::Returned {
                denied.push(pledge);
            }
        }
        let [pledge] = denied.try_into().expect("one was denied");
        assert_eq!(drive.refunds(pledge).await[0].status(), refund::Status::Denied);
        drive.replace(pledge, Route::Wallet).await;
        assert_eq!(drive.status(pledge).await, pledge::Status::Refunded);
        assert_eq!(drive.statuses([anna, ben, cleo]).await, ["REFUNDED"; 3]);
        let backer = shop.load(pledge).await.facts().terms().offer.clone();
        assert_eq!(drive.wallet(backer.backer.as_str()).await, backer.amount.to_string());
        shop.audit().await;
    }

    async fn a_denied_payout_is_replaced(shop) {
        let (drive, _) = Drive::funded(&shop, terms()).await;
        assert!(matches!(drive.refused(user("anna"), Command::SetPayout { to: bank("ba_anna") }).await, Reason::WrongActor { .. }));
        drive.act(olga(), Command::SetPayout { to: bank("ba_olga") }).await;
        drive.decline(Verb::Payout);
        drive.act(olga(), Command::Validate {}).await;
        shop.send().await;
        assert_eq!(drive.now().await.status(), Status::PendingRelease);
        let denied = shop.payouts(drive.id).await.pop().expect("a payout");
        assert_eq!((denied.status(), denied.held().to_string()), (payout::Status::Denied, "114.00 EUR".into()));
        // It cannot come back: the pledges are gone.
        let mut unit = shop.begin().await;
        let back = shop.escrow.act_on_payout(&mut unit, denied.id(), payout::Command::GiveBack {}, ops()).await;
        assert!(matches!(reason(back), Reason::NotThisWay { .. }));
        drop(unit);
        let mut unit = shop.begin().await;
        let replace = payout::Command::Replace { to: bank("ba_other") };
        shop.escrow.act_on_payout(&mut unit, denied.id(), replace, olga()).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED PENDING_RELEASE RELEASED");
        assert_eq!((drive.outside().await, drive.wallet("shop").await), ("6.00 EUR".into(), "6.00 EUR".into()));
        let AnyCampaign::Released(campaign) = drive.now().await else { panic!("is released") };
        assert_eq!(campaign.state().fee(), euro("6.00"));
        assert!(campaign.state().payouts().all_confirmed());
        shop.audit().await;
    }

    async fn the_destination_may_change_until_the_payout(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        drive.act(ops(), Command::SetPayout { to: bank("ba_1") }).await;
        drive.backed(["50.00", "40.00", "30.00"]).await;
        drive.over().await;
        drive.act(olga(), Command::SetPayout { to: Destination::Wallet }).await;
        drive.act(olga(), Command::Validate {}).await;
        assert_eq!(drive.wallet("olga").await, "114.00 EUR");
        let fixed = drive.refused(olga(), Command::SetPayout { to: bank("ba_1") }).await;
        assert!(matches!(fixed, Reason::WrongStatus { .. }));
    }

    async fn a_stage_names_what_is_next(shop) {
        let drive = Drive::opened(&shop, with(|policy| policy.batch = 1)).await;
        let mut pledges = drive.backed(["5.00", "5.00", "5.00"]).await;
        pledges.sort();
        assert_eq!(drive.now().await.stage(), Stage::Open);
        drive.wait(SLOT);
        drive.clock().await;
        drive.act(olga(), Command::Cancel {}).await;
        assert_eq!(drive.now().await.stage(), Stage::Returning { after: None });
        for pledge in pledges {
            drive.steps(1).await;
            assert_eq!(drive.now().await.stage(), Stage::Returning { after: Some(pledge) });
        }
        drive.steps(1).await;
        assert_eq!(drive.now().await.stage(), Stage::Closed);
        drive.expect(Status::Returned).await;
    }
}
