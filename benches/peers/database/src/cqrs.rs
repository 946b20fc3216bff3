//! cqrs-es with postgres-es. It has no books, no outbox and no batches of several aggregates; a command is executed, and what
//! else is to be written is for queries, which its framework hands the event to after it is committed. Four ways:
//!
//! - `Executing::snapshots`: a command that reads the snapshot of its aggregate and writes an event and the next one.
//! - `Executing::view`: a command that reads the events, writes one and keeps the row that a host finds orders by. The framework
//!   calls that row a view: it reads it, and writes it.
//! - `Executing::views`: all rows that ours writes. The entry, both balances and the call are views of the framework's, too, each
//!   written by itself, and each balance read before.
//! - `Executing::statement`: all rows that ours writes. A query of the host's own writes all but the event, by the statement by
//!   hand.

use crate::by_hand;
use cqrs_es::{
    Aggregate, DomainEvent, EventEnvelope, Query, View,
    event_sink::EventSink,
    persist::{GenericQuery, ViewContext, ViewRepository},
};
use postgres_es::{PostgresCqrs, PostgresViewRepository, postgres_aggregate_cqrs, postgres_cqrs};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx_of_peers::{PgPool, postgres::PgPoolOptions};
use std::{collections::HashMap, convert::Infallible, sync::Arc};

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Order {
    status: String,
    parties: Vec<String>,
    held: i64,
    currency: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paid {
    to: Vec<String>,
    asks: String,
}

impl Paid {
    fn seller() -> Self {
        Self { to: vec!["seller-1".to_owned()], asks: "pi_01kr1hgnqred6999kp7cqmx8ss".to_owned() }
    }
}

impl DomainEvent for Paid {
    fn event_type(&self) -> String {
        "pay".to_owned()
    }
    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Order {
    const TYPE: &'static str = "tab";
    type Command = Paid;
    type Event = Paid;
    type Error = Infallible;
    type Services = ();
    async fn handle(&mut self, paid: Paid, _: &(), sink: &EventSink<Self>) -> Result<(), Infallible> {
        sink.write(paid, self).await;
        Ok(())
    }
    fn apply(&mut self, paid: Paid) {
        "RUNNING".clone_into(&mut self.status);
        "EUR".clone_into(&mut self.currency);
        self.held -= crate::tab::AMOUNT;
        self.parties = paid.to;
    }
}

impl View<Self> for Order {
    fn update(&mut self, event: &EventEnvelope<Self>) {
        self.apply(event.payload.clone());
    }
}

/// Money that moved.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Entry {
    subject: String,
    seq: usize,
    from: String,
    to: String,
    minor: i64,
    currency: String,
    purpose: String,
    at: i64,
}

/// What an account holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Balance {
    minor: i64,
}

/// What the gateway is asked for.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Call {
    lane: String,
    gateway: String,
    instruction: serde_json::Value,
    status: String,
    due: i64,
}

macro_rules! filled_by_hand {
    ($($view:ident)*) => { $(impl View<Order> for $view {
        fn update(&mut self, _: &EventEnvelope<Order>) {}
    })* };
}
filled_by_hand!(Entry Balance Call);

type Views<V> = PostgresViewRepository<V, Order>;

/// The rows that ours writes beside the event and the order's own.
struct Books {
    entries: Views<Entry>,
    balances: Views<Balance>,
    calls: Views<Call>,
}

impl Books {
    fn new(pool: &PgPool) -> Self {
        Self {
            entries: Views::new("entry_view", pool.clone()),
            balances: Views::new("balance_view", pool.clone()),
            calls: Views::new("call_view", pool.clone()),
        }
    }

    async fn change(&self, account: &str, minor: i64) {
        let read = self.balances.load_with_context(account).await.unwrap();
        let (mut balance, context) =
            read.unwrap_or_else(|| (Balance::default(), ViewContext::new(account.to_owned(), 0)));
        balance.minor += minor;
        self.balances.update_view(balance, context).await.unwrap();
    }
}

#[async_trait::async_trait]
impl Query<Order> for Books {
    async fn dispatch(&self, id: &str, events: &[EventEnvelope<Order>]) {
        for event in events {
            let (seq, at) = (event.sequence, 1_778_168_386_000_000);
            let (from, to) = (format!("escrow:{id}"), format!("wallet:{id}"));
            self.change(&from, -crate::tab::AMOUNT).await;
            self.change(&to, crate::tab::AMOUNT).await;
            let entry = Entry {
                subject: id.to_owned(),
                seq,
                from,
                to,
                minor: crate::tab::AMOUNT,
                currency: "EUR".to_owned(),
                purpose: "release".to_owned(),
                at,
            };
            self.entries.update_view(entry, ViewContext::new(format!("{id}:{seq}"), 0)).await.unwrap();
            let asks =
                json!({"payin": event.payload.asks, "amount": {"amount": crate::tab::AMOUNT, "currency": "EUR"}});
            let call = Call {
                lane: id.to_owned(),
                gateway: "sandbox".to_owned(),
                instruction: json!({"capture": asks}),
                status: "queued".to_owned(),
                due: at,
            };
            self.calls.update_view(call, ViewContext::new(format!("{id}:{seq}:capture"), 0)).await.unwrap();
        }
    }
}

