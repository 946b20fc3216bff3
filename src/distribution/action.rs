//! What can be done with a distribution, status by status.

use super::{AnyDistribution, Batch, Distribution, DistributionId, Shared, Sharing, Terms, event};
use crate::{
    lifecycle::{Reason, Refused, Transition},
    party::Stamp,
    pledge::{Gathered, Pledge, PledgeId, Proceeds},
};

impl Distribution<Sharing> {
    /// Opens a distribution with money that what opens it gives in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when somebody asks: it happens by itself; when an amount is below zero, or more principal would come back
    /// than was lent.
    pub fn open(id: DistributionId, terms: Terms, at: &Stamp) -> Result<Transition<Self>, Refused<Terms>> {
        Self::opened(id, terms, at)
    }

    /// An empty batch that goes on where the last one ended.
    #[must_use]
    pub const fn next_batch(&self) -> Batch {
        Batch { parts: Vec::new(), runs: self.state.runs, through: self.state.through }
    }

    /// What the next pledge gets, which the batch notes. In the order of their ids, each once.
    ///
    /// # Errors
    /// [`Reason`] when the pledge is to something else, or had its turn.
    pub fn turn(&self, batch: &mut Batch, pledge: &Pledge<Gathered>) -> Result<Proceeds, Reason> {
        let (terms, facts) = (&self.facts().terms, pledge.facts());
        let (expected, found) = (terms.about, facts.terms().about);
        if expected != found {
            return Err(Reason::WrongSubject { expected, found });
        }
        if batch.through >= Some(pledge.id()) {
            return Err(Reason::Already { what: "the pledge's turn" });
        }
        let (pledged, had) = (facts.terms().offer.amount, facts.received());
        let [mut principal, mut interest] = batch.runs;
        let proceeds = Proceeds {
            principal: principal.part(&terms.principal, terms.lent, pledged, had.principal)?,
            interest: interest.part(&terms.interest, terms.lent, pledged, had.interest)?,
        };
        batch.runs = [principal, interest];
        batch.note(pledge.id(), &proceeds);
        Ok(proceeds)
    }

    /// Whether all would be shared out with this batch.
    #[must_use]
    pub fn is_last(&self, batch: &Batch) -> bool {
        let (now, [principal, interest]) = (self.facts().terms.now(), batch.runs);
        (principal.given(), interest.given()) == (now.principal.minor(), now.interest.minor())
    }

    /// A batch of lenders gets its parts, which their pledges take in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when somebody asks: it happens by itself; when it is not the next batch, or the last one.
    pub fn share(self, batch: Batch, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Shared(batch), at)
    }

    /// A batch of lenders gets nothing.
    ///
    /// # Errors
    /// [`Refused`] when somebody asks: it happens by itself; when one of them does get something.
    pub fn pass(self, batch: Batch, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Passed(batch), at)
    }

    /// The last batch gets all that is left.
    ///
    /// # Errors
    /// [`Refused`] when somebody asks: it happens by itself; when something would be left.
    pub fn finish(self, batch: Batch, at: &Stamp) -> Result<Transition<Distribution<Shared>>, Refused<Self>> {
        self.take(event::Finished(batch), at)
    }

    /// Whichever of the three it is.
    ///
    /// # Errors
    /// [`Refused`] as they are.
    pub fn go_on(self, batch: Batch, at: &Stamp) -> Result<Transition<AnyDistribution>, Refused<Self>> {
        if self.is_last(&batch) {
            self.finish(batch, at).map(Transition::widen)
        } else if batch.pledges() == 0 {
            self.pass(batch, at).map(Transition::widen)
        } else {
            self.share(batch, at).map(Transition::widen)
        }
    }
}

impl AnyDistribution {
    // The batch decides, which only the step sees.
    #[expect(clippy::unused_self, reason = "every lifecycle is asked like this")]
    #[expect(clippy::unnecessary_wraps, reason = "every lifecycle is asked like this")]
    pub(super) fn ready(&self, _: super::Action, _: &Stamp) -> Result<(), Reason> {
        Ok(())
    }

    /// Up to which pledge all lenders had their turn; `None` before the first, and once all of them have their part.
    #[must_use]
    pub fn through(&self) -> Option<PledgeId> {
        match self {
            Self::Sharing(distribution) => distribution.state.through,
            Self::Shared(_) => None,
        }
    }
}
