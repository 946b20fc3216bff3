//! What the table cannot say: the conditions of an action that depend on a deal's own facts.

use super::{Action, AnyFaceToFace};
use crate::{deal::Leaving, lifecycle::Reason, party::Stamp};

impl AnyFaceToFace {
    // Everything but the data of the command, which only the step sees.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match (self, action) {
            (Self::Created(deal), Action::Join | Action::Reject | Action::Miss) => deal.may_try(action.name(), at),
            (Self::Joined(_) | Self::Priced(_), Action::Pay | Action::SkipRemainder) => self.facts().till.is_free(),
            (Self::Joined(_) | Self::Priced(_), Action::PayDeposit | Action::PayRemainder | Action::DropPayin) => {
                self.facts().till.expected().map(drop)
            }
            (Self::DepositPaid(deal), Action::AcceptDeposit) => deal.reviewed(),
            (Self::RemainderPaid(deal), Action::Escalate) => deal.may_escalate(at),
            (Self::RemainderSkipped(deal), Action::Escalate) => deal.may_escalate(at),
            (Self::BuyerHandoverConfirmed(deal), Action::Complain | Action::Extend) => {
                deal.state.period.open(action.name(), at)
            }
            (Self::SellerHandoverConfirmed(deal), Action::Complain | Action::Extend | Action::Waive) => {
                deal.state.period.open(action.name(), at)
            }
            (Self::SellerHandoverConfirmed(deal), Action::Release) => deal.may_release(at),
            (Self::CancelledWithDeposit(deal), Action::RefundDeposit) => deal.state.must_have_arrived(),
            (Self::ComplaintPeriodEnded(deal), Action::Release) => deal.state.must_have_arrived(),
            (Self::Complained(deal), Action::Award) => deal.may_award(),
            (Self::Complained(deal), Action::SettleComplaint) => deal.state.must_have_arrived(),
            (Self::Complained(deal), Action::Count) => deal.state.must_leave().map(drop),
            (_, _) => Ok(()),
        }
    }
}
