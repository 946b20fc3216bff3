//! Logs are replayed and nothing in them is trusted.

use super::*;
use crate::harness::{on_each_store, ops};
use escrowed::{
    id::Id,
    lifecycle::{Flaw, Lifecycle, replay},
    store::{Log, UnitOfWork},
};

async fn log<L: Lifecycle, S: Store>(shop: &Shop<S>, id: Id<L>) -> Log {
    shop.begin().await.log(id.subject()).await.unwrap().expect("a log")
}

/// The last event of a name with this said instead is refused.
fn forged<L: Lifecycle>(log: &Log, name: &str, from: &str, to: &str) {
    let mut forged = log.clone();
    let record = forged.records.iter_mut().rev().find(|record| record.name == name).expect("such an event");
    assert!(record.body.contains(from), "{}", record.body);
    record.body = record.body.replacen(from, to, 1);
    let corrupt = replay::<L>(&forged).expect_err(&format!("{name} with {to}"));
    assert!(matches!(corrupt.flaw, Flaw::Illegal(_) | Flaw::Unreadable(_)), "{corrupt}");
}

on_each_store! {
    async fn every_prefix_of_a_log_is_a_history(shop) {
        let (drive, pledges) = Drive::lent(&shop, policy(|policy| policy.batch = 1)).await;
        drive.until("2026-06-20");
        drive.clock().await;
        drive.repay("860.66").await;
        drive.act(ops(), Command::DeclareDefault {}).await;
        drive.repay("100.00").await;
        drive.act(ops(), Command::WriteOff {}).await;
        let whole = log(&shop, drive.id).await;
        for end in 1..=whole.records.len() {
            let log = Log { records: whole.records[..end].to_vec(), ..whole.clone() };
            replay::<AnyLoan>(&log).unwrap();
            // None may be left out.
            let mut gap = log;
            gap.records.remove(end / 2);
            assert!(end == 1 || end / 2 == end - 1 || replay::<AnyLoan>(&gap).is_err());
        }
        for distribution in drive.distributions().await {
            let whole = log(&shop, distribution.id()).await;
            // Opened, and three batches of one.
            assert_eq!(whole.records.len(), 4);
            replay::<AnyDistribution>(&whole).unwrap();
        }
        for pledge in pledges {
            replay::<AnyPledge>(&log(&shop, pledge).await).unwrap();
        }
    }

    async fn a_forged_loan_is_refused(shop) {
        let (drive, [anna, ..]) = Drive::lent(&shop, policy(|policy| policy.batch = 2)).await;
        drive.until("2026-06-07");
        drive.repay("860.66").await;
        drive.act(ops(), Command::DeclareDefault {}).await;
        drive.act(ops(), Command::WriteOff {}).await;
        let loan = log(&shop, drive.id).await;
        // Another split of the same sum; another sum; other terms.
        forged::<AnyLoan>(&loan, "collect", "\"interest\":{\"amount\":5000", "\"interest\":{\"amount\":4999");
        forged::<AnyLoan>(&loan, "collect", "\"amount\":86066", "\"amount\":86065");
        forged::<AnyLoan>(&loan, "repay", "86066", "86067");
        forged::<AnyLoan>(&loan, "write_off", "918934", "918933");
        forged::<AnyLoan>(&loan, "open", "\"6%\"", "\"5%\"");
        forged::<AnyLoan>(&loan, "validate", "\"bea\"", "\"eve\"");
        let pledge = log(&shop, anna).await;
        forged::<AnyPledge>(&pledge, "receive", "40533", "500001");
        forged::<AnyPledge>(&pledge, "receive", "\"amount\":2500", "\"amount\":-2500");
        let [distribution] = drive.distributions().await.try_into().unwrap();
        let shared = log(&shop, distribution.id()).await;
        forged::<AnyDistribution>(&shared, "share", "40533", "40534");
        forged::<AnyDistribution>(&shared, "finish", "16214", "16213");
        forged::<AnyDistribution>(&shared, "open", "\"now\":{\"amount\":81066", "\"now\":{\"amount\":81067");
        forged::<AnyDistribution>(&shared, "share", anna.to_string().as_str(), "pl_01kr1hgnqred6999kp7cqmx8ss");
    }
}
