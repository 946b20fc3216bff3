//! What is logged of an order.

use super::{PayoutPlan, ReturnUrls};
use crate::{
    money::{FeeRule, Money},
    party::PartyId,
    payment::{News, Outgoing, Paid, PayinId, PayoutId, RefundId},
    text::{Link, Name, Prose, Text},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Changes to what is known of an order; what is left out stays. After payment only `metadata` and `fee` may change
/// (Truust's public API reference).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Amendment {
    /// What is bought, in a few words.
    pub name: Option<Name>,
    /// What is bought, at length.
    pub description: Option<Prose>,
    /// A word of the host's own.
    pub tag: Option<Text<100>>,
    /// Data of the host's own, instead of what there was.
    pub metadata: Option<BTreeMap<Text<40>, Text<500>>>,
    /// Pictures, instead of what there were.
    pub images: Option<Vec<Link>>,
    /// Where to send buyer and seller afterwards.
    pub urls: Option<ReturnUrls>,
    /// The order's own fee rule.
    pub fee: Option<FeeRule>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BuyerIdentified {
    pub(super) buyer: PartyId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayinOpened {
    pub(super) payin: PayinId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayinDropped {
    pub(super) payin: PayinId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Published {
    pub(super) paid: Paid,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failed {
    pub(super) payin: PayinId,
    pub(super) reason: Prose,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Retried {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Accepted {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rejected {
    pub(super) refund: RefundId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cancelled {
    pub(super) refund: Option<RefundId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayoutSet {
    pub(super) plan: PayoutPlan,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validated {
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    pub(super) payouts: Outgoing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Undone {
    pub(super) refund: Option<RefundId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Released {
    pub(super) payouts: Vec<PayoutId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Blocked {
    pub(super) reason: Prose,
    pub(super) payout: Option<PayoutId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unblocked {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayoutCounted {
    pub(super) payout: PayoutId,
    pub(super) news: News,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayoutTakenBack {
    pub(super) payout: PayoutId,
    pub(super) amount: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartRefunded {
    pub(super) refund: RefundId,
    pub(super) amount: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefundTakenBack {
    pub(super) refund: RefundId,
    pub(super) amount: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Amended {
    pub(super) changes: Amendment,
}
