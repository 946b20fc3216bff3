//! What waits for a worker. What another worker is taking at this moment is passed over, not waited for.

use super::{PostgresError, row::Reader};
use crate::{
    gateway::IdempotencyKey,
    store::{
        CallState, CallStatus, Columns, DueLease, IndexEntry, Lease, LeasedCall, Postponement, TakenCall, Unreadable,
        by_deadline, why_parked,
    },
    text::Prose,
};
use sqlx::{PgConnection, query};

const CALLS: &str = "escrowed_calls";
const SUBJECTS: &str = "escrowed_subjects";

// The statuses are spelt out so that PostgreSQL uses the partial indexes.
pub(super) const LEASE: &str = "WITH taken AS (
    SELECT waiting.key FROM escrowed_calls AS waiting
    WHERE waiting.gateway = $1 AND waiting.due <= $2 AND waiting.status IN ('queued', 'pending', 'held')
        AND (waiting.lease_until IS NULL OR waiting.lease_until <= $2)
        AND NOT EXISTS (
            SELECT FROM escrowed_calls AS earlier
            WHERE earlier.lane = waiting.lane AND earlier.status = 'queued' AND earlier.number < waiting.number
        )
    ORDER BY waiting.due, waiting.number
    LIMIT $3
    FOR UPDATE SKIP LOCKED
)
UPDATE escrowed_calls AS c
SET worker = $4, lease_until = $5, attempts = c.attempts + 1, leases = c.leases + 1,
    sent = CASE c.status WHEN 'held' THEN c.sent ELSE coalesce(c.sent, c.leases + 1) END
FROM taken WHERE c.key = taken.key
RETURNING c.key, c.instruction, c.gateway, c.status, c.attempts - 1 AS attempts, c.outcome, c.problem, c.due, c.leases, c.sent, c.number";
// Nothing was sent under the lease by which it was taken.
pub(super) const PARK: &str = "UPDATE escrowed_calls
SET status = 'parked', problem = $2, due = $3, worker = NULL, lease_until = NULL, sent = nullif(sent, leases)
WHERE key = $1";
// Once the gateway has a call, what went wrong before does not count any more, and nobody can say any more that it was not
// sent; to be held is nothing that went wrong.
// $6 is the lease if nothing was sent under it, $7 the lease if it may have been.
pub(super) const POSTPONE: &str = "UPDATE escrowed_calls
SET status = $2, due = $3, problem = $4, worker = NULL, lease_until = NULL,
    attempts = CASE $2 WHEN 'pending' THEN 1 WHEN 'held' THEN 0 ELSE attempts END,
    sent = CASE $2 WHEN 'pending' THEN 0 ELSE coalesce(nullif(sent, $6), $7) END
WHERE key = $1 AND status IN ('queued', 'pending', 'held', 'parked') AND ($5::bigint IS NULL OR leases = $5)
    AND NOT (status = 'pending' AND $2 = 'held')";
pub(super) const LEASE_DUE: &str = "WITH taken AS (
    SELECT id FROM escrowed_subjects
    WHERE deadline <= $1 AND (lease_until IS NULL OR lease_until <= $1)
    ORDER BY deadline, id
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE escrowed_subjects AS s SET worker = $3, lease_until = $4
FROM taken WHERE s.id = taken.id
RETURNING s.id, s.lifecycle, s.status, s.about, s.deadline, s.held, s.currency, s.revision, s.parties";
const BY_KEY: &str = "SELECT key, instruction, gateway, status, attempts, outcome, problem, due, leases, sent
FROM escrowed_calls WHERE key = $1";
const BY_STATUS: &str = "SELECT key, instruction, gateway, status, attempts, outcome, problem, due, leases, sent
FROM escrowed_calls WHERE status = $1 AND key > $2 ORDER BY key LIMIT $3";

pub(super) async fn lease(
    connection: &mut PgConnection,
    lease: &Lease,
) -> Result<Vec<Result<LeasedCall, Unreadable>>, PostgresError> {
    let now = lease.now.unix_micros();
    let taken = query(LEASE)
        .bind(lease.gateway.as_str())
        .bind(now)
        .bind(at_most(lease.limit))
        .bind(lease.worker.as_str())
        .bind(lease.until.unix_micros());
    let rows = taken.fetch_all(&mut *connection).await?;
    let calls = rows.iter().map(|row| Reader::new(CALLS, row).taken_call());
    let calls = calls.collect::<Result<Vec<_>, _>>()?;
    for TakenCall { call, .. } in &calls {
        if let Err(unreadable) = call {
            let why = why_parked(unreadable);
            let park = query(PARK).bind(&unreadable.id).bind(why.as_ref().map(Prose::as_str)).bind(now);
            park.execute(&mut *connection).await?;
        }
    }
    Ok(TakenCall::in_order(calls))
}

pub(super) async fn lease_due(
    connection: &mut PgConnection,
    lease: &DueLease,
) -> Result<Vec<Result<IndexEntry, Unreadable>>, PostgresError> {
    let taken = query(LEASE_DUE)
        .bind(lease.now.unix_micros())
        .bind(at_most(lease.limit))
        .bind(lease.worker.as_str())
        .bind(lease.until.unix_micros());
    let rows = taken.fetch_all(connection).await?;
    let readers = rows.iter().map(|row| Reader::new(SUBJECTS, row));
    let mut taken = readers.map(|row| row.apart(row.index_entry())).collect::<Result<Vec<_>, _>>()?;
    taken.sort_by_key(by_deadline);
    Ok(taken)
}

pub(super) async fn call(
    connection: &mut PgConnection,
    key: &IdempotencyKey,
) -> Result<Option<CallState>, PostgresError> {
    let row = query(BY_KEY).bind(key.to_string()).fetch_optional(connection).await?;
    row.map(|row| Reader::new(CALLS, &row).call_state()).transpose()
}

pub(super) async fn postpone(
    connection: &mut PgConnection,
    postponement: &Postponement<'_>,
) -> Result<bool, PostgresError> {
    let Postponement { key, status, due, problem, .. } = *postponement;
    assert!(status.is_open(), "a call is postponed to a status in which it may still come to something");
    let postpone = query(POSTPONE)
        .bind(key.to_string())
        .bind(status.name())
        .bind(due.unix_micros())
        .bind(problem.map(Prose::as_str));
    let postpone = postponement.leases().into_iter().fold(postpone, |postpone, lease| postpone.bind(lease));
    Ok(postpone.execute(connection).await?.rows_affected() == 1)
}

pub(super) async fn calls(
    connection: &mut PgConnection,
    status: CallStatus,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Result<CallState, Unreadable>>, PostgresError> {
    // PostgreSQL takes no NUL in a text, and would give up the unit. No key has one, so none lies between this and the whole.
    let after = after.and_then(|after| after.split('\0').next()).unwrap_or_default();
    let page = query(BY_STATUS).bind(status.name()).bind(after).bind(at_most(limit));
    let rows = page.fetch_all(connection).await?;
    let readers = rows.iter().map(|row| Reader::new(CALLS, row));
    readers.map(|row| row.apart(row.call_state())).collect()
}

/// A limit as PostgreSQL takes it.
pub(super) fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
