//! One unit for many callers: what becomes of each of them.

use super::Shared;
use crate::store::{Appended, AppendedAll, Commit, Revision, Store, Unacknowledged, UnitOfWork, make_durable};
use std::{collections::HashSet, error::Error, ops::Range, sync::Arc};

/// What became of one caller's commits.
pub(super) type Answer<S> = Result<AppendedAll, Shared<<S as Store>::Error>>;

/// One answer per caller, in their order; or why there is no unit to be had, for these callers no more than for the next.
pub(super) type Answers<S> = Result<Vec<Answer<S>>, Shared<<S as Store>::Error>>;

/// The commits of several callers, each caller's together.
#[derive(Debug)]
pub(super) struct Batch {
    commits: Vec<Commit>,
    /// Where each caller's commits end.
    ends: Vec<usize>,
}

/// Writes a batch, and makes it durable.
pub(super) async fn write<S: Store>(store: Arc<S>, batch: Batch) -> Answers<S> {
    let store = &*store;
    let first = match at_once(store, &batch).await? {
        AtOnce::Done(answers) => return Ok(answers),
        AtOnce::Apart => return one_by_one(store, &batch).await,
        AtOnce::Together(callers) => callers,
    };
    match together(store, &batch, first).await {
        Ok(answers) => Ok(answers.into_iter().map(Ok).collect()),
        Err(error @ Unacknowledged::NotBegun(_)) => Err(error.into()),
        Err(Unacknowledged::Unwritten(_)) => one_by_one(store, &batch).await,
        // Nobody knows now what is durable, so nobody's answer holds, a refusal's neither.
        Err(error @ Unacknowledged::Unknown(_)) => Ok(batch.everybody(error.into())),
    }
}

/// What came of writing a batch as a whole.
enum AtOnce<S: Store> {
    /// Everybody has an answer.
    Done(Vec<Answer<S>>),
    /// Nothing was written: so many callers may still go together at first.
    Together(usize),
    /// Nothing was written, because of an error that one of them has met, and the others need not suffer from it.
    Apart,
}

/// Most batches have nothing against them, and are written by as few round trips as the store knows how.
async fn at_once<S: Store>(store: &S, batch: &Batch) -> Result<AtOnce<S>, Shared<S::Error>> {
    let apart = batch.apart(0, batch.len());
    if apart < batch.len() {
        return Ok(AtOnce::Together(apart));
    }
    Ok(match store.append_durably(&batch.commits).await {
        Ok(AppendedAll::Stored(revisions)) => AtOnce::Done(batch.hand_out(0..batch.len(), revisions).map(Ok).collect()),
        Ok(refused @ AppendedAll::Refused { .. }) if batch.len() == 1 => AtOnce::Done(vec![Ok(refused)]),
        // Those before the one that is refused go first.
        Ok(AppendedAll::Refused { position, .. }) => AtOnce::Together(batch.whose(0, position).max(1)),
        Err(error @ Unacknowledged::NotBegun(_)) => return Err(error.into()),
        Err(Unacknowledged::Unwritten(error)) => match (batch.len(), store.is_lost_race(&error)) {
            (1, false) => AtOnce::Done(batch.everybody(error.into())),
            (1, true) | (_, false) => AtOnce::Apart,
            // Once more: whoever was faster is done by now.
            (callers, true) => AtOnce::Together(callers),
        },
        Err(error @ Unacknowledged::Unknown(_)) => AtOnce::Done(batch.everybody(error.into())),
    })
}

/// As `append_all` would answer each, one after another, but with as few calls as possible: after a refusal it goes on
/// with half as many at a time, and with twice as many once that went well. So no commit is written more than a few
/// times, however many are refused.
async fn together<S: Store>(
    store: &S,
    batch: &Batch,
    first: usize,
) -> Result<Vec<AppendedAll>, Unacknowledged<S::Error>> {
    let mut unit = store.begin().await.map_err(Unacknowledged::NotBegun)?;
    let mut answers = Vec::with_capacity(batch.len());
    let (mut size, mut written) = (first, false);
    while answers.len() < batch.len() {
        let first = answers.len();
        let callers = first..batch.apart(first, size);
        match append(&mut unit, batch.of(&callers)).await.map_err(Unacknowledged::Unwritten)? {
            AppendedAll::Stored(revisions) => {
                answers.extend(batch.hand_out(callers, revisions));
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
        make_durable(store, unit).await?;
    }
    Ok(answers)
}

/// Each in a unit of its own: whatever is wrong with one, the others do not suffer from it.
async fn one_by_one<S: Store>(store: &S, batch: &Batch) -> Answers<S> {
    let mut answers: Vec<Answer<S>> = Vec::with_capacity(batch.len());
    while answers.len() < batch.len() {
        let caller = answers.len();
        answers.push(match store.append_durably(batch.of(&(caller..caller + 1))).await {
            Ok(appended) => Ok(appended),
            Err(Unacknowledged::Unwritten(error)) if store.is_lost_race(&error) => {
                Ok(AppendedAll::Refused { position: 0, why: Appended::Stale })
            }
            Err(error @ (Unacknowledged::Unwritten(_) | Unacknowledged::Unknown(_))) => Err(error.into()),
            // No unit for one is no unit for anybody who has no answer yet.
            Err(error @ Unacknowledged::NotBegun(_)) if answers.is_empty() => return Err(error.into()),
            Err(error @ Unacknowledged::NotBegun(_)) => {
                let error = Shared::from(error);
                answers.resize_with(batch.len(), || Err(error.clone()));
                break;
            }
        });
    }
    Ok(answers)
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

    /// The same answer for all of them.
    fn everybody<E: Error + 'static>(&self, error: Shared<E>) -> Vec<Result<AppendedAll, Shared<E>>> {
        vec![Err(error); self.len()]
    }

    /// The revisions of some callers' commits, to each its own.
    fn hand_out(&self, callers: Range<usize>, revisions: Vec<Revision>) -> impl Iterator<Item = AppendedAll> {
        let mut revisions = revisions.into_iter();
        callers.map(move |caller| {
            let own = self.of(&(caller..caller + 1)).len();
            AppendedAll::Stored(revisions.by_ref().take(own).collect())
        })
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
