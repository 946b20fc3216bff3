//! What each event of a loan demands, and what it makes of it. The same live and in replay.

use super::{
    AnyLoan, Counting, Debt, Defaulted, Disbursing, Facts, Funded, Late, Loan, Repaid, Repaying, WrittenOff, event,
    state::{Owing, Scheduled},
};
use crate::{
    deal::{Counted, Leaving, PayinClosed},
    distribution::{self, Distribution, DistributionId, Tranche},
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes, Value},
    money::Money,
    party::Stamp,
    payment::{Destination, Outgoing, PayinId, Way},
    pledge::Proceeds,
    time::Timestamp,
};

impl Loan<Counting> {
    pub(super) fn is_funded(&self) -> Result<bool, Reason> {
        self.facts().terms.is_met(self.held())
    }
}

impl Loan<Funded> {
    // The fee and the payout that a validation at this time opens. Computed anew in replay and compared.
    pub(super) fn settlement(&self, at: &Stamp) -> Result<event::Validated, Reason> {
        let (terms, lent) = (&self.facts().terms, self.held());
        let fee = terms.fee(lent)?;
        // What cannot be owed cannot be paid out.
        terms.debt(lent, at.at)?;
        let to = terms.payout.clone().unwrap_or(Destination::Wallet);
        let parts = [(terms.borrower.clone(), lent.checked_sub(fee)?, Way::Payout(to))];
        let payouts = Outgoing::plan(self.id().subject(), self.head.seq() + 1, at.at, parts);
        Ok(event::Validated { fee, payouts })
    }
}

impl Takes<event::Validated> for Loan<Funded> {
    type Next = Loan<Disbursing>;
    fn check(&self, event: &event::Validated, step: &mut Effects<'_>) -> Result<(), Reason> {
        if *event != self.settlement(step.stamp())? {
            return Err(Reason::Unlike { what: "what the borrower gets" });
        }
        let terms = &self.facts().terms;
        if event.fee.is_positive() {
            step.pay(Account::Wallet(terms.platform.clone()), event.fee, Purpose::Fee)?;
        }
        event.payouts.open(&terms.gateway, step)
    }
    fn make(self, event: event::Validated, _: &Stamp) -> Loan<Disbursing> {
        self.enter(Disbursing { fee: event.fee, payouts: event.payouts })
    }
}

impl Takes<Counted> for Loan<Disbursing> {
    type Next = Self;
    fn check(&self, event: &Counted, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.may_count(event)
    }
    fn make(mut self, event: Counted, _: &Stamp) -> Self {
        self.state.count(&event);
        self
    }
}

impl Loan<Disbursing> {
    fn begins(&self, at: Timestamp) -> Result<Debt, Reason> {
        let facts = self.facts();
        facts.terms.debt(facts.raised, at)
    }
}

impl Takes<event::Disbursed> for Loan<Disbursing> {
    type Next = Loan<Repaying>;
    fn check(&self, _: &event::Disbursed, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.must_have_arrived()?;
        self.begins(step.stamp().at).map(drop)
    }
    fn make(mut self, _: event::Disbursed, at: &Stamp) -> Loan<Repaying> {
        let debt = self.begins(at.at).expect("`check` has found that so much can be owed from then on");
        self.head.facts.debt = Some(debt);
        self.watch();
        self.enter(Repaying {})
    }
}

impl Facts {
    pub(super) fn is_settled(&self) -> bool {
        self.debt.as_ref().is_some_and(Debt::is_settled)
    }

    pub(super) fn must_be_settled(&self) -> Result<(), Reason> {
        if self.is_settled() { Ok(()) } else { Err(Reason::Missing { what: "the payment of all that is owed" }) }
    }
}

impl<S> Loan<S> {
    // The clock comes when the first instalment that is not covered is late.
    fn watch(&mut self) {
        self.head.deadline = self.late_at();
    }

    pub(super) fn late_at(&self) -> Option<Timestamp> {
        let facts = self.facts();
        facts.debt.as_ref().and_then(|debt| debt.late_at(facts.terms.policy.grace))
    }

    fn asks(&mut self, payin: PayinId, amount: Money, at: &Stamp) {
        let facts = &mut self.head.facts;
        facts.till.open(payin);
        (facts.asked, facts.asked_at) = (amount, at.at);
    }

    // When what happens to the debt at this time counts: not before the repayment under way was opened, by the clock of another
    // host. So what was no more than is owed when it was asked for is not more once it is there.
    pub(super) fn counts_at(&self, at: &Stamp) -> Timestamp {
        let facts = self.facts();
        if facts.till.underway().is_some() { at.at.max(facts.asked_at) } else { at.at }
    }
}

impl Takes<event::FellBehind> for Loan<Repaying> {
    type Next = Loan<Late>;
    fn check(&self, _: &event::FellBehind, step: &mut Effects<'_>) -> Result<(), Reason> {
        match self.late_at() {
            Some(due) if due <= step.stamp().at => Ok(()),
            due => Err(Reason::NotDue { action: "fall_behind", due }),
        }
    }
    fn make(self, _: event::FellBehind, _: &Stamp) -> Loan<Late> {
        self.enter(Late {})
    }
}

impl Loan<Late> {
    pub(super) fn has_caught_up(&self, at: &Stamp) -> Result<(), Reason> {
        let behind = self.late_at().is_some_and(|due| due <= at.at);
        if behind { Err(Reason::Missing { what: "the payment of all that has fallen due" }) } else { Ok(()) }
    }
}

