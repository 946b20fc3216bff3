//! What a movement has to do next, which is due at once until it is done.

use super::{AnyMovement, Facts, Stands, state::Stage};
use crate::{party::Stamp, time::Timestamp};

/// What has to happen to some of a movement's orders, in one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Work {
    /// These are to be opened, for their payers to pay.
    Open(Vec<u32>),
    /// These are paid, and are to be settled.
    Settle(Vec<u32>),
    /// These are to be opened, paid from the movement's own wallet, and settled.
    Spread(Vec<u32>),
    /// These are to be called off.
    Undo(Vec<u32>),
}

impl AnyMovement {
    /// What it has to do next by itself, at most `limit` orders of it; none when it waits for others, or is over.
    pub(crate) fn work(&self, limit: usize) -> Option<Work> {
        match self {
            Self::Planned(movement) => movement.facts().work(Stage::Before, limit),
            Self::Collecting(_) | Self::Done(_) | Self::Undone(_) => None,
            Self::Committed(movement) => movement.facts().work(Stage::After, limit),
            Self::Undoing(movement) => movement.facts().work(Stage::Back, limit),
        }
    }
}

impl Facts {
    fn work(&self, stage: Stage, limit: usize) -> Option<Work> {
        let first = self.first().len();
        let some = |from: usize, orders: &[Stands], wanted: &[Stands]| -> Vec<u32> {
            let places = (from..).zip(orders).filter(|(_, stands)| wanted.contains(stands));
            places.filter_map(|(place, _)| u32::try_from(place).ok()).take(limit).collect()
        };
        let work = match stage {
            Stage::Before => Work::Open(some(0, self.first(), &[Stands::Planned])),
            Stage::After if self.funded() => Work::Spread(some(first, self.last(), &[Stands::Planned])),
            Stage::After => Work::Settle(some(0, self.first(), &[Stands::Paid])),
            Stage::Back => Work::Undo(some(0, self.first(), &[Stands::Open, Stands::Failed, Stands::Paid])),
        };
        let (Work::Open(orders) | Work::Settle(orders) | Work::Spread(orders) | Work::Undo(orders)) = &work;
        if orders.is_empty() { None } else { Some(work) }
    }

    /// When the clock acts next: now, while there is something to do.
    pub(super) fn due(&self, stage: Stage, at: &Stamp) -> Option<Timestamp> {
        match self.work(stage, 1) {
            Some(_) => Some(at.at),
            None if stage == Stage::Before => Some(self.plan().frame().until),
            None => None,
        }
    }
}
