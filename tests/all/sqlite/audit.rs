//! What must hold after a death.

use super::{
    books::{Line, Values},
    market::Market,
};
use escrowed::{
    lifecycle::{Lifecycle, Value as _, replay},
    order::{AnyOrder, Status},
    party::Actor,
    sqlite::{SqliteError, SqliteUnit},
    store::{CallStatus, Outbox, Store, UnitOfWork},
};
use rusqlite::{Connection, types::Value};
use std::collections::{BTreeMap, BTreeSet};

/// What a child told of an order after a COMMIT had returned: its id, its number of events, its status.
pub(crate) type Ack = (String, u32, String);

// Each says nothing about a file that is sound.
const SOUND: [&str; 8] = [
    "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    "SELECT * FROM pragma_foreign_key_check",
    // The log has no gaps, and ends where the index says.
    "SELECT s.id, s.seq, count(e.seq), max(e.seq) FROM escrowed_subjects AS s
        LEFT JOIN escrowed_events AS e ON e.subject = s.id
        GROUP BY s.id HAVING count(e.seq) <> s.seq OR max(e.seq) <> s.seq OR min(e.seq) <> 1",
    // Each balance is the sum of its entries, and there are no others.
    "SELECT account, currency, sum(minor) FROM (
        SELECT account, currency, -minor AS minor FROM escrowed_balances
        UNION ALL SELECT to_account, currency, minor FROM escrowed_entries
        UNION ALL SELECT from_account, currency, -minor FROM escrowed_entries
    ) GROUP BY account, currency HAVING sum(minor) <> 0",
    "SELECT account, minor FROM escrowed_balances WHERE guarded = 1 AND minor < 0",
    "SELECT currency, sum(minor) FROM escrowed_balances GROUP BY currency HAVING sum(minor) <> 0",
    // The parties are those of the index rows.
    "SELECT s.id, value FROM escrowed_subjects AS s, json_each(s.parties)
        EXCEPT SELECT subject, party FROM escrowed_parties",
    "SELECT subject, party FROM escrowed_parties
        EXCEPT SELECT s.id, value FROM escrowed_subjects AS s, json_each(s.parties)",
];

/// Looks at everything in the file. The number of events in it.
pub(crate) async fn audit<S>(market: &Market<S>, acks: &[Ack]) -> i64
where
    S: Store<Unit = SqliteUnit, Error = SqliteError>,
{
    market.shop.audit().await;
    let mut unit = market.shop.begin().await;
    for query in SOUND {
        assert_eq!(rows(unit.connection(), query), Vec::<String>::new(), "{query}");
    }
    let mut values = Values {
        orders: all(&mut unit).await,
        payins: all(&mut unit).await,
        payouts: all(&mut unit).await,
        refunds: all(&mut unit).await,
        ..Values::default()
    };
    for status in CallStatus::ALL {
        let calls = unit.calls(status, None, usize::MAX).await.unwrap();
        values.calls.extend(calls.into_iter().map(|call| (call.instruction.key(), call)));
    }
    let booked = "SELECT from_account || ' ' || to_account || ' ' || minor || ' ' || purpose FROM escrowed_entries";
    let mut booked = rows(unit.connection(), booked);
    booked.sort();
    let told = |(from, to, minor, why): Line| format!("{from} {to} {minor} {why}");
    let mut wanted: Vec<_> = values.check().into_iter().map(told).collect();
    wanted.sort();
    assert_eq!(booked, wanted, "the entries are those that the logs call for");
    host_knows(unit.connection(), &values.orders);
    acknowledged(&values.orders, acks);
    unit.connection().query_row("SELECT count(*) FROM escrowed_events", [], |row| row.get(0)).unwrap()
}

/// That everything has come to its end, and nothing is stuck.
pub(crate) async fn audit_the_end<S>(market: &Market<S>)
where
    S: Store<Unit = SqliteUnit, Error = SqliteError>,
{
    let mut unit = market.shop.begin().await;
    for order in all::<AnyOrder>(&mut unit).await {
        match order.status() {
            Status::Released | Status::Cancelled | Status::Rejected => assert!(order.held().is_zero()),
            Status::Draft
            | Status::PendingPublish
            | Status::Failure
            | Status::Published
            | Status::Accepted
            | Status::PendingValidate
            | Status::PendingRelease
            | Status::BlockedRelease => panic!("it has not ended: {order:?}"),
        }
    }
    for status in [CallStatus::Queued, CallStatus::Pending, CallStatus::Parked] {
        assert_eq!(unit.calls(status, None, 9).await.unwrap(), []);
    }
    let stuck = "SELECT account, minor FROM escrowed_balances WHERE account GLOB 'escrow:*' AND minor <> 0";
    assert_eq!(rows(unit.connection(), stuck), Vec::<String>::new());
    drop(unit);
    // What the gateway holds is what the books say of it, and it did nothing twice.
    let net = market.shop.gateway().net(escrowed::money::Currency::EUR);
    assert_eq!(market.shop.balance("world:sandbox").await.minor(), -net.minor());
    let calls = market.shop.gateway().calls();
    assert!(calls.iter().all(|call| market.shop.gateway().effects(call) <= 1));
}

