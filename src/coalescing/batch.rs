//! One unit for many callers: what becomes of each of them.

use super::Shared;
use crate::store::{Appended, AppendedAll, Commit, Store, UnitOfWork};
use std::{collections::HashSet, ops::Range};

/// What became of one caller's commits.
pub(super) type Answer<S> = Result<AppendedAll, Shared<<S as Store>::Error>>;

/// The commits of several callers, each caller's together.
#[derive(Debug)]
pub(super) struct Batch {
    commits: Vec<Commit>,
    /// Where each caller's commits end.
    ends: Vec<usize>,
}

/// Writes a batch in a unit that was begun for it, and makes it durable. One answer per caller, in their order.
pub(super) async fn write<S: Store>(store: &S, unit: S::Unit, batch: Batch) -> Vec<Answer<S>> {
    match together(store, unit, &batch).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        // Nothing was written, wherever it was lost. One of them has lost, and the others need not suffer from it.
        Err(Failed::ToWrite(error) | Failed::ToCommit(error)) if store.is_lost_race(&error) => {
            one_by_one(store, &batch).await
        }
        Err(Failed::ToWrite(error)) if batch.len() == 1 => vec![Err(error.into())],
        Err(Failed::ToWrite(_)) => one_by_one(store, &batch).await,
        // Nobody knows now what is durable, so nobody's answer holds, a refusal's neither.
        Err(Failed::ToCommit(error)) => everybody::<S>(&batch, error),
    }
}

/// The answers when there was not even a unit.
pub(super) fn everybody<S: Store>(batch: &Batch, error: impl Into<Shared<S::Error>>) -> Vec<Answer<S>> {
    let error = error.into();
    vec![Err(error); batch.len()]
}

enum Failed<E> {
    ToWrite(E),
    ToCommit(E),
}

/// As `append_all` would answer each, one after another, but with as few calls as possible: after a refusal it goes on
/// with half as many at a time, and with twice as many once that went well. So no commit is written more than a few
/// times, however many are refused.
async fn together<S: Store>(store: &S, mut unit: S::Unit, batch: &Batch) -> Result<Vec<AppendedAll>, Failed<S::Error>> {
    let mut answers = Vec::with_capacity(batch.len());
    let (mut size, mut written) = (batch.len(), false);
    while answers.len() < batch.len() {
        let first = answers.len();
        let callers = first..batch.apart(first, size);
        match append(&mut unit, batch.of(&callers)).await.map_err(Failed::ToWrite)? {
            AppendedAll::Stored(revisions) => {
                let mut revisions = revisions.into_iter();
                for caller in callers {
                    let own = batch.of(&(caller..caller + 1)).len();
                    answers.push(AppendedAll::Stored(revisions.by_ref().take(own).collect()));
                }
                (size, written) = (size.saturating_mul(2), true);
            }
            AppendedAll::Refused { position, why } => match batch.whose(first, position) {
                // The one that stands first is refused as it would be alone.
                0 => {
                    answers.push(AppendedAll::Refused { position, why });
                    size = (size / 2).max(1);
                }
                // Those before it go first.
                before => size = before,
            },
        }
    }
    if written {
        store.commit(unit).await.map_err(Failed::ToCommit)?;
    }
    Ok(answers)
}

/// Each in a unit of its own: whatever is wrong with one, the others do not suffer from it.
async fn one_by_one<S: Store>(store: &S, batch: &Batch) -> Vec<Answer<S>> {
    let mut answers: Vec<Answer<S>> = Vec::with_capacity(batch.len());
    while answers.len() < batch.len() {
        let caller = answers.len();
        let unit = match store.begin().await {
            Ok(unit) => unit,
            // No unit for one is no unit for anybody.
            Err(error) => {
                let error = Shared::from(error);
                answers.resize_with(batch.len(), || Err(error.clone()));
                break;
            }
        };
        let own = batch.of(&(caller..caller + 1));
        answers.push(alone(store, unit, own).await.map_err(Shared::from));
    }
    answers
}

async fn alone<S: Store>(store: &S, mut unit: S::Unit, commits: &[Commit]) -> Result<AppendedAll, S::Error> {
    let written = match append(&mut unit, commits).await {
        Ok(AppendedAll::Stored(revisions)) => store.commit(unit).await.map(|()| AppendedAll::Stored(revisions)),
        Ok(refused @ AppendedAll::Refused { .. }) => return Ok(refused),
        Err(error) => Err(error),
    };
    match written {
        Err(error) if store.is_lost_race(&error) => Ok(AppendedAll::Refused { position: 0, why: Appended::Stale }),
        written => written,
    }
}

async fn append<U: UnitOfWork>(unit: &mut U, commits: &[Commit]) -> Result<AppendedAll, U::Error> {
    let [commit] = commits else { return unit.append_all(commits).await };
    Ok(match unit.append(commit).await? {
        Appended::Stored(revision) => AppendedAll::Stored(vec![revision]),
        why @ (Appended::Stale | Appended::Overdrawn { .. } | Appended::Sent { .. } | Appended::Unbooked { .. }) => {
            AppendedAll::Refused { position: 0, why }
        }
    })
}

impl Batch {
    pub(super) fn new(groups: impl IntoIterator<Item = Vec<Commit>>) -> Self {
        let (mut commits, mut ends) = (Vec::new(), Vec::new());
        for group in groups {
            commits.extend(group);
            ends.push(commits.len());
        }
        Self { commits, ends }
    }

    /// How many callers.
    fn len(&self) -> usize {
        self.ends.len()
    }

    /// The commits of some callers.
    fn of(&self, callers: &Range<usize>) -> &[Commit] {
        &self.commits[self.start(callers.start)..self.start(callers.end)]
    }

    fn start(&self, caller: usize) -> usize {
        if caller == 0 { 0 } else { self.ends[caller - 1] }
    }

    /// Which caller a commit is of, both counted from the caller `first`.
    fn whose(&self, first: usize, position: usize) -> usize {
        let position = self.start(first) + position;
        self.ends.partition_point(|end| *end <= position) - first
    }

    /// Where a run of at most `most` callers ends that do not meet: none writes to another's subject or does what another
    /// was asked. What becomes of the second of two that meet depends on the first.
    fn apart(&self, first: usize, most: usize) -> usize {
        let last = first.saturating_add(most).min(self.len());
        let (mut subjects, mut keys) = (HashSet::new(), HashSet::new());
        for caller in first..last {
            let own = self.of(&(caller..caller + 1));
            let key = |commit: &'_ Commit| commit.request().map(|request| request.key.clone());
            if own.iter().any(|commit| {
                subjects.contains(&commit.subject()) || key(commit).is_some_and(|key| keys.contains(&key))
            }) {
                return caller;
            }
            subjects.extend(own.iter().map(Commit::subject));
            keys.extend(own.iter().filter_map(key));
        }
        last
    }
}
