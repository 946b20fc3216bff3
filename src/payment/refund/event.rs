//! What is logged of a refund.

use crate::{
    gateway::{BankAccount, RefundTo},
    id::Subject,
    ledger::GatewayName,
    money::Money,
    party::PartyId,
    payment::{ChargebackId, PayinId, RefundId, chargeback::Share},
    text::Prose,
};
use serde::{Deserialize, Serialize};

/// What is settled when a refund is opened; known in every status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The order or transaction that was paid for.
    pub about: Subject,
    /// The payin whose money it was.
    pub payin: PayinId,
    /// Who gets it.
    pub payer: PartyId,
    /// How much, above zero, in minor units.
    pub amount: Money,
    /// How it goes back.
    pub route: Route,
    /// Whose consent it needs.
    pub consent: Consent,
    /// What gave the money, and takes it back should the refund be called off.
    pub source: Subject,
    /// Through which gateway.
    pub gateway: GatewayName,
    /// Who bears it, where it is of money that was released: their wallets give it, and their debts. Nobody, where it was
    /// still held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
    /// The refund that came back, of which this one sends the money again. What it belongs to and its payin have counted that
    /// one, and do not count this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<RefundId>,
}

/// How a refund goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// To the card it came from.
    Original,
    /// To a bank account. A bank wire needs one (Truust's public API reference).
    Account(BankAccount),
    /// Into the payer's wallet, at once.
    Wallet,
}

/// Whether an operator has to approve a refund before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// No: it goes by itself, as after a cancellation.
    NotNeeded,
    /// Yes: it is owed, as after a rejection, and cannot be called off; only sent another way.
    Owed,
    /// Yes: an operator opened it by hand, and may call it off before approving it.
    ByHand,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Approved {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Confirmed {
    pub(super) moved: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Denied {
    pub(super) reason: Prose,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CameBack {
    pub(super) moved: Money,
    pub(super) reason: Prose,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Replaced {
    pub(super) by: RefundId,
    pub(super) route: Route,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cancelled {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChargedBack {
    pub(super) chargeback: ChargebackId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WonBack {
    pub(super) chargeback: ChargebackId,
}

impl Route {
    /// What the gateway is told; none for a wallet, which needs no gateway.
    #[must_use]
    pub fn to(&self) -> Option<RefundTo> {
        match self {
            Self::Original => Some(RefundTo::Original),
            Self::Account(account) => Some(RefundTo::Bank(account.clone())),
            Self::Wallet => None,
        }
    }
}
