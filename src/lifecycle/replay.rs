//! A value from its log, trusting nothing of it.

use super::{
    Kernel, Lifecycle, Reason,
    effects::{Written, index},
    step::{self, kernel, tracing},
};
use crate::{
    id::{Id, IdError, Subject},
    store::{IndexRow, Log, StoredRecord},
};

/// Why a log is no history of a lifecycle. Never repaired and never guessed: a person has to look at it.
#[derive(Debug, thiserror::Error)]
#[error("the log of {subject} is corrupt at event {seq}: {flaw}")]
pub struct Corrupt {
    /// Whose log.
    pub subject: Subject,
    /// The number of the event at which it was found; 0 when the log has none.
    pub seq: u32,
    /// What is wrong.
    #[source]
    pub flaw: Flaw,
}

/// What is wrong with a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// No events at all.
    #[error("it has no events")]
    Empty,
    /// An event that a request wrote is not there.
    #[error("event {seq}, which a request wrote, is not there")]
    Missing {
        /// Its number.
        seq: u32,
    },
    /// The log of something else.
    #[error(transparent)]
    OtherKind(#[from] IdError),
    /// The numbers have a gap, repeat, or do not begin at 1.
    #[error("event {found} stands where {expected} should")]
    Gap {
        /// The number that should stand there.
        expected: u32,
        /// The number that stands there.
        found: u32,
    },
    /// Written by a later version of the program, which knows more than this one.
    #[error("it is of version {found}, this program knows {known}: upgrade it before it touches this log")]
    FutureVersion {
        /// The event's version.
        found: u16,
        /// The latest this program knows.
        known: u16,
    },
    /// An event of a name that the lifecycle does not have.
    #[error("no such event: {name}")]
    UnknownEvent {
        /// The name.
        name: String,
    },
    /// Data that is no such event.
    #[error("its data cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// An event that was not possible then.
    #[error("it was not possible: {0}")]
    Illegal(#[source] Reason),
}

/// Replays a log: checks every event as if it happened now, and returns the value as it is after the last.
///
/// # Errors
/// [`Corrupt`] at the first event that cannot be part of such a history.
pub fn replay<L: Lifecycle>(log: &Log) -> Result<L, Corrupt> {
    again(log, &kernel())
}

/// The value as it was after one event: replays a log up to there. Unless that was the last one, it is a value of the
/// past: to be looked at, while whatever is done with it is found stale.
///
/// # Errors
/// [`Corrupt`] at the first event that cannot be part of such a history, or where the log ends too early.
pub fn replay_to<L: Lifecycle>(log: &Log, seq: u32) -> Result<L, Corrupt> {
    let last = log.records.last().map_or(0, |record| record.seq);
    if seq == last {
        return replay(log);
    }
    let until = log.records.partition_point(|record| record.seq <= seq);
    if seq > last || until == 0 {
        return Err(Corrupt { subject: log.subject, seq: last, flaw: Flaw::Missing { seq } });
    }
    run(log, &log.records[..until], &kernel())
}

/// Everything that a log says was written with it.
pub(crate) struct Retraced {
    /// The row for queries as it is after the last event.
    pub(crate) row: IndexRow,
    /// What each event wrote besides itself, in order.
    pub(crate) written: Vec<Written>,
}

/// Replays a log, and keeps what its events wrote besides themselves.
pub(crate) fn retrace<L: Lifecycle>(log: &Log) -> Result<Retraced, Corrupt> {
    let kernel = tracing();
    let value: L = again(log, &kernel)?;
    Ok(Retraced { row: index(&value), written: kernel.kept() })
}

fn again<L: Lifecycle>(log: &Log, kernel: &Kernel<L>) -> Result<L, Corrupt> {
    let mut value = run(log, &log.records, kernel)?;
    value.head_mut(kernel).revise(kernel, log.revision);
    Ok(value)
}

fn run<L: Lifecycle>(log: &Log, records: &[StoredRecord], kernel: &Kernel<L>) -> Result<L, Corrupt> {
    let corrupt = |seq, flaw| Corrupt { subject: log.subject, seq, flaw };
    let id: Id<L> = log.subject.try_into().map_err(|other: IdError| corrupt(0, other.into()))?;
    let (first, rest) = records.split_first().ok_or_else(|| corrupt(0, Flaw::Empty))?;
    let mut value = begin::<L>(id, first, kernel).map_err(|flaw| corrupt(first.seq, flaw))?;
    for record in rest {
        value = apply(value, record, kernel).map_err(|flaw| corrupt(record.seq, flaw))?;
    }
    Ok(value)
}

fn begin<L: Lifecycle>(id: Id<L>, record: &StoredRecord, kernel: &Kernel<L>) -> Result<L, Flaw> {
    check_form::<L>(record, 1)?;
    if record.name != "open" {
        return Err(Flaw::UnknownEvent { name: record.name.clone() });
    }
    let opening: L::Opening = serde_json::from_str(&record.body).map_err(Flaw::Unreadable)?;
    kernel.keep(step::check_opening::<L>(id, &opening, &record.stamp).map_err(Flaw::Illegal)?);
    Ok(step::begin(id, opening, &record.stamp))
}

fn apply<L: Lifecycle>(value: L, record: &StoredRecord, kernel: &Kernel<L>) -> Result<L, Flaw> {
    check_form::<L>(record, value.head().seq() + 1)?;
    let event = L::decode(&record.name, &record.body)
        .ok_or_else(|| Flaw::UnknownEvent { name: record.name.clone() })?
        .map_err(Flaw::Unreadable)?;
    value.redo(kernel, event, &record.stamp).map_err(Flaw::Illegal)
}

fn check_form<L: Lifecycle>(record: &StoredRecord, expected: u32) -> Result<(), Flaw> {
    if record.seq != expected {
        return Err(Flaw::Gap { expected, found: record.seq });
    }
    if record.version > L::VERSION {
        return Err(Flaw::FutureVersion { found: record.version, known: L::VERSION });
    }
    Ok(())
}
