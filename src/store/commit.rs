//! Everything that one step writes, as one plain value.

use super::{Request, Revision};
use crate::{
    gateway::{IdempotencyKey, Instruction, Outcome},
    id::Subject,
    ledger::{Account, Entry, GatewayName},
    money::{Currency, Money},
    party::{PartyId, Stamp},
    time::Timestamp,
};
use serde::Serialize;
use smallvec::SmallVec;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Everything that one step writes about one subject: all of it, or nothing.
///
/// Only the crate makes commits; a store reads them. Within a commit the order is: the calls it withdraws, the
/// events, the entries, the calls, and what it answers, which may be one of those calls.
#[derive(Debug, Clone)]
pub struct Commit {
    pub(crate) subject: Subject,
    pub(crate) expected: Option<Revision>,
    // Nearly always one, which then needs no memory of its own.
    pub(crate) records: SmallVec<[Record; 1]>,
    pub(crate) index: IndexRow,
    pub(crate) held_before: Money,
    // Whom it concerned before, so that a store need not look. Nobody, before it was opened.
    pub(crate) parties_before: Option<Arc<[PartyId]>>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) calls: Vec<Call>,
    // Each of another call, in the order in which they were heard of.
    pub(crate) settles: SmallVec<[Settlement; 1]>,
    pub(crate) withdraws: Option<Withdrawal>,
    pub(crate) request: Option<Request>,
}

/// Whether the entries of these commits, written together, change each escrow account exactly as the logs say: no account
/// is touched without its subject counting it, and nothing is counted that no entry brings.
///
/// A store asks it before it writes, so that what an account holds and what its subject believes can never part.
///
/// # Errors
/// The subject whose account would hold other than its log says.
pub fn books_agree(commits: &[Commit]) -> Result<(), Subject> {
    // Nearly every commit moves money of its own account only, and is then right or wrong by itself.
    if commits.iter().all(Commit::agrees_alone) {
        return Ok(());
    }
    let mut open: BTreeMap<(Subject, Currency), i128> = BTreeMap::new();
    for commit in commits {
        for held in [(commit.index.held, 1), (commit.held_before, -1)] {
            *open.entry((commit.subject, held.0.currency())).or_default() += i128::from(held.0.minor()) * held.1;
        }
        for posting in commit.entries.iter().flat_map(Entry::postings) {
            if let Account::Escrow(subject) = posting.account {
                let amount = posting.amount;
                *open.entry((*subject, amount.currency())).or_default() -= i128::from(amount.minor());
            }
        }
    }
    open.into_iter().find(|(_, difference)| *difference != 0).map_or(Ok(()), |((subject, _), _)| Err(subject))
}

/// One event, not yet stored.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its number in the log, from 1 without gaps.
    pub seq: u32,
    /// Its name: that of the edge or note that made it, `open` for the first.
    pub name: &'static str,
    /// The version of its form.
    pub version: u16,
    /// Who, and when.
    pub stamp: Stamp,
    /// What happened.
    pub payload: Payload,
}

/// The data of an event. It becomes JSON when it is stored, not before.
// In a box, which takes no memory for the many events that have no data.
pub struct Payload(Box<dyn Body>);

trait Body: Send + Sync {
    fn write_json(&self, text: &mut Vec<u8>) -> Result<(), serde_json::Error>;
    fn boxed(&self) -> Box<dyn Body>;
}

impl<T: Serialize + Clone + Send + Sync + 'static> Body for T {
    fn write_json(&self, text: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(text, self)
    }
    fn boxed(&self) -> Box<dyn Body> {
        Box::new(self.clone())
    }
}

/// What is kept for queries: one row per subject, replaced by each commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRow {
    /// The lifecycle's name, such as `order`.
    pub lifecycle: &'static str,
    /// The status's name, such as `PUBLISHED`.
    pub status: &'static str,
    /// Who it concerns.
    pub parties: Arc<[PartyId]>,
    /// What it belongs to: a payin's, payout's or refund's order.
    pub about: Option<Subject>,
    /// When the clock acts on it (UTC), if it will.
    pub deadline: Option<Timestamp>,
    /// What its escrow account holds by its own log, in minor units.
    pub held: Money,
}

/// A call for the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// For which gateway.
    pub gateway: GatewayName,
    /// What it is asked.
    pub instruction: Instruction,
    /// Not to be sent before (UTC).
    pub due: Timestamp,
}

/// That a call was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The call.
    pub key: IdempotencyKey,
    /// The answer. A pending one leaves the call open.
    pub outcome: Outcome,
}

