//! What pools log of their pledges.

use super::{Pledge, PledgeId, Returned};
use crate::{lifecycle::Reason, money::Money};
use serde::{Deserialize, Serialize};

// How many and how much is all that a pool has to know: each pledge books its own entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PoolGathered {
    pub(crate) pledges: u32,
    pub(crate) amount: Money,
    pub(crate) through: Option<PledgeId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PoolGaveBack {
    pub(crate) pledges: Back,
    pub(crate) through: Option<PledgeId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PoolGaveRestBack {
    pub(crate) pledges: Back,
    pub(crate) through: Option<PledgeId>,
}

/// Which pledges go back, and how much of each in minor units. The pool books their entries, so each is named.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Back(pub(crate) Vec<(PledgeId, i64)>);

impl Back {
    pub(crate) fn of(pledges: &[&Pledge<Returned>]) -> Self {
        Self(pledges.iter().map(|pledge| (pledge.id(), pledge.facts().terms().offer.amount.minor())).collect())
    }

    /// What they come to, in the currency of `held`.
    pub(crate) fn sum(&self, held: Money) -> Result<Money, Reason> {
        let currency = held.currency();
        Ok(Money::sum(self.0.iter().map(|(_, minor)| Money::from_minor(*minor, currency)), currency)?)
    }

    /// How many of so many pledges are left, and what of all that they come to, once these no longer count.
    pub(crate) fn out_of(&self, pledges: u64, raised: Money) -> Result<(u64, Money), Reason> {
        let left = pledges.checked_sub(self.0.len() as u64);
        let left = left.ok_or(Reason::Missing { what: "so many pledges that were gathered" })?;
        Ok((left, raised.checked_sub(self.sum(raised)?)?))
    }
}
