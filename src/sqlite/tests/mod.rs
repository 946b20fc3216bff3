mod corrupt;

use super::*;
use crate::{
    conformance::store::commits::{account, at, charge, entry, euro, goes_on, key, opens, order, payin, saved, stored},
    gateway::Outcome,
    memory::agreement,
    money::Currency,
    seed::random,
    store::{Appended, Commit, Lease, Outbox, Query, Settlement, Store, UnitOfWork, Views},
};
use futures_lite::future::block_on;
use proptest::prelude::*;
use rusqlite::OptionalExtension;
use tempfile::TempDir;

fn on_sqlite(promise: impl AsyncFnOnce(&Sqlite)) {
    let (store, _folder) = fresh();
    block_on(promise(&store));
}

crate::store_promises!(on_sqlite);

proptest! {
    #![proptest_config(random(96))]

    #[test]
    fn it_says_what_the_store_in_memory_says(ops in agreement::ops()) {
        let store = Sqlite::from_connection(Connection::open_in_memory().unwrap()).unwrap();
        block_on(agreement::agrees(&store, &ops))?;
    }
}

#[test]
fn a_balance_uses_all_64_bits() {
    on_sqlite(async |store| crate::conformance::store::append::a_balance_uses_all_64_bits(store).await);
}

fn fresh() -> (Sqlite, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Sqlite::open(path(&folder)).unwrap(), folder)
}

fn path(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("market.db")
}

/// One of everything.
fn full() -> Commit {
    let mut commit = opens(order(1));
    commit.entries = vec![entry("world:sandbox", "wallet:alice", 5)];
    commit.calls = vec![charge(payin(1), at(0))];
    commit.index.parties = ["alice".parse().unwrap()].into();
    commit
}

#[test]
fn a_file_keeps_everything() {
    let (store, folder) = fresh();
    block_on(async {
        let first = saved(&store, &full()).await;
        let outcome = Outcome::Declined { reason: "no".parse().unwrap() };
        let settles = [Settlement { key: key(&charge(payin(1), at(0))), outcome: outcome.clone() }].into();
        let second = saved(&store, &Commit { settles, ..goes_on(order(1), first, 2) }).await;
        drop(store);

        let store = Sqlite::open(path(&folder)).unwrap();
        let mut unit = store.begin().await.unwrap();
        let log = unit.log(order(1)).await.unwrap().unwrap();
        assert_eq!((log.revision, log.records.len()), (second, 2));
        assert_eq!(unit.balance(&account("wallet:alice"), Currency::EUR).await.unwrap(), euro(5));
        assert_eq!(unit.entries(&account("wallet:alice"), 0, 9).await.unwrap().len(), 1);
        assert_eq!(unit.call(&key(&charge(payin(1), at(0)))).await.unwrap().unwrap().outcome, Some(outcome));
    });
}

#[test]
fn a_migration_runs_once() {
    let (store, folder) = fresh();
    drop(store);
    for _ in 0..2 {
        drop(Sqlite::open(path(&folder)).unwrap());
    }
    let plain = Connection::open(path(&folder)).unwrap();
    let (rows, at): (i64, i64) = plain
        .query_row("SELECT count(*), min(applied_at) FROM escrowed_migrations", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(rows, 1);
    assert!(at > 1_700_000_000_000_000, "{at}");
}

#[test]
fn a_later_version_is_refused() {
    let (store, folder) = fresh();
    drop(store);
    let plain = Connection::open(path(&folder)).unwrap();
    plain.execute("INSERT INTO escrowed_migrations VALUES (99, 0)", []).unwrap();
    let refused = Sqlite::open(path(&folder));
    assert!(matches!(refused, Err(SqliteError::LaterVersion { found: 99, known: 1 })), "{refused:?}");
}

#[test]
fn the_file_survives_a_power_cut() {
    let (store, _folder) = fresh();
    let unit = block_on(store.begin()).unwrap();
    let pragma = |name: &str| {
        unit.connection().query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, rusqlite::types::Value>(0))
    };
    assert_eq!(pragma("journal_mode"), Ok("wal".to_owned().into()));
    assert_eq!(pragma("synchronous"), Ok(2.into()));
    assert_eq!(pragma("foreign_keys"), Ok(1.into()));
}

