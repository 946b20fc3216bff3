//! What still comes of a payin that is over.

use crate::{
    gateway::{Capture, Outcome, Verb},
    ledger::Purpose,
    lifecycle::{Effects, Reason, Takes, Value},
    party::Stamp,
    payment::payin::{
        AnyPayin, Payin, event,
        state::{Chargeable, Over, Void},
    },
};

impl<S: Over + Chargeable> Takes<event::Answered> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, event: &event::Answered, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.expects(event.verb, &event.outcome)?;
        step.settle(self.key(event.verb), event.outcome.clone());
        Ok(())
    }
    fn make(mut self, event: event::Answered, _: &Stamp) -> Self {
        if event.verb == Verb::Void {
            self.state.after_mut().void = match event.outcome {
                Outcome::Settled { .. } | Outcome::Assured { .. } => Void::Settled,
                Outcome::Declined { .. } => Void::Declined,
                Outcome::Pending { .. } | Outcome::Challenged { .. } | Outcome::Returned { .. } => Void::Asked,
            };
        }
        self
    }
}

impl<S: Over + Chargeable> Takes<event::LetGo> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, event: &event::LetGo, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.came_late(Capture::Later)?;
        let moved = self.of_its_currency(event.moved)?;
        step.settle(self.key(Verb::Charge), self.charged(moved));
        // A void is asked for once. If it was declined, the card's bank lets the amount go when the reservation ends.
        if self.state.after().void == Void::NotAsked {
            step.call(self.facts().gateway.clone(), self.void(moved));
        }
        Ok(())
    }
    fn make(mut self, _: event::LetGo, _: &Stamp) -> Self {
        let after = self.state.after_mut();
        if after.void == Void::NotAsked {
            after.void = Void::Asked;
        }
        self
    }
}

impl<S: Over + Chargeable> Takes<event::Bounced> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, event: &event::Bounced, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.came_late(Capture::Now)?;
        let moved = self.of_its_currency(event.moved)?;
        step.settle(self.key(self.state.after().asked), self.charged(moved));
        step.receive(self.source(), moved, Purpose::Payin)?;
        self.open_refund(event.refund, moved, step)
    }
    fn make(mut self, event: event::Bounced, _: &Stamp) -> Self {
        self.state.after_mut().bounced = Some((event.refund, event.moved));
        self
    }
}
