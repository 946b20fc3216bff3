//! Repayments in time, early and in part: what each goes to, and what each lender gets of it.

use super::*;
use crate::harness::{bank, key, on_each_store, ops};
use escrowed::{
    escrow::Reported,
    gateway::{IdempotencyKey, Outcome, Verb},
    money::Money,
    party::Stamp,
    payment::payout,
};

/// A loan that bea pays off on the day before midnight, by the clock of a host on which it is the next day: the payin's
/// call, and its amount.
async fn payoff_of_tomorrow<S: Store>(shop: &Shop<S>) -> (Drive<'_, S>, IdempotencyKey, Money) {
    let (drive, _) = Drive::lent(shop, terms()).await;
    drive.until("2026-05-22");
    let (tomorrow, loan) = (Stamp::new(bea(), shop.now().plus(DAY)), drive.now().await);
    let amount = loan.facts().debt().unwrap().owed(tomorrow.at).unwrap().payoff().unwrap();
    assert_eq!(amount, euro("10026.67"));
    let opened = loan.handle(Command::Repay { amount, by: Method::Card }, &tomorrow).unwrap();
    let mut unit = shop.begin().await;
    shop.escrow.save(&mut unit, opened, &tomorrow).await.unwrap();
    shop.commit(unit).await;
    let payin = shop.payins(drive.id).await.pop().expect("a payin");
    (drive, key(payin.id().subject(), Verb::Charge), amount)
}

async fn declined<S: Store>(shop: &Shop<S>, charge: IdempotencyKey) {
    let outcome = Outcome::Declined { reason: "no".parse().unwrap() };
    assert_eq!(shop.report(charge, outcome).await, Reported::Taken);
}

/// What bea owed on the day of the default is owed from then on, and lost in the end.
async fn lost_on_that_day<S: Store>(drive: &Drive<'_, S>) {
    for day in ["2026-05-22", "2026-06-22"] {
        drive.until(day);
        assert_eq!(drive.owes().await, ["10000.00", "25.00", "0.00", "10025.00"]);
    }
    drive.act(ops(), Command::WriteOff {}).await;
    assert_eq!(drive.path().await, "OPEN COUNTING FUNDED DISBURSING REPAYING DEFAULTED WRITTEN_OFF");
    drive.shop.audit().await;
}

