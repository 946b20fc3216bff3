//! Each promise finds out the store that breaks it. What such a store looks at was true when the unit began, and is not
//! looked at again: so it keeps the promises that speak of one unit at a time.

use super::{batches, together, units, workers};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::{Account, Balance},
    memory::{Memory, MemoryError, MemoryUnit},
    money::{Currency, Money},
    party::PartyId,
    store::{
        Answered, Appended, AppendedAll, BookedEntry, CallState, CallStatus, Commit, Cursor, DueLease, IndexEntry,
        Inventory, Lease, LeasedCall, Log, Outbox, Page, Postponement, Query, RequestKey, Store, Unacknowledged,
        UnitOfWork, Unreadable, Views, in_a_unit,
    },
};
use futures_lite::future::{block_on, yield_now};

/// What a store does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Nothing,
    /// Look for a request again that was not there when the unit began.
    Requests,
    /// Look again whether a worker has taken a call that was free when the unit began.
    Withdrawals,
    /// Keep a second call back whose first one has been taken since the unit began.
    Lanes,
    /// Keep writes to the unit until it is committed.
    Isolation,
    /// Say that a unit is lost that met somebody else's request.
    LostRaces,
    /// Commit what it was to write durably.
    Durability,
}

/// A store in memory whose units begin without waiting, take turns from their first use on, and break one thing.
struct Broken {
    memory: Memory,
    breaks: Breaks,
}

struct BrokenUnit {
    memory: Memory,
    breaks: Breaks,
    open: Option<MemoryUnit>,
    /// What was there when it began.
    requests: Vec<(RequestKey, Answered)>,
    queued: Vec<CallState>,
    lost: bool,
}

impl Broken {
    fn that_breaks(breaks: Breaks) -> Self {
        Self { memory: Memory::new(), breaks }
    }
}

impl Store for Broken {
    type Unit = BrokenUnit;
    type Error = MemoryError;

    async fn begin(&self) -> Result<BrokenUnit, MemoryError> {
        let mut look = self.memory.begin().await?;
        let requests = look.requests(None, 100).await?;
        let queued = look.calls(CallStatus::Queued, None, 100).await?.into_iter().map(Result::unwrap).collect();
        drop(look);
        // Others begin, too, before anybody writes.
        yield_now().await;
        Ok(BrokenUnit { memory: self.memory.clone(), breaks: self.breaks, open: None, requests, queued, lost: false })
    }

    async fn commit(&self, unit: BrokenUnit) -> Result<(), MemoryError> {
        match unit.open {
            Some(open) if !unit.lost => self.memory.commit(open).await,
            Some(_) | None => Ok(()),
        }
    }

    async fn append_durably(&self, commits: &[Commit]) -> Result<AppendedAll, Unacknowledged<MemoryError>> {
        if self.breaks != Breaks::Durability {
            return in_a_unit(self, commits).await;
        }
        let mut unit = self.begin().await.map_err(Unacknowledged::NotBegun)?;
        unit.append_all(commits).await.map_err(Unacknowledged::Unwritten)
    }
}

impl BrokenUnit {
    async fn open(&mut self) -> Result<&mut MemoryUnit, MemoryError> {
        if self.open.is_none() {
            self.open = Some(self.memory.begin().await?);
        }
        Ok(self.open.as_mut().expect("it was opened"))
    }

    async fn let_others_in(&mut self) -> Result<(), MemoryError> {
        match self.open.take_if(|_| self.breaks == Breaks::Isolation) {
            Some(open) => self.memory.commit(open).await,
            None => Ok(()),
        }
    }

    /// Whether somebody has done since what a commit was asked for.
    async fn was_done_since(&mut self, commit: &Commit) -> Result<bool, MemoryError> {
        let Some(request) = commit.request() else { return Ok(false) };
        let before = self.requests.iter().any(|(key, _)| *key == request.key);
        Ok(!before && self.open().await?.answered(&request.key).await?.is_some())
    }

    /// Whether somebody has taken a call since that was free.
    async fn was_taken_since(&mut self, key: IdempotencyKey) -> Result<bool, MemoryError> {
        let free = |call: &CallState| call.instruction.key() == key && call.attempts == 0;
        let before = self.queued.iter().any(free);
        let call = self.open().await?.call(&key).await?;
        Ok(before && call.is_some_and(|call| call.attempts > 0))
    }
}

impl UnitOfWork for BrokenUnit {
    type Error = MemoryError;

    async fn log(&mut self, subject: Subject) -> Result<Option<Log>, MemoryError> {
        let log = self.open().await?.log(subject).await?;
        self.let_others_in().await?;
        Ok(log)
    }

    async fn answered(&mut self, key: &RequestKey) -> Result<Option<Answered>, MemoryError> {
        self.open().await?.answered(key).await
    }

    async fn append(&mut self, commit: &Commit) -> Result<Appended, MemoryError> {
        let mut commit = commit.clone();
        let done_since = self.was_done_since(&commit).await?;
        match self.breaks {
            Breaks::Requests if done_since => commit.request = None,
            Breaks::LostRaces if done_since => self.lost = true,
            Breaks::Withdrawals => {
                if let Some(key) = commit.withdraws().map(|withdrawal| withdrawal.key)
                    && self.was_taken_since(key).await?
                {
                    commit.withdraws = None;
                }
            }
            Breaks::Nothing
            | Breaks::Requests
            | Breaks::Lanes
            | Breaks::Isolation
            | Breaks::LostRaces
            | Breaks::Durability => {}
        }
        let appended = self.open().await?.append(&commit).await?;
        self.let_others_in().await?;
        Ok(appended)
    }

