//! What every value of a lifecycle carries, whatever its status.

use super::{Kernel, Lifecycle};
use crate::{
    id::Id,
    money::Money,
    party::{PartyId, Stamp},
    store::Revision,
    time::Timestamp,
};
use serde::Serialize;
use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

static LINEAGE: AtomicU64 = AtomicU64::new(0);

/// What every value of a lifecycle carries: its id, its facts, what it holds, and its history.
pub struct Head<L: Lifecycle> {
    id: Id<L>,
    // Tells two loads of one subject apart: a value cannot be swapped for another on its way through a closure.
    lineage: u64,
    revision: Option<Revision>,
    seq: u32,
    held: Money,
    history: History<L::Status>,
    parties: Arc<[PartyId]>,
    /// What is known in every status. The lifecycle's own code changes it.
    pub facts: Known<L::Facts>,
    /// When the clock acts (UTC). Each edge clears it before the lifecycle's own code sets it anew; notes leave it.
    pub deadline: Option<Timestamp>,
}

/// The facts of a value, to be read and changed as if they stood here themselves. It notes when they are borrowed to be
/// changed, so that a step which leaves them alone need not ask anew whom they concern.
pub struct Known<F> {
    facts: F,
    touched: bool,
}

/// Which status was reached when and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(bound = "S: Serialize")]
pub struct History<S>(Vec<Passage<S>>);

/// That a status was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passage<S> {
    /// The status.
    pub code: S,
    /// Who reached it, and when.
    #[serde(flatten)]
    pub stamp: Stamp,
}

/// What a lifecycle knows in every status: its terms and its parties.
pub trait Facts: std::fmt::Debug + Send + 'static {
    /// Whether a party plays this role of a side.
    fn plays(&self, role: crate::party::Role, who: &PartyId) -> bool;
    /// Everybody whom it concerns, for the index. Parties may repeat. Asked when it is opened, and after each step that
    /// borrowed the facts to change them: so it must depend on nothing else.
    fn parties(&self) -> Vec<PartyId>;
    /// What it belongs to: a payment's order.
    fn about(&self) -> Option<crate::id::Subject> {
        None
    }
    /// Who is paid by a payin of it: the payee that its payer is shown, and that evidence for an exemption has to be about.
    /// Where it does not say, whoever opens the payin is believed.
    fn payees(&self) -> Payees<'_> {
        Payees::Unsaid
    }
}

/// Who is paid by what is paid for something, as far as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payees<'f> {
    /// It does not say.
    Unsaid,
    /// One party.
    One(&'f PartyId),
    /// Several.
    Several,
}

impl<L: Lifecycle> Head<L> {
    pub(super) fn new(id: Id<L>, facts: L::Facts, held: Money) -> Self {
        let parties = facts.parties().into();
        let lineage = LINEAGE.fetch_add(1, Ordering::Relaxed);
        let facts = Known { facts, touched: false };
        Self { id, lineage, revision: None, seq: 0, held, history: History(Vec::new()), parties, facts, deadline: None }
    }

    /// Its id.
    pub const fn id(&self) -> Id<L> {
        self.id
    }

    /// The revision it was loaded or saved at; `None` until it is saved, and for a value of the past.
    pub const fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// How many events made it.
    pub const fn seq(&self) -> u32 {
        self.seq
    }

    /// What its escrow account holds, in minor units, by its own log.
    pub const fn held(&self) -> Money {
        self.held
    }

    /// What is known in every status.
    pub const fn facts(&self) -> &L::Facts {
        &self.facts.facts
    }

    /// Which status was reached when and by whom.
    pub const fn history(&self) -> &History<L::Status> {
        &self.history
    }

    pub(super) const fn lineage(&self) -> u64 {
        self.lineage
    }

    pub(super) const fn parties(&self) -> &Arc<[PartyId]> {
        &self.parties
    }

    /// For the kernel: takes a step's bookkeeping over.
    #[doc(hidden)]
    pub fn advance(&mut self, _: &Kernel<L>, seq: u32, held: Money, reached: Option<L::Status>, stamp: &Stamp) {
        self.seq = seq;
        self.held = held;
        if std::mem::take(&mut self.facts.touched) {
            self.parties = self.facts.parties().into();
        }
        if let Some(code) = reached {
            self.history.0.push(Passage { code, stamp: stamp.clone() });
        }
    }

    /// For the kernel: notes the revision.
    #[doc(hidden)]
    pub const fn revise(&mut self, _: &Kernel<L>, revision: Revision) {
        self.revision = Some(revision);
    }
}

impl<F> Deref for Known<F> {
    type Target = F;
    fn deref(&self) -> &F {
        &self.facts
    }
}

impl<F> DerefMut for Known<F> {
    fn deref_mut(&mut self) -> &mut F {
        self.touched = true;
        &mut self.facts
    }
}

impl<F: std::fmt::Debug> std::fmt::Debug for Known<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.facts.fmt(f)
    }
}

// Without the lineage: a value shows itself alike however it was come by.
impl<L: Lifecycle> std::fmt::Debug for Head<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Head")
            .field("id", &self.id)
            .field("revision", &self.revision)
            .field("seq", &self.seq)
            .field("held", &self.held)
            .field("history", &self.history)
            .field("facts", &self.facts)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl<S: Copy + PartialEq> History<S> {
    /// In order of time: each status that was reached.
    pub fn by_time(&self) -> &[Passage<S>] {
        &self.0
    }

    /// When a status was first reached; `None` when it never was.
    pub fn by_key(&self, status: S) -> Option<Timestamp> {
        self.0.iter().find(|passage| passage.code == status).map(|passage| passage.stamp.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_note_when_they_are_borrowed_to_be_changed() {
        let mut facts = Known { facts: vec!["anna"], touched: false };
        assert_eq!(facts.len(), 1);
        assert!(!facts.touched);
        facts.push("sam");
        assert!(facts.touched);
    }
}
