//! What a transaction is about.

use super::AnyTransaction;
use crate::{
    deal::{Period, Side, Sides, Till},
    ledger::GatewayName,
    lifecycle::{self, Effects, Opening, Payees, Reason},
    money::{Money, MoneyError},
    party::{PartyId, Role, Stamp},
    payment::{Aftermath, Destination},
    text::{Link, Name, Prose, Text},
};
use serde::{Deserialize, Serialize};

/// What a transaction is about. [`Terms::new`] takes what every transaction needs; the rest may be set on the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The side that opened it.
    pub creator: Side,
    /// Who pays, where that is known.
    pub buyer: Option<Person>,
    /// Who is paid, where that is known.
    pub seller: Option<Person>,
    /// What it costs, and who is charged what.
    pub pricing: Pricing,
    /// What is sold.
    pub description: Prose,
    /// The marketplace: its wallet gets both client fees.
    pub client_id: PartyId,
    /// Whose wallet earns the gateway side's fees. The marketplace itself when left out.
    #[serde(default)]
    pub platform: Option<PartyId>,
    /// Through which gateway the payments go: the name of the [`Gateway`](crate::gateway::Gateway) whose escrow sends its
    /// calls. Calls for another name wait for one.
    pub gateway: GatewayName,
    /// The page to pay on.
    #[serde(default)]
    pub payment_link: Option<Link>,
    /// Where the seller is paid: into the seller's wallet when left out. A bank account is named by the seller or the platform.
    #[serde(default)]
    pub payout: Option<Destination>,
    /// Time limits.
    #[serde(default)]
    pub policy: Policy,
}

/// Somebody on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Who.
    pub id: PartyId,
    /// Whether without an account.
    pub is_guest: bool,
}

/// What a transaction costs. Amounts are whole minor units of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pricing {
    /// The price, above zero.
    pub amount: Money,
    /// What comes on top, such as shipping.
    pub amount_extra: Money,
    /// Who is charged what.
    pub fees: Fees,
}

/// Fees on either side, for the gateway side and for the client (the marketplace). In minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// The buyer's, for the gateway side.
    pub buyer: Money,
    /// The buyer's, for the client.
    pub buyer_client: Money,
    /// The seller's, for the gateway side.
    pub seller: Money,
    /// The seller's, for the client.
    pub seller_client: Money,
}

/// Time limits. Stored with the opening, so a later change does not touch open transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// How long the buyer may complain: 24 hours by default (Trustap's public API reference).
    pub complaint: Period,
    /// How long the seller may take for a tracking number or the handover: 96 hours by default (Trustap's public API
    /// reference).
    pub tracking: Period,
    /// How long that may become by extensions: 90 days by default, so that nobody waits for ever.
    pub tracking_limit: Period,
    /// How long a payin may take before the clock calls it off; for ever when left out.
    pub payment: Option<Period>,
}

/// How a parcel is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracking {
    /// Who carries it.
    pub carrier: Name,
    /// The carrier's number for it.
    pub code: Text<100>,
}

/// What a buyer complains of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complaint {
    /// Of which kind.
    pub category: Category,
    /// In the buyer's words.
    pub description: Prose,
}

/// The kinds of complaints (Trustap's public API reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Nothing came.
    ItemNotReceived,
    /// Something else came.
    ItemNotAsDescribed,
    /// Anything else.
    Other,
}

/// What is known of a transaction in every status.
#[derive(Debug)]
pub struct Facts {
    pub(super) terms: Terms,
    pub(super) sides: Sides,
    pub(super) till: Till,
    pub(super) aftermath: Aftermath,
}

impl Terms {
    /// The terms of a transaction that this person opens, by the default policy.
    #[must_use]
    pub fn new(
        creator: Side,
        person: Person,
        pricing: Pricing,
        description: Prose,
        client_id: PartyId,
        gateway: GatewayName,
    ) -> Self {
        let (buyer, seller) = match creator {
            Side::Buyer => (Some(person), None),
            Side::Seller => (None, Some(person)),
        };
        let (platform, payment_link, payout, policy) = (None, None, None, Policy::default());
        Self {
            creator,
            buyer,
            seller,
            pricing,
            description,
            client_id,
            platform,
            gateway,
            payment_link,
            payout,
            policy,
        }
    }

