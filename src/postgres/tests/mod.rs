mod agreement;
#[path = "../../../tests/all/postgres/database.rs"]
pub(crate) mod database;
pub(crate) mod races;
mod trips;

use super::*;
use crate::{
    conformance::store::commits::{account, at, charge, entry, euro, goes_on, key, opens, order, payin, saved, stored},
    conformance::store::tampered,
    gateway::Outcome,
    ledger::{Entry, Purpose},
    memory::Memory,
    money::{Currency, Money},
    store::{
        Appended, AppendedAll, BookedEntry, Commit, Inventory, Outbox, Payload, Request, Settlement, Store,
        Unacknowledged, UnitOfWork, Views,
    },
};
use database::{Database, block_on};
use std::collections::BTreeMap;

mod read_committed {
    use super::*;

    fn on_postgres(promise: impl AsyncFnOnce(&Postgres)) {
        let database = Database::new();
        block_on(async { promise(&database.store().await).await });
    }

    crate::store_promises!(on_postgres);
}

mod serializable {
    use super::*;

    fn on_postgres(promise: impl AsyncFnOnce(&Postgres)) {
        let database = Database::new();
        block_on(async { promise(&database.store().await.serializable()).await });
    }

    crate::store_promises!(on_postgres);
}

/// One of everything.
fn full() -> Commit {
    let mut commit = opens(order(1));
    commit.entries = vec![entry("world:sandbox", "wallet:alice", 5)];
    commit.calls = vec![charge(payin(1), at(0))];
    commit.index.parties = ["alice".parse().unwrap()].into();
    commit.request = Some(Request::new("anna-1", "open").unwrap());
    commit
}

#[test]
fn a_bare_connection_writes_each_append_at_once() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let mut bare = store.pool().acquire().await.unwrap();
        let first = stored(&mut *bare, &full()).await;
        // Another connection sees it: it is durable already.
        let log = store.begin().await.unwrap().log(order(1)).await.unwrap().unwrap();
        assert_eq!(log.revision, first);

        let mut refused = goes_on(order(1), first, 2);
        refused.entries = vec![entry("wallet:alice", "wallet:bob", 6)];
        let all = bare.append_all(&[opens(order(2)), opens(order(3)), refused]).await.unwrap();
        let why = Appended::Overdrawn { account: account("wallet:alice") };
        assert_eq!(all, AppendedAll::Refused { position: 2, why });
        assert_eq!(bare.log(order(2)).await.unwrap(), None);
        let outcome = Outcome::Settled { moved: euro(1250) };
        let settles = [Settlement { key: key(&charge(payin(1), at(0))), outcome }].into();
        stored(&mut *bare, &Commit { settles, ..goes_on(order(1), first, 2) }).await;
    });
}

#[test]
fn an_event_that_has_no_json_is_told_of_and_nothing_is_written() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let mut bare = store.pool().acquire().await.unwrap();
        for many in [1, 2, 9] {
            let mut commits: Vec<_> = (1..=many).map(|number| opens(order(number))).collect();
            // Keys that are no strings.
            commits.last_mut().unwrap().records[0].payload = Payload::new(BTreeMap::from([((1, 2), 3)]));
            let error = bare.append_all(&commits).await.unwrap_err();
            assert!(matches!(error, PostgresError::Unwritable(_)), "{error:?}");
            let mut unit = store.begin().await.unwrap();
            let error = unit.append_all(&commits).await.unwrap_err();
            assert!(matches!(error, PostgresError::Unwritable(_)), "{error:?}");
            // It goes on.
            stored(&mut unit, &opens(order(100 + many))).await;
            store.commit(unit).await.unwrap();
            for number in 1..=many {
                assert_eq!(bare.log(order(number)).await.unwrap(), None);
            }
            assert!(bare.log(order(100 + many)).await.unwrap().is_some());
        }
    });
}

