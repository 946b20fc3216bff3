//! Listing everything the file holds, table by table.

use super::{SqliteError, SqliteUnit, outbox::at_most, row::Reader, views};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::{Account, Balance},
    party::PartyId,
    store::{Answered, Columns, IndexEntry, Inventory, RequestKey},
};
use rusqlite::params;

const EVERYTHING: &str = "SELECT id FROM escrowed_subjects WHERE id > ?1
UNION SELECT subject FROM escrowed_events WHERE subject > ?1
ORDER BY 1 LIMIT ?2";
const MEMBERS: &str = "SELECT party, subject FROM escrowed_parties
WHERE (party, subject) > (?1, ?2) ORDER BY party, subject LIMIT ?3";
// One at a time: an account may have any number of entries, which a list of all would go through.
const NEXT_ACCOUNT: &str = "SELECT account FROM escrowed_balances WHERE account > ?1
UNION ALL SELECT from_account FROM escrowed_entries WHERE from_account > ?1
UNION ALL SELECT to_account FROM escrowed_entries WHERE to_account > ?1
ORDER BY 1 LIMIT 1";
const BALANCES_OF: &str = "SELECT account, minor, currency FROM escrowed_balances WHERE account = ?1 ORDER BY currency";
const LANE: &str = "SELECT lane FROM escrowed_calls WHERE key = ?1";
const REQUESTS: &str = "SELECT key, digest, subject, seq FROM escrowed_requests WHERE key > ?1 ORDER BY key LIMIT ?2";

#[cfg(test)]
pub(super) const QUERIES: [(&str, &str); 6] = [
    (EVERYTHING, "USING PRIMARY KEY"),
    (MEMBERS, "USING PRIMARY KEY"),
    (NEXT_ACCOUNT, "escrowed_entries_to"),
    (BALANCES_OF, "USING PRIMARY KEY"),
    (LANE, "USING INDEX"),
    (REQUESTS, "USING PRIMARY KEY"),
];

impl Inventory for SqliteUnit {
    async fn subjects(&mut self, after: Option<Subject>, limit: usize) -> Result<Vec<Subject>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(EVERYTHING)?;
        let after = after.map(|subject| subject.to_string()).unwrap_or_default();
        let mut rows = statement.query(params![after, at_most(limit)])?;
        let mut subjects = Vec::new();
        while let Some(row) = rows.next()? {
            subjects.push(Reader::new("escrowed_subjects", row).parsed(0)?);
        }
        Ok(subjects)
    }

    async fn row(&mut self, subject: Subject) -> Result<Option<IndexEntry>, SqliteError> {
        Ok(views::read(self.open()?, views::ROW, params![subject.to_string()])?.pop())
    }

    async fn members(
        &mut self,
        after: Option<(&PartyId, Subject)>,
        limit: usize,
    ) -> Result<Vec<(PartyId, Subject)>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(MEMBERS)?;
        let (party, subject) = after.map(|(party, subject)| (party.as_str(), subject.to_string())).unwrap_or_default();
        let mut rows = statement.query(params![party, subject, at_most(limit)])?;
        let mut members = Vec::new();
        while let Some(row) = rows.next()? {
            let reader = Reader::new("escrowed_parties", row);
            members.push((reader.parsed(0)?, reader.parsed(1)?));
        }
        Ok(members)
    }

    async fn accounts(&mut self, after: Option<&Account>, limit: usize) -> Result<Vec<Account>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(NEXT_ACCOUNT)?;
        let mut last = after.map(Account::to_string).unwrap_or_default();
        let mut accounts = Vec::new();
        while accounts.len() < limit {
            let mut rows = statement.query([&last])?;
            let Some(row) = rows.next()? else { break };
            let reader = Reader::new("escrowed_balances", row);
            accounts.push(reader.parsed(0)?);
            last = reader.text(0)?;
        }
        Ok(accounts)
    }

    async fn balances_of(&mut self, account: &Account) -> Result<Vec<Balance>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(BALANCES_OF)?;
        let mut rows = statement.query([account.to_string()])?;
        let mut balances = Vec::new();
        while let Some(row) = rows.next()? {
            balances.push(Reader::new("escrowed_balances", row).balance()?);
        }
        Ok(balances)
    }

    async fn lane(&mut self, key: &IdempotencyKey) -> Result<Option<Subject>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(LANE)?;
        let mut rows = statement.query([key.to_string()])?;
        rows.next()?.map(|row| Reader::new("escrowed_calls", row).parsed(0)).transpose()
    }

    async fn requests(
        &mut self,
        after: Option<&RequestKey>,
        limit: usize,
    ) -> Result<Vec<(RequestKey, Answered)>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(REQUESTS)?;
        let after = after.map(RequestKey::as_str).unwrap_or_default();
        let mut rows = statement.query(params![after, at_most(limit)])?;
        let mut requests = Vec::new();
        while let Some(row) = rows.next()? {
            let reader = Reader::new("escrowed_requests", row);
            let answered = Answered { digest: reader.parsed(1)?, subject: reader.parsed(2)?, seq: reader.number(3)? };
            requests.push((reader.parsed(0)?, answered));
        }
        Ok(requests)
    }
}
