//! The parts that write the rows of a batch, table by table.

use super::{Batch, Checks, NewCall, last};
use crate::{
    postgres::{
        PostgresError,
        statement::{Gate, Known, Plain, Rows, Statement},
    },
    store::{Commit, IndexRow, Revision},
};

impl Batch<'_> {
    // Writes the index rows. What depends on them waits for the gate that this answers with.
    pub(super) fn subjects(
        &self,
        statement: &mut Statement,
        fine: Gate,
        checks: Checks,
    ) -> Result<Gate, PostgresError> {
        let (going, opening): (Vec<_>, Vec<_>) =
            self.order.iter().partition(|place| self.commits[**place].expected().is_some());
        let mut gate = fine;
        let revision = statement.bind(self.revision.mark());
        if !opening.is_empty() {
            let new = self.index_rows(statement, &opening);
            let new = with_parties(new, opening.iter().map(|place| &self.commits[*place]))?.listed();
            statement.part(
                "opened",
                format_args!(
                    "INSERT INTO escrowed_subjects ({INDEX_ROW}, parties, revision) SELECT u.*, {revision} FROM {new} AS u{gate}
ON CONFLICT (id) DO NOTHING RETURNING 1"
                ),
            );
            if opening.len() == 1 {
                gate = Gate(Some("opened"));
            }
        }
        if !going.is_empty() {
            let commits = || going.iter().map(|place| &self.commits[*place]);
            let events = || commits().map(|commit| u32::try_from(commit.records().len()).expect("each has its number"));
            let same = statement.alike(events());
            let rows = self.index_rows(statement, &going);
            let rows = rows.each(commits().map(|commit| commit.expected().map(Revision::mark)));
            let rows = rows.known(same, events().map(plain));
            // Nearly always they are who they were.
            let keep = commits().all(Commit::keeps_parties);
            let rows = if keep { rows } else { with_parties(rows, commits())? }.listed();
            let (set_parties, parties) = if keep { ("", "") } else { ("parties = u.parties, ", ", parties") };
            statement.part(
                "gone_on",
                format_args!(
                    "UPDATE escrowed_subjects AS s SET lifecycle = u.lifecycle, status = u.status, about = u.about,
    {set_parties}deadline = u.deadline, held = u.held, currency = u.currency, seq = u.seq,
    revision = {revision}, worker = NULL, lease_until = NULL
FROM {rows} AS u ({INDEX_ROW}, expected, events{parties}){gate}
WHERE s.id = u.id AND s.revision = u.expected AND s.seq = u.seq - u.events
RETURNING 1"
                ),
            );
            if checks == Checks::Ahead && self.commits.len() == 1 {
                gate = Gate(Some("gone_on"));
            }
        }
        Ok(gate)
    }

    pub(super) fn parties(&self, statement: &mut Statement, gate: Gate) {
        let (mut joins, mut leaves) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for (commit, id) in self.commits.iter().zip(&self.ids) {
            let (before, now) = commit.parties();
            for (rows, parties, others) in [(&mut joins, now, before), (&mut leaves, before, now)] {
                for party in parties.iter().filter(|party| !others.contains(party)) {
                    rows.0.push(party.as_str());
                    rows.1.push(id.as_str());
                }
            }
        }
        if !leaves.0.is_empty() {
            let rows = statement.rows().each(leaves.0.into_iter()).each(leaves.1.into_iter()).listed();
            statement.part(
                "parties_left",
                format_args!(
                    "DELETE FROM escrowed_parties AS p USING {rows} AS u (party, subject){gate}
WHERE p.party = u.party AND p.subject = u.subject"
                ),
            );
        }
        if !joins.0.is_empty() {
            let rows = statement.rows().each(joins.0.into_iter()).each(joins.1.into_iter()).listed();
            statement.part(
                "parties_joined",
                format_args!(
                    "INSERT INTO escrowed_parties (party, subject) SELECT u.* FROM {rows} AS u{gate} ON CONFLICT DO NOTHING"
                ),
            );
        }
    }

    pub(super) fn events(&self, statement: &mut Statement, gate: Gate) -> Result<(), PostgresError> {
        let commits = || self.commits.iter().enumerate();
        // With the place of its commit, and how many come after it.
        let records = || {
            commits().flat_map(|(place, commit)| {
                let records = commit.records();
                records.iter().enumerate().map(move |(nth, record)| (place, records.len() - nth - 1, record))
            })
        };
        let same = statement.alike(records().map(|(.., record)| (record.name, record.version, &record.stamp)));
        let actors = records().map(|(.., record)| serde_json::to_string(&record.stamp.by));
        let actors = actors.take(if same { 1 } else { usize::MAX }).collect::<Result<Vec<_>, _>>()?;
        let bodies = records().map(|(.., record)| record.payload.to_json()).collect::<Result<Vec<_>, _>>()?;
        let rows = statement.rows().known(false, records().map(|(place, ..)| self.id(place)));
        let rows = rows
            .known(false, records().map(|(place, after, record)| (Known::Seq(place, after), i64::from(record.seq))));
        let rows = rows.alike(same, records().map(|(.., record)| record.name));
        let rows = rows.known(same, records().map(|(.., record)| plain(record.version.into())));
        let rows = rows.alike(same, actors.into_iter());
        let rows = rows.known(
            same,
            records().map(|(place, after, record)| (Known::At(place, after), record.stamp.at.unix_micros())),
        );
        let rows = rows.each(bodies.into_iter()).listed();
        let body = format_args!(
            "INSERT INTO escrowed_events (subject, seq, name, version, actor, at, body) SELECT u.* FROM {rows} AS u{gate}"
        );
        statement.part("written", body);
        Ok(())
    }

    pub(super) fn entries(&self, statement: &mut Statement, gate: Gate) {
        let commits = || self.commits.iter().enumerate();
        let entries = || commits().flat_map(|(place, commit)| commit.entries().iter().map(move |entry| (place, entry)));
        if entries().next().is_none() {
            return;
        }
        let last = |place: usize| last(&self.commits[place]);
        let same = statement
            .alike(entries().map(|(place, entry)| (entry.amount().currency(), entry.purpose(), last(place).stamp.at)));
        let rows = statement.rows().known(false, entries().map(|(place, _)| self.id(place)));
        let rows = rows.known(false, entries().map(|(place, _)| (Known::Seq(place, 0), i64::from(last(place).seq))));
        let rows = self.moves.booked(rows, same, entries().map(|(_, entry)| entry.amount()));
        let rows = rows.alike(same, entries().map(|(_, entry)| entry.purpose().name()));
        let rows =
            rows.known(same, entries().map(|(place, _)| (Known::At(place, 0), last(place).stamp.at.unix_micros())));
        let names = "subject, seq, from_account, to_account, minor, currency, purpose, at";
        let (rows, [place, in_order]) = rows.ordered();
        statement.part(
            "booked",
            format_args!(
                "INSERT INTO escrowed_entries ({names})
SELECT u.subject, u.seq, u.from_account, u.to_account, u.minor, u.currency, u.purpose, u.at
FROM {rows} AS u ({names}{place}){gate}{in_order}"
            ),
        );
    }

    // What becomes of calls that were in the outbox before.
    pub(super) fn outbox(&self, statement: &mut Statement, gate: Gate) {
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
            let rows = statement.rows().each(self.settled.keys().map(|key| String::from(*key)));
            let rows = rows.each(self.settled.values().map(|(status, _)| status.name()));
            let rows = rows.each(self.settled.values().map(|(_, outcome)| outcome.as_str()));
            let rows = rows.listed();
            statement.part(
                "settled",
                format_args!(
                    "UPDATE escrowed_calls AS c
SET status = u.status, outcome = u.outcome, worker = NULL, lease_until = NULL,
    sent = CASE u.status WHEN 'pending' THEN 0 ELSE c.sent END
FROM {rows} AS u (key, status, outcome){gate} WHERE c.key = u.key RETURNING 1"
                ),
            );
        }
    }

    pub(super) fn new_calls(&self, statement: &mut Statement, gate: Gate) -> Result<(), PostgresError> {
        if self.calls.is_empty() {
            return Ok(());
        }
        let calls = || self.calls.iter();
        let instructions = calls().map(|new| serde_json::to_string(&new.call.instruction));
        let instructions = instructions.collect::<Result<Vec<_>, _>>()?;
        // Nearly always they only wait to be sent.
        let wait = calls().all(NewCall::only_waits);
        let same = statement
            .alike(calls().map(|new| (&new.call.gateway, new.status, new.call.due, &new.outcome, new.follows)));
        let lane = |place: usize| match &self.abouts[place] {
            Some(about) => (Known::About(place), about.as_str()),
            None => self.id(place),
        };
        let rows = statement.rows().each(calls().map(|new| String::from(new.call.instruction.key())));
        let rows = rows.known(false, calls().map(|new| lane(new.commit)));
        let rows = rows.alike(same, calls().map(|new| new.call.gateway.as_str()));
        let rows = rows.each(instructions.into_iter());
        // Nearly always at once, which is when the commit was made: no coincidence, so the text may depend on it.
        let at_once = calls().all(|new| new.call.due == last(&self.commits[new.commit]).stamp.at);
        let due = |new: &NewCall<'_>| (at_once.then_some(Known::At(new.commit, 0)), new.call.due.unix_micros());
        let rows = rows.known(same, calls().map(due));
        if wait {
            let (rows, [place, in_order]) = rows.ordered();
            statement.part(
                "enqueued",
                format_args!(
                    "INSERT INTO escrowed_calls (key, lane, gateway, instruction, due, status, attempts)
SELECT u.key, u.lane, u.gateway, u.instruction, u.due, 'queued', 0
FROM {rows} AS u (key, lane, gateway, instruction, due{place}){gate}{in_order}"
                ),
            );
            return Ok(());
        }
        let rows = rows.alike(same, calls().map(|new| new.status.name()));
        let rows = rows.alike(same, calls().map(|new| new.outcome.as_deref()));
        let rows = rows.alike(same, calls().map(|new| new.follows.map(String::from)));
        let unless_free = if self.calls.iter().any(|new| new.follows.is_some()) {
            "\nWHERE u.follows IS NULL OR EXISTS (SELECT FROM asked AS a WHERE a.key = u.follows AND NOT a.gone AND NOT a.free)"
        } else {
            ""
        };
        let (rows, [place, in_order]) = rows.ordered();
        statement.part(
            "enqueued",
            format_args!(
                "INSERT INTO escrowed_calls (key, lane, gateway, instruction, due, status, outcome, attempts, sent)
SELECT u.key, u.lane, u.gateway, u.instruction, u.due, u.status, u.outcome, 0, CASE u.status WHEN 'pending' THEN 0 END
FROM {rows} AS u (key, lane, gateway, instruction, due, status, outcome, follows{place}){gate}{unless_free}{in_order}"
            ),
        );
        Ok(())
    }

    pub(super) fn requests(&self, statement: &mut Statement, gate: Gate) {
        let commits = || self.commits.iter().enumerate();
        let done = || commits().filter_map(|(place, commit)| Some((place, commit, commit.request()?)));
        if done().next().is_none() {
            return;
        }
        let rows = statement.rows().each(done().map(|(.., request)| request.key.as_str()));
        let rows = rows.each(done().map(|(.., request)| request.digest.to_string()));
        let rows = rows.known(false, done().map(|(place, ..)| self.id(place)));
        let seq = |(place, commit, _): (usize, &Commit, _)| (Known::Seq(place, 0), i64::from(last(commit).seq));
        let rows = rows.known(false, done().map(seq)).listed();
        let body =
            format_args!("INSERT INTO escrowed_requests (key, digest, subject, seq) SELECT u.* FROM {rows} AS u{gate}");
        statement.part("answered", body);
    }

    // The subject of a commit.
    fn id(&self, place: usize) -> (Known, &str) {
        (Known::Id(place), &self.ids[place])
    }

    // The columns of INDEX_ROW.
    fn index_rows<'s>(&self, statement: &'s mut Statement, places: &[usize]) -> Rows<'s> {
        let rows = || places.iter().map(|place| self.commits[*place].index());
        let same = statement.alike(rows().map(|row| (row.lifecycle, row.status, row.about, row.held.currency())));
        let about = |place: &usize| match self.abouts[*place].as_deref() {
            Some(about) => (Known::About(*place), Some(about)),
            None => (Known::Plain(Plain::NoText), None),
        };
        let deadline = |row: &IndexRow| match row.deadline {
            Some(deadline) => (None, Some(deadline.unix_micros())),
            None => (Some(Known::Plain(Plain::NoNumber)), None),
        };
        let currency = |row: &IndexRow| (Known::Currency(row.held.currency()), row.held.currency().code());
        let seq = |place: &usize| (Known::Seq(*place, 0), i64::from(last(&self.commits[*place]).seq));
        let all = statement.rows().known(false, places.iter().map(|place| self.id(*place)));
        let all = all.alike(same, rows().map(|row| row.lifecycle)).alike(same, rows().map(|row| row.status));
        let all = all.known(same, places.iter().map(about)).known(false, rows().map(deadline));
        let all = all.each(rows().map(|row| row.held.minor())).known(same, rows().map(currency));
        all.known(false, places.iter().map(seq))
    }
}

const INDEX_ROW: &str = "id, lifecycle, status, about, deadline, held, currency, seq";

fn with_parties<'c, 's>(rows: Rows<'s>, commits: impl Iterator<Item = &'c Commit>) -> Result<Rows<'s>, PostgresError> {
    let parties =
        commits.map(|commit| serde_json::to_string(&*commit.index().parties)).collect::<Result<Vec<_>, _>>()?;
    Ok(rows.each(parties.into_iter()))
}

// A number of which there are but a few.
fn plain(number: u32) -> (Known, i64) {
    (Known::Plain(Plain::Number(number)), number.into())
}
