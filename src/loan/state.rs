//! The statuses of a loan once it is funded and validated, each with what only it knows. Those before are in `raising`.

use super::Owed;
use crate::{deal::leaving, money::Money, payment::Outgoing};

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

marked!(Owing for Late, Owing for Defaulted, Scheduled for Repaying, Scheduled for Late);

leaving! {
    Disbursing: |state| Some(&state.payouts), Some(&mut state.payouts);
}
