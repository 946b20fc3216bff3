//! What an order tells and learns about its payments.

use super::{Action, AnyOrder, PayoutBack, PayoutNews};
use crate::{
    lifecycle::Refused,
    party::Stamp,
    payment::{After, Agreement, Evidence, Learned, PayinId, Stake},
};

type Lesson = Result<Learned<AnyOrder>, Refused<AnyOrder>>;

impl Agreement for AnyOrder {
    fn wants(&self, payin: PayinId) -> bool {
        match self {
            Self::PendingPublish(order) => order.state.payin == Some(payin),
            Self::Draft(_)
            | Self::Failure(_)
            | Self::Published(_)
            | Self::Cancelled(_)
            | Self::Accepted(_)
            | Self::Rejected(_)
            | Self::PendingValidate(_)
            | Self::PendingRelease(_)
            | Self::BlockedRelease(_)
            | Self::Released(_) => false,
        }
    }

    fn learn(self, evidence: &Evidence<'_>, at: &Stamp) -> Lesson {
        match evidence {
            Evidence::PayinConfirmed(payin) => match self {
                Self::PendingPublish(order) => Learned::step(order.publish(payin, at)),
                other => wrong(other, Action::Publish),
            },
            // Not the payin it waits for: another one was opened meanwhile, or the order moved on.
            Evidence::PayinDenied(payin) if !self.wants(payin.id()) => Ok(Learned::Nothing(self)),
            Evidence::PayinDenied(payin) => match self {
                Self::PendingPublish(order) => Learned::step(order.fail(payin, at)),
                other => wrong(other, Action::Fail),
            },
            Evidence::PayinCancelled(payin) if !self.wants(payin.id()) => Ok(Learned::Nothing(self)),
            Evidence::PayinCancelled(payin) => match self {
                Self::PendingPublish(order) => Learned::step(order.drop_payin(payin, at)),
                other => wrong(other, Action::DropPayin),
            },
            Evidence::PayoutConfirmed(payout) => self.count(PayoutNews::Confirmed(payout), at),
            Evidence::PayoutDenied(payout) => match self {
                Self::PendingRelease(order) => Learned::step(order.block(payout, at)),
                other => other.count(PayoutNews::Denied(payout), at),
            },
            Evidence::PayoutReplaced(payout) => self.count(PayoutNews::Replaced(payout), at),
            Evidence::PayoutGivenBack(payout) => self.take_back(PayoutBack::GivenBack(payout), at),
            Evidence::PayoutCancelled(payout) => self.take_back(PayoutBack::Cancelled(payout), at),
            Evidence::RefundCancelled(refund) => match self {
                Self::Published(order) => Learned::step(order.take_back_refund(refund, at)),
                Self::Accepted(order) => Learned::step(order.take_back_refund(refund, at)),
                Self::PendingValidate(order) => Learned::step(order.take_back_refund(refund, at)),
                other => wrong(other, Action::TakeBackRefund),
            },
            Evidence::After(After::ChargedBack(chargeback)) if chargeback.facts().held.is_positive() => match self {
                Self::Published(order) => Learned::step(order.charged_back(chargeback, at)),
                Self::Accepted(order) => Learned::step(order.charged_back(chargeback, at)),
                Self::PendingValidate(order) => Learned::step(order.charged_back(chargeback, at)),
                Self::BlockedRelease(order) => Learned::step(order.charged_back(chargeback, at)),
                other => wrong(other, Action::ChargeBack),
            },
            Evidence::After(After::ChargebackWon(chargeback)) if chargeback.facts().held.is_positive() => match self {
                Self::BlockedRelease(order) => Learned::step(order.regain(chargeback, at)),
                other => wrong(other, Action::Regain),
            },
            Evidence::After(after) => match self {
                Self::Published(order) => Learned::step(order.note_after(*after, at)),
                Self::Accepted(order) => Learned::step(order.note_after(*after, at)),
                Self::PendingValidate(order) => Learned::step(order.note_after(*after, at)),
                Self::PendingRelease(order) => Learned::step(order.note_after(*after, at)),
                Self::BlockedRelease(order) => Learned::step(order.note_after(*after, at)),
                Self::Released(order) => Learned::step(order.note_after(*after, at)),
                Self::Cancelled(order) => Learned::step(order.note_after(*after, at)),
                Self::Rejected(order) => Learned::step(order.note_after(*after, at)),
                other => wrong(other, Action::NoteAfter),
            },
            // A refund has left the order when it was opened; its own log says what becomes of it.
            Evidence::RefundConfirmed(_)
            | Evidence::RefundDenied(_)
            | Evidence::RefundReplaced(_)
            | Evidence::RefundRedirected(_) => Ok(Learned::Nothing(self)),
        }
    }

    fn stake(&self) -> Option<Stake> {
        Some(self.at_stake())
    }

    fn onward(self, at: &Stamp) -> Lesson {
        match self {
            Self::PendingRelease(order) if order.state.payouts.all_confirmed() => Learned::step(order.release(&[], at)),
            Self::Draft(_)
            | Self::PendingPublish(_)
            | Self::Failure(_)
            | Self::Published(_)
            | Self::Cancelled(_)
            | Self::Accepted(_)
            | Self::Rejected(_)
            | Self::PendingValidate(_)
            | Self::PendingRelease(_)
            | Self::BlockedRelease(_)
            | Self::Released(_) => Ok(Learned::Nothing(self)),
        }
    }

    fn abandoned(&self) -> Option<PayinId> {
        match self {
            Self::Cancelled(order) => order.state.abandoned,
            Self::Draft(_)
            | Self::PendingPublish(_)
            | Self::Failure(_)
            | Self::Published(_)
            | Self::Accepted(_)
            | Self::Rejected(_)
            | Self::PendingValidate(_)
            | Self::PendingRelease(_)
            | Self::BlockedRelease(_)
            | Self::Released(_) => None,
        }
    }
}

impl AnyOrder {
    fn count(self, news: PayoutNews<'_>, at: &Stamp) -> Lesson {
        match self {
            Self::PendingRelease(order) => Learned::step(order.count_payout(news, at)),
            Self::BlockedRelease(order) => Learned::step(order.count_payout(news, at)),
            other => wrong(other, Action::CountPayout),
        }
    }

    fn take_back(self, payout: PayoutBack<'_>, at: &Stamp) -> Lesson {
        match self {
            Self::BlockedRelease(order) => Learned::step(order.take_back_payout(payout, at)),
            other => wrong(other, Action::TakeBackPayout),
        }
    }
}

fn wrong(order: AnyOrder, action: Action) -> Lesson {
    Err(Refused::wrong_status(order, action as usize))
}
