//! What a transaction tells and learns about its payments, and what the clock does to it.

use super::{Action, AnyTransaction};
use crate::{
    deal::{Leaving, Lost},
    lifecycle::Refused,
    party::Stamp,
    payment::{After, Agreement, Evidence, Learned, Outgoing, PayinId, Stake},
};

type Lesson = Result<Learned<AnyTransaction>, Refused<AnyTransaction>>;

impl Agreement for AnyTransaction {
    fn wants(&self, payin: PayinId) -> bool {
        self.awaits_payin() && self.facts().till.underway() == Some(payin)
    }

    fn learn(self, evidence: &Evidence<'_>, at: &Stamp) -> Lesson {
        match evidence {
            Evidence::PayinConfirmed(payin) => match self {
                Self::Joined(deal) => Learned::step(deal.pay(payin, at)),
                other => Err(Refused::wrong_status(other, Action::Pay as usize)),
            },
            Evidence::PayinDenied(payin) => self.lost(Lost::Denied(payin), at),
            Evidence::PayinCancelled(payin) => self.lost(Lost::Cancelled(payin), at),
            Evidence::PayoutConfirmed(_)
            | Evidence::PayoutDenied(_)
            | Evidence::PayoutReplaced(_)
            | Evidence::PayoutGivenBack(_)
            | Evidence::PayoutCancelled(_)
            | Evidence::RefundCancelled(_) => self.counted(evidence, at),
            Evidence::After(After::ChargedBack(chargeback)) if chargeback.facts().held.is_positive() => match self {
                Self::Paid(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::PaymentAccepted(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::Tracked(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::Delivered(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::BuyerHandoverConfirmed(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::SellerHandoverConfirmed(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::ComplaintSubmitted(deal) => Learned::step(deal.charged_back(chargeback, at)),
                other => Err(Refused::wrong_status(other, Action::ChargeBack as usize)),
            },
            Evidence::After(After::ChargebackWon(chargeback)) if chargeback.facts().held.is_positive() => match self {
                Self::ComplaintSubmitted(deal) => Learned::step(deal.regain(chargeback, at)),
                other => Err(Refused::wrong_status(other, Action::Regain as usize)),
            },
            Evidence::After(after) => match self {
                Self::ComplaintSubmitted(deal) => Learned::step(deal.note_after(*after, at)),
                Self::ComplaintPeriodEnded(deal) => Learned::step(deal.note_after(*after, at)),
                Self::Cancelled(deal) => Learned::step(deal.note_after(*after, at)),
                Self::Refunded(deal) => Learned::step(deal.note_after(*after, at)),
                Self::FundsReleased(deal) => Learned::step(deal.note_after(*after, at)),
                other => Err(Refused::wrong_status(other, Action::NoteAfter as usize)),
            },
            // A payin that came too late refunds itself, which is none of the transaction's business.
            Evidence::RefundConfirmed(_)
            | Evidence::RefundDenied(_)
            | Evidence::RefundReplaced(_)
            | Evidence::RefundRedirected(_) => {
                if self.opened(evidence) {
                    self.counted(evidence, at)
                } else {
                    Ok(Learned::Nothing(self))
                }
            }
        }
    }

    fn stake(&self) -> Option<Stake> {
        Some(self.at_stake())
    }

    fn onward(self, at: &Stamp) -> Lesson {
        match self {
            Self::Cancelled(deal) if deal.state.arrived() => Learned::step(deal.refund(at)),
            Self::ComplaintPeriodEnded(deal) if deal.state.arrived() => Learned::step(deal.release(at)),
            Self::ComplaintSubmitted(deal) if deal.settled(true).is_ok() => Learned::step(deal.settle_complaint(at)),
            Self::ComplaintSubmitted(deal) if deal.settled(false).is_ok() => Learned::step(deal.refund(at)),
            Self::Created(_)
            | Self::Joined(_)
            | Self::Paid(_)
            | Self::PaymentAccepted(_)
            | Self::Tracked(_)
            | Self::Delivered(_)
            | Self::BuyerHandoverConfirmed(_)
            | Self::SellerHandoverConfirmed(_)
            | Self::ComplaintSubmitted(_)
            | Self::ComplaintPeriodEnded(_)
            | Self::Cancelled(_)
            | Self::Refunded(_)
            | Self::FundsReleased(_) => Ok(Learned::Nothing(self)),
        }
    }

    fn abandoned(&self) -> Option<PayinId> {
        self.facts().till.underway().filter(|_| !self.awaits_payin())
    }

    fn due(self, at: &Stamp) -> Lesson {
        match self {
            Self::PaymentAccepted(deal) => Learned::step(deal.cancel(at)),
            Self::Delivered(deal) => Learned::step(deal.end_complaint_period(at)),
            Self::BuyerHandoverConfirmed(deal) => Learned::step(deal.end_complaint_period(at)),
            Self::SellerHandoverConfirmed(deal) => Learned::step(deal.end_complaint_period(at)),
            Self::Created(_)
            | Self::Joined(_)
            | Self::Paid(_)
            | Self::Tracked(_)
            | Self::ComplaintSubmitted(_)
            | Self::ComplaintPeriodEnded(_)
            | Self::Cancelled(_)
            | Self::Refunded(_)
            | Self::FundsReleased(_) => Ok(Learned::Nothing(self)),
        }
    }
}

impl AnyTransaction {
    const fn awaits_payin(&self) -> bool {
        match self {
            Self::Joined(_) => true,
            Self::Created(_)
            | Self::Paid(_)
            | Self::PaymentAccepted(_)
            | Self::Tracked(_)
            | Self::Delivered(_)
            | Self::BuyerHandoverConfirmed(_)
            | Self::SellerHandoverConfirmed(_)
            | Self::ComplaintSubmitted(_)
            | Self::ComplaintPeriodEnded(_)
            | Self::Cancelled(_)
            | Self::Refunded(_)
            | Self::FundsReleased(_) => false,
        }
    }

    fn lost(self, payin: Lost<'_>, at: &Stamp) -> Lesson {
        // Not the one it waits for: another was opened meanwhile, or the transaction moved on.
        if !self.wants(payin.payin()) {
            return Ok(Learned::Nothing(self));
        }
        match self {
            Self::Joined(deal) => Learned::step(deal.drop_payin(payin, at)),
            other => Err(Refused::wrong_status(other, Action::DropPayin as usize)),
        }
    }

    fn counted(self, evidence: &Evidence<'_>, at: &Stamp) -> Lesson {
        match self {
            Self::Cancelled(deal) if deal.state.knows(evidence) => Ok(Learned::Nothing(deal.into())),
            Self::Cancelled(deal) => Learned::step(deal.count(evidence, at)),
            Self::ComplaintPeriodEnded(deal) if deal.state.knows(evidence) => Ok(Learned::Nothing(deal.into())),
            Self::ComplaintPeriodEnded(deal) => Learned::step(deal.count(evidence, at)),
            Self::ComplaintSubmitted(deal) if deal.state.knows(evidence) => Ok(Learned::Nothing(deal.into())),
            Self::ComplaintSubmitted(deal) => Learned::step(deal.count(evidence, at)),
            other => Err(Refused::wrong_status(other, Action::Count as usize)),
        }
    }

    // The payments that it opened itself, where it has.
    pub(super) fn leaving(&self) -> Option<&Outgoing> {
        match self {
            Self::Cancelled(deal) => deal.state.leaving(),
            Self::ComplaintPeriodEnded(deal) => deal.state.leaving(),
            Self::ComplaintSubmitted(deal) => deal.state.leaving(),
            Self::Created(_)
            | Self::Joined(_)
            | Self::Paid(_)
            | Self::PaymentAccepted(_)
            | Self::Tracked(_)
            | Self::Delivered(_)
            | Self::BuyerHandoverConfirmed(_)
            | Self::SellerHandoverConfirmed(_)
            | Self::Refunded(_)
            | Self::FundsReleased(_) => None,
        }
    }

    fn opened(&self, evidence: &Evidence<'_>) -> bool {
        let payment = evidence.of_outgoing().map(|(payment, _)| payment);
        self.leaving().zip(payment).is_some_and(|(outgoing, payment)| outgoing.leg(payment).is_ok())
    }
}
