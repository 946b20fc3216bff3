//! Up to the payout: what is pledged, what it comes to, and what becomes of it when it comes to nothing.

use super::*;
use crate::{
    after::{charged, owed, tell},
    harness::{bank, on_each_store, ops},
};
use escrowed::{
    campaign::Close,
    money::{FeePolicy, FeeRule},
    payment::Destination,
    pledge,
};

on_each_store! {
    async fn it_closes_once_the_target_is_met(shop) {
        let (drive, pledges) = Drive::lent(&shop, terms()).await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED DISBURSING REPAYING");
        assert_eq!((drive.now().await.facts().pledges(), drive.wallet("bea").await), (3, "10000.00".into()));
        assert_eq!(drive.now().await.facts().raised(), euro("10000.00"));
        for pledge in pledges {
            assert_eq!(shop.load(pledge).await.status(), pledge::Status::Gathered);
        }
        assert!(matches!(reason(drive.pledge("dora", "1.00").await), Reason::WrongStatus { .. }));
        shop.audit().await;
    }

    async fn the_fee_is_kept_back_and_owed_all_the_same(shop) {
        let rule = FeeRule::new("3%".parse().unwrap(), euro("0.00")).unwrap();
        let fees = FeePolicy::new(rule, euro("50.00")).unwrap();
        let (drive, _) = Drive::lent(&shop, with(|terms| terms.fees = Some(fees))).await;
        assert_eq!((drive.wallet("bea").await, drive.wallet("shop").await), ("9700.00".into(), "300.00".into()));
        assert_eq!(drive.owed().await.principal, euro("10000.00"));
        shop.audit().await;
    }

    async fn nobody_lends_more_than_is_missing_or_to_themselves(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        drive.pledge("anna", "6000.00").await.unwrap();
        shop.send().await;
        drive.wait(Duration::from_secs(600));
        drive.clock().await;
        let more = reason(drive.pledge("ben", "4000.01").await);
        assert_eq!(more, Reason::TooMuch { asked: euro("4000.01"), available: euro("4000.00") });
        assert_eq!(reason(drive.pledge("bea", "1.00").await), Reason::SameParty);
        assert!(matches!(reason(drive.pledge("ben", "100 JPY").await), Reason::Money(_)));
        drive.pledge("ben", "4000.00").await.unwrap();
    }

    async fn what_was_pledged_meanwhile_is_lent_too(shop) {
        // Both were asked for 10,000 before either was gathered.
        let pledges = [("anna", "6000.00"), ("ben", "6000.00")];
        let (drive, ids) = Drive::funded(&shop, terms(), &pledges).await;
        drive.act(ops(), Command::Validate {}).await;
        assert_eq!(drive.owed().await.principal, euro("12000.00"));
        drive.repay("12000.00").await;
        assert_eq!(drive.received([ids[0], ids[1]]).await, ["6000.00 + 0.00"; 2]);
        assert_eq!(drive.status().await, Status::Repaid);
        shop.audit().await;
    }

    async fn a_target_that_is_missed_pays_what_a_lender_owes_for_a_chargeback(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let pledge = drive.pledge("anna", "5000.00").await.unwrap();
        shop.send().await;
        let payin = shop.payins(pledge).await[0].id();
        tell(&shop, &charged(&shop, payin, "dp_1", euro("5000.00"), euro("0.00"))).await;
        assert_eq!(owed(&shop, "anna").await, euro("-5000.00"));
        drive.wait(DAY);
        drive.clock().await;
        shop.send().await;
        assert_eq!((drive.status().await, shop.load(pledge).await.status()), (Status::Returned, pledge::Status::Refunded));
        assert_eq!((owed(&shop, "anna").await, drive.wallet("anna").await), (euro("0.00"), "0.00".into()));
        shop.audit().await;
    }

    async fn a_target_that_is_missed_gives_everything_back(shop) {
        let drive = Drive::opened(&shop, policy(|policy| policy.batch = 1)).await;
        let pledges = [drive.pledge("anna", "5000.00").await.unwrap(), drive.pledge("ben", "4999.99").await.unwrap()];
        shop.send().await;
        drive.wait(DAY);
        drive.clock().await;
        shop.send().await;
        assert_eq!(drive.path().await, "OPEN COUNTING MISSED RETURNED");
        for pledge in pledges {
            assert_eq!(shop.load(pledge).await.status(), pledge::Status::Refunded);
        }
        shop.audit().await;
    }

    async fn it_may_wait_for_the_deadline(shop) {
        let drive = Drive::opened(&shop, policy(|policy| policy.close = Close::AtDeadline)).await;
        let anna = drive.pledge("anna", "10000.00").await.unwrap();
        shop.send().await;
        drive.wait(Duration::from_secs(600));
        drive.clock().await;
        assert_eq!(drive.status().await, Status::Open);
        // And until then, lenders may change their minds.
        let mut unit = shop.begin().await;
        shop.escrow.act_on_pledge(&mut unit, anna, pledge::Command::Withdraw {}, user("anna")).await.unwrap();
        shop.commit(unit).await;
        assert_eq!(drive.now().await.facts().pledges(), 0);
        drive.wait(DAY);
        drive.clock().await;
        shop.send().await;
        assert_eq!(drive.path().await, "OPEN COUNTING MISSED RETURNED");
        shop.audit().await;
    }

    async fn a_borrower_who_stays_silent_strands_nobodys_money(shop) {
        let (drive, ids) = Drive::funded(&shop, terms(), &[("anna", "10000.00")]).await;
        assert!(matches!(drive.refused(user("anna"), Command::Validate {}).await, Reason::WrongActor { .. }));
        // Once it is closed, a pledge is firm.
        let mut unit = shop.begin().await;
        let withdrawn = shop.escrow.act_on_pledge(&mut unit, ids[0], pledge::Command::Withdraw {}, user("anna")).await;
        assert!(matches!(reason(withdrawn), Reason::WrongStatus { .. }));
        drop(unit);
        drive.wait(31 * DAY);
        drive.clock().await;
        shop.send().await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED CANCELLED RETURNED");
        assert_eq!(shop.load(ids[0]).await.status(), pledge::Status::Refunded);
        shop.audit().await;
    }

    async fn senseless_terms_are_refused(shop) {
        let open = async |terms: Terms, by: Actor| {
            let mut unit = shop.begin().await;
            reason(shop.escrow.open(&mut unit, Loan::open, terms, by).await)
        };
        assert!(matches!(open(terms(), user("eve")).await, Reason::NotForOthers { .. }));
        assert!(matches!(open(with(|terms| terms.target = euro("0.00")), bea()).await, Reason::Money(_)));
        assert!(matches!(open(with(|terms| terms.plan.instalments = 0), bea()).await, Reason::OutOfRange { .. }));
        assert!(matches!(open(policy(|policy| policy.batch = 0), bea()).await, Reason::OutOfRange { .. }));
        assert!(matches!(open(with(|terms| terms.deadline = shop.now()), bea()).await, Reason::TooLate { .. }));
        let (drive, _) = Drive::funded(&shop, terms(), &[("anna", "10000.00")]).await;
        drive.act(bea(), Command::SetPayout { to: bank("ba_1") }).await;
        drive.act(bea(), Command::SetPayout { to: Destination::Wallet }).await;
        drive.act(bea(), Command::Validate {}).await;
        assert_eq!(drive.wallet("bea").await, "10000.00");
    }
}
