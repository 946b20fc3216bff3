//! What can be done with a campaign, status by status.

use super::{
    AnyCampaign, Campaign, CampaignId, Cancelled, Counting, Funded, Open, PendingRelease, Released, Returned, Terms,
    event,
    state::{Cancellable, Gathering, GivingBack, Payable},
};
use crate::{
    deal::Counted,
    lifecycle::{Reason, Refused, Transition, Value},
    money::Money,
    party::Stamp,
    payment::{Destination, Evidence},
    pledge::{self, Back, Pledge, PledgeId},
};

impl Campaign<Open> {
    /// Opens a campaign.
    ///
    /// # Errors
    /// [`Refused`] when the target is not above zero or goes into the fee, the deadline has passed, or somebody opens it for
    /// somebody else.
    pub fn open(id: CampaignId, terms: Terms, at: &Stamp) -> Result<Transition<Self>, Refused<Terms>> {
        Self::opened(id, terms, at)
    }

    /// No more pledges are taken.
    ///
    /// # Errors
    /// [`Refused`] before the deadline, unless the target is met and the policy closes it then.
    pub fn close(self, at: &Stamp) -> Result<Transition<Campaign<Counting>>, Refused<Self>> {
        self.take(event::Closed {}, at)
    }
}

impl<S: Gathering> Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
{
    /// Takes the money of paid pledges, which hand it over in the same unit. All before `through` were looked at.
    ///
    /// # Errors
    /// [`Refused`] when one is another campaign's.
    pub fn gather(
        self,
        pledges: &[&Pledge<pledge::Gathered>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        match self.gathering(pledges, through) {
            Ok(event) => self.take(event, at),
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }

    fn gathering(
        &self,
        pledges: &[&Pledge<pledge::Gathered>],
        through: Option<PledgeId>,
    ) -> Result<event::Gathered, Reason> {
        self.own(pledges.iter().map(|pledge| pledge.facts()))?;
        let amounts = pledges.iter().map(|pledge| pledge.facts().terms().offer.amount);
        let amount = Money::sum(amounts, self.held().currency())?;
        Ok(event::Gathered { pledges: count(pledges.len()), amount, through })
    }
}

impl<S: GivingBack> Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
{
    /// Gives pledges back, which take their money in the same unit. All before `through` were looked at.
    ///
    /// # Errors
    /// [`Refused`] when one is another campaign's, or nothing would be left: see
    /// [`give_rest_back`](Self::give_rest_back).
    pub fn give_back(
        self,
        pledges: &[&Pledge<pledge::Returned>],
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
    /// [`Refused`] when one is another campaign's, or something would be left: see [`give_back`](Self::give_back).
    pub fn give_rest_back(
        self,
        pledges: &[&Pledge<pledge::Returned>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        match self.own(pledges.iter().map(|pledge| pledge.facts())) {
            Ok(()) => self.take(event::RestGivenBack { pledges: Back::of(pledges), through }, at),
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }

    // Whichever of the two it is.
    pub(super) fn give(
        self,
        pledges: &[&Pledge<pledge::Returned>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        match Back::of(pledges).sum(self.held()) {
            Ok(sum) if sum == self.held() => self.give_rest_back(pledges, through, at),
            Ok(_) => self.give_back(pledges, through, at),
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }
}

impl<S> Campaign<S> {
    // Whether these pledges are the campaign's own, in its currency.
    fn own<'f>(&self, mut pledges: impl Iterator<Item = &'f pledge::Facts>) -> Result<(), Reason> {
        let (expected, currency) = (self.id().subject(), self.held().currency());
        pledges.try_for_each(|facts| {
            let (found, amount) = (facts.terms().about, facts.terms().offer.amount);
            amount.checked_sub(Money::zero(currency))?;
            if found == expected { Ok(()) } else { Err(Reason::WrongSubject { expected, found }) }
        })
    }
}

impl Campaign<Counting> {
    /// Everything is counted: `FUNDED` or `MISSED`.
    ///
    /// # Errors
    /// [`Refused`] when somebody asks: it happens by itself.
    pub fn decide(self, at: &Stamp) -> Result<Transition<AnyCampaign>, Refused<Self>> {
        self.take(event::Decided {}, at)
    }
}

impl Campaign<Funded> {
    /// The word that the money may go: the fee is booked and the payout is opened.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the owner or the platform asks.
    pub fn validate(self, at: &Stamp) -> Result<Transition<Campaign<PendingRelease>>, Refused<Self>> {
        match self.settlement(at) {
            Ok(event) => self.take(event, at),
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }
}

impl Campaign<PendingRelease> {
    /// The owner is paid: the payout was counted as confirmed.
    ///
    /// # Errors
    /// [`Refused`] while it is not.
    pub fn release(self, at: &Stamp) -> Result<Transition<Campaign<Released>>, Refused<Self>> {
        self.take(event::Released {}, at)
    }

    /// Takes to the campaign's knowledge what became of the payout.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, or was counted before.
    pub fn count(self, evidence: &Evidence<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        match Counted::by(evidence) {
            Ok(event) => self.take(event, at),
            Err(reason) => Err(Refused { value: self, reason }),
        }
    }
}

impl<S: Cancellable> Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
{
    /// Calls the campaign off. Every pledge goes back, batch by batch.
    ///
    /// # Errors
    /// [`Refused`] when a stranger asks, or the clock comes early.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<Campaign<Cancelled>>, Refused<Self>> {
        self.take(event::Cancelled {}, at)
    }
}

impl<S: Payable> Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
{
    /// Says where the owner is paid.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the owner or the platform asks.
    pub fn set_payout(self, to: Destination, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::PayoutSet { to }, at)
    }
}

/// A status that ends once every pledge has gone back.
pub trait Finishing: GivingBack {}
impl Finishing for super::Missed {}
impl Finishing for Cancelled {}

impl<S: Finishing> Campaign<S>
where
    Self: Value<Any = AnyCampaign>,
{
    /// Every pledge has gone back.
    ///
    /// # Errors
    /// [`Refused`] while the campaign holds money of one.
    pub fn finish(self, at: &Stamp) -> Result<Transition<Campaign<Returned>>, Refused<Self>> {
        self.take(event::Finished {}, at)
    }
}

// At most a thousand in a batch.
fn count(pledges: usize) -> u32 {
    u32::try_from(pledges).unwrap_or(u32::MAX)
}
