//! Several workers on threads of their own, over one store.

use super::{Gate, asked, asleep, pay_out, shift};
use crate::harness::{Shop, block_on, key, seed};
use escrowed::{
    escrow::{Bell, Escrow, ManualClock, Sent, Worked},
    gateway::{IdempotencyKey, Verb},
    memory::Memory,
    order::{AnyOrder, OrderId, Status},
    sandbox::{Chaos, Resolution},
    store::Store,
};
use std::{collections::BTreeSet, thread, time::Duration};

/// Two workers on stores of their own, which lead to the same data, while `host` does what a host does.
fn crew<S: Store>(stores: &[S; 2], gate: &Gate, clock: &ManualClock, bell: &Bell, host: impl FnOnce()) -> [Sent; 2] {
    let escrows = stores_of(stores, gate, clock);
    thread::scope(|scope| {
        let threads = [0, 1].map(|number| {
            let escrow = &escrows[number];
            scope.spawn(move || {
                let shift = shift(&format!("worker-{number}"));
                let Worked { sent, failures, problem, .. } = block_on(escrow.work(&shift, bell, asleep));
                assert_eq!(failures, 0, "{problem:?}");
                sent
            })
        });
        // Whatever becomes of the host, the workers come home.
        let home = Home { gate, bell };
        host();
        drop(home);
        threads.map(|thread| thread.join().unwrap())
    })
}

fn stores_of<'s, S: Store>(stores: &'s [S; 2], gate: &Gate, clock: &ManualClock) -> [Crewed<'s, S>; 2] {
    [0, 1].map(|number| Escrow::with_clock(super::Shared(&stores[number]), gate.clone(), clock.clone()))
}

type Crewed<'s, S> = Escrow<super::Shared<'s, S>, Gate, ManualClock>;

struct Home<'h> {
    gate: &'h Gate,
    bell: &'h Bell,
}

impl Drop for Home<'_> {
    fn drop(&mut self) {
        self.gate.open();
        self.bell.stop();
    }
}

/// Does with each order what its people do, until all are at their end.
async fn until_released<S: Store>(shop: &Shop<S>, ids: &[OrderId], bell: &Bell, mut between: impl AsyncFnMut()) {
    let mut open: BTreeSet<_> = ids.iter().copied().collect();
    while !open.is_empty() {
        for id in open.clone() {
            match shop.status(id).await {
                Status::Published => pay_out(shop, id).await,
                Status::Released => {
                    open.remove(&id);
                }
                Status::PendingPublish | Status::PendingRelease => {}
                status => panic!("{id} is {status:?}"),
            }
        }
        between().await;
        bell.ring();
        thread::yield_now();
    }
}

/// The calls of a released order, in their order.
async fn calls<S: Store>(shop: &Shop<S>, id: OrderId) -> Vec<IdempotencyKey> {
    let AnyOrder::Released(order) = shop.order(id).await else { panic!("{id} is not released") };
    let charge = key(shop.payin(id).await.id().subject(), Verb::Charge);
    let payouts = order.state().payouts().legs().iter().map(|leg| key(leg.payment, Verb::Payout));
    [charge].into_iter().chain(payouts).collect()
}

