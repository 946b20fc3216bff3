//! Payments and their gateway: pending, late, lost, repeated and contradictory answers.

mod amounts;

use crate::harness::{Shop, euro, key, on_each_store, ops, party, terms, user, worker};
use escrowed::{
    escrow::{EscrowError, Reported},
    gateway::{Outcome, Report, Verb},
    lifecycle::{Reason, Transition},
    order::{AnyOrder, Command, OrderId, PayoutPlan, Status},
    party::Stamp,
    payment::{AnyPayin, Destination, Method, Route, payin, refund},
    sandbox::{Behaviour, Resolution},
    store::{CallStatus, Outbox, Query, Store},
};
use std::time::Duration;

/// Reserves an order's amount on anna's card.
async fn reserve<S: Store>(shop: &Shop<S>, id: OrderId) {
    let mut unit = shop.begin().await;
    let AnyOrder::PendingPublish(order) = shop.escrow.load(&mut unit, id).await.unwrap() else { panic!() };
    let at = shop.escrow.stamp(user("anna"));
    let reserved = order.reserve(&at).unwrap();
    shop.escrow.save(&mut unit, reserved, &at).await.unwrap();
    shop.commit(unit).await;
    shop.send().await;
}

async fn on_payin<S: Store>(shop: &Shop<S>, id: OrderId, command: payin::Command<'_>) -> AnyPayin {
    let payin = shop.payin(id).await.id();
    let mut unit = shop.begin().await;
    let payin = shop.escrow.act_on_payin(&mut unit, payin, command, ops()).await.unwrap();
    shop.commit(unit).await;
    payin
}

