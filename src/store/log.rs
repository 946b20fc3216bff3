//! Everything that was written about one subject.

use super::Revision;
use crate::{id::Subject, party::Stamp};

/// The events of one subject as a store read them, from the first to the last.
///
/// Nothing in it is trusted: [`replay`](crate::lifecycle::replay) checks every event as if it happened now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Whose log it is.
    pub subject: Subject,
    /// The revision after the last event.
    pub revision: Revision,
    /// The events in order of their numbers.
    pub records: Vec<StoredRecord>,
}

/// One stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its number, from 1 without gaps.
    pub seq: u32,
    /// Its name.
    pub name: String,
    /// The version of its form.
    pub version: u16,
    /// Who, and when.
    pub stamp: Stamp,
    /// Its data as JSON.
    pub body: String,
}
