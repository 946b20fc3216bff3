//! A shop to test with: an escrow over some store, a sandbox gateway, a clock that stands still.

use escrowed::{
    campaign::AnyCampaign,
    distribution::AnyDistribution,
    escrow::{Escrow, EscrowError, ManualClock, Reported},
    face_to_face::AnyFaceToFace,
    gateway::{Gateway, IdempotencyKey, Outcome, Report, Verb},
    id::{Id, Subject},
    ledger::{Account, trial_balance},
    lifecycle::{Lifecycle, replay},
    loan::AnyLoan,
    memory::Memory,
    money::{Currency, Money},
    movement::AnyMovement,
    order::{self, AnyOrder, Command, Fees, OrderId, PayoutPlan, Status, Terms},
    party::{Actor, PartyId},
    payment::{
        Agreement, AnyChargeback, AnyDebt, AnyPayin, AnyPayout, AnyRefund, AnyTally, Destination, Method, PayinId,
        PayoutId, RefundId,
    },
    pledge::AnyPledge,
    sandbox::{Chaos, Resolution, Sandbox},
    store::{CallState, CallStatus, Cursor, Outbox, Query, Store, UnitOfWork, Views, WorkerId},
    time::Timestamp,
    verify::Verified,
};
use std::{fmt::Debug, future::Future, time::Duration};

pub(crate) use crate::seed::{random, seed};

pub(crate) struct Shop<S, G = Sandbox> {
    pub(crate) escrow: Escrow<S, G, ManualClock>,
}

pub(crate) type Problem<S> = EscrowError<<S as Store>::Error>;

pub(crate) const START: &str = "2026-05-07T15:39:46Z";

/// The worker of all tests that need but one.
pub(crate) fn worker() -> WorkerId {
    "worker".parse().unwrap()
}

/// Values of a strategy, the same for the same seed.
#[cfg(feature = "sqlite")]
pub(crate) fn sampled<T: proptest::strategy::Strategy>(strategy: T, number: usize, seed: u64) -> Vec<T::Value> {
    use proptest::{
        strategy::ValueTree as _,
        test_runner::{Config, RngSeed, TestRunner},
    };
    let config = Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    (0..number).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Runs a future to its end, whatever its store waits for.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    #[cfg(feature = "postgres")]
    let _runtime = crate::postgres::database::RUNTIME.enter();
    futures_lite::future::block_on(future)
}

pub(crate) fn party(name: &str) -> PartyId {
    name.parse().unwrap()
}

pub(crate) fn user(name: &str) -> Actor {
    Actor::Party(party(name))
}

pub(crate) fn ops() -> Actor {
    Actor::platform(party("ops"))
}

pub(crate) fn euro(text: &str) -> Money {
    format!("{text} EUR").parse().unwrap()
}

pub(crate) fn account(text: &str) -> Account {
    text.parse().unwrap()
}

pub(crate) fn bank(name: &str) -> Destination {
    Destination::Account { bankaccount_id: name.parse().unwrap() }
}

pub(crate) fn key(subject: Subject, verb: Verb) -> IdempotencyKey {
    IdempotencyKey { subject, verb }
}

/// An order of €100 that sam sells to anna, with a fee of 10 %, at least €5.
pub(crate) fn terms() -> Terms {
    let mut terms = Terms::new(
        "A bicycle".parse().unwrap(),
        euro("100.00"),
        party("sam"),
        party("shop"),
        "sandbox".parse().unwrap(),
    );
    let policy = serde_json::from_value(serde_json::json!({
        "default": { "percent": "10%", "absolute": { "amount": 500, "currency": "EUR" } },
        "minimum": { "amount": 0, "currency": "EUR" },
    }));
    terms.fees = Some(Fees { policy: policy.unwrap(), own: None });
    terms
}

impl Shop<Memory> {
    pub(crate) fn memory() -> Self {
        Self::new(Memory::new(), 1)
    }
}

impl<S: Store> Shop<S> {
    pub(crate) fn new(store: S, seed: u64) -> Self {
        let clock = ManualClock::at(START.parse().unwrap());
        Self { escrow: Escrow::with_clock(store, Sandbox::new(seed), clock) }
    }

