//! From the payment to the payout: what each event demands, and what it makes of an order.

use crate::{
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes, Value},
    money::Money,
    order::{
        Accepted, AnyOrder, BlockedRelease, Order, PayoutPlan, PendingRelease, PendingValidate, Published, Released,
        Status, Was, event, state::Blockable,
    },
    party::{Actor, Stamp},
    payment::{Leg, News, Outgoing, Stands, Way},
};

impl<S> Order<S> {
    // What is left for the payees, now.
    pub(in crate::order) fn net(&self) -> Result<Money, Reason> {
        let fee = self.facts().terms.fee()?;
        let net = self.held().checked_sub(fee)?;
        if net.is_negative() { Err(Reason::TooMuch { asked: fee, available: self.held() }) } else { Ok(net) }
    }

    // What each payee would get by this plan, now.
    fn planned(&self, plan: &PayoutPlan) -> Result<Vec<Money>, Reason> {
        plan.amounts(self.net()?)
    }

    // Whether this actor may set this plan now. Who may have set what the terms say was looked at when it was opened.
    pub(in crate::order) fn may_plan(&self, plan: &PayoutPlan, by: &Actor) -> Result<(), Reason> {
        let terms = &self.facts().terms;
        if terms.payout.as_ref() != Some(plan) {
            plan.may_be_set(by, terms)?;
        }
        self.planned(plan).map(drop)
    }
}

impl Takes<event::Accepted> for Order<Published> {
    type Next = Order<Accepted>;
    fn check(&self, _: &event::Accepted, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.stands_alone()
    }
    fn make(self, _: event::Accepted, _: &Stamp) -> Order<Accepted> {
        let Self { head, state: Published { paid } } = self;
        Order { head, state: Accepted { paid } }
    }
}

impl Order<Published> {
    // The payout that its movement opens at this time. Computed anew in replay and compared.
    pub(in crate::order) fn part_settlement(&self, at: &Stamp) -> Result<event::Settled, Reason> {
        let to = self.facts().must_be_part()?.to.clone();
        let parts = [(self.facts().terms.seller.clone(), self.net()?, Way::Payout(to))];
        Ok(event::Settled { payouts: Outgoing::plan(self.id().subject(), self.head.seq() + 1, at.at, parts) })
    }
}

impl Takes<event::Settled> for Order<Published> {
    type Next = Order<PendingRelease>;
    fn check(&self, event: &event::Settled, step: &mut Effects<'_>) -> Result<(), Reason> {
        if *event != self.part_settlement(step.stamp())? {
            return Err(Reason::Unlike { what: "what the payee gets" });
        }
        event.payouts.open(&self.facts().terms.gateway, step)
    }
    fn make(self, event: event::Settled, _: &Stamp) -> Order<PendingRelease> {
        let fee = Money::zero(self.held().currency());
        let Self { head, state: Published { paid } } = self;
        Order { head, state: PendingRelease { paid, fee, payouts: event.payouts } }
    }
}

impl Takes<event::PayoutSet> for Order<Accepted> {
    type Next = Order<PendingValidate>;
    fn check(&self, event: &event::PayoutSet, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_plan(&event.plan, &step.stamp().by)
    }
    fn make(self, event: event::PayoutSet, _: &Stamp) -> Order<PendingValidate> {
        let planned = self.planned(&event.plan).expect("`check` has found that it adds up");
        let Self { head, state: Accepted { paid } } = self;
        Order { head, state: PendingValidate { paid, plan: event.plan, planned } }
    }
}

impl Takes<event::PayoutSet> for Order<PendingValidate> {
    type Next = Self;
    fn check(&self, event: &event::PayoutSet, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_plan(&event.plan, &step.stamp().by)
    }
    fn make(mut self, event: event::PayoutSet, _: &Stamp) -> Self {
        self.state.planned = self.planned(&event.plan).expect("`check` has found that it adds up");
        self.state.plan = event.plan;
        self
    }
}

impl Order<PendingValidate> {
    // What was refunded since the plan was made takes from each payee by its share. Where there is as much as then, or
    // more because a refund was called off, the plan itself says who gets what.
    fn shared(&self, net: Money) -> Result<Vec<Money>, Reason> {
        let planned = Money::sum(self.state.planned.iter().copied(), net.currency())?;
        if net.minor() >= planned.minor() {
            return self.state.plan.amounts(net);
        }
        let weights: Vec<u64> = self.state.planned.iter().map(|part| part.minor().unsigned_abs()).collect();
        Ok(net.split_by_weights(&weights)?)
    }

