//! What follows for a movement by itself, and what the clock does to it.

use super::{Action, AnyMovement};
use crate::{
    lifecycle::Refused,
    party::Stamp,
    payment::{Agreement, Evidence, Learned, PayinId},
};

type Lesson = Result<Learned<AnyMovement>, Refused<AnyMovement>>;

impl Agreement for AnyMovement {
    // Payments are about its orders.
    fn wants(&self, _: PayinId) -> bool {
        false
    }

    fn learn(self, _: &Evidence<'_>, _: &Stamp) -> Lesson {
        Err(Refused::wrong_status(self, Action::Count as usize))
    }

    fn onward(self, at: &Stamp) -> Lesson {
        match self {
            Self::Planned(movement) if movement.why(at).is_ok() => Learned::step(movement.undo(at)),
            Self::Planned(movement) if movement.facts().all_open().is_ok() => Learned::step(movement.collect(at)),
            Self::Collecting(movement) if movement.may_commit(at).is_ok() => Learned::step(movement.commit(at)),
            // A failure at once; being late once the clock or the last payment says so.
            Self::Collecting(movement)
                if movement.facts().failed().is_some()
                    || (movement.facts().is_late(at) && movement.facts().all_paid().is_ok()) =>
            {
                Learned::step(movement.undo(at))
            }
            Self::Committed(movement) if movement.facts().all_released().is_ok() => Learned::step(movement.finish(at)),
            Self::Undoing(movement) if movement.facts().all_undone().is_ok() => Learned::step(movement.end_undoing(at)),
            Self::Planned(_)
            | Self::Collecting(_)
            | Self::Committed(_)
            | Self::Done(_)
            | Self::Undoing(_)
            | Self::Undone(_) => Ok(Learned::Nothing(self)),
        }
    }

    // What is due of the others is for their orders: the escrow sees to that.
    fn due(self, at: &Stamp) -> Lesson {
        match self {
            Self::Planned(movement) if movement.facts().is_late(at) => Learned::step(movement.undo(at)),
            Self::Collecting(movement) => Learned::step(movement.undo(at)),
            Self::Planned(_) | Self::Committed(_) | Self::Done(_) | Self::Undoing(_) | Self::Undone(_) => {
                Ok(Learned::Nothing(self))
            }
        }
    }
}
