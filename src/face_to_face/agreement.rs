//! What a face-to-face deal tells and learns about its payments, and what the clock does to it.

use super::{Action, AnyFaceToFace};
use crate::{
    deal::{Leaving, Lost},
    lifecycle::Refused,
    party::Stamp,
    payment::{After, Agreement, Evidence, Learned, Outgoing, PayinId, Stake},
};

type Lesson = Result<Learned<AnyFaceToFace>, Refused<AnyFaceToFace>>;

impl Agreement for AnyFaceToFace {
    fn wants(&self, payin: PayinId) -> bool {
        self.awaits_payin() && self.facts().till.underway() == Some(payin)
    }

    fn learn(self, evidence: &Evidence<'_>, at: &Stamp) -> Lesson {
        match evidence {
            Evidence::PayinConfirmed(payin) => match self {
                Self::Joined(deal) => Learned::step(deal.pay_deposit(payin, at)),
                Self::Priced(deal) => Learned::step(deal.pay_remainder(payin, at)),
                other => Err(Refused::wrong_status(other, Action::PayDeposit as usize)),
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
                Self::DepositPaid(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::DepositAccepted(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::Priced(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::RemainderPaid(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::RemainderSkipped(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::BuyerHandoverConfirmed(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::SellerHandoverConfirmed(deal) => Learned::step(deal.charged_back(chargeback, at)),
                Self::Complained(deal) => Learned::step(deal.charged_back(chargeback, at)),
                other => Err(Refused::wrong_status(other, Action::ChargeBack as usize)),
            },
            Evidence::After(After::ChargebackWon(chargeback)) if chargeback.facts().held.is_positive() => match self {
                Self::Complained(deal) => Learned::step(deal.regain(chargeback, at)),
                other => Err(Refused::wrong_status(other, Action::Regain as usize)),
            },
            Evidence::After(after) => match self {
                Self::CancelledWithDeposit(deal) => Learned::step(deal.note_after(*after, at)),
                Self::DepositRefunded(deal) => Learned::step(deal.note_after(*after, at)),
                Self::Complained(deal) => Learned::step(deal.note_after(*after, at)),
                Self::ComplaintPeriodEnded(deal) => Learned::step(deal.note_after(*after, at)),
                Self::FundsReleased(deal) => Learned::step(deal.note_after(*after, at)),
                other => Err(Refused::wrong_status(other, Action::NoteAfter as usize)),
            },
            // A payin that came too late refunds itself, which is none of the deal's business.
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
            Self::CancelledWithDeposit(deal) if deal.state.arrived() => Learned::step(deal.refund_deposit(at)),
            Self::ComplaintPeriodEnded(deal) if deal.state.arrived() => Learned::step(deal.release(at)),
            Self::Complained(deal) if deal.state.arrived() => Learned::step(deal.settle_complaint(at)),
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
            | Self::SellerHandoverConfirmed(_)
            | Self::Complained(_)
            | Self::ComplaintPeriodEnded(_)
            | Self::FundsReleased(_) => Ok(Learned::Nothing(self)),
        }
    }

    fn abandoned(&self) -> Option<PayinId> {
        self.facts().till.underway().filter(|_| !self.awaits_payin())
    }

    fn due(self, at: &Stamp) -> Lesson {
        match self {
            Self::RemainderPaid(deal) => Learned::step(deal.escalate(at)),
            Self::RemainderSkipped(deal) => Learned::step(deal.escalate(at)),
            Self::BuyerHandoverConfirmed(deal) => Learned::step(deal.end_complaint_period(at)),
            Self::SellerHandoverConfirmed(deal) => Learned::step(deal.end_complaint_period(at)),
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
            | Self::FundsReleased(_) => Ok(Learned::Nothing(self)),
        }
    }
}

impl AnyFaceToFace {
    const fn awaits_payin(&self) -> bool {
        match self {
            Self::Joined(_) | Self::Priced(_) => true,
            Self::Created(_)
            | Self::Rejected(_)
            | Self::DepositPaid(_)
            | Self::Cancelled(_)
            | Self::DepositAccepted(_)
            | Self::RemainderPaid(_)
            | Self::RemainderSkipped(_)
            | Self::CancelledWithDeposit(_)
            | Self::DepositRefunded(_)
            | Self::BuyerHandoverConfirmed(_)
            | Self::SellerHandoverConfirmed(_)
            | Self::Complained(_)
            | Self::ComplaintPeriodEnded(_)
            | Self::FundsReleased(_) => false,
        }
    }

    fn lost(self, payin: Lost<'_>, at: &Stamp) -> Lesson {
        // Not the one it waits for: another was opened meanwhile, or the deal moved on.
        if !self.wants(payin.payin()) {
            return Ok(Learned::Nothing(self));
        }
        match self {
            Self::Joined(deal) => Learned::step(deal.drop_payin(payin, at)),
            Self::Priced(deal) => Learned::step(deal.drop_payin(payin, at)),
            other => Err(Refused::wrong_status(other, Action::DropPayin as usize)),
        }
    }

    fn counted(self, evidence: &Evidence<'_>, at: &Stamp) -> Lesson {
        match self {
            Self::CancelledWithDeposit(deal) if deal.state.knows(evidence) => Ok(Learned::Nothing(deal.into())),
            Self::CancelledWithDeposit(deal) => Learned::step(deal.count(evidence, at)),
            Self::ComplaintPeriodEnded(deal) if deal.state.knows(evidence) => Ok(Learned::Nothing(deal.into())),
            Self::ComplaintPeriodEnded(deal) => Learned::step(deal.count(evidence, at)),
            Self::Complained(deal) if deal.state.knows(evidence) => Ok(Learned::Nothing(deal.into())),
            Self::Complained(deal) => Learned::step(deal.count(evidence, at)),
            other => Err(Refused::wrong_status(other, Action::Count as usize)),
        }
    }

    // The payments that it opened itself, where it has.
    pub(super) fn leaving(&self) -> Option<&Outgoing> {
        match self {
            Self::CancelledWithDeposit(deal) => deal.state.leaving(),
            Self::ComplaintPeriodEnded(deal) => deal.state.leaving(),
            Self::Complained(deal) => deal.state.leaving(),
            Self::Created(_)
            | Self::Joined(_)
            | Self::Rejected(_)
            | Self::DepositPaid(_)
            | Self::Cancelled(_)
            | Self::DepositAccepted(_)
            | Self::Priced(_)
            | Self::RemainderPaid(_)
            | Self::RemainderSkipped(_)
            | Self::DepositRefunded(_)
            | Self::BuyerHandoverConfirmed(_)
            | Self::SellerHandoverConfirmed(_)
            | Self::FundsReleased(_) => None,
        }
    }

    fn opened(&self, evidence: &Evidence<'_>) -> bool {
        let payment = evidence.of_outgoing().map(|(payment, _)| payment);
        self.leaving().zip(payment).is_some_and(|(outgoing, payment)| outgoing.leg(payment).is_ok())
    }
}
