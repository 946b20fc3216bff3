//! Writing a commit: all of it, or nothing.

use super::{SqliteError, money, outbox, statements::Statements, unit::run};
use crate::store::{Appended, AppendedAll, Commit, IfSent, Record, Request, Revision, books_agree};
use rusqlite::{Connection, params};

/// Why these commits must not be written whatever the database holds, and by which of them.
pub(super) fn unbooked(commits: &[Commit]) -> Option<(usize, Appended)> {
    let subject = books_agree(commits).err()?;
    Some((0, Appended::Unbooked { subject }))
}

pub(super) const fn is_stored(appended: &Appended) -> bool {
    matches!(appended, Appended::Stored(_))
}

pub(super) const fn are_stored(appended: &AppendedAll) -> bool {
    matches!(appended, AppendedAll::Stored(_))
}

/// Writes a commit. Whoever calls it takes a refused one back.
pub(super) fn append(connection: &Connection, commit: &Commit) -> Result<Appended, SqliteError> {
    write_all_of(&mut Statements::on(connection), commit, Revision::mint())
}

/// Writes commits. Whoever calls it takes all of them back if one is refused.
pub(super) fn append_all(connection: &Connection, commits: &[Commit]) -> Result<AppendedAll, SqliteError> {
    // The same for all: no subject is twice among them, for nobody knows yet which revision its second commit would expect.
    let (revision, mut revisions) = (Revision::mint(), Vec::with_capacity(commits.len()));
    let mut statements = Statements::on(connection);
    for (position, commit) in commits.iter().enumerate() {
        match write_all_of(&mut statements, commit, revision)? {
            Appended::Stored(revision) => revisions.push(revision),
            why
            @ (Appended::Stale | Appended::Overdrawn { .. } | Appended::Sent { .. } | Appended::Unbooked { .. }) => {
                return Ok(AppendedAll::Refused { position, why });
            }
        }
    }
    Ok(AppendedAll::Stored(revisions))
}

/// Takes back what `write` wrote unless it answers, and `stored` agrees, that all is written.
pub(super) fn whole<T>(
    connection: &Connection,
    stored: impl FnOnce(&T) -> bool,
    write: impl FnOnce() -> Result<T, SqliteError>,
) -> Result<T, SqliteError> {
    run(connection, "SAVEPOINT escrowed_append")?;
    let written = write();
    if !written.as_ref().is_ok_and(stored) {
        // A failing disk makes SQLite roll everything back by itself. There is no savepoint left then.
        if connection.is_autocommit() {
            return written.and(Err(SqliteError::Ended));
        }
        run(connection, "ROLLBACK TO escrowed_append")?;
    }
    run(connection, "RELEASE escrowed_append")?;
    written
}

fn write_all_of(statements: &mut Statements<'_>, commit: &Commit, revision: Revision) -> Result<Appended, SqliteError> {
    let records = commit.records();
    let (first, last) = records.first().zip(records.last()).expect("a commit has at least one event");
    let gapless = records.windows(2).all(|pair| pair[0].seq.checked_add(1) == Some(pair[1].seq));
    assert!(gapless, "the events of a commit are numbered without gaps");
    let subject = String::from(commit.subject());
    if !replace_index(statements, commit, &subject, first, last, revision)? {
        return Ok(Appended::Stale);
    }
    for record in records {
        insert_event(statements, &subject, record)?;
    }
    // Before the money: whoever asks again has to get the first answer, however little is left by now.
    if let Some(request) = commit.request()
        && !answer(statements, request, &subject, last.seq)?
    {
        return Ok(Appended::Stale);
    }
    let mut follows = None;
    if let Some(withdrawal) = commit.withdraws()
        && !outbox::withdraw(statements, withdrawal.key)?
    {
        match &withdrawal.if_sent {
            IfSent::Refuse => return Ok(Appended::Sent { key: withdrawal.key }),
            IfSent::Follow(call) => follows = Some(&**call),
        }
    }
    if let Some(account) = money::book(statements, commit.entries(), &subject, last)? {
        return Ok(Appended::Overdrawn { account });
    }
    for call in follows.into_iter().chain(commit.calls()) {
        outbox::enqueue(statements, call, commit.lane())?;
    }
    for settlement in commit.settles() {
        outbox::settle(statements, settlement)?;
    }
    Ok(Appended::Stored(revision))
}

