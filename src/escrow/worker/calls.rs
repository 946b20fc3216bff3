//! The calls of the outbox: taken under leases, and seen to side by side.

use super::{
    super::{Clock, Escrow, EscrowError, trace},
    Tally,
    held::Gate,
    shift::Awake,
};
use crate::{
    gateway::{Gateway, IdempotencyKey, Outcome, Report, Verb},
    lifecycle::Reason,
    party::Stamp,
    payment::{AnyPayin, PayinId},
    store::{Lease, LeasedCall, Outbox, Postponement, Store, Unreadable, WorkerId},
    text::Prose,
};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::{error::Error, future::Ready, time::Duration};

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
    /// How many payouts the host's [`Kyc`](super::super::Kyc) policy holds: it is asked again later.
    pub held: usize,
    /// How many were parked for an operator: failed too often, answered with what cannot be, or not to be read.
    pub parked: usize,
    /// How many failed or were not sent, and were somebody else's by then: the lease had ended, or a webhook was faster.
    pub lost: usize,
}

/// What became of a call that a worker held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::escrow) enum Fate {
    Answered,
    Pending,
    Unknown,
    Held,
    Parked,
    Lost,
}

type Fails<S> = EscrowError<<S as Store>::Error>;

/// No way to wait: for a worker that only looks once.
type Hasty = fn(Duration) -> Ready<()>;

/// What one worker has under way.
enum Job<'w, N> {
    Take(usize),
    See(LeasedCall),
    Rest { awake: &'w Awake<'w, N>, heard: u64, streak: u32 },
}

