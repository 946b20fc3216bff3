//! The books: accounts, and entries that balance by their very form.
//!
//! ```
//! use escrowed::{ledger::{Account, Entry, Purpose}, money::{Currency, Money}};
//!
//! let world: Account = "world:sandbox".parse()?;
//! let wallet: Account = "wallet:alice".parse()?;
//! let entry = Entry::new(world, wallet.clone(), Money::from_minor(1250, Currency::EUR), Purpose::TopUp)?;
//! let [out, r#in] = entry.postings();
//! assert_eq!((out.amount.minor(), r#in.amount.minor()), (-1250, 1250));
//! assert_eq!(r#in.account, &wallet);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An [`Entry`] takes an amount from one account and gives it to another, so no set of entries can be out of balance.
//! Escrow accounts and wallets are guarded: they may not go below zero, which the store enforces in the commit. The account
//! of what a party owes, [`Account::Debt`], is guarded the other way round: it may not go above zero.

use crate::{
    id::{Subject, Written},
    money::{Currency, Money, MoneyError},
    party::PartyId,
    text::{Text, TextError},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The name of a payment gateway, as the host calls it: 1 to 40 characters.
pub type GatewayName = Text<40>;

/// Whose money it is. Each account holds amounts of any number of currencies, which never mix.
///
/// As text: `world:stripe`, `wallet:alice`, `escrow:ord_01kr1hgnqred6999kp7cqmx8ss`, `debt:alice`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Account {
    /// Everything outside, as seen through one gateway. Below zero by what that gateway holds for the marketplace.
    World(GatewayName),
    /// What an order, a payin, a payout or a refund holds. Nobody reaches it except through the lifecycle.
    Escrow(Subject),
    /// What a party may spend. The platform's wallet earns the fees.
    Wallet(PartyId),
    /// What a party owes, below zero by as much: never above. Only [debts](crate::payment::debt) are booked here.
    Debt(PartyId),
}

/// What an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Money came in from a payer, through a gateway or from a wallet.
    Payin,
    /// A confirmed payin handed its money to what it paid for.
    Collect,
    /// Money was set aside for a payee.
    Release,
    /// A fee was earned.
    Fee,
    /// Money was set aside to go back to the payer.
    GiveBack,
    /// A payout reached its payee.
    Payout,
    /// A refund reached the payer.
    Refund,
    /// A denied or cancelled payout or refund returned its money to where it came from.
    Return,
    /// A payout or refund that was denied or came back, or a refund that nobody has approved, passed its money to the one that
    /// replaces it.
    Replace,
    /// Money was put into a wallet from outside.
    TopUp,
    /// The bank sent a payout's or refund's money back after it had arrived.
    SentBack,
    /// A card network took money of a payin back, or returned it after a dispute was won.
    Chargeback,
    /// Somebody came to owe what has to be paid all the same.
    Owe,
    /// Of what somebody owes, some was paid off.
    PayOff,
    /// The platform set money of its own aside for what somebody owes, or has it back.
    Cover,
    /// Of what the platform had written off, some came in after all, and is the platform's again.
    Recoup,
    /// A lender got back a part of what it lent.
    Principal,
    /// A lender earned interest.
    Interest,
}

/// One movement: `amount` leaves `from` and arrives at `to`. In balance by construction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    from: Account,
    to: Account,
    amount: Money,
    purpose: Purpose,
}

/// One side of an [`Entry`]: what it does to one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting<'e> {
    /// The account.
    pub account: &'e Account,
    /// What is added to it, in minor units; negative when money leaves.
    pub amount: Money,
}

/// What an account holds in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The account.
    pub account: Account,
    /// What it holds, in minor units.
    pub amount: Money,
}

/// Why an entry cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Nothing, or less than nothing, would move, or the sums overflow.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// From an account to itself.
    #[error("`{0}` would pay itself: an entry needs two accounts")]
    SameAccount(Account),
}

/// Why a text names no account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no account: write world:NAME, escrow:ID, wallet:PARTY or debt:PARTY")]
pub struct AccountError {
    /// What was given.
    pub text: String,
}

impl Entry {
    /// An entry.
    ///
    /// # Errors
    /// [`LedgerError`] when the amount is not above zero, or both accounts are the same.
    pub fn new(from: Account, to: Account, amount: Money, purpose: Purpose) -> Result<Self, LedgerError> {
        let amount = amount.require_positive()?;
        if from == to {
            return Err(LedgerError::SameAccount(from));
        }
        Ok(Self { from, to, amount, purpose })
    }

    /// Where the money leaves.
    #[must_use]
    pub const fn from(&self) -> &Account {
        &self.from
    }

    /// Where it arrives.
    #[must_use]
    pub const fn to(&self) -> &Account {
        &self.to
    }

    /// How much, above zero, in minor units.
    #[must_use]
    pub const fn amount(&self) -> Money {
        self.amount
    }

    /// What for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Its two sides: what leaves, what arrives. They add up to zero.
    #[must_use]
    pub fn postings(&self) -> [Posting<'_>; 2] {
        let leaves = Money::from_minor(-self.amount.minor(), self.amount.currency());
        [Posting { account: &self.from, amount: leaves }, Posting { account: &self.to, amount: self.amount }]
    }
}