/// The same rows by one statement.
struct Rows(PgPool);

#[async_trait::async_trait]
impl Query<Order> for Rows {
    async fn dispatch(&self, id: &str, events: &[EventEnvelope<Order>]) {
        for event in events {
            let (account, wallet) = (format!("escrow:{id}"), format!("wallet:{id}"));
            let asks =
                json!({"payin": event.payload.asks, "amount": {"amount": crate::tab::AMOUNT, "currency": "EUR"}});
            let query = sqlx_of_peers::query(by_hand::ALL_BUT_THE_EVENT).bind(id).bind("tab").bind("RUNNING");
            let query = query.bind(crate::tab::AMOUNT).bind("EUR").bind(1_778_168_386_000_000_i64);
            let query =
                query.bind(account).bind(wallet).bind("release").bind(format!("{id}:{}:capture", event.sequence));
            // Its order began with two events of its own.
            let seq = i64::try_from(event.sequence).unwrap() + 2;
            let query = query.bind("sandbox").bind(json!({"capture": asks}).to_string()).bind(seq);
            assert_eq!(query.fetch_all(&self.0).await.unwrap().len(), 1);
        }
    }
}

// From its own db/init.sql; every view is a table of this kind.
const SCHEMA: [&str; 6] = [
    "CREATE TABLE events (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence bigint CHECK (sequence >= 0) NOT NULL,
    event_type text NOT NULL, event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
)",
    "CREATE TABLE snapshots (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL, last_sequence bigint CHECK (last_sequence >= 0) NOT NULL,
    current_snapshot bigint CHECK (current_snapshot >= 0) NOT NULL, payload json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, last_sequence)
)",
    "CREATE TABLE tab_view (
    view_id text NOT NULL, version bigint CHECK (version >= 0) NOT NULL, payload json NOT NULL, PRIMARY KEY (view_id)
)",
    "CREATE TABLE entry_view (LIKE tab_view INCLUDING ALL)",
    "CREATE TABLE balance_view (LIKE tab_view INCLUDING ALL)",
    "CREATE TABLE call_view (LIKE tab_view INCLUDING ALL)",
];

pub async fn schema(url: &str) {
    let pool = pool(url).await;
    for table in SCHEMA {
        sqlx_of_peers::query(table).execute(&pool).await.unwrap();
    }
}

// Each way has one connection to itself.
async fn pool(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(1).test_before_acquire(false).connect(url).await.unwrap()
}

fn ids(orders: usize) -> Vec<String> {
    (0..orders).map(|_| crate::tab::TabId::generate(crate::tab::stamp().at).to_string()).collect()
}

/// A whole command.
pub struct Executing {
    framework: PostgresCqrs<Order>,
    orders: Vec<String>,
    next: usize,
}

impl Executing {
    pub async fn snapshots(url: &str, orders: usize) -> Self {
        Self::open(postgres_aggregate_cqrs(pool(url).await, vec![], ()), orders).await
    }

    pub async fn view(url: &str, orders: usize) -> Self {
        let pool = pool(url).await;
        let row = Self::row(&pool);
        Self::open(postgres_cqrs(pool, vec![row], ()), orders).await
    }

    pub async fn views(url: &str, orders: usize) -> Self {
        let pool = pool(url).await;
        let (row, books) = (Self::row(&pool), Books::new(&pool));
        Self::open(postgres_cqrs(pool, vec![row, Box::new(books)], ()), orders).await
    }

    pub async fn statement(url: &str, opened: &[by_hand::Order]) -> Self {
        let pool = pool(url).await;
        let rows: Box<dyn Query<Order>> = Box::new(Rows(pool.clone()));
        let orders = opened.iter().map(|order| order.id().to_owned()).collect();
        Self { framework: postgres_cqrs(pool, vec![rows], ()), orders, next: 0 }
    }

    fn row(pool: &PgPool) -> Box<dyn Query<Order>> {
        let view = PostgresViewRepository::<Order, Order>::new("tab_view", pool.clone());
        let mut query = GenericQuery::new(Arc::new(view));
        query.use_error_handler(Box::new(|refused| panic!("{refused}")));
        Box::new(query)
    }

    async fn open(framework: PostgresCqrs<Order>, orders: usize) -> Self {
        let mut open = Self { framework, orders: ids(orders), next: 0 };
        for _ in 0..orders {
            open.execute().await;
        }
        open
    }

    /// One command to the order whose turn it is.
    pub async fn execute(&mut self) {
        let place = self.next % self.orders.len();
        self.next += 1;
        let by = r#"{"office":{"role":"platform","id":"ops"}}"#;
        let metadata =
            HashMap::from([("actor", by), ("at", "1778168386000000")].map(|(a, b)| (a.to_owned(), b.to_owned())));
        self.framework.execute_with_metadata(&self.orders[place], Paid::seller(), metadata).await.unwrap();
    }
}
