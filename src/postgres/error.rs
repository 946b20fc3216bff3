//! What can go wrong with the PostgreSQL store.

use crate::{gateway::IdempotencyKey, ledger::Account};
use sqlx::{
    Error,
    postgres::{PgDatabaseError, PgSeverity},
};

/// What can go wrong with the PostgreSQL store.
///
/// PostgreSQL gives a transaction up when a statement fails: after an error, roll the unit back. A COMMIT of the host's own
/// would say that all is well and write nothing; [`Store::commit`](crate::store::Store::commit) says [`GivenUp`](Self::GivenUp).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// PostgreSQL itself failed, or the connection to it.
    #[error("PostgreSQL failed")]
    Database(#[source] Error),
    /// Somebody else was faster in the middle of a transaction, and PostgreSQL has given the transaction up. Nothing that was
    /// written in it is there, however well it was answered: roll back, and do all of it again in a fresh unit.
    #[error("somebody else was faster, and PostgreSQL has given the transaction up: roll back and begin a fresh unit")]
    LostRace(#[source] Error),
    /// A bare connection was lost while it wrote. It is unknown whether that was written: read before writing again, or send the
    /// request again under its key.
    #[error("the connection was lost while it wrote, and it may be written: read before writing again")]
    InDoubt(#[source] Error),
    /// PostgreSQL has given the transaction up before, because a statement in it had failed, one of the host's own perhaps.
    /// Nothing that was written in it is there: roll back, and see to that statement's error.
    #[error("PostgreSQL has given the transaction up after a statement in it failed: roll back and see to that error")]
    GivenUp(#[source] Error),
    /// A row cannot be what this crate wrote. Nothing is made of it.
    #[error("a row of {table} is corrupt: {what}")]
    Corrupt {
        /// In which table.
        table: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The tables were written by a later version of this crate.
    #[error("the database has version {found}, this program knows versions up to {known}: update the program")]
    LaterVersion {
        /// The version of the tables.
        found: i64,
        /// The last version that this program knows.
        known: i64,
    },
    /// An event, an actor or a call cannot be written as JSON.
    #[error("something cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
    /// A balance would have left 64 bits.
    #[error("an account, such as {account}, would hold more than fits into 64 bits")]
    Overflow {
        /// One of the accounts that the commit touches.
        account: Account,
    },
    /// A call was put into the outbox that is in there already.
    #[error("call {key} is in the outbox already")]
    DuplicateCall {
        /// Which call.
        key: IdempotencyKey,
    },
    /// A call was answered that was never put into the outbox.
    #[error("call {key} was answered, but is not in the outbox")]
    UnknownCall {
        /// Which call.
        key: IdempotencyKey,
    },
}

impl PostgresError {
    /// Whether somebody else was faster: a serialization failure (SQLSTATE 40001), a deadlock (40P01), or a row that
    /// somebody else has just written. Nothing was written: a fresh unit may go through.
    #[must_use]
    pub fn is_lost_race(&self) -> bool {
        match self {
            Self::Database(error) => is_lost_race(error),
            Self::LostRace(_) => true,
            Self::InDoubt(_)
            | Self::GivenUp(_)
            | Self::Corrupt { .. }
            | Self::LaterVersion { .. }
            | Self::Unwritable(_)
            | Self::Overflow { .. }
            | Self::DuplicateCall { .. }
            | Self::UnknownCall { .. } => false,
        }
    }
}

impl From<Error> for PostgresError {
    fn from(error: Error) -> Self {
        // What went wrong was told before, as the error of another statement.
        if has_state(&error, "25P02") { Self::GivenUp(error) } else { Self::Database(error) }
    }
}

/// Whether PostgreSQL gave a transaction up because of another one.
pub(super) fn is_lost_race(error: &Error) -> bool {
    ["40001", "40P01"].into_iter().any(|state| has_state(error, state))
}

/// Whether a statement on a bare connection may have been written all the same. What the server refuses is taken back; what is
/// lost with the connection may be durable, and so may be what somebody between says of it (class 08, 40003).
pub(super) fn leaves_in_doubt(error: &Error) -> bool {
    let Some(error) = error.as_database_error() else { return true };
    let refused =
        error.try_downcast_ref::<PgDatabaseError>().is_some_and(|error| error.severity() == PgSeverity::Error);
    !refused || error.code().is_some_and(|code| code == "40003" || code.starts_with("08"))
}

/// Whether a sum left 64 bits.
pub(super) fn is_out_of_range(error: &Error) -> bool {
    breaks(error, "escrowed_minor_fits") || has_state(error, "22003")
}

/// Whether a batch that had nothing against it a moment ago has lost to another transaction.
pub(super) fn was_overtaken(error: &Error) -> bool {
    is_lost_race(error) || is_refused_here(error)
}

/// Whether the database found that something stands against a batch: a row that is there already, a balance that an account
/// may not have, or fewer rows than there should be, which makes a statement fail on purpose.
pub(super) fn stands_against(error: &Error) -> bool {
    is_refused_here(error) || breaks(error, "escrowed_not_all")
}

/// Whether one of the crate's own tables has such a row already, or an account may not have so much. What a trigger of the
/// host's runs into somewhere else would be the same again in a fresh unit.
fn is_refused_here(error: &Error) -> bool {
    let table = error.as_database_error().and_then(|error| error.table());
    let is_there = has_state(error, "23505") && table.is_some_and(|table| table.starts_with("escrowed_"));
    is_there || breaks(error, "escrowed_not_below_zero") || breaks(error, "escrowed_not_above_zero")
}

/// Whether it broke this constraint of the crate's own.
fn breaks(error: &Error, constraint: &str) -> bool {
    error.as_database_error().and_then(|error| error.constraint()) == Some(constraint)
}

fn has_state(error: &Error, state: &str) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == state)
}
