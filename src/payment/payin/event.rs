//! What is logged of a payin.

use crate::{
    gateway::{BankAccount, Capture, Channel, Outcome, Verb},
    id::Subject,
    ledger::GatewayName,
    money::Money,
    party::PartyId,
    payment::{ChargebackId, PayinId, RefundId},
    sca::{Assurance, Authentication},
    text::{Link, Prose},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What is agreed when a payin is opened; known in every status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What it pays for.
    pub about: Subject,
    /// Who pays.
    pub payer: PartyId,
    /// How much, above zero, in minor units.
    pub amount: Money,
    /// How.
    pub method: Method,
    /// Whether the money is taken at once or reserved first. A wallet and a bank wire cannot reserve.
    pub capture: Capture,
    /// Through which gateway. Its account in the books, too, for a bank wire or a card.
    pub gateway: GatewayName,
    /// When the clock calls it off (UTC), if it will.
    pub expires: Option<Timestamp>,
    /// What is needed of the payer before the money may be taken. A wallet needs nothing. An exemption comes by its
    /// evidence only: see [`Need`](super::Need).
    #[serde(default, skip_serializing_if = "Authentication::is_by_gateway")]
    pub authentication: Authentication,
}

/// How a payin is paid (`001_146075c5300aa4f1.txt`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum Method {
    /// By card, on the gateway's page.
    #[serde(rename = "ADDON")]
    Card,
    /// By bank transfer. May stay pending for up to 14 business days (Truust's public API reference).
    #[serde(rename = "BANKWIRE")]
    BankWire {
        /// Where a refund goes: a bank wire cannot be sent back by itself, so this must be known from the start.
        refund_to: BankAccount,
    },
    /// From the payer's own wallet, at once.
    #[serde(rename = "WALLET")]
    Wallet,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Authorized {
    pub(super) moved: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Confirmed {
    pub(super) moved: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Denied {
    pub(super) reason: Prose,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cancelled {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefundCounted {
    pub(super) refund: RefundId,
    pub(super) payin: PayinId,
    pub(super) amount: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PayerAwaited {
    pub(super) direct_link: Option<Link>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Challenged {
    pub(super) direct_link: Link,
    pub(super) until: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Assured {
    pub(super) assurance: Assurance,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CameBack {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CaptureAsked {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OtherCaptured {
    pub(super) moved: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answered {
    pub(super) verb: Verb,
    pub(super) outcome: Outcome,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HandedOver {
    pub(super) to: Subject,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChargedBack {
    pub(super) chargeback: ChargebackId,
    pub(super) amount: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WonBack {
    pub(super) chargeback: ChargebackId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GivenBack {
    pub(super) refund: RefundId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LetGo {
    pub(super) moved: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bounced {
    pub(super) moved: Money,
    pub(super) refund: RefundId,
}

impl Method {
    /// The gateway's channel for it; none for a wallet, which needs no gateway.
    #[must_use]
    pub const fn channel(&self) -> Option<Channel> {
        match self {
            Self::Card => Some(Channel::Card),
            Self::BankWire { .. } => Some(Channel::BankWire),
            Self::Wallet => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_from_before_there_was_authentication_are_read_and_written_alike() {
        let before = r#"{"about":"ord_01kr1hgnqred6999kp7cqmx8ss","payer":"anna","amount":{"amount":100,"currency":"EUR"},"method":{"type":"ADDON"},"capture":"now","gateway":"sandbox","expires":null}"#;
        let terms: Terms = serde_json::from_str(before).unwrap();
        assert_eq!(terms.authentication, Authentication::ByGateway);
        assert_eq!(serde_json::to_string(&terms).unwrap(), before);
    }
}
