//! What is logged of a campaign.

pub(super) use crate::pledge::{
    PoolGathered as Gathered, PoolGaveBack as GivenBack, PoolGaveRestBack as RestGivenBack,
};
use crate::{
    money::Money,
    payment::{Destination, Outgoing},
};
use serde::{Deserialize, Serialize};

macro_rules! plain {
    ($($name:ident),+) => { $(
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub struct $name {}
    )+ };
}

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
