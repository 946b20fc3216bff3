//! Reads columns, and trusts none: what cannot be what this crate wrote is a typed error.

use super::SqliteError;
use crate::{
    money::{Currency, Money},
    time::Timestamp,
};
use rusqlite::{Error, Row, types::FromSql};
use serde::de::DeserializeOwned;
use std::{fmt, str::FromStr};

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

    /// A column as it is.
    pub(super) fn plain<T: FromSql>(&self, column: usize) -> Result<T, SqliteError> {
        self.row.get(column).map_err(|error| match error {
            Error::Utf8Error(..)
            | Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..) => self.corrupt(column, &error),
            other => SqliteError::Database(other),
        })
    }

    /// A number of a narrower type.
    pub(super) fn number<T: TryFrom<i64>>(&self, column: usize) -> Result<T, SqliteError> {
        let number: i64 = self.plain(column)?;
        T::try_from(number).map_err(|_| self.corrupt(column, &format_args!("{number} is out of range")))
    }

    /// Text that stands for something.
    pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(&self, column: usize) -> Result<T, SqliteError> {
        self.maybe_parsed(column)?.ok_or_else(|| self.corrupt(column, &"there is nothing"))
    }

    /// Text that stands for something, if there is any.
    pub(super) fn maybe_parsed<T: FromStr<Err: fmt::Display>>(&self, column: usize) -> Result<Option<T>, SqliteError> {
        let text: Option<Box<str>> = self.plain(column)?;
        text.map(|text| text.parse().map_err(|error| self.corrupt(column, &error))).transpose()
    }

    /// JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T, SqliteError> {
        self.maybe_json(column)?.ok_or_else(|| self.corrupt(column, &"there is nothing"))
    }

    /// JSON, if there is any.
    pub(super) fn maybe_json<T: DeserializeOwned>(&self, column: usize) -> Result<Option<T>, SqliteError> {
        let text: Option<Box<str>> = self.plain(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| self.corrupt(column, &error))).transpose()
    }

    /// One of some names.
    pub(super) fn one_of<T: Copy>(
        &self,
        column: usize,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Result<T, SqliteError> {
        let text: Box<str> = self.plain(column)?;
        let known = all.iter().copied().find(|one| name(*one) == &*text);
        known.ok_or_else(|| self.corrupt(column, &format_args!("`{text}` is no known name")))
    }

    /// A time.
    pub(super) fn time(&self, column: usize) -> Result<Timestamp, SqliteError> {
        self.maybe_time(column)?.ok_or_else(|| self.corrupt(column, &"there is nothing"))
    }

    /// A time, if there is any.
    pub(super) fn maybe_time(&self, column: usize) -> Result<Option<Timestamp>, SqliteError> {
        let micros: Option<i64> = self.plain(column)?;
        micros.map(|at| Timestamp::from_unix_micros(at).map_err(|error| self.corrupt(column, &error))).transpose()
    }

    /// An amount, of which the currency is in the column after it.
    pub(super) fn money(&self, column: usize) -> Result<Money, SqliteError> {
        let code: Box<str> = self.plain(column + 1)?;
        let currency = Currency::from_code(&code).map_err(|error| self.corrupt(column + 1, &error))?;
        Ok(Money::from_minor(self.plain(column)?, currency))
    }

    /// That the row cannot be right.
    pub(super) fn corrupt(&self, column: usize, what: &dyn fmt::Display) -> SqliteError {
        let name = self.row.as_ref().column_name(column).unwrap_or("?");
        SqliteError::Corrupt { table: self.table, what: format!("{name}: {what}") }
    }
}
