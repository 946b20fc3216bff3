//! The calls that wait for a gateway.

use super::{SqliteError, SqliteUnit, append, error, row::Reader, statements::Statements};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    store::{
        Call, CallState, CallStatus, Columns, DueLease, IndexEntry, Lease, LeasedCall, Outbox, Postponement,
        Settlement, TakenCall, Unreadable, by_deadline, why_parked,
    },
    text::Prose,
};
use rusqlite::{Connection, OptionalExtension, params};

const CALLS: &str = "escrowed_calls";
const SUBJECTS: &str = "escrowed_subjects";

// Whether the statuses are spelt out decides whether SQLite uses the partial indexes.
const LEASE: &str = "UPDATE escrowed_calls
SET worker = ?4, lease_until = ?5, attempts = attempts + 1, leases = leases + 1,
    sent = CASE status WHEN 'held' THEN sent ELSE coalesce(sent, leases + 1) END
WHERE number IN (
    SELECT number FROM escrowed_calls AS waiting
    WHERE gateway = ?1 AND due <= ?2
        AND (status = 'queued' OR status = 'pending' OR status = 'held')
        AND (lease_until IS NULL OR lease_until <= ?2)
        AND NOT EXISTS (
            SELECT 1 FROM escrowed_calls AS earlier
            WHERE earlier.lane = waiting.lane AND earlier.status = 'queued' AND earlier.number < waiting.number
        )
    ORDER BY due, number
    LIMIT ?3
)
RETURNING key, instruction, gateway, status, attempts - 1 AS attempts, outcome, problem, due, leases, sent, number";
// Nothing was sent under the lease by which it was taken.
const PARK: &str = "UPDATE escrowed_calls
SET status = 'parked', problem = ?2, due = ?3, worker = NULL, lease_until = NULL, sent = nullif(sent, leases)
WHERE number = ?1";
// Once the gateway has a call, what went wrong before does not count any more, and nobody can say any more that it was not
// sent; to be held is nothing that went wrong.
// ?6 is the lease if nothing was sent under it, ?7 the lease if it may have been.
const POSTPONE: &str = "UPDATE escrowed_calls
SET status = ?2, due = ?3, problem = ?4, worker = NULL, lease_until = NULL,
    attempts = CASE ?2 WHEN 'pending' THEN 1 WHEN 'held' THEN 0 ELSE attempts END,
    sent = CASE ?2 WHEN 'pending' THEN 0 ELSE coalesce(nullif(sent, ?6), ?7) END
WHERE key = ?1 AND status IN ('queued', 'pending', 'held', 'parked') AND (?5 IS NULL OR leases = ?5)
    AND NOT (status = 'pending' AND ?2 = 'held')";
const LEASE_DUE: &str = "UPDATE escrowed_subjects SET worker = ?3, lease_until = ?4
WHERE id IN (
    SELECT id FROM escrowed_subjects
    WHERE deadline <= ?1 AND (lease_until IS NULL OR lease_until <= ?1)
    ORDER BY deadline, id
    LIMIT ?2
)
RETURNING id, lifecycle, status, about, deadline, held, currency, revision, parties";
const BY_KEY: &str = "SELECT key, instruction, gateway, status, attempts, outcome, problem, due, leases, sent
FROM escrowed_calls WHERE key = ?1";
const BY_STATUS: &str = "SELECT key, instruction, gateway, status, attempts, outcome, problem, due, leases, sent
FROM escrowed_calls WHERE status = ?1 AND key > ?2 ORDER BY key LIMIT ?3";

#[cfg(test)]
pub(super) const QUERIES: [(&str, &str); 7] = [
    (LEASE_DUE, "escrowed_subjects_deadline"),
    (LEASE, "escrowed_calls_due"),
    (LEASE, "escrowed_calls_queued"),
    (POSTPONE, "key=?"),
    (PARK, "rowid=?"),
    (BY_KEY, "key=?"),
    (BY_STATUS, "escrowed_calls_status"),
];

impl Outbox for SqliteUnit {
    async fn lease(&mut self, lease: &Lease) -> Result<Vec<Result<LeasedCall, Unreadable>>, SqliteError> {
        let connection = self.touch()?;
        // What is not handed out is not marked as taken either.
        append::whole(connection, |_| true, || take(connection, lease))
    }

