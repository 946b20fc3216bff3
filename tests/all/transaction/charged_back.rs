//! A transaction whose payment is charged back.

use super::*;
use crate::after::{charged, decided, owed, tell};

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
}
