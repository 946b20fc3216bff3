//! What happens to the money of a face-to-face deal behind its back.

use super::{
    AnyFaceToFace, BuyerHandoverConfirmed, CancelledWithDeposit, Complained, ComplaintPeriodEnded, DepositAccepted,
    DepositPaid, DepositRefunded, FaceToFace, FundsReleased, Priced, RemainderPaid, RemainderSkipped,
    SellerHandoverConfirmed, event,
};
use crate::{
    deal::decided_by_award,
    money::Money,
    party::PartyId,
    payment::{Outgoing, Stake, notes_after, stops_when_charged_back},
    text::Prose,
};

notes_after!(FaceToFace, AnyFaceToFace: CancelledWithDeposit, DepositRefunded, Complained, ComplaintPeriodEnded, FundsReleased);
stops_when_charged_back!(
    FaceToFace, AnyFaceToFace: Complained;
    |facts, payin, amount| facts.till.lose(payin, amount), facts.till.regain(payin, amount);
    FundsReleased; |stopped| stopped.enter(FundsReleased { outgoing: Outgoing::default() })
);
decided_by_award!(FaceToFace: Complained; |facts| &facts.terms.sides);

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
