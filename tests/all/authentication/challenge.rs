//! A challenge that is passed, fails, ends, or comes back forged.

use super::*;
use crate::harness::{on_each_store, worker};
use escrowed::{
    escrow::{EscrowError, Reported},
    gateway::{Outcome, Report},
    lifecycle::Reason,
    money::Currency,
    order::Status,
    party::Actor,
    sandbox::{Behaviour, Resolution},
    sca::{Assurance, Forged, Liability, Response, ReturnCode},
    store::{CallStatus, Outbox},
    time::Timestamp,
};
use std::time::Duration;

/// The payin of an order of €100 of which the gateway has said that anna has to pass a challenge, until then.
async fn challenged<S: Store>(shop: &Shop<S>, until: Option<Timestamp>) -> (OrderId, PayinId) {
    shop.gateway().script(Verb::Charge, [Behaviour::Challenge { until }]);
    let id = order(shop, euro("100.00")).await;
    let payin = try_pay(shop, id, Method::Card, anna(Needs::Challenge)).await.unwrap();
    shop.send().await;
    (id, payin)
}

async fn hear_all<S: Store>(shop: &Shop<S>) {
    for report in shop.gateway().reports() {
        shop.hear(&report).await;
    }
}

on_each_store! {
    async fn a_challenge_that_is_passed_confirms_the_payin_and_makes_the_bank_liable(shop) {
        let until = shop.now().plus(Duration::from_secs(600));
        let (id, payin) = challenged(&shop, Some(until)).await;
        let waiting = created(&shop, payin).await;
        let challenge = waiting.sca().challenge().expect("a challenge");
        assert_eq!((challenge.until, Some(&challenge.direct_link)), (Some(until), waiting.state().direct_link()));
        assert_eq!(waiting.deadline(), Some(until));
        assert!(!waiting.is_exemption_refused() && !waiting.is_authenticated());
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"), "nothing is booked before the gateway settles");

        let response = shop.gateway().response(&charge(payin)).unwrap();
        let back = on_payin(&shop, payin, payin::Command::ComeBack { response }, user("anna")).await.unwrap();
        assert_eq!(back.status(), payin::Status::Created, "only the gateway confirms");
        assert_eq!(shop.status(id).await, Status::PendingPublish);
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));

        shop.gateway().resolve(&charge(payin), Resolution::Settle).unwrap();
        hear_all(&shop).await;
        let paid = confirmed(&shop, payin).await;
        assert_eq!((paid.is_authenticated(), paid.liability()), (true, Liability::Issuer));
        assert!(paid.sca().came_back() && paid.deadline().is_none());
        assert_eq!(shop.status(id).await, Status::Published);
        assert_eq!(shop.balance("world:sandbox").await, euro("-100.00"), "the gateway holds it");
        assert_eq!(events(&shop, payin).await, ["open", "challenge", "come_back", "assure", "confirm", "hand_over"]);
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn the_payer_may_come_back_after_the_money(shop) {
        let (_, payin) = challenged(&shop, None).await;
        shop.gateway().resolve(&charge(payin), Resolution::Settle).unwrap();
        hear_all(&shop).await;
        let response = shop.gateway().response(&charge(payin)).unwrap();
        let back = || payin::Command::ComeBack { response: response.clone() };
        assert_eq!(on_payin(&shop, payin, back(), user("anna")).await.unwrap().status(), payin::Status::Confirmed);
        let again = on_payin(&shop, payin, back(), user("anna")).await;
        assert!(matches!(again, Err(EscrowError::Refused(Reason::Forged(Forged::Replayed)))));
        shop.audit().await;
    }

    async fn a_challenge_that_ends_calls_the_payin_off_and_leaves_room_for_another(shop) {
        let (id, payin) = challenged(&shop, Some(shop.now().plus(Duration::from_secs(600)))).await;
        shop.escrow.clock().advance(Duration::from_secs(599));
        assert_eq!(shop.escrow.run_due(&worker(), 10).await.unwrap().taken, 0);
        shop.escrow.clock().advance(Duration::from_secs(1));
        assert_eq!(shop.escrow.run_due(&worker(), 10).await.unwrap().taken, 1);
        assert_eq!(shop.load(payin).await.status(), payin::Status::Cancelled);
        assert_eq!(shop.status(id).await, Status::PendingPublish);
        shop.send().await;
        hear_all(&shop).await;
        assert!(shop.gateway().pending().is_empty(), "the gateway waits no more");

        let second = try_pay(&shop, id, Method::Card, anna(Needs::Challenge)).await.unwrap();
        shop.send().await;
        assert_eq!(confirmed(&shop, second).await.liability(), Liability::Issuer);
        assert_eq!(shop.status(id).await, Status::Published);
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn who_passes_a_challenge_too_late_has_the_money_back(shop) {
        let (id, payin) = challenged(&shop, Some(shop.now().plus(Duration::from_secs(600)))).await;
        shop.escrow.clock().advance(Duration::from_secs(600));
        // The payer is faster than the void.
        shop.gateway().resolve(&charge(payin), Resolution::Settle).unwrap();
        shop.escrow.run_due(&worker(), 10).await.unwrap();
        let reports = shop.gateway().reports();
        for report in reports.iter().chain(&reports) {
            shop.hear(report).await;
        }
        shop.send().await;
        let AnyPayin::Cancelled(late) = shop.load(payin).await else { panic!() };
        assert!(late.state().after().bounced().is_some() && late.is_authenticated());
        assert_eq!(shop.status(id).await, Status::PendingPublish);
        assert_eq!(shop.gateway().net(Currency::EUR), euro("0.00"));
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn a_challenge_that_fails_is_a_failed_payment_that_may_be_tried_again(shop) {
        let (id, payin) = challenged(&shop, None).await;
        let reason: escrowed::text::Prose = "wrong code, three times".parse().unwrap();
        shop.gateway().resolve(&charge(payin), Resolution::Decline { reason: reason.clone() }).unwrap();
        hear_all(&shop).await;
        let AnyPayin::Denied(denied) = shop.load(payin).await else { panic!() };
        assert_eq!(denied.state().reason(), &reason);
        assert!(denied.sca().challenge().is_some() && !denied.is_authenticated());
        assert_eq!(shop.status(id).await, Status::Failure);
        shop.act(id, Command::Retry {}, user("anna")).await;
        try_pay(&shop, id, Method::Card, anna(Needs::Challenge)).await.unwrap();
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Published);
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn a_forged_response_changes_nothing(shop) {
        let (_, payin) = challenged(&shop, None).await;
        let right = shop.gateway().response(&charge(payin)).unwrap();
        let (_, other) = challenged(&shop, None).await;
        let forgeries = [
            Response { code: ReturnCode::generate(), ..right.clone() },
            Response { payin: other.subject(), ..right.clone() },
            Response { amount: euro("1.00"), ..right.clone() },
            Response { amount: "100.00 USD".parse().unwrap(), ..right.clone() },
            Response { payee: party("mallory"), ..right.clone() },
            // That of another payin, whole.
            shop.gateway().response(&charge(other)).unwrap(),
        ];
        for response in forgeries {
            let told = format!("{response:?}");
            let refused = on_payin(&shop, payin, payin::Command::ComeBack { response }, user("anna")).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::Forged(_)))), "{told}: {refused:?}");
            assert_eq!(events(&shop, payin).await, ["open", "challenge"]);
        }
        let back = || payin::Command::ComeBack { response: right.clone() };
        let stranger = on_payin(&shop, payin, back(), user("mallory")).await;
        assert!(matches!(stranger, Err(EscrowError::Refused(Reason::WrongActor { .. }))));
        on_payin(&shop, payin, back(), user("anna")).await.unwrap();
        let replayed = on_payin(&shop, payin, back(), user("anna")).await;
        assert!(matches!(replayed, Err(EscrowError::Refused(Reason::Forged(Forged::Replayed)))));
        assert_eq!(events(&shop, payin).await, ["open", "challenge", "come_back"]);
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
        shop.audit().await;
    }

    async fn a_payin_that_asked_for_nothing_knows_no_response(shop) {
        let id = order(&shop, euro("100.00")).await;
        shop.gateway().script(Verb::Charge, [Behaviour::Pend]);
        let payin = try_pay(&shop, id, Method::Card, user("anna")).await.unwrap();
        shop.send().await;
        assert_eq!(shop.gateway().response(&charge(payin)), None);
        let code = ReturnCode::generate();
        let response = Response { payin: payin.subject(), amount: euro("100.00"), payee: party("sam"), code };
        let refused = on_payin(&shop, payin, payin::Command::ComeBack { response }, user("anna")).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::Missing { .. }))));
    }

    async fn left_to_the_gateway_the_platform_is_liable_unless_the_gateway_says_more(shop) {
        for (behaviour, liability) in [
            (Behaviour::Settle, Liability::Platform),
            (Behaviour::Assure(Assurance { authenticated: false, liability: Liability::Issuer }), Liability::Issuer),
            (Behaviour::Assure(Assurance::AUTHENTICATED), Liability::Issuer),
            (Behaviour::Assure(Assurance::EXEMPT), Liability::Platform),
        ] {
            shop.gateway().script(Verb::Charge, [behaviour]);
            let id = order(&shop, euro("100.00")).await;
            let payin = try_pay(&shop, id, Method::Card, user("anna")).await.unwrap();
            shop.send().await;
            assert_eq!(confirmed(&shop, payin).await.liability(), liability);
            assert_eq!(shop.status(id).await, Status::Published);
        }
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn a_gateway_that_skips_the_challenge_is_found_out_and_the_money_goes_back(shop) {
        for behaviour in [Behaviour::Assure(Assurance::EXEMPT), Behaviour::Settle] {
            let id = order(&shop, euro("100.00")).await;
            let payin = try_pay(&shop, id, Method::Card, anna(Needs::Challenge)).await.unwrap();
            // The second one says nothing at all of the payer.
            let silent = behaviour == Behaviour::Settle;
            if silent {
                let settled = Report { key: charge(payin), outcome: Outcome::Settled { moved: euro("100.00") } };
                let refused = shop.try_report(&settled).await;
                assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotAuthenticated(_)))), "{refused:?}");
                continue;
            }
            shop.gateway().script(Verb::Charge, [behaviour]);
            assert_eq!(shop.escrow.send(&worker(), 10).await.unwrap().parked, 1);
            let call = shop.begin().await.call(&charge(payin)).await.unwrap().unwrap();
            assert!(call.status == CallStatus::Parked && call.problem.unwrap().as_str().contains("challenge"));
            assert_eq!((shop.status(id).await, shop.balance("world:sandbox").await), (Status::PendingPublish, euro("0.00")));

            // An operator calls it off, and lets the gateway be asked again.
            on_payin(&shop, payin, payin::Command::Cancel {}, ops()).await.unwrap();
            let mut unit = shop.begin().await;
            shop.escrow.requeue(&mut unit, &charge(payin)).await.unwrap();
            shop.commit(unit).await;
            shop.send().await;
            let AnyPayin::Cancelled(payin) = shop.load(payin).await else { panic!() };
            assert!(payin.state().after().bounced().is_some());
            assert_eq!(shop.gateway().net(Currency::EUR), euro("0.00"));
        }
        shop.settle_down().await;
        shop.audit().await;
    }

    async fn what_is_said_of_a_payer_is_said_of_charges_only(shop) {
        let id = shop.paid(terms()).await;
        shop.act(id, Command::Cancel {}, ops()).await;
        let refund = shop.refunds(id).await.remove(0).id();
        let link: escrowed::text::Link = "https://example.org".parse().unwrap();
        for outcome in [
            Outcome::Assured { moved: euro("100.00"), assurance: Assurance::AUTHENTICATED },
            Outcome::Challenged { direct_link: link, until: None },
        ] {
            let report = Report { key: key(refund.subject(), Verb::Refund), outcome };
            assert!(matches!(shop.try_report(&report).await, Err(EscrowError::Contradiction { .. })));
        }
        shop.settle_down().await;
        shop.audit().await;
    }

    async fn reports_of_a_challenge_come_in_any_order_and_twice(shop) {
        let (_, payin) = challenged(&shop, None).await;
        let link: escrowed::text::Link = "https://example.org".parse().unwrap();
        let challenge = Outcome::Challenged { direct_link: link.clone(), until: None };
        assert_eq!(shop.report(charge(payin), challenge.clone()).await, Reported::Taken, "another page");
        assert_eq!(shop.report(charge(payin), challenge.clone()).await, Reported::Repeated);
        assert_eq!(shop.report(charge(payin), Outcome::Pending { direct_link: None }).await, Reported::Late);
        assert_eq!(created(&shop, payin).await.state().direct_link(), Some(&link));
        let assured = |assurance| Outcome::Assured { moved: euro("100.00"), assurance };
        shop.gateway().resolve(&charge(payin), Resolution::Settle).unwrap();
        assert_eq!(shop.report(charge(payin), assured(Assurance::AUTHENTICATED)).await, Reported::Taken);
        assert_eq!(shop.report(charge(payin), assured(Assurance::AUTHENTICATED)).await, Reported::Repeated);
        assert_eq!(shop.report(charge(payin), Outcome::Settled { moved: euro("100.00") }).await, Reported::Repeated);
        assert_eq!(shop.report(charge(payin), challenge).await, Reported::Late);
        for contradiction in [
            assured(Assurance::EXEMPT),
            Outcome::Settled { moved: euro("99.99") },
            Outcome::Declined { reason: "no".parse().unwrap() },
        ] {
            let refused = shop.try_report(&Report { key: charge(payin), outcome: contradiction }).await;
            assert!(matches!(refused, Err(EscrowError::Contradiction { .. })), "{refused:?}");
        }
        assert_eq!(confirmed(&shop, payin).await.liability(), Liability::Issuer);
        shop.audit().await;
    }

    async fn a_reservation_needs_its_challenge_and_keeps_who_is_liable(shop) {
        let id = order(&shop, euro("100.00")).await;
        let at = shop.escrow.stamp(user("anna"));
        let AnyOrder::PendingPublish(pending) = shop.order(id).await else { panic!() };
        let reserving = payin::needing(pending.reserve(&at).unwrap(), party("sam"), payin::Need::Challenge).unwrap();
        let mut unit = shop.begin().await;
        shop.escrow.save(&mut unit, reserving, &at).await.unwrap();
        shop.commit(unit).await;
        let payin = shop.payin(id).await.id();
        shop.send().await;
        let AnyPayin::Authorized(reserved) = shop.load(payin).await else { panic!() };
        assert!(reserved.is_authenticated());
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"), "a reservation is not booked");
        on_payin(&shop, payin, payin::Command::Capture {}, ops()).await.unwrap();
        shop.send().await;
        assert_eq!(confirmed(&shop, payin).await.liability(), Liability::Issuer);
        assert_eq!(shop.balance("world:sandbox").await, euro("-100.00"));
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn a_wallet_needs_no_gateway_and_so_no_challenge(shop) {
        shop.fill_wallet("anna", euro("100.00")).await;
        let id = order(&shop, euro("100.00")).await;
        let refused = try_pay(&shop, id, Method::Wallet, anna(Needs::Challenge)).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotThisWay { .. }))), "{refused:?}");
        assert_eq!(shop.status(id).await, Status::PendingPublish);
        let payin = try_pay(&shop, id, Method::Wallet, user("anna")).await.unwrap();
        assert_eq!(confirmed(&shop, payin).await.liability(), Liability::Platform);
        shop.audit().await;
    }

    async fn needs_are_for_acts_that_open_a_payin(shop) {
        let id = order(&shop, euro("100.00")).await;
        let mut unit = shop.begin().await;
        let cancelled = shop.escrow.act(&mut unit, id, Command::Cancel {}, anna(Needs::Challenge)).await;
        assert!(matches!(cancelled, Err(EscrowError::Refused(Reason::NotThisWay { .. }))));
        let opened = shop.escrow.open_order(&mut unit, terms(), ops().needing(Needs::Challenge, party("sam"))).await;
        assert!(matches!(opened, Err(EscrowError::Refused(Reason::NotThisWay { .. }))));
        drop(unit);
        assert_eq!(shop.status(id).await, Status::PendingPublish);
    }

    async fn a_request_is_one_with_what_it_needs(shop) {
        let id = order(&shop, euro("20.00")).await;
        let asks = |needs| anna_under("anna-1").needing(needs, party("sam"));
        let first = try_pay(&shop, id, Method::Card, asks(Needs::Challenge)).await.unwrap();
        assert_eq!(try_pay(&shop, id, Method::Card, asks(Needs::Challenge)).await.unwrap(), first);
        for other in [asks(Needs::LowValue), anna_under("anna-1")] {
            let refused = try_pay(&shop, id, Method::Card, other).await;
            assert!(matches!(refused, Err(EscrowError::OtherRequest { .. })));
        }
    }
}

fn anna_under(key: &str) -> Caller {
    let anna: Actor = user("anna");
    anna.under(key.parse().unwrap())
}
