//! What is logged of a loan.

use super::{Allotment, Owed};
pub(super) use crate::pledge::{
    PoolGathered as Gathered, PoolGaveBack as GivenBack, PoolGaveRestBack as RestGivenBack,
};
use crate::{
    lifecycle::plain,
    money::Money,
    payment::{Destination, Outgoing, Paid, PayinId},
};
use serde::{Deserialize, Serialize};

plain!(Closed, Decided, Disbursed, FellBehind, CaughtUp, Settled, DefaultDeclared, Cancelled, Finished);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validated {
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayoutSet {
    pub(super) to: Destination,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RepaymentOpened {
    pub(super) payin: PayinId,
    pub(super) amount: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecoveryOpened {
    pub(super) payin: PayinId,
    pub(super) amount: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Collected {
    pub(super) paid: Paid,
    pub(super) allotment: Allotment,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WroteOff {
    pub(super) lost: Owed,
}
