//! Rows that cannot be read, or that say what no log says: workers go on with all others, and an operator sees these.

use crate::{
    harness::{Shop, bank, key, ops, party, terms, user, worker},
    kyc::Office,
    transaction,
};
use escrowed::{
    escrow::{Due, EscrowError, Policy, Sent},
    gateway::{IdempotencyKey, Verb},
    order::{Command, OrderId, PayoutPlan, Status},
    payment::Method,
    sandbox::Behaviour,
    store::{CallState, Outbox, Store, Unreadable},
    verify::{Difference, Part},
};
use std::time::Duration;

/// Writes each test once for each database: it has a shop, and a way to change a row behind its back.
macro_rules! on_each_database {
    ($( async fn $name:ident($shop:ident, $run:ident) $body:block )+) => { $(
        mod $name {
            use super::*;

            async fn test<S: Store>($shop: Shop<S>, $run: impl AsyncFn(&str)) $body

            #[cfg(feature = "sqlite")]
            #[test]
            fn sqlite() {
                let folder = tempfile::tempdir().unwrap();
                let file = folder.path().join("shop.db");
                let store = escrowed::sqlite::Sqlite::open(&file).unwrap();
                let plain = rusqlite::Connection::open(&file).unwrap();
                let run = async |tamper: &str| assert_eq!(plain.execute(tamper, []).unwrap(), 1, "{tamper}");
                crate::harness::block_on(test(Shop::new(store, 1), run));
            }

            #[cfg(feature = "postgres")]
            #[test]
            fn postgres() {
                let database = crate::postgres::database::Database::new();
                crate::harness::block_on(async {
                    let store = database.store().await;
                    let pool = store.pool().clone();
                    let run = async |tamper: &str| {
                        let done = sqlx::query(sqlx::AssertSqlSafe(tamper)).execute(&pool).await.unwrap();
                        assert_eq!(done.rows_affected(), 1, "{tamper}");
                    };
                    test(Shop::new(store, 1), run).await;
                });
            }
        }
    )+ };
}

async fn asked<S: Store>(shop: &Shop<S>) -> (OrderId, IdempotencyKey) {
    let id = shop.open(terms()).await;
    shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
    (id, key(shop.payin(id).await.id().subject(), Verb::Charge))
}

async fn parked<S: Store>(shop: &Shop<S>) -> Vec<Result<CallState, Unreadable>> {
    shop.escrow.parked(&mut shop.begin().await, None, 10).await.unwrap()
}

async fn differences<S: Store>(shop: &Shop<S>) -> Vec<Difference> {
    let mut found = Vec::new();
    shop.escrow.verifier().verify(shop.escrow.store(), |difference| found.push(difference)).await.unwrap();
    found
}

