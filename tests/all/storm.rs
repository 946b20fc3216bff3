//! What random stories have in common: what gateways, networks, clocks and offices do to payments, whatever those belong
//! to, and how a story is lived through on each store.

use crate::harness::{Problem, Shop, bank, block_on, euro, ops, random, worker};
use escrowed::{
    escrow::EscrowError,
    gateway::Report,
    id::Id,
    lifecycle::{Lifecycle, Value},
    payment::{AnyPayin, AnyPayout, AnyRefund, Destination, Route, payin, payout, refund},
    sandbox::{Chaos, Resolution},
    store::{Query, Store},
};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{cell::RefCell, collections::BTreeSet, fmt::Debug, time::Duration};

/// What happens to payments by itself, and what an office does to them.
#[derive(Debug, Clone)]
pub(crate) enum Weather {
    Payin {
        which: usize,
        capture: bool,
    },
    Payout {
        which: usize,
        wish: PayoutWish,
    },
    Refund {
        which: usize,
        wish: RefundWish,
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
    /// Time passes, and a worker sees to so much of what is due.
    Wait {
        time: Duration,
        limit: usize,
    },
}

#[derive(Debug, Clone)]
pub(crate) enum PayoutWish {
    Replace(Destination),
    GiveBack,
    Cancel,
}

#[derive(Debug, Clone)]
pub(crate) enum RefundWish {
    Approve,
    Replace(Route),
    Cancel,
}

pub(crate) fn destination() -> impl Strategy<Value = Destination> {
    prop_oneof![Just(Destination::Wallet), Just(bank("ba_1"))]
}

/// The weather, out of 20; `waits` is how long one waits, and how much is seen to then.
pub(crate) fn weather(waits: impl Strategy<Value = (Duration, usize)>) -> impl Strategy<Value = Weather> {
    let which = 0..64usize;
    let payout = prop_oneof![
        2 => destination().prop_map(PayoutWish::Replace), 1 => Just(PayoutWish::GiveBack), 1 => Just(PayoutWish::Cancel)
    ];
    let route =
        prop_oneof![Just(Route::Original), Just(Route::Wallet), Just(Route::Account("ba_anna".parse().unwrap()))];
    let refund = prop_oneof![
        2 => Just(RefundWish::Approve), 2 => route.prop_map(RefundWish::Replace), 1 => Just(RefundWish::Cancel)
    ];
    prop_oneof![
        1 => (which.clone(), any::<bool>()).prop_map(|(which, capture)| Weather::Payin { which, capture }),
        2 => (which.clone(), payout).prop_map(|(which, wish)| Weather::Payout { which, wish }),
        2 => (which.clone(), refund).prop_map(|(which, wish)| Weather::Refund { which, wish }),
        7 => (1..5usize).prop_map(|limit| Weather::Send { limit }),
        3 => Just(Weather::Webhooks),
        1 => which.clone().prop_map(|which| Weather::Repeat { which }),
        2 => (which, any::<bool>()).prop_map(|(which, decline)| Weather::Resolve { which, decline }),
        2 => waits.prop_map(|(time, limit)| Weather::Wait { time, limit }),
    ]
}

impl<S: Store> Shop<S> {
    /// Lets it happen. What is not possible now is refused, and changes nothing.
    pub(crate) async fn befall(&self, weather: Weather, heard: &mut Vec<Report>) {
        match weather {
            Weather::Payin { which, capture } => {
                let Some(id) = self.pick::<AnyPayin>(which).await else { return };
                let command = if capture { payin::Command::Capture {} } else { payin::Command::Cancel {} };
                let mut unit = self.begin().await;
                let done = self.escrow.act_on_payin(&mut unit, id, command, ops()).await;
                self.finish(unit, done).await;
            }
            Weather::Payout { which, wish } => {
                self.on_any_payout(which, wish).await;
            }
            Weather::Refund { which, wish } => {
                let Some(id) = self.pick::<AnyRefund>(which).await else { return };
                let command = match wish {
                    RefundWish::Approve => refund::Command::Approve {},
                    RefundWish::Replace(route) => refund::Command::Replace { route },
                    RefundWish::Cancel => refund::Command::Cancel {},
                };
                let mut unit = self.begin().await;
                let done = self.escrow.act_on_refund(&mut unit, id, command, ops()).await;
                self.finish(unit, done).await;
            }
            Weather::Send { limit } => {
                self.escrow.send(&worker(), limit).await.unwrap();
            }
            Weather::Webhooks => {
                for report in self.gateway().reports_shuffled() {
                    self.hear(&report).await;
                    heard.push(report);
                }
            }
            Weather::Repeat { which } => {
                if !heard.is_empty() {
                    self.hear(&heard[which % heard.len()]).await;
                }
            }
            Weather::Resolve { which, decline } => {
                let pending = self.gateway().pending();
                if !pending.is_empty() {
                    let reason = "not today".parse().unwrap();
                    let how = if decline { Resolution::Decline { reason } } else { Resolution::Settle };
                    self.gateway().resolve(&pending[which % pending.len()], how);
                }
            }
            Weather::Wait { time, limit } => {
                self.escrow.clock().advance(time);
                let due = self.escrow.run_due(&worker(), limit).await.unwrap();
                assert_eq!(due.failed, 0, "{due:?}");
            }
        }
    }

