//! What happens to the money of a transaction behind its back.

use super::{
    AnyTransaction, BuyerHandoverConfirmed, Cancelled, Category, Complaint, ComplaintPeriodEnded, ComplaintSubmitted,
    Delivered, FundsReleased, Paid, PaymentAccepted, Refunded, SellerHandoverConfirmed, Tracked, Transaction,
};
use crate::{
    lifecycle::{Effects, Reason, Refused, Takes, Transition},
    money::Money,
    party::{PartyId, Stamp},
    payment::{Closed, Outgoing, Stake, notes_after, stops_when_charged_back},
    text::Prose,
};

notes_after!(Transaction, AnyTransaction: ComplaintSubmitted, ComplaintPeriodEnded, Cancelled, Refunded, FundsReleased);
stops_when_charged_back!(
    Transaction, AnyTransaction: ComplaintSubmitted;
    |facts, payin, amount| facts.till.lose(payin, amount), facts.till.regain(payin, amount)
);

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

impl Transaction<ComplaintSubmitted> {
    /// Ends a deal that has nothing left, because all that it held was charged back for good.
    ///
    /// # Errors
    /// [`Refused`] while something is left or not decided, or after an award.
    pub fn close(self, at: &Stamp) -> Result<Transition<Transaction<Refunded>>, Refused<Self>> {
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

impl Takes<Closed> for Transaction<ComplaintSubmitted> {
    type Next = Transaction<Refunded>;
    fn check(&self, _: &Closed, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_close()
    }
    fn make(self, _: Closed, _: &Stamp) -> Transaction<Refunded> {
        self.enter(Refunded { outgoing: Outgoing::default() })
    }
}

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
