//! Statements: what an account, a party or an order held, what came and went, and what it holds.
//!
//! ```
//! use escrowed::{escrow::Escrow, memory::Memory, order, party::Actor, payment::{Destination, Method}, sandbox::Sandbox};
//! use escrowed::{statement::{self, Span}, store::Store};
//! # futures_lite::future::block_on(async {
//! # let escrow = Escrow::new(Memory::new(), Sandbox::new(7));
//! # let (anna, sam, ops) = (Actor::Party("anna".parse()?), Actor::Party("sam".parse()?), Actor::platform("ops".parse()?));
//! # let mut terms = order::Terms::new("A bicycle".parse()?, "100.00 EUR".parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
//! # let rule = escrowed::money::FeeRule::new("10%".parse()?, "5.00 EUR".parse()?)?;
//! # let policy = escrowed::money::FeePolicy::new(rule, "0.00 EUR".parse()?)?;
//! # terms.fees = Some(order::Fees { policy, own: None });
//! # let mut unit = escrow.store().begin().await?;
//! # let id = escrow.open_order(&mut unit, terms, ops.clone()).await?.id();
//! # escrow.act(&mut unit, id, order::Command::IdentifyBuyer { buyer: "anna".parse()? }, ops.clone()).await?;
//! # escrow.act(&mut unit, id, order::Command::Pay { by: Method::Card }, anna).await?;
//! # escrow.store().commit(unit).await?;
//! # escrow.send(&"worker-1".parse()?, 10).await?;
//! # let mut unit = escrow.store().begin().await?;
//! # let payout = Some(order::PayoutPlan::to("sam".parse()?, Destination::Wallet));
//! # escrow.act(&mut unit, id, order::Command::Accept { payout }, sam).await?;
//! # escrow.act(&mut unit, id, order::Command::Validate {}, ops).await?;
//! # escrow.store().commit(unit).await?;
//! // Anna paid an order of €100.00 by card; it was released into sam's wallet, less a fee of 10 %.
//! let mut unit = escrow.store().begin().await?;
//! let order = statement::of_subject(&mut unit, id.subject(), Span::ALL).await?;
//! let lines = order.total()[0].lines().iter();
//! let rows: Vec<_> = lines.map(|line| format!("{} {} -> {}", line.counter, line.amount, line.balance)).collect();
//! assert_eq!(rows, [
//!     "world:sandbox 100.00 EUR -> 100.00 EUR",
//!     "wallet:shop -10.00 EUR -> 90.00 EUR",
//!     "wallet:sam -90.00 EUR -> 0.00 EUR",
//! ]);
//!
//! let sam = &statement::of_party(&mut unit, &"sam".parse()?, Span::ALL).await?[0];
//! assert_eq!(serde_json::to_value(sam)?["closing"], serde_json::json!({ "amount": 9000, "currency": "EUR" }));
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! **What counts when.** An entry counts at its own time, [`BookedEntry::at`](crate::store::BookedEntry::at); entries of
//! the same time count in the order of their numbers. So an entry is in the same [`Span`] for both of its accounts, the
//! statements of all accounts add up to zero at any time, and the closing balance of one span is the opening balance of
//! the next. The books themselves are kept in the order of the numbers, and the clocks of several workers may disagree
//! with it by as much as they disagree with each other. Two things follow: inside a statement a running balance may be
//! one that the account never had, even one below zero; and an entry that is booked late, by a clock that is slow, still
//! changes a span that is over. Draw the statement of a day once every worker's clock has left that day.
//!
//! **What it costs.** The index of the books goes by number, so a statement reads every entry of its accounts and of no
//! other, a page at a time, and keeps those of its span. What it has read is compared with the balance the store keeps:
//! a statement whose last closing balance would not be what the account holds is not drawn.

mod draw;
mod span;
#[cfg(feature = "csv")]
mod table;
#[cfg(test)]
mod tests;

pub use draw::{of_account, of_party, of_subject};
pub use span::{Span, SpanError};
#[cfg(feature = "csv")]
pub use table::write_csv;

use crate::{
    id::Subject,
    ledger::{Account, Purpose},
    money::{Currency, Money, MoneyError},
    time::Timestamp,
};
use serde::Serialize;
use std::fmt;

/// What one holder held in one currency at the beginning of a span, what came and went, and what it held at the end.
///
/// The opening balance and the amounts of the lines add up to the closing balance, which is why nobody else can make one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    of: Holder,
    currency: Currency,
    #[serde(flatten)]
    span: Span,
    opening: Money,
    lines: Vec<Line>,
    closing: Money,
}

/// Whose statement it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Holder {
    /// One account.
    Account(Account),
    /// An order or deal: its escrow account and those of its payments, as if they were one.
    Subject(Subject),
}

/// One entry, as the holder sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its number in the books.
    pub number: i64,
    /// When (UTC).
    pub at: Timestamp,
    /// The holder's account.
    pub account: Account,
    /// The other account.
    pub counter: Account,
    /// What it adds to the holder's account, in minor units; below zero when money leaves.
    pub amount: Money,
    /// What for.
    pub purpose: Purpose,
    /// Whose step booked it: an order, a payin, a payout, a refund.
    pub subject: Subject,
    /// The number of that step's last event in the subject's log.
    pub seq: u32,
    /// The balance after it, in minor units.
    pub balance: Money,
}

/// The statements of an order or deal and of its payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubjectStatement {
    subject: Subject,
    total: Vec<Statement>,
    accounts: Vec<Statement>,
}

/// Why there is no statement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError<E> {
    /// A balance on the way does not fit into 64 bits.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The entries do not add up to the balance: the books were tampered with, or changed while they were read.
    #[error(
        "account {account} holds {held}, its entries add up to {counted}: read it in a unit of its own, or audit it"
    )]
    Disagrees {
        /// Which account.
        account: Account,
        /// What it holds by its balance, in minor units.
        held: Money,
        /// What its entries add up to, in minor units.
        counted: Money,
    },
    /// The storage failed.
    #[error("the storage failed")]
    Storage(#[source] E),
}

impl Statement {
    /// Whose it is.
    #[must_use]
    pub const fn of(&self) -> &Holder {
        &self.of
    }

    /// In which currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Of which span of time.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }

    /// What was held before the span, in minor units.
    #[must_use]
    pub const fn opening(&self) -> Money {
        self.opening
    }

    /// What came and went within the span, the earliest first, those of the same time in order of their numbers.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What was held at the end of the span, in minor units: what is held now, if the span has no end.
    #[must_use]
    pub const fn closing(&self) -> Money {
        self.closing
    }
}

impl SubjectStatement {
    /// The order or deal.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        self.subject
    }

    /// One statement per currency, in order of their codes: what came in from elsewhere and what left. What moved from one
    /// of its accounts to another is left out.
    #[must_use]
    pub fn total(&self) -> &[Statement] {
        &self.total
    }

    /// One statement per account and currency: its own first, then those of its payments in order of their ids.
    #[must_use]
    pub fn accounts(&self) -> &[Statement] {
        &self.accounts
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => fmt::Display::fmt(account, f),
            Self::Subject(subject) => fmt::Display::fmt(subject, f),
        }
    }
}
