//! A connection that knows what it is doing, and can die of it.

use crate::market::process::say;
use escrowed::sqlite::Sqlite;
use futures_lite::future::block_on;
use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization, TransactionOperation},
};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

/// When to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Never.
    Live,
    /// Before this write or COMMIT, or right after this COMMIT, counted together from 1.
    AtPoint(u64),
    /// After so many steps of SQLite's virtual machine.
    AfterSteps(u64),
}

/// What a connection does at the moment.
#[derive(Debug)]
pub(crate) struct Watch {
    fate: Fate,
    armed: bool,
    steps: u64,
    points: u64,
    /// The table being written, or the statement that begins or ends the transaction.
    place: String,
    /// How many writes this transaction has made.
    writes: u64,
    updated: u64,
}

pub(crate) const BEFORE: &str = "before-COMMIT";
pub(crate) const AFTER: &str = "after-COMMIT";
const COMMIT: &str = "COMMIT";

/// Opens a file under watch. The steps count from the first one on, the points from the end of the opening.
pub(crate) fn open(file: &Path, fate: Fate) -> (Sqlite, Arc<Mutex<Watch>>) {
    let armed = !matches!(fate, Fate::AtPoint(_));
    let place = "opening".to_owned();
    let watch = Watch { fate, armed, steps: 0, points: 0, place, writes: 0, updated: 0 };
    let watch = Arc::new(Mutex::new(watch));
    let mut connection = Connection::open(file).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    let stepped = watch.clone();
    let step = move || {
        stepped.lock().unwrap().step();
        false
    };
    connection.progress_handler(1, Some(step)).unwrap();
    let prepared = watch.clone();
    let prepare = move |context: AuthContext<'_>| {
        prepared.lock().unwrap().prepare(&context);
        Authorization::Allow
    };
    connection.authorizer(Some(prepare)).unwrap();
    let store = Sqlite::from_connection(connection).unwrap();
    {
        use escrowed::store::Store;
        let unit = block_on(store.begin()).unwrap();
        // Each statement is prepared anew, so that each shows itself to the watch.
        unit.connection().set_prepared_statement_cache_capacity(0);
        // Pages go to the file before the COMMIT that makes them count.
        unit.connection().pragma_update(None, "cache_size", 1).unwrap();
    }
    watch.lock().unwrap().armed = true;
    (store, watch)
}

impl Watch {
    /// How many steps were made.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    fn step(&mut self) {
        self.steps += u64::from(self.armed);
        if self.place == COMMIT {
            // SQLite tells of its steps when a statement is over: it is written.
            self.place = AFTER.to_owned();
            self.point();
        }
        if self.armed && self.fate == Fate::AfterSteps(self.steps) {
            self.die();
        }
    }

    fn prepare(&mut self, context: &AuthContext<'_>) {
        match context.action {
            AuthAction::Transaction { operation: TransactionOperation::Begin } => self.go_to("BEGIN"),
            AuthAction::Transaction { operation: TransactionOperation::Rollback } => self.go_to("ROLLBACK"),
            AuthAction::Transaction { operation: TransactionOperation::Unknown } if self.writes > 0 => {
                self.place = BEFORE.to_owned();
                self.point();
                self.place = COMMIT.to_owned();
            }
            AuthAction::Insert { table_name } | AuthAction::Delete { table_name } => self.write(table_name),
            // Once per column; no step is made in between.
            AuthAction::Update { table_name, .. } if self.place != table_name || self.updated != self.steps => {
                self.write(table_name);
                self.updated = self.steps;
            }
            // The rest reads.
            _ => {}
        }
    }

    fn go_to(&mut self, place: &str) {
        self.place = place.to_owned();
        self.writes = 0;
    }

    fn write(&mut self, table: &str) {
        let guard = table == "escrowed_unit" || table == "escrowed_nothing";
        if guard || table.starts_with("sqlite_") {
            return;
        }
        self.point();
        self.place = table.to_owned();
        self.writes += 1;
    }

    fn point(&mut self) {
        if self.armed {
            self.points += 1;
            if self.fate == Fate::AtPoint(self.points) {
                self.die();
            }
        }
    }

    fn die(&self) -> ! {
        say(&format!("death {} {}", self.place, self.writes));
        std::process::abort()
    }
}
