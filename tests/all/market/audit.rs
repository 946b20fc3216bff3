//! What must hold after a death.

use super::{
    Market, Scripted, Sql,
    books::{Line, Values},
};
use escrowed::{
    lifecycle::{Lifecycle, Value as _, replay},
    order::{AnyOrder, Status},
    party::Actor,
    sandbox::Sandbox,
    store::{CallStatus, Outbox, Store},
};
use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
};

/// What a child told of an order after a COMMIT had returned: its id, its number of events, its status.
pub(crate) type Ack = (String, u32, String);

// Each says nothing about a database that is sound.
pub(crate) const SOUND: [&str; 8] = [
    // The log has no gaps, and ends where the index says.
    "SELECT s.id, s.seq, count(e.seq), max(e.seq) FROM escrowed_subjects AS s
        LEFT JOIN escrowed_events AS e ON e.subject = s.id
        GROUP BY s.id, s.seq HAVING count(e.seq) <> s.seq OR max(e.seq) <> s.seq OR min(e.seq) <> 1",
    // Each balance is the sum of its entries, and there are no others.
    "SELECT account, currency, sum(minor) FROM (
        SELECT account, currency, -minor AS minor FROM escrowed_balances
        UNION ALL SELECT to_account, currency, minor FROM escrowed_entries
        UNION ALL SELECT from_account, currency, -minor FROM escrowed_entries
    ) AS booked GROUP BY account, currency HAVING sum(minor) <> 0",
    "SELECT account, minor FROM escrowed_balances WHERE account NOT LIKE 'world:%' AND minor < 0",
    "SELECT currency, sum(minor) FROM escrowed_balances GROUP BY currency HAVING sum(minor) <> 0",
    // Nothing belongs to what is not there.
    "SELECT subject FROM escrowed_events EXCEPT SELECT id FROM escrowed_subjects",
    "SELECT subject, seq FROM escrowed_entries EXCEPT SELECT subject, seq FROM escrowed_events",
    "SELECT subject, seq FROM escrowed_requests EXCEPT SELECT subject, seq FROM escrowed_events",
    "SELECT lane FROM escrowed_calls EXCEPT SELECT id FROM escrowed_subjects",
];

/// Looks at everything in the database. The number of events in it.
pub(crate) async fn audit<S: Store<Unit: Sql>, G: Scripted>(market: &Market<S, G>, acks: &[Ack]) -> i64 {
    market.shop.audit().await;
    let mut unit = market.shop.begin().await;
    for query in SOUND.iter().chain(S::Unit::SOUND) {
        assert_eq!(unit.rows(query).await.unwrap(), Vec::<String>::new(), "{query}");
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
        values.calls.extend(calls.into_iter().map(Result::unwrap).map(|call| (call.instruction.key(), call)));
    }
    let booked = "SELECT from_account || ' ' || to_account || ' ' || minor || ' ' || purpose FROM escrowed_entries";
    let mut booked = unit.rows(booked).await.unwrap();
    booked.sort();
    let told = |(from, to, minor, why): Line| format!("{from} {to} {minor} {why}");
    let mut wanted: Vec<_> = values.check().into_iter().map(told).collect();
    wanted.sort();
    assert_eq!(booked, wanted, "the entries are those that the logs call for");
    let noted = unit.rows("SELECT order_id || ' ' || seq || ' ' || status FROM shop_steps").await.unwrap();
    host_knows(&noted, &values.orders);
    acknowledged(&values.orders, acks);
    unit.rows("SELECT count(*) FROM escrowed_events").await.unwrap()[0].parse().unwrap()
}

/// That everything has come to its end, and nothing is stuck.
pub(crate) async fn audit_the_end<S: Store<Unit: Sql>, G: Scripted + Borrow<Sandbox>>(market: &Market<S, G>) {
    let mut unit = market.shop.begin().await;
    for order in all::<AnyOrder, _>(&mut unit).await {
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
    let stuck = "SELECT account, minor FROM escrowed_balances WHERE account LIKE 'escrow:%' AND minor <> 0";
    assert_eq!(unit.rows(stuck).await.unwrap(), Vec::<String>::new());
    // What the gateway holds is what the books say of it, it did nothing twice, and nothing that nobody asked for.
    let gateway: &Sandbox = market.shop.gateway().borrow();
    for call in gateway.calls() {
        assert!(gateway.effects(&call) <= 1, "{call} had effect twice");
        let known = unit.call(&call).await.unwrap();
        assert!(known.is_some_and(|known| known.status == CallStatus::Settled), "the books know nothing of {call}");
    }
    drop(unit);
    let net = gateway.net(escrowed::money::Currency::EUR);
    assert_eq!(market.shop.balance("world:sandbox").await.minor(), -net.minor());
}

/// Every value of a lifecycle by its log, compared with its index row.
async fn all<L: Lifecycle, U: Sql>(unit: &mut U) -> Vec<L> {
    let index = format!(
        "SELECT id || ' ' || status || ' ' || held || ' ' || currency || ' ' || seq || ' ' || revision
        || ' ' || coalesce(CAST(deadline AS TEXT), '') FROM escrowed_subjects WHERE lifecycle = '{}' ORDER BY id",
        L::TABLE.name
    );
    let rows = unit.rows(&index).await.unwrap();
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
fn host_knows(noted: &[String], orders: &[AnyOrder]) {
    let steps = |id: &str| noted.iter().filter(|row| row.starts_with(id)).count();
    for row in noted {
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
