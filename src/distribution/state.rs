//! The statuses of a distribution, each with what only it knows.

use super::Run;
use crate::pledge::PledgeId;

/// It is shared out. Leads on by `share` and `finish`, by itself.
#[derive(Debug, Default)]
pub struct Sharing {
    pub(super) runs: [Run; 2],
    pub(super) through: Option<PledgeId>,
}

/// Everybody has their part.
#[derive(Debug)]
pub struct Shared {}

impl Sharing {
    /// All lenders up to this pledge had their turn.
    #[must_use]
    pub const fn through(&self) -> Option<PledgeId> {
        self.through
    }
}
