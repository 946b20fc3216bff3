//! What can be done with a campaign, status by status. How it is funded is in `raising`.

use super::{Campaign, CampaignId, Funded, Open, PendingRelease, Released, Terms, event};
use crate::{
    deal::Counted,
    lifecycle::{Refused, Transition},
    party::Stamp,
    payment::Evidence,
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
}

impl Campaign<Funded> {
    /// The word that the money may go: the fee is booked and the payout is opened.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the owner or the platform asks.
    pub fn validate(self, at: &Stamp) -> Result<Transition<Campaign<PendingRelease>>, Refused<Self>> {
        let event = self.settlement(at);
        self.take_if(event, at)
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
        let event = Counted::by(evidence);
        self.take_if(event, at)
    }
}