/// What parts of a statement share is what each of them means: whatever two entries have in common, whichever way they go.
#[test]
fn two_entries_of_one_commit_are_not_mixed_up() {
    let accounts = ["world:sandbox", "wallet:alice", "wallet:bob"];
    let ways = || accounts.iter().flat_map(|from| accounts.iter().map(move |to| (*from, *to)));
    let entries: Vec<_> = ways()
        .filter(|(from, to)| from != to)
        .flat_map(|(from, to)| [Currency::EUR, Currency::USD].map(|currency| (from, to, currency)))
        .collect();
    let moves = |(from, to, currency): (&str, &str, Currency), minor| {
        Entry::new(account(from), account(to), Money::from_minor(minor, currency), Purpose::Payin).unwrap()
    };
    let database = Database::new();
    block_on(async {
        let (store, memory) = (database.store().await, Memory::new());
        let mut bare = store.pool().acquire().await.unwrap();
        let mut number = 0;
        for one in &entries {
            for other in &entries {
                number += 1;
                let minor = i64::try_from(number).unwrap();
                let two = vec![moves(*one, 1_000 + minor), moves(*other, minor)];
                let commit = Commit { entries: two, ..opens(order(number)) };
                let mut unit = memory.begin().await.unwrap();
                let expected = matches!(unit.append(&commit).await.unwrap(), Appended::Stored(_));
                memory.commit(unit).await.unwrap();
                // By turns with what is looked at ahead, and behind.
                let appended = if number % 2 == 0 {
                    bare.append(&commit).await.unwrap()
                } else {
                    let mut unit = store.begin().await.unwrap();
                    let appended = unit.append(&commit).await.unwrap();
                    store.commit(unit).await.unwrap();
                    appended
                };
                assert_eq!(matches!(appended, Appended::Stored(_)), expected, "{one:?}, {other:?}: {appended:?}");
            }
        }
        let mut unit = memory.begin().await.unwrap();
        let (books, balances) =
            (unit.books(0, usize::MAX).await.unwrap(), unit.balances(None, usize::MAX).await.unwrap());
        assert_eq!(bare.balances(None, usize::MAX).await.unwrap(), balances);
        let written = bare.books(0, usize::MAX).await.unwrap();
        let told = |books: Vec<BookedEntry>| {
            books.into_iter().map(|booked| BookedEntry { number: 0, ..booked }).collect::<Vec<_>>()
        };
        assert_eq!(told(written), told(books));
    });
}

#[test]
fn the_hosts_own_rows_share_the_transaction() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        sqlx::raw_sql("CREATE TABLE listings (title text NOT NULL)").execute(store.pool()).await.unwrap();
        let count = async |store: &Postgres| -> i64 {
            sqlx::query_scalar("SELECT count(*) FROM listings").fetch_one(store.pool()).await.unwrap()
        };
        let add = "INSERT INTO listings VALUES ('a bicycle')";

        let mut host = store.pool().begin().await.unwrap();
        sqlx::query(add).execute(&mut *host).await.unwrap();
        stored(&mut host, &full()).await;
        host.rollback().await.unwrap();
        assert_eq!(count(&store).await, 0);
        assert_eq!(store.begin().await.unwrap().log(order(1)).await.unwrap(), None);

        // A refused commit takes none of the host's rows with it.
        let mut host = store.pool().begin().await.unwrap();
        sqlx::query(add).execute(&mut *host).await.unwrap();
        stored(&mut host, &full()).await;
        assert_eq!(host.append(&full()).await.unwrap(), Appended::Stale);
        host.commit().await.unwrap();
        assert_eq!(count(&store).await, 1);
        assert!(store.begin().await.unwrap().log(order(1)).await.unwrap().is_some());
    });
}

#[test]
fn a_later_version_is_refused_and_a_migration_runs_once() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let again = database.store().await;
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM escrowed_migrations").fetch_one(again.pool()).await.unwrap();
        assert_eq!(rows, 1);
        let later = "INSERT INTO escrowed_migrations (version) VALUES (99)";
        sqlx::query(later).execute(store.pool()).await.unwrap();
        let refused = Postgres::from_pool(store.pool().clone()).await;
        assert!(matches!(refused, Err(PostgresError::LaterVersion { found: 99, known: 1 })), "{refused:?}");
    });
}

#[test]
fn programs_that_start_at_once_migrate_once() {
    let database = Database::new();
    block_on(async {
        // Whatever isolation is the server's own: a snapshot from before the lock shows no tables of others.
        let options = database.options().options([("default_transaction_isolation", "serializable")]);
        let store = || async {
            Postgres::from_pool(PgPoolOptions::new().connect_with(options.clone()).await.unwrap()).await.unwrap()
        };
        let stores = futures_util::future::join_all((0..6).map(|_| store())).await;
        saved(&stores[0], &full()).await;
    });
}

