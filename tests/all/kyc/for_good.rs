//! What the platform denied for good: what becomes of its money is for the platform alone.

use super::*;
use crate::harness::user;
use escrowed::{
    lifecycle::{Flaw, replay},
    movement::{Frame, Plan},
    party::Actor,
};

async fn by<S: Store>(
    shop: &Shop<S>,
    id: PayoutId,
    command: payout::Command,
    who: Actor,
) -> Result<AnyPayout, Problem<S>> {
    let mut unit = shop.begin().await;
    let payout = shop.escrow.act_on_payout(&mut unit, id, command, who).await?;
    shop.commit(unit).await;
    Ok(payout)
}

fn to(to: Destination) -> payout::Command {
    payout::Command::Replace { to }
}

async fn offered<S: Store>(shop: &Shop<S>, id: PayoutId, who: Actor) -> Vec<payout::Action> {
    let payout: AnyPayout = shop.load(id).await;
    payout.actions(&shop.escrow.stamp(who)).collect()
}

on_each_store! {
    async fn its_payee_does_not_have_it_by_another_way(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        let (id, payout) = released(&shop).await;
        shop.send().await;
        on_payout(&shop, payout, for_good()).await.unwrap();
        for way in [Destination::Wallet, bank("ba_other")] {
            let refused = by(&shop, payout, to(way), user("sam")).await;
            assert!(
                matches!(&refused, Err(EscrowError::Refused(Reason::WrongActor { roles, .. })) if *roles == ["platform"]),
                "{refused:?}"
            );
        }
        assert_eq!(offered(&shop, payout, user("sam")).await, []);
        assert_eq!(offered(&shop, payout, ops()).await, [payout::Action::Replace, payout::Action::GiveBack]);

        // What the platform meant to do is still possible.
        by(&shop, payout, payout::Command::GiveBack {}, ops()).await.unwrap();
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.balance("wallet:sam").await, euro("0.00"));
        assert_eq!(shop.refunds(id).await[0].facts().amount, euro("90.00"));
        shop.audit().await;
        shop.audit_calls().await;
        shop.verify().await;
    }

    async fn the_platform_moves_it_out_of_the_payees_wallet_to_who_is_to_have_it(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        let (_, payout) = released(&shop).await;
        shop.send().await;
        on_payout(&shop, payout, for_good()).await.unwrap();
        let until = shop.now().plus(Duration::from_secs(60));
        let frame = Frame::new("back".parse().unwrap(), until, party("shop"), "sandbox".parse().unwrap());
        let back = Plan::wallet_to_wallet(frame, party("sam"), party("anna"), euro("90.00"));
        let mut unit = shop.begin().await;
        shop.escrow.act_on_payout(&mut unit, payout, to(Destination::Wallet), ops()).await.unwrap();
        shop.escrow.move_money(&mut unit, back, ops()).await.unwrap();
        shop.commit(unit).await;
        assert_eq!((shop.balance("wallet:sam").await, shop.balance("wallet:anna").await), (euro("0.00"), euro("90.00")));
        shop.audit().await;
        shop.verify().await;
    }

    async fn no_log_says_that_its_payee_had_it(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        let (_, payout) = released(&shop).await;
        shop.send().await;
        on_payout(&shop, payout, for_good()).await.unwrap();
        by(&shop, payout, to(bank("ba_other")), ops()).await.unwrap();
        let mut log = shop.begin().await.log(payout.subject()).await.unwrap().expect("its log");
        let sent_on = log.records.last_mut().expect("it was sent on");
        assert_eq!(sent_on.name, "replace");
        sent_on.stamp.by = user("sam");
        let corrupt = replay::<AnyPayout>(&log).unwrap_err();
        assert!(matches!(corrupt.flaw, Flaw::Illegal(Reason::WrongActor { .. })), "{corrupt}");
    }

    async fn what_a_bank_declined_is_still_its_payees_to_send_elsewhere(shop) {
        let office = Office::holding(&["sam"]);
        let shop = with(shop, &office);
        shop.gateway().script(Verb::Payout, [Behaviour::Decline { reason: "no such account".parse().unwrap() }]);
        let (id, payout) = released(&shop).await;
        shop.send().await;
        is_held(&shop, payout, "no papers yet").await;
        office.allow("sam");
        kyc_changed(&shop, "sam").await;
        shop.send().await;
        assert_eq!(offered(&shop, payout, user("sam")).await, [payout::Action::Replace]);
        by(&shop, payout, to(Destination::Wallet), user("sam")).await.unwrap();
        shop.act(id, Command::Unblock {}, ops()).await;
        assert_eq!((shop.status(id).await, shop.balance("wallet:sam").await), (Status::Released, euro("90.00")));
        shop.audit().await;
        shop.verify().await;
    }
}
