//! What becomes of the money once it is there.

use crate::{
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes, Value},
    party::Stamp,
    payment::payin::{AnyPayin, Confirmed, Method, Payin, Refunded, Status, Taken, event},
};

impl Takes<event::RefundCounted> for Payin<Confirmed> {
    type Next = AnyPayin;
    fn check(&self, event: &event::RefundCounted, _: &mut Effects<'_>) -> Result<(), Reason> {
        if event.payin != self.id() {
            return Err(Reason::WrongSubject { expected: self.id().subject(), found: event.payin.subject() });
        }
        if self.state.refunds.contains(&event.refund) {
            return Err(Reason::Already { what: "counting this refund" });
        }
        let available = self.facts().amount.checked_sub(self.state.refunded)?;
        if available.checked_sub(event.amount.require_positive()?)?.is_negative() {
            return Err(Reason::TooMuch { asked: event.amount, available });
        }
        Ok(())
    }
    fn make(mut self, event: event::RefundCounted, _: &Stamp) -> AnyPayin {
        let all = self.counts_all(&event);
        self.state.refunds.push(event.refund);
        let refunded = self.state.refunded.checked_add(event.amount);
        self.state.refunded = refunded.expect("`check` lets no more be refunded than was paid");
        if all {
            let Confirmed { refunds, handed_to, disputes, .. } = &mut self.state;
            let (refunds, disputes) = (std::mem::take(refunds), std::mem::take(disputes));
            let handed_to = *handed_to;
            self.enter(Refunded { refunds, handed_to, disputes }).into()
        } else {
            self.into()
        }
    }
    fn lands(&self, event: &event::RefundCounted) -> usize {
        let status = if self.counts_all(event) { Status::Refunded } else { Status::Confirmed };
        status as usize
    }
}

impl Payin<Confirmed> {
    fn counts_all(&self, event: &event::RefundCounted) -> bool {
        self.state.refunded.checked_add(event.amount) == Ok(self.facts().amount)
    }
}

impl Takes<event::HandedOver> for Payin<Confirmed> {
    type Next = Self;
    fn check(&self, event: &event::HandedOver, step: &mut Effects<'_>) -> Result<(), Reason> {
        if event.to != self.facts().about {
            return Err(Reason::WrongSubject { expected: self.facts().about, found: event.to });
        }
        step.pay(Account::Escrow(event.to), self.facts().amount, Purpose::Collect)
    }
    fn make(mut self, event: event::HandedOver, _: &Stamp) -> Self {
        self.state.handed_to = Some(event.to);
        self
    }
}

impl<S: Taken> Takes<event::ChargedBack> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, event: &event::ChargedBack, _: &mut Effects<'_>) -> Result<(), Reason> {
        let terms = self.facts();
        if terms.method == Method::Wallet {
            return Err(Reason::NotThisWay { instead: "a payment from a wallet is not charged back: refund it" });
        }
        let available = self.came()?;
        if self.state.disputes().stands(event.chargeback).is_some() {
            return Err(Reason::Already { what: "counting this chargeback" });
        }
        // Not of all together: how the others ended, their own logs tell. `Escrow::dispute` asks them.
        if available.checked_sub(event.amount.require_positive()?)?.is_negative() {
            return Err(Reason::TooMuch { asked: event.amount, available });
        }
        Ok(())
    }
    fn make(mut self, event: event::ChargedBack, _: &Stamp) -> Self {
        self.state.disputes_mut().count(event.chargeback, event.amount);
        self
    }
}

impl<S: Taken> Takes<event::WonBack> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, event: &event::WonBack, _: &mut Effects<'_>) -> Result<(), Reason> {
        match self.state.disputes().stands(event.chargeback) {
            Some(false) => Ok(()),
            Some(true) => Err(Reason::Already { what: "winning this chargeback" }),
            None => Err(Reason::Missing { what: "a chargeback of this payin" }),
        }
    }
    fn make(mut self, event: event::WonBack, _: &Stamp) -> Self {
        self.state.disputes_mut().win(event.chargeback);
        self
    }
}

impl Takes<event::GivenBack> for Payin<Confirmed> {
    type Next = Self;
    fn check(&self, event: &event::GivenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.open_refund(event.refund, self.facts().amount, step)
    }
    fn make(self, _: event::GivenBack, _: &Stamp) -> Self {
        self
    }
}