#[test]
fn a_statement_by_hand_cannot_overdraw() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        saved(&store, &full()).await;
        for overdraw in [
            "UPDATE escrowed_stripes SET holds = holds - 6 WHERE account = 'wallet:alice'",
            "INSERT INTO escrowed_stripes (account, currency, stripe, holds) VALUES ('wallet:bob', 'EUR', 0, -1)",
            "INSERT INTO escrowed_stripes (account, currency, stripe, owes) VALUES ('debt:alice', 'EUR', 0, 1)",
            // Nor spread money so far that no sum can tell it.
            "INSERT INTO escrowed_stripes (account, currency, stripe, holds) VALUES ('wallet:alice', 'EUR', 64, 5)",
            "UPDATE escrowed_stripes SET holds = 144115188075855872 WHERE account = 'wallet:alice'",
        ] {
            let refused = sqlx::query(overdraw).execute(store.pool()).await.unwrap_err();
            assert!(refused.as_database_error().is_some_and(|error| error.is_check_violation()), "{overdraw}");
        }
    });
}

#[test]
fn money_where_nobody_takes_it_is_told() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        saved(&store, &full()).await;
        const ESCROW: &str = "escrow:ord_00000000000000000000000001";
        for (column, name, stripe, minor, in_place) in [
            ("holds", "wallet:carol", 63, 5, true),
            ("outside", "wallet:carol", 0, 5, false),
            ("holds", ESCROW, 0, 5, true),
            ("holds", ESCROW, 1, 5, false),
            ("outside", ESCROW, 0, 5, false),
            ("owes", "debt:carol", 0, -5, true),
            ("owes", "debt:carol", 1, -5, false),
            ("outside", "world:elsewhere", 63, -5, true),
            ("holds", "world:elsewhere", 63, 5, false),
        ] {
            let mut unit = store.begin().await.unwrap();
            let put = format!(
                "INSERT INTO escrowed_stripes (account, currency, stripe, {column}) VALUES ('{name}', 'EUR', {stripe}, {minor})"
            );
            sqlx::query(sqlx::AssertSqlSafe(put)).execute(&mut *unit).await.unwrap();
            let told = |error| matches!(error, PostgresError::Corrupt { table: "escrowed_balances", .. });
            for one in ["wallet:carol", ESCROW, "debt:carol", "world:elsewhere"] {
                let ill = one == name && !in_place;
                assert_eq!(unit.balances_of(&account(one)).await.is_err_and(told), ill, "{one}, {name}, {column}");
            }
            assert_eq!(
                unit.balance(&account(name), Currency::EUR).await.is_err_and(told),
                !in_place,
                "{name}, {column}"
            );
            assert_eq!(unit.balances(None, 9).await.is_err_and(told), !in_place, "{name}, {column}");
            if !in_place && name == "wallet:carol" {
                // Nor is whoever takes of it told for ever that another was faster, or that there is too little.
                for minor in [1, 9] {
                    let mut takes = opens(order(7));
                    takes.entries = vec![entry(name, "wallet:bob", minor)];
                    assert!(unit.append(&takes).await.is_err_and(told), "{minor}");
                }
                // What is refused for another reason is told that.
                let mut stale = opens(order(1));
                stale.entries = vec![entry("world:sandbox", name, 1)];
                assert_eq!(unit.append(&stale).await.unwrap(), Appended::Stale);
            }
        }
    });
}

#[test]
fn a_row_that_cannot_be_right_is_an_error() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        saved(&store, &full()).await;
        for (alter, table) in [
            ("UPDATE escrowed_events SET actor = 'nobody'", "escrowed_events"),
            ("UPDATE escrowed_events SET at = 9223372036854775807", "escrowed_events"),
            ("UPDATE escrowed_events SET version = 70000", "escrowed_events"),
            ("DELETE FROM escrowed_events", "escrowed_events"),
        ] {
            let mut unit = store.begin().await.unwrap();
            sqlx::query(alter).execute(&mut *unit).await.unwrap();
            let error = unit.log(order(1)).await.unwrap_err();
            assert!(matches!(&error, PostgresError::Corrupt { table: found, .. } if *found == table), "{error:?}");
        }
        let mut unit = store.begin().await.unwrap();
        sqlx::query("UPDATE escrowed_calls SET sent = leases + 1").execute(&mut *unit).await.unwrap();
        let error = unit.call(&key(&charge(payin(1), at(0)))).await.unwrap_err();
        assert!(matches!(&error, PostgresError::Corrupt { table: "escrowed_calls", .. }), "{error:?}");
        let mut unit = store.begin().await.unwrap();
        sqlx::query("UPDATE escrowed_stripes SET currency = 'XXY'").execute(&mut *unit).await.unwrap();
        unit.balances(None, 9).await.unwrap_err();
    });
}

