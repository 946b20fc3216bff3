//! What the table cannot say: the conditions of an action that depend on an order's own facts.

use super::{Action, AnyOrder};
use crate::{lifecycle::Reason, party::Stamp};

impl AnyOrder {
    // Everything but the data of the command, which only the step sees.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        self.comes_by_its_movement(action)?;
        match action {
            Action::Cancel => self.may_cancel(at),
            Action::Retry => {
                if let Self::Failure(order) = self {
                    order.facts().attempts_left()
                } else {
                    Ok(())
                }
            }
            Action::Pay => {
                if let Self::PendingPublish(order) = self {
                    order.may_pay()
                } else {
                    Ok(())
                }
            }
            Action::Unblock => {
                if let Self::BlockedRelease(order) = self {
                    order.may_go_on()
                } else {
                    Ok(())
                }
            }
            Action::Publish | Action::Fail | Action::DropPayin => {
                if let Self::PendingPublish(order) = self {
                    order.underway().map(drop)
                } else {
                    Ok(())
                }
            }
            Action::CountPayout | Action::TakeBackPayout => {
                if let Self::BlockedRelease(order) = self {
                    order.some_out()
                } else {
                    Ok(())
                }
            }
            Action::RefundPart => self.may_refund_part(),
            Action::TakeBackRefund if self.facts().refunded().is_zero() => {
                Err(Reason::Missing { what: "a refund that was opened by hand" })
            }
            Action::ChargeBack | Action::ChargeBackAll if self.held().is_zero() => {
                Err(Reason::Missing { what: "money in escrow" })
            }
            Action::Regain => self.facts().aftermath.awaits(),
            Action::Close => {
                if let Self::BlockedRelease(order) = self {
                    order.may_close()
                } else {
                    Ok(())
                }
            }
            // Without a word of the seller's, the plan of its terms is what it accepts with. Less may be left than the fee.
            Action::Accept => {
                if let Self::Published(order) = self
                    && order.facts().terms().payout.is_some()
                {
                    order.net().map(drop)
                } else {
                    Ok(())
                }
            }
            Action::SetPayout => {
                if let Self::Accepted(order) = self {
                    order.net().map(drop)
                } else {
                    Ok(())
                }
            }
            Action::Validate => {
                if let Self::PendingValidate(order) = self {
                    order.settlement(at).map(drop)
                } else {
                    Ok(())
                }
            }
            Action::Settle => {
                if let Self::Published(order) = self {
                    order.part_settlement(at).map(drop)
                } else {
                    Ok(())
                }
            }
            Action::IdentifyBuyer
            | Action::Reject
            | Action::Undo
            | Action::Release
            | Action::Block
            | Action::TakeBackRefund
            | Action::Amend
            | Action::ChargeBack
            | Action::ChargeBackAll
            | Action::NoteAfter => Ok(()),
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
            Self::BlockedRelease(order) => order.may_cancel(at),
            Self::Cancelled(_) | Self::Rejected(_) | Self::PendingRelease(_) | Self::Released(_) => Ok(()),
        }
    }

    fn may_refund_part(&self) -> Result<(), Reason> {
        match self {
            Self::Published(order) => order.may_refund_part(),
            Self::Accepted(order) => order.may_refund_part(),
            Self::PendingValidate(order) => order.may_refund_part(),
            Self::Draft(_)
            | Self::PendingPublish(_)
            | Self::Failure(_)
            | Self::Cancelled(_)
            | Self::Rejected(_)
            | Self::PendingRelease(_)
            | Self::BlockedRelease(_)
            | Self::Released(_) => Ok(()),
        }
    }
}
