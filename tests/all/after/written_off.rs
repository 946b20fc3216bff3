//! What was written off of what a payer owes for a chargeback, and comes in after all by a refund into the payer's wallet.

use super::{
    chargebacks::{debts, pair, stand},
    charged, decided,
    refunds_returned::{replace, send_back},
    tell, write_off,
};
use crate::harness::{Shop, account, euro, on_each_store, ops, terms, user};
use escrowed::{
    gateway::Dispute,
    ledger::Purpose,
    lifecycle::Reason,
    order::{Command, OrderId},
    party::{Actor, Stamp},
    payment::{AnyDebt, AnyRefund, Debt, DebtId, Refund, RefundId, Route, debt, refund},
    store::{Store, Views},
};

/// Anna paid €100, of which so much waits in refunds by hand; the rest went back to her card. Then her bank took all of it back.
async fn owes_it_all<S: Store>(shop: &Shop<S>, by_hand: &[&str]) -> (OrderId, Vec<RefundId>, Dispute) {
    let order = shop.paid(terms()).await;
    for amount in by_hand {
        shop.act(order, Command::RefundPart { amount: euro(amount) }, ops()).await;
    }
    let mut waiting = shop.refunds(order).await;
    waiting.sort_by_key(|refund| refund.facts().amount.minor());
    let waiting = waiting.iter().map(AnyRefund::id).collect();
    shop.act(order, Command::Cancel {}, ops()).await;
    shop.send().await;
    let dispute = charged(shop, shop.payin(order).await.id(), "dp_1", euro("100.00"), euro("0.00"));
    tell(shop, &dispute).await;
    assert_eq!(stand(shop, &["anna"]).await, [pair("0.00", "-100.00")]);
    (order, waiting, dispute)
}

async fn written_off<S: Store>(shop: &Shop<S>, id: DebtId) -> Debt<debt::WrittenOff> {
    match shop.load(id).await {
        AnyDebt::WrittenOff(debt) => debt,
        other => panic!("{other:?}"),
    }
}

async fn into_the_wallet<S: Store>(shop: &Shop<S>, id: RefundId) -> Refund<refund::Confirmed> {
    let AnyRefund::Replaced(refund) = replace(shop, id, Route::Wallet).await else { panic!("its money is gone") };
    match shop.load(refund.state().went().0).await {
        AnyRefund::Confirmed(refund) => refund,
        other => panic!("{other:?}"),
    }
}

async fn audit<S: Store>(shop: &Shop<S>) {
    shop.audit().await;
    shop.audit_calls().await;
}

