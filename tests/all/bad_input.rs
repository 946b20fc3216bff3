//! Bad input and bad luck: each gets its own typed error, nothing is written, and the value comes back.

use crate::harness::{bank, euro, on_each_store, ops, party, terms, user};
use escrowed::{
    escrow::EscrowError,
    id::Subject,
    lifecycle::{Failure, Flaw, Reason, replay},
    money::{CurrencyError, FeeRule, Money, MoneyError, Share, SplitError},
    order::{AnyOrder, Command, Order, OrderId, Payee, PayoutPlan, Status, Terms},
    party::{Actor, Stamp},
    payment::{Method, PayoutId, payout},
    store::{Log, UnitOfWork},
    text::{Text, TextError},
    time::Timestamp,
};

fn stamp(by: Actor) -> Stamp {
    Stamp::new(by, crate::harness::START.parse().unwrap())
}

fn refused(terms: Terms) -> Reason {
    let at = stamp(ops());
    let refused = Order::open(OrderId::generate(at.at), terms.clone(), &at).unwrap_err();
    assert_eq!(refused.value, terms, "the terms come back as they were");
    refused.reason
}

#[test]
fn terms_that_make_no_order() {
    let with = |change: fn(&mut Terms)| {
        let mut terms = terms();
        change(&mut terms);
        terms
    };
    assert!(matches!(refused(with(|t| t.amount = euro("0.00"))), Reason::Money(MoneyError::Zero { .. })));
    assert!(matches!(refused(with(|t| t.amount = euro("-1.00"))), Reason::Money(MoneyError::Negative { .. })));
    assert!(matches!(refused(with(|t| t.amount = "1.00 USD".parse().unwrap())), Reason::Fee(_)));
    assert!(matches!(refused(with(|t| t.amount = euro("4.99"))), Reason::Fee(_)), "the fee is at least 5.00");
    assert_eq!(refused(with(|t| t.buyer = Some(party("sam")))), Reason::SameParty);
    assert_eq!(
        refused(with(|t| t.payin_intents = Some(0))),
        Reason::OutOfRange { what: "the number of payin intents", least: 1, most: u64::from(u32::MAX) }
    );
    let crowded = with(|t| t.images = vec!["https://example.org/a.png".parse().unwrap(); 21]);
    assert!(matches!(refused(crowded), Reason::OutOfRange { .. }));
}

#[test]
fn amounts_and_texts_that_are_none() {
    assert!(matches!("1.001 EUR".parse::<Money>(), Err(MoneyError::TooPrecise { allowed: 2, given: 3, .. })));
    assert!(matches!("1.5 JPY".parse::<Money>(), Err(MoneyError::TooPrecise { allowed: 0, .. })));
    assert!(matches!("1.0001 KWD".parse::<Money>(), Err(MoneyError::TooPrecise { allowed: 3, .. })));
    assert!(matches!("92233720368547758.08 EUR".parse::<Money>(), Err(MoneyError::Overflow)));
    assert!(matches!("1.00 XYZ".parse::<Money>(), Err(MoneyError::Currency(CurrencyError::Unknown { .. }))));
    assert!(matches!(euro("1.00").checked_add("1.00 USD".parse().unwrap()), Err(MoneyError::Mixed { .. })));
    assert!(matches!(Text::<200>::new(&"x".repeat(201)), Err(TextError::TooLong { limit: 200, length: 201 })));
    let sneaky = serde_json::json!({ "name": "x".repeat(201), "amount": { "amount": 1, "currency": "EUR" },
        "seller": "sam", "platform": "shop", "gateway": "sandbox" });
    assert!(serde_json::from_value::<Terms>(sneaky).is_err(), "a limit cannot be passed by way of JSON");
}

