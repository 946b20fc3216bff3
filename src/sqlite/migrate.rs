//! Brings the crate's tables up to date, each version once.

use super::SqliteError;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

/// The versions from 1 on. What has been released is never edited: a change is a further file.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_first.sql")];

const KEEPING: &str = "CREATE TABLE IF NOT EXISTS escrowed_migrations (
    version    INTEGER PRIMARY KEY,
    applied_at INTEGER NOT NULL
) STRICT";

const APPLIED: &str = "INSERT INTO escrowed_migrations (version, applied_at)
VALUES (?1, CAST(unixepoch('subsec') * 1000000 AS INTEGER))";

/// Applies what the database has not seen yet: all of it, or nothing.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), SqliteError> {
    // It takes the write lock first, so that two programs that start at once do not both apply a version.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(KEEPING)?;
    let last = "SELECT version FROM escrowed_migrations ORDER BY version DESC LIMIT 1";
    let found: i64 = transaction.query_row(last, [], |row| row.get(0)).optional()?.unwrap_or(0);
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(SqliteError::LaterVersion { found, known });
    }
    for (version, script) in (1..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        transaction.execute_batch(script)?;
        transaction.execute(APPLIED, [version])?;
    }
    transaction.commit()?;
    Ok(())
}