    // The fee and the payouts that a validation at this time opens. Computed anew in replay and compared.
    pub(in crate::order) fn settlement(&self, at: &Stamp) -> Result<event::Validated, Reason> {
        let (fee, net) = (self.facts().terms.fee()?, self.net()?);
        if net.is_zero() {
            return Ok(event::Validated { fee, payouts: Outgoing::default() });
        }
        let amounts = self.shared(net)?;
        let parts = self.state.plan.payees().iter().zip(amounts);
        let parts = parts.map(|(payee, amount)| (payee.party.clone(), amount, Way::Payout(payee.to.clone())));
        let payouts = Outgoing::plan(self.id().subject(), self.head.seq() + 1, at.at, parts);
        Ok(event::Validated { fee, payouts })
    }
}

impl Takes<event::Validated> for Order<PendingValidate> {
    type Next = Order<PendingRelease>;
    fn check(&self, event: &event::Validated, step: &mut Effects<'_>) -> Result<(), Reason> {
        if *event != self.settlement(step.stamp())? {
            return Err(Reason::Unlike { what: "what each payee gets" });
        }
        let terms = &self.facts().terms;
        if event.fee.is_positive() {
            step.pay(Account::Wallet(terms.platform.clone()), event.fee, Purpose::Fee)?;
        }
        event.payouts.open(&terms.gateway, step)
    }
    fn make(self, event: event::Validated, _: &Stamp) -> Order<PendingRelease> {
        let Self { head, state: PendingValidate { paid, .. } } = self;
        Order { head, state: PendingRelease { paid, fee: event.fee, payouts: event.payouts } }
    }
}

impl BlockedRelease {
    pub(in crate::order) fn release(&self) -> Result<&PendingRelease, Reason> {
        match &*self.was {
            Was::PendingRelease(release) => Ok(release),
            Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) => {
                Err(Reason::Missing { what: "a payout of this order" })
            }
        }
    }

    fn release_mut(&mut self) -> Option<&mut PendingRelease> {
        match &mut *self.was {
            Was::PendingRelease(release) => Some(release),
            Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) => None,
        }
    }
}

impl Takes<event::PayoutCounted> for Order<PendingRelease> {
    type Next = Self;
    fn check(&self, event: &event::PayoutCounted, _: &mut Effects<'_>) -> Result<(), Reason> {
        match event.news {
            News::Confirmed => self.state.payouts.may_count(event.payout.subject(), &event.news),
            News::Denied | News::Replaced { .. } | News::Returned => {
                Err(Reason::Missing { what: "a release that is blocked" })
            }
        }
    }
    fn make(mut self, event: event::PayoutCounted, _: &Stamp) -> Self {
        self.state.payouts.count(event.payout.subject(), &event.news);
        self
    }
}

impl Takes<event::PayoutCounted> for Order<BlockedRelease> {
    type Next = Self;
    fn check(&self, event: &event::PayoutCounted, _: &mut Effects<'_>) -> Result<(), Reason> {
        match event.news {
            News::Confirmed | News::Denied | News::Replaced { .. } => {
                self.state.release()?.payouts.may_count(event.payout.subject(), &event.news)
            }
            // Its money has to be taken back, not only counted.
            News::Returned => Err(Reason::Missing { what: "a payout that is on its way" }),
        }
    }
    fn make(mut self, event: event::PayoutCounted, _: &Stamp) -> Self {
        if let Some(release) = self.state.release_mut() {
            release.payouts.count(event.payout.subject(), &event.news);
        }
        self
    }
}

impl Takes<event::PayoutTakenBack> for Order<BlockedRelease> {
    type Next = Self;
    fn check(&self, event: &event::PayoutTakenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        let (payouts, payment) = (&self.state.release()?.payouts, event.payout.subject());
        payouts.may_count(payment, &News::Returned)?;
        let leg = payouts.leg(payment)?;
        if event.amount != leg.amount {
            return Err(Reason::WrongAmount { expected: leg.amount, found: event.amount });
        }
        // The buyer has it by the chargeback, for which the payee gives or owes it: the payee has to get what it gave.
        if self.facts().aftermath.bears(&leg.party) {
            return Err(Reason::NotThisWay { instead: "its payee bears a chargeback of it: `replace` the payout" });
        }
        step.count_in(event.amount)
    }
    fn make(mut self, event: event::PayoutTakenBack, _: &Stamp) -> Self {
        if let Some(release) = self.state.release_mut() {
            release.payouts.count(event.payout.subject(), &News::Returned);
        }
        self
    }
}

