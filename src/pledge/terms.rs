//! What a pledge is about.

use super::{AnyPledge, BACKER, Proceeds};
use crate::{
    deal::{Period, Till},
    id::Subject,
    ledger::GatewayName,
    lifecycle::{self, Effects, Opening, Payees, Reason},
    money::Money,
    party::{PartyId, Role, Stamp},
    payment::Aftermath,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Who pledges how much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Who pledges, and gets it back if it comes to that.
    pub backer: PartyId,
    /// How much, above zero, in minor units.
    pub amount: Money,
}

/// What is agreed when a pledge is opened: the offer, and the rules of what it is pledged to, by its [`Pool`](super::Pool).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What it is pledged to.
    pub about: Subject,
    /// Who pledges how much.
    pub offer: Offer,
    /// The marketplace's own party, of what it is pledged to.
    pub platform: PartyId,
    /// Who is paid if it comes to that: the payee that the backer is shown.
    pub payee: PartyId,
    /// Through which gateway the payments go.
    pub gateway: GatewayName,
    /// Until when it can be paid and withdrawn (UTC): before, not at that time or later.
    pub until: Timestamp,
    /// How often paid pledges are gathered, counted back from `until`.
    pub gathering: Period,
    /// Whether the backer may withdraw it.
    pub withdrawable: bool,
}

/// What is known of a pledge in every status.
#[derive(Debug)]
pub struct Facts {
    pub(super) terms: Terms,
    pub(super) till: Till,
    pub(super) aftermath: Aftermath,
    pub(super) received: Proceeds,
}

impl Terms {
    /// When a pledge that is paid at this time is gathered (UTC): all that are paid in one interval, at once.
    ///
    /// ```
    /// # use escrowed::{campaign, deal::Period, pledge::{Offer, Terms}, time::Timestamp};
    /// # let at: Timestamp = "2026-05-07T15:39:46Z".parse()?;
    /// # let terms = Terms {
    /// #     about: campaign::CampaignId::generate(at).subject(),
    /// #     offer: Offer { backer: "anna".parse()?, amount: "25.00 EUR".parse()? },
    /// #     platform: "shop".parse()?,
    /// #     payee: "olga".parse()?,
    /// #     gateway: "sandbox".parse()?,
    /// #     until: "2026-06-06T12:00:00Z".parse()?,
    /// #     gathering: Period::seconds(600),
    /// #     withdrawable: true,
    /// # };
    /// assert_eq!(terms.gathering.to_string(), "600 s");
    /// assert_eq!(terms.gathered_at("2026-05-07T15:39:46Z".parse()?), "2026-05-07T15:40:00Z".parse()?);
    /// assert_eq!(terms.gathered_at("2026-06-06T11:59:59Z".parse()?), terms.until);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn gathered_at(&self, paid: Timestamp) -> Timestamp {
        let (until, every) = (self.until.unix_micros(), self.gathering.micros());
        let left = until.saturating_sub(paid.unix_micros()).max(0);
        Timestamp::from_unix_micros(until - left / every * every).unwrap_or(paid)
    }

    pub(super) fn in_time(&self, action: &'static str, at: &Stamp) -> Result<(), Reason> {
        let deadline = self.until;
        if at.at < deadline { Ok(()) } else { Err(Reason::TooLate { action, deadline }) }
    }
}

impl Opening<AnyPledge> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.offer.amount.require_positive()?;
        self.in_time("open", step.stamp())?;
        Reason::for_itself(&step.stamp().by, [&self.offer.backer], "the party that pledges")
    }
    fn held(&self) -> Money {
        Money::zero(self.offer.amount.currency())
    }
    fn facts(self, _: &Stamp) -> Facts {
        let received = Proceeds::zero(self.offer.amount.currency());
        Facts { terms: self, till: Till::default(), received, aftermath: Aftermath::default() }
    }
    fn gateway(&self) -> Option<&GatewayName> {
        Some(&self.gateway)
    }
    fn deadline(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}

impl Facts {
    /// The terms.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What happened to its money behind its back.
    #[must_use]
    pub const fn aftermath(&self) -> &Aftermath {
        &self.aftermath
    }

    /// The payins.
    #[must_use]
    pub const fn till(&self) -> &Till {
        &self.till
    }

    /// What it has brought its backer so far, all of it paid into the backer's wallet.
    #[must_use]
    pub const fn received(&self) -> Proceeds {
        self.received
    }
}

impl lifecycle::Facts for Facts {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        role == BACKER && *who == self.terms.offer.backer
    }
    fn parties(&self) -> Vec<PartyId> {
        vec![self.terms.offer.backer.clone()]
    }
    fn about(&self) -> Option<Subject> {
        Some(self.terms.about)
    }
    fn payees(&self) -> Payees<'_> {
        Payees::One(&self.terms.payee)
    }
}