    /// The storm is over: the gateway answers what it still owes, and everything that can come to rest does.
    pub(crate) async fn settle_down(&self) {
        self.gateway().chaos(Chaos::default());
        for _ in 0..1_000 {
            for report in self.gateway().reports() {
                self.hear(&report).await;
            }
            if self.open_calls().await.is_empty() {
                return self.audit_calls().await;
            }
            for call in self.gateway().pending() {
                self.gateway().resolve(&call, Resolution::Settle);
            }
            self.escrow.clock().advance(Duration::from_secs(7_200));
            self.escrow.run_due(&worker(), 100).await.unwrap();
            self.send().await;
        }
        panic!("it does not come to rest");
    }

    /// No call is left open, none had effect twice, and the books agree with what the gateway really did.
    pub(crate) async fn audit_calls(&self) {
        let open = self.open_calls().await;
        assert!(open.is_empty(), "still open: {open:?}");
        for call in self.gateway().calls() {
            assert!(self.gateway().effects(&call) <= 1, "{call} had effect twice");
        }
        for currency in [Currency::EUR, Currency::JPY] {
            let mut unit = self.begin().await;
            let world = unit.balance(&account("world:sandbox"), currency).await.unwrap();
            let net = self.gateway().net(currency);
            assert_eq!(world.checked_neg().unwrap(), net, "the books say otherwise than the gateway");
        }
    }
}

impl<S: Store, G: Gateway> Shop<S, G> {
    pub(crate) fn now(&self) -> Timestamp {
        use escrowed::escrow::Clock;
        self.escrow.clock().now()
    }

    pub(crate) fn gateway(&self) -> &G {
        self.escrow.gateway()
    }

    pub(crate) async fn begin(&self) -> S::Unit {
        self.escrow.store().begin().await.unwrap()
    }

    pub(crate) async fn commit(&self, unit: S::Unit) {
        self.escrow.store().commit(unit).await.unwrap();
    }

    pub(crate) async fn try_act<L: Agreement>(
        &self,
        id: Id<L>,
        command: L::Command<'_>,
        by: Actor,
    ) -> Result<L, Problem<S>> {
        let mut unit = self.begin().await;
        let value = self.escrow.act(&mut unit, id, command, by).await?;
        self.commit(unit).await;
        Ok(value)
    }

    pub(crate) async fn act<L: Agreement>(&self, id: Id<L>, command: L::Command<'_>, by: Actor) -> L {
        self.try_act(id, command, by).await.unwrap()
    }

    /// In `PENDING_PUBLISH`, for anna to pay.
    pub(crate) async fn open(&self, terms: Terms) -> OrderId {
        let mut unit = self.begin().await;
        let id = self.escrow.open_order(&mut unit, terms, ops()).await.unwrap().id();
        self.commit(unit).await;
        self.act(id, Command::IdentifyBuyer { buyer: party("anna") }, user("anna")).await;
        id
    }

    /// In `PUBLISHED`, paid by card.
    pub(crate) async fn paid(&self, terms: Terms) -> OrderId {
        let id = self.open(terms).await;
        self.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        self.send().await;
        assert_eq!(self.status(id).await, Status::Published);
        id
    }

    /// In `PENDING_VALIDATE`, to be paid by this plan.
    pub(crate) async fn planned(&self, terms: Terms, plan: PayoutPlan) -> OrderId {
        let id = self.paid(terms).await;
        let accepted = self.act(id, Command::Accept { payout: Some(plan) }, user("sam")).await;
        assert_eq!(accepted.status(), Status::PendingValidate);
        id
    }

    /// The same by a plan of the platform's, which has looked whose the bank accounts in it are.
    pub(crate) async fn planned_by_platform(&self, terms: Terms, plan: PayoutPlan) -> OrderId {
        let id = self.paid(terms).await;
        self.act(id, Command::Accept { payout: None }, user("sam")).await;
        let planned = self.act(id, Command::SetPayout { plan }, ops()).await;
        assert_eq!(planned.status(), Status::PendingValidate);
        id
    }

    /// Puts money into a party's wallet: it sells something and is paid there.
    pub(crate) async fn fill_wallet(&self, name: &str, amount: Money) {
        let terms = Terms::new("x".parse().unwrap(), amount, party(name), party("shop"), "sandbox".parse().unwrap());
        let mut unit = self.begin().await;
        let id = self.escrow.open_order(&mut unit, terms, ops()).await.unwrap().id();
        self.commit(unit).await;
        self.act(id, Command::IdentifyBuyer { buyer: party("filler") }, ops()).await;
        self.act(id, Command::Pay { by: Method::Card }, user("filler")).await;
        self.send().await;
        let payout = Some(PayoutPlan::to(party(name), Destination::Wallet));
        self.act(id, Command::Accept { payout }, user(name)).await;
        assert_eq!(self.act(id, Command::Validate {}, ops()).await.status(), Status::Released);
    }

