//! The databases that an audit looks into by its own SQL, past the crate.

use escrowed::store::{Outbox, Views};

/// An open unit of a database.
pub(crate) trait Sql: Outbox + Views {
    /// What only this database can be asked. Each query says nothing about a database that is sound.
    const SOUND: &'static [&'static str];

    /// Runs a statement. The rows that it answers, as text.
    async fn rows(&mut self, statement: &str) -> Result<Vec<String>, Self::Error>;
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::Sql;
    use escrowed::sqlite::{SqliteError, SqliteUnit};
    use rusqlite::{Connection, types::Value};

    impl Sql for SqliteUnit {
        const SOUND: &'static [&'static str] = &[
            "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
            "SELECT * FROM pragma_foreign_key_check",
            // The parties are those of the index rows.
            "SELECT s.id, value FROM escrowed_subjects AS s, json_each(s.parties)
                EXCEPT SELECT subject, party FROM escrowed_parties",
            "SELECT subject, party FROM escrowed_parties
                EXCEPT SELECT s.id, value FROM escrowed_subjects AS s, json_each(s.parties)",
        ];

        async fn rows(&mut self, statement: &str) -> Result<Vec<String>, SqliteError> {
            Ok(rows(self.connection(), statement)?)
        }
    }

    pub(crate) fn rows(connection: &Connection, statement: &str) -> Result<Vec<String>, rusqlite::Error> {
        let mut statement = connection.prepare(statement)?;
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let values = (0..columns).map(|column| row.get(column).map(text));
            Ok(values.collect::<Result<Vec<_>, _>>()?.join(" "))
        };
        statement.query_map([], row)?.collect()
    }

    fn text(value: Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
            Value::Text(text) => text,
            Value::Blob(bytes) => format!("{bytes:?}"),
        }
    }
}
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::rows;

#[cfg(feature = "postgres")]
mod postgres {
    use super::Sql;
    use escrowed::postgres::{PostgresError, PostgresUnit};
    use sqlx::{AssertSqlSafe, Row, ValueRef, raw_sql};

    impl Sql for PostgresUnit {
        const SOUND: &'static [&'static str] = &[
            // The parties are those of the index rows.
            "SELECT s.id, party FROM escrowed_subjects AS s, json_array_elements_text(s.parties::json) AS party
                EXCEPT SELECT subject, party FROM escrowed_parties",
            "SELECT subject, party FROM escrowed_parties EXCEPT
                SELECT s.id, party FROM escrowed_subjects AS s, json_array_elements_text(s.parties::json) AS party",
        ];

        async fn rows(&mut self, statement: &str) -> Result<Vec<String>, PostgresError> {
            // A raw statement answers text.
            let rows = raw_sql(AssertSqlSafe(statement.to_owned())).fetch_all(&mut **self).await?;
            let text = |row: &sqlx::postgres::PgRow| {
                let columns = (0..row.len()).map(|column| {
                    let value = row.try_get_raw(column).unwrap();
                    if value.is_null() { String::new() } else { value.as_str().unwrap().to_owned() }
                });
                columns.collect::<Vec<_>>().join(" ")
            };
            Ok(rows.iter().map(text).collect())
        }
    }
}
