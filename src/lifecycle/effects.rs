//! What a step writes besides its event, collected while the step is checked.

use super::{Facts, Flow, Lifecycle, Reason, Transition, Value};
use crate::{
    gateway::{IdempotencyKey, Instruction, Outcome},
    id::Subject,
    ledger::{Account, Entry, GatewayName, Purpose},
    money::Money,
    party::{PartyId, Stamp},
    store::{Call, Commit, IfSent, IndexRow, Payload, Record, Settlement, Withdrawal},
    time::Timestamp,
};
use smallvec::smallvec;
use std::{mem::take, sync::Arc};

const OWED: Reason = Reason::NotThisWay { instead: "only a debt books what somebody owes: open one" };

/// What a step writes besides its event: entries, calls, and what it opens. Collected while the step is checked.
#[derive(Debug)]
pub struct Effects<'s> {
    subject: Subject,
    seq: u32,
    stamp: &'s Stamp,
    before: Money,
    parties: Option<Arc<[PartyId]>>,
    held: Money,
    passed: bool,
    entries: Vec<Entry>,
    calls: Vec<Call>,
    opened: Vec<Commit>,
    settles: Option<Settlement>,
    withdraws: Option<Withdrawal>,
}

impl<'s> Effects<'s> {
    pub(super) fn new(subject: Subject, seq: u32, stamp: &'s Stamp, held: Money) -> Self {
        Self {
            subject,
            seq,
            stamp,
            before: held,
            parties: None,
            held,
            passed: false,
            entries: Vec::new(),
            calls: Vec::new(),
            opened: Vec::new(),
            settles: None,
            withdraws: None,
        }
    }

    pub(super) fn of<V: Value>(value: &V, stamp: &'s Stamp) -> Self {
        let head = value.head();
        let parties = Some(Arc::clone(head.parties()));
        Self { parties, ..Self::new(head.id().subject(), head.seq() + 1, stamp, head.held()) }
    }

    /// Whether it opens something else, too.
    pub(super) fn opens(&self) -> bool {
        !self.opened.is_empty()
    }

