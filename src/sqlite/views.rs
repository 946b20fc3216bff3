//! Reading what commits have written.

use super::{SqliteError, SqliteUnit, outbox::at_most, row::Reader};
use crate::{
    ledger::{Account, Balance},
    money::{Currency, Money},
    store::{BookedEntry, Columns, Cursor, IndexEntry, Page, Query, Views},
};
use rusqlite::{Connection, OptionalExtension, ToSql, params};

const SUBJECTS: &str = "escrowed_subjects";
const BALANCES: &str = "escrowed_balances";
const ENTRIES: &str = "escrowed_entries";

macro_rules! subjects {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, lifecycle, status, about, deadline, held, currency, revision, parties FROM escrowed_subjects AS s ",
            $rest
        )
    };
}

const ALL: &str = subjects!("WHERE s.id > ?1 ORDER BY s.id LIMIT ?2");
pub(super) const ROW: &str = subjects!("WHERE s.id = ?1");
const IN_STATUS: &str = subjects!("WHERE lifecycle = ?1 AND status = ?2 AND s.id > ?3 ORDER BY s.id LIMIT ?4");
const OF_PARTY: &str = subjects!(
    "JOIN escrowed_parties AS p ON p.subject = s.id WHERE p.party = ?1 AND p.subject > ?2 ORDER BY p.subject LIMIT ?3"
);
const ABOUT: &str = subjects!("WHERE about = ?1 AND s.id > ?2 ORDER BY s.id LIMIT ?3");
const DUE_BY: &str = subjects!("WHERE deadline <= ?1 AND (deadline, s.id) > (?2, ?3) ORDER BY deadline, s.id LIMIT ?4");
const BALANCE: &str = "SELECT minor FROM escrowed_balances WHERE account = ?1 AND currency = ?2";
const ALL_BALANCES: &str = "SELECT account, minor, currency FROM escrowed_balances
WHERE (account, currency) > (?1, ?2) ORDER BY account, currency LIMIT ?3";
const ENTRIES_ON: &str = "SELECT number, subject, seq, from_account, to_account, minor, currency, purpose, at
FROM escrowed_entries WHERE from_account = ?1 AND number > ?2
UNION ALL
SELECT number, subject, seq, from_account, to_account, minor, currency, purpose, at
FROM escrowed_entries WHERE to_account = ?1 AND number > ?2
ORDER BY number LIMIT ?3";

const BOOKS: &str = "SELECT number, subject, seq, from_account, to_account, minor, currency, purpose, at
FROM escrowed_entries WHERE number > ?1 ORDER BY number LIMIT ?2";

#[cfg(test)]
pub(super) const QUERIES: [(&str, &str); 10] = [
    (ROW, "USING PRIMARY KEY"),
    (ALL, "USING PRIMARY KEY"),
    (BOOKS, "USING INTEGER PRIMARY KEY"),
    (IN_STATUS, "escrowed_subjects_status"),
    (OF_PARTY, "USING PRIMARY KEY"),
    (ABOUT, "escrowed_subjects_about"),
    (DUE_BY, "escrowed_subjects_deadline"),
    (BALANCE, "USING PRIMARY KEY"),
    (ENTRIES_ON, "escrowed_entries_to"),
    (ALL_BALANCES, "USING PRIMARY KEY"),
];

impl Views for SqliteUnit {
    async fn find(&mut self, query: &Query, after: Option<&Cursor>, limit: usize) -> Result<Page, SqliteError> {
        let connection = self.open()?;
        // One more than wanted shows whether there is a next page.
        let one_more = at_most(limit.saturating_add(1));
        let last = after.map(|cursor| cursor.subject.to_string()).unwrap_or_default();
        let rows = match query {
            Query::All => read(connection, ALL, params![last, one_more]),
            Query::Status { lifecycle, status } => {
                read(connection, IN_STATUS, params![lifecycle.as_str(), status, last, one_more])
            }
            Query::Party(party) => read(connection, OF_PARTY, params![party.as_str(), last, one_more]),
            Query::About(subject) => read(connection, ABOUT, params![subject.to_string(), last, one_more]),
            Query::DueBy(time) => {
                // A cursor of another query has no deadline. None comes before any, so it leads to the first row.
                let from = after.and_then(|cursor| cursor.deadline).map_or(i64::MIN, |deadline| deadline.unix_micros());
                read(connection, DUE_BY, params![time.unix_micros(), from, last, one_more])
            }
        }?;
        Ok(Page::of(query, rows, limit))
    }

    async fn balance(&mut self, account: &Account, currency: Currency) -> Result<Money, SqliteError> {
        let mut statement = self.open()?.prepare_cached(BALANCE)?;
        let minor = statement.query_row([&account.to_string(), currency.code()], |row| row.get(0)).optional()?;
        Ok(Money::from_minor(minor.unwrap_or_default(), currency))
    }

    async fn balances(
        &mut self,
        after: Option<(&Account, Currency)>,
        limit: usize,
    ) -> Result<Vec<Balance>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(ALL_BALANCES)?;
        let (account, currency) =
            after.map(|(account, currency)| (account.to_string(), currency.code())).unwrap_or_default();
        let mut rows = statement.query(params![account, currency, at_most(limit)])?;
        let mut balances = Vec::new();
        while let Some(row) = rows.next()? {
            balances.push(Reader::new(BALANCES, row).balance()?);
        }
        Ok(balances)
    }

    async fn entries(&mut self, account: &Account, after: i64, limit: usize) -> Result<Vec<BookedEntry>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(ENTRIES_ON)?;
        let mut rows = statement.query(params![account.to_string(), after, at_most(limit)])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(Reader::new(ENTRIES, row).booked_entry()?);
        }
        Ok(entries)
    }

    async fn books(&mut self, after: i64, limit: usize) -> Result<Vec<BookedEntry>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(BOOKS)?;
        let mut rows = statement.query(params![after, at_most(limit)])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(Reader::new(ENTRIES, row).booked_entry()?);
        }
        Ok(entries)
    }
}

pub(super) fn read(
    connection: &Connection,
    query: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<IndexEntry>, SqliteError> {
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(values)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(Reader::new(SUBJECTS, row).index_entry()?);
    }
    Ok(entries)
}
