//! What is decided at the deadline, or at once.

use super::*;
use crate::harness::{on_each_store, ops};
use escrowed::campaign::{Close, Keep};

on_each_store! {
    async fn a_target_that_is_met_pays_the_owner_less_the_fee(shop) {
        let (drive, pledges) = Drive::funded(&shop, terms()).await;
        assert_eq!((drive.raised().await, drive.in_escrow().await), ((3, "120.00 EUR".into()), "120.00 EUR".into()));
        drive.act(olga(), Command::Validate {}).await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED PENDING_RELEASE RELEASED");
        // 5 % of €120.
        assert_eq!((drive.wallet("olga").await, drive.wallet("shop").await), ("114.00 EUR".into(), "6.00 EUR".into()));
        assert_eq!(drive.in_escrow().await, "0.00 EUR");
        assert_eq!(drive.statuses(pledges).await, ["GATHERED"; 3]);
        assert_eq!(drive.raised().await, (3, "120.00 EUR".into()));
        shop.audit().await;
    }

    async fn a_target_that_is_missed_gives_every_pledge_back(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let pledges = drive.backed(["50.00", "40.00", "9.99"]).await;
        drive.over().await;
        assert_eq!(drive.path().await, "OPEN COUNTING MISSED RETURNED");
        assert_eq!(drive.statuses(pledges).await, ["REFUNDED"; 3]);
        for pledge in pledges {
            let [refund] = drive.refunds(pledge).await.try_into().expect("one refund each");
            assert_eq!(refund.facts().amount, shop.load(pledge).await.facts().terms().offer.amount);
        }
        assert_eq!((drive.outside().await, drive.wallet("shop").await), ("0.00 EUR".into(), "0.00 EUR".into()));
        // What was raised is still known.
        assert_eq!(drive.raised().await, (3, "99.99 EUR".into()));
        shop.audit().await;
    }

    async fn exactly_the_target_is_enough(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        drive.backed(["50.00", "40.00", "10.00"]).await;
        drive.over().await;
        drive.expect(Status::Funded).await;
    }

    async fn nothing_at_all_is_a_target_missed(shop) {
        for keep in [Keep::AllOrNothing, Keep::KeepItAll] {
            let mut terms = with(|policy| policy.keep = keep);
            terms.deadline = shop.now().plus(DAY);
            let drive = Drive::opened(&shop, terms).await;
            drive.over().await;
            assert_eq!(drive.path().await, "OPEN COUNTING MISSED RETURNED");
        }
    }

    async fn who_keeps_it_all_is_paid_what_came_if_it_is_more_than_the_fee(shop) {
        let keeps = || with(|policy| policy.keep = Keep::KeepItAll);
        let [some, little, none] =
            [Drive::opened(&shop, keeps()).await, Drive::opened(&shop, keeps()).await, Drive::opened(&shop, keeps()).await];
        some.backed(["10.00", "5.00", "5.00"]).await;
        // The fee is €2 at least.
        let back = little.backed(["1.00", "0.50", "0.50"]).await;
        some.over().await;
        for drive in [&some, &little, &none] {
            drive.clock().await;
        }
        assert_eq!(some.path().await, "OPEN COUNTING FUNDED");
        some.act(olga(), Command::Validate {}).await;
        assert_eq!((some.wallet("olga").await, some.wallet("shop").await), ("18.00 EUR".into(), "2.00 EUR".into()));
        for drive in [little, none] {
            assert_eq!(drive.path().await, "OPEN COUNTING MISSED RETURNED");
        }
        shop.send().await;
        assert_eq!(some.statuses(back).await, ["REFUNDED"; 3]);
        shop.audit().await;
    }

    async fn a_campaign_closes_at_once_where_the_policy_says_so(shop) {
        let drive = Drive::opened(&shop, with(|policy| policy.close = Close::WhenMet)).await;
        shop.gateway().script(Verb::Charge, [Behaviour::Settle, Behaviour::Settle, Behaviour::Pend]);
        let [anna, ben] = [drive.pays("anna", "60.00").await, drive.pays("ben", "39.99").await];
        shop.send().await;
        drive.wait(SLOT);
        drive.clock().await;
        assert_eq!(drive.now().await.status(), Status::Open);
        // Cleo's wire is on its way when dora's cent closes the campaign.
        let cleo = drive.pledge("cleo", "70.00", wire("cleo")).await;
        shop.send().await;
        let dora = drive.pays("dora", "0.01").await;
        shop.send().await;
        drive.wait(SLOT);
        drive.clock().await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED");
        assert_eq!(drive.raised().await, (3, "100.00 EUR".into()));
        assert_eq!(drive.statuses([anna, ben, cleo, dora]).await, ["GATHERED", "GATHERED", "CANCELLED", "GATHERED"]);
        let late = drive.try_pledge(user("anna"), offer("anna", "1.00"), Method::Card).await;
        assert!(matches!(reason(late), Reason::WrongStatus { .. }));
        shop.settle_down().await;
        assert_eq!(drive.outside().await, "100.00 EUR", "what cleo sent went back");
        shop.audit().await;
    }

    async fn the_clock_does_not_close_it_early_and_nobody_else_does(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        drive.backed(["50.00", "40.00", "30.00"]).await;
        drive.wait(DAY - TICK);
        drive.clock().await;
        for by in [olga(), ops(), user("anna"), Actor::Gateway] {
            let closed = drive.refused(by, Command::Close {}).await;
            assert!(matches!(closed, Reason::WrongActor { .. } | Reason::NotDue { .. }), "{closed}");
        }
        assert!(matches!(drive.refused(Actor::Clock, Command::Close {}).await, Reason::NotDue { .. }));
        let drive = drive.expect(Status::Open).await;
        drive.over().await;
        drive.expect(Status::Funded).await;
    }

    async fn what_was_paid_in_time_counts_even_if_nobody_gathered_it_in_time(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let pledges = drive.backed(["50.00", "40.00", "30.00"]).await;
        // No worker ran until long after the deadline.
        drive.wait(30 * DAY);
        drive.clock().await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED");
        assert_eq!(drive.statuses(pledges).await, ["GATHERED"; 3]);
    }
}
