//! What is told of each call, deadline and report, as any subscriber hears it.

use super::{asked, shift};
use crate::harness::{Shop, euro, worker};
use escrowed::{
    escrow::{Bell, EscrowError, Policy},
    gateway::{IdempotencyKey, Outcome, Report},
    sandbox::Behaviour,
};
use futures_lite::future::block_on;
use std::{
    collections::BTreeMap,
    fmt::Debug,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// A span or an event: its name or message, and its fields.
#[derive(Debug, Clone, Default)]
struct Told {
    name: String,
    level: String,
    fields: BTreeMap<String, String>,
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name().into(), format!("{value:?}").trim_matches('"').into());
    }
}

/// Everything that is told in one thread while it listens.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<(Vec<Told>, Vec<Told>)>>);

impl Listener {
    /// `tracing` remembers of each place in the code whether anybody listens there. Other tests pass those places while
    /// nobody does, and a place that is passed for the first time just as somebody begins to listen may keep the wrong
    /// answer. So all places are passed once, and then asked anew, before what counts.
    fn hears(&self, what: impl FnOnce()) {
        tracing::subscriber::with_default(self.clone(), || {
            block_on(all_there_is_to_tell());
            tracing::callsite::rebuild_interest_cache();
            *self.0.lock().unwrap() = Default::default();
            what();
        });
    }

    fn spans(&self, name: &str) -> Vec<Told> {
        self.0.lock().unwrap().0.iter().filter(|span| span.name == name).cloned().collect()
    }

    fn events(&self) -> Vec<Told> {
        self.0.lock().unwrap().1.clone()
    }

    /// How much a counter counted of one outcome.
    fn count(&self, counter: &str, outcome: &str) -> u64 {
        let counted =
            self.events().into_iter().filter(|event| event.fields.get("outcome").is_some_and(|o| o == outcome));
        counted
            .filter_map(|event| event.fields.get(&format!("monotonic_counter.escrowed.{counter}"))?.parse::<u64>().ok())
            .sum()
    }

