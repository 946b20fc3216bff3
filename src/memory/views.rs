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
        let mut found = self.0.index.find(query, after, limit.saturating_add(1));
        let more = found.len() > limit;
        found.truncate(limit);
        let rows: Vec<_> = found.into_iter().filter_map(|subject| self.0.entry(subject)).collect();
        let cursor = |last: &IndexEntry| Cursor {
            deadline: match query {
                Query::DueBy(_) => last.deadline,
                Query::Status { .. } | Query::Party(_) | Query::About(_) => None,
            },
            subject: last.subject,
        };
        let next = rows.last().filter(|_| more).map(cursor);
        Ok(Page { rows, next })
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
}

impl State {
    fn entry(&self, subject: Subject) -> Option<IndexEntry> {
        let kept = self.subjects.get(&subject)?;
        Some(IndexEntry {
            subject,
            lifecycle: kept.row.lifecycle.to_owned(),
            status: kept.row.status.to_owned(),
            about: kept.row.about,
            deadline: kept.row.deadline,
            held: kept.row.held,
            revision: kept.revision,
        })
    }
}