on_each_store! {
    async fn a_wrong_status_or_person_changes_nothing(shop) {
        let id = shop.open(terms()).await;
        let before = format!("{:?}", shop.order(id).await);
        let early = shop.try_act(id, Command::Accept { payout: None }, user("sam")).await;
        let wanted = Reason::WrongStatus { action: "accept", status: "PENDING_PUBLISH" };
        assert!(matches!(early, Err(EscrowError::Refused(reason)) if reason == wanted));
        for who in [user("eve"), user("sam"), Actor::arbiter(party("judge")), Actor::Clock, Actor::Gateway] {
            let refused = shop.try_act(id, Command::Cancel {}, who.clone()).await;
            assert!(matches!(refused, Err(EscrowError::Refused(Reason::WrongActor { by, .. })) if by == who));
        }
        assert_eq!(format!("{:?}", shop.order(id).await), before);
    }

    async fn nobody_buys_for_somebody_else(shop) {
        let mut unit = shop.begin().await;
        let id = shop.escrow.open_order(&mut unit, terms(), ops()).await.unwrap().id();
        shop.commit(unit).await;
        let by = |buyer, who| (Command::IdentifyBuyer { buyer: party(buyer) }, who);
        for (command, who) in [by("anna", user("eve")), by("sam", ops()), by("sam", user("sam"))] {
            assert!(matches!(shop.try_act(id, command, who).await, Err(EscrowError::Refused(_))));
        }
        // Anybody might turn out to be the buyer, which is no reason to let anybody cancel.
        let refused = shop.try_act(id, Command::Cancel {}, user("eve")).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::Missing { .. }))));
        let order = shop.order(id).await;
        assert!(order.actions(&stamp(user("eve"))).eq([escrowed::order::Action::IdentifyBuyer]));
        shop.act(id, Command::IdentifyBuyer { buyer: party("anna") }, ops()).await;
    }

    async fn an_unknown_order(shop) {
        let id = OrderId::generate(shop.now());
        let unknown = shop.try_act(id, Command::Cancel {}, ops()).await;
        assert!(matches!(unknown, Err(EscrowError::Unknown(subject)) if subject == id.subject()));
    }

    async fn a_stale_value_is_refused_and_comes_back(shop) {
        let id = shop.paid(terms()).await;
        let AnyOrder::Published(stale) = shop.order(id).await else { panic!() };
        shop.act(id, Command::Accept { payout: None }, user("sam")).await;
        let taken = stale.reject(&shop.escrow.stamp(user("sam"))).unwrap();
        let mut unit = shop.begin().await;
        let unsaved = taken.save(&mut unit).await.unwrap_err();
        assert!(matches!(unsaved.why, Failure::Stale));
        assert_eq!(unsaved.transition.value().status(), Status::Rejected);
        drop(unit);
        assert_eq!(shop.status(id).await, Status::Accepted);
        assert!(shop.refunds(id).await.is_empty(), "not half of it either");
        shop.audit().await;
    }

    async fn a_refused_step_hands_the_value_back(shop) {
        let id = shop.paid(terms()).await;
        let AnyOrder::Published(order) = shop.order(id).await else { panic!() };
        let fixed = |amount| Payee { party: party("sam"), share: Share::Fixed(amount), to: bank("ba") };
        let at = shop.escrow.stamp(user("sam"));
        let refused = order.accept_with(PayoutPlan::among([fixed(euro("90.01"))]), &at).unwrap_err();
        assert!(matches!(refused.reason, Reason::Split(SplitError::Exceeded { .. })));
        let refused = refused.value.accept_with(PayoutPlan::among([fixed(euro("89.99"))]), &at).unwrap_err();
        assert!(matches!(refused.reason, Reason::Split(SplitError::LeftOver { .. })));
        let refused = refused.value.accept_with(PayoutPlan::among([]), &at).unwrap_err();
        assert!(matches!(refused.reason, Reason::Split(SplitError::Empty)));
        let refused = refused.value.accept(&shop.escrow.stamp(user("anna"))).unwrap_err();
        // The value is as good as before.
        let accepted = refused.value.accept_with(PayoutPlan::among([fixed(euro("90.00"))]), &at).unwrap();
        assert_eq!(accepted.commits().len(), 1, "two events, one commit");
        assert_eq!(accepted.commits()[0].records().len(), 2);
        let mut unit = shop.begin().await;
        accepted.save(&mut unit).await.unwrap();
        shop.commit(unit).await;
    }

    async fn opening_twice_is_refused(shop) {
        let at = stamp(ops());
        let id = OrderId::generate(at.at);
        let mut unit = shop.begin().await;
        Order::open(id, terms(), &at).unwrap().save(&mut unit).await.unwrap();
        let again = Order::open(id, terms(), &at).unwrap().save(&mut unit).await.unwrap_err();
        assert!(matches!(again.why, Failure::Stale));
    }

    async fn a_fee_that_no_longer_fits(shop) {
        let id = shop.paid(terms()).await;
        shop.act(id, Command::RefundPart { amount: euro("80.00") }, ops()).await;
        let fee = Some(FeeRule::flat(euro("20.01")).unwrap());
        let changes = escrowed::order::Amendment { fee, ..Default::default() };
        let refused = shop.try_act(id, Command::Amend { changes }, ops()).await;
        assert!(matches!(refused, Err(EscrowError::Refused(Reason::TooMuch { .. }))));
    }

    async fn an_unknown_payout(shop) {
        let mut unit = shop.begin().await;
        let id = PayoutId::generate(shop.now());
        let unknown = shop.escrow.act_on_payout(&mut unit, id, payout::Command::Cancel {}, ops()).await;
        assert!(matches!(unknown, Err(EscrowError::Unknown(_))));
    }

    async fn a_value_from_a_rolled_back_unit_is_stale(shop) {
        let id = shop.paid(terms()).await;
        let mut unit = shop.begin().await;
        let AnyOrder::Published(order) = shop.escrow.load(&mut unit, id).await.unwrap() else { panic!() };
        let accepted = order.accept(&shop.escrow.stamp(user("sam"))).unwrap().save(&mut unit).await.unwrap();
        drop(unit);
        let mut unit = shop.begin().await;
        let plan = PayoutPlan::to(party("sam"), bank("ba"));
        let unsaved = accepted.set_payout(plan, &shop.escrow.stamp(user("sam"))).unwrap().save(&mut unit).await;
        assert!(matches!(unsaved.unwrap_err().why, Failure::Stale));
    }

    async fn a_log_that_is_no_history_is_never_guessed_at(shop) {
        let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba"))).await;
        shop.act(id, Command::Validate {}, ops()).await;
        shop.send().await;
        let mut unit = shop.begin().await;
        let log = unit.log(id.subject()).await.unwrap().unwrap();
        assert_eq!(format!("{:?}", replay::<AnyOrder>(&log).unwrap()), format!("{:?}", shop.escrow.load(&mut unit, id).await.unwrap()));
        let spoiled = |spoil: &dyn Fn(&mut Log)| {
            let mut log = log.clone();
            spoil(&mut log);
            replay::<AnyOrder>(&log).map(|order| order.status()).unwrap_err().flaw
        };
        assert!(matches!(spoiled(&|log| log.records.clear()), Flaw::Empty));
        assert!(matches!(spoiled(&|log| drop(log.records.remove(0))), Flaw::Gap { expected: 1, found: 2 }));
        assert!(matches!(spoiled(&|log| drop(log.records.remove(3))), Flaw::Gap { expected: 4, found: 5 }));
        assert!(matches!(spoiled(&|log| log.records.swap(1, 2)), Flaw::Gap { .. }));
        assert!(matches!(spoiled(&|log| log.records[2].version = 2), Flaw::FutureVersion { found: 2, known: 1 }));
        assert!(matches!(spoiled(&|log| log.records[2].name = "steal".into()), Flaw::UnknownEvent { .. }));
        assert!(matches!(spoiled(&|log| log.records[0].name = "accept".into()), Flaw::UnknownEvent { .. }));
        assert!(matches!(spoiled(&|log| log.records[3].body.truncate(5)), Flaw::Unreadable(_)));
        assert!(matches!(spoiled(&|log| log.records[3].body = log.records[3].body.replace("10000", "10001")),
            Flaw::Illegal(Reason::WrongAmount { .. })));
        assert!(matches!(spoiled(&|log| log.records[4].stamp.by = user("eve")), Flaw::Illegal(Reason::WrongActor { .. })));
        let payin: Subject = "pi_01kr1hgnqred6999kp7cqmx8ss".parse().unwrap();
        assert!(matches!(spoiled(&|log| log.subject = payin), Flaw::OtherKind(_)));
        // Every amount of the settlement is recomputed: none can be altered.
        let at = log.records.iter().position(|record| record.name == "validate").unwrap();
        for (from, to) in [("9000", "9001"), ("1000,", "1001,"), ("\"sam\"", "\"eve\""), ("\"ba\"", "\"bb\"")] {
            assert!(log.records[at].body.contains(from), "{}", log.records[at].body);
            let altered = spoiled(&|log| log.records[at].body = log.records[at].body.replace(from, to));
            assert!(matches!(altered, Flaw::Illegal(_)), "{altered:?}");
        }
        // Cut short anywhere, it is a shorter history or none, never a different one.
        for length in 1..log.records.len() {
            let mut short = log.clone();
            short.records.truncate(length);
            let order = replay::<AnyOrder>(&short).unwrap();
            assert!(order.history().by_time().len() <= length);
        }
    }

    async fn time_is_not_a_matter_of_opinion(shop) {
        let late: Timestamp = "9999-12-31T23:59:59.999999Z".parse().unwrap();
        let id = shop.open(terms()).await;
        let mut unit = shop.begin().await;
        let AnyOrder::PendingPublish(order) = shop.escrow.load(&mut unit, id).await.unwrap() else { panic!() };
        let paid = order.pay(Method::Card, &Stamp::new(user("anna"), late)).unwrap().save(&mut unit).await.unwrap();
        assert!(paid.state().payin().is_some());
        shop.commit(unit).await;
        assert_eq!(shop.escrow.send(&"worker".parse().unwrap(), 10).await.unwrap().taken, 0, "not due for 8,000 years");
    }
}
