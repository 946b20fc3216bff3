//! What an order is about.

use super::{Amendment, AnyOrder, Part, Payee, PayoutPlan};
use crate::{
    id::Subject,
    ledger::GatewayName,
    lifecycle::{self, Effects, Opening, Payees, Reason, once},
    money::{Currency, FeePolicy, FeeRule, Money, Percent},
    party::{PartyId, Role, Stamp},
    payment::{Aftermath, PayinId},
    text::{Link, Name, Prose, Text},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an order is about (`001_146075c5300aa4f1.txt`, step 1, and Truust's public API reference).
///
/// [`Terms::new`] takes what every order needs; the rest is optional and may be set on the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What is bought, in a few words.
    pub name: Name,
    /// What the buyer pays, above zero, in minor units.
    pub amount: Money,
    /// Who sells. Paid by default; a plan may name other payees.
    pub seller: PartyId,
    /// Who buys, when that is known from the start.
    #[serde(default)]
    pub buyer: Option<PartyId>,
    /// Whose wallet earns the fee: the marketplace's own party.
    pub platform: PartyId,
    /// Through which gateway the payments go: the name of the [`Gateway`](crate::gateway::Gateway) whose escrow sends its
    /// calls. Calls for another name wait for one.
    pub gateway: GatewayName,
    /// The fee, borne by the seller. Free of charge when left out.
    #[serde(default)]
    pub fees: Option<Fees>,
    /// Who is paid, unless the seller says otherwise when accepting. Without it, the seller has to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<PayoutPlan>,
    /// Whom the account's defaults give a share beside the seller, and where: the host's own word, like the platform and the
    /// fees, never a user's. Whoever sets a [plan](PayoutPlan) may name them there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Payee>,
    /// What is bought, at length.
    #[serde(default)]
    pub description: Option<Prose>,
    /// A word of the host's own.
    #[serde(default)]
    pub tag: Option<Text<100>>,
    /// Data of the host's own: at most 50 keys.
    #[serde(default)]
    pub metadata: BTreeMap<Text<40>, Text<500>>,
    /// Pictures of it: at most 20.
    #[serde(default)]
    pub images: Vec<Link>,
    /// Where to send buyer and seller after they have confirmed or denied.
    #[serde(default)]
    pub urls: ReturnUrls,
    /// The page that the buyer is given.
    #[serde(default)]
    pub buyer_link: Option<Link>,
    /// The page that the seller is given.
    #[serde(default)]
    pub seller_link: Option<Link>,
    /// How many payins may be tried; any number when left out.
    #[serde(default)]
    pub payin_intents: Option<u32>,
    /// What it is part of, when it was opened by a movement. Nobody else can open one with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// Which fee an order bears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// The account's defaults and the platform's minimum.
    pub policy: FeePolicy,
    /// The order's own rule, instead of the default.
    #[serde(default)]
    pub own: Option<FeeRule>,
}

/// Where to send buyer and seller afterwards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReturnUrls {
    /// The buyer paid.
    pub buyer_confirmed: Option<Link>,
    /// The buyer's payment failed.
    pub buyer_denied: Option<Link>,
    /// The seller accepted.
    pub seller_confirmed: Option<Link>,
    /// The seller refused.
    pub seller_denied: Option<Link>,
}

/// What is known of an order in every status: its terms as they are now, and what was paid and refunded.
#[derive(Debug)]
pub struct Facts {
    pub(super) terms: Terms,
    pub(super) payins: Vec<PayinId>,
    pub(super) refunded: Money,
    pub(super) aftermath: Aftermath,
}

const METADATA_KEYS: u64 = 50;
const IMAGES: u64 = 20;

impl Fees {
    /// A percentage of the amount, and nothing else.
    ///
    /// ```
    /// use escrowed::{money::Currency, order::Fees};
    ///
    /// let fees = Fees::percent("10%".parse()?, Currency::EUR);
    /// assert_eq!(fees.policy.fee("80.00 EUR".parse()?, None)?, "8.00 EUR".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn percent(percent: Percent, currency: Currency) -> Self {
        let zero = Money::zero(currency);
        let policy = FeeRule::new(percent, zero).and_then(|rule| FeePolicy::new(rule, zero));
        Self { policy: policy.expect("nothing about zero can be refused"), own: None }
    }
}

impl Terms {
    /// The terms of an order whose buyer is not known yet and which bears no fee.
    #[must_use]
    pub fn new(name: Name, amount: Money, seller: PartyId, platform: PartyId, gateway: GatewayName) -> Self {
        Self {
            name,
            amount,
            seller,
            buyer: None,
            platform,
            gateway,
            fees: None,
            payout: None,
            others: Vec::new(),
            description: None,
            tag: None,
            metadata: BTreeMap::new(),
            images: Vec::new(),
            urls: ReturnUrls::default(),
            buyer_link: None,
            seller_link: None,
            payin_intents: None,
            part: None,
        }
    }

