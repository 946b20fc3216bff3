//! What happens to the money of a transaction behind its back.

use super::{
    AnyTransaction, BuyerHandoverConfirmed, Cancelled, Category, Complaint, ComplaintPeriodEnded, ComplaintSubmitted,
    Delivered, FundsReleased, Paid, PaymentAccepted, Refunded, SellerHandoverConfirmed, Tracked, Transaction, event,
};
use crate::{
    deal::decided_by_award,
    money::Money,
    party::PartyId,
    payment::{Outgoing, Stake, notes_after, stops_when_charged_back},
    text::Prose,
};

notes_after!(Transaction, AnyTransaction: ComplaintSubmitted, ComplaintPeriodEnded, Cancelled, Refunded, FundsReleased);
stops_when_charged_back!(
    Transaction, AnyTransaction: ComplaintSubmitted;
    |facts, payin, amount| facts.till.lose(payin, amount), facts.till.regain(payin, amount);
    Refunded; |stopped| stopped.enter(Refunded { outgoing: Outgoing::default() })
);
decided_by_award!(Transaction: ComplaintSubmitted; |facts| &facts.sides);

impl Exposed for ComplaintSubmitted {
    fn stop(self, _: &Prose) -> ComplaintSubmitted {
        self
    }
}

macro_rules! exposed {
    ($($status:ident),+) => { $(
        impl Exposed for $status {
            fn stop(self, reason: &Prose) -> ComplaintSubmitted {
                let complaint = Complaint { category: Category::Other, description: reason.clone() };
                ComplaintSubmitted { complaint, awarded: None }
            }
        }
    )+ };
}

exposed!(Paid, PaymentAccepted, Tracked, Delivered, BuyerHandoverConfirmed, SellerHandoverConfirmed);

impl AnyTransaction {
    pub(super) fn at_stake(&self) -> Stake {
        let facts = self.facts();
        let platform = facts.terms.platform.as_ref().unwrap_or(&facts.terms.client_id).clone();
        let paid: Vec<(PartyId, Money)> = match self.gone() {
            Some(outgoing) => {
                let client = facts.terms.pricing.for_client().ok().map(|fee| (&facts.terms.client_id, fee));
                facts.till.paid_to(outgoing, &platform, client)
            }
            None => Vec::new(),
        };
        Stake { held: self.held(), paid: facts.aftermath.left(paid), platform }
    }

    // The payments by which its money left.
    fn gone(&self) -> Option<&Outgoing> {
        match self {
            Self::Cancelled(deal) => deal.state.refund.as_ref(),
            Self::Refunded(deal) => Some(&deal.state.outgoing),
            Self::ComplaintSubmitted(deal) => deal.state.awarded.as_ref().map(|awarded| &awarded.outgoing),
            Self::ComplaintPeriodEnded(deal) => Some(&deal.state.payouts),
            Self::FundsReleased(deal) => Some(&deal.state.outgoing),
            Self::Created(_)
            | Self::Joined(_)
            | Self::Paid(_)
            | Self::PaymentAccepted(_)
            | Self::Tracked(_)
            | Self::Delivered(_)
            | Self::BuyerHandoverConfirmed(_)
            | Self::SellerHandoverConfirmed(_) => None,
        }
    }
}
