//! Why a batch was not written: nothing was, so there is time to look at what stood against it.

use super::{
    PostgresError, batch,
    row::{Reader, misplaced},
};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::{Account, Entry},
    money::Currency,
    store::{Appended, AppendedAll, CallStatus, Columns, Commit, IfSent, RequestKey},
};
use sqlx::{PgConnection, query};
use std::collections::{HashMap, HashSet};

/// What is in the database that a batch depends on, and then what its commits make of it, one after another.
#[derive(Default)]
struct Known {
    subjects: HashMap<Subject, (i64, i64)>,
    requests: HashSet<RequestKey>,
    // Where each stands, and whether it may have been sent.
    calls: HashMap<IdempotencyKey, (CallStatus, bool)>,
    // How much each has, and whether all of it is in place.
    balances: HashMap<(Account, Currency), (i64, bool)>,
}

/// The first commit that cannot go on where its subject stands, whatever the database holds.
pub(super) fn out_of_place(commits: &[Commit]) -> Option<usize> {
    let first_but_numbered = |commit: &Commit| commit.expected().is_none() && batch::before(commit) != 0;
    // Alone, it is in nobody's way.
    if let [commit] = commits {
        return first_but_numbered(commit).then_some(0);
    }
    let (mut subjects, mut requests) = (HashSet::new(), HashSet::new());
    commits.iter().position(|commit| {
        first_but_numbered(commit)
            || !subjects.insert(commit.subject())
            || commit.request().is_some_and(|request| !requests.insert(&request.key))
    })
}

/// The first commit that must withdraw a call which an earlier one of them answers.
pub(super) fn too_late(commits: &[Commit]) -> Option<usize> {
    let mut answered = HashSet::new();
    commits.iter().position(|commit| {
        let late = commit.withdraws().is_some_and(|withdrawal| match withdrawal.if_sent {
            IfSent::Refuse => answered.contains(&withdrawal.key),
            IfSent::Follow(_) => false,
        });
        answered.extend(commit.settles().iter().map(|settlement| settlement.key));
        late
    })
}

/// Whether a call that is to follow another if that was sent is spoken of elsewhere in the batch, too: what becomes of it
/// then depends on whether it follows at all.
pub(super) fn tangled(commits: &[Commit]) -> bool {
    let mut follows = commits.iter().filter_map(|commit| match &commit.withdraws()?.if_sent {
        IfSent::Refuse => None,
        IfSent::Follow(call) => Some(call.instruction.key()),
    });
    follows.any(|key| commits.iter().flat_map(keys_of).filter(|other| *other == key).count() > 1)
}

/// Which calls that the batch withdraws may have been sent by now.
pub(super) async fn sent(
    connection: &mut PgConnection,
    commits: &[Commit],
) -> Result<HashSet<IdempotencyKey>, PostgresError> {
    let keys: Vec<_> =
        commits.iter().filter_map(Commit::withdraws).map(|withdrawal| withdrawal.key.to_string()).collect();
    let sent = "SELECT key FROM escrowed_calls WHERE key = ANY($1)
AND (sent IS NOT NULL OR status IN ('pending', 'settled')) AND status <> 'withdrawn'";
    let rows = query(sent).bind(keys).fetch_all(connection).await?;
    rows.iter().map(|row| Reader::new("escrowed_calls", row).parsed(0)).collect()
}

/// The first refusal, or none if by now nothing stands against the batch.
pub(super) async fn diagnose(
    connection: &mut PgConnection,
    commits: &[Commit],
) -> Result<Option<AppendedAll>, PostgresError> {
    let mut known = Known::read(connection, commits).await?;
    for (position, commit) in commits.iter().enumerate() {
        if let Some(why) = known.refusal(commit)? {
            return Ok(Some(AppendedAll::Refused { position, why }));
        }
    }
    // That there seems to be enough is no reason to try again, if it is not where it is taken from.
    match known.balances.iter().find(|(_, (_, in_place))| !in_place) {
        Some(((account, _), _)) => Err(misplaced(account)),
        None => Ok(None),
    }
}

