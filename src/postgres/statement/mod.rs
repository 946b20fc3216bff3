//! A statement that is put together from parts, each with the values it needs.

mod json;
mod kept;
mod rows;
mod sql;

pub(super) use json::Json;
pub(super) use rows::{Listed, Rows};
pub(super) use sql::{Bound, Piece, Plain, Sql, sql};

use super::PostgresError;
use crate::money::Currency;
use smallvec::SmallVec;
use sql::Cell;
use sqlx::{
    Arguments, AssertSqlSafe, Encode, PgConnection, Postgres, Type,
    error::BoxDynError,
    postgres::{PgArguments, PgRow},
};
use std::sync::Arc;

/// One statement: CTEs in order, and what it answers with.
///
/// Which parts it has depends on what a commit needs; its text therefore takes few forms, which are kept, and which
/// PostgreSQL prepares once per connection. No value that comes from outside is ever part of the text: see [`Piece`].
pub(super) struct Statement {
    sql: Sql,
    arguments: PgArguments,
    bound: u16,
    short: bool,
    // Why a value cannot be sent.
    refused: Option<BoxDynError>,
    // What was bound already, if parts share it.
    known: Option<SmallVec<[(Known, Bound); 16]>>,
}

/// How many commits a statement writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// One. Its parts share what they need.
    One,
    /// A few, as many as one step of a lifecycle makes. Their values are bound one by one, as for one, so that PostgreSQL soon
    /// finds that its plan does not depend on them, and plans no more: for as little work as that, planning would take longer than
    /// doing it.
    Few,
    /// More. An array of values is bound for each column.
    Many,
}

/// How many are a few.
const FEW: usize = 4;

impl Size {
    pub(super) const fn of(commits: usize) -> Self {
        match commits {
            0 | 1 => Self::One,
            2..=FEW => Self::Few,
            _ => Self::Many,
        }
    }
}

/// Why the statement for one commit need not bind a value anew. It takes PostgreSQL longer to read a value than to use it.
///
/// What several parts need is bound once, and referred to by each. It is told by what it is and not by its value, so that the text
/// does not depend on values that are alike by chance. For several commits it would depend on how their ids happen to be
/// ordered: there, nothing is shared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The id of the subject.
    Id,
    /// What that subject belongs to.
    About,
    /// The number of the last event.
    Seq,
    /// The time of the last event.
    At,
    /// A currency.
    Currency(Currency),
    /// What one of few entries moves, or its opposite.
    Moved { entry: usize, taken: bool },
    /// One of the accounts of few entries.
    Account(usize),
    /// It stands in the text.
    Plain(Plain),
}

/// From how many rows on a column is bound once if its values are the same. Each group of such columns doubles the forms that
/// a text may take; for fewer rows that would cost more than it spares.
const MANY: usize = 16;

