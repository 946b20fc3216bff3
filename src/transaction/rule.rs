//! What the table cannot say: the conditions of an action that depend on a transaction's own facts.

use super::{
    Action, AnyTransaction, Closed, ComplaintPeriodEnded, ComplaintSubmitted, PaymentAccepted, Transaction, event,
    state::Running,
};
use crate::{
    deal::Leaving,
    lifecycle::{Reason, only, wrong_status},
    party::Stamp,
};

impl AnyTransaction {
    // Everything but the data of the command, which only the step sees. The table has been asked before.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match action {
            Action::OpenPayin => self.facts().till.is_free(),
            Action::Pay | Action::DropPayin => self.facts().till.expected().map(drop),
            Action::ExtendTracking => {
                only::<Transaction<PaymentAccepted>, event::TrackingExtended>(self)?.in_time(action.name(), at)
            }
            Action::Complain => self.in_period(at),
            Action::Award => only::<Transaction<ComplaintSubmitted>, event::Awarded>(self)?.may_decide(),
            Action::SettleComplaint => {
                only::<Transaction<ComplaintSubmitted>, event::ComplaintSettled>(self)?.settled(true)
            }
            Action::Refund => self.may_refund(),
            Action::Release => {
                only::<Transaction<ComplaintPeriodEnded>, event::FundsReleased>(self)?.state.must_have_arrived()
            }
            Action::Count => self.leaving().map(drop).ok_or(Reason::Missing { what: "a payment that this opened" }),
            Action::ChargeBack | Action::ChargeBackAll if self.held().is_zero() => {
                Err(Reason::Missing { what: "money in escrow" })
            }
            Action::Regain => self.facts().aftermath.awaits(),
            Action::Close => only::<Transaction<ComplaintSubmitted>, Closed>(self)?.may_close(),
            Action::Join
            | Action::Cancel
            | Action::AcceptPayment
            | Action::Track
            | Action::Deliver
            | Action::ConfirmHandover
            | Action::EndComplaintPeriod
            | Action::SetPayout
            | Action::ChargeBack
            | Action::ChargeBackAll
            | Action::NoteAfter => Ok(()),
        }
    }

    fn in_period(&self, at: &Stamp) -> Result<(), Reason> {
        let period = match self {
            Self::Delivered(deal) => deal.state.period(),
            Self::BuyerHandoverConfirmed(deal) => deal.state.period(),
            Self::SellerHandoverConfirmed(deal) => deal.state.period(),
            Self::Created(_)
            | Self::Joined(_)
            | Self::Paid(_)
            | Self::PaymentAccepted(_)
            | Self::Tracked(_)
            | Self::ComplaintSubmitted(_)
            | Self::ComplaintPeriodEnded(_)
            | Self::Cancelled(_)
            | Self::Refunded(_)
            | Self::FundsReleased(_) => return Err(wrong_status(self, Action::Complain as usize)),
        };
        period.open(Action::Complain.name(), at)
    }

    fn may_refund(&self) -> Result<(), Reason> {
        match self {
            Self::ComplaintSubmitted(deal) => deal.settled(false),
            Self::Cancelled(deal) => deal.state.must_have_arrived(),
            Self::Created(_)
            | Self::Joined(_)
            | Self::Paid(_)
            | Self::PaymentAccepted(_)
            | Self::Tracked(_)
            | Self::Delivered(_)
            | Self::BuyerHandoverConfirmed(_)
            | Self::SellerHandoverConfirmed(_)
            | Self::ComplaintPeriodEnded(_)
            | Self::Refunded(_)
            | Self::FundsReleased(_) => Err(wrong_status(self, Action::Refund as usize)),
        }
    }
}