enum Done<E> {
    Took { asked: usize, calls: Result<Vec<Result<LeasedCall, Unreadable>>, E> },
    Saw(Result<Fate, E>),
    Rested,
}

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Takes calls that are due, at most `limit`, under leases in this worker's name, and asks the gateway, about as many
    /// [at once](super::Policy::at_once) as the policy says. Each answer is taken in a unit of its own. A call that may have
    /// been sent is looked up before it is sent again.
    ///
    /// It begins units of its own. Where units take turns, as on SQLite and in memory, who awaits it while holding a unit waits
    /// forever: commit or drop that first.
    ///
    /// # Errors
    /// [`EscrowError`] when the storage fails, or an answer can be neither taken nor parked, once all others were seen to.
    /// Calls that were taken and not seen to are taken again by any worker once the lease has ended.
    pub async fn send(&self, worker: &WorkerId, limit: usize) -> Result<Sent, Fails<S>> {
        self.see_to_calls(worker, limit, None::<&Awake<'_, Hasty>>).await.end()
    }

    /// Takes and sees to calls: until none is due, or, for who can wait, until the shift is over.
    ///
    /// All that takes time is in one set of jobs that are polled together. Nothing else may be awaited meanwhile: a job
    /// that holds the store's only unit could not go on, and whoever waits for a unit would wait forever. For the same
    /// reason a job holds one unit at most, and none while it waits for the gateway.
    pub(super) async fn see_to_calls<N, F>(
        &self,
        worker: &WorkerId,
        limit: usize,
        awake: Option<&Awake<'_, N>>,
    ) -> Tally<Sent, S::Error>
    where
        N: Fn(Duration) -> F,
        F: Future<Output = ()>,
    {
        let mut tally = Tally::<Sent, _>::default();
        let mut jobs = FuturesUnordered::new();
        // How many calls are held; how often the bell had been rung when the outbox was last asked; how many failures
        // there were in a row.
        let (mut held, mut heard, mut streak) = (0, 0, 0);
        let (mut open, mut hungry, mut taking, mut resting) = (true, true, false, false);
        loop {
            open = open && awake.is_none_or(|awake| !awake.bell.is_stopped());
            let room = self.policy.at_once.max(1).saturating_sub(held).min(limit - tally.done.taken);
            if open && hungry && !taking && room > 0 {
                heard = awake.map_or(0, |awake| awake.bell.rings());
                (hungry, taking) = (false, true);
                jobs.push(self.job(worker, Job::Take(room)));
            }
            let Some(done) = jobs.next().await else { return tally };
            let mut idle = false;
            match done {
                Done::Took { asked, calls: Ok(calls) } => {
                    (taking, streak, idle) = (false, 0, calls.len() < asked);
                    // Where some could not be read there is still room for others.
                    hungry |= !idle;
                    tally.done.taken += calls.len();
                    for call in calls {
                        match call {
                            Ok(call) => {
                                held += 1;
                                jobs.push(self.job(worker, Job::See(call)));
                            }
                            // The store has parked it.
                            Err(unreadable) => {
                                trace::unreadable_call(worker, self.gateway.name(), &unreadable);
                                tally.done.count(Fate::Parked);
                            }
                        }
                    }
                }
                Done::Took { calls: Err(error), .. } => {
                    (taking, streak, idle) = (false, streak + 1, true);
                    tally.failed(error);
                }
                Done::Saw(Ok(fate)) => {
                    (held, streak, hungry) = (held - 1, 0, true);
                    tally.done.count(fate);
                }
                Done::Saw(Err(error)) => {
                    (held, streak, idle) = (held - 1, streak + 1, true);
                    tally.failed(error);
                }
                Done::Rested => (resting, hungry) = (false, true),
            }
            match awake {
                None => open = open && !idle,
                Some(awake) if idle && !resting => {
                    resting = true;
                    jobs.push(self.job(worker, Job::Rest { awake, heard, streak }));
                }
                Some(_) => {}
            }
        }
    }

    async fn job<N, F>(&self, worker: &WorkerId, job: Job<'_, N>) -> Done<Fails<S>>
    where
        N: Fn(Duration) -> F,
        F: Future<Output = ()>,
    {
        match job {
            Job::Take(asked) => Done::Took { asked, calls: self.take(worker, asked).await },
            Job::See(call) => Done::Saw(trace::call(worker, self.gateway.name(), &call, self.see_to(&call)).await),
            Job::Rest { awake, heard, streak } => {
                awake.rest(&self.policy, heard, streak).await;
                Done::Rested
            }
        }
    }

    async fn take(&self, worker: &WorkerId, limit: usize) -> Result<Vec<Result<LeasedCall, Unreadable>>, Fails<S>> {
        let now = self.clock.now();
        let lease = &Lease {
            worker: worker.clone(),
            gateway: self.gateway.name().clone(),
            now,
            until: now.plus(self.policy.lease),
            limit,
        };
        self.anew(|| async move {
            let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
            let calls = unit.lease(lease).await.map_err(EscrowError::Storage)?;
            self.store.commit(unit).await.map_err(EscrowError::Storage)?;
            Ok(calls)
        })
        .await
    }

    async fn see_to(&self, call: &LeasedCall) -> Result<Fate, Fails<S>> {
        let key = call.instruction.key();
        // What may have been sent before is looked up first.
        let known = if call.sent { self.gateway.lookup(&key).await } else { Ok(None) };
        let answer = match known {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => match self.before_sending(call).await {
                Ok(Gate::Send) => self.gateway.execute(&key, &call.instruction).await,
                Ok(Gate::Held) => return Ok(Fate::Held),
                Ok(Gate::Lost) => return Ok(Fate::Lost),
                Ok(Gate::Unknown(error)) => return self.failed(call, true, &*error).await,
                Ok(Gate::CalledOff) => Ok(never_sent()),
                Err(error @ (EscrowError::Storage(_) | EscrowError::Stale)) => return Err(error),
                // Such as a log that cannot be read: the next call must not wait for it for ever.
                Err(error) => return self.failed(call, true, &error).await,
            },
            Err(error) => Err(error),
        };
        match answer {
            Ok(outcome) => self.answered(call, outcome).await,
            Err(error) => self.failed(call, false, &error).await,
        }
    }

    async fn before_sending(&self, call: &LeasedCall) -> Result<Gate, Fails<S>> {
        let key = call.instruction.key();
        if call.sent && self.anew(|| self.called_off(key)).await? {
            return Ok(Gate::CalledOff);
        }
        self.gate(call).await
    }

    // Whether a charge that never arrived is no longer wanted.
    async fn called_off(&self, key: IdempotencyKey) -> Result<bool, Fails<S>> {
        let (Ok(payin), Verb::Charge) = (PayinId::try_from(key.subject), key.verb) else { return Ok(false) };
        let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
        Ok(matches!(self.load(&mut unit, payin).await?, AnyPayin::Cancelled(_)))
    }

    async fn answered(&self, call: &LeasedCall, outcome: Outcome) -> Result<Fate, Fails<S>> {
        let report = &Report { key: call.instruction.key(), outcome };
        match self.anew(|| self.take_answer(report)).await {
            Ok(()) if report.outcome.is_final() => Ok(Fate::Answered),
            Ok(()) => Ok(Fate::Pending),
            Err(error @ (EscrowError::Storage(_) | EscrowError::Stale)) => Err(error),
            // What cannot be is for people to look at; the next call must not wait for it.
            Err(error) => {
                let parked = self.park(call, report, &error).await?;
                // Where there is nothing to park any more, somebody has to hear of it all the same.
                if parked { Ok(Fate::Parked) } else { Err(error) }
            }
        }
    }

    async fn take_answer(&self, report: &Report) -> Result<(), Fails<S>> {
        let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
        self.report(&mut unit, report).await?;
        if !report.outcome.is_final() {
            let due = self.clock.now().plus(self.policy.look_up);
            unit.postpone(&Postponement::pending(report.key, due)).await.map_err(EscrowError::Storage)?;
        }
        self.store.commit(unit).await.map_err(EscrowError::Storage)
    }

    // Whether the call was still this worker's to park. Where another amount was captured than was asked, the payin notes it in
    // the same unit: by that the platform may call it off.
    async fn park(&self, call: &LeasedCall, report: &Report, error: &Fails<S>) -> Result<bool, Fails<S>> {
        let (key, now, problem) = (report.key, self.clock.now(), in_words(error));
        let postponement = &Postponement { problem: problem.as_ref(), ..Postponement::parked(key, now).under(call) };
        let other = key.verb == Verb::Capture && matches!(error, EscrowError::Refused(Reason::WrongAmount { .. }));
        let captured = PayinId::try_from(key.subject).ok().zip(report.outcome.moved()).filter(|_| other);
        self.anew(|| async move {
            let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
            let noted = unit.postpone(postponement).await.map_err(EscrowError::Storage)?;
            if let (true, Some((payin, moved))) = (noted, captured)
                && let AnyPayin::Authorized(payin) = self.load(&mut unit, payin).await?
                // What can be no amount of it, or is known, is parked only.
                && let Ok(captured) = payin.note_capture(moved, &Stamp::gateway(now))
            {
                captured.save(&mut unit).await?;
            }
            self.store.commit(unit).await.map_err(EscrowError::Storage)?;
            Ok(noted)
        })
        .await
    }

    // Nothing was sent, or nobody knows.
    async fn failed(&self, call: &LeasedCall, unsent: bool, error: &(dyn Error + Sync)) -> Result<Fate, Fails<S>> {
        let (key, tried, now) = (call.instruction.key(), call.attempts.saturating_add(1), self.clock.now());
        let (fate, later) = if tried >= self.policy.attempts {
            (Fate::Parked, Postponement::parked(key, now))
        } else {
            (Fate::Unknown, Postponement::queued(key, now.plus(self.policy.wait(&key, tried))))
        };
        let problem = in_words(error);
        let later = Postponement { unsent, problem: problem.as_ref(), ..later.under(call) };
        Ok(if self.put_off(&later).await? { fate } else { Fate::Lost })
    }

    /// Whether the call was still this worker's to put off.
    pub(super) async fn put_off(&self, postponement: &Postponement<'_>) -> Result<bool, Fails<S>> {
        self.anew(|| async move {
            let mut unit = self.store.begin().await.map_err(EscrowError::Storage)?;
            let noted = unit.postpone(postponement).await.map_err(EscrowError::Storage)?;
            self.store.commit(unit).await.map_err(EscrowError::Storage)?;
            Ok(noted)
        })
        .await
    }
}

impl Sent {
    fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Answered => self.answered += 1,
            Fate::Pending => self.pending += 1,
            Fate::Unknown => self.unknown += 1,
            Fate::Held => self.held += 1,
            Fate::Parked => self.parked += 1,
            Fate::Lost => self.lost += 1,
        }
    }
}

// What became of a charge that was called off before the gateway heard of it.
fn never_sent() -> Outcome {
    Outcome::Declined { reason: Prose::new("called off before it arrived").expect("a short text") }
}

// An error and what is behind it, in words that a store can keep.
fn in_words(error: &dyn Error) -> Option<Prose> {
    let mut words = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        let more = error.to_string();
        // Some say themselves what is behind them.
        if !words.ends_with(&more) {
            words = format!("{words}: {more}");
        }
        behind = error.source();
    }
    Prose::of(&words)
}
