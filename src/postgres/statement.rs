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
}

impl Statement {
    /// Binds a value, and tells how the text refers to it.
    pub(super) fn bind<'v>(&mut self, value: impl Encode<'v, Postgres> + Type<Postgres>) -> String {
        // Encoding is what can fail, and none of ours does: texts, numbers, and arrays of them.
        self.arguments.add(value).expect("text and numbers can be encoded");
        self.bound += 1;
        format!("${}", self.bound)
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

/// Columns of some rows, as arrays to unnest.
macro_rules! columns {
    ($statement:expr; $($kind:literal: $values:expr),+ $(,)?) => {
        format!("unnest({})", [$(format!("{}::{}[]", $statement.bind($values), $kind)),+].join(", "))
    };
}
pub(super) use columns;