on_each_store! {
    async fn an_annuity_that_is_paid_in_time_is_paid_as_the_schedule_says(shop) {
        let (drive, pledges) = Drive::lent(&shop, terms()).await;
        let schedule = drive.now().await.facts().debt().unwrap().schedule().to_vec();
        assert_eq!(schedule.len(), 12);
        let mut interest = 0;
        for line in &schedule {
            drive.until(&line.due.to_string()[..10]);
            let owed = drive.owed().await;
            assert_eq!((owed.due, owed.interest), (line.sum().unwrap(), line.interest), "{line:?}");
            assert_eq!(drive.now().await.facts().debt().unwrap().remaining(shop.now()).unwrap().len(), 12 - usize::from(line.number));
            drive.repay(&line.sum().unwrap().to_decimal().to_string()).await;
            interest += line.interest.minor();
            assert_eq!(drive.now().await.facts().repaid().interest.minor(), interest);
            shop.audit().await;
        }
        assert_eq!(interest, 32_796);
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED DISBURSING REPAYING REPAID");
        assert_eq!(drive.received(pledges).await, ["5000.00 + 163.98", "3000.00 + 98.38", "2000.00 + 65.60"]);
        assert_eq!([drive.wallet("anna").await, drive.wallet("ben").await, drive.wallet("cleo").await], ["5163.98", "3098.38", "2065.60"]);
        let distributions = drive.distributions().await;
        assert!(distributions.len() == 12 && distributions.iter().all(|one| one.status() == distribution::Status::Shared));
        assert_eq!(drive.now().await.deadline(), None);
    }

    async fn a_lenders_statement_tells_principal_from_interest(shop) {
        let (drive, [anna, ..]) = Drive::lent(&shop, terms()).await;
        drive.until("2026-06-07");
        drive.repay("860.66").await;
        let mut unit = shop.begin().await;
        let entries = unit.entries(&"wallet:anna".parse().unwrap(), 0, 10).await.unwrap();
        let told: Vec<_> = entries.iter().map(|entry| (entry.purpose, entry.amount, entry.subject)).collect();
        let pledge = anna.subject();
        assert_eq!(told, [
            (Purpose::Principal, euro("405.33"), pledge),
            (Purpose::Interest, euro("25.00"), pledge),
        ]);
    }

    async fn a_loan_that_is_paid_off_early_bears_interest_up_to_that_day(shop) {
        let (drive, pledges) = Drive::lent(&shop, terms()).await;
        drive.until("2026-05-22");
        assert_eq!(drive.owes().await, ["10000.00", "25.00", "0.00", "0.00"]);
        let more = drive.refused(bea(), Command::Repay { amount: euro("10025.01"), by: Method::Card }).await;
        assert_eq!(more, Reason::TooMuch { asked: euro("10025.01"), available: euro("10025.00") });
        drive.repay("10025.00").await;
        assert_eq!(drive.status().await, Status::Repaid);
        assert_eq!(drive.received(pledges).await, ["5000.00 + 12.50", "3000.00 + 7.50", "2000.00 + 5.00"]);
        shop.audit().await;
    }

    async fn a_payoff_that_one_host_opened_past_midnight_is_taken_by_another_before_it(shop) {
        let (drive, charge, amount) = payoff_of_tomorrow(&shop).await;
        assert_eq!(shop.report(charge, Outcome::Settled { moved: amount }).await, Reported::Taken);
        drive.clock().await;
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED DISBURSING REPAYING REPAID");
        let repaid = drive.now().await.facts().repaid();
        assert_eq!((repaid.principal, repaid.interest), (euro("10000.00"), euro("26.67")));
        shop.audit().await;
    }

    async fn a_default_that_is_declared_before_midnight_takes_it_too(shop) {
        let (drive, charge, amount) = payoff_of_tomorrow(&shop).await;
        drive.act(ops(), Command::DeclareDefault {}).await;
        assert_eq!(drive.owes().await, ["10000.00", "26.67", "0.00", "10026.67"]);
        assert_eq!(shop.report(charge, Outcome::Settled { moved: amount }).await, Reported::Taken);
        assert_eq!(drive.path().await, "OPEN COUNTING FUNDED DISBURSING REPAYING DEFAULTED REPAID");
        shop.audit().await;
    }

    async fn a_default_is_not_a_day_late_for_a_repayment_that_was_dropped_before(shop) {
        let (drive, charge, _) = payoff_of_tomorrow(&shop).await;
        declined(&shop, charge).await;
        drive.act(ops(), Command::DeclareDefault {}).await;
        lost_on_that_day(&drive).await;
    }

    async fn a_default_is_not_a_day_late_for_a_repayment_that_is_dropped_afterwards(shop) {
        let (drive, charge, _) = payoff_of_tomorrow(&shop).await;
        drive.act(ops(), Command::DeclareDefault {}).await;
        // Until it is known that nothing comes of it, what it would pay off is what is owed.
        assert_eq!(drive.owes().await, ["10000.00", "26.67", "0.00", "10026.67"]);
        declined(&shop, charge).await;
        lost_on_that_day(&drive).await;
    }

    async fn principal_that_is_repaid_early_takes_the_place_of_the_next(shop) {
        let (drive, _) = Drive::lent(&shop, terms()).await;
        drive.until("2026-05-22");
        // 25.00 of interest, and as much principal as the next two instalments have.
        drive.repay("1650.37").await;
        assert_eq!(drive.owes().await, ["8374.63", "0.00", "0.00", "0.00"]);
        let remaining = drive.now().await.facts().debt().unwrap().remaining(shop.now()).unwrap();
        let told: Vec<_> = remaining.iter().take(4).map(|line| format!("{} {}", line.principal, line.interest)).collect();
        // Half a month of interest on what is left, then a month's: 8,374.63 · 0.005 = 41.87.
        assert_eq!(told, ["0.00 EUR 20.94 EUR", "0.00 EUR 41.87 EUR", "818.79 EUR 41.87 EUR", "822.88 EUR 37.78 EUR"]);
        drive.until("2026-06-07");
        assert_eq!(drive.owes().await, ["8374.63", "20.94", "0.00", "0.00"]);
        // Ahead by more than the interest: nobody is late.
        drive.until("2026-07-01");
        drive.clock().await;
        assert_eq!(drive.status().await, Status::Repaying);
        shop.audit().await;
    }

    async fn a_part_goes_to_interest_first(shop) {
        let (drive, pledges) = Drive::lent(&shop, terms()).await;
        drive.until("2026-06-07");
        drive.repay("49.99").await;
        assert_eq!(drive.owes().await, ["10000.00", "0.01", "0.00", "810.67"]);
        assert_eq!(drive.received(pledges).await, ["0.00 + 24.99", "0.00 + 15.00", "0.00 + 10.00"]);
        drive.repay("500.01").await;
        assert_eq!(drive.owes().await, ["9500.00", "0.00", "0.00", "310.66"]);
        drive.repay("310.66").await;
        assert_eq!(drive.received(pledges).await, ["405.33 + 25.00", "243.19 + 15.00", "162.14 + 10.00"]);
        shop.audit().await;
    }

    async fn interest_only_and_bullet_loans_are_repaid(shop) {
        let interest_only = with(|terms| {
            terms.plan = Plan { form: Form::InterestOnly, instalments: 2, months: 6, ..plan() };
        });
        let (drive, pledges) = Drive::lent(&shop, interest_only).await;
        drive.until("2026-11-07");
        assert_eq!(drive.owes().await, ["10000.00", "300.00", "0.00", "300.00"]);
        drive.repay("300.00").await;
        drive.until("2027-05-07");
        drive.repay("10300.00").await;
        assert_eq!(drive.received(pledges).await, ["5000.00 + 300.00", "3000.00 + 180.00", "2000.00 + 120.00"]);
        assert_eq!(drive.status().await, Status::Repaid);
        let bullet = with(|terms| {
            terms.deadline = shop.now().plus(DAY);
            terms.plan = Plan { form: Form::Bullet, instalments: 6, day_count: DayCount::Actual365Fixed, ..plan() };
        });
        let (drive, pledges) = Drive::lent(&shop, bullet).await;
        // 184 days.
        drive.until("2027-11-07");
        assert_eq!(drive.owes().await, ["10000.00", "302.47", "0.00", "10302.47"]);
        drive.repay("10302.47").await;
        assert_eq!(drive.status().await, Status::Repaid);
        assert_eq!(drive.received(pledges).await, ["5000.00 + 151.23", "3000.00 + 90.74", "2000.00 + 60.50"]);
        shop.audit().await;
    }

    async fn one_payin_at_a_time_and_none_that_is_declined_counts(shop) {
        let (drive, _) = Drive::lent(&shop, terms()).await;
        drive.until("2026-06-07");
        let pay = || Command::Repay { amount: euro("860.66"), by: Method::Card };
        drive.act(bea(), pay()).await;
        assert!(matches!(drive.refused(bea(), pay()).await, Reason::Underway(_)));
        shop.gateway().script(Verb::Charge, [decline()]);
        shop.send().await;
        assert_eq!(drive.owes().await, ["10000.00", "50.00", "0.00", "860.66"]);
        for wrong in [euro("0.00"), euro("-1.00"), "5 JPY".parse().unwrap()] {
            assert!(matches!(drive.refused(bea(), Command::Repay { amount: wrong, by: Method::Card }).await, Reason::Money(_)));
        }
        assert!(matches!(drive.refused(user("anna"), pay()).await, Reason::WrongActor { .. }));
        // From the wallet, at once: bea still has what was lent.
        drive.act(bea(), Command::Repay { amount: euro("860.66"), by: Method::Wallet }).await;
        assert_eq!((drive.wallet("bea").await, drive.owed().await.due), ("9139.34".into(), euro("0.00")));
        drive.clock().await;
        shop.audit().await;
    }

    async fn a_payin_that_takes_too_long_is_called_off(shop) {
        let (drive, _) = Drive::lent(&shop, terms()).await;
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let wire = Method::BankWire { refund_to: "ba_bea".parse().unwrap() };
        drive.act(bea(), Command::Repay { amount: euro("500.00"), by: wire }).await;
        shop.send().await;
        drive.wait(14 * DAY);
        drive.clock().await;
        assert_eq!(drive.now().await.facts().till().underway(), None);
        // The money comes after all, and goes back by itself.
        shop.settle_down().await;
        assert_eq!(drive.owed().await.principal, euro("10000.00"));
        assert_eq!(shop.refunds(drive.id).await.len(), 1);
        shop.audit().await;
    }

    async fn the_schedule_begins_when_the_borrower_is_paid(shop) {
        let to_bank = with(|terms| terms.payout = Some(bank("ba_bea")));
        let lenders = [("anna", "5000.00"), ("ben", "3000.00"), ("cleo", "2000.00")];
        let (drive, _) = Drive::funded(&shop, to_bank, &lenders).await;
        shop.gateway().script(Verb::Payout, [decline()]);
        drive.act(bea(), Command::Validate {}).await;
        shop.send().await;
        assert_eq!(drive.status().await, Status::Disbursing);
        assert!(matches!(drive.refused(bea(), Command::Repay { amount: euro("1.00"), by: Method::Card }).await, Reason::WrongStatus { .. }));
        drive.wait(3 * DAY);
        let denied = shop.payouts(drive.id).await.pop().unwrap();
        let mut unit = shop.begin().await;
        let replace = payout::Command::Replace { to: bank("ba_other") };
        shop.escrow.act_on_payout(&mut unit, denied.id(), replace, ops()).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        let loan = drive.now().await;
        assert_eq!(loan.status(), Status::Repaying);
        assert_eq!(loan.facts().debt().unwrap().schedule()[0].due, "2026-06-10T00:00:00Z".parse().unwrap());
        shop.audit().await;
    }
}
