//! Card payments that are charged back, before and after the release.

use super::{charged, decided, owed, tell, try_tell, wallet};
use crate::harness::{Shop, bank, euro, on_each_store, ops, party, terms, user, worker};
use escrowed::{
    escrow::{EscrowError, Reported},
    gateway::{Dispute, DisputeStage},
    lifecycle::Reason,
    money::{Money, Share},
    order::{Action, Command, OrderId, Payee, PayoutPlan, Status},
    payment::{
        Afterwards, AnyChargeback, AnyDebt, ChargebackId, DebtId, Destination, Method, PayinId, chargeback, debt, payin,
    },
    store::{Query, Store},
};
use std::time::Duration;

pub(super) const NONE: &str = "0.00";
const DAY: Duration = Duration::from_secs(86_400);

async fn payin_of<S: Store>(shop: &Shop<S>, id: OrderId) -> PayinId {
    shop.payin(id).await.id()
}

/// Sam was paid €90 there, the shop has its €10, and the order is over.
pub(super) async fn released<S: Store>(shop: &Shop<S>, to: Destination) -> (OrderId, PayinId) {
    let id = shop.planned(terms(), PayoutPlan::to(party("sam"), to)).await;
    shop.act(id, Command::Validate {}, ops()).await;
    shop.send().await;
    assert_eq!(shop.status(id).await, Status::Released);
    (id, payin_of(shop, id).await)
}

/// Everybody's wallet and what they owe.
pub(super) async fn stand<S: Store>(shop: &Shop<S>, names: &[&str]) -> Vec<(Money, Money)> {
    let mut stand = Vec::new();
    for name in names {
        stand.push((wallet(shop, name).await, owed(shop, name).await));
    }
    stand
}

pub(crate) async fn debts<S: Store>(shop: &Shop<S>, name: &str) -> Vec<AnyDebt> {
    let mut debts = Vec::new();
    for subject in shop.find(&Query::Party(party(name))).await {
        if let Ok(id) = DebtId::try_from(subject) {
            debts.push(shop.load(id).await);
        }
    }
    debts.retain(|debt: &AnyDebt| debt.facts().terms().debtor == party(name));
    debts
}

async fn chargebacks<S: Store>(shop: &Shop<S>, id: OrderId) -> Vec<AnyChargeback> {
    let mut found = Vec::new();
    for subject in shop.find(&Query::About(id.subject())).await {
        if let Ok(id) = ChargebackId::try_from(subject) {
            found.push(shop.load(id).await);
        }
    }
    found
}

async fn notes<S: Store>(shop: &Shop<S>, id: OrderId) -> usize {
    shop.order(id).await.facts().aftermath().notes().len()
}

/// The books are right, and say what the gateway says.
pub(super) async fn audit<S: Store>(shop: &Shop<S>) {
    shop.audit().await;
    shop.audit_calls().await;
}

pub(super) fn pair(wallet: &str, owed: &str) -> (Money, Money) {
    (euro(wallet), euro(owed))
}

