//! A statement that is put together from parts, each with the values it needs.

use sqlx::{
    Arguments, AssertSqlSafe, Encode, PgConnection, Postgres, Type,
    postgres::{PgArguments, PgRow},
};
use std::fmt::{self, Write};

/// One statement: CTEs in order, and what it answers with.
///
/// Which parts it has depends on what a commit needs; its text therefore takes few forms, which PostgreSQL prepares once
/// per connection. No value is ever part of the text. It is put together for each commit, so it is built in one piece.
pub(super) struct Statement {
    text: String,
    arguments: PgArguments,
    bound: u16,
    short: bool,
}

/// The part that lets a row be written: what follows the rows in a FROM. Without one, they are written at once.
#[derive(Clone, Copy)]
pub(super) struct Gate(pub(super) Option<&'static str>);

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |part| write!(f, ", {part}"))
    }
}

/// How the text refers to a value: by its number.
#[derive(Clone, Copy)]
pub(super) struct Bound(u16);

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = *b"$00000";
        let mut first = digits.len();
        let mut left = self.0;
        while left > 0 {
            first -= 1;
            digits[first] = b'0' + (left % 10) as u8;
            left /= 10;
        }
        digits[first - 1] = b'$';
        f.write_str(std::str::from_utf8(&digits[first - 1..]).expect("digits are text"))
    }
}

impl Statement {
    /// A statement for many commits: an array of values for each column.
    pub(super) fn long() -> Self {
        let mut arguments = PgArguments::default();
        arguments.reserve(64, 1 << 16);
        Self { text: String::with_capacity(4096), arguments, bound: 0, short: false }
    }

    /// A statement for a few commits. Its values are bound one by one, so that PostgreSQL soon finds that its plan does not
    /// depend on them, and plans no more: for as little work as one commit, planning would take longer than doing it.
    pub(super) fn short() -> Self {
        let mut arguments = PgArguments::default();
        arguments.reserve(64, 2048);
        Self { text: String::with_capacity(4096), arguments, bound: 0, short: true }
    }

    /// Binds a value, and tells how the text refers to it.
    pub(super) fn bind<'v>(&mut self, value: impl Encode<'v, Postgres> + Type<Postgres>) -> Bound {
        // Encoding is what can fail, and none of ours does: texts, numbers, and arrays of them.
        self.arguments.add(value).expect("text and numbers can be encoded");
        self.bound += 1;
        Bound(self.bound)
    }

    /// Binds some texts: what comes after a column that has to be one of them.
    pub(super) fn one_of<T: ToString>(&mut self, texts: impl Iterator<Item = T>) -> String {
        let texts = texts.map(|text| text.to_string());
        if self.short {
            let mut text = String::from("IN (");
            for (place, value) in texts.enumerate() {
                text.push_str(if place == 0 { "" } else { ", " });
                write!(text, "{}", self.bind(value)).expect("a string takes any text");
            }
            text.push(')');
            text
        } else {
            format!("= ANY({})", self.bind(texts.collect::<Vec<_>>()))
        }
    }

    /// Adds a part: `name AS (body)`.
    pub(super) fn part(&mut self, name: &str, body: fmt::Arguments<'_>) {
        let before = if self.text.is_empty() { "WITH " } else { ",\n" };
        write!(self.text, "{before}{name} AS ({body})").expect("a string takes any text");
    }

    /// Adds the query after all parts.
    pub(super) fn answer(&mut self, answer: &str, and: &str) {
        self.text.push_str(if self.text.is_empty() { "" } else { "\n" });
        self.text.push_str(answer);
        self.text.push_str(and);
    }

    /// Runs it.
    pub(super) async fn run(self, connection: &mut PgConnection) -> Result<Vec<PgRow>, sqlx::Error> {
        sqlx::query_with(AssertSqlSafe(self.text), self.arguments).fetch_all(connection).await
    }
}

/// Rows of values, as something to select from: made by [`columns!`].
pub(super) struct Rows {
    short: bool,
    // The number before those of the first column's values; the others follow column by column.
    base: u16,
    rows: u16,
    columns: u16,
}

impl Rows {
    pub(super) const fn new(statement: &Statement) -> Self {
        Self { short: statement.short, base: statement.bound, rows: 0, columns: 0 }
    }

    /// A further column. Its type is that of its values.
    pub(super) fn column<'v, T>(&mut self, statement: &mut Statement, values: impl Iterator<Item = T>)
    where
        T: Encode<'v, Postgres> + Type<Postgres>,
        Vec<T>: Encode<'v, Postgres> + Type<Postgres>,
    {
        let before = statement.bound;
        if self.short {
            for value in values {
                statement.bind(value);
            }
        } else {
            statement.bind(values.collect::<Vec<_>>());
        }
        self.rows = statement.bound - before;
        self.columns += 1;
    }

    /// The rows, under names for their columns.
    pub(super) const fn named<'n>(&self, names: &'n str) -> Named<'_, 'n> {
        Named { rows: self, names, placed: false }
    }

    /// The rows, with their place from 1 for a further column.
    pub(super) const fn placed<'n>(&self, names: &'n str) -> Named<'_, 'n> {
        Named { rows: self, names, placed: true }
    }
}

/// Rows as they stand in a FROM: as `u`.
#[derive(Clone, Copy)]
pub(super) struct Named<'r, 'n> {
    rows: &'r Rows,
    names: &'n str,
    placed: bool,
}

impl fmt::Display for Named<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rows { short, base, rows, columns } = *self.rows;
        f.write_str(if short { "(VALUES " } else { "unnest" })?;
        for row in 1..=rows {
            f.write_str(if row == 1 { "(" } else { ", (" })?;
            for column in 0..columns {
                f.write_str(if column == 0 { "" } else { ", " })?;
                Bound(base + column * rows + row).fmt(f)?;
            }
            if short && self.placed {
                write!(f, ", {row}")?;
            }
            f.write_str(")")?;
        }
        f.write_str(if short { ")" } else { "" })?;
        f.write_str(if self.placed && !short { " WITH ORDINALITY" } else { "" })?;
        f.write_str(" AS u (")?;
        f.write_str(self.names)?;
        f.write_str(if self.placed { ", place)" } else { ")" })
    }
}

/// Columns of some rows.
macro_rules! columns {
    ($statement:expr; $($values:expr),+ $(,)?) => {{
        let mut rows = $crate::postgres::statement::Rows::new($statement);
        $( rows.column($statement, $values); )+
        rows
    }};
}
pub(super) use columns;
