//! A store in one SQLite file, which the host's own tables may share.
//!
//! ```
//! use escrowed::{sqlite::Sqlite, store::{Query, Store, Views}};
//! # futures_lite::future::block_on(async {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("market.db");
//! let store = Sqlite::open(&path)?;
//! let mut unit = store.begin().await?;
//! unit.connection().execute_batch("CREATE TABLE listings (title TEXT NOT NULL) STRICT")?;
//! let due = unit.find(&Query::DueBy("2026-05-07T15:39:46Z".parse()?), None, 50).await?;
//! assert!(due.rows.is_empty());
//! store.commit(unit).await?;              // the host's table and the crate's rows, together
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! - One [`Sqlite`] has one connection. Its units take turns: the next one waits, without blocking the executor, until
//!   the first is committed or dropped. A task that begins two at once waits for itself.
//! - A unit is a transaction that was begun with BEGIN IMMEDIATE. SQLite's own work is done on the calling thread. If
//!   another process holds the file, beginning blocks that thread for up to five seconds.
//! - The file is in WAL mode and every commit is flushed (`synchronous = FULL`): what was committed survives a power
//!   cut.
//! - [`Sqlite::open`] gives its connection up to 64 MiB of page cache, keeps what is temporary in memory, and copies the
//!   write-ahead log back every 40 MB. A host that opens the connection itself decides for itself.
//! - The crate's tables begin with `escrowed_`. They are made and brought up to date when the file is opened.
//! - Balances are guarded by a CHECK of the database itself: no program can overdraw an account by mistake.

mod append;
mod error;
mod inventory;
mod migrate;
mod money;
mod outbox;
mod row;
mod statements;
mod unit;
mod views;

/// The library whose connections are taken and lent here: a host that opens its own has to use the same version.
#[doc(no_inline)]
pub use rusqlite;

pub use error::SqliteError;
pub use unit::SqliteUnit;

use async_lock::Mutex;
use rusqlite::Connection;
use std::{path::Path, sync::Arc, time::Duration};

/// A store in one SQLite file. A clone shares its connection.
#[derive(Debug, Clone)]
pub struct Sqlite(Arc<Mutex<Connection>>);

/// How long to wait for another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to pause, in milliseconds, while another process sets up a new file.
const PAUSE: u64 = 5;

/// Kibibytes of page cache, as a negative number; memory for what is temporary, above all for what a savepoint would restore;
/// pages in the write-ahead log before they are copied back. They make large batches faster:
/// see `benches/README.md`.
const SETTINGS: [(&str, i64); 3] = [("cache_size", -65_536), ("temp_store", 2), ("wal_autocheckpoint", 10_000)];

/// More than the crate has statements, so that none is ever prepared twice.
const STATEMENTS: usize = 64;

impl Sqlite {
    /// Opens a file, which is made if there is none, and brings the crate's tables up to date.
    ///
    /// # Errors
    /// [`SqliteError::LaterVersion`] when a later version of this crate has written the file,
    /// [`SqliteError::Database`] when SQLite fails.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        for (pragma, value) in SETTINGS {
            connection.pragma_update(None, pragma, value)?;
        }
        Self::from_connection(connection)
    }

    /// Takes a connection that the host has opened and set up, such as one with a key or with functions of its own.
    ///
    /// The connection is put into WAL mode with `synchronous = FULL` and `foreign_keys = ON`. Its busy timeout stays as the
    /// host has set it, and so do `cache_size`, `temp_store` and `wal_autocheckpoint`: large batches like them high, as
    /// [`open`](Self::open) sets them.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_connection(mut connection: Connection) -> Result<Self, SqliteError> {
        write_ahead(&connection)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        migrate::migrate(&mut connection)?;
        connection.execute_batch(unit::GUARD)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }
}

// SQLite does not wait for another process when it changes the mode of a new file, but says at once that the file is
// busy; so this waits instead, for as long as the connection's own timeout.
fn write_ahead(connection: &Connection) -> Result<(), SqliteError> {
    let patience: i64 = connection.pragma_query_value(None, "busy_timeout", |row| row.get(0))?;
    let mut left = patience.max(0).unsigned_abs().div_ceil(PAUSE);
    loop {
        // It answers with the mode, which is another one for a database in memory.
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).map_err(SqliteError::from) {
            Err(error) if error.is_busy() && left > 0 => left -= 1,
            done => return done,
        }
        std::thread::sleep(Duration::from_millis(PAUSE));
    }
}

#[cfg(test)]
mod tests;
