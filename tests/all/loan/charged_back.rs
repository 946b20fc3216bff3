//! Repayments that are charged back: the loan stands as it does, its borrower owes the money to the loan's own platform.

use super::*;
use crate::{
    after::{charged, decided, owed, tell, wallet},
    harness::{bank, on_each_store, ops},
};
use escrowed::payment::{AnyDebt, DebtId, debt};

on_each_store! {
    async fn the_platform_of_its_terms_bears_the_fee_and_is_owed_the_rest(shop) {
        let to_bank = with(|terms| terms.payout = Some(bank("ba_bea")));
        let (drive, _) = Drive::funded(&shop, to_bank, &[("anna", "10000.00")]).await;
        drive.act(bea(), Command::Validate {}).await;
        shop.send().await;
        drive.repay("1000.00").await;
        let payin = shop.payins(drive.id).await.pop().unwrap().id();
        let dispute = charged(&shop, payin, "dp_1", euro("1000.00"), euro("15.00"));
        tell(&shop, &dispute).await;
        assert_eq!((owed(&shop, "bea").await, owed(&shop, "shop").await), (euro("-1000.00"), euro("-15.00")));
        // Nobody is called by that name here.
        assert_eq!(owed(&shop, "platform").await, euro("0.00"));

        let mut debts = Vec::new();
        for id in shop.find(&Query::Party(party("bea"))).await.into_iter().filter_map(|id| DebtId::try_from(id).ok()) {
            debts.push(shop.load(id).await);
        }
        let [AnyDebt::Open(debt)] = &debts[..] else { panic!("bea owes one thing: {debts:?}") };
        assert_eq!(debt.facts().terms().creditor, party("shop"));
        // It is the shop's own money that stands for it.
        shop.fill_wallet("shop", euro("1200.00")).await;
        let mut unit = shop.begin().await;
        shop.escrow.act_on_debt(&mut unit, debt.id(), debt::Command::Cover {}, ops()).await.unwrap();
        shop.commit(unit).await;
        assert_eq!(wallet(&shop, "shop").await, euro("200.00"));

        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!((owed(&shop, "bea").await, wallet(&shop, "shop").await), (euro("0.00"), euro("1200.00")));
        assert_eq!(drive.status().await, Status::Repaying);
        shop.audit().await;
        shop.verify().await;
    }
}
