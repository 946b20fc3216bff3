//! The statement that writes a batch of commits: all of it, or nothing.

use super::{
    PostgresError,
    money::Moves,
    statement::{Statement, columns},
};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::{Account, Entry},
    store::{Call, CallStatus, Commit, IfSent, Record, Revision},
};
use sqlx::{PgConnection, postgres::PgRow};
use std::collections::HashMap;

/// As many commits as one step of a lifecycle makes, give or take.
const FEW: usize = 4;

/// Commits of different subjects, to be written by one statement.
pub(super) struct Batch<'c> {
    commits: &'c [Commit],
    moves: Moves<'c>,
    calls: Vec<NewCall<'c>>,
    places: HashMap<IdempotencyKey, usize>,
    // Of calls that were in the outbox before: those that are answered, and those that are withdrawn.
    settled: Vec<(IdempotencyKey, CallStatus, String)>,
    withdrawn: Vec<(IdempotencyKey, bool)>,
}

/// A call that a commit of the batch puts into the outbox.
struct NewCall<'c> {
    call: &'c Call,
    lane: Subject,
    status: CallStatus,
    outcome: Option<String>,
    // It is put there only if this call was sent.
    follows: Option<IdempotencyKey>,
}

impl<'c> Batch<'c> {
    pub(super) fn of(commits: &'c [Commit]) -> Result<Self, PostgresError> {
        let mut batch = Self {
            commits,
            moves: Moves::of(commits)?,
            calls: Vec::new(),
            places: HashMap::new(),
            settled: Vec::new(),
            withdrawn: Vec::new(),
        };
        for commit in commits {
            batch.take_calls_of(commit)?;
        }
        Ok(batch)
    }

    /// One of the accounts it touches.
    pub(super) fn any_account(&self) -> Option<&Account> {
        self.moves.any()
    }

    /// How many subjects it opens.
    pub(super) fn opens(&self) -> usize {
        self.commits.iter().filter(|commit| commit.expected().is_none()).count()
    }

    // A call that is asked for and answered or withdrawn in the same batch arrives in the outbox as it is in the end.
    fn take_calls_of(&mut self, commit: &'c Commit) -> Result<(), PostgresError> {
        if let Some(withdrawal) = commit.withdraws() {
            match self.places.get(&withdrawal.key) {
                Some(place) => self.calls[*place].status = CallStatus::Withdrawn,
                None => {
                    let refuse = match &withdrawal.if_sent {
                        IfSent::Refuse => true,
                        IfSent::Follow(call) => {
                            self.enqueue(call, commit.lane(), Some(withdrawal.key))?;
                            false
                        }
                    };
                    self.withdrawn.push((withdrawal.key, refuse));
                }
            }
        }
        for call in commit.calls() {
            self.enqueue(call, commit.lane(), None)?;
        }
        if let Some(settlement) = commit.settles() {
            let status = if settlement.outcome.is_final() { CallStatus::Settled } else { CallStatus::Pending };
            let outcome = serde_json::to_string(&settlement.outcome)?;
            match self.places.get(&settlement.key) {
                Some(place) => {
                    let call = &mut self.calls[*place];
                    (call.status, call.outcome) = (status, Some(outcome));
                }
                None => self.settled.push((settlement.key, status, outcome)),
            }
        }
        Ok(())
    }

    fn enqueue(&mut self, call: &'c Call, lane: Subject, follows: Option<IdempotencyKey>) -> Result<(), PostgresError> {
        let key = call.instruction.key();
        if self.places.insert(key, self.calls.len()).is_some() {
            return Err(PostgresError::DuplicateCall { key });
        }
        self.calls.push(NewCall { call, lane, status: CallStatus::Queued, outcome: None, follows });
        Ok(())
    }

