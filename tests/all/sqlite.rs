//! The SQLite store when things die: the process between any two writes, the tail of the file, the host's own
//! transaction. What was acknowledged is there, what was not is there whole or not at all, and everything goes on.
//!
//! `ESCROWED_SEED=123` repeats a run.

mod audit;
mod books;
mod child;
mod deaths;
mod host;
mod market;
mod reopen;
mod torn;
mod two;
mod verify;
mod watch;

use crate::harness::seed;

/// Random numbers: those of a linear congruential generator, by their upper bits.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