/// Every value of a lifecycle by its log, compared with its index row.
async fn all<L: Lifecycle>(unit: &mut SqliteUnit) -> Vec<L> {
    let index = "SELECT id || ' ' || status || ' ' || held || ' ' || currency || ' ' || seq || ' ' || revision
        || ' ' || coalesce(deadline, '') FROM escrowed_subjects WHERE lifecycle = ?1 ORDER BY id";
    let mut statement = unit.connection().prepare(index).unwrap();
    let rows = statement.query_map([L::TABLE.name], |row| row.get(0)).unwrap();
    let rows: Vec<String> = rows.collect::<Result<_, _>>().unwrap();
    drop(statement);
    let mut values = Vec::new();
    for row in rows {
        let subject = row.split(' ').next().unwrap().parse().unwrap();
        let log = unit.log(subject).await.unwrap().expect("a log");
        let value: L = replay(&log).unwrap();
        let (head, status) = (value.head(), L::TABLE.statuses[value.position()].name);
        let (held, code) = (head.held().minor(), head.held().currency().code());
        let (seq, mark) = (head.seq(), log.revision.mark());
        let deadline = head.deadline.map(|at| at.unix_micros().to_string()).unwrap_or_default();
        assert_eq!(row, format!("{subject} {status} {held} {code} {seq} {mark} {deadline}"));
        values.push(value);
    }
    values
}

/// The host's own table has a row for each step of an order that a person took, and no other.
fn host_knows(connection: &Connection, orders: &[AnyOrder]) {
    let noted = rows(connection, "SELECT order_id || ' ' || seq || ' ' || status FROM shop_steps");
    let steps = |id: &str| noted.iter().filter(|row| row.starts_with(id)).count();
    for row in &noted {
        let [id, seq, status] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let order = orders.iter().find(|order| order.id().to_string() == id).expect("the order of the host's row");
        assert!(order.head().seq() >= seq.parse().unwrap(), "{row}");
        assert!(order.history().by_time().iter().any(|passage| passage.code.name() == status), "{row}");
    }
    for order in orders {
        let by_people = order.history().by_time().iter().filter(|passage| match passage.stamp.by {
            Actor::Party(_) | Actor::Office { .. } => true,
            Actor::Clock | Actor::Gateway => false,
        });
        let reached: BTreeSet<_> = by_people.map(|passage| passage.code.name()).collect();
        let id = order.id().to_string();
        for status in reached {
            // An order that is accepted with a plan goes through ACCEPTED without a stop.
            let passed = status == Status::Accepted.name() || status == Status::PendingRelease.name();
            let row = noted.iter().any(|row| row.starts_with(&id) && row.ends_with(&format!(" {status}")));
            assert!(row || passed, "the host knows nothing of {id} in {status}");
        }
        assert!(steps(&id) > 0);
    }
}

/// What was told is there.
fn acknowledged(orders: &[AnyOrder], acks: &[Ack]) {
    let orders: BTreeMap<String, &AnyOrder> = orders.iter().map(|order| (order.id().to_string(), order)).collect();
    for (id, seq, status) in acks {
        let order = orders.get(id).unwrap_or_else(|| panic!("{id} was acknowledged and is lost"));
        let reached = order.history().by_time().iter().any(|passage| passage.code.name() == status);
        assert!(order.head().seq() >= *seq && reached, "{id} was acknowledged in {status}: {order:?}");
    }
}

pub(crate) fn rows(connection: &Connection, query: &str) -> Vec<String> {
    let mut statement = connection.prepare(query).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let values = (0..columns).map(|column| row.get(column).map(text));
        Ok(values.collect::<Result<Vec<_>, _>>()?.join(" "))
    };
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

fn text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text,
        Value::Blob(bytes) => format!("{bytes:?}"),
    }
}
