//! What is logged of a face-to-face deal.

use crate::{
    deal::{Award, Side},
    lifecycle::plain,
    money::Money,
    payment::{Destination, Outgoing, Paid},
    text::Prose,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

plain!(
    Joined,
    Rejected,
    Missed,
    DepositAccepted,
    RemainderSkipped,
    DepositRefunded,
    Escalated,
    Waived,
    ComplaintSettled
);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    pub(super) kept: Option<Money>,
    pub(super) refund: Outgoing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DepositPaid {
    pub(super) paid: Paid,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Priced {
    pub(super) price: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemainderPaid {
    pub(super) paid: Paid,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HandoverConfirmed {
    pub(super) by: Side,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Complained {
    pub(super) what: Prose,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComplaintPeriodEnded {
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundsReleased {
    pub(super) settled: Option<ComplaintPeriodEnded>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awarded {
    pub(super) award: Award,
    pub(super) outgoing: Outgoing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reviewed {
    pub(super) under_review: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayoutSet {
    pub(super) to: Destination,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Extended {
    pub(super) side: Side,
    pub(super) until: Timestamp,
}
