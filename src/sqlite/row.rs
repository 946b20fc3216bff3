//! How SQLite gives its columns.

use super::SqliteError;
use crate::store::Columns;
use rusqlite::{Error, Row, types::FromSql};
use std::fmt;

/// A row of one table.
#[derive(Clone, Copy)]
pub(super) struct Reader<'r> {
    table: &'static str,
    row: &'r Row<'r>,
}

impl<'r> Reader<'r> {
    pub(super) const fn new(table: &'static str, row: &'r Row<'r>) -> Self {
        Self { table, row }
    }

    fn plain<T: FromSql>(&self, column: usize) -> Result<T, SqliteError> {
        self.row.get(column).map_err(|error| match error {
            Error::Utf8Error(..)
            | Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..) => self.corrupt(column, &error),
            other => SqliteError::Database(other),
        })
    }
}

impl Columns for Reader<'_> {
    type Error = SqliteError;

    fn maybe_text(&self, column: usize) -> Result<Option<String>, SqliteError> {
        self.plain(column)
    }

    fn maybe_integer(&self, column: usize) -> Result<Option<i64>, SqliteError> {
        self.plain(column)
    }

    fn corrupt(&self, column: usize, what: &dyn fmt::Display) -> SqliteError {
        let name = self.row.as_ref().column_name(column).unwrap_or("?");
        SqliteError::Corrupt { table: self.table, what: format!("{name}: {what}") }
    }

    fn problem(error: SqliteError) -> Result<String, SqliteError> {
        match error {
            SqliteError::Corrupt { what, .. } => Ok(what),
            other @ (SqliteError::Database(_)
            | SqliteError::Busy(_)
            | SqliteError::LaterVersion { .. }
            | SqliteError::Ended
            | SqliteError::Unwritable(_)
            | SqliteError::Overflow { .. }
            | SqliteError::DuplicateCall { .. }
            | SqliteError::UnknownCall { .. }) => Err(other),
        }
    }
}
