//! Pledges whose card payment is charged back, and that go back after all: nobody is paid twice.

use super::*;
use crate::{
    after::{charged, debts, decided, owed, tell, write_off},
    harness::{on_each_store, ops},
};
use escrowed::{
    gateway::Dispute,
    money::{Currency, Money},
    payment::{AnyDebt, Route, debt},
};

/// A pledge of €50.00, gathered or not yet, of which the backer's bank takes so much back.
async fn charged_pledge<S: Store>(
    drive: &Drive<'_, S>,
    name: &str,
    amount: &str,
    gathered: bool,
) -> (PledgeId, Dispute) {
    let pledge = drive.pays(name, "50.00").await;
    drive.shop.send().await;
    if gathered {
        drive.wait(SLOT);
        drive.clock().await;
    }
    assert_eq!(drive.status(pledge).await == pledge::Status::Gathered, gathered);
    let payin = drive.payin(pledge).await.id();
    let dispute = charged(drive.shop, payin, &format!("dp_{name}"), euro(amount), euro("0.00"));
    tell(drive.shop, &dispute).await;
    assert_eq!(owed(drive.shop, name).await, euro(amount).checked_neg().unwrap());
    (pledge, dispute)
}

/// How much of these refunds went back to a card, and how much into a wallet, in minor units. All of them arrived.
pub(crate) fn ways_back(refunds: &[AnyRefund]) -> [i64; 2] {
    assert!(refunds.iter().all(|refund| refund.status() == refund::Status::Confirmed), "{refunds:?}");
    [Route::Original, Route::Wallet].map(|route| {
        let that_way = refunds.iter().filter(|refund| refund.facts().route == route);
        that_way.map(|refund| refund.facts().amount.minor()).sum()
    })
}

async fn back<S: Store>(drive: &Drive<'_, S>, pledge: PledgeId) -> [i64; 2] {
    ways_back(&drive.refunds(pledge).await)
}

