//! Listing everything the store holds.

use super::{MemoryError, MemoryUnit};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::{Account, Balance},
    party::PartyId,
    store::{Answered, IndexEntry, Inventory, RequestKey},
};
use std::ops::Bound;

impl Inventory for MemoryUnit {
    async fn subjects(&mut self, after: Option<Subject>, limit: usize) -> Result<Vec<Subject>, MemoryError> {
        Ok(self.0.index.all(after, limit))
    }

    async fn row(&mut self, subject: Subject) -> Result<Option<IndexEntry>, MemoryError> {
        Ok(self.0.entry(subject))
    }

    async fn members(
        &mut self,
        after: Option<(&PartyId, Subject)>,
        limit: usize,
    ) -> Result<Vec<(PartyId, Subject)>, MemoryError> {
        Ok(self.0.index.members(after, limit))
    }

    async fn accounts(&mut self, after: Option<&Account>, limit: usize) -> Result<Vec<Account>, MemoryError> {
        Ok(self.0.books.accounts(after, limit))
    }

    async fn balances_of(&mut self, account: &Account) -> Result<Vec<Balance>, MemoryError> {
        Ok(self.0.books.balances_of(account))
    }

    async fn lane(&mut self, key: &IdempotencyKey) -> Result<Option<Subject>, MemoryError> {
        Ok(self.0.calls.row(*key).map(|row| row.lane))
    }

    async fn requests(
        &mut self,
        after: Option<&RequestKey>,
        limit: usize,
    ) -> Result<Vec<(RequestKey, Answered)>, MemoryError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let requests = self.0.answers.range::<RequestKey, _>((start, Bound::Unbounded));
        Ok(requests.take(limit).map(|(key, answered)| (key.clone(), *answered)).collect())
    }
}
