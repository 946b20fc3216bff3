//! Everything that one act writes, gathered, so that it becomes one write.

use super::EscrowError;
use crate::{
    id::{Id, Subject},
    lifecycle::{Failure, Lifecycle, Transition, Value, replay, replay_to, revise},
    payment::RefundId,
    store::{Appended, AppendedAll, Commit, Log, Query, Request, Revision, StoredRecord, UnitOfWork, Views},
};

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

/// One act over the host's unit: it reads through the unit, sees what it has gathered itself, and writes once.
///
/// Each subject has one commit in it. Whatever an act does to a subject again goes on in that commit, at its place: so
/// money that a subject gives in its second step must have been its own by the end of its first.
#[derive(Debug)]
pub(super) struct Gathering<'u, U> {
    pub(super) unit: &'u mut U,
    commits: Vec<Commit>,
    // The revision that each commit's subject bears until the store has minted the real one.
    marks: Vec<Revision>,
    minted: i64,
    logs: Vec<Log>,
}

/// What an act came to.
pub(super) enum Acted<L> {
    /// It is gathered, and to be written.
    Now(L),
    /// The same request was done before: the value as it was then. There is nothing to write.
    Before(L),
}

// How many rows of the index are read at a time.
const PAGE: usize = 100;

impl<U: Views> Gathering<'_, U> {
    /// The refunds that belong to something, by the index.
    ///
    /// Whoever opens another one meanwhile writes what it belongs to, its payin, or one of these: so one of the two is stale.
    pub(super) async fn refunds_about(&mut self, about: Subject) -> Result<Vec<RefundId>, Fails<U>> {
        let (mut refunds, mut after) = (Vec::new(), None);
        loop {
            let page =
                self.unit.find(&Query::About(about), after.as_ref(), PAGE).await.map_err(EscrowError::Storage)?;
            refunds.extend(page.rows.iter().filter_map(|row| RefundId::try_from(row.subject).ok()));
            after = page.next;
            if after.is_none() {
                return Ok(refunds);
            }
        }
    }
}

impl<'u, U: UnitOfWork> Gathering<'u, U> {
    pub(super) const fn over(unit: &'u mut U) -> Self {
        Self { unit, commits: Vec::new(), marks: Vec::new(), minted: 0, logs: Vec::new() }
    }

    /// A subject's log, with what was gathered. Read from the unit once.
    pub(super) async fn log(&mut self, subject: Subject) -> Result<&Log, Fails<U>> {
        let gathered = self.position(subject).map(|position| (&self.commits[position], self.marks[position]));
        let known = match self.logs.iter().position(|log| log.subject == subject) {
            Some(known) => known,
            None => {
                let log = match gathered {
                    Some((commit, mark)) if commit.expected().is_none() => {
                        Log { subject, revision: mark, records: Vec::new() }
                    }
                    Some(_) | None => {
                        let log = self.unit.log(subject).await.map_err(EscrowError::Storage)?;
                        log.ok_or(EscrowError::Unknown(subject))?
                    }
                };
                if gathered.is_some_and(|(commit, _)| commit.expected().is_some_and(|at| at != log.revision)) {
                    return Err(EscrowError::Stale);
                }
                self.logs.push(log);
                self.logs.len() - 1
            }
        };
        let log = &mut self.logs[known];
        if let Some((commit, mark)) = gathered {
            let last = log.records.last().map_or(0, |record| record.seq);
            for record in commit.records().iter().filter(|record| record.seq > last) {
                log.records.push(StoredRecord {
                    seq: record.seq,
                    name: record.name.to_owned(),
                    version: record.version,
                    stamp: record.stamp.clone(),
                    body: record.payload.to_json()?,
                });
            }
            log.revision = mark;
        }
        Ok(log)
    }

    /// A value as it is with what was gathered.
    pub(super) async fn load<L: Lifecycle>(&mut self, id: Id<L>) -> Result<L, Fails<U>> {
        Ok(replay(self.log(id.subject()).await?)?)
    }

    /// The value that a request was answered with before; `None` when nothing was done under its key, or there is none.
    pub(super) async fn answer<L: Lifecycle>(&mut self, request: Option<&Request>) -> Result<Option<L>, Fails<U>> {
        let Some(request) = request else { return Ok(None) };
        let answered = self.unit.answered(&request.key).await.map_err(EscrowError::Storage)?;
        let Some(answered) = answered else { return Ok(None) };
        let other = || EscrowError::OtherRequest { key: request.key.clone() };
        if answered.digest != request.digest || answered.subject.kind() != L::KIND {
            return Err(other());
        }
        let known = self.logs.iter().any(|log| log.subject == answered.subject);
        let log = self.log(answered.subject).await?;
        if known && log.records.last().is_none_or(|last| last.seq < answered.seq) {
            // The log was read before the request was done.
            return Err(EscrowError::Stale);
        }
        Ok(Some(replay_to(log, answered.seq)?))
    }

