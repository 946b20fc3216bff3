//! How a host reaches its workers: there is something to do, or the shift is over.

use event_listener::Event;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Wakes workers, and ends their shift. A clone is the same bell; any number of workers may listen to it.
///
/// ```
/// use escrowed::escrow::Bell;
///
/// let bell = Bell::new();
/// let by_the_door = bell.clone();
/// by_the_door.ring();                 // a webhook's handler has saved something: idle workers look at once
/// by_the_door.stop();                 // the process was asked to end
/// assert!(bell.is_stopped());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Works>);

#[derive(Debug, Default)]
struct Works {
    rings: AtomicU64,
    stopped: AtomicBool,
    event: Event,
}

impl Bell {
    /// A bell that nobody has touched yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// There is something to do: idle workers look at once instead of at the end of their
    /// [`idle`](super::Shift::idle) time. Ring after the commit. Nothing is lost when nobody rings.
    pub fn ring(&self) {
        self.0.rings.fetch_add(1, Ordering::SeqCst);
        self.0.event.notify(usize::MAX);
    }

    /// The shift is over, for good: workers finish what they hold and take nothing more.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.event.notify(usize::MAX);
    }

    /// Whether the shift is over.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    /// How often it was rung so far.
    pub(super) fn rings(&self) -> u64 {
        self.0.rings.load(Ordering::SeqCst)
    }

    /// Until it has been rung since, or stopped.
    pub(super) async fn rung_since(&self, rings: u64) {
        self.until(|| self.is_stopped() || self.rings() != rings).await;
    }

    /// Until it is stopped.
    pub(super) async fn stopped(&self) {
        self.until(|| self.is_stopped()).await;
    }

    async fn until(&self, come: impl Fn() -> bool) {
        while !come() {
            let listener = self.0.event.listen();
            // It may have come before anybody listened.
            if come() {
                return;
            }
            listener.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, poll_once};
    use std::pin::pin;

    #[test]
    fn a_ring_wakes_who_listens_and_is_remembered_for_who_does_not() {
        let bell = Bell::new();
        let before = bell.rings();
        let (mut waits, mut waits_for_the_end) = (pin!(bell.rung_since(before)), pin!(bell.stopped()));
        assert_eq!(block_on(poll_once(&mut waits)), None);
        assert_eq!(block_on(poll_once(&mut waits_for_the_end)), None);
        bell.clone().ring();
        block_on(waits);
        block_on(bell.rung_since(before));
        assert_eq!(block_on(poll_once(&mut waits_for_the_end)), None);
        assert_eq!(block_on(poll_once(pin!(bell.rung_since(bell.rings())))), None);
    }

    #[test]
    fn a_stop_wakes_everybody_for_good() {
        let bell = Bell::new();
        std::thread::scope(|scope| {
            let threads = [0; 3].map(|_| scope.spawn(|| block_on(bell.rung_since(bell.rings()))));
            bell.stop();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        block_on(bell.stopped());
        assert!(bell.is_stopped());
    }
}
