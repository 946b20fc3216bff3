//! Who waits, who leads, and what becomes of the work when somebody is dropped.

use super::{
    Shared,
    batch::{Answer, Answers, Batch, write},
};
use crate::store::{Commit, Store};
use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// The callers of one store.
pub(super) struct Queue<S: Store> {
    state: Mutex<State<S>>,
    limit: usize,
}

struct State<S: Store> {
    /// The number of the last caller.
    last: u64,
    /// All callers who have no answer yet, or have not fetched it.
    callers: HashMap<u64, Caller<S>>,
    /// Those whose commits nobody writes yet, in the order in which they came.
    waiting: VecDeque<(u64, Vec<Commit>)>,
    /// Those whose commits are being written, in their order. Some may have been dropped.
    aboard: Vec<u64>,
    /// Who does the work. Whenever there is a caller without an answer, one of them leads.
    leader: Option<u64>,
    work: Work<S>,
}

struct Caller<S: Store> {
    waker: Waker,
    answer: Option<Answer<S>>,
}

type Job<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the leader is at. It belongs to the queue, so that another one can go on when the leader is dropped.
enum Work<S: Store> {
    Nothing,
    /// Whoever is ready to write has a chance to join.
    Gathering,
    Writing(Job<Answers<S>>),
    /// The leader polls it. Found by anybody else, the leader has panicked in it.
    InHand,
}

/// One caller's turn: ready when its commits are durable or refused.
pub(super) struct Turn<'q, S: Store + 'static> {
    queue: &'q Queue<S>,
    store: &'q Arc<S>,
    /// Until the caller is in the queue.
    commits: Vec<Commit>,
    number: Option<u64>,
}

