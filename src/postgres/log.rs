//! Reading logs and requests: one round trip each.

use super::{PostgresError, row::Reader};
use crate::{
    id::Subject,
    store::{Answered, Columns, Log, RequestKey, Revision},
};
use sqlx::{PgConnection, query};

const LOG: &str = "SELECT s.revision, s.seq, e.seq, e.name, e.version, e.actor, e.at, e.body
FROM escrowed_subjects AS s LEFT JOIN escrowed_events AS e ON e.subject = s.id
WHERE s.id = $1 ORDER BY e.seq";

pub(super) async fn log(connection: &mut PgConnection, subject: Subject) -> Result<Option<Log>, PostgresError> {
    let id = subject.to_string();
    let rows = query(LOG).bind(&id).fetch_all(connection).await?;
    let Some(first) = rows.first().map(|row| Reader::new("escrowed_subjects", row)) else { return Ok(None) };
    let (revision, seq) = (Revision::new(first.integer(0)?), first.integer(1)?);
    let mut records = Vec::with_capacity(rows.len());
    for reader in rows.iter().map(|row| Reader::new("escrowed_events", row)) {
        // A row without events has one line here all the same.
        if reader.maybe_integer(2)?.is_some() {
            records.push(reader.record(2)?);
        }
    }
    let last = records.last().map_or(0, |record| i64::from(record.seq));
    if last != seq {
        let what = format!("the log of {id} ends with event {last}, but {seq} were written");
        return Err(PostgresError::Corrupt { table: "escrowed_events", what });
    }
    Ok(Some(Log { subject, revision, records }))
}

const ANSWERED: &str = "SELECT digest, subject, seq FROM escrowed_requests WHERE key = $1";

pub(super) async fn answered(
    connection: &mut PgConnection,
    key: &RequestKey,
) -> Result<Option<Answered>, PostgresError> {
    let Some(row) = query(ANSWERED).bind(key.as_str()).fetch_optional(connection).await? else { return Ok(None) };
    let reader = Reader::new("escrowed_requests", &row);
    Ok(Some(Answered { digest: reader.parsed(0)?, subject: reader.parsed(1)?, seq: reader.number(2)? }))
}
