//! What a pledge tells and learns about its payments, and what the clock does to it.

use super::{Action, AnyPledge};
use crate::{
    deal::{Leaving, Lost},
    lifecycle::Refused,
    party::Stamp,
    payment::{Agreement, Evidence, Learned, PayinId, Stake},
};

type Lesson = Result<Learned<AnyPledge>, Refused<AnyPledge>>;

impl Agreement for AnyPledge {
    fn wants(&self, payin: PayinId) -> bool {
        self.awaits_payin() && self.facts().till.underway() == Some(payin)
    }

    fn learn(self, evidence: &Evidence<'_>, at: &Stamp) -> Lesson {
        match evidence {
            Evidence::PayinConfirmed(payin) => match self {
                Self::Created(pledge) if pledge.too_late(at).is_ok() => Learned::step(pledge.turn_away(payin, at)),
                Self::Created(pledge) => Learned::step(pledge.collect(payin, at)),
                other => Err(Refused::wrong_status(other, Action::Collect as usize)),
            },
            Evidence::PayinDenied(payin) => self.lost(Lost::Denied(payin), at),
            Evidence::PayinCancelled(payin) => self.lost(Lost::Cancelled(payin), at),
            // A payin that came after the end refunds itself, which is none of the pledge's business.
            Evidence::RefundConfirmed(_)
            | Evidence::RefundDenied(_)
            | Evidence::RefundReplaced(_)
            | Evidence::RefundRedirected(_) => match self {
                Self::Returned(pledge) if !pledge.state.knows(evidence) && pledge.state.opened(evidence) => {
                    Learned::step(pledge.count(evidence, at))
                }
                Self::Created(_)
                | Self::Paid(_)
                | Self::Gathered(_)
                | Self::Returned(_)
                | Self::Refunded(_)
                | Self::Cancelled(_) => Ok(Learned::Nothing(self)),
            },
            Evidence::After(after) => match self {
                Self::Paid(pledge) => Learned::step(pledge.note_after(*after, at)),
                Self::Gathered(pledge) => Learned::step(pledge.note_after(*after, at)),
                Self::Returned(pledge) => Learned::step(pledge.note_after(*after, at)),
                Self::Refunded(pledge) => Learned::step(pledge.note_after(*after, at)),
                other => Err(Refused::wrong_status(other, Action::NoteAfter as usize)),
            },
            Evidence::PayoutConfirmed(_)
            | Evidence::PayoutDenied(_)
            | Evidence::PayoutReplaced(_)
            | Evidence::PayoutGivenBack(_)
            | Evidence::PayoutCancelled(_)
            | Evidence::RefundCancelled(_) => Err(Refused::wrong_status(self, Action::Count as usize)),
        }
    }

    // It stays a pledge: what is charged back of it, its backer bears.
    fn stake(&self) -> Option<Stake> {
        let terms = self.facts().terms();
        Some(Stake::none(terms.platform.clone(), terms.offer.amount.currency()))
    }

    fn onward(self, at: &Stamp) -> Lesson {
        match self {
            Self::Returned(pledge) if pledge.state.arrived() => Learned::step(pledge.refund(at)),
            Self::Created(_)
            | Self::Paid(_)
            | Self::Gathered(_)
            | Self::Returned(_)
            | Self::Refunded(_)
            | Self::Cancelled(_) => Ok(Learned::Nothing(self)),
        }
    }

    fn abandoned(&self) -> Option<PayinId> {
        self.facts().till.underway().filter(|_| !self.awaits_payin())
    }

    // What is due of a paid one is its gathering, which takes what it was pledged to: the escrow sees to that.
    fn due(self, at: &Stamp) -> Lesson {
        match self {
            Self::Created(pledge) => Learned::step(pledge.cancel(at)),
            Self::Paid(_) | Self::Gathered(_) | Self::Returned(_) | Self::Refunded(_) | Self::Cancelled(_) => {
                Ok(Learned::Nothing(self))
            }
        }
    }
}

impl AnyPledge {
    const fn awaits_payin(&self) -> bool {
        match self {
            Self::Created(_) => true,
            Self::Paid(_) | Self::Gathered(_) | Self::Returned(_) | Self::Refunded(_) | Self::Cancelled(_) => false,
        }
    }

    fn lost(self, payin: Lost<'_>, at: &Stamp) -> Lesson {
        // Not the one it waits for: another was opened meanwhile, or the pledge moved on.
        if !self.wants(payin.payin()) {
            return Ok(Learned::Nothing(self));
        }
        match self {
            Self::Created(pledge) => Learned::step(pledge.drop_payin(payin, at)),
            other => Err(Refused::wrong_status(other, Action::DropPayin as usize)),
        }
    }
}