on_each_store! {
    async fn nobody_withdraws_a_pledge_whose_dispute_is_open(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let (annas, lost) = charged_pledge(&drive, "anna", "50.00", true).await;
        let (bens, won) = charged_pledge(&drive, "ben", "50.00", false).await;
        for (pledge, backer) in [(annas, "anna"), (bens, "ben")] {
            for who in [user(backer), ops()] {
                assert!(matches!(reason(drive.withdraw(pledge, who).await), Reason::Underway(_)));
            }
        }
        tell(&shop, &decided(&shop, &lost, false)).await;
        assert_eq!(drive.withdraw(annas, user("anna")).await.unwrap().status(), pledge::Status::Refunded);
        // Her card had it back before, so it pays what she owes for that, at once.
        assert_eq!((owed(&shop, "anna").await, drive.wallet("anna").await), (euro("0.00"), "0.00 EUR".into()));
        tell(&shop, &decided(&shop, &won, true)).await;
        drive.withdraw(bens, user("ben")).await.unwrap();
        shop.send().await;
        assert_eq!([back(&drive, annas).await, back(&drive, bens).await], [[0, 5_000], [5_000, 0]]);
        assert_eq!((drive.outside().await, drive.wallet("ben").await), ("0.00 EUR".into(), "0.00 EUR".into()));
        assert_eq!((drive.raised().await, drive.in_escrow().await), ((0, "0.00 EUR".into()), "0.00 EUR".into()));
        shop.audit().await;
    }

    async fn what_was_charged_back_of_a_pledge_is_not_refunded_once_more(shop) {
        let mut kept = 0;
        let cases = (0..8).map(|nth| ([5_000, 2_000][nth % 2], nth % 4 < 2, nth < 4));
        for (nth, (amount, won, gathered)) in cases.enumerate() {
            let name = format!("backer{nth}");
            let drive = Drive::opened(&shop, terms()).await;
            let taken = Money::from_minor(amount, Currency::EUR);
            let (pledge, dispute) =
                charged_pledge(&drive, &name, &taken.to_decimal().to_string(), gathered).await;
            drive.act(olga(), Command::Cancel {}).await;
            drive.clock().await;
            shop.send().await;
            assert_eq!(drive.status(pledge).await, pledge::Status::Refunded);
            assert_eq!(back(&drive, pledge).await, [5_000 - amount, amount]);
            assert_eq!((owed(&shop, &name).await, drive.wallet(&name).await), (euro("0.00"), "0.00 EUR".into()));
            // Only then it is decided. What is won comes out of the backer's card again: so it is the backer's.
            tell(&shop, &decided(&shop, &dispute, won)).await;
            let has = if won { taken } else { euro("0.00") };
            assert_eq!((owed(&shop, &name).await, drive.wallet(&name).await), (euro("0.00"), has.to_string()));
            kept += has.minor();
            assert_eq!(drive.outside().await, Money::from_minor(kept, Currency::EUR).to_string());
        }
        shop.audit().await;
    }

    async fn a_missed_target_pays_what_a_backer_owes_for_a_chargeback(shop) {
        shop.fill_wallet("anna", euro("20.00")).await;
        let drive = Drive::opened(&shop, terms()).await;
        let pledge = drive.pays("anna", "50.00").await;
        shop.send().await;
        let payin = drive.payin(pledge).await.id();
        tell(&shop, &charged(&shop, payin, "dp_1", euro("50.00"), euro("0.00"))).await;
        assert_eq!((owed(&shop, "anna").await, drive.wallet("anna").await), (euro("-30.00"), "0.00 EUR".into()));
        drive.over().await;
        let drive = drive.expect(Status::Returned).await;
        assert_eq!(drive.status(pledge).await, pledge::Status::Refunded);
        // What her wallet had given for it is there again.
        assert_eq!((owed(&shop, "anna").await, drive.wallet("anna").await), (euro("0.00"), "20.00 EUR".into()));
        assert_eq!(drive.outside().await, "20.00 EUR");
        shop.audit().await;
    }

    async fn what_several_chargebacks_took_of_a_pledge_pays_what_is_owed_for_each(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let (pledge, lost) = charged_pledge(&drive, "anna", "20.00", true).await;
        tell(&shop, &decided(&shop, &lost, false)).await;
        let payin = drive.payin(pledge).await.id();
        for (reference, amount) in [("dp_2", "10.00"), ("dp_3", "5.00")] {
            tell(&shop, &charged(&shop, payin, reference, euro(amount), euro("0.00"))).await;
        }
        drive.over().await;
        assert_eq!(back(&drive, pledge).await, [1_500, 3_500]);
        assert_eq!((owed(&shop, "anna").await, drive.wallet("anna").await), (euro("0.00"), "0.00 EUR".into()));
        assert_eq!(drive.outside().await, "0.00 EUR");
        shop.audit().await;
    }

    async fn a_chargeback_that_was_won_before_changes_nothing_of_the_way_back(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let (pledge, dispute) = charged_pledge(&drive, "anna", "20.00", true).await;
        tell(&shop, &decided(&shop, &dispute, true)).await;
        drive.over().await;
        assert_eq!(back(&drive, pledge).await, [5_000, 0]);
        assert_eq!((drive.outside().await, drive.wallet("anna").await), ("0.00 EUR".into(), "0.00 EUR".into()));
        shop.audit().await;
    }

    async fn a_refund_that_a_chargeback_overtook_pays_what_the_backer_owes_for_it(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let pledge = drive.pays("anna", "50.00").await;
        shop.send().await;
        drive.act(olga(), Command::Cancel {}).await;
        drive.clock().await;
        // The refund is on its way to the gateway, which knows of the chargeback and declines.
        let payin = drive.payin(pledge).await.id();
        let dispute = charged(&shop, payin, "dp_1", euro("50.00"), euro("0.00"));
        shop.send().await;
        tell(&shop, &dispute).await;
        assert_eq!((drive.status(pledge).await, owed(&shop, "anna").await), (pledge::Status::Returned, euro("-50.00")));
        drive.replace(pledge, Route::Wallet).await;
        assert_eq!(drive.status(pledge).await, pledge::Status::Refunded);
        assert_eq!((owed(&shop, "anna").await, drive.wallet("anna").await), (euro("0.00"), "0.00 EUR".into()));
        assert_eq!(drive.outside().await, "0.00 EUR");
        shop.audit().await;
    }

    async fn what_was_written_off_of_a_pledge_is_recouped_as_it_goes_back(shop) {
        let (mut kept, mut shops) = (0, 0);
        let cases = (0..8).map(|nth| ([5_000, 2_000][nth % 2], nth % 4 < 2, nth < 4));
        for (nth, (amount, won, gathered)) in cases.enumerate() {
            let name = format!("backer{nth}");
            let drive = Drive::opened(&shop, terms()).await;
            let taken = Money::from_minor(amount, Currency::EUR);
            let (pledge, dispute) =
                charged_pledge(&drive, &name, &taken.to_decimal().to_string(), gathered).await;
            let debt = write_off(&shop, &name).await.remove(0);
            shops += 10_000;
            assert_eq!(shop.balance("wallet:shop").await.minor(), shops - amount);
            drive.act(olga(), Command::Cancel {}).await;
            drive.clock().await;
            shop.send().await;
            // The platform has lost nothing, and the backer has it once.
            assert_eq!((drive.status(pledge).await, back(&drive, pledge).await), (pledge::Status::Refunded, [5_000 - amount, amount]));
            assert_eq!((owed(&shop, &name).await, drive.wallet(&name).await), (euro("0.00"), "0.00 EUR".into()));
            assert_eq!(shop.balance("wallet:shop").await.minor(), shops);
            let AnyDebt::Paid(debt) = shop.load(debt).await else { panic!("all of it came") };
            assert_eq!((debt.facts().recouped(), debt.facts().recovered()), (taken, taken));
            // Only then it is decided. What is won comes out of the backer's card again: so it is the backer's.
            tell(&shop, &decided(&shop, &dispute, won)).await;
            let has = if won { taken } else { euro("0.00") };
            assert_eq!((owed(&shop, &name).await, drive.wallet(&name).await), (euro("0.00"), has.to_string()));
            kept += has.minor();
            assert_eq!(shop.balance("wallet:shop").await.minor(), shops);
            assert_eq!(drive.outside().await, Money::from_minor(kept + shops, Currency::EUR).to_string());
        }
        shop.audit().await;
    }

    async fn of_what_was_paid_covered_and_written_off_only_the_last_is_recouped(shop) {
        shop.fill_wallet("shop", euro("100.00")).await;
        shop.fill_wallet("anna", euro("10.00")).await;
        let drive = Drive::opened(&shop, terms()).await;
        let pledge = drive.pays("anna", "50.00").await;
        shop.send().await;
        tell(&shop, &charged(&shop, drive.payin(pledge).await.id(), "dp_1", euro("50.00"), euro("0.00"))).await;
        let id = debts(&shop, "anna").await[0].id();
        // €10.00 out of her wallet at once, €5.00 later on, covered, and €5.00 after that.
        let mut unit = shop.begin().await;
        for cover in [true, false] {
            shop.commit(unit).await;
            shop.fill_wallet("anna", euro("5.00")).await;
            unit = shop.begin().await;
            shop.escrow.recover(&mut unit, id, ops()).await.unwrap();
            if cover {
                shop.escrow.act_on_debt(&mut unit, id, debt::Command::Cover {}, ops()).await.unwrap();
                assert_eq!(shop.escrow.load(&mut unit, id).await.unwrap().held(), euro("35.00"));
            }
        }
        shop.escrow.act_on_debt(&mut unit, id, debt::Command::WriteOff {}, ops()).await.unwrap();
        shop.commit(unit).await;
        let AnyDebt::WrittenOff(debt) = shop.load(id).await else { panic!("it was written off") };
        assert_eq!((debt.state().lost(), drive.wallet("shop").await), (euro("30.00"), "70.00 EUR".into()));
        drive.over().await;
        assert_eq!((drive.wallet("anna").await, drive.wallet("shop").await), ("20.00 EUR".into(), "100.00 EUR".into()));
        let AnyDebt::Paid(debt) = shop.load(id).await else { panic!("all of it came") };
        assert_eq!((debt.facts().recouped(), debt.facts().recovered()), (euro("30.00"), euro("40.00")));
        shop.audit().await;
    }

    async fn of_several_pledges_each_brings_what_was_written_off_of_it(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let (first, _) = charged_pledge(&drive, "anna", "50.00", true).await;
        let written_off = write_off(&shop, "anna").await.remove(0);
        let (second, third) = (drive.pays("anna", "40.00").await, drive.pays("anna", "20.00").await);
        shop.send().await;
        let payin = drive.payin(second).await.id();
        tell(&shop, &charged(&shop, payin, "dp_2", euro("30.00"), euro("0.00"))).await;
        // This one brings nothing of what was written off of the first.
        assert_eq!(owed(&shop, "anna").await, euro("-30.00"));
        drive.withdraw(third, user("anna")).await.unwrap();
        assert_eq!(drive.wallet("shop").await, "50.00 EUR");
        drive.over().await;
        let ways = [back(&drive, first).await, back(&drive, second).await, back(&drive, third).await];
        assert_eq!(ways, [[0, 5_000], [1_000, 3_000], [2_000, 0]]);
        assert_eq!((owed(&shop, "anna").await, drive.wallet("anna").await), (euro("0.00"), "0.00 EUR".into()));
        assert_eq!((shop.load(written_off).await.status(), drive.wallet("shop").await), (debt::Status::Paid, "100.00 EUR".into()));
        assert_eq!(drive.outside().await, "100.00 EUR");
        shop.audit().await;
    }

    async fn what_was_won_before_the_pledge_goes_back_is_not_recouped(shop) {
        let drive = Drive::opened(&shop, terms()).await;
        let (pledge, dispute) = charged_pledge(&drive, "anna", "50.00", true).await;
        let debt = write_off(&shop, "anna").await.remove(0);
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!(drive.wallet("shop").await, "100.00 EUR");
        drive.over().await;
        assert_eq!(back(&drive, pledge).await, [5_000, 0]);
        assert_eq!((drive.wallet("anna").await, drive.wallet("shop").await), ("0.00 EUR".into(), "100.00 EUR".into()));
        assert_eq!(shop.load(debt).await.facts().recouped(), euro("0.00"));
        shop.audit().await;
    }
}