#[test]
fn the_hosts_own_rows_share_the_transaction() {
    let (store, _folder) = fresh();
    block_on(async {
        let unit = store.begin().await.unwrap();
        unit.connection().execute_batch("CREATE TABLE listings (title TEXT NOT NULL) STRICT").unwrap();
        store.commit(unit).await.unwrap();
        let listings = "SELECT count(*) FROM listings";
        let add = "INSERT INTO listings VALUES ('a bicycle')";

        let mut unit = store.begin().await.unwrap();
        unit.connection().execute(add, []).unwrap();
        stored(&mut unit, &full()).await;
        drop(unit);
        let mut unit = store.begin().await.unwrap();
        assert_eq!(unit.connection().query_row(listings, [], |row| row.get(0)), Ok(0));
        assert_eq!(unit.log(order(1)).await.unwrap(), None);

        // A refused commit takes none of the host's rows with it.
        unit.connection().execute(add, []).unwrap();
        stored(&mut unit, &full()).await;
        assert_eq!(unit.append(&full()).await.unwrap(), Appended::Stale);
        store.commit(unit).await.unwrap();
        let mut unit = store.begin().await.unwrap();
        assert_eq!(unit.connection().query_row(listings, [], |row| row.get(0)), Ok(1));
        assert!(unit.log(order(1)).await.unwrap().is_some());
    });
}

#[test]
fn only_the_unit_ends_its_transaction() {
    let (store, _folder) = fresh();
    block_on(async {
        let mut unit = store.begin().await.unwrap();
        stored(&mut unit, &opens(order(2))).await;
        unit.connection().execute_batch("COMMIT").unwrap_err();
        store.commit(unit).await.unwrap();

        let mut unit = store.begin().await.unwrap();
        unit.connection().execute_batch("ROLLBACK").unwrap();
        assert!(matches!(unit.append(&full()).await, Err(SqliteError::Ended)));
        assert!(matches!(unit.find(&Query::DueBy(at(0)), None, 1).await, Err(SqliteError::Ended)));
        assert!(matches!(store.commit(unit).await, Err(SqliteError::Ended)));

        let mut unit = store.begin().await.unwrap();
        unit.connection().execute_batch("ROLLBACK; BEGIN").unwrap();
        stored(&mut unit, &full()).await;
        assert!(matches!(store.commit(unit).await, Err(SqliteError::Ended)));
        let mut unit = store.begin().await.unwrap();
        assert_eq!(unit.log(order(1)).await.unwrap(), None);
        assert!(unit.log(order(2)).await.unwrap().is_some());
    });
}

#[test]
fn a_statement_by_hand_cannot_overdraw() {
    let (store, folder) = fresh();
    block_on(saved(&store, &full()));
    let plain = Connection::open(path(&folder)).unwrap();
    for overdraw in [
        "UPDATE escrowed_balances SET minor = minor - 6 WHERE account = 'wallet:alice'",
        "INSERT INTO escrowed_balances VALUES ('wallet:bob', 'EUR', -1)",
        "INSERT INTO escrowed_balances VALUES ('wallet:world:', 'EUR', -1)",
        "INSERT INTO escrowed_balances VALUES ('world', 'EUR', -1)",
        "INSERT INTO escrowed_balances VALUES ('World:sandbox', 'EUR', -1)",
        "INSERT INTO escrowed_balances VALUES ('world;sandbox', 'EUR', -1)",
        "INSERT INTO escrowed_balances VALUES ('debts:bob', 'EUR', -1)",
        "INSERT INTO escrowed_balances VALUES ('debt:bob', 'EUR', 1)",
        "UPDATE escrowed_balances SET minor = 0.5 WHERE account = 'wallet:alice'",
    ] {
        let refused = plain.execute(overdraw, []).unwrap_err();
        assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::ConstraintViolation), "{overdraw}");
    }
}

