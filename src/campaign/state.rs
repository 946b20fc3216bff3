//! The statuses of a campaign, each with what only it knows.

use crate::{deal::leaving, money::Money, payment::Outgoing, pledge::PledgeId};

/// Pledges are taken. Leads on by `close`; ends by `cancel`.
#[derive(Debug, Default)]
pub struct Open {}

/// The last paid pledges are gathered. Leads on by `decide`, by itself; ends by `cancel`.
#[derive(Debug)]
pub struct Counting {
    pub(super) through: Option<PledgeId>,
}

/// The target is met. Leads on by `validate`; ends by `cancel`.
#[derive(Debug)]
pub struct Funded {}

/// The payout is on its way. Leads on by `release`, by itself.
#[derive(Debug)]
pub struct PendingRelease {
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

/// The owner has the money.
#[derive(Debug)]
pub struct Released {
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

/// The target was missed. Leads on by `give_back` and `finish`, by itself.
#[derive(Debug)]
pub struct Missed {
    pub(super) through: Option<PledgeId>,
}

/// Called off. Leads on by `give_back` and `finish`, by itself.
#[derive(Debug)]
pub struct Cancelled {
    pub(super) through: Option<PledgeId>,
}

/// Every pledge has gone back.
#[derive(Debug)]
pub struct Returned {}

impl PendingRelease {
    /// The fee that was booked, in minor units.
    #[must_use]
    pub const fn fee(&self) -> Money {
        self.fee
    }

    /// The payout; none when the owner asked for nothing.
    #[must_use]
    pub const fn payouts(&self) -> &Outgoing {
        &self.payouts
    }
}

impl Released {
    /// The fee that was booked, in minor units.
    #[must_use]
    pub const fn fee(&self) -> Money {
        self.fee
    }

    /// The payout.
    #[must_use]
    pub const fn payouts(&self) -> &Outgoing {
        &self.payouts
    }
}

/// A status in which paid pledges are gathered.
pub trait Gathering {
    #[doc(hidden)]
    fn got(&mut self, through: Option<PledgeId>);
}

/// A status in which pledges go back.
pub trait GivingBack {
    #[doc(hidden)]
    fn got(&mut self, through: Option<PledgeId>);
}

/// A status that can be called off.
pub trait Cancellable {}

/// A status in which the owner's destination may change.
pub trait Payable {}

impl Gathering for Open {
    fn got(&mut self, _: Option<PledgeId>) {}
}

impl GivingBack for Open {
    fn got(&mut self, _: Option<PledgeId>) {}
}

macro_rules! remembers {
    ($($as:ident for $status:ident),+) => { $(
        impl $as for $status {
            fn got(&mut self, through: Option<PledgeId>) {
                self.through = through.max(self.through);
            }
        }
    )+ };
}

remembers!(Gathering for Counting, GivingBack for Missed, GivingBack for Cancelled);

macro_rules! marked {
    ($($as:ident for $status:ident),+) => { $( impl $as for $status {} )+ };
}

marked!(Cancellable for Open, Cancellable for Counting, Cancellable for Funded);
marked!(Payable for Open, Payable for Counting, Payable for Funded);

leaving! {
    PendingRelease: |state| Some(&state.payouts), Some(&mut state.payouts);
}
