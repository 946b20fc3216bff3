//! A statement that is put together from parts, each with the values it needs.

use sqlx::{
    Arguments, AssertSqlSafe, Encode, PgConnection, Postgres, Type,
    postgres::{PgArguments, PgRow},
};
use std::fmt::{self, Write};

/// One statement: CTEs in order, and what it answers with.
///
/// Which parts it has depends on what a commit needs; its text therefore takes few forms, which PostgreSQL prepares once
/// per connection. No value is ever part of the text.
#[derive(Default)]
pub(super) struct Statement {
    parts: Vec<String>,
    arguments: PgArguments,
    bound: u16,
    short: bool,
}

/// How the text refers to a value: by its number.
#[derive(Clone, Copy)]
pub(super) struct Bound(u16);

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.0)
    }
}

impl Statement {
    /// A statement for a few commits. Its values are bound one by one, so that PostgreSQL soon finds that its plan does not
    /// depend on them, and plans no more: for as little work as one commit, planning would take longer than doing it.
    pub(super) fn short() -> Self {
        Self { short: true, ..Self::default() }
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
        let texts: Vec<_> = texts.map(|text| text.to_string()).collect();
        if self.short {
            let mut text = String::from("IN ");
            list(&mut text, texts.into_iter().map(|text| self.bind(text)));
            text
        } else {
            format!("= ANY({})", self.bind(texts))
        }
    }

    /// Adds a part: `name AS (body)`.
    pub(super) fn part(&mut self, name: &str, body: &str) {
        self.parts.push(format!("{name} AS ({body})"));
    }

    /// Runs it; `answer` is the query after all its parts.
    pub(super) async fn run(self, connection: &mut PgConnection, answer: &str) -> Result<Vec<PgRow>, sqlx::Error> {
        let text = format!("WITH {} {answer}", self.parts.join(",\n"));
        sqlx::query_with(AssertSqlSafe(text), self.arguments).fetch_all(connection).await
    }
}

/// Rows of values, as something to select from: made by [`columns!`].
#[derive(Default)]
pub(super) struct Rows {
    // Of each column its type, and its values or the array of them.
    columns: Vec<(&'static str, Vec<Bound>)>,
}

impl Rows {
    /// A further column.
    pub(super) fn column<'v, T>(&mut self, statement: &mut Statement, kind: &'static str, values: Vec<T>)
    where
        T: Encode<'v, Postgres> + Type<Postgres>,
        Vec<T>: Encode<'v, Postgres> + Type<Postgres>,
    {
        let bound = if statement.short {
            values.into_iter().map(|value| statement.bind(value)).collect()
        } else {
            vec![statement.bind(values)]
        };
        self.columns.push((kind, bound));
    }

    /// The rows, under names for their columns.
    pub(super) fn named(&self, statement: &Statement, names: &str) -> String {
        self.text(statement, names, false)
    }

    /// The rows, with their place from 1 for a further column.
    pub(super) fn placed(&self, statement: &Statement, names: &str) -> String {
        self.text(statement, names, true)
    }

    // Built in one piece: it is done for each commit.
    fn text(&self, statement: &Statement, names: &str, placed: bool) -> String {
        let mut text = String::with_capacity(512);
        if statement.short {
            text.push_str("(VALUES ");
            let rows = self.columns.first().map_or(0, |(_, values)| values.len());
            for row in 0..rows {
                text.push_str(if row == 0 { "" } else { ", " });
                let values = self.columns.iter().map(|(kind, values)| Cell::Value(values[row], kind));
                if placed {
                    list(&mut text, values.chain([Cell::Place(row + 1)]));
                } else {
                    list(&mut text, values);
                }
            }
            text.push(')');
        } else {
            text.push_str("unnest");
            list(&mut text, self.columns.iter().map(|(kind, values)| Cell::Array(values[0], kind)));
            text.push_str(if placed { " WITH ORDINALITY" } else { "" });
        }
        text.push_str(" AS u (");
        text.push_str(names);
        text.push_str(if placed { ", place)" } else { ")" });
        text
    }
}

/// What stands in a list of values.
enum Cell {
    Value(Bound, &'static str),
    Array(Bound, &'static str),
    Place(usize),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(bound, kind) => write!(f, "{bound}::{kind}"),
            Self::Array(bound, kind) => write!(f, "{bound}::{kind}[]"),
            Self::Place(place) => write!(f, "{place}"),
        }
    }
}

// `(one, two)`.
fn list(text: &mut String, items: impl Iterator<Item = impl fmt::Display>) {
    text.push('(');
    for (place, item) in items.enumerate() {
        text.push_str(if place == 0 { "" } else { ", " });
        write!(text, "{item}").expect("a string takes any text");
    }
    text.push(')');
}

/// Columns of some rows.
macro_rules! columns {
    ($statement:expr; $($kind:literal: $values:expr),+ $(,)?) => {{
        let mut rows = $crate::postgres::statement::Rows::default();
        $( rows.column($statement, $kind, $values); )+
        rows
    }};
}
pub(super) use columns;
