//! More orders than one transaction should hold.

use super::*;
use crate::{
    harness::{block_on, on_each_store, seed},
    one_write::OneWrite,
};
use escrowed::{escrow::Escrow, memory::Memory, sandbox::Sandbox, store::UnitOfWork};
use std::{sync::Barrier, thread};

const MANY: usize = 90;

fn crowd() -> Plan {
    let frame = Frame { batch: 20, ..frame() };
    let payees = (0..MANY).map(|number| payee(&format!("payee{number}"), Share::Rest, Destination::Wallet));
    Plan::one_to_many(frame, party("anna"), Method::Wallet, euro("90.00"), payees.collect())
}

async fn events<S: Store>(run: &Run<'_, S, Sandbox>) -> usize {
    run.shop.begin().await.log(run.id.subject()).await.unwrap().expect("a log").records.len()
}

/// Everybody was paid once.
async fn everybody_has_a_euro<S: Store>(run: &Run<'_, S, Sandbox>) {
    for number in 0..MANY {
        assert_eq!(run.wallet(&format!("payee{number}")).await, "1.00 EUR");
    }
    for place in run.now().await.orders() {
        assert_eq!(run.shop.payouts(place.order).await.len(), 1);
    }
}

on_each_store! {
    async fn a_movement_of_many_goes_on_batch_by_batch(shop) {
        shop.fill_wallet("anna", euro("90.00")).await;
        let run = Run::of(&shop, crowd(), user("anna")).await;
        // The payer's order, and eighteen of the others: each write takes twenty steps.
        let released = async || run.stands().await.iter().filter(|stands| **stands == Stands::Released).count();
        assert_eq!((run.status().await, released().await), (Status::Committed, 19));
        let mut steps = vec![released().await];
        while run.status().await == Status::Committed {
            assert_eq!(shop.escrow.run_due(&worker(), 1).await.unwrap().taken, 1);
            steps.push(released().await);
        }
        assert_eq!(steps, [19, 39, 59, 79, 91]);
        assert!(events(&run).await < 15, "a batch is one event");
        everybody_has_a_euro(&run).await;
        assert!(run.is_over().await);
    }

    async fn a_host_goes_on_by_itself(shop) {
        shop.fill_wallet("anna", euro("90.00")).await;
        let run = Run::of(&shop, crowd(), user("anna")).await;
        let mut dice = seed();
        while run.status().await == Status::Committed {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut unit = shop.begin().await;
            shop.escrow.resume(&mut unit, run.id).await.unwrap();
            // Half of the time the program dies before it commits.
            if dice >> 63 == 0 {
                shop.commit(unit).await;
            }
        }
        let before = events(&run).await;
        let mut unit = shop.begin().await;
        assert_eq!(shop.escrow.resume(&mut unit, run.id).await.unwrap().status(), Status::Done);
        shop.commit(unit).await;
        assert_eq!(events(&run).await, before, "nothing is written when there is nothing to do");
        everybody_has_a_euro(&run).await;
        assert!(run.is_over().await);
    }

    async fn many_payers_are_opened_and_undone_batch_by_batch(shop) {
        let payers: Vec<_> = (0..MANY).map(|number| payer(&format!("payer{number}"), "1.00")).collect();
        let plan = Plan::many_to_one(Frame { batch: 20, ..frame() }, payers, party("sam"));
        let run = Run::of(&shop, plan, user("sam")).await;
        assert_eq!(run.status().await, Status::Planned);
        // Whoever has an order already pays it, and that takes the next batch along.
        run.pay("payer7", Method::Card).await;
        run.clock().await;
        assert_eq!(run.status().await, Status::Collecting);
        for number in [3, 50, 89] {
            run.pay(&format!("payer{number}"), Method::Card).await;
        }
        shop.send().await;
        assert_eq!(run.now().await.facts().paid(), euro("4.00"));
        assert_eq!(run.undo(user("sam")).await.unwrap().status(), Status::Undoing);
        // Somebody pays in between: it goes back like the others.
        run.pay("payer88", Method::Card).await;
        shop.send().await;
        run.clock().await;
        shop.settle_down().await;
        assert_eq!((run.status().await, run.outside().await), (Status::Undone, "0.00 EUR".into()));
        assert!(!run.is_over().await);
    }

    async fn a_movement_that_was_opened_without_its_orders_goes_on(shop) {
        let mut unit = shop.begin().await;
        let opened = shop.escrow.open(&mut unit, escrowed::movement::Movement::open, many_to_one(), user("sam")).await;
        let run = Run { shop: &shop, id: opened.unwrap().id() };
        shop.commit(unit).await;
        assert_eq!(run.stands().await, [Stands::Planned; 3]);
        let mut unit = shop.begin().await;
        assert_eq!(shop.escrow.resume(&mut unit, run.id).await.unwrap().status(), Status::Collecting);
        shop.commit(unit).await;
        assert_eq!(run.stands().await, [Stands::Open; 3]);
        shop.audit().await;
    }

    async fn the_deadline_undoes_a_movement_whose_orders_were_not_all_opened(shop) {
        let plan = Plan::many_to_one(Frame { batch: 1, ..frame() }, three_payers(), party("sam"));
        let run = Run::of(&shop, plan, user("sam")).await;
        run.pay("anna", Method::Card).await;
        assert_eq!(run.status().await, Status::Planned);
        shop.escrow.clock().advance(DAY);
        run.clock().await;
        shop.settle_down().await;
        assert_eq!((run.why().await, run.outside().await), (Why::TooLate, "0.00 EUR".into()));
        assert!(!run.is_over().await);
    }
}

