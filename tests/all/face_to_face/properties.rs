//! Whatever people, gateways and networks do, in whatever order: no minor unit is lost, doubled or stuck.

use super::{
    DAY, judy,
    storm::{Life, happening},
};
use crate::harness::{Shop, block_on, euro, ops, seed, worker};
use escrowed::{
    deal::Award,
    face_to_face::{Action, AnyFaceToFace, Command, FaceToFaceId, Status, TABLE},
    money::Money,
    party::Actor,
    payment::{AnyPayout, AnyRefund, Destination, PayoutId, RefundId, Route, payout, refund},
    sandbox::Chaos,
    store::{Query, Store},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use std::{cell::RefCell, collections::BTreeSet};

impl<S: Store> Life<S> {
    /// With the offices doing their work, every deal comes to an end that holds nothing.
    async fn wind_up(&mut self) {
        for id in self.deals.clone() {
            for _ in 0..12 {
                if TABLE.is_end(self.shop.load(id).await.status() as usize) {
                    break;
                }
                self.push(id).await;
                self.shop.settle_down().await;
            }
            let deal = self.shop.load(id).await;
            assert!(TABLE.is_end(deal.status() as usize) && deal.held().is_zero(), "a deal is stuck: {deal:?}");
        }
        // Of payins that came too late, whose refund was denied.
        self.replace_denied().await;
        self.shop.settle_down().await;
        for row in payout::TABLE.statuses {
            for subject in self.shop.find(&Query::status("payout".parse().unwrap(), row.name)).await {
                let payout = self.shop.load(PayoutId::try_from(subject).unwrap()).await;
                assert!(payout.held().is_zero(), "a payout still holds money: {payout:?}");
            }
        }
        for row in refund::TABLE.statuses {
            for subject in self.shop.find(&Query::status("refund".parse().unwrap(), row.name)).await {
                let refund = self.shop.load(RefundId::try_from(subject).unwrap()).await;
                assert!(refund.held().is_zero(), "a refund still holds money: {refund:?}");
            }
        }
        self.shop.audit().await;
        let mut wallets = euro("0.00");
        for name in ["anna", "sam", "eve", "shop", "filler"] {
            wallets = wallets.checked_add(self.shop.balance(&format!("wallet:{name}")).await).unwrap();
        }
        let world = self.shop.balance("world:sandbox").await;
        assert_eq!(world.checked_neg().unwrap(), wallets, "what came in and did not go out is in the wallets");
    }

    /// What an office, the clock or, while there is no money, a side does to go on.
    async fn push(&self, id: FaceToFaceId) {
        let deal: AnyFaceToFace = self.shop.load(id).await;
        match deal.status() {
            Status::Created | Status::Joined => {
                let sides = &deal.facts().terms().sides;
                let creator = Actor::Party(sides.on(sides.creator).cloned().unwrap());
                self.shop.act(id, Command::Cancel {}, creator).await;
            }
            Status::DepositPaid | Status::DepositAccepted | Status::Priced => {
                self.shop.act(id, Command::Cancel {}, ops()).await;
            }
            Status::RemainderPaid
            | Status::RemainderSkipped
            | Status::BuyerHandoverConfirmed
            | Status::SellerHandoverConfirmed => {
                self.shop.escrow.clock().advance(DAY * 31);
                assert!(self.shop.escrow.run_due(&worker(), 100).await.unwrap().taken > 0);
            }
            Status::Complained if deal.may(Action::Award, &self.shop.escrow.stamp(judy())).is_ok() => {
                let half = deal.held().minor() / 2;
                let buyer = Money::from_minor(half, deal.held().currency());
                let award = Award { buyer, seller: deal.held().checked_sub(buyer).unwrap() };
                self.shop.act(id, Command::Award { award }, judy()).await;
            }
            Status::Complained | Status::CancelledWithDeposit | Status::ComplaintPeriodEnded => {
                self.replace_denied().await;
            }
            Status::Rejected | Status::Cancelled | Status::DepositRefunded | Status::FundsReleased => {
                unreachable!("it is over")
            }
        }
    }

    async fn replace_denied(&self) {
        for subject in self.shop.find(&Query::status("payout".parse().unwrap(), "DENIED")).await {
            let payout: AnyPayout = self.shop.load(PayoutId::try_from(subject).unwrap()).await;
            if !payout.held().is_zero() {
                let mut unit = self.shop.begin().await;
                let replace = payout::Command::Replace { to: Destination::Wallet };
                self.shop.escrow.act_on_payout(&mut unit, payout.id(), replace, ops()).await.unwrap();
                self.shop.commit(unit).await;
            }
        }
        for subject in self.shop.find(&Query::status("refund".parse().unwrap(), "DENIED")).await {
            let refund: AnyRefund = self.shop.load(RefundId::try_from(subject).unwrap()).await;
            if !refund.held().is_zero() {
                let mut unit = self.shop.begin().await;
                let replace = refund::Command::Replace { route: Route::Wallet };
                self.shop.escrow.act_on_refund(&mut unit, refund.id(), replace, ops()).await.unwrap();
                self.shop.commit(unit).await;
            }
        }
    }

    async fn tally(&self, reached: &RefCell<BTreeSet<Status>>) {
        for id in &self.deals {
            let deal = self.shop.load(*id).await;
            reached.borrow_mut().extend(deal.history().by_time().iter().map(|passage| passage.code));
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
            shop.fill_wallet("anna", euro("300.00")).await;
            if rough {
                shop.gateway().chaos(Chaos::ROUGH);
            }
            let mut life = Life::new(shop);
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
