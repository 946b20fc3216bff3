//! What a face-to-face deal tells and learns about its payments, and what the clock does to it.

use super::{Action, AnyFaceToFace, FaceToFace};
use crate::{
    deal::Lost,
    lifecycle::{Refused, Transition, Value},
    party::Stamp,
    payment::{Agreement, Evidence, Learned, PayinId},
};

type Lesson = Result<Learned<AnyFaceToFace>, Refused<AnyFaceToFace>>;

impl Agreement for AnyFaceToFace {
    fn wants(&self, payin: PayinId) -> bool {
        matches!(self, Self::Joined(_) | Self::Priced(_)) && self.facts().till.underway() == Some(payin)
    }

    fn learn(self, evidence: &Evidence<'_>, at: &Stamp) -> Lesson {
        match evidence {
            Evidence::PayinConfirmed(payin) => match self {
                Self::Joined(deal) => step(deal.pay_deposit(payin, at)),
                Self::Priced(deal) => step(deal.pay_remainder(payin, at)),
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
            // A payin that came too late refunds itself, which is none of the deal's business.
            Evidence::RefundConfirmed(_) | Evidence::RefundDenied(_) | Evidence::RefundReplaced(_) => {
                if self.opened(evidence) { self.counted(evidence, at) } else { Ok(Learned::Nothing(self)) }
            }
        }
    }

    fn onward(self, at: &Stamp) -> Lesson {
        match self {
            Self::CancelledWithDeposit(deal) if deal.state.refund.all_confirmed() => step(deal.refund_deposit(at)),
            Self::ComplaintPeriodEnded(deal) if deal.state.payouts.all_confirmed() => step(deal.release(at)),
            Self::Complained(deal) if deal.state.awarded.as_ref().is_some_and(|it| it.outgoing.all_confirmed()) => {
                step(deal.settle_complaint(at))
            }
            other => Ok(Learned::Nothing(other)),
        }
    }

    fn abandoned(&self) -> Option<PayinId> {
        match self {
            Self::Cancelled(_) | Self::CancelledWithDeposit(_) => self.facts().till.underway(),
            _ => None,
        }
    }

    fn due(self, at: &Stamp) -> Lesson {
        match self {
            Self::RemainderPaid(deal) => step(deal.escalate(at)),
            Self::RemainderSkipped(deal) => step(deal.escalate(at)),
            Self::BuyerHandoverConfirmed(deal) => step(deal.end_complaint_period(at)),
            Self::SellerHandoverConfirmed(deal) => step(deal.end_complaint_period(at)),
            other => Ok(Learned::Nothing(other)),
        }
    }
}

impl AnyFaceToFace {
    fn lost(self, payin: Lost<'_>, at: &Stamp) -> Lesson {
        match self {
            Self::Joined(deal) if deal.facts().till.underway() == Some(payin.payin()) => {
                step(deal.drop_payin(payin, at))
            }
            Self::Priced(deal) if deal.facts().till.underway() == Some(payin.payin()) => {
                step(deal.drop_payin(payin, at))
            }
            // Not the one it waits for: another was opened meanwhile, or the deal moved on.
            other => Ok(Learned::Nothing(other)),
        }
    }

    fn counted(self, evidence: &Evidence<'_>, at: &Stamp) -> Lesson {
        match self {
            Self::CancelledWithDeposit(deal) => step(deal.count(evidence, at)),
            Self::ComplaintPeriodEnded(deal) => step(deal.count(evidence, at)),
            Self::Complained(deal) => step(deal.count(evidence, at)),
            other => Err(Refused::wrong_status(other, Action::Count as usize)),
        }
    }

    // Whether the payment is one that the deal itself opened.
    fn opened(&self, evidence: &Evidence<'_>) -> bool {
        let outgoing = match self {
            Self::CancelledWithDeposit(deal) => Some(&deal.state.refund),
            Self::ComplaintPeriodEnded(deal) => Some(&deal.state.payouts),
            Self::Complained(deal) => deal.state.awarded.as_ref().map(|awarded| &awarded.outgoing),
            _ => None,
        };
        let payment = evidence.of_outgoing().map(|(payment, _)| payment);
        outgoing.zip(payment).is_some_and(|(outgoing, payment)| outgoing.leg(payment).is_ok())
    }
}

fn step<T, U>(taken: Result<Transition<T>, Refused<FaceToFace<U>>>) -> Lesson
where
    T: Value<Any = AnyFaceToFace>,
    FaceToFace<U>: Value<Any = AnyFaceToFace>,
{
    match taken {
        Ok(transition) => Ok(Learned::Step(transition.widen())),
        Err(refused) => Err(refused.map(Value::widen)),
    }
}