    async fn call(&mut self, key: &IdempotencyKey) -> Result<Option<CallState>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(BY_KEY)?;
        let mut rows = statement.query([key.to_string()])?;
        rows.next()?.map(|row| Reader::new(CALLS, row).call_state()).transpose()
    }

    async fn postpone(&mut self, postponement: &Postponement<'_>) -> Result<bool, SqliteError> {
        let Postponement { key, status, due, problem, .. } = *postponement;
        assert!(status.is_open(), "a call is postponed to a status in which it may still come to something");
        let [taken, unsent, sent] = postponement.leases();
        let (key, due) = (key.to_string(), due.unix_micros());
        let values = params![key, status.name(), due, problem.map(Prose::as_str), taken, unsent, sent];
        Ok(self.touch()?.prepare_cached(POSTPONE)?.execute(values)? == 1)
    }

    async fn lease_due(&mut self, lease: &DueLease) -> Result<Vec<Result<IndexEntry, Unreadable>>, SqliteError> {
        let connection = self.touch()?;
        // What is not handed out is not marked as taken either.
        append::whole(connection, |_| true, || take_due(connection, lease))
    }

    async fn calls(
        &mut self,
        status: CallStatus,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Result<CallState, Unreadable>>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(BY_STATUS)?;
        let mut rows = statement.query(params![status.name(), after.unwrap_or_default(), at_most(limit)])?;
        let mut calls = Vec::new();
        while let Some(row) = rows.next()? {
            let reader = Reader::new(CALLS, row);
            calls.push(reader.apart(reader.call_state())?);
        }
        Ok(calls)
    }
}

fn take(connection: &Connection, lease: &Lease) -> Result<Vec<Result<LeasedCall, Unreadable>>, SqliteError> {
    let mut statement = connection.prepare_cached(LEASE)?;
    let (now, until) = (lease.now.unix_micros(), lease.until.unix_micros());
    let values = params![lease.gateway.as_str(), now, at_most(lease.limit), lease.worker.as_str(), until];
    let mut rows = statement.query(values)?;
    let mut leased = Vec::new();
    while let Some(row) = rows.next()? {
        leased.push(Reader::new(CALLS, row).taken_call()?);
    }
    drop(rows);
    for TakenCall { number, call, .. } in &leased {
        if let Err(unreadable) = call {
            let why = why_parked(unreadable);
            connection.prepare_cached(PARK)?.execute(params![number, why.as_ref().map(Prose::as_str), now])?;
        }
    }
    Ok(TakenCall::in_order(leased))
}

fn take_due(connection: &Connection, lease: &DueLease) -> Result<Vec<Result<IndexEntry, Unreadable>>, SqliteError> {
    let mut statement = connection.prepare_cached(LEASE_DUE)?;
    let (now, until) = (lease.now.unix_micros(), lease.until.unix_micros());
    let mut rows = statement.query(params![now, at_most(lease.limit), lease.worker.as_str(), until])?;
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        let reader = Reader::new(SUBJECTS, row);
        taken.push(reader.apart(reader.index_entry())?);
    }
    // SQLite promises no order for what it returns.
    taken.sort_by_key(by_deadline);
    Ok(taken)
}

const ENQUEUE: &str = "INSERT INTO escrowed_calls (key, lane, gateway, instruction, status, attempts, due)
VALUES (?1, ?2, ?3, ?4, 'queued', 0, ?5)";

/// Puts a call into the outbox.
pub(super) fn enqueue(statements: &mut Statements<'_>, call: &Call, lane: Subject) -> Result<(), SqliteError> {
    let key = call.instruction.key();
    let instruction = serde_json::to_string(&call.instruction)?;
    let due = call.due.unix_micros();
    let values = params![String::from(key), String::from(lane), call.gateway.as_str(), instruction, due];
    match statements.of(ENQUEUE)?.execute(values) {
        Ok(_) => Ok(()),
        Err(error) if error::is_duplicate(&error) => Err(SqliteError::DuplicateCall { key }),
        Err(error) => Err(error.into()),
    }
}

const WITHDRAW: &str = "UPDATE escrowed_calls SET status = 'withdrawn'
WHERE key = ?1 AND status IN ('queued', 'held', 'parked') AND sent IS NULL";
const NOT_FREE: &str = "SELECT 1 FROM escrowed_calls WHERE key = ?1 AND status <> 'withdrawn'";

/// Withdraws a call. False when somebody may have sent it.
pub(super) fn withdraw(statements: &mut Statements<'_>, key: IdempotencyKey) -> Result<bool, SqliteError> {
    let key = key.to_string();
    if statements.of(WITHDRAW)?.execute([&key])? == 1 {
        return Ok(true);
    }
    let sent = statements.of(NOT_FREE)?.query_row([&key], |_| Ok(())).optional()?;
    Ok(sent.is_none())
}

const SETTLE: &str = "UPDATE escrowed_calls
SET status = ?2, outcome = ?3, worker = NULL, lease_until = NULL,
    sent = CASE ?2 WHEN 'pending' THEN 0 ELSE sent END
WHERE key = ?1";

/// Notes the answer to a call.
pub(super) fn settle(statements: &mut Statements<'_>, settlement: &Settlement) -> Result<(), SqliteError> {
    let Settlement { key, outcome } = settlement;
    let status = if outcome.is_final() { CallStatus::Settled } else { CallStatus::Pending };
    let values = params![key.to_string(), status.name(), serde_json::to_string(outcome)?];
    let known = statements.of(SETTLE)?.execute(values)? == 1;
    if known { Ok(()) } else { Err(SqliteError::UnknownCall { key: *key }) }
}

/// A limit as SQLite takes it.
pub(super) fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
