//! Joining and rejecting: who may, with which code, how often and until when.

use super::{Deal, HOUR, TICK, anna, opened_by, sam, terms, with_policy};
use crate::harness::{bank, euro, on_each_store, ops, party, user};
use escrowed::{
    deal::{Period, Side, Sides},
    face_to_face::{
        AnyFaceToFace, Charges, Command, FaceToFace, FaceToFaceId, JoinCode, JoinCodeError, Policy, Status, Terms,
    },
    lifecycle::Reason,
    money::MoneyError,
    party::{Actor, Stamp},
    payment::Destination,
    store::{Query, Store},
};

fn misses(deal: &AnyFaceToFace) -> u32 {
    let AnyFaceToFace::Created(deal) = deal else { panic!("{deal:?}") };
    deal.state().misses()
}

async fn code<S: Store>(deal: &Deal<'_, S>) -> JoinCode {
    deal.now().await.facts().terms().join_code.clone()
}

fn refused(terms: Terms, by: Actor) -> Reason {
    let at = Stamp::new(by, crate::harness::START.parse().unwrap());
    let deposit = terms.deposit;
    let refused = FaceToFace::open(FaceToFaceId::generate(at.at), terms, &at).unwrap_err();
    assert_eq!(refused.value.deposit, deposit, "the terms come back as they were");
    refused.reason
}

#[test]
fn a_bank_account_is_named_by_who_can_vouch_for_it() {
    let sides = |creator| Sides { buyer: Some(party("anna")), seller: Some(party("sam")), creator };
    let open = |side, to| Terms { payout: Some(to), sides: sides(side), ..opened_by(side) };
    let account = || open(Side::Buyer, bank("ba_anna"));
    assert_eq!(refused(account(), anna()), Reason::OthersAccount(party("sam")));
    let opens = |terms: Terms, by| {
        let at = Stamp::new(by, crate::harness::START.parse().unwrap());
        FaceToFace::open(FaceToFaceId::generate(at.at), terms, &at).is_ok()
    };
    assert!(opens(account(), ops()), "the platform vouches");
    assert!(opens(open(Side::Seller, bank("ba_sam")), sam()));
    assert!(opens(open(Side::Buyer, Destination::Wallet), anna()));
}

#[test]
fn terms_that_make_no_deal() {
    let with = |change: fn(&mut Terms)| {
        let mut terms = terms();
        change(&mut terms);
        terms
    };
    assert!(matches!(refused(with(|t| t.deposit = euro("0.00")), sam()), Reason::Money(MoneyError::Zero { .. })));
    assert!(matches!(refused(with(|t| t.deposit = euro("-50.00")), sam()), Reason::Money(MoneyError::Negative { .. })));
    assert!(matches!(refused(with(|t| t.deposit = euro("4.99")), sam()), Reason::TooMuch { .. }));
    assert!(matches!(refused(with(|t| t.deposit = "50.00 USD".parse().unwrap()), sam()), Reason::Money(_)));
    let negative = |t: &mut Terms| t.charges = Some(Charges { buyer: euro("-1.00"), seller: euro("1.00") });
    assert!(matches!(refused(with(negative), sam()), Reason::Money(MoneyError::Negative { .. })));
    let nobody = Sides { creator: Side::Seller, buyer: Some(party("anna")), seller: None };
    assert!(matches!(refused(Terms { sides: nobody, ..terms() }, sam()), Reason::Missing { .. }));
    let oneself = Sides { creator: Side::Seller, buyer: Some(party("sam")), seller: Some(party("sam")) };
    assert_eq!(refused(Terms { sides: oneself, ..terms() }, sam()), Reason::SameParty);
    assert!(matches!(refused(terms(), anna()), Reason::NotForOthers { .. }), "nobody opens a deal for somebody else");
}

#[test]
fn codes_are_read_in_either_case() {
    let code = JoinCode::generate();
    let json = serde_json::to_string(&code).unwrap();
    assert_eq!(json, format!("\"{code}\""));
    for typed in [json.clone(), json.to_ascii_uppercase()] {
        let read: JoinCode = serde_json::from_str(&typed).unwrap();
        assert!(read.matches(&code) && serde_json::to_string(&read).unwrap() == json, "{typed}");
    }
    for wrong in ["", "0123456789abcde", "0123456789abcdefg", "0123456789abcdei", "0123456789abcde ", "ßßßßßßßß"]
    {
        assert_eq!(wrong.parse::<JoinCode>().unwrap_err(), JoinCodeError, "{wrong}");
        assert!(serde_json::from_value::<JoinCode>(wrong.into()).is_err(), "{wrong}");
    }
    assert!(serde_json::from_str::<JoinCode>("1234").is_err());
}

