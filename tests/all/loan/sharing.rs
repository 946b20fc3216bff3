//! More lenders than one transaction should hold, workers that stop anywhere, repayments on each other's heels.

use super::*;
use crate::{
    harness::{on_each_store, seed},
    one_write::OneWrite,
};
use escrowed::{
    escrow::Escrow,
    memory::Memory,
    money::Currency,
    sandbox::Sandbox,
    store::{DueLease, Outbox, UnitOfWork},
};
use futures_lite::future::block_on;
use std::{sync::Barrier, thread};

const MANY: usize = 130;

/// Lent by so many, who pledged from €7.00 on, each 13 cents more than the one before.
async fn crowded<S: Store>(shop: &Shop<S>) -> (Drive<'_, S>, Vec<PledgeId>) {
    let pledges: Vec<(String, String)> = (0..MANY)
        .map(|number| (format!("lender{number}"), format!("{}.{:02}", 7 + number * 13 / 100, number * 13 % 100)))
        .collect();
    let pledges: Vec<(&str, &str)> = pledges.iter().map(|(name, amount)| (name.as_str(), amount.as_str())).collect();
    let terms = with(|terms| {
        terms.policy.batch = 20;
        terms.target = euro("1900.00");
    });
    let (drive, pledges) = Drive::funded(shop, terms, &pledges).await;
    drive.act(bea(), Command::Validate {}).await;
    (drive, pledges)
}

async fn handed_out<S: Store>(drive: &Drive<'_, S>) -> i64 {
    let pledges = drive.pledges().await;
    pledges.iter().map(|pledge| pledge.facts().received().sum().unwrap().minor()).sum()
}

/// The exact part of every lender, to less than one minor unit.
async fn pro_rata<S: Store>(drive: &Drive<'_, S>) {
    let (loan, pledges) = (drive.now().await, drive.pledges().await);
    let (lent, repaid) = (i128::from(loan.facts().raised().minor()), loan.facts().repaid());
    let mut sums = [0, 0];
    for pledge in pledges {
        let (pledged, has) = (pledge.facts().terms().offer.amount, pledge.facts().received());
        for (nth, (has, all)) in
            [(has.principal, repaid.principal), (has.interest, repaid.interest)].into_iter().enumerate()
        {
            sums[nth] += has.minor();
            let off = i128::from(has.minor()) * lent - i128::from(all.minor()) * i128::from(pledged.minor());
            assert!(off.abs() < lent, "{has} of {all} for {pledged}");
        }
        let paid_out = drive.wallet(pledge.facts().terms().offer.backer.as_str()).await;
        assert_eq!(paid_out, has.sum().unwrap().to_decimal().to_string());
    }
    assert_eq!(sums, [repaid.principal.minor(), repaid.interest.minor()]);
}

/// A worker takes leases on what is due, and is gone.
async fn lease<S: Store>(shop: &Shop<S>, limit: usize) {
    let mut unit = shop.begin().await;
    let (now, until) = (shop.now(), shop.now().plus(DAY / 48));
    let leased = unit.lease_due(&DueLease { worker: "gone".parse().unwrap(), now, until, limit }).await.unwrap();
    assert!(leased.len() <= limit);
    shop.commit(unit).await;
}

