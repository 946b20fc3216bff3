//! What the table cannot say: the conditions of an action that depend on a loan's own facts.

use super::{Action, AnyLoan, Loan};
use crate::{deal::Leaving, lifecycle::Reason, party::Stamp};

impl AnyLoan {
    // Everything but the data of the command, which only the step sees. The table has been asked before.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match self {
            Self::Open(loan) if action == Action::Close => loan.may_close(at),
            Self::Open(loan) => loan.returns(action),
            Self::Disbursing(loan) if action == Action::Disburse => loan.state.must_have_arrived(),
            Self::Late(loan) if action == Action::CatchUp => loan.has_caught_up(at),
            Self::Repaying(loan) => loan.owing(action),
            Self::Late(loan) => loan.owing(action),
            Self::Defaulted(loan) => loan.owing(action),
            Self::Missed(loan) => loan.returns(action),
            Self::Cancelled(loan) => loan.returns(action),
            Self::Counting(_)
            | Self::Funded(_)
            | Self::Disbursing(_)
            | Self::Repaid(_)
            | Self::WrittenOff(_)
            | Self::Returned(_) => Ok(()),
        }
    }
}

impl<S> Loan<S> {
    // While pledges may go back.
    fn returns(&self, action: Action) -> Result<(), Reason> {
        let (gives, holds) = (matches!(action, Action::GiveBack | Action::GiveRestBack), self.held().is_positive());
        if action == Action::Finish && holds {
            Err(Reason::Missing { what: "the return of every pledge" })
        } else if gives && !holds {
            Err(Reason::Missing { what: "a pledge that was gathered" })
        } else {
            Ok(())
        }
    }

    // While something is owed.
    fn owing(&self, action: Action) -> Result<(), Reason> {
        let till = &self.facts().till;
        if matches!(action, Action::Repay | Action::Recover) {
            till.is_free()
        } else if matches!(action, Action::Collect | Action::DropPayin) {
            till.expected().map(drop)
        } else if action == Action::Settle {
            self.must_be_settled()
        } else {
            Ok(())
        }
    }
}
