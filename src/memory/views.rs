//! Reading what commits have written.

use super::{MemoryError, MemoryUnit, state::State};
use crate::{
    id::Subject,
    ledger::{Account, Balance},
    money::{Currency, Money},
    store::{BookedEntry, Cursor, IndexEntry, Page, Query, Views},
};

impl Views for MemoryUnit {
    async fn find(&mut self, query: &Query, after: Option<&Cursor>, limit: usize) -> Result<Page, MemoryError> {
        // One more than wanted shows whether there is a next page.
        let found = self.0.index.find(query, after, limit.saturating_add(1));
        let rows = found.into_iter().filter_map(|subject| self.0.entry(subject)).collect();
        Ok(Page::of(query, rows, limit))
    }

    async fn balance(&mut self, account: &Account, currency: Currency) -> Result<Money, MemoryError> {
        Ok(self.0.books.balance(account, currency))
    }

    async fn balances(
        &mut self,
        after: Option<(&Account, Currency)>,
        limit: usize,
    ) -> Result<Vec<Balance>, MemoryError> {
        Ok(self.0.books.balances(after, limit))
    }

    async fn entries(&mut self, account: &Account, after: i64, limit: usize) -> Result<Vec<BookedEntry>, MemoryError> {
        Ok(self.0.books.entries(account, after, limit))
    }

    async fn books(&mut self, after: i64, limit: usize) -> Result<Vec<BookedEntry>, MemoryError> {
        Ok(self.0.books.all(after, limit))
    }
}

impl State {
    pub(super) fn entry(&self, subject: Subject) -> Option<IndexEntry> {
        let kept = self.subjects.get(&subject)?;
        Some(IndexEntry {
            subject,
            lifecycle: kept.row.lifecycle.to_owned(),
            status: kept.row.status.to_owned(),
            parties: kept.row.parties.to_vec(),
            about: kept.row.about,
            deadline: kept.row.deadline,
            held: kept.row.held,
            revision: kept.revision,
        })
    }
}
