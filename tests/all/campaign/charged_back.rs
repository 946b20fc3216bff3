//! Pledges whose card payment is charged back: one backer's bank stops nobody else's campaign.

use super::*;
use crate::{
    after::{charged, decided, owed, tell},
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
        assert_eq!(owed(&shop, "platform").await, euro("-15.00"));
        shop.audit().await;
        shop.verify().await;

        shop.act(drive.id, Command::Validate {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.load(drive.id).await.status(), Status::Released);

        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!(owed(&shop, "anna").await, euro("0.00"));
        assert_eq!(owed(&shop, "platform").await, euro("-15.00"));
        shop.audit().await;
        shop.verify().await;
    }
}
