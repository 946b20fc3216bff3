//! Money on its way back to the buyer: what each event demands, and what it makes of an order.

use crate::{
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes, Value},
    money::Money,
    order::{
        AnyOrder, BlockedRelease, Cancelled, Order, Published, Rejected, event,
        state::{Blockable, Cancellable, Undoable},
    },
    party::{Actor, Stamp},
    payment::{
        Paid, RefundId,
        refund::{self, Consent},
    },
};

impl<S> Order<S> {
    // Books money to a refund and opens it.
    fn open_refund(
        &self,
        id: RefundId,
        amount: Money,
        paid: &Paid,
        consent: Consent,
        step: &mut Effects<'_>,
    ) -> Result<(), Reason> {
        let terms = &self.facts().terms;
        let payer = terms.buyer.clone().ok_or(Reason::Missing { what: "the buyer" })?;
        step.pay(Account::Escrow(id.subject()), amount, Purpose::GiveBack)?;
        let about = self.id().subject();
        let opened = refund::Terms {
            about,
            payin: paid.payin,
            payer,
            amount,
            route: paid.route.clone(),
            consent,
            source: about,
            gateway: terms.gateway.clone(),
            shares: Vec::new(),
            again: None,
        };
        step.open(refund::open(id, opened, step.stamp())?);
        Ok(())
    }

    // The id of a refund that the next event opens.
    pub(in crate::order) fn next_refund(&self, at: &Stamp) -> RefundId {
        RefundId::derived(self.id().subject(), self.head.seq() + 1, 0, at.at)
    }
}

impl Takes<event::Rejected> for Order<Published> {
    type Next = Order<Rejected>;
    fn check(&self, event: &event::Rejected, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.stands_alone()?;
        self.open_refund(event.refund, self.held(), &self.state.paid, Consent::Owed, step)
    }
    fn make(self, event: event::Rejected, _: &Stamp) -> Order<Rejected> {
        self.enter(Rejected { refund: event.refund })
    }
}

impl<S: Cancellable> Takes<event::Cancelled> for Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    type Next = Order<Cancelled>;
    fn check(&self, event: &event::Cancelled, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.stands_alone()?;
        self.may_cancel(step.stamp())?;
        self.all_back(event.refund, step)
    }
    fn make(self, event: event::Cancelled, _: &Stamp) -> Order<Cancelled> {
        self.called_off(event.refund)
    }
}

impl<S: Undoable> Takes<event::Undone> for Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    type Next = Order<Cancelled>;
    fn check(&self, event: &event::Undone, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().must_be_part()?;
        self.goes_back(event.refund, step)
    }
    fn make(self, event: event::Undone, _: &Stamp) -> Order<Cancelled> {
        self.called_off(event.refund)
    }
}

impl<S: Cancellable> Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    // Who was paid out of it before goes on answering for that.
    pub(in crate::order) fn called_off(self, refund: Option<RefundId>) -> Order<Cancelled> {
        let Self { head, state } = self;
        let (abandoned, released) = (state.underway(), state.released());
        Order { head, state: Cancelled { refund, abandoned, released } }
    }
}

impl<S: Cancellable> Order<S> {
    // Opens the refund of all that was paid, if anything was.
    fn all_back(&self, refund: Option<RefundId>, step: &mut Effects<'_>) -> Result<(), Reason> {
        match (self.state.paid(), refund) {
            (Some(paid), Some(refund)) => self.open_refund(refund, self.held(), paid, Consent::NotNeeded, step),
            (None, None) => Ok(()),
            (Some(_), None) => Err(Reason::Unlike { what: "the refund of what was paid" }),
            (None, Some(_)) => Err(Reason::Unlike { what: "the refund of what was paid" }),
        }
    }

    pub(in crate::order) fn may_cancel(&self, at: &Stamp) -> Result<(), Reason> {
        self.state.may_end(&self.facts().aftermath)?;
        // Anybody might be the buyer of a draft without one, which is no reason to let anybody call it off.
        if self.facts().terms.buyer.is_none() && matches!(at.by, Actor::Party(_)) {
            return Err(Reason::Missing { what: "the buyer" });
        }
        if self.state.paid().is_some() && self.held().is_zero() {
            return Err(Reason::Missing { what: "money in escrow that could be refunded" });
        }
        Ok(())
    }
}

impl Order<BlockedRelease> {
    // Whether there is a payout of which something could still be learned.
    pub(in crate::order) fn some_out(&self) -> Result<(), Reason> {
        self.state.release()?;
        if self.state.none_out().is_ok() {
            Err(Reason::Missing { what: "a payout that is on its way" })
        } else {
            Ok(())
        }
    }
}

impl<S: Blockable> Order<S> {
    pub(in crate::order) fn may_refund_part(&self) -> Result<(), Reason> {
        let available = self.refundable()?;
        if available.is_positive() { Ok(()) } else { Err(Reason::TooMuch { asked: self.held(), available }) }
    }

    // What stays must cover the fee, and be something.
    fn refundable(&self) -> Result<Money, Reason> {
        let least = Money::from_minor(self.facts().terms.fee()?.minor().max(1), self.held().currency());
        Ok(self.held().checked_sub(least)?)
    }
}

impl<S: Blockable> Takes<event::PartRefunded> for Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    type Next = Self;
    fn check(&self, event: &event::PartRefunded, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.stands_alone()?;
        let available = self.refundable()?;
        if available.checked_sub(event.amount.require_positive()?)?.is_negative() {
            return Err(Reason::TooMuch { asked: event.amount, available });
        }
        self.facts().refunded.checked_add(event.amount)?;
        self.open_refund(event.refund, event.amount, self.state.paid(), Consent::ByHand, step)
    }
    fn make(mut self, event: event::PartRefunded, _: &Stamp) -> Self {
        let refunded = &mut self.head.facts.refunded;
        *refunded = refunded.checked_add(event.amount).expect("`check` has added it");
        self
    }
}

impl<S: Blockable> Takes<event::RefundTakenBack> for Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    type Next = Self;
    fn check(&self, event: &event::RefundTakenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        let available = self.facts().refunded;
        if available.checked_sub(event.amount)?.is_negative() {
            return Err(Reason::TooMuch { asked: event.amount, available });
        }
        self.facts().aftermath.may_take_back(event.refund)?;
        step.count_in(event.amount)
    }
    fn make(mut self, event: event::RefundTakenBack, _: &Stamp) -> Self {
        let refunded = &mut self.head.facts.refunded;
        *refunded = refunded.checked_sub(event.amount).expect("`check` has subtracted it");
        self
    }
}
