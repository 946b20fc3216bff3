//! The parts that write the rows of a batch, table by table.

use super::{Batch, before, last};
use crate::{
    postgres::{
        PostgresError,
        statement::{Gate, Rows, Statement, columns},
    },
    store::{Commit, Revision},
};

impl Batch<'_> {
    // Writes the index rows. What depends on them waits for the gate that this answers with.
    pub(super) fn subjects(
        &self,
        statement: &mut Statement,
        fine: Gate,
    ) -> Result<(Gate, &'static str), PostgresError> {
        // In one order for everybody: so are their rows locked.
        let mut ids: Vec<_> = self.commits.iter().map(|commit| (String::from(commit.subject()), commit)).collect();
        ids.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let (going, opening): (Vec<_>, Vec<_>) = ids.into_iter().partition(|(_, commit)| commit.expected().is_some());
        let mut gate = fine;
        let single = self.commits.len() == 1;
        if !opening.is_empty() {
            let mut rows = index_rows(statement, &opening);
            parties_of(&opening, &mut rows, statement)?;
            let rows = rows.named(WITH_PARTIES);
            statement.part(
                "opened",
                format_args!(
                    "INSERT INTO escrowed_subjects (id, lifecycle, status, parties, about, deadline, held, currency, seq)
SELECT u.id, u.lifecycle, u.status, u.parties, u.about, u.deadline, u.held, u.currency, u.seq FROM {rows}{gate}
ON CONFLICT (id) DO NOTHING RETURNING id, revision"
                ),
            );
            if opening.len() == 1 {
                gate = Gate(Some("opened"));
            }
        }
        if !going.is_empty() {
            // Nearly always they are who they were.
            let keep = going.iter().all(|(_, commit)| commit.keeps_parties());
            let (rows, names, parties) = if keep {
                (index_rows(statement, &going), INDEX_ROW, "")
            } else {
                let mut rows = index_rows(statement, &going);
                parties_of(&going, &mut rows, statement)?;
                (rows, WITH_PARTIES, "parties = u.parties, ")
            };
            let rows = rows.named(names);
            statement.part(
                "gone_on",
                format_args!(
                    "UPDATE escrowed_subjects AS s SET lifecycle = u.lifecycle, status = u.status, {parties}
    about = u.about, deadline = u.deadline, held = u.held, currency = u.currency, seq = u.seq,
    revision = nextval('escrowed_revisions'), worker = NULL, lease_until = NULL
FROM {rows}{gate}
WHERE s.id = u.id AND s.revision = u.expected AND s.seq = u.before
RETURNING s.id, s.revision"
                ),
            );
            if single {
                gate = Gate(Some("gone_on"));
            }
        }
        let answer = match (opening.is_empty(), going.is_empty()) {
            (false, true) => "SELECT id, revision FROM opened",
            (true, false) => "SELECT id, revision FROM gone_on",
            (false, false) => "SELECT id, revision FROM opened UNION ALL SELECT id, revision FROM gone_on",
            (true, true) => "SELECT NULL::text, NULL::bigint WHERE false",
        };
        Ok((gate, answer))
    }

    pub(super) fn parties(&self, statement: &mut Statement, gate: Gate) {
        let (mut joins, mut leaves) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for commit in self.commits {
            let (before, now) = commit.parties();
            for (rows, parties, others) in [(&mut joins, now, before), (&mut leaves, before, now)] {
                for party in parties.iter().filter(|party| !others.contains(party)) {
                    rows.0.push(party.as_str());
                    rows.1.push(String::from(commit.subject()));
                }
            }
        }
        if !leaves.0.is_empty() {
            let rows = columns!(statement; leaves.0.into_iter(), leaves.1.into_iter());
            let rows = rows.named("party, subject");
            statement.part(
                "parties_left",
                format_args!(
                    "DELETE FROM escrowed_parties AS p USING {rows}{gate}
WHERE p.party = u.party AND p.subject = u.subject"
                ),
            );
        }
        if !joins.0.is_empty() {
            let rows = columns!(statement; joins.0.into_iter(), joins.1.into_iter());
            let rows = rows.named("party, subject");
            statement.part(
                "parties_joined",
                format_args!(
                    "INSERT INTO escrowed_parties (party, subject) SELECT u.* FROM {rows}{gate} ON CONFLICT DO NOTHING"
                ),
            );
        }
    }

    pub(super) fn events(&self, statement: &mut Statement, gate: Gate) -> Result<(), PostgresError> {
        let records =
            || self.commits.iter().flat_map(|commit| commit.records().iter().map(move |record| (commit, record)));
        let actors = records().map(|(_, record)| serde_json::to_string(&record.stamp.by));
        let bodies = records().map(|(_, record)| record.payload.to_json());
        let rows = columns!(statement;
            records().map(|(commit, _)| String::from(commit.subject())),
            records().map(|(_, record)| i64::from(record.seq)),
            records().map(|(_, record)| record.name),
            records().map(|(_, record)| i64::from(record.version)),
            actors.collect::<Result<Vec<_>, _>>()?.into_iter(),
            records().map(|(_, record)| record.stamp.at.unix_micros()),
            bodies.collect::<Result<Vec<_>, _>>()?.into_iter(),
        );
        let names = "subject, seq, name, version, actor, at, body";
        let rows = rows.named(names);
        let body = format_args!("INSERT INTO escrowed_events ({names}) SELECT u.* FROM {rows}{gate}");
        statement.part("written", body);
        Ok(())
    }

    pub(super) fn entries(&self, statement: &mut Statement, gate: Gate) {
        let entries =
            || self.commits.iter().flat_map(|commit| commit.entries().iter().map(move |entry| (commit, entry)));
        if entries().next().is_none() {
            return;
        }
        let rows = columns!(statement;
            entries().map(|(commit, _)| String::from(commit.subject())),
            entries().map(|(commit, _)| i64::from(last(commit).seq)),
            entries().map(|(_, entry)| String::from(entry.from())),
            entries().map(|(_, entry)| String::from(entry.to())),
            entries().map(|(_, entry)| entry.amount().minor()),
            entries().map(|(_, entry)| entry.amount().currency().code()),
            entries().map(|(_, entry)| entry.purpose().name()),
            entries().map(|(commit, _)| last(commit).stamp.at.unix_micros()),
        );
        let names = "subject, seq, from_account, to_account, minor, currency, purpose, at";
        let rows = rows.placed(names);
        statement.part(
            "booked",
            format_args!(
                "INSERT INTO escrowed_entries ({names})
SELECT u.subject, u.seq, u.from_account, u.to_account, u.minor, u.currency, u.purpose, u.at
FROM {rows}{gate} ORDER BY u.place"
            ),
        );
    }

    pub(super) fn outbox(&self, statement: &mut Statement, gate: Gate) -> Result<(), PostgresError> {
        // One that the batch answers, too, is written once: as it is in the end.
        let withdrawn = || self.withdrawn.iter().map(|(key, _)| *key).filter(|key| !self.settled.contains_key(key));
        if withdrawn().next().is_some() {
            let keys = statement.one_of(withdrawn());
            statement.part(
                "withdrawn",
                format_args!(
                    "UPDATE escrowed_calls AS c SET status = 'withdrawn' FROM asked AS a{gate}
WHERE c.key = a.key AND a.free AND a.key {keys}"
                ),
            );
        }
        if !self.settled.is_empty() {
            let rows = columns!(statement;
                self.settled.keys().map(|key| String::from(*key)),
                self.settled.values().map(|(status, _)| status.name()),
                self.settled.values().map(|(_, outcome)| outcome.as_str()),
            );
            let rows = rows.named("key, status, outcome");
            statement.part(
                "settled",
                format_args!(
                    "UPDATE escrowed_calls AS c
SET status = u.status, outcome = u.outcome, worker = NULL, lease_until = NULL,
    sent = CASE u.status WHEN 'pending' THEN 0 ELSE c.sent END
FROM {rows}{gate} WHERE c.key = u.key RETURNING 1"
                ),
            );
        }
        if self.calls.is_empty() {
            return Ok(());
        }
        let instructions = self.calls.iter().map(|new| serde_json::to_string(&new.call.instruction));
        let rows = columns!(statement;
            self.calls.iter().map(|new| String::from(new.call.instruction.key())),
            self.calls.iter().map(|new| String::from(new.lane)),
            self.calls.iter().map(|new| new.call.gateway.as_str()),
            instructions.collect::<Result<Vec<_>, _>>()?.into_iter(),
            self.calls.iter().map(|new| new.status.name()),
            self.calls.iter().map(|new| new.call.due.unix_micros()),
            self.calls.iter().map(|new| new.outcome.as_deref()),
            self.calls.iter().map(|new| new.follows.map(String::from)),
        );
        let unless_free = if self.calls.iter().any(|new| new.follows.is_some()) {
            "\nWHERE u.follows IS NULL OR EXISTS (SELECT FROM asked AS a WHERE a.key = u.follows AND NOT a.gone AND NOT a.free)"
        } else {
            ""
        };
        let rows = rows.placed("key, lane, gateway, instruction, status, due, outcome, follows");
        statement.part(
            "enqueued",
            format_args!(
                "INSERT INTO escrowed_calls (key, lane, gateway, instruction, status, due, outcome, attempts, leases, sent)
SELECT u.key, u.lane, u.gateway, u.instruction, u.status, u.due, u.outcome, 0, 0,
    CASE u.status WHEN 'pending' THEN 0 END
FROM {rows}{gate}{unless_free} ORDER BY u.place"
            ),
        );
        Ok(())
    }

    pub(super) fn requests(&self, statement: &mut Statement, gate: Gate) {
        let done = || self.commits.iter().filter_map(|commit| Some((commit, commit.request()?)));
        if done().next().is_none() {
            return;
        }
        let rows = columns!(statement;
            done().map(|(_, request)| request.key.as_str()),
            done().map(|(_, request)| request.digest.to_string()),
            done().map(|(commit, _)| String::from(commit.subject())),
            done().map(|(commit, _)| i64::from(last(commit).seq)),
        );
        let rows = rows.named("key, digest, subject, seq");
        let body =
            format_args!("INSERT INTO escrowed_requests (key, digest, subject, seq) SELECT u.* FROM {rows}{gate}");
        statement.part("answered", body);
    }
}