on_each_store! {
    async fn a_pending_payin_tells_where_to_pay_and_settles_by_webhook(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        let AnyPayin::Created(payin) = shop.payin(id).await else { panic!() };
        assert!(payin.state().direct_link().is_some());
        assert_eq!(shop.status(id).await, Status::PendingPublish);
        shop.gateway().resolve(&key(payin.id().subject(), Verb::Charge), Resolution::Settle).unwrap();
        for report in shop.gateway().reports() {
            assert_eq!(shop.try_report(&report).await.unwrap(), Reported::Taken);
        }
        assert_eq!(shop.status(id).await, Status::Published);
        shop.audit().await;
    }

    async fn a_lost_webhook_is_looked_up(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        let call = shop.gateway().pending().remove(0);
        shop.gateway().resolve(&call, Resolution::Settle).unwrap();
        assert_eq!(shop.gateway().reports().len(), 1, "and it is lost");
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::PendingPublish);
        shop.escrow.clock().advance(Duration::from_secs(3601));
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Published);
        assert_eq!(shop.gateway().effects(&call), 1);
        shop.audit().await;
    }

    async fn an_unknown_outcome_is_looked_up_not_guessed(shop) {
        for behaviour in [Behaviour::TimeoutBefore, Behaviour::TimeoutAfter] {
            shop.gateway().script(Verb::Charge, [behaviour]);
            let id = shop.open(terms()).await;
            shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
            shop.send().await;
            assert_eq!(shop.status(id).await, Status::PendingPublish);
            shop.escrow.clock().advance(Duration::from_secs(2));
            shop.send().await;
            assert_eq!(shop.status(id).await, Status::Published);
            let call = key(shop.payin(id).await.id().subject(), Verb::Charge);
            assert_eq!(shop.gateway().effects(&call), 1);
        }
        shop.audit().await;
    }

    async fn a_call_that_keeps_failing_is_parked_and_sent_again_on_request(shop) {
        let policy = escrowed::escrow::Policy { attempts: 3, ..escrowed::escrow::Policy::default() };
        let shop = Shop { escrow: shop.escrow.with_policy(policy) };
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        let call = key(shop.payin(id).await.id().subject(), Verb::Charge);
        shop.gateway().script_call(&call, [Behaviour::TimeoutBefore, Behaviour::TimeoutBefore, Behaviour::TimeoutBefore]);
        for _ in 0..5 {
            shop.send().await;
            shop.escrow.clock().advance(Duration::from_secs(60));
        }
        let mut unit = shop.begin().await;
        let parked = unit.calls(CallStatus::Parked, None, 10).await.unwrap();
        assert_eq!(parked.len(), 1);
        assert!(parked[0].as_ref().unwrap().problem.is_some());
        shop.escrow.requeue(&mut unit, &call).await.unwrap();
        assert!(matches!(shop.escrow.requeue(&mut unit, &call).await, Err(EscrowError::UnknownCall(_))));
        shop.commit(unit).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Published);
        shop.audit().await;
    }

    async fn a_wrong_amount_is_not_booked_and_waits_for_an_operator(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::WrongAmount(euro("99.99"))]);
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        assert_eq!(shop.escrow.send(&"worker".parse().unwrap(), 1).await.unwrap().parked, 1);
        let call = key(shop.payin(id).await.id().subject(), Verb::Charge);
        for moved in ["99.99 EUR", "100.01 EUR", "100.00 USD", "10000 JPY", "0.00 EUR", "-100.00 EUR"] {
            let outcome = Outcome::Settled { moved: moved.parse().unwrap() };
            let wrong = shop.try_report(&Report { key: call, outcome }).await;
            assert!(matches!(wrong, Err(EscrowError::Refused(Reason::WrongAmount { .. }))), "{moved}: {wrong:?}");
        }
        assert_eq!(shop.status(id).await, Status::PendingPublish);
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
        let mut unit = shop.begin().await;
        let parked = unit.call(&call).await.unwrap().unwrap();
        assert!(parked.status == CallStatus::Parked && parked.problem.unwrap().as_str().contains("99.99"));
    }

    async fn answers_that_contradict_each_other_change_nothing(shop) {
        let id = shop.paid(terms()).await;
        let call = key(shop.payin(id).await.id().subject(), Verb::Charge);
        let declined = Outcome::Declined { reason: "changed its mind".parse().unwrap() };
        let settled = Outcome::Settled { moved: euro("99.00") };
        for outcome in [declined, settled] {
            let refused = shop.try_report(&Report { key: call, outcome }).await;
            assert!(matches!(refused, Err(EscrowError::Contradiction { .. })));
        }
        assert_eq!(shop.status(id).await, Status::Published);
        shop.audit().await;
    }

    async fn a_report_on_nothing_is_an_error(shop) {
        let call = "pi_01kr1hgnqred6999kp7cqmx8ss:charge".parse().unwrap();
        let report = Report { key: call, outcome: Outcome::Settled { moved: euro("1.00") } };
        assert!(matches!(shop.try_report(&report).await, Err(EscrowError::UnknownCall(_))));
    }

    async fn a_payin_confirmed_after_cancellation_refunds_itself(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        assert_eq!(shop.act(id, Command::Cancel {}, user("anna")).await.status(), Status::Cancelled);
        // The order called its payin off; the payer is faster than the void.
        assert_eq!(shop.payin(id).await.status(), payin::Status::Cancelled);
        let call = shop.gateway().pending().remove(0);
        shop.gateway().resolve(&call, Resolution::Settle).unwrap();
        let settled = Outcome::Settled { moved: euro("100.00") };
        assert_eq!(shop.report(call, settled.clone()).await, Reported::Taken);
        assert_eq!(shop.report(call, settled).await, Reported::Repeated);
        shop.send().await;
        let refunds = shop.refunds(id).await;
        assert_eq!(refunds.len(), 1);
        assert_eq!(refunds[0].status(), refund::Status::Confirmed);
        assert_eq!(shop.status(id).await, Status::Cancelled);
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
        assert_eq!(shop.gateway().net(escrowed::money::Currency::EUR), euro("0.00"));
        shop.audit().await;
    }

    async fn a_confirmed_payin_that_nobody_waits_for_goes_back(shop) {
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        // The order is called off without its payin: as if the two had happened at the same moment.
        let mut unit = shop.begin().await;
        let AnyOrder::PendingPublish(order) = shop.escrow.load(&mut unit, id).await.unwrap() else { panic!() };
        order.cancel(&shop.escrow.stamp(ops())).unwrap().save(&mut unit).await.unwrap();
        shop.commit(unit).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Cancelled);
        assert_eq!(shop.payin(id).await.status(), payin::Status::Refunded);
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
        shop.audit().await;
    }

    async fn a_charge_that_was_never_sent_is_simply_taken_back(shop) {
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.act(id, Command::Cancel {}, user("anna")).await;
        shop.send().await;
        assert!(shop.gateway().calls().is_empty());
        shop.audit().await;
    }

    async fn a_cancelled_payin_leaves_room_for_another(shop) {
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::BankWire { refund_to: "ba_anna".parse().unwrap() } }, user("anna")).await;
        let payin = shop.payin(id).await.id();
        let mut unit = shop.begin().await;
        shop.escrow.act_on_payin(&mut unit, payin, payin::Command::Cancel {}, user("anna")).await.unwrap();
        shop.commit(unit).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Published);
        assert_eq!(shop.payins(id).await.len(), 2);
        shop.audit().await;
    }

    async fn a_bank_wire_is_refunded_to_the_account_it_named(shop) {
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::BankWire { refund_to: "ba_anna".parse().unwrap() } }, user("anna")).await;
        shop.send().await;
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        let refund = shop.refunds(id).await.remove(0);
        assert_eq!(refund.facts().route, Route::Account("ba_anna".parse().unwrap()));
        assert_eq!(refund.status(), refund::Status::Confirmed);
        shop.audit().await;
    }

    async fn a_denied_refund_is_replaced_by_another_route(shop) {
        let id = shop.paid(terms()).await;
        shop.gateway().script(Verb::Refund, [Behaviour::Decline { reason: "card expired".parse().unwrap() }]);
        shop.act(id, Command::Cancel {}, user("anna")).await;
        shop.send().await;
        let denied = shop.refunds(id).await.remove(0);
        assert_eq!(denied.status(), refund::Status::Denied);
        assert_eq!(denied.held(), euro("100.00"));
        let mut unit = shop.begin().await;
        let replace = || refund::Command::Replace { route: Route::Wallet };
        shop.escrow.act_on_refund(&mut unit, denied.id(), replace(), ops()).await.unwrap();
        let twice = shop.escrow.act_on_refund(&mut unit, denied.id(), replace(), ops()).await;
        assert!(matches!(twice, Err(EscrowError::Refused(Reason::Already { .. }))));
        shop.commit(unit).await;
        assert_eq!(shop.balance("wallet:anna").await, euro("100.00"));
        assert_eq!(shop.payin(id).await.status(), payin::Status::Refunded);
        shop.audit().await;
    }

    async fn reserved_then_captured(shop) {
        let id = shop.open(terms()).await;
        reserve(&shop, id).await;
        assert_eq!(shop.payin(id).await.status(), payin::Status::Authorized);
        assert_eq!(shop.status(id).await, Status::PendingPublish);
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
        on_payin(&shop, id, payin::Command::Capture {}).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Published);
        assert_eq!(shop.gateway().net(escrowed::money::Currency::EUR), euro("100.00"));
        shop.audit().await;
    }

    async fn reserved_and_captured_in_one_write(shop) {
        let id = shop.open(terms()).await;
        let mut unit = shop.begin().await;
        let AnyOrder::PendingPublish(order) = shop.escrow.load(&mut unit, id).await.unwrap() else { panic!() };
        let at = shop.escrow.stamp(user("anna"));
        shop.escrow.save(&mut unit, order.reserve(&at).unwrap(), &at).await.unwrap();
        shop.commit(unit).await;

        // Whoever drives it by himself hears late, and of all at once.
        let AnyPayin::Created(payin) = shop.payin(id).await else { panic!() };
        let (at, moved) = (Stamp::gateway(shop.now()), payin.facts().amount);
        let charged = [Verb::Charge, Verb::Capture].map(|verb| key(payin.id().subject(), verb));
        let reserved = payin.authorize(moved, &at).unwrap();
        let captured = reserved.then(|payin| payin.capture(&Stamp::new(ops(), shop.now()))).unwrap();
        let confirmed = captured.then(|payin| payin.confirm(moved, &at)).unwrap();
        let mut unit = shop.begin().await;
        assert_eq!(confirmed.save(&mut unit).await.unwrap().held(), moved);
        shop.commit(unit).await;
        for call in charged {
            assert_eq!(shop.begin().await.call(&call).await.unwrap().unwrap().status, CallStatus::Settled);
        }
    }

    async fn reserved_then_let_go(shop) {
        let id = shop.open(terms()).await;
        reserve(&shop, id).await;
        let reserved = shop.payin(id).await.id().subject();
        assert_eq!(shop.gateway().reserved(reserved), Some(euro("100.00")));
        shop.act(id, Command::Cancel {}, user("anna")).await;
        shop.send().await;
        let AnyPayin::Cancelled(payin) = shop.payin(id).await else { panic!() };
        assert!(!payin.state().after().voiding());
        assert_eq!(shop.gateway().reserved(reserved).unwrap_or(euro("0.00")), euro("0.00"));
        shop.audit().await;
    }

    async fn a_capture_that_fails_is_a_failed_payment(shop) {
        let id = shop.open(terms()).await;
        reserve(&shop, id).await;
        shop.gateway().script(Verb::Capture, [Behaviour::Decline { reason: "reservation expired".parse().unwrap() }]);
        on_payin(&shop, id, payin::Command::Capture {}).await;
        let refused = {
            let mut unit = shop.begin().await;
            let payin = shop.last_payin(id, &mut unit).await;
            shop.escrow.act_on_payin(&mut unit, payin, payin::Command::Cancel {}, ops()).await
        };
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::Underway(_)))));
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Failure);
        shop.audit().await;
    }

    async fn an_expired_payin_is_called_off_once_by_the_clock(shop) {
        use escrowed::{gateway::Capture, payment::{Payin, PayinId}};
        let id = shop.open(terms()).await;
        let at = shop.escrow.stamp(user("anna"));
        let terms = payin::Terms {
            about: id.subject(), payer: party("anna"), amount: euro("100.00"), method: Method::Card,
            capture: Capture::Now, gateway: "sandbox".parse().unwrap(),
            expires: Some(at.at.plus(Duration::from_secs(900))), authentication: Default::default(),
        };
        let mut unit = shop.begin().await;
        let payin = Payin::open(PayinId::generate(at.at), terms, &at).unwrap().save(&mut unit).await.unwrap().id();
        shop.commit(unit).await;
        assert_eq!(shop.escrow.run_due(&worker(), 10).await.unwrap().taken, 0);
        assert!(shop.find(&Query::DueBy(shop.now())).await.is_empty());
        shop.escrow.clock().advance(Duration::from_secs(900));
        assert_eq!(shop.find(&Query::DueBy(shop.now())).await, [payin.subject()]);
        assert_eq!(shop.escrow.run_due(&worker(), 10).await.unwrap().taken, 1);
        assert_eq!(shop.escrow.run_due(&worker(), 10).await.unwrap().taken, 0);
        assert_eq!(shop.load(payin).await.status(), payin::Status::Cancelled);
        shop.audit().await;
    }

    async fn a_payee_with_nothing_to_get_gets_no_payout(shop) {
        let mut terms = terms();
        terms.amount = euro("5.00");
        let id = shop.planned(terms, PayoutPlan::to(party("sam"), Destination::Wallet)).await;
        assert_eq!(shop.act(id, Command::Validate {}, ops()).await.status(), Status::Released);
        assert!(shop.payouts(id).await.is_empty());
        assert_eq!(shop.balance("wallet:shop").await, euro("5.00"));
        shop.audit().await;
    }

    async fn a_payin_of_another_order_is_no_evidence(shop) {
        let (one, other) = (shop.open(terms()).await, shop.open(terms()).await);
        shop.act(other, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.act(one, Command::Pay { by: Method::Card }, user("anna")).await;
        let mut unit = shop.begin().await;
        let payin = shop.last_payin(other, &mut unit).await;
        let AnyPayin::Created(payin) = shop.escrow.load(&mut unit, payin).await.unwrap() else { panic!() };
        let at = escrowed::party::Stamp::gateway(shop.now());
        let confirmed = payin.confirm(euro("100.00"), &at).unwrap().save(&mut unit).await.unwrap();
        let AnyOrder::PendingPublish(order) = shop.escrow.load(&mut unit, one).await.unwrap() else { panic!() };
        let refused = order.publish(&confirmed, &at).map(Transition::widen).unwrap_err();
        assert!(matches!(refused.reason, Reason::WrongSubject { .. }));
        assert_eq!(refused.value.id(), one);
    }
}
