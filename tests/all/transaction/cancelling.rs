//! Calling it off: by whom, when, and that all the money goes back; and the clock that does it for a silent seller.

use super::{Deal, HOUR, TICK, anna, audit, card, decline, judy, sam, terms, track, wire};
use crate::harness::{euro, on_each_store, ops, user};
use escrowed::{
    gateway::Verb,
    lifecycle::Reason,
    party::Actor,
    payment::{Method, Route, payin, refund},
    sandbox::Behaviour,
    transaction::{AnyTransaction, Command, Status},
};
use std::time::Duration;

const FOUR_DAYS: Duration = Duration::from_secs(4 * 24 * 3600);

fn everybody() -> [Actor; 7] {
    [anna(), sam(), user("eve"), ops(), judy(), Actor::Clock, Actor::Gateway]
}

/// Who may call it off in a status.
fn allowed(status: Status) -> Vec<Actor> {
    match status {
        Status::Created => vec![sam()],
        Status::Joined => vec![anna(), sam()],
        Status::Paid => vec![anna(), sam(), ops()],
        // And the clock, once the seller has missed the deadline.
        Status::PaymentAccepted | Status::Tracked => vec![ops()],
        Status::Delivered
        | Status::BuyerHandoverConfirmed
        | Status::SellerHandoverConfirmed
        | Status::ComplaintSubmitted
        | Status::ComplaintPeriodEnded
        | Status::Cancelled
        | Status::Refunded
        | Status::FundsReleased => vec![],
    }
}

