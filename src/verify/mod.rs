//! Walks a whole store, replays every log, and tells of everything that says otherwise than the logs: the proof that a
//! backup, a migration or a repair by hand has left every amount, status and account as it was.
//!
//! ```
//! use escrowed::{escrow::Escrow, memory::Memory, order::Terms, party::Actor, sandbox::Sandbox, store::Store};
//! # futures_lite::future::block_on(async {
//! let escrow = Escrow::new(Memory::new(), Sandbox::new(7));
//! let terms = Terms::new("A bicycle".parse()?, "120.00 EUR".parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
//! let mut unit = escrow.store().begin().await?;
//! escrow.open_order(&mut unit, terms, Actor::platform("ops".parse()?)).await?;
//! escrow.store().commit(unit).await?;
//!
//! let verified = escrow.verifier().verify(escrow.store(), |difference| eprintln!("{difference}")).await?;
//! assert_eq!((verified.subjects, verified.events, verified.differences), (1, 1, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! The log is what is trusted, as far as it is a history that its lifecycle could have had. By the same code that took each
//! step, [`Verifier`] takes them all again, and compares what they write with what is stored: the index row, the parties, the
//! entries, what the account holds, the calls and what was answered. Then it adds up the entries of each account, and looks
//! for what no log speaks of.
//!
//! It reads in pages, each in a unit of its own that is dropped; it never writes. [`Verifier::page`] goes on wherever a
//! [`Place`] says, so that it can be stopped, and be gone on with another day. In memory it keeps one page, and of one subject at
//! a time its log, its entries and its calls, since a log can only be judged whole. What looks wrong is looked at again in a
//! fresh unit before it is told, in case somebody has just written it. Units that do not see one state of the store
//! throughout (READ COMMITTED) may still tell of what was written meanwhile: run it again, or on a copy.
//!
//! What it cannot find, because nothing else in the store depends on it:
//!
//! - An event that was altered into another one which could have happened and would have written the same: its time where no
//!   deadline, entry or call bears it, which of several it was who may have done it, a text, a fee that was never charged, a digit in the terms of
//!   an order that nobody has paid. Nor a whole subject that is gone with everything that tells of it.
//! - Which events were one commit. An entry bears the number of its commit's last event; it is found where that cannot be,
//!   or is of another time, not where it might be.
//! - What belongs to the workers: the leases, how often a call was taken, since when it may have been sent unless it was
//!   withdrawn, when it is seen to again once it was taken, the last problem; whether a call that was taken and not answered is
//!   queued, looked up or parked. A call that was asked for and withdrawn at the same time may be there or not.
//! - The revisions, the numbers in the books as long as they keep the order of each subject's entries, and the requests'
//!   keys and digests: the log does not know of requests.

mod books;
mod calls;
mod debts;
mod difference;
mod lists;
mod reading;
mod subject;

pub use difference::{CallField, Difference, Field, Part};

use crate::{
    escrow::{Clock, Escrow, Member, built_in},
    gateway::Gateway,
    id::{Identified, Kind, Subject},
    ledger::Account,
    lifecycle::{Corrupt, Lifecycle, Retraced, retrace},
    money::Money,
    party::PartyId,
    payment::{AnyChargeback, AnyDebt, AnyPayin, AnyPayout, AnyRefund, AnyTally},
    store::{CallStatus, Log, RequestKey, Store},
};
use reading::{Reading, list};
use serde::{Deserialize, Serialize};

/// Knows some lifecycles, and verifies stores that hold what is of them.
#[derive(Debug, Clone)]
pub struct Verifier {
    lifecycles: Vec<(Kind, Retrace)>,
    page: usize,
}

type Retrace = fn(&Log) -> Result<Retraced, Corrupt>;

/// How much was looked at, and how much differed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// Logs and index rows, one of each for most.
    pub subjects: usize,
    /// Events that were replayed.
    pub events: usize,
    /// Entries in the books.
    pub entries: usize,
    /// Accounts of which the entries were added up.
    pub accounts: usize,
    /// Calls in the outbox.
    pub calls: usize,
    /// Requests that were done.
    pub requests: usize,
    /// Differences that were told.
    pub differences: usize,
}

/// Where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// First come the subjects, each with all that its log speaks of.
    Subjects {
        /// The last one that was looked at.
        after: Option<Subject>,
    },
    /// Then the accounts.
    Accounts {
        /// The last one that was added up.
        after: Option<Account>,
        /// The one that is half added up.
        within: Option<Within>,
    },
    /// Then the calls that no subject speaks of.
    Calls {
        /// In which status.
        status: CallStatus,
        /// The key of the last one that was looked at, as the store has it.
        after: Option<String>,
    },
    /// Then the list by which parties find their subjects.
    Parties {
        /// The last one that was looked at.
        after: Option<(PartyId, Subject)>,
    },
    /// Last, the requests.
    Requests {
        /// The last one that was looked at.
        after: Option<RequestKey>,
    },
}

/// An account of which some entries were added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    account: Account,
    number: i64,
    sums: Vec<Money>,
}

/// What became of one page.
#[derive(Debug)]
pub struct Step {
    /// Where to go on; `None` at the end.
    pub next: Option<Place>,
    /// How much was looked at.
    pub verified: Verified,
    /// What differs.
    pub differences: Vec<Difference>,
}

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// A verifier that knows every lifecycle which this escrow serves.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier::knowing(self.members())
    }
}

impl Verifier {
    /// One that knows the built-in lifecycles, in pages of 100 rows.
    #[must_use]
    pub fn new() -> Self {
        Self::knowing(&built_in())
    }