    fn sides(&self) -> Sides {
        let id = |person: &Option<Person>| person.as_ref().map(|person| person.id.clone());
        Sides { creator: self.creator, buyer: id(&self.buyer), seller: id(&self.seller) }
    }
}

impl Person {
    /// Somebody with an account.
    #[must_use]
    pub const fn user(id: PartyId) -> Self {
        Self { id, is_guest: false }
    }

    /// Somebody without one.
    #[must_use]
    pub const fn guest(id: PartyId) -> Self {
        Self { id, is_guest: true }
    }
}

impl Pricing {
    /// A price without extras and fees.
    #[must_use]
    pub const fn of(amount: Money) -> Self {
        let zero = Money::zero(amount.currency());
        Self {
            amount,
            amount_extra: zero,
            fees: Fees { buyer: zero, buyer_client: zero, seller: zero, seller_client: zero },
        }
    }

    /// What the buyer owes: amount, extra and the buyer's fees. In minor units.
    ///
    /// # Errors
    /// [`MoneyError`] when currencies mix or the sum overflows.
    pub fn owed(&self) -> Result<Money, MoneyError> {
        let parts = [self.amount, self.amount_extra, self.fees.buyer, self.fees.buyer_client];
        Money::sum(parts, self.amount.currency())
    }

    /// What the client gets: both client fees. In minor units.
    ///
    /// # Errors
    /// [`MoneyError`] when currencies mix or the sum overflows.
    pub fn for_client(&self) -> Result<Money, MoneyError> {
        self.fees.buyer_client.checked_add(self.fees.seller_client)
    }

    /// What the gateway side gets: its fees of both sides. In minor units.
    ///
    /// # Errors
    /// [`MoneyError`] when currencies mix or the sum overflows.
    pub fn for_platform(&self) -> Result<Money, MoneyError> {
        self.fees.buyer.checked_add(self.fees.seller)
    }

    fn check(&self) -> Result<(), Reason> {
        self.amount.require_positive()?;
        for part in
            [self.amount_extra, self.fees.buyer, self.fees.buyer_client, self.fees.seller, self.fees.seller_client]
        {
            if part.is_negative() {
                return Err(Reason::Money(MoneyError::Negative { amount: part }));
            }
        }
        let available = self.amount.checked_add(self.amount_extra)?;
        let asked = self.fees.seller.checked_add(self.fees.seller_client)?;
        self.owed()?;
        if available.checked_sub(asked)?.is_negative() { Err(Reason::TooMuch { asked, available }) } else { Ok(()) }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            complaint: Period::hours(24),
            tracking: Period::hours(96),
            tracking_limit: Period::days(90),
            payment: None,
        }
    }
}

impl Opening<AnyTransaction> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.pricing.check()?;
        let (sides, by) = (self.sides(), &step.stamp().by);
        sides.check(by)?;
        sides.may_pay_into(self.payout.as_ref(), by)
    }
    fn held(&self) -> Money {
        Money::zero(self.pricing.amount.currency())
    }
    fn facts(self, _: &Stamp) -> Facts {
        Facts { sides: self.sides(), terms: self, till: Till::default(), aftermath: Aftermath::default() }
    }
    fn gateway(&self) -> Option<&GatewayName> {
        Some(&self.gateway)
    }
}

impl Facts {
    /// What happened to its money after it had left.
    #[must_use]
    pub const fn aftermath(&self) -> &Aftermath {
        &self.aftermath
    }

    /// The terms as they are now. Both sides are known from `joined` on.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Who is on which side.
    #[must_use]
    pub const fn sides(&self) -> &Sides {
        &self.sides
    }

    /// The payins.
    #[must_use]
    pub const fn till(&self) -> &Till {
        &self.till
    }
}

impl lifecycle::Facts for Facts {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        self.sides.plays(role, who)
    }
    fn payees(&self) -> Payees<'_> {
        self.sides.payees()
    }
    fn parties(&self) -> Vec<PartyId> {
        self.sides.parties()
    }
}
