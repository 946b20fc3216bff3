//! The calls in the outbox, and the orders in which they are taken and listed.

use super::state::State;
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::GatewayName,
    store::{Call, CallState, CallStatus, Lease, LeasedCall, Postponement, WorkerId},
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
};

#[derive(Debug, Default)]
pub(super) struct Calls {
    rows: BTreeMap<Key, CallRow>,
    by_status: HashMap<CallStatus, BTreeSet<Key>>,
    // The queued ones of each lane, in the order of insertion.
    queued: HashMap<Subject, BTreeSet<u64>>,
    // Those to be sent or looked up, leased ones included. The number settles ties in the order of insertion.
    due: HashMap<GatewayName, BTreeSet<(Timestamp, u64, Key)>>,
    last: u64,
}

/// A call, and who holds it until when.
#[derive(Debug, Clone)]
pub(super) struct CallRow {
    pub(super) state: CallState,
    pub(super) lease: Option<(WorkerId, Timestamp)>,
    pub(super) lane: Subject,
    number: u64,
}

/// A key in the order of its text, which is not that of the verbs.
type Key = (Subject, &'static str);

impl Calls {
    pub(super) fn row(&self, key: IdempotencyKey) -> Option<&CallRow> {
        self.rows.get(&text_order(key))
    }

    /// The row of a call that is put in now.
    pub(super) fn fresh(&mut self, call: &Call, lane: Subject) -> CallRow {
        self.last += 1;
        let state = CallState {
            instruction: call.instruction.clone(),
            gateway: call.gateway.clone(),
            status: CallStatus::Queued,
            attempts: 0,
            leases: 0,
            sent: None,
            outcome: None,
            problem: None,
            due: call.due,
        };
        CallRow { state, lease: None, lane, number: self.last }
    }

    /// Puts a row in the place of another, and gives that back. `None` stands for no row.
    pub(super) fn set(&mut self, key: IdempotencyKey, row: Option<CallRow>) -> Option<CallRow> {
        let key = text_order(key);
        let before = self.rows.remove(&key);
        if let Some(before) = &before {
            self.by_status.entry(before.state.status).or_default().remove(&key);
            self.due_at(before).remove(&(before.state.due, before.number, key));
            self.leave_lane(before);
        }
        if let Some(row) = row {
            self.by_status.entry(row.state.status).or_default().insert(key);
            if row.state.status == CallStatus::Queued {
                self.queued.entry(row.lane).or_default().insert(row.number);
            }
            if row.is_live() {
                self.due_at(&row).insert((row.state.due, row.number, key));
            }
            self.rows.insert(key, row);
        }
        before
    }

    pub(super) fn in_status(&self, status: CallStatus, after: Option<&str>, limit: usize) -> Vec<CallState> {
        let Some(keys) = self.by_status.get(&status) else { return Vec::new() };
        // What is no key has its place among them all the same.
        let start =
            after.and_then(|after| after.parse().ok()).map_or(Bound::Unbounded, |key| Bound::Excluded(text_order(key)));
        let rows = keys.range((start, Bound::Unbounded)).filter_map(|key| self.rows.get(key));
        let later =
            rows.filter(|row| after.is_none_or(|after| row.state.instruction.key().to_string().as_str() > after));
        later.take(limit).map(|row| row.state.clone()).collect()
    }

    /// The calls that a worker may take now.
    fn free(&self, lease: &Lease) -> Vec<(IdempotencyKey, CallRow)> {
        let Some(due) = self.due.get(&lease.gateway) else { return Vec::new() };
        let rows = due.iter().take_while(|(at, ..)| *at <= lease.now).filter_map(|(.., key)| self.rows.get(key));
        let free = rows.filter(|row| row.lease.as_ref().is_none_or(|(_, until)| *until <= lease.now));
        let first = free.filter(|row| !self.waits(row));
        first.take(lease.limit).map(|row| (row.state.instruction.key(), row.clone())).collect()
    }

    /// Whether an earlier call of the same lane is still queued.
    fn waits(&self, row: &CallRow) -> bool {
        let first = self.queued.get(&row.lane).and_then(BTreeSet::first);
        first.is_some_and(|first| *first < row.number)
    }

    fn leave_lane(&mut self, row: &CallRow) {
        if let Some(queued) = self.queued.get_mut(&row.lane) {
            queued.remove(&row.number);
            if queued.is_empty() {
                self.queued.remove(&row.lane);
            }
        }
    }

    fn due_at(&mut self, row: &CallRow) -> &mut BTreeSet<(Timestamp, u64, Key)> {
        self.due.entry(row.state.gateway.clone()).or_default()
    }
}

impl CallRow {
    /// Whether a worker will see to it.
    fn is_live(&self) -> bool {
        match self.state.status {
            CallStatus::Queued | CallStatus::Pending | CallStatus::Held => true,
            CallStatus::Settled | CallStatus::Withdrawn | CallStatus::Parked => false,
        }
    }
}

impl State {
    pub(super) fn lease(&mut self, lease: &Lease) -> Vec<LeasedCall> {
        let mut leased = Vec::new();
        for (key, mut row) in self.calls.free(lease) {
            let state = &mut row.state;
            let (instruction, attempts) = (state.instruction.clone(), state.attempts);
            state.attempts = attempts.saturating_add(1);
            state.leases += 1;
            let (status, number, sent) = (state.status, state.leases, state.sent.is_some());
            leased.push(LeasedCall { instruction, status, lease: number, attempts, sent });
            match status {
                // Handed out to be asked about.
                CallStatus::Held => {}
                CallStatus::Queued
                | CallStatus::Pending
                | CallStatus::Parked
                | CallStatus::Settled
                | CallStatus::Withdrawn => state.sent = state.sent.or(Some(number)),
            }
            row.lease = Some((lease.worker.clone(), lease.until));
            self.put(key, row);
        }
        leased
    }

    pub(super) fn postpone(&mut self, postponement: &Postponement<'_>) -> bool {
        let Postponement { key, taken, unsent, status, due, problem } = *postponement;
        assert!(status.is_open(), "a call is postponed to a status in which it may still come to something");
        let Some(row) = self.calls.row(key) else { return false };
        let before = &row.state;
        let taken_since = taken.is_some_and(|taken| before.leases != taken);
        let is_with_gateway = before.status == CallStatus::Pending && status == CallStatus::Held;
        if !before.status.is_open() || taken_since || is_with_gateway {
            return false;
        }
        let said = match taken {
            Some(taken) if unsent => before.sent.filter(|first| *first != taken),
            Some(taken) => before.sent.or(Some(taken)),
            None => before.sent,
        };
        let (attempts, sent) = match status {
            // The gateway has it: what went wrong before does not count any more, and nobody can say any more that it was
            // not sent.
            CallStatus::Pending => (1, Some(0)),
            // To be held is nothing that went wrong.
            CallStatus::Held => (0, said),
            CallStatus::Queued | CallStatus::Parked | CallStatus::Settled | CallStatus::Withdrawn => {
                (before.attempts, said)
            }
        };
        let state = CallState { status, due, attempts, sent, problem: problem.cloned(), ..before.clone() };
        let row = CallRow { state, lease: None, ..*row };
        self.put(key, row);
        true
    }
}

fn text_order(key: IdempotencyKey) -> Key {
    (key.subject, key.verb.name())
}
