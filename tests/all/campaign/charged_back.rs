//! Pledges whose card payment is charged back: one backer's bank stops nobody else's campaign.

use super::*;
use crate::{
    after::{charged, decided, owed, replace, send_back, tell},
    harness::{on_each_store, ops},
};

on_each_store! {
    async fn a_pledge_that_is_charged_back_stays_one_and_its_backer_owes_it(shop) {
        let (drive, [annas, ..]) = Drive::funded(&shop, terms()).await;
        let payin = shop.payins(annas).await[0].id();
        let dispute = charged(&shop, payin, "dp_1", euro("50.00"), euro("15.00"));
        tell(&shop, &dispute).await;
        tell(&shop, &dispute).await;
        assert_eq!(shop.load(annas).await.status(), pledge::Status::Gathered);
        assert_eq!(owed(&shop, "anna").await, euro("-50.00"));
        // The gateway's fee is the platform's to bear.
        assert_eq!(owed(&shop, "shop").await, euro("-15.00"));
        shop.audit().await;
        shop.verify().await;

        shop.act(drive.id, Command::Validate {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.load(drive.id).await.status(), Status::Released);

        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!(owed(&shop, "anna").await, euro("0.00"));
        assert_eq!(owed(&shop, "shop").await, euro("-15.00"));
        shop.audit().await;
        shop.verify().await;
    }

    async fn a_refund_that_the_bank_sends_back_is_its_pledges_to_note(shop) {
        let (drive, [annas, ..]) = Drive::funded(&shop, terms()).await;
        drive.act(olga(), Command::Cancel {}).await;
        drive.clock().await;
        shop.send().await;
        assert_eq!(drive.status(annas).await, pledge::Status::Refunded);
        let refund = drive.refunds(annas).await.remove(0).id();
        send_back(&shop, refund).await;
        replace(&shop, refund, escrowed::payment::Route::Wallet).await;
        let pledge = shop.load(annas).await;
        assert_eq!((pledge.status(), pledge.facts().aftermath().notes().len()), (pledge::Status::Refunded, 3));
        assert_eq!((drive.wallet("anna").await.as_str(), drive.now().await.status()), ("50.00 EUR", Status::Returned));
        shop.audit().await;
        shop.audit_calls().await;
    }
}
