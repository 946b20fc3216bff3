//! What the clock does: deadlines, taken under leases.

use super::{
    super::{Clock, Escrow, EscrowError, gather::Gathering, trace},
    Tally,
    shift::Awake,
};
use crate::{
    gateway::Gateway,
    party::Stamp,
    payment::{AnyPayin, DebtId, Evidence, PayinId, payin},
    store::{DueLease, IndexEntry, Outbox, Store, UnitOfWork, Unreadable, WorkerId},
    time::Timestamp,
};
use std::time::Duration;

/// What a worker did with what was due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    /// How many steps the clock took.
    pub taken: usize,
    /// How many subjects somebody else saw to meanwhile, or that had nothing to do.
    pub passed: usize,
    /// How many could not be seen to: their row or log is corrupt or of a later version, their lifecycle is not registered, or
    /// it refuses what the clock has to do though nobody else has seen to it. They stay due, and stop nobody else.
    pub failed: usize,
}

// How much of what was due one unit has seen to.
enum Saw {
    Nothing,
    // The subject itself was left as it was, so the lease on its deadline holds and there is more to do: a batch of pledges
    // that what they were pledged to need not know of.
    Part,
    All,
}

/// How many deadlines are taken at a time: few enough to be seen to before the lease ends.
const PAGE: usize = 100;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Does what the clock has to do: takes deadlines that have passed, at most `limit`, under a lease in this worker's
    /// name, each in a unit of its own. However many workers run it, each is taken once. As for [`send`](Escrow::send), a unit of
    /// the caller's must not be open meanwhile.
    ///
    /// # Errors
    /// [`EscrowError::Storage`] when the storage fails, once all others were seen to. What was taken and not seen to is
    /// taken again by any worker once the lease has ended.
    pub async fn run_due(&self, worker: &WorkerId, limit: usize) -> Result<Due, EscrowError<S::Error>> {
        let mut tally = Tally::<Due, _>::default();
        while tally.done.taken < limit {
            let page = PAGE.min(limit - tally.done.taken);
            if self.page_of_due(worker, page, &mut tally).await == 0 {
                break;
            }
        }
        tally.end()
    }

    /// Sees to deadlines until the shift is over.
    pub(super) async fn watch_deadlines<N, F>(&self, awake: &Awake<'_, N>) -> Tally<Due, S::Error>
    where
        N: Fn(Duration) -> F,
        F: Future<Output = ()>,
    {
        let mut tally = Tally::default();
        let mut streak = 0;
        while !awake.bell.is_stopped() {
            let (heard, failures) = (awake.bell.rings(), tally.failures);
            let taken = self.page_of_due(&awake.shift.worker, PAGE, &mut tally).await;
            streak = if tally.failures > failures { streak + 1 } else { 0 };
            if taken == 0 || streak > 0 {
                awake.rest(&self.policy, heard, streak).await;
            }
        }
        tally
    }

    // How many were taken; none when they could not be.
    async fn page_of_due(&self, worker: &WorkerId, limit: usize, tally: &mut Tally<Due, S::Error>) -> usize {
        let now = self.clock.now();
        let rows = match self.take_due(worker, now, limit).await {
            Ok(rows) => rows,
            Err(error) => {
                tally.failed(error);
                return 0;
            }
        };
        for row in &rows {
            let row = match row {
                Ok(row) => row,
                Err(unreadable) => {
                    trace::unreadable_deadline(worker, unreadable);
                    tally.done.failed += 1;
                    continue;
                }
            };
            let done = self.see_to_deadline(row, now);
            match trace::deadline(worker, row, done).await {
                Ok(true) => tally.done.taken += 1,
                Ok(false) | Err(EscrowError::Stale) => tally.done.passed += 1,
                // One row that the storage cannot take must not keep the others waiting.
                Err(error @ EscrowError::Storage(_)) => tally.failed(error),
                Err(_) => tally.done.failed += 1,
            }
        }
        rows.len()
    }

    async fn take_due(
        &self,
        worker: &WorkerId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Result<IndexEntry, Unreadable>>, EscrowError<S::Error>> {
        let lease = &DueLease { worker: worker.clone(), now, until: now.plus(self.policy.lease), limit };
        self.anew(|| async move {
            let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
            let rows = unit.lease_due(lease).await.map_err(EscrowError::Storage)?;
            self.store.commit(unit).await.map_err(EscrowError::Storage)?;
            Ok(rows)
        })
        .await
    }

    // One deadline. Whether the clock did anything; what somebody else saw to meanwhile is none of its business.
    async fn see_to_deadline(&self, row: &IndexEntry, now: Timestamp) -> Result<bool, EscrowError<S::Error>> {
        let mut taken = false;
        loop {
            match self.anew(|| self.due(row, now)).await {
                Ok(Saw::Nothing) => return Ok(taken),
                Ok(Saw::All) => return Ok(true),
                Ok(Saw::Part) => taken = true,
                // What somebody else saw to may well refuse the clock. What nobody did stays due and would for ever be refused.
                Err(EscrowError::Refused(_)) if self.anew(|| self.went_on(row)).await? => return Ok(taken),
                Err(error) => return Err(error),
            }
        }
    }

    // Whether anybody has written to it since its deadline was taken.
    async fn went_on(&self, row: &IndexEntry) -> Result<bool, EscrowError<S::Error>> {
        let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
        let log = unit.log(row.subject).await.map_err(EscrowError::Storage)?;
        Ok(log.is_none_or(|log| log.revision != row.revision))
    }

    async fn due(&self, row: &IndexEntry, now: Timestamp) -> Result<Saw, EscrowError<S::Error>> {
        let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
        let at = Stamp::clock(now);
        let mut gathered = Gathering::over(&mut unit);
        let taken = match PayinId::try_from(row.subject) {
            Ok(id) => self.expire(&mut gathered, id, &at).await,
            Err(_) => match DebtId::try_from(row.subject) {
                Ok(id) => self.debt_due(&mut gathered, id, &at).await,
                Err(_) => self.agreement_due(&mut gathered, row, &at).await,
            },
        };
        let saw = match taken? {
            true if gathered.writes(row.subject) => Saw::All,
            true => Saw::Part,
            false => Saw::Nothing,
        };
        gathered.write().await?;
        self.store.commit(unit).await.map_err(EscrowError::Storage)?;
        Ok(saw)
    }

    async fn expire(
        &self,
        gathered: &mut Gathering<'_, S::Unit>,
        id: PayinId,
        at: &Stamp,
    ) -> Result<bool, EscrowError<S::Error>> {
        let taken = gathered.load(id).await?.handle(payin::Command::Cancel {}, at)?;
        if let AnyPayin::Cancelled(payin) = self.gather(gathered, taken, at).await? {
            self.tell(gathered, payin.facts().about, &Evidence::PayinCancelled(&payin), at).await?;
        }
        Ok(true)
    }

    async fn agreement_due(
        &self,
        gathered: &mut Gathering<'_, S::Unit>,
        row: &IndexEntry,
        at: &Stamp,
    ) -> Result<bool, EscrowError<S::Error>> {
        if let Some(taken) = self.pledges_due(gathered, row, at).await? {
            return Ok(taken);
        }
        if let Some(taken) = self.movements_due(gathered, row, at).await? {
            return Ok(taken);
        }
        if let Some(taken) = self.shares_due(gathered, row, at).await? {
            return Ok(taken);
        }
        let log = gathered.log(row.subject).await?;
        let reaction = (self.member(row.subject)?.due)(log, at)?;
        let taken = !reaction.commits.is_empty();
        self.react(gathered, reaction, at).await?;
        Ok(taken)
    }
}
