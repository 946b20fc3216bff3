//! Everything may be used from any thread, and every future may move between threads.

use crate::harness::{Shop, ops, terms, worker};
use escrowed::{
    coalescing::Coalescing,
    escrow::{Bell, Escrow, EscrowError, Shift},
    gateway::Report,
    memory::Memory,
    order::{AnyOrder, Command, Order, OrderId, Published},
    payment::{AnyPayin, AnyPayout, AnyRefund},
    sandbox::Sandbox,
    store::Store,
};

fn is_send<T: Send>(value: T) -> T {
    value
}

fn is_send_and_sync<T: Send + Sync>() {}

/// Compiles only if every write that is shared can be spawned, too.
#[allow(dead_code, reason = "it is enough that it compiles")]
async fn every_shared_write_may_move(market: &Escrow<Coalescing<Memory>, Sandbox>, id: OrderId, report: &Report) {
    let mut writer = market.store().writer();
    drop(is_send(market.act(&mut writer, id, Command::Cancel {}, ops())).await);
    drop(is_send(market.report(&mut writer, report)).await);
}

#[test]
fn values_may_be_sent_and_shared() {
    is_send_and_sync::<Order<Published>>();
    is_send_and_sync::<AnyOrder>();
    is_send_and_sync::<(AnyPayin, AnyPayout, AnyRefund)>();
    is_send_and_sync::<escrowed::lifecycle::Transition<AnyOrder>>();
    is_send_and_sync::<escrowed::store::Commit>();
    is_send_and_sync::<Escrow<escrowed::memory::Memory, Sandbox>>();
    is_send_and_sync::<EscrowError<std::io::Error>>();
    is_send_and_sync::<(Bell, Shift)>();
    #[cfg(feature = "sqlite")]
    is_send_and_sync::<Escrow<escrowed::sqlite::Sqlite, Sandbox>>();
    is_send_and_sync::<escrowed::coalescing::Coalescing<escrowed::memory::Memory>>();
    is_send_and_sync::<escrowed::coalescing::Writer<escrowed::memory::Memory>>();
    #[cfg(feature = "postgres")]
    is_send_and_sync::<Escrow<escrowed::postgres::Postgres, Sandbox>>();
}

/// Compiles only if every future of the service can be spawned on a runtime with many threads.
async fn every_future_may_move<S: Store>(shop: &Shop<S>, id: OrderId, report: &Report) {
    let escrow = &shop.escrow;
    let mut unit = is_send(escrow.store().begin()).await.unwrap();
    drop(is_send(escrow.open_order(&mut unit, terms(), ops())).await);
    drop(is_send(escrow.open(&mut unit, Order::open, terms(), ops().under("a".parse().unwrap()))).await);
    drop(is_send(escrow.act(&mut unit, id, Command::Cancel {}, ops())).await);
    drop(is_send(escrow.load::<AnyOrder, _>(&mut unit, id)).await);
    drop(is_send(escrow.report(&mut unit, report)).await);
    drop(is_send(escrow.requeue(&mut unit, &report.key)).await);
    drop(is_send(escrow.store().commit(unit)).await);
    drop(is_send(escrow.send(&"worker".parse().unwrap(), 1)).await);
    drop(is_send(escrow.run_due(&worker(), 1)).await);
    let (shift, bell) = (Shift::new(worker()), Bell::new());
    let sleep = |_| {
        bell.stop();
        std::future::ready(())
    };
    drop(is_send(escrow.work(&shift, &bell, sleep)).await);
}

#[test]
fn orders_are_driven_from_many_threads_at_once() {
    let shop = std::sync::Arc::new(Shop::memory());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let shop = shop.clone();
            std::thread::spawn(move || {
                futures_lite::future::block_on(async {
                    for _ in 0..10 {
                        let id = shop.open(terms()).await;
                        let key = "pi_01kr1hgnqred6999kp7cqmx8ss:charge".parse().unwrap();
                        let outcome = escrowed::gateway::Outcome::Pending { direct_link: None };
                        every_future_may_move(&shop, id, &Report { key, outcome }).await;
                        assert_eq!(shop.status(id).await, escrowed::order::Status::Cancelled);
                    }
                });
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    // Each thread opened one order of its own and one more each time, and all of them one under the same key.
    assert_eq!(futures_lite::future::block_on(shop.audit()), 81);
}
