//! A store that pauses and fails where it is told to, and a desk that polls callers one by one.

use crate::{
    memory::{Memory, MemoryError, MemoryUnit},
    store::Store,
};
use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Where a store fails, once unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fails {
    Never,
    ToBegin,
    /// Nothing is durable.
    BeforeCommit,
    /// It is durable, but who knows?
    AfterCommit,
    /// So many commits find that somebody else was faster. Nothing of them is durable.
    ToWin(usize),
}

/// A store in memory that pauses around everything, counts, and fails where it is told to.
#[derive(Debug)]
pub(super) struct Rig {
    pub(super) memory: Memory,
    pub(super) pauses: usize,
    pub(super) fails: Fails,
    pub(super) begun: AtomicUsize,
    pub(super) committed: AtomicUsize,
}

impl Rig {
    pub(super) fn new(pauses: usize, fails: Fails) -> Self {
        let (begun, committed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { memory: Memory::new(), pauses, fails, begun, committed }
    }

    async fn pause(&self) {
        for _ in 0..self.pauses {
            let mut paused = false;
            poll_fn(|cx| {
                if std::mem::replace(&mut paused, true) {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }

    fn failure() -> MemoryError {
        MemoryError::Unwritable(serde::de::Error::custom("it fails"))
    }

    // A memory store loses no races, so its error for what it cannot hold has to stand for them.
    fn lost() -> MemoryError {
        MemoryError::Overflow { account: "wallet:race".parse().unwrap() }
    }
}

impl Store for Rig {
    type Unit = MemoryUnit;
    type Error = MemoryError;

    async fn begin(&self) -> Result<MemoryUnit, MemoryError> {
        self.pause().await;
        let first = self.begun.fetch_add(1, Ordering::SeqCst) == 0;
        if first && self.fails == Fails::ToBegin {
            return Err(Self::failure());
        }
        let unit = self.memory.begin().await;
        self.pause().await;
        unit
    }

    async fn commit(&self, unit: MemoryUnit) -> Result<(), MemoryError> {
        self.pause().await;
        let before = self.committed.fetch_add(1, Ordering::SeqCst);
        let first = before == 0;
        if first && self.fails == Fails::BeforeCommit {
            return Err(Self::failure());
        }
        if matches!(self.fails, Fails::ToWin(races) if before < races) {
            return Err(Self::lost());
        }
        self.memory.commit(unit).await?;
        self.pause().await;
        if first && self.fails == Fails::AfterCommit { Err(Self::failure()) } else { Ok(()) }
    }

    fn is_lost_race(&self, error: &MemoryError) -> bool {
        matches!(error, MemoryError::Overflow { .. })
    }
}

/// Polls those who were woken, in turns. Whom nobody wakes, it does not poll.
pub(super) struct Desk<'f, T>(Vec<Seat<'f, T>>);

struct Seat<'f, T> {
    caller: Option<Pin<Box<dyn Future<Output = T> + 'f>>>,
    woken: Arc<Woken>,
    polls: usize,
    end: Option<End<T>>,
}

/// What became of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End<T> {
    Answered(T),
    Panicked,
    Dropped,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<'f, T> Desk<'f, T> {
    pub(super) fn new<F: Future<Output = T> + 'f>(callers: impl IntoIterator<Item = F>) -> Self {
        let seat = |caller| Seat {
            caller: Some(Box::pin(caller) as Pin<Box<dyn Future<Output = T> + 'f>>),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            polls: 0,
            end: None,
        };
        Self(callers.into_iter().map(seat).collect())
    }

    /// What becomes of everybody; `drops` says after how many polls a caller is dropped.
    pub(super) fn run(mut self, drops: impl Fn(usize) -> Option<usize>) -> Vec<End<T>> {
        while self.0.iter().any(|seat| seat.end.is_none()) {
            let mut moved = false;
            for (number, seat) in self.0.iter_mut().enumerate() {
                if seat.end.is_some() {
                    continue;
                }
                if drops(number) == Some(seat.polls) {
                    seat.caller = None;
                    (seat.end, moved) = (Some(End::Dropped), true);
                } else if seat.woken.0.swap(false, Ordering::SeqCst) {
                    seat.poll();
                    moved = true;
                }
            }
            assert!(moved, "nobody is woken, and somebody still waits");
        }
        self.0.into_iter().filter_map(|seat| seat.end).collect()
    }
}

impl<T> Seat<'_, T> {
    fn poll(&mut self) {
        let waker = Waker::from(self.woken.clone());
        let caller = self.caller.as_mut().expect("a caller that has no end yet");
        self.polls += 1;
        match catch_unwind(AssertUnwindSafe(|| caller.as_mut().poll(&mut Context::from_waker(&waker)))) {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(answer)) => self.end = Some(End::Answered(answer)),
            Err(_) => self.end = Some(End::Panicked),
        }
        self.caller = None;
    }
}
