//! The traits of a host's storage: a unit of work, and a store that begins them.

use super::{Answered, Commit, Inventory, Log, Outbox, RequestKey, Views};
use crate::{gateway::IdempotencyKey, id::Subject, ledger::Account};
use std::{error::Error, fmt, future::Future};

/// A mark that a store gives to each state of a subject. Never used twice for one subject, not even after a rollback, so a value
/// from a unit that was rolled back is recognised as stale.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revision(i64);

/// One open database transaction of the host's.
///
/// Everything written through it becomes durable together when the host commits it, or not at all.
pub trait UnitOfWork: Send {
    /// What can go wrong with the storage itself. A lost race is an error only where it has cost the unit: see
    /// [`is_lost_race`](Self::is_lost_race).
    type Error: Error + Send + Sync + 'static;

    /// All events of a subject; `None` when there is no such subject.
    ///
    /// # Errors
    /// When the storage fails.
    fn log(&mut self, subject: Subject) -> impl Future<Output = Result<Option<Log>, Self::Error>> + Send;

    /// What became of a request; `None` when nothing was done under this key.
    ///
    /// # Errors
    /// When the storage fails.
    fn answered(&mut self, key: &RequestKey) -> impl Future<Output = Result<Option<Answered>, Self::Error>> + Send;

    /// Writes all of a commit, or nothing of it. Whatever it answers, the unit goes on, and what was written through it before
    /// is still there: where a storage gives the unit up, that is an error.
    ///
    /// # Errors
    /// When the storage fails. Nothing of the commit may be left behind then, once the unit is rolled back; where each write is
    /// durable by itself, the error says whether it is unknown.
    fn append(&mut self, commit: &Commit) -> impl Future<Output = Result<Appended, Self::Error>> + Send;

    /// Writes all of these commits in order, or nothing of any. The unit goes on as after [`append`](Self::append).
    ///
    /// # Errors
    /// When the storage fails. Nothing of any commit may be left behind then, as after [`append`](Self::append).
    fn append_all(&mut self, commits: &[Commit]) -> impl Future<Output = Result<AppendedAll, Self::Error>> + Send;

    /// Whether an error only says that somebody else was faster, and that the storage has given the unit up for it, as after a
    /// deadlock: nothing of the unit was written, and a fresh one may go through. [`save`](crate::lifecycle::Transition::save)
    /// and the acts of an [`Escrow`](crate::escrow::Escrow) tell it as stale.
    fn is_lost_race(_error: &Self::Error) -> bool {
        false
    }
}

/// What became of a commit. A lost race is data, not an error, as long as the unit outlives it: after any of these it is as
/// usable as before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// Written. The subject's new revision.
    Stored(Revision),
    /// The subject has changed since it was read, or exists already, or the commit's request was done already. Nothing
    /// was written: load it and decide anew, in a fresh unit.
    Stale,
    /// An account would have gone below zero. Nothing was written.
    Overdrawn {
        /// Which account.
        account: Account,
    },
    /// A call that the commit withdraws [may have been sent](super::CallState::sent). Nothing was written.
    Sent {
        /// Which call.
        key: IdempotencyKey,
    },
    /// An escrow account would hold other than its log says: see [`books_agree`](super::books_agree). Nothing was
    /// written.
    Unbooked {
        /// Whose account.
        subject: Subject,
    },
}

/// What became of several commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppendedAll {
    /// All written. The new revisions, in the order of the commits.
    Stored(Vec<Revision>),
    /// None written, because of this one.
    Refused {
        /// The position of the commit that was refused, from 0.
        position: usize,
        /// Why: anything but [`Appended::Stored`].
        why: Appended,
    },
}

/// Where units come from. The crate uses it for what it runs by itself; a host that begins its own transactions
/// elsewhere hands those in instead.
pub trait Store: Send + Sync {
    /// A unit. Dropped without [`commit`](Store::commit), it is rolled back.
    type Unit: UnitOfWork<Error = Self::Error> + Outbox + Views + Inventory;
    /// What can go wrong with the storage itself.
    type Error: Error + Send + Sync + 'static;

