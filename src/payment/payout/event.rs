//! What is logged of a payout.

use crate::{
    gateway::BankAccount, id::Subject, ledger::GatewayName, money::Money, party::PartyId, payment::PayoutId,
    text::Prose,
};
use serde::{Deserialize, Serialize};

/// What is settled when a payout is opened; known in every status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What gave the money, and takes it back should the payout be called off.
    pub about: Subject,
    /// Who gets it.
    pub payee: PartyId,
    /// How much, above zero, in minor units.
    pub amount: Money,
    /// Where to.
    pub to: Destination,
    /// Through which gateway.
    pub gateway: GatewayName,
    /// The payout that came back, of which this one sends the money again. What it belongs to is done with it then, and
    /// takes no money back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<PayoutId>,
}

/// Where a payout goes (`001_146075c5300aa4f1.txt`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum Destination {
    /// To a bank account. The crate knows no accounts: that it is the payee's own is for the host to check before it passes it
    /// on, be it named by the payee, by a seller or by the platform.
    #[serde(rename = "ACCOUNT")]
    Account {
        /// Which.
        bankaccount_id: BankAccount,
    },
    /// Into the payee's wallet, at once.
    #[serde(rename = "WALLET")]
    Wallet,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Confirmed {
    pub(super) moved: Money,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Held {
    pub(super) reason: Prose,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LetGo {}

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
    pub(super) by: PayoutId,
    pub(super) to: Destination,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GivenBack {}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cancelled {}
