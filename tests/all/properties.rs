//! Whatever people, gateways and networks do, in whatever order: no minor unit is lost, doubled or stuck.

mod happening;

use crate::{
    harness::{Shop, bank, ops, party, terms, user},
    one_write::OneWrite,
    storm::{Reached, Story, Weather, destination, live, on_fresh_stores, statuses, weather},
};
use escrowed::{
    escrow::EscrowError,
    gateway::Report,
    lifecycle::Reason,
    money::{Currency, FeeRule, Money, Share},
    order::{Action, Amendment, AnyOrder, Blocking, Command, OrderId, Payee, PayoutPlan, Status, TABLE, Terms},
    party::Actor,
    payment::{Method, RefundId, refund},
    store::{Query, Store},
};
use happening::*;
use proptest::prelude::*;
use std::time::Duration;

/// What became of the world so far.
pub(crate) struct Life<S> {
    shop: Shop<S>,
    orders: Vec<OrderId>,
    heard: Vec<Report>,
}

impl<S: Store> Story<S> for Life<S> {
    type Happening = Happening;

    fn happening() -> impl Strategy<Value = Happening> {
        happening()
    }

    fn reachable() -> Reached {
        statuses::<AnyOrder>()
    }

    fn begin(shop: Shop<S>) -> Self {
        Self { shop, orders: Vec::new(), heard: Vec::new() }
    }

    fn shop(&self) -> &Shop<S> {
        &self.shop
    }

    fn into_shop(self) -> Shop<S> {
        self.shop
    }

    async fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Open { minor, yen, fee, tries, payout } => self.open(minor, yen, fee, tries, payout).await,
            Happening::Act { order, pick, offered, with } => self.act(order, pick, offered, with).await,
            Happening::Weather(weather) => self.shop.befall(weather, &mut self.heard).await,
        }
    }

    async fn reached(&self) -> Reached {
        let mut reached = Reached::new();
        for id in &self.orders {
            let order = self.shop.order(*id).await;
            reached.extend(order.history().by_time().iter().map(|passage| (TABLE.name, passage.code.name())));
        }
        reached
    }

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
        self.shop.replace_denied().await;
        self.shop.payments_are_empty().await;
        self.shop.audit().await;
        self.shop.audit_calls().await;
    }
}

impl<S: Store> Life<S> {
    async fn open(&mut self, minor: i64, yen: bool, fee: bool, tries: Option<u32>, payout: Option<PayoutPlan>) {
        let mut order: Terms = terms();
        order.amount = Money::from_minor(minor, if yen { Currency::JPY } else { Currency::EUR });
        if yen || !fee {
            order.fees = None;
        }
        order.payin_intents = tries;
        order.payout = payout;
        let mut unit = self.shop.begin().await;
        let opened = self.shop.escrow.open_order(&mut unit, order, ops()).await.map(|order| order.id());
        if let Some(id) = self.shop.finish(unit, opened).await {
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
                self.shop.finish(unit, done).await;
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
        if let Some(live) = self.shop.finish(unit, done).await {
            let mut unit = self.shop.begin().await;
            let replayed: AnyOrder = self.shop.escrow.load(&mut unit, id).await.unwrap();
            assert_eq!(format!("{live:?}"), format!("{replayed:?}"), "the live value is not what its log says");
        }
    }

    async fn unblock(&self, id: OrderId) {
        self.shop.replace_denied().await;
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
        | Action::NoteAfter
        | Action::Settle
        | Action::Undo => return None,
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
            | Reason::NotForOthers { .. }
            | Reason::SameParty
            | Reason::OthersAccount(_)
    )
}

on_fresh_stores! {
    no_money_is_lost_doubled_or_stuck: live::<_, Life<_>>,
    memory: 600 in OneWrite::memory, sqlite: 25, postgres: 10
}