    /// Writes what an act gathered, if it came to something, and gives its value as it is afterwards.
    pub(super) async fn conclude<L: Lifecycle>(mut self, acted: Result<Acted<L>, Fails<U>>) -> Result<L, Fails<U>> {
        match acted {
            Ok(Acted::Now(value)) => self.write_with(value).await,
            Ok(Acted::Before(value)) => Ok(value),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// What an error comes down to. Where a unit sees what others commit meanwhile, logs that were read one after another
    /// may not belong together: then nothing was refused, somebody was faster.
    pub(super) async fn explain(&mut self, error: Fails<U>) -> Fails<U> {
        match error {
            EscrowError::Refused(reason) => match self.has_changed().await {
                Ok(true) => EscrowError::Stale,
                Ok(false) => EscrowError::Refused(reason),
                Err(failed) => failed,
            },
            other => other,
        }
    }

    async fn has_changed(&mut self) -> Result<bool, Fails<U>> {
        for log in &self.logs {
            let read = match self.commits.iter().find(|commit| commit.subject() == log.subject) {
                Some(commit) => commit.expected(),
                None => Some(log.revision),
            };
            let now = self.unit.log(log.subject).await.map_err(EscrowError::Storage)?;
            if now.map(|log| log.revision) != read {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a transition in, to be written with everything else.
    pub(super) fn take<T: Value>(&mut self, taken: Transition<T>) -> Result<T, Fails<U>> {
        let (mut value, commits) = taken.into_parts();
        self.take_all(commits)?;
        let position = self.position(value.head().id().subject()).expect("a transition writes its own value");
        revise(&mut value, self.marks[position]);
        Ok(value)
    }

    /// Takes commits in, to be written with everything else.
    pub(super) fn take_all(&mut self, commits: Vec<Commit>) -> Result<(), Fails<U>> {
        for commit in commits {
            // No store gives such a revision to what is not written yet; one that did would find it stale.
            self.minted -= 1;
            let mark = Revision::new(self.minted);
            match self.position(commit.subject()) {
                // A value of the past has no revision any more.
                None if commit.expected().is_none() && commit.records().first().is_some_and(|first| first.seq != 1) => {
                    return Err(EscrowError::Stale);
                }
                None => {
                    self.commits.push(commit);
                    self.marks.push(mark);
                }
                Some(position) if commit.expected() == Some(self.marks[position]) => {
                    self.commits[position].follow(commit);
                    self.marks[position] = mark;
                }
                Some(_) => return Err(EscrowError::Stale),
            }
        }
        Ok(())
    }

    /// Whether anything of this subject is to be written.
    pub(super) fn writes(&self, subject: Subject) -> bool {
        self.position(subject).is_some()
    }

    /// Writes everything at once: all of it, or nothing.
    pub(super) async fn write(self) -> Result<(), Fails<U>> {
        self.store().await.map(drop)
    }

    /// Writes everything at once, and gives a value of it as it is afterwards.
    async fn write_with<L: Lifecycle>(mut self, mut value: L) -> Result<L, Fails<U>> {
        let subject = value.head().id().subject();
        let position = self.position(subject).expect("a value that was taken in");
        if value.head().revision() != Some(self.marks[position]) {
            // What followed from it came back to it.
            value = replay(self.log(subject).await?)?;
        }
        let revisions = self.store().await?;
        revise(&mut value, revisions[position]);
        Ok(value)
    }

    async fn store(self) -> Result<Vec<Revision>, Fails<U>> {
        let appended = match self.commits.as_slice() {
            [] => return Ok(Vec::new()),
            [commit] => match self.unit.append(commit).await.map_err(Failure::unwritten::<U>)? {
                Appended::Stored(revision) => AppendedAll::Stored(vec![revision]),
                why @ (Appended::Stale
                | Appended::Overdrawn { .. }
                | Appended::Sent { .. }
                | Appended::Unbooked { .. }) => AppendedAll::Refused { position: 0, why },
            },
            commits => self.unit.append_all(commits).await.map_err(Failure::unwritten::<U>)?,
        };
        match appended {
            AppendedAll::Stored(revisions) => Ok(revisions),
            AppendedAll::Refused { why, .. } => Err(Failure::refused(why).into()),
        }
    }

    fn position(&self, subject: Subject) -> Option<usize> {
        self.commits.iter().position(|commit| commit.subject() == subject)
    }
}
