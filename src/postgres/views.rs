//! Reading what commits have written.

use super::{PostgresError, outbox::at_most, row::Reader};
use crate::{
    ledger::{Account, Balance},
    money::{Currency, Money},
    store::{BookedEntry, Columns, Cursor, Page, Query},
};
use sqlx::{PgConnection, postgres::PgRow, query};

const ENTRIES: &str = "escrowed_entries";

macro_rules! subjects {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, lifecycle, status, about, deadline, held, currency, revision, parties FROM escrowed_subjects AS s ",
            $rest
        )
    };
}

macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT number, subject, seq, from_account, to_account, minor, currency, purpose, at FROM escrowed_entries ",
            $rest
        )
    };
}

pub(super) const SUBJECTS: &str = "escrowed_subjects";
pub(super) const ROW: &str = subjects!("WHERE s.id = $1");
const ALL: &str = subjects!("WHERE s.id > $1 ORDER BY s.id LIMIT $2");
const IN_STATUS: &str = subjects!("WHERE lifecycle = $1 AND status = $2 AND s.id > $3 ORDER BY s.id LIMIT $4");
const OF_PARTY: &str = subjects!(
    "JOIN escrowed_parties AS p ON p.subject = s.id WHERE p.party = $1 AND p.subject > $2 ORDER BY p.subject LIMIT $3"
);
const ABOUT: &str = subjects!("WHERE about = $1 AND s.id > $2 ORDER BY s.id LIMIT $3");
const DUE_BY: &str = subjects!("WHERE deadline <= $1 AND (deadline, s.id) > ($2, $3) ORDER BY deadline, s.id LIMIT $4");
const BALANCE: &str =
    "SELECT account, minor, currency, in_place FROM escrowed_balances WHERE account = $1 AND currency = $2";
const ALL_BALANCES: &str = "SELECT account, minor, currency, in_place FROM escrowed_balances
WHERE (account, currency) > ($1, $2) ORDER BY account, currency LIMIT $3";
const ENTRIES_ON: &str = concat!(
    "(",
    entries!("WHERE from_account = $1 AND number > $2 ORDER BY number LIMIT $3"),
    ") UNION ALL (",
    entries!("WHERE to_account = $1 AND number > $2 ORDER BY number LIMIT $3"),
    ") ORDER BY number LIMIT $3"
);
const BOOKS: &str = entries!("WHERE number > $1 ORDER BY number LIMIT $2");

#[cfg(test)]
pub(super) const QUERIES: [(&str, &str); 10] = [
    (ROW, "escrowed_subjects_pkey"),
    (ALL, "escrowed_subjects_pkey"),
    (IN_STATUS, "escrowed_subjects_status"),
    (OF_PARTY, "escrowed_parties_pkey"),
    (ABOUT, "escrowed_subjects_about"),
    (DUE_BY, "escrowed_subjects_deadline"),
    (BALANCE, "escrowed_stripes_pkey"),
    (ALL_BALANCES, "escrowed_stripes_pkey"),
    (ENTRIES_ON, "escrowed_entries_from"),
    (BOOKS, "escrowed_entries_pkey"),
];

pub(super) async fn find(
    connection: &mut PgConnection,
    asked: &Query,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page, PostgresError> {
    // One more than wanted shows whether there is a next page.
    let one_more = at_most(limit.saturating_add(1));
    let last = after.map(|cursor| cursor.subject.to_string()).unwrap_or_default();
    let found = match asked {
        // PostgreSQL takes no NUL in a text, and would give up the unit; no status has one.
        Query::Status { status, .. } if status.contains('\0') => return Ok(Page::of(asked, Vec::new(), limit)),
        Query::All => query(ALL).bind(last).bind(one_more),
        Query::Status { lifecycle, status } => {
            query(IN_STATUS).bind(lifecycle.as_str()).bind(status).bind(last).bind(one_more)
        }
        Query::Party(party) => query(OF_PARTY).bind(party.as_str()).bind(last).bind(one_more),
        Query::About(subject) => query(ABOUT).bind(subject.to_string()).bind(last).bind(one_more),
        Query::DueBy(time) => {
            // A cursor of another query has no deadline. None comes before any, so it leads to the first row.
            let from = after.and_then(|cursor| cursor.deadline).map_or(i64::MIN, |deadline| deadline.unix_micros());
            query(DUE_BY).bind(time.unix_micros()).bind(from).bind(last).bind(one_more)
        }
    };
    let rows = found.fetch_all(connection).await?;
    let rows = rows.iter().map(|row| Reader::new(SUBJECTS, row).index_entry());
    Ok(Page::of(asked, rows.collect::<Result<_, _>>()?, limit))
}

pub(super) async fn balance(
    connection: &mut PgConnection,
    account: &Account,
    currency: Currency,
) -> Result<Money, PostgresError> {
    let row = query(BALANCE).bind(account.to_string()).bind(currency.code()).fetch_optional(connection).await?;
    let balance = row.map(|row| Reader::new("escrowed_balances", &row).balance_in_place()).transpose()?;
    Ok(balance.map_or(Money::zero(currency), |balance| balance.amount))
}

pub(super) async fn balances(
    connection: &mut PgConnection,
    after: Option<(&Account, Currency)>,
    limit: usize,
) -> Result<Vec<Balance>, PostgresError> {
    let (account, currency) =
        after.map(|(account, currency)| (account.to_string(), currency.code())).unwrap_or_default();
    let rows = query(ALL_BALANCES).bind(account).bind(currency).bind(at_most(limit)).fetch_all(connection).await?;
    rows.iter().map(|row| Reader::new("escrowed_balances", row).balance_in_place()).collect()
}

pub(super) async fn entries(
    connection: &mut PgConnection,
    account: &Account,
    after: i64,
    limit: usize,
) -> Result<Vec<BookedEntry>, PostgresError> {
    let on = query(ENTRIES_ON).bind(account.to_string()).bind(after).bind(at_most(limit));
    booked(&on.fetch_all(connection).await?)
}

pub(super) async fn books(
    connection: &mut PgConnection,
    after: i64,
    limit: usize,
) -> Result<Vec<BookedEntry>, PostgresError> {
    booked(&query(BOOKS).bind(after).bind(at_most(limit)).fetch_all(connection).await?)
}

fn booked(rows: &[PgRow]) -> Result<Vec<BookedEntry>, PostgresError> {
    rows.iter().map(|row| Reader::new(ENTRIES, row).booked_entry()).collect()
}