#[test]
fn a_call_that_cannot_be_read_stops_no_other() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        tampered::a_call_stops_no_other(&store, async |tamper| alters_one_row(&store, tamper).await).await;
    });
}

#[test]
fn a_subject_that_cannot_be_read_stops_no_other() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        tampered::a_subject_stops_no_other(&store, async |tamper| alters_one_row(&store, tamper).await).await;
    });
}

async fn alters_one_row(store: &Postgres, tamper: &str) {
    let done = sqlx::query(sqlx::AssertSqlSafe(tamper)).execute(store.pool()).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{tamper}");
}

#[test]
fn a_wallet_is_drained_from_all_its_stripes() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let mut commit = opens(order(1));
        commit.entries = vec![entry("world:sandbox", "wallet:shop", 1)];
        saved(&store, &commit).await;
        let spread = "INSERT INTO escrowed_stripes SELECT 'wallet:shop', 'EUR', stripe, 10
FROM generate_series(1, 63) AS stripe WHERE stripe NOT IN (SELECT stripe FROM escrowed_stripes) LIMIT 7";
        sqlx::query(spread).execute(store.pool()).await.unwrap();
        let pay = |number, minor| {
            let mut commit = opens(order(number));
            commit.entries = vec![entry("wallet:shop", "wallet:bob", minor)];
            commit
        };
        let mut unit = store.begin().await.unwrap();
        assert_eq!(unit.append(&pay(2, 72)).await.unwrap(), Appended::Overdrawn { account: account("wallet:shop") });
        stored(&mut unit, &pay(2, 33)).await;
        assert_eq!(unit.balance(&account("wallet:shop"), Currency::EUR).await.unwrap(), euro(38));
        stored(&mut unit, &pay(3, 38)).await;
        assert!(unit.balance(&account("wallet:shop"), Currency::EUR).await.unwrap().is_zero());
        assert_eq!(unit.balance(&account("wallet:bob"), Currency::EUR).await.unwrap(), euro(71));
    });
}

#[test]
fn every_query_has_its_index() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let mut unit = store.begin().await.unwrap();
        // With few rows PostgreSQL would rather read them all; that it can do without is what counts.
        for setting in ["enable_seqscan", "enable_sort", "enable_hashagg", "enable_bitmapscan"] {
            sqlx::query(sqlx::AssertSqlSafe(format!("SET LOCAL {setting} = off"))).execute(&mut *unit).await.unwrap();
        }
        let outbox = [
            (outbox::LEASE, "escrowed_calls_due"),
            (outbox::LEASE, "escrowed_calls_queued"),
            (outbox::POSTPONE, "escrowed_calls_pkey"),
            (outbox::PARK, "escrowed_calls_pkey"),
            (outbox::LEASE_DUE, "escrowed_subjects_deadline"),
        ];
        for (number, (query, index)) in views::QUERIES.into_iter().chain(inventory::QUERIES).chain(outbox).enumerate() {
            let prepare = format!("PREPARE q{number} AS {query}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)).execute(&mut *unit).await.unwrap();
            let count = (1..=9).filter(|place| query.contains(&format!("${place}"))).count();
            let nulls = vec!["NULL"; count].join(", ");
            let explain =
                format!("EXPLAIN (GENERIC_PLAN OFF) EXECUTE q{number}({nulls})").replace("(GENERIC_PLAN OFF) ", "");
            let setting = "SET LOCAL plan_cache_mode = force_generic_plan";
            sqlx::raw_sql(setting).execute(&mut *unit).await.unwrap();
            let plan: Vec<String> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).fetch_all(&mut *unit).await.unwrap();
            let plan = plan.join("\n");
            assert!(plan.contains(index), "{query}\n{plan}");
            let whole = ["VALUES", "escrowed_entries ORDER"].iter().any(|all| query.contains(all));
            assert!(whole || plan.contains("Index Cond"), "{query}\n{plan}");
            assert!(!plan.contains("Seq Scan"), "{query}\n{plan}");
        }
    });
}
