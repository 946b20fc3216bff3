//! Queries over the index rows and the books.

use super::{Revision, UnitOfWork};
use crate::{
    id::Subject,
    ledger::{Account, Balance, Purpose},
    money::{Currency, Money},
    party::PartyId,
    text::Text,
    time::Timestamp,
};
use std::future::Future;

/// A lifecycle's name, such as `order`: 1 to 40 characters.
pub type LifecycleName = Text<40>;

/// A question to the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Everything there is, in order of ids.
    All,
    /// Everything of one lifecycle in one status, in order of ids (and so of creation, to the millisecond).
    Status {
        /// The lifecycle's name.
        lifecycle: LifecycleName,
        /// The status's name.
        status: String,
    },
    /// Everything that concerns a party, in order of ids.
    Party(PartyId),
    /// Every payin, payout and refund of an order, in order of ids.
    About(Subject),
    /// Everything whose deadline is at or before this time, the earliest first.
    DueBy(Timestamp),
}

/// A row of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// What it is about.
    pub subject: Subject,
    /// The lifecycle's name.
    pub lifecycle: String,
    /// The status's name.
    pub status: String,
    /// Whom it concerns.
    pub parties: Vec<PartyId>,
    /// What it belongs to.
    pub about: Option<Subject>,
    /// When the clock acts on it (UTC).
    pub deadline: Option<Timestamp>,
    /// What its escrow account holds by its own log, in minor units.
    pub held: Money,
    /// Its revision.
    pub revision: Revision,
}

/// Where a page of rows ended. Rows that change meanwhile are seen at most once, those that do not, exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The deadline of the last row, for [`Query::DueBy`].
    pub deadline: Option<Timestamp>,
    /// The last row.
    pub subject: Subject,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<IndexEntry>,
    /// Where to go on; `None` after the last page.
    pub next: Option<Cursor>,
}

/// An entry as it stands in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedEntry {
    /// Its number in the books. Grows, with gaps.
    pub number: i64,
    /// The subject whose commit made it.
    pub subject: Subject,
    /// The number of the last event of that commit.
    pub seq: u32,
    /// Where the money left.
    pub from: Account,
    /// Where it arrived.
    pub to: Account,
    /// How much, in minor units.
    pub amount: Money,
    /// What for.
    pub purpose: Purpose,
    /// When (UTC): that of the commit's last event.
    pub at: Timestamp,
}

/// Reads what commits have written.
pub trait Views: UnitOfWork {
    /// A page of at most `limit` rows that answer a query, after `after`.
    ///
    /// # Errors
    /// When the storage fails.
    fn find(
        &mut self,
        query: &Query,
        after: Option<&Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Page, Self::Error>> + Send;

    /// What an account holds in a currency, in minor units; zero for one that nothing was ever booked on.
    ///
    /// # Errors
    /// When the storage fails.
    fn balance(
        &mut self,
        account: &Account,
        currency: Currency,
    ) -> impl Future<Output = Result<Money, Self::Error>> + Send;

    /// All balances, zeros included, in order of account (as text) and currency, at most `limit` after `after`.
    ///
    /// # Errors
    /// When the storage fails.
    fn balances(
        &mut self,
        after: Option<(&Account, Currency)>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Balance>, Self::Error>> + Send;

    /// The entries on an account in order of their numbers, at most `limit` after number `after`.
    ///
    /// # Errors
    /// When the storage fails.
    fn entries(
        &mut self,
        account: &Account,
        after: i64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<BookedEntry>, Self::Error>> + Send;

    /// All entries in the books in order of their numbers, at most `limit` after number `after`.
    ///
    /// # Errors
    /// When the storage fails.
    fn books(&mut self, after: i64, limit: usize)
    -> impl Future<Output = Result<Vec<BookedEntry>, Self::Error>> + Send;
}

impl Cursor {
    /// Where a page of a query ended whose last row this is.
    #[must_use]
    pub const fn after(query: &Query, last: &IndexEntry) -> Self {
        let deadline = match query {
            Query::DueBy(_) => last.deadline,
            Query::All | Query::Status { .. } | Query::Party(_) | Query::About(_) => None,
        };
        Self { deadline, subject: last.subject }
    }
}

impl Page {
    /// A page of at most `limit` rows, of which a store has read one more to see whether there is a next page.
    #[must_use]
    pub fn of(query: &Query, mut rows: Vec<IndexEntry>, limit: usize) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|last| Cursor::after(query, last));
        Self { rows, next }
    }
}

impl Query {
    /// Everything of one lifecycle in one status.
    #[must_use]
    pub fn status(lifecycle: LifecycleName, status: impl Into<String>) -> Self {
        Self::Status { lifecycle, status: status.into() }
    }
}