    fn knowing(members: &[Member]) -> Self {
        let known = Self { lifecycles: Vec::new(), page: 100 };
        let known = known.with::<AnyPayin>().with::<AnyPayout>().with::<AnyRefund>().with::<AnyTally>();
        let mut known = known.with::<AnyChargeback>().with::<AnyDebt>();
        known.lifecycles.extend(members.iter().map(|member| (member.kind, member.retrace)));
        known
    }

    /// Knows a lifecycle of the host's own, too. Registered again, it replaces the one with the same ids.
    #[must_use]
    pub fn with<L: Lifecycle>(mut self) -> Self {
        let kind = <L as Identified>::KIND;
        self.lifecycles.retain(|(known, _)| *known != kind);
        self.lifecycles.push((kind, retrace::<L>));
        self
    }

    /// Reads so many rows at a time; at least one.
    #[must_use]
    pub fn in_pages_of(mut self, rows: usize) -> Self {
        self.page = rows.max(1);
        self
    }

    /// Verifies all of a store, and hands out each difference as it is found.
    ///
    /// # Errors
    /// When the store cannot begin a unit. What cannot be read is a difference.
    pub async fn verify<S: Store>(&self, store: &S, mut found: impl FnMut(Difference)) -> Result<Verified, S::Error> {
        let (mut verified, mut place) = (Verified::default(), Some(Place::START));
        while let Some(from) = place {
            let step = self.page(store, &from).await?;
            step.differences.into_iter().for_each(&mut found);
            verified = verified.and(step.verified);
            place = step.next;
        }
        Ok(verified)
    }

    /// Verifies one page of a store, from [`Place::START`] or from where the page before has ended.
    ///
    /// # Errors
    /// When the store cannot begin a unit. What cannot be read is a difference.
    pub async fn page<S: Store>(&self, store: &S, from: &Place) -> Result<Step, S::Error> {
        match from.clone() {
            Place::Subjects { after } => self.subjects(store, after).await,
            Place::Accounts { after, within } => self.accounts(store, after, within.as_ref()).await,
            Place::Calls { status, after } => self.calls(store, status, after).await,
            Place::Parties { after } => self.parties(store, after).await,
            Place::Requests { after } => self.requests(store, after).await,
        }
    }

    fn retraces(&self, kind: Kind) -> Option<Retrace> {
        self.lifecycles.iter().find(|(known, _)| *known == kind).map(|(_, retrace)| *retrace)
    }
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Place {
    /// Where it all begins.
    pub const START: Self = Self::Subjects { after: None };
    const ACCOUNTS: Self = Self::Accounts { after: None, within: None };
    const CALLS: Self = Self::Calls { status: CallStatus::ALL[0], after: None };
    const PARTIES: Self = Self::Parties { after: None };
    const REQUESTS: Self = Self::Requests { after: None };
}

impl Step {
    fn new(next: Option<Place>, verified: Verified, differences: Vec<Difference>) -> Self {
        let verified = Verified { differences: differences.len(), ..verified };
        Self { next, verified, differences }
    }
}

impl Verified {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            subjects: self.subjects + other.subjects,
            events: self.events + other.events,
            entries: self.entries + other.entries,
            accounts: self.accounts + other.accounts,
            calls: self.calls + other.calls,
            requests: self.requests + other.requests,
            differences: self.differences + other.differences,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::store::commits;
    use crate::{memory::Memory, party::Actor, sandbox::Sandbox, store::Appended, store::UnitOfWork};
    use futures_lite::future::block_on;

    fn told(verifier: &Verifier, store: &Memory) -> Vec<Difference> {
        let mut told = Vec::new();
        let verified = block_on(verifier.verify(store, |difference| told.push(difference))).unwrap();
        assert_eq!(verified.differences, told.len());
        told
    }

    fn ordered() -> (Memory, Subject) {
        let escrow = Escrow::new(Memory::new(), Sandbox::new(1));
        let terms = crate::order::Terms::new(
            "A bicycle".parse().unwrap(),
            "120.00 EUR".parse().unwrap(),
            "sam".parse().unwrap(),
            "shop".parse().unwrap(),
            "sandbox".parse().unwrap(),
        );
        block_on(async {
            let mut unit = escrow.store().begin().await.unwrap();
            let by = Actor::platform("ops".parse().unwrap());
            let id = escrow.open_order(&mut unit, terms, by).await.unwrap().id();
            escrow.store().commit(unit).await.unwrap();
            (escrow.store().clone(), id.subject())
        })
    }

    #[test]
    fn a_lifecycle_that_nobody_registered_is_told_of() {
        let (store, order) = ordered();
        assert!(told(&Verifier::new(), &store).is_empty());
        let stranger = Verifier { lifecycles: Vec::new(), page: 1 };
        let told = told(&stranger, &store);
        assert!(matches!(told[..], [Difference::UnknownLifecycle { subject }] if subject == order), "{told:?}");
    }

    #[test]
    fn a_log_that_is_no_history_is_told_of() {
        let (store, order) = ordered();
        block_on(async {
            let mut unit = store.begin().await.unwrap();
            let revision = unit.log(order).await.unwrap().unwrap().revision;
            let appended = unit.append(&commits::goes_on(order, revision, 2)).await.unwrap();
            assert!(matches!(appended, Appended::Stored(_)));
            store.commit(unit).await.unwrap();
        });
        let told = told(&Verifier::new(), &store);
        assert!(matches!(&told[..], [Difference::Log(corrupt)] if corrupt.seq == 2), "{told:?}");
    }

    #[test]
    fn it_may_move_between_threads() {
        fn moves(_: impl Send) {}
        let (store, verifier) = (Memory::new(), Verifier::new());
        moves(verifier.verify(&store, drop));
    }
}
