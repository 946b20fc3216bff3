//! Random tests that can be had again.

use proptest::test_runner::{Config, RngSeed};

/// The seed of a random test: `ESCROWED_SEED`, or another one each time. Printed, so that a failure can be had again.
pub(crate) fn seed() -> u64 {
    let now = || std::time::UNIX_EPOCH.elapsed().map_or(1, |time| u64::from(time.subsec_nanos()));
    let given = std::env::var("ESCROWED_SEED").ok().map(|seed| seed.parse().expect("ESCROWED_SEED is a number"));
    let seed = given.unwrap_or_else(now);
    eprintln!("seed: {seed} (set ESCROWED_SEED to have it again)");
    seed
}

/// So many cases of a property, or as many as `PROPTEST_CASES` says.
pub(crate) fn random(cases: u32) -> Config {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let default = Config::default();
    Config {
        cases: if asked { default.cases } else { cases },
        rng_seed: RngSeed::Fixed(seed()),
        failure_persistence: None,
        ..default
    }
}
