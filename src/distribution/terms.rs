//! What a distribution is about.

use super::{AnyDistribution, DistributionId, Tranche};
use crate::{
    id::Subject,
    lifecycle::{self, Effects, Opening, Reason},
    money::Money,
    party::{Actor, PartyId, Role, Stamp},
    pledge::Proceeds,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What is shared out, and among whom: everybody whose pledge to `about` was gathered. Opened by what was repaid, with the
/// money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What was repaid: a loan.
    pub about: Subject,
    /// Who borrowed.
    pub borrower: PartyId,
    /// What all pledges come to, in minor units.
    pub lent: Money,
    /// The principal.
    pub principal: Tranche,
    /// The interest, that for late payment included.
    pub interest: Tranche,
    /// The one before it, which is shared out first.
    pub after: Option<DistributionId>,
    /// How many pledges one step may look at.
    pub batch: u16,
    /// From when on it is shared out (UTC): at once.
    pub from: Timestamp,
}

/// What is known of a distribution in every status.
#[derive(Debug)]
pub struct Facts {
    pub(super) terms: Terms,
}

impl Terms {
    /// What is shared out, in minor units.
    #[must_use]
    pub const fn now(&self) -> Proceeds {
        Proceeds { principal: self.principal.now, interest: self.interest.now }
    }
}

impl Opening<AnyDistribution> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        match &step.stamp().by {
            Actor::Gateway => {}
            Actor::Party(_) | Actor::Office { .. } | Actor::Clock => {
                return Err(Reason::NotThisWay { instead: "a repayment opens its distribution by itself" });
            }
        }
        let before = Proceeds { principal: self.principal.before, interest: self.interest.before };
        before.require_not_negative()?;
        self.now().require_not_negative()?;
        self.now().sum()?.require_positive()?;
        let (asked, available) = (before.checked_add(&self.now())?.principal, self.lent);
        if asked.compare(available)?.is_gt() {
            return Err(Reason::TooMuch { asked, available });
        }
        Reason::within("the size of a batch", self.batch.into(), 1..=u16::MAX.into())
    }
    fn held(&self) -> Money {
        self.now().sum().unwrap_or(self.principal.now)
    }
    fn facts(self, _: &Stamp) -> Facts {
        Facts { terms: self }
    }
    fn deadline(&self) -> Option<Timestamp> {
        Some(self.from)
    }
}

impl Facts {
    /// The terms.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }
}

impl lifecycle::Facts for Facts {
    fn plays(&self, _: Role, _: &PartyId) -> bool {
        false
    }
    // The lenders are those of the pledges.
    fn parties(&self) -> Vec<PartyId> {
        vec![self.terms.borrower.clone()]
    }
    fn about(&self) -> Option<Subject> {
        Some(self.terms.about)
    }
}
