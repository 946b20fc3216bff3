//! What the table cannot say: the conditions of an action that depend on an order's own facts.

use super::{Action, AnyOrder};
use crate::{lifecycle::Reason, party::Stamp};

impl AnyOrder {
    // Everything but the data of the command, which only the step sees.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match action {
            Action::Cancel => self.may_cancel(at),
            Action::Retry => match self {
                Self::Failure(order) => order.facts().attempts_left(),
                _ => Ok(()),
            },
            Action::Pay => match self {
                Self::PendingPublish(order) => order.may_pay(),
                _ => Ok(()),
            },
            Action::Unblock => match self {
                Self::BlockedRelease(order) => order.may_go_on(),
                _ => Ok(()),
            },
            Action::IdentifyBuyer
            | Action::Publish
            | Action::Fail
            | Action::Accept
            | Action::Reject
            | Action::SetPayout
            | Action::Validate
            | Action::Release
            | Action::Block
            | Action::DropPayin
            | Action::CountPayout
            | Action::TakeBackPayout
            | Action::RefundPart
            | Action::TakeBackRefund
            | Action::Amend => Ok(()),
        }
    }

    fn may_cancel(&self, at: &Stamp) -> Result<(), Reason> {
        match self {
            Self::Draft(order) => order.may_cancel(at),
            Self::PendingPublish(order) => order.may_cancel(at),
            Self::Failure(order) => order.may_cancel(at),
            Self::Published(order) => order.may_cancel(at),
            Self::Accepted(order) => order.may_cancel(at),
            Self::PendingValidate(order) => order.may_cancel(at),
            Self::BlockedRelease(order) => order.none_out().and_then(|()| order.may_cancel(at)),
            Self::Cancelled(_) | Self::Rejected(_) | Self::PendingRelease(_) | Self::Released(_) => Ok(()),
        }
    }
}