impl Known {
    async fn read(connection: &mut PgConnection, commits: &[Commit]) -> Result<Self, PostgresError> {
        let mut known = Self::default();
        let ids: Vec<_> = commits.iter().map(|commit| commit.subject().to_string()).collect();
        let subjects = "SELECT id, revision, seq FROM escrowed_subjects WHERE id = ANY($1)";
        for row in query(subjects).bind(ids).fetch_all(&mut *connection).await? {
            let reader = Reader::new("escrowed_subjects", &row);
            known.subjects.insert(reader.parsed(0)?, (reader.integer(1)?, reader.integer(2)?));
        }
        let keys: Vec<_> = commits.iter().filter_map(Commit::request).map(|request| request.key.as_str()).collect();
        let requests = "SELECT key FROM escrowed_requests WHERE key = ANY($1)";
        for row in query(requests).bind(keys).fetch_all(&mut *connection).await? {
            known.requests.insert(Reader::new("escrowed_requests", &row).parsed(0)?);
        }
        let keys: Vec<_> = commits.iter().flat_map(keys_of).map(|key| key.to_string()).collect();
        let calls = "SELECT key, status, sent FROM escrowed_calls WHERE key = ANY($1)";
        for row in query(calls).bind(keys).fetch_all(&mut *connection).await? {
            let reader = Reader::new("escrowed_calls", &row);
            let status = reader.one_of(1, &CallStatus::ALL, CallStatus::name)?;
            known.calls.insert(reader.parsed(0)?, (status, reader.maybe_integer(2)?.is_some()));
        }
        let postings = commits.iter().flat_map(Commit::entries).flat_map(Entry::postings);
        let accounts: HashSet<_> = postings.map(|posting| posting.account.to_string()).collect();
        let balances = "SELECT account, minor, currency, in_place FROM escrowed_balances WHERE account = ANY($1)";
        for row in query(balances).bind(accounts.into_iter().collect::<Vec<_>>()).fetch_all(connection).await? {
            let (balance, in_place) = Reader::new("escrowed_balances", &row).balance_and_place()?;
            known.balances.insert((balance.account, balance.amount.currency()), (balance.amount.minor(), in_place));
        }
        Ok(known)
    }

    // In the order in which every store looks.
    fn refusal(&mut self, commit: &Commit) -> Result<Option<Appended>, PostgresError> {
        let stands = self.subjects.get(&commit.subject()).copied();
        if stands != commit.expected().map(|expected| (expected.mark(), batch::before(commit))) {
            return Ok(Some(Appended::Stale));
        }
        if commit.request().is_some_and(|request| self.requests.contains(&request.key)) {
            return Ok(Some(Appended::Stale));
        }
        let mut follows = None;
        if let Some(withdrawal) = commit.withdraws()
            && let Some((status, sent)) = self.calls.get_mut(&withdrawal.key)
        {
            match (&*status, &withdrawal.if_sent) {
                (CallStatus::Withdrawn, _) => {}
                (CallStatus::Queued | CallStatus::Held | CallStatus::Parked, _) if !*sent => {
                    *status = CallStatus::Withdrawn
                }
                (_, IfSent::Refuse) => return Ok(Some(Appended::Sent { key: withdrawal.key })),
                (_, IfSent::Follow(call)) => follows = Some(&**call),
            }
        }
        for posting in commit.entries().iter().flat_map(Entry::postings) {
            let (account, currency) = (posting.account, posting.amount.currency());
            let (held, in_place) = self.balances.entry((account.clone(), currency)).or_insert((0, true));
            *held = held
                .checked_add(posting.amount.minor())
                .ok_or_else(|| PostgresError::Overflow { account: account.clone() })?;
            if !account.may_hold(*held) {
                let overdrawn = Appended::Overdrawn { account: account.clone() };
                return if *in_place { Ok(Some(overdrawn)) } else { Err(misplaced(account)) };
            }
        }
        for call in follows.into_iter().chain(commit.calls()) {
            let key = call.instruction.key();
            if self.calls.insert(key, (CallStatus::Queued, false)).is_some() {
                return Err(PostgresError::DuplicateCall { key });
            }
        }
        for settlement in commit.settles() {
            let Some((status, _)) = self.calls.get_mut(&settlement.key) else {
                return Err(PostgresError::UnknownCall { key: settlement.key });
            };
            *status = if settlement.outcome.is_final() { CallStatus::Settled } else { CallStatus::Pending };
        }
        Ok(None)
    }
}

fn keys_of(commit: &Commit) -> impl Iterator<Item = IdempotencyKey> {
    let withdrawn = commit.withdraws().into_iter().flat_map(|withdrawal| {
        let follows = match &withdrawal.if_sent {
            IfSent::Refuse => None,
            IfSent::Follow(call) => Some(call.instruction.key()),
        };
        [Some(withdrawal.key), follows].into_iter().flatten()
    });
    let asked = commit.calls().iter().map(|call| call.instruction.key());
    let settled = commit.settles().iter().map(|settlement| settlement.key);
    withdrawn.chain(asked).chain(settled)
}
