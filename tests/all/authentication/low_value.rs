//! Low values: how many in a row, how much in total, and what clears the count.

use super::*;
use crate::harness::on_each_store;
use escrowed::{
    escrow::EscrowError,
    lifecycle::{Failure, Reason},
    sandbox::{Behaviour, Resolution},
    sca::{Exemption, Liability, Limits, NotExempt},
};
use std::time::Duration;

async fn low<S: Store>(shop: &Shop<S>, amount: &str) -> Result<PayinId, NotExempt> {
    match pay(shop, amount, Needs::LowValue).await {
        Ok(payin) => Ok(payin),
        Err(EscrowError::Refused(Reason::NotExempt(why))) => Err(why),
        Err(other) => panic!("{other}"),
    }
}

on_each_store! {
    async fn thirty_euro_are_a_low_value_and_a_cent_more_is_not(shop) {
        for amount in ["29.99", "30.00"] {
            low(&shop, amount).await.unwrap();
        }
        let limit = euro("30.00");
        assert_eq!(low(&shop, "30.01").await, Err(NotExempt::TooMuch { asked: euro("30.01"), limit }));
        assert_eq!(counted(&shop).await, (2, euro("59.99")));
        shop.send().await;
        shop.audit().await;
    }

    async fn the_sixth_in_a_row_needs_a_challenge_which_clears_the_count(shop) {
        for number in 1..=5_u32 {
            let payin = low(&shop, "1.00").await.unwrap();
            let (total, limits) = (euro(&format!("{number}.00")), Limits::euro().low_value());
            let recorded = Exemption::LowValue { number, total, limits };
            assert_eq!(created(&shop, payin).await.facts().authentication.exemption(), Some(&recorded));
            shop.send().await;
            assert_eq!(confirmed(&shop, payin).await.liability(), Liability::Platform);
        }
        for _ in 0..2 {
            assert_eq!(low(&shop, "0.01").await, Err(NotExempt::InARow { limit: 5 }));
        }
        assert_eq!(counted(&shop).await, (5, euro("5.00")));
        shop.escrow.clock().advance(Duration::from_secs(1));
        passed(&shop, "1.00").await;
        assert_eq!(counted(&shop).await, (0, euro("0.00")));
        low(&shop, "30.00").await.unwrap();
        shop.send().await;
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn a_hundred_euro_in_total_are_exempt_and_a_cent_more_is_not(shop) {
        for amount in ["30.00", "30.00", "30.00"] {
            low(&shop, amount).await.unwrap();
        }
        let in_total = NotExempt::InTotal { total: euro("100.01"), limit: euro("100.00") };
        assert_eq!(low(&shop, "10.01").await, Err(in_total));
        low(&shop, "10.00").await.unwrap();
        assert_eq!(counted(&shop).await, (4, euro("100.00")));
        assert!(matches!(low(&shop, "0.01").await, Err(NotExempt::InTotal { .. })));
        shop.settle_down().await;
        shop.audit().await;
    }

    async fn a_payin_that_failed_counts_all_the_same(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::Decline { reason: "no funds".parse().unwrap() }]);
        low(&shop, "10.00").await.unwrap();
        shop.send().await;
        assert_eq!(counted(&shop).await, (1, euro("10.00")));
    }

    async fn a_challenge_that_was_not_passed_clears_nothing(shop) {
        low(&shop, "10.00").await.unwrap();
        shop.escrow.clock().advance(Duration::from_secs(1));
        shop.send().await;
        for resolution in [Resolution::Decline { reason: "no".parse().unwrap() }] {
            shop.gateway().script(Verb::Charge, [Behaviour::Challenge { until: None }]);
            let payin = pay(&shop, "50.00", Needs::Challenge).await.unwrap();
            shop.send().await;
            shop.gateway().resolve(&charge(payin), resolution).unwrap();
            for report in shop.gateway().reports() {
                shop.hear(&report).await;
            }
        }
        // Neither does a payment that the gateway let pass without one.
        let id = order(&shop, euro("50.00")).await;
        try_pay(&shop, id, Method::Card, user("anna")).await.unwrap();
        shop.send().await;
        assert_eq!(counted(&shop).await, (1, euro("10.00")));
        shop.audit().await;
    }

    async fn a_low_value_that_meets_a_challenge_clears_the_count_itself(shop) {
        for _ in 0..4 {
            low(&shop, "10.00").await.unwrap();
        }
        shop.send().await;
        shop.escrow.clock().advance(Duration::from_secs(1));
        shop.gateway().script(Verb::Charge, [Behaviour::Challenge { until: None }]);
        let payin = low(&shop, "10.00").await.unwrap();
        shop.send().await;
        assert!(created(&shop, payin).await.is_exemption_refused());
        assert_eq!(counted(&shop).await, (5, euro("50.00")));
        shop.gateway().resolve(&charge(payin), Resolution::Settle).unwrap();
        for report in shop.gateway().reports() {
            shop.hear(&report).await;
        }
        assert_eq!(counted(&shop).await, (0, euro("0.00")));
        shop.audit().await;
    }

    async fn what_may_have_come_after_the_challenge_still_counts(shop) {
        low(&shop, "10.00").await.unwrap();
        shop.escrow.clock().advance(Duration::from_secs(1));
        shop.gateway().script_call(&charge(low(&shop, "11.00").await.unwrap()), [Behaviour::Settle]);
        shop.escrow.clock().advance(Duration::from_secs(1));
        let challenged = pay(&shop, "50.00", Needs::Challenge).await.unwrap();
        shop.gateway().script_call(&charge(challenged), [Behaviour::Challenge { until: None }]);
        shop.send().await;
        shop.escrow.clock().advance(Duration::from_secs(1));
        low(&shop, "12.00").await.unwrap();
        shop.gateway().resolve(&charge(challenged), Resolution::Settle).unwrap();
        for report in shop.gateway().reports() {
            shop.hear(&report).await;
        }
        assert_eq!(counted(&shop).await, (1, euro("12.00")));
        shop.settle_down().await;
        shop.audit().await;
    }

    async fn a_refusal_counts_nothing(shop) {
        let id = order(&shop, euro("10.00")).await;
        // A wallet opens no payin that a gateway is asked for.
        shop.fill_wallet("anna", euro("10.00")).await;
        assert!(try_pay(&shop, id, Method::Wallet, anna(Needs::LowValue)).await.is_err());
        let count = tally::id_of(&party("anna"), &"sandbox".parse().unwrap());
        let unknown = shop.escrow.load(&mut shop.begin().await, count).await;
        assert!(matches!(unknown, Err(EscrowError::Unknown(_))), "nothing was ever counted");
        assert_eq!(low(&shop, "30.01").await.map(drop).unwrap_err(), NotExempt::TooMuch {
            asked: euro("30.01"), limit: euro("30.00"),
        });
        assert!(matches!(shop.escrow.load(&mut shop.begin().await, count).await, Err(EscrowError::Unknown(_))));
    }

    async fn of_two_at_once_that_would_both_be_the_fifth_one_has_to_count_anew(shop) {
        for _ in 0..4 {
            low(&shop, "1.00").await.unwrap();
        }
        let (limits, at) = (Limits::euro(), shop.escrow.stamp(user("anna")));
        let mut paying = Vec::new();
        for _ in 0..2 {
            let id = order(&shop, euro("1.00")).await;
            let AnyOrder::PendingPublish(pending) = shop.order(id).await else { panic!() };
            let AnyTally::Counting(tally) =
                shop.load(tally::id_of(&party("anna"), &"sandbox".parse().unwrap())).await;
            let need = payin::Need::LowValue { tally: &tally, limits: &limits };
            paying.push(payin::needing(pending.pay(Method::Card, &at).unwrap(), party("sam"), need).unwrap());
        }
        let (second, first) = (paying.pop().unwrap(), paying.pop().unwrap());
        let mut unit = shop.begin().await;
        first.save(&mut unit).await.unwrap();
        shop.commit(unit).await;
        let mut unit = shop.begin().await;
        let late = second.save(&mut unit).await.unwrap_err();
        assert!(matches!(late.why, Failure::Stale), "{late}");
        drop(unit);
        assert_eq!(counted(&shop).await, (5, euro("5.00")));
        shop.settle_down().await;
        shop.audit().await;
    }
}
