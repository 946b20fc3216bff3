//! A worker that goes on until it is told to stop.

use super::{
    super::{Clock, Escrow, EscrowError},
    Bell, Due, Policy, Sent,
};
use crate::{
    gateway::Gateway,
    store::{Store, WorkerId},
};
use futures_util::future::{join, select};
use std::{pin::pin, time::Duration};

/// How a worker works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// The worker's own name, different from every other worker's, in whatever process.
    pub worker: WorkerId,
    /// How long to wait when there is nothing to do, before looking again: 1 second by default.
    pub idle: Duration,
}

/// What a worker did in its shift.
#[derive(Debug)]
pub struct Worked<E> {
    /// The calls that it took.
    pub sent: Sent,
    /// The deadlines that it took.
    pub due: Due,
    /// How often the storage failed, or an answer could be neither taken nor parked. What that concerned was taken again
    /// once its lease had ended, by this worker or another.
    pub failures: usize,
    /// The last of these failures.
    pub problem: Option<EscrowError<E>>,
}

impl Shift {
    /// A shift in this worker's name.
    #[must_use]
    pub const fn new(worker: WorkerId) -> Self {
        Self { worker, idle: Duration::from_secs(1) }
    }
}

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Sends calls and runs deadlines, side by side, until the bell says that the shift is over. It takes a call only
    /// when it has a hand free, so that no call's lease runs while it waits; one that the gateway is slow to answer
    /// holds up neither those of other orders nor deadlines.
    ///
    /// - Any number of workers may work on one store, in any number of processes, each under a name of its own.
    /// - The crate starts no timer: `sleep` is the host's own way to wait, such as `tokio::time::sleep`. Spawn the
    ///   future wherever the host spawns things.
    /// - When the storage fails, it waits ([`Policy::wait`]) and goes on; with the feature `tracing` it tells of it at
    ///   once, and [`Worked`] does in the end.
    /// - Once the [`Bell`] is stopped, it takes nothing more, sees to what it holds, and returns. A future that is dropped
    ///   instead, or a process that dies, loses its leases, not the calls: whoever takes them next looks them up first.
    ///
    /// ```
    /// # use escrowed::{memory::Memory, order, party::Actor, payment::Method, sandbox::Sandbox, store::Store};
    /// use escrowed::escrow::{Bell, Escrow, Shift};
    /// # futures_lite::future::block_on(async {
    /// # let escrow = Escrow::new(Memory::new(), Sandbox::new(7));
    /// # let (anna, ops) = (Actor::Party("anna".parse()?), Actor::platform("ops".parse()?));
    /// # let terms = order::Terms::new("A bicycle".parse()?, "120.00 EUR".parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
    /// # let mut unit = escrow.store().begin().await?;
    /// # let order = escrow.open_order(&mut unit, terms, ops.clone()).await?;
    /// # let buyer = "anna".parse()?;
    /// # escrow.act(&mut unit, order.id(), order::Command::IdentifyBuyer { buyer }, ops).await?;
    /// # escrow.act(&mut unit, order.id(), order::Command::Pay { by: Method::Card }, anna).await?;
    /// # escrow.store().commit(unit).await?;
    /// let bell = Bell::new();
    /// let sleep = |_time| {
    ///     bell.stop();                    // nothing left to do: this host's worker goes home
    ///     std::future::ready(())          // any other's: tokio::time::sleep(time)
    /// };
    /// let worked = escrow.work(&Shift::new("worker-1".parse()?), &bell, sleep).await;
    /// assert_eq!((worked.sent.answered, worked.failures), (1, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub async fn work<N, F>(&self, shift: &Shift, bell: &Bell, sleep: N) -> Worked<S::Error>
    where
        N: Fn(Duration) -> F,
        F: Future<Output = ()>,
    {
        let awake = &Awake { shift, bell, sleep: &sleep };
        let calls = self.see_to_calls(&shift.worker, usize::MAX, Some(awake));
        let (sent, due) = join(calls, self.watch_deadlines(awake)).await;
        Worked {
            sent: sent.done,
            due: due.done,
            failures: sent.failures + due.failures,
            problem: sent.problem.or(due.problem),
        }
    }
}

/// What a worker needs to wait.
pub(super) struct Awake<'w, N> {
    pub(super) shift: &'w Shift,
    pub(super) bell: &'w Bell,
    pub(super) sleep: &'w N,
}

impl<N, F> Awake<'_, N>
where
    N: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    /// Waits until there may be something to do; after failures, until the storage may have recovered.
    pub(super) async fn rest(&self, policy: &Policy, heard: u64, streak: u32) {
        if streak == 0 {
            select(pin!(self.bell.rung_since(heard)), pin!((self.sleep)(self.shift.idle))).await;
        } else {
            let wait = policy.wait(&self.shift.worker, streak);
            select(pin!(self.bell.stopped()), pin!((self.sleep)(wait))).await;
        }
    }
}
