//! A payment of a movement is charged back: its payer owes it, wherever the money is by then.

use super::*;
use crate::{
    after::{charged, decided, owed, tell},
    harness::on_each_store,
};
use escrowed::{order::Status as OrderStatus, payment::PayinId};

/// What everybody owes, the movement's own party last.
async fn debts<S: Store>(run: &Run<'_, S, escrowed::sandbox::Sandbox>, names: &[&str]) -> Vec<Money> {
    let own = wallet(run.id).to_string();
    let mut debts = Vec::new();
    for name in names.iter().copied().chain([own.as_str()]) {
        debts.push(owed(run.shop, name).await);
    }
    debts
}

async fn payin_of<S: Store>(run: &Run<'_, S, escrowed::sandbox::Sandbox>, name: &str) -> PayinId {
    run.shop.payin(run.order_of(name).await).await.id()
}

on_each_store! {
    async fn the_payer_owes_it_and_every_payee_keeps_what_it_has(shop) {
        let run = Run::of(&shop, super::one_to_many(Method::Card), user("anna")).await;
        shop.send().await;
        assert_eq!(run.status().await, Status::Done);
        let payin = payin_of(&run, "anna").await;
        let dispute = charged(&shop, payin, "dp_1", euro("50.00"), euro("15.00"));
        tell(&shop, &dispute).await;
        let none = euro("0.00");
        assert_eq!(debts(&run, &["anna", "tess", "una"]).await, [euro("-50.00"), none, none, none]);
        assert_eq!((run.wallet("tess").await, run.wallet("una").await), ("20.01 EUR".into(), "20.00 EUR".into()));
        shop.audit().await;
        shop.audit_calls().await;
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!(debts(&run, &["anna", "tess", "una"]).await, vec![none; 4]);
        shop.audit().await;
    }

    async fn between_two_batches_nothing_is_taken_of_what_the_others_paid(shop) {
        let plan = Plan::many_to_many(Frame { batch: 1, ..frame() }, three_payers(), three_payees());
        let run = Run::of(&shop, plan, ops()).await;
        for name in ["anna", "ben", "cleo"] {
            run.pay(name, Method::Card).await;
        }
        shop.send().await;
        while run.common().await != euro("120.00") {
            assert_eq!(shop.escrow.run_due(&worker(), 1).await.unwrap().taken, 1);
        }
        let payin = payin_of(&run, "anna").await;
        tell(&shop, &charged(&shop, payin, "dp_1", euro("30.00"), euro("0.00"))).await;
        // The write of it takes the next batch along: sam's €60. Nothing else has left.
        assert_eq!((run.common().await, owed(&shop, "anna").await), (euro("60.00"), euro("-30.00")));
        run.clock().await;
        shop.send().await;
        assert_eq!((run.wallet("tess").await, run.wallet("una").await), ("30.00 EUR".into(), "30.00 EUR".into()));
        assert!(run.is_over().await);
        shop.audit().await;
    }

    async fn it_is_the_payer_before_the_release_and_after_it(shop) {
        let run = Run::of(&shop, super::many_to_one(), ops()).await;
        run.pay("anna", Method::Card).await;
        shop.send().await;
        let payin = payin_of(&run, "anna").await;
        tell(&shop, &charged(&shop, payin, "dp_1", euro("10.00"), euro("0.00"))).await;
        assert_eq!(shop.status(run.order_of("anna").await).await, OrderStatus::Published, "it does not stop alone");
        for name in ["ben", "cleo"] {
            run.pay(name, Method::Card).await;
        }
        shop.send().await;
        assert_eq!((run.status().await, run.wallet("sam").await), (Status::Done, "120.00 EUR".into()));
        tell(&shop, &charged(&shop, payin, "dp_2", euro("20.00"), euro("0.00"))).await;
        assert_eq!((run.wallet("sam").await, owed(&shop, "anna").await), ("120.00 EUR".into(), euro("-30.00")));
        shop.audit().await;
        shop.audit_calls().await;
    }
}
