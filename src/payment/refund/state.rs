//! The statuses of a refund, each with what only it knows.

use super::Route;
use crate::{payment::RefundId, text::Prose};

/// It holds the money. Leads on by `approve`, `confirm`, `deny`, `replace` and `cancel`.
#[derive(Debug, Default)]
pub struct Created {
    pub(super) approved: bool,
}

/// The payer has the money. Leads on by `come_back`, should the bank send it back.
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

/// The bank sent the money back. Leads on by `replace`.
#[derive(Debug)]
pub struct Returned {
    pub(super) reason: Prose,
    pub(super) went: Option<(RefundId, Route)>,
}

/// Sent nowhere: its money went on before its approval.
#[derive(Debug)]
pub struct Replaced {
    pub(super) went: (RefundId, Route),
}

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

impl Returned {
    /// Why, in the bank's words.
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

impl Replaced {
    /// The refund that its money went on to, and by which route.
    #[must_use]
    pub const fn went(&self) -> &(RefundId, Route) {
        &self.went
    }
}
