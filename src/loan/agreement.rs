//! What a loan tells and learns about its payments, and what the clock does to it.

use super::{Action, AnyLoan};
use crate::{
    deal::{Leaving, Lost},
    lifecycle::Refused,
    party::Stamp,
    payment::{Agreement, Evidence, Learned, Payin, PayinId, Stake, payin},
};

type Lesson = Result<Learned<AnyLoan>, Refused<AnyLoan>>;

impl Agreement for AnyLoan {
    fn wants(&self, payin: PayinId) -> bool {
        self.is_owed() && self.facts().till.underway() == Some(payin)
    }

    fn learn(self, evidence: &Evidence<'_>, at: &Stamp) -> Lesson {
        match evidence {
            Evidence::PayinConfirmed(payin) => self.repaid(payin, at),
            Evidence::PayinDenied(payin) => self.lost(Lost::Denied(payin), at),
            Evidence::PayinCancelled(payin) => self.lost(Lost::Cancelled(payin), at),
            Evidence::PayoutConfirmed(_)
            | Evidence::PayoutDenied(_)
            | Evidence::PayoutReplaced(_)
            | Evidence::PayoutGivenBack(_)
            | Evidence::PayoutCancelled(_) => match self {
                Self::Disbursing(loan) if loan.state.knows(evidence) => Ok(Learned::Nothing(loan.into())),
                Self::Disbursing(loan) => Learned::step(loan.count(evidence, at)),
                other => Err(Refused::wrong_status(other, Action::Count as usize)),
            },
            // What happens to money that had left is the payout's, the chargeback's and the debt's own to tell: it changes
            // nothing of what the borrower owes its lenders.
            Evidence::After(_) => Ok(Learned::Nothing(self)),
            // A repayment that came after the end refunds itself, which is none of the loan's business.
            Evidence::RefundConfirmed(_)
            | Evidence::RefundDenied(_)
            | Evidence::RefundReplaced(_)
            | Evidence::RefundRedirected(_)
            | Evidence::RefundCancelled(_) => Ok(Learned::Nothing(self)),
        }
    }

    // What was repaid goes to its lenders, and the loan stands as it does: whoever repaid it bears what is charged back.
    fn stake(&self) -> Option<Stake> {
        let terms = self.facts().terms();
        Some(Stake::none(terms.platform.clone(), terms.target.currency()))
    }

    fn onward(self, at: &Stamp) -> Lesson {
        match self {
            Self::Open(loan) if loan.may_close(at).is_ok() => Learned::step(loan.close(at)),
            Self::Disbursing(loan) if loan.state.arrived() => Learned::step(loan.disburse(at)),
            Self::Repaying(loan) if loan.facts().is_settled() => Learned::step(loan.settle(at)),
            Self::Late(loan) if loan.facts().is_settled() => Learned::step(loan.settle(at)),
            Self::Defaulted(loan) if loan.facts().is_settled() => Learned::step(loan.settle(at)),
            Self::Late(loan) if loan.has_caught_up(at).is_ok() => Learned::step(loan.catch_up(at)),
            Self::Open(_)
            | Self::Counting(_)
            | Self::Funded(_)
            | Self::Disbursing(_)
            | Self::Repaying(_)
            | Self::Late(_)
            | Self::Defaulted(_)
            | Self::Repaid(_)
            | Self::WrittenOff(_)
            | Self::Missed(_)
            | Self::Cancelled(_)
            | Self::Returned(_) => Ok(Learned::Nothing(self)),
        }
    }

    fn abandoned(&self) -> Option<PayinId> {
        self.facts().till.underway().filter(|_| !self.is_owed())
    }

    // What is due while it counts or gives back is for its pledges: the escrow sees to that.
    fn due(self, at: &Stamp) -> Lesson {
        match self {
            Self::Open(loan) => Learned::step(loan.close(at)),
            Self::Funded(loan) => Learned::step(loan.cancel(at)),
            Self::Repaying(loan) => Learned::step(loan.fall_behind(at)),
            Self::Counting(_)
            | Self::Disbursing(_)
            | Self::Late(_)
            | Self::Defaulted(_)
            | Self::Repaid(_)
            | Self::WrittenOff(_)
            | Self::Missed(_)
            | Self::Cancelled(_)
            | Self::Returned(_) => Ok(Learned::Nothing(self)),
        }
    }
}

impl AnyLoan {
    const fn is_owed(&self) -> bool {
        match self {
            Self::Repaying(_) | Self::Late(_) | Self::Defaulted(_) => true,
            Self::Open(_)
            | Self::Counting(_)
            | Self::Funded(_)
            | Self::Disbursing(_)
            | Self::Repaid(_)
            | Self::WrittenOff(_)
            | Self::Missed(_)
            | Self::Cancelled(_)
            | Self::Returned(_) => false,
        }
    }

    fn repaid(self, payin: &Payin<payin::Confirmed>, at: &Stamp) -> Lesson {
        match self {
            Self::Repaying(loan) => Learned::step(loan.collect(payin, at)),
            Self::Late(loan) => Learned::step(loan.collect(payin, at)),
            Self::Defaulted(loan) => Learned::step(loan.collect(payin, at)),
            other => Err(Refused::wrong_status(other, Action::Collect as usize)),
        }
    }

    fn lost(self, payin: Lost<'_>, at: &Stamp) -> Lesson {
        // Not the one it waits for: another was opened meanwhile, or the loan moved on.
        if !self.wants(payin.payin()) {
            return Ok(Learned::Nothing(self));
        }
        match self {
            Self::Repaying(loan) => Learned::step(loan.drop_payin(payin, at)),
            Self::Late(loan) => Learned::step(loan.drop_payin(payin, at)),
            Self::Defaulted(loan) => Learned::step(loan.drop_payin(payin, at)),
            other => Err(Refused::wrong_status(other, Action::DropPayin as usize)),
        }
    }
}
