//! The statuses of a payout, each with what only it knows.

use super::Destination;
use crate::{money::Money, payment::PayoutId, text::Prose};

/// It holds the money. Leads on by `confirm`, `deny`, `hold` and `cancel`.
#[derive(Debug, Default)]
pub struct Created {}

/// It holds the money, and its payee may not be paid yet. Leads on by `let_go`, `deny` and `cancel`; stays by `hold`,
/// for another reason.
#[derive(Debug)]
pub struct Held {
    pub(super) reason: Prose,
}

/// The payee has the money. Leads on by `come_back`, should the bank send it back.
#[derive(Debug)]
pub struct Confirmed {}

/// The bank sent the money back. Leads on by `replace`.
#[derive(Debug)]
pub struct Returned {
    pub(super) back: Money,
    pub(super) reason: Prose,
    pub(super) went: Option<(PayoutId, Destination)>,
}

/// It was declined. Leads on by `replace` and `give_back`.
#[derive(Debug)]
pub struct Denied {
    pub(super) reason: Prose,
    // Whether the platform denied it while it was held.
    pub(super) for_good: bool,
    pub(super) went: Option<Went>,
}

/// Where the money of a denied payout went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Went {
    /// On to another payout.
    On {
        /// Which.
        payout: PayoutId,
        /// Where that one goes.
        to: Destination,
    },
    /// Back to where it came from.
    Back,
}

/// Called off before the gateway was asked.
#[derive(Debug)]
pub struct Cancelled {}

impl Held {
    /// Why, in the words of the host's policy.
    #[must_use]
    pub const fn reason(&self) -> &Prose {
        &self.reason
    }
}

impl Returned {
    /// How much came back, in minor units: what it holds until it is replaced.
    #[must_use]
    pub const fn back(&self) -> Money {
        self.back
    }

    /// Why, in the bank's words.
    #[must_use]
    pub const fn reason(&self) -> &Prose {
        &self.reason
    }

    /// The payout that its money went on to, and where that one goes; none while it still holds it.
    #[must_use]
    pub const fn went(&self) -> Option<&(PayoutId, Destination)> {
        self.went.as_ref()
    }
}

impl Denied {
    /// Why, in the words of the gateway, or of the platform where it was held.
    #[must_use]
    pub const fn reason(&self) -> &Prose {
        &self.reason
    }

    /// Whether the platform denied it while it was held, because its payee will never be allowed. What becomes of its money
    /// is for the platform alone then.
    #[must_use]
    pub const fn is_for_good(&self) -> bool {
        self.for_good
    }

    /// Where its money went; none while it still holds it.
    #[must_use]
    pub const fn went(&self) -> Option<&Went> {
        self.went.as_ref()
    }
}
