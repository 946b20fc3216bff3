//! A store whose callers share durable commits: those that save at the same moment wait for one flush of the disk and
//! one round trip, instead of one each.
//!
//! ```
//! use escrowed::{coalescing::Coalescing, escrow::Escrow, memory::Memory, order, party::Actor, sandbox::Sandbox};
//! # futures_lite::future::block_on(async {
//! // Over SQLite or PostgreSQL, where a commit costs something.
//! let escrow = Escrow::new(Coalescing::new(Memory::new()), Sandbox::new(7));
//! let ops = Actor::platform("ops".parse()?);
//! let terms = order::Terms::new("A bicycle".parse()?, "120.00 EUR".parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
//!
//! let mut writer = escrow.store().writer();       // one per task; there is nothing to commit
//! let order = escrow.open_order(&mut writer, terms, ops.clone()).await?;
//! let order = escrow.act(&mut writer, order.id(), order::Command::Cancel {}, ops).await?;
//! assert_eq!(order.status(), order::Status::Cancelled);       // and it is durable
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! - [`Coalescing::writer`] hands out [`Writer`]s. **Each write of a writer is a unit of its own**: once it is answered, it is
//!   durable, and nothing is rolled back when something fails later. Each act of an [`Escrow`](crate::escrow::Escrow) is one
//!   write, so it is done whole or not at all; what the host writes to its own tables is not part of it.
//! - As a [`Store`], it begins plain units of the store within, for workers, and for hosts that write more than one act at a
//!   time. A task that holds such a unit of a store whose units take turns, and writes through a writer meanwhile, waits for
//!   itself.
//! - Whoever comes first leads: it lets those who are ready join, takes everything that has queued up, at most
//!   [`limit`](Coalescing::with_limit) commits, writes it [durably](Store::append_durably), on PostgreSQL by one statement, hands
//!   out the answers, and lets the next one lead. What comes meanwhile goes with the next. All of that is done on its own task.
//!   There is no thread and no timer, and a caller that is alone waits for nobody.
//! - Answers are those of some order in which the callers came one after another. One that is refused harms no other: what
//!   stands against a write is looked into caller by caller, an error of the storage as well, and a race that was lost to
//!   somebody else's unit, [wherever it shows](Store::is_lost_race): who loses it alone is told that it is stale. Where it
//!   is [unknown](Shared::Unknown) what is durable, everybody is told so: send it again under a request's key, see
//!   [`Caller`](crate::escrow::Caller). Where there is no unit to be had, all who wait are told at once.
//! - A caller that is dropped while it waits is not written if its turn has not come; once it has, it may be. If it was leading,
//!   another one goes on where it was. A caller that is neither polled nor dropped keeps the others waiting, as with any lock.

mod batch;
mod error;
mod queue;
mod writer;

pub use error::Shared;
pub use writer::Writer;

use crate::store::{AppendedAll, Commit, Store, Unacknowledged};
use queue::Queue;
use std::{fmt, sync::Arc};

/// A store whose callers share durable commits. A clone shares the store and the queue.
pub struct Coalescing<S: Store> {
    store: Arc<S>,
    queue: Arc<Queue<S>>,
}

/// How many commits share a unit at most, unless said.
const LIMIT: usize = 1_000;

impl<S: Store + 'static> Coalescing<S> {
    /// Over a store. At most 1,000 commits share a unit.
    pub fn new(store: S) -> Self {
        Self::with_limit(store, LIMIT)
    }

    /// Over a store, with at most `limit` commits in a shared unit. What one caller writes at once stays together, however
    /// much it is.
    pub fn with_limit(store: S, limit: usize) -> Self {
        Self { store: Arc::new(store), queue: Arc::new(Queue::new(limit)) }
    }

    /// The store within.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// A handle whose every write is durable once it is answered.
    #[must_use]
    pub fn writer(&self) -> Writer<S> {
        Writer::new(self.clone())
    }
}

impl<S: Store> Store for Coalescing<S> {
    type Unit = S::Unit;
    type Error = S::Error;

    async fn begin(&self) -> Result<S::Unit, S::Error> {
        self.store.begin().await
    }

    async fn commit(&self, unit: S::Unit) -> Result<(), S::Error> {
        self.store.commit(unit).await
    }

    async fn append_durably(&self, commits: &[Commit]) -> Result<AppendedAll, Unacknowledged<S::Error>> {
        self.store.append_durably(commits).await
    }

    fn is_lost_race(&self, error: &S::Error) -> bool {
        self.store.is_lost_race(error)
    }
}

impl<S: Store> Clone for Coalescing<S> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), queue: self.queue.clone() }
    }
}

impl<S: Store + fmt::Debug> fmt::Debug for Coalescing<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coalescing").field("store", &self.store).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
