//! The server dies, at any moment and under load, and starts again.

use super::{cluster::Cluster, database::block_on, gateway::Watched};
use crate::{
    harness::seed,
    market::{
        Dice, Market,
        audit::{audit, audit_the_end},
        process,
    },
};
use escrowed::{
    escrow::EscrowError,
    postgres::{Postgres, PostgresError, PostgresUnit},
    store::Store,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// A store that counts the COMMITs of which nobody knows what became of them, and begins nothing after its server's death.
#[derive(Clone)]
struct Doubting {
    store: Postgres,
    doubts: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Store for Doubting {
    type Unit = PostgresUnit;
    type Error = PostgresError;

    async fn begin(&self) -> Result<PostgresUnit, PostgresError> {
        // The pool waits for a server that is not there, and so sees it again.
        let unit = self.store.begin().await?;
        if self.over.load(Ordering::SeqCst) { Err(sqlx::Error::PoolClosed.into()) } else { Ok(unit) }
    }

    async fn commit(&self, unit: PostgresUnit) -> Result<(), PostgresError> {
        let committed = self.store.commit(unit).await;
        self.doubts.fetch_add(usize::from(committed.is_err()), Ordering::SeqCst);
        committed
    }

    fn is_lost_race(&self, error: &PostgresError) -> bool {
        self.store.is_lost_race(error)
    }
}

#[test]
fn the_server_dies_at_any_moment() {
    const DEATHS: u64 = 20;
    const LANES: u64 = 4;
    let seed = seed();
    let (mut dice, cluster, gateway) = (Dice(seed), Cluster::new(), Watched::new(seed));
    let (doubts, said) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(String::new())));
    let connect = || {
        let store = block_on(Postgres::connect(&cluster.url())).unwrap();
        Doubting { store, doubts: doubts.clone(), over: Arc::default() }
    };
    let open = |store: &Doubting, life: u64| {
        let said = said.clone();
        let tell = move |words: &str| {
            let mut said = said.lock().unwrap();
            said.push_str(words);
            said.push('\n');
        };
        block_on(Market::new(store.clone(), gateway.clone(), life, tell))
    };
    for life in 1..=DEATHS {
        let store = connect();
        thread::scope(|scope| {
            for _ in 0..LANES {
                let (market, mut dice) = (open(&store, life), Dice(dice.below(1 << 30)));
                scope.spawn(move || {
                    let problem = block_on(market.load(&mut dice, true));
                    assert!(matches!(problem, EscrowError::Storage(_)), "{problem}");
                });
            }
            thread::sleep(Duration::from_micros(50_000 + dice.below(200_000)));
            cluster.kill();
            store.over.store(true, Ordering::SeqCst);
            cluster.start();
        });
        // The logs grow, and looking at all of them takes its time.
        if life % 10 == 1 {
            let acks = process::acks(&said.lock().unwrap());
            block_on(audit(&open(&connect(), life), &acks));
        }
    }
    let acks = process::acks(&said.lock().unwrap());
    let market = open(&connect(), DEATHS + 1);
    block_on(market.run());
    let events = block_on(audit(&market, &acks));
    block_on(audit_the_end(&market));
    assert!(gateway.again().is_empty(), "called again after they had had effect: {:?}", gateway.again());
    let doubts = doubts.load(Ordering::SeqCst);
    eprintln!("{DEATHS} deaths, {doubts} COMMITs in doubt; {} acknowledged steps, {events} events", acks.len());
    assert!(doubts > 0, "some die within a COMMIT");
}
