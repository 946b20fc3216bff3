//! A transaction whose payment is charged back.

use super::*;
use crate::after::{charged, decided, owed, replace, send_back, tell};
use escrowed::payment::{Afterwards, Route};

crate::harness::on_each_store! {
    async fn it_stops_and_goes_on_by_an_award(shop) {
        let deal = Deal::in_status(&shop, Status::Tracked).await;
        let payin = shop.payins(deal.id).await[0].id();
        let dispute = charged(&shop, payin, "dp_1", euro("15.00"), euro("0.00"));
        tell(&shop, &dispute).await;
        let stopped = deal.now().await;
        assert_eq!((stopped.status(), stopped.held()), (Status::ComplaintSubmitted, euro("100.00")));
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!(deal.now().await.held(), euro("115.00"));
        deal.act(judy(), award("15.00", "100.00")).await;
        shop.send().await;
        deal.expect(Status::FundsReleased).await;
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn nothing_left_is_closed(shop) {
        let deal = Deal::in_status(&shop, Status::Paid).await;
        let payin = shop.payins(deal.id).await[0].id();
        let dispute = charged(&shop, payin, "dp_1", euro("115.00"), euro("0.00"));
        tell(&shop, &dispute).await;
        tell(&shop, &decided(&shop, &dispute, false)).await;
        deal.act(crate::harness::ops(), Command::Close {}).await;
        deal.expect(Status::Refunded).await;
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn what_it_paid_out_is_owed_by_each(shop) {
        let deal = Deal::in_status(&shop, Status::FundsReleased).await;
        let payin = shop.payins(deal.id).await[0].id();
        let dispute = charged(&shop, payin, "dp_1", euro("115.00"), euro("0.00"));
        tell(&shop, &dispute).await;
        let mut gone = 0;
        for name in ["sam", "shop", "till", "anna"] {
            assert!(shop.balance(&format!("wallet:{name}")).await.is_zero());
            gone += owed(&shop, name).await.minor();
        }
        // What was in wallets was taken; what was paid to a bank is owed.
        assert_eq!(shop.balance("world:sandbox").await.minor() + gone, 0);
        assert!(owed(&shop, "anna").await.is_zero());
        tell(&shop, &decided(&shop, &dispute, true)).await;
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn a_refund_that_the_bank_sends_back_is_noted_and_changes_nothing(shop) {
        let deal = Deal::in_status(&shop, Status::Paid).await;
        deal.act(sam(), Command::Cancel {}).await;
        shop.send().await;
        let refund = deal.refunds().await.remove(0).id();
        send_back(&shop, refund).await;
        replace(&shop, refund, Route::Wallet).await;
        let now = deal.now().await;
        let [back, again, there] = now.facts().aftermath().notes() else { panic!("{now:?}") };
        assert!(matches!(back, Afterwards::RefundReturned { refund: of, .. } if *of == refund), "{back:?}");
        assert!(matches!(again, Afterwards::RefundSentAgain { refund: of, .. } if *of == refund), "{again:?}");
        assert!(matches!(there, Afterwards::RefundArrived { .. }), "{there:?}");
        assert_eq!((now.status(), deal.wallet("anna").await.as_str()), (Status::Refunded, "115.00 EUR"));
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn what_an_award_is_yet_to_bring_the_buyer_the_buyer_bears(shop) {
        let deal = Deal::in_status(&shop, Status::ComplaintSubmitted).await;
        shop.gateway().script(Verb::Refund, [decline()]);
        deal.act(judy(), award("15.00", "100.00")).await;
        shop.send().await;
        let refund = deal.refunds().await.remove(0);
        assert_eq!(refund.held(), euro("15.00"));
        let before = (deal.wallet("sam").await, owed(&shop, "sam").await);
        let dispute = charged(&shop, refund.facts().payin, "dp_1", euro("15.00"), euro("0.00"));
        tell(&shop, &dispute).await;
        assert_eq!((deal.wallet("sam").await, owed(&shop, "sam").await), before);
        assert_eq!(owed(&shop, "anna").await, euro("-15.00"));
        replace(&shop, refund.id(), Route::Wallet).await;
        assert!(owed(&shop, "anna").await.is_zero());
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!(deal.wallet("anna").await, "15.00 EUR");
        shop.audit().await;
        shop.audit_calls().await;
    }
}
