//! What the table cannot say: the conditions of an action that depend on an order's own facts.

use super::{
    Action, AnyOrder, BlockedRelease, Closed, Failure, Order, PendingPublish, PendingValidate, Published, event,
};
use crate::{
    lifecycle::{Reason, only, wrong_status},
    party::Stamp,
};

impl AnyOrder {
    // Everything but the data of the command, which only the step sees.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        self.comes_by_its_movement(action)?;
        match action {
            Action::Cancel => self.may_cancel(at),
            Action::Retry => only::<Order<Failure>, event::Retried>(self)?.facts().attempts_left(),
            Action::Pay => only::<Order<PendingPublish>, event::PayinOpened>(self)?.may_pay(),
            Action::Publish => only::<Order<PendingPublish>, event::Published>(self)?.underway().map(drop),
            Action::Fail => only::<Order<PendingPublish>, event::Failed>(self)?.underway().map(drop),
            Action::DropPayin => only::<Order<PendingPublish>, event::PayinDropped>(self)?.underway().map(drop),
            Action::Unblock => only::<Order<BlockedRelease>, event::Unblocked>(self)?.may_go_on(),
            Action::CountPayout => self.may_count_payout(),
            Action::TakeBackPayout => only::<Order<BlockedRelease>, event::PayoutTakenBack>(self)?.some_out(),
            Action::RefundPart => self.may_refund_part(),
            Action::TakeBackRefund if self.facts().refunded().is_zero() => {
                Err(Reason::Missing { what: "a refund that was opened by hand" })
            }
            Action::ChargeBack | Action::ChargeBackAll if self.held().is_zero() => {
                Err(Reason::Missing { what: "money in escrow" })
            }
            Action::Regain => self.facts().aftermath.awaits(),
            Action::Close => only::<Order<BlockedRelease>, Closed>(self)?.may_close(),
            Action::Accept => only::<Order<Published>, event::Accepted>(self)?.may_accept(),
            Action::SetPayout => self.may_set_payout(),
            Action::Validate => only::<Order<PendingValidate>, event::Validated>(self)?.settlement(at).map(drop),
            Action::Settle => only::<Order<Published>, event::Settled>(self)?.part_settlement(at).map(drop),
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
            Self::Cancelled(_) | Self::Rejected(_) | Self::PendingRelease(_) | Self::Released(_) => {
                Err(wrong_status(self, Action::Cancel as usize))
            }
        }
    }

    fn may_set_payout(&self) -> Result<(), Reason> {
        match self {
            Self::Accepted(order) => order.net().map(drop),
            Self::PendingValidate(order) => order.net().map(drop),
            Self::Draft(_)
            | Self::PendingPublish(_)
            | Self::Failure(_)
            | Self::Published(_)
            | Self::Cancelled(_)
            | Self::Rejected(_)
            | Self::PendingRelease(_)
            | Self::BlockedRelease(_)
            | Self::Released(_) => Err(wrong_status(self, Action::SetPayout as usize)),
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
            | Self::Released(_) => Err(wrong_status(self, Action::RefundPart as usize)),
        }
    }

    fn may_count_payout(&self) -> Result<(), Reason> {
        match self {
            Self::PendingRelease(_) => Ok(()),
            Self::BlockedRelease(order) => order.some_out(),
            Self::Draft(_)
            | Self::PendingPublish(_)
            | Self::Failure(_)
            | Self::Published(_)
            | Self::Cancelled(_)
            | Self::Accepted(_)
            | Self::Rejected(_)
            | Self::PendingValidate(_)
            | Self::Released(_) => Err(wrong_status(self, Action::CountPayout as usize)),
        }
    }
}

impl Order<Published> {
    // Without a word of the seller's, the plan of its terms is what it accepts with. Less may be left than the fee.
    fn may_accept(&self) -> Result<(), Reason> {
        if self.facts().terms().payout.is_some() { self.net().map(drop) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        order::{OrderId, Terms},
        party::Actor,
    };

    #[test]
    fn a_condition_of_one_status_is_refused_in_every_other() {
        let at = Stamp::new(Actor::platform("ops".parse().unwrap()), "2026-05-07T15:39:46Z".parse().unwrap());
        let (name, amount) = ("A bicycle".parse().unwrap(), "120.00 EUR".parse().unwrap());
        let terms =
            Terms::new(name, amount, "sam".parse().unwrap(), "shop".parse().unwrap(), "sandbox".parse().unwrap());
        let opened = Order::open(OrderId::generate(at.at), terms, &at).unwrap().widen();
        let draft = opened.value();
        let refused = |action: &'static str| Err(Reason::WrongStatus { action, status: "DRAFT" });
        assert_eq!(draft.ready(Action::Publish, &at), refused("publish"));
        assert_eq!(draft.ready(Action::CountPayout, &at), refused("count_payout"));
        assert_eq!(draft.ready(Action::RefundPart, &at), refused("refund_part"));
        assert_eq!(draft.ready(Action::IdentifyBuyer, &at), Ok(()));
    }
}