impl Takes<event::Released> for Order<PendingRelease> {
    type Next = Order<Released>;
    fn check(&self, event: &event::Released, _: &mut Effects<'_>) -> Result<(), Reason> {
        for (nth, payout) in event.payouts.iter().enumerate() {
            self.state.payouts.may_count(payout.subject(), &News::Confirmed)?;
            if event.payouts[..nth].contains(payout) {
                return Err(Reason::Already { what: "counting what became of the payment" });
            }
        }
        let counted = |leg: &&Leg| event.payouts.iter().any(|payout| payout.subject() == leg.payment);
        let open = self.state.payouts.legs().iter().filter(|leg| leg.stands != Stands::Confirmed);
        if open.clone().count() == open.filter(counted).count() {
            Ok(())
        } else {
            Err(Reason::Missing { what: "the confirmation of every payout" })
        }
    }
    fn make(mut self, event: event::Released, _: &Stamp) -> Order<Released> {
        for payout in event.payouts {
            self.state.payouts.count(payout.subject(), &News::Confirmed);
        }
        let (fee, payouts) = (self.state.fee, std::mem::take(&mut self.state.payouts));
        self.enter(Released { fee, payouts })
    }
}

impl<S: Blockable> Takes<event::Blocked> for Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    type Next = Order<BlockedRelease>;
    fn check(&self, event: &event::Blocked, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.stands_alone()?;
        match event.payout {
            None => Ok(()),
            Some(_) => Err(Reason::Unlike { what: "the payout that it is blocked for" }),
        }
    }
    fn make(self, event: event::Blocked, _: &Stamp) -> Order<BlockedRelease> {
        Order { head: self.head, state: BlockedRelease { reason: event.reason, was: Box::new(self.state.was()) } }
    }
}

impl Takes<event::Blocked> for Order<PendingRelease> {
    type Next = Order<BlockedRelease>;
    fn check(&self, event: &event::Blocked, _: &mut Effects<'_>) -> Result<(), Reason> {
        let payout = event.payout.ok_or(Reason::Missing { what: "a denied payout" })?;
        self.state.payouts.may_count(payout.subject(), &News::Denied)
    }
    fn make(mut self, event: event::Blocked, _: &Stamp) -> Order<BlockedRelease> {
        if let Some(payout) = event.payout {
            self.state.payouts.count(payout.subject(), &News::Denied);
        }
        let was = Box::new(Was::PendingRelease(self.state));
        Order { head: self.head, state: BlockedRelease { reason: event.reason, was } }
    }
}

impl Order<BlockedRelease> {
    // A release goes on only when each payout has somewhere to go.
    pub(in crate::order) fn may_go_on(&self) -> Result<(), Reason> {
        let release = match &*self.state.was {
            Was::PendingRelease(release) => release,
            // What was charged back must not be released: nobody knows yet whether it comes back, or nothing is left.
            Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) if self.held().is_zero() => {
                self.facts().aftermath.decided()?;
                return Err(Reason::NotThisWay { instead: "nothing is in escrow any more: `close` it" });
            }
            Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) => return self.facts().aftermath.decided(),
        };
        if release.payouts.standing(Stands::Denied).next().is_some() {
            Err(Reason::Missing { what: "a new payout in place of the denied one" })
        } else if release.payouts.standing(Stands::Returned).next().is_some() {
            Err(Reason::NotThisWay { instead: "a payout gave its money back: `cancel` refunds it" })
        } else {
            Ok(())
        }
    }
}

impl Takes<event::Unblocked> for Order<BlockedRelease> {
    type Next = AnyOrder;
    fn check(&self, _: &event::Unblocked, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_go_on()
    }
    fn make(self, _: event::Unblocked, _: &Stamp) -> AnyOrder {
        let head = self.head;
        match *self.state.was {
            Was::Published(state) => Order { head, state }.into(),
            Was::Accepted(state) => Order { head, state }.into(),
            Was::PendingValidate(state) => Order { head, state }.into(),
            Was::PendingRelease(state) => Order { head, state }.into(),
        }
    }
    fn lands(&self, _: &event::Unblocked) -> usize {
        let status = match *self.state.was {
            Was::Published(_) => Status::Published,
            Was::Accepted(_) => Status::Accepted,
            Was::PendingValidate(_) => Status::PendingValidate,
            Was::PendingRelease(_) => Status::PendingRelease,
        };
        status as usize
    }
}
