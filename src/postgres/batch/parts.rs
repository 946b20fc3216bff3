//! The parts that write the rows of a batch, table by table.

use super::{Batch, Checks, Each, NewCall, last};
use crate::{
    postgres::statement::{Gate, Json, Known, Plain, Rows, Statement, sql},
    store::{Commit, IndexRow, Revision},
};

impl Batch<'_> {
    // Writes the index rows. What depends on them waits for the gate that this answers with.
    pub(super) fn subjects(&self, statement: &mut Statement, fine: Gate, checks: Checks) -> Gate {
        let (going, opening): (Each<_>, Each<_>) =
            self.order.iter().copied().partition(|place| self.commits[*place].expected().is_some());
        let mut gate = fine;
        let revision = statement.bind(self.revision.mark());
        if !opening.is_empty() {
            let mut new = self.index_rows(statement, &opening);
            with_parties(&mut new, opening.iter().map(|place| &self.commits[*place]));
            let new = new.listed();
            statement.part(sql!["opened AS (
    INSERT INTO escrowed_subjects (" INDEX_ROW ", parties, revision) SELECT u.*, " revision " FROM " new " AS u" gate "
    ON CONFLICT (id) DO NOTHING RETURNING 1
)"]);
            if opening.len() == 1 {
                gate = Gate(Some("opened"));
            }
        }
        if !going.is_empty() {
            let commits = || going.iter().map(|place| &self.commits[*place]);
            let events = || commits().map(|commit| u32::try_from(commit.records().len()).expect("each has its number"));
            let same = statement.alike(events());
            let mut rows = self.index_rows(statement, &going);
            rows.each(commits().map(|commit| commit.expected().map(Revision::mark)));
            rows.known(same, events().map(plain));
            // Nearly always they are who they were.
            let keep = commits().all(Commit::keeps_parties);
            if !keep {
                with_parties(&mut rows, commits());
            }
            let rows = rows.listed();
            let (set_parties, parties) = if keep { ("", "") } else { ("parties = u.parties, ", ", parties") };
            statement.part(sql!["gone_on AS (
    UPDATE escrowed_subjects AS s SET lifecycle = u.lifecycle, status = u.status, about = u.about,
        " set_parties "deadline = u.deadline, held = u.held, currency = u.currency, seq = u.seq,
        revision = " revision ", worker = NULL, lease_until = NULL
    FROM " rows " AS u (" INDEX_ROW ", expected, events" parties ")" gate "
    WHERE s.id = u.id AND s.revision = u.expected AND s.seq = u.seq - u.events
    RETURNING 1
)"]);
            if checks == Checks::Ahead && self.commits.len() == 1 {
                gate = Gate(Some("gone_on"));
            }
        }
        gate
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
            let mut rows = statement.rows();
            rows.each(leaves.0.into_iter()).each(leaves.1.into_iter());
            let rows = rows.listed();
            statement.part(sql!["parties_left AS (
    DELETE FROM escrowed_parties AS p USING " rows " AS u (party, subject)" gate "
    WHERE p.party = u.party AND p.subject = u.subject
)"]);
        }
        if !joins.0.is_empty() {
            let mut rows = statement.rows();
            rows.each(joins.0.into_iter()).each(joins.1.into_iter());
            let rows = rows.listed();
            statement.part(sql!["parties_joined AS (
    INSERT INTO escrowed_parties (party, subject) SELECT u.* FROM " rows " AS u" gate " ON CONFLICT DO NOTHING
)"]);
        }
    }

    pub(super) fn events(&self, statement: &mut Statement, gate: Gate) {
        // With the place of its commit, and whether it is the last one of that.
        let mut all = Each::with_capacity(self.commits.len());
        for (place, commit) in self.commits.iter().enumerate() {
            let last = last(commit).seq;
            all.extend(commit.records().iter().map(|record| (place, record.seq == last, record)));
        }
        let records = || all.iter().copied();
        let same = statement.alike(records().map(|(.., record)| (record.name, record.version, &record.stamp)));
        let mut rows = statement.rows();
        rows.known(false, records().map(|(place, ..)| self.id(place)));
        rows.known(false, records().map(|(_, last, record)| (last.then_some(Known::Seq), i64::from(record.seq))));
        rows.alike(same, records().map(|(.., record)| record.name));
        rows.known(same, records().map(|(.., record)| plain(record.version.into())));
        rows.alike(same, records().map(|(.., record)| Json(&record.stamp.by)));
        rows.known(same, records().map(|(_, last, record)| (last.then_some(Known::At), record.stamp.at.unix_micros())));
        rows.each(records().map(|(.., record)| Json(&record.payload)));
        let rows = rows.listed();
        statement.part(sql!["written AS (
    INSERT INTO escrowed_events (subject, seq, name, version, actor, at, body) SELECT u.* FROM " rows " AS u" gate "
)"]);
    }

    pub(super) fn entries(&self, statement: &mut Statement, gate: Gate) {
        // With the last event of its commit.
        let mut all = Each::with_capacity(self.commits.len());
        for (place, commit) in self.commits.iter().enumerate() {
            all.extend(commit.entries().iter().map(|entry| (place, last(commit), entry)));
        }
        if all.is_empty() {
            return;
        }
        let entries = || all.iter().copied();
        let same = statement
            .alike(entries().map(|(_, last, entry)| (entry.amount().currency(), entry.purpose(), last.stamp.at)));
        let mut rows = statement.rows();
        rows.known(false, entries().map(|(place, ..)| self.id(place)));
        rows.known(false, entries().map(|(_, last, _)| (Known::Seq, i64::from(last.seq))));
        self.moves.booked(&mut rows, same, entries().map(|(.., entry)| entry.amount()));
        rows.alike(same, entries().map(|(.., entry)| entry.purpose().name()));
        rows.known(same, entries().map(|(_, last, _)| (Known::At, last.stamp.at.unix_micros())));
        let names = "subject, seq, from_account, to_account, minor, currency, purpose, at";
        let (rows, [place, in_order]) = rows.ordered();
        statement.part(sql!["booked AS (
    INSERT INTO escrowed_entries (" names ")
    SELECT u.subject, u.seq, u.from_account, u.to_account, u.minor, u.currency, u.purpose, u.at
    FROM " rows " AS u (" names place ")" gate in_order "
)"]);
    }

    // What becomes of calls that were in the outbox before.
    pub(super) fn outbox(&self, statement: &mut Statement, gate: Gate) {
        // One that the batch answers, too, is written once: as it is in the end.
        let withdrawn = || self.withdrawn.iter().map(|(key, _)| *key).filter(|key| !self.settled.contains_key(key));
        if withdrawn().next().is_some() {
            let keys = statement.one_of(withdrawn());
            statement.part(sql!["withdrawn AS (
    UPDATE escrowed_calls AS c SET status = 'withdrawn' FROM asked AS a" gate "
    WHERE c.key = a.key AND a.free AND a.key " keys "
)"]);
        }
        if !self.settled.is_empty() {
            let mut rows = statement.rows();
            rows.each(self.settled.keys().map(|key| String::from(*key)));
            rows.each(self.settled.values().map(|(status, _)| status.name()));
            rows.each(self.settled.values().map(|(_, outcome)| outcome.as_str()));
            let rows = rows.listed();
            statement.part(sql!["settled AS (
    UPDATE escrowed_calls AS c
    SET status = u.status, outcome = u.outcome, worker = NULL, lease_until = NULL,
        sent = CASE u.status WHEN 'pending' THEN 0 ELSE c.sent END
    FROM " rows " AS u (key, status, outcome)" gate " WHERE c.key = u.key RETURNING 1
)"]);
        }
    }

    pub(super) fn new_calls(&self, statement: &mut Statement, gate: Gate) {
        if self.calls.is_empty() {
            return;
        }
        let calls = || self.calls.iter();
        // Nearly always they only wait to be sent.
        let wait = calls().all(NewCall::only_waits);
        let same = statement
            .alike(calls().map(|new| (&new.call.gateway, new.status, new.call.due, &new.outcome, new.follows)));
        let lane = |place: usize| match &self.abouts[place] {
            Some(about) => (Known::About, about.as_str()),
            None => self.id(place),
        };
        let mut rows = statement.rows();
        rows.each(calls().map(|new| String::from(new.call.instruction.key())));
        rows.known(false, calls().map(|new| lane(new.commit)));
        rows.alike(same, calls().map(|new| new.call.gateway.as_str()));
        rows.each(calls().map(|new| Json(&new.call.instruction)));
        // Nearly always at once, which is when the commit was made: no coincidence, so the text may depend on it.
        let at_once = calls().all(|new| new.call.due == last(&self.commits[new.commit]).stamp.at);
        let due = |new: &NewCall<'_>| (at_once.then_some(Known::At), new.call.due.unix_micros());
        rows.known(same, calls().map(due));
        if wait {
            let (rows, [place, in_order]) = rows.ordered();
            statement.part(sql!["enqueued AS (
    INSERT INTO escrowed_calls (key, lane, gateway, instruction, due, status, attempts)
    SELECT u.key, u.lane, u.gateway, u.instruction, u.due, 'queued', 0
    FROM " rows " AS u (key, lane, gateway, instruction, due" place ")" gate in_order "
)"]);
            return;
        }
        rows.alike(same, calls().map(|new| new.status.name()));
        rows.alike(same, calls().map(|new| new.outcome.as_deref()));
        rows.alike(same, calls().map(|new| new.follows.map(String::from)));
        let unless_free = if self.calls.iter().any(|new| new.follows.is_some()) {
            "\nWHERE u.follows IS NULL OR EXISTS (SELECT FROM asked AS a WHERE a.key = u.follows AND NOT a.gone AND NOT a.free)"
        } else {
            ""
        };
        let (rows, [place, in_order]) = rows.ordered();
        statement.part(sql!["enqueued AS (
    INSERT INTO escrowed_calls (key, lane, gateway, instruction, due, status, outcome, attempts, sent)
    SELECT u.key, u.lane, u.gateway, u.instruction, u.due, u.status, u.outcome, 0, CASE u.status WHEN 'pending' THEN 0 END
    FROM " rows " AS u (key, lane, gateway, instruction, due, status, outcome, follows" place ")" gate unless_free in_order "
)"]);
    }

    pub(super) fn requests(&self, statement: &mut Statement, gate: Gate) {
        let commits = || self.commits.iter().enumerate();
        let done = || commits().filter_map(|(place, commit)| Some((place, commit, commit.request()?)));
        if done().next().is_none() {
            return;
        }
        let mut rows = statement.rows();
        rows.each(done().map(|(.., request)| request.key.as_str()));
        rows.each(done().map(|(.., request)| request.digest.to_string()));
        rows.known(false, done().map(|(place, ..)| self.id(place)));
        rows.known(false, done().map(|(_, commit, _)| (Known::Seq, i64::from(last(commit).seq))));
        let rows = rows.listed();
        statement.part(sql!["answered AS (
    INSERT INTO escrowed_requests (key, digest, subject, seq) SELECT u.* FROM " rows " AS u" gate "
)"]);
    }

    // The subject of a commit.
    fn id(&self, place: usize) -> (Known, &str) {
        (Known::Id, &self.ids[place])
    }

    // The columns of INDEX_ROW.
    fn index_rows<'s>(&self, statement: &'s mut Statement, places: &[usize]) -> Rows<'s> {
        let rows = || places.iter().map(|place| self.commits[*place].index());
        let same = statement.alike(rows().map(|row| (row.lifecycle, row.status, row.about, row.held.currency())));
        let about = |place: &usize| match self.abouts[*place].as_deref() {
            Some(about) => (Known::About, Some(about)),
            None => (Known::Plain(Plain::NoText), None),
        };
        let deadline = |row: &IndexRow| match row.deadline {
            Some(deadline) => (None, Some(deadline.unix_micros())),
            None => (Some(Known::Plain(Plain::NoNumber)), None),
        };
        let currency = |row: &IndexRow| (Known::Currency(row.held.currency()), row.held.currency().code());
        let seq = |place: &usize| (Known::Seq, i64::from(last(&self.commits[*place]).seq));
        let mut all = statement.rows();
        all.known(false, places.iter().map(|place| self.id(*place)));
        all.alike(same, rows().map(|row| row.lifecycle)).alike(same, rows().map(|row| row.status));
        all.known(same, places.iter().map(about)).known(false, rows().map(deadline));
        all.each(rows().map(|row| row.held.minor())).known(same, rows().map(currency));
        all.known(false, places.iter().map(seq));
        all
    }
}

const INDEX_ROW: &str = "id, lifecycle, status, about, deadline, held, currency, seq";

fn with_parties<'c>(rows: &mut Rows<'_>, commits: impl Iterator<Item = &'c Commit>) {
    rows.each(commits.map(|commit| Json(&*commit.index().parties)));
}

// A number of which there are but a few.
fn plain(number: u32) -> (Known, i64) {
    (Known::Plain(Plain::Number(number)), number.into())
}
