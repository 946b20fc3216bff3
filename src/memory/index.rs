//! Which subjects answer which query, each in the order in which they are handed out.

use crate::{
    id::Subject,
    party::PartyId,
    store::{Cursor, IndexRow, Query},
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    ops::Bound,
};

#[derive(Debug, Default)]
pub(super) struct Index {
    all: BTreeSet<Subject>,
    by_status: HashMap<&'static str, HashMap<&'static str, BTreeSet<Subject>>>,
    by_party: BTreeMap<PartyId, BTreeSet<Subject>>,
    by_about: HashMap<Subject, BTreeSet<Subject>>,
    by_deadline: BTreeSet<(Timestamp, Subject)>,
}

impl Index {
    pub(super) fn insert(&mut self, subject: Subject, row: &IndexRow) {
        self.all.insert(subject);
        self.by_status.entry(row.lifecycle).or_default().entry(row.status).or_default().insert(subject);
        for party in row.parties.iter() {
            self.by_party.entry(party.clone()).or_default().insert(subject);
        }
        if let Some(about) = row.about {
            self.by_about.entry(about).or_default().insert(subject);
        }
        if let Some(deadline) = row.deadline {
            self.by_deadline.insert((deadline, subject));
        }
    }

    pub(super) fn remove(&mut self, subject: Subject, row: &IndexRow) {
        self.all.remove(&subject);
        if let Some(statuses) = self.by_status.get_mut(row.lifecycle) {
            forget(statuses, &row.status, subject);
        }
        for party in row.parties.iter() {
            if let Some(set) = self.by_party.get_mut(party) {
                set.remove(&subject);
                if set.is_empty() {
                    self.by_party.remove(party);
                }
            }
        }
        if let Some(about) = row.about {
            forget(&mut self.by_about, &about, subject);
        }
        if let Some(deadline) = row.deadline {
            self.by_deadline.remove(&(deadline, subject));
        }
    }

    /// The first `limit` subjects that answer a query, after `after`.
    pub(super) fn find(&self, query: &Query, after: Option<&Cursor>, limit: usize) -> Vec<Subject> {
        let among = match query {
            Query::All => Some(&self.all),
            Query::Status { lifecycle, status } => {
                self.by_status.get(lifecycle.as_str()).and_then(|statuses| statuses.get(status.as_str()))
            }
            Query::Party(party) => self.by_party.get(party),
            Query::About(subject) => self.by_about.get(subject),
            Query::DueBy(time) => return self.due(*time, after, limit),
        };
        let start = after.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.subject));
        among.map_or_else(Vec::new, |set| set.range((start, Bound::Unbounded)).take(limit).copied().collect())
    }

    /// The first `limit` subjects after `after`.
    pub(super) fn all(&self, after: Option<Subject>, limit: usize) -> Vec<Subject> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.all.range((start, Bound::Unbounded)).take(limit).copied().collect()
    }

    /// The first `limit` parties with each of their subjects after `after`.
    pub(super) fn members(&self, after: Option<(&PartyId, Subject)>, limit: usize) -> Vec<(PartyId, Subject)> {
        let start = after.map_or(Bound::Unbounded, |(party, _)| Bound::Included(party));
        let parties = self.by_party.range::<PartyId, _>((start, Bound::Unbounded));
        let members = parties.flat_map(|(party, subjects)| subjects.iter().map(move |subject| (party, *subject)));
        let further = members.filter(|member| after.is_none_or(|after| *member > after));
        further.take(limit).map(|(party, subject)| (party.clone(), subject)).collect()
    }

    /// The subjects whose deadline has passed, the earliest first.
    pub(super) fn passed(&self, by: Timestamp) -> impl Iterator<Item = Subject> {
        self.by_deadline.iter().take_while(move |(deadline, _)| *deadline <= by).map(|(_, subject)| *subject)
    }

    fn due(&self, by: Timestamp, after: Option<&Cursor>, limit: usize) -> Vec<Subject> {
        // A cursor of another query has no deadline. None comes before any, so it leads to the first row.
        let last = after.and_then(|cursor| Some((cursor.deadline?, cursor.subject)));
        let start = last.map_or(Bound::Unbounded, Bound::Excluded);
        let due = self.by_deadline.range((start, Bound::Unbounded)).take_while(|(deadline, _)| *deadline <= by);
        due.take(limit).map(|(_, subject)| *subject).collect()
    }
}

fn forget<K: Eq + Hash>(sets: &mut HashMap<K, BTreeSet<Subject>>, key: &K, subject: Subject) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(&subject);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}
