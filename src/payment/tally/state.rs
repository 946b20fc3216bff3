//! What a payer has paid as low values.

use crate::{money::Money, payment::PayinId, time::Timestamp};

/// It counts. Leads on by `reset`, to itself.
#[derive(Debug, Default)]
pub struct Counting {
    pub(super) lows: Vec<Low>,
}

/// A payin that was exempt for its low value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Low {
    /// Which.
    pub payin: PayinId,
    /// How much, in minor units.
    pub amount: Money,
    /// When it was opened (UTC).
    pub at: Timestamp,
}

impl Counting {
    /// Those that count, in order: no more than five by the limits of the RTS.
    #[must_use]
    pub fn lows(&self) -> &[Low] {
        &self.lows
    }
}
