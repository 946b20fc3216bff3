//! What is logged of a debt.

use crate::{id::Subject, money::Money, party::PartyId, payment::RefundId, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is settled when a debt is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What the money was of: the order or deal.
    pub about: Subject,
    /// What has to be paid all the same, and is with this debt's amount: a chargeback, or a refund of what was released.
    pub cause: Subject,
    /// Who owes it.
    pub debtor: PartyId,
    /// To whom: the platform, whose wallet bears what is written off.
    pub creditor: PartyId,
    /// How much, above zero, in minor units.
    pub amount: Money,
    /// When the worker looks for the first time whether the debtor's wallet holds something (UTC).
    pub due: Timestamp,
    /// How often it does so from then on.
    pub every: Duration,
}

/// Where the money comes from that pays a debt off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// From the debtor's wallet.
    Wallet,
    /// What had to be paid came back, and gives it: a chargeback that was won. It books the entry, in the same unit.
    Given(Subject),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recovered {
    pub(super) amount: Money,
    pub(super) from: Source,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaidOff {
    pub(super) from: Source,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Covered {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WrittenOff {}

// So much of what came by a refund.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recouped {
    pub(super) amount: Money,
    pub(super) refund: RefundId,
    pub(super) came: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deferred {}
