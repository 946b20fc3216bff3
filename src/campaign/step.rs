//! What each event of a campaign demands, and what it makes of it. The same live and in replay.

use super::{Campaign, Counting, Funded, PendingRelease, Released, event};
use crate::{
    deal::{Counted, Leaving},
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes},
    party::Stamp,
    payment::{Destination, Outgoing, Way},
};

impl Campaign<Counting> {
    pub(super) fn is_funded(&self) -> Result<bool, Reason> {
        self.facts().terms.suffices(self.held())
    }
}

impl Campaign<Funded> {
    // The fee and the payout that a validation at this time opens. Computed anew in replay and compared.
    pub(super) fn settlement(&self, at: &Stamp) -> Result<event::Validated, Reason> {
        let (terms, raised) = (&self.facts().terms, self.held());
        let fee = terms.fee(raised)?;
        let to = terms.payout.clone().unwrap_or(Destination::Wallet);
        let parts = [(terms.owner.clone(), raised.checked_sub(fee)?, Way::Payout(to))];
        let payouts = Outgoing::plan(self.id().subject(), self.head.seq() + 1, at.at, parts);
        Ok(event::Validated { fee, payouts })
    }
}

impl Takes<event::Validated> for Campaign<Funded> {
    type Next = Campaign<PendingRelease>;
    fn check(&self, event: &event::Validated, step: &mut Effects<'_>) -> Result<(), Reason> {
        if *event != self.settlement(step.stamp())? {
            return Err(Reason::Unlike { what: "what the owner gets" });
        }
        let terms = &self.facts().terms;
        if event.fee.is_positive() {
            step.pay(Account::Wallet(terms.platform.clone()), event.fee, Purpose::Fee)?;
        }
        event.payouts.open(&terms.gateway, step)
    }
    fn make(self, event: event::Validated, _: &Stamp) -> Campaign<PendingRelease> {
        self.enter(PendingRelease { fee: event.fee, payouts: event.payouts })
    }
}

impl Takes<event::Released> for Campaign<PendingRelease> {
    type Next = Campaign<Released>;
    fn check(&self, _: &event::Released, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.must_have_arrived()
    }
    fn make(mut self, _: event::Released, _: &Stamp) -> Campaign<Released> {
        let (fee, payouts) = (self.state.fee, std::mem::take(&mut self.state.payouts));
        self.enter(Released { fee, payouts })
    }
}

impl Takes<Counted> for Campaign<PendingRelease> {
    type Next = Self;
    fn check(&self, event: &Counted, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.may_count(event)
    }
    fn make(mut self, event: Counted, _: &Stamp) -> Self {
        self.state.count(&event);
        self
    }
}
