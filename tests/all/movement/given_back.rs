//! Parts of a movement whose card payment is charged back, and that go back after all: nobody is paid twice.

use super::*;
use crate::{
    after::{charged, decided, owed, tell, write_off},
    campaign::given_back::ways_back,
    harness::on_each_store,
};

on_each_store! {
    async fn what_was_charged_back_of_a_part_is_not_refunded_once_more(shop) {
        let mut kept = 0;
        let cases = (0..4).map(|nth| ([3_000, 1_000][nth % 2], nth < 2));
        for (nth, (minor, won)) in cases.enumerate() {
            let (name, taken) = (format!("payer{nth}"), Money::from_minor(minor, euro("0.00").currency()));
            let plan = Plan::many_to_one(frame(), vec![payer(&name, "30.00"), payer("ben", "40.00")], party("sam"));
            let run = Run::of(&shop, plan, ops()).await;
            run.pay(&name, Method::Card).await;
            shop.send().await;
            let order = run.order_of(&name).await;
            let dispute = charged(&shop, shop.payin(order).await.id(), &format!("dp_{nth}"), taken, euro("0.00"));
            tell(&shop, &dispute).await;
            assert_eq!(run.stands().await, [Stands::Paid, Stands::Open]);
            assert_eq!(owed(&shop, &name).await, taken.checked_neg().unwrap());

            run.undo(ops()).await.unwrap();
            shop.send().await;
            let refunds = shop.refunds(order).await;
            assert_eq!(ways_back(&refunds), [3_000 - minor, minor]);
            let order::AnyOrder::Cancelled(cancelled) = shop.order(order).await else { panic!("should be called off") };
            assert!(refunds.iter().any(|one| Some(one.id()) == cancelled.state().refund()));
            assert_eq!((owed(&shop, &name).await, run.wallet(&name).await), (euro("0.00"), "0.00 EUR".into()));
            assert!(!run.is_over().await);

            // Only then it is decided. What is won comes out of the payer's card again: so it is the payer's.
            tell(&shop, &decided(&shop, &dispute, won)).await;
            let has = if won { taken } else { euro("0.00") };
            assert_eq!((owed(&shop, &name).await, run.wallet(&name).await), (euro("0.00"), has.to_string()));
            kept += has.minor();
            assert_eq!(run.outside().await, Money::from_minor(kept, has.currency()).to_string());
        }
        shop.audit().await;
    }

    async fn what_was_charged_back_and_won_goes_back_to_the_card(shop) {
        let run = Run::of(&shop, many_to_one(), ops()).await;
        run.pay("anna", Method::Card).await;
        shop.send().await;
        let order = run.order_of("anna").await;
        let dispute = charged(&shop, shop.payin(order).await.id(), "dp_1", euro("30.00"), euro("0.00"));
        tell(&shop, &dispute).await;
        tell(&shop, &decided(&shop, &dispute, true)).await;
        run.undo(ops()).await.unwrap();
        shop.send().await;
        assert_eq!((run.outside().await, run.wallet("anna").await), ("0.00 EUR".into(), "0.00 EUR".into()));
        assert!(!run.is_over().await);
    }

    async fn what_was_written_off_of_a_part_is_recouped_as_it_goes_back(shop) {
        for (nth, won) in [false, true].into_iter().enumerate() {
            let run = Run::of(&shop, many_to_one(), ops()).await;
            run.pay("anna", Method::Card).await;
            shop.send().await;
            let order = run.order_of("anna").await;
            let payin = shop.payin(order).await.id();
            let dispute = charged(&shop, payin, &format!("dp_{nth}"), euro("20.00"), euro("0.00"));
            tell(&shop, &dispute).await;
            let debt = write_off(&shop, "anna").await.remove(0);
            let before = shop.balance("wallet:shop").await;
            run.undo(ops()).await.unwrap();
            shop.send().await;
            assert_eq!(ways_back(&shop.refunds(order).await), [1_000, 2_000]);
            assert_eq!((owed(&shop, "anna").await, run.wallet("anna").await), (euro("0.00"), "0.00 EUR".into()));
            let after = shop.balance("wallet:shop").await;
            assert_eq!(after.checked_sub(before).unwrap(), euro("20.00"));
            assert_eq!(shop.load(debt).await.facts().recouped(), euro("20.00"));
            tell(&shop, &decided(&shop, &dispute, won)).await;
            assert_eq!(run.wallet("anna").await, if won { "20.00 EUR" } else { "0.00 EUR" });
            assert_eq!(shop.balance("wallet:shop").await, after);
        }
        shop.audit().await;
    }
}
