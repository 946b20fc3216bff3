//! Another amount moves than was asked: it is not booked as paid, it goes back, and the order is paid again.

use super::*;
use crate::{
    harness::Problem,
    reconciliation::{reconciled, settled},
};
use escrowed::{
    id::Subject,
    lifecycle::{Flaw, replay},
    money::Money,
    party::Actor,
    payment::PayinId,
    statement::Span,
    store::UnitOfWork,
};

async fn by<S: Store>(
    shop: &Shop<S>,
    id: PayinId,
    command: payin::Command<'_>,
    who: Actor,
) -> Result<AnyPayin, Problem<S>> {
    let mut unit = shop.begin().await;
    let payin = shop.escrow.act_on_payin(&mut unit, id, command, who).await?;
    shop.commit(unit).await;
    Ok(payin)
}

fn cancel() -> payin::Command<'static> {
    payin::Command::Cancel {}
}

/// Sends what is due, of which one call is parked and nothing is booked.
async fn one_is_parked<S: Store>(shop: &Shop<S>) {
    let before = shop.balance("world:sandbox").await;
    assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().parked, 1);
    assert_eq!(shop.balance("world:sandbox").await, before);
}

/// The operator has asked the gateway.
async fn requeue<S: Store>(shop: &Shop<S>, subject: Subject, verb: Verb) {
    let mut unit = shop.begin().await;
    shop.escrow.requeue(&mut unit, &key(subject, verb)).await.unwrap();
    shop.commit(unit).await;
}

/// A bank wire of so much, for an order of €100.
async fn wired<S: Store>(shop: &Shop<S>, amount: Money) -> (OrderId, PayinId) {
    shop.gateway().script(Verb::Charge, [Behaviour::WrongAmount(amount)]);
    let id = shop.open(terms()).await;
    let by = Method::BankWire { refund_to: "ba_anna".parse().unwrap() };
    shop.act(id, Command::Pay { by }, user("anna")).await;
    one_is_parked(shop).await;
    (id, shop.payin(id).await.id())
}

/// €100 reserved for an order, of which so much was captured.
async fn captured<S: Store>(shop: &Shop<S>, amount: Money) -> (OrderId, PayinId) {
    let id = shop.open(terms()).await;
    reserve(shop, id).await;
    shop.gateway().script(Verb::Capture, [Behaviour::WrongAmount(amount)]);
    on_payin(shop, id, payin::Command::Capture {}).await;
    one_is_parked(shop).await;
    (id, shop.payin(id).await.id())
}

/// That all that moved went back, everybody says the same of it, and the order is paid by another payin.
async fn went_back<S: Store>(shop: &Shop<S>, id: OrderId, payin: PayinId, amount: Money) {
    let refunds = shop.refunds(id).await;
    let refunded: Vec<_> = refunds.iter().map(|refund| (refund.status(), refund.facts().amount)).collect();
    assert_eq!(refunded, [(refund::Status::Confirmed, amount)]);
    assert_eq!(refunds[0].facts().payin, payin);
    assert_eq!(shop.load(payin).await.status(), payin::Status::Cancelled);
    assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
    shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
    shop.send().await;
    assert_eq!(shop.status(id).await, Status::Published);
    let found = reconciled(shop, Span::ALL, settled(shop)).await;
    assert!(found.is_clean(), "{found:?}");
    shop.audit().await;
    shop.audit_calls().await;
}

