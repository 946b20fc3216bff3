//! What each event of a distribution demands, and what it makes of it. The same live and in replay.

use super::{Batch, Distribution, Shared, Sharing, event};
use crate::{
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes},
    money::Money,
    party::Stamp,
    pledge::Proceeds,
};

impl Distribution<Sharing> {
    // The parts are what the totals went up by, for pledges that had no turn yet.
    fn goes_on(&self, batch: &Batch) -> Result<(), Reason> {
        let grown = [0, 1].map(|kind| i128::from(batch.runs[kind].given()) - i128::from(self.state.runs[kind].given()));
        let (mut last, mut in_order) = (self.state.through, batch.through > self.state.through);
        for (pledge, ..) in &batch.parts {
            in_order &= Some(*pledge) > last && Some(*pledge) <= batch.through;
            last = Some(*pledge);
        }
        if grown == batch.sums() && in_order { Ok(()) } else { Err(Reason::Unlike { what: "what a lender gets" }) }
    }

    fn pay_out(&self, batch: &Batch, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.goes_on(batch)?;
        let currency = self.held().currency();
        for (pledge, principal, interest) in &batch.parts {
            let [principal, interest] = [*principal, *interest].map(|minor| Money::from_minor(minor, currency));
            let proceeds = Proceeds { principal, interest };
            proceeds.require_not_negative()?;
            step.pay(Account::Escrow(pledge.subject()), proceeds.sum()?, Purpose::Release)?;
        }
        Ok(())
    }

    fn went_on(mut self, batch: &Batch) -> Self {
        self.state = Sharing { runs: batch.runs, through: batch.through };
        self
    }
}

impl Takes<event::Shared> for Distribution<Sharing> {
    type Next = Self;
    fn check(&self, event: &event::Shared, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.pay_out(&event.0, step)
    }
    fn make(self, event: event::Shared, _: &Stamp) -> Self {
        self.went_on(&event.0)
    }
}

impl Takes<event::Passed> for Distribution<Sharing> {
    type Next = Self;
    fn check(&self, event: &event::Passed, _: &mut Effects<'_>) -> Result<(), Reason> {
        if event.0.pledges() > 0 {
            return Err(Reason::Unlike { what: "who gets nothing" });
        }
        self.goes_on(&event.0)
    }
    fn make(self, event: event::Passed, _: &Stamp) -> Self {
        self.went_on(&event.0)
    }
}

impl Takes<event::Finished> for Distribution<Sharing> {
    type Next = Distribution<Shared>;
    fn check(&self, event: &event::Finished, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.pay_out(&event.0, step)?;
        if self.is_last(&event.0) { Ok(()) } else { Err(Reason::Missing { what: "a lender for every part" }) }
    }
    fn make(self, _: event::Finished, _: &Stamp) -> Distribution<Shared> {
        self.enter(Shared {})
    }
}