#[test]
fn another_program_shares_the_file() {
    let (store, folder) = fresh();
    let other = Sqlite::open(path(&folder)).unwrap();
    block_on(async {
        let first = saved(&store, &full()).await;
        let second = saved(&other, &goes_on(order(1), first, 2)).await;
        let mut unit = store.begin().await.unwrap();
        assert_eq!(unit.append(&goes_on(order(1), first, 2)).await.unwrap(), Appended::Stale);
        stored(&mut unit, &goes_on(order(1), second, 3)).await;
        // While one writes, another waits for its turn as long as it has patience.
        let hurried = Connection::open(path(&folder)).unwrap();
        hurried.busy_timeout(Duration::ZERO).unwrap();
        let busy = Sqlite::from_connection(hurried).unwrap_err();
        assert!(busy.is_busy(), "{busy:?}");
        // Nothing was lost, so nobody tries again at once and holds his thread for as long again.
        other.0.lock().await.busy_timeout(Duration::ZERO).unwrap();
        let busy = other.begin().await.unwrap_err();
        assert!(matches!(busy, SqliteError::Busy(_)) && busy.is_busy() && !other.is_lost_race(&busy), "{busy:?}");
        store.commit(unit).await.unwrap();
        let mut unit = other.begin().await.unwrap();
        let lease = Lease {
            worker: "w".parse().unwrap(),
            gateway: "sandbox".parse().unwrap(),
            now: at(0),
            until: at(9),
            limit: 9,
        };
        assert_eq!(unit.lease(&lease).await.unwrap().len(), 1);
    });
}

#[test]
fn a_full_disk_leaves_nothing_of_a_commit() {
    let (store, _folder) = fresh();
    block_on(async {
        let first = saved(&store, &full()).await;
        let limit = |pages: &str| format!("PRAGMA max_page_count = {pages}");
        let mut unit = store.begin().await.unwrap();
        // Below the number of pages there are, it is the number of pages there are.
        unit.connection().query_row(&limit("1"), [], |_| Ok(())).unwrap();
        let mut big = goes_on(order(1), first, 2);
        big.entries = vec![entry("world:sandbox", "wallet:bob", 1)];
        big.records[0].payload = crate::store::Payload::new("x".repeat(100_000));
        let error = unit.append(&big).await.unwrap_err();
        assert!(matches!(error, SqliteError::Database(_)), "{error:?}");
        // Whether SQLite gave up the whole transaction is its own affair: what is committed is sound.
        let _perhaps = store.commit(unit).await;
        let mut unit = store.begin().await.unwrap();
        unit.connection().query_row(&limit("1000000"), [], |_| Ok(())).unwrap();
        assert_eq!(unit.log(order(1)).await.unwrap().unwrap().revision, first);
        assert!(unit.balance(&account("wallet:bob"), Currency::EUR).await.unwrap().is_zero());
        stored(&mut unit, &big).await;
        store.commit(unit).await.unwrap();
    });
}

#[test]
fn every_query_has_its_index() {
    let (store, _folder) = fresh();
    let unit = block_on(store.begin()).unwrap();
    for (query, index) in crate::sqlite::views::QUERIES
        .into_iter()
        .chain(crate::sqlite::outbox::QUERIES)
        .chain(crate::sqlite::inventory::QUERIES)
    {
        let mut statement = unit.connection().prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        let nulls = vec![rusqlite::types::Null; statement.parameter_count()];
        let steps = statement.query_map(rusqlite::params_from_iter(nulls), |row| row.get::<_, String>("detail"));
        let plan = steps.unwrap().collect::<Result<Vec<_>, _>>().unwrap().join("\n");
        assert!(plan.contains(index), "{query}\n{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{query}\n{plan}");
    }
}

#[test]
fn a_host_sees_the_rows_as_text() {
    let (store, folder) = fresh();
    block_on(saved(&store, &full()));
    let plain = Connection::open(path(&folder)).unwrap();
    let row: Option<(String, String)> = plain
        .query_row("SELECT id, parties FROM escrowed_subjects", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .unwrap();
    assert_eq!(row, Some((order(1).to_string(), r#"["alice"]"#.to_owned())));
}
