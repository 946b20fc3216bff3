//! What a campaign is about.

use super::{AnyCampaign, OWNER};
use crate::{
    deal::Period,
    ledger::GatewayName,
    lifecycle::{self, Effects, Opening, Reason},
    money::{FeeError, FeePolicy, Money},
    party::{PartyId, Role, Stamp},
    payment::{Aftermath, Destination},
    pledge::{Close, Offer},
    text::{Name, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What a campaign is about. [`Terms::new`] takes what every campaign needs; the rest may be set on the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What the money is for, in a few words.
    pub name: Name,
    /// How much is to be raised, above zero, in minor units.
    pub target: Money,
    /// Until when (UTC): a pledge counts when it is paid before, not at that time or later.
    pub deadline: Timestamp,
    /// Whose campaign it is, and who is paid.
    pub owner: PartyId,
    /// Whose wallet earns the fee: the marketplace's own party.
    pub platform: PartyId,
    /// Through which gateway the payments go: the name of the [`Gateway`](crate::gateway::Gateway) whose escrow sends its
    /// calls. Calls for another name wait for one.
    pub gateway: GatewayName,
    /// The fee on what was raised, borne by the owner. Free of charge when left out.
    #[serde(default)]
    pub fees: Option<FeePolicy>,
    /// What the money is for, at length.
    #[serde(default)]
    pub description: Option<Prose>,
    /// Where the owner is paid: into the owner's wallet when left out.
    #[serde(default)]
    pub payout: Option<Destination>,
    /// The rules.
    #[serde(default)]
    pub policy: Policy,
}

/// The rules of a campaign. Stored with the opening, so a later change does not touch open campaigns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// When it closes: at the deadline by default.
    pub close: Close,
    /// What becomes of the money when the target was missed: all of it goes back by default.
    pub keep: Keep,
    /// Whether backers may withdraw a paid pledge until the deadline: yes by default. The platform may in any case.
    pub withdrawals: bool,
    /// How often paid pledges are gathered in the campaign's escrow account: every ten minutes by default. What was
    /// raised is at most that old; the campaign's log has at most one event for each that passes and one for each batch.
    pub gathering: Period,
    /// How many pledges are gathered or given back in one unit: 100 by default, from 1 to 1000.
    pub batch: u16,
    /// How long it may be `FUNDED` before the clock calls it off, so that a silent owner strands nobody's money: 90 days by
    /// default.
    pub validation: Period,
}

/// What becomes of the money when the target was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// All of it goes back.
    AllOrNothing,
    /// The owner keeps it, if it is more than the fee.
    KeepItAll,
}

/// What is known of a campaign in every status.
#[derive(Debug)]
pub struct Facts {
    pub(super) terms: Terms,
    pub(super) pledges: u64,
    pub(super) raised: Money,
    pub(super) aftermath: Aftermath,
}

impl Terms {
    /// The terms of a campaign without a fee, by the default policy.
    #[must_use]
    pub fn new(
        name: Name,
        target: Money,
        deadline: Timestamp,
        owner: PartyId,
        platform: PartyId,
        gateway: GatewayName,
    ) -> Self {
        let (fees, description, payout, policy) = (None, None, None, Policy::default());
        Self { name, target, deadline, owner, platform, gateway, fees, description, payout, policy }
    }

    /// The fee on what was raised, in minor units: the greater of the percentage and the absolute amount, at least the
    /// platform's minimum.
    ///
    /// ```
    /// # use escrowed::{campaign::Terms, money::{FeePolicy, FeeRule}};
    /// # let (owner, shop, until) = ("olga".parse()?, "shop".parse()?, "2026-06-06T12:00:00Z".parse()?);
    /// # let mut terms = Terms::new("A record".parse()?, "5000.00 EUR".parse()?, until, owner, shop, "sandbox".parse()?);
    /// terms.fees = Some(FeePolicy::new(FeeRule::new("5%".parse()?, "0.00 EUR".parse()?)?, "20.00 EUR".parse()?)?);
    /// assert_eq!(terms.fee("6120.00 EUR".parse()?)?, "306.00 EUR".parse()?);
    /// assert_eq!(terms.fee("100.00 EUR".parse()?)?, "20.00 EUR".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Reason::Fee`] when it would exceed what was raised or is of another currency.
    pub fn fee(&self, raised: Money) -> Result<Money, Reason> {
        match &self.fees {
            Some(policy) => Ok(policy.fee(raised, None)?),
            None => Ok(Money::zero(raised.currency())),
        }
    }

