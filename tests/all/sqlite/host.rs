//! The host's own table in the same transaction: committed with the unit, rolled back with it, lost with it.

use super::child::{self, Role};
use crate::{
    harness::{ops, user},
    market::{
        Market, Plot,
        audit::{audit, audit_the_end},
        note,
        process::say,
        rows,
    },
};
use escrowed::{
    escrow::EscrowError,
    order::{AnyOrder, Command, OrderId, Status},
    sqlite::{Sqlite, SqliteUnit},
};
use futures_lite::future::block_on;
use std::path::Path;

const ROW: &str = "INSERT INTO shop_steps (order_id, seq, status) VALUES (?1, ?2, 'DRAFT')";
/// What the host adds to a step it does not take itself.
const EXTRA: i64 = 0;

fn write(unit: &SqliteUnit, id: OrderId) {
    unit.connection().execute(ROW, (id.to_string(), EXTRA)).unwrap();
}

async fn noted(market: &Market<Sqlite>, id: OrderId, seq: i64) -> bool {
    let unit = market.shop.begin().await;
    let query = format!("SELECT 1 FROM shop_steps WHERE order_id = '{id}' AND seq = {seq}");
    !rows(unit.connection(), &query).unwrap().is_empty()
}

async fn validate(market: &Market<Sqlite>, unit: &mut SqliteUnit, id: OrderId) -> AnyOrder {
    market.shop.escrow.act(unit, id, Command::Validate {}, ops()).await.unwrap()
}

/// A market with one order, which waits to be validated.
async fn planned(file: &Path) -> (Market<Sqlite>, OrderId, i64) {
    use escrowed::lifecycle::Value;
    let market = Market::open(Sqlite::open(file).unwrap(), 1, false).await;
    let id = market.open_order(Plot::Shared).await;
    while market.shop.status(id).await != Status::PendingValidate {
        if !market.advance(id).await {
            market.send(&[id]).await;
        }
    }
    let seq = market.shop.order(id).await.head().seq();
    (market, id, i64::from(seq))
}

#[test]
fn commits_with_the_unit_and_rolls_back_with_it() {
    let folder = tempfile::tempdir().unwrap();
    block_on(async {
        let (market, id, seq) = planned(&folder.path().join("market.db")).await;
        let next = seq + 1;

        // Dropped: neither is there, whichever came first.
        for host_first in [true, false] {
            let mut unit = market.shop.begin().await;
            if host_first {
                write(&unit, id);
            }
            let order = validate(&market, &mut unit, id).await;
            note(&mut unit, &order).await.unwrap();
            drop(unit);
            assert_eq!(market.shop.status(id).await, Status::PendingValidate);
            assert!(!noted(&market, id, EXTRA).await && !noted(&market, id, next).await);
            assert_eq!(market.shop.payouts(id).await.len(), 0);
        }

        // A row of the host's that is refused takes nothing down but itself: the host decides.
        let mut unit = market.shop.begin().await;
        validate(&market, &mut unit, id).await;
        unit.connection().execute(ROW, ("ord_of_nobody", EXTRA)).unwrap_err();
        drop(unit);
        assert_eq!(market.shop.status(id).await, Status::PendingValidate);

        // A refused step changes nothing: what the host writes besides is its own.
        let mut unit = market.shop.begin().await;
        let refused = market.shop.escrow.act(&mut unit, id, Command::Validate {}, user("eve")).await;
        assert!(matches!(refused, Err(EscrowError::Refused(_))));
        write(&unit, id);
        market.shop.commit(unit).await;
        assert!(noted(&market, id, EXTRA).await);
        assert_eq!(market.shop.status(id).await, Status::PendingValidate);
        audit(&market, &[]).await;

        // Committed: both are there.
        let mut unit = market.shop.begin().await;
        let order = validate(&market, &mut unit, id).await;
        note(&mut unit, &order).await.unwrap();
        market.shop.commit(unit).await;
        assert_eq!(market.shop.status(id).await, Status::PendingRelease);
        assert!(market.shop.payouts(id).await.len() == 3);
        market.run().await;
        audit(&market, &[]).await;
        audit_the_end(&market).await;
    });
}

/// Dies between the host's write, the step, and the COMMIT.
pub(crate) fn die(file: &Path, place: u64) {
    block_on(async {
        let market = Market::open(Sqlite::open(file).unwrap(), 1, false).await;
        let id = market.orders().await[0];
        let mut unit = market.shop.begin().await;
        write(&unit, id);
        let die = |now| {
            if now == place {
                say("death host 1");
                std::process::abort();
            }
        };
        die(0);
        let order = validate(&market, &mut unit, id).await;
        die(1);
        note(&mut unit, &order).await.unwrap();
        die(2);
        market.shop.commit(unit).await;
        die(3);
    });
}

#[test]
fn dies_with_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("market.db");
    let (market, id, seq) = block_on(planned(&file));
    drop(market);
    for place in 0..=3 {
        let end = child::run(&file, Role::Host(place), 1);
        assert!(end.death.is_some());
        block_on(async {
            let market = Market::open(Sqlite::open(&file).unwrap(), 1, false).await;
            audit(&market, &[]).await;
            let written = place == 3;
            assert_eq!(market.shop.status(id).await == Status::PendingRelease, written, "{place}");
            assert_eq!(noted(&market, id, EXTRA).await, written);
            assert_eq!(noted(&market, id, seq + 1).await, written);
            assert_eq!(market.shop.payouts(id).await.len(), if written { 3 } else { 0 });
        });
    }
    block_on(async {
        let market = Market::open(Sqlite::open(&file).unwrap(), 2, false).await;
        market.run().await;
        audit_the_end(&market).await;
    });
}
