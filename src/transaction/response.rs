//! A transaction as JSON, in the shape of the API response in `003_781515c6c4d9c1ef.txt`, key by key in the same order.

use super::{AnyTransaction, Fees, Person, Status, TransactionId};
use crate::{
    lifecycle::Passage,
    money::Currency,
    party::PartyId,
    text::{Link, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, cmp::Ordering, collections::BTreeMap, fmt};

/// What an API answers about a transaction. It is read and written; a transaction cannot be made from it.
///
/// ```
/// use escrowed::transaction::Response;
///
/// let text = r#"{"buyer":{"id":"1-def29dfe","is_guest":true},"client_id":"5ad5451d","deadlines":{"complaints":null},
///     "description":"Trustap socks","events":{"by_key":{"created":"2026-05-07T15:39:46Z"},
///     "by_time":[{"at":"2026-05-07T15:39:46Z","code":"created"}]},"id":"tx_01kr1hgnqred6999kp7cqmx8ss",
///     "payment_link":null,"pricing":{"amount":20000,"amount_extra":0,"currency":"gbp",
///     "fees":{"buyer":640,"buyer_client":0,"seller":0,"seller_client":0}},"seller":null,"status":"created"}"#;
/// let response: Response = serde_json::from_str(text)?;
/// assert_eq!(response.pricing.currency, escrowed::money::Currency::GBP);
/// let written = serde_json::to_string(&response)?;
/// assert_eq!(written, text.replace("\n    ", ""));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Who pays, once that is known.
    #[serde(deserialize_with = "present")]
    pub buyer: Option<Person>,
    /// The marketplace.
    pub client_id: PartyId,
    /// Time limits that run.
    pub deadlines: Deadlines,
    /// What is sold.
    pub description: Prose,
    /// Which status was reached when.
    pub events: Events,
    /// Its id.
    pub id: TransactionId,
    /// The page to pay on.
    #[serde(deserialize_with = "present")]
    pub payment_link: Option<Link>,
    /// What it costs.
    pub pricing: ResponsePricing,
    /// Who is paid, once that is known.
    #[serde(deserialize_with = "present")]
    pub seller: Option<Person>,
    /// The status. Older documents write `complained` for `complaint_submitted`: it is read too, never written.
    pub status: Status,
}

/// Time limits that run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadlines {
    /// Until when the buyer may complain (UTC), while that period runs.
    #[serde(deserialize_with = "present")]
    pub complaints: Option<Timestamp>,
}

/// Which status was reached when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// By the status: when it was first reached (UTC).
    pub by_key: BTreeMap<StatusKey, Timestamp>,
    /// In order of time.
    pub by_time: Vec<Event>,
}

/// A status as a key, in the order of the alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusKey(pub Status);

impl Borrow<str> for StatusKey {
    fn borrow(&self) -> &str {
        self.0.name()
    }
}

impl PartialEq<StatusKey> for str {
    fn eq(&self, key: &StatusKey) -> bool {
        self == key.0.name()
    }
}

impl fmt::Display for StatusKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Ord for StatusKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.name().cmp(other.0.name())
    }
}

impl PartialOrd for StatusKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// That a status was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When (UTC).
    pub at: Timestamp,
    /// Which.
    pub code: Status,
}

/// What a transaction costs, in minor units of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponsePricing {
    /// The price.
    pub amount: i64,
    /// What comes on top.
    pub amount_extra: i64,
    /// The currency, in lower case.
    #[serde(serialize_with = "lower_case")]
    pub currency: Currency,
    /// Who is charged what.
    pub fees: ResponseFees,
}

/// Who is charged what, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseFees {
    /// The buyer, for the gateway side.
    pub buyer: i64,
    /// The buyer, for the client.
    pub buyer_client: i64,
    /// The seller, for the gateway side.
    pub seller: i64,
    /// The seller, for the client.
    pub seller_client: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn lower_case<S: serde::Serializer>(currency: &Currency, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&currency.code().to_ascii_lowercase())
}

// `null` says that there is none; a key that is missing says that this is no such document.
fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

impl AnyTransaction {
    /// What an API answers about it.
    #[must_use]
    pub fn response(&self) -> Response {
        let terms = self.facts().terms();
        let event = |passage: &Passage<Status>| Event { at: passage.stamp.at, code: passage.code };
        let by_time: Vec<Event> = self.history().by_time().iter().map(event).collect();
        let mut by_key = BTreeMap::new();
        for event in &by_time {
            by_key.entry(StatusKey(event.code)).or_insert(event.at);
        }
        Response {
            buyer: terms.buyer.clone(),
            client_id: terms.client_id.clone(),
            deadlines: Deadlines { complaints: self.complaints_until() },
            description: terms.description.clone(),
            events: Events { by_key, by_time },
            id: self.id(),
            payment_link: terms.payment_link.clone(),
            pricing: ResponsePricing {
                amount: terms.pricing.amount.minor(),
                amount_extra: terms.pricing.amount_extra.minor(),
                currency: terms.pricing.amount.currency(),
                fees: ResponseFees::of(&terms.pricing.fees),
            },
            seller: terms.seller.clone(),
            status: self.status(),
        }
    }

    /// Until when the buyer may complain (UTC), while that period runs.
    #[must_use]
    pub fn complaints_until(&self) -> Option<Timestamp> {
        match self {
            Self::Delivered(deal) => Some(deal.state.period.ends()),
            Self::BuyerHandoverConfirmed(deal) => Some(deal.state.period.ends()),
            Self::SellerHandoverConfirmed(deal) => Some(deal.state.period.ends()),
            Self::Created(_)
            | Self::Joined(_)
            | Self::Paid(_)
            | Self::PaymentAccepted(_)
            | Self::Tracked(_)
            | Self::ComplaintSubmitted(_)
            | Self::ComplaintPeriodEnded(_)
            | Self::Cancelled(_)
            | Self::Refunded(_)
            | Self::FundsReleased(_) => None,
        }
    }
}

impl ResponseFees {
    const fn of(fees: &Fees) -> Self {
        Self {
            buyer: fees.buyer.minor(),
            buyer_client: fees.buyer_client.minor(),
            seller: fees.seller.minor(),
            seller_client: fees.seller_client.minor(),
        }
    }
}