/// Each call has one effect, an order's calls go one after another in their order, and one that the gateway does not
/// answer holds up no other order.
fn each_call_once_and_in_order<S: Store + Clone>(stores: &[S; 2]) {
    const ORDERS: usize = 12;
    let shop = Shop::new(stores[0].clone(), 1);
    let (gate, bell) = (Gate::before(shop.gateway()), Bell::new());
    let ids = all_asked(&shop, ORDERS);
    gate.shut(key(block_on(shop.payin(ids[0])).id().subject(), Verb::Charge));
    let sent = crew(stores, &gate, shop.escrow.clock(), &bell, || {
        block_on(async {
            until_released(&shop, &ids[1..], &bell, async || {}).await;
            assert_eq!(shop.status(ids[0]).await, Status::PendingPublish);
            gate.open();
            until_released(&shop, &ids, &bell, async || {}).await;
        });
    });
    let answered: usize = sent.iter().map(|sent| sent.answered).sum();
    let taken: usize = sent.iter().map(|sent| sent.taken).sum();
    assert_eq!((taken, answered), (3 * ORDERS, 3 * ORDERS), "each call is taken once: {sent:?}");
    let passed = gate.seen.lock().unwrap().passed.clone();
    block_on(async {
        for id in ids {
            let calls = calls(&shop, id).await;
            let one_after_another: Vec<_> = calls.iter().flat_map(|call| [(*call, true), (*call, false)]).collect();
            let mine: Vec<_> = passed.iter().copied().filter(|(call, _)| calls.contains(call)).collect();
            assert_eq!(mine, one_after_another);
            assert!(calls.iter().all(|call| shop.gateway().effects(call) == 1));
        }
        shop.audit_calls().await;
        shop.audit().await;
    });
}

/// The gateway loses answers, keeps people waiting and repeats itself, and leases end while calls are under way.
fn each_call_once_in_a_storm<S: Store + Clone>(stores: &[S; 2]) {
    const ORDERS: usize = 12;
    let shop = Shop::new(stores[0].clone(), seed());
    shop.gateway().chaos(Chaos { decline: 0, ..Chaos::ROUGH });
    let (gate, bell) = (Gate::before(shop.gateway()), Bell::new());
    let clock = shop.escrow.clock();
    let ids = all_asked(&shop, ORDERS);
    crew(stores, &gate, clock, &bell, || {
        block_on(until_released(&shop, &ids, &bell, async || {
            clock.advance(Duration::from_secs(5));
            for call in shop.gateway().pending() {
                shop.gateway().resolve(&call, Resolution::Settle);
            }
            for report in shop.gateway().reports_shuffled() {
                shop.hear(&report).await;
            }
        }));
    });
    block_on(async {
        shop.settle_down().await;
        for id in ids {
            for call in calls(&shop, id).await {
                assert_eq!(shop.gateway().effects(&call), 1, "{call}");
            }
        }
        shop.audit().await;
    });
}

fn all_asked<S: Store>(shop: &Shop<S>, orders: usize) -> Vec<OrderId> {
    block_on(async {
        let mut ids = Vec::new();
        for _ in 0..orders {
            ids.push(asked(shop).await.0);
        }
        ids
    })
}

#[test]
fn two_workers_in_memory() {
    let store = Memory::new();
    each_call_once_and_in_order(&[store.clone(), store]);
}

#[test]
fn two_workers_in_memory_in_a_storm() {
    let store = Memory::new();
    each_call_once_in_a_storm(&[store.clone(), store]);
}

#[cfg(feature = "sqlite")]
fn on_one_file(test: fn(&[escrowed::sqlite::Sqlite; 2])) {
    let folder = tempfile::tempdir().unwrap();
    test(&[0, 1].map(|_| escrowed::sqlite::Sqlite::open(folder.path().join("shop.db")).unwrap()));
}

#[cfg(feature = "sqlite")]
#[test]
fn two_workers_on_one_file() {
    on_one_file(each_call_once_and_in_order);
}

#[cfg(feature = "sqlite")]
#[test]
fn two_workers_on_one_file_in_a_storm() {
    on_one_file(each_call_once_in_a_storm);
}

#[cfg(feature = "postgres")]
fn in_one_database(test: fn(&[escrowed::postgres::Postgres; 2])) {
    let database = crate::postgres::database::Database::new();
    test(&[0, 1].map(|_| block_on(database.store())));
}

#[cfg(feature = "postgres")]
#[test]
fn two_workers_in_one_database() {
    in_one_database(each_call_once_and_in_order);
}

#[cfg(feature = "postgres")]
#[test]
fn two_workers_in_one_database_in_a_storm() {
    in_one_database(each_call_once_in_a_storm);
}
