//! Whatever people, gateways and networks do, in whatever order: no minor unit is lost, doubled or stuck.

use super::{
    DAY, judy,
    storm::{Life, happening},
};
use crate::harness::{Shop, block_on, ops, seed, worker};
use escrowed::{
    deal::Award,
    lifecycle::Value,
    money::Money,
    party::Actor,
    payment::{AnyPayin, AnyPayout, AnyRefund, Destination, PayinId, PayoutId, RefundId, Route, payout, refund},
    sandbox::Chaos,
    store::Store,
    transaction::{AnyTransaction, Command, Status, TransactionId},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use std::{cell::RefCell, collections::BTreeSet};

impl<S: Store> Life<S> {
    /// The storm is over, and everything that can come to rest does.
    async fn settle_down(&self) {
        self.shop.settle_down().await;
        self.audit().await;
    }

    /// With the offices and the clock doing their work, every transaction comes to an end that holds nothing. The two
    /// sides do nothing more, except that nobody else ends what was never paid.
    async fn wind_up(&self) {
        for id in &self.deals {
            for _ in 0..8 {
                if !self.push(*id).await {
                    break;
                }
                self.settle_down().await;
            }
            let deal = self.shop.load(*id).await;
            let over = match &deal {
                AnyTransaction::Cancelled(deal) => deal.state().outgoing().is_none(),
                AnyTransaction::Refunded(deal) => deal.state().outgoing().all_confirmed(),
                AnyTransaction::FundsReleased(deal) => deal.state().outgoing().all_confirmed(),
                AnyTransaction::Created(_)
                | AnyTransaction::Joined(_)
                | AnyTransaction::Paid(_)
                | AnyTransaction::PaymentAccepted(_)
                | AnyTransaction::Tracked(_)
                | AnyTransaction::Delivered(_)
                | AnyTransaction::BuyerHandoverConfirmed(_)
                | AnyTransaction::SellerHandoverConfirmed(_)
                | AnyTransaction::ComplaintSubmitted(_)
                | AnyTransaction::ComplaintPeriodEnded(_) => false,
            };
            assert!(over && deal.held().is_zero(), "a transaction is stuck: {deal:?}");
        }
        // Money that came too late and whose refund was denied.
        self.replace_refunds().await;
        self.settle_down().await;
        self.nothing_but_wallets().await;
    }

    /// Does the next thing that an office or the clock has to do. Whether there was any.
    async fn push(&self, id: TransactionId) -> bool {
        let deal: AnyTransaction = self.shop.load(id).await;
        match &deal {
            AnyTransaction::Created(_) => {
                let creator = deal.facts().sides().on(deal.facts().terms().creator).cloned().unwrap();
                self.shop.act(id, Command::Cancel {}, Actor::Party(creator)).await;
            }
            AnyTransaction::Joined(_) => {
                let seller = deal.facts().sides().seller.clone().unwrap();
                self.shop.act(id, Command::Cancel {}, Actor::Party(seller)).await;
            }
            AnyTransaction::Paid(_) | AnyTransaction::PaymentAccepted(_) | AnyTransaction::Tracked(_) => {
                self.shop.act(id, Command::Cancel {}, ops()).await;
            }
            AnyTransaction::Delivered(_)
            | AnyTransaction::BuyerHandoverConfirmed(_)
            | AnyTransaction::SellerHandoverConfirmed(_) => {
                self.shop.escrow.clock().advance(DAY);
                self.shop.escrow.run_due(&worker(), 100).await.unwrap();
                assert_ne!(self.shop.load(id).await.status(), deal.status(), "the clock has passed it by");
            }
            AnyTransaction::ComplaintSubmitted(disputed) if disputed.state().awarded().is_none() => {
                let held = disputed.held();
                let buyer = Money::from_minor(held.minor() / 3, held.currency());
                let award = Award { buyer, seller: held.checked_sub(buyer).unwrap() };
                self.shop.act(id, Command::Award { award }, judy()).await;
            }
            AnyTransaction::ComplaintSubmitted(_)
            | AnyTransaction::ComplaintPeriodEnded(_)
            | AnyTransaction::Cancelled(_) => {
                self.replace_payouts().await;
                self.replace_refunds().await;
            }
            AnyTransaction::Refunded(_) | AnyTransaction::FundsReleased(_) => return false,
        }
        true
    }

    async fn replace_payouts(&self) {
        for subject in self.every::<AnyPayout>("payout").await {
            let payout: AnyPayout = self.shop.load(PayoutId::try_from(subject).unwrap()).await;
            if payout.status() == payout::Status::Denied && payout.held().is_positive() {
                let replace = payout::Command::Replace { to: Destination::Wallet };
                let mut unit = self.shop.begin().await;
                self.shop.escrow.act_on_payout(&mut unit, payout.id(), replace, ops()).await.unwrap();
                self.shop.commit(unit).await;
            }
        }
    }

    async fn replace_refunds(&self) {
        for subject in self.every::<AnyRefund>("refund").await {
            let refund: AnyRefund = self.shop.load(RefundId::try_from(subject).unwrap()).await;
            if refund.status() == refund::Status::Denied && refund.held().is_positive() {
                let replace = refund::Command::Replace { route: Route::Wallet };
                let mut unit = self.shop.begin().await;
                self.shop.escrow.act_on_refund(&mut unit, refund.id(), replace, ops()).await.unwrap();
                self.shop.commit(unit).await;
            }
        }
    }

    /// Nothing but wallets and the world has money.
    async fn nothing_but_wallets(&self) {
        fn empty<V: Value>(value: &V) {
            assert!(value.head().held().is_zero(), "{} still holds money", value.head().id());
        }
        for subject in self.every::<AnyPayin>("payin").await {
            empty(&self.shop.load(PayinId::try_from(subject).unwrap()).await);
        }
        for subject in self.every::<AnyPayout>("payout").await {
            empty(&self.shop.load(PayoutId::try_from(subject).unwrap()).await);
        }
        for subject in self.every::<AnyRefund>("refund").await {
            empty(&self.shop.load(RefundId::try_from(subject).unwrap()).await);
        }
        for id in &self.deals {
            empty(&self.shop.load(*id).await);
            self.adds_up(*id).await;
        }
    }

    /// What was paid is what everybody got, to the last minor unit.
    async fn adds_up(&self, id: TransactionId) {
        let deal = self.shop.load(id).await;
        let pricing = &deal.facts().terms().pricing;
        let zero = Money::zero(pricing.amount.currency());
        let sum = |amounts: Vec<Money>| Money::sum(amounts, zero.currency()).unwrap();
        let paid = sum(deal.facts().till().paid().iter().map(|paid| paid.amount).collect());
        let legs = match &deal {
            AnyTransaction::Refunded(deal) => deal.state().outgoing().legs(),
            AnyTransaction::FundsReleased(deal) => deal.state().outgoing().legs(),
            _ => &[],
        };
        let got = sum(legs.iter().map(|leg| leg.amount).collect());
        let ended = deal.history().by_key(Status::ComplaintPeriodEnded).is_some();
        let fees = sum(vec![pricing.for_client().unwrap(), pricing.for_platform().unwrap()]);
        let fees = if ended { fees } else { zero };
        assert_eq!(paid, got.checked_add(fees).unwrap(), "{deal:?}");
        assert!(paid.is_zero() || paid == pricing.owed().unwrap());
    }

    async fn tally(&self, reached: &RefCell<BTreeSet<Status>>) {
        for id in &self.deals {
            let deal: AnyTransaction = self.shop.load(*id).await;
            reached.borrow_mut().extend(deal.history().by_time().iter().map(|passage| passage.code));
            let response = deal.response();
            let written = serde_json::to_string(&response).unwrap();
            assert_eq!(serde_json::from_str::<escrowed::transaction::Response>(&written).unwrap(), response);
        }
    }
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
            let mut life = Life::new(shop);
            for (number, happening) in happenings.into_iter().enumerate() {
                life.happen(happening).await;
                if number % 16 == 0 {
                    life.audit().await;
                }
            }
            life.settle_down().await;
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
    let reached = live(400, crate::one_write::OneWrite::memory);
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