const INDEX_ROW: &str = "id, lifecycle, status, about, deadline, held, currency, seq, expected, before";
const WITH_PARTIES: &str = "id, lifecycle, status, about, deadline, held, currency, seq, expected, before, parties";

fn index_rows(statement: &mut Statement, commits: &[(String, &Commit)]) -> Rows {
    let rows = || commits.iter().map(|(_, commit)| commit.index());
    columns!(statement;
        commits.iter().map(|(id, _)| id.as_str()),
        rows().map(|row| row.lifecycle),
        rows().map(|row| row.status),
        rows().map(|row| row.about.map(String::from)),
        rows().map(|row| row.deadline.map(|deadline| deadline.unix_micros())),
        rows().map(|row| row.held.minor()),
        rows().map(|row| row.held.currency().code()),
        commits.iter().map(|(_, commit)| i64::from(last(commit).seq)),
        commits.iter().map(|(_, commit)| commit.expected().map(Revision::mark)),
        commits.iter().map(|(_, commit)| before(commit)),
    )
}

fn parties_of(commits: &[(String, &Commit)], rows: &mut Rows, statement: &mut Statement) -> Result<(), PostgresError> {
    let parties = commits.iter().map(|(_, commit)| serde_json::to_string(&*commit.index().parties));
    rows.column(statement, parties.collect::<Result<Vec<_>, _>>()?.into_iter());
    Ok(())
}
