//! Two workers that run the same deadline: it is taken exactly once, whether they look now and then or all day.

use super::{DAY, Deal, terms};
use crate::harness::{Shop, block_on, euro, worker};
use escrowed::{
    escrow::{Bell, Escrow, ManualClock, Shift},
    memory::Memory,
    sandbox::Sandbox,
    store::Store,
    transaction::{Status, TransactionId},
};
use futures_lite::future::yield_now;
use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

const DEALS: usize = 8;

/// Opens deals that are all due at once; half of them have a parcel that never left.
pub(crate) async fn all_due<S: Store>(shop: &Shop<S>) -> Vec<TransactionId> {
    let mut ids = Vec::new();
    for number in 0..DEALS {
        let deal =
            if number % 2 == 0 { Deal::delivered(shop, terms()).await } else { Deal::accepted(shop, terms()).await };
        ids.push(deal.id);
    }
    shop.escrow.clock().advance(4 * DAY);
    ids
}

async fn check<S: Store>(shop: &Shop<S>, ids: &[TransactionId], taken: &[usize]) {
    assert_eq!(taken.iter().sum::<usize>(), DEALS, "each deadline is taken once: {taken:?}");
    shop.send().await;
    for (number, id) in ids.iter().enumerate() {
        let deal = Deal { shop, id: *id };
        let (status, payouts, refunds) =
            if number % 2 == 0 { (Status::FundsReleased, 1, 0) } else { (Status::Refunded, 0, 1) };
        assert_eq!(deal.status().await, status);
        assert_eq!((deal.payouts().await.len(), deal.refunds().await.len()), (payouts, refunds));
    }
    let half = i64::try_from(DEALS / 2).unwrap();
    assert_eq!(shop.balance("wallet:sam").await.minor(), half * euro("101.00").minor());
    assert_eq!(shop.balance("world:sandbox").await.minor(), -half * euro("115.00").minor());
    super::audit(shop).await;
}

/// Two workers on stores of their own, which lead to the same data, started at the same moment.
fn race<S: Store>(first: S, second: S, all_day: bool) {
    let shop = Shop::new(first, 1);
    let ids = block_on(all_due(&shop));
    let clock: ManualClock = shop.escrow.clock().clone();
    let other = Escrow::with_clock(second, Sandbox::clone(shop.gateway()), clock);
    let start = Barrier::new(2);
    let taken = thread::scope(|scope| {
        let workers = [&shop.escrow, &other].map(|escrow| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                if all_day { block_on(shift(escrow)) } else { block_on(run_all(escrow)) }
            })
        });
        workers.map(|worker| worker.join().unwrap())
    });
    block_on(check(&shop, &ids, &taken));
}

/// A whole shift, until there was nothing to do for a while.
async fn shift<S: Store>(escrow: &Escrow<S, Sandbox, ManualClock>) -> usize {
    let (shift, bell, naps) = (Shift::new(worker()), Bell::new(), AtomicUsize::new(0));
    let sleep = |_| {
        if naps.fetch_add(1, Ordering::SeqCst) == DEALS {
            bell.stop();
        }
        yield_now()
    };
    let worked = escrow.work(&shift, &bell, sleep).await;
    assert_eq!((worked.failures, worked.due.failed), (0, 0));
    worked.due.taken
}

async fn run_all<S: Store>(escrow: &Escrow<S, Sandbox, ManualClock>) -> usize {
    let mut taken = 0;
    for _ in 0..DEALS {
        taken += escrow.run_due(&worker(), 100).await.unwrap().taken;
    }
    taken
}

#[test]
fn two_workers_in_memory() {
    for number in 0..10 {
        let store = Memory::new();
        race(store.clone(), store, number % 2 == 0);
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn two_workers_on_one_file() {
    for number in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let open = || escrowed::sqlite::Sqlite::open(folder.path().join(format!("{number}.db"))).unwrap();
        race(open(), open(), number % 2 == 0);
    }
}

#[cfg(feature = "postgres")]
#[test]
fn two_workers_in_one_database() {
    for number in 0..4 {
        let database = crate::postgres::database::Database::new();
        let open = || block_on(database.store());
        race(open(), open(), number % 2 == 0);
    }
}

/// Both have read the same page before either has written anything.
#[test]
fn both_have_read_what_is_due() {
    block_on(async {
        let shop = Shop::memory();
        let ids = all_due(&shop).await;
        let (one, two) =
            futures_lite::future::zip(shop.escrow.run_due(&worker(), 100), shop.escrow.run_due(&worker(), 100)).await;
        check(&shop, &ids, &[one.unwrap().taken, two.unwrap().taken]).await;
    });
}
