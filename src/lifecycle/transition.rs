//! A step that was taken but not yet saved.

use super::{Refused, Value, step::kernel};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::Account,
    money::Money,
    store::{Appended, AppendedAll, Commit, Request, Revision, UnitOfWork},
};
use std::{error::Error, fmt};

/// The next value, and everything that must be written with it. Nothing has happened until it is saved.
#[must_use = "nothing has happened until it is saved"]
#[derive(Debug)]
pub struct Transition<T> {
    value: T,
    commits: Vec<Commit>,
    own: usize,
}

/// A transition that could not be saved. Nothing was written, and the transition comes back.
#[must_use = "the transition that was not saved is in here"]
pub struct Unsaved<T, E> {
    /// The transition, to be saved in a fresh unit where the reason allows it.
    pub transition: Transition<T>,
    /// Why.
    pub why: Failure<E>,
}

/// Why something could not be saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure<E> {
    /// Somebody else has changed it since it was loaded, or it was opened already.
    #[error("it has changed since it was loaded: load it and decide anew")]
    Stale,
    /// An account would have gone below zero.
    #[error("account {account} does not hold enough")]
    Overdrawn {
        /// Which account.
        account: Account,
    },
    /// A call that was to be taken back is with the gateway already, or may be.
    #[error("call {key} was sent, or may have been: wait for its answer, or ask the gateway and report what it says")]
    Sent {
        /// Which call.
        key: IdempotencyKey,
    },
    /// The storage failed. Roll the unit back; the transition may be saved in a fresh one.
    #[error("the storage failed")]
    Storage(#[source] E),
    /// An escrow account would hold other than its log says: something that belongs to the same movement of money is not
    /// saved with it.
    #[error("{subject} would hold other than its log says: save the whole movement together")]
    Unbooked {
        /// Whose account.
        subject: Subject,
    },
}

impl<T: Value> Transition<T> {
    // Its own commit, then those of what it opens.
    pub(super) const fn new(value: T, commits: Vec<Commit>) -> Self {
        Self { value, commits, own: 0 }
    }

    /// The first transition of something, which held nothing before.
    pub(super) fn held_nothing_before(mut self) -> Self {
        let commit = &mut self.commits[self.own];
        commit.held_before = Money::zero(commit.held_before.currency());
        self
    }

    /// The next value, to look at. It is not saved yet.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// Everything that must be written, in order.
    pub fn commits(&self) -> &[Commit] {
        &self.commits
    }

    /// Writes all of it through the host's open unit, or nothing. One commit is one append.
    ///
    /// # Errors
    /// [`Unsaved`] with the transition and the reason. Nothing was written then.
    pub async fn save<U: UnitOfWork>(mut self, unit: &mut U) -> Result<T, Unsaved<T, U::Error>> {
        let appended = match self.commits.as_slice() {
            [commit] => unit.append(commit).await,
            commits => unit.append_all(commits).await.map(|all| match all {
                AppendedAll::Stored(revisions) => Appended::Stored(revisions[self.own]),
                AppendedAll::Refused { why, .. } => why,
            }),
        };
        let why = match appended {
            Ok(Appended::Stored(revision)) => {
                revise(&mut self.value, revision);
                return Ok(self.value);
            }
            Ok(refused) => Failure::refused(refused),
            Err(error) => Failure::unwritten::<U>(error),
        };
        Err(Unsaved { transition: self, why })
    }

    /// Goes on with another step of the same value in the same breath: both are written in one commit, or neither.
    ///
    /// # Errors
    /// [`Refused`] by the second step. The first transition comes back, to be saved alone or dropped.
    ///
    /// # Panics
    /// When the second step is one of another value.
    pub fn then<U>(
        self,
        step: impl FnOnce(T) -> Result<Transition<U>, Refused<T>>,
    ) -> Result<Transition<U>, Refused<Self>>
    where
        U: Value<Any = T::Any>,
    {
        let Self { value, mut commits, own } = self;
        let lineage = value.head().lineage();
        let mut next = match step(value) {
            Ok(next) => next,
            Err(refused) => {
                assert_eq!(refused.value.head().lineage(), lineage, "a refused step hands its own value back");
                return Err(refused.map(|value| Self { value, commits, own }));
            }
        };
        assert_eq!(next.value.head().lineage(), lineage, "a transition goes on with its own value");
        if next.commits.is_empty() {
            // Nothing followed.
            return Ok(Transition { value: next.value, commits, own });
        }
        let mut later = next.commits.split_off(next.own + 1);
        let second = next.commits.pop().expect("a transition has a commit of its own");
        commits[own].follow(second);
        let earlier = next.commits.len();
        commits.splice(own..own, next.commits);
        commits.append(&mut later);
        Ok(Transition { value: next.value, commits, own: own + earlier })
    }

