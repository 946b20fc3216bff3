//! Deaths at chosen points: between any two writes, and after any number of steps of SQLite's machine.

use super::{
    child::{self, Death, Role},
    torn::Wal,
    watch,
};
use crate::{
    harness::seed,
    market::{
        Dice, Market, Plot,
        audit::{Ack, audit, audit_the_end},
    },
};
use escrowed::sqlite::Sqlite;
use futures_lite::future::block_on;
use std::{collections::BTreeMap, path::Path};

/// Every table that a commit writes to before the host's own.
const TABLES: [&str; 6] = [
    "escrowed_subjects",
    "escrowed_parties",
    "escrowed_events",
    "escrowed_balances",
    "escrowed_entries",
    "escrowed_calls",
];

#[derive(Debug, Default)]
struct Tally {
    deaths: usize,
    inside: usize,
    /// How many left a part of a commit in the file.
    half: usize,
    places: BTreeMap<String, usize>,
}

impl Tally {
    fn count(&mut self, death: &Death, file: &Path) {
        let wal = Wal::beside(file);
        self.half += usize::from(wal.frames.last().is_some_and(|frame| !frame.commits));
        self.deaths += 1;
        self.inside += usize::from(death.inside());
        *self.places.entry(death.place.clone()).or_default() += 1;
    }

    fn assert_inside(&self) {
        let Self { deaths, inside, half, places } = self;
        eprintln!("{deaths} deaths, {inside} inside a commit; {half} left half of one in the file: {places:?}");
        assert!(inside * 3 > *deaths, "many die inside a commit");
        assert!(*half > 0, "some leave half a commit in the file");
    }
}

/// One file, on which one child after the other dies, each at the next point: before the first write of a commit,
/// before the second, and so on to its COMMIT and right after it, then in the next commit.
#[test]
fn between_any_two_writes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("market.db");
    let (mut tally, mut acks) = (Tally::default(), Vec::new());
    let (mut point, mut events) = (1, 0);
    for life in 1.. {
        let end = child::run(&file, Role::AtPoint(point), life);
        if let Some(death) = &end.death {
            tally.count(death, &file);
        }
        acks.extend(end.acks);
        let now = block_on(async {
            let market = Market::open(Sqlite::open(&file).unwrap(), life, false).await;
            audit(&market, &acks).await
        });
        if end.death.is_none() {
            break;
        }
        assert!(now >= events, "an event is lost");
        point = if now > events { 1 } else { point + 1 };
        events = now;
    }
    tally.assert_inside();
    for place in TABLES.into_iter().chain([watch::BEFORE, watch::AFTER]) {
        assert!(tally.places.contains_key(place), "none died at {place}");
    }
    block_on(async {
        let market = Market::open(Sqlite::open(&file).unwrap(), 9999, false).await;
        audit_the_end(&market).await;
    });
}

/// A file each. The parent goes on with what the child has left, to the end.
#[test]
fn after_any_number_of_steps() {
    const DEATHS: u64 = 40;
    let folder = tempfile::tempdir().unwrap();
    let whole = child::run(&folder.path().join("whole.db"), Role::Count, 1);
    let steps = whole.said.lines().find_map(|line| line.strip_prefix("steps ")).expect("the number of steps");
    let steps: u64 = steps.parse().unwrap();
    let every = steps / DEATHS - Dice(seed()).below(steps / DEATHS / 8);
    let mut tally = Tally::default();
    for k in 1..=DEATHS {
        let file = folder.path().join(format!("{k}.db"));
        let end = child::run(&file, Role::AfterSteps(k * every), 1);
        if let Some(death) = &end.death {
            tally.count(death, &file);
        }
        go_on(&file, &end.acks);
    }
    eprintln!("{steps} steps, a death after each {every}");
    tally.assert_inside();
}

fn go_on(file: &Path, acks: &[Ack]) {
    block_on(async {
        let market = Market::open(Sqlite::open(file).unwrap(), 2, false).await;
        audit(&market, acks).await;
        market.open_missing(&Plot::ALL).await;
        market.run().await;
        audit(&market, acks).await;
        audit_the_end(&market).await;
    });
}
