//! From the payment to the payout: what each event demands, and what it makes of an order.

use crate::{
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes, Value},
    money::Money,
    order::{
        Accepted, AnyOrder, BlockedRelease, Leg, Order, PayoutPlan, PendingRelease, PendingValidate, Published,
        Released, Stands, Status, Was, event, event::News, state::Blockable,
    },
    party::Stamp,
    payment::{Destination, PayoutId, payout},
};

impl<S> Order<S> {
    // What is left for the payees, now.
    fn net(&self) -> Result<Money, Reason> {
        let fee = self.facts().terms.fee()?;
        let net = self.held().checked_sub(fee)?;
        if net.is_negative() { Err(Reason::TooMuch { asked: fee, available: self.held() }) } else { Ok(net) }
    }

    // What each payee would get by this plan, now.
    pub(in crate::order) fn planned(&self, plan: &PayoutPlan) -> Result<Vec<Money>, Reason> {
        plan.amounts(self.net()?)
    }
}

impl Takes<event::Accepted> for Order<Published> {
    type Next = Order<Accepted>;
    fn check(&self, _: &event::Accepted, _: &mut Effects<'_>) -> Result<(), Reason> {
        Ok(())
    }
    fn make(self, _: event::Accepted, _: &Stamp) -> Order<Accepted> {
        let paid = self.state.paid.clone();
        self.enter(Accepted { paid })
    }
}

impl Takes<event::PayoutSet> for Order<Accepted> {
    type Next = Order<PendingValidate>;
    fn check(&self, event: &event::PayoutSet, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.planned(&event.plan).map(drop)
    }
    fn make(self, event: event::PayoutSet, _: &Stamp) -> Order<PendingValidate> {
        // `check` has found that it adds up.
        let planned = self.planned(&event.plan).unwrap_or_default();
        let paid = self.state.paid.clone();
        self.enter(PendingValidate { paid, plan: event.plan, planned })
    }
}

impl Order<PendingValidate> {
    // The fee and the payouts that a validation at this time opens. Computed anew in replay and compared.
    pub(in crate::order) fn settlement(&self, at: &Stamp) -> Result<event::Validated, Reason> {
        let (fee, net) = (self.facts().terms.fee()?, self.net()?);
        if net.is_zero() {
            return Ok(event::Validated { fee, legs: Vec::new() });
        }
        let weights: Vec<u64> = self.state.planned.iter().map(|part| part.minor().unsigned_abs()).collect();
        let amounts = net.split_by_weights(&weights)?;
        let (parent, seq) = (self.id().subject(), self.head.seq() + 1);
        let legs = (0..).zip(self.state.plan.payees()).zip(amounts).filter(|(_, amount)| amount.is_positive());
        let legs = legs
            .map(|((nth, payee), amount)| Leg {
                payout: PayoutId::derived(parent, seq, nth, at.at),
                payee: payee.party.clone(),
                amount,
                to: payee.to.clone(),
                // Into a wallet it settles at once, in the same commit.
                stands: if payee.to == Destination::Wallet { Stands::Confirmed } else { Stands::Open },
            })
            .collect();
        Ok(event::Validated { fee, legs })
    }
}

impl Takes<event::Validated> for Order<PendingValidate> {
    type Next = Order<PendingRelease>;
    fn check(&self, event: &event::Validated, step: &mut Effects<'_>) -> Result<(), Reason> {
        if *event != self.settlement(step.stamp())? {
            return Err(Reason::Fixed { what: "what each payee gets" });
        }
        let (terms, about) = (&self.facts().terms, self.id().subject());
        if event.fee.is_positive() {
            step.pay(Account::Wallet(terms.platform.clone()), event.fee, Purpose::Fee)?;
        }
        for leg in &event.legs {
            step.pay(Account::Escrow(leg.payout.subject()), leg.amount, Purpose::Release)?;
            let (payee, to, gateway) = (leg.payee.clone(), leg.to.clone(), terms.gateway.clone());
            let opened = payout::Terms { about, payee, amount: leg.amount, to, gateway };
            step.open(payout::open(leg.payout, opened, step.stamp())?);
        }
        Ok(())
    }
    fn make(self, event: event::Validated, _: &Stamp) -> Order<PendingRelease> {
        let paid = self.state.paid.clone();
        self.enter(PendingRelease { paid, fee: event.fee, legs: event.legs })
    }
}

