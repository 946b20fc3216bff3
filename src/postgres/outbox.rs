//! What waits for a worker. What another worker is taking at this moment is passed over, not waited for.

use super::{PostgresError, row::Reader};
use crate::{
    gateway::IdempotencyKey,
    store::{CallState, CallStatus, Columns, DueLease, IndexEntry, Lease, LeasedCall, Postponement},
    text::Prose,
};
use sqlx::{PgConnection, query};

const CALLS: &str = "escrowed_calls";

// The statuses are spelt out so that PostgreSQL uses the partial indexes.
pub(super) const LEASE: &str = "WITH taken AS (
    SELECT waiting.number FROM escrowed_calls AS waiting
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
UPDATE escrowed_calls AS c SET worker = $4, lease_until = $5, attempts = c.attempts + 1
FROM taken WHERE c.number = taken.number
RETURNING c.key, c.instruction, c.attempts - 1, c.due, c.number";
// Once the gateway has a call, what went wrong before does not count any more; a held one it does not have.
pub(super) const POSTPONE: &str = "UPDATE escrowed_calls
SET status = $2, due = $3, problem = $4, worker = NULL, lease_until = NULL,
    attempts = CASE $2 WHEN 'pending' THEN 1 WHEN 'held' THEN 0 ELSE attempts END
WHERE key = $1 AND status IN ('queued', 'pending', 'held', 'parked') AND ($5::bigint IS NULL OR attempts = $5 + 1)";
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
const BY_KEY: &str = "SELECT key, instruction, gateway, status, attempts, outcome, problem, due
FROM escrowed_calls WHERE key = $1";
const BY_STATUS: &str = "SELECT key, instruction, gateway, status, attempts, outcome, problem, due
FROM escrowed_calls WHERE status = $1 AND key > $2 ORDER BY key LIMIT $3";

pub(super) async fn lease(connection: &mut PgConnection, lease: &Lease) -> Result<Vec<LeasedCall>, PostgresError> {
    let taken = query(LEASE)
        .bind(lease.gateway.as_str())
        .bind(lease.now.unix_micros())
        .bind(at_most(lease.limit))
        .bind(lease.worker.as_str())
        .bind(lease.until.unix_micros());
    let rows = taken.fetch_all(connection).await?;
    let calls = rows.iter().map(|row| Reader::new(CALLS, row).leased_call());
    let mut calls = calls.collect::<Result<Vec<_>, _>>()?;
    calls.sort_by_key(|(order, _)| *order);
    Ok(calls.into_iter().map(|(_, call)| call).collect())
}

pub(super) async fn lease_due(
    connection: &mut PgConnection,
    lease: &DueLease,
) -> Result<Vec<IndexEntry>, PostgresError> {
    let taken = query(LEASE_DUE)
        .bind(lease.now.unix_micros())
        .bind(at_most(lease.limit))
        .bind(lease.worker.as_str())
        .bind(lease.until.unix_micros());
    let rows = taken.fetch_all(connection).await?;
    let taken = rows.iter().map(|row| Reader::new("escrowed_subjects", row).index_entry());
    let mut taken = taken.collect::<Result<Vec<_>, _>>()?;
    taken.sort_by_key(|row| (row.deadline, row.subject));
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
    let Postponement { key, taken, status, due, problem } = *postponement;
    assert!(status.is_open(), "a call is postponed to a status in which it may still come to something");
    let postpone = query(POSTPONE)
        .bind(key.to_string())
        .bind(status.name())
        .bind(due.unix_micros())
        .bind(problem.map(Prose::as_str))
        .bind(taken.map(i64::from));
    Ok(postpone.execute(connection).await?.rows_affected() == 1)
}

pub(super) async fn calls(
    connection: &mut PgConnection,
    status: CallStatus,
    after: Option<&IdempotencyKey>,
    limit: usize,
) -> Result<Vec<CallState>, PostgresError> {
    let after = after.map(IdempotencyKey::to_string).unwrap_or_default();
    let rows = query(BY_STATUS).bind(status.name()).bind(after).bind(at_most(limit)).fetch_all(connection).await?;
    rows.iter().map(|row| Reader::new(CALLS, row).call_state()).collect()
}

/// A limit as PostgreSQL takes it.
pub(super) fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
