//! What each event of a debt demands, and what it makes of it. The same live and in replay.

use super::{AnyDebt, Covered, DEBTOR, Debt, Facts, Open, Owing, Paid, Source, Status, Terms, WrittenOff, event};
use crate::{
    id::Subject,
    ledger::{Account, Purpose},
    lifecycle::{self, Effects, Opening, Reason, Takes, Value},
    money::Money,
    party::{Actor, PartyId, Role, Stamp},
    time::Timestamp,
};

impl lifecycle::Facts for Facts {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        role == DEBTOR && *who == self.terms.debtor
    }
    fn parties(&self) -> Vec<PartyId> {
        lifecycle::once([self.terms.debtor.clone(), self.terms.creditor.clone()])
    }
    fn about(&self) -> Option<Subject> {
        Some(self.terms.about)
    }
}

impl Opening<AnyDebt> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        step.owe(self.debtor.clone(), self.amount)?;
        step.pay(Account::Escrow(self.cause), self.amount, Purpose::Owe)
    }
    fn held(&self) -> Money {
        Money::zero(self.amount.currency())
    }
    fn facts(self, _: &Stamp) -> Facts {
        let zero = Money::zero(self.amount.currency());
        Facts { terms: self, recovered: zero, returned: zero, recouped: zero, recouped_of: Vec::new() }
    }
    fn deadline(&self) -> Option<Timestamp> {
        Some(self.due)
    }
}

impl<S> Debt<S> {
    // What the debtor pays comes out of its wallet; what comes back is given.
    fn receive(&self, amount: Money, from: Source, step: &mut Effects<'_>) -> Result<(), Reason> {
        match (from, &step.stamp().by) {
            (Source::Wallet, Actor::Gateway) => Err(Reason::Missing { what: "the word of the platform or the debtor" }),
            (Source::Wallet, Actor::Party(_) | Actor::Office { .. } | Actor::Clock) => {
                step.receive(Account::Wallet(self.facts().terms.debtor.clone()), amount, Purpose::PayOff)
            }
            (Source::Given(_), Actor::Gateway) => step.count_in(amount),
            (Source::Given(_), Actor::Party(_) | Actor::Office { .. } | Actor::Clock) => {
                Err(Reason::Missing { what: "what came back" })
            }
        }
    }

    // What was set aside for what is no longer owed is the platform's again.
    fn uncover(&self, amount: Money, step: &mut Effects<'_>) -> Result<(), Reason> {
        if self.held().is_zero() {
            return Ok(());
        }
        step.pay(Account::Wallet(self.facts().terms.creditor.clone()), amount, Purpose::Cover)
    }

    fn settle(&self, amount: Money, from: Source, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.receive(amount, from, step)?;
        step.pay_off(self.facts().terms.debtor.clone(), amount)?;
        self.uncover(amount, step)
    }

    fn count(&mut self, amount: Money, from: Source) {
        let facts = &mut self.head.facts;
        let sum = match from {
            Source::Wallet => &mut facts.recovered,
            Source::Given(_) => &mut facts.returned,
        };
        *sum = sum.checked_add(amount).expect("`check` lets no more be paid off than remains");
    }

    fn look_again(&mut self, at: &Stamp) {
        self.head.deadline = Some(at.at.plus(self.facts().terms.every));
    }
}

impl<S: Owing> Takes<event::Recovered> for Debt<S>
where
    Self: Value<Any = AnyDebt>,
{
    type Next = Self;
    fn check(&self, event: &event::Recovered, step: &mut Effects<'_>) -> Result<(), Reason> {
        let available = self.facts().remains();
        if event.amount.compare(available)?.is_ge() {
            return Err(Reason::TooMuch { asked: event.amount, available });
        }
        self.settle(event.amount, event.from, step)
    }
    fn make(mut self, event: event::Recovered, at: &Stamp) -> Self {
        self.count(event.amount, event.from);
        self.look_again(at);
        self
    }
}

impl<S: Owing> Takes<event::PaidOff> for Debt<S>
where
    Self: Value<Any = AnyDebt>,
{
    type Next = Debt<Paid>;
    fn check(&self, event: &event::PaidOff, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.settle(self.facts().remains(), event.from, step)
    }
    fn make(mut self, event: event::PaidOff, _: &Stamp) -> Debt<Paid> {
        self.count(self.facts().remains(), event.from);
        self.enter(Paid {})
    }
}

impl Takes<event::Covered> for Debt<Open> {
    type Next = Debt<Covered>;
    fn check(&self, _: &event::Covered, step: &mut Effects<'_>) -> Result<(), Reason> {
        let facts = self.facts();
        step.receive(Account::Wallet(facts.terms.creditor.clone()), facts.remains(), Purpose::Cover)
    }
    fn make(mut self, _: event::Covered, at: &Stamp) -> Debt<Covered> {
        self.look_again(at);
        self.enter(Covered {})
    }
}

impl<S: Owing> Takes<event::WrittenOff> for Debt<S>
where
    Self: Value<Any = AnyDebt>,
{
    type Next = Debt<WrittenOff>;
    fn check(&self, _: &event::WrittenOff, step: &mut Effects<'_>) -> Result<(), Reason> {
        let facts = self.facts();
        if self.held().is_zero() {
            step.receive(Account::Wallet(facts.terms.creditor.clone()), facts.remains(), Purpose::PayOff)?;
        }
        step.pay_off(facts.terms.debtor.clone(), facts.remains())
    }
    fn make(self, _: event::WrittenOff, _: &Stamp) -> Debt<WrittenOff> {
        let lost = self.facts().remains();
        self.enter(WrittenOff { lost })
    }
}

impl Debt<WrittenOff> {
    fn recoups_all(&self, event: &event::Recouped) -> bool {
        event.amount == self.state.lost
    }
}

impl Takes<event::Recouped> for Debt<WrittenOff> {
    type Next = AnyDebt;
    fn check(&self, event: &event::Recouped, step: &mut Effects<'_>) -> Result<(), Reason> {
        let facts = self.facts();
        if facts.recouped_of.contains(&event.refund) {
            return Err(Reason::Already { what: "recouping out of this refund" });
        }
        for available in [event.came, self.state.lost] {
            if event.amount.compare(available)?.is_gt() {
                return Err(Reason::TooMuch { asked: event.amount, available });
            }
        }
        step.receive(Account::Wallet(facts.terms.debtor.clone()), event.amount, Purpose::Recoup)?;
        step.pay(Account::Wallet(facts.terms.creditor.clone()), event.amount, Purpose::Recoup)
    }
    fn make(mut self, event: event::Recouped, _: &Stamp) -> AnyDebt {
        let all = self.recoups_all(&event);
        self.count(event.amount, Source::Wallet);
        let facts = &mut self.head.facts;
        facts.recouped = facts.recouped.checked_add(event.amount).expect("`check` lets no more come than is lost");
        facts.recouped_of.push(event.refund);
        self.state.lost = self.state.lost.checked_sub(event.amount).expect("`check` lets no more come than is lost");
        if all { self.enter(Paid {}).into() } else { self.into() }
    }
    fn lands(&self, event: &event::Recouped) -> usize {
        let status = if self.recoups_all(event) { Status::Paid } else { Status::WrittenOff };
        status as usize
    }
}

impl<S: Owing> Takes<event::Deferred> for Debt<S>
where
    Self: Value<Any = AnyDebt>,
{
    type Next = Self;
    fn make(mut self, _: event::Deferred, at: &Stamp) -> Self {
        self.look_again(at);
        self
    }
}
