//! The statuses of a face-to-face deal, each with what only it knows.

use crate::{
    deal::{Awarded, ComplaintPeriod, leaving},
    money::Money,
    payment::Outgoing,
    text::Prose,
};

/// Opened. Leads on by `join`; ends by `reject` and `cancel`.
#[derive(Debug, Default)]
pub struct Created {
    pub(super) misses: u32,
}

/// Both sides are there. Leads on by `pay` and `pay_deposit`; ends by `cancel`.
#[derive(Debug)]
pub struct Joined {}

/// The other side refused it.
#[derive(Debug)]
pub struct Rejected {}

/// The deposit is in. Leads on by `accept_deposit`; ends by `cancel`; stopped by `charge_back` and `charge_back_all`.
#[derive(Debug)]
pub struct DepositPaid {
    pub(super) under_review: bool,
}

/// Called off before any money came in.
#[derive(Debug)]
pub struct Cancelled {}

/// The seller took the deposit. Leads on by `set_price` and `skip_remainder`; ends by `cancel`; stopped by
/// `charge_back` and `charge_back_all`.
#[derive(Debug)]
pub struct DepositAccepted {}

/// The full price is set. Leads on by `pay` and `pay_remainder`, or `skip_remainder`; ends by `cancel`; stopped by
/// `charge_back` and `charge_back_all`.
#[derive(Debug)]
pub struct Priced {
    pub(super) price: Money,
}

/// Paid in full. Leads on by `confirm_handover`, `complain` and `escalate`; stopped by `charge_back` and
/// `charge_back_all`.
#[derive(Debug)]
pub struct RemainderPaid {}

/// Nothing but the deposit goes through escrow. Leads on by `confirm_handover`, `complain` and `escalate`; stopped by
/// `charge_back` and `charge_back_all`.
#[derive(Debug)]
pub struct RemainderSkipped {}

/// Called off after the deposit. Leads on by `refund_deposit`, by itself.
#[derive(Debug)]
pub struct CancelledWithDeposit {
    pub(super) refund: Outgoing,
}

/// The deposit is back with the buyer.
#[derive(Debug)]
pub struct DepositRefunded {
    pub(super) refund: Outgoing,
}

/// The buyer has the goods. Leads on by `confirm_handover`, `complain` and `end_complaint_period`; stopped by
/// `charge_back` and `charge_back_all`.
#[derive(Debug)]
pub struct BuyerHandoverConfirmed {
    pub(super) period: ComplaintPeriod,
}

/// The seller handed over. Leads on by `complain`, `end_complaint_period` and `release`; stopped by `charge_back` and
/// `charge_back_all`.
#[derive(Debug)]
pub struct SellerHandoverConfirmed {
    pub(super) period: ComplaintPeriod,
}

/// In dispute. Leads on by `award`, then by `settle_complaint`, by itself; ends by `close` where nothing is left; more
/// may be taken by `charge_back` and `charge_back_all`.
#[derive(Debug)]
pub struct Complained {
    pub(super) what: Option<Prose>,
    pub(super) awarded: Option<Awarded>,
}

/// Nobody complained in time. Leads on by `release`, by itself.
#[derive(Debug)]
pub struct ComplaintPeriodEnded {
    pub(super) payouts: Outgoing,
}

/// Over.
#[derive(Debug)]
pub struct FundsReleased {
    pub(super) outgoing: Outgoing,
}

impl Created {
    /// How many wrong join codes were tried.
    #[must_use]
    pub const fn misses(&self) -> u32 {
        self.misses
    }
}

impl DepositPaid {
    /// Whether the deposit's payment is under review.
    #[must_use]
    pub const fn under_review(&self) -> bool {
        self.under_review
    }
}

impl Priced {
    /// The whole price, deposit included, in minor units.
    #[must_use]
    pub const fn price(&self) -> Money {
        self.price
    }
}

impl Complained {
    /// What the buyer complains of; none when an arbiter was asked for want of a handover.
    #[must_use]
    pub const fn what(&self) -> Option<&Prose> {
        self.what.as_ref()
    }

    /// The arbiter's award, once there is one.
    #[must_use]
    pub const fn awarded(&self) -> Option<&Awarded> {
        self.awarded.as_ref()
    }
}

macro_rules! outgoing {
    ($($status:ident: $field:ident, $says:literal),+ $(,)?) => { $(
        impl $status {
            #[doc = $says]
            #[must_use]
            pub const fn outgoing(&self) -> &Outgoing {
                &self.$field
            }
        }
    )+ };
}

outgoing!(
    CancelledWithDeposit: refund, "The refund.",
    DepositRefunded: refund, "The refund.",
    ComplaintPeriodEnded: payouts, "The payouts.",
    FundsReleased: outgoing, "The payouts and refunds.",
);

/// A status in which the complaint period runs.
pub trait Running {
    /// The period.
    fn period(&self) -> &ComplaintPeriod;
    #[doc(hidden)]
    fn period_mut(&mut self) -> &mut ComplaintPeriod;
}

macro_rules! running {
    ($($status:ident),+) => { $(
        impl Running for $status {
            fn period(&self) -> &ComplaintPeriod {
                &self.period
            }
            fn period_mut(&mut self) -> &mut ComplaintPeriod {
                &mut self.period
            }
        }
    )+ };
}

running!(BuyerHandoverConfirmed, SellerHandoverConfirmed);

/// A status in which everything is paid and the handover is awaited.
pub trait Awaiting {}
impl Awaiting for RemainderPaid {}
impl Awaiting for RemainderSkipped {}

/// A status in which a payin is awaited, and of how much.
pub trait Payable {}
impl Payable for Joined {}
impl Payable for Priced {}

leaving! {
    CancelledWithDeposit: |state| Some(&state.refund), Some(&mut state.refund);
    ComplaintPeriodEnded: |state| Some(&state.payouts), Some(&mut state.payouts);
    Complained: |state| state.awarded.as_ref().map(|awarded| &awarded.outgoing),
        state.awarded.as_mut().map(|awarded| &mut awarded.outgoing);
}

/// A status in which the seller's destination may change.
pub trait Unpaid {}

macro_rules! unpaid {
    ($($status:ident),+) => { $( impl Unpaid for $status {} )+ };
}

unpaid!(
    Joined,
    DepositPaid,
    DepositAccepted,
    Priced,
    RemainderPaid,
    RemainderSkipped,
    BuyerHandoverConfirmed,
    SellerHandoverConfirmed
);