    /// The fee, in minor units: the greater of the percentage and the absolute amount, at least the platform's minimum.
    ///
    /// # Errors
    /// [`Reason::Fee`] when it would exceed the amount or is of another currency.
    pub fn fee(&self) -> Result<Money, Reason> {
        match &self.fees {
            Some(fees) => Ok(fees.policy.fee(self.amount, fees.own.as_ref())?),
            None => Ok(Money::zero(self.amount.currency())),
        }
    }

    pub(super) fn check(&self) -> Result<(), Reason> {
        self.amount.require_positive()?;
        // Only a movement moves somebody's money to the same: a top-up.
        if self.part.is_none() && self.buyer.as_ref() == Some(&self.seller) {
            return Err(Reason::SameParty);
        }
        if let Some(intents) = self.payin_intents {
            Reason::within("the number of payin intents", intents.into(), 1..=u32::MAX.into())?;
        }
        Reason::within("the number of metadata keys", self.metadata.len() as u64, 0..=METADATA_KEYS)?;
        Reason::within("the number of images", self.images.len() as u64, 0..=IMAGES)?;
        self.fee().map(drop)
    }

    // Whether what is left after the fee can be shared as it says. Later on a plan that is told instead may count.
    fn adds_up(&self) -> Result<(), Reason> {
        let net = self.amount.checked_sub(self.fee()?)?;
        self.payout.as_ref().map_or(Ok(()), |plan| plan.amounts(net).map(drop))
    }

    // The terms with these changes made.
    pub(super) fn with(&self, changes: &Amendment) -> Self {
        let mut terms = self.clone();
        let Amendment { name, description, tag, metadata, images, urls, fee } = changes.clone();
        terms.name = name.unwrap_or(terms.name);
        terms.description = description.or(terms.description);
        terms.tag = tag.or(terms.tag);
        terms.metadata = metadata.unwrap_or(terms.metadata);
        terms.images = images.unwrap_or(terms.images);
        terms.urls = urls.unwrap_or(terms.urls);
        if let Some(own) = fee {
            let policy = terms.fees.map_or(FeePolicy::free(terms.amount.currency()), |fees| fees.policy);
            terms.fees = Some(Fees { policy, own: Some(own) });
        }
        terms
    }
}

impl Opening<AnyOrder> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        if self.part.is_some() {
            Part::may_open(step.stamp())?;
        }
        Self::check(self)?;
        if let Some(plan) = &self.payout {
            plan.may_be_set(&step.stamp().by, self)?;
        }
        self.adds_up()
    }
    fn held(&self) -> Money {
        Money::zero(self.amount.currency())
    }
    fn facts(self, _: &Stamp) -> Facts {
        Facts {
            refunded: Money::zero(self.amount.currency()),
            terms: self,
            payins: Vec::new(),
            aftermath: Aftermath::default(),
        }
    }
    fn gateway(&self) -> Option<&GatewayName> {
        Some(&self.gateway)
    }
}

impl Facts {
    /// The terms as they are now. The buyer is known from `PENDING_PUBLISH` on.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Every payin that was opened for it, in order.
    #[must_use]
    pub fn payins(&self) -> &[PayinId] {
        &self.payins
    }

    /// How much of what was paid was refunded before the release, in minor units.
    #[must_use]
    pub const fn refunded(&self) -> Money {
        self.refunded
    }

    /// What happened to its money after it had left.
    #[must_use]
    pub const fn aftermath(&self) -> &Aftermath {
        &self.aftermath
    }

    /// Whether another payin may be opened.
    pub(super) fn attempts_left(&self) -> Result<(), Reason> {
        match self.terms.payin_intents {
            Some(limit) if self.payins.len() as u64 >= u64::from(limit) => Err(Reason::NoAttemptsLeft { limit }),
            Some(_) | None => Ok(()),
        }
    }
}

impl lifecycle::Facts for Facts {
    // While nobody knows the buyer, anybody but the seller may turn out to be it.
    #[inline]
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        match (&self.terms.buyer, role) {
            (Some(buyer), Role::BUYER) => who == buyer,
            (None, Role::BUYER) => *who != self.terms.seller,
            (_, Role::SELLER) => *who == self.terms.seller,
            (_, _) => false,
        }
    }
    fn parties(&self) -> Vec<PartyId> {
        once(self.terms.buyer.iter().chain([&self.terms.seller]).cloned())
    }
    fn about(&self) -> Option<Subject> {
        self.part().map(|part| part.of)
    }
    // What is paid into a movement's own wallet goes on to several.
    fn payees(&self) -> Payees<'_> {
        let seller = &self.terms.seller;
        if self.part().is_some() && Subject::is_named(seller.as_str()) { Payees::Several } else { Payees::One(seller) }
    }
}
