//! An escrow on a store whose callers share durable commits.

use crate::harness::{Shop, block_on, ops, party, seed, terms, user};
use escrowed::{
    coalescing::{Coalescing, Shared},
    escrow::{Escrow, EscrowError, ManualClock},
    gateway::{Gateway, Report},
    memory::Memory,
    order::{Command, OrderId, PayoutPlan, Status},
    party::Actor,
    payment::{Destination, Method},
    sandbox::{Chaos, Sandbox},
    store::{CallStatus, Outbox, Query, Store},
};
use std::thread;

type Market<S> = Escrow<Coalescing<S>, Sandbox, ManualClock>;

/// Acts until nobody was faster.
async fn act<S: Store + 'static>(market: &Market<S>, id: OrderId, command: impl Fn() -> Command<'static>, by: Actor) {
    loop {
        match market.act(&mut market.store().writer(), id, command(), by.clone()).await {
            Ok(_) => return,
            Err(error) => assert!(error.is_lost_race(), "{error}"),
        }
    }
}

/// One order from its opening to its end, by a writer. Its calls are answered by whoever comes first.
async fn order<S: Store + 'static>(market: &Market<S>, number: usize) -> OrderId {
    let mut writer = market.store().writer();
    let id = market.open_order(&mut writer, terms(), ops()).await.unwrap().id();
    act(market, id, || Command::IdentifyBuyer { buyer: party("anna") }, user("anna")).await;
    act(market, id, || Command::Pay { by: Method::Card }, user("anna")).await;
    if number.is_multiple_of(3) {
        act(market, id, || Command::Cancel {}, user("anna")).await;
    }
    // Everybody answers whatever call is open, as webhooks do that come from anywhere.
    for call in writer.calls(CallStatus::Queued, None, 20).await.unwrap().into_iter().map(Result::unwrap) {
        let key = call.instruction.key();
        let outcome = market.gateway().execute(&key, &call.instruction).await.unwrap();
        match market.report(&mut writer, &Report { key, outcome }).await {
            Ok(_) | Err(EscrowError::Stale) => {}
            Err(error) => panic!("{error}"),
        }
    }
    id
}

fn drive<S: Store + 'static>(store: S, again: impl FnOnce(Coalescing<S>) -> Shop<S>) {
    let sandbox = Sandbox::new(seed());
    sandbox.chaos(Chaos::default());
    let clock = ManualClock::at(crate::harness::START.parse().unwrap());
    let market: Market<S> = Escrow::with_clock(Coalescing::new(store), sandbox, clock);
    let ids: Vec<OrderId> = thread::scope(|scope| {
        let market = &market;
        let threads: Vec<_> = (0..6)
            .map(|thread| {
                scope.spawn(move || {
                    let mut ids = Vec::new();
                    for number in 0..6 {
                        ids.push(block_on(order(market, thread + number)));
                    }
                    ids
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    block_on(async {
        // The workers take plain units of the same store.
        while market.send(&"worker".parse().unwrap(), 100).await.unwrap().taken > 0 {}
        let plan = || PayoutPlan::to(party("sam"), Destination::Wallet);
        let mut writer = market.store().writer();
        for id in &ids {
            if market.load::<escrowed::order::AnyOrder, _>(&mut writer, *id).await.unwrap().status()
                == Status::Published
            {
                act(&market, *id, || Command::Accept { payout: Some(plan()) }, user("sam")).await;
                act(&market, *id, || Command::Validate {}, ops()).await;
            }
        }
    });
    let shop = again(market.store().clone());
    block_on(async {
        shop.audit().await;
        let [released, cancelled] = [Status::Released, Status::Cancelled]
            .map(|status| block_on(shop.find(&Query::of::<escrowed::order::AnyOrder>(status))).len());
        assert_eq!((released, cancelled), (24, 12));
        // €90 of each released order, without the fee of 10 %.
        assert_eq!(shop.balance("wallet:sam").await.minor(), 24 * 9_000);
    });
}

#[test]
fn many_threads_in_memory() {
    let memory = Memory::new();
    drive(memory.clone(), |_| Shop::new(memory, 1));
}

#[cfg(feature = "sqlite")]
#[test]
fn many_threads_in_one_file() {
    use escrowed::sqlite::Sqlite;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let store = Sqlite::open(&file).unwrap();
    drive(store, |_| Shop::new(Sqlite::open(&file).unwrap(), 1));
}

#[cfg(feature = "postgres")]
#[test]
fn many_threads_in_one_database() {
    let database = crate::postgres::database::Database::new();
    let open = || block_on(database.store());
    drive(open(), |_| Shop::new(open(), 1));
}

#[test]
fn what_is_refused_is_told_as_by_any_store() {
    block_on(async {
        let market = Escrow::new(Coalescing::new(Memory::new()), Sandbox::new(1));
        let mut writer = market.store().writer();
        let id = market.open_order(&mut writer, terms(), ops()).await.unwrap().id();
        let refused = market.act(&mut writer, id, Command::Validate {}, ops()).await;
        assert!(matches!(refused, Err(EscrowError::<Shared<_>>::Refused(_))));
        // A wallet that holds nothing pays nothing.
        market.act(&mut writer, id, Command::IdentifyBuyer { buyer: party("anna") }, ops()).await.unwrap();
        let poor = market.act(&mut writer, id, Command::Pay { by: Method::Wallet }, user("anna")).await;
        assert!(matches!(poor, Err(EscrowError::Overdrawn(_))));
    });
}
