//! What happens to the money of a face-to-face deal behind its back.

use super::{
    AnyFaceToFace, BuyerHandoverConfirmed, CancelledWithDeposit, Complained, ComplaintPeriodEnded, DepositAccepted,
    DepositPaid, DepositRefunded, FaceToFace, FundsReleased, Priced, RemainderPaid, RemainderSkipped,
    SellerHandoverConfirmed,
};
use crate::{
    lifecycle::{Effects, Reason, Refused, Takes, Transition},
    money::Money,
    party::{PartyId, Stamp},
    payment::{Closed, Outgoing, Stake, notes_after, stops_when_charged_back},
    text::Prose,
};

notes_after!(FaceToFace, AnyFaceToFace: CancelledWithDeposit, DepositRefunded, Complained, ComplaintPeriodEnded, FundsReleased);
stops_when_charged_back!(
    FaceToFace, AnyFaceToFace: Complained;
    |facts, payin, amount| facts.till.lose(payin, amount), facts.till.regain(payin, amount)
);

impl Exposed for Complained {
    fn stop(self, _: &Prose) -> Complained {
        self
    }
}

macro_rules! exposed {
    ($($status:ident),+) => { $(
        impl Exposed for $status {
            fn stop(self, reason: &Prose) -> Complained {
                Complained { what: Some(reason.clone()), awarded: None }
            }
        }
    )+ };
}

exposed!(
    DepositPaid,
    DepositAccepted,
    Priced,
    RemainderPaid,
    RemainderSkipped,
    BuyerHandoverConfirmed,
    SellerHandoverConfirmed
);

impl FaceToFace<Complained> {
    /// Ends a deal that has nothing left, because all that it held was charged back for good.
    ///
    /// # Errors
    /// [`Refused`] while something is left or not decided, or after an award.
    pub fn close(self, at: &Stamp) -> Result<Transition<FaceToFace<FundsReleased>>, Refused<Self>> {
        self.take(Closed {}, at)
    }

    // What is not there, or may not stay, cannot be awarded.
    pub(super) fn may_decide(&self) -> Result<(), Reason> {
        self.may_award()?;
        self.facts().aftermath.decided()?;
        if self.held().is_positive() { Ok(()) } else { Err(Reason::Missing { what: "money in escrow: close it" }) }
    }

    pub(super) fn may_close(&self) -> Result<(), Reason> {
        self.may_award()?;
        self.facts().aftermath.nothing_left(self.held())
    }
}

impl Takes<Closed> for FaceToFace<Complained> {
    type Next = FaceToFace<FundsReleased>;
    fn check(&self, _: &Closed, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_close()
    }
    fn make(self, _: Closed, _: &Stamp) -> FaceToFace<FundsReleased> {
        self.enter(FundsReleased { outgoing: Outgoing::default() })
    }
}

impl AnyFaceToFace {
    pub(super) fn at_stake(&self) -> Stake {
        let facts = self.facts();
        let platform = facts.terms.platform.clone();
        let paid: Vec<(PartyId, Money)> = match self.gone() {
            Some(outgoing) => facts.till.paid_to(outgoing, &platform, None),
            None => Vec::new(),
        };
        Stake { held: self.held(), paid: facts.aftermath.left(paid), platform }
    }

    // The payments by which its money left.
    fn gone(&self) -> Option<&Outgoing> {
        match self {
            Self::CancelledWithDeposit(deal) => Some(&deal.state.refund),
            Self::DepositRefunded(deal) => Some(&deal.state.refund),
            Self::Complained(deal) => deal.state.awarded.as_ref().map(|awarded| &awarded.outgoing),
            Self::ComplaintPeriodEnded(deal) => Some(&deal.state.payouts),
            Self::FundsReleased(deal) => Some(&deal.state.outgoing),
            Self::Created(_)
            | Self::Joined(_)
            | Self::Rejected(_)
            | Self::DepositPaid(_)
            | Self::Cancelled(_)
            | Self::DepositAccepted(_)
            | Self::Priced(_)
            | Self::RemainderPaid(_)
            | Self::RemainderSkipped(_)
            | Self::BuyerHandoverConfirmed(_)
            | Self::SellerHandoverConfirmed(_) => None,
        }
    }
}
