//! An order that is part of a movement.

use super::{AnyOrder, Facts, Order};
use crate::{
    id::Subject,
    lifecycle::Reason,
    party::{Actor, Stamp},
    payment::Destination,
};
use serde::{Deserialize, Serialize};

/// What an order is part of: it was opened with it, and is settled or undone together with its other parts. Nobody acts on
/// such an order past its movement: who is to pay it does, and that is all that people do to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The movement.
    pub of: Subject,
    /// Which of its orders it is, from 0.
    pub nth: u32,
    /// Where the seller is paid.
    pub to: Destination,
}

impl Part {
    // It is opened by itself, with its movement.
    pub(super) fn may_open(at: &Stamp) -> Result<(), Reason> {
        match at.by {
            Actor::Gateway => Ok(()),
            Actor::Party(_) | Actor::Office { .. } | Actor::Clock => {
                Err(Reason::Missing { what: "the movement that opens it: see `Escrow::move_money`; it" })
            }
        }
    }
}

impl Facts {
    /// What it is part of; none for an order that stands alone.
    #[must_use]
    pub const fn part(&self) -> Option<&Part> {
        self.terms.part.as_ref()
    }

    // People act on a part by way of its movement.
    pub(super) fn stands_alone(&self) -> Result<(), Reason> {
        self.part().map_or(Ok(()), |part| Err(Reason::PartOf(part.of)))
    }

    pub(super) fn must_be_part(&self) -> Result<&Part, Reason> {
        self.part().ok_or(Reason::Missing { what: "a movement that the order is part of" })
    }
}

impl<S> Order<S> {
    pub(super) fn stands_alone(&self) -> Result<(), Reason> {
        self.facts().stands_alone()
    }
}

impl AnyOrder {
    // Whether who asks must, or must not, come by way of a movement.
    pub(super) fn comes_by_its_movement(&self, action: super::Action) -> Result<(), Reason> {
        use super::Action;
        match action {
            Action::Accept | Action::Reject | Action::Cancel | Action::RefundPart | Action::Amend => {
                self.facts().stands_alone()
            }
            Action::Block if !matches!(self, Self::PendingRelease(_)) => self.facts().stands_alone(),
            Action::Settle | Action::Undo => self.facts().must_be_part().map(drop),
            // A part is in no status for the others, or they are what its payments do.
            Action::IdentifyBuyer
            | Action::Publish
            | Action::Fail
            | Action::Retry
            | Action::SetPayout
            | Action::Validate
            | Action::Release
            | Action::Block
            | Action::Unblock
            | Action::Pay
            | Action::DropPayin
            | Action::CountPayout
            | Action::TakeBackPayout
            | Action::TakeBackRefund
            | Action::ChargeBack
            | Action::ChargeBackAll
            | Action::Regain
            | Action::Close
            | Action::NoteAfter => Ok(()),
        }
    }
}