    /// Runs the statement: id and new revision of each subject, or nothing when something stands against it.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Result<Vec<PgRow>, sqlx::Error>, PostgresError> {
        let mut statement = if self.commits.len() <= FEW { Statement::short() } else { Statement::default() };
        self.look(&mut statement);
        let (gate, answer) = self.subjects(&mut statement)?;
        self.parties(&mut statement, gate);
        self.events(&mut statement, gate)?;
        self.moves.write(&mut statement, gate);
        self.entries(&mut statement, gate);
        self.outbox(&mut statement, gate)?;
        self.requests(&mut statement, gate);
        Ok(statement.run(connection, answer).await)
    }

    // What must hold before anything is written, and the locks that keep it so.
    fn look(&self, statement: &mut Statement) {
        let mut conditions = Vec::new();
        if self.commits.len() > 1 && self.opens() < self.commits.len() {
            let going: Vec<_> = self.commits.iter().filter_map(|commit| Some((commit, commit.expected()?))).collect();
            let rows = columns!(statement;
                "text": going.iter().map(|(commit, _)| commit.subject().to_string()).collect::<Vec<_>>(),
                "int8": going.iter().map(|(_, expected)| expected.mark()).collect::<Vec<_>>(),
                "int8": going.iter().map(|(commit, _)| before(commit)).collect::<Vec<_>>(),
            );
            let rows = rows.named(statement, "id, revision, seq");
            let standing = format!(
                "SELECT s.id FROM {rows}
JOIN escrowed_subjects AS s ON s.id = u.id AND s.revision = u.revision AND s.seq = u.seq
ORDER BY s.id FOR UPDATE OF s"
            );
            statement.part("standing", &standing);
            let count = statement.bind(i64::try_from(going.len()).unwrap_or(i64::MAX));
            conditions.push(format!("(SELECT count(*) FROM standing) = {count}"));
        }
        if !self.withdrawn.is_empty() {
            let keys = statement.one_of(self.withdrawn.iter().map(|(key, _)| key));
            let asked = format!(
                "SELECT c.key, c.status = 'withdrawn' AS gone, c.status IN ('queued', 'held', 'parked') AND c.attempts = 0 AS free
FROM escrowed_calls AS c WHERE c.key {keys} ORDER BY c.key FOR UPDATE"
            );
            statement.part("asked", &asked);
            if self.withdrawn.iter().any(|(_, refuse)| *refuse) {
                let refused = self.withdrawn.iter().filter(|(_, refuse)| *refuse);
                let keys = statement.one_of(refused.map(|(key, _)| key));
                conditions.push(format!(
                    "NOT EXISTS (SELECT FROM asked AS a WHERE a.key {keys} AND NOT a.gone AND NOT a.free)"
                ));
            }
        }
        let new: Vec<_> = self.calls.iter().filter(|new| new.follows.is_none()).collect();
        if !new.is_empty() {
            let keys = statement.one_of(new.iter().map(|new| new.call.instruction.key()));
            conditions.push(format!("NOT EXISTS (SELECT FROM escrowed_calls AS c WHERE c.key {keys})"));
        }
        if !self.settled.is_empty() {
            let rows = columns!(statement; "text": texts(self.settled.iter().map(|(key, ..)| key)));
            let rows = rows.named(statement, "key");
            conditions.push(format!(
                "NOT EXISTS (SELECT FROM {rows}
    WHERE NOT EXISTS (SELECT FROM escrowed_calls AS c WHERE c.key = u.key))"
            ));
        }
        let requests: Vec<_> = self.commits.iter().filter_map(Commit::request).collect();
        if !requests.is_empty() {
            let keys = statement.one_of(requests.iter().map(|request| &request.key));
            conditions.push(format!("NOT EXISTS (SELECT FROM escrowed_requests AS r WHERE r.key {keys})"));
        }
        conditions.extend(self.moves.look(statement));
        if conditions.is_empty() {
            statement.part("fine", "SELECT");
        } else {
            statement.part("fine", &format!("SELECT WHERE {}", conditions.join("\nAND ")));
        }
    }

    /// Writes the index rows. What depends on them reads the part that this names.
    fn subjects(&self, statement: &mut Statement) -> Result<(&'static str, &'static str), PostgresError> {
        let (going, opening): (Vec<_>, Vec<_>) = self.commits.iter().partition(|commit| commit.expected().is_some());
        let mut gate = "fine";
        if !opening.is_empty() {
            let rows = index_rows(statement, &opening)?;
            let opened = format!(
                "INSERT INTO escrowed_subjects (id, lifecycle, status, parties, about, deadline, held, currency, seq)
SELECT u.id, u.lifecycle, u.status, u.parties, u.about, u.deadline, u.held, u.currency, u.seq
FROM {rows}, {gate}
ORDER BY u.id ON CONFLICT (id) DO NOTHING RETURNING id, revision"
            );
            statement.part("opened", &opened);
            gate = "opened";
            if self.commits.len() > 1 {
                // Where somebody else has opened some of them meanwhile, it fails on purpose: nothing may stay behind.
                let count = statement.bind(i64::try_from(opening.len()).unwrap_or(i64::MAX));
                let all = format!(
                    "SELECT FROM opened HAVING CASE count(*) WHEN {count} THEN true WHEN 0 THEN false
    ELSE ('opened ' || count(*))::bool END"
                );
                statement.part("all_opened", &all);
                gate = "all_opened";
            }
        }
        if !going.is_empty() {
            let rows = index_rows(statement, &going)?;
            let gone = format!(
                "UPDATE escrowed_subjects AS s SET lifecycle = u.lifecycle, status = u.status, parties = u.parties,
    about = u.about, deadline = u.deadline, held = u.held, currency = u.currency, seq = u.seq,
    revision = nextval('escrowed_revisions'), worker = NULL, lease_until = NULL
FROM {rows}, {gate}
WHERE s.id = u.id AND s.revision = u.expected AND s.seq = u.before
RETURNING s.id, s.revision"
            );
            statement.part("gone_on", &gone);
            if self.commits.len() == 1 {
                gate = "gone_on";
            }
        }
        let answer = match (opening.is_empty(), going.is_empty()) {
            (false, true) => "SELECT id, revision FROM opened",
            (true, false) => "SELECT id, revision FROM gone_on",
            (false, false) => "SELECT id, revision FROM opened UNION ALL SELECT id, revision FROM gone_on",
            (true, true) => "SELECT NULL::text, NULL::bigint FROM fine WHERE false",
        };
        Ok((gate, answer))
    }

    fn parties(&self, statement: &mut Statement, gate: &str) {
        let (mut joins, mut leaves) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for commit in self.commits {
            let (before, now) = commit.parties();
            for (rows, parties, others) in [(&mut joins, now, before), (&mut leaves, before, now)] {
                for party in parties.iter().filter(|party| !others.contains(party)) {
                    rows.0.push(party.as_str());
                    rows.1.push(commit.subject().to_string());
                }
            }
        }
        if !leaves.0.is_empty() {
            let rows = columns!(statement; "text": leaves.0, "text": leaves.1).named(statement, "party, subject");
            let left = format!(
                "DELETE FROM escrowed_parties AS p USING {rows}, {gate}
WHERE p.party = u.party AND p.subject = u.subject"
            );
            statement.part("parties_left", &left);
        }
        if !joins.0.is_empty() {
            let rows = columns!(statement; "text": joins.0, "text": joins.1).named(statement, "party, subject");
            let joined = format!(
                "INSERT INTO escrowed_parties (party, subject) SELECT u.* FROM {rows}, {gate} ON CONFLICT DO NOTHING"
            );
            statement.part("parties_joined", &joined);
        }
    }

    fn events(&self, statement: &mut Statement, gate: &str) -> Result<(), PostgresError> {
        let records =
            || self.commits.iter().flat_map(|commit| commit.records().iter().map(move |record| (commit, record)));
        let actors = records().map(|(_, record)| serde_json::to_string(&record.stamp.by));
        let bodies = records().map(|(_, record)| record.payload.to_json());
        let rows = columns!(statement;
            "text": records().map(|(commit, _)| commit.subject().to_string()).collect::<Vec<_>>(),
            "int8": records().map(|(_, record)| i64::from(record.seq)).collect::<Vec<_>>(),
            "text": records().map(|(_, record)| record.name).collect::<Vec<_>>(),
            "int8": records().map(|(_, record)| i64::from(record.version)).collect::<Vec<_>>(),
            "text": actors.collect::<Result<Vec<_>, _>>()?,
            "int8": records().map(|(_, record)| record.stamp.at.unix_micros()).collect::<Vec<_>>(),
            "text": bodies.collect::<Result<Vec<_>, _>>()?,
        );
        let names = "subject, seq, name, version, actor, at, body";
        let rows = rows.named(statement, names);
        let written = format!("INSERT INTO escrowed_events ({names}) SELECT u.* FROM {rows}, {gate}");
        statement.part("written", &written);
        Ok(())
    }

    fn entries(&self, statement: &mut Statement, gate: &str) {
        let entries =
            || self.commits.iter().flat_map(|commit| commit.entries().iter().map(move |entry| (commit, entry)));
        if entries().next().is_none() {
            return;
        }
        let of = |text: fn(&Entry) -> String| entries().map(|(_, entry)| text(entry)).collect::<Vec<_>>();
        let rows = columns!(statement;
            "text": entries().map(|(commit, _)| commit.subject().to_string()).collect::<Vec<_>>(),
            "int8": entries().map(|(commit, _)| i64::from(last(commit).seq)).collect::<Vec<_>>(),
            "text": of(|entry| entry.from().to_string()),
            "text": of(|entry| entry.to().to_string()),
            "int8": entries().map(|(_, entry)| entry.amount().minor()).collect::<Vec<_>>(),
            "text": entries().map(|(_, entry)| entry.amount().currency().code()).collect::<Vec<_>>(),
            "text": entries().map(|(_, entry)| entry.purpose().name()).collect::<Vec<_>>(),
            "int8": entries().map(|(commit, _)| last(commit).stamp.at.unix_micros()).collect::<Vec<_>>(),
        );
        let names = "subject, seq, from_account, to_account, minor, currency, purpose, at";
        let rows = rows.placed(statement, names);
        let booked = format!(
            "INSERT INTO escrowed_entries ({names})
SELECT u.subject, u.seq, u.from_account, u.to_account, u.minor, u.currency, u.purpose, u.at
FROM {gate}, {rows} ORDER BY u.place"
        );
        statement.part("booked", &booked);
    }

    fn outbox(&self, statement: &mut Statement, gate: &str) -> Result<(), PostgresError> {
        if !self.withdrawn.is_empty() {
            let withdrawn = format!(
                "UPDATE escrowed_calls AS c SET status = 'withdrawn' FROM asked AS a, {gate} WHERE c.key = a.key AND a.free"
            );
            statement.part("withdrawn", &withdrawn);
        }
        if !self.settled.is_empty() {
            let rows = columns!(statement;
                "text": texts(self.settled.iter().map(|(key, ..)| key)),
                "text": self.settled.iter().map(|(_, status, _)| status.name()).collect::<Vec<_>>(),
                "text": self.settled.iter().map(|(.., outcome)| outcome.as_str()).collect::<Vec<_>>(),
            );
            let rows = rows.named(statement, "key, status, outcome");
            let settled = format!(
                "UPDATE escrowed_calls AS c SET status = u.status, outcome = u.outcome, worker = NULL, lease_until = NULL
FROM {rows}, {gate} WHERE c.key = u.key"
            );
            statement.part("settled", &settled);
        }
        if self.calls.is_empty() {
            return Ok(());
        }
        let instructions = self.calls.iter().map(|new| serde_json::to_string(&new.call.instruction));
        let rows = columns!(statement;
            "text": texts(self.calls.iter().map(|new| new.call.instruction.key())),
            "text": texts(self.calls.iter().map(|new| new.lane)),
            "text": self.calls.iter().map(|new| new.call.gateway.as_str()).collect::<Vec<_>>(),
            "text": instructions.collect::<Result<Vec<_>, _>>()?,
            "text": self.calls.iter().map(|new| new.status.name()).collect::<Vec<_>>(),
            "int8": self.calls.iter().map(|new| new.call.due.unix_micros()).collect::<Vec<_>>(),
            "text": self.calls.iter().map(|new| new.outcome.as_deref()).collect::<Vec<_>>(),
            "text": self.calls.iter().map(|new| new.follows.map(|key| key.to_string())).collect::<Vec<_>>(),
        );
        let unless_free = if self.calls.iter().any(|new| new.follows.is_some()) {
            "WHERE u.follows IS NULL OR EXISTS (SELECT FROM asked AS a WHERE a.key = u.follows AND NOT a.gone AND NOT a.free)"
        } else {
            ""
        };
        let rows = rows.placed(statement, "key, lane, gateway, instruction, status, due, outcome, follows");
        let enqueued = format!(
            "INSERT INTO escrowed_calls (key, lane, gateway, instruction, status, due, outcome, attempts)
SELECT u.key, u.lane, u.gateway, u.instruction, u.status, u.due, u.outcome, 0
FROM {gate}, {rows}
{unless_free} ORDER BY u.place"
        );
        statement.part("enqueued", &enqueued);
        Ok(())
    }

    fn requests(&self, statement: &mut Statement, gate: &str) {
        let done: Vec<_> = self.commits.iter().filter_map(|commit| Some((commit, commit.request()?))).collect();
        if done.is_empty() {
            return;
        }
        let rows = columns!(statement;
            "text": done.iter().map(|(_, request)| request.key.as_str()).collect::<Vec<_>>(),
            "text": texts(done.iter().map(|(_, request)| request.digest)),
            "text": texts(done.iter().map(|(commit, _)| commit.subject())),
            "int8": done.iter().map(|(commit, _)| i64::from(last(commit).seq)).collect::<Vec<_>>(),
        );
        let rows = rows.named(statement, "key, digest, subject, seq");
        let answered =
            format!("INSERT INTO escrowed_requests (key, digest, subject, seq) SELECT u.* FROM {rows}, {gate}");
        statement.part("answered", &answered);
    }
}

