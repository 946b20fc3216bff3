//! Instalments that are missed, made good, or never paid.

use super::*;
use crate::harness::{on_each_store, ops};

on_each_store! {
    async fn an_instalment_is_late_once_its_day_and_the_grace_are_over(shop) {
        let (drive, _) = Drive::lent(&shop, terms()).await;
        // June 7th, and five days.
        let due: Timestamp = "2026-06-13T00:00:00Z".parse().unwrap();
        assert_eq!(drive.now().await.deadline(), Some(due));
        drive.until("2026-06-12");
        drive.clock().await;
        assert_eq!(drive.status().await, Status::Repaying);
        drive.wait(DAY / 2);
        drive.clock().await;
        assert_eq!((drive.status().await, drive.now().await.deadline()), (Status::Late, None));
        // The interest runs on: six days more than a month.
        assert_eq!(drive.owes().await, ["10000.00", "60.00", "0.00", "860.66"]);
        drive.repay("860.65").await;
        // 60.00 of interest, so that a cent is missing.
        assert_eq!((drive.status().await, drive.owed().await.due), (Status::Late, euro("0.01")));
        drive.repay("0.01").await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED DISBURSING REPAYING LATE REPAYING");
        // And the next one is watched.
        assert_eq!(drive.now().await.deadline(), Some("2026-07-13T00:00:00Z".parse().unwrap()));
        shop.audit().await;
    }

    async fn interest_for_late_payment_is_on_what_should_have_been_repaid(shop) {
        let dear = with(|terms| terms.late_rate = Some("9%".parse().unwrap()));
        let (drive, pledges) = Drive::lent(&shop, dear).await;
        drive.until("2026-06-27");
        drive.clock().await;
        // 810.66 · 0.09 · 20 / 360 = 4.0533, beside 10,000 · 0.06 · 20 / 360 = 33.33.
        assert_eq!(drive.owes().await, ["10000.00", "83.33", "4.05", "864.71"]);
        drive.repay("4.00").await;
        assert_eq!(drive.owes().await, ["10000.00", "83.33", "0.05", "860.71"]);
        drive.repay("860.71").await;
        assert_eq!(drive.owes().await, ["9222.67", "0.00", "0.00", "0.00"]);
        assert_eq!(drive.status().await, Status::Repaying);
        // All interest is shared alike: 4.05 + 83.33.
        assert_eq!(drive.received(pledges).await, ["388.66 + 43.69", "233.20 + 26.21", "155.47 + 17.48"]);
        shop.audit().await;
    }

    async fn whoever_is_late_may_pay_off_all(shop) {
        let (drive, _) = Drive::lent(&shop, terms()).await;
        drive.until("2026-09-10");
        drive.clock().await;
        assert_eq!(drive.status().await, Status::Late);
        let payoff = drive.owed().await.payoff().unwrap();
        drive.repay(&payoff.to_decimal().to_string()).await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED DISBURSING REPAYING LATE REPAID");
        shop.audit().await;
    }

    async fn after_a_default_what_is_recovered_is_shared_and_the_rest_is_lost(shop) {
        let (drive, pledges) = Drive::lent(&shop, terms()).await;
        drive.until("2026-06-07");
        drive.repay("860.66").await;
        drive.until("2026-08-07");
        drive.clock().await;
        for by in [bea(), user("anna"), Actor::Clock, Actor::Gateway] {
            assert!(matches!(drive.refused(by, Command::DeclareDefault {}).await, Reason::WrongActor { .. }));
        }
        drive.act(ops(), Command::DeclareDefault {}).await;
        // 9,189.34 · 0.06 · 60 / 360 = 91.89, rounded month by month: 45.95 twice. All of it is due.
        assert_eq!(drive.owes().await, ["9189.34", "91.90", "0.00", "9281.24"]);
        drive.until("2027-01-07");
        assert_eq!(drive.owes().await, ["9189.34", "91.90", "0.00", "9281.24"]);
        // The borrower pays a little, the platform recovers more: principal first.
        drive.repay("100.00").await;
        shop.fill_wallet("shop", euro("2000.00")).await;
        let recover = || Command::Recover { amount: euro("2000.00"), by: Method::Wallet };
        assert!(matches!(drive.refused(bea(), recover()).await, Reason::WrongActor { .. }));
        drive.act(ops(), recover()).await;
        drive.clock().await;
        assert_eq!(drive.owes().await, ["7089.34", "91.90", "0.00", "7181.24"]);
        assert_eq!(drive.received(pledges).await, ["1455.33 + 25.00", "873.19 + 15.00", "582.14 + 10.00"]);
        let AnyLoan::WrittenOff(loan) = drive.act(ops(), Command::WriteOff {}).await else { panic!("is written off") };
        assert_eq!(loan.state().lost().payoff().unwrap(), euro("7181.24"));
        assert_eq!(loan.state().lost().principal, euro("7089.34"));
        assert!(matches!(drive.refused(bea(), Command::Repay { amount: euro("1.00"), by: Method::Card }).await, Reason::WrongStatus { .. }));
        shop.audit().await;
    }

    async fn a_default_that_is_recovered_in_full_is_repaid(shop) {
        let (drive, pledges) = Drive::lent(&shop, terms()).await;
        drive.until("2026-08-07");
        drive.act(ops(), Command::DeclareDefault {}).await;
        let owed = drive.owed().await;
        assert_eq!(owed.payoff().unwrap(), euro("10150.00"));
        drive.repay("10000.00").await;
        assert_eq!(drive.received(pledges).await, ["5000.00 + 0.00", "3000.00 + 0.00", "2000.00 + 0.00"]);
        drive.repay("150.00").await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED DISBURSING REPAYING DEFAULTED REPAID");
        assert_eq!(drive.received(pledges).await, ["5000.00 + 75.00", "3000.00 + 45.00", "2000.00 + 30.00"]);
        shop.audit().await;
    }

    async fn what_is_still_paid_after_the_end_goes_back(shop) {
        let (drive, pledges) = Drive::lent(&shop, terms()).await;
        drive.until("2026-08-07");
        shop.gateway().script(escrowed::gateway::Verb::Charge, [Behaviour::Pend]);
        drive.act(bea(), Command::Repay { amount: euro("500.00"), by: Method::Card }).await;
        shop.send().await;
        drive.act(ops(), Command::DeclareDefault {}).await;
        drive.act(ops(), Command::WriteOff {}).await;
        shop.settle_down().await;
        assert_eq!(drive.received(pledges).await, ["0.00 + 0.00"; 3]);
        assert_eq!(shop.refunds(drive.id).await.len(), 1, "the money came after all, and went back");
        assert!(drive.distributions().await.is_empty());
        shop.audit().await;
    }
}
