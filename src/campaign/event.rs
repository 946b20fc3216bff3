//! What is logged of a campaign.

pub(super) use crate::pledge::{
    PoolGathered as Gathered, PoolGaveBack as GivenBack, PoolGaveRestBack as RestGivenBack,
};
use crate::{
    lifecycle::plain,
    money::Money,
    payment::{Destination, Outgoing},
};
use serde::{Deserialize, Serialize};

plain!(Closed, Decided, Released, Cancelled, Finished);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validated {
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayoutSet {
    pub(super) to: Destination,
}
