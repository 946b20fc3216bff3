//! What each event of a pledge demands, and what it makes of it. The same live and in replay.

use super::{AnyPledge, Cancelled, Created, Gathered, Paid, Pledge, Refunded, Returned, event, state::Returnable};
use crate::{
    deal::{Counted, Leaving, PayinClosed, PayinOpened},
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes, Value},
    party::Stamp,
    payment::{self, Outgoing},
};

impl<S> Pledge<S> {
    // The refund of all that was pledged, by a step at this time. Computed anew in replay and compared.
    pub(super) fn going_back(&self, paid: &[payment::Paid], at: &Stamp) -> Outgoing {
        let (offer, aftermath) = (&self.facts().terms.offer, &self.facts().aftermath);
        let parts = payment::Paid::back_after(paid, &offer.backer, offer.amount, aftermath);
        Outgoing::plan(self.id().subject(), self.head.seq() + 1, at.at, parts)
    }

    fn open_refund(&self, refund: &Outgoing, paid: &[payment::Paid], step: &mut Effects<'_>) -> Result<(), Reason> {
        if *refund != self.going_back(paid, step.stamp()) {
            return Err(Reason::Unlike { what: "what goes back to the backer" });
        }
        refund.open(&self.facts().terms.gateway, step)
    }
}

impl Takes<PayinOpened> for Pledge<Created> {
    type Next = Self;
    fn check(&self, _: &PayinOpened, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_pay(step.stamp())
    }
    fn make(mut self, event: PayinOpened, _: &Stamp) -> Self {
        self.head.facts.till.open(event.payin);
        self
    }
}

impl Takes<PayinClosed> for Pledge<Created> {
    type Next = Self;
    fn check(&self, event: &PayinClosed, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().till.awaits(event.payin)
    }
    fn make(mut self, _: PayinClosed, _: &Stamp) -> Self {
        self.head.facts.till.close();
        self
    }
}

impl Takes<event::Collected> for Pledge<Created> {
    type Next = Pledge<Paid>;
    fn check(&self, event: &event::Collected, step: &mut Effects<'_>) -> Result<(), Reason> {
        let facts = self.facts();
        facts.terms.in_time("collect", step.stamp())?;
        facts.till.may_take(&event.paid, facts.terms.offer.amount)?;
        step.count_in(event.paid.amount)
    }
    fn make(mut self, event: event::Collected, at: &Stamp) -> Pledge<Paid> {
        self.head.facts.till.take(event.paid);
        self.head.deadline = Some(self.facts().terms.gathered_at(at.at));
        self.enter(Paid {})
    }
}

impl Takes<event::TurnedAway> for Pledge<Created> {
    type Next = Pledge<Returned>;
    fn check(&self, event: &event::TurnedAway, step: &mut Effects<'_>) -> Result<(), Reason> {
        let facts = self.facts();
        self.too_late(step.stamp())?;
        facts.till.may_take(&event.paid, facts.terms.offer.amount)?;
        step.count_in(event.paid.amount)?;
        self.open_refund(&event.refund, std::slice::from_ref(&event.paid), step)
    }
    fn make(mut self, event: event::TurnedAway, _: &Stamp) -> Pledge<Returned> {
        self.head.facts.till.take(event.paid);
        self.enter(Returned { refund: event.refund })
    }
}

impl Takes<event::Cancelled> for Pledge<Created> {
    type Next = Pledge<Cancelled>;
    fn make(self, _: event::Cancelled, _: &Stamp) -> Pledge<Cancelled> {
        self.enter(Cancelled {})
    }
}

impl Takes<event::Gathered> for Pledge<Paid> {
    type Next = Pledge<Gathered>;
    fn check(&self, _: &event::Gathered, step: &mut Effects<'_>) -> Result<(), Reason> {
        step.pay(Account::Escrow(self.facts().terms.about), self.held(), Purpose::Collect)
    }
    fn make(self, _: event::Gathered, _: &Stamp) -> Pledge<Gathered> {
        self.enter(Gathered {})
    }
}

impl<S: Returnable> Pledge<S> {
    // What was gathered comes back first: what has it books that, in the same unit.
    fn goes_back(&self, refund: &Outgoing, step: &mut Effects<'_>) -> Result<(), Reason> {
        if S::GATHERED {
            step.count_in(self.facts().terms.offer.amount)?;
        }
        self.open_refund(refund, self.facts().till.paid(), step)
    }
}

impl<S: Returnable> Takes<event::Withdrawn> for Pledge<S>
where
    Self: Value<Any = AnyPledge>,
{
    type Next = Pledge<Returned>;
    fn check(&self, event: &event::Withdrawn, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_withdraw(step.stamp())?;
        self.goes_back(&event.refund, step)
    }
    fn make(self, event: event::Withdrawn, _: &Stamp) -> Pledge<Returned> {
        self.enter(Returned { refund: event.refund })
    }
}

impl<S: Returnable> Takes<event::GivenBack> for Pledge<S>
where
    Self: Value<Any = AnyPledge>,
{
    type Next = Pledge<Returned>;
    fn check(&self, event: &event::GivenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.goes_back(&event.refund, step)
    }
    fn make(self, event: event::GivenBack, _: &Stamp) -> Pledge<Returned> {
        self.enter(Returned { refund: event.refund })
    }
}

impl Takes<event::Refunded> for Pledge<Returned> {
    type Next = Pledge<Refunded>;
    fn check(&self, _: &event::Refunded, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.must_have_arrived()
    }
    fn make(mut self, _: event::Refunded, _: &Stamp) -> Pledge<Refunded> {
        let refund = std::mem::take(&mut self.state.refund);
        self.enter(Refunded { refund })
    }
}

impl Takes<Counted> for Pledge<Returned> {
    type Next = Self;
    fn check(&self, event: &Counted, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.may_count(event)
    }
    fn make(mut self, event: Counted, _: &Stamp) -> Self {
        self.state.count(&event);
        self
    }
}

impl Takes<event::Received> for Pledge<Gathered> {
    type Next = Self;
    fn check(&self, event: &event::Received, step: &mut Effects<'_>) -> Result<(), Reason> {
        let (facts, proceeds) = (self.facts(), event.proceeds);
        proceeds.require_not_negative()?;
        let (asked, available) = (facts.received.checked_add(&proceeds)?.principal, facts.terms.offer.amount);
        if asked.compare(available)?.is_gt() {
            return Err(Reason::TooMuch { asked, available });
        }
        step.count_in(proceeds.sum()?)?;
        let parts = [(proceeds.principal, Purpose::Principal), (proceeds.interest, Purpose::Interest)];
        for (amount, purpose) in parts.into_iter().filter(|(amount, _)| amount.is_positive()) {
            step.pay(Account::Wallet(facts.terms.offer.backer.clone()), amount, purpose)?;
        }
        Ok(())
    }
    fn make(mut self, event: event::Received, _: &Stamp) -> Self {
        let facts = &mut self.head.facts;
        facts.received = facts.received.checked_add(&event.proceeds).expect("`check` has added it");
        self
    }
}