    /// Whether what was raised leaves the owner something after the fee, and is enough by the policy. In minor units.
    ///
    /// # Errors
    /// [`Reason::Money`] or [`Reason::Fee`] when it is of another currency than the target or the fees, or below zero.
    pub fn suffices(&self, raised: Money) -> Result<bool, Reason> {
        let enough = match self.policy.keep {
            Keep::AllOrNothing => self.is_met(raised)?,
            Keep::KeepItAll => raised.is_positive(),
        };
        match self.fee(raised) {
            Ok(fee) => Ok(enough && raised.checked_sub(fee)?.is_positive()),
            // More than there is.
            Err(Reason::Fee(FeeError::ExceedsAmount { .. })) => Ok(false),
            Err(reason) => Err(reason),
        }
    }

    pub(super) fn is_met(&self, raised: Money) -> Result<bool, Reason> {
        Ok(raised.compare(self.target)?.is_ge())
    }

    // Whom a pledge to it pays in the end.
    pub(super) const fn payee(&self) -> &PartyId {
        &self.owner
    }

    // Nobody pledges to themselves; of the campaign's currency, and not more than can be counted.
    pub(super) fn may_take(&self, offer: &Offer, held: Money) -> Result<(), Reason> {
        if offer.backer == self.owner {
            return Err(Reason::SameParty);
        }
        held.checked_add(offer.amount)?;
        Ok(())
    }

    fn check(&self, at: &Stamp) -> Result<(), Reason> {
        self.target.require_positive()?;
        if at.at >= self.deadline {
            return Err(Reason::TooLate { action: "open", deadline: self.deadline });
        }
        Reason::batch_of(self.policy.batch)?;
        Reason::for_itself(&at.by, [&self.owner], "the owner")?;
        let (asked, available) = (self.fee(self.target)?, self.target);
        if asked == available { Err(Reason::TooMuch { asked, available }) } else { Ok(()) }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            close: Close::AtDeadline,
            keep: Keep::AllOrNothing,
            withdrawals: true,
            gathering: Period::seconds(600),
            batch: 100,
            validation: Period::days(90),
        }
    }
}

impl Opening<AnyCampaign> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        Self::check(self, step.stamp())
    }
    fn held(&self) -> Money {
        Money::zero(self.target.currency())
    }
    fn facts(self, _: &Stamp) -> Facts {
        Facts { raised: Money::zero(self.target.currency()), terms: self, pledges: 0, aftermath: Aftermath::default() }
    }
    fn gateway(&self) -> Option<&GatewayName> {
        Some(&self.gateway)
    }
    fn deadline(&self) -> Option<Timestamp> {
        Some(self.deadline)
    }
}

impl Facts {
    /// The terms as they are now.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What happened to its money after it had left.
    #[must_use]
    pub const fn aftermath(&self) -> &Aftermath {
        &self.aftermath
    }

    /// How many pledges were gathered and not withdrawn. What goes back after the end still counts.
    #[must_use]
    pub const fn pledges(&self) -> u64 {
        self.pledges
    }

    /// How much they come to, in minor units.
    #[must_use]
    pub const fn raised(&self) -> Money {
        self.raised
    }
}

impl lifecycle::Facts for Facts {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        role == OWNER && *who == self.terms.owner
    }
    // The backers are those of its pledges.
    fn parties(&self) -> Vec<PartyId> {
        vec![self.terms.owner.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{FeeRule, MoneyError};

    #[test]
    fn what_cannot_be_told_is_no_missed_target() {
        let money = |text: &str| text.parse::<Money>().unwrap();
        let party = |text: &str| text.parse::<PartyId>().unwrap();
        let until = "2026-06-06T12:00:00Z".parse().unwrap();
        let (name, gateway) = ("A record".parse().unwrap(), "sandbox".parse().unwrap());
        let mut terms = Terms::new(name, money("50.00 EUR"), until, party("olga"), party("shop"), gateway);
        let fees = |fee: &str| {
            let fee = money(fee);
            Some(FeePolicy::new(FeeRule::flat(fee).unwrap(), Money::zero(fee.currency())).unwrap())
        };
        terms.fees = fees("5.00 EUR");
        assert_eq!(terms.suffices(money("50.00 EUR")), Ok(true));
        assert_eq!(terms.suffices(money("49.99 EUR")), Ok(false));
        // The fee is more than there is.
        assert_eq!(terms.suffices(money("4.00 EUR")), Ok(false));
        terms.fees = fees("5.00 USD");
        let mixed = terms.suffices(money("50.00 EUR"));
        assert!(matches!(mixed, Err(Reason::Fee(FeeError::Money(MoneyError::Mixed { .. })))), "{mixed:?}");
    }
}