impl<S: Store + 'static> Queue<S> {
    pub(super) fn new(limit: usize) -> Self {
        let state = State {
            last: 0,
            callers: HashMap::new(),
            waiting: VecDeque::new(),
            aboard: Vec::new(),
            leader: None,
            work: Work::Nothing,
        };
        Self { state: Mutex::new(state), limit }
    }

    /// Writes commits together, with whatever others write at the same time.
    pub(super) const fn turn<'q>(&'q self, store: &'q Arc<S>, commits: Vec<Commit>) -> Turn<'q, S> {
        Turn { queue: self, store, commits, number: None }
    }

    // Nothing panics while it is locked, save for a lack of memory.
    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store + 'static> Future for Turn<'_, S> {
    type Output = Answer<S>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer<S>> {
        let turn = &mut *self;
        loop {
            let work = {
                let mut state = turn.queue.lock();
                let number = *turn.number.get_or_insert_with(|| state.enter(mem::take(&mut turn.commits), cx.waker()));
                if let Some(answer) = state.fetch(number, cx.waker()) {
                    turn.number = None;
                    return Poll::Ready(answer);
                }
                if *state.leader.get_or_insert(number) != number {
                    return Poll::Pending;
                }
                mem::replace(&mut state.work, Work::InHand)
            };
            let next = match work {
                Work::Nothing => {
                    turn.queue.lock().work = Work::Gathering;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Work::Gathering => {
                    let batch = turn.queue.lock().board(turn.queue.limit);
                    Work::Writing(Box::pin(write(turn.store.clone(), batch)))
                }
                Work::Writing(mut job) => match job.as_mut().poll(cx) {
                    Poll::Ready(written) => {
                        let mut state = turn.queue.lock();
                        let answers = written.unwrap_or_else(|error| state.board_everybody(error));
                        let wakers = state.land(answers);
                        drop(state);
                        wakers.into_iter().for_each(Waker::wake);
                        continue;
                    }
                    Poll::Pending => {
                        turn.queue.lock().work = Work::Writing(job);
                        return Poll::Pending;
                    }
                },
                Work::InHand => unreachable!("only the leader has the work in hand"),
            };
            turn.queue.lock().work = next;
        }
    }
}

impl<S: Store> State<S> {
    fn enter(&mut self, commits: Vec<Commit>, waker: &Waker) -> u64 {
        self.last += 1;
        self.callers.insert(self.last, Caller { waker: waker.clone(), answer: None });
        self.waiting.push_back((self.last, commits));
        self.last
    }

    /// Takes a caller's answer, and lets it go; or notes how to wake it.
    fn fetch(&mut self, number: u64, waker: &Waker) -> Option<Answer<S>> {
        let caller = self.callers.get_mut(&number).expect("a caller is known until it has its answer");
        let Some(answer) = caller.answer.take() else {
            caller.waker.clone_from(waker);
            return None;
        };
        self.callers.remove(&number);
        Some(answer)
    }

    /// Takes the first of those who wait aboard: at most `limit` commits, but one caller at least.
    fn board(&mut self, limit: usize) -> Batch {
        let mut commits = 0;
        let fits = |(_, group): &&(u64, Vec<Commit>)| {
            commits += group.len();
            commits <= limit
        };
        let callers = self.waiting.iter().take_while(fits).count().max(1).min(self.waiting.len());
        let (numbers, groups): (Vec<_>, Vec<_>) = self.waiting.drain(..callers).unzip();
        self.aboard = numbers;
        Batch::new(groups)
    }

    /// There is no unit to be had: whoever waits need not find out for themselves, one timeout after another. Their answers.
    fn board_everybody(&mut self, error: Shared<S::Error>) -> Vec<Answer<S>> {
        let waiting = self.waiting.drain(..).map(|(number, _)| number);
        self.aboard.extend(waiting);
        vec![Err(error); self.aboard.len()]
    }

    /// Hands the answers out, and the lead on. Whom to wake.
    fn land(&mut self, answers: Vec<Answer<S>>) -> Vec<Waker> {
        let aboard = mem::take(&mut self.aboard);
        assert_eq!(aboard.len(), answers.len(), "everybody aboard has an answer");
        let mut wakers = Vec::with_capacity(answers.len());
        for (number, answer) in aboard.into_iter().zip(answers) {
            if let Some(caller) = self.callers.get_mut(&number) {
                caller.answer = Some(answer);
                if self.leader != Some(number) {
                    wakers.push(caller.waker.clone());
                }
            }
        }
        self.work = Work::Nothing;
        self.leader = None;
        wakers.extend(self.appoint());
        wakers
    }

    /// Lets another caller lead: one who is aboard, or else the first of those who wait.
    fn appoint(&mut self) -> Option<Waker> {
        let aboard = self.aboard.iter().copied().find(|number| self.callers.contains_key(number));
        self.leader = aboard.or_else(|| self.waiting.front().map(|(number, _)| *number));
        self.leader.and_then(|leader| self.callers.get(&leader)).map(|caller| caller.waker.clone())
    }

    /// A caller is gone without its answer. Whom to wake, and work that nobody waits for any more.
    fn leave(&mut self, number: u64) -> (Vec<Waker>, Work<S>) {
        self.callers.remove(&number);
        self.waiting.retain(|(waiting, _)| *waiting != number);
        if self.leader != Some(number) {
            return (Vec::new(), Work::Nothing);
        }
        let live = |number: &u64| self.callers.contains_key(number);
        match &self.work {
            Work::InHand => {
                self.leader = None;
                let answers = self.aboard.iter().map(|_| Err(Shared::Panicked)).collect();
                (self.land(answers), Work::Nothing)
            }
            Work::Gathering if !self.waiting.is_empty() => (self.appoint().into_iter().collect(), Work::Nothing),
            Work::Writing(_) if self.aboard.iter().any(live) => (self.appoint().into_iter().collect(), Work::Nothing),
            Work::Nothing | Work::Gathering | Work::Writing(_) => {
                self.aboard.clear();
                let unwanted = mem::replace(&mut self.work, Work::Nothing);
                (self.appoint().into_iter().collect(), unwanted)
            }
        }
    }
}

impl<S: Store + 'static> Drop for Turn<'_, S> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let (wakers, unwanted) = self.queue.lock().leave(number);
        // Before what is under way is dropped, which may panic in the store.
        wakers.into_iter().for_each(Waker::wake);
        drop(unwanted);
    }
}
