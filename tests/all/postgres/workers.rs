//! Processes that work on one database are killed, at any moment and under load: some that drive orders, some that send
//! their calls, a batch at a time.

use super::{
    cluster::Cluster,
    database::block_on,
    gateway::{Remote, Watched},
};
use crate::{
    harness::seed,
    market::{
        Dice, Market, Sql,
        audit::{Ack, audit, audit_the_end},
        process::{self, Companion, say, wait_for_the_parent},
    },
};
use escrowed::postgres::Postgres;
use std::{env, ffi::OsStr, thread, time::Duration};

const URL: &str = "ESCROWED_CHILD_DATABASE";
const GATEWAY: &str = "ESCROWED_CHILD_GATEWAY";
const ROLE: &str = "ESCROWED_CHILD_ROLE";
const SEED: &str = "ESCROWED_CHILD_SEED";
const ROUND: &str = "ESCROWED_CHILD_ROUND";

/// How many calls a worker takes at a time.
const BATCH: usize = 25;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Opens orders and drives them, several at a time.
    Drive,
    /// Sends what is queued.
    Send,
}

/// Returns at once unless this process is a child.
#[test]
fn child() {
    let Ok(role) = env::var(ROLE) else { return };
    let given = |name| env::var(name).unwrap();
    let (seed, round): (u64, u64) = (given(SEED).parse().unwrap(), given(ROUND).parse().unwrap());
    thread::spawn(|| {
        wait_for_the_parent();
        std::process::exit(0);
    });
    let store = block_on(Postgres::connect(&given(URL))).unwrap();
    let open = || block_on(Market::new(store.clone(), Remote::connect(&given(GATEWAY)), round, say));
    if role == "Send" {
        let worker = format!("worker {}", std::process::id()).parse().unwrap();
        let market = open();
        block_on(async {
            loop {
                let sent = market.shop.escrow.send(&worker, BATCH).await.unwrap();
                if sent.taken == 0 {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                } else {
                    say(&format!("sent {}", sent.taken));
                }
            }
        });
    }
    thread::scope(|scope| {
        for lane in 0..2 {
            let market = open();
            scope.spawn(move || panic!("{}", block_on(market.load(&mut Dice(seed + lane), false))));
        }
    });
}

struct Site {
    cluster: Cluster,
    gateway: Watched,
    address: String,
}

impl Site {
    fn start(&self, role: Role, round: u64, seed: u64) -> (Role, Companion) {
        let url = format!("{}&application_name=child", self.cluster.url());
        let (name, round, seed) = (format!("{role:?}"), round.to_string(), seed.to_string());
        let told = [(URL, &url), (GATEWAY, &self.address), (ROLE, &name), (ROUND, &round), (SEED, &seed)];
        let told = told.map(|(name, value)| (name, OsStr::new(value)));
        (role, Companion::of(process::spawn("postgres::workers::child", &told)))
    }

    async fn open(&self, round: u64) -> Market<Postgres, Watched> {
        let store = Postgres::connect(&self.cluster.url()).await.unwrap();
        Market::new(store, self.gateway.clone(), round, |_: &str| ()).await
    }
}

/// When nothing is left of the children in the server: what they had sent before they died has been done or undone.
async fn silence(market: &Market<Postgres, Watched>) {
    const LEFT: &str = "SELECT pid FROM pg_stat_activity WHERE application_name = 'child'";
    for _ in 0..3000 {
        if market.shop.begin().await.rows(LEFT).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the server never noticed that the children are dead");
}

#[test]
fn workers_die_at_any_moment() {
    const ROUNDS: u64 = 6;
    const KILLS: usize = 6;
    // Taken by a worker that did not live to note an answer.
    const CUT: &str = "SELECT key FROM escrowed_calls WHERE worker LIKE 'worker %' AND status = 'queued'";
    let seed = seed();
    let (mut dice, cluster, gateway) = (Dice(seed), Cluster::new(), Watched::new(seed));
    let address = gateway.listen().to_string();
    let site = Site { cluster, gateway, address };
    let mut acks: Vec<Ack> = Vec::new();
    let (mut deaths, mut cut_short, mut cut, mut sent) = (0, 0, 0, 0);
    // The tables are there before many look for them.
    drop(block_on(site.open(0)));
    for round in 1..=ROUNDS {
        let roles = [Role::Drive, Role::Drive, Role::Send, Role::Send];
        let mut children: Vec<_> = roles.into_iter().map(|role| site.start(role, round, dice.below(1 << 30))).collect();
        for (role, child) in &mut children {
            child.hear(if *role == Role::Drive { "ack" } else { "sent" }, 1);
        }
        let mut bury = |(role, child): (Role, Companion)| {
            let said = child.kill();
            acks.extend(process::acks(&said));
            sent += said.lines().filter_map(|line| line.strip_prefix("sent ")?.parse::<usize>().ok()).sum::<usize>();
            deaths += 1;
            role
        };
        for _ in 0..KILLS {
            thread::sleep(Duration::from_micros(dice.below(60_000)));
            let which = usize::try_from(dice.below(4)).unwrap();
            let role = bury(children.swap_remove(which));
            children.push(site.start(role, round, dice.below(1 << 30)));
        }
        for (_, child) in children.iter_mut().filter(|(role, _)| *role == Role::Drive) {
            child.hear("ack", 1);
        }
        thread::sleep(Duration::from_micros(dice.below(60_000)));
        for child in children {
            bury(child);
        }
        block_on(async {
            let market = site.open(round).await;
            silence(&market).await;
            let left = market.shop.begin().await.rows(CUT).await.unwrap().len();
            cut_short += usize::from(left > 0);
            cut += left;
            if round % 4 == 1 {
                audit(&market, &acks).await;
            }
        });
    }
    let events = block_on(async {
        let market = site.open(ROUNDS + 1).await;
        market.run().await;
        let events = audit(&market, &acks).await;
        audit_the_end(&market).await;
        events
    });
    let again = site.gateway.again();
    assert!(again.is_empty(), "called again after they had had effect: {again:?}");
    eprintln!(
        "{deaths} processes killed; {cut} calls in batches that were cut short, in {cut_short} of {ROUNDS} rounds; \
        {sent} calls in whole ones; {} acknowledged steps, {events} events",
        acks.len()
    );
    assert!(cut_short > 0, "some die in the middle of a batch");
}
