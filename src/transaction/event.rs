//! What is logged of a transaction.

use super::{Complaint, Tracking};
use crate::{
    deal::{Award, Side},
    lifecycle::plain,
    money::Money,
    payment::{self, Destination, Outgoing},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

plain!(Joined, PaymentAccepted, Delivered, FundsReleased, ComplaintSettled, Refunded);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    pub(super) refund: Option<Outgoing>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Paid {
    pub(super) paid: payment::Paid,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tracked {
    pub(super) tracking: Tracking,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HandoverConfirmed {
    pub(super) by: Side,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Complained {
    pub(super) complaint: Complaint,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComplaintPeriodEnded {
    pub(super) platform: Money,
    pub(super) client: Money,
    pub(super) payouts: Outgoing,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awarded {
    pub(super) award: Award,
    pub(super) outgoing: Outgoing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayoutSet {
    pub(super) to: Destination,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrackingExtended {
    pub(super) until: Timestamp,
}
