//! Whatever people, gateways and networks do, in whatever order: no minor unit is lost, doubled or stuck.

use super::{
    DAY, audit, judy,
    storm::{Happening, Life, happening},
};
use crate::{
    harness::{Shop, ops, worker},
    one_write::OneWrite,
    storm::{PayoutWish, Reached, Story, Weather, live, on_fresh_stores, statuses},
};
use escrowed::{
    deal::Award,
    money::Money,
    party::Actor,
    store::Store,
    transaction::{AnyTransaction, Command, Status, TABLE, TransactionId},
};
use proptest::prelude::*;

impl<S: Store> Story<S> for Life<S> {
    type Happening = Happening;

    fn happening() -> impl Strategy<Value = Happening> {
        happening()
    }

    fn reachable() -> Reached {
        statuses::<AnyTransaction>()
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
            Happening::Open(opening) => self.open(opening).await,
            Happening::Act { deal, pick, offered, with } => self.act(deal, pick, offered, with).await,
            Happening::Weather(Weather::Payout { which, wish }) => {
                let replaces = matches!(wish, PayoutWish::Replace(_));
                let done = self.shop.on_any_payout(which, wish).await;
                assert!(done.is_none() || replaces, "no money comes back into a transaction: {done:?}");
            }
            Happening::Weather(weather) => self.shop.befall(weather, &mut self.heard).await,
        }
    }

    async fn audit(&self) {
        audit(&self.shop).await;
    }

    async fn reached(&self) -> Reached {
        let mut reached = Reached::new();
        for id in &self.deals {
            let deal: AnyTransaction = self.shop.load(*id).await;
            reached.extend(deal.history().by_time().iter().map(|passage| (TABLE.name, passage.code.name())));
            let response = deal.response();
            let written = serde_json::to_string(&response).unwrap();
            assert_eq!(serde_json::from_str::<escrowed::transaction::Response>(&written).unwrap(), response);
        }
        reached
    }

    /// The two sides do nothing more, except that nobody else ends what was never paid.
    async fn wind_up(&mut self) {
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
        self.shop.replace_denied().await;
        self.settle_down().await;
        self.nothing_but_wallets().await;
    }
}

impl<S: Store> Life<S> {
    /// The storm is over, and everything that can come to rest does.
    async fn settle_down(&self) {
        self.shop.settle_down().await;
        self.audit().await;
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
                self.shop.replace_denied().await;
            }
            AnyTransaction::Refunded(_) | AnyTransaction::FundsReleased(_) => return false,
        }
        true
    }

    /// Nothing but wallets and the world has money.
    async fn nothing_but_wallets(&self) {
        self.shop.payments_are_empty().await;
        for id in &self.deals {
            assert!(self.shop.load(*id).await.held().is_zero());
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
}

on_fresh_stores! {
    no_money_is_lost_doubled_or_stuck: live::<_, Life<_>>,
    memory: 400 in OneWrite::memory, sqlite: 25, postgres: 10
}
