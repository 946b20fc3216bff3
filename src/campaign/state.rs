//! The statuses of a campaign once it is funded and validated, each with what only it knows. Those before are in `raising`.

use crate::{deal::leaving, money::Money, payment::Outgoing};

/// The payout is on its way. Leads on by `release`, by itself.
#[derive(Debug)]
pub struct PendingRelease {
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

/// The owner has the money.
#[derive(Debug)]
pub struct Released {
    pub(super) fee: Money,
    pub(super) payouts: Outgoing,
}

impl PendingRelease {
    /// The fee that was booked, in minor units.
    #[must_use]
    pub const fn fee(&self) -> Money {
        self.fee
    }

    /// The payout.
    #[must_use]
    pub const fn payouts(&self) -> &Outgoing {
        &self.payouts
    }
}

impl Released {
    /// The fee that was booked, in minor units.
    #[must_use]
    pub const fn fee(&self) -> Money {
        self.fee
    }

    /// The payout.
    #[must_use]
    pub const fn payouts(&self) -> &Outgoing {
        &self.payouts
    }
}

leaving! {
    PendingRelease: |state| Some(&state.payouts), Some(&mut state.payouts);
}
