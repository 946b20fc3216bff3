//! A challenge of the payer, and what is said of it.

use crate::{
    gateway::{Outcome, Verb},
    lifecycle::{Effects, Reason, Takes, Value},
    party::Stamp,
    payment::payin::{
        AnyPayin, Created, Payin, event,
        state::{Challenge, Chargeable, Sca, Secured},
    },
};

impl Takes<event::Challenged> for Payin<Created> {
    type Next = Self;
    fn check(&self, event: &event::Challenged, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.awaits_gateway()?;
        let (direct_link, until) = (event.direct_link.clone(), event.until);
        step.settle(self.key(Verb::Charge), Outcome::Challenged { direct_link, until });
        Ok(())
    }
    fn make(mut self, event: event::Challenged, _: &Stamp) -> Self {
        let event::Challenged { direct_link, until } = event;
        // Whichever comes first calls it off: the end of the challenge, or that of the payin.
        self.head.deadline = [self.facts().expires, until].into_iter().flatten().min();
        self.state.direct_link = Some(direct_link.clone());
        self.state.sca.challenge = Some(Challenge { direct_link, until });
        self
    }
}

impl<S: Secured> Payin<S> {
    pub(super) fn sca_taken(&mut self) -> Sca {
        std::mem::take(self.state.sca_mut())
    }
}

impl<S: Secured> Takes<event::CameBack> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, _: &event::CameBack, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_come_back()
    }
    fn make(mut self, _: event::CameBack, _: &Stamp) -> Self {
        self.state.sca_mut().came_back = true;
        self
    }
}

impl<S: Chargeable> Takes<event::Assured> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, _: &event::Assured, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_be_assured()
    }
    fn make(mut self, event: event::Assured, _: &Stamp) -> Self {
        self.state.sca_mut().assurance = Some(event.assurance);
        self
    }
}
