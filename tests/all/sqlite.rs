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
mod watch;

/// Where the random choices of a test begin.
fn seed() -> u64 {
    let given = std::env::var("ESCROWED_SEED").ok().map(|seed| seed.parse().expect("ESCROWED_SEED is a number"));
    let now = || std::time::UNIX_EPOCH.elapsed().map_or(1, |time| u64::from(time.subsec_nanos()));
    let seed = given.unwrap_or_else(now);
    eprintln!("seed: {seed}");
    seed
}

/// Random numbers: those of a linear congruential generator, by their upper bits.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
