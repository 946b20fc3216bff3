//! What is logged of a campaign.

use crate::{
    lifecycle::Reason,
    money::Money,
    payment::{Destination, Outgoing},
    pledge::{Pledge, PledgeId, Returned},
};
use serde::{Deserialize, Serialize};

macro_rules! plain {
    ($($name:ident),+) => { $(
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub struct $name {}
    )+ };
}

plain!(Closed, Decided, Released, Cancelled, Finished);

// How many and how much is all that the campaign has to know: each pledge books its own entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gathered {
    pub(super) pledges: u32,
    pub(super) amount: Money,
    pub(super) through: Option<PledgeId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GivenBack {
    pub(super) pledges: Back,
    pub(super) through: Option<PledgeId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestGivenBack {
    pub(super) pledges: Back,
    pub(super) through: Option<PledgeId>,
}

/// Which pledges go back, and how much of each in minor units. The campaign books their entries, so each is named.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Back(pub(super) Vec<(PledgeId, i64)>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validated {
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayoutSet {
    pub(super) to: Destination,
}

impl Back {
    pub(super) fn of(pledges: &[&Pledge<Returned>]) -> Self {
        Self(pledges.iter().map(|pledge| (pledge.id(), pledge.facts().terms().offer.amount.minor())).collect())
    }

    /// What they come to, in the currency of `held`.
    pub(super) fn sum(&self, held: Money) -> Result<Money, Reason> {
        let currency = held.currency();
        Ok(Money::sum(self.0.iter().map(|(_, minor)| Money::from_minor(*minor, currency)), currency)?)
    }
}