    /// What an office does to any payout; none when it is refused.
    pub(crate) async fn on_any_payout(&self, which: usize, wish: PayoutWish) -> Option<AnyPayout> {
        let command = match wish {
            PayoutWish::Replace(to) => payout::Command::Replace { to },
            PayoutWish::GiveBack => payout::Command::GiveBack {},
            PayoutWish::Cancel => payout::Command::Cancel {},
        };
        let id = self.pick::<AnyPayout>(which).await?;
        let mut unit = self.begin().await;
        let done = self.escrow.act_on_payout(&mut unit, id, command, ops()).await;
        self.finish(unit, done).await
    }

    /// Any value of a lifecycle, whatever its status.
    pub(crate) async fn pick<L: Lifecycle>(&self, which: usize) -> Option<Id<L>> {
        let all = self.every::<L>().await;
        (!all.is_empty()).then(|| all[which % all.len()])
    }

    pub(crate) async fn every<L: Lifecycle>(&self) -> Vec<Id<L>> {
        let mut all = Vec::new();
        for row in L::TABLE.statuses {
            all.extend(self.find(&Query::status(L::TABLE.name.parse().unwrap(), row.name)).await);
        }
        all.sort();
        all.into_iter().map(|subject| subject.try_into().unwrap()).collect()
    }