on_each_store! {
    async fn no_more_is_recouped_than_came(shop) {
        let (_, waiting, dispute) = owes_it_all(&shop, &["20.00", "30.00"]).await;
        let id = write_off(&shop, "anna").await.remove(0);
        assert_eq!(stand(&shop, &["anna", "shop"]).await, [pair("0.00", "0.00"), pair("0.00", "0.00")]);
        for (refund, lost, recouped) in [(waiting[0], "80.00", "20.00"), (waiting[1], "50.00", "50.00")] {
            into_the_wallet(&shop, refund).await;
            let debt = written_off(&shop, id).await;
            assert_eq!((debt.state().lost(), debt.facts().recouped()), (euro(lost), euro(recouped)));
            assert_eq!(debt.facts().recovered(), euro(recouped));
            audit(&shop).await;
        }
        assert_eq!(stand(&shop, &["anna", "shop"]).await, [pair("0.00", "0.00"), pair("50.00", "0.00")]);
        // It is on the books of both.
        let mut unit = shop.begin().await;
        let debt = account(&format!("escrow:{id}"));
        for (name, gave) in [("wallet:anna", true), ("wallet:shop", false)] {
            let own = account(name);
            let entries = unit.entries(&own, 0, 100).await.unwrap();
            let recouped = entries.iter().filter(|entry| entry.purpose == Purpose::Recoup);
            let found: Vec<_> = recouped.map(|entry| (&entry.from, &entry.to, entry.amount)).collect();
            let (from, to) = if gave { (&own, &debt) } else { (&debt, &own) };
            assert_eq!(found, ["20.00", "30.00"].map(|amount| (from, to, euro(amount))));
        }
        drop(unit);
        // What is won is anna's as far as she paid it, and the platform's as far as it still bears it.
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!(stand(&shop, &["anna", "shop"]).await, [pair("50.00", "0.00"), pair("100.00", "0.00")]);
        audit(&shop).await;
    }

    async fn a_refund_that_the_bank_sends_back_brings_it(shop) {
        for (nth, won) in [false, true].into_iter().enumerate() {
            let order = shop.paid(terms()).await;
            shop.act(order, Command::Cancel {}, ops()).await;
            shop.send().await;
            let refund = shop.refunds(order).await.remove(0).id();
            let dispute = charged(&shop, shop.payin(order).await.id(), &format!("dp_{nth}"), euro("100.00"), euro("0.00"));
            tell(&shop, &dispute).await;
            let id = write_off(&shop, "anna").await.remove(0);
            send_back(&shop, refund).await;
            replace(&shop, refund, Route::Wallet).await;
            let AnyDebt::Paid(debt) = shop.load(id).await else { panic!("all of it came") };
            assert_eq!(debt.facts().recouped(), euro("100.00"));
            assert_eq!(debt.history().by_time().iter().map(|passage| passage.code).collect::<Vec<_>>(), [
                debt::Status::Open,
                debt::Status::WrittenOff,
                debt::Status::Paid,
            ]);
            tell(&shop, &decided(&shop, &dispute, won)).await;
            let anna = if won { "100.00" } else { "0.00" };
            assert_eq!(stand(&shop, &["anna"]).await, [pair(anna, "0.00")]);
            assert_eq!(stand(&shop, &["shop"]).await, [pair(["100.00", "200.00"][nth], "0.00")]);
            audit(&shop).await;
        }
    }

    async fn what_is_still_owed_is_paid_first(shop) {
        let (order, waiting, lost) = owes_it_all(&shop, &["40.00"]).await;
        // Of the same payment, once the first dispute was won: no more is taken than was paid.
        tell(&shop, &decided(&shop, &lost, true)).await;
        let payin = shop.payin(order).await.id();
        for (reference, amount) in [("dp_2", "30.00"), ("dp_3", "20.00")] {
            tell(&shop, &charged(&shop, payin, reference, euro(amount), euro("0.00"))).await;
            if reference == "dp_2" {
                write_off(&shop, "anna").await;
            }
        }
        into_the_wallet(&shop, waiting[0]).await;
        assert_eq!(stand(&shop, &["anna", "shop"]).await, [pair("0.00", "0.00"), pair("90.00", "0.00")]);
        let mut debts = debts(&shop, "anna").await;
        debts.retain(|debt| debt.facts().recouped().is_positive());
        let [AnyDebt::WrittenOff(debt)] = debts.as_slice() else { panic!("{debts:?}") };
        assert_eq!((debt.state().lost(), debt.facts().recouped()), (euro("10.00"), euro("20.00")));
        audit(&shop).await;
    }

    async fn it_takes_a_refund_of_the_debtors_that_went_into_the_wallet(shop) {
        let order = shop.paid(terms()).await;
        shop.act(order, Command::RefundPart { amount: euro("20.00") }, ops()).await;
        let by_hand = shop.refunds(order).await.remove(0).id();
        let into_wallet = into_the_wallet(&shop, by_hand).await;
        shop.act(order, Command::Cancel {}, ops()).await;
        shop.send().await;
        let to_card = shop.refunds(order).await.into_iter().find_map(|refund| match refund {
            AnyRefund::Confirmed(refund) if refund.facts().route == Route::Original => Some(refund),
            _ => None,
        });
        let payin = shop.payin(order).await.id();
        tell(&shop, &charged(&shop, payin, "dp_1", euro("100.00"), euro("0.00"))).await;
        // Her wallet had the €20.00, and gave them.
        let id = write_off(&shop, "anna").await.remove(0);
        assert_eq!(written_off(&shop, id).await.state().lost(), euro("80.00"));
        // What comes of another payment pays nothing of it.
        let other = shop.paid(terms()).await;
        shop.act(other, Command::RefundPart { amount: euro("20.00") }, ops()).await;
        let of_another = into_the_wallet(&shop, shop.refunds(other).await.remove(0).id()).await;
        assert_eq!(stand(&shop, &["anna", "shop"]).await, [pair("20.00", "0.00"), pair("20.00", "0.00")]);
        let by_itself = Stamp::gateway(shop.now());
        let tried = [
            (&of_another, "10.00"),
            (&to_card.unwrap(), "10.00"),
            (&into_wallet, "20.01"),
            (&into_wallet, "0.00"),
            (&into_wallet, "-1.00"),
        ];
        for (nth, (refund, amount)) in tried.into_iter().enumerate() {
            let debt = written_off(&shop, id).await;
            let refused = debt.recoup(euro(amount), refund, &by_itself).unwrap_err();
            let expected = match nth {
                0 => matches!(refused.reason, Reason::WrongSubject { .. }),
                1 => matches!(refused.reason, Reason::Missing { .. }),
                2 => matches!(refused.reason, Reason::TooMuch { available, .. } if available == euro("20.00")),
                _ => matches!(refused.reason, Reason::Money(_)),
            };
            assert!(expected, "{nth}: {refused:?}");
            assert_eq!(refused.value.state().lost(), euro("80.00"));
        }
        // Nobody recoups by hand.
        for by in [ops(), user("anna"), Actor::Clock] {
            let debt = shop.load(id).await;
            let command = debt::Command::Recoup { amount: euro("10.00"), of: &into_wallet };
            let refused = debt.handle(command, &Stamp::new(by, shop.now())).unwrap_err();
            assert!(matches!(refused.reason, Reason::WrongActor { .. }), "{refused:?}");
        }
        // Each refund counts once.
        let debt = written_off(&shop, id).await.recoup(euro("5.00"), &into_wallet, &by_itself).unwrap();
        let AnyDebt::WrittenOff(debt) = debt.value() else { panic!("some is lost") };
        assert_eq!((debt.state().lost(), debt.facts().recouped()), (euro("75.00"), euro("5.00")));
        let twice = written_off(&shop, id).await.recoup(euro("5.00"), &into_wallet, &by_itself).unwrap();
        let twice = twice.then(|debt| debt.handle(debt::Command::Recoup { amount: euro("5.00"), of: &into_wallet }, &by_itself));
        assert!(matches!(twice.unwrap_err().reason, Reason::Already { .. }));
        audit(&shop).await;
    }
}