on_each_store! {
    async fn a_wire_of_another_amount_goes_back_once_the_payin_is_called_off(shop) {
        for amount in ["99.00", "101.00", "0.01"] {
            let (id, payin) = wired(&shop, euro(amount)).await;
            by(&shop, payin, cancel(), ops()).await.unwrap();
            requeue(&shop, payin.subject(), Verb::Charge).await;
            shop.send().await;
            went_back(&shop, id, payin, euro(amount)).await;
            shop.act(id, Command::Cancel {}, ops()).await;
            shop.send().await;
        }
    }

    async fn nothing_goes_back_of_what_did_not_move_or_is_of_another_currency(shop) {
        let (_, payin) = wired(&shop, euro("99.00")).await;
        by(&shop, payin, cancel(), ops()).await.unwrap();
        for moved in ["0.00 EUR", "-99.00 EUR", "100.00 USD", "9900 JPY"] {
            let outcome = Outcome::Settled { moved: moved.parse().unwrap() };
            let wrong = shop.try_report(&Report { key: key(payin.subject(), Verb::Charge), outcome }).await;
            let refused = matches!(wrong, Err(EscrowError::Refused(Reason::WrongAmount { .. } | Reason::Money(_))));
            assert!(refused, "{moved}: {wrong:?}");
        }
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
        shop.verify().await;
    }

    async fn what_was_captured_of_a_reservation_goes_back_when_the_platform_calls_it_off(shop) {
        for amount in ["90.00", "110.00"] {
            let (id, payin) = captured(&shop, euro(amount)).await;
            shop.verify().await;
            let refused = by(&shop, payin, cancel(), user("anna")).await;
            assert!(
                matches!(&refused, Err(EscrowError::Refused(Reason::WrongActor { roles, .. })) if *roles == ["platform"]),
                "{refused:?}"
            );
            by(&shop, payin, cancel(), ops()).await.unwrap();
            assert_eq!(shop.refunds(id).await.len(), 1, "by itself");
            shop.send().await;
            went_back(&shop, id, payin, euro(amount)).await;
            shop.act(id, Command::Cancel {}, ops()).await;
            shop.send().await;
        }
    }

    async fn what_was_captured_for_an_order_that_is_called_off_goes_back_by_itself(shop) {
        let (id, payin) = captured(&shop, euro("90.00")).await;
        shop.act(id, Command::Cancel {}, user("anna")).await;
        shop.send().await;
        assert_eq!(shop.load(payin).await.status(), payin::Status::Cancelled);
        let refunds = shop.refunds(id).await;
        assert_eq!((refunds.len(), refunds[0].facts().amount), (1, euro("90.00")));
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn a_capture_that_is_under_way_is_nobodys_to_call_off(shop) {
        let id = shop.open(terms()).await;
        reserve(&shop, id).await;
        on_payin(&shop, id, payin::Command::Capture {}).await;
        let payin = shop.payin(id).await;
        assert!(!payin.actions(&shop.escrow.stamp(ops())).any(|action| action == payin::Action::Cancel));
        let refused = by(&shop, payin.id(), cancel(), ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::Underway(_)))), "{refused:?}");
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Published);
    }

    async fn a_gateway_that_corrects_itself_is_believed_until_it_is_called_off(shop) {
        let (id, payin) = captured(&shop, euro("90.00")).await;
        let settled = |amount| Outcome::Settled { moved: euro(amount) };
        let capture = key(payin.subject(), Verb::Capture);
        assert_eq!(shop.report(capture, settled("100.00")).await, Reported::Taken);
        assert_eq!(shop.status(id).await, Status::Published);
        assert_eq!(shop.balance("world:sandbox").await, euro("-100.00"));
        shop.verify().await;

        let (id, payin) = captured(&shop, euro("90.00")).await;
        let declined = Outcome::Declined { reason: "nothing was captured".parse().unwrap() };
        assert_eq!(shop.report(key(payin.subject(), Verb::Capture), declined).await, Reported::Taken);
        assert_eq!(shop.status(id).await, Status::Failure);
        shop.verify().await;

        let (_, payin) = captured(&shop, euro("90.00")).await;
        by(&shop, payin, cancel(), ops()).await.unwrap();
        let late = shop.try_report(&Report { key: key(payin.subject(), Verb::Capture), outcome: settled("100.00") }).await;
        assert!(matches!(late, Err(EscrowError::Contradiction { .. })), "{late:?}");
        shop.verify().await;
    }

    async fn no_log_says_that_a_capture_under_way_was_called_off(shop) {
        let (_, payin) = captured(&shop, euro("90.00")).await;
        by(&shop, payin, cancel(), ops()).await.unwrap();
        let log = shop.begin().await.log(payin.subject()).await.unwrap().expect("its log");
        let called_off = log.records.iter().position(|record| record.name == "cancel").expect("it was called off");
        let spoiled = |by: Actor, skipped: usize| {
            let mut log = log.clone();
            log.records[called_off].stamp.by = by;
            log.records.drain(called_off - skipped..called_off);
            for (seq, record) in (1..).zip(&mut log.records) {
                record.seq = seq;
            }
            replay::<AnyPayin>(&log).map(|payin| payin.status()).unwrap_err().flaw
        };
        assert!(matches!(spoiled(user("anna"), 0), Flaw::Illegal(Reason::WrongActor { .. })));
        assert!(matches!(spoiled(ops(), 1), Flaw::Illegal(Reason::Underway(_))));
    }

    async fn a_reservation_of_another_amount_is_let_go(shop) {
        let id = shop.open(terms()).await;
        shop.gateway().script(Verb::Charge, [Behaviour::WrongAmount(euro("90.00"))]);
        reserve(&shop, id).await;
        let payin = shop.payin(id).await;
        assert_eq!(payin.status(), payin::Status::Created);
        by(&shop, payin.id(), cancel(), ops()).await.unwrap();
        requeue(&shop, payin.id().subject(), Verb::Charge).await;
        shop.send().await;
        assert_eq!(shop.gateway().reserved(payin.id().subject()), None);
        assert!(shop.refunds(id).await.is_empty());
        shop.audit().await;
        shop.audit_calls().await;
    }
}
