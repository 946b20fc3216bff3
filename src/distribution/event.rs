//! What is logged of a distribution.

use super::Run;
use crate::pledge::{PledgeId, Proceeds};
use serde::{Deserialize, Serialize};

/// Which pledges get how much, and how far that brings it. Made by
/// [`Distribution::next_batch`](super::Distribution::next_batch).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    // Pledge, principal, interest, in minor units: who gets nothing is not named.
    pub(super) parts: Vec<(PledgeId, i64, i64)>,
    // Of principal and of interest.
    pub(super) runs: [Run; 2],
    // All up to this one had their turn.
    pub(super) through: Option<PledgeId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shared(pub(super) Batch);

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Passed(pub(super) Batch);

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Finished(pub(super) Batch);

impl Batch {
    /// How many pledges get something.
    #[must_use]
    pub fn pledges(&self) -> usize {
        self.parts.len()
    }

    // Principal and interest that its parts come to.
    pub(super) fn sums(&self) -> [i128; 2] {
        let sum = |minor: fn(&(PledgeId, i64, i64)) -> i64| self.parts.iter().map(|part| i128::from(minor(part))).sum();
        [sum(|part| part.1), sum(|part| part.2)]
    }

    pub(super) fn note(&mut self, pledge: PledgeId, proceeds: &Proceeds) {
        if proceeds.principal.is_positive() || proceeds.interest.is_positive() {
            self.parts.push((pledge, proceeds.principal.minor(), proceeds.interest.minor()));
        }
        self.through = Some(pledge);
    }
}
