//! Notices of disputes that overtake each other, or what they are about.

use super::{
    chargebacks::{NONE, audit, pair, stand},
    charged, decided, tell, try_tell,
};
use crate::harness::{Shop, euro, on_each_store, ops, terms, user, worker};
use escrowed::{
    escrow::{EscrowError, Reported},
    gateway::{Dispute, Verb},
    lifecycle::Reason,
    money::{Currency, Money, MoneyError},
    order::{Command, OrderId, Status},
    payment::{Method, payin},
    sandbox::Behaviour,
    store::Store,
};

/// All of an order's payin is charged back and won back, and then charged back and lost: four notices.
async fn twice<S: Store>(shop: &Shop<S>, id: OrderId) -> [Dispute; 4] {
    let payin = shop.payin(id).await.id();
    let first = charged(shop, payin, &format!("{payin}-1"), euro("100.00"), euro(NONE));
    let won = decided(shop, &first, true);
    let second = charged(shop, payin, &format!("{payin}-2"), euro("100.00"), euro(NONE));
    let lost = decided(shop, &second, false);
    [first, won, second, lost]
}

on_each_store! {
    async fn a_second_chargeback_waits_for_the_end_of_the_first(shop) {
        let id = shop.paid(terms()).await;
        let [first, won, second, lost] = twice(&shop, id).await;
        tell(&shop, &first).await;
        for early in [&second, &lost] {
            let overtaken = try_tell(&shop, early).await;
            assert!(matches!(overtaken, Err(EscrowError::Overtaken(_))), "{overtaken:?}");
        }
        assert_eq!(stand(&shop, &["anna", "sam", "shop"]).await, vec![pair(NONE, NONE); 3]);
        for notice in [&won, &second, &lost] {
            assert_eq!(tell(&shop, notice).await, Reported::Taken);
        }
        assert_eq!(stand(&shop, &["anna", "sam", "shop"]).await, vec![pair(NONE, NONE); 3]);
        // Nothing is left of it that anybody could be paid.
        assert_eq!(shop.act(id, Command::Close {}, ops()).await.status(), Status::Cancelled);
        audit(&shop).await;
    }

    async fn whatever_is_heard_first_it_ends_alike(shop) {
        for order in [[0, 1, 2, 3], [2, 0, 1, 3], [3, 2, 1, 0], [2, 3, 0, 1], [1, 3, 0, 2], [0, 3, 2, 1]] {
            let id = shop.paid(terms()).await;
            let notices = twice(&shop, id).await;
            let mut left: Vec<_> = order.iter().map(|nth| &notices[*nth]).collect();
            for _ in 0..4 {
                let mut again = Vec::new();
                for notice in left {
                    match try_tell(&shop, notice).await {
                        Ok(_) => {}
                        Err(EscrowError::Overtaken(_)) => again.push(notice),
                        Err(error) => panic!("{order:?}: {error}"),
                    }
                }
                left = again;
            }
            assert!(left.is_empty(), "{order:?}: {left:?} never got through");
            assert_eq!(stand(&shop, &["anna", "sam", "shop"]).await, vec![pair(NONE, NONE); 3], "{order:?}");
            assert_eq!(shop.act(id, Command::Close {}, ops()).await.status(), Status::Cancelled, "{order:?}");
        }
        audit(&shop).await;
    }
}

on_each_store! {
    async fn a_dispute_waits_for_the_word_that_its_payin_was_paid(shop) {
        let id = shop.open(terms()).await;
        shop.gateway().script(Verb::Charge, [Behaviour::WebhookFirst]);
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        // The gateway has the money; its report is on its way.
        shop.escrow.send(&worker(), 1).await.unwrap();
        let payin = shop.payin(id).await.id();
        let dispute = charged(&shop, payin, "dp_1", euro("100.00"), euro(NONE));
        let early = try_tell(&shop, &dispute).await;
        assert!(matches!(early, Err(EscrowError::Overtaken(about)) if about == payin.subject()), "{early:?}");
        for report in shop.gateway().reports() {
            shop.hear(&report).await;
        }
        assert_eq!(shop.load(payin).await.status(), payin::Status::Confirmed);
        assert_eq!(tell(&shop, &dispute).await, Reported::Taken);
        assert_eq!(shop.status(id).await, Status::BlockedRelease);
        audit(&shop).await;
    }

    async fn a_fee_is_no_income_and_of_the_same_currency(shop) {
        let id = shop.paid(terms()).await;
        let payin = shop.payin(id).await.id();
        let dispute = charged(&shop, payin, "dp_1", euro("100.00"), euro(NONE));
        let below = try_tell(&shop, &Dispute { fee: euro("-1.00"), ..dispute.clone() }).await;
        assert!(matches!(below, Err(EscrowError::Refused(Reason::Money(MoneyError::Negative { .. })))), "{below:?}");
        let yen = Money::zero(Currency::JPY);
        let other = try_tell(&shop, &Dispute { fee: yen, ..dispute.clone() }).await;
        assert!(matches!(other, Err(EscrowError::Refused(Reason::Money(MoneyError::Mixed { .. })))), "{other:?}");
        assert_eq!(tell(&shop, &dispute).await, Reported::Taken);
        audit(&shop).await;
    }
}
