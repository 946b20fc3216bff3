//! Listing everything the tables hold, one by one.

use super::{
    PostgresError,
    outbox::at_most,
    row::Reader,
    views::{self, ROW},
};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::{Account, Balance},
    party::PartyId,
    store::{Answered, Columns, IndexEntry, RequestKey},
};
use sqlx::{PgConnection, query};

const EVERYTHING: &str = "(SELECT id FROM escrowed_subjects WHERE id > $1 ORDER BY id LIMIT $2)
UNION (SELECT DISTINCT subject FROM escrowed_events WHERE subject > $1 ORDER BY subject LIMIT $2)
ORDER BY 1 LIMIT $2";
const MEMBERS: &str = "SELECT party, subject FROM escrowed_parties
WHERE (party, subject) > ($1, $2) ORDER BY party, subject LIMIT $3";
macro_rules! next_account {
    ($after:literal) => {
        concat!(
            "least((SELECT account FROM escrowed_stripes WHERE account > ",
            $after,
            " ORDER BY account LIMIT 1),
    (SELECT from_account FROM escrowed_entries WHERE from_account > ",
            $after,
            " ORDER BY from_account LIMIT 1),
    (SELECT to_account FROM escrowed_entries WHERE to_account > ",
            $after,
            " ORDER BY to_account LIMIT 1))"
        )
    };
}
// From one account to the next: an account may have any number of entries, which a list of all would go through.
const ACCOUNTS: &str = concat!(
    "WITH RECURSIVE steps (account, place) AS (
    SELECT ",
    next_account!("$1"),
    ", 1::bigint
    UNION ALL
    SELECT ",
    next_account!("steps.account"),
    ", place + 1 FROM steps WHERE account IS NOT NULL AND place < $2
)
SELECT account FROM steps WHERE account IS NOT NULL AND place <= $2 ORDER BY place"
);
const BALANCES_OF: &str = "SELECT account, minor, currency, in_place FROM escrowed_balances
WHERE account = $1 ORDER BY currency";
const LANE: &str = "SELECT lane FROM escrowed_calls WHERE key = $1";
const REQUESTS: &str = "SELECT key, digest, subject, seq FROM escrowed_requests WHERE key > $1 ORDER BY key LIMIT $2";

#[cfg(test)]
pub(super) const QUERIES: [(&str, &str); 6] = [
    (EVERYTHING, "escrowed_events_pkey"),
    (MEMBERS, "escrowed_parties_pkey"),
    (ACCOUNTS, "escrowed_entries_to"),
    (BALANCES_OF, "escrowed_stripes_pkey"),
    (LANE, "escrowed_calls_pkey"),
    (REQUESTS, "escrowed_requests_pkey"),
];

pub(super) async fn subjects(
    connection: &mut PgConnection,
    after: Option<Subject>,
    limit: usize,
) -> Result<Vec<Subject>, PostgresError> {
    let after = after.map(|subject| subject.to_string()).unwrap_or_default();
    let rows = query(EVERYTHING).bind(after).bind(at_most(limit)).fetch_all(connection).await?;
    rows.iter().map(|row| Reader::new("escrowed_subjects", row).parsed(0)).collect()
}

pub(super) async fn row(connection: &mut PgConnection, subject: Subject) -> Result<Option<IndexEntry>, PostgresError> {
    let row = query(ROW).bind(subject.to_string()).fetch_optional(connection).await?;
    row.map(|row| Reader::new(views::SUBJECTS, &row).index_entry()).transpose()
}

pub(super) async fn members(
    connection: &mut PgConnection,
    after: Option<(&PartyId, Subject)>,
    limit: usize,
) -> Result<Vec<(PartyId, Subject)>, PostgresError> {
    let (party, subject) = after.map(|(party, subject)| (party.as_str(), subject.to_string())).unwrap_or_default();
    let rows = query(MEMBERS).bind(party).bind(subject).bind(at_most(limit)).fetch_all(connection).await?;
    let rows = rows.iter().map(|row| Reader::new("escrowed_parties", row));
    rows.map(|reader| Ok((reader.parsed(0)?, reader.parsed(1)?))).collect()
}

pub(super) async fn accounts(
    connection: &mut PgConnection,
    after: Option<&Account>,
    limit: usize,
) -> Result<Vec<Account>, PostgresError> {
    let after = after.map(Account::to_string).unwrap_or_default();
    let rows = query(ACCOUNTS).bind(after).bind(at_most(limit)).fetch_all(connection).await?;
    rows.iter().map(|row| Reader::new("escrowed_balances", row).parsed(0)).collect()
}

pub(super) async fn balances_of(
    connection: &mut PgConnection,
    account: &Account,
) -> Result<Vec<Balance>, PostgresError> {
    let rows = query(BALANCES_OF).bind(account.to_string()).fetch_all(connection).await?;
    rows.iter().map(|row| Reader::new("escrowed_balances", row).balance_in_place()).collect()
}

pub(super) async fn lane(
    connection: &mut PgConnection,
    key: &IdempotencyKey,
) -> Result<Option<Subject>, PostgresError> {
    let row = query(LANE).bind(key.to_string()).fetch_optional(connection).await?;
    row.map(|row| Reader::new("escrowed_calls", &row).parsed(0)).transpose()
}

pub(super) async fn requests(
    connection: &mut PgConnection,
    after: Option<&RequestKey>,
    limit: usize,
) -> Result<Vec<(RequestKey, Answered)>, PostgresError> {
    let after = after.map(RequestKey::as_str).unwrap_or_default();
    let rows = query(REQUESTS).bind(after).bind(at_most(limit)).fetch_all(connection).await?;
    let rows = rows.iter().map(|row| Reader::new("escrowed_requests", row));
    rows.map(|reader| {
        let answered = Answered { digest: reader.parsed(1)?, subject: reader.parsed(2)?, seq: reader.number(3)? };
        Ok((reader.parsed(0)?, answered))
    })
    .collect()
}