#[test]
fn a_batch_and_all_that_follows_from_it_is_one_write() {
    block_on(async {
        let shop = Shop::new(OneWrite::memory(), 1);
        shop.fill_wallet("anna", euro("100.01")).await;
        let run = Run::of(&shop, one_to_many(Method::Wallet), user("anna")).await;
        assert_eq!(run.status().await, Status::Committed);
        declines(&shop, Verb::Payout);
        shop.send().await;
        assert_eq!((run.status().await, run.wallet("sam").await), (Status::Done, "60.00 EUR".into()));
        assert!(run.is_over().await);
        for name in ["anna", "ben", "cleo"] {
            shop.fill_wallet(name, euro("50.00")).await;
        }
        let run = Run::of(&shop, many_to_one(), user("sam")).await;
        run.pay("anna", Method::Wallet).await;
        run.pay("ben", Method::Card).await;
        run.undo(user("sam")).await.unwrap();
        assert_eq!((run.status().await, run.wallet("anna").await), (Status::Undone, "50.00 EUR".into()));
        shop.settle_down().await;
        assert!(!run.is_over().await);
    });
}

/// Two workers on stores of their own, which lead to the same data, started at the same moment.
fn race<S: Store + Send + Sync>(first: S, second: S) {
    let shop = Shop::new(first, 1);
    block_on(shop.fill_wallet("anna", euro("90.00")));
    let run = block_on(Run::of(&shop, crowd(), user("anna")));
    let other = Escrow::with_clock(second, Sandbox::clone(shop.gateway()), shop.escrow.clock().clone());
    let start = Barrier::new(2);
    thread::scope(|scope| {
        for (name, escrow) in [("one", &shop.escrow), ("two", &other)] {
            let (start, worker) = (&start, name.parse().unwrap());
            scope.spawn(move || {
                start.wait();
                block_on(async { while escrow.run_due(&worker, 100).await.unwrap().taken > 0 {} });
            });
        }
    });
    block_on(async {
        run.clock().await;
        everybody_has_a_euro(&run).await;
        assert!(run.is_over().await);
    });
}

#[cfg(feature = "postgres")]
#[test]
fn two_workers_on_one_server_pay_everybody_once() {
    let database = crate::postgres::database::Database::new();
    let (first, second) = block_on(async { (database.store().await, database.store().await) });
    race(first, second);
}

#[test]
fn two_workers_in_memory_pay_everybody_once() {
    let store = Memory::new();
    race(store.clone(), store);
}

#[cfg(feature = "sqlite")]
#[test]
fn two_workers_on_one_file_pay_everybody_once() {
    use escrowed::sqlite::Sqlite;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    race(Sqlite::open(&file).unwrap(), Sqlite::open(&file).unwrap());
}