#[test]
fn terms_keep_their_form_and_their_code() {
    let terms = Terms { skip_remainder: true, payout: Some(crate::harness::bank("ba")), ..terms() };
    let json = serde_json::to_value(&terms).unwrap();
    let read: Terms = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), json);
    assert!(read.join_code.matches(&terms.join_code));
    let mut sneaky = json;
    sneaky["held"] = 1.into();
    assert!(serde_json::from_value::<Terms>(sneaky).is_err());
    assert!(serde_json::from_str::<Policy>(r#"{"complaint": 0}"#).is_err(), "no period is nothing at all");
    assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
}

on_each_store! {
    async fn either_side_opens_and_the_other_joins(shop) {
        for (side, creator, other) in [(Side::Seller, sam(), anna()), (Side::Buyer, anna(), sam())] {
            let deal = Deal::opened(&shop, opened_by(side)).await;
            let code = code(&deal).await;
            let own = deal.refused(creator.clone(), Command::Join { code: &code }).await;
            assert!(matches!(own, Reason::WrongActor { action: "join", .. }), "nobody joins their own: {own}");
            let joined = deal.act(other.clone(), Command::Join { code: &code }).await;
            let sides = &joined.facts().terms().sides;
            assert_eq!((sides.side_of(&creator), sides.side_of(&other)), (Some(side), Some(side.other())));
            assert_eq!(sides.side_of(&user("eve")), None);
        }
        assert_eq!(shop.find(&Query::Party(party("anna"))).await.len(), 2);
        assert_eq!(shop.find(&Query::Party(party("sam"))).await.len(), 2);
        shop.audit().await;
    }

    async fn a_wrong_code_is_counted_and_the_tries_are_limited(shop) {
        let deal = Deal::opened(&shop, terms()).await;
        let (right, wrong) = (code(&deal).await, JoinCode::generate());
        for tried in 1..=5 {
            let command = if tried % 2 == 0 { Command::Join { code: &wrong } } else { Command::Reject { code: &wrong } };
            assert_eq!(misses(&deal.act(user("eve"), command).await), tried);
        }
        for code in [&wrong, &right] {
            for command in [Command::Join { code }, Command::Reject { code }] {
                assert_eq!(deal.refused(anna(), command).await, Reason::NoAttemptsLeft { limit: 5 });
            }
        }
        assert_eq!(deal.refused(anna(), Command::Miss {}).await, Reason::NoAttemptsLeft { limit: 5 });
        assert_eq!(misses(&deal.now().await), 5);
        // Its creator is not locked out.
        assert_eq!(deal.act(sam(), Command::Cancel {}).await.status(), Status::Cancelled);
        shop.audit().await;
    }

    async fn the_last_try_may_be_the_right_one(shop) {
        let deal = Deal::opened(&shop, terms()).await;
        let (right, wrong) = (code(&deal).await, JoinCode::generate());
        for _ in 0..4 {
            deal.act(anna(), Command::Join { code: &wrong }).await;
        }
        assert_eq!(deal.act(anna(), Command::Join { code: &right }).await.status(), Status::Joined);
    }

    async fn the_creator_cannot_use_up_the_tries(shop) {
        let deal = Deal::opened(&shop, terms()).await;
        let wrong = JoinCode::generate();
        for command in [Command::Join { code: &wrong }, Command::Reject { code: &wrong }, Command::Miss {}] {
            assert!(matches!(deal.refused(sam(), command).await, Reason::WrongActor { .. }));
        }
        for office in [ops(), Actor::arbiter(party("judy")), Actor::Gateway, Actor::Clock] {
            let refused = deal.refused(office, Command::Join { code: &wrong }).await;
            assert!(matches!(refused, Reason::WrongActor { action: "join", .. }), "{refused}");
        }
        assert_eq!(misses(&deal.now().await), 0);
    }

    async fn a_typed_step_tells_a_wrong_code_and_counts_nothing(shop) {
        let deal = Deal::opened(&shop, terms()).await;
        let AnyFaceToFace::Created(created) = deal.now().await else { panic!() };
        let at = shop.escrow.stamp(anna());
        let refused = created.join(&JoinCode::generate(), &at).unwrap_err();
        assert_eq!(refused.reason, Reason::WrongCode);
        let refused = refused.value.reject(&JoinCode::generate(), &at).unwrap_err();
        assert_eq!(refused.reason, Reason::WrongCode);
        let missed = refused.value.miss(&at).unwrap();
        assert_eq!(missed.value().state().misses(), 1);
    }

    async fn a_second_joiner_comes_too_late(shop) {
        let deal = Deal::joined(&shop, terms()).await;
        let code = code(&deal).await;
        for who in [user("eve"), anna(), sam()] {
            for command in [Command::Join { code: &code }, Command::Reject { code: &code }] {
                assert!(matches!(deal.refused(who.clone(), command).await, Reason::WrongStatus { .. }));
            }
        }
        assert_eq!(deal.now().await.facts().terms().sides.buyer, Some(party("anna")));
    }

    async fn two_join_at_the_same_moment_and_one_is_first(shop) {
        let deal = Deal::opened(&shop, terms()).await;
        let code = code(&deal).await;
        let load = async || match deal.now().await {
            AnyFaceToFace::Created(created) => created,
            other => panic!("{other:?}"),
        };
        let (one, two) = (load().await, load().await);
        let mut unit = shop.begin().await;
        one.join(&code, &shop.escrow.stamp(anna())).unwrap().save(&mut unit).await.unwrap();
        shop.commit(unit).await;
        let mut unit = shop.begin().await;
        let late = two.join(&code, &shop.escrow.stamp(user("eve"))).unwrap().save(&mut unit).await.unwrap_err();
        assert!(matches!(late.why, escrowed::lifecycle::Failure::Stale));
        drop(unit);
        assert_eq!(deal.now().await.facts().terms().sides.buyer, Some(party("anna")));
    }

    async fn who_is_named_alone_may_join(shop) {
        let sides = Sides { creator: Side::Seller, buyer: Some(party("anna")), seller: Some(party("sam")) };
        let deal = Deal::opened(&shop, Terms { sides, ..terms() }).await;
        let code = code(&deal).await;
        for command in [Command::Join { code: &code }, Command::Miss {}] {
            assert!(matches!(deal.refused(user("eve"), command).await, Reason::WrongActor { .. }));
        }
        assert_eq!(deal.act(anna(), Command::Join { code: &code }).await.status(), Status::Joined);
    }

    async fn the_time_to_join_runs_out(shop) {
        let policy = || Policy { join: Some(Period::hours(1)), ..Policy::default() };
        for (waited, in_time) in [(HOUR - TICK, true), (HOUR, false), (HOUR + TICK, false)] {
            let deal = Deal::opened(&shop, with_policy(policy())).await;
            let code = code(&deal).await;
            let deadline = deal.now().await.facts().join_until().unwrap();
            deal.wait(waited);
            if in_time {
                assert_eq!(deal.act(anna(), Command::Join { code: &code }).await.status(), Status::Joined);
                continue;
            }
            let late = |action| Reason::TooLate { action, deadline };
            assert_eq!(deal.refused(anna(), Command::Join { code: &code }).await, late("join"));
            assert_eq!(deal.refused(anna(), Command::Reject { code: &code }).await, late("reject"));
            assert_eq!(deal.refused(anna(), Command::Miss {}).await, late("miss"));
            assert_eq!(deal.clock().await, 0);
            assert_eq!(deal.act(sam(), Command::Cancel {}).await.status(), Status::Cancelled);
        }
        shop.audit().await;
    }

    async fn rejected_by_whoever_has_the_code(shop) {
        let deal = Deal::opened(&shop, terms()).await;
        let code = code(&deal).await;
        assert!(matches!(deal.refused(sam(), Command::Reject { code: &code }).await, Reason::WrongActor { .. }));
        assert_eq!(deal.act(anna(), Command::Reject { code: &code }).await.status(), Status::Rejected);
        assert!(matches!(deal.refused(sam(), Command::Cancel {}).await, Reason::WrongStatus { .. }));
        deal.over(Status::Rejected).await;
    }
}