on_each_store! {
    async fn a_repayment_to_many_is_shared_out_batch_by_batch(shop) {
        let (drive, _) = crowded(&shop).await;
        let lent = drive.owed().await.principal;
        drive.until("2026-06-07");
        let due = drive.owed().await.due;
        drive.act(bea(), Command::Repay { amount: due, by: Method::Wallet }).await;
        let mut left = Vec::new();
        while drive.steps(1).await > 0 {
            let [distribution] = drive.distributions().await.try_into().unwrap();
            assert_eq!(handed_out(&drive).await + distribution.held().minor(), due.minor());
            left.push(distribution.held().minor());
        }
        // Seven batches of twenty.
        assert!(left.len() == 7 && left.windows(2).all(|pair| pair[0] > pair[1]) && left[6] == 0, "{left:?}");
        pro_rata(&drive).await;
        // All the rest, and everybody has back what was lent.
        let payoff = drive.owed().await.payoff().unwrap();
        drive.repay(&payoff.to_decimal().to_string()).await;
        pro_rata(&drive).await;
        for pledge in drive.pledges().await {
            assert_eq!(pledge.facts().received().principal, pledge.facts().terms().offer.amount);
        }
        assert_eq!(drive.now().await.facts().repaid().principal, lent);
        // However many there are, a repayment is two events of the loan, its end another.
        let log = shop.begin().await.log(drive.id.subject()).await.unwrap().unwrap();
        let after = log.records.iter().skip_while(|record| record.name != "disburse").skip(1);
        let names: Vec<_> = after.map(|record| record.name.as_str()).collect();
        assert_eq!(names, ["repay", "collect", "repay", "collect", "settle"]);
        shop.audit().await;
    }

    async fn a_worker_that_stops_anywhere_is_taken_over(shop) {
        let (drive, _) = crowded(&shop).await;
        let mut stops = seed();
        for day in ["2026-06-07", "2026-07-07"] {
            drive.until(day);
            let amount = drive.owed().await.due;
            drive.act(bea(), Command::Repay { amount, by: Method::Wallet }).await;
            loop {
                // A worker takes a lease on what is due and is gone, or does a few steps of its round first.
                stops = stops.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if drive.steps(usize::try_from(stops >> 61).unwrap()).await == 0 && stops >> 61 > 0 {
                    break;
                }
                if stops & 1 << 40 == 0 {
                    lease(&shop, 1).await;
                    drive.wait(DAY / 24);
                }
            }
            pro_rata(&drive).await;
        }
        shop.audit().await;
    }

    async fn what_is_repaid_first_is_shared_out_first(shop) {
        let (drive, _) = crowded(&shop).await;
        drive.until("2026-06-07");
        for amount in ["100.00", "0.01", "33.33"] {
            drive.wait(Duration::from_millis(1));
            drive.act(bea(), Command::Repay { amount: euro(amount), by: Method::Wallet }).await;
        }
        let statuses = async || drive.distributions().await.iter().map(|one| one.status().name()).collect::<Vec<_>>();
        assert_eq!(statuses().await, ["SHARING"; 3]);
        // A worker has a lease on the first and is gone: the next worker begins with the first all the same.
        lease(&shop, 1).await;
        drive.clock().await;
        assert_eq!(statuses().await, ["SHARED"; 3]);
        pro_rata(&drive).await;
        shop.audit().await;
    }

    async fn less_than_a_minor_unit_for_each_is_shared_out_too(shop) {
        let (drive, _) = crowded(&shop).await;
        // One cent at a time, of which most get nothing.
        for round in 1..=40 {
            drive.act(bea(), Command::Repay { amount: euro("0.01"), by: Method::Wallet }).await;
            drive.clock().await;
            assert_eq!(handed_out(&drive).await, round);
        }
        let payoff = drive.owed().await.payoff().unwrap();
        drive.repay(&payoff.to_decimal().to_string()).await;
        for pledge in drive.pledges().await {
            assert_eq!(pledge.facts().received().principal, pledge.facts().terms().offer.amount);
        }
        shop.audit().await;
    }
}

#[test]
fn a_batch_and_all_that_follows_from_it_is_one_write() {
    block_on(async {
        let shop = Shop::new(OneWrite::memory(), 1);
        let (drive, pledges) = Drive::lent(&shop, policy(|policy| policy.batch = 2)).await;
        drive.until("2026-06-07");
        drive.act(bea(), Command::Repay { amount: euro("860.66"), by: Method::Wallet }).await;
        drive.clock().await;
        assert_eq!(drive.received(pledges).await, ["405.33 + 25.00", "243.19 + 15.00", "162.14 + 10.00"]);
        shop.audit().await;
    });
}

/// Two workers on stores of their own, which lead to the same data, started at the same moment.
fn race<S: Store + Send + Sync>(first: S, second: S) {
    let shop = Shop::new(first, 1);
    let (drive, _) = block_on(crowded(&shop));
    drive.until("2026-06-07");
    block_on(async {
        for amount in ["50.00", "60.00"] {
            drive.act(bea(), Command::Repay { amount: euro(amount), by: Method::Wallet }).await;
        }
    });
    let other = Escrow::with_clock(second, Sandbox::clone(shop.gateway()), shop.escrow.clock().clone());
    let start = Barrier::new(2);
    thread::scope(|scope| {
        for escrow in [&shop.escrow, &other] {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                block_on(async { while escrow.run_due(&worker(), 100).await.unwrap().taken > 0 {} });
            });
        }
    });
    block_on(async {
        // What one of them left for its lease to end.
        drive.wait(DAY);
        drive.clock().await;
        assert_eq!(handed_out(&drive).await, 11_000);
        pro_rata(&drive).await;
        let world = shop.begin().await.balance(&"wallet:bea".parse().unwrap(), Currency::EUR).await.unwrap();
        assert_eq!(world.checked_add(euro("110.00")).unwrap(), drive.now().await.facts().raised());
        shop.audit().await;
    });
}

#[test]
fn two_workers_in_memory_pay_each_lender_once() {
    let store = Memory::new();
    race(store.clone(), store);
}

#[cfg(feature = "sqlite")]
#[test]
fn two_workers_on_one_file_pay_each_lender_once() {
    use escrowed::sqlite::Sqlite;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    race(Sqlite::open(&file).unwrap(), Sqlite::open(&file).unwrap());
}
