//! How PostgreSQL gives its columns.

use super::PostgresError;
use crate::{
    ledger::{Account, Balance},
    store::Columns,
};
use sqlx::{Column, Error, Row, postgres::PgRow};
use std::fmt;

/// A row of one table.
#[derive(Clone, Copy)]
pub(super) struct Reader<'r> {
    table: &'static str,
    row: &'r PgRow,
}

impl<'r> Reader<'r> {
    pub(super) const fn new(table: &'static str, row: &'r PgRow) -> Self {
        Self { table, row }
    }

    /// A balance, and in column 3 whether all of it is where those look who take from the account.
    pub(super) fn balance_and_place(&self) -> Result<(Balance, bool), PostgresError> {
        Ok((self.balance()?, self.row.try_get(3).map_err(|error| self.read_error(3, error))?))
    }

    /// A balance that is in place.
    pub(super) fn balance_in_place(&self) -> Result<Balance, PostgresError> {
        let (balance, in_place) = self.balance_and_place()?;
        if in_place { Ok(balance) } else { Err(misplaced(&balance.account)) }
    }

    fn read_error(&self, column: usize, error: Error) -> PostgresError {
        match error {
            Error::ColumnDecode { source, .. } => self.corrupt(column, &source),
            other => PostgresError::Database(other),
        }
    }
}

/// That an account has money where nobody looks who takes from it.
pub(super) fn misplaced(account: &Account) -> PostgresError {
    let what = format!("what is on {account} is not all where it is taken from");
    PostgresError::Corrupt { table: "escrowed_balances", what }
}

impl Columns for Reader<'_> {
    type Error = PostgresError;

    fn maybe_text(&self, column: usize) -> Result<Option<String>, PostgresError> {
        self.row.try_get(column).map_err(|error| self.read_error(column, error))
    }

    fn maybe_integer(&self, column: usize) -> Result<Option<i64>, PostgresError> {
        self.row.try_get(column).map_err(|error| self.read_error(column, error))
    }

    fn corrupt(&self, column: usize, what: &dyn fmt::Display) -> PostgresError {
        let name = self.row.columns().get(column).map_or("?", |column| column.name());
        PostgresError::Corrupt { table: self.table, what: format!("{name}: {what}") }
    }

    fn problem(error: PostgresError) -> Result<String, PostgresError> {
        match error {
            PostgresError::Corrupt { what, .. } => Ok(what),
            other @ (PostgresError::Database(_)
            | PostgresError::LostRace(_)
            | PostgresError::InDoubt(_)
            | PostgresError::GivenUp(_)
            | PostgresError::LaterVersion { .. }
            | PostgresError::Unwritable(_)
            | PostgresError::Overflow { .. }
            | PostgresError::DuplicateCall { .. }
            | PostgresError::UnknownCall { .. }) => Err(other),
        }
    }
}
