//! Writing commits: all of them, or nothing.

use super::{
    PostgresError,
    batch::{Batch, Checks},
    diagnose, error,
};
use crate::store::{Appended, AppendedAll, Commit, books_agree};
use sqlx::{Connection, PgConnection};

/// How often a bare connection tries again after a lost race.
const TRIES: usize = 3;

pub(super) async fn append(connection: &mut PgConnection, commit: &Commit) -> Result<Appended, PostgresError> {
    Ok(match append_all(connection, std::slice::from_ref(commit)).await? {
        AppendedAll::Stored(revisions) => Appended::Stored(revisions[0]),
        AppendedAll::Refused { why, .. } => why,
    })
}

pub(super) async fn append_all(
    connection: &mut PgConnection,
    commits: &[Commit],
) -> Result<AppendedAll, PostgresError> {
    if let Err(subject) = books_agree(commits) {
        return Ok(AppendedAll::Refused { position: 0, why: Appended::Unbooked { subject } });
    }
    for commit in commits {
        let gapless = commit.records().windows(2).all(|pair| pair[0].seq.checked_add(1) == Some(pair[1].seq));
        assert!(gapless && !commit.records().is_empty(), "the events of a commit are numbered without gaps");
    }
    if commits.is_empty() {
        return Ok(AppendedAll::Stored(Vec::new()));
    }
    if let Some(position) = diagnose::out_of_place(commits) {
        // Whatever stands against those before it is told first.
        let earlier = diagnose::diagnose(connection, &commits[..position]).await?;
        return Ok(earlier.unwrap_or(AppendedAll::Refused { position, why: Appended::Stale }));
    }
    if let Some(position) = diagnose::too_late(commits) {
        let refused = diagnose::diagnose(connection, &commits[..=position]).await?;
        return Ok(refused.expect("a call that was answered before cannot be withdrawn"));
    }
    for _ in 0..TRIES {
        let sent = if diagnose::tangled(commits) { Some(diagnose::sent(connection, commits).await?) } else { None };
        let batch = match Batch::of(commits, sent.as_ref()) {
            Ok(batch) => batch,
            // What stands against one of them is told first.
            Err(error) => return diagnose::diagnose(connection, commits).await?.ok_or(error),
        };
        let error = match write(connection, &batch).await? {
            Ok(true) => return Ok(AppendedAll::Stored(vec![batch.revision(); commits.len()])),
            Ok(false) => {
                if let Some(refused) = diagnose::diagnose(connection, commits).await? {
                    return Ok(refused);
                }
                // What stood against it has gone since.
                continue;
            }
            Err(error) => error,
        };
        if error::is_out_of_range(&error)
            && let Some(account) = batch.any_account()
        {
            return Err(PostgresError::Overflow { account: account.clone() });
        }
        let in_transaction = connection.is_in_transaction();
        if batch.checks(in_transaction) == Checks::Ahead {
            // With no savepoint around it, all that the transaction had written before is gone, too. No answer may look as
            // if it went on.
            return Err(if error::was_overtaken(&error) { PostgresError::LostRace(error) } else { error.into() });
        }
        // All of it was taken back, and the connection is as usable as before.
        if error::stands_against(&error) {
            match diagnose::diagnose(connection, commits).await? {
                Some(refused) => return Ok(refused),
                None => continue,
            }
        }
        if !error::is_lost_race(&error) {
            return Err(told(error, connection));
        }
        if in_transaction {
            break;
        }
    }
    Ok(AppendedAll::Refused { position: 0, why: Appended::Stale })
}

// What is written in a transaction is not there before it commits, whatever comes of the connection.
fn told(error: sqlx::Error, connection: &PgConnection) -> PostgresError {
    let in_doubt = !connection.is_in_transaction() && error::leaves_in_doubt(&error);
    if in_doubt { PostgresError::InDoubt(error) } else { error.into() }
}

// Inside a transaction, a statement that may fail on purpose must not take the whole transaction with it. One that fails by
// a lost race alone has no savepoint: its two round trips would be paid each time, and it is done again in a fresh unit.
async fn write(connection: &mut PgConnection, batch: &Batch<'_>) -> Result<Result<bool, sqlx::Error>, PostgresError> {
    let in_transaction = connection.is_in_transaction();
    let checks = batch.checks(in_transaction);
    let statement = batch.statement(checks)?;
    if checks == Checks::Ahead || !in_transaction {
        return Ok(batch.write(connection, statement, checks).await);
    }
    let mut savepoint = connection.begin().await?;
    let written = batch.write(&mut savepoint, statement, checks).await;
    match &written {
        Ok(_) => savepoint.commit().await?,
        Err(_) => savepoint.rollback().await?,
    }
    Ok(written)
}
