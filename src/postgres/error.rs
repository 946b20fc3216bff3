//! What can go wrong with the PostgreSQL store.

use crate::{gateway::IdempotencyKey, ledger::Account};
use sqlx::Error;

/// What can go wrong with the PostgreSQL store.
///
/// PostgreSQL gives a transaction up when a statement fails: after an error, roll the unit back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// PostgreSQL itself failed, or the connection to it.
    #[error("PostgreSQL failed")]
    Database(#[source] Error),
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
    /// Whether somebody else was faster: a serialization failure (SQLSTATE 40001) or a deadlock (40P01). Nothing was
    /// written: a fresh unit may go through.
    #[must_use]
    pub fn is_lost_race(&self) -> bool {
        match self {
            Self::Database(error) => is_lost_race(error),
            Self::Corrupt { .. }
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
        Self::Database(error)
    }
}

/// Whether PostgreSQL gave a transaction up because of another one.
pub(super) fn is_lost_race(error: &Error) -> bool {
    ["40001", "40P01"].into_iter().any(|state| has_state(error, state))
}

/// Whether a sum left 64 bits.
pub(super) fn is_out_of_range(error: &Error) -> bool {
    let full = error.as_database_error().and_then(|error| error.constraint()) == Some("escrowed_balances_fits");
    full || has_state(error, "22003")
}

/// Whether a row was there already that another transaction has just written.
pub(super) fn is_duplicate(error: &Error) -> bool {
    has_state(error, "23505")
}

/// Whether the database found that something stands against a batch: a row that is there already, a balance that it may
/// not have, or fewer rows than there should be, which makes a statement fail on purpose.
pub(super) fn stands_against(error: &Error) -> bool {
    ["23505", "23514", "22P02"].into_iter().any(|state| has_state(error, state))
}

fn has_state(error: &Error, state: &str) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == state)
}
