//! What the table cannot say: the conditions of an action that depend on a loan's own facts.

use super::{Action, AnyLoan, Disbursing, Late, Loan, Open, event};
use crate::{
    deal::Leaving,
    lifecycle::{Reason, only},
    party::Stamp,
};

impl AnyLoan {
    // Everything but the data of the command, which only the step sees. The table has been asked before.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match action {
            Action::Close => only::<Loan<Open>, event::Closed>(self)?.may_close(at),
            Action::Disburse => only::<Loan<Disbursing>, event::Disbursed>(self)?.state.must_have_arrived(),
            Action::CatchUp => only::<Loan<Late>, event::CaughtUp>(self)?.has_caught_up(at),
            Action::Settle => self.facts().must_be_settled(),
            Action::Repay | Action::Recover => self.facts().till.is_free(),
            Action::Collect | Action::DropPayin => self.facts().till.expected().map(drop),
            Action::Finish if self.held().is_positive() => Err(Reason::Missing { what: "the return of every pledge" }),
            Action::GiveBack | Action::GiveRestBack if self.held().is_zero() => {
                Err(Reason::Missing { what: "a pledge that was gathered" })
            }
            Action::Decide
            | Action::Validate
            | Action::FallBehind
            | Action::DeclareDefault
            | Action::WriteOff
            | Action::Cancel
            | Action::Finish
            | Action::Gather
            | Action::GiveBack
            | Action::GiveRestBack
            | Action::SetPayout
            | Action::Count => Ok(()),
        }
    }
}
