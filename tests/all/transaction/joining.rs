//! Opening and joining: who may, on which terms, and what the index says of it.

use super::{Deal, anna, audit, euro, judy, opened_by, pricing, sam, terms};
use crate::harness::{bank, on_each_store, ops, party, user};
use escrowed::{
    deal::Side,
    lifecycle::Reason,
    money::MoneyError,
    party::{Actor, Stamp},
    payment::Destination,
    store::Query,
    transaction::{Action, AnyTransaction, Command, Person, Pricing, Status, Terms, Transaction, TransactionId},
};

fn at(by: Actor) -> Stamp {
    Stamp::new(by, crate::harness::START.parse().unwrap())
}

fn refused(terms: Terms, by: Actor) -> Reason {
    let at = at(by);
    let refused = Transaction::open(TransactionId::generate(at.at), terms.clone(), &at).unwrap_err();
    assert_eq!(refused.value, terms, "the terms come back as they were");
    refused.reason
}

#[test]
fn a_bank_account_is_named_by_who_can_vouch_for_it() {
    let seller = Some(Person::user(party("sam")));
    let open = |side, to| Terms { payout: Some(to), seller: seller.clone(), ..opened_by(side) };
    let account = || open(Side::Buyer, bank("ba_anna"));
    assert_eq!(refused(account(), anna()), Reason::OthersAccount(party("sam")));
    assert_eq!(refused(account(), judy()), Reason::OthersAccount(party("sam")));
    let opens = |terms: Terms, by| {
        let at = at(by);
        Transaction::open(TransactionId::generate(at.at), terms, &at).is_ok()
    };
    assert!(opens(account(), ops()), "the platform vouches");
    assert!(opens(open(Side::Seller, bank("ba_sam")), sam()));
    assert!(opens(open(Side::Buyer, Destination::Wallet), anna()));
}

#[test]
fn terms_that_make_no_transaction() {
    let with = |change: fn(&mut Pricing)| {
        let mut terms = terms();
        change(&mut terms.pricing);
        refused(terms, sam())
    };
    assert!(matches!(with(|p| p.amount = euro("0.00")), Reason::Money(MoneyError::Zero { .. })));
    assert!(matches!(with(|p| p.amount = euro("-1.00")), Reason::Money(MoneyError::Negative { .. })));
    let parts: [fn(&mut Pricing); 5] = [
        |p| p.amount_extra = euro("-0.01"),
        |p| p.fees.buyer = euro("-0.01"),
        |p| p.fees.buyer_client = euro("-0.01"),
        |p| p.fees.seller = euro("-0.01"),
        |p| p.fees.seller_client = euro("-0.01"),
    ];
    for part in parts {
        assert!(matches!(with(part), Reason::Money(MoneyError::Negative { .. })));
    }
    let mixed: [fn(&mut Pricing); 5] = [
        |p| p.amount_extra = "1.00 GBP".parse().unwrap(),
        |p| p.fees.buyer = "1.00 GBP".parse().unwrap(),
        |p| p.fees.buyer_client = "1.00 GBP".parse().unwrap(),
        |p| p.fees.seller = "1.00 GBP".parse().unwrap(),
        |p| p.fees.seller_client = "1.00 GBP".parse().unwrap(),
    ];
    for part in mixed {
        assert!(matches!(with(part), Reason::Money(MoneyError::Mixed { .. })));
    }
    let too_much = with(|p| p.fees.seller = euro("104.01"));
    assert_eq!(too_much, Reason::TooMuch { asked: euro("109.01"), available: euro("109.00") });
    let all = i64::MAX;
    let overflow: [fn(&mut Pricing, i64); 2] = [
        |p, all| p.amount = escrowed::money::Money::from_minor(all, p.amount.currency()),
        |p, all| {
            p.fees.buyer = escrowed::money::Money::from_minor(all, p.amount.currency());
        },
    ];
    for part in overflow {
        let mut terms = terms();
        part(&mut terms.pricing, all);
        assert!(matches!(refused(terms, sam()), Reason::Money(MoneyError::Overflow)));
    }
}

#[test]
fn sides_that_make_no_transaction() {
    assert!(matches!(refused(terms(), anna()), Reason::NotForOthers { .. }), "nobody sells for somebody else");
    assert!(matches!(refused(opened_by(Side::Buyer), sam()), Reason::NotForOthers { .. }));
    let with = |change: fn(&mut Terms)| {
        let mut terms = terms();
        change(&mut terms);
        refused(terms, sam())
    };
    assert_eq!(with(|t| t.buyer = Some(Person::guest(party("sam")))), Reason::SameParty);
    assert!(matches!(with(|t| t.seller = None), Reason::Missing { .. }));
    // For the creator, an office may open it.
    assert!(Transaction::open(TransactionId::generate(at(ops()).at), terms(), &at(ops())).is_ok());
}

