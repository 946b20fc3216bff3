//! The statuses of a pledge, each with what only it knows.

use crate::{deal::leaving, payment::Outgoing};

/// The payment is awaited. Leads on by `pay`, `collect` and `turn_away`; ends by `cancel`.
#[derive(Debug, Default)]
pub struct Created {}

/// Paid. Leads on by `gather`; back by `withdraw` and `give_back`.
#[derive(Debug)]
pub struct Paid {}

/// The money is with what it was pledged to. Back by `withdraw` and `give_back`.
#[derive(Debug)]
pub struct Gathered {}

/// The refund is on its way. Leads on by `refund`, by itself.
#[derive(Debug)]
pub struct Returned {
    pub(super) refund: Outgoing,
}

/// The backer has the money back.
#[derive(Debug)]
pub struct Refunded {
    pub(super) refund: Outgoing,
}

/// Called off before anything was paid.
#[derive(Debug)]
pub struct Cancelled {}

impl Returned {
    /// The refund, and where it stands.
    #[must_use]
    pub const fn outgoing(&self) -> &Outgoing {
        &self.refund
    }
}

impl Refunded {
    /// The refund.
    #[must_use]
    pub const fn outgoing(&self) -> &Outgoing {
        &self.refund
    }
}

/// A status from which the backer's money can go back, and whether it has to come back first from what it was pledged to.
pub trait Returnable {
    /// Whether the money is with what it was pledged to.
    const GATHERED: bool;
}

impl Returnable for Paid {
    const GATHERED: bool = false;
}

impl Returnable for Gathered {
    const GATHERED: bool = true;
}

leaving! {
    Returned: |state| Some(&state.refund), Some(&mut state.refund);
}
