//! What each event of a campaign demands, and what it makes of it. The same live and in replay.

use super::{
    AnyCampaign, Campaign, Cancelled, Close, Counting, Funded, Missed, Open, PendingRelease, Released, Returned,
    Status,
    action::Finishing,
    event,
    state::{Cancellable, Gathering, GivingBack, Payable},
};
use crate::{
    deal::{Counted, Leaving},
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes, Value},
    money::Money,
    party::{Actor, Stamp},
    payment::{Destination, Outgoing, Way},
    pledge::{Back, PledgeId},
};

impl Campaign<Open> {
    // By itself only once the target is met, where the policy says so. The clock comes at the deadline.
    pub(super) fn may_close(&self, at: &Stamp) -> Result<(), Reason> {
        let terms = &self.facts().terms;
        let early = terms.policy.close == Close::WhenMet && terms.is_met(self.held())?;
        match at.by {
            Actor::Gateway if !early => Err(Reason::NotDue { action: "close", due: Some(terms.deadline) }),
            Actor::Gateway | Actor::Clock | Actor::Party(_) | Actor::Office { .. } => Ok(()),
        }
    }
}

impl Takes<event::Closed> for Campaign<Open> {
    type Next = Campaign<Counting>;
    fn check(&self, _: &event::Closed, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_close(step.stamp())
    }
    fn make(mut self, _: event::Closed, at: &Stamp) -> Campaign<Counting> {
        // There is something to do from now on, until it is done.
        self.head.deadline = Some(at.at);
        self.enter(Counting { through: None })
    }
}

impl<S: Gathering> Takes<event::Gathered> for Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
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

impl<S> Campaign<S> {
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

impl<S: GivingBack> Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
{
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

impl<S: GivingBack> Takes<event::GivenBack> for Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
{
    type Next = Self;
    fn check(&self, event: &event::GivenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.pay_back(&event.pledges, step)
    }
    fn make(self, event: event::GivenBack, _: &Stamp) -> Self {
        self.paid_back(&event.pledges, event.through)
    }
}

impl<S: GivingBack> Takes<event::RestGivenBack> for Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
{
    type Next = Self;
    fn check(&self, event: &event::RestGivenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.pay_back(&event.pledges, step)
    }
    fn make(self, event: event::RestGivenBack, _: &Stamp) -> Self {
        self.paid_back(&event.pledges, event.through)
    }
}

impl Campaign<Counting> {
    fn is_funded(&self) -> bool {
        self.facts().terms.suffices(self.held()).unwrap_or(false)
    }
}

impl Takes<event::Decided> for Campaign<Counting> {
    type Next = AnyCampaign;
    fn make(mut self, _: event::Decided, at: &Stamp) -> AnyCampaign {
        if self.is_funded() {
            self.head.deadline = Some(self.facts().terms.policy.validation.after(at.at));
            self.enter(Funded {}).into()
        } else {
            self.head.deadline = Some(at.at);
            self.enter(Missed { through: None }).into()
        }
    }
    fn lands(&self, _: &event::Decided) -> usize {
        let status = if self.is_funded() { Status::Funded } else { Status::Missed };
        status as usize
    }
}

impl Campaign<Funded> {
    // The fee and the payout that a validation at this time opens. Computed anew in replay and compared.
    pub(super) fn settlement(&self, at: &Stamp) -> Result<event::Validated, Reason> {
        let (terms, raised) = (&self.facts().terms, self.held());
        let fee = terms.fee(raised)?;
        let to = terms.payout.clone().unwrap_or(Destination::Wallet);
        let parts = [(terms.owner.clone(), raised.checked_sub(fee)?, Way::Payout(to))];
        let payouts = Outgoing::plan(self.id().subject(), self.head.seq() + 1, at.at, parts);
        Ok(event::Validated { fee, payouts })
    }
}

impl Takes<event::Validated> for Campaign<Funded> {
    type Next = Campaign<PendingRelease>;
    fn check(&self, event: &event::Validated, step: &mut Effects<'_>) -> Result<(), Reason> {
        if *event != self.settlement(step.stamp())? {
            return Err(Reason::Fixed { what: "what the owner gets" });
        }
        let terms = &self.facts().terms;
        if event.fee.is_positive() {
            step.pay(Account::Wallet(terms.platform.clone()), event.fee, Purpose::Fee)?;
        }
        event.payouts.open(&terms.gateway, step)
    }
    fn make(self, event: event::Validated, _: &Stamp) -> Campaign<PendingRelease> {
        self.enter(PendingRelease { fee: event.fee, payouts: event.payouts })
    }
}

impl Takes<event::Released> for Campaign<PendingRelease> {
    type Next = Campaign<Released>;
    fn check(&self, _: &event::Released, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.must_have_arrived()
    }
    fn make(mut self, _: event::Released, _: &Stamp) -> Campaign<Released> {
        let (fee, payouts) = (self.state.fee, std::mem::take(&mut self.state.payouts));
        self.enter(Released { fee, payouts })
    }
}

impl Takes<Counted> for Campaign<PendingRelease> {
    type Next = Self;
    fn check(&self, event: &Counted, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.may_count(event)
    }
    fn make(mut self, event: Counted, _: &Stamp) -> Self {
        self.state.count(&event);
        self
    }
}

impl<S: Cancellable> Takes<event::Cancelled> for Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
{
    type Next = Campaign<Cancelled>;
    fn make(mut self, _: event::Cancelled, at: &Stamp) -> Campaign<Cancelled> {
        self.head.deadline = Some(at.at);
        self.enter(Cancelled { through: None })
    }
}

impl<S: Finishing> Takes<event::Finished> for Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
{
    type Next = Campaign<Returned>;
    fn check(&self, _: &event::Finished, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.has_given_back()
    }
    fn make(self, _: event::Finished, _: &Stamp) -> Campaign<Returned> {
        self.enter(Returned {})
    }
}

impl<S> Campaign<S> {
    pub(super) fn has_given_back(&self) -> Result<(), Reason> {
        if self.held().is_zero() { Ok(()) } else { Err(Reason::Missing { what: "the return of every pledge" }) }
    }
}

impl<S: Payable> Takes<event::PayoutSet> for Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
{
    type Next = Self;
    fn make(mut self, event: event::PayoutSet, _: &Stamp) -> Self {
        self.head.facts.terms.payout = Some(event.to);
        self
    }
}
