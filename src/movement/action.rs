//! What can be done with a movement, status by status.

use super::{
    AnyMovement, Collecting, Committed, Done, Movement, MovementId, Orders, Plan, Planned, Undoing, Undone, event,
    state::{Counting, Undoable},
};
use crate::{
    lifecycle::{Refused, Transition, Value},
    party::Stamp,
};

impl Movement<Planned> {
    /// Opens a movement. Its orders follow: [`Escrow::move_money`](crate::escrow::Escrow::move_money) opens them with it.
    ///
    /// # Errors
    /// [`Refused`] with the plan when it does not add up, the deadline has passed, or a stranger opens it.
    pub fn open(id: MovementId, plan: Plan, at: &Stamp) -> Result<Transition<Self>, Refused<Plan>> {
        Self::opened(id, plan, at)
    }

    /// Every payer has an order to pay.
    ///
    /// # Errors
    /// [`Refused`] while an order is not opened.
    pub fn collect(self, at: &Stamp) -> Result<Transition<Movement<Collecting>>, Refused<Self>> {
        self.take(event::Collected {}, at)
    }
}

impl Movement<Collecting> {
    /// Everything is paid: the point of no return.
    ///
    /// # Errors
    /// [`Refused`] while something is not, or at the deadline and later.
    pub fn commit(self, at: &Stamp) -> Result<Transition<Movement<Committed>>, Refused<Self>> {
        self.take(event::Committed {}, at)
    }
}

impl Movement<Committed> {
    /// Every payee has the money.
    ///
    /// # Errors
    /// [`Refused`] while one has not.
    pub fn finish(self, at: &Stamp) -> Result<Transition<Movement<Done>>, Refused<Self>> {
        self.take(event::Finished {}, at)
    }
}

impl Movement<Undoing> {
    /// Every order was called off.
    ///
    /// # Errors
    /// [`Refused`] while one was not.
    pub fn end_undoing(self, at: &Stamp) -> Result<Transition<Movement<Undone>>, Refused<Self>> {
        self.take(event::Undone {}, at)
    }
}

impl<S: Undoable> Movement<S>
where
    Self: Value<Any = AnyMovement>,
{
    /// Calls it off: every order is, and what was paid goes back.
    ///
    /// # Errors
    /// [`Refused`] when a stranger asks, the clock comes early, or nothing has failed.
    pub fn undo(self, at: &Stamp) -> Result<Transition<Movement<Undoing>>, Refused<Self>> {
        let event = self.why(at).map(|why| event::CalledOff { why });
        self.take_if(event, at)
    }
}

impl<S: Counting> Movement<S>
where
    Self: Value<Any = AnyMovement>,
{
    /// Takes to its knowledge how far its orders are, as they are after what is written in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when one is another's, or cannot be that far now.
    pub fn count(self, orders: Orders<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let event = self.counted(orders);
        self.take_if(event, at)
    }
}
