//! The statement that writes a batch of commits: all of it, or nothing.

mod parts;

use super::{
    PostgresError,
    money::Moves,
    statement::{Gate, Ready, Size, Statement, sql},
};
use crate::{
    gateway::IdempotencyKey,
    ledger::Account,
    store::{Call, CallStatus, Commit, IfSent, Record, Revision},
};
use smallvec::SmallVec;
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashSet};

/// When it is found out that something stands against a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checks {
    /// Before anything is written, so that the statement does not fail and a transaction of the host's goes on. It fails all
    /// the same where somebody else writes the same at the same moment: then PostgreSQL gives the transaction up.
    Ahead,
    /// By the writing itself, which is less work. PostgreSQL takes back a statement that fails; in a transaction that
    /// needs a savepoint.
    Behind,
}

/// Something of each commit. Nearly always there is one, which then needs no memory of its own.
type Each<T> = SmallVec<[T; 1]>;

/// Commits of different subjects, to be written by one statement.
pub(super) struct Batch<'c> {
    commits: &'c [Commit],
    // The same for all: no subject is twice among them.
    revision: Revision,
    // The subject of each commit, and what that belongs to.
    ids: Each<String>,
    abouts: Each<Option<String>>,
    // The commits' places in the order of their ids. That order is one for everybody: so are their rows locked.
    order: Each<usize>,
    moves: Moves<'c>,
    calls: Each<NewCall<'c>>,
    places: BTreeMap<IdempotencyKey, usize>,
    // Of calls that were in the outbox before: those that are answered, and those that are withdrawn.
    settled: BTreeMap<IdempotencyKey, (CallStatus, String)>,
    withdrawn: Vec<(IdempotencyKey, bool)>,
    // Of the withdrawn ones, those that have to be sent for all to be as it was worked out.
    sent: Vec<IdempotencyKey>,
}

/// A call that a commit of the batch puts into the outbox.
struct NewCall<'c> {
    call: &'c Call,
    // The place of the commit that asks for it.
    commit: usize,
    status: CallStatus,
    outcome: Option<String>,
    // It is put there only if this call was sent.
    follows: Option<IdempotencyKey>,
}

impl NewCall<'_> {
    /// Whether nothing is known of it but that it is to be sent.
    fn only_waits(&self) -> bool {
        self.status == CallStatus::Queued && self.outcome.is_none() && self.follows.is_none()
    }
}

impl<'c> Batch<'c> {
    /// What the commits make of each call does not depend on which others were sent, unless they are
    /// [tangled](diagnose::tangled). Then those that `are_sent` are looked up before, and have to be sent still when it is
    /// written.
    pub(super) fn of(commits: &'c [Commit], are_sent: Option<&HashSet<IdempotencyKey>>) -> Result<Self, PostgresError> {
        let calls = commits.iter().map(|commit| commit.calls().len()).sum();
        let ids: Each<_> = commits.iter().map(|commit| String::from(commit.subject())).collect();
        let mut order: Each<_> = (0..commits.len()).collect();
        order.sort_unstable_by(|one, two| ids[*one].cmp(&ids[*two]));
        let mut batch = Self {
            commits,
            revision: Revision::mint(),
            ids,
            abouts: commits.iter().map(|commit| commit.index().about.map(String::from)).collect(),
            order,
            moves: Moves::of(commits)?,
            calls: Each::with_capacity(calls),
            places: BTreeMap::new(),
            settled: BTreeMap::new(),
            withdrawn: Vec::new(),
            sent: Vec::new(),
        };
        for (place, commit) in commits.iter().enumerate() {
            batch.take_calls_of(place, commit, are_sent)?;
        }
        Ok(batch)
    }

    /// The new revision of each subject.
    pub(super) const fn revision(&self) -> Revision {
        self.revision
    }

    /// One of the accounts it touches.
    pub(super) fn any_account(&self) -> Option<&Account> {
        self.moves.any()
    }

    // A call that is asked for and answered or withdrawn in the same batch arrives in the outbox as it is in the end.
    fn take_calls_of(
        &mut self,
        place: usize,
        commit: &'c Commit,
        are_sent: Option<&HashSet<IdempotencyKey>>,
    ) -> Result<(), PostgresError> {
        if let Some(withdrawal) = commit.withdraws() {
            let key = withdrawal.key;
            let answered = self.answers(&key);
            let sent = are_sent.map(|sent| sent.contains(&key));
            match (&withdrawal.if_sent, self.new_call(&key), sent) {
                (IfSent::Refuse, ..) if answered => {
                    unreachable!("what a batch answers and withdraws is refused before")
                }
                (IfSent::Follow(call), ..) if answered => self.enqueue(call, place, None)?,
                (IfSent::Refuse | IfSent::Follow(_), Some(new), _) => new.status = CallStatus::Withdrawn,
                (IfSent::Refuse, None, _) | (IfSent::Follow(_), None, Some(false)) => self.withdrawn.push((key, true)),
                (IfSent::Follow(call), None, Some(true)) => {
                    self.enqueue(call, place, None)?;
                    self.withdrawn.push((key, false));
                    self.sent.push(key);
                }
                (IfSent::Follow(call), None, None) => {
                    self.enqueue(call, place, Some(key))?;
                    self.withdrawn.push((key, false));
                }
            }
        }
        for call in commit.calls() {
            self.enqueue(call, place, None)?;
        }
        for settlement in commit.settles() {
            let status = if settlement.outcome.is_final() { CallStatus::Settled } else { CallStatus::Pending };
            let outcome = serde_json::to_string(&settlement.outcome)?;
            match self.new_call(&settlement.key) {
                Some(new) => (new.status, new.outcome) = (status, Some(outcome)),
                None => drop(self.settled.insert(settlement.key, (status, outcome))),
            }
        }
        Ok(())
    }

