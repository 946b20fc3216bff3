//! Every way a challenge can end, from every point at which something can break off: afterwards nothing waits, and the gateway
//! holds what the orders hold.

use super::*;
use crate::{
    harness::{on_each_store, worker},
    kyc::{Deadly, dies},
    workers::Shared,
};
use escrowed::{
    escrow::Escrow,
    order::Status,
    sandbox::{Behaviour, Resolution},
};
use std::time::Duration;

/// How far it came before something broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    NotSent,
    /// The worker died, and the gateway never heard of the charge.
    DiedBefore,
    /// The worker died, and the gateway knows of the charge.
    DiedAfter,
    Challenged,
    CameBack,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Passes,
    Fails,
    /// The challenge ends, and the payer stays away.
    Ends,
    /// The challenge ends, and the payer passes it before the gateway hears of that.
    PassesTooLate,
    CalledOff,
    OrderCancelled,
}

const POINTS: [Point; 5] = [Point::NotSent, Point::DiedBefore, Point::DiedAfter, Point::Challenged, Point::CameBack];
const NEXT: [Next; 6] =
    [Next::Passes, Next::Fails, Next::Ends, Next::PassesTooLate, Next::CalledOff, Next::OrderCancelled];
const MINUTES: Duration = Duration::from_secs(600);

async fn come_to<S: Store>(shop: &Shop<S>, point: Point, payin: PayinId) {
    let die = async |acts| {
        let gateway = Deadly { sandbox: shop.gateway().clone(), acts };
        dies(&Escrow::with_clock(Shared(shop.escrow.store()), gateway, shop.escrow.clock().clone())).await;
        // Its lease ends.
        shop.escrow.clock().advance(Duration::from_secs(61));
    };
    match point {
        Point::NotSent => {}
        Point::DiedBefore => die(false).await,
        Point::DiedAfter => die(true).await,
        Point::Challenged => {
            shop.escrow.send(&worker(), 10).await.unwrap();
        }
        Point::CameBack => {
            shop.escrow.send(&worker(), 10).await.unwrap();
            let response = shop.gateway().response(&charge(payin)).unwrap();
            on_payin(shop, payin, payin::Command::ComeBack { response }, user("anna")).await.unwrap();
        }
    }
}

async fn go_on<S: Store>(shop: &Shop<S>, next: Next, id: OrderId, payin: PayinId) {
    let resolve = |resolution| shop.gateway().resolve(&charge(payin), resolution);
    match next {
        Next::Passes | Next::Fails => {
            shop.send().await;
            let failure = Resolution::Decline { reason: "failed".parse().unwrap() };
            resolve(if next == Next::Passes { Resolution::Settle } else { failure });
        }
        Next::Ends | Next::PassesTooLate => {
            shop.send().await;
            shop.escrow.clock().advance(MINUTES);
            assert_eq!(shop.escrow.run_due(&worker(), 10).await.unwrap().failed, 0);
            if next == Next::PassesTooLate {
                resolve(Resolution::Settle);
            }
        }
        Next::CalledOff => drop(on_payin(shop, payin, payin::Command::Cancel {}, ops()).await.unwrap()),
        Next::OrderCancelled => drop(shop.act(id, Command::Cancel {}, ops()).await),
    }
    for report in shop.gateway().reports_shuffled() {
        shop.hear(&report).await;
    }
}

async fn sweep<S: Store>(shop: &Shop<S>, needs: impl Fn() -> Needs) {
    let mut held = euro("0.00");
    for (point, next) in POINTS.into_iter().flat_map(|point| NEXT.map(|next| (point, next))) {
        let id = order(shop, euro("20.00")).await;
        let payin = try_pay(shop, id, Method::Card, anna(needs())).await.unwrap();
        let until = Some(shop.now().plus(MINUTES));
        shop.gateway().script_call(&charge(payin), [Behaviour::Challenge { until }]);
        come_to(shop, point, payin).await;
        go_on(shop, next, id, payin).await;
        shop.settle_down().await;

        let (order, payin) = (shop.order(id).await, shop.load(payin).await);
        let (status, wanted) = match next {
            Next::Passes => (payin::Status::Confirmed, Status::Published),
            Next::Fails => (payin::Status::Denied, Status::Failure),
            Next::Ends | Next::PassesTooLate | Next::CalledOff => (payin::Status::Cancelled, Status::PendingPublish),
            Next::OrderCancelled => (payin::Status::Cancelled, Status::Cancelled),
        };
        assert_eq!((payin.status(), order.status()), (status, wanted), "{point:?}, then {next:?}");
        if let AnyPayin::Confirmed(paid) = payin {
            assert!(paid.is_authenticated(), "{point:?}, then {next:?}");
        }
        held = held.checked_add(order.held()).unwrap();
        assert_eq!(shop.gateway().net(held.currency()), held, "{point:?}, then {next:?}");
    }
    assert_eq!(held, euro("100.00"), "whoever passed in time has paid, from each of five points");
    shop.audit().await;
}

on_each_store! {
    async fn a_challenge_that_was_asked_for_ends_well_from_every_point(shop) {
        sweep(&shop, || Needs::Challenge).await;
    }

    async fn a_challenge_in_place_of_an_exemption_ends_well_from_every_point(shop) {
        sweep(&shop, || Needs::TransactionRisk { fraud: "0.13%".parse().unwrap() }).await;
    }
}
