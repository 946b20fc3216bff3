//! Exemptions: their evidence, their limits, and what becomes of them when the payer's bank says no.

use super::*;
use crate::harness::on_each_store;
use escrowed::{
    escrow::EscrowError,
    lifecycle::Reason,
    money::Share,
    movement::{Frame, Plan},
    order::{Payee, Status},
    payment::{Destination, payin::Terms as PayinTerms},
    sandbox::{Behaviour, Resolution},
    sca::{Authentication, Binding, Exemption, Liability, Limits, NotExempt},
};
use std::time::Duration;

fn not_exempt<T: std::fmt::Debug, E: std::fmt::Debug>(refused: Result<T, EscrowError<E>>) -> NotExempt {
    match refused {
        Err(EscrowError::Refused(Reason::NotExempt(why))) => why,
        other => panic!("{other:?}"),
    }
}

/// An order of €100 that tom sells.
fn by_tom() -> Terms {
    Terms { seller: party("tom"), fees: None, ..terms() }
}

fn risk(fraud: &str) -> Needs {
    Needs::TransactionRisk { fraud: fraud.parse().unwrap() }
}

on_each_store! {
    async fn an_exemption_is_recorded_and_makes_the_platform_liable(shop) {
        let first = passed(&shop, "100.00").await;
        let needs = [
            (Needs::TrustedBeneficiary { listed: first }, "trusted_beneficiary"),
            (Needs::Recurring { first }, "recurring"),
            (risk("0.13%"), "transaction_risk"),
            (Needs::Corporate, "corporate"),
        ];
        for (need, name) in needs {
            let payin = pay(&shop, "100.00", need).await.unwrap();
            shop.send().await;
            let paid = confirmed(&shop, payin).await;
            assert_eq!(paid.facts().authentication.exemption().map(Exemption::name), Some(name));
            assert_eq!((paid.is_authenticated(), paid.liability()), (false, Liability::Platform));
        }
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn a_bank_that_insists_on_a_challenge_has_one_for_the_same_payin(shop) {
        shop.gateway().script(Verb::Charge, [Behaviour::Challenge { until: None }]);
        let id = order(&shop, euro("100.00")).await;
        let payin = try_pay(&shop, id, Method::Card, anna(risk("0.13%"))).await.unwrap();
        assert!(!created(&shop, payin).await.is_exemption_refused());
        shop.send().await;
        let waiting = created(&shop, payin).await;
        assert!(waiting.is_exemption_refused() && waiting.state().direct_link().is_some());
        let response = shop.gateway().response(&charge(payin)).unwrap();
        on_payin(&shop, payin, payin::Command::ComeBack { response }, user("anna")).await.unwrap();
        shop.gateway().resolve(&charge(payin), Resolution::Settle).unwrap();
        for report in shop.gateway().reports() {
            shop.hear(&report).await;
        }
        let paid = confirmed(&shop, payin).await;
        assert_eq!((paid.is_authenticated(), paid.liability()), (true, Liability::Issuer));
        assert_eq!((shop.status(id).await, shop.payins(id).await.len()), (Status::Published, 1));
        shop.audit().await;
        shop.audit_calls().await;
    }

    async fn once_a_bank_insists_no_exemption_is_believed(shop) {
        use escrowed::{gateway::{Outcome, Report}, sca::Assurance};
        shop.gateway().script(Verb::Charge, [Behaviour::Challenge { until: None }]);
        let payin = pay(&shop, "100.00", risk("0.13%")).await.unwrap();
        shop.send().await;
        let outcome = Outcome::Assured { moved: euro("100.00"), assurance: Assurance::EXEMPT };
        let refused = shop.try_report(&Report { key: charge(payin), outcome }).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::NotAuthenticated(_)))), "{refused:?}");
        assert_eq!(shop.balance("world:sandbox").await, euro("0.00"));
    }

    async fn low_risk_goes_up_to_what_the_fraud_rate_allows(shop) {
        for (fraud, fits, beyond) in
            [("0.13%", "100.00", "100.01"), ("0.06%", "250.00", "250.01"), ("0.01%", "500.00", "500.01")]
        {
            pay(&shop, fits, risk(fraud)).await.unwrap();
            assert!(matches!(not_exempt(pay(&shop, beyond, risk(fraud)).await), NotExempt::TooMuch { .. }));
        }
        assert!(matches!(not_exempt(pay(&shop, "0.01", risk("0.1301%")).await), NotExempt::TooMuchFraud { .. }));
        let id = order(&shop, euro("100.00")).await;
        let wire = || Method::BankWire { refund_to: "ba_anna".parse().unwrap() };
        let refused = try_pay(&shop, id, wire(), anna(risk("0.13%"))).await;
        assert!(matches!(not_exempt(refused), NotExempt::TooMuchFraud { .. }));
        try_pay(&shop, id, wire(), anna(risk("0.015%"))).await.unwrap();
        shop.send().await;
        assert_eq!(shop.status(id).await, Status::Published);
        shop.audit().await;
    }

    async fn an_earlier_payin_without_a_challenge_is_no_evidence(shop) {
        let exempt = pay(&shop, "100.00", risk("0.13%")).await.unwrap();
        shop.send().await;
        let id = order(&shop, euro("100.00")).await;
        let by_gateway = try_pay(&shop, id, Method::Card, user("anna")).await.unwrap();
        shop.gateway().script_call(&charge(by_gateway), [Behaviour::Pend]);
        shop.send().await;
        for earlier in [exempt, by_gateway] {
            for needs in [
                Needs::TrustedBeneficiary { listed: earlier },
                Needs::Recurring { first: earlier },
                Needs::MerchantInitiated { mandate: earlier },
            ] {
                let id = order(&shop, euro("100.00")).await;
                let refused = try_pay(&shop, id, Method::Card, ops().needing(needs, party("sam"))).await;
                assert_eq!(not_exempt(refused), NotExempt::NoChallenge(earlier.subject()));
                assert!(shop.payins(id).await.is_empty(), "nothing was opened");
            }
        }
        shop.settle_down().await;
        shop.audit().await;
    }

    async fn an_earlier_payin_of_another_payer_payee_or_amount_is_no_evidence(shop) {
        let first = passed(&shop, "100.00").await;
        let other = |what| NotExempt::Other { earlier: first.subject(), what };
        for needs in [Needs::TrustedBeneficiary { listed: first }, Needs::Recurring { first }] {
            let id = shop.open(by_tom()).await;
            let refused = try_pay(&shop, id, Method::Card, user("anna").needing(needs, party("tom"))).await;
            assert_eq!(not_exempt(refused), other("payee"));
        }
        assert_eq!(not_exempt(pay(&shop, "100.01", Needs::Recurring { first }).await), other("amount"));
        pay(&shop, "100.01", Needs::TrustedBeneficiary { listed: first }).await.unwrap();

        let mut of_bob = terms();
        of_bob.buyer = Some(party("bob"));
        let mut unit = shop.begin().await;
        let id = shop.escrow.open_order(&mut unit, of_bob, ops()).await.unwrap().id();
        shop.escrow.act(&mut unit, id, Command::IdentifyBuyer { buyer: party("bob") }, user("bob")).await.unwrap();
        shop.commit(unit).await;
        let bob = user("bob").needing(Needs::Recurring { first }, party("sam"));
        assert_eq!(not_exempt(try_pay(&shop, id, Method::Card, bob).await), other("payer"));
    }

    async fn evidence_of_one_payee_does_not_exempt_what_another_is_paid(shop) {
        let first = passed(&shop, "100.00").await;
        let trusted = Needs::TrustedBeneficiary { listed: first };
        for needs in [trusted, Needs::Recurring { first }, Needs::MerchantInitiated { mandate: first }] {
            let who = if matches!(needs, Needs::MerchantInitiated { .. }) { ops() } else { user("anna") };
            let id = shop.open(by_tom()).await;
            // It is tom who is paid, whoever is named.
            let refused = try_pay(&shop, id, Method::Card, who.needing(needs, party("sam"))).await;
            let Err(EscrowError::Refused(reason)) = refused else { panic!("{refused:?}") };
            assert_eq!(reason, Reason::WrongPayee { expected: party("tom"), found: party("sam") });
            assert!(shop.payins(id).await.is_empty(), "nothing was opened");
        }
    }

    async fn evidence_of_one_payee_does_not_exempt_what_several_are_paid(shop) {
        let first = passed(&shop, "100.00").await;
        let (until, gateway) = (shop.now().plus(Duration::from_secs(86_400)), "sandbox".parse().unwrap());
        let frame = Frame::new("The gig".parse().unwrap(), until, party("shop"), gateway);
        let payee = |name: &str| Payee { party: party(name), share: Share::Rest, to: Destination::Wallet };
        let payees = vec![payee("sam"), payee("tom")];
        let plan = Plan::one_to_many(frame, party("anna"), Method::Card, euro("100.00"), payees);
        let trusted = anna(Needs::TrustedBeneficiary { listed: first });
        let mut unit = shop.begin().await;
        let refused = shop.escrow.move_money(&mut unit, plan.clone(), trusted).await;
        assert_eq!(not_exempt(refused), NotExempt::Other { earlier: first.subject(), what: "payee" });
        drop(unit);
        let mut unit = shop.begin().await;
        shop.escrow.move_money(&mut unit, plan, anna(Needs::Challenge)).await.unwrap();
        shop.commit(unit).await;
        shop.settle_down().await;
        shop.audit().await;
    }

    async fn a_merchant_takes_what_was_agreed_without_the_payer(shop) {
        let mandate = passed(&shop, "100.00").await;
        let needs = || Needs::MerchantInitiated { mandate };
        assert_eq!(not_exempt(pay(&shop, "37.00", needs()).await), NotExempt::ByPayer);
        let id = order(&shop, euro("37.00")).await;
        let payin = try_pay(&shop, id, Method::Card, ops().needing(needs(), party("sam"))).await.unwrap();
        shop.send().await;
        let paid = confirmed(&shop, payin).await;
        assert_eq!(paid.liability(), Liability::Platform);
        let mandate = mandate.subject();
        assert_eq!(paid.facts().authentication.exemption(), Some(&Exemption::MerchantInitiated { mandate }));
        shop.audit().await;
    }

    async fn what_went_back_whole_is_no_evidence_any_more(shop) {
        let id = order(&shop, euro("100.00")).await;
        let first = try_pay(&shop, id, Method::Card, anna(Needs::Challenge)).await.unwrap();
        shop.send().await;
        shop.act(id, Command::Cancel {}, ops()).await;
        shop.send().await;
        assert_eq!(shop.load(first).await.status(), payin::Status::Refunded);
        let refused = pay(&shop, "100.00", Needs::Recurring { first }).await;
        assert_eq!(not_exempt(refused), NotExempt::NoChallenge(first.subject()));
    }

    async fn an_exemption_without_its_evidence_is_refused(shop) {
        let about = order(&shop, euro("100.00")).await.subject();
        let at = shop.escrow.stamp(user("anna"));
        let claimed = PayinTerms {
            about,
            payer: party("anna"),
            amount: euro("100.00"),
            method: Method::Card,
            capture: escrowed::gateway::Capture::Now,
            gateway: "sandbox".parse().unwrap(),
            expires: None,
            authentication: Authentication::Exempt {
                exemption: Exemption::Corporate, binding: Binding::to(party("sam")),
            },
        };
        let refused = Payin::open(PayinId::generate(at.at), claimed, &at).map(drop).unwrap_err();
        assert!(matches!(refused.reason, Reason::NotThisWay { .. }));
    }

    async fn in_another_currency_limits_have_to_be_given(shop) {
        let yen = |minor| escrowed::money::Money::from_minor(minor, escrowed::money::Currency::JPY);
        let open = async |shop: &Shop<_>, minor, needs| {
            let id = order(shop, yen(minor)).await;
            try_pay(shop, id, Method::Card, anna(needs)).await
        };
        for needs in [Needs::LowValue, risk("0.13%")] {
            let refused = not_exempt(open(&shop, 100, needs).await);
            assert_eq!(refused, NotExempt::NoLimits { currency: escrowed::money::Currency::JPY });
        }
        open(&shop, 100, Needs::Challenge).await.unwrap();
        let limits = Limits::of([yen(4_800), yen(16_000)], [yen(16_000), yen(40_000), yen(80_000)]).unwrap();
        let shop = Shop { escrow: shop.escrow.with_limits(limits) };
        open(&shop, 16_000, risk("0.13%")).await.unwrap();
        assert!(matches!(not_exempt(open(&shop, 16_001, risk("0.13%")).await), NotExempt::TooMuch { .. }));
        open(&shop, 4_800, Needs::LowValue).await.unwrap();
        assert!(matches!(not_exempt(open(&shop, 4_801, Needs::LowValue).await), NotExempt::TooMuch { .. }));
        // What counts in one currency cannot be added to what counts in another.
        assert!(matches!(not_exempt(pay(&shop, "10.00", Needs::LowValue).await), NotExempt::Money(_)));
    }
}
