//! Brings the crate's tables up to date, each version once.

use super::{PostgresError, READ_COMMITTED};
use sqlx::{Connection, PgConnection, query, query_scalar};

/// The versions from 1 on. What has been released is never edited: a change is a further file.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_first.sql")];

/// A number of this crate's own, so that two programs that start at once do not both apply a version.
const LOCK: i64 = 0x6573_6372_6f77_6564;

const KEEPING: &str = "CREATE TABLE IF NOT EXISTS escrowed_migrations (
    version    bigint      PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
)";

/// Applies what the database has not seen yet: all of it, or nothing.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), PostgresError> {
    // Each statement has to see what another program applied while this one waited for the lock.
    let mut transaction = connection.begin_with(READ_COMMITTED).await?;
    query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
    query(KEEPING).execute(&mut *transaction).await?;
    let last = "SELECT coalesce(max(version), 0) FROM escrowed_migrations";
    let found: i64 = query_scalar(last).fetch_one(&mut *transaction).await?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(PostgresError::LaterVersion { found, known });
    }
    for (version, script) in (1..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        sqlx::raw_sql(*script).execute(&mut *transaction).await?;
        let applied = "INSERT INTO escrowed_migrations (version) VALUES ($1)";
        query(applied).bind(version).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}
