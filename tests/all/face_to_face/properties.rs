//! Whatever people, gateways and networks do, in whatever order: no minor unit is lost, doubled or stuck.

use super::{
    DAY, judy,
    storm::{Happening, Life, happening, terms},
};
use crate::{
    harness::{Shop, euro, ops, worker},
    one_write::OneWrite,
    storm::{Reached, Story, live, on_fresh_stores, statuses},
};
use escrowed::{
    deal::Award,
    face_to_face::{Action, AnyFaceToFace, Command, FaceToFaceId, Status, TABLE},
    money::Money,
    party::Actor,
    store::Store,
};
use proptest::prelude::*;

impl<S: Store> Story<S> for Life<S> {
    type Happening = Happening;

    fn happening() -> impl Strategy<Value = Happening> {
        happening()
    }

    fn reachable() -> Reached {
        statuses::<AnyFaceToFace>()
    }

    fn begin(shop: Shop<S>) -> Self {
        Self { shop, deals: Vec::new(), heard: Vec::new() }
    }

    fn shop(&self) -> &Shop<S> {
        &self.shop
    }

    fn into_shop(self) -> Shop<S> {
        self.shop
    }

    async fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Open { minor, side, skip, fee, hurry, tries } => {
                self.open(terms(minor, side, skip, fee, hurry, tries)).await;
            }
            Happening::Act { deal, pick, offered, with } => self.act(deal, pick, offered, &with).await,
            Happening::Weather(weather) => self.shop.befall(weather, &mut self.heard).await,
        }
    }

    async fn reached(&self) -> Reached {
        let mut reached = Reached::new();
        for id in &self.deals {
            let deal = self.shop.load(*id).await;
            reached.extend(deal.history().by_time().iter().map(|passage| (TABLE.name, passage.code.name())));
        }
        reached
    }

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
        self.shop.replace_denied().await;
        self.shop.settle_down().await;
        self.shop.payments_are_empty().await;
        self.shop.audit().await;
        let mut wallets = euro("0.00");
        for name in ["anna", "sam", "eve", "shop", "filler"] {
            wallets = wallets.checked_add(self.shop.balance(&format!("wallet:{name}")).await).unwrap();
        }
        let world = self.shop.balance("world:sandbox").await;
        assert_eq!(world.checked_neg().unwrap(), wallets, "what came in and did not go out is in the wallets");
    }
}

impl<S: Store> Life<S> {
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
                self.shop.replace_denied().await;
            }
            Status::Rejected | Status::Cancelled | Status::DepositRefunded | Status::FundsReleased => {
                unreachable!("it is over")
            }
        }
    }
}

on_fresh_stores! {
    no_money_is_lost_doubled_or_stuck: live::<_, Life<_>>,
    memory: 600 in OneWrite::memory, sqlite: 25, postgres: 10
}
