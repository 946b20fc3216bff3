//! A statement that is put together from parts, each with the values it needs.

use sqlx::{
    Arguments, AssertSqlSafe, Encode, PgConnection, Postgres, Type,
    postgres::{PgArguments, PgRow},
};

/// One statement: CTEs in order, and what it answers with.
///
/// Which parts it has depends on what a commit needs; its text therefore takes few forms, which PostgreSQL prepares once
/// per connection. No value is ever part of the text.
#[derive(Default)]
pub(super) struct Statement {
    parts: Vec<String>,
    arguments: PgArguments,
    bound: usize,
    short: bool,
}

impl Statement {
    /// A statement for a few commits. Its values are bound one by one, so that PostgreSQL soon finds that its plan does not
    /// depend on them, and plans no more: for as little work as one commit, planning would take longer than doing it.
    pub(super) fn short() -> Self {
        Self { short: true, ..Self::default() }
    }

    /// Binds a value, and tells how the text refers to it.
    pub(super) fn bind<'v>(&mut self, value: impl Encode<'v, Postgres> + Type<Postgres>) -> String {
        // Encoding is what can fail, and none of ours does: texts, numbers, and arrays of them.
        self.arguments.add(value).expect("text and numbers can be encoded");
        self.bound += 1;
        format!("${}", self.bound)
    }

    /// Binds some texts: what comes after a column that has to be one of them.
    pub(super) fn one_of<T: ToString>(&mut self, texts: impl Iterator<Item = T>) -> String {
        let texts: Vec<_> = texts.map(|text| text.to_string()).collect();
        if self.short {
            let bound: Vec<_> = texts.into_iter().map(|text| self.bind(text)).collect();
            format!("IN ({})", bound.join(", "))
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
    // Of each column how the text refers to it: to each of its values, or to the array of them.
    columns: Vec<Vec<String>>,
}

impl Rows {
    /// A further column.
    pub(super) fn column<'v, T>(&mut self, statement: &mut Statement, kind: &str, values: Vec<T>)
    where
        T: Encode<'v, Postgres> + Type<Postgres>,
        Vec<T>: Encode<'v, Postgres> + Type<Postgres>,
    {
        self.columns.push(if statement.short {
            values.into_iter().map(|value| format!("{}::{kind}", statement.bind(value))).collect()
        } else {
            vec![format!("{}::{kind}[]", statement.bind(values))]
        });
    }

    /// The rows, under names for their columns.
    pub(super) fn named(&self, statement: &Statement, names: &str) -> String {
        if statement.short {
            return format!("(VALUES {}) AS u ({names})", self.lines(|line, _| line));
        }
        format!("unnest({}) AS u ({names})", self.arrays())
    }

    /// The rows, with their place from 1 for a further column.
    pub(super) fn placed(&self, statement: &Statement, names: &str) -> String {
        if statement.short {
            let lines = self.lines(|line, place| format!("{line}, {place}"));
            return format!("(VALUES {lines}) AS u ({names}, place)");
        }
        format!("unnest({}) WITH ORDINALITY AS u ({names}, place)", self.arrays())
    }

    fn arrays(&self) -> String {
        self.columns.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    fn lines(&self, finish: impl Fn(String, usize) -> String) -> String {
        let count = self.columns.first().map_or(0, Vec::len);
        let line = |row: usize| self.columns.iter().map(|column| column[row].as_str()).collect::<Vec<_>>().join(", ");
        (0..count).map(|row| format!("({})", finish(line(row), row + 1))).collect::<Vec<_>>().join(", ")
    }
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