on_each_store! {
    async fn before_the_release_it_takes_what_is_held_and_stops_the_order(shop) {
        let id = shop.paid(terms()).await;
        let dispute = charged(&shop, payin_of(&shop, id).await, "dp_1", euro("40.00"), euro(NONE));
        assert_eq!(tell(&shop, &dispute).await, Reported::Taken);
        let order = shop.order(id).await;
        assert_eq!((order.status(), order.held()), (Status::BlockedRelease, euro("60.00")));
        assert_eq!(stand(&shop, &["sam", "shop", "anna"]).await, vec![pair(NONE, NONE); 3]);
        assert_eq!(shop.balance("world:sandbox").await, euro("-60.00"));
        // Until the dispute is decided nobody knows what there will be.
        for command in [Command::Unblock {}, Command::Cancel {}, Command::Close {}] {
            let refused = shop.try_act(id, command, ops()).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::Underway(_)))), "{refused:?}");
        }
        audit(&shop).await;

        assert_eq!(tell(&shop, &decided(&shop, &dispute, true)).await, Reported::Taken);
        assert_eq!((shop.order(id).await.held(), notes(&shop, id).await), (euro("100.00"), 2));
        shop.act(id, Command::Unblock {}, ops()).await;
        let plan = PayoutPlan::to(party("sam"), Destination::Wallet);
        shop.act(id, Command::Accept { payout: Some(plan) }, user("sam")).await;
        shop.act(id, Command::Validate {}, ops()).await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair("90.00", NONE), pair("10.00", NONE)]);
        audit(&shop).await;
    }

    async fn what_is_left_of_a_lost_dispute_is_released(shop) {
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), Destination::Wallet)).await;
        let dispute = charged(&shop, payin_of(&shop, id).await, "dp_1", euro("40.00"), euro(NONE));
        tell(&shop, &dispute).await;
        tell(&shop, &decided(&shop, &dispute, false)).await;
        assert_eq!(shop.act(id, Command::Unblock {}, ops()).await.status(), Status::PendingValidate);
        shop.act(id, Command::Validate {}, ops()).await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair("50.00", NONE), pair("10.00", NONE)]);
        audit(&shop).await;
    }

    async fn what_is_left_of_a_lost_dispute_goes_back(shop) {
        let id = shop.paid(terms()).await;
        let dispute = charged(&shop, payin_of(&shop, id).await, "dp_1", euro("40.00"), euro(NONE));
        tell(&shop, &dispute).await;
        tell(&shop, &decided(&shop, &dispute, false)).await;
        assert_eq!(shop.act(id, Command::Cancel {}, ops()).await.status(), Status::Cancelled);
        shop.send().await;
        assert_eq!(shop.refunds(id).await[0].facts().amount, euro("60.00"));
        assert_eq!(shop.balance("world:sandbox").await, euro(NONE));
        audit(&shop).await;
    }

    async fn an_order_that_has_nothing_left_is_closed(shop) {
        let id = shop.paid(terms()).await;
        let dispute = charged(&shop, payin_of(&shop, id).await, "dp_1", euro("100.00"), euro(NONE));
        tell(&shop, &dispute).await;
        assert_eq!((shop.status(id).await, shop.order(id).await.held()), (Status::BlockedRelease, euro(NONE)));
        // The platform gives up; what holds is the gateway's word.
        let id_of = chargebacks(&shop, id).await[0].id();
        // An answer that got lost is asked for again, under the same key.
        for _ in 0..2 {
            let by = ops().under("give-up".parse().unwrap());
            let mut unit = shop.begin().await;
            let accepted = shop.escrow.accept_chargeback(&mut unit, id_of, by).await.unwrap();
            assert_eq!(accepted.status(), chargeback::Status::Accepted);
            shop.commit(unit).await;
        }
        assert!(shop.try_act(id, Command::Close {}, ops()).await.is_err());
        assert_eq!(tell(&shop, &dispute).await, Reported::Repeated);
        assert_eq!(tell(&shop, &decided(&shop, &dispute, false)).await, Reported::Taken);
        let unblocked = shop.try_act(id, Command::Unblock {}, ops()).await;
        assert!(matches!(unblocked, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{unblocked:?}");
        assert_eq!(shop.act(id, Command::Close {}, ops()).await.status(), Status::Cancelled);
        audit(&shop).await;
    }

    async fn after_the_release_each_payee_gives_its_share_out_of_its_wallet(shop) {
        let payee = |name: &str, share| Payee { party: party(name), share, to: Destination::Wallet };
        let plan = PayoutPlan::among([payee("sam", Share::Fixed(euro("60.00"))), payee("tom", Share::Rest)]);
        let id = shop.planned(terms(), plan).await;
        shop.act(id, Command::Validate {}, ops()).await;
        let dispute = charged(&shop, payin_of(&shop, id).await, "dp_1", euro("50.01"), euro(NONE));
        tell(&shop, &dispute).await;
        // To the last cent.
        let left = [pair("29.99", NONE), pair("15.00", NONE), pair("5.00", NONE)];
        assert_eq!(stand(&shop, &["sam", "tom", "shop"]).await, left);
        assert_eq!((shop.status(id).await, notes(&shop, id).await), (Status::Released, 1));
        // A second one goes by what each still has of it.
        let second = charged(&shop, payin_of(&shop, id).await, "dp_2", euro("49.99"), euro(NONE));
        tell(&shop, &second).await;
        assert_eq!(stand(&shop, &["sam", "tom", "shop"]).await, vec![pair(NONE, NONE); 3]);
        audit(&shop).await;
        for dispute in [&second, &dispute] {
            tell(&shop, &decided(&shop, dispute, true)).await;
        }
        let back = [pair("60.00", NONE), pair("30.00", NONE), pair("10.00", NONE)];
        assert_eq!(stand(&shop, &["sam", "tom", "shop"]).await, back);
        audit(&shop).await;
    }

    async fn what_is_no_longer_there_is_owed(shop) {
        let (id, payin) = released(&shop, bank("ba_sam")).await;
        let dispute = charged(&shop, payin, "dp_1", euro("50.00"), euro("15.00"));
        tell(&shop, &dispute).await;
        // Sam has nothing here; the shop's €10 pay its share of €5, and €5 of the gateway's fee.
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair(NONE, "-45.00"), pair(NONE, "-10.00")]);
        let Some(AnyDebt::Open(debt)) = debts(&shop, "sam").await.pop() else { panic!("sam owes something") };
        let terms = debt.facts().terms();
        assert_eq!((terms.about(), terms.amount, &terms.creditor), (id.subject(), euro("45.00"), &party("shop")));
        assert_eq!((shop.status(id).await, notes(&shop, id).await), (Status::Released, 1));
        let open = Query::status("debt".parse().unwrap(), "OPEN");
        assert_eq!(shop.find(&open).await.len(), 2);
        audit(&shop).await;

        // The fee stays gone.
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair(NONE, NONE), pair("5.00", "-10.00")]);
        assert_eq!(debts(&shop, "sam").await[0].status(), debt::Status::Paid);
        audit(&shop).await;
    }

    async fn what_was_paid_off_of_a_debt_comes_back_when_the_dispute_is_won(shop) {
        let (_, payin) = released(&shop, bank("ba_sam")).await;
        let dispute = charged(&shop, payin, "dp_1", euro("100.00"), euro(NONE));
        tell(&shop, &dispute).await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair(NONE, "-90.00"), pair(NONE, NONE)]);
        shop.fill_wallet("sam", euro("20.00")).await;
        shop.escrow.clock().advance(DAY);
        shop.escrow.run_due(&worker(), 10).await.unwrap();
        assert_eq!(stand(&shop, &["sam"]).await, [pair(NONE, "-70.00")]);
        audit(&shop).await;
        tell(&shop, &decided(&shop, &dispute, true)).await;
        // The debt first, then what sam had paid of it.
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair("20.00", NONE), pair("10.00", NONE)]);
        audit(&shop).await;
    }

    async fn what_was_written_off_comes_back_to_the_platform(shop) {
        let (_, payin) = released(&shop, bank("ba_sam")).await;
        shop.fill_wallet("shop", euro("100.00")).await;
        let dispute = charged(&shop, payin, "dp_1", euro("100.00"), euro(NONE));
        tell(&shop, &dispute).await;
        let debt = debts(&shop, "sam").await[0].id();
        let mut unit = shop.begin().await;
        shop.escrow.act_on_debt(&mut unit, debt, debt::Command::WriteOff {}, ops()).await.unwrap();
        shop.commit(unit).await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair(NONE, NONE), pair("10.00", NONE)]);
        tell(&shop, &decided(&shop, &dispute, true)).await;
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair(NONE, NONE), pair("110.00", NONE)]);
        audit(&shop).await;
    }

    async fn what_had_gone_back_to_the_payer_is_owed_by_the_payer(shop) {
        let id = shop.paid(terms()).await;
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        let payin = payin_of(&shop, id).await;
        assert_eq!(shop.load(payin).await.status(), payin::Status::Refunded);
        // A gateway may take it twice all the same.
        let dispute = charged(&shop, payin, "dp_1", euro("100.00"), euro(NONE));
        tell(&shop, &dispute).await;
        assert_eq!(stand(&shop, &["anna", "sam"]).await, [pair(NONE, "-100.00"), pair(NONE, NONE)]);
        assert_eq!((shop.status(id).await, notes(&shop, id).await), (Status::Cancelled, 1));
        audit(&shop).await;
    }

    async fn the_same_notice_twice_late_or_out_of_order_is_one_chargeback(shop) {
        let (id, payin) = released(&shop, Destination::Wallet).await;
        let open = charged(&shop, payin, "dp_1", euro("50.00"), euro(NONE));
        let won = decided(&shop, &open, true);
        // The end first: it tells all.
        assert_eq!(tell(&shop, &won).await, Reported::Taken);
        assert_eq!(stand(&shop, &["sam", "shop"]).await, [pair("90.00", NONE), pair("10.00", NONE)]);
        for (dispute, what) in [(&open, Reported::Late), (&won, Reported::Repeated), (&open, Reported::Late)] {
            assert_eq!(tell(&shop, dispute).await, what);
        }
        let lost = Dispute { stage: DisputeStage::Lost, ..open.clone() };
        let dearer = Dispute { amount: euro("51.00"), ..open.clone() };
        let with_fee = Dispute { fee: euro("1.00"), ..open.clone() };
        for lie in [lost, dearer, with_fee] {
            assert!(matches!(try_tell(&shop, &lie).await, Err(EscrowError::Disputed { .. })));
        }
        assert_eq!((chargebacks(&shop, id).await.len(), notes(&shop, id).await), (1, 2));
        audit(&shop).await;
    }

    async fn it_comes_in_parts_and_none_takes_more_than_was_paid(shop) {
        let (_, payin) = released(&shop, Destination::Wallet).await;
        for (reference, amount) in [("dp_1", "60.00"), ("dp_2", "40.00")] {
            tell(&shop, &charged(&shop, payin, reference, euro(amount), euro(NONE))).await;
        }
        let more = |amount: &str| Dispute {
            payin: payin.subject(),
            reference: "dp_3".parse().unwrap(),
            amount: euro(amount),
            fee: euro(NONE),
            reason: "fraudulent".parse().unwrap(),
            stage: DisputeStage::Open,
        };
        let refused = try_tell(&shop, &more("100.01")).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::TooMuch { .. }))), "{refused:?}");
        for amount in ["0.00", "-1.00"] {
            assert!(try_tell(&shop, &more(amount)).await.is_err());
        }
        let nobodys = Dispute { payin: PayinId::generate(shop.now()).subject(), ..more("1.00") };
        assert!(matches!(try_tell(&shop, &nobodys).await, Err(EscrowError::Unknown(_))));
        audit(&shop).await;
    }

    async fn a_wallet_charges_nothing_back(shop) {
        shop.fill_wallet("anna", euro("100.00")).await;
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Wallet }, user("anna")).await;
        let dispute = Dispute {
            payin: payin_of(&shop, id).await.subject(),
            reference: "dp_1".parse().unwrap(),
            amount: euro("100.00"),
            fee: euro(NONE),
            reason: "fraudulent".parse().unwrap(),
            stage: DisputeStage::Open,
        };
        let refused = try_tell(&shop, &dispute).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{refused:?}");
        assert_eq!(shop.status(id).await, Status::Published);
        audit(&shop).await;
    }

    async fn while_the_payouts_are_out_the_payees_owe_it(shop) {
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
        shop.act(id, Command::Validate {}, ops()).await;
        let dispute = charged(&shop, payin_of(&shop, id).await, "dp_1", euro("100.00"), euro(NONE));
        tell(&shop, &dispute).await;
        assert_eq!((shop.status(id).await, owed(&shop, "sam").await), (Status::PendingRelease, euro("-90.00")));
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Released);
        audit(&shop).await;
    }

    async fn what_stops_an_order_is_the_gateways_alone(shop) {
        let id = shop.paid(terms()).await;
        let order = shop.order(id).await;
        for by in [user("anna"), user("sam"), ops()] {
            let at = shop.escrow.stamp(by);
            for action in [Action::ChargeBack, Action::ChargeBackAll, Action::NoteAfter] {
                assert!(order.may(action, &at).is_err());
            }
        }
        // Nobody but the platform gives up a dispute.
        let dispute = charged(&shop, payin_of(&shop, id).await, "dp_1", euro("1.00"), euro(NONE));
        tell(&shop, &dispute).await;
        let chargeback = chargebacks(&shop, id).await[0].id();
        let mut unit = shop.begin().await;
        let refused = shop.escrow.accept_chargeback(&mut unit, chargeback, user("anna")).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::WrongActor { .. }))));
        drop(unit);
        assert_eq!(shop.load(chargeback).await.status(), chargeback::Status::Open);
        assert!(matches!(shop.order(id).await.facts().aftermath().notes(), [Afterwards::ChargedBack { .. }]));
    }
}
