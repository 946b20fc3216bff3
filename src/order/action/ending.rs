//! Money on its way back to the buyer: what can be done with an order.

use crate::{
    lifecycle::{Reason, Refused, Transition, Value},
    money::Money,
    order::{
        AnyOrder, Cancelled, Order, Published, Rejected, event,
        state::{Blockable, Cancellable, Undoable},
    },
    party::Stamp,
    payment::{Refund, refund},
};

impl Order<Published> {
    /// The seller refuses: a refund of all of it is opened, which waits for an operator's approval.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller asks.
    pub fn reject(self, at: &Stamp) -> Result<Transition<Order<Rejected>>, Refused<Self>> {
        let refund = self.next_refund(at);
        self.take(event::Rejected { refund }, at)
    }
}

impl<S: Blockable> Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    /// Opens a refund of some of the money by hand, in minor units. It waits for an operator's approval.
    ///
    /// # Errors
    /// [`Refused`] when what stays would not cover the fee.
    pub fn refund_part(self, amount: Money, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let refund = self.next_refund(at);
        self.take(event::PartRefunded { refund, amount }, at)
    }

    /// A refund that was opened by hand was called off, and its money is back.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, or the buyer bears a chargeback for it that was not won: the refund is to pay that.
    pub fn take_back_refund(
        self,
        refund: &Refund<refund::Cancelled>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        let (expected, found) = (self.id().subject(), refund.facts().source);
        if expected != found {
            return Err(Refused { value: self, reason: Reason::WrongSubject { expected, found } });
        }
        self.take(event::RefundTakenBack { refund: refund.id(), amount: refund.facts().amount }, at)
    }
}

impl<S: Cancellable> Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    /// Calls the order off. What was paid goes back by itself.
    ///
    /// # Errors
    /// [`Refused`] when this status leaves it to somebody else, or of a blocked release payouts are still out or a
    /// chargeback is not decided: nobody knows then what there will be to give back.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<Order<Cancelled>>, Refused<Self>> {
        let refund = self.state.paid().map(|_| self.next_refund(at));
        self.take(event::Cancelled { refund }, at)
    }
}

impl<S: Undoable> Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    /// What it is part of is undone, in the same unit. What was paid goes back by itself: the way it came, and by another refund
    /// into the payer's wallet what was charged back and not won.
    ///
    /// # Errors
    /// [`Refused`] when it stands alone, or somebody asks: it happens by itself.
    pub fn undo(self, at: &Stamp) -> Result<Transition<Order<Cancelled>>, Refused<Self>> {
        let event = self.undoing(at).map(|(refund, _)| event::Undone { refund });
        self.take_if(event, at)
    }
}