impl PendingRelease {
    pub(in crate::order) fn leg(&self, payout: PayoutId) -> Result<&Leg, Reason> {
        let missing = Reason::Missing { what: "a payout of this order" };
        self.legs.iter().find(|leg| leg.payout == payout).ok_or(missing)
    }

    fn leg_mut(&mut self, payout: PayoutId) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.payout == payout)
    }

    pub(in crate::order) fn stand(&self, wanted: Stands) -> impl Iterator<Item = &Leg> {
        self.legs.iter().filter(move |leg| leg.stands == wanted)
    }

    fn may_count(&self, payout: PayoutId, news: &News) -> Result<(), Reason> {
        match (self.leg(payout)?.stands, news) {
            (Stands::Open, News::Confirmed | News::Denied) | (Stands::Denied, News::Replaced { .. }) => Ok(()),
            (Stands::Open | Stands::Confirmed | Stands::Denied | Stands::Returned, _) => {
                Err(Reason::Already { what: "counting what became of the payout" })
            }
        }
    }

    fn count(&mut self, payout: PayoutId, news: &News) {
        if let Some(leg) = self.leg_mut(payout) {
            match news {
                News::Confirmed => leg.stands = Stands::Confirmed,
                News::Denied => leg.stands = Stands::Denied,
                News::Replaced { by, settled } => {
                    leg.payout = *by;
                    leg.stands = if *settled { Stands::Confirmed } else { Stands::Open };
                }
            }
        }
    }
}

impl BlockedRelease {
    pub(in crate::order) fn release(&self) -> Result<&PendingRelease, Reason> {
        match &self.was {
            Was::PendingRelease(release) => Ok(release),
            Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) => {
                Err(Reason::Missing { what: "a payout of this order" })
            }
        }
    }

    fn release_mut(&mut self) -> Option<&mut PendingRelease> {
        match &mut self.was {
            Was::PendingRelease(release) => Some(release),
            Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) => None,
        }
    }
}

impl Takes<event::PayoutCounted> for Order<PendingRelease> {
    type Next = Self;
    fn check(&self, event: &event::PayoutCounted, _: &mut Effects<'_>) -> Result<(), Reason> {
        match event.news {
            News::Confirmed => self.state.may_count(event.payout, &event.news),
            News::Denied | News::Replaced { .. } => Err(Reason::Missing { what: "a release that is blocked" }),
        }
    }
    fn make(mut self, event: event::PayoutCounted, _: &Stamp) -> Self {
        self.state.count(event.payout, &event.news);
        self
    }
}

impl Takes<event::PayoutCounted> for Order<BlockedRelease> {
    type Next = Self;
    fn check(&self, event: &event::PayoutCounted, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.release()?.may_count(event.payout, &event.news)
    }
    fn make(mut self, event: event::PayoutCounted, _: &Stamp) -> Self {
        if let Some(release) = self.state.release_mut() {
            release.count(event.payout, &event.news);
        }
        self
    }
}