on_each_database! {
    async fn a_call_that_cannot_be_read_is_parked_and_the_others_are_sent(shop, run) {
        let impatient = Policy { attempts: 1, ..Policy::default() };
        let shop = Shop { escrow: shop.escrow.with_policy(impatient) };
        let (broken, call) = asked(&shop).await;
        let (failing, other) = asked(&shop).await;
        let (fine, _) = asked(&shop).await;
        shop.gateway().script_call(&other, [Behaviour::TimeoutBefore]);
        let whole = shop.begin().await.call(&call).await.unwrap().unwrap();
        let row = format!("WHERE key = '{call}'");
        run(&format!("UPDATE escrowed_calls SET instruction = '{{\"conjure\":{{}}}}' {row}")).await;
        let sent = shop.escrow.send(&worker(), 10).await.unwrap();
        assert_eq!(sent, Sent { taken: 3, answered: 1, parked: 2, ..Sent::default() });
        assert_eq!(shop.status(fine).await, Status::Published);
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap(), Sent::default());

        // An operator sees both, and puts back what can be read.
        let page = parked(&shop).await;
        // By their keys, which come in any order.
        let ([Err(unreadable), Ok(failed)] | [Ok(failed), Err(unreadable)]) = &page[..] else { panic!("{page:?}") };
        assert_eq!((&unreadable.id, failed.instruction.key()), (&call.to_string(), other));
        assert!(unreadable.problem.starts_with("instruction: "), "{unreadable}");
        let mut unit = shop.begin().await;
        assert!(matches!(shop.escrow.requeue(&mut unit, &call).await, Err(EscrowError::Storage(_))));
        drop(unit);
        let mut unit = shop.begin().await;
        shop.escrow.requeue(&mut unit, &other).await.unwrap();
        shop.commit(unit).await;
        let found = differences(&shop).await;
        let [Difference::Unreadable { part, .. }] = &found[..] else { panic!("{found:?}") };
        assert_eq!(*part, Part::Call(call));

        // The version that wrote it reads it, and knows why it waits.
        let json = serde_json::to_string(&whole.instruction).unwrap();
        run(&format!("UPDATE escrowed_calls SET instruction = '{json}' {row}")).await;
        let page = parked(&shop).await;
        let [Ok(waits)] = &page[..] else { panic!("{page:?}") };
        assert!(waits.problem.as_ref().unwrap().as_str().starts_with("it cannot be read: instruction: "), "{waits:?}");
        let mut unit = shop.begin().await;
        shop.escrow.requeue(&mut unit, &call).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        assert_eq!((shop.status(broken).await, shop.status(failing).await), (Status::Published, Status::Published));
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn a_worker_whose_hands_are_full_of_what_cannot_be_read_takes_more(shop, run) {
        let shop = Shop { escrow: shop.escrow.with_policy(Policy { at_once: 1, ..Policy::default() }) };
        let (_, call) = asked(&shop).await;
        shop.escrow.clock().advance(Duration::from_secs(1));
        let (fine, _) = asked(&shop).await;
        run(&format!("UPDATE escrowed_calls SET instruction = '{{' WHERE key = '{call}'")).await;
        let sent = shop.escrow.send(&worker(), 10).await.unwrap();
        assert_eq!(sent, Sent { taken: 2, answered: 1, parked: 1, ..Sent::default() });
        assert_eq!(shop.status(fine).await, Status::Published);
    }

    async fn what_nobody_can_be_asked_about_is_parked(shop, run) {
        let patience = Policy { attempts: 2, ..Policy::default() };
        let shop = Shop { escrow: shop.escrow.with_policy(patience).with_kyc(Office::default()) };
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
        shop.act(id, Command::Validate {}, ops()).await;
        let payout = shop.payouts(id).await[0].id();
        let version = |version: u8| format!("UPDATE escrowed_events SET version = {version} WHERE subject = '{payout}'");
        run(&version(9)).await;
        for fate in [Sent { unknown: 1, ..Sent::default() }, Sent { parked: 1, ..Sent::default() }] {
            assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap(), Sent { taken: 1, ..fate });
            shop.escrow.clock().advance(Duration::from_secs(3_600));
        }
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap(), Sent::default());
        let page = parked(&shop).await;
        let [Ok(waits)] = &page[..] else { panic!("{page:?}") };
        assert_eq!((waits.instruction.key(), waits.sent), (key(payout.subject(), Verb::Payout), None));

        // Once it can be read again, it goes out.
        run(&version(1)).await;
        let mut unit = shop.begin().await;
        shop.escrow.requeue(&mut unit, &waits.instruction.key()).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Released);
        shop.verify().await;
    }

    async fn what_cannot_be_read_is_taken_back_like_any_call_that_nobody_sent(shop, run) {
        let (id, call) = asked(&shop).await;
        run(&format!("UPDATE escrowed_calls SET instruction = '{{' WHERE key = '{call}'")).await;
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().parked, 1);
        shop.act(id, Command::Cancel {}, ops()).await;
        assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().taken, 0);
        assert!(parked(&shop).await.is_empty());
        assert_eq!(shop.gateway().effects(&call), 0);
    }

    async fn a_subject_that_cannot_be_read_stops_no_other_deadline(shop, run) {
        let deals = transaction::workers::all_due(&shop).await;
        let broken = format!("WHERE id = '{}'", deals[3]);
        run(&format!("UPDATE escrowed_subjects SET about = 'nothing' {broken}")).await;
        let rest = deals.len() - 1;
        let due = shop.escrow.run_due(&worker(), 100).await.unwrap();
        assert_eq!(due, Due { taken: rest, failed: 1, ..Due::default() });
        // It is told again each time its lease has ended.
        assert_eq!(shop.escrow.run_due(&worker(), 100).await.unwrap(), Due::default());
        shop.escrow.clock().advance(Policy::default().lease);
        assert_eq!(shop.escrow.run_due(&worker(), 100).await.unwrap(), Due { failed: 1, ..Due::default() });
        run(&format!("UPDATE escrowed_subjects SET about = NULL {broken}")).await;
        shop.escrow.clock().advance(Policy::default().lease);
        assert_eq!(shop.escrow.run_due(&worker(), 100).await.unwrap(), Due { taken: 1, ..Due::default() });
        shop.verify().await;
    }

    async fn a_deadline_that_no_log_knows_of_is_refused_and_told(shop, run) {
        let (id, _) = asked(&shop).await;
        let payin = shop.payin(id).await.id();
        run(&format!("UPDATE escrowed_subjects SET deadline = 1 WHERE id = '{payin}'")).await;
        for _ in 0..2 {
            assert_eq!(shop.escrow.run_due(&worker(), 100).await.unwrap(), Due { failed: 1, ..Due::default() });
            assert_eq!(shop.escrow.run_due(&worker(), 100).await.unwrap(), Due::default());
            shop.escrow.clock().advance(Policy::default().lease);
        }
        // The next step of its log corrects it.
        shop.send().await;
        assert_eq!(shop.escrow.run_due(&worker(), 100).await.unwrap(), Due::default());
        assert_eq!(shop.status(id).await, Status::Published);
        shop.verify().await;
    }
}
