//! Whatever payers, banks, networks and clocks do, in whatever order: each movement ends all or nothing, to the minor unit.

use super::*;
use crate::storm::{Reached, Story, Weather, live, on_fresh_stores, statuses, weather};
use escrowed::{gateway::Report, memory::Memory, payment::refund};
use proptest::prelude::*;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Move { kind: usize, amounts: Vec<i64>, payees: usize, method: usize, by: usize, batch: u16, tries: u32, hours: u64 },
    Pay { which: usize, who: usize, method: usize },
    Retry { which: usize, who: usize },
    Undo { which: usize, by: usize },
    Order { which: usize, nth: usize, what: usize, by: usize },
    Weather(Weather),
    Resume { which: usize, commit: bool },
}

const PAYERS: [&str; 3] = ["anna", "ben", "cleo"];
const PAYEES: [&str; 3] = ["sam", "tess", "una"];

fn happening() -> impl Strategy<Value = Happening> {
    let which = 0..32usize;
    let waits = (prop_oneof![4 => 1..9_000u64, 1 => 40_000..200_000u64], 0..4usize);
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
        // None, some or all of what is due is done: a worker may stop anywhere.
        20 => weather(waits.prop_map(|(seconds, limit)| (Duration::from_secs(seconds), limit)))
            .prop_map(Happening::Weather),
        2 => (which, any::<bool>()).prop_map(|(which, commit)| Happening::Resume { which, commit }),
    ]
}

pub(crate) struct Life<S> {
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
    let to = |nth: usize| if nth.is_multiple_of(2) { bank("ba_payee") } else { Destination::Wallet };
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
                if let Some(moved) = self.shop.finish(unit, moved).await {
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
                self.shop.finish(unit, undone).await;
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
            Happening::Weather(weather) => self.shop.befall(weather, &mut self.heard).await,
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
        self.shop.finish(unit, done).await;
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

impl<S: Store> Story<S> for Life<S> {
    type Happening = Happening;

    fn happening() -> impl Strategy<Value = Happening> {
        happening()
    }

    fn reachable() -> Reached {
        statuses::<AnyMovement>()
    }

    fn begin(shop: Shop<S>) -> Self {
        Self { shop, movements: Vec::new(), heard: Vec::new() }
    }

    fn shop(&self) -> &Shop<S> {
        &self.shop
    }

    fn into_shop(self) -> Shop<S> {
        self.shop
    }

    async fn happen(&mut self, happening: Happening) {
        Self::happen(self, happening).await;
    }

    async fn reached(&self) -> Reached {
        let mut reached = Reached::new();
        for id in &self.movements {
            let movement = self.shop.load(*id).await;
            reached.extend(movement.history().by_time().iter().map(|passage| ("movement", passage.code.name())));
        }
        reached
    }

    /// Workers do what is theirs and an office replaces what a bank would not take back; nobody else does anything.
    async fn wind_up(&mut self) {
        for _ in 0..6 {
            self.shop.settle_down().await;
            while self.shop.escrow.run_due(&worker(), 100).await.unwrap().taken > 0 {}
            self.shop.replace_denied().await;
            self.shop.escrow.clock().advance(DAY);
        }
        self.shop.settle_down().await;
        self.shop.payments_are_empty().await;
        for id in &self.movements {
            let run = Run { shop: &self.shop, id: *id };
            let all = run.is_over().await;
            self.adds_up(&run.now().await, all).await;
        }
    }
}

on_fresh_stores! {
    every_movement_ends_all_or_nothing: live::<_, Life<_>>,
    memory: 200 in Memory::new, sqlite: 15, postgres: 6
}
