//! A store where somebody else is always faster, or that is down.

use super::{asked, pay_out, shift};
use crate::harness::{Shop, seed, worker};
use escrowed::{
    escrow::{Bell, Escrow, EscrowError, ManualClock, Policy, Sent},
    memory::{Memory, MemoryError, MemoryUnit},
    order::Status,
    sandbox::Sandbox,
    store::Store,
};
use futures_lite::future::block_on;
use std::{collections::VecDeque, sync::Mutex, time::Duration};

/// What a commit meets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Race,
    Down,
}

/// A store in memory whose commits meet faults: those on the list, one after another, and then some at random.
struct Faulty {
    store: Memory,
    faults: Mutex<VecDeque<Option<Fault>>>,
    /// Of how many commits in a thousand somebody else is faster, and the last random number.
    races: Mutex<(u64, u64)>,
}

impl Faulty {
    fn over(store: &Memory, faults: impl IntoIterator<Item = Option<Fault>>) -> Self {
        let faults = Mutex::new(faults.into_iter().collect());
        Self { store: store.clone(), faults, races: Mutex::new((0, 0)) }
    }

    fn next(&self) -> Option<Fault> {
        if let Some(fault) = self.faults.lock().unwrap().pop_front() {
            return fault;
        }
        let (per_mille, random) = &mut *self.races.lock().unwrap();
        // A linear congruential generator, by its upper bits.
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((*random >> 33) % 1000 < *per_mille).then_some(Fault::Race)
    }
}

// A memory store never fails, so its error for what it cannot hold has to stand for the faults.
fn error(account: &str) -> MemoryError {
    MemoryError::Overflow { account: account.parse().unwrap() }
}

impl Store for Faulty {
    type Unit = MemoryUnit;
    type Error = MemoryError;

    async fn begin(&self) -> Result<MemoryUnit, MemoryError> {
        self.store.begin().await
    }

    async fn commit(&self, unit: MemoryUnit) -> Result<(), MemoryError> {
        match self.next() {
            None => self.store.commit(unit).await,
            // The unit is dropped: nothing of it is written.
            Some(Fault::Race) => Err(error("wallet:race")),
            Some(Fault::Down) => Err(error("wallet:down")),
        }
    }

    fn is_lost_race(&self, error: &MemoryError) -> bool {
        matches!(error, MemoryError::Overflow { account } if account.to_string() == "wallet:race")
    }
}

/// A shop, and an escrow over its store that meets faults.
fn faulty(
    shop: &Shop<Memory>,
    faults: impl IntoIterator<Item = Option<Fault>>,
) -> Escrow<Faulty, Sandbox, ManualClock> {
    let store = Faulty::over(shop.escrow.store(), faults);
    Escrow::with_clock(store, shop.gateway().clone(), shop.escrow.clock().clone())
}

#[test]
fn whoever_loses_a_race_begins_anew() {
    block_on(async {
        let shop = Shop::memory();
        let escrow = faulty(&shop, []);
        *escrow.store().races.lock().unwrap() = (300, seed());
        let mut ids = Vec::new();
        for _ in 0..20 {
            ids.push(asked(&shop).await.0);
        }
        let sent = escrow.send(&worker(), 100).await.unwrap();
        assert_eq!(sent, Sent { taken: 20, answered: 20, ..Sent::default() });
        for id in &ids {
            pay_out(&shop, *id).await;
        }
        while escrow.send(&worker(), 100).await.unwrap().taken > 0 {}
        for id in ids {
            assert_eq!(shop.status(id).await, Status::Released);
        }
        assert_eq!(shop.gateway().calls().len(), 60);
        shop.audit_calls().await;
        shop.audit().await;
    });
}

#[test]
fn a_race_that_is_lost_too_often_is_left_for_later() {
    block_on(async {
        let shop = Shop::memory();
        let (id, call) = asked(&shop).await;
        let policy = Policy { races: 4, ..Policy::default() };
        // The lease is written, the answer is not: tried once, and four times anew.
        let faults = [vec![None], vec![Some(Fault::Race); 5]].concat();
        let escrow = faulty(&shop, faults).with_policy(policy);
        let lost = escrow.send(&worker(), 10).await;
        assert!(matches!(lost, Err(EscrowError::Storage(_))), "{lost:?}");
        assert!(escrow.store().faults.lock().unwrap().is_empty(), "five tries, and no more");
        assert_eq!((shop.gateway().effects(&call), shop.status(id).await), (1, Status::PendingPublish));
        assert_eq!(shop.escrow.send(&"next".parse().unwrap(), 10).await.unwrap().taken, 0);
        shop.escrow.clock().advance(Policy::default().lease);
        assert_eq!(escrow.send(&worker(), 10).await.unwrap().answered, 1);
        assert_eq!((shop.gateway().effects(&call), shop.status(id).await), (1, Status::Published));
        shop.audit_calls().await;
    });
}

#[test]
fn one_call_that_the_store_fails_does_not_stop_the_others() {
    block_on(async {
        let shop = Shop::memory();
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(asked(&shop).await.0);
        }
        let escrow = faulty(&shop, [None, Some(Fault::Down)]);
        assert!(escrow.send(&worker(), 10).await.is_err());
        let mut published = 0;
        for id in &ids {
            published += usize::from(shop.status(*id).await == Status::Published);
        }
        assert_eq!(published, 2);
        shop.escrow.clock().advance(Policy::default().lease);
        assert_eq!(escrow.send(&worker(), 10).await.unwrap().answered, 1);
        shop.audit_calls().await;
    });
}

#[test]
fn a_worker_outlives_a_storage_that_is_down_for_a_while() {
    block_on(async {
        const FAULTS: usize = 12;
        let shop = Shop::memory();
        let (id, call) = asked(&shop).await;
        let escrow = faulty(&shop, [Some(Fault::Down); FAULTS]);
        let (shift, bell) = (shift("w"), Bell::new());
        let naps = Mutex::new(Vec::new());
        let clock = escrow.clock().clone();
        let sleep = |time| {
            naps.lock().unwrap().push(time);
            clock.advance(time);
            // Somebody rings in vain: a storage that is down is left alone all the same.
            bell.ring();
            if shop.gateway().effects(&call) == 1 && naps.lock().unwrap().len() > 40 {
                bell.stop();
            }
            futures_lite::future::yield_now()
        };
        let worked = escrow.work(&shift, &bell, sleep).await;
        assert_eq!((worked.failures, worked.sent.answered), (FAULTS, 1));
        assert!(matches!(worked.problem, Some(EscrowError::Storage(MemoryError::Overflow { .. }))));
        assert_eq!(shop.status(id).await, Status::Published);
        // Calls and deadlines are two streaks of about six failures each, and so of waits that double.
        let longest = naps.lock().unwrap().iter().copied().max().unwrap();
        assert!(longest >= Duration::from_secs(8), "{longest:?}");
        shop.audit_calls().await;
    });
}
