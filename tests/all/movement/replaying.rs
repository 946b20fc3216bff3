//! Logs are replayed and nothing in them is trusted.

use super::*;
use crate::{
    campaign::replaying::{forged, log},
    harness::on_each_store,
};
use escrowed::{lifecycle::replay, order::AnyOrder, store::Log};

on_each_store! {
    async fn every_prefix_of_a_log_is_a_history(shop) {
        let small = Frame { batch: 1, ..frame() };
        // Opened; three orders opened, paid and settled; three spread, one of which went to a bank; and the words between.
        for (undone, events) in [(false, 17), (true, 12)] {
            let plan = Plan::many_to_many(small.clone(), three_payers(), three_payees());
            let run = Run::of(&shop, plan, ops()).await;
            run.clock().await;
            for name in ["anna", "ben", "cleo"] {
                if undone && name == "cleo" {
                    run.undo(ops()).await.unwrap();
                    run.clock().await;
                } else {
                    run.pay(name, Method::Card).await;
                    shop.send().await;
                }
            }
            run.clock().await;
            shop.send().await;
            assert_eq!(run.is_over().await, !undone);
            let whole = log(&shop, run.id).await;
            assert_eq!(whole.records.len(), events, "{:?}", whole.records);
            for end in 1..=whole.records.len() {
                let log = Log { records: whole.records[..end].to_vec(), ..whole.clone() };
                replay::<AnyMovement>(&log).unwrap();
                // None may be left out.
                let mut gap = log;
                gap.records.remove(end / 2);
                assert!(end == 1 || end / 2 == end - 1 || replay::<AnyMovement>(&gap).is_err());
            }
        }
    }

    async fn a_forged_movement_is_refused(shop) {
        let run = Run::of(&shop, one_to_many(Method::Card), user("anna")).await;
        shop.send().await;
        let done = log(&shop, run.id).await;
        // What would be further than its plan and its status let it be.
        forged::<AnyMovement>(&done, "count", "[[0,\"open\"]]", "[[0,\"released\"]]");
        forged::<AnyMovement>(&done, "count", "[[0,\"open\"]]", "[[1,\"open\"]]");
        forged::<AnyMovement>(&done, "count", "[[0,\"open\"]]", "[[9,\"open\"]]");
        forged::<AnyMovement>(&done, "count", "[[0,\"open\"]]", "[]");
        forged::<AnyMovement>(&done, "count", "[[0,\"open\"]]", "[[0,\"open\"],[0,\"open\"]]");
        forged::<AnyMovement>(&done, "open", "10001", "-10001");
        forged::<AnyMovement>(&done, "open", "\"anna\"", "\"sam\"");
        declines(&shop, Verb::Charge);
        let run = Run::of(&shop, top_up(), user("anna")).await;
        shop.send().await;
        forged::<AnyMovement>(&log(&shop, run.id).await, "undo", "failed", "late");
    }

    async fn a_forged_part_is_refused(shop) {
        let run = Run::of(&shop, many_to_one(), user("sam")).await;
        for name in ["anna", "ben", "cleo"] {
            run.pay(name, Method::Card).await;
        }
        shop.send().await;
        let order = log(&shop, run.order_of("anna").await).await;
        forged::<AnyOrder>(&order, "settle", "3000", "3001");
        forged::<AnyOrder>(&order, "settle", "\"sam\"", "\"eve\"");
        forged::<AnyOrder>(&order, "settle", "WALLET", "ACCOUNT");
        // An order that stands alone is not settled.
        forged::<AnyOrder>(&order, "open", "\"part\"", "\"parts\"");
    }
}