impl Takes<event::CaughtUp> for Loan<Late> {
    type Next = Loan<Repaying>;
    fn check(&self, _: &event::CaughtUp, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.has_caught_up(step.stamp())
    }
    fn make(mut self, _: event::CaughtUp, _: &Stamp) -> Loan<Repaying> {
        self.watch();
        self.enter(Repaying {})
    }
}

impl<S: Owing> Takes<event::RepaymentOpened> for Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    type Next = Self;
    fn check(&self, event: &event::RepaymentOpened, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_open(event.amount, step.stamp())
    }
    fn make(mut self, event: event::RepaymentOpened, at: &Stamp) -> Self {
        self.asks(event.payin, event.amount, at);
        self
    }
}

impl Takes<event::RecoveryOpened> for Loan<Defaulted> {
    type Next = Self;
    fn check(&self, event: &event::RecoveryOpened, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_open(event.amount, step.stamp())
    }
    fn make(mut self, event: event::RecoveryOpened, at: &Stamp) -> Self {
        self.asks(event.payin, event.amount, at);
        self
    }
}

impl<S: Owing> Takes<PayinClosed> for Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    type Next = Self;
    fn check(&self, event: &PayinClosed, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().till.awaits(event.payin)
    }
    fn make(mut self, _: PayinClosed, _: &Stamp) -> Self {
        let facts = &mut self.head.facts;
        facts.till.close();
        facts.debt = facts.unasked.take().or(facts.debt.take());
        self
    }
}

impl event::Collected {
    // Both kinds of interest are shared alike.
    fn proceeds(&self) -> Result<Proceeds, Reason> {
        let interest = self.allotment.interest.checked_add(self.allotment.late)?;
        Ok(Proceeds { principal: self.allotment.principal, interest })
    }
}

impl<S> Loan<S> {
    // The distribution that a repayment in a step of this number opens.
    fn distribution(&self, seq: u32, at: Timestamp) -> DistributionId {
        DistributionId::derived(self.id().subject(), seq, 0, at)
    }

    fn share_out(&self, event: &event::Collected, step: &mut Effects<'_>) -> Result<(), Reason> {
        let (facts, id) = (self.facts(), self.distribution(step.seq(), step.stamp().at));
        let (before, now) = (facts.repaid, event.proceeds()?);
        step.pay(Account::Escrow(id.subject()), event.paid.amount, Purpose::Release)?;
        let terms = distribution::Terms {
            about: self.id().subject(),
            borrower: facts.terms.borrower.clone(),
            lent: facts.raised,
            principal: Tranche { before: before.principal, now: now.principal },
            interest: Tranche { before: before.interest, now: now.interest },
            after: facts.distribution,
            batch: facts.terms.policy.batch,
            from: step.stamp().at,
        };
        let opened = Distribution::open(id, terms, step.stamp()).map_err(|refused| refused.reason)?;
        step.open(opened);
        Ok(())
    }
}

impl<S: Owing> Takes<event::Collected> for Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    type Next = Self;
    fn check(&self, event: &event::Collected, step: &mut Effects<'_>) -> Result<(), Reason> {
        let facts = self.facts();
        facts.till.may_take(&event.paid, facts.asked)?;
        if event.allotment != facts.owes()?.allot(event.paid.amount, self.counts_at(step.stamp()))? {
            return Err(Reason::Unlike { what: "what a repayment goes to" });
        }
        facts.repaid.checked_add(&event.proceeds()?)?;
        step.count_in(event.paid.amount)?;
        self.share_out(event, step)
    }
    fn make(mut self, event: event::Collected, at: &Stamp) -> Self {
        let (id, counts_at) = (self.distribution(self.head.seq() + 1, at.at), self.counts_at(at));
        let facts = &mut self.head.facts;
        let repaid = event.proceeds().and_then(|now| Ok(facts.repaid.checked_add(&now)?));
        facts.repaid = repaid.expect("`check` has added it");
        facts.distribution = Some(id);
        facts.till.take(event.paid);
        facts.unasked = None;
        facts.debt = facts.debt.take().map(|debt| {
            let mut debt = debt.at(counts_at);
            debt.take(&event.allotment);
            debt
        });
        if S::WATCHED {
            self.watch();
        }
        self
    }
}

impl<S: Owing> Takes<event::Settled> for Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    type Next = Loan<Repaid>;
    fn check(&self, _: &event::Settled, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().must_be_settled()
    }
    fn make(self, _: event::Settled, _: &Stamp) -> Loan<Repaid> {
        self.enter(Repaid {})
    }
}

impl<S: Scheduled> Takes<event::DefaultDeclared> for Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    type Next = Loan<Defaulted>;
    fn make(mut self, _: event::DefaultDeclared, at: &Stamp) -> Loan<Defaulted> {
        let then = self.counts_at(at);
        let facts = &mut self.head.facts;
        // No money may come of the repayment that it waits for: then what is owed is what was owed when this was declared.
        facts.unasked = facts.debt.clone().filter(|_| then > at.at).map(|debt| debt.frozen(at.at));
        facts.debt = facts.debt.take().map(|debt| debt.frozen(then));
        self.enter(Defaulted {})
    }
}

impl Takes<event::WroteOff> for Loan<Defaulted> {
    type Next = Loan<WrittenOff>;
    fn check(&self, event: &event::WroteOff, step: &mut Effects<'_>) -> Result<(), Reason> {
        if event.lost == self.facts().owes()?.owed(step.stamp().at)? {
            Ok(())
        } else {
            Err(Reason::Unlike { what: "what is still owed" })
        }
    }
    fn make(self, event: event::WroteOff, _: &Stamp) -> Loan<WrittenOff> {
        self.enter(WrittenOff { lost: event.lost })
    }
}
