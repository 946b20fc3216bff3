//! What is known of a debt, and its statuses.

use super::Terms;
use crate::{money::Money, payment::RefundId};

/// What is known of a debt in every status.
#[derive(Debug)]
pub struct Facts {
    pub(super) terms: Terms,
    pub(super) recovered: Money,
    pub(super) returned: Money,
    pub(super) recouped: Money,
    // Each counts once.
    pub(super) recouped_of: Vec<RefundId>,
}

/// It is owed. Leads on by `recover`, `pay_off` and `cover`; ends by `write_off`.
#[derive(Debug, Default)]
pub struct Open {}

/// It is owed, and the platform has set as much aside. Leads on by `recover` and `pay_off`; ends by `write_off`.
#[derive(Debug)]
pub struct Covered {}

/// All of it was paid off, or recouped after it was written off.
#[derive(Debug)]
pub struct Paid {}

/// The rest of it is the platform's loss. Leads on by `recoup`, should the debtor get the money here after all.
#[derive(Debug)]
pub struct WrittenOff {
    pub(super) lost: Money,
}

impl Facts {
    /// The terms.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// How much of it came out of the debtor's wallet, in minor units, with what was recouped.
    #[must_use]
    pub const fn recovered(&self) -> Money {
        self.recovered
    }

    /// How much of that came after it was written off, in minor units.
    #[must_use]
    pub const fn recouped(&self) -> Money {
        self.recouped
    }

    /// How much of it was no longer owed because what had to be paid came back, in minor units.
    #[must_use]
    pub const fn returned(&self) -> Money {
        self.returned
    }

    /// What is left of it, in minor units, unless it was written off.
    #[must_use]
    pub fn remains(&self) -> Money {
        let paid = self.recovered.minor() + self.returned.minor();
        Money::from_minor(self.terms.amount.minor() - paid, self.terms.amount.currency())
    }
}

impl WrittenOff {
    /// How much the platform lost, in minor units: less what it has recouped since.
    #[must_use]
    pub const fn lost(&self) -> Money {
        self.lost
    }
}
