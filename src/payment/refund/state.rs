//! The statuses of a refund, each with what only it knows.

use super::Route;
use crate::{
    money::Money,
    payment::{ChargebackId, RefundId},
    text::Prose,
};

/// It holds the money. Leads on by `approve`, `confirm`, `deny`, `replace` and `cancel`.
#[derive(Debug, Default)]
pub struct Created {
    pub(super) approved: bool,
    pub(super) owed_for: Vec<ChargebackId>,
}

/// The payer has the money. Leads on by `come_back`, should the bank send it back.
#[derive(Debug)]
pub struct Confirmed {
    pub(super) owed_for: Vec<ChargebackId>,
}

/// The gateway declined. Leads on by `replace`.
#[derive(Debug)]
pub struct Denied {
    pub(super) reason: Prose,
    pub(super) owed_for: Vec<ChargebackId>,
    pub(super) went: Option<(RefundId, Route)>,
}

/// Called off.
#[derive(Debug)]
pub struct Cancelled {}

/// The bank sent the money back. Leads on by `replace`.
#[derive(Debug)]
pub struct Returned {
    pub(super) back: Money,
    pub(super) reason: Prose,
    pub(super) owed_for: Vec<ChargebackId>,
    pub(super) went: Option<(RefundId, Route)>,
}

/// Sent nowhere: its money went on before its approval.
#[derive(Debug)]
pub struct Replaced {
    pub(super) went: (RefundId, Route),
}

/// A status from which its money may be sent, now or once it has come back.
pub trait Sendable {
    /// The chargebacks of its payin for which its payer came to owe something, and that were not won. While there is one, its
    /// money goes into the payer's wallet only: outside, the payer has it already.
    fn owed_for(&self) -> &[ChargebackId];
    #[doc(hidden)]
    fn owed_for_mut(&mut self) -> &mut Vec<ChargebackId>;
}

macro_rules! sendable {
    ($($status:ident),+) => { $(
        impl Sendable for $status {
            fn owed_for(&self) -> &[ChargebackId] {
                &self.owed_for
            }
            fn owed_for_mut(&mut self) -> &mut Vec<ChargebackId> {
                &mut self.owed_for
            }
        }
    )+ };
}

sendable!(Created, Confirmed, Denied, Returned);

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
