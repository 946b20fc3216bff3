//! An open transaction, and the connection it is on.

use super::{Sqlite, SqliteError, append, error, row::Reader};
use crate::{
    id::Subject,
    store::{
        Answered, Appended, AppendedAll, Columns, Commit, Log, RequestKey, Revision, Store, StoredRecord, UnitOfWork,
    },
};
use async_lock::MutexGuardArc;
use rusqlite::{Connection, OptionalExtension};
use std::cell::Cell;

/// An open transaction of a [`Sqlite`]. Dropped without a commit, it is rolled back.
#[derive(Debug)]
pub struct SqliteUnit {
    connection: MutexGuardArc<Connection>,
    // Whether nothing can have been written through it yet.
    untouched: Cell<bool>,
}

impl SqliteUnit {
    /// The connection, for the host's own tables: what is written through it is committed with the unit, or not at
    /// all.
    ///
    /// Savepoints of the host's own are welcome. It must not commit or roll back, nor write to tables whose names
    /// begin with `escrowed_`. SQLite refuses a COMMIT that is not the unit's own, as a foreign key that fails; after
    /// a ROLLBACK whatever is asked of the unit answers [`SqliteError::Ended`], its commit included.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        self.untouched.set(false);
        &self.connection
    }

    /// The connection, provided that the unit's transaction is still open on it.
    pub(super) fn open(&self) -> Result<&Connection, SqliteError> {
        if self.connection.is_autocommit() { Err(SqliteError::Ended) } else { Ok(&self.connection) }
    }

    /// The same, to write through.
    pub(super) fn touch(&self) -> Result<&Connection, SqliteError> {
        self.untouched.set(false);
        self.open()
    }

    // Takes back what `write` wrote unless it answers, and `stored` agrees, that all is written. Where nothing was written
    // before, that is as good as beginning anew, and spares the savepoint of everything that it would have to remember.
    fn whole<T>(
        &self,
        stored: impl FnOnce(&T) -> bool,
        write: impl FnOnce(&Connection) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        let connection = self.open()?;
        if !self.untouched.get() {
            return append::whole(connection, stored, || write(connection));
        }
        let written = write(connection);
        if written.as_ref().is_ok_and(stored) {
            self.untouched.set(false);
            return written;
        }
        // A failing disk makes SQLite roll everything back by itself.
        if connection.is_autocommit() {
            return written.and(Err(SqliteError::Ended));
        }
        run(connection, ROLLBACK)?;
        begin(connection)?;
        written
    }
}

// A row that refers to nothing stands in a temporary table while a unit is open. The reference is checked by a COMMIT:
// with the row in place SQLite refuses one by anybody else, and were the transaction rolled back, the row is gone.
pub(super) const GUARD: &str = "CREATE TEMP TABLE escrowed_nothing (id INTEGER PRIMARY KEY) STRICT;
CREATE TEMP TABLE escrowed_unit (
    open INTEGER NOT NULL REFERENCES escrowed_nothing (id) DEFERRABLE INITIALLY DEFERRED
) STRICT";
const BEGIN: [&str; 2] = ["BEGIN IMMEDIATE", "INSERT INTO temp.escrowed_unit (open) VALUES (1)"];
const RELEASE: &str = "DELETE FROM temp.escrowed_unit";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

impl Store for Sqlite {
    type Unit = SqliteUnit;
    type Error = SqliteError;

    async fn begin(&self) -> Result<SqliteUnit, SqliteError> {
        let unit = SqliteUnit { connection: self.0.lock_arc().await, untouched: Cell::new(true) };
        match begin(&unit.connection) {
            Err(busy) if error::is_busy(&busy) => Err(SqliteError::Busy(busy)),
            begun => Ok(begun.map(|()| unit)?),
        }
    }

    async fn commit(&self, unit: SqliteUnit) -> Result<(), SqliteError> {
        let connection = unit.open()?;
        if run(connection, RELEASE)? != 1 {
            return Err(SqliteError::Ended);
        }
        run(connection, COMMIT)?;
        Ok(())
    }
}

impl UnitOfWork for SqliteUnit {
    type Error = SqliteError;

    async fn log(&mut self, subject: Subject) -> Result<Option<Log>, SqliteError> {
        read_log(self.open()?, subject)
    }

    async fn answered(&mut self, key: &RequestKey) -> Result<Option<Answered>, SqliteError> {
        let mut statement = self.open()?.prepare_cached(ANSWERED)?;
        let mut rows = statement.query([key.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let reader = Reader::new("escrowed_requests", row);
        Ok(Some(Answered { digest: reader.parsed(0)?, subject: reader.parsed(1)?, seq: reader.number(2)? }))
    }

    async fn append(&mut self, commit: &Commit) -> Result<Appended, SqliteError> {
        match append::unbooked(std::slice::from_ref(commit)) {
            Some((_, why)) => Ok(why),
            None => self.whole(append::is_stored, |connection| append::append(connection, commit)),
        }
    }

    async fn append_all(&mut self, commits: &[Commit]) -> Result<AppendedAll, SqliteError> {
        match append::unbooked(commits) {
            Some((position, why)) => Ok(AppendedAll::Refused { position, why }),
            None => self.whole(append::are_stored, |connection| append::append_all(connection, commits)),
        }
    }

    fn is_lost_race(error: &SqliteError) -> bool {
        // Where no unit was begun nothing was lost, and the thread has waited long enough.
        !matches!(error, SqliteError::Busy(_)) && error.is_busy()
    }
}

impl Drop for SqliteUnit {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            // SQLite has rolled back by itself where this fails, and nobody is left to be told.
            let _rolled_back = run(&self.connection, ROLLBACK);
        }
    }
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    for statement in BEGIN {
        run(connection, statement)?;
    }
    Ok(())
}

/// Runs a statement without parameters, and tells how many rows it changed if it is one that changes rows.
pub(super) fn run(connection: &Connection, statement: &str) -> rusqlite::Result<usize> {
    connection.prepare_cached(statement)?.execute([])
}

const REVISION: &str = "SELECT revision, seq FROM escrowed_subjects WHERE id = ?1";
const ANSWERED: &str = "SELECT digest, subject, seq FROM escrowed_requests WHERE key = ?1";
const EVENTS: &str = "SELECT seq, name, version, actor, at, body FROM escrowed_events WHERE subject = ?1 ORDER BY seq";

fn read_log(connection: &Connection, subject: Subject) -> Result<Option<Log>, SqliteError> {
    let id = subject.to_string();
    let stands = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?));
    let Some((mark, seq)) = connection.prepare_cached(REVISION)?.query_row([&id], stands).optional()? else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(EVENTS)?;
    let mut rows = statement.query([&id])?;
    let mut records = Vec::<StoredRecord>::new();
    while let Some(row) = rows.next()? {
        records.push(Reader::new("escrowed_events", row).record(0)?);
    }
    let last = records.last().map_or(0, |record| i64::from(record.seq));
    if last != seq {
        let what = format!("the log of {id} ends with event {last}, but {seq} were written");
        return Err(SqliteError::Corrupt { table: "escrowed_events", what });
    }
    Ok(Some(Log { subject, revision: Revision::new(mark), records }))
}
