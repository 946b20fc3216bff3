//! A refund that the bank sends back days after it had arrived.

use super::{chargebacks::debts, charged, owed, tell, wallet};
use crate::harness::{Problem, Shop, bank, euro, key, on_each_store, ops, party, terms, user, worker};
use escrowed::{
    escrow::{EscrowError, Reported},
    gateway::{Dispute, IdempotencyKey, Outcome, Report, Verb},
    lifecycle::Reason,
    money::Money,
    order::{AnyOrder, Command, OrderId, PayoutPlan, Status},
    party::Actor,
    payment::{Afterwards, AnyPayin, AnyRefund, Destination, Method, RefundId, Route, debt, payin, refund},
    reconciliation::{SettlementLine, reconcile},
    sandbox::{Behaviour, Resolution},
    statement::Span,
    store::{Query, Store},
};
use std::{convert::Infallible, time::Duration};

const DAYS: Duration = Duration::from_secs(3 * 86_400);
const CLOSED: &str = "account closed";

fn settled(amount: &str) -> Outcome {
    Outcome::Settled { moved: euro(amount) }
}

fn returned(amount: &str) -> Outcome {
    Outcome::Returned { moved: euro(amount), reason: CLOSED.parse().unwrap() }
}

fn to_account(name: &str) -> Route {
    Route::Account(name.parse().unwrap())
}

fn by_wire() -> Method {
    Method::BankWire { refund_to: "ba_anna".parse().unwrap() }
}

pub(crate) async fn act_on<S: Store>(
    shop: &Shop<S>,
    id: RefundId,
    command: refund::Command<'_>,
    by: Actor,
) -> Result<AnyRefund, Problem<S>> {
    let mut unit = shop.begin().await;
    let refund = shop.escrow.act_on_refund(&mut unit, id, command, by).await?;
    shop.commit(unit).await;
    // The value as it is afterwards is what its log says.
    assert_eq!(format!("{:?}", shop.load(id).await), format!("{refund:?}"));
    Ok(refund)
}

pub(crate) async fn replace<S: Store>(shop: &Shop<S>, id: RefundId, route: Route) -> AnyRefund {
    act_on(shop, id, refund::Command::Replace { route }, ops()).await.unwrap()
}

/// The refund that a returned one passed its money on to.
async fn send_again<S: Store>(shop: &Shop<S>, id: RefundId, route: Route) -> RefundId {
    let AnyRefund::Returned(refund) = replace(shop, id, route.clone()).await else { panic!("it stays what it is") };
    let (again, by) = refund.state().went().cloned().unwrap();
    assert_eq!((by, shop.load(again).await.facts().again), (route, Some(id)));
    again
}

/// Anna paid €100 by bank wire, the order was called off, and she has the money back.
async fn refunded<S: Store>(shop: &Shop<S>) -> (OrderId, RefundId) {
    let id = shop.open(terms()).await;
    shop.act(id, Command::Pay { by: by_wire() }, user("anna")).await;
    shop.send().await;
    shop.act(id, Command::Cancel {}, ops()).await;
    shop.send().await;
    let refund = shop.refunds(id).await.remove(0);
    assert_eq!((refund.status(), shop.status(id).await), (refund::Status::Confirmed, Status::Cancelled));
    (id, refund.id())
}

/// The bank sends all of it back, and the gateway says so.
pub(crate) async fn send_back<S: Store>(shop: &Shop<S>, id: RefundId) -> IdempotencyKey {
    let (call, moved) = (key(id.subject(), Verb::Refund), shop.load(id).await.facts().amount);
    shop.escrow.clock().advance(DAYS);
    let reason = CLOSED.parse().unwrap();
    assert_eq!(shop.gateway().send_back(&call, CLOSED.parse().unwrap()), Some(Outcome::Returned { moved, reason }));
    for report in shop.gateway().reports() {
        shop.hear(&report).await;
    }
    let refund = shop.load(id).await;
    assert_eq!((refund.status(), refund.held()), (refund::Status::Returned, moved));
    call
}

async fn notes<S: Store>(shop: &Shop<S>, id: OrderId) -> Vec<Afterwards> {
    shop.order(id).await.facts().aftermath().notes().to_vec()
}

async fn held<S: Store>(shop: &Shop<S>, id: RefundId) -> Money {
    shop.balance(&format!("escrow:{id}")).await
}

async fn world<S: Store>(shop: &Shop<S>) -> Money {
    shop.balance("world:sandbox").await
}

async fn audit<S: Store>(shop: &Shop<S>) {
    shop.audit().await;
    shop.audit_calls().await;
}

