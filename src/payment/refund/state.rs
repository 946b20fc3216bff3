//! The statuses of a refund, each with what only it knows.

use super::Route;
use crate::{payment::RefundId, text::Prose};

/// It holds the money. Leads on by `approve`, `confirm`, `deny` and `cancel`.
#[derive(Debug, Default)]
pub struct Created {
    pub(super) approved: bool,
}

/// The payer has the money.
#[derive(Debug)]
pub struct Confirmed {}

/// The gateway declined. Leads on by `replace`.
#[derive(Debug)]
pub struct Denied {
    pub(super) reason: Prose,
    pub(super) went: Option<(RefundId, Route)>,
}

/// Called off.
#[derive(Debug)]
pub struct Cancelled {}

impl Created {
    /// Whether an operator has approved it.
    #[must_use]
    pub const fn approved(&self) -> bool {
        self.approved
    }
}

impl Denied {
    /// Why, in the gateway's words.
    #[must_use]
    pub const fn reason(&self) -> &Prose {
        &self.reason
    }

    /// The refund that its money went on to, and by which route; none while it still holds it.
    #[must_use]
    pub const fn went(&self) -> Option<&(RefundId, Route)> {
        self.went.as_ref()
    }
}