fn index_rows(statement: &mut Statement, commits: &[&Commit]) -> Result<String, PostgresError> {
    let rows = || commits.iter().map(|commit| commit.index());
    let parties = rows().map(|row| serde_json::to_string(&*row.parties));
    let rows = columns!(statement;
        "text": texts(commits.iter().map(|commit| commit.subject())),
        "text": rows().map(|row| row.lifecycle).collect::<Vec<_>>(),
        "text": rows().map(|row| row.status).collect::<Vec<_>>(),
        "text": parties.collect::<Result<Vec<_>, _>>()?,
        "text": rows().map(|row| row.about.map(|about| about.to_string())).collect::<Vec<_>>(),
        "int8": rows().map(|row| row.deadline.map(|deadline| deadline.unix_micros())).collect::<Vec<_>>(),
        "int8": rows().map(|row| row.held.minor()).collect::<Vec<_>>(),
        "text": rows().map(|row| row.held.currency().code()).collect::<Vec<_>>(),
        "int8": commits.iter().map(|commit| i64::from(last(commit).seq)).collect::<Vec<_>>(),
        "int8": commits.iter().map(|commit| commit.expected().map(Revision::mark)).collect::<Vec<_>>(),
        "int8": commits.iter().map(|commit| before(commit)).collect::<Vec<_>>(),
    );
    let names = "id, lifecycle, status, parties, about, deadline, held, currency, seq, expected, before";
    Ok(rows.named(statement, names))
}

/// The last event of a commit.
pub(super) fn last(commit: &Commit) -> &Record {
    commit.records().last().expect("a commit has at least one event")
}

/// The number of the event that a commit goes on from.
pub(super) fn before(commit: &Commit) -> i64 {
    commit.records().first().map_or(0, |first| i64::from(first.seq) - 1)
}

fn texts<T: ToString>(values: impl Iterator<Item = T>) -> Vec<String> {
    values.map(|value| value.to_string()).collect()
}
