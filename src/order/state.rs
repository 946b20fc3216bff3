//! The statuses of an order, each with what only it knows. What is large or goes on from status to status is in a box, so
//! that an order of any status stays small enough to be moved about.

use super::PayoutPlan;
use crate::{
    lifecycle::Reason,
    money::Money,
    payment::{Aftermath, Outgoing, Paid, PayinId, RefundId, Stands},
    text::Prose,
};

/// Somebody opened the order. Leads on by `identify_buyer`; ends by `cancel`.
#[derive(Debug, Default)]
pub struct Draft {}

/// The payment is awaited. Leads on by `pay`, `publish` and `fail`; ends by `cancel`, or `undo` with its movement.
#[derive(Debug)]
pub struct PendingPublish {
    pub(super) payin: Option<PayinId>,
}

/// The last payin failed. Leads on by `retry`; ends by `cancel`, or `undo` with its movement.
#[derive(Debug)]
pub struct Failure {
    pub(super) payin: PayinId,
    pub(super) reason: Prose,
}

/// Paid. Leads on by `accept`, or `settle` with its movement; ends by `reject` and `cancel`, or `undo` with its
/// movement; stopped by `block`, `charge_back` and `charge_back_all`.
#[derive(Debug)]
pub struct Published {
    pub(super) paid: Box<Paid>,
}

/// The seller accepted. Leads on by `set_payout`; ends by `cancel`; stopped by `block`, `charge_back` and
/// `charge_back_all`.
#[derive(Debug)]
pub struct Accepted {
    pub(super) paid: Box<Paid>,
}

/// Payout details are there. Leads on by `validate`, or `set_payout` to itself; ends by `cancel`; stopped by `block`, `charge_back` and
/// `charge_back_all`.
#[derive(Debug)]
pub struct PendingValidate {
    pub(super) paid: Box<Paid>,
    pub(super) plan: PayoutPlan,
    // What each payee was to get when the plan was made: later refunds take from each in this proportion.
    pub(super) planned: Vec<Money>,
}

/// The payouts are on their way. Leads on by `release`; stopped by a denied payout, which is a `block`.
#[derive(Debug)]
pub struct PendingRelease {
    pub(super) paid: Box<Paid>,
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

/// The release is stopped. Leads on by `unblock`; ends by `cancel`, or `close` where nothing is left; more may be taken
/// by `charge_back` and `charge_back_all`.
#[derive(Debug)]
pub struct BlockedRelease {
    pub(super) reason: Prose,
    pub(super) was: Box<Was>,
}

/// The status that an order was blocked in, with what that status knew.
#[derive(Debug)]
pub enum Was {
    /// `PUBLISHED`.
    Published(Published),
    /// `ACCEPTED`.
    Accepted(Accepted),
    /// `PENDING_VALIDATE`.
    PendingValidate(PendingValidate),
    /// `PENDING_RELEASE`.
    PendingRelease(PendingRelease),
}

/// Called off.
#[derive(Debug)]
pub struct Cancelled {
    pub(super) refund: Option<RefundId>,
    pub(super) abandoned: Option<PayinId>,
    pub(super) released: Option<Box<PendingRelease>>,
}

/// The seller refused.
#[derive(Debug)]
pub struct Rejected {
    pub(super) refund: RefundId,
}

/// Every payout is confirmed.
#[derive(Debug)]
pub struct Released {
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

impl PendingPublish {
    /// The payin under way.
    #[must_use]
    pub const fn payin(&self) -> Option<PayinId> {
        self.payin
    }
}

impl Failure {
    /// The payin that failed.
    #[must_use]
    pub const fn payin(&self) -> PayinId {
        self.payin
    }

    /// Why, in the gateway's words.
    #[must_use]
    pub const fn reason(&self) -> &Prose {
        &self.reason
    }
}

impl PendingValidate {
    /// Who is paid how much and where to.
    #[must_use]
    pub const fn plan(&self) -> &PayoutPlan {
        &self.plan
    }
}

impl PendingRelease {
    /// The fee that was booked, in minor units.
    #[must_use]
    pub const fn fee(&self) -> Money {
        self.fee
    }

    /// The payouts, in the plan's order.
    #[must_use]
    pub const fn payouts(&self) -> &Outgoing {
        &self.payouts
    }
}

impl BlockedRelease {
    /// Why, in the operator's or the gateway's words.
    #[must_use]
    pub const fn reason(&self) -> &Prose {
        &self.reason
    }

