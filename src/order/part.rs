//! An order that is part of a movement.

use super::{AnyOrder, Facts, Order, state::Undoable};
use crate::{
    id::Subject,
    lifecycle::{Effects, Reason},
    party::{Actor, Stamp},
    payment::{Destination, Outgoing, Paid, RefundId},
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
                Err(Reason::NotThisWay { instead: "a movement opens its orders by itself: see `Escrow::move_money`" })
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

impl<S: Undoable> Order<S> {
    // What goes back of what was paid when its movement is undone at this time, and the first refund of it. Its payer owes
    // what was charged back, and has that by way of its bank: so there may be two. Computed anew in replay and compared.
    pub(super) fn undoing(&self, at: &Stamp) -> Result<(Option<RefundId>, Outgoing), Reason> {
        let Some(paid) = self.state.paid() else { return Ok((None, Outgoing::default())) };
        let payer = self.facts().terms.buyer.as_ref().ok_or(Reason::Missing { what: "the buyer" })?;
        let parts = Paid::back_after(std::slice::from_ref(paid), payer, self.held(), &self.facts().aftermath);
        let refunds = Outgoing::plan(self.id().subject(), self.head.seq() + 1, at.at, parts);
        Ok((refunds.legs().first().and_then(|leg| leg.payment.try_into().ok()), refunds))
    }

    pub(super) fn goes_back(&self, refund: Option<RefundId>, step: &mut Effects<'_>) -> Result<(), Reason> {
        let (first, refunds) = self.undoing(step.stamp())?;
        if refund != first {
            return Err(Reason::Unlike { what: "what goes back to the payer" });
        }
        refunds.open(&self.facts().terms.gateway, step)
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