    /// What the step is about.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        self.subject
    }

    /// The number of the event that the step writes.
    #[must_use]
    pub const fn seq(&self) -> u32 {
        self.seq
    }

    /// Who takes the step, and when.
    #[must_use]
    pub const fn stamp(&self) -> &'s Stamp {
        self.stamp
    }

    /// What the escrow account holds after what was booked so far, in minor units.
    #[must_use]
    pub const fn held(&self) -> Money {
        self.held
    }

    /// Books money that comes into the escrow account from the world or a wallet. In minor units.
    ///
    /// # Errors
    /// [`Reason`] when the amount is not above zero, of another currency, overflows, or would be taken from something
    /// else's escrow account or from what somebody owes.
    pub fn receive(&mut self, from: Account, amount: Money, purpose: Purpose) -> Result<(), Reason> {
        match from {
            // What something else holds is given by its own step, never taken by this one.
            Account::Escrow(found) => return Err(Reason::WrongSubject { expected: self.subject, found }),
            Account::Debt(_) => return Err(OWED),
            Account::World(_) | Account::Wallet(_) => {}
        }
        self.count_in(amount)?;
        self.entries.push(Entry::new(from, Account::Escrow(self.subject), amount, purpose)?);
        Ok(())
    }

    /// Counts money that comes into the escrow account from something else's escrow account. Whoever gives books the
    /// entry, in the same unit; whoever receives only counts it. In minor units.
    ///
    /// # Errors
    /// [`Reason`] when the amount is not above zero, of another currency, or overflows.
    pub fn count_in(&mut self, amount: Money) -> Result<(), Reason> {
        self.held = self.held.checked_add(amount.require_positive()?)?;
        self.passed = true;
        Ok(())
    }

    /// Books money that leaves the escrow account. In minor units.
    ///
    /// # Errors
    /// [`Reason`] when the amount is not above zero, of another currency, more than is held, or would pay off what somebody
    /// owes, which is for the debt itself.
    pub fn pay(&mut self, to: Account, amount: Money, purpose: Purpose) -> Result<(), Reason> {
        if to.owed() {
            return Err(OWED);
        }
        self.pay_to(to, amount, purpose)
    }

    /// Books that somebody comes to owe an amount, which comes into the escrow account. For debts only.
    pub(crate) fn owe(&mut self, debtor: PartyId, amount: Money) -> Result<(), Reason> {
        self.count_in(amount)?;
        self.entries.push(Entry::new(Account::Debt(debtor), Account::Escrow(self.subject), amount, Purpose::Owe)?);
        Ok(())
    }

    /// Books that some of what somebody owes is paid off out of the escrow account. For debts only.
    pub(crate) fn pay_off(&mut self, debtor: PartyId, amount: Money) -> Result<(), Reason> {
        self.pay_to(Account::Debt(debtor), amount, Purpose::PayOff)
    }

    fn pay_to(&mut self, to: Account, amount: Money, purpose: Purpose) -> Result<(), Reason> {
        let rest = self.held.checked_sub(amount)?;
        if rest.is_negative() {
            return Err(Reason::TooMuch { asked: amount, available: self.held });
        }
        self.entries.push(Entry::new(Account::Escrow(self.subject), to, amount, purpose)?);
        self.held = rest;
        Ok(())
    }

    /// Asks a gateway to do something, once the commit is durable.
    pub fn call(&mut self, gateway: GatewayName, instruction: Instruction) {
        self.calls.push(Call { gateway, instruction, due: self.stamp.at });
    }

    /// Answers a call with what the gateway reported.
    pub fn settle(&mut self, key: IdempotencyKey, outcome: Outcome) {
        self.settles = Some(Settlement { key, outcome });
    }

    /// Takes a call back. What holds when it was sent already is `if_sent`.
    pub fn withdraw(&mut self, key: IdempotencyKey, if_sent: IfSent) {
        self.withdraws = Some(Withdrawal { key, if_sent });
    }

    /// Opens something else in the same unit, right after this step's own commit.
    pub fn open<T: Value>(&mut self, opened: Transition<T>) {
        let mut commits = opened.into_commits();
        if self.opened.is_empty() {
            self.opened = commits;
        } else {
            self.opened.append(&mut commits);
        }
    }

    /// Whether what was booked is what the edge says.
    pub(super) fn agrees(&self, flow: Flow) -> bool {
        let (before, held) = (self.before.minor(), self.held.minor());
        match flow {
            Flow::Keep => held == before && self.entries.is_empty(),
            Flow::Collect => held > before,
            Flow::Refund | Flow::Release | Flow::Divide => before > 0 && held == 0,
            Flow::Part => 0 < held && held < before,
            Flow::Pass => self.passed && held == before,
        }
    }

    #[inline]
    pub(super) fn transition<V: Value>(&mut self, value: V, name: &'static str, payload: Payload) -> Transition<V> {
        let mut opened = take(&mut self.opened);
        // Few steps open something. Where one does, there is room for all of it from the start.
        let mut commits = Vec::with_capacity(1 + opened.len());
        commits.push(self.commit(&value, name, payload, value.head().held()));
        commits.append(&mut opened);
        Transition::new(value, commits)
    }

    // What `held` says is for the row for queries.
    #[inline]
    pub(super) fn commit<V: Value>(&mut self, value: &V, name: &'static str, payload: Payload, held: Money) -> Commit {
        let head = value.head();
        let (version, stamp) = (<V::Any as Lifecycle>::VERSION, self.stamp.clone());
        Commit {
            subject: self.subject,
            expected: head.revision(),
            records: smallvec![Record { seq: self.seq, name, version, stamp, payload }],
            index: IndexRow { held, ..index(value) },
            held_before: self.before,
            parties_before: self.parties.take(),
            entries: take(&mut self.entries),
            calls: take(&mut self.calls),
            settles: self.settles.take().into_iter().collect(),
            withdraws: self.withdraws.take(),
            request: None,
        }
    }
}

/// What an event wrote besides itself, as replay finds it again.
#[derive(Debug)]
pub(crate) struct Written {
    /// The event's number.
    pub(crate) seq: u32,
    /// When it happened (UTC).
    pub(crate) at: Timestamp,
    pub(crate) entries: Vec<Entry>,
    pub(crate) calls: Vec<Call>,
    pub(crate) settles: Option<Settlement>,
    pub(crate) withdraws: Option<Withdrawal>,
}

impl From<Effects<'_>> for Written {
    // What the step opens has a log of its own.
    fn from(effects: Effects<'_>) -> Self {
        let Effects { seq, stamp, entries, calls, settles, withdraws, .. } = effects;
        Self { seq, at: stamp.at, entries, calls, settles, withdraws }
    }
}

/// The row for queries of a value as it is.
pub(super) fn index<V: Value>(value: &V) -> IndexRow {
    let (head, table) = (value.head(), <V::Any as Lifecycle>::TABLE);
    IndexRow {
        lifecycle: table.name,
        status: table.statuses[value.position()].name,
        parties: head.parties().clone(),
        about: head.facts.about(),
        deadline: head.deadline,
        held: head.held(),
    }
}

/// For [`Facts::parties`](super::Facts::parties): each once, in the order they were named.
#[must_use]
pub fn once(parties: impl IntoIterator<Item = PartyId>) -> Vec<PartyId> {
    let mut named: Vec<PartyId> = Vec::new();
    for party in parties {
        if !named.contains(&party) {
            named.push(party);
        }
    }
    named
}
