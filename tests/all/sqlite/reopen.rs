//! A file that is opened again, and by many at once.

use super::child::{self, Role};
use crate::market::{
    Market, Plot,
    audit::{audit, audit_the_end},
    process::Companion,
    rows,
};
use escrowed::{sqlite::Sqlite, store::CallStatus};
use futures_lite::future::block_on;
use std::path::Path;

const MIGRATIONS: &str = "SELECT version, applied_at FROM escrowed_migrations";

/// Every value and every call, and when the migrations ran.
async fn shown(market: &Market<Sqlite>) -> String {
    let mut shown = Vec::new();
    for id in market.orders().await {
        shown.push(format!("{:?}", market.shop.order(id).await));
        shown.push(format!("{:?}", market.shop.payins(id).await));
        shown.push(format!("{:?}", market.shop.payouts(id).await));
        shown.push(format!("{:?}", market.shop.refunds(id).await));
    }
    for status in CallStatus::ALL {
        shown.push(format!("{:?}", market.calls(status).await));
    }
    shown.extend(rows(market.shop.begin().await.connection(), MIGRATIONS).unwrap());
    shown.join("\n")
}

fn applied(file: &Path) -> Vec<String> {
    rows(&rusqlite::Connection::open(file).unwrap(), MIGRATIONS).unwrap()
}

#[test]
fn reopening_gives_the_same_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("market.db");
    block_on(async {
        let market = Market::open(Sqlite::open(&file).unwrap(), 1, false).await;
        market.open_missing(&Plot::ALL).await;
        // Some steps at a time, so that every status is on the way of some order.
        for _ in 0..12 {
            for id in market.orders().await {
                market.advance(id).await;
            }
            let before = shown(&market).await;
            let again = Market::open(Sqlite::open(&file).unwrap(), 1, false).await;
            assert_eq!(shown(&again).await, before);
            market.send(&market.orders().await).await;
        }
        audit(&market, &[]).await;
        audit_the_end(&market).await;
        let before = shown(&market).await;
        drop(market);
        for _ in 0..3 {
            // By the last one that had it open, the log was moved into the file.
            let market = Market::open(Sqlite::open(&file).unwrap(), 2, false).await;
            assert_eq!(shown(&market).await, before);
        }
    });
}

/// Six children and this process open a file at the same moment.
fn open_at_once(file: &Path) {
    let mut children: Vec<_> = (0..6).map(|_| Companion::of(child::start(file, Role::Open, 1))).collect();
    for child in &mut children {
        child.hear("ready", 1);
    }
    for child in &mut children {
        child.let_go();
    }
    let here = Sqlite::open(file);
    for mut child in children {
        let (success, said) = child.end();
        assert!(success, "{said}");
    }
    drop(here.unwrap());
    let applied = applied(file);
    assert_eq!(applied.len(), 1, "{applied:?}");
}

#[test]
fn many_may_open_a_new_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..15 {
        open_at_once(&folder.path().join(format!("{round}.db")));
    }
}

#[test]
fn many_may_open_what_a_death_has_left_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("market.db");
    for steps in [20_000, 30_000, 40_000] {
        let end = child::run(&file, Role::AfterSteps(steps), steps);
        assert!(end.death.is_some() || steps > 20_000);
        open_at_once(&file);
        block_on(async {
            let market = Market::open(Sqlite::open(&file).unwrap(), steps, false).await;
            audit(&market, &end.acks).await;
        });
    }
}
