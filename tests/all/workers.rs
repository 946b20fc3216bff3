//! Workers: calls of different orders side by side, those of one order in their order, each with one effect, whoever
//! dies, stops or is too slow.

mod alone;
mod crew;
mod deadlines;
mod races;
#[cfg(feature = "tracing")]
mod spans;

use crate::harness::{Shop, bank, key, ops, party, terms, user};
use escrowed::{
    escrow::{Escrow, ManualClock, Shift},
    gateway::{Gateway, IdempotencyKey, Instruction, Outcome, Verb},
    ledger::GatewayName,
    money::Share,
    order::{Command, OrderId, Payee, PayoutPlan},
    payment::Method,
    sandbox::{Sandbox, SandboxError},
    store::Store,
};
use event_listener::Event;
use std::{
    collections::BTreeSet,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

/// A store that is another escrow's, too.
pub(crate) struct Shared<'s, S>(pub(crate) &'s S);

impl<S: Store> Store for Shared<'_, S> {
    type Unit = S::Unit;
    type Error = S::Error;

    async fn begin(&self) -> Result<S::Unit, S::Error> {
        self.0.begin().await
    }

    async fn commit(&self, unit: S::Unit) -> Result<(), S::Error> {
        self.0.commit(unit).await
    }

    fn is_lost_race(&self, error: &S::Error) -> bool {
        self.0.is_lost_race(error)
    }
}

/// A sandbox behind a gate: calls wait at it while it is shut for them, and everybody sees who goes in and comes out.
#[derive(Clone)]
struct Gate {
    sandbox: Sandbox,
    seen: Arc<Mutex<Seen>>,
    opened: Arc<Event>,
}

#[derive(Default)]
struct Seen {
    shut: BTreeSet<IdempotencyKey>,
    /// Who went in (true) and came out, in this order.
    passed: Vec<(IdempotencyKey, bool)>,
}

impl Gate {
    fn before(sandbox: &Sandbox) -> Self {
        Self { sandbox: sandbox.clone(), seen: Arc::default(), opened: Arc::default() }
    }

    fn shut(&self, key: IdempotencyKey) {
        self.seen.lock().unwrap().shut.insert(key);
    }

    fn open(&self) {
        self.seen.lock().unwrap().shut.clear();
        self.opened.notify(usize::MAX);
    }

    fn pass(&self, key: IdempotencyKey, goes_in: bool) {
        self.seen.lock().unwrap().passed.push((key, goes_in));
    }

    fn is_shut(&self, key: IdempotencyKey) -> bool {
        self.seen.lock().unwrap().shut.contains(&key)
    }

    /// Who went in, in this order.
    fn went_in(&self) -> Vec<IdempotencyKey> {
        self.seen.lock().unwrap().passed.iter().filter(|(_, goes_in)| *goes_in).map(|(key, _)| *key).collect()
    }
}

impl Gateway for Gate {
    type Error = SandboxError;

    fn name(&self) -> &GatewayName {
        self.sandbox.name()
    }

    async fn execute(&self, key: &IdempotencyKey, asked: &Instruction) -> Result<Outcome, SandboxError> {
        self.pass(*key, true);
        let outcome = self.sandbox.execute(key, asked).await;
        loop {
            let opened = self.opened.listen();
            if !self.is_shut(*key) {
                break;
            }
            opened.await;
        }
        // Others may go first, as they would on any network.
        futures_lite::future::yield_now().await;
        self.pass(*key, false);
        outcome
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Option<Outcome>, SandboxError> {
        self.sandbox.lookup(key).await
    }
}

/// Another escrow over the shop's store, with the gate before its gateway.
fn gated<'s, S: Store>(shop: &'s Shop<S>) -> (Escrow<Shared<'s, S>, Gate, ManualClock>, Gate) {
    let gate = Gate::before(shop.gateway());
    (Escrow::with_clock(Shared(shop.escrow.store()), gate.clone(), shop.escrow.clock().clone()), gate)
}

fn shift(name: &str) -> Shift {
    Shift::new(name.parse().unwrap())
}

/// An order whose payin waits to be sent, and the key of that call.
async fn asked<S: Store>(shop: &Shop<S>) -> (OrderId, IdempotencyKey) {
    let id = shop.open(terms()).await;
    shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
    (id, key(shop.payin(id).await.id().subject(), Verb::Charge))
}

/// Accepts and validates a paid order: two calls, to two bank accounts.
async fn pay_out<S: Store>(shop: &Shop<S>, id: OrderId) {
    let half = |to| Payee { party: party("sam"), share: Share::Rest, to: bank(to) };
    let payout = Some(PayoutPlan::among([half("ba_1"), half("ba_2")]));
    shop.act(id, Command::Accept { payout }, user("sam")).await;
    shop.act(id, Command::Validate {}, ops()).await;
}

/// For a worker that waits until it is woken.
fn asleep(_: Duration) -> impl Future<Output = ()> + Send {
    pending()
}
