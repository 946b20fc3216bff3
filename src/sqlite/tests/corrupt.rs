//! Rows that somebody has tampered with are errors, never panics and never guesses.

use super::*;
use crate::{
    conformance::store::tampered,
    store::{CallStatus, Inventory},
};

/// A connection that SQLite lets do anything.
fn unchecked(folder: &TempDir) -> Connection {
    let plain = Connection::open(path(folder)).unwrap();
    plain.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF").unwrap();
    plain
}

/// Changes a row behind the store's back, and tells whether every way to read it names the table.
fn assert_noticed(tamper: &str, table: &str) {
    let (store, folder) = fresh();
    block_on(async {
        saved(&store, &full()).await;
        let plain = unchecked(&folder);
        assert!(plain.execute(tamper, []).unwrap() > 0, "{tamper}");
        let mut unit = store.begin().await.unwrap();
        let alice = account("wallet:alice");
        let lease = Lease {
            worker: "w".parse().unwrap(),
            gateway: "sandbox".parse().unwrap(),
            now: at(0),
            until: at(9),
            limit: 9,
        };
        let errors = [
            unit.log(order(1)).await.err(),
            unit.find(&Query::Party("alice".parse().unwrap()), None, 9).await.err(),
            unit.balances(None, 9).await.err(),
            unit.entries(&alice, 0, 9).await.err(),
            unit.call(&key(&charge(payin(1), at(0)))).await.err(),
        ];
        let errors: Vec<_> = errors.into_iter().flatten().collect();
        let listed = unit.calls(CallStatus::Queued, None, 9).await.unwrap();
        let taken = unit.lease(&lease).await.unwrap();
        // What cannot be read is told in its place.
        let told = [listed.iter().any(Result::is_err), taken.iter().any(Result::is_err)];
        assert_eq!(told, [table == "escrowed_calls"; 2], "{tamper}");
        assert!(!errors.is_empty(), "{tamper}");
        for error in errors {
            let SqliteError::Corrupt { table: named, .. } = &error else { panic!("{tamper}: {error:?}") };
            assert_eq!(*named, table, "{error}");
        }
    });
}

#[test]
fn of_the_log() {
    for tamper in [
        "UPDATE escrowed_events SET seq = -1",
        "UPDATE escrowed_events SET seq = 5000000000",
        "UPDATE escrowed_events SET version = 70000",
        "UPDATE escrowed_events SET actor = '{'",
        "UPDATE escrowed_events SET actor = '\"mallory\"'",
        "UPDATE escrowed_events SET at = 9223372036854775807",
        "UPDATE escrowed_events SET body = CAST(x'ff' AS TEXT)",
        "UPDATE escrowed_subjects SET seq = 2",
    ] {
        assert_noticed(tamper, "escrowed_events");
    }
}

#[test]
fn of_the_index() {
    for tamper in ["about = 'nothing'", "deadline = 9223372036854775807", "currency = 'XAU'", "currency = ''"] {
        assert_noticed(&format!("UPDATE escrowed_subjects SET {tamper}"), "escrowed_subjects");
    }
}

#[test]
fn of_the_books() {
    for tamper in ["account = 'wallet:'", "currency = '?'"] {
        let tamper = format!("UPDATE escrowed_balances SET {tamper} WHERE account NOT GLOB 'world:*'");
        assert_noticed(&tamper, "escrowed_balances");
    }
    for tamper in ["from_account = 'safe:x'", "seq = -1", "purpose = 'theft'", "at = -9223372036854775807"] {
        assert_noticed(&format!("UPDATE escrowed_entries SET {tamper}"), "escrowed_entries");
    }
}

#[test]
fn of_the_outbox() {
    let other = payin(2);
    for tamper in [
        "attempts = 5000000000",
        "instruction = '{}'",
        "instruction = 'null'",
        &format!(
            "instruction = '{{\"void\":{{\"payin\":\"{other}\",\"amount\":{{\"amount\":1,\"currency\":\"EUR\"}}}}}}'"
        ),
    ] {
        assert_noticed(&format!("UPDATE escrowed_calls SET {tamper}"), "escrowed_calls");
    }
    for tamper in [
        "attempts = -5",
        "status = 'lost'",
        "outcome = '{}'",
        "problem = ''",
        "gateway = ''",
        "due = 9223372036854775807",
    ] {
        let (store, folder) = fresh();
        block_on(async {
            saved(&store, &full()).await;
            let plain = unchecked(&folder);
            plain.execute(&format!("UPDATE escrowed_calls SET {tamper}"), []).unwrap();
            let mut unit = store.begin().await.unwrap();
            let error = unit.call(&key(&charge(payin(1), at(0)))).await.unwrap_err();
            assert!(matches!(error, SqliteError::Corrupt { table: "escrowed_calls", .. }), "{tamper}: {error:?}");
        });
    }
}

#[test]
fn of_the_outbox_and_stops_no_other() {
    let (store, folder) = fresh();
    let plain = unchecked(&folder);
    let run = async |tamper: &str| assert_eq!(plain.execute(tamper, []).unwrap(), 1, "{tamper}");
    block_on(tampered::a_call_stops_no_other(&store, run));
}

#[test]
fn of_the_index_and_stops_no_other() {
    let (store, folder) = fresh();
    let plain = unchecked(&folder);
    let run = async |tamper: &str| assert_eq!(plain.execute(tamper, []).unwrap(), 1, "{tamper}");
    block_on(tampered::a_subject_stops_no_other(&store, run));
}

#[test]
fn of_the_parties() {
    let (store, folder) = fresh();
    block_on(async {
        saved(&store, &full()).await;
        let plain = Connection::open(path(&folder)).unwrap();
        plain.execute("UPDATE escrowed_subjects SET parties = '['", []).unwrap();
        let mut unit = store.begin().await.unwrap();
        let error = unit.row(order(1)).await.unwrap_err();
        assert!(matches!(error, SqliteError::Corrupt { table: "escrowed_subjects", .. }), "{error:?}");
    });
}
