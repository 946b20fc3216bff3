//! What can go wrong with the SQLite store.

use crate::{gateway::IdempotencyKey, ledger::Account};
use rusqlite::{Error, ErrorCode, ffi};

/// What can go wrong with the SQLite store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// SQLite itself failed.
    #[error("SQLite failed")]
    Database(#[from] Error),
    /// Another process has held the file for as long as the connection's busy timeout, so no unit was begun. Waiting at once
    /// again would hold the thread for as long again: let some time pass.
    #[error("another process holds the database: try again later, or keep the transactions of others short")]
    Busy(#[source] Error),
    /// A row cannot be what this crate wrote. Nothing is made of it.
    #[error("a row of {table} is corrupt: {what}")]
    Corrupt {
        /// In which table.
        table: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The file was written by a later version of this crate.
    #[error("the database has version {found}, this program knows versions up to {known}: update the program")]
    LaterVersion {
        /// The version of the file.
        found: i64,
        /// The last version that this program knows.
        known: i64,
    },
    /// The unit's transaction is over, though the unit was not committed: the host ended it, or SQLite had to.
    #[error("the unit's transaction has ended: do not commit or roll back through the connection that a unit lends")]
    Ended,
    /// An event, an actor or a call cannot be written as JSON.
    #[error("something cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
    /// A balance would have left 64 bits.
    #[error("account {account} would hold more than fits into 64 bits")]
    Overflow {
        /// Which account.
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

impl SqliteError {
    /// Whether another process held the database for too long. Nothing was written: a fresh unit may go through.
    ///
    /// ```
    /// use escrowed::sqlite::Sqlite;
    /// use rusqlite::Connection;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("market.db");
    /// let other = Connection::open(&path)?;
    /// other.execute_batch("BEGIN IMMEDIATE")?;
    /// let impatient = Connection::open(&path)?;
    /// impatient.busy_timeout(std::time::Duration::ZERO)?;
    /// assert!(Sqlite::from_connection(impatient).is_err_and(|error| error.is_busy()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Busy(_) => true,
            Self::Database(error) => is_busy(error),
            Self::Corrupt { .. }
            | Self::LaterVersion { .. }
            | Self::Ended
            | Self::Unwritable(_)
            | Self::Overflow { .. }
            | Self::DuplicateCall { .. }
            | Self::UnknownCall { .. } => false,
        }
    }
}

/// Whether another process held the database.
pub(super) fn is_busy(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Whether a CHECK refused a row.
pub(super) fn is_check(error: &Error) -> bool {
    extended(error) == Some(ffi::SQLITE_CONSTRAINT_CHECK)
}

/// Whether a value does not fit its column, such as a sum beyond 64 bits, which SQLite makes a float of.
pub(super) fn is_misfit(error: &Error) -> bool {
    extended(error) == Some(ffi::SQLITE_CONSTRAINT_DATATYPE)
}

/// Whether there is such a row already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    extended(error) == Some(ffi::SQLITE_CONSTRAINT_UNIQUE)
}

fn extended(error: &Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}