    /// Sends everything that is due now, and what that leads to.
    pub(crate) async fn send(&self) {
        while self.escrow.send(&worker(), 100).await.unwrap().taken > 0 {}
    }

    pub(crate) async fn try_report(&self, report: &Report) -> Result<Reported, Problem<S>> {
        let mut unit = self.begin().await;
        let reported = self.escrow.report(&mut unit, report).await?;
        self.commit(unit).await;
        Ok(reported)
    }

    /// A webhook, which is never refused; one that meets a worker's answer is sent again.
    pub(crate) async fn hear(&self, report: &Report) {
        for _ in 0..100 {
            match self.try_report(report).await {
                Ok(_) => return,
                Err(error) if error.is_lost_race() => {}
                Err(error) => panic!("{report:?}: {error}"),
            }
        }
        panic!("{report:?} never got through");
    }

    async fn open_calls(&self) -> Vec<CallState> {
        let mut unit = self.begin().await;
        let mut open = Vec::new();
        for status in CallStatus::ALL.into_iter().filter(|status| status.is_open()) {
            open.extend(unit.calls(status, None, 100).await.unwrap().into_iter().map(Result::unwrap));
        }
        open
    }

    pub(crate) async fn report(&self, key: IdempotencyKey, outcome: Outcome) -> Reported {
        self.try_report(&Report { key, outcome }).await.unwrap()
    }

    pub(crate) async fn load<L: Lifecycle>(&self, id: Id<L>) -> L {
        let mut unit = self.begin().await;
        self.escrow.load(&mut unit, id).await.unwrap()
    }

    pub(crate) async fn order(&self, id: OrderId) -> AnyOrder {
        self.load(id).await
    }

    pub(crate) async fn status(&self, id: OrderId) -> Status {
        self.order(id).await.status()
    }

    /// The payin of an order that was opened last.
    pub(crate) async fn payin(&self, id: OrderId) -> AnyPayin {
        let order = self.order(id).await;
        self.load(*order.facts().payins().last().expect("a payin")).await
    }

    pub(crate) async fn last_payin(&self, id: OrderId, unit: &mut S::Unit) -> PayinId {
        let order: AnyOrder = self.escrow.load(unit, id).await.unwrap();
        *order.facts().payins().last().expect("a payin")
    }

    pub(crate) async fn payins<L: Agreement>(&self, id: Id<L>) -> Vec<AnyPayin> {
        self.about(id.subject(), |subject| PayinId::try_from(subject).ok()).await
    }

    pub(crate) async fn payouts<L: Agreement>(&self, id: Id<L>) -> Vec<AnyPayout> {
        self.about(id.subject(), |subject| PayoutId::try_from(subject).ok()).await
    }

    pub(crate) async fn refunds<L: Agreement>(&self, id: Id<L>) -> Vec<AnyRefund> {
        self.about(id.subject(), |subject| RefundId::try_from(subject).ok()).await
    }

    async fn about<L: Lifecycle>(&self, about: Subject, of: fn(Subject) -> Option<Id<L>>) -> Vec<L> {
        let rows = self.find(&Query::About(about)).await;
        let mut found = Vec::new();
        for id in rows.into_iter().filter_map(of) {
            found.push(self.load(id).await);
        }
        found
    }

