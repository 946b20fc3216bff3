//! What can be pledged to.

use super::{Gathered, Offer, Pledge, PledgeId, Returned, Terms};
use crate::{
    lifecycle::{Reason, Refused, Transition},
    party::Stamp,
    payment::{Agreement, Learned},
};

/// A lifecycle that gathers pledges in its own escrow account: a campaign, a loan, or one of the host's own, registered by
/// [`Escrow::with_pool`](crate::escrow::Escrow::with_pool).
///
/// It counts pledges in batches and never holds them all: whoever has fifty thousand of them would otherwise read them
/// all to do anything. Which pledges are its own is asked of the index.
pub trait Pool: Agreement {
    /// The terms on which it takes a pledge now.
    ///
    /// # Errors
    /// [`Reason`] when it takes none any more, or not this one.
    fn invite(&self, offer: Offer, at: &Stamp) -> Result<Terms, Reason>;

    /// What has to happen to its pledges now.
    fn stage(&self) -> Stage;

    /// How many pledges one step may take: what is written in one unit.
    fn batch(&self) -> usize;

    /// Takes the money of pledges, which hand it over in the same unit. All pledges before `through` were looked at.
    ///
    /// # Errors
    /// [`Refused`] when it takes none any more, or one is another's.
    fn gather(
        self,
        pledges: &[&Pledge<Gathered>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>>;

    /// Gives the money of pledges back to them, which take it in the same unit. All pledges before `through` were looked
    /// at.
    ///
    /// # Errors
    /// [`Refused`] when it keeps what it has, or one is another's.
    fn give_back(
        self,
        pledges: &[&Pledge<Returned>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>>;

    /// Every pledge was looked at, and none is left to be gathered or given back.
    ///
    /// # Errors
    /// [`Refused`] when something is left all the same.
    fn end_stage(self, at: &Stamp) -> Result<Learned<Self>, Refused<Self>>;
}

/// What has to happen to a pool's pledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// New ones are taken; paid ones are gathered when they are due.
    Open,
    /// No new ones are taken. Those that were paid are gathered, those that were not are called off.
    Counting {
        /// All up to this one were looked at.
        after: Option<PledgeId>,
    },
    /// All of them go back.
    Returning {
        /// All up to this one were looked at.
        after: Option<PledgeId>,
    },
    /// Nothing. Money that still comes goes back.
    Closed,
}
