//! What the table cannot say: the conditions of an action that depend on a deal's own facts.

use super::{Action, AnyFaceToFace};
use crate::{deal::Leaving, lifecycle::Reason, party::Stamp};

impl AnyFaceToFace {
    // Everything but the data of the command, which only the step sees. The table has been asked before.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match action {
            Action::Join | Action::Reject | Action::Miss => {
                if let Self::Created(deal) = self {
                    deal.may_try(action.name(), at)
                } else {
                    Ok(())
                }
            }
            Action::Pay => self.facts().till.is_free(),
            Action::SkipRemainder => {
                if let Self::Priced(deal) = self {
                    deal.may_skip()
                } else {
                    Ok(())
                }
            }
            Action::PayDeposit | Action::PayRemainder | Action::DropPayin => self.facts().till.expected().map(drop),
            Action::AcceptDeposit => {
                if let Self::DepositPaid(deal) = self {
                    deal.reviewed()
                } else {
                    Ok(())
                }
            }
            Action::Escalate => match self {
                Self::RemainderPaid(deal) => deal.may_escalate(at),
                Self::RemainderSkipped(deal) => deal.may_escalate(at),
                other => Err(other.beside(action)),
            },
            Action::Complain | Action::Extend | Action::Waive => self.in_period(action, at),
            Action::Release => match self {
                Self::SellerHandoverConfirmed(deal) => deal.may_release(at),
                Self::ComplaintPeriodEnded(deal) => deal.state.must_have_arrived(),
                other => Err(other.beside(action)),
            },
            Action::RefundDeposit => {
                if let Self::CancelledWithDeposit(deal) = self {
                    deal.state.must_have_arrived()
                } else {
                    Ok(())
                }
            }
            Action::Award => {
                if let Self::Complained(deal) = self {
                    deal.may_decide()
                } else {
                    Ok(())
                }
            }
            Action::SettleComplaint => {
                if let Self::Complained(deal) = self {
                    deal.state.must_have_arrived()
                } else {
                    Ok(())
                }
            }
            Action::Count => {
                if let Self::Complained(deal) = self {
                    deal.state.must_leave().map(drop)
                } else {
                    Ok(())
                }
            }
            Action::ChargeBack | Action::ChargeBackAll if self.held().is_zero() => {
                Err(Reason::Missing { what: "money in escrow" })
            }
            Action::Regain => self.facts().aftermath.awaits(),
            Action::Close => {
                if let Self::Complained(deal) = self {
                    deal.may_close()
                } else {
                    Ok(())
                }
            }
            Action::Cancel
            | Action::SetPrice
            | Action::ConfirmHandover
            | Action::EndComplaintPeriod
            | Action::Review
            | Action::SetPayout
            | Action::ChargeBack
            | Action::ChargeBackAll
            | Action::NoteAfter => Ok(()),
        }
    }

    // Where no complaint period runs yet, there is none to be in time for.
    fn in_period(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match self {
            Self::BuyerHandoverConfirmed(deal) => deal.state.period.open(action.name(), at),
            Self::SellerHandoverConfirmed(deal) => deal.state.period.open(action.name(), at),
            Self::RemainderPaid(_) | Self::RemainderSkipped(_) => Ok(()),
            other => Err(other.beside(action)),
        }
    }

    fn beside(&self, action: Action) -> Reason {
        Reason::WrongStatus { action: action.name(), status: self.status().name() }
    }
}