/// What of an order's payin was refunded, and whether all of it.
async fn counted<S: Store>(shop: &Shop<S>, id: OrderId) -> (Money, payin::Status) {
    match shop.payin(id).await {
        AnyPayin::Confirmed(payin) => (payin.state().refunded(), payin::Status::Confirmed),
        other => (other.facts().amount, other.status()),
    }
}

on_each_store! {
    async fn it_holds_its_money_again_and_the_order_says_so_without_changing_its_status(shop) {
        let (order, refund) = refunded(&shop).await;
        assert_eq!((held(&shop, refund).await, world(&shop).await), (euro("0.00"), euro("0.00")));
        send_back(&shop, refund).await;
        assert_eq!((held(&shop, refund).await, world(&shop).await), (euro("100.00"), euro("-100.00")));
        assert_eq!(shop.status(order).await, Status::Cancelled);
        let (payer, amount, reason) = (party("anna"), euro("100.00"), CLOSED.parse().unwrap());
        assert_eq!(notes(&shop, order).await, [Afterwards::RefundReturned { refund, payer, amount, reason }]);
        // It waits visibly, and the payin has been refunded all the same.
        let waiting = Query::status("refund".parse().unwrap(), "RETURNED");
        assert_eq!(shop.find(&waiting).await, [refund.subject()]);
        assert_eq!(counted(&shop, order).await, (euro("100.00"), payin::Status::Refunded));
        audit(&shop).await;
    }

    async fn its_money_goes_to_another_account_of_the_payer(shop) {
        let (order, first) = refunded(&shop).await;
        send_back(&shop, first).await;
        for by in [user("anna"), user("sam"), Actor::arbiter(party("judy"))] {
            let refused = act_on(&shop, first, refund::Command::Replace { route: Route::Wallet }, by).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::WrongActor { .. }))), "{refused:?}");
        }
        let again = send_again(&shop, first, to_account("ba_new")).await;
        assert_eq!((held(&shop, first).await, held(&shop, again).await), (euro("0.00"), euro("100.00")));
        // It goes on once, and the one that sends it again is neither called off nor sent another way before it is denied.
        let twice = act_on(&shop, first, refund::Command::Replace { route: Route::Wallet }, ops()).await;
        assert!(matches!(twice, Err(EscrowError::Refused(Reason::Already { .. }))), "{twice:?}");
        let stopped = act_on(&shop, again, refund::Command::Cancel {}, ops()).await;
        assert!(matches!(stopped, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{stopped:?}");
        let other = act_on(&shop, again, refund::Command::Replace { route: Route::Wallet }, ops()).await;
        assert!(matches!(other, Err(EscrowError::Refused(Reason::Already { .. }))), "{other:?}");

        shop.send().await;
        assert_eq!((held(&shop, again).await, world(&shop).await), (euro("0.00"), euro("0.00")));
        assert_eq!((shop.load(again).await.status(), shop.status(order).await), (refund::Status::Confirmed, Status::Cancelled));
        let notes = notes(&shop, order).await;
        let went = Afterwards::RefundSentAgain { refund: first, by: again, route: to_account("ba_new") };
        assert_eq!(notes[1..], [went, Afterwards::RefundArrived { refund: again }]);
        assert_eq!(counted(&shop, order).await, (euro("100.00"), payin::Status::Refunded));
        audit(&shop).await;
    }

    async fn its_money_goes_into_the_payers_wallet(shop) {
        let (order, refund) = refunded(&shop).await;
        send_back(&shop, refund).await;
        let again = send_again(&shop, refund, Route::Wallet).await;
        assert_eq!((held(&shop, refund).await, wallet(&shop, "anna").await), (euro("0.00"), euro("100.00")));
        let notes = notes(&shop, order).await;
        let went = Afterwards::RefundSentAgain { refund, by: again, route: Route::Wallet };
        assert_eq!(notes[1..], [went, Afterwards::RefundArrived { refund: again }]);
        // What is in a wallet comes back from no bank.
        let told = shop.try_report(&Report { key: key(again.subject(), Verb::Refund), outcome: returned("100.00") }).await;
        assert!(matches!(told, Err(EscrowError::UnknownCall(_))), "{told:?}");
        audit(&shop).await;
    }

    async fn what_is_sent_again_is_counted_once_and_the_rest_goes_on(shop) {
        let id = shop.paid(terms()).await;
        shop.act(id, Command::RefundPart { amount: euro("60.00") }, ops()).await;
        let first = shop.refunds(id).await.remove(0).id();
        act_on(&shop, first, refund::Command::Approve {}, ops()).await.unwrap();
        shop.send().await;
        assert_eq!(counted(&shop, id).await, (euro("60.00"), payin::Status::Confirmed));
        // To a card, too: it may be closed by then. Each status of an order that is paid notes it.
        send_back(&shop, first).await;
        shop.act(id, Command::Accept { payout: None }, user("sam")).await;
        let second = send_again(&shop, first, Route::Original).await;
        assert_eq!((shop.status(id).await, notes(&shop, id).await.len()), (Status::Accepted, 2));
        let plan = PayoutPlan::to(party("sam"), bank("ba_sam"));
        shop.act(id, Command::SetPayout { plan }, user("sam")).await;
        shop.send().await;
        assert_eq!((shop.status(id).await, notes(&shop, id).await.len()), (Status::PendingValidate, 3));
        send_back(&shop, second).await;
        assert_eq!(notes(&shop, id).await.len(), 4);
        shop.audit().await;
        let order = shop.order(id).await;
        assert_eq!((order.held(), order.facts().refunded()), (euro("40.00"), euro("60.00")));

        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Released);
        let third = send_again(&shop, second, to_account("ba_new")).await;
        shop.send().await;
        assert_eq!(shop.load(third).await.status(), refund::Status::Confirmed);
        assert_eq!((counted(&shop, id).await, world(&shop).await), ((euro("60.00"), payin::Status::Confirmed), euro("-10.00")));
        audit(&shop).await;
        // No more than the rest is there to be refunded.
        let mut unit = shop.begin().await;
        let refused = shop.escrow.refund_released(&mut unit, id, euro("40.01"), ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::TooMuch { available, .. })) if available == euro("40.00")), "{refused:?}");
    }

    async fn one_that_is_sent_again_may_be_denied_and_come_back_too(shop) {
        let (order, first) = refunded(&shop).await;
        send_back(&shop, first).await;
        shop.gateway().script(Verb::Refund, [Behaviour::Decline { reason: "unknown account".parse().unwrap() }]);
        let second = send_again(&shop, first, to_account("ba_bad")).await;
        shop.send().await;
        assert_eq!((shop.load(second).await.status(), held(&shop, second).await), (refund::Status::Denied, euro("100.00")));
        let AnyRefund::Denied(denied) = replace(&shop, second, to_account("ba_good")).await else { panic!("stays denied") };
        let third = denied.state().went().unwrap().0;
        assert_eq!(shop.load(third).await.facts().again, Some(first));
        shop.send().await;
        send_back(&shop, third).await;
        let fourth = send_again(&shop, third, Route::Wallet).await;
        assert_eq!((wallet(&shop, "anna").await, shop.status(order).await), (euro("100.00"), Status::Cancelled));
        // What happened between is between the refunds.
        let told: Vec<_> = notes(&shop, order).await.into_iter().map(|note| match note {
            Afterwards::RefundReturned { refund, .. } => ("back", refund),
            Afterwards::RefundSentAgain { refund, .. } => ("again", refund),
            Afterwards::RefundArrived { refund } => ("there", refund),
            other => panic!("{other:?}"),
        }).collect();
        let all = [("back", first), ("again", first), ("there", third), ("back", third), ("again", third), ("there", fourth)];
        assert_eq!(told, all);
        assert_eq!(counted(&shop, order).await, (euro("100.00"), payin::Status::Refunded));
        audit(&shop).await;
    }

    async fn its_report_comes_twice_early_and_late(shop) {
        let (order, refund) = refunded(&shop).await;
        let call = send_back(&shop, refund).await;
        for (outcome, what) in [
            (returned("100.00"), Reported::Repeated),
            (Outcome::Returned { moved: euro("100.00"), reason: "in other words".parse().unwrap() }, Reported::Repeated),
            (settled("100.00"), Reported::Late),
            (Outcome::Pending { direct_link: None }, Reported::Late),
        ] {
            assert_eq!(shop.report(call, outcome).await, what);
        }
        for lie in [returned("99.99"), settled("99.99"), Outcome::Declined { reason: "no".parse().unwrap() }] {
            let told = shop.try_report(&Report { key: call, outcome: lie }).await;
            assert!(matches!(told, Err(EscrowError::Contradiction { .. })), "{told:?}");
        }
        assert_eq!((held(&shop, refund).await, notes(&shop, order).await.len()), (euro("100.00"), 1));
        audit(&shop).await;
    }

    async fn it_may_be_told_before_anybody_has_said_that_it_settled(shop) {
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: by_wire() }, user("anna")).await;
        shop.send().await;
        shop.act(id, Command::Cancel {}, ops()).await;
        let refund = shop.refunds(id).await[0].id();
        let call = key(refund.subject(), Verb::Refund);
        shop.gateway().script(Verb::Refund, [Behaviour::TimeoutAfter]);
        shop.escrow.send(&worker(), 10).await.unwrap();
        shop.gateway().send_back(&call, CLOSED.parse().unwrap()).unwrap();
        assert_eq!(shop.report(call, returned("100.00")).await, Reported::Taken);
        assert_eq!(shop.report(call, settled("100.00")).await, Reported::Late);
        assert_eq!((shop.load(refund).await.status(), notes(&shop, id).await.len()), (refund::Status::Returned, 1));
        assert_eq!(counted(&shop, id).await, (euro("100.00"), payin::Status::Refunded));
        audit(&shop).await;
    }

    async fn what_the_bank_keeps_of_it_is_gone_and_the_rest_goes_on(shop) {
        let (id, refund) = refunded(&shop).await;
        let call = key(refund.subject(), Verb::Refund);
        shop.gateway().send_back_less(&call, euro("1.50"), CLOSED.parse().unwrap()).unwrap();
        shop.report(call, returned("98.50")).await;
        let AnyRefund::Returned(back) = shop.load(refund).await else { panic!("{refund} has not come back") };
        assert_eq!((back.state().back(), back.held()), (euro("98.50"), euro("98.50")));
        assert_eq!(shop.report(call, settled("100.00")).await, Reported::Late);
        replace(&shop, refund, Route::Wallet).await;
        assert_eq!(shop.balance("wallet:anna").await, euro("98.50"));
        // The payin was refunded in full, whatever arrived of it.
        assert_eq!(counted(&shop, id).await, (euro("100.00"), payin::Status::Refunded));
        audit(&shop).await;
        shop.verify().await;
    }

    async fn only_what_went_out_comes_back(shop) {
        let (order, refund) = refunded(&shop).await;
        let call = key(refund.subject(), Verb::Refund);
        for wrong in ["0.00", "100.01"] {
            let told = shop.try_report(&Report { key: call, outcome: returned(wrong) }).await;
            assert!(matches!(told, Err(EscrowError::Refused(Reason::WrongAmount { .. }))), "{told:?}");
        }
        let charge = key(shop.payin(order).await.id().subject(), Verb::Charge);
        assert_eq!(shop.gateway().send_back(&charge, CLOSED.parse().unwrap()), None);
        let told = shop.try_report(&Report { key: charge, outcome: returned("100.00") }).await;
        assert!(matches!(told, Err(EscrowError::Contradiction { .. })), "{told:?}");
        // One that was declined never went out.
        shop.gateway().script(Verb::Refund, [Behaviour::Decline { reason: "no".parse().unwrap() }]);
        let other = shop.paid(terms()).await;
        shop.act(other, Command::Cancel {}, ops()).await;
        shop.send().await;
        let denied = key(shop.refunds(other).await[0].id().subject(), Verb::Refund);
        assert_eq!(shop.gateway().send_back(&denied, CLOSED.parse().unwrap()), None);
        let told = shop.try_report(&Report { key: denied, outcome: returned("100.00") }).await;
        assert!(matches!(told, Err(EscrowError::Contradiction { .. })), "{told:?}");
        audit(&shop).await;
    }

    async fn what_came_late_and_went_back_by_itself_is_none_of_the_orders_business(shop) {
        let id = shop.open(terms()).await;
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        shop.act(id, Command::Pay { by: by_wire() }, user("anna")).await;
        shop.send().await;
        shop.act(id, Command::Cancel {}, user("anna")).await;
        let call = shop.gateway().pending().remove(0);
        shop.gateway().resolve(&call, Resolution::Settle).unwrap();
        for report in shop.gateway().reports() {
            shop.hear(&report).await;
        }
        shop.send().await;
        let refund = shop.refunds(id).await.remove(0);
        assert_eq!((refund.status(), refund.facts().source), (refund::Status::Confirmed, call.subject));
        send_back(&shop, refund.id()).await;
        send_again(&shop, refund.id(), Route::Wallet).await;
        assert_eq!((notes(&shop, id).await, wallet(&shop, "anna").await), (vec![], euro("100.00")));
        assert_eq!(shop.payin(id).await.status(), payin::Status::Cancelled);
        audit(&shop).await;
    }

    async fn who_bore_a_refund_after_the_release_bore_it_once(shop) {
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), Destination::Wallet)).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        let mut unit = shop.begin().await;
        let refund = shop.escrow.refund_released(&mut unit, id, euro("50.00"), ops()).await.unwrap().id();
        shop.commit(unit).await;
        shop.send().await;
        send_back(&shop, refund).await;
        let again = send_again(&shop, refund, to_account("ba_new")).await;
        assert!(shop.load(again).await.facts().shares.is_empty());
        shop.send().await;
        assert_eq!((wallet(&shop, "sam").await, wallet(&shop, "shop").await), (euro("45.00"), euro("5.00")));
        assert_eq!((counted(&shop, id).await.0, notes(&shop, id).await.len()), (euro("50.00"), 4));
        // The buyer has it, and nobody else: as much again may be refunded, and no more.
        let mut unit = shop.begin().await;
        let more = shop.escrow.refund_released(&mut unit, id, euro("50.01"), ops()).await;
        assert!(matches!(more, Err(EscrowError::Refused(Reason::TooMuch { available, .. })) if available == euro("50.00")), "{more:?}");
        drop(unit);
        audit(&shop).await;
    }

    async fn what_came_back_pays_what_the_payer_owes(shop) {
        let (order, refund) = refunded(&shop).await;
        send_back(&shop, refund).await;
        // All the same, the bank takes the payment back: what had gone back to anna, anna bears.
        let payin = shop.payin(order).await.id();
        let dispute: Dispute = charged(&shop, payin, "dp_1", euro("100.00"), euro("0.00"));
        tell(&shop, &dispute).await;
        assert_eq!(owed(&shop, "anna").await, euro("-100.00"));
        // It need not leave once more.
        let outside = act_on(&shop, refund, refund::Command::Replace { route: to_account("ba_new") }, ops()).await;
        assert!(matches!(outside, Err(EscrowError::Refused(Reason::ChargedBack(_)))), "{outside:?}");
        let debt = debts(&shop, "anna").await.remove(0).id();
        send_again(&shop, refund, Route::Wallet).await;
        assert_eq!((owed(&shop, "anna").await, wallet(&shop, "anna").await), (euro("0.00"), euro("0.00")));
        assert_eq!((shop.load(debt).await.status(), world(&shop).await), (debt::Status::Paid, euro("0.00")));
        audit(&shop).await;
    }

    async fn the_gateways_file_has_it_twice_and_both_match(shop) {
        let (_, refund) = refunded(&shop).await;
        let call = send_back(&shop, refund).await;
        let reference = Some(call.to_string().parse().unwrap());
        let line = |line, amount| SettlementLine { line, reference: reference.clone(), amount: euro(amount), date: None, kind: None };
        let read = async |lines: Vec<SettlementLine>| {
            let mut unit = shop.begin().await;
            let lines = lines.into_iter().map(Ok::<_, Infallible>);
            reconcile(&mut unit, &"sandbox".parse().unwrap(), Span::ALL, lines).await.unwrap()
        };
        let found = read(vec![line(2, "-100.00"), line(3, "100.00")]).await;
        assert_eq!((found.matched.len(), found.differing.len(), found.duplicates.len(), found.astray.len()), (2, 0, 0, 0), "{found:?}");
        // One of the two is missing, one is not what it was, and one comes twice.
        let found = read(vec![line(2, "-100.00")]).await;
        let missing: Vec<_> = found.missing_there.iter().filter(|one| one.payment == refund.subject()).collect();
        assert_eq!((missing.len(), missing[0].amount), (1, euro("100.00")));
        let found = read(vec![line(2, "-100.00"), line(3, "99.00"), line(4, "-100.00")]).await;
        assert_eq!((found.matched.len(), found.differing.len(), found.duplicates.len()), (1, 1, 1), "{found:?}");
    }

    async fn the_history_of_a_rejected_order_has_it(shop) {
        let id = shop.paid(terms()).await;
        let AnyOrder::Rejected(order) = shop.act(id, Command::Reject {}, user("sam")).await else { panic!("rejected") };
        let refund = order.state().refund();
        act_on(&shop, refund, refund::Command::Approve {}, ops()).await.unwrap();
        shop.send().await;
        send_back(&shop, refund).await;
        send_again(&shop, refund, Route::Wallet).await;
        let order = shop.order(id).await;
        assert_eq!((order.status(), order.facts().aftermath().notes().len()), (Status::Rejected, 3));
        assert_eq!(wallet(&shop, "anna").await, euro("100.00"));
        audit(&shop).await;
    }
}