    async fn append_all(&mut self, commits: &[Commit]) -> Result<AppendedAll, MemoryError> {
        self.open().await?.append_all(commits).await
    }
}

impl Outbox for BrokenUnit {
    async fn lease(&mut self, lease: &Lease) -> Result<Vec<Result<LeasedCall, Unreadable>>, MemoryError> {
        let mut taken = self.open().await?.lease(lease).await?;
        if self.breaks == Breaks::Lanes && taken.is_empty() {
            for first in self.queued.clone() {
                if self.was_taken_since(first.instruction.key()).await? {
                    let behind = |call: &&CallState| {
                        let (one, other) = (call.instruction.key(), first.instruction.key());
                        one.subject == other.subject && one != other
                    };
                    let second = self.queued.iter().find(behind);
                    let leased = |call: &CallState| LeasedCall {
                        instruction: call.instruction.clone(),
                        status: call.status,
                        lease: 1,
                        attempts: 0,
                        sent: false,
                    };
                    taken.extend(second.map(leased).map(Ok));
                }
            }
        }
        Ok(taken)
    }

    async fn call(&mut self, key: &IdempotencyKey) -> Result<Option<CallState>, MemoryError> {
        self.open().await?.call(key).await
    }

    async fn postpone(&mut self, postponement: &Postponement<'_>) -> Result<bool, MemoryError> {
        self.open().await?.postpone(postponement).await
    }

    async fn lease_due(&mut self, lease: &DueLease) -> Result<Vec<Result<IndexEntry, Unreadable>>, MemoryError> {
        self.open().await?.lease_due(lease).await
    }

    async fn calls(
        &mut self,
        status: CallStatus,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Result<CallState, Unreadable>>, MemoryError> {
        self.open().await?.calls(status, after, limit).await
    }
}

/// What it reads is right.
macro_rules! reads {
    ($( $name:ident($($argument:ident: $type:ty),*) -> $answer:ty; )+) => { $(
        async fn $name(&mut self, $($argument: $type),*) -> Result<$answer, MemoryError> {
            self.open().await?.$name($($argument),*).await
        }
    )+ };
}

impl Views for BrokenUnit {
    reads! {
        find(query: &Query, after: Option<&Cursor>, limit: usize) -> Page;
        balance(account: &Account, currency: Currency) -> Money;
        balances(after: Option<(&Account, Currency)>, limit: usize) -> Vec<Balance>;
        entries(account: &Account, after: i64, limit: usize) -> Vec<BookedEntry>;
        books(after: i64, limit: usize) -> Vec<BookedEntry>;
    }
}

impl Inventory for BrokenUnit {
    reads! {
        subjects(after: Option<Subject>, limit: usize) -> Vec<Subject>;
        row(subject: Subject) -> Option<IndexEntry>;
        members(after: Option<(&PartyId, Subject)>, limit: usize) -> Vec<(PartyId, Subject)>;
        accounts(after: Option<&Account>, limit: usize) -> Vec<Account>;
        balances_of(account: &Account) -> Vec<Balance>;
        lane(key: &IdempotencyKey) -> Option<Subject>;
        requests(after: Option<&RequestKey>, limit: usize) -> Vec<(RequestKey, Answered)>;
    }
}

/// Without anything broken, it keeps them all.
mod that_breaks_nothing {
    use super::*;

    fn on_it(promise: impl AsyncFnOnce(&Broken)) {
        block_on(promise(&Broken::that_breaks(Breaks::Nothing)));
    }

    crate::store_promises!(on_it);
}

#[test]
#[should_panic(expected = "one request was done more than once, or never")]
fn a_store_that_does_one_request_twice_is_found_out() {
    block_on(together::one_of_many_does_what_was_asked(&Broken::that_breaks(Breaks::Requests)));
}

#[test]
#[should_panic(expected = "was taken, and that was not told")]
fn a_store_that_withdraws_what_a_worker_has_is_found_out() {
    block_on(workers::a_call_is_withdrawn_or_taken(&Broken::that_breaks(Breaks::Withdrawals)));
}

#[test]
#[should_panic(expected = "no second one before its first was answered")]
fn a_store_that_hands_out_the_second_call_first_is_found_out() {
    block_on(workers::the_second_call_of_an_order_waits_among_many(&Broken::that_breaks(Breaks::Lanes)));
}

#[test]
#[should_panic(expected = "what was acknowledged is not there")]
fn a_store_that_acknowledges_what_it_did_not_commit_is_found_out() {
    block_on(batches::what_is_appended_durably_is_there_whole(&Broken::that_breaks(Breaks::Durability)));
}

#[test]
#[should_panic(expected = "what was not committed was seen")]
fn a_store_that_shows_what_is_not_committed_is_found_out() {
    block_on(units::what_is_not_committed_is_seen_by_nobody_else(&Broken::that_breaks(Breaks::Isolation)));
}

#[test]
#[should_panic(expected = "and the commit said true")]
fn a_store_that_commits_what_it_has_given_up_is_found_out() {
    block_on(units::what_was_written_before_a_lost_race_is_there_or_told_of(&Broken::that_breaks(Breaks::LostRaces)));
}
