//! The handle whose every write is durable once it is answered.

use super::{Coalescing, Shared};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::{Account, Balance},
    money::{Currency, Money},
    party::PartyId,
    store::{
        Answered, Appended, AppendedAll, BookedEntry, CallState, CallStatus, Commit, Cursor, DueLease, IndexEntry,
        Inventory, Lease, LeasedCall, Log, Outbox, Page, Postponement, Query, RequestKey, Store, UnitOfWork,
        Unreadable, Views, books_agree, make_durable,
    },
};
use std::fmt;

/// Writes to a [`Coalescing`] store. **Each write is a unit of its own**: durable once it is answered, with nothing to
/// commit and nothing to roll back. A clone writes to the same store.
///
/// It stands wherever a unit is asked for: for [`Transition::save`](crate::lifecycle::Transition::save) and for the acts
/// of an [`Escrow`](crate::escrow::Escrow), each of which is one write. It reads what is durable, in short units of the
/// store within; whatever changes between a read and the write is found stale.
pub struct Writer<S: Store>(Coalescing<S>);

impl<S: Store + 'static> Writer<S> {
    pub(super) const fn new(coalescing: Coalescing<S>) -> Self {
        Self(coalescing)
    }

    async fn write(&self, commits: Vec<Commit>) -> Result<AppendedAll, Shared<S::Error>> {
        // Beside others' commits it might seem to agree.
        if let Err(subject) = books_agree(&commits) {
            return Ok(AppendedAll::Refused { position: 0, why: Appended::Unbooked { subject } });
        }
        if commits.is_empty() {
            return Ok(AppendedAll::Stored(Vec::new()));
        }
        self.0.queue.turn(&self.0.store, commits).await
    }
}

/// Reads in a unit of the store within, which is dropped.
macro_rules! reads {
    ($( $name:ident($($argument:ident: $type:ty),*) -> $answer:ty; )+) => { $(
        async fn $name(&mut self, $($argument: $type),*) -> Result<$answer, Self::Error> {
            let mut unit = self.0.store.begin().await?;
            Ok(unit.$name($($argument),*).await?)
        }
    )+ };
}

/// Writes in a unit of the store within, which is committed at once.
macro_rules! writes {
    ($( $name:ident($($argument:ident: $type:ty),*) -> $answer:ty; )+) => { $(
        async fn $name(&mut self, $($argument: $type),*) -> Result<$answer, Self::Error> {
            let mut unit = self.0.store.begin().await?;
            let answer = unit.$name($($argument),*).await?;
            make_durable(&*self.0.store, unit).await?;
            Ok(answer)
        }
    )+ };
}

impl<S: Store + 'static> UnitOfWork for Writer<S> {
    type Error = Shared<S::Error>;

    reads! {
        log(subject: Subject) -> Option<Log>;
        answered(key: &RequestKey) -> Option<Answered>;
    }

    async fn append(&mut self, commit: &Commit) -> Result<Appended, Self::Error> {
        Ok(match self.write(vec![commit.clone()]).await? {
            AppendedAll::Stored(revisions) => Appended::Stored(revisions[0]),
            AppendedAll::Refused { why, .. } => why,
        })
    }

    async fn append_all(&mut self, commits: &[Commit]) -> Result<AppendedAll, Self::Error> {
        self.write(commits.to_vec()).await
    }

    fn is_lost_race(error: &Self::Error) -> bool {
        match error {
            Shared::Storage(error) => S::Unit::is_lost_race(error),
            Shared::Unknown(_) | Shared::Panicked => false,
        }
    }
}

impl<S: Store + 'static> Outbox for Writer<S> {
    reads! {
        call(key: &IdempotencyKey) -> Option<CallState>;
        calls(status: CallStatus, after: Option<&str>, limit: usize) -> Vec<Result<CallState, Unreadable>>;
    }
    writes! {
        lease(lease: &Lease) -> Vec<Result<LeasedCall, Unreadable>>;
        postpone(postponement: &Postponement<'_>) -> bool;
        lease_due(lease: &DueLease) -> Vec<Result<IndexEntry, Unreadable>>;
    }
}

impl<S: Store + 'static> Views for Writer<S> {
    reads! {
        find(query: &Query, after: Option<&Cursor>, limit: usize) -> Page;
        balance(account: &Account, currency: Currency) -> Money;
        balances(after: Option<(&Account, Currency)>, limit: usize) -> Vec<Balance>;
        entries(account: &Account, after: i64, limit: usize) -> Vec<BookedEntry>;
        books(after: i64, limit: usize) -> Vec<BookedEntry>;
    }
}

impl<S: Store + 'static> Inventory for Writer<S> {
    reads! {
        subjects(after: Option<Subject>, limit: usize) -> Vec<Subject>;
        row(subject: Subject) -> Option<IndexEntry>;
        members(after: Option<(&PartyId, Subject)>, limit: usize) -> Vec<(PartyId, Subject)>;
        accounts(after: Option<&Account>, limit: usize) -> Vec<Account>;
        balances_of(account: &Account) -> Vec<Balance>;
        lane(key: &IdempotencyKey) -> Option<Subject>;
        requests(after: Option<&RequestKey>, limit: usize) -> Vec<(RequestKey, Answered)>;
    }
}

impl<S: Store> Clone for Writer<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Store> fmt::Debug for Writer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}