#[test]
fn what_everybody_owes_and_gets() {
    let pricing = pricing();
    let minor = |money: Result<escrowed::money::Money, MoneyError>| money.unwrap().minor();
    assert_eq!(minor(pricing.owed()), 11_500);
    assert_eq!((minor(pricing.for_client()), minor(pricing.for_platform())), (900, 500));
}

on_each_store! {
    async fn the_other_side_joins(shop) {
        for (creator, other, by) in [(Side::Seller, "anna", anna()), (Side::Buyer, "sam", sam())] {
            let deal = Deal::opened(&shop, opened_by(creator)).await;
            let known = shop.find(&Query::Party(party(other))).await;
            assert!(!known.contains(&deal.id.subject()), "{other} is on no side yet");
            let joined = deal.act(by.clone(), Command::Join {}).await;
            assert_eq!(joined.status(), Status::Joined);
            let terms = joined.facts().terms();
            assert_eq!(terms.buyer, Some(Person::user(party("anna"))));
            assert_eq!(terms.seller, Some(Person::user(party("sam"))));
            assert_eq!(joined.facts().sides().side_of(&by), Some(creator.other()));
            assert!(shop.find(&Query::Party(party(other))).await.contains(&deal.id.subject()));
        }
        audit(&shop).await;
    }

    async fn the_creator_cannot_join(shop) {
        for (creator, by) in [(Side::Seller, sam()), (Side::Buyer, anna())] {
            let deal = Deal::opened(&shop, opened_by(creator)).await;
            let refused = deal.refused(by.clone(), Command::Join {}).await;
            let roles = vec!["other"];
            assert_eq!(refused, Reason::WrongActor { action: "join", status: "created", by, roles });
        }
    }

    async fn offices_the_clock_and_gateways_cannot_join(shop) {
        let deal = Deal::opened(&shop, terms()).await;
        for by in [ops(), judy(), Actor::Clock, Actor::Gateway] {
            assert!(matches!(deal.refused(by, Command::Join {}).await, Reason::WrongActor { .. }));
        }
    }

    async fn only_who_is_expected_joins(shop) {
        let deal = Deal::opened(&shop, Terms { buyer: Some(Person::guest(party("anna"))), ..terms() }).await;
        for by in [user("eve"), sam()] {
            assert!(matches!(deal.refused(by.clone(), Command::Join {}).await, Reason::WrongActor { .. }));
            let stamp = shop.escrow.stamp(by);
            assert!(!deal.now().await.actions(&stamp).any(|action| action == Action::Join));
        }
        let joined = deal.act(anna(), Command::Join {}).await;
        assert_eq!(joined.facts().terms().buyer, Some(Person::guest(party("anna"))), "she is still a guest");
    }

    async fn the_second_to_join_comes_too_late(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        let reason = Reason::WrongStatus { action: "join", status: "joined" };
        for by in [user("eve"), anna(), sam()] {
            assert_eq!(deal.refused(by, Command::Join {}).await, reason);
        }
        // Both had read it before either joined.
        let deal = Deal::opened(&shop, terms()).await;
        let load = || async {
            match deal.now().await {
                AnyTransaction::Created(created) => created,
                other => panic!("{other:?}"),
            }
        };
        let (first, second) = (load().await, load().await);
        let mut unit = shop.begin().await;
        first.join(&shop.escrow.stamp(anna())).unwrap().save(&mut unit).await.unwrap();
        let late = second.join(&shop.escrow.stamp(user("eve"))).unwrap().save(&mut unit).await.unwrap_err();
        assert!(matches!(late.why, escrowed::lifecycle::Failure::Stale));
        shop.commit(unit).await;
        assert_eq!(deal.now().await.facts().sides().buyer, Some(party("anna")));
    }

    async fn a_stranger_may_do_nothing_once_both_are_there(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        let stamp = shop.escrow.stamp(user("eve"));
        assert_eq!(deal.now().await.actions(&stamp).count(), 0);
        let created = Deal::opened(&shop, terms()).await;
        assert!(created.now().await.actions(&stamp).eq([Action::Join]), "to join is all there is for a stranger");
    }

    async fn opening_twice_is_refused(shop) {
        let at = at(sam());
        let id = TransactionId::generate(at.at);
        let mut unit = shop.begin().await;
        Transaction::open(id, terms(), &at).unwrap().save(&mut unit).await.unwrap();
        let again = Transaction::open(id, terms(), &at).unwrap().save(&mut unit).await.unwrap_err();
        assert!(matches!(again.why, escrowed::lifecycle::Failure::Stale));
    }
}
