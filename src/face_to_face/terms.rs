//! What a face-to-face deal is about.

use super::{AnyFaceToFace, JoinCode};
use crate::{
    deal::{Period, Sides, Till},
    ledger::GatewayName,
    lifecycle::{self, Effects, Opening, Payees, Reason},
    money::Money,
    party::{PartyId, Role},
    payment::{Aftermath, Destination},
    text::Prose,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What a face-to-face deal is about. [`Terms::new`] takes what every deal needs; the rest may be set on the fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Who opened it, and who the other side is, where that is known.
    pub sides: Sides,
    /// What the buyer pays first, above zero, in minor units. The price includes it.
    pub deposit: Money,
    /// Whose wallet earns the fees: the marketplace's own party.
    pub platform: PartyId,
    /// Through which gateway the payments go: the name of the [`Gateway`](crate::gateway::Gateway) whose escrow sends its
    /// calls. Calls for another name wait for one.
    pub gateway: GatewayName,
    /// The code for the other side.
    pub join_code: JoinCode,
    /// What is sold.
    #[serde(default)]
    pub description: Option<Prose>,
    /// Whether nothing but the deposit goes through escrow, as is known from the start.
    #[serde(default)]
    pub skip_remainder: bool,
    /// The fees, taken out of what is paid. None when left out.
    #[serde(default)]
    pub charges: Option<Charges>,
    /// Where the seller is paid: into the seller's wallet when left out. A bank account is named by the seller or the platform.
    #[serde(default)]
    pub payout: Option<Destination>,
    /// Time limits and what a cancellation keeps.
    #[serde(default)]
    pub policy: Policy,
}

/// What either side is charged, out of the money in escrow. In minor units of the deposit's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charges {
    /// The buyer's fee.
    pub buyer: Money,
    /// The seller's fee.
    pub seller: Money,
}

/// Time limits, and what a cancellation keeps. Stored with the opening, so a later change does not touch open deals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// How long the buyer may complain: 24 hours by default (Trustap's public API reference).
    pub complaint: Period,
    /// How long it may become by extensions: 90 days by default, so that nobody waits for ever.
    pub complaint_limit: Period,
    /// How long the handover may take before an arbiter is asked: 30 days by default.
    pub handover: Period,
    /// How long the other side may join; for ever when left out.
    pub join: Option<Period>,
    /// How long a payin may take before the clock calls it off; for ever when left out.
    pub payment: Option<Period>,
    /// How many wrong join codes may be tried: 5 by default.
    pub join_attempts: u32,
    /// What is kept when the deal is called off before the seller accepted the deposit: nothing by default (Trustap's
    /// public API reference).
    pub kept_before_acceptance: Kept,
    /// What is kept afterwards: the buyer's fee by default (Trustap's public API reference).
    pub kept_after_acceptance: Kept,
}

/// What of a deposit is kept when the deal is called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// Nothing: it goes back in full, fees included.
    Nothing,
    /// The buyer's fee.
    BuyerFee,
}

/// What is known of a deal in every status.
#[derive(Debug)]
pub struct Facts {
    pub(super) terms: Terms,
    pub(super) opened: Timestamp,
    pub(super) till: Till,
    pub(super) price: Option<Money>,
    pub(super) aftermath: Aftermath,
}

impl Terms {
    /// The terms of a deal without fees, by the default policy, under a new join code.
    #[must_use]
    pub fn new(sides: Sides, deposit: Money, platform: PartyId, gateway: GatewayName) -> Self {
        Self {
            sides,
            deposit,
            platform,
            gateway,
            join_code: JoinCode::generate(),
            description: None,
            skip_remainder: false,
            charges: None,
            payout: None,
            policy: Policy::default(),
        }
    }

    /// Both sides' fees, in minor units.
    pub(super) fn fee(&self) -> Result<Money, Reason> {
        match &self.charges {
            Some(charges) => Ok(charges.buyer.checked_add(charges.seller)?),
            None => Ok(Money::zero(self.deposit.currency())),
        }
    }

    /// What a cancellation keeps, in minor units.
    pub(super) fn kept(&self, kept: Kept) -> Money {
        match (kept, &self.charges) {
            (Kept::BuyerFee, Some(charges)) => charges.buyer,
            (Kept::BuyerFee, None) | (Kept::Nothing, _) => Money::zero(self.deposit.currency()),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            complaint: Period::hours(24),
            complaint_limit: Period::days(90),
            handover: Period::days(30),
            join: None,
            payment: None,
            join_attempts: 5,
            kept_before_acceptance: Kept::Nothing,
            kept_after_acceptance: Kept::BuyerFee,
        }
    }
}

impl Opening<AnyFaceToFace> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.deposit.require_positive()?;
        self.sides.check(&step.stamp().by)?;
        self.sides.may_pay_into(self.payout.as_ref(), &step.stamp().by)?;
        if let Some(charges) = &self.charges {
            for fee in [charges.buyer, charges.seller] {
                if fee.is_negative() {
                    return Err(Reason::Money(crate::money::MoneyError::Negative { amount: fee }));
                }
            }
        }
        let (fee, available) = (self.fee()?, self.deposit);
        if available.checked_sub(fee)?.is_negative() {
            return Err(Reason::TooMuch { asked: fee, available });
        }
        Ok(())
    }
    fn held(&self) -> Money {
        Money::zero(self.deposit.currency())
    }
    fn facts(self, at: &crate::party::Stamp) -> Facts {
        Facts { terms: self, opened: at.at, till: Till::default(), price: None, aftermath: Aftermath::default() }
    }
    fn gateway(&self) -> Option<&GatewayName> {
        Some(&self.gateway)
    }
    // Each attempt to open the same deal draws another code. The first one counts.
    fn asked(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Self { join_code: JoinCode::blank(), ..self.clone() })
    }
}

impl Facts {
    /// The terms as they are now. Both sides are known from `joined` on.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The payins.
    #[must_use]
    pub const fn till(&self) -> &Till {
        &self.till
    }

    /// What happened to its money after it had left.
    #[must_use]
    pub const fn aftermath(&self) -> &Aftermath {
        &self.aftermath
    }

    /// The whole price, once the seller has set it, in minor units.
    #[must_use]
    pub const fn price(&self) -> Option<Money> {
        self.price
    }

    /// Until when the other side may join (UTC), if there is a limit.
    #[must_use]
    pub fn join_until(&self) -> Option<Timestamp> {
        self.terms.policy.join.map(|period| period.after(self.opened))
    }
}

impl lifecycle::Facts for Facts {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        self.terms.sides.plays(role, who)
    }
    fn payees(&self) -> Payees<'_> {
        self.terms.sides.payees()
    }
    fn parties(&self) -> Vec<PartyId> {
        self.terms.sides.parties()
    }
}
