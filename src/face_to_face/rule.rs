//! What the table cannot say: the conditions of an action that depend on a deal's own facts.

use super::{
    Action, AnyFaceToFace, CancelledWithDeposit, Closed, Complained, Created, DepositPaid, FaceToFace,
    SellerHandoverConfirmed, event, step::may_escalate,
};
use crate::{
    deal::Leaving,
    lifecycle::{Reason, only, wrong_status},
    party::Stamp,
};

impl AnyFaceToFace {
    // Everything but the data of the command, which only the step sees. The table has been asked before.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match action {
            Action::Join => only::<FaceToFace<Created>, event::Joined>(self)?.may_try(action.name(), at),
            Action::Reject => only::<FaceToFace<Created>, event::Rejected>(self)?.may_try(action.name(), at),
            Action::Miss => only::<FaceToFace<Created>, event::Missed>(self)?.may_try(action.name(), at),
            Action::Pay | Action::SkipRemainder => self.facts().till.is_free(),
            Action::PayDeposit | Action::PayRemainder | Action::DropPayin => self.facts().till.expected().map(drop),
            Action::AcceptDeposit => only::<FaceToFace<DepositPaid>, event::DepositAccepted>(self)?.reviewed(),
            Action::Escalate => may_escalate(self.deadline(), at),
            Action::Complain | Action::Extend => self.in_period(action, at),
            Action::Waive => {
                let deal = only::<FaceToFace<SellerHandoverConfirmed>, event::Waived>(self)?;
                deal.state.period.open(action.name(), at)
            }
            Action::Release => self.may_release(at),
            Action::RefundDeposit => {
                let deal = only::<FaceToFace<CancelledWithDeposit>, event::DepositRefunded>(self)?;
                deal.state.must_have_arrived()
            }
            Action::Award => only::<FaceToFace<Complained>, event::Awarded>(self)?.may_decide(),
            Action::SettleComplaint => {
                only::<FaceToFace<Complained>, event::ComplaintSettled>(self)?.state.must_have_arrived()
            }
            Action::Close => only::<FaceToFace<Complained>, Closed>(self)?.may_close(),
            Action::Count => self.leaving().map(drop).ok_or(Reason::Missing { what: "a payment that this opened" }),
            Action::ChargeBack | Action::ChargeBackAll if self.held().is_zero() => {
                Err(Reason::Missing { what: "money in escrow" })
            }
            Action::Regain => self.facts().aftermath.awaits(),
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
            Self::Created(_)
            | Self::Joined(_)
            | Self::Rejected(_)
            | Self::DepositPaid(_)
            | Self::Cancelled(_)
            | Self::DepositAccepted(_)
            | Self::Priced(_)
            | Self::CancelledWithDeposit(_)
            | Self::DepositRefunded(_)
            | Self::Complained(_)
            | Self::ComplaintPeriodEnded(_)
            | Self::FundsReleased(_) => Err(wrong_status(self, action as usize)),
        }
    }

    fn may_release(&self, at: &Stamp) -> Result<(), Reason> {
        match self {
            Self::SellerHandoverConfirmed(deal) => deal.may_release(at),
            Self::ComplaintPeriodEnded(deal) => deal.state.must_have_arrived(),
            Self::Created(_)
            | Self::Joined(_)
            | Self::Rejected(_)
            | Self::DepositPaid(_)
            | Self::Cancelled(_)
            | Self::DepositAccepted(_)
            | Self::Priced(_)
            | Self::RemainderPaid(_)
            | Self::RemainderSkipped(_)
            | Self::CancelledWithDeposit(_)
            | Self::DepositRefunded(_)
            | Self::BuyerHandoverConfirmed(_)
            | Self::Complained(_)
            | Self::FundsReleased(_) => Err(wrong_status(self, Action::Release as usize)),
        }
    }
}