    /// Commits what was done; what was refused is rolled back, as a host does.
    pub(crate) async fn finish<T>(&self, unit: S::Unit, done: Result<T, Problem<S>>) -> Option<T> {
        match done {
            Ok(value) => {
                self.commit(unit).await;
                Some(value)
            }
            Err(EscrowError::Refused(_) | EscrowError::Overdrawn(_) | EscrowError::Sent(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// What was denied and still holds its money goes into wallets.
    pub(crate) async fn replace_denied(&self) {
        for id in self.every::<AnyPayout>().await {
            let payout = self.load(id).await;
            if payout.status() == payout::Status::Denied && payout.held().is_positive() {
                let replace = payout::Command::Replace { to: Destination::Wallet };
                let mut unit = self.begin().await;
                self.escrow.act_on_payout(&mut unit, id, replace, ops()).await.unwrap();
                self.commit(unit).await;
            }
        }
        for id in self.every::<AnyRefund>().await {
            let refund = self.load(id).await;
            if refund.status() == refund::Status::Denied && refund.held().is_positive() {
                let replace = refund::Command::Replace { route: Route::Wallet };
                let mut unit = self.begin().await;
                self.escrow.act_on_refund(&mut unit, id, replace, ops()).await.unwrap();
                self.commit(unit).await;
            }
        }
    }

    /// No payment holds money any more.
    pub(crate) async fn payments_are_empty(&self) {
        fn empty<V: Value>(value: &V) {
            assert!(value.head().held().is_zero(), "{} still holds money", value.head().id());
        }
        for id in self.every::<AnyPayin>().await {
            empty(&self.load(id).await);
        }
        for id in self.every::<AnyPayout>().await {
            empty(&self.load(id).await);
        }
        for id in self.every::<AnyRefund>().await {
            empty(&self.load(id).await);
        }
    }
}

/// A status that something has been in: the lifecycle's name and the status's.
pub(crate) type Reached = BTreeSet<(&'static str, &'static str)>;

/// Every status of a lifecycle.
pub(crate) fn statuses<L: Lifecycle>() -> Reached {
    L::TABLE.statuses.iter().map(|row| (L::TABLE.name, row.name)).collect()
}

/// What random people do to values of one lifecycle, or of some.
pub(crate) trait Story<S: Store> {
    type Happening: Debug + Clone;

    fn happening() -> impl Strategy<Value = Self::Happening>;
    /// Every status that enough happenings lead to.
    fn reachable() -> Reached;

    fn begin(shop: Shop<S>) -> Self;
    fn shop(&self) -> &Shop<S>;
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "only SQLite's files are tampered with"))]
    fn into_shop(self) -> Shop<S>;
    async fn happen(&mut self, happening: Self::Happening);
    async fn audit(&self) {
        self.shop().audit().await;
    }
    /// The statuses that were reached.
    async fn reached(&self) -> Reached;
    /// With the offices and the clock doing their work, everything comes to an end that holds nothing.
    async fn wind_up(&mut self);
}

/// A shop in which so many things have happened, a second apart.
#[cfg(feature = "sqlite")]
pub(crate) async fn shaken<S: Store, L: Story<S>>(shop: Shop<S>, happenings: usize, seed: u64) -> Shop<S> {
    let mut life = L::begin(shop);
    for happening in crate::harness::sampled(L::happening(), happenings, seed) {
        life.happen(happening).await;
        life.shop().escrow.clock().advance(Duration::from_secs(1));
    }
    life.into_shop()
}

/// Lives through so many stories, each in a store of its own; a thorough one has to reach every status.
pub(crate) fn live<S: Store, L: Story<S>>(cases: u32, thorough: bool, store: impl Fn() -> S) {
    let reached = RefCell::new(Reached::new());
    let lives = (prop::collection::vec(L::happening(), 1..120), any::<u64>(), any::<bool>());
    let run = TestRunner::new(random(cases)).run(&lives, |(happenings, gateway, rough)| {
        block_on(async {
            let shop = Shop::new(store(), gateway);
            shop.fill_wallet("anna", euro("200.00")).await;
            if rough {
                shop.gateway().chaos(Chaos::ROUGH);
            }
            let mut life = L::begin(shop);
            for (number, happening) in happenings.into_iter().enumerate() {
                life.happen(happening).await;
                if number % 16 == 0 {
                    life.audit().await;
                }
            }
            life.shop().settle_down().await;
            life.audit().await;
            life.wind_up().await;
            let more = life.reached().await;
            reached.borrow_mut().extend(more);
        });
        Ok(())
    });
    run.unwrap_or_else(|failed| panic!("{failed}"));
    // What was never reached was not tested.
    let missed: Vec<_> = L::reachable().difference(&reached.into_inner()).copied().collect();
    assert!(!thorough || missed.is_empty(), "never reached: {missed:?}");
}

/// Runs `$lives(cases, thorough, a maker of fresh stores)` on every store.
macro_rules! on_fresh_stores {
    ($name:ident: $lives:expr, memory: $memory:literal in $store:expr, sqlite: $sqlite:literal, postgres: $postgres:literal) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            #[test]
            fn memory() {
                $lives($memory, true, $store);
            }

            #[cfg(feature = "sqlite")]
            #[test]
            fn sqlite() {
                let (folder, number) = (tempfile::tempdir().unwrap(), std::cell::Cell::new(0));
                $lives($sqlite, false, || {
                    number.set(number.get() + 1);
                    escrowed::sqlite::Sqlite::open(folder.path().join(format!("{}.db", number.get()))).unwrap()
                });
            }

            #[cfg(feature = "postgres")]
            #[test]
            fn postgres() {
                let databases = std::cell::RefCell::new(Vec::new());
                $lives($postgres, false, || crate::postgres::fresh(&databases));
            }
        }
    };
}
pub(crate) use on_fresh_stores;
