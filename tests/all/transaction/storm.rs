//! Random happenings: what people, gateways, networks and clocks do to transactions, in whatever order.

use super::{anna, audit, complaint, judy, sam, terms, wire};
use crate::harness::{Shop, bank, ops, party, user, worker};
use escrowed::{
    deal::{Award, Period, Side},
    escrow::EscrowError,
    gateway::Report,
    id::Subject,
    lifecycle::{Lifecycle, Reason},
    money::{Currency, Money},
    party::Actor,
    payment::{
        AnyPayin, AnyPayout, AnyRefund, Destination, Method, PayinId, PayoutId, RefundId, Route, payin, payout, refund,
    },
    sandbox::Resolution,
    store::{Query, Store},
    transaction::{Action, AnyTransaction, Command, Fees, Person, Pricing, Terms, Transaction, TransactionId},
};
use proptest::prelude::*;
use std::time::Duration;

/// A shop in which so many things have happened, a second apart.
#[cfg(feature = "sqlite")]
pub(crate) async fn shaken<S: Store>(shop: Shop<S>, happenings: usize, seed: u64) -> Shop<S> {
    let mut life = Life::new(shop);
    for happening in crate::harness::sampled(happening(), happenings, seed) {
        life.happen(happening).await;
        life.shop.escrow.clock().advance(Duration::from_secs(1));
    }
    life.shop
}