    /// Where it was blocked.
    #[must_use]
    pub const fn was(&self) -> &Was {
        &self.was
    }
}

impl Cancelled {
    /// The first refund that was opened; none when nothing had been paid, or nothing was left. A part of a movement of which
    /// some was charged back has two: [`Query::About`](crate::store::Query::About) finds both.
    #[must_use]
    pub const fn refund(&self) -> Option<RefundId> {
        self.refund
    }

    /// What was released before: the fee that was kept, and the payouts, of which those that did not give their money back went
    /// through. None when it was never validated.
    #[must_use]
    pub fn released(&self) -> Option<&PendingRelease> {
        self.released.as_deref()
    }
}

impl Rejected {
    /// The refund that is owed.
    #[must_use]
    pub const fn refund(&self) -> RefundId {
        self.refund
    }
}

impl Released {
    /// The fee that was booked, in minor units.
    #[must_use]
    pub const fn fee(&self) -> Money {
        self.fee
    }

    /// The payouts, in the plan's order.
    #[must_use]
    pub const fn payouts(&self) -> &Outgoing {
        &self.payouts
    }
}

/// A status in which the order holds the buyer's money.
pub trait Funded {
    /// How it was paid.
    fn paid(&self) -> &Paid;
}

/// A status that can be called off.
pub trait Cancellable {
    /// How it was paid; none when it was not.
    fn paid(&self) -> Option<&Paid>;
    /// A payin that is still under way.
    fn underway(&self) -> Option<PayinId>;
    /// Whether it is known what there is to give back.
    #[doc(hidden)]
    fn may_end(&self, _: &Aftermath) -> Result<(), Reason> {
        Ok(())
    }
    /// What of it was released.
    #[doc(hidden)]
    fn released(self) -> Option<Box<PendingRelease>>
    where
        Self: Sized,
    {
        None
    }
}

/// A status that is undone together with what the order is part of.
pub trait Undoable: Cancellable {}
impl Undoable for PendingPublish {}
impl Undoable for Failure {}
impl Undoable for Published {}

/// A status that an operator can block.
pub trait Blockable: Funded {
    /// The same with its name.
    #[doc(hidden)]
    fn was(self) -> Was;
}

macro_rules! funded {
    ($($status:ident),+) => { $(
        impl Funded for $status {
            fn paid(&self) -> &Paid {
                &self.paid
            }
        }
        impl Cancellable for $status {
            fn paid(&self) -> Option<&Paid> {
                Some(&self.paid)
            }
            fn underway(&self) -> Option<PayinId> {
                None
            }
        }
        impl Blockable for $status {
            fn was(self) -> Was {
                Was::$status(self)
            }
        }
    )+ };
}

funded!(Published, Accepted, PendingValidate);

impl BlockedRelease {
    // While a payout is out, nobody knows yet what there will be to refund.
    pub(super) fn none_out(&self) -> Result<(), Reason> {
        let Was::PendingRelease(release) = &*self.was else { return Ok(()) };
        let mut out = release.payouts.standing(Stands::Open).chain(release.payouts.standing(Stands::Denied));
        out.next().map_or(Ok(()), |leg| Err(Reason::Underway(leg.payment)))
    }
}

impl Funded for BlockedRelease {
    fn paid(&self) -> &Paid {
        match &*self.was {
            Was::Published(was) => &was.paid,
            Was::Accepted(was) => &was.paid,
            Was::PendingValidate(was) => &was.paid,
            Was::PendingRelease(was) => &was.paid,
        }
    }
}

impl Cancellable for BlockedRelease {
    fn paid(&self) -> Option<&Paid> {
        Some(Funded::paid(self))
    }
    fn underway(&self) -> Option<PayinId> {
        None
    }
    fn may_end(&self, aftermath: &Aftermath) -> Result<(), Reason> {
        self.none_out()?;
        aftermath.decided()
    }
    fn released(self) -> Option<Box<PendingRelease>> {
        match *self.was {
            Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) => None,
            Was::PendingRelease(release) => Some(Box::new(release)),
        }
    }
}

impl Cancellable for Draft {
    fn paid(&self) -> Option<&Paid> {
        None
    }
    fn underway(&self) -> Option<PayinId> {
        None
    }
}

impl Cancellable for PendingPublish {
    fn paid(&self) -> Option<&Paid> {
        None
    }
    fn underway(&self) -> Option<PayinId> {
        self.payin
    }
}

impl Cancellable for Failure {
    fn paid(&self) -> Option<&Paid> {
        None
    }
    fn underway(&self) -> Option<PayinId> {
        None
    }
}
