//! More pledges than one transaction should hold.

use super::*;
use crate::{
    harness::{account, on_each_store, seed},
    one_write::OneWrite,
};
use escrowed::{
    escrow::Escrow,
    memory::Memory,
    payment::payin,
    pledge::{Pool, Stage},
    sandbox::Sandbox,
    store::{UnitOfWork, Views},
};
use futures_lite::future::block_on;
use std::{sync::Barrier, thread};

const MANY: usize = 250;

/// Pledges of €1 each, of as many backers, all gathered.
async fn crowded<S: Store>(shop: &Shop<S>) -> Drive<'_, S> {
    let mut terms = with(|policy| policy.batch = 20);
    terms.target = euro("1000.00");
    let drive = Drive::opened(shop, terms).await;
    for number in 0..MANY {
        drive.pays(&format!("backer{number}"), "1.00").await;
    }
    shop.send().await;
    drive.wait(SLOT);
    drive.clock().await;
    assert_eq!(drive.raised().await, (250, "250.00 EUR".into()));
    drive
}

async fn events<S: Store>(drive: &Drive<'_, S>) -> usize {
    drive.shop.begin().await.log(drive.id.subject()).await.unwrap().expect("a log").records.len()
}

on_each_store! {
    async fn a_campaign_of_many_closes_batch_by_batch(shop) {
        let drive = crowded(&shop).await;
        assert_eq!(events(&drive).await, 1 + 13, "the opening, and thirteen batches of twenty");
        drive.wait(DAY);
        // Closed, decided, and then one batch in each step.
        let mut left = Vec::new();
        while drive.steps(1).await > 0 {
            let now = drive.now().await;
            if now.status() == Status::Missed {
                assert!(matches!(now.stage(), Stage::Returning { .. }));
                left.push(now.held().minor() / 100);
            }
        }
        let fewer = left.windows(2).all(|pair| pair[0] - pair[1] == 20 || pair[1] == 0);
        assert!(fewer && left.len() == 14 && left.last() == Some(&0), "{left:?}");
        shop.send().await;
        drive.expect(Status::Returned).await;
        let drive = Drive { shop: &shop, id: shop.find(&Query::of::<AnyCampaign>(Status::Returned)).await[0].try_into().unwrap() };
        for pledge in drive.pledges().await {
            assert_eq!(pledge.status(), pledge::Status::Refunded);
            assert_eq!(drive.refunds(pledge.id()).await.len(), 1, "each is given back once");
        }
        assert_eq!(drive.outside().await, "0.00 EUR");
        shop.audit().await;
    }

    async fn a_worker_that_stops_anywhere_is_taken_over(shop) {
        let drive = crowded(&shop).await;
        drive.wait(DAY);
        let mut stops = seed();
        loop {
            // A worker does a few steps of its round and is gone; what it had begun is rolled back.
            stops = stops.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut unit = shop.begin().await;
            let row = unit.find(&Query::DueBy(shop.now()), None, 1).await.unwrap();
            drop(unit);
            if row.rows.is_empty() {
                break;
            }
            let due = shop.escrow.run_due(&worker(), 1 + usize::try_from(stops >> 60).unwrap()).await.unwrap();
            assert_eq!(due.failed, 0);
            let (held, booked) = (drive.now().await.held(), shop.balance(&format!("escrow:{}", drive.id)).await);
            assert_eq!(held, booked);
        }
        shop.send().await;
        assert_eq!(drive.outside().await, "0.00 EUR");
        shop.audit().await;
    }
}

#[test]
fn a_batch_and_all_that_follows_from_it_is_one_write() {
    block_on(async {
        let shop = Shop::new(OneWrite::memory(), 1);
        let drive = Drive::opened(&shop, with(|policy| policy.batch = 2)).await;
        let mut pledges = Vec::new();
        for name in ["anna", "ben", "cleo", "dora", "emil"] {
            shop.fill_wallet(name, euro("10.00")).await;
            pledges.push(drive.pledge(name, "10.00", Method::Wallet).await);
        }
        let unpaid = drive.pledge("fay", "10.00", wire("fay")).await;
        drive.wait(SLOT);
        drive.clock().await;
        assert_eq!(drive.raised().await, (5, "50.00 EUR".into()));
        // What the campaign gives back is in the wallet at once, and the payin has counted it.
        drive.withdraw(pledges[0], user("anna")).await.unwrap();
        assert_eq!((drive.wallet("anna").await, drive.in_escrow().await), ("10.00 EUR".into(), "40.00 EUR".into()));
        drive.wait(DAY);
        drive.clock().await;
        for pledge in pledges {
            assert_eq!(drive.status(pledge).await, pledge::Status::Refunded);
            assert_eq!(drive.payin(pledge).await.status(), payin::Status::Refunded);
        }
        assert_eq!(drive.status(unpaid).await, pledge::Status::Cancelled);
        assert_eq!(drive.payin(unpaid).await.status(), payin::Status::Cancelled);
        drive.expect(Status::Returned).await;
        shop.audit().await;
    });
}

/// Two workers on stores of their own, which lead to the same data, started at the same moment.
fn race<S: Store + Send + Sync>(first: S, second: S) {
    let shop = Shop::new(first, 1);
    let drive = block_on(crowded(&shop));
    drive.wait(DAY);
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
        drive.clock().await;
        shop.send().await;
        for pledge in drive.pledges().await {
            assert_eq!(drive.refunds(pledge.id()).await.len(), 1, "each is given back once");
        }
        assert_eq!(drive.outside().await, "0.00 EUR");
        let held =
            shop.begin().await.balance(&account(&format!("escrow:{}", drive.id)), escrowed::money::Currency::EUR).await;
        assert!(held.unwrap().is_zero());
        drive.expect(Status::Returned).await;
        shop.audit().await;
    });
}

#[test]
fn two_workers_in_memory_give_each_pledge_back_once() {
    let store = Memory::new();
    race(store.clone(), store);
}

#[cfg(feature = "sqlite")]
#[test]
fn two_workers_on_one_file_give_each_pledge_back_once() {
    use escrowed::sqlite::Sqlite;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    race(Sqlite::open(&file).unwrap(), Sqlite::open(&file).unwrap());
}