    /// Begins a unit. Where units take turns, as on SQLite and in memory, it waits for the one before to be committed or
    /// dropped: a task that holds one and begins another waits for itself.
    ///
    /// # Errors
    /// When the storage fails.
    fn begin(&self) -> impl Future<Output = Result<Self::Unit, Self::Error>> + Send;

    /// Makes all that was written through a unit durable. It never says so of a unit that the storage has given up.
    ///
    /// # Errors
    /// When the storage fails, or has given the unit up. It may be unknown then whether the unit was committed: read before
    /// writing again.
    fn commit(&self, unit: Self::Unit) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Writes all of these commits in order in a unit of their own, or nothing of any. Once it says that they are stored, they are
    /// durable. It begins a unit, appends and commits ([`in_a_unit`]), unless a storage knows a shorter way.
    ///
    /// # Errors
    /// When the storage fails, or somebody else was faster: [`Unacknowledged`] tells whether anything may have been written.
    fn append_durably(
        &self,
        commits: &[Commit],
    ) -> impl Future<Output = Result<AppendedAll, Unacknowledged<Self::Error>>> + Send {
        in_a_unit(self, commits)
    }

    /// Whether an error only says that somebody else was faster, such as a serialization failure: nothing was written,
    /// and a fresh unit may go through. What the unit says of it, unless said.
    fn is_lost_race(&self, error: &Self::Error) -> bool {
        Self::Unit::is_lost_race(error)
    }
}

/// Why a store does not say what became of commits that it was to write [durably](Store::append_durably).
#[derive(Debug, thiserror::Error)]
pub enum Unacknowledged<E: Error + 'static> {
    /// There was not even a unit. Nothing was written, and another attempt will hardly fare better at once.
    #[error(transparent)]
    NotBegun(E),
    /// Nothing was written. If it [is a lost race](Store::is_lost_race), another attempt may go through.
    #[error(transparent)]
    Unwritten(E),
    /// It is unknown whether they were written: read before writing again, or send the request again under its key.
    #[error(transparent)]
    Unknown(E),
}

/// Begins a unit, appends and commits: how a [`Store`] appends [durably](Store::append_durably), unless it knows a shorter way.
/// For one that does not know it always.
///
/// # Errors
/// As [`Store::append_durably`].
pub async fn in_a_unit<S: Store + ?Sized>(
    store: &S,
    commits: &[Commit],
) -> Result<AppendedAll, Unacknowledged<S::Error>> {
    let mut unit = store.begin().await.map_err(Unacknowledged::NotBegun)?;
    let appended = unit.append_all(commits).await.map_err(Unacknowledged::Unwritten)?;
    if let AppendedAll::Refused { .. } = appended {
        return Ok(appended);
    }
    make_durable(store, unit).await?;
    Ok(appended)
}

/// Commits, and tells an error that says that nothing was written from one that does not say.
pub(crate) async fn make_durable<S: Store + ?Sized>(store: &S, unit: S::Unit) -> Result<(), Unacknowledged<S::Error>> {
    store.commit(unit).await.map_err(|error| match store.is_lost_race(&error) {
        true => Unacknowledged::Unwritten(error),
        false => Unacknowledged::Unknown(error),
    })
}

impl Revision {
    /// For a store: a mark it has minted.
    #[must_use]
    pub const fn new(mark: i64) -> Self {
        Self(mark)
    }

    /// For a store: the mark.
    #[must_use]
    pub const fn mark(self) -> i64 {
        self.0
    }

    /// One that was never given before, as far as chance can tell: a random number of 62 bits. What a database counts is taken
    /// back with its transaction, or is dear.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn mint() -> Self {
        let moment = uuid::Timestamp::from_unix(uuid::NoContext, 0, 0);
        let (_, low) = uuid::Uuid::new_v7(moment).as_u64_pair();
        // The two highest bits say that it is a UUID. They are always the same.
        Self((low & (u64::MAX >> 2)).cast_signed())
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({:x})", self.0)
    }
}
