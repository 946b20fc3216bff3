//! What the table cannot say: the conditions of an action that depend on a pledge's own facts.

use super::{Action, AnyPledge, Created, Pledge};
use crate::{
    deal::Leaving,
    lifecycle::Reason,
    party::{Actor, Stamp},
};

impl AnyPledge {
    // Everything but the data of the command, which only the step sees. The table has been asked before.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match self {
            Self::Created(pledge) => pledge.ready(action, at),
            Self::Paid(pledge) => pledge.ready(action, at),
            Self::Gathered(pledge) => pledge.ready(action, at),
            Self::Returned(pledge) => match action {
                Action::Refund => pledge.state.must_have_arrived(),
                Action::Collect
                | Action::TurnAway
                | Action::Gather
                | Action::Withdraw
                | Action::GiveBack
                | Action::Cancel
                | Action::Pay
                | Action::DropPayin
                | Action::Count
                | Action::NoteAfter
                | Action::Receive => Ok(()),
            },
            Self::Refunded(_) | Self::Cancelled(_) => Ok(()),
        }
    }
}

impl Pledge<Created> {
    fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match action {
            Action::Pay => self.may_pay(at),
            Action::Collect => {
                self.facts().terms.in_time(action.name(), at)?;
                self.facts().till.expected().map(drop)
            }
            Action::TurnAway => {
                self.too_late(at)?;
                self.facts().till.expected().map(drop)
            }
            Action::DropPayin => self.facts().till.expected().map(drop),
            Action::Gather
            | Action::Withdraw
            | Action::GiveBack
            | Action::Refund
            | Action::Cancel
            | Action::Count
            | Action::NoteAfter
            | Action::Receive => Ok(()),
        }
    }

    pub(super) fn may_pay(&self, at: &Stamp) -> Result<(), Reason> {
        self.facts().terms.in_time("pay", at)?;
        self.facts().till.is_free()
    }

    pub(super) fn too_late(&self, at: &Stamp) -> Result<(), Reason> {
        let due = self.facts().terms.until;
        if at.at < due { Err(Reason::NotDue { action: "turn_away", due: Some(due) }) } else { Ok(()) }
    }
}

impl<S: super::state::Returnable> Pledge<S> {
    fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match action {
            Action::Withdraw => self.may_withdraw(at),
            Action::Collect
            | Action::TurnAway
            | Action::Gather
            | Action::GiveBack
            | Action::Refund
            | Action::Cancel
            | Action::Pay
            | Action::DropPayin
            | Action::Count
            | Action::NoteAfter
            | Action::Receive => Ok(()),
        }
    }

    // The policy binds the backer; the platform answers for what it does.
    pub(super) fn may_withdraw(&self, at: &Stamp) -> Result<(), Reason> {
        let terms = &self.facts().terms;
        terms.in_time("withdraw", at)?;
        self.facts().aftermath.decided()?;
        match at.by {
            Actor::Party(_) if !terms.withdrawable => {
                Err(Reason::Fixed { what: "a paid pledge that was agreed to stay" })
            }
            Actor::Party(_) | Actor::Office { .. } | Actor::Clock | Actor::Gateway => Ok(()),
        }
    }
}