/// That a call is no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// The call.
    pub key: IdempotencyKey,
    /// What holds when it [may have been sent](super::CallState::sent).
    pub if_sent: IfSent,
}

/// What becomes of a commit that withdraws a call which may have been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfSent {
    /// The commit is refused with [`Appended::Sent`](super::Appended::Sent).
    Refuse,
    /// The call stays, and this one follows it.
    Follow(Box<Call>),
}

impl Commit {
    /// What it is about.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        self.subject
    }

    /// The revision it builds on; `None` for the first commit of a subject.
    #[must_use]
    pub const fn expected(&self) -> Option<Revision> {
        self.expected
    }

    /// Its events, in order; never empty.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The row for queries as it is after this commit.
    #[must_use]
    pub const fn index(&self) -> &IndexRow {
        &self.index
    }

    /// Its entries in the books, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The calls it puts into the outbox.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Whom it concerned before, and now.
    #[must_use]
    pub fn parties(&self) -> (&[PartyId], &[PartyId]) {
        (self.parties_before.as_deref().unwrap_or_default(), &self.index.parties)
    }

    /// The request of the host's that it does.
    #[must_use]
    pub const fn request(&self) -> Option<&Request> {
        self.request.as_ref()
    }

    /// Whose calls its own are kept in order with: what its subject belongs to, or the subject itself. The calls of one
    /// order are sent one after another, those of different orders side by side.
    #[must_use]
    pub fn lane(&self) -> Subject {
        self.index.about.unwrap_or(self.subject)
    }

    /// Goes on with another commit of the same subject: both become one.
    pub(crate) fn follow(&mut self, next: Self) {
        assert_eq!(self.subject, next.subject, "a commit goes on with its own subject");
        let withdrawn = self.withdraws.as_ref().zip(next.withdraws.as_ref());
        assert!(withdrawn.is_none_or(|(one, other)| one.key == other.key), "a commit withdraws one call");
        self.records.extend(next.records);
        self.index = next.index;
        self.entries.extend(next.entries);
        // The last word on a call counts.
        self.settles.retain(|word| next.settles.iter().all(|last| last.key != word.key));
        self.settles.extend(next.settles);
        match next.withdraws {
            // A call that was never put into the outbox is simply not put there.
            Some(withdrawal) if self.asks(withdrawal.key) => {
                self.calls.retain(|call| call.instruction.key() != withdrawal.key);
            }
            withdraws => self.withdraws = withdraws.or(self.withdraws.take()),
        }
        self.calls.extend(next.calls);
        self.request = self.request.take().or(next.request);
    }

    // Whether its entries change no escrow account but its own, and that one as its log says.
    fn agrees_alone(&self) -> bool {
        let (held, before) = (self.index.held, self.held_before);
        let mut open = i128::from(held.minor()) - i128::from(before.minor());
        let own = self.entries.iter().flat_map(Entry::postings).all(|posting| match posting.account {
            Account::Escrow(subject) => {
                open -= i128::from(posting.amount.minor());
                *subject == self.subject && posting.amount.currency() == held.currency()
            }
            Account::World(_) | Account::Wallet(_) | Account::Debt(_) => true,
        });
        own && open == 0 && held.currency() == before.currency()
    }

    /// Whether it leaves the parties as they were, so that there is nothing of them to write.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn keeps_parties(&self) -> bool {
        self.parties_before.as_ref().is_some_and(|before| *before == self.index.parties)
    }

    pub(crate) fn asks(&self, key: IdempotencyKey) -> bool {
        self.calls.iter().any(|call| call.instruction.key() == key)
    }

    /// The calls it answers: none or one, unless several steps were taken in one commit.
    #[must_use]
    pub fn settles(&self) -> &[Settlement] {
        &self.settles
    }

    /// The call it withdraws.
    #[must_use]
    pub const fn withdraws(&self) -> Option<&Withdrawal> {
        self.withdraws.as_ref()
    }
}

impl Payload {
    pub(crate) fn new(body: impl Serialize + Clone + Send + Sync + 'static) -> Self {
        Self(Box::new(body))
    }

    /// As JSON text.
    ///
    /// # Errors
    /// When a host's own event cannot be written as JSON, such as a map with keys that are no strings.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = Vec::with_capacity(128);
        self.write_json(&mut text)?;
        Ok(String::from_utf8(text).expect("JSON is UTF-8"))
    }

    /// Adds its JSON to a text.
    pub(crate) fn write_json(&self, text: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        self.0.write_json(text)
    }
}

impl Clone for Payload {
    fn clone(&self) -> Self {
        Self(self.0.boxed())
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json().map_err(|_| fmt::Error)?)
    }
}
