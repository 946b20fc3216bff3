//! Many low values of one payer at the same moment: no more are exempt than may be.

use super::*;
use crate::harness::block_on;
use escrowed::{escrow::EscrowError, lifecycle::Reason, memory::Memory, sca::NotExempt};
use std::{sync::Barrier, thread};

const RACERS: usize = 8;

/// Pays until it is decided: whether it was exempt.
async fn insist<S: Store>(shop: &Shop<S>, id: OrderId) -> bool {
    loop {
        match try_pay(shop, id, Method::Card, anna(Needs::LowValue)).await {
            Ok(_) => return true,
            Err(EscrowError::Refused(Reason::NotExempt(NotExempt::InARow { .. }))) => return false,
            Err(error) => assert!(error.is_lost_race() || lost(shop, &error), "{error}"),
        }
    }
}

fn lost<S: Store>(shop: &Shop<S>, error: &Problem<S>) -> bool {
    matches!(error, EscrowError::Storage(error) if shop.escrow.store().is_lost_race(error))
}

fn race<S: Store>(shops: &[Shop<S>; 2]) {
    let orders: Vec<_> = (0..RACERS).map(|_| block_on(order(&shops[0], euro("1.00")))).collect();
    let start = Barrier::new(RACERS);
    let exempt: usize = thread::scope(|scope| {
        let racers: Vec<_> = orders
            .iter()
            .enumerate()
            .map(|(number, id)| {
                let (shop, start) = (&shops[number % 2], &start);
                scope.spawn(move || {
                    start.wait();
                    usize::from(block_on(insist(shop, *id)))
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(exempt, 5, "five of {RACERS} are exempt, whoever was first");
    block_on(async {
        assert_eq!(counted(&shops[0]).await, (5, euro("5.00")));
        let mut opened = 0;
        for id in &orders {
            opened += shops[0].payins(*id).await.len();
        }
        assert_eq!(opened, 5);
        shops[0].verify().await;
    });
}

#[test]
fn five_of_many_at_once_are_exempt_in_memory() {
    let store = Memory::new();
    race(&[Shop::new(store.clone(), 1), Shop::new(store, 1)]);
}

#[cfg(feature = "sqlite")]
#[test]
fn five_of_many_at_once_are_exempt_in_one_file() {
    use escrowed::sqlite::Sqlite;
    let folder = tempfile::tempdir().unwrap();
    let store = || Sqlite::open(folder.path().join("shop.db")).unwrap();
    race(&[Shop::new(store(), 1), Shop::new(store(), 1)]);
}

#[cfg(feature = "postgres")]
#[test]
fn five_of_many_at_once_are_exempt_in_one_database() {
    let database = crate::postgres::database::Database::new();
    let store = || block_on(database.store());
    race(&[Shop::new(store(), 1), Shop::new(store(), 1)]);
}