/// Something that happens.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Open(Opening),
    /// Somebody does something: mostly what a screen offers, sometimes anything at all.
    Act {
        deal: usize,
        pick: usize,
        offered: bool,
        with: With,
    },
    CancelPayin {
        which: usize,
    },
    Payout {
        which: usize,
        command: PayoutWish,
    },
    Refund {
        which: usize,
        route: Route,
    },
    Send {
        limit: usize,
    },
    Webhooks,
    Repeat {
        which: usize,
    },
    Resolve {
        which: usize,
        decline: bool,
    },
    Wait {
        seconds: u64,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Opening {
    minor: i64,
    extra: i64,
    fees: [i64; 4],
    yen: bool,
    by_buyer: bool,
    window: Option<u32>,
    for_anybody: bool,
    payout: Option<Destination>,
}

/// What a command may need.
#[derive(Debug, Clone)]
pub(super) struct With {
    method: Method,
    to: Destination,
    /// How much of it an award gives to the buyer, in a thousandth; beyond 1000 it does not add up.
    share: i64,
    hours: u64,
}

#[derive(Debug, Clone)]
pub(super) enum PayoutWish {
    Replace(Destination),
    GiveBack,
    Cancel,
}

fn destination() -> impl Strategy<Value = Destination> {
    prop_oneof![Just(Destination::Wallet), Just(bank("ba_1"))]
}

fn opening() -> impl Strategy<Value = Opening> {
    let fee = || prop_oneof![Just(0), 0..300i64];
    let window = prop::option::weighted(0.3, 600..90_000u32);
    let payout = prop::option::of(destination());
    (1..50_000i64, fee(), [fee(), fee(), fee(), fee()], any::<[bool; 3]>(), window, payout).prop_map(
        |(minor, extra, fees, [yen, by_buyer, for_anybody], window, payout)| Opening {
            minor,
            extra,
            fees,
            yen,
            by_buyer,
            window,
            for_anybody,
            payout,
        },
    )
}

fn with() -> impl Strategy<Value = With> {
    let method = prop_oneof![3 => Just(Method::Card), 1 => Just(wire()), 2 => Just(Method::Wallet)];
    let share = prop_oneof![2 => Just(1000), 1 => Just(0), 3 => 0..=1000i64, 1 => -10..1010i64];
    (method, destination(), share, 1..400u64).prop_map(|(method, to, share, hours)| With { method, to, share, hours })
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    let which = 0..64usize;
    let payout = prop_oneof![
        3 => destination().prop_map(PayoutWish::Replace), 1 => Just(PayoutWish::GiveBack), 1 => Just(PayoutWish::Cancel)
    ];
    let route =
        prop_oneof![Just(Route::Original), Just(Route::Wallet), Just(Route::Account("ba_anna".parse().unwrap()))];
    prop_oneof![
        2 => opening().prop_map(Happening::Open),
        22 => (which.clone(), 0..1_000usize, prop::bool::weighted(0.9), with())
            .prop_map(|(deal, pick, offered, with)| Happening::Act { deal, pick, offered, with }),
        1 => which.clone().prop_map(|which| Happening::CancelPayin { which }),
        2 => (which.clone(), payout).prop_map(|(which, command)| Happening::Payout { which, command }),
        2 => (which.clone(), route).prop_map(|(which, route)| Happening::Refund { which, route }),
        7 => (1..5usize).prop_map(|limit| Happening::Send { limit }),
        3 => Just(Happening::Webhooks),
        1 => which.clone().prop_map(|which| Happening::Repeat { which }),
        2 => (which, any::<bool>()).prop_map(|(which, decline)| Happening::Resolve { which, decline }),
        2 => prop_oneof![4 => 1..7_200u64, 1 => 80_000..400_000u64].prop_map(|seconds| Happening::Wait { seconds }),
    ]
}

/// What became of the world so far.
pub(super) struct Life<S> {
    pub(super) shop: Shop<S>,
    pub(super) deals: Vec<TransactionId>,
    heard: Vec<Report>,
}

impl Opening {
    fn terms(self) -> Terms {
        let currency = if self.yen { Currency::JPY } else { Currency::EUR };
        let money = |minor| Money::from_minor(minor, currency);
        let [buyer, buyer_client, seller, seller_client] = self.fees.map(money);
        let fees = Fees { buyer, buyer_client, seller, seller_client };
        let mut opened = terms();
        opened.pricing = Pricing { amount: money(self.minor), amount_extra: money(self.extra), fees };
        let (anna, sam) = (Person::user(party("anna")), Person::user(party("sam")));
        (opened.creator, opened.buyer, opened.seller) = match (self.by_buyer, self.for_anybody) {
            (true, true) => (Side::Buyer, Some(anna), None),
            (true, false) => (Side::Buyer, Some(anna), Some(sam)),
            (false, true) => (Side::Seller, None, Some(sam)),
            (false, false) => (Side::Seller, Some(anna), Some(sam)),
        };
        opened.policy.payment = self.window.map(Period::seconds);
        opened.payout = self.payout;
        opened
    }
}

impl<S: Store> Life<S> {
    pub(super) const fn new(shop: Shop<S>) -> Self {
        Self { shop, deals: Vec::new(), heard: Vec::new() }
    }

    pub(super) async fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Open(opening) => self.open(opening).await,
            Happening::Act { deal, pick, offered, with } => self.act(deal, pick, offered, with).await,
            Happening::CancelPayin { which } => {
                if let Some(id) = self.pick::<AnyPayin>("payin", which).await.and_then(|s| PayinId::try_from(s).ok()) {
                    let mut unit = self.shop.begin().await;
                    let cancel = payin::Command::Cancel {};
                    let done = self.shop.escrow.act_on_payin(&mut unit, id, cancel, ops()).await;
                    self.finish(unit, done).await;
                }
            }
            Happening::Payout { which, command } => self.on_payout(which, command).await,
            Happening::Refund { which, route } => self.on_refund(which, route).await,
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

    pub(super) async fn audit(&self) {
        audit(&self.shop).await;
    }

    async fn open(&mut self, opening: Opening) {
        let terms = opening.terms();
        let at = self.shop.escrow.stamp(if terms.creator == Side::Buyer { anna() } else { sam() });
        match Transaction::open(TransactionId::generate(at.at), terms, &at) {
            Ok(opened) => {
                let mut unit = self.shop.begin().await;
                self.deals.push(opened.save(&mut unit).await.unwrap().id());
                self.shop.commit(unit).await;
            }
            Err(refused) => assert!(matches!(refused.reason, Reason::TooMuch { .. }), "{refused}"),
        }
    }

    async fn act(&mut self, deal: usize, pick: usize, offered: bool, with: With) {
        if self.deals.is_empty() {
            return;
        }
        // Mostly the latest ones: they have further to go.
        let id = self.deals[self.deals.len() - 1 - (deal % self.deals.len()).min(deal % 3)];
        let mut unit = self.shop.begin().await;
        let value: AnyTransaction = self.shop.escrow.load(&mut unit, id).await.unwrap();
        let people = [anna(), sam(), ops(), judy(), user("eve"), Actor::Clock];
        let mut wishes: Vec<(&Actor, Action)> = Vec::new();
        for by in &people {
            let at = self.shop.escrow.stamp(by.clone());
            let may = |action: &Action| !offered || value.may(*action, &at).is_ok();
            wishes.extend(Action::ALL.iter().copied().filter(may).map(|action| (by, action)));
        }
        // What is nearly always possible would be done nearly always, and nothing would get far.
        if !pick.is_multiple_of(7) {
            wishes.retain(|(_, action)| !leads_astray(*action));
        }
        if wishes.is_empty() {
            return;
        }
        let (by, action) = wishes[pick % wishes.len()];
        let at = self.shop.escrow.stamp(by.clone());
        let Some(command) = command(action, &with, &value, at.at) else { return };
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
            (Ok(()), Err(EscrowError::Overdrawn(account))) => assert!(account.to_string().starts_with("wallet:")),
            (Ok(()), Err(error)) => panic!("{wish}: {error}"),
            (Ok(()), Ok(_)) => {}
        }
        if let Some(live) = self.finish(unit, done).await {
            let replayed: AnyTransaction = self.shop.load(id).await;
            assert_eq!(format!("{live:?}"), format!("{replayed:?}"), "the live value is not what its log says");
        }
    }

    async fn on_payout(&mut self, which: usize, wish: PayoutWish) {
        let Some(id) = self.pick::<AnyPayout>("payout", which).await.and_then(|s| PayoutId::try_from(s).ok()) else {
            return;
        };
        let replaces = matches!(wish, PayoutWish::Replace(_));
        let command = match wish {
            PayoutWish::Replace(to) => payout::Command::Replace { to },
            PayoutWish::GiveBack => payout::Command::GiveBack {},
            PayoutWish::Cancel => payout::Command::Cancel {},
        };
        let mut unit = self.shop.begin().await;
        let done = self.shop.escrow.act_on_payout(&mut unit, id, command, ops()).await;
        assert!(done.is_err() || replaces, "no money comes back into a transaction: {done:?}");
        self.finish(unit, done).await;
    }

    async fn on_refund(&mut self, which: usize, route: Route) {
        let Some(id) = self.pick::<AnyRefund>("refund", which).await.and_then(|s| RefundId::try_from(s).ok()) else {
            return;
        };
        let mut unit = self.shop.begin().await;
        let replace = refund::Command::Replace { route };
        let done = self.shop.escrow.act_on_refund(&mut unit, id, replace, ops()).await;
        self.finish(unit, done).await;
    }

    /// Any payment of a kind, whatever its status.
    async fn pick<L: Lifecycle>(&self, name: &str, which: usize) -> Option<Subject> {
        let all = self.every::<L>(name).await;
        (!all.is_empty()).then(|| all[which % all.len()])
    }

    pub(super) async fn every<L: Lifecycle>(&self, name: &str) -> Vec<Subject> {
        let mut all = Vec::new();
        for row in L::TABLE.statuses {
            all.extend(self.shop.find(&Query::status(name.parse().unwrap(), row.name)).await);
        }
        all.sort();
        all
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
}

/// A command for an action that people or the clock take; none for one that needs a payment's evidence.
fn command(
    action: Action,
    with: &With,
    deal: &AnyTransaction,
    now: escrowed::time::Timestamp,
) -> Option<Command<'static>> {
    Some(match action {
        Action::Join => Command::Join {},
        Action::Cancel => Command::Cancel {},
        Action::AcceptPayment => Command::AcceptPayment {},
        Action::Track => super::track(),
        Action::Deliver => Command::Deliver {},
        Action::ConfirmHandover => Command::ConfirmHandover {},
        Action::Complain => Command::Complain { complaint: complaint() },
        Action::EndComplaintPeriod => Command::EndComplaintPeriod {},
        Action::Award => {
            let held = deal.held();
            let buyer = Money::from_minor(held.minor() * with.share / 1000, held.currency());
            Command::Award { award: Award { buyer, seller: held.checked_sub(buyer).unwrap() } }
        }
        Action::OpenPayin => Command::OpenPayin { by: with.method.clone() },
        Action::SetPayout => Command::SetPayout { to: with.to.clone() },
        Action::ExtendTracking => Command::ExtendTracking { until: now.plus(Duration::from_secs(with.hours * 3600)) },
        Action::Release => Command::Release {},
        Action::SettleComplaint => Command::SettleComplaint {},
        Action::Refund => Command::Refund {},
        Action::Pay
        | Action::DropPayin
        | Action::Count
        | Action::ChargeBack
        | Action::ChargeBackAll
        | Action::Regain
        | Action::Close
        | Action::NoteAfter => return None,
    })
}

fn leads_astray(action: Action) -> bool {
    matches!(action, Action::Cancel | Action::SetPayout | Action::ExtendTracking)
}

fn about_data(reason: &Reason) -> bool {
    // An award that does not add up, and a deadline that would not become longer.
    matches!(reason, Reason::Money(_) | Reason::WrongAmount { .. } | Reason::TooLate { action: "extend_tracking", .. })
}
