//! Whatever people, gateways and networks do, in whatever order: no minor unit is lost, doubled or stuck.

mod happening;

use crate::harness::{Shop, bank, block_on, ops, party, seed, terms, user, worker};
use escrowed::{
    escrow::EscrowError,
    gateway::Report,
    id::Subject,
    lifecycle::Reason,
    money::{Currency, FeeRule, Money, Share},
    order::{Action, Amendment, AnyOrder, Blocking, Command, OrderId, Payee, PayoutPlan, Status, Terms},
    party::Actor,
    payment::{
        AnyPayin, AnyPayout, AnyRefund, Destination, Method, PayinId, PayoutId, RefundId, Route, payin, payout, refund,
    },
    sandbox::{Chaos, Resolution},
    store::{Query, Store},
};
use happening::*;
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use std::{cell::RefCell, collections::BTreeSet, time::Duration};

/// What became of the world so far.
struct Life<S> {
    shop: Shop<S>,
    orders: Vec<OrderId>,
    heard: Vec<Report>,
}

impl<S: Store> Life<S> {
    async fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Open { minor, yen, fee, tries } => self.open(minor, yen, fee, tries).await,
            Happening::Act { order, pick, offered, with } => self.act(order, pick, offered, with).await,
            Happening::Payin { which, capture } => {
                let command = || if capture { payin::Command::Capture {} } else { payin::Command::Cancel {} };
                if let Some(id) = self.pick::<AnyPayin>("payin", which).await.and_then(|s| PayinId::try_from(s).ok()) {
                    let mut unit = self.shop.begin().await;
                    let done = self.shop.escrow.act_on_payin(&mut unit, id, command(), ops()).await;
                    self.finish(unit, done).await;
                }
            }
            Happening::Payout { which, wish } => self.on_payout(which, wish).await,
            Happening::Refund { which, wish } => self.on_refund(which, wish).await,
            Happening::Send { limit } => {
                self.shop.escrow.send(&"worker".parse().unwrap(), limit).await.unwrap();
            }
            Happening::Webhooks => {
                for report in self.shop.gateway().reports_shuffled() {
                    self.shop.hear(&report).await;
                    self.heard.push(report);
                }
            }
            Happening::Repeat { which } => {
                if !self.heard.is_empty() {
                    let report = self.heard[which % self.heard.len()].clone();
                    self.shop.hear(&report).await;
                }
            }
            Happening::Resolve { which, decline } => {
                let pending = self.shop.gateway().pending();
                if !pending.is_empty() {
                    let reason = "not today".parse().unwrap();
                    let how = if decline { Resolution::Decline { reason } } else { Resolution::Settle };
                    self.shop.gateway().resolve(&pending[which % pending.len()], how);
                }
            }
            Happening::Wait { seconds } => {
                self.shop.escrow.clock().advance(Duration::from_secs(seconds));
                self.shop.escrow.run_due(&worker(), 100).await.unwrap();
            }
        }
    }

    async fn open(&mut self, minor: i64, yen: bool, fee: bool, tries: Option<u32>) {
        let mut order: Terms = terms();
        order.amount = Money::from_minor(minor, if yen { Currency::JPY } else { Currency::EUR });
        if yen || !fee {
            order.fees = None;
        }
        order.payin_intents = tries;
        let mut unit = self.shop.begin().await;
        let opened = self.shop.escrow.open_order(&mut unit, order, ops()).await.map(|order| order.id());
        if let Some(id) = self.finish(unit, opened).await {
            self.orders.push(id);
        }
    }

    async fn act(&mut self, order: usize, pick: usize, offered: bool, with: With) {
        if self.orders.is_empty() {
            return;
        }
        // Mostly the latest ones: they have further to go.
        let id = self.orders[self.orders.len() - 1 - (order % self.orders.len()).min(order % 3)];
        let mut unit = self.shop.begin().await;
        let value: AnyOrder = self.shop.escrow.load(&mut unit, id).await.unwrap();
        let people = [user("anna"), user("sam"), ops(), user("eve")];
        let mut wishes: Vec<(&Actor, Action)> = Vec::new();
        for by in &people {
            let at = self.shop.escrow.stamp(by.clone());
            let may = |action: &Action| !offered || value.may(*action, &at).is_ok();
            wishes.extend(Action::ALL.iter().copied().filter(may).map(|action| (by, action)));
        }
        // What is nearly always possible would be done nearly always, and no order would get far.
        if !pick.is_multiple_of(6) {
            wishes.retain(|(_, action)| !leads_astray(*action));
        }
        if wishes.is_empty() {
            return;
        }
        let (by, action) = wishes[pick % wishes.len()];
        let at = self.shop.escrow.stamp(by.clone());
        if action == Action::Pay && with.reserve {
            // A reservation is made by the typed method.
            if let AnyOrder::PendingPublish(order) = value
                && let Ok(taken) = order.reserve(&at)
            {
                let done = self.shop.escrow.save(&mut unit, taken, &at).await;
                self.finish(unit, done).await;
            }
            return;
        }
        let Some(command) = command(action, &with, value.facts().terms().amount.currency()) else { return };
        let may = value.may(action, &at);
        assert_eq!(may.is_ok(), value.actions(&at).any(|possible| possible == action));
        let by = by.clone();
        let wish = format!("{action} by {by:?} with {with:?}");
        let done = self.shop.escrow.act(&mut unit, id, command, by).await;
        match (&may, &done) {
            (Err(reason), Err(EscrowError::Refused(refused))) => assert_eq!(refused, reason),
            (Err(reason), done) => panic!("{wish} must be refused: {reason}, but: {done:?}"),
            // What a screen offers is refused for the data of the command only.
            (Ok(()), Err(EscrowError::Refused(reason))) => assert!(about_data(reason), "{wish}: {reason}"),
            (Ok(()), Err(EscrowError::Overdrawn(account))) => assert_eq!(account.to_string(), "wallet:anna"),
            (Ok(()), Err(error)) => panic!("{wish}: {error}"),
            (Ok(()), Ok(_)) => {}
        }
        if let Some(live) = self.finish(unit, done).await {
            let mut unit = self.shop.begin().await;
            let replayed: AnyOrder = self.shop.escrow.load(&mut unit, id).await.unwrap();
            assert_eq!(format!("{live:?}"), format!("{replayed:?}"), "the live value is not what its log says");
        }
    }

    async fn on_payout(&mut self, which: usize, wish: PayoutWish) {
        let Some(id) = self.pick::<AnyPayout>("payout", which).await.and_then(|s| PayoutId::try_from(s).ok()) else {
            return;
        };
        let command = match wish {
            PayoutWish::Replace(to) => payout::Command::Replace { to },
            PayoutWish::GiveBack => payout::Command::GiveBack {},
            PayoutWish::Cancel => payout::Command::Cancel {},
        };
        let mut unit = self.shop.begin().await;
        let done = self.shop.escrow.act_on_payout(&mut unit, id, command, ops()).await;
        self.finish(unit, done).await;
    }

    async fn on_refund(&mut self, which: usize, wish: RefundWish) {
        let Some(id) = self.pick::<AnyRefund>("refund", which).await.and_then(|s| RefundId::try_from(s).ok()) else {
            return;
        };
        let command = match wish {
            RefundWish::Approve => refund::Command::Approve {},
            RefundWish::Replace(route) => refund::Command::Replace { route },
            RefundWish::Cancel => refund::Command::Cancel {},
        };
        let mut unit = self.shop.begin().await;
        let done = self.shop.escrow.act_on_refund(&mut unit, id, command, ops()).await;
        self.finish(unit, done).await;
    }

    /// Any payment of a kind, whatever its status.
    async fn pick<L: escrowed::lifecycle::Lifecycle>(&self, name: &str, which: usize) -> Option<Subject> {
        let mut all = Vec::new();
        for row in L::TABLE.statuses {
            all.extend(self.shop.find(&Query::status(name.parse().unwrap(), row.name)).await);
        }
        all.sort();
        (!all.is_empty()).then(|| all[which % all.len()])
    }

    /// Commits what was done; what was refused is rolled back, as a host does.
    async fn finish<T>(&self, unit: S::Unit, done: Result<T, EscrowError<S::Error>>) -> Option<T> {
        match done {
            Ok(value) => {
                self.shop.commit(unit).await;
                Some(value)
            }
            Err(EscrowError::Refused(_) | EscrowError::Overdrawn(_) | EscrowError::Sent(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// With the offices doing their work, every order comes to an end that holds nothing.
    async fn wind_up(&mut self) {
        let why = "an order is stuck";
        for id in self.orders.clone() {
            for _ in 0..8 {
                let mut unit = self.shop.begin().await;
                let order: AnyOrder = self.shop.escrow.load(&mut unit, id).await.unwrap();
                drop(unit);
                match order.status() {
                    Status::Cancelled | Status::Rejected | Status::Released => break,
                    Status::BlockedRelease => self.unblock(id).await,
                    Status::PendingRelease => {}
                    Status::Draft
                    | Status::PendingPublish
                    | Status::Failure
                    | Status::Published
                    | Status::Accepted
                    | Status::PendingValidate => {
                        self.shop.act(id, Command::Cancel {}, ops()).await;
                    }
                }
                self.shop.settle_down().await;
            }
            let order = self.shop.order(id).await;
            let over = matches!(order.status(), Status::Cancelled | Status::Rejected | Status::Released);
            assert!(over && order.held().is_zero(), "{why}: {order:?}");
        }
        // Refunds that are owed are approved; then nothing but wallets and the world has money.
        for subject in self.shop.find(&Query::status("refund".parse().unwrap(), "CREATED")).await {
            let id = RefundId::try_from(subject).unwrap();
            let mut unit = self.shop.begin().await;
            self.shop.escrow.act_on_refund(&mut unit, id, refund::Command::Approve {}, ops()).await.unwrap();
            self.shop.commit(unit).await;
        }
        self.shop.settle_down().await;
        for subject in self.shop.find(&Query::status("refund".parse().unwrap(), "DENIED")).await {
            let refund = self.shop.load(RefundId::try_from(subject).unwrap()).await;
            if !refund.held().is_zero() {
                let mut unit = self.shop.begin().await;
                let replace = refund::Command::Replace { route: Route::Wallet };
                self.shop.escrow.act_on_refund(&mut unit, refund.id(), replace, ops()).await.unwrap();
                self.shop.commit(unit).await;
            }
        }
        for row in payout::TABLE.statuses {
            for subject in self.shop.find(&Query::status("payout".parse().unwrap(), row.name)).await {
                let payout = self.shop.load(PayoutId::try_from(subject).unwrap()).await;
                assert!(payout.held().is_zero(), "a payout still holds money: {payout:?}");
            }
        }
        self.shop.audit().await;
        self.shop.audit_calls().await;
    }

    async fn tally(&self, reached: &RefCell<BTreeSet<Status>>) {
        for id in &self.orders {
            let order = self.shop.order(*id).await;
            reached.borrow_mut().extend(order.history().by_time().iter().map(|passage| passage.code));
        }
    }

    async fn unblock(&self, id: OrderId) {
        for payout in self.shop.payouts(id).await {
            if payout.status() == payout::Status::Denied && !payout.held().is_zero() {
                let mut unit = self.shop.begin().await;
                let replace = payout::Command::Replace { to: Destination::Wallet };
                self.shop.escrow.act_on_payout(&mut unit, payout.id(), replace, ops()).await.unwrap();
                self.shop.commit(unit).await;
            }
        }
        let order = self.shop.order(id).await;
        let at = self.shop.escrow.stamp(ops());
        if order.may(Action::Unblock, &at).is_ok() {
            self.shop.act(id, Command::Unblock {}, ops()).await;
        } else if order.may(Action::Cancel, &at).is_ok() {
            self.shop.act(id, Command::Cancel {}, ops()).await;
        }
    }
}

/// A command for an action that people take; none for one that needs a payment's evidence.
fn command(action: Action, with: &With, currency: Currency) -> Option<Command<'static>> {
    let plan = || with.plan.clone().unwrap_or_else(|| PayoutPlan::to(party("sam"), bank("ba_sam")));
    Some(match action {
        Action::IdentifyBuyer => Command::IdentifyBuyer { buyer: party("anna") },
        Action::Pay => Command::Pay { by: with.method.clone() },
        Action::Retry => Command::Retry {},
        Action::Accept => Command::Accept { payout: with.plan.clone() },
        Action::Reject => Command::Reject {},
        Action::Cancel => Command::Cancel {},
        Action::SetPayout => Command::SetPayout { plan: plan() },
        Action::Validate => Command::Validate {},
        Action::Block => Command::Block { why: Blocking::Operator("let me see".parse().unwrap()) },
        Action::Unblock => Command::Unblock {},
        Action::RefundPart => Command::RefundPart { amount: Money::from_minor(with.minor, currency) },
        Action::Amend => {
            let rule = FeeRule::flat(Money::from_minor(with.minor.max(0), currency)).unwrap();
            Command::Amend { changes: Amendment { fee: Some(rule), ..Amendment::default() } }
        }
        Action::Publish
        | Action::Fail
        | Action::Release
        | Action::DropPayin
        | Action::CountPayout
        | Action::TakeBackPayout
        | Action::TakeBackRefund
        | Action::ChargeBack
        | Action::ChargeBackAll
        | Action::Regain
        | Action::Close
        | Action::NoteAfter => return None,
    })
}

fn leads_astray(action: Action) -> bool {
    matches!(action, Action::Cancel | Action::Reject | Action::Block | Action::RefundPart | Action::Amend)
}

pub(crate) fn about_data(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::Money(_)
            | Reason::Split(_)
            | Reason::Fee(_)
            | Reason::TooMuch { .. }
            | Reason::Fixed { .. }
            | Reason::SameParty
    )
}

/// A shop in which so many things have happened, a second apart.
#[cfg(feature = "sqlite")]
pub(crate) async fn shaken<S: Store>(shop: Shop<S>, happenings: usize, seed: u64) -> Shop<S> {
    let mut life = Life { shop, orders: Vec::new(), heard: Vec::new() };
    for happening in crate::harness::sampled(happening(), happenings, seed) {
        life.happen(happening).await;
        life.shop.escrow.clock().advance(Duration::from_secs(1));
    }
    life.shop
}

fn live<S: Store>(cases: u32, store: impl Fn() -> S) -> BTreeSet<Status> {
    let reached = RefCell::new(BTreeSet::new());
    let seed = seed();
    let config = Config { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    let lives = (prop::collection::vec(happening(), 1..120), any::<u64>(), any::<bool>());
    let run = TestRunner::new(config).run(&lives, |(happenings, gateway, rough)| {
        block_on(async {
            let shop = Shop::new(store(), gateway);
            if rough {
                shop.gateway().chaos(Chaos::ROUGH);
            }
            let mut life = Life { shop, orders: Vec::new(), heard: Vec::new() };
            for (number, happening) in happenings.into_iter().enumerate() {
                life.happen(happening).await;
                if number % 16 == 0 {
                    life.shop.audit().await;
                }
            }
            life.shop.settle_down().await;
            life.shop.audit().await;
            life.tally(&reached).await;
            life.wind_up().await;
        });
        Ok(())
    });
    run.unwrap_or_else(|failed| panic!("seed {seed}: {failed}"));
    reached.into_inner()
}

#[test]
fn no_money_is_lost_doubled_or_stuck_in_memory() {
    let reached = live(600, crate::one_write::OneWrite::memory);
    // What was never reached was not tested.
    assert_eq!(reached, Status::ALL.iter().copied().collect());
}

#[cfg(feature = "sqlite")]
#[test]
fn no_money_is_lost_doubled_or_stuck_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let _ = live(25, || {
        number.set(number.get() + 1);
        escrowed::sqlite::Sqlite::open(folder.path().join(format!("{}.db", number.get()))).unwrap()
    });
}

#[cfg(feature = "postgres")]
#[test]
fn no_money_is_lost_doubled_or_stuck_in_postgres() {
    let databases = RefCell::new(Vec::new());
    let _ = live(10, || crate::postgres::fresh(&databases));
}
