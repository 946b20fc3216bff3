//! The statuses of a loan, each with what only it knows.

use super::Owed;
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

/// The payout is on its way. Leads on by `disburse`, by itself.
#[derive(Debug)]
pub struct Disbursing {
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

/// It is paid back in time. Leads on by `repay`, and then by `settle`, by itself; else by `fall_behind` and
/// `declare_default`.
#[derive(Debug)]
pub struct Repaying {}

/// An instalment was not paid in time. Leads on by `repay`, and then by `catch_up` and `settle`, by itself; else by
/// `declare_default`.
#[derive(Debug)]
pub struct Late {}

/// Given up. Leads on by `repay` and `recover`, and then by `settle`, by itself; else by `write_off`.
#[derive(Debug)]
pub struct Defaulted {}

/// Nothing is owed any more.
#[derive(Debug)]
pub struct Repaid {}

/// What was not recovered is lost.
#[derive(Debug)]
pub struct WrittenOff {
    pub(super) lost: Owed,
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

impl Disbursing {
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

impl WrittenOff {
    /// What was owed, and is lost.
    #[must_use]
    pub const fn lost(&self) -> &Owed {
        &self.lost
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

/// A status that can be called off.
pub trait Cancellable {}

/// A status in which the borrower's destination may change.
pub trait Payable {}

/// A status that ends once every pledge has gone back.
pub trait Finishing: GivingBack {}

/// A status in which the borrower owes.
pub trait Owing {
    /// Whether the clock watches the instalments.
    #[doc(hidden)]
    const WATCHED: bool = false;
}

/// A status in which the schedule still holds.
pub trait Scheduled: Owing {}

impl Owing for Repaying {
    const WATCHED: bool = true;
}

macro_rules! marked {
    ($($as:ident for $status:ident),+) => { $( impl $as for $status {} )+ };
}

marked!(Cancellable for Open, Cancellable for Counting, Cancellable for Funded);
marked!(Payable for Open, Payable for Counting, Payable for Funded);
marked!(Finishing for Missed, Finishing for Cancelled);
marked!(Owing for Late, Owing for Defaulted, Scheduled for Repaying, Scheduled for Late);

leaving! {
    Disbursing: |state| Some(&state.payouts), Some(&mut state.payouts);
}
