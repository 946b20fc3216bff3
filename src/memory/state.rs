//! Everything the store holds, and the journal that takes an open unit's writes back.

use super::{
    books::{Books, Was},
    calls::{CallRow, Calls},
    index::Index,
};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    store::{Answered, DueLease, IndexEntry, IndexRow, Log, Record, RequestKey, Revision, StoredRecord},
    time::Timestamp,
};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) subjects: HashMap<Subject, Kept>,
    pub(super) index: Index,
    pub(super) books: Books,
    pub(super) calls: Calls,
    pub(super) answers: BTreeMap<RequestKey, Answered>,
    journal: Vec<Undo>,
    // Never taken back: a revision out of a unit that was rolled back must not come again.
    minted: i64,
}

/// One subject.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) records: Vec<StoredRecord>,
    pub(super) revision: Revision,
    pub(super) row: IndexRow,
    // Until when a worker has it, because its deadline has passed.
    lease: Option<Timestamp>,
}

/// How to take one write back.
#[derive(Debug)]
enum Undo {
    Opened(Subject),
    Continued { subject: Subject, length: usize, revision: Revision, row: Box<IndexRow>, lease: Option<Timestamp> },
    Leased(Subject, Option<Timestamp>),
    Answered(RequestKey),
    Booked([Was; 2]),
    Called(IdempotencyKey, Option<Box<CallRow>>),
}

impl State {
    /// Where the journal stands now, for [`rewind`](Self::rewind).
    pub(super) fn mark(&self) -> usize {
        self.journal.len()
    }

    /// Takes back all that was written since `mark`, the latest first.
    pub(super) fn rewind(&mut self, mark: usize) {
        for undo in self.journal.drain(mark..).rev() {
            match undo {
                Undo::Opened(subject) => {
                    if let Some(kept) = self.subjects.remove(&subject) {
                        self.index.remove(subject, &kept.row);
                    }
                }
                Undo::Continued { subject, length, revision, row, lease } => {
                    if let Some(kept) = self.subjects.get_mut(&subject) {
                        self.index.remove(subject, &kept.row);
                        self.index.insert(subject, &row);
                        kept.records.truncate(length);
                        kept.revision = revision;
                        kept.row = *row;
                        kept.lease = lease;
                    }
                }
                Undo::Leased(subject, before) => {
                    if let Some(kept) = self.subjects.get_mut(&subject) {
                        kept.lease = before;
                    }
                }
                Undo::Answered(key) => {
                    self.answers.remove(&key);
                }
                Undo::Booked(before) => self.books.unbook(before),
                Undo::Called(key, row) => {
                    self.calls.set(key, row.map(|row| *row));
                }
            }
        }
    }

    /// Makes everything that was written so far final.
    pub(super) fn keep(&mut self) {
        self.journal.clear();
    }

    pub(super) fn log(&self, subject: Subject) -> Option<Log> {
        let kept = self.subjects.get(&subject)?;
        Some(Log { subject, revision: kept.revision, records: kept.records.clone() })
    }

    /// Writes events and the row for queries, under a new revision.
    pub(super) fn write(
        &mut self,
        subject: Subject,
        records: &[Record],
        row: &IndexRow,
    ) -> Result<Revision, serde_json::Error> {
        let records = records.iter().map(stored).collect::<Result<Vec<_>, _>>()?;
        self.minted += 1;
        let revision = Revision::new(self.minted);
        let Some(kept) = self.subjects.get_mut(&subject) else {
            self.index.insert(subject, row);
            self.subjects.insert(subject, Kept { records, revision, row: row.clone(), lease: None });
            self.journal.push(Undo::Opened(subject));
            return Ok(revision);
        };
        let length = kept.records.len();
        kept.records.extend(records);
        let revision_before = std::mem::replace(&mut kept.revision, revision);
        let row_before = std::mem::replace(&mut kept.row, row.clone());
        self.index.remove(subject, &row_before);
        self.index.insert(subject, row);
        let (row, lease) = (Box::new(row_before), kept.lease.take());
        self.journal.push(Undo::Continued { subject, length, revision: revision_before, row, lease });
        Ok(revision)
    }

    /// The subjects whose deadline has passed and that nobody has.
    pub(super) fn lease_due(&mut self, lease: &DueLease) -> Vec<IndexEntry> {
        let subjects = &self.subjects;
        let free = |subject: &Subject| {
            subjects.get(subject).is_some_and(|kept| kept.lease.is_none_or(|until| until <= lease.now))
        };
        let taken: Vec<_> = self.index.passed(lease.now).filter(free).take(lease.limit).collect();
        for subject in &taken {
            if let Some(kept) = self.subjects.get_mut(subject) {
                self.journal.push(Undo::Leased(*subject, kept.lease.replace(lease.until)));
            }
        }
        taken.into_iter().filter_map(|subject| self.entry(subject)).collect()
    }

    /// Keeps what became of a request.
    pub(super) fn answer(&mut self, key: &RequestKey, answered: Answered) {
        self.answers.insert(key.clone(), answered);
        self.journal.push(Undo::Answered(key.clone()));
    }

    /// Notes that an entry was booked.
    pub(super) fn booked(&mut self, before: [Was; 2]) {
        self.journal.push(Undo::Booked(before));
    }

    /// Puts a call into the outbox, or changes it.
    pub(super) fn put(&mut self, key: IdempotencyKey, row: CallRow) {
        let before = self.calls.set(key, Some(row));
        self.journal.push(Undo::Called(key, before.map(Box::new)));
    }
}

fn stored(record: &Record) -> Result<StoredRecord, serde_json::Error> {
    Ok(StoredRecord {
        seq: record.seq,
        name: record.name.to_owned(),
        version: record.version,
        stamp: record.stamp.clone(),
        body: record.payload.to_json()?,
    })
}
