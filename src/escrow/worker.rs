//! What nobody asks for: sending the calls of the outbox, and doing what is due.

use super::{Clock, Escrow, EscrowError, Reported};
use crate::{
    gateway::{Gateway, IdempotencyKey, Outcome, Report, Verb},
    party::Stamp,
    payment::{AnyPayin, Evidence, PayinId, payin},
    store::{CallStatus, Cursor, IndexEntry, Lease, LeasedCall, Outbox, Query, Store, Views, WorkerId},
    text::Prose,
    time::Timestamp,
};

/// What a worker did with the calls it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many it took.
    pub taken: usize,
    /// How many were answered for good.
    pub answered: usize,
    /// How many the gateway will report on later.
    pub pending: usize,
    /// Of how many nobody knows what became of them: they are looked up later.
    pub unknown: usize,
    /// How many were parked for an operator: failed too often, or answered with what cannot be.
    pub parked: usize,
}

/// What a worker did with what was due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    /// How many steps the clock took.
    pub taken: usize,
    /// How many subjects somebody else saw to meanwhile, or that had nothing to do.
    pub passed: usize,
    /// How many could not be seen to: their log is corrupt or of a later version, or their lifecycle is not registered.
    /// They stay due, and stop nobody else.
    pub failed: usize,
}

const TRIES: usize = 16;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Takes at most `limit` calls that are due, under a lease in this worker's name, and asks the gateway. Each answer
    /// is taken in a unit of its own. A call whose outcome is unknown is looked up before it is sent again.
    ///
    /// # Errors
    /// [`EscrowError::Storage`] when the storage fails. Calls that were taken and not seen to are taken again by any
    /// worker once the lease has ended.
    pub async fn send(&self, worker: &WorkerId, limit: usize) -> Result<Sent, EscrowError<S::Error>> {
        let now = self.clock.now();
        let lease = Lease {
            worker: worker.clone(),
            gateway: self.gateway.name().clone(),
            now,
            until: now.plus(self.policy.lease),
            limit,
        };
        let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
        let calls = unit.lease(&lease).await.map_err(EscrowError::Storage)?;
        self.store.commit(unit).await.map_err(EscrowError::Storage)?;
        let mut sent = Sent { taken: calls.len(), ..Sent::default() };
        // What one call meets must not keep the others waiting: the first problem is told at the end.
        let mut problem = None;
        for call in &calls {
            if let Err(error) = self.see_to(call, &mut sent).await {
                problem = problem.or(Some(error));
            }
        }
        problem.map_or(Ok(sent), Err)
    }

    /// Sends a parked call again: it is an operator's word that the gateway was asked about it.
    ///
    /// # Errors
    /// [`EscrowError::UnknownCall`] when no such call is parked.
    pub async fn requeue<U: Outbox>(&self, unit: &mut U, key: &IdempotencyKey) -> Result<(), EscrowError<U::Error>> {
        let call = unit.call(key).await.map_err(EscrowError::Storage)?;
        if call.is_none_or(|call| call.status != CallStatus::Parked) {
            return Err(EscrowError::UnknownCall(*key));
        }
        unit.postpone(key, CallStatus::Queued, self.clock.now(), None).await.map_err(EscrowError::Storage)?;
        Ok(())
    }

    /// Does what the clock has to do: takes every deadline that has passed, at most `limit`, each in a unit of its own.
    /// However many workers run it, each is taken once.
    ///
    /// # Errors
    /// [`EscrowError::Storage`] when the storage fails, once all others were seen to.
    pub async fn run_due(&self, limit: usize) -> Result<Due, EscrowError<S::Error>> {
        let now = self.clock.now();
        let (mut done, mut after, mut problem) = (Due::default(), None::<Cursor>, None);
        while done.taken < limit {
            let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
            let page = unit.find(&Query::DueBy(now), after.as_ref(), 100).await.map_err(EscrowError::Storage)?;
            drop(unit);
            for row in &page.rows {
                if done.taken == limit {
                    break;
                }
                match self.due(row, now).await {
                    Ok(true) => done.taken += 1,
                    Ok(false) | Err(EscrowError::Refused(_) | EscrowError::Stale) => done.passed += 1,
                    // One row that the storage cannot take must not keep the others waiting.
                    Err(error @ EscrowError::Storage(_)) => problem = problem.or(Some(error)),
                    Err(_) => done.failed += 1,
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        problem.map_or(Ok(done), Err)
    }

    async fn see_to(&self, call: &LeasedCall, sent: &mut Sent) -> Result<(), EscrowError<S::Error>> {
        let key = call.instruction.key();
        // What was sent before is looked up first.
        let known = if call.attempts > 0 { self.gateway.lookup(&key).await } else { Ok(None) };
        let answer = match known {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) if call.attempts > 0 && self.called_off(&key).await? => Ok(never_sent()),
            Ok(None) => self.gateway.execute(&key, &call.instruction).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(outcome) => self.answered(key, outcome, sent).await,
            Err(error) => self.failed(key, call.attempts, &error, sent).await,
        }
    }

    // Whether a charge that never arrived is no longer wanted.
    async fn called_off(&self, key: &IdempotencyKey) -> Result<bool, EscrowError<S::Error>> {
        let (Ok(payin), Verb::Charge) = (PayinId::try_from(key.subject), key.verb) else { return Ok(false) };
        let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
        Ok(matches!(self.load(&mut unit, payin).await?, AnyPayin::Cancelled(_)))
    }

    async fn answered(
        &self,
        key: IdempotencyKey,
        outcome: Outcome,
        sent: &mut Sent,
    ) -> Result<(), EscrowError<S::Error>> {
        let is_final = outcome.is_final();
        match self.take_answer(&Report { key, outcome }).await {
            Ok(_) if is_final => sent.answered += 1,
            Ok(_) => sent.pending += 1,
            Err(error @ (EscrowError::Storage(_) | EscrowError::Stale)) => return Err(error),
            // What cannot be is for people to look at; the next call must not wait for it.
            Err(error) => {
                self.put_off(key, CallStatus::Parked, self.clock.now(), &error).await?;
                sent.parked += 1;
            }
        }
        Ok(())
    }

    async fn take_answer(&self, report: &Report) -> Result<Reported, EscrowError<S::Error>> {
        let mut tries = 0;
        loop {
            let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
            match self.report(&mut unit, report).await {
                Ok(reported) => {
                    if !report.outcome.is_final() {
                        let due = self.clock.now().plus(self.policy.look_up);
                        let key = &report.key;
                        unit.postpone(key, CallStatus::Pending, due, None).await.map_err(EscrowError::Storage)?;
                    }
                    self.store.commit(unit).await.map_err(EscrowError::Storage)?;
                    return Ok(reported);
                }
                Err(error) if error.is_lost_race() && tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn failed(
        &self,
        key: IdempotencyKey,
        attempts: u32,
        error: &G::Error,
        sent: &mut Sent,
    ) -> Result<(), EscrowError<S::Error>> {
        if attempts + 1 >= self.policy.attempts {
            sent.parked += 1;
            return self.put_off(key, CallStatus::Parked, self.clock.now(), error).await;
        }
        sent.unknown += 1;
        let wait = self.policy.back_off.saturating_mul(1 << attempts.min(20)).min(self.policy.back_off_limit);
        self.put_off(key, CallStatus::Queued, self.clock.now().plus(wait), error).await
    }

    async fn put_off(
        &self,
        key: IdempotencyKey,
        status: CallStatus,
        due: Timestamp,
        problem: &(dyn std::error::Error + Sync),
    ) -> Result<(), EscrowError<S::Error>> {
        let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
        let problem = in_words(problem);
        unit.postpone(&key, status, due, problem.as_ref()).await.map_err(EscrowError::Storage)?;
        self.store.commit(unit).await.map_err(EscrowError::Storage)
    }

    // One deadline. Whether the clock did anything; what somebody else saw to meanwhile is none of its business.
    async fn due(&self, row: &IndexEntry, now: Timestamp) -> Result<bool, EscrowError<S::Error>> {
        let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
        let at = Stamp::clock(now);
        let taken = match PayinId::try_from(row.subject) {
            Ok(id) => self.expire(&mut unit, id, &at).await,
            Err(_) => self.agreement_due(&mut unit, row, &at).await,
        };
        let taken = taken?;
        self.store.commit(unit).await.map_err(EscrowError::Storage)?;
        Ok(taken)
    }

    async fn expire(&self, unit: &mut S::Unit, id: PayinId, at: &Stamp) -> Result<bool, EscrowError<S::Error>> {
        let taken = self.load(unit, id).await?.handle(payin::Command::Cancel {}, at)?;
        if let AnyPayin::Cancelled(payin) = self.write(unit, taken, at).await? {
            self.tell(unit, payin.facts().about, &Evidence::PayinCancelled(&payin), at).await?;
        }
        Ok(true)
    }

    async fn agreement_due(
        &self,
        unit: &mut S::Unit,
        row: &IndexEntry,
        at: &Stamp,
    ) -> Result<bool, EscrowError<S::Error>> {
        if let Some(taken) = self.pledges_due(unit, row, at).await? {
            return Ok(taken);
        }
        let log = super::act::log(unit, row.subject).await?;
        let reaction = (self.member(row.subject)?.due)(&log, at)?;
        let taken = !reaction.commits.is_empty();
        self.react(unit, reaction, at).await?;
        Ok(taken)
    }
}

// What became of a charge that was called off before the gateway heard of it.
fn never_sent() -> Outcome {
    Outcome::Declined { reason: Prose::new("called off before it arrived").expect("a short text") }
}

// An error in words that a store can keep: without control characters, and no longer than it takes.
fn in_words(error: &dyn std::error::Error) -> Option<Prose> {
    let text: String = error.to_string().chars().filter(|c| !c.is_control()).take(500).collect();
    Prose::new(&text).ok()
}
