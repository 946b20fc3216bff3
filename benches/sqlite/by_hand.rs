//! What a careful author would write by hand: the same rows, found by the same queries, with the same checks (the revision
//! has not changed, no account goes below zero) and as durable. Statements are prepared once, and values are text and
//! numbers already when the clock starts. There are no foreign keys.

use super::{clock::Clock, payee, rows, tab};
use rusqlite::{Connection, Statement, ToSql, params};
use std::{path::Path, time::Duration};

const SCHEMA: &str = "
CREATE TABLE subjects (
    id TEXT NOT NULL PRIMARY KEY, lifecycle TEXT NOT NULL, status TEXT NOT NULL, parties TEXT NOT NULL, about TEXT,
    deadline INTEGER, held INTEGER NOT NULL, currency TEXT NOT NULL, revision INTEGER NOT NULL, seq INTEGER NOT NULL,
    worker TEXT, lease_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX subjects_status ON subjects (lifecycle, status, id);
CREATE INDEX subjects_about ON subjects (about, id) WHERE about IS NOT NULL;
CREATE INDEX subjects_deadline ON subjects (deadline, id) WHERE deadline IS NOT NULL;
CREATE TABLE parties (party TEXT NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (party, subject)) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    subject TEXT NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, actor TEXT NOT NULL,
    at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (subject, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE balances (
    account TEXT NOT NULL, currency TEXT NOT NULL, minor INTEGER NOT NULL CHECK (minor >= 0),
    PRIMARY KEY (account, currency)
) STRICT, WITHOUT ROWID;
CREATE TABLE entries (
    number INTEGER PRIMARY KEY, subject TEXT NOT NULL, seq INTEGER NOT NULL, from_account TEXT NOT NULL,
    to_account TEXT NOT NULL, minor INTEGER NOT NULL CHECK (minor > 0), currency TEXT NOT NULL, purpose TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX entries_from ON entries (from_account, number);
CREATE INDEX entries_to ON entries (to_account, number);
CREATE TABLE calls (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, lane TEXT NOT NULL, gateway TEXT NOT NULL,
    instruction TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, worker TEXT,
    lease_until INTEGER, outcome TEXT, problem TEXT, leases INTEGER NOT NULL DEFAULT 0, sent INTEGER
) STRICT;
CREATE INDEX calls_due ON calls (gateway, due, number) WHERE status IN ('queued', 'pending');
CREATE INDEX calls_queued ON calls (lane, number) WHERE status = 'queued';
CREATE INDEX calls_status ON calls (status, key);
";

// The parties stay who they are.
const GO_ON: &str = "UPDATE subjects SET lifecycle = ?2, status = ?3, about = NULL, deadline = NULL,
    held = ?4, currency = ?5, revision = revision + 1, seq = ?6, worker = NULL, lease_until = NULL
WHERE id = ?1 AND revision = ?7";
const EVENT: &str =
    "INSERT INTO events (subject, seq, name, version, actor, at, body) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6)";
const TAKE: &str = "UPDATE balances SET minor = minor - ?3 WHERE account = ?1 AND currency = ?2";
const ADD: &str = "INSERT INTO balances (account, currency, minor) VALUES (?1, ?2, ?3)
ON CONFLICT (account, currency) DO UPDATE SET minor = minor + excluded.minor";
const ENTER: &str = "INSERT INTO entries (subject, seq, from_account, to_account, minor, currency, purpose, at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const ENQUEUE: &str = "INSERT INTO calls (key, lane, gateway, instruction, status, attempts, due)
VALUES (?1, ?2, ?3, ?4, 'queued', 0, ?5)";

/// Who pays, as it is written.
pub(crate) const ACTOR: &str = r#"{"office":{"role":"platform","id":"ops"}}"#;

pub(crate) enum Settings {
    /// As SQLite comes.
    Plain,
    /// 64 MiB of page cache, and a checkpoint every 40 MB instead of every 4 MB.
    Tuned,
}

/// What one commit writes, but for what depends on the order's own row.
pub(crate) struct Row {
    pub(crate) number: usize,
    pub(crate) wallet: String,
    pub(crate) actor: String,
    pub(crate) body: String,
    pub(crate) key: String,
    pub(crate) instruction: String,
    pub(crate) at: i64,
}

struct Order {
    id: String,
    account: String,
    held: i64,
    revision: i64,
    seq: i64,
}

pub(crate) struct ByHand {
    orders: Vec<Order>,
    next: usize,
    begin: Statement<'static>,
    go_on: Statement<'static>,
    event: Statement<'static>,
    take: Statement<'static>,
    add: Statement<'static>,
    enter: Statement<'static>,
    enqueue: Statement<'static>,
    commit: Statement<'static>,
}

impl ByHand {
    /// Opens an order for each of these ids. They are the same for all ways: how far apart orders of one batch lie decides
    /// how many pages it writes.
    pub(crate) fn new(path: &Path, settings: Settings, ids: &[tab::TabId]) -> Self {
        // For the life of the program: the statements borrow it.
        let connection: &'static Connection = Box::leak(Box::new(Connection::open(path).expect("a fresh file")));
        connection.pragma_update(None, "journal_mode", "WAL").expect("WAL");
        connection.pragma_update(None, "synchronous", "FULL").expect("FULL");
        if let Settings::Tuned = settings {
            connection.pragma_update(None, "cache_size", -65_536).expect("a page cache");
            connection.pragma_update(None, "wal_autocheckpoint", 10_000).expect("checkpoints");
        }
        connection.execute_batch(SCHEMA).expect("tables");
        connection.execute_batch("BEGIN IMMEDIATE").expect("begun");
        let orders = ids.iter().enumerate().map(|(number, id)| open(connection, number, id)).collect();
        connection.execute_batch("COMMIT").expect("committed");
        let prepare = |text: &str| connection.prepare(text).expect("a statement");
        Self {
            orders,
            next: 0,
            begin: prepare("BEGIN IMMEDIATE"),
            go_on: prepare(GO_ON),
            event: prepare(EVENT),
            take: prepare(TAKE),
            add: prepare(ADD),
            enter: prepare(ENTER),
            enqueue: prepare(ENQUEUE),
            commit: prepare("COMMIT"),
        }
    }

    pub(crate) fn round(&mut self, batch: usize, transactions: usize) -> [Duration; 2] {
        let (all, from) = (self.orders.len(), self.next);
        self.next += batch * transactions;
        let rows = rows((from..self.next).map(|number| number % all));
        let start = Clock::start();
        for rows in rows.chunks(batch) {
            self.begin.execute([]).expect("begun");
            for row in rows {
                self.write(row);
            }
            self.commit.execute([]).expect("durable");
        }
        start.stop()
    }

    fn write(&mut self, row: &Row) {
        let order = &mut self.orders[row.number];
        let (held, seq, amount, currency) = (order.held - tab::AMOUNT, order.seq + 1, tab::AMOUNT, "EUR");
        let values = params![order.id, "tab", "RUNNING", held, currency, seq, order.revision];
        let gone_on = self.go_on.execute(values).expect("an index row");
        assert_eq!(gone_on, 1, "nobody else has changed it");
        let taken = self.take.execute(params![order.account, currency, amount]).expect("a balance");
        assert_eq!(taken, 1, "the account is there");
        self.add.execute(params![row.wallet, currency, amount]).expect("a balance");
        self.event.execute(params![order.id, seq, "pay", row.actor, row.at, row.body]).expect("an event");
        let values = params![order.id, seq, order.account, row.wallet, amount, currency, "release", row.at];
        self.enter.execute(values).expect("an entry");
        let values = params![row.key, order.id, "sandbox", row.instruction, row.at];
        self.enqueue.execute(values).expect("a call");
        order.held = held;
        order.seq = seq;
        order.revision += 1;
    }
}

// Opened and funded: every row that an order of ours begins with, so that both fill as many pages.
fn open(connection: &Connection, number: usize, id: &tab::TabId) -> Order {
    let (at, id, payee) = (tab::stamp().at, id.to_string(), payee(number));
    let account = format!("escrow:{id}");
    let execute = |text: &str, values: &[&dyn ToSql]| {
        connection.prepare_cached(text).expect("a statement").execute(values).expect("a row");
    };
    let subject = "INSERT INTO subjects (id, lifecycle, status, parties, held, currency, revision, seq)
VALUES (?1, 'tab', 'RUNNING', ?2, ?3, 'EUR', 1, 2)";
    execute(subject, params![id, format!("[\"{payee}\"]"), tab::FUNDS]);
    execute("INSERT INTO parties VALUES (?1, ?2)", params![payee, id]);
    for (seq, name, body) in
        [(1, "open", format!("{{\"payee\":\"{payee}\"}}")), (2, "fund", r#"{"until":null}"#.to_owned())]
    {
        execute(EVENT, params![id, seq, name, ACTOR, at.unix_micros(), body]);
    }
    execute(ADD, params![account, "EUR", tab::FUNDS]);
    let values = params![id, 2, "world:sandbox", account, tab::FUNDS, "EUR", "payin", at.unix_micros()];
    execute(ENTER, values);
    Order { id, account, held: tab::FUNDS, revision: 1, seq: 2 }
}