    // A call that the batch has put into the outbox so far.
    fn new_call(&mut self, key: &IdempotencyKey) -> Option<&mut NewCall<'c>> {
        self.places.get(key).map(|place| &mut self.calls[*place])
    }

    // Whether an earlier commit of the batch answers a call.
    fn answers(&self, key: &IdempotencyKey) -> bool {
        let enqueued = self.places.get(key).map(|place| &self.calls[*place]);
        self.settled.contains_key(key) || enqueued.is_some_and(|call| call.outcome.is_some())
    }

    fn enqueue(&mut self, call: &'c Call, commit: usize, follows: Option<IdempotencyKey>) -> Result<(), PostgresError> {
        let key = call.instruction.key();
        if self.places.insert(key, self.calls.len()).is_some() {
            return Err(PostgresError::DuplicateCall { key });
        }
        self.calls.push(NewCall { call, commit, status: CallStatus::Queued, outcome: None, follows });
        Ok(())
    }

    /// Whether it has to be taken back when it fails: see [`Checks`].
    pub(super) fn checks(&self, in_transaction: bool) -> Checks {
        let few = Size::of(self.commits.len()) != Size::Many && self.opens() < 2;
        if in_transaction && few { Checks::Ahead } else { Checks::Behind }
    }

    // How many subjects it opens.
    fn opens(&self) -> usize {
        self.commits.iter().filter(|commit| commit.expected().is_none()).count()
    }

    /// The statement that writes it.
    ///
    /// # Errors
    /// As [`Statement::of`].
    pub(super) fn statement(&self, checks: Checks) -> Result<Ready, PostgresError> {
        Statement::of(Size::of(self.commits.len()), |statement| self.put_into(statement, checks))
    }

    /// Runs the statement: whether it wrote all of the batch. If not, it wrote nothing.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        statement: Ready,
        checks: Checks,
    ) -> Result<bool, sqlx::Error> {
        let rows = statement.run(connection).await?;
        let written = if checks == Checks::Ahead { self.commits.len() } else { 1 };
        assert!(rows.is_empty() || rows.len() == written, "a batch is written whole or not at all");
        Ok(!rows.is_empty())
    }

    fn put_into(&self, statement: &mut Statement, checks: Checks) {
        let fine = self.look(statement, checks);
        let gate = self.subjects(statement, fine, checks);
        self.parties(statement, gate);
        self.events(statement, gate);
        let taken = self.moves.write(statement, gate);
        self.entries(statement, gate);
        self.outbox(statement, gate);
        self.new_calls(statement, gate);
        self.requests(statement, gate);
        self.answer(statement, gate, taken, checks);
    }

    // What must hold before anything is written, and the locks that keep it so.
    fn look(&self, statement: &mut Statement, checks: Checks) -> Gate {
        let ahead = checks == Checks::Ahead;
        let mut conditions = statement.conditions();
        if ahead && self.commits.len() > 1 && self.opens() < self.commits.len() {
            let going = || {
                let commits = self.commits.iter().zip(&self.ids);
                commits.filter_map(|(commit, id)| Some((commit, id, commit.expected()?)))
            };
            let mut rows = statement.rows();
            rows.each(going().map(|(_, id, _)| id.as_str()));
            rows.each(going().map(|(.., expected)| expected.mark()));
            rows.each(going().map(|(commit, ..)| before(commit)));
            let rows = rows.listed();
            statement.part(sql!["standing AS (
    SELECT s.id FROM " rows " AS u (id, revision, seq)
    JOIN escrowed_subjects AS s ON s.id = u.id AND s.revision = u.revision AND s.seq = u.seq
    ORDER BY s.id FOR UPDATE OF s
)"]);
            let count = statement.bind(number(going().count()));
            conditions.must(sql!["(SELECT count(*) FROM standing) = " count]);
        }
        if !self.withdrawn.is_empty() {
            let keys = statement.one_of(self.withdrawn.iter().map(|(key, _)| key));
            statement.part(sql!["asked AS (
    SELECT c.key, c.status = 'withdrawn' AS gone,
        c.status IN ('queued', 'held', 'parked') AND c.sent IS NULL AS free
    FROM escrowed_calls AS c WHERE c.key " keys " ORDER BY c.key FOR UPDATE
)"]);
            // Looked at before this statement itself changes any of them: what it has changed, it no longer finds.
            conditions.must(sql!["(SELECT count(*) FROM asked) >= 0"]);
            if self.withdrawn.iter().any(|(_, refuse)| *refuse) {
                let refused = self.withdrawn.iter().filter(|(_, refuse)| *refuse);
                let keys = statement.one_of(refused.map(|(key, _)| key));
                conditions.must(
                    sql!["NOT EXISTS (SELECT FROM asked AS a WHERE a.key " keys " AND NOT a.gone AND NOT a.free)"],
                );
            }
        }
        if !self.sent.is_empty() {
            let keys = statement.one_of(self.sent.iter());
            conditions.must(sql!["NOT EXISTS (SELECT FROM asked AS a WHERE a.key " keys " AND (a.gone OR a.free))"]);
        }
        let mut new = self.calls.iter().filter(|new| new.follows.is_none()).peekable();
        if ahead && new.peek().is_some() {
            let keys = statement.one_of(new.map(|new| new.call.instruction.key()));
            conditions.must(sql!["NOT EXISTS (SELECT FROM escrowed_calls AS c WHERE c.key " keys ")"]);
        }
        let following = || self.calls.iter().filter_map(|new| Some((new.call.instruction.key(), new.follows?)));
        if ahead && following().next().is_some() {
            let mut rows = statement.rows();
            rows.each(following().map(|(key, _)| String::from(key)));
            rows.each(following().map(|(_, after)| String::from(after)));
            let rows = rows.listed();
            conditions.must(
                sql!["NOT EXISTS (SELECT FROM " rows " AS u (key, follows) JOIN escrowed_calls AS c ON c.key = u.key
    JOIN asked AS a ON a.key = u.follows WHERE NOT a.gone AND NOT a.free)"],
            );
        }
        if ahead && !self.settled.is_empty() {
            let mut rows = statement.rows();
            rows.each(self.settled.keys().map(ToString::to_string));
            let rows = rows.listed();
            conditions.must(sql!["NOT EXISTS (SELECT FROM " rows " AS u (key)
    WHERE NOT EXISTS (SELECT FROM escrowed_calls AS c WHERE c.key = u.key))"]);
        }
        let mut requests = self.commits.iter().filter_map(Commit::request).peekable();
        if ahead && requests.peek().is_some() {
            let keys = statement.one_of(requests.map(|request| &request.key));
            conditions.must(sql!["NOT EXISTS (SELECT FROM escrowed_requests AS r WHERE r.key " keys ")"]);
        }
        self.moves.look(statement, &mut conditions, ahead);
        if conditions.is_empty() {
            return Gate(None);
        }
        statement.part(sql!["fine AS (
    SELECT WHERE " conditions "
)"]);
        Gate(Some("fine"))
    }

    // A row, or none where nothing was written. Unless all was looked at ahead, the statement fails on purpose where it wrote less
    // than all of it.
    fn answer(&self, statement: &mut Statement, gate: Gate, taken: usize, checks: Checks) {
        let opened = self.opens();
        let gone_on = self.commits.len() - opened;
        if checks == Checks::Ahead {
            return statement.add(match (opened, gone_on) {
                (0, _) => sql!["\nSELECT 1 FROM gone_on"],
                (_, 0) => sql!["\nSELECT 1 FROM opened"],
                _ => sql!["\nSELECT 1 FROM opened UNION ALL SELECT 1 FROM gone_on"],
            });
        }
        // True, or a failure that `error::stands_against` knows.
        statement.add(sql!["\nSELECT (true"]);
        let parts = [("opened", opened), ("gone_on", gone_on), ("taken", taken), ("settled", self.settled.len())];
        for (part, rows) in parts.into_iter().filter(|(part, rows)| *rows > 0 && gate.0 != Some(part)) {
            // Whether there is one is told without counting, for which PostgreSQL sets up more than for the rest.
            if rows == 1 {
                statement.add(sql!["\n    AND EXISTS (SELECT FROM " part ")"]);
            } else {
                let rows = statement.bind(number(rows));
                statement.add(sql!["\n    AND (SELECT count(*) FROM " part ") = " rows]);
            }
        }
        statement.add(sql![")::escrowed_whole"]);
        // Where the gate is shut, nothing was written at all, and that needs no failure.
        if let Some(gate) = gate.0 {
            statement.add(sql![" FROM " gate]);
        }
    }
}

/// The last event of a commit.
pub(super) fn last(commit: &Commit) -> &Record {
    commit.records().last().expect("a commit has at least one event")
}

/// The number of the event that a commit goes on from.
pub(super) fn before(commit: &Commit) -> i64 {
    commit.records().first().map_or(0, |first| i64::from(first.seq) - 1)
}

// PostgreSQL counts in 64 bits with a sign.
fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
