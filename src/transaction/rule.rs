//! What the table cannot say: the conditions of an action that depend on a transaction's own facts.

use super::{
    Action, AnyTransaction,
    state::{Leaving, Running},
};
use crate::{lifecycle::Reason, party::Stamp, payment::Outgoing};

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
            (Self::ComplaintSubmitted(deal), Action::Count) => opened(deal.state.leaving()),
            (Self::Cancelled(deal), Action::Count) => opened(deal.state.leaving()),
            (Self::Cancelled(deal), Action::Refund) => confirmed(deal.state.leaving()),
            (Self::ComplaintPeriodEnded(deal), Action::Release) => confirmed(deal.state.leaving()),
            (_, _) => Ok(()),
        }
    }
}

fn opened(outgoing: Option<&Outgoing>) -> Result<(), Reason> {
    outgoing.map_or(Err(Reason::Missing { what: "a payment that this opened" }), |_| Ok(()))
}

fn confirmed(outgoing: Option<&Outgoing>) -> Result<(), Reason> {
    if outgoing.is_some_and(Outgoing::all_confirmed) {
        Ok(())
    } else {
        Err(Reason::Missing { what: "the confirmation of every payment" })
    }
}