    fn at(&self, level: Level) -> Vec<Told> {
        self.events().into_iter().filter(|event| event.level == level.as_str()).collect()
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("escrowed")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut told = Told { name: span.metadata().name().into(), ..Told::default() };
        span.record(&mut told);
        let spans = &mut self.0.lock().unwrap().0;
        spans.push(told);
        Id::from_u64(spans.len().try_into().unwrap())
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let place = usize::try_from(span.into_u64()).unwrap() - 1;
        values.record(&mut self.0.lock().unwrap().0[place]);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut told = Told { level: event.metadata().level().as_str().into(), ..Told::default() };
        event.record(&mut told);
        self.0.lock().unwrap().1.push(told);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Told {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

async fn all_there_is_to_tell() {
    let shop = Shop::memory();
    let shop = Shop { escrow: shop.escrow.with_policy(Policy { attempts: 1, ..Policy::default() }) };
    for behaviour in [Behaviour::TimeoutBefore, Behaviour::WrongAmount(euro("99.99"))] {
        let (_, call) = asked(&shop).await;
        shop.gateway().script_call(&call, [behaviour]);
    }
    assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().parked, 2);
    let deals = crate::transaction::workers::all_due(&shop).await;
    assert_eq!(shop.escrow.run_due(&worker(), 100).await.unwrap().taken, deals.len());
    #[cfg(feature = "sqlite")]
    tampered().await;
}

// Nothing that was told names an amount, a party or a bank account.
fn nothing_of_people(listener: &Listener) {
    let all = format!("{:?}", listener.0.lock().unwrap());
    for secret in ["EUR", "10000", "100.00", "anna", "sam", "ba_", "sandbox.invalid"] {
        assert!(!all.contains(secret), "{secret} is told: {all}");
    }
}

#[test]
fn each_call_has_a_span_and_is_counted() {
    let (shop, listener) = (Shop::memory(), Listener::default());
    let (id, first) = block_on(asked(&shop));
    shop.gateway().script_call(&first, [Behaviour::TimeoutAfter]);
    listener.hears(|| {
        block_on(async {
            shop.escrow.send(&worker(), 10).await.unwrap();
            shop.escrow.clock().advance(Policy::default().lease);
            shop.escrow.send(&worker(), 10).await.unwrap();
            super::pay_out(&shop, id).await;
            shop.send().await;
        });
    });
    let told: Vec<_> = listener.spans("escrowed.call");
    let seen: Vec<_> = told.iter().map(|span| (span.field("attempt"), span.field("outcome"))).collect();
    assert_eq!(seen, [("1", "unknown"), ("2", "answered"), ("1", "answered"), ("1", "answered")]);
    assert_eq!(told[0].field("key"), first.to_string());
    assert!(told.iter().all(|span| span.field("gateway") == "sandbox" && span.field("worker") == "worker"));
    assert_eq!((listener.count("calls", "unknown"), listener.count("calls", "answered")), (1, 3));
    assert_eq!(listener.count("reports", "taken"), 3);
    let reports = listener.spans("escrowed.report");
    assert_eq!((reports.len(), reports[0].field("key")), (3, first.to_string().as_str()));
    assert!(listener.at(Level::WARN).is_empty() && listener.at(Level::ERROR).is_empty());
    nothing_of_people(&listener);
}

#[test]
fn people_are_called_for_parked_calls_and_for_reports_that_cannot_be() {
    let (shop, listener) = (Shop::memory(), Listener::default());
    let shop = Shop { escrow: shop.escrow.with_policy(Policy { attempts: 1, ..Policy::default() }) };
    let (_, settled) = block_on(asked(&shop));
    block_on(shop.send());
    let (_, parked) = block_on(asked(&shop));
    shop.gateway().script_call(&parked, [Behaviour::TimeoutBefore]);
    let (_, wrong) = block_on(asked(&shop));
    shop.gateway().script_call(&wrong, [Behaviour::WrongAmount(euro("99.99"))]);
    listener.hears(|| {
        block_on(async {
            let sent = shop.escrow.send(&worker(), 10).await.unwrap();
            assert_eq!(sent.parked, 2);
            let outcome = Outcome::Declined { reason: "anna said so".parse().unwrap() };
            let contradicts = shop.try_report(&Report { key: settled, outcome }).await;
            assert!(matches!(contradicts, Err(EscrowError::Contradiction { .. })));
        });
    });
    let warned: Vec<_> = listener.at(Level::WARN);
    let about = |key: IdempotencyKey| warned.iter().filter(|event| event.field("key") == key.to_string()).count();
    // The wrong amount is told twice: as a report that cannot be, and as a call that was parked for it.
    assert_eq!((about(parked), about(wrong), about(settled), warned.len()), (1, 2, 1, 4));
    assert_eq!((listener.count("calls", "parked"), listener.count("reports", "contradiction")), (2, 1));
    nothing_of_people(&listener);
}

#[test]
fn each_deadline_has_a_span_and_is_counted() {
    let (shop, listener) = (Shop::memory(), Listener::default());
    let deals = block_on(crate::transaction::workers::all_due(&shop));
    listener.hears(|| {
        let (bell, naps) = (Bell::new(), AtomicUsize::new(0));
        // There is one nap when no call is left, and one when no deadline is.
        let sleep = |_| {
            if naps.fetch_add(1, Ordering::SeqCst) == 1 {
                bell.stop();
            }
            pending::<()>()
        };
        block_on(shop.escrow.work(&shift("w"), &bell, sleep));
    });
    let spans = listener.spans("escrowed.deadline");
    let mut subjects: Vec<_> = spans.iter().map(|span| span.field("subject").to_owned()).collect();
    let mut expected: Vec<_> = deals.iter().map(ToString::to_string).collect();
    subjects.sort();
    expected.sort();
    assert_eq!(subjects, expected);
    let plain = |span: &Told| (span.field("lifecycle") == "transaction", span.field("outcome") == "taken");
    assert!(spans.iter().all(|span| plain(span) == (true, true)), "{spans:?}");
    assert_eq!(listener.count("deadlines", "taken"), deals.len() as u64);
    nothing_of_people(&listener);
}

/// A call and a deadline of which the rows cannot be read, and a deadline that no log knows of.
#[cfg(feature = "sqlite")]
async fn tampered() -> [String; 3] {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let shop = Shop::new(escrowed::sqlite::Sqlite::open(&file).unwrap(), 1);
    let plain = rusqlite::Connection::open(&file).unwrap();
    let run = |tamper: String| assert_eq!(plain.execute(&tamper, []).unwrap(), 1, "{tamper}");
    let (call, row, deadline) = (asked(&shop).await.1, asked(&shop).await.1.subject, asked(&shop).await.1.subject);
    run(format!("UPDATE escrowed_calls SET instruction = '[\"anna\"]' WHERE key = '{call}'"));
    run(format!("UPDATE escrowed_subjects SET deadline = 1, about = 'sam' WHERE id = '{row}'"));
    run(format!("UPDATE escrowed_subjects SET deadline = 1 WHERE id = '{deadline}'"));
    assert_eq!(shop.escrow.send(&worker(), 1).await.unwrap().parked, 1);
    assert_eq!(shop.escrow.run_due(&worker(), 10).await.unwrap().failed, 2);
    [call.to_string(), row.to_string(), deadline.to_string()]
}

#[cfg(feature = "sqlite")]
#[test]
fn people_are_called_for_what_cannot_be_read_and_for_deadlines_that_are_refused() {
    let (listener, mut names) = (Listener::default(), Default::default());
    listener.hears(|| names = block_on(tampered()));
    let [call, row, deadline] = names;
    let errors = listener.at(Level::ERROR);
    let told: Vec<_> = errors.iter().map(|told| ["kind", "key", "subject"].map(|name| told.field(name))).collect();
    assert_eq!(told, [["call", &call, ""], ["deadline", "", &row]]);
    assert!(errors.iter().all(|told| told.field("worker") == "worker"));
    let warned = listener.at(Level::WARN);
    assert_eq!(warned.iter().map(|told| told.field("subject")).collect::<Vec<_>>(), [&deadline]);
    assert_eq!(listener.count("deadlines", "refused"), 1);
    nothing_of_people(&listener);
}
