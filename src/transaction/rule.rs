//! What the table cannot say: the conditions of an action that depend on a transaction's own facts.

use super::{Action, AnyTransaction, state::Running};
use crate::{deal::Leaving, lifecycle::Reason, party::Stamp};

impl AnyTransaction {
    // Everything but the data of the command, which only the step sees.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match (self, action) {
            (Self::Joined(_), Action::OpenPayin) => self.facts().till.is_free(),
            (Self::Joined(_), Action::Pay | Action::DropPayin) => self.facts().till.expected().map(drop),
            (Self::PaymentAccepted(deal), Action::ExtendTracking) => deal.in_time(action.name(), at),
            (Self::Delivered(deal), Action::Complain) => deal.state.period().open(action.name(), at),
            (Self::BuyerHandoverConfirmed(deal), Action::Complain) => deal.state.period().open(action.name(), at),
            (Self::SellerHandoverConfirmed(deal), Action::Complain) => deal.state.period().open(action.name(), at),
            (Self::ComplaintSubmitted(deal), Action::Award) => deal.may_award(),
            (Self::ComplaintSubmitted(deal), Action::SettleComplaint) => deal.settled(true),
            (Self::ComplaintSubmitted(deal), Action::Refund) => deal.settled(false),
            (Self::ComplaintSubmitted(deal), Action::Count) => deal.state.must_leave().map(drop),
            (Self::Cancelled(deal), Action::Count) => deal.state.must_leave().map(drop),
            (Self::Cancelled(deal), Action::Refund) => deal.state.must_have_arrived(),
            (Self::ComplaintPeriodEnded(deal), Action::Release) => deal.state.must_have_arrived(),
            (_, _) => Ok(()),
        }
    }
}
