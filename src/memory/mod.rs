//! A store in memory: for tests, for examples, and for hosts that can rebuild what it held.
//!
//! ```
//! use escrowed::{memory::Memory, money::{Currency, Money}, store::{Store, Views}};
//! # futures_lite::future::block_on(async {
//! let store = Memory::new();
//! let mut unit = store.begin().await?;
//! let nothing = unit.balance(&"wallet:alice".parse()?, Currency::EUR).await?;
//! assert_eq!(nothing, Money::zero(Currency::EUR));
//! store.commit(unit).await?;
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! It keeps every promise of the store's traits but one: when the program ends, everything in it is gone. One unit is
//! open at a time; the next one waits until the first is committed or dropped, so a task that begins two at once
//! waits for itself. The cost of an append does not depend on how much the store holds.

// What the other stores are compared with.
#[cfg(all(test, any(feature = "sqlite", feature = "postgres")))]
pub(crate) mod agreement;
mod append;
mod books;
mod calls;
mod index;
mod inventory;
mod state;
mod views;

use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::Account,
    store::{
        Answered, Appended, AppendedAll, CallState, CallStatus, Commit, DueLease, IndexEntry, Lease, LeasedCall, Log,
        Outbox, Postponement, RequestKey, Store, UnitOfWork, Unreadable,
    },
};
use async_lock::{Mutex, MutexGuardArc};
use state::State;
use std::sync::Arc;

/// A store in memory. A clone shares what it holds.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

/// An open unit of a [`Memory`]. Dropped without a commit, it leaves nothing behind.
#[derive(Debug)]
pub struct MemoryUnit(MutexGuardArc<State>);

/// Why the store in memory refused a commit that no store could have written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// A balance would have left 64 bits.
    #[error("account {account} would hold more than fits into 64 bits")]
    Overflow {
        /// Which account.
        account: Account,
    },
    /// A call was put into the outbox that is in there already.
    #[error("call {key} is in the outbox already")]
    DuplicateCall {
        /// Which call.
        key: IdempotencyKey,
    },
    /// A call was answered that was never put into the outbox.
    #[error("call {key} was answered, but is not in the outbox")]
    UnknownCall {
        /// Which call.
        key: IdempotencyKey,
    },
    /// An event cannot be written as JSON.
    #[error("an event cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Store for Memory {
    type Unit = MemoryUnit;
    type Error = MemoryError;

    async fn begin(&self) -> Result<MemoryUnit, MemoryError> {
        Ok(MemoryUnit(self.0.lock_arc().await))
    }

    async fn commit(&self, mut unit: MemoryUnit) -> Result<(), MemoryError> {
        unit.0.keep();
        Ok(())
    }
}

impl UnitOfWork for MemoryUnit {
    type Error = MemoryError;

    async fn log(&mut self, subject: Subject) -> Result<Option<Log>, MemoryError> {
        Ok(self.0.log(subject))
    }

    async fn answered(&mut self, key: &RequestKey) -> Result<Option<Answered>, MemoryError> {
        Ok(self.0.answers.get(key).copied())
    }

    async fn append(&mut self, commit: &Commit) -> Result<Appended, MemoryError> {
        self.0.append(commit)
    }

    async fn append_all(&mut self, commits: &[Commit]) -> Result<AppendedAll, MemoryError> {
        self.0.append_all(commits)
    }
}

impl Outbox for MemoryUnit {
    async fn lease(&mut self, lease: &Lease) -> Result<Vec<Result<LeasedCall, Unreadable>>, MemoryError> {
        Ok(self.0.lease(lease).into_iter().map(Ok).collect())
    }

    async fn call(&mut self, key: &IdempotencyKey) -> Result<Option<CallState>, MemoryError> {
        Ok(self.0.calls.row(*key).map(|row| row.state.clone()))
    }

    async fn postpone(&mut self, postponement: &Postponement<'_>) -> Result<bool, MemoryError> {
        Ok(self.0.postpone(postponement))
    }

    async fn lease_due(&mut self, lease: &DueLease) -> Result<Vec<Result<IndexEntry, Unreadable>>, MemoryError> {
        Ok(self.0.lease_due(lease).into_iter().map(Ok).collect())
    }

    async fn calls(
        &mut self,
        status: CallStatus,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Result<CallState, Unreadable>>, MemoryError> {
        Ok(self.0.calls.in_status(status, after, limit).into_iter().map(Ok).collect())
    }
}

impl Drop for MemoryUnit {
    fn drop(&mut self) {
        self.0.rewind(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_memory(promise: impl AsyncFnOnce(&Memory)) {
        futures_lite::future::block_on(promise(&Memory::new()));
    }

    crate::store_promises!(on_memory);

    #[test]
    fn a_balance_uses_all_64_bits() {
        on_memory(async |store| crate::conformance::store::append::a_balance_uses_all_64_bits(store).await);
    }
}
