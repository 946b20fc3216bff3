//! What is no plan is refused before money moves, and comes back.

use super::*;
use escrowed::{
    money::{MoneyError, SplitError},
    movement::Movement,
    party::Stamp,
};
use futures_lite::future::block_on;

fn refused(plan: &Plan) -> Reason {
    let at = Stamp::new(ops(), START.parse().unwrap());
    let refused = Movement::open(MovementId::generate(at.at), plan.clone(), &at).unwrap_err();
    assert_eq!(refused.value, *plan, "the plan comes back");
    refused.reason
}

fn rest(name: &str) -> Payee {
    payee(name, Share::Rest, Destination::Wallet)
}

#[test]
fn sums_have_to_add_up() {
    let fixed = |name, amount| payee(name, Share::Fixed(euro(amount)), Destination::Wallet);
    let plan = |payees| Plan::one_to_many(frame(), party("anna"), Method::Card, euro("100.00"), payees);
    let left = refused(&plan(vec![fixed("sam", "60.00"), fixed("tess", "39.99")]));
    assert_eq!(left, Reason::Split(SplitError::LeftOver { amount: euro("0.01") }));
    let exceeded = refused(&plan(vec![fixed("sam", "60.00"), fixed("tess", "40.01")]));
    assert_eq!(exceeded, Reason::Split(SplitError::Exceeded { amount: euro("0.01") }));
    let nothing = refused(&plan(vec![fixed("sam", "100.00"), fixed("tess", "0.00")]));
    assert!(matches!(nothing, Reason::Money(MoneyError::Zero { .. } | MoneyError::Negative { .. })), "{nothing}");
    assert!(matches!(refused(&plan(vec![])), Reason::Missing { .. }));
    let plan = Plan::many_to_many(frame(), three_payers(), vec![fixed("sam", "60.00"), fixed("tess", "60.01")]);
    assert!(matches!(refused(&plan), Reason::Split(_)));
}

#[test]
fn amounts_have_to_be_above_zero() {
    for amount in ["0.00", "-1.00"] {
        for plan in [
            Plan::top_up(frame(), party("anna"), Outside::Card, euro(amount)),
            Plan::wallet_to_wallet(frame(), party("anna"), party("sam"), euro(amount)),
            Plan::one_to_many(frame(), party("anna"), Method::Card, euro(amount), vec![rest("sam")]),
            Plan::many_to_one(frame(), vec![payer("anna", amount), payer("ben", "5.00")], party("sam")),
            Plan::many_to_many(frame(), vec![payer("anna", amount), payer("ben", "5.00")], vec![rest("sam")]),
        ] {
            assert!(
                matches!(refused(&plan), Reason::Money(MoneyError::Zero { .. } | MoneyError::Negative { .. })),
                "{plan:?}"
            );
        }
    }
}

#[test]
fn currencies_do_not_mix() {
    let yen = Payer { party: party("ben"), amount: "500 JPY".parse().unwrap() };
    let payers = || vec![payer("anna", "30.00"), yen.clone()];
    for plan in
        [Plan::many_to_one(frame(), payers(), party("sam")), Plan::many_to_many(frame(), payers(), vec![rest("sam")])]
    {
        assert!(matches!(refused(&plan), Reason::Money(MoneyError::Mixed { .. })), "{plan:?}");
    }
    let fixed = payee("sam", Share::Fixed("500 JPY".parse().unwrap()), Destination::Wallet);
    let plan = Plan::one_to_many(frame(), party("anna"), Method::Card, euro("9.00"), vec![fixed, rest("tess")]);
    assert!(matches!(refused(&plan), Reason::Split(SplitError::Money(_))));
}

