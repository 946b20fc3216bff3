//! Two processes and one file: one is killed at any moment, or both work on it at once.

use super::{
    child::{self, Role},
    torn::Wal,
};
use crate::{
    harness::seed,
    market::{
        Dice, Market, Plot,
        audit::{Ack, audit, audit_the_end},
        process::{self, Companion, wait_for_the_parent},
    },
};
use escrowed::{
    gateway::{Gateway, Outcome},
    sandbox::Sandbox,
    sqlite::Sqlite,
    store::{CallStatus, Lease, LeasedCall, Outbox},
};
use futures_lite::future::block_on;
use std::{
    collections::BTreeSet,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Two connections, each with orders of its own, without end.
pub(crate) fn load(file: &Path, seed: u64, life: u64) {
    let sandbox = Sandbox::new(seed);
    thread::scope(|scope| {
        for lane in 0..2 {
            let sandbox = sandbox.clone();
            scope.spawn(move || {
                block_on(async {
                    let market = Market::with(Sqlite::open(file).unwrap(), sandbox, life, true).await;
                    // Pages go to the file before the COMMIT that makes them count.
                    market.shop.begin().await.connection().pragma_update(None, "cache_size", 1).unwrap();
                    let mut dice = Dice(seed + lane);
                    panic!("{}", market.load(&mut dice, true).await);
                });
            });
        }
        wait_for_the_parent();
        std::process::exit(0);
    });
}

#[test]
fn killed_at_any_moment() {
    const LIVES: u64 = 16;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("market.db");
    drop(Sqlite::open(&file).unwrap());
    let mut dice = Dice(seed());
    let mut acks: Vec<Ack> = Vec::new();
    let mut half = 0;
    for life in 1..=LIVES {
        let mut child = Companion::of(child::start(&file, Role::Load(dice.below(1 << 30)), life));
        child.hear("ack", 1);
        thread::sleep(Duration::from_micros(dice.below(120_000)));
        acks.extend(process::acks(&child.kill()));
        half += usize::from(Wal::beside(&file).frames.last().is_some_and(|frame| !frame.commits));
        block_on(async {
            let market = Market::open(Sqlite::open(&file).unwrap(), life, false).await;
            audit(&market, &acks).await;
        });
    }
    eprintln!("{LIVES} killed after {} acknowledgements; {half} left half a commit in the file", acks.len());
    block_on(async {
        let market = Market::open(Sqlite::open(&file).unwrap(), LIVES + 1, false).await;
        market.run().await;
        audit(&market, &acks).await;
        audit_the_end(&market).await;
    });
}

/// One of the two processes that work on a file at once. The calls that it took.
async fn work(market: &Market<Sqlite>, worker: &str, done: impl Fn(usize) -> bool) -> Vec<LeasedCall> {
    let mut taken = Vec::new();
    while !done(taken.len()) {
        market.open_order(Plot::Shared).await;
        // Whosever orders they are.
        for id in market.orders().await.into_iter().rev().take(6) {
            market.advance(id).await;
        }
        let calls = take(market, worker).await;
        // A gateway takes its time, in which the other one looks for calls, too.
        thread::sleep(Duration::from_millis(20));
        for call in calls {
            let key = call.instruction.key();
            market.say(&format!("took {key}"));
            let outcome: Outcome = market.shop.gateway().execute(&key, &call.instruction).await.unwrap();
            market.shop.report(key, outcome).await;
            taken.push(call);
        }
    }
    taken
}

async fn take(market: &Market<Sqlite>, worker: &str) -> Vec<LeasedCall> {
    let now = market.shop.now();
    let until = now.plus(Duration::from_secs(60));
    let lease = Lease { worker: worker.parse().unwrap(), gateway: "sandbox".parse().unwrap(), now, until, limit: 3 };
    let mut unit = market.shop.begin().await;
    let calls = unit.lease(&lease).await.unwrap();
    market.shop.commit(unit).await;
    calls.into_iter().map(Result::unwrap).collect()
}

pub(crate) fn share(file: &Path) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            wait_for_the_parent();
            over.store(true, Ordering::SeqCst);
        });
        block_on(async {
            let market = Market::open(Sqlite::open(file).unwrap(), 1, true).await;
            work(&market, "child", |_| over.load(Ordering::SeqCst)).await;
        });
    });
}

#[test]
fn both_make_progress_and_no_call_is_taken_by_both() {
    const CALLS: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("market.db");
    let store = Sqlite::open(&file).unwrap();
    let mut child = Companion::of(child::start(&file, Role::Share, 1));
    child.hear("took", 1);
    let count = |word| child.said().matches(word).count();
    let (acks, taken) = (count("ack "), count("took "));
    let begun = Instant::now();
    let mine = block_on(async {
        let market = Market::open(store, 1, false).await;
        let both = |mine| mine >= CALLS && count("took ") >= taken + CALLS;
        work(&market, "parent", |mine| both(mine) || begun.elapsed() > Duration::from_secs(20)).await
    });
    let during = count("ack ") - acks;
    let (success, said) = child.end();
    assert!(success, "{said}");
    let theirs: BTreeSet<_> = said.lines().filter_map(|line| line.strip_prefix("took ")).collect();
    let mine: BTreeSet<_> = mine.iter().map(|call| call.instruction.key().to_string()).collect();
    eprintln!("the parent took {} calls, the child {}, while it made {during} steps", mine.len(), theirs.len());
    assert!(during > 0 && mine.len() >= CALLS && theirs.len() >= CALLS, "both make progress");
    assert!(mine.iter().all(|key| !theirs.contains(key.as_str())), "a call was taken by both");
    block_on(async {
        let market = Market::open(Sqlite::open(&file).unwrap(), 1, false).await;
        for call in market.calls(CallStatus::Settled).await {
            assert_eq!(call.attempts, 1, "{call:?}");
        }
        audit(&market, &process::acks(&said)).await;
        market.run().await;
        audit_the_end(&market).await;
    });
}
