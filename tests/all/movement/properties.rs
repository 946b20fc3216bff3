//! Whatever payers, banks, networks and clocks do, in whatever order: each movement ends all or nothing, to the minor unit.

use super::*;
use crate::harness::seed;
use escrowed::{
    gateway::Report,
    payment::{AnyRefund, Route, refund},
    sandbox::{Chaos, Resolution},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use std::{cell::RefCell, collections::BTreeSet};

/// Something that happens.
#[derive(Debug, Clone)]
enum Happening {
    Move { kind: usize, amounts: Vec<i64>, payees: usize, method: usize, by: usize, batch: u16, tries: u32, hours: u64 },
    Pay { which: usize, who: usize, method: usize },
    Retry { which: usize, who: usize },
    Undo { which: usize, by: usize },
    Order { which: usize, nth: usize, what: usize, by: usize },
    CancelPayin { which: usize, nth: usize },
    Send { limit: usize },
    Webhooks,
    Repeat { which: usize },
    Resolve { which: usize, decline: bool },
    Wait { seconds: u64, rounds: usize },
    Resume { which: usize, commit: bool },
}

const PAYERS: [&str; 3] = ["anna", "ben", "cleo"];
const PAYEES: [&str; 3] = ["sam", "tess", "una"];

fn happening() -> impl Strategy<Value = Happening> {
    let which = 0..32usize;
    prop_oneof![
        4 => (
            (0..8usize, prop::collection::vec(1..9_000i64, 1..4), 1..4usize, 0..3usize),
            (0..3usize, 1..5u16, 1..3u32, 1..40u64)
        )
            .prop_map(|((kind, amounts, payees, method), (by, batch, tries, hours))| Happening::Move {
                kind, amounts, payees, method, by, batch, tries, hours
            }),
        10 => (which.clone(), 0..4usize, 0..3usize).prop_map(|(which, who, method)| Happening::Pay { which, who, method }),
        2 => (which.clone(), 0..3usize).prop_map(|(which, who)| Happening::Retry { which, who }),
        1 => (which.clone(), 0..5usize).prop_map(|(which, by)| Happening::Undo { which, by }),
        2 => (which.clone(), 0..6usize, 0..7usize, 0..5usize)
            .prop_map(|(which, nth, what, by)| Happening::Order { which, nth, what, by }),
        1 => (which.clone(), 0..4usize).prop_map(|(which, nth)| Happening::CancelPayin { which, nth }),
        8 => (1..6usize).prop_map(|limit| Happening::Send { limit }),
        3 => Just(Happening::Webhooks),
        1 => which.clone().prop_map(|which| Happening::Repeat { which }),
        2 => (which.clone(), any::<bool>()).prop_map(|(which, decline)| Happening::Resolve { which, decline }),
        3 => (prop_oneof![4 => 1..9_000u64, 1 => 40_000..200_000u64], 0..3usize)
            .prop_map(|(seconds, rounds)| Happening::Wait { seconds, rounds }),
        2 => (which, any::<bool>()).prop_map(|(which, commit)| Happening::Resume { which, commit }),
    ]
}

struct Life<S> {
    shop: Shop<S>,
    movements: Vec<MovementId>,
    heard: Vec<Report>,
}

fn cents(minor: i64) -> Money {
    Money::from_minor(minor, escrowed::money::Currency::EUR)
}

fn people(by: usize) -> Actor {
    [user("anna"), user("ben"), user("sam"), ops(), user("eve")][by].clone()
}

fn plan(frame: Frame, kind: usize, amounts: &[i64], payees: usize, method: usize) -> Plan {
    let (anna, sam, amount) = (party("anna"), party("sam"), cents(amounts[0]));
    let outside = || [Outside::Card, Outside::BankWire { refund_to: "ba_anna".parse().unwrap() }][method % 2].clone();
    let by = || [Method::Card, wire("anna"), Method::Wallet][method].clone();
    let to = |nth: usize| if nth % 2 == 0 { bank("ba_payee") } else { Destination::Wallet };
    let all = || PAYEES.iter().take(payees).enumerate().map(|(nth, name)| payee(name, Share::Rest, to(nth))).collect();
    let some = || {
        let payers = amounts.iter().zip(PAYERS);
        payers.map(|(minor, name)| Payer { party: party(name), amount: cents(*minor) }).collect()
    };
    match kind {
        0 => Plan::payin_to_wallet(frame, anna, outside(), sam, amount),
        1 => Plan::payin_from_wallet(frame, anna, sam, "ba_sam".parse().unwrap(), amount),
        2 => Plan::top_up(frame, anna, outside(), amount),
        3 => Plan::wallet_to_wallet(frame, anna, sam, amount),
        4 => Plan::one_to_one(frame, anna, by(), sam, to(method), amount),
        5 => Plan::one_to_many(frame, anna, by(), amount, all()),
        6 => Plan::many_to_one(frame, some(), sam),
        _ => Plan::many_to_many(frame, some(), all()),
    }
}

impl<S: Store> Life<S> {
    async fn happen(&mut self, happening: Happening) {
        let escrow = &self.shop.escrow;
        let latest = |which: usize| self.movements.iter().rev().nth(which % self.movements.len().clamp(1, 4)).copied();
        match happening {
            Happening::Move { kind, amounts, payees, method, by, batch, tries, hours } => {
                let until = self.shop.now().plus(Duration::from_secs(hours * 3_600));
                let frame = Frame { until, batch, payin_intents: tries, ..frame() };
                let plan = plan(frame, kind, &amounts, payees, method);
                let by = [user("anna"), ops(), user("sam")][by].clone();
                let mut unit = self.shop.begin().await;
                let moved = escrow.move_money(&mut unit, plan, by).await;
                if let Some(moved) = self.finish(unit, moved).await {
                    self.movements.push(moved.id());
                }
            }
            Happening::Pay { which, who, method } => {
                let Some(order) = self.order_of(latest(which), who).await else { return };
                let by = [Method::Card, wire(PAYERS[who % 3]), Method::Wallet][method].clone();
                self.on(order, order::Command::Pay { by }, user(PAYERS[who % 3])).await;
            }
            Happening::Retry { which, who } => {
                let Some(order) = self.order_of(latest(which), who).await else { return };
                self.on(order, order::Command::Retry {}, user(PAYERS[who])).await;
            }
            Happening::Undo { which, by } => {
                let Some(id) = latest(which) else { return };
                let mut unit = self.shop.begin().await;
                let undone = escrow.act(&mut unit, id, Command::Undo {}, people(by)).await;
                self.finish(unit, undone).await;
            }
            Happening::Order { which, nth, what, by } => {
                let Some(id) = latest(which) else { return };
                let movement = self.shop.load(id).await;
                let Some(place) = movement.orders().filter(|place| place.stands > Stands::Planned).nth(nth) else {
                    return;
                };
                let command = [
                    order::Command::Cancel {},
                    order::Command::Reject {},
                    order::Command::Accept { payout: None },
                    order::Command::Validate {},
                    order::Command::RefundPart { amount: cents(1) },
                    order::Command::Amend { changes: order::Amendment::default() },
                    order::Command::Block { why: order::Blocking::Operator("x".parse().unwrap()) },
                ]
                .into_iter()
                .nth(what)
                .unwrap();
                let mut unit = self.shop.begin().await;
                let done = escrow.act(&mut unit, place.order, command, people(by)).await;
                assert!(matches!(done, Err(EscrowError::Refused(_))), "somebody acted past the movement: {done:?}");
            }
            Happening::CancelPayin { which, nth } => {
                let Some(order) = self.order_of(latest(which), nth).await else { return };
                let Some(payin) = self.shop.order(order).await.facts().payins().last().copied() else { return };
                let mut unit = self.shop.begin().await;
                let cancel = escrowed::payment::payin::Command::Cancel {};
                let done = escrow.act_on_payin(&mut unit, payin, cancel, ops()).await;
                self.finish(unit, done).await;
            }
            Happening::Send { limit } => drop(escrow.send(&worker(), limit).await.unwrap()),
            Happening::Webhooks => {
                for report in self.shop.gateway().reports_shuffled() {
                    self.shop.hear(&report).await;
                    self.heard.push(report);
                }
            }
            Happening::Repeat { which } => {
                if !self.heard.is_empty() {
                    self.shop.hear(&self.heard[which % self.heard.len()].clone()).await;
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
            Happening::Wait { seconds, rounds } => {
                escrow.clock().advance(Duration::from_secs(seconds));
                // None, some or all of what is due is done: a worker may stop anywhere.
                for _ in 0..rounds {
                    let due = escrow.run_due(&worker(), rounds).await.unwrap();
                    assert_eq!(due.failed, 0, "{due:?}");
                }
            }
            Happening::Resume { which, commit } => {
                let Some(id) = latest(which) else { return };
                let mut unit = self.shop.begin().await;
                escrow.resume(&mut unit, id).await.unwrap();
                if commit {
                    self.shop.commit(unit).await;
                }
            }
        }
    }

    async fn order_of(&self, movement: Option<MovementId>, who: usize) -> Option<OrderId> {
        let movement = self.shop.load(movement?).await;
        let order = movement.order_of(&party(PAYERS[who % 3]))?;
        movement.orders().any(|place| place.order == order && place.stands > Stands::Planned).then_some(order)
    }

    async fn on(&self, order: OrderId, command: order::Command<'_>, by: Actor) {
        let mut unit = self.shop.begin().await;
        let done = self.shop.escrow.act(&mut unit, order, command, by).await;
        self.finish(unit, done).await;
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

    /// The storm is over: workers do what is theirs, nobody else does anything.
    async fn wind_up(&self) {
        for _ in 0..6 {
            self.shop.settle_down().await;
            while self.shop.escrow.run_due(&worker(), 100).await.unwrap().taken > 0 {}
            self.replace_denied_refunds().await;
            self.shop.escrow.clock().advance(DAY);
        }
        self.shop.settle_down().await;
        self.shop.audit().await;
        for id in &self.movements {
            let run = Run { shop: &self.shop, id: *id };
            let all = run.is_over().await;
            self.adds_up(&run.now().await, all).await;
        }
    }

    async fn replace_denied_refunds(&self) {
        for id in &self.movements {
            for place in self.shop.load(*id).await.orders().filter(|place| place.stands > Stands::Planned) {
                for refund in self.shop.refunds(place.order).await {
                    if let AnyRefund::Denied(refund) = refund
                        && refund.held().is_positive()
                    {
                        let replace = refund::Command::Replace { route: Route::Wallet };
                        let mut unit = self.shop.begin().await;
                        self.shop.escrow.act_on_refund(&mut unit, refund.id(), replace, ops()).await.unwrap();
                        self.shop.commit(unit).await;
                    }
                }
            }
        }
    }

    /// What each order took in went to its payee, all of it and once, or back to its payer.
    async fn adds_up(&self, movement: &AnyMovement, all: bool) {
        use escrowed::payment::{payin, payout};
        for place in movement.orders().filter(|place| place.stands > Stands::Planned) {
            let (zero, order) = (cents(0), place.order);
            let sum = |amounts: Vec<Money>| Money::sum(amounts, zero.currency()).unwrap();
            let payins = self.shop.payins(order).await;
            let mut paid = payins.iter().filter(|payin| payin.history().by_key(payin::Status::Confirmed).is_some());
            let ids: Vec<_> = paid.clone().map(|payin| payin.id()).collect();
            let came = sum(paid.by_ref().map(|payin| payin.facts().amount).collect());
            let refunds = self.shop.refunds(order).await;
            let back = refunds.iter().filter(|one| one.status() == refund::Status::Confirmed);
            let back = back.filter(|one| ids.contains(&one.facts().payin));
            let back = sum(back.map(|one| one.facts().amount).collect());
            let payouts = self.shop.payouts(order).await;
            let out = payouts.iter().filter(|one| one.status() == payout::Status::Confirmed);
            let out = sum(out.map(|one| one.facts().amount).collect());
            let (wanted, kept) = if all { (place.amount, place.amount) } else { (zero, zero) };
            assert_eq!(out, wanted, "{place:?}");
            assert_eq!(came.checked_sub(back).unwrap(), kept, "{place:?}");
        }
        let first: Vec<_> = movement.orders().filter(|place| place.payer != wallet(movement.id())).collect();
        let last: Vec<_> = movement.orders().filter(|place| place.payee != wallet(movement.id())).collect();
        let sum = |places: &[escrowed::movement::Place]| {
            Money::sum(places.iter().map(|place| place.amount), cents(0).currency()).unwrap()
        };
        assert_eq!(sum(&first), sum(&last), "what the payers pay is what the payees get");
    }
}

type Reached = BTreeSet<&'static str>;

fn live<S: Store>(cases: u32, store: impl Fn() -> S) -> Reached {
    let reached = RefCell::<Reached>::default();
    let seed = seed();
    let config = Config { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    let lives = (prop::collection::vec(happening(), 1..100), any::<u64>(), any::<bool>());
    let run = TestRunner::new(config).run(&lives, |(happenings, gateway, rough)| {
        let shop = Shop::new(store(), gateway);
        crate::harness::block_on(async {
            for name in ["anna", "ben"] {
                shop.fill_wallet(name, euro("150.00")).await;
            }
            if rough {
                shop.gateway().chaos(Chaos::ROUGH);
            }
            let mut life = Life { shop, movements: Vec::new(), heard: Vec::new() };
            for (number, happening) in happenings.into_iter().enumerate() {
                life.happen(happening).await;
                if number % 16 == 0 {
                    life.shop.audit().await;
                }
            }
            life.wind_up().await;
            for id in &life.movements {
                let movement = life.shop.load(*id).await;
                reached.borrow_mut().extend(movement.history().by_time().iter().map(|passage| passage.code.name()));
            }
        });
        Ok(())
    });
    run.unwrap_or_else(|failed| panic!("seed {seed}: {failed}"));
    reached.into_inner()
}

#[test]
fn every_movement_ends_all_or_nothing_in_memory() {
    let reached = live(200, escrowed::memory::Memory::new);
    // What was never reached was not tested.
    assert_eq!(reached, Status::ALL.iter().map(|status| status.name()).collect());
}

#[cfg(feature = "sqlite")]
#[test]
fn every_movement_ends_all_or_nothing_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let _ = live(15, || {
        number.set(number.get() + 1);
        escrowed::sqlite::Sqlite::open(folder.path().join(format!("{}.db", number.get()))).unwrap()
    });
}

#[cfg(feature = "postgres")]
#[test]
fn every_movement_ends_all_or_nothing_in_postgres() {
    let databases = RefCell::new(Vec::new());
    let _ = live(6, || {
        let database = crate::postgres::database::Database::new();
        let store = crate::harness::block_on(database.store());
        databases.borrow_mut().push(database);
        store
    });
}
