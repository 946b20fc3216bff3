//! cqrs-es with postgres-es, the nearest it does: an event and the snapshot of its aggregate, in a transaction of BEGIN, two
//! statements and COMMIT. No index to query by, no entry, no balances, no outbox. Only the write is measured: what its
//! framework reads before each command is left out. It has no batches of several aggregates.

use cqrs_es::{
    Aggregate, DomainEvent,
    event_sink::EventSink,
    persist::{PersistedEventRepository, SerializedEvent},
};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx_of_peers::postgres::PgPoolOptions;
use std::convert::Infallible;

#[derive(Default, Serialize, Deserialize)]
struct Order;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Paid;

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
    type Command = ();
    type Event = Paid;
    type Error = Infallible;
    type Services = ();
    async fn handle(&mut self, _: (), _: &(), _: &EventSink<Self>) -> Result<(), Infallible> {
        Ok(())
    }
    fn apply(&mut self, _: Paid) {}
}

// From its own db/init.sql.
const SCHEMA: [&str; 2] = [
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
];

/// One connection's part: a repository over a pool of one connection, and its orders.
pub struct Cqrs {
    repository: PostgresEventRepository,
    orders: Vec<(String, usize)>,
    next: usize,
}

impl Cqrs {
    pub async fn schema(url: &str) {
        let pool = PgPoolOptions::new().max_connections(1).connect(url).await.unwrap();
        for table in SCHEMA {
            sqlx_of_peers::query(table).execute(&pool).await.unwrap();
        }
    }

    pub async fn open(url: &str, orders: usize) -> Self {
        let pool = PgPoolOptions::new().max_connections(1).test_before_acquire(false).connect(url).await.unwrap();
        let orders =
            (0..orders).map(|_| (crate::tab::TabId::generate(crate::tab::stamp().at).to_string(), 0)).collect();
        let mut cqrs = Self { repository: PostgresEventRepository::new(pool), orders, next: 0 };
        // The first event of each.
        for _ in 0..cqrs.orders.len() {
            cqrs.write().await;
        }
        cqrs
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
            json!({"to": ["seller-1"], "asks": "pi_01kr1hgnqred6999kp7cqmx8ss"}),
            json!({"actor": {"office": {"role": "platform", "id": "ops"}}, "at": 1_778_168_386_000_000_i64}),
        );
        let snapshot = json!({"status": "RUNNING", "parties": ["seller-1"], "held": 999_999_875, "currency": "EUR"});
        self.repository.persist::<Order>(&[event], Some((id.clone(), snapshot, *seq))).await.unwrap();
    }
}
