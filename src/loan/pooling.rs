//! What a loan does with pledges: they are gathered, and given back where it comes to that.

use super::{
    Action, AnyLoan, Loan, Status, event,
    state::{Gathering, GivingBack},
};
use crate::{
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Refused, Takes, Transition, Value},
    money::Money,
    party::Stamp,
    payment::Learned,
    pledge::{self, Back, Gathered, Offer, Pledge, PledgeId, Pool, Returned, Stage},
};

type Lesson = Result<Learned<AnyLoan>, Refused<AnyLoan>>;
type Step = Result<Transition<AnyLoan>, Refused<AnyLoan>>;

impl<S: Gathering> Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    /// Takes the money of paid pledges, which hand it over in the same unit. All before `through` were looked at.
    ///
    /// # Errors
    /// [`Refused`] when one is another loan's.
    pub fn gather(
        self,
        pledges: &[&Pledge<Gathered>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        match self.gathering(pledges, through) {
            Ok(event) => self.take(event, at),
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }

    fn gathering(&self, pledges: &[&Pledge<Gathered>], through: Option<PledgeId>) -> Result<event::Gathered, Reason> {
        self.own(pledges.iter().map(|pledge| pledge.facts()))?;
        let amounts = pledges.iter().map(|pledge| pledge.facts().terms().offer.amount);
        let amount = Money::sum(amounts, self.held().currency())?;
        // At most a thousand in a batch.
        let pledges = u32::try_from(pledges.len()).unwrap_or(u32::MAX);
        Ok(event::Gathered { pledges, amount, through })
    }
}

impl<S: GivingBack> Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    /// Gives pledges back, which take their money in the same unit. All before `through` were looked at.
    ///
    /// # Errors
    /// [`Refused`] when one is another loan's, or nothing would be left: see [`give_rest_back`](Self::give_rest_back).
    pub fn give_back(
        self,
        pledges: &[&Pledge<Returned>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        match self.own(pledges.iter().map(|pledge| pledge.facts())) {
            Ok(()) => self.take(event::GivenBack { pledges: Back::of(pledges), through }, at),
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }

    /// Gives back all that are left, which take their money in the same unit. All before `through` were looked at.
    ///
    /// # Errors
    /// [`Refused`] when one is another loan's, or something would be left: see [`give_back`](Self::give_back).
    pub fn give_rest_back(
        self,
        pledges: &[&Pledge<Returned>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        match self.own(pledges.iter().map(|pledge| pledge.facts())) {
            Ok(()) => self.take(event::RestGivenBack { pledges: Back::of(pledges), through }, at),
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }

    // Whichever of the two it is.
    fn give(
        self,
        pledges: &[&Pledge<Returned>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        match Back::of(pledges).sum(self.held()) {
            Ok(sum) if sum == self.held() => self.give_rest_back(pledges, through, at),
            Ok(_) => self.give_back(pledges, through, at),
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }

    fn paid_back(mut self, pledges: &Back, through: Option<PledgeId>) -> Self {
        // Pledges that were withdrawn no longer count; what goes back after the end was raised all the same.
        if self.position() == Status::Open as usize {
            let facts = &mut self.head.facts;
            facts.pledges = facts.pledges.saturating_sub(pledges.0.len() as u64);
            let left = pledges.sum(facts.raised).and_then(|back| Ok(facts.raised.checked_sub(back)?));
            facts.raised = left.unwrap_or(facts.raised);
        }
        self.state.got(through);
        self
    }
}

impl<S> Loan<S> {
    // Whether these pledges are the loan's own, in its currency.
    fn own<'f>(&self, mut pledges: impl Iterator<Item = &'f pledge::Facts>) -> Result<(), Reason> {
        let (expected, currency) = (self.id().subject(), self.held().currency());
        pledges.try_for_each(|facts| {
            let (found, amount) = (facts.terms().about, facts.terms().offer.amount);
            amount.checked_sub(Money::zero(currency))?;
            if found == expected { Ok(()) } else { Err(Reason::WrongSubject { expected, found }) }
        })
    }

    // Each pledge's money goes back to it. The pledge counts it in the same unit.
    fn pay_back(&self, pledges: &Back, step: &mut Effects<'_>) -> Result<(), Reason> {
        let currency = self.held().currency();
        for (pledge, minor) in &pledges.0 {
            let amount = Money::from_minor(*minor, currency);
            step.pay(Account::Escrow(pledge.subject()), amount, Purpose::GiveBack)?;
        }
        Ok(())
    }
}

impl<S: Gathering> Takes<event::Gathered> for Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    type Next = Self;
    fn check(&self, event: &event::Gathered, step: &mut Effects<'_>) -> Result<(), Reason> {
        step.count_in(event.amount)
    }
    fn make(mut self, event: event::Gathered, _: &Stamp) -> Self {
        let facts = &mut self.head.facts;
        facts.pledges += u64::from(event.pledges);
        facts.raised = facts.raised.checked_add(event.amount).unwrap_or(facts.raised);
        self.state.got(event.through);
        self
    }
}

impl<S: GivingBack> Takes<event::GivenBack> for Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    type Next = Self;
    fn check(&self, event: &event::GivenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.pay_back(&event.pledges, step)
    }
    fn make(self, event: event::GivenBack, _: &Stamp) -> Self {
        self.paid_back(&event.pledges, event.through)
    }
}

impl<S: GivingBack> Takes<event::RestGivenBack> for Loan<S>
where
    Self: Value<Any = AnyLoan>,
{
    type Next = Self;
    fn check(&self, event: &event::RestGivenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.pay_back(&event.pledges, step)
    }
    fn make(self, event: event::RestGivenBack, _: &Stamp) -> Self {
        self.paid_back(&event.pledges, event.through)
    }
}

impl Pool for AnyLoan {
    fn invite(&self, offer: Offer, at: &Stamp) -> Result<pledge::Terms, Reason> {
        let terms = self.facts().terms();
        let Self::Open(loan) = self else {
            return Err(Reason::WrongStatus { action: "pledge", status: self.status().name() });
        };
        if at.at >= terms.deadline {
            return Err(Reason::TooLate { action: "pledge", deadline: terms.deadline });
        }
        if offer.backer == terms.borrower {
            return Err(Reason::SameParty);
        }
        // Nobody lends more than is missing.
        let (asked, available) = (offer.amount, terms.target.checked_sub(self.held())?);
        if asked.compare(available)?.is_gt() {
            return Err(Reason::TooMuch { asked, available });
        }
        Ok(pledge::Terms {
            about: loan.id().subject(),
            offer,
            gateway: terms.gateway.clone(),
            until: terms.deadline,
            gathering: terms.policy.gathering,
            withdrawable: terms.policy.withdrawals,
        })
    }

    fn stage(&self) -> Stage {
        match self {
            Self::Open(_) => Stage::Open,
            Self::Counting(loan) => Stage::Counting { after: loan.state.through },
            Self::Missed(loan) => Stage::Returning { after: loan.state.through },
            Self::Cancelled(loan) => Stage::Returning { after: loan.state.through },
            Self::Funded(_)
            | Self::Disbursing(_)
            | Self::Repaying(_)
            | Self::Late(_)
            | Self::Defaulted(_)
            | Self::Repaid(_)
            | Self::WrittenOff(_)
            | Self::Returned(_) => Stage::Closed,
        }
    }

    fn batch(&self) -> usize {
        usize::from(self.facts().terms().policy.batch)
    }

    fn gather(self, pledges: &[&Pledge<Gathered>], through: Option<PledgeId>, at: &Stamp) -> Step {
        match self {
            Self::Open(loan) => widened(loan.gather(pledges, through, at)),
            Self::Counting(loan) => widened(loan.gather(pledges, through, at)),
            other => Err(Refused::wrong_status(other, Action::Gather as usize)),
        }
    }

    fn give_back(self, pledges: &[&Pledge<Returned>], through: Option<PledgeId>, at: &Stamp) -> Step {
        match self {
            Self::Open(loan) => widened(loan.give(pledges, through, at)),
            Self::Missed(loan) => widened(loan.give(pledges, through, at)),
            Self::Cancelled(loan) => widened(loan.give(pledges, through, at)),
            other => Err(Refused::wrong_status(other, Action::GiveBack as usize)),
        }
    }

    fn end_stage(self, at: &Stamp) -> Lesson {
        match self {
            Self::Counting(loan) => Learned::step(loan.decide(at)),
            Self::Missed(loan) => Learned::step(loan.finish(at)),
            Self::Cancelled(loan) => Learned::step(loan.finish(at)),
            other => Ok(Learned::Nothing(other)),
        }
    }
}

fn widened<V: Value<Any = AnyLoan>>(taken: Result<Transition<V>, Refused<V>>) -> Step {
    taken.map(Transition::widen).map_err(|refused| refused.map(Value::widen))
}
