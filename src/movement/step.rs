//! What each event of a movement demands, and what it makes of it. The same live and in replay.

use super::{
    AnyMovement, Collecting, Committed, Done, Movement, Planned, Undoing, Undone, event,
    state::{Counting, Undoable},
};
use crate::{
    lifecycle::{Effects, Reason, Takes, Value},
    party::Stamp,
};

impl Takes<event::Collected> for Movement<Planned> {
    type Next = Movement<Collecting>;
    fn check(&self, _: &event::Collected, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().all_open()
    }
    fn make(mut self, _: event::Collected, _: &Stamp) -> Movement<Collecting> {
        self.head.deadline = Some(self.facts().plan().frame().until);
        self.enter(Collecting {})
    }
}

impl Takes<event::Committed> for Movement<Collecting> {
    type Next = Movement<Committed>;
    fn check(&self, _: &event::Committed, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_commit(step.stamp())
    }
    fn make(mut self, _: event::Committed, at: &Stamp) -> Movement<Committed> {
        // There is something to do from now on, until it is done.
        self.head.deadline = Some(at.at);
        self.enter(Committed {})
    }
}

impl Takes<event::Finished> for Movement<Committed> {
    type Next = Movement<Done>;
    fn check(&self, _: &event::Finished, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().all_released()
    }
    fn make(self, _: event::Finished, _: &Stamp) -> Movement<Done> {
        self.enter(Done {})
    }
}

impl<S: Undoable> Takes<event::CalledOff> for Movement<S>
where
    Self: Value<Any = AnyMovement>,
{
    type Next = Movement<Undoing>;
    fn check(&self, event: &event::CalledOff, step: &mut Effects<'_>) -> Result<(), Reason> {
        if self.why(step.stamp())? == event.why { Ok(()) } else { Err(Reason::Unlike { what: "why it was undone" }) }
    }
    fn make(mut self, event: event::CalledOff, at: &Stamp) -> Movement<Undoing> {
        self.head.deadline = Some(at.at);
        self.enter(Undoing { why: event.why })
    }
}

impl Takes<event::Undone> for Movement<Undoing> {
    type Next = Movement<Undone>;
    fn check(&self, _: &event::Undone, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().all_undone()
    }
    fn make(self, _: event::Undone, _: &Stamp) -> Movement<Undone> {
        let why = self.state.why;
        self.enter(Undone { why })
    }
}

impl<S: Counting> Takes<event::Counted> for Movement<S>
where
    Self: Value<Any = AnyMovement>,
{
    type Next = Self;
    fn check(&self, event: &event::Counted, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_count(event)
    }
    fn make(mut self, event: event::Counted, at: &Stamp) -> Self {
        for (nth, stands) in &event.orders {
            // `check` has found that there is one.
            if let Some(known) = usize::try_from(*nth).ok().and_then(|nth| self.head.facts.stands.get_mut(nth)) {
                *known = *stands;
            }
        }
        self.head.deadline = self.facts().due(S::STAGE, at);
        self
    }
}
