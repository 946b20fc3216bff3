//! What the table cannot say: the conditions of an action that depend on a campaign's own facts.

use super::{Action, AnyCampaign, Campaign, Open, PendingRelease, event};
use crate::{
    deal::Leaving,
    lifecycle::{Reason, only},
    party::Stamp,
};

impl AnyCampaign {
    // Everything but the data of the command, which only the step sees. The table has been asked before.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match action {
            Action::Close => only::<Campaign<Open>, event::Closed>(self)?.may_close(at),
            Action::Release => only::<Campaign<PendingRelease>, event::Released>(self)?.state.must_have_arrived(),
            Action::Finish if self.held().is_positive() => Err(Reason::Missing { what: "the return of every pledge" }),
            Action::GiveBack | Action::GiveRestBack if self.held().is_zero() => {
                Err(Reason::Missing { what: "a pledge that was gathered" })
            }
            Action::Decide
            | Action::Validate
            | Action::Cancel
            | Action::Finish
            | Action::Gather
            | Action::GiveBack
            | Action::GiveRestBack
            | Action::SetPayout
            | Action::Count
            | Action::NoteAfter => Ok(()),
        }
    }
}
