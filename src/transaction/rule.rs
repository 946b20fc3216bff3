//! What the table cannot say: the conditions of an action that depend on a transaction's own facts.

use super::{Action, AnyTransaction, state::Running};
use crate::{deal::Leaving, lifecycle::Reason, party::Stamp};

impl AnyTransaction {
    // Everything but the data of the command, which only the step sees. The table has been asked before.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match action {
            Action::OpenPayin => self.facts().till.is_free(),
            Action::Pay | Action::DropPayin => self.facts().till.expected().map(drop),
            Action::ExtendTracking => {
                if let Self::PaymentAccepted(deal) = self {
                    deal.in_time(action.name(), at)
                } else {
                    Ok(())
                }
            }
            Action::Complain => match self {
                Self::Delivered(deal) => deal.state.period().open(action.name(), at),
                Self::BuyerHandoverConfirmed(deal) => deal.state.period().open(action.name(), at),
                Self::SellerHandoverConfirmed(deal) => deal.state.period().open(action.name(), at),
                other => Err(other.beside(action)),
            },
            Action::Award => {
                if let Self::ComplaintSubmitted(deal) = self {
                    deal.may_decide()
                } else {
                    Ok(())
                }
            }
            Action::SettleComplaint => {
                if let Self::ComplaintSubmitted(deal) = self {
                    deal.settled(true)
                } else {
                    Ok(())
                }
            }
            Action::Refund => match self {
                Self::ComplaintSubmitted(deal) => deal.settled(false),
                Self::Cancelled(deal) => deal.state.must_have_arrived(),
                other => Err(other.beside(action)),
            },
            Action::Release => {
                if let Self::ComplaintPeriodEnded(deal) = self {
                    deal.state.must_have_arrived()
                } else {
                    Ok(())
                }
            }
            Action::Count => match self {
                Self::ComplaintSubmitted(deal) => deal.state.must_leave().map(drop),
                Self::Cancelled(deal) => deal.state.must_leave().map(drop),
                Self::ComplaintPeriodEnded(deal) => deal.state.must_leave().map(drop),
                other => Err(other.beside(action)),
            },
            Action::ChargeBack | Action::ChargeBackAll if self.held().is_zero() => {
                Err(Reason::Missing { what: "money in escrow" })
            }
            Action::Regain => self.facts().aftermath.awaits(),
            Action::Close => {
                if let Self::ComplaintSubmitted(deal) = self {
                    deal.may_close()
                } else {
                    Ok(())
                }
            }
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

    fn beside(&self, action: Action) -> Reason {
        Reason::WrongStatus { action: action.name(), status: self.status().name() }
    }
}