impl Takes<event::PayoutTakenBack> for Order<BlockedRelease> {
    type Next = Self;
    fn check(&self, event: &event::PayoutTakenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        let leg = self.state.release()?.leg(event.payout)?;
        match leg.stands {
            Stands::Open | Stands::Denied if leg.amount == event.amount => step.count_in(event.amount),
            Stands::Open | Stands::Denied => Err(Reason::WrongAmount { expected: leg.amount, found: event.amount }),
            Stands::Confirmed | Stands::Returned => Err(Reason::Already { what: "settling the payout" }),
        }
    }
    fn make(mut self, event: event::PayoutTakenBack, _: &Stamp) -> Self {
        if let Some(leg) = self.state.release_mut().and_then(|release| release.leg_mut(event.payout)) {
            leg.stands = Stands::Returned;
        }
        self
    }
}

impl Takes<event::Released> for Order<PendingRelease> {
    type Next = Order<Released>;
    fn check(&self, event: &event::Released, _: &mut Effects<'_>) -> Result<(), Reason> {
        for (nth, payout) in event.payouts.iter().enumerate() {
            if self.state.leg(*payout)?.stands != Stands::Open || event.payouts[..nth].contains(payout) {
                return Err(Reason::Already { what: "counting what became of the payout" });
            }
        }
        if self.state.stand(Stands::Open).any(|leg| !event.payouts.contains(&leg.payout)) {
            return Err(Reason::Missing { what: "the confirmation of every payout" });
        }
        Ok(())
    }
    fn make(mut self, event: event::Released, _: &Stamp) -> Order<Released> {
        for payout in event.payouts {
            self.state.count(payout, &News::Confirmed);
        }
        let (fee, legs) = (self.state.fee, std::mem::take(&mut self.state.legs));
        self.enter(Released { fee, legs })
    }
}

impl<S: Blockable> Takes<event::Blocked> for Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    type Next = Order<BlockedRelease>;
    fn check(&self, event: &event::Blocked, _: &mut Effects<'_>) -> Result<(), Reason> {
        match event.payout {
            None => Ok(()),
            Some(_) => Err(Reason::Missing { what: "a payout of this order" }),
        }
    }
    fn make(self, event: event::Blocked, _: &Stamp) -> Order<BlockedRelease> {
        Order { head: self.head, state: BlockedRelease { reason: event.reason, was: self.state.was() } }
    }
}

impl Takes<event::Blocked> for Order<PendingRelease> {
    type Next = Order<BlockedRelease>;
    fn check(&self, event: &event::Blocked, _: &mut Effects<'_>) -> Result<(), Reason> {
        let payout = event.payout.ok_or(Reason::Missing { what: "a denied payout" })?;
        self.state.may_count(payout, &News::Denied)
    }
    fn make(mut self, event: event::Blocked, _: &Stamp) -> Order<BlockedRelease> {
        if let Some(payout) = event.payout {
            self.state.count(payout, &News::Denied);
        }
        let was = Was::PendingRelease(self.state);
        Order { head: self.head, state: BlockedRelease { reason: event.reason, was } }
    }
}

impl Order<BlockedRelease> {
    // A release goes on only when each payout has somewhere to go.
    pub(in crate::order) fn may_go_on(&self) -> Result<(), Reason> {
        let Was::PendingRelease(release) = &self.state.was else { return Ok(()) };
        if release.stand(Stands::Denied).next().is_some() {
            Err(Reason::Missing { what: "a new payout in place of the denied one" })
        } else if release.stand(Stands::Returned).next().is_some() {
            Err(Reason::Missing { what: "a use for the money that a payout gave back: cancel refunds it; it" })
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
        match self.state.was {
            Was::Published(state) => Order { head, state }.into(),
            Was::Accepted(state) => Order { head, state }.into(),
            Was::PendingValidate(state) => Order { head, state }.into(),
            Was::PendingRelease(state) => Order { head, state }.into(),
        }
    }
    fn lands(&self, _: &event::Unblocked) -> usize {
        let status = match self.state.was {
            Was::Published(_) => Status::Published,
            Was::Accepted(_) => Status::Accepted,
            Was::PendingValidate(_) => Status::PendingValidate,
            Was::PendingRelease(_) => Status::PendingRelease,
        };
        status as usize
    }
}