impl Account {
    /// Whether it may never go below zero: all but the outside world and what a party owes.
    #[must_use]
    pub const fn guarded(&self) -> bool {
        match self {
            Self::World(_) | Self::Debt(_) => false,
            Self::Escrow(_) | Self::Wallet(_) => true,
        }
    }

    /// Whether it may never go above zero: what a party owes.
    #[must_use]
    pub const fn owed(&self) -> bool {
        match self {
            Self::Debt(_) => true,
            Self::World(_) | Self::Escrow(_) | Self::Wallet(_) => false,
        }
    }

    /// Whether it may hold so much, in minor units. A store refuses an entry that would leave it with anything else.
    #[must_use]
    pub const fn may_hold(&self, minor: i64) -> bool {
        match self {
            Self::World(_) => true,
            Self::Escrow(_) | Self::Wallet(_) => minor >= 0,
            Self::Debt(_) => minor <= 0,
        }
    }
}

/// Adds up balances by currency. All sums are zero unless the books were tampered with.
///
/// # Errors
/// [`MoneyError::Overflow`] when a sum leaves 64 bits.
pub fn trial_balance<'b>(balances: impl IntoIterator<Item = &'b Balance>) -> Result<Vec<Money>, MoneyError> {
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for balance in balances {
        *sums.entry(balance.amount.currency()).or_default() += i128::from(balance.amount.minor());
    }
    sums.into_iter()
        .map(|(currency, sum)| {
            i64::try_from(sum).map(|minor| Money::from_minor(minor, currency)).map_err(|_| MoneyError::Overflow)
        })
        .collect()
}

impl Purpose {
    /// Its name in stores and statements.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payin => "payin",
            Self::Collect => "collect",
            Self::Release => "release",
            Self::Fee => "fee",
            Self::GiveBack => "give_back",
            Self::Payout => "payout",
            Self::Refund => "refund",
            Self::Return => "return",
            Self::Replace => "replace",
            Self::TopUp => "top_up",
            Self::SentBack => "sent_back",
            Self::Chargeback => "chargeback",
            Self::Owe => "owe",
            Self::PayOff => "pay_off",
            Self::Cover => "cover",
            Self::Recoup => "recoup",
            Self::Principal => "principal",
            Self::Interest => "interest",
        }
    }

    /// Every purpose there is.
    pub const ALL: [Self; 18] = [
        Self::Payin,
        Self::Collect,
        Self::Release,
        Self::Fee,
        Self::GiveBack,
        Self::Payout,
        Self::Refund,
        Self::Return,
        Self::Replace,
        Self::TopUp,
        Self::SentBack,
        Self::Chargeback,
        Self::Owe,
        Self::PayOff,
        Self::Cover,
        Self::Recoup,
        Self::Principal,
        Self::Interest,
    ];
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(self))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Account {
    type Err = AccountError;
    fn from_str(text: &str) -> Result<Self, AccountError> {
        let unnamed = || AccountError { text: text.chars().take(80).collect() };
        let (class, name) = text.split_once(':').ok_or_else(unnamed)?;
        match class {
            "world" => name.parse().map(Self::World).map_err(|_: TextError| unnamed()),
            "escrow" => name.parse().map(Self::Escrow).map_err(|_| unnamed()),
            "wallet" => name.parse().map(Self::Wallet).map_err(|_: TextError| unnamed()),
            "debt" => name.parse().map(Self::Debt).map_err(|_: TextError| unnamed()),
            _ => Err(unnamed()),
        }
    }
}

impl TryFrom<String> for Account {
    type Error = AccountError;
    fn try_from(text: String) -> Result<Self, AccountError> {
        text.parse()
    }
}

impl From<&Account> for String {
    fn from(account: &Account) -> Self {
        let written;
        let [class, name] = match account {
            Account::World(gateway) => ["world:", gateway.as_str()],
            Account::Escrow(subject) => {
                written = Written::new(subject);
                ["escrow:", written.as_str()]
            }
            Account::Wallet(party) => ["wallet:", party.as_str()],
            Account::Debt(party) => ["debt:", party.as_str()],
        };
        [class, name].concat()
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        Self::from(&account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wallet(name: &str) -> Account {
        Account::Wallet(name.parse().unwrap())
    }

    #[test]
    fn an_entry_moves_something_between_two() {
        let euro = |minor| Money::from_minor(minor, Currency::EUR);
        assert!(Entry::new(wallet("a"), wallet("b"), euro(0), Purpose::Fee).is_err());
        assert!(Entry::new(wallet("a"), wallet("b"), euro(-1), Purpose::Fee).is_err());
        let same = Entry::new(wallet("a"), wallet("a"), euro(1), Purpose::Fee);
        assert_eq!(same, Err(LedgerError::SameAccount(wallet("a"))));
    }

    #[test]
    fn accounts_are_read_as_they_are_written() {
        for text in ["world:sandbox", "wallet:a:b", "debt:a", "escrow:tx_01kr1hgnqred6999kp7cqmx8ss"] {
            assert_eq!(text.parse::<Account>().unwrap().to_string(), text);
        }
        for text in ["", "wallet", "wallet:", "safe:x", "escrow:x"] {
            assert!(text.parse::<Account>().is_err(), "{text}");
        }
    }

    #[test]
    fn purposes_have_the_names_they_serialise_to() {
        for purpose in Purpose::ALL {
            assert_eq!(serde_json::to_value(purpose).unwrap(), purpose.name());
        }
    }
}