#[test]
fn what_bears_the_id_of_something_is_nobodys_name() {
    let another = MovementId::generate(START.parse().unwrap()).to_string();
    let to = Plan::wallet_to_wallet(frame(), party("anna"), party(&another), euro("1.00"));
    assert_eq!(refused(&to), Reason::NobodysName(party(&another)));
    let among =
        Plan::one_to_many(frame(), party("anna"), Method::Card, euro("9.00"), vec![rest("sam"), rest(&another)]);
    assert_eq!(refused(&among), Reason::NobodysName(party(&another)));
    let from = Plan::top_up(frame(), party(&another), Outside::Card, euro("1.00"));
    assert_eq!(refused(&from), Reason::NobodysName(party(&another)));
}

#[test]
fn everybody_is_named_once_and_on_one_side() {
    let twice = vec![payer("anna", "1.00"), payer("ben", "1.00"), payer("anna", "2.00")];
    assert_eq!(refused(&Plan::many_to_one(frame(), twice, party("sam"))), Reason::NamedTwice(party("anna")));
    let plan = Plan::one_to_many(frame(), party("anna"), Method::Card, euro("9.00"), vec![rest("sam"), rest("sam")]);
    assert_eq!(refused(&plan), Reason::NamedTwice(party("sam")));
    for plan in [
        Plan::wallet_to_wallet(frame(), party("anna"), party("anna"), euro("1.00")),
        Plan::payin_to_wallet(frame(), party("anna"), Outside::Card, party("anna"), euro("1.00")),
        Plan::one_to_many(frame(), party("anna"), Method::Card, euro("9.00"), vec![rest("sam"), rest("anna")]),
        Plan::many_to_one(frame(), three_payers(), party("ben")),
        Plan::many_to_many(frame(), three_payers(), vec![rest("sam"), rest("ben")]),
    ] {
        assert_eq!(refused(&plan), Reason::SameParty, "{plan:?}");
    }
    assert!(matches!(refused(&Plan::many_to_one(frame(), vec![], party("sam"))), Reason::Missing { .. }));
    assert!(matches!(refused(&Plan::many_to_many(frame(), three_payers(), vec![])), Reason::Missing { .. }));
}

#[test]
fn the_frame_has_its_limits() {
    let with = |change: fn(&mut Frame)| {
        let mut frame = frame();
        change(&mut frame);
        refused(&Plan::top_up(frame, party("anna"), Outside::Card, euro("1.00")))
    };
    assert!(matches!(with(|frame| frame.payin_intents = 0), Reason::OutOfRange { least: 1, .. }));
    assert!(matches!(with(|frame| frame.batch = 0), Reason::OutOfRange { .. }));
    assert!(matches!(with(|frame| frame.batch = 1001), Reason::OutOfRange { .. }));
    assert!(matches!(with(|frame| frame.until = START.parse().unwrap()), Reason::TooLate { .. }));
    let many = (0..2_000).map(|number| payer(&format!("payer{number}"), "1.00")).collect();
    assert!(matches!(refused(&Plan::many_to_one(frame(), many, party("sam"))), Reason::OutOfRange { .. }));
}

#[test]
fn another_gateway_is_refused_before_anything_is_written() {
    block_on(async {
        let shop = Shop::memory();
        let elsewhere = Frame { gateway: "elsewhere".parse().unwrap(), ..frame() };
        let plan = Plan::top_up(elsewhere, party("anna"), Outside::Card, euro("1.00"));
        let moved = try_move(&shop, plan, ops()).await;
        assert!(matches!(moved, Err(EscrowError::OtherGateway { .. })), "{moved:?}");
    });
}

#[test]
fn a_plan_is_read_as_it_is_written() {
    let from_wallet =
        Plan::payin_from_wallet(frame(), party("anna"), party("sam"), "ba_sam".parse().unwrap(), euro("1.00"));
    for plan in [top_up(), from_wallet, one_to_many(wire("anna")), many_to_one(), many_to_many()] {
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
    // What a top-up must not have, its form has no place for.
    let text = serde_json::to_string(&top_up()).unwrap();
    assert!(serde_json::from_str::<Plan>(&text.replace("ADDON", "WALLET")).is_err());
    assert!(serde_json::from_str::<Plan>(&text.replace("\"payer\":", "\"payee\":\"sam\",\"payer\":")).is_err());
}