on_each_store! {
    async fn in_each_status_by_each_person_with_all_the_money_back(shop) {
        for status in Status::ALL.iter().copied() {
            for by in everybody() {
                let before = shop.balance("world:sandbox").await;
                let (deal, allowed) = (Deal::in_status(&shop, status).await, allowed(status));
                let paid = deal.now().await.held().is_positive();
                if !allowed.contains(&by) {
                    let refused = deal.refused(by.clone(), Command::Cancel {}).await;
                    match refused {
                        Reason::WrongStatus { .. } => assert!(allowed.is_empty(), "{by:?} in {status}"),
                        Reason::WrongActor { .. } => assert!(!allowed.is_empty(), "{by:?} in {status}"),
                        // The clock may, but not yet.
                        Reason::NotDue { .. } => assert_eq!((&by, status), (&Actor::Clock, Status::PaymentAccepted)),
                        other => panic!("{by:?} in {status}: {other}"),
                    }
                    continue;
                }
                let cancelled = deal.act(by.clone(), Command::Cancel {}).await;
                assert_eq!((cancelled.status(), cancelled.held()), (Status::Cancelled, euro("0.00")));
                assert_eq!(cancelled.history().by_time().last().unwrap().stamp.by, by);
                shop.send().await;
                if paid {
                    let refunds = deal.refunds().await;
                    assert_eq!(refunds.len(), 1);
                    let refund = (refunds[0].facts().amount, refunds[0].status());
                    assert_eq!(refund, (euro("115.00"), refund::Status::Confirmed));
                    assert_eq!(deal.payin().await.status(), payin::Status::Refunded);
                    assert_eq!(deal.status().await, Status::Refunded);
                } else {
                    assert!(deal.refunds().await.is_empty());
                    assert_eq!(deal.status().await, Status::Cancelled, "nothing was paid: it ends here");
                    assert!(matches!(deal.refused(Actor::Gateway, Command::Refund {}).await, Reason::Missing { .. }));
                }
                assert_eq!(shop.balance("world:sandbox").await, before, "{by:?} in {status}");
                audit(&shop).await;
            }
        }
        assert!(shop.balance("wallet:anna").await.is_zero() && shop.balance("wallet:till").await.minor() % 500 == 0);
    }

    async fn the_money_goes_back_the_way_it_came(shop) {
        shop.fill_wallet("anna", euro("115.00")).await;
        for (method, route) in [
            (Method::Card, Route::Original),
            (wire(), Route::Account("ba_anna".parse().unwrap())),
            (Method::Wallet, Route::Wallet),
        ] {
            let deal = Deal::joined(&shop, terms()).await;
            deal.act(anna(), Command::OpenPayin { by: method }).await;
            shop.send().await;
            let cancelled = deal.act(anna(), Command::Cancel {}).await;
            // From wallet to wallet it is all one breath.
            let expected = if route == Route::Wallet { Status::Refunded } else { Status::Cancelled };
            assert_eq!(cancelled.status(), expected);
            shop.send().await;
            assert_eq!(deal.refunds().await[0].facts().route, route);
            assert_eq!(deal.path().await, "created joined paid cancelled refunded");
            assert_eq!(deal.payin().await.status(), payin::Status::Refunded);
            deal.over(Status::Refunded).await;
        }
        assert_eq!(shop.balance("wallet:anna").await, euro("115.00"));
    }

    async fn a_missed_tracking_deadline_calls_it_off_once(shop) {
        let deal = Deal::accepted(&shop, terms()).await;
        assert_eq!(deal.now().await.deadline(), Some(shop.now().plus(FOUR_DAYS)));
        deal.wait(FOUR_DAYS - TICK);
        assert_eq!(deal.clock().await, 0, "not a microsecond early");
        deal.wait(TICK);
        assert_eq!(deal.clock().await, 1);
        assert_eq!(deal.clock().await, 0, "once");
        assert_eq!(deal.refunds().await.len(), 1);
        let AnyTransaction::Cancelled(cancelled) = deal.now().await else { panic!() };
        assert_eq!(cancelled.history().by_time().last().unwrap().stamp.by, Actor::Clock);
        assert_eq!(cancelled.deadline(), None);
        shop.send().await;
        assert_eq!(deal.path().await, "created joined paid payment_accepted cancelled refunded");
        assert_eq!(deal.outside().await, "0.00 EUR");
        deal.over(Status::Refunded).await;
    }

    async fn a_seller_in_time_ends_the_tracking_deadline(shop) {
        let deal = Deal::accepted(&shop, terms()).await;
        deal.wait(FOUR_DAYS - TICK);
        let tracked = deal.act(sam(), track()).await;
        assert_eq!(tracked.deadline(), None);
        deal.wait(FOUR_DAYS);
        assert_eq!(deal.clock().await, 0);
        assert_eq!(deal.status().await, Status::Tracked);
    }

    async fn the_buyer_gives_the_seller_more_time(shop) {
        let deal = Deal::accepted(&shop, terms()).await;
        let deadline = shop.now().plus(FOUR_DAYS);
        let extend = |until| Command::ExtendTracking { until };
        for by in everybody().into_iter().filter(|by| *by != anna()) {
            assert!(matches!(deal.refused(by, extend(deadline.plus(HOUR))).await, Reason::WrongActor { .. }));
        }
        // It is never made shorter, nor left as it is.
        for until in [deadline, shop.now(), shop.now().plus(HOUR)] {
            assert!(matches!(deal.refused(anna(), extend(until)).await, Reason::WrongTime { .. }));
        }
        deal.wait(FOUR_DAYS - TICK);
        let extended = deal.act(anna(), extend(deadline.plus(HOUR))).await;
        assert_eq!((extended.status(), extended.deadline()), (Status::PaymentAccepted, Some(deadline.plus(HOUR))));
        let AnyTransaction::PaymentAccepted(accepted) = extended else { panic!() };
        assert_eq!(accepted.state().track_until(), deadline.plus(HOUR));
        deal.wait(HOUR);
        assert_eq!(deal.clock().await, 0, "the old deadline is no more");
        deal.wait(TICK);
        assert_eq!(deal.clock().await, 1);
        shop.send().await;
        deal.over(Status::Refunded).await;
    }

    async fn what_has_run_out_is_not_extended(shop) {
        let deal = Deal::accepted(&shop, terms()).await;
        deal.wait(FOUR_DAYS);
        let until = shop.now().plus(FOUR_DAYS);
        assert!(matches!(deal.refused(anna(), Command::ExtendTracking { until }).await, Reason::TooLate { .. }));
        // Until the clock has come, the seller may still ship.
        assert_eq!(deal.act(sam(), track()).await.status(), Status::Tracked);
    }

    async fn a_denied_refund_is_replaced(shop) {
        for route in [Route::Wallet, Route::Account("ba_other".parse().unwrap())] {
            let deal = Deal::paid(&shop, terms()).await;
            deal.act(anna(), Command::Cancel {}).await;
            deal.decline(Verb::Refund);
            shop.send().await;
            assert_eq!(deal.status().await, Status::Cancelled, "the buyer has not got it yet");
            assert_eq!(deal.refunds().await[0].held(), euro("115.00"));
            assert!(matches!(deal.refused(Actor::Gateway, Command::Refund {}).await, Reason::Missing { .. }));
            let replace = || refund::Command::Replace { route: route.clone() };
            assert!(deal.on_refund(anna(), replace()).await.is_err(), "that is for the platform");
            deal.on_refund(ops(), replace()).await.unwrap();
            shop.send().await;
            assert_eq!(deal.payin().await.status(), payin::Status::Refunded);
            let AnyTransaction::Refunded(refunded) = deal.now().await else { panic!("{}", deal.status().await) };
            assert!(refunded.state().outgoing().all_confirmed());
            deal.over(Status::Refunded).await;
        }
        assert_eq!(shop.balance("wallet:anna").await, euro("115.00"));
    }

    async fn a_refund_denied_again_and_again_is_never_lost(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        deal.act(sam(), Command::Cancel {}).await;
        for number in 0..3 {
            shop.gateway().script(Verb::Refund, [decline()]);
            shop.send().await;
            assert_eq!(deal.status().await, Status::Cancelled);
            let route = Route::Account(format!("ba_{number}").parse().unwrap());
            let denied = deal.refunds().await.into_iter().find(|one| one.held().is_positive()).unwrap().id();
            let mut unit = shop.begin().await;
            shop.escrow.act_on_refund(&mut unit, denied, refund::Command::Replace { route }, ops()).await.unwrap();
            shop.commit(unit).await;
            audit(&shop).await;
        }
        shop.send().await;
        assert_eq!(deal.refunds().await.len(), 4);
        assert_eq!(deal.outside().await, "0.00 EUR");
        deal.over(Status::Refunded).await;
    }

    async fn a_pending_refund_is_waited_for(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        deal.act(anna(), Command::Cancel {}).await;
        shop.gateway().script(Verb::Refund, [Behaviour::TimeoutAfter]);
        shop.send().await;
        assert_eq!(deal.status().await, Status::Cancelled);
        deal.wait(HOUR);
        shop.send().await;
        assert_eq!(deal.outside().await, "0.00 EUR");
        deal.over(Status::Refunded).await;
    }

    async fn two_who_call_it_off_at_once_refund_it_once(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        let load = || async {
            let AnyTransaction::Paid(paid) = deal.now().await else { panic!() };
            paid
        };
        let (first, second) = (load().await, load().await);
        let mut unit = shop.begin().await;
        first.cancel(&shop.escrow.stamp(anna())).unwrap().save(&mut unit).await.unwrap();
        let stale = second.cancel(&shop.escrow.stamp(sam())).unwrap().save(&mut unit).await.unwrap_err();
        assert!(matches!(stale.why, escrowed::lifecycle::Failure::Stale));
        shop.commit(unit).await;
        shop.send().await;
        assert_eq!(deal.refunds().await.len(), 1);
        deal.over(Status::Refunded).await;
    }

    async fn a_called_off_transaction_takes_no_payment(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        deal.act(anna(), Command::Cancel {}).await;
        let late = Reason::WrongStatus { action: "open_payin", status: "cancelled" };
        assert_eq!(deal.refused(anna(), card()).await, late);
    }
}