const OPEN: &str = "INSERT INTO escrowed_subjects
    (id, lifecycle, status, parties, about, deadline, held, currency, revision, seq)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
ON CONFLICT (id) DO NOTHING";
const GO_ON: &str = "UPDATE escrowed_subjects
SET lifecycle = ?2, status = ?3, about = ?4, deadline = ?5, held = ?6, currency = ?7, revision = ?8, seq = ?9,
    worker = NULL, lease_until = NULL
WHERE id = ?1 AND revision = ?10 AND seq = ?11";
const RENAME: &str = "UPDATE escrowed_subjects SET parties = ?2 WHERE id = ?1";
const JOIN: &str = "INSERT INTO escrowed_parties (party, subject) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const LEAVE: &str = "DELETE FROM escrowed_parties WHERE party = ?1 AND subject = ?2";

/// Replaces the row for queries. False when the commit does not go on where its subject stands.
fn replace_index(
    statements: &mut Statements<'_>,
    commit: &Commit,
    subject: &str,
    first: &Record,
    last: &Record,
    revision: Revision,
) -> Result<bool, SqliteError> {
    let row = commit.index();
    let about = row.about.map(String::from);
    let deadline = row.deadline.map(|deadline| deadline.unix_micros());
    let (held, currency) = (row.held.minor(), row.held.currency().code());
    let mark = revision.mark();
    let Some(expected) = commit.expected() else {
        let parties = serde_json::to_string(&*row.parties)?;
        let values =
            params![subject, row.lifecycle, row.status, parties, about, deadline, held, currency, mark, last.seq];
        let opened = first.seq == 1 && statements.of(OPEN)?.execute(values)? == 1;
        if opened {
            join(statements, commit, subject)?;
        }
        return Ok(opened);
    };
    let (expected, before) = (expected.mark(), i64::from(first.seq) - 1);
    let values =
        params![subject, row.lifecycle, row.status, about, deadline, held, currency, mark, last.seq, expected, before];
    if statements.of(GO_ON)?.execute(values)? != 1 {
        return Ok(false);
    }
    if !commit.keeps_parties() {
        statements.of(RENAME)?.execute(params![subject, serde_json::to_string(&*row.parties)?])?;
        join(statements, commit, subject)?;
    }
    Ok(true)
}

/// Writes who has come and deletes who has gone.
fn join(statements: &mut Statements<'_>, commit: &Commit, subject: &str) -> Result<(), SqliteError> {
    let (before, now) = commit.parties();
    for (statement, parties, others) in [(LEAVE, before, now), (JOIN, now, before)] {
        let statement = statements.of(statement)?;
        for party in parties.iter().filter(|party| !others.contains(party)) {
            statement.execute([party.as_str(), subject])?;
        }
    }
    Ok(())
}

const ANSWER: &str = "INSERT INTO escrowed_requests (key, digest, subject, seq) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (key) DO NOTHING";

/// Keeps what became of a request. False when one was done under this key already.
fn answer(statements: &mut Statements<'_>, request: &Request, subject: &str, seq: u32) -> Result<bool, SqliteError> {
    let values = params![request.key.as_str(), request.digest.to_string(), subject, seq];
    Ok(statements.of(ANSWER)?.execute(values)? == 1)
}

const EVENT: &str = "INSERT INTO escrowed_events (subject, seq, name, version, actor, at, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

fn insert_event(statements: &mut Statements<'_>, subject: &str, record: &Record) -> Result<(), SqliteError> {
    let body = record.payload.to_json()?;
    let at = record.stamp.at.unix_micros();
    let actor = statements.actor(&record.stamp.by)?;
    let values = params![subject, record.seq, record.name, record.version, actor, at, body];
    statements.of(EVENT)?.execute(values)?;
    Ok(())
}