    pub(crate) async fn find(&self, query: &Query) -> Vec<Subject> {
        let mut unit = self.begin().await;
        let (mut found, mut after) = (Vec::new(), None::<Cursor>);
        loop {
            // Small pages, so that the cursors are used.
            let page = unit.find(query, after.as_ref(), 3).await.unwrap();
            found.extend(page.rows.iter().map(|row| row.subject));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    }

    pub(crate) async fn balance(&self, text: &str) -> Money {
        let mut unit = self.begin().await;
        unit.balance(&account(text), Currency::EUR).await.unwrap()
    }

    /// What must hold at any time: the books add up to zero, no guarded account is below zero, every escrow account
    /// holds what its log says, and every log can be replayed. Returns how many subjects were looked at.
    pub(crate) async fn audit(&self) -> usize {
        let mut unit = self.begin().await;
        let mut balances = Vec::new();
        loop {
            let after = balances.last().map(|b: &escrowed::ledger::Balance| (b.account.clone(), b.amount.currency()));
            let page = unit.balances(after.as_ref().map(|(account, currency)| (account, *currency)), 7).await.unwrap();
            if page.is_empty() {
                break;
            }
            balances.extend(page);
        }
        for sum in trial_balance(&balances).unwrap() {
            assert!(sum.is_zero(), "the books are off by {sum}: {balances:?}");
        }
        for balance in &balances {
            assert!(balance.account.may_hold(balance.amount.minor()), "{balance:?} is on the wrong side of zero");
        }
        drop(unit);
        let mut seen = 0;
        seen += self.audit_lifecycle::<AnyOrder>(order::TABLE.name).await;
        seen += self.audit_lifecycle::<AnyFaceToFace>("face_to_face").await;
        seen += self.audit_lifecycle::<AnyCampaign>("campaign").await;
        seen += self.audit_lifecycle::<AnyPledge>("pledge").await;
        seen += self.audit_lifecycle::<AnyMovement>("movement").await;
        seen += self.audit_lifecycle::<AnyLoan>("loan").await;
        seen += self.audit_lifecycle::<AnyDistribution>("distribution").await;
        seen += self.audit_lifecycle::<AnyPayin>("payin").await;
        seen += self.audit_lifecycle::<AnyPayout>("payout").await;
        seen += self.audit_lifecycle::<AnyRefund>("refund").await;
        self.audit_lifecycle::<AnyTally>("tally").await;
        seen += self.audit_lifecycle::<AnyChargeback>("chargeback").await;
        seen += self.audit_lifecycle::<AnyDebt>("debt").await;
        self.verify().await;
        let escrows =
            balances.iter().filter(|b| matches!(b.account, Account::Escrow(_)) && !b.amount.is_zero()).count();
        assert!(escrows <= seen, "money is held for something that is not there");
        seen
    }

    /// That the whole store says what its logs say.
    pub(crate) async fn verify(&self) -> Verified {
        let mut found = Vec::new();
        // Small pages, so that the places are used.
        let verifier = self.escrow.verifier().in_pages_of(5);
        let verified = verifier.verify(self.escrow.store(), |difference| found.push(difference.to_string())).await;
        assert!(found.is_empty(), "the store says otherwise than its logs: {found:#?}");
        verified.unwrap()
    }

    async fn audit_lifecycle<L: Lifecycle + Debug>(&self, name: &str) -> usize {
        let mut seen = 0;
        for row in L::TABLE.statuses {
            for subject in self.find(&Query::status(name.parse().unwrap(), row.name)).await {
                let mut unit = self.begin().await;
                let log = unit.log(subject).await.unwrap().expect("an indexed subject has a log");
                let value: L = replay(&log).unwrap_or_else(|corrupt| panic!("{corrupt}"));
                assert_eq!(L::TABLE.statuses[value.position()].name, row.name, "{subject} is indexed wrongly");
                let held = value.head().held();
                assert!(row.holds.admits(held.is_positive()), "{subject} holds {held} in {}", row.name);
                let booked = unit.balance(&Account::Escrow(subject), held.currency()).await.unwrap();
                assert_eq!(held, booked, "{subject} holds other than its log says");
                seen += 1;
            }
        }
        seen
    }
}

/// Runs each test on every store.
macro_rules! on_each_store {
    ($( $(#[$doc:meta])* async fn $name:ident($shop:ident) $body:block )+) => { $(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $(#[$doc])*
            async fn test<S: escrowed::store::Store>($shop: $crate::harness::Shop<S>) $body

            #[test]
            fn memory() {
                $crate::harness::block_on(test($crate::harness::Shop::memory()));
            }

            #[cfg(feature = "sqlite")]
            #[test]
            fn sqlite() {
                let folder = tempfile::tempdir().unwrap();
                let store = escrowed::sqlite::Sqlite::open(folder.path().join("shop.db")).unwrap();
                $crate::harness::block_on(test($crate::harness::Shop::new(store, 1)));
            }

            #[cfg(feature = "postgres")]
            #[test]
            fn postgres() {
                let database = $crate::postgres::database::Database::new();
                $crate::harness::block_on(async {
                    test($crate::harness::Shop::new(database.store().await, 1)).await;
                });
            }
        }
    )+ };
}
pub(crate) use on_each_store;
