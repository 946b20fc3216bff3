//! The statuses of a transaction, each with what only it knows.

use super::{Complaint, Tracking};
use crate::{
    deal::{Awarded, ComplaintPeriod, leaving},
    payment::Outgoing,
    time::Timestamp,
};

/// Opened. Leads on by `join`; ends by `cancel`.
#[derive(Debug, Default)]
pub struct Created {}

/// Both sides are there. Leads on by `open_payin` and `pay`; ends by `cancel`.
#[derive(Debug)]
pub struct Joined {}

/// The buyer paid. Leads on by `accept_payment`; ends by `cancel`; stopped by `charge_back` and `charge_back_all`.
#[derive(Debug)]
pub struct Paid {}

/// The seller accepted. Leads on by `track` and `confirm_handover`; ends by `cancel`; stopped by `charge_back` and
/// `charge_back_all`.
#[derive(Debug)]
pub struct PaymentAccepted {
    pub(super) track_until: Timestamp,
}

/// The seller gave a tracking number. Leads on by `deliver`; ends by `cancel`; stopped by `charge_back` and
/// `charge_back_all`.
#[derive(Debug)]
pub struct Tracked {
    pub(super) tracking: Tracking,
}

/// Delivery is confirmed. Leads on by `complain` and `end_complaint_period`; stopped by `charge_back` and
/// `charge_back_all`.
#[derive(Debug)]
pub struct Delivered {
    pub(super) period: ComplaintPeriod,
}

/// The buyer confirmed the handover. Leads on by `complain` and `end_complaint_period`; stopped by `charge_back` and
/// `charge_back_all`.
#[derive(Debug)]
pub struct BuyerHandoverConfirmed {
    pub(super) period: ComplaintPeriod,
}

/// The seller confirmed the handover. Leads on by `complain` and `end_complaint_period`; stopped by `charge_back` and
/// `charge_back_all`.
#[derive(Debug)]
pub struct SellerHandoverConfirmed {
    pub(super) period: ComplaintPeriod,
}

/// In dispute. Leads on by `award`, then by `settle_complaint` or `refund`, by itself; ends by `close` where nothing is
/// left; more may be taken by `charge_back` and `charge_back_all`.
#[derive(Debug)]
pub struct ComplaintSubmitted {
    pub(super) complaint: Complaint,
    pub(super) awarded: Option<Awarded>,
}

/// Nobody complained in time. Leads on by `release`, by itself.
#[derive(Debug)]
pub struct ComplaintPeriodEnded {
    pub(super) payouts: Outgoing,
}

/// Called off. Leads on by `refund`, by itself, where something was paid.
#[derive(Debug)]
pub struct Cancelled {
    pub(super) refund: Option<Outgoing>,
}

/// The buyer has the money back.
#[derive(Debug)]
pub struct Refunded {
    pub(super) outgoing: Outgoing,
}

/// Over.
#[derive(Debug)]
pub struct FundsReleased {
    pub(super) outgoing: Outgoing,
}

impl PaymentAccepted {
    /// Until when the seller has to give a tracking number (UTC).
    #[must_use]
    pub const fn track_until(&self) -> Timestamp {
        self.track_until
    }
}

impl Tracked {
    /// How the parcel is followed.
    #[must_use]
    pub const fn tracking(&self) -> &Tracking {
        &self.tracking
    }
}

impl ComplaintSubmitted {
    /// What the buyer complains of.
    #[must_use]
    pub const fn complaint(&self) -> &Complaint {
        &self.complaint
    }

    /// The arbiter's award, once there is one.
    #[must_use]
    pub const fn awarded(&self) -> Option<&Awarded> {
        self.awarded.as_ref()
    }
}

impl ComplaintPeriodEnded {
    /// The payouts.
    #[must_use]
    pub const fn outgoing(&self) -> &Outgoing {
        &self.payouts
    }
}

impl Cancelled {
    /// The refund; none when nothing was paid.
    #[must_use]
    pub const fn outgoing(&self) -> Option<&Outgoing> {
        self.refund.as_ref()
    }
}

impl Refunded {
    /// The refund.
    #[must_use]
    pub const fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }
}

impl FundsReleased {
    /// The payouts and refunds.
    #[must_use]
    pub const fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }
}

/// A status in which the complaint period runs.
pub trait Running {
    /// The period.
    fn period(&self) -> &ComplaintPeriod;
}

macro_rules! running {
    ($($status:ident),+) => { $(
        impl Running for $status {
            fn period(&self) -> &ComplaintPeriod {
                &self.period
            }
        }
    )+ };
}

running!(Delivered, BuyerHandoverConfirmed, SellerHandoverConfirmed);

/// A status that can be called off, and whether something was paid by then, which goes back.
pub trait Cancellable {
    /// Whether something was paid.
    const PAID: bool;
}

macro_rules! cancellable {
    ($($status:ident: $paid:literal),+ $(,)?) => { $(
        impl Cancellable for $status {
            const PAID: bool = $paid;
        }
    )+ };
}

cancellable!(Created: false, Joined: false, Paid: true, PaymentAccepted: true, Tracked: true);

/// A status in which the seller's destination may change.
pub trait Payable {}

macro_rules! payable {
    ($($status:ident),+) => { $( impl Payable for $status {} )+ };
}

payable!(Joined, Paid, PaymentAccepted, Tracked, Delivered, BuyerHandoverConfirmed, SellerHandoverConfirmed);

leaving! {
    Cancelled: |state| state.refund.as_ref(), state.refund.as_mut();
    ComplaintPeriodEnded: |state| Some(&state.payouts), Some(&mut state.payouts);
    ComplaintSubmitted: |state| state.awarded.as_ref().map(|awarded| &awarded.outgoing),
        state.awarded.as_mut().map(|awarded| &mut awarded.outgoing);
}