    /// Goes on like [`then`](Self::then), unless the step gives the value back as it is.
    pub(crate) fn then_maybe(
        self,
        step: impl FnOnce(T) -> Result<Result<Self, T>, Refused<T>>,
    ) -> Result<(Self, bool), Refused<Self>> {
        let mut went = true;
        let transition = self.then(|value| {
            Ok(match step(value)? {
                Ok(next) => next,
                Err(value) => {
                    went = false;
                    Self { value, commits: Vec::new(), own: 0 }
                }
            })
        })?;
        Ok((transition, went))
    }

    /// The same transition with the enum of all statuses for its value.
    pub fn widen(self) -> Transition<T::Any> {
        Transition { value: self.value.widen(), commits: self.commits, own: self.own }
    }

    /// Does it as what a request of the host's asked for: a store takes no second one under the same key.
    pub fn under(mut self, request: Request) -> Self {
        self.commits[self.own].request = Some(request);
        self
    }

    /// Puts what must be written earlier, in the same unit, in front of it.
    pub fn after<U: Value>(self, earlier: Transition<U>) -> Self {
        self.after_all(earlier.commits)
    }

    /// Puts commits that must be written earlier in front of it.
    pub(crate) fn after_all(mut self, mut earlier: Vec<Commit>) -> Self {
        self.own += earlier.len();
        earlier.append(&mut self.commits);
        self.commits = earlier;
        self
    }

    /// Adds commits that must be written later.
    pub(crate) fn and_all(mut self, later: Vec<Commit>) -> Self {
        self.commits.extend(later);
        self
    }

    /// Adds what must be written later, in the same unit.
    pub fn and<U: Value>(mut self, later: Transition<U>) -> Self {
        self.commits.extend(later.commits);
        self
    }

    /// Replaces one of its commits, which is not its own.
    pub(crate) fn replacing(mut self, position: usize, commits: Vec<Commit>) -> Self {
        assert_ne!(position, self.own, "a transition keeps its own commit");
        if position < self.own {
            self.own = self.own - 1 + commits.len();
        }
        self.commits.splice(position..=position, commits);
        self
    }

    pub(crate) fn into_commits(self) -> Vec<Commit> {
        self.commits
    }

    /// The next value and everything that must be written, for whoever writes it.
    pub(crate) fn into_parts(self) -> (T, Vec<Commit>) {
        (self.value, self.commits)
    }
}

/// Notes the revision that a value was written at.
pub(crate) fn revise<T: Value>(value: &mut T, revision: Revision) {
    value.head_mut(&kernel()).revise(&kernel(), revision);
}

impl<E> Failure<E> {
    /// What a store's refusal means.
    pub(crate) fn refused(why: Appended) -> Self {
        match why {
            Appended::Stale => Self::Stale,
            Appended::Overdrawn { account } => Self::Overdrawn { account },
            Appended::Sent { key } => Self::Sent { key },
            Appended::Unbooked { subject } => Self::Unbooked { subject },
            Appended::Stored(_) => unreachable!("what was stored was not refused"),
        }
    }

    /// What a store's error means.
    pub(crate) fn unwritten<U: UnitOfWork<Error = E>>(error: E) -> Self {
        if U::is_lost_race(&error) { Self::Stale } else { Self::Storage(error) }
    }
}

impl<T, E: fmt::Debug> fmt::Debug for Unsaved<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unsaved").field(&self.why).finish()
    }
}

impl<T, E: fmt::Display> fmt::Display for Unsaved<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing was saved: {}", self.why)
    }
}

impl<T, E: Error + 'static> Error for Unsaved<T, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.why {
            Failure::Storage(error) => Some(error),
            Failure::Stale | Failure::Overdrawn { .. } | Failure::Sent { .. } | Failure::Unbooked { .. } => None,
        }
    }
}
