//! What nobody asks for: sending the calls of the outbox, and doing what is due.

mod bell;
mod calls;
mod deadlines;
mod held;
mod parked;
mod policy;
mod shift;

pub use bell::Bell;
#[cfg(feature = "tracing")]
pub(super) use calls::Fate;
pub use calls::Sent;
pub use deadlines::Due;
pub use policy::Policy;
pub use shift::{Shift, Worked};

use super::{Clock, Escrow, EscrowError, trace};
use crate::{gateway::Gateway, store::Store};

/// What a worker did, and what it could not do.
struct Tally<T, E> {
    done: T,
    failures: usize,
    problem: Option<EscrowError<E>>,
}

impl<T: Default, E> Default for Tally<T, E> {
    fn default() -> Self {
        Self { done: T::default(), failures: 0, problem: None }
    }
}

impl<T, E: std::error::Error> Tally<T, E> {
    // What one thing meets must not keep the others waiting: it is told of at the end.
    fn failed(&mut self, error: EscrowError<E>) {
        trace::failed(&error);
        self.failures += 1;
        self.problem = Some(error);
    }

    fn end(self) -> Result<T, EscrowError<E>> {
        self.problem.map_or(Ok(self.done), Err)
    }
}

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Does something in a unit of its own, and again in a fresh one while somebody else is faster, as often as the
    /// policy says. A serialization failure may show as late as at the COMMIT, so that has to be part of it.
    async fn anew<T, F>(&self, mut once: impl FnMut() -> F) -> Result<T, EscrowError<S::Error>>
    where
        F: Future<Output = Result<T, EscrowError<S::Error>>>,
    {
        let mut races = 0;
        loop {
            match once().await {
                Err(error) if races < self.policy.races && self.is_lost_race(&error) => races += 1,
                done => return done,
            }
            trace::lost_race();
        }
    }

    fn is_lost_race(&self, error: &EscrowError<S::Error>) -> bool {
        if let EscrowError::Storage(error) = error { self.store.is_lost_race(error) } else { error.is_lost_race() }
    }
}
