//! Several workers, one deadline: each is taken once, and nothing before its time.

use super::{DAY, Deal, HOUR, anna, card, in_an_hour, sam, terms};
use crate::harness::{START, Shop, block_on, euro, on_each_store, worker};
use escrowed::{
    escrow::{Escrow, ManualClock},
    face_to_face::{AnyFaceToFace, Command, Status},
    lifecycle::Failure,
    memory::Memory,
    sandbox::Sandbox,
    store::Store,
};
use futures_lite::future::{poll_once, yield_now};
use std::{future::Future, pin::pin};

/// So many deals that all fall due at the same time, in four statuses.
async fn stage<S: Store>(shop: &Shop<S>) -> Vec<escrowed::face_to_face::FaceToFaceId> {
    let mut ids = Vec::new();
    for _ in 0..3 {
        let deal = Deal::paid(shop, terms()).await;
        deal.act(anna(), Command::ConfirmHandover {}).await;
        ids.push(deal.id);
        ids.push(Deal::handed_over(shop, terms()).await.id);
        ids.push(Deal::paid(shop, terms()).await.id);
        ids.push(Deal::skipped(shop, terms()).await.id);
    }
    shop.escrow.clock().advance(30 * DAY);
    ids
}

async fn check<S: Store>(shop: &Shop<S>, ids: &[escrowed::face_to_face::FaceToFaceId]) {
    for (nth, id) in ids.iter().enumerate() {
        let deal: AnyFaceToFace = shop.load(*id).await;
        let status = if nth % 4 < 2 { Status::FundsReleased } else { Status::Complained };
        assert_eq!(deal.status(), status);
        let times = deal.history().by_time().iter().filter(|passage| passage.code == status).count();
        assert_eq!(times, 1, "{status} was reached twice");
    }
    assert_eq!(shop.balance("wallet:sam").await, euro("1050.00"));
    shop.audit().await;
}

/// Another worker of the same shop.
fn colleague<S: Store + Clone>(shop: &Shop<S>) -> Shop<S> {
    let clock: ManualClock = shop.escrow.clock().clone();
    let escrow = Escrow::with_clock(shop.escrow.store().clone(), Sandbox::new(9), clock);
    Shop { escrow: escrow.with::<AnyFaceToFace>() }
}

/// Runs two at once, a step of the one and a step of the other.
async fn by_turns<T>(one: impl Future<Output = T>, two: impl Future<Output = T>) -> (T, T) {
    let (mut one, mut two) = (pin!(one), pin!(two));
    let (mut first, mut second) = (None, None);
    loop {
        if first.is_none() {
            first = poll_once(one.as_mut()).await;
        }
        if second.is_none() {
            second = poll_once(two.as_mut()).await;
        }
        if let (Some(_), Some(_)) = (&first, &second) {
            return (first.unwrap(), second.unwrap());
        }
        yield_now().await;
    }
}

#[test]
fn two_workers_take_each_deadline_once_by_turns() {
    block_on(async {
        let shop = Shop::memory();
        let ids = stage(&shop).await;
        let other = colleague(&shop);
        let (one, two) = by_turns(shop.escrow.run_due(&worker(), 100), other.escrow.run_due(&worker(), 100)).await;
        assert_eq!(one.unwrap().taken + two.unwrap().taken, 12);
        assert_eq!(shop.escrow.run_due(&worker(), 100).await.unwrap(), escrowed::escrow::Due::default());
        check(&shop, &ids).await;
    });
}

fn on_threads<S: Store + Clone + 'static>(shop: Shop<S>) {
    let ids = block_on(stage(&shop));
    let start = std::sync::Arc::new(std::sync::Barrier::new(4));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (colleague, start) = (colleague(&shop), start.clone());
            std::thread::spawn(move || {
                start.wait();
                block_on(colleague.escrow.run_due(&worker(), 100)).unwrap().taken
            })
        })
        .collect();
    let taken: usize = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
    assert_eq!(taken, 12, "each is taken once");
    block_on(check(&shop, &ids));
}

#[test]
fn four_workers_take_each_deadline_once_in_memory() {
    on_threads(Shop::memory());
}

#[cfg(feature = "sqlite")]
#[test]
fn four_workers_take_each_deadline_once_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    on_threads(Shop::new(escrowed::sqlite::Sqlite::open(folder.path().join("shop.db")).unwrap(), 1));
}

#[cfg(feature = "postgres")]
#[test]
fn four_workers_take_each_deadline_once_in_postgres() {
    let database = crate::postgres::database::Database::new();
    on_threads(Shop::new(block_on(database.store()), 1));
}

#[test]
fn the_memory_store_is_shared_by_its_clones() {
    let (one, clock) = (Memory::new(), ManualClock::at(START.parse().unwrap()));
    let two = Escrow::with_clock(one.clone(), Sandbox::new(1), clock).with::<AnyFaceToFace>();
    let shop = Shop::new(one, 1);
    block_on(async {
        let id = Deal::opened(&shop, terms()).await.id;
        let mut unit = two.store().begin().await.unwrap();
        assert_eq!(two.load(&mut unit, id).await.unwrap().status(), Status::Created);
    });
}

on_each_store! {
    async fn the_clock_comes_twice(shop) {
        let ids = stage(&shop).await;
        assert_eq!(shop.escrow.run_due(&worker(), 100).await.unwrap().taken, 12);
        assert_eq!(shop.escrow.run_due(&worker(), 100).await.unwrap(), escrowed::escrow::Due::default());
        check(&shop, &ids).await;
    }

    async fn the_clock_takes_no_more_than_it_is_told(shop) {
        let ids = stage(&shop).await;
        for _ in 0..4 {
            assert_eq!(shop.escrow.run_due(&worker(), 3).await.unwrap().taken, 3);
        }
        check(&shop, &ids).await;
    }

    async fn a_person_is_faster_than_the_clock(shop) {
        let deal = Deal::handed_over(&shop, terms()).await;
        deal.wait(DAY);
        // The clock has made up its mind, and the buyer ends the period first.
        let AnyFaceToFace::SellerHandoverConfirmed(stale) = deal.now().await else { panic!() };
        let step = stale.end_complaint_period(&escrowed::party::Stamp::clock(shop.now())).unwrap();
        deal.act(anna(), Command::EndComplaintPeriod {}).await;
        let mut unit = shop.begin().await;
        assert!(matches!(step.save(&mut unit).await.unwrap_err().why, Failure::Stale));
        drop(unit);
        assert_eq!(deal.clock().await, 0);
        deal.over(Status::FundsReleased).await;
    }

    async fn a_payin_and_its_deal_fall_due_together(shop) {
        let other = Deal::handed_over(&shop, terms()).await;
        let deal = Deal::joined(&shop, in_an_hour()).await;
        deal.act(anna(), card()).await;
        deal.wait(DAY + HOUR);
        assert_eq!(deal.clock().await, 2);
        assert_eq!(other.status().await, Status::FundsReleased);
        assert!(deal.now().await.facts().till().underway().is_none());
        deal.act(sam(), Command::Cancel {}).await;
        shop.send().await;
        deal.over(Status::Cancelled).await;
    }
}
