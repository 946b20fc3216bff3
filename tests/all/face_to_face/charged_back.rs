//! A deal whose payments are charged back: it stops, and an arbiter decides about what is left.

use super::*;
use crate::{
    after::{charged, decided, owed, replace, send_back, tell},
    harness::ops,
};
use escrowed::payment::{Afterwards, Route, refund};

fn award(buyer: &str, seller: &str) -> Command<'static> {
    Command::Award { award: escrowed::deal::Award { buyer: euro(buyer), seller: euro(seller) } }
}

crate::harness::on_each_store! {
    async fn what_is_left_after_a_lost_dispute_is_awarded(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        let paid = deal.now().await.facts().till().opened().to_vec();
        // The remainder of €130 goes; the deposit of €50 stays.
        let dispute = charged(&shop, paid[1], "dp_1", euro("130.00"), euro("0.00"));
        tell(&shop, &dispute).await;
        assert_eq!((deal.status().await, deal.held().await), (Status::Complained, "50.00 EUR".to_owned()));
        assert!(matches!(deal.refused(judy(), award("50.00", "0.00")).await, Reason::Underway(_)));
        tell(&shop, &decided(&shop, &dispute, false)).await;
        deal.act(judy(), award("20.00", "30.00")).await;
        shop.send().await;
        // What goes back, goes back by the deposit's payin: nothing is left of the other one.
        let refunds = shop.refunds(deal.id).await;
        assert_eq!(refunds.iter().map(|refund| refund.facts().payin).collect::<Vec<_>>(), [paid[0]]);
        deal.over(Status::FundsReleased).await;
        shop.audit_calls().await;
    }

    async fn what_a_won_dispute_brings_back_is_awarded_too(shop) {
        let deal = Deal::handed_over(&shop, terms()).await;
        let paid = deal.now().await.facts().till().opened().to_vec();
        let disputes = [
            charged(&shop, paid[0], "dp_1", euro("50.00"), euro("0.00")),
            charged(&shop, paid[1], "dp_2", euro("130.00"), euro("0.00")),
        ];
        for dispute in &disputes {
            tell(&shop, dispute).await;
        }
        assert_eq!((deal.status().await, deal.held().await), (Status::Complained, "0.00 EUR".to_owned()));
        for dispute in &disputes {
            tell(&shop, &decided(&shop, dispute, true)).await;
        }
        deal.act(judy(), award("60.00", "120.00")).await;
        shop.send().await;
        deal.over(Status::FundsReleased).await;
        shop.audit_calls().await;
    }

    async fn a_deal_that_has_nothing_left_is_closed(shop) {
        let deal = Deal::accepted(&shop, terms()).await;
        let payin = deal.payin().await.id();
        let dispute = charged(&shop, payin, "dp_1", euro("50.00"), euro("0.00"));
        tell(&shop, &dispute).await;
        assert!(matches!(deal.refused(ops(), Command::Close {}).await, Reason::Underway(_)));
        tell(&shop, &decided(&shop, &dispute, false)).await;
        assert!(matches!(deal.refused(judy(), award("0.00", "0.00")).await, Reason::NotThisWay { .. }));
        deal.act(ops(), Command::Close {}).await;
        deal.over(Status::FundsReleased).await;
    }

    async fn after_the_release_seller_and_platform_give_their_shares(shop) {
        let deal = Deal::handed_over(&shop, terms()).await;
        deal.act(anna(), Command::EndComplaintPeriod {}).await;
        shop.send().await;
        let before = [shop.balance("wallet:sam").await.minor(), shop.balance("wallet:shop").await.minor()];
        assert_eq!(before.iter().sum::<i64>(), 18_000);
        let payin = deal.now().await.facts().till().opened()[1];
        let dispute = charged(&shop, payin, "dp_1", euro("130.00"), euro("0.00"));
        tell(&shop, &dispute).await;
        assert_eq!(deal.status().await, Status::FundsReleased);
        let after = [shop.balance("wallet:sam").await.minor(), shop.balance("wallet:shop").await.minor()];
        assert_eq!(before.iter().sum::<i64>() - after.iter().sum::<i64>(), 13_000);
        assert!(owed(&shop, "sam").await.is_zero() && owed(&shop, "shop").await.is_zero());
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!([shop.balance("wallet:sam").await.minor(), shop.balance("wallet:shop").await.minor()], before);
        deal.over(Status::FundsReleased).await;
    }

    async fn a_refund_that_the_bank_sends_back_before_the_others_arrived_is_noted(shop) {
        let deal = Deal::complained(&shop, terms()).await;
        shop.gateway().script(Verb::Refund, [Behaviour::Settle, Behaviour::Pend]);
        deal.act(judy(), award("150.00", "30.00")).await;
        shop.send().await;
        let refunds = shop.refunds(deal.id).await;
        assert_eq!((refunds.len(), deal.status().await), (2, Status::Complained));
        let first = refunds.iter().find(|refund| refund.status() == refund::Status::Confirmed).expect("it settled").id();
        send_back(&shop, first).await;
        replace(&shop, first, Route::Account("ba_new".parse().unwrap())).await;
        assert_eq!(deal.now().await.facts().aftermath().notes().len(), 2);
        // It had arrived once, which is what the deal waits for.
        shop.settle_down().await;
        let notes = deal.now().await.facts().aftermath().notes().to_vec();
        assert!(matches!(notes[..], [Afterwards::RefundReturned { .. }, Afterwards::RefundSentAgain { .. }, Afterwards::RefundArrived { .. }]), "{notes:?}");
        deal.over(Status::FundsReleased).await;
        shop.audit_calls().await;
    }

    async fn what_an_award_is_yet_to_bring_the_buyer_the_buyer_bears(shop) {
        let deal = Deal::complained(&shop, terms()).await;
        shop.gateway().script(Verb::Refund, [decline()]);
        deal.act(judy(), award("130.00", "50.00")).await;
        shop.send().await;
        let refund = shop.refunds(deal.id).await.remove(0);
        let payin = deal.now().await.facts().till().opened()[1];
        assert_eq!((refund.status(), refund.facts().payin), (refund::Status::Denied, payin));
        let sams = shop.balance("wallet:sam").await;
        let dispute = charged(&shop, payin, "dp_1", euro("130.00"), euro("0.00"));
        tell(&shop, &dispute).await;
        assert_eq!((owed(&shop, "anna").await, owed(&shop, "sam").await), (euro("-130.00"), euro("0.00")));
        assert_eq!(shop.balance("wallet:sam").await, sams);
        replace(&shop, refund.id(), Route::Wallet).await;
        assert_eq!((owed(&shop, "anna").await, shop.balance("wallet:anna").await), (euro("0.00"), euro("0.00")));
        tell(&shop, &decided(&shop, &dispute, false)).await;
        deal.over(Status::FundsReleased).await;
        shop.audit_calls().await;
    }

    async fn a_refund_of_one_payin_says_nothing_of_the_other(shop) {
        let deal = Deal::complained(&shop, terms()).await;
        shop.gateway().script(Verb::Refund, [decline()]);
        deal.act(judy(), award("130.00", "50.00")).await;
        shop.send().await;
        let payin = deal.now().await.facts().till().opened()[0];
        tell(&shop, &charged(&shop, payin, "dp_1", euro("50.00"), euro("0.00"))).await;
        // Sam was paid as much.
        assert!(owed(&shop, "anna").await.is_zero());
        shop.audit().await;
    }
}