/// The part that lets a row be written: what follows the rows in a FROM. Without one, they are written at once.
#[derive(Clone, Copy)]
pub(super) struct Gate(pub(super) Option<&'static str>);

impl Piece for Gate {
    fn add_to(&self, sql: &mut Sql) {
        if let Some(part) = self.0 {
            sql.add(sql![", " part]);
        }
    }
}

/// What must hold, all of it.
pub(super) struct Conditions(Sql);

impl Conditions {
    /// One more.
    pub(super) fn must(&mut self, condition: &[&dyn Piece]) {
        self.0.literal(if self.0.is_empty() { "" } else { "\nAND " });
        self.0.add(condition);
    }

    /// Whether nothing must.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Piece for Conditions {
    fn add_to(&self, sql: &mut Sql) {
        self.0.add_to(sql);
    }
}

/// A statement that is put together.
pub(super) struct Ready {
    text: Arc<str>,
    arguments: PgArguments,
}

impl Ready {
    /// Runs it.
    pub(super) async fn run(self, connection: &mut PgConnection) -> Result<Vec<PgRow>, sqlx::Error> {
        sqlx::query_with(AssertSqlSafe(self.text), self.arguments).fetch_all(connection).await
    }
}

impl Statement {
    /// Puts one together. What `parts` adds may depend on nothing but the commits: it is called once more where the text was not
    /// written before.
    ///
    /// # Errors
    /// [`PostgresError::Unwritable`] when a value has no JSON, and [`PostgresError::Database`] when one is too large to be sent, or
    /// there are too many.
    pub(super) fn of(size: Size, parts: impl Fn(&mut Self)) -> Result<Ready, PostgresError> {
        let put_together = |write| {
            let mut statement = Self::new(size, write);
            parts(&mut statement);
            match statement.refused.take().map(|error| error.downcast()) {
                None => Ok(statement),
                Some(Ok(error)) => Err(PostgresError::Unwritable(*error)),
                Some(Err(error)) => Err(sqlx::Error::Encode(error).into()),
            }
        };
        let Self { sql, arguments, bound, .. } = put_together(false)?;
        if let Some(text) = sql.known() {
            if cfg!(debug_assertions) {
                assert_eq!(put_together(true)?.sql.text(), &*text, "the same pieces are the same text");
            }
            return Ok(Ready { text, arguments });
        }
        let written = put_together(true)?;
        debug_assert_eq!(written.bound, bound, "it depends on nothing but the commits");
        Ok(Ready { text: sql.keep(written.sql.text()), arguments })
    }

    fn new(size: Size, write: bool) -> Self {
        let mut arguments = PgArguments::default();
        let [values, bytes] = match size {
            // Enough for nearly every one, and little enough for the allocator to have it at hand.
            Size::One => [32, 1000],
            Size::Few => [64, 2048],
            Size::Many => [64, 1 << 16],
        };
        arguments.reserve(values, bytes);
        let known = (size == Size::One).then(SmallVec::new);
        Self { sql: Sql::new(write), arguments, bound: 0, short: size != Size::Many, refused: None, known }
    }

    /// Binds a value, and tells how the text refers to it.
    pub(super) fn bind<'v>(&mut self, value: impl Encode<'v, Postgres> + Type<Postgres>) -> Bound {
        if let Err(error) = self.arguments.add(value) {
            self.refused.get_or_insert(error);
        }
        match self.bound.checked_add(1) {
            Some(bound) => self.bound = bound,
            None => drop(self.refused.get_or_insert_with(|| "a statement has at most 65,535 values".into())),
        }
        Bound(self.bound)
    }

    // A value in a row of a short statement, with what is known of it.
    fn cell<'v>(&mut self, known: Option<Known>, value: impl Encode<'v, Postgres> + Type<Postgres>) -> Cell {
        let (Some(known), Some(all)) = (known, &self.known) else { return Cell::Bound(self.bind(value)) };
        if let Known::Plain(plain) = known {
            return Cell::Plain(plain);
        }
        if let Some((_, bound)) = all.iter().find(|(other, _)| *other == known) {
            return Cell::Bound(*bound);
        }
        let bound = self.bind(value);
        if let Some(all) = &mut self.known {
            all.push((known, bound));
        }
        Cell::Bound(bound)
    }

    /// Whether a long statement shall bind once what all its rows have: see [`Rows::alike`].
    pub(super) fn alike<T: PartialEq>(&self, mut values: impl Iterator<Item = T>) -> bool {
        if self.short {
            return false;
        }
        let (first, mut rows) = (values.next(), 1);
        values.all(|value| (rows += 1, first.as_ref() == Some(&value)).1) && rows >= MANY
    }

    /// Rows of values, as something to select from.
    pub(super) fn rows(&mut self) -> Rows<'_> {
        Rows::of(self)
    }

    /// No conditions yet.
    pub(super) fn conditions(&self) -> Conditions {
        Conditions(self.sql.within())
    }

    /// Binds some texts: what comes after a column that has to be one of them.
    pub(super) fn one_of<T: ToString>(&mut self, texts: impl Iterator<Item = T>) -> Sql {
        let (texts, mut sql) = (texts.map(|text| text.to_string()), self.sql.within());
        if self.short {
            let cells: SmallVec<[_; 4]> = texts.map(|text| Cell::Bound(self.bind(text))).collect();
            sql.literal("IN (");
            sql.list(cells.iter().copied());
            sql.literal(")");
        } else {
            sql.add(sql!["= ANY(" {self.bind(texts.collect::<Vec<_>>())} ")"]);
        }
        sql
    }

    /// Adds a part, which is to be all of `name AS (body)`.
    pub(super) fn part(&mut self, part: &[&dyn Piece]) {
        self.sql.literal(if self.sql.is_empty() { "WITH " } else { ", " });
        self.sql.add(part);
    }

    /// Adds to the query that comes after all parts.
    pub(super) fn add(&mut self, pieces: &[&dyn Piece]) {
        self.sql.add(pieces);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_statement_is_written_once() {
        let select = |number: i64| {
            let all = move |statement: &mut Statement| {
                let mut rows = statement.rows();
                rows.each([number].into_iter());
                let rows = rows.listed();
                statement.part(sql!["once AS (SELECT u.* FROM " rows " AS u)"]);
                statement.add(sql!["SELECT 1 FROM once"]);
            };
            Statement::of(Size::One, all).unwrap().text
        };
        assert_eq!(&*select(1), "WITH once AS (SELECT u.* FROM (SELECT $1) AS u)SELECT 1 FROM once");
        assert!(Arc::ptr_eq(&select(2), &select(3)));
    }

    #[test]
    fn more_values_than_postgres_takes_are_refused() {
        let binds = |values: u32| {
            let all = move |statement: &mut Statement| {
                for _ in 0..values {
                    statement.bind(true);
                }
            };
            Statement::of(Size::Few, all).map(drop)
        };
        assert!(binds(65_535).is_ok());
        let error = binds(65_536).unwrap_err();
        assert!(matches!(error, PostgresError::Database(sqlx::Error::Encode(_))), "{error:?}");
    }
}
