//! cqrs-es with postgres-es. No entry, no balances, no outbox, and no batches of several aggregates. Three ways:
//!
//! - `Writing`: an event and the snapshot of its aggregate, in a transaction of BEGIN, two statements and COMMIT, from values at
//!   hand.
//! - `Executing::snapshots`: the same by a command, which is the only way its framework offers: it reads the snapshot first.
//! - `Executing::view`, the nearest it does to ours: a command that writes an event and keeps the row that a host finds orders
//!   by. The framework calls that row a view. It reads the events, writes the new one, reads the view and writes it, the two not
//!   in one transaction.

use cqrs_es::{
    Aggregate, DomainEvent, EventEnvelope, View,
    event_sink::EventSink,
    persist::{GenericQuery, PersistedEventRepository, SerializedEvent},
};
use postgres_es::{
    PostgresCqrs, PostgresEventRepository, PostgresViewRepository, postgres_aggregate_cqrs, postgres_cqrs,
};
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

// From its own db/init.sql.
const SCHEMA: [&str; 3] = [
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

/// The write alone.
pub struct Writing {
    repository: PostgresEventRepository,
    orders: Vec<(String, usize)>,
    next: usize,
}

impl Writing {
    pub async fn open(url: &str, orders: usize) -> Self {
        let repository = PostgresEventRepository::new(pool(url).await);
        let mut open = Self { repository, orders: ids(orders).into_iter().map(|id| (id, 0)).collect(), next: 0 };
        // The first event of each.
        for _ in 0..orders {
            open.write().await;
        }
        open
    }

    /// One event of the order whose turn it is.
    pub async fn write(&mut self) {
        let place = self.next % self.orders.len();
        self.next += 1;
        let (id, seq) = &mut self.orders[place];
        *seq += 1;
        let event = SerializedEvent::new(
            id.clone(),
            *seq,
            Order::TYPE.to_owned(),
            "pay".to_owned(),
            "1".to_owned(),
            serde_json::to_value(Paid::seller()).unwrap(),
            json!({"actor": {"office": {"role": "platform", "id": "ops"}}, "at": 1_778_168_386_000_000_i64}),
        );
        let snapshot = json!({"status": "RUNNING", "parties": ["seller-1"], "held": 999_999_875, "currency": "EUR"});
        self.repository.persist::<Order>(&[event], Some((id.clone(), snapshot, *seq))).await.unwrap();
    }
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
        let view = PostgresViewRepository::<Order, Order>::new("tab_view", pool.clone());
        let mut query = GenericQuery::new(Arc::new(view));
        query.use_error_handler(Box::new(|refused| panic!("{refused}")));
        Self::open(postgres_cqrs(pool, vec![Box::new(query)], ()), orders).await
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
