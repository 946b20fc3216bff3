//! The movements there are: from whom to whom, and by what.

use crate::{
    gateway::BankAccount,
    money::Money,
    order::Payee,
    party::PartyId,
    payment::{Destination, Method},
};
use serde::{Deserialize, Serialize};

/// The movements (`001_146075c5300aa4f1.txt`, "Wallet Payments"). What a movement must not have, its form has no place for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Course {
    /// From the payer's card or bank into the payee's wallet.
    PayinToWallet {
        /// Who pays.
        payer: PartyId,
        /// By card or bank.
        by: Outside,
        /// Who is paid.
        payee: PartyId,
        /// How much, above zero, in minor units.
        amount: Money,
    },
    /// From the payer's wallet to the payee's bank account.
    PayinFromWallet {
        /// Who pays.
        payer: PartyId,
        /// Who is paid.
        payee: PartyId,
        /// Where to.
        bankaccount_id: BankAccount,
        /// How much, above zero, in minor units.
        amount: Money,
    },
    /// From somebody's card or bank into their own wallet.
    TopUp {
        /// Whose card and whose wallet.
        payer: PartyId,
        /// By card or bank.
        by: Outside,
        /// How much, above zero, in minor units.
        amount: Money,
    },
    /// From wallet to wallet: settles at once, no gateway.
    WalletToWallet {
        /// Who pays.
        payer: PartyId,
        /// Who is paid.
        payee: PartyId,
        /// How much, above zero, in minor units.
        amount: Money,
    },
    /// From one payer to one payee, any way.
    OneToOne {
        /// Who pays.
        payer: PartyId,
        /// How.
        by: Method,
        /// Who is paid.
        payee: PartyId,
        /// Where to.
        to: Destination,
        /// How much, above zero, in minor units.
        amount: Money,
    },
    /// From one payer to several payees.
    OneToMany {
        /// Who pays.
        payer: PartyId,
        /// How.
        by: Method,
        /// How much in all, above zero, in minor units.
        amount: Money,
        /// Who is paid, and by which share of it.
        payees: Vec<Payee>,
    },
    /// From several payers, each by an act of their own, into one payee's wallet.
    ManyToOne {
        /// Who pays, and how much.
        payers: Vec<Payer>,
        /// Who is paid.
        payee: PartyId,
    },
    /// From several payers, each by an act of their own, to several payees.
    ManyToMany {
        /// Who pays, and how much.
        payers: Vec<Payer>,
        /// Who is paid, and by which share of the sum.
        payees: Vec<Payee>,
    },
}

/// One of several payers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payer {
    /// Who.
    pub party: PartyId,
    /// How much, above zero, in minor units.
    pub amount: Money,
}

/// How money comes from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum Outside {
    /// By card, on the gateway's page.
    #[serde(rename = "ADDON")]
    Card,
    /// By bank transfer.
    #[serde(rename = "BANKWIRE")]
    BankWire {
        /// Where a refund goes.
        refund_to: BankAccount,
    },
}

impl From<Outside> for Method {
    fn from(outside: Outside) -> Self {
        match outside {
            Outside::Card => Self::Card,
            Outside::BankWire { refund_to } => Self::BankWire { refund_to },
        }
    }
}
