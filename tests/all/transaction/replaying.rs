//! Replay trusts nothing: a spoiled log is refused, a cut one is a shorter history, a true one is the live value.

use super::{DAY, Deal, anna, award, card, complain, judy, sam, terms, track};
use crate::harness::{bank, on_each_store, ops, user};
use escrowed::{
    deal::Side,
    gateway::Verb,
    id::Subject,
    lifecycle::{Flaw, Reason, replay},
    party::Actor,
    store::{Log, Store, UnitOfWork},
    transaction::{AnyTransaction, Command, Status, Terms},
};

async fn log<S: Store>(deal: &Deal<'_, S>) -> Log {
    let mut unit = deal.shop.begin().await;
    let log = unit.log(deal.id.subject()).await.unwrap().unwrap();
    let live: AnyTransaction = deal.shop.escrow.load(&mut unit, deal.id).await.unwrap();
    assert_eq!(format!("{:?}", replay::<AnyTransaction>(&log).unwrap()), format!("{live:?}"));
    log
}

/// What is wrong with a log once it is spoiled.
fn spoiled(log: &Log, spoil: impl FnOnce(&mut Log)) -> Flaw {
    let mut log = log.clone();
    spoil(&mut log);
    replay::<AnyTransaction>(&log).map(|deal| deal.status()).unwrap_err().flaw
}

/// Alters the data of the event of a name, everywhere it stands in it.
fn altered(log: &Log, event: &str, from: &str, to: &str) -> Flaw {
    let at = position(log, event);
    let body = &log.records[at].body;
    assert!(body.contains(from), "{from} is not in {body}");
    spoiled(log, |log| log.records[at].body = log.records[at].body.replace(from, to))
}

fn position(log: &Log, event: &str) -> usize {
    log.records.iter().position(|record| record.name == event).unwrap_or_else(|| panic!("no {event} in {log:?}"))
}

/// Every number in the data of an event, one more and one less; each has to be refused.
fn no_number_can_change(log: &Log, event: &str) {
    let at = position(log, event);
    let body = log.records[at].body.clone();
    let mut changed = 0;
    for (start, _) in body.match_indices(r#""amount":"#) {
        let start = start + r#""amount":"#.len();
        let length = body[start..].find(|c: char| c != '-' && !c.is_ascii_digit()).unwrap();
        let Ok(number) = body[start..start + length].parse::<i64>() else { continue };
        for other in [number + 1, number - 1, -number, 0, i64::MAX] {
            if other == number {
                continue;
            }
            let flaw =
                spoiled(log, |log| log.records[at].body.replace_range(start..start + length, &other.to_string()));
            assert!(matches!(flaw, Flaw::Illegal(_)), "{event}: {other} for {number}: {flaw:?}");
            changed += 1;
        }
    }
    assert!(changed > 0, "{event} has no amounts: {body}");
}

/// Paid out to the bank after two payins and a denied payout.
async fn released<S: Store>(shop: &crate::harness::Shop<S>) -> Deal<'_, S> {
    let deal = Deal::joined(shop, Terms { payout: Some(bank("ba_sam")), ..terms() }).await;
    deal.decline(Verb::Charge);
    for _ in 0..2 {
        deal.act(anna(), card()).await;
        shop.send().await;
    }
    deal.act(sam(), Command::AcceptPayment {}).await;
    deal.act(anna(), Command::ExtendTracking { until: shop.now().plus(9 * DAY) }).await;
    deal.act(sam(), track()).await;
    deal.act(sam(), Command::Deliver {}).await;
    deal.wait(DAY);
    assert_eq!(deal.clock().await, 1);
    deal.decline(Verb::Payout);
    shop.send().await;
    let replace = escrowed::payment::payout::Command::Replace { to: bank("ba_other") };
    deal.on_payout(sam(), replace).await.unwrap();
    shop.send().await;
    deal.expect(Status::FundsReleased).await
}

on_each_store! {
    async fn a_log_that_is_no_history_is_never_guessed_at(shop) {
        let deal = released(&shop).await;
        let log = log(&deal).await;
        assert!(matches!(spoiled(&log, |log| log.records.clear()), Flaw::Empty));
        for gone in 0..log.records.len() - 1 {
            let (expected, found) = (u32::try_from(gone).unwrap() + 1, u32::try_from(gone).unwrap() + 2);
            let flaw = spoiled(&log, |log| drop(log.records.remove(gone)));
            assert!(matches!(flaw, Flaw::Gap { expected: e, found: f } if (e, f) == (expected, found)), "{flaw:?}");
        }
        assert!(matches!(spoiled(&log, |log| log.records.swap(1, 2)), Flaw::Gap { .. }));
        let twice = spoiled(&log, |log| log.records.push(log.records.last().unwrap().clone()));
        assert!(matches!(twice, Flaw::Gap { .. }));
        for at in 0..log.records.len() {
            let future = spoiled(&log, |log| log.records[at].version = 2);
            assert!(matches!(future, Flaw::FutureVersion { found: 2, known: 1 }), "{future:?}");
            assert!(matches!(spoiled(&log, |log| log.records[at].name = "steal".into()), Flaw::UnknownEvent { .. }));
            let body = log.records[at].body.len();
            assert!(matches!(spoiled(&log, |log| log.records[at].body.truncate(body - 1)), Flaw::Unreadable(_)));
        }
        let payin: Subject = "pi_01kr1hgnqred6999kp7cqmx8ss".parse().unwrap();
        assert!(matches!(spoiled(&log, |log| log.subject = payin), Flaw::OtherKind(_)));
        // Cut short anywhere, it is a shorter history, never a different one.
        for length in 1..=log.records.len() {
            let mut short = log.clone();
            short.records.truncate(length);
            let value = replay::<AnyTransaction>(&short).unwrap();
            let whole = replay::<AnyTransaction>(&log).unwrap();
            let passages = value.history().by_time();
            assert_eq!(passages, &whole.history().by_time()[..passages.len()]);
        }
    }

    async fn every_stamp_is_checked(shop) {
        let deal = released(&shop).await;
        let log = log(&deal).await;
        for at in 1..log.records.len() {
            let name = &log.records[at].name;
            for by in [user("eve"), judy(), ops(), Actor::Clock, Actor::Gateway, anna(), sam()] {
                let mut other = log.clone();
                other.records[at].stamp.by = by.clone();
                let allowed = match name.as_str() {
                    // Anybody but sam may join; but the rest of the log is anna's.
                    "join" => by == anna(),
                    "open_payin" => by == anna() || by == ops(),
                    "drop_payin" | "pay" | "count" | "release" => by == Actor::Gateway,
                    "accept_payment" | "track" => by == sam(),
                    "extend_tracking" => by == anna(),
                    "deliver" => by == sam() || by == ops(),
                    "end_complaint_period" => by == anna() || by == Actor::Clock,
                    other => panic!("{other}"),
                };
                let replayed = replay::<AnyTransaction>(&other);
                assert_eq!(replayed.is_ok(), allowed, "{name} by {by:?}: {:?}", replayed.map(|deal| deal.status()));
            }
        }
        // The clock, a microsecond before its time.
        let at = position(&log, "end_complaint_period");
        let early = spoiled(&log, |log| {
            let time = log.records[at].stamp.at.unix_micros() - 1;
            log.records[at].stamp.at = escrowed::time::Timestamp::from_unix_micros(time).unwrap();
        });
        assert!(matches!(early, Flaw::Illegal(Reason::NotDue { .. })), "{early:?}");
        let at = position(&log, "extend_tracking");
        let late = spoiled(&log, |log| log.records[at].stamp.at = log.records[at].stamp.at.plus(4 * DAY));
        assert!(matches!(late, Flaw::Illegal(Reason::TooLate { .. })), "{late:?}");
    }

    async fn no_amount_of_a_payment_or_settlement_can_change(shop) {
        let deal = released(&shop).await;
        let log = log(&deal).await;
        no_number_can_change(&log, "pay");
        no_number_can_change(&log, "end_complaint_period");
        for (from, to) in [
            (r#""sam""#, r#""eve""#),
            (r#""ba_sam""#, r#""ba_eve""#),
            (r#""platform":{"amount":500"#, r#""platform":{"amount":499"#),
            (r#""open""#, r#""confirmed""#),
            ("\"EUR\"", "\"USD\""),
            ("po_", "re_"),
        ] {
            let flaw = altered(&log, "end_complaint_period", from, to);
            assert!(matches!(flaw, Flaw::Illegal(_)), "{from}: {flaw:?}");
        }
        // A payment that it never opened, and one that was counted.
        let counts: Vec<_> = log.records.iter().filter(|record| record.name == "count").collect();
        assert_eq!(counts.len(), 3, "denied, replaced, confirmed");
        let first = position(&log, "count");
        let flaw = altered(&log, "count", r#""denied""#, r#""returned""#);
        assert!(matches!(flaw, Flaw::Illegal(Reason::NotThisWay { .. })), "{flaw:?}");
        let flaw = spoiled(&log, |log| log.records[first + 1].body = log.records[first].body.clone());
        assert!(matches!(flaw, Flaw::Illegal(Reason::Already { .. })), "{flaw:?}");
        let stray = "po_01kr1hgnqred6999kp7cqmx8ss";
        let flaw = spoiled(&log, |log| {
            let payment = deal.id.to_string();
            assert!(!log.records[first].body.contains(&payment));
            let body: serde_json::Value = serde_json::from_str(&log.records[first].body).unwrap();
            let known = body["payment"].as_str().unwrap();
            log.records[first].body = log.records[first].body.replace(known, stray);
        });
        assert!(matches!(flaw, Flaw::Illegal(Reason::Missing { .. })), "{flaw:?}");
    }

    async fn no_opening_can_change_into_a_bad_one(shop) {
        let deal = released(&shop).await;
        let log = log(&deal).await;
        // The terms may say what they like, but then the payments do not fit them.
        for (from, to) in [
            (r#""amount":10000"#, r#""amount":10001"#),
            (r#""amount":900"#, r#""amount":800"#),
            (r#""amount":200"#, r#""amount":201"#),
            (r#""amount":300"#, r#""amount":301"#),
            (r#""amount":500"#, r#""amount":-500"#),
            (r#""amount":10000"#, r#""amount":0"#),
            (r#""id":"sam""#, r#""id":"eve""#),
            (r#""EUR""#, r#""USD""#),
        ] {
            let flaw = altered(&log, "open", from, to);
            assert!(matches!(flaw, Flaw::Illegal(_)), "{from} as {to}: {flaw:?}");
        }
        let flaw = altered(&log, "open", r#""description""#, r#""inscription""#);
        assert!(matches!(flaw, Flaw::Unreadable(_)), "{flaw:?}");
    }

    async fn no_cancellation_can_change(shop) {
        for paid in [false, true] {
            let deal = if paid { Deal::accepted(&shop, terms()).await } else { Deal::joined(&shop, terms()).await };
            deal.act(if paid { ops() } else { anna() }, Command::Cancel {}).await;
            shop.send().await;
            let log = log(&deal).await;
            if paid {
                no_number_can_change(&log, "cancel");
                for (from, to) in [
                    (r#""anna""#, r#""eve""#),
                    (r#""original""#, r#""wallet""#),
                    (r#""open""#, r#""confirmed""#),
                    ("pi_", "po_"),
                ] {
                    let flaw = altered(&log, "cancel", from, to);
                    assert!(matches!(flaw, Flaw::Illegal(_) | Flaw::Unreadable(_)), "{from}: {flaw:?}");
                }
                // Without a refund, the money would be gone.
                let at = position(&log, "cancel");
                let flaw = spoiled(&log, |log| log.records[at].body = r#"{"refund":null}"#.into());
                assert!(matches!(flaw, Flaw::Illegal(Reason::Unlike { .. })), "{flaw:?}");
                let flaw = spoiled(&log, |log| log.records[at].body = r#"{"refund":[]}"#.into());
                assert!(matches!(flaw, Flaw::Illegal(Reason::Unlike { .. })), "{flaw:?}");
                let later = log.records[at].stamp.at.plus(DAY);
                let flaw = spoiled(&log, |log| log.records[at].stamp.at = later);
                assert!(matches!(flaw, Flaw::Illegal(Reason::Unlike { .. })), "its refund has another id: {flaw:?}");
            } else {
                let flaw = altered(&log, "cancel", "null", "[]");
                assert!(matches!(flaw, Flaw::Illegal(Reason::Unlike { .. })), "{flaw:?}");
                // It does not become refunded, either.
                let flaw = spoiled(&log, |log| {
                    let mut refunded = log.records.last().unwrap().clone();
                    (refunded.seq, refunded.name, refunded.body) = (refunded.seq + 1, "refund".into(), "{}".into());
                    refunded.stamp.by = Actor::Gateway;
                    log.records.push(refunded);
                });
                assert!(matches!(flaw, Flaw::Illegal(Reason::Missing { .. })), "{flaw:?}");
            }
        }
    }

    async fn no_award_can_change(shop) {
        let deal = Deal::complained(&shop, Terms { payout: Some(bank("ba_sam")), ..terms() }).await;
        deal.act(judy(), award("15.00", "100.00")).await;
        shop.send().await;
        let log = log(&deal).await;
        no_number_can_change(&log, "award");
        let at = position(&log, "complain");
        let late = spoiled(&log, |log| log.records[at].stamp.at = log.records[at].stamp.at.plus(DAY));
        assert!(matches!(late, Flaw::Illegal(Reason::TooLate { .. })), "{late:?}");
        for (from, to) in [
            (r#""sam""#, r#""anna""#),
            (r#""anna""#, r#""sam""#),
            (r#""ba_sam""#, r#""ba_eve""#),
            (r#""original""#, r#""wallet""#),
            (r#""open""#, r#""confirmed""#),
        ] {
            let flaw = altered(&log, "award", from, to);
            assert!(matches!(flaw, Flaw::Illegal(_)), "{from}: {flaw:?}");
        }
        // Both amounts changed so that they still add up: the payments are not those of the award.
        let at = position(&log, "award");
        let flaw = spoiled(&log, |log| {
            let body = log.records[at].body.replacen(r#""amount":1500"#, r#""amount":1600"#, 1);
            log.records[at].body = body.replacen(r#""amount":10000"#, r#""amount":9900"#, 1);
        });
        assert!(matches!(flaw, Flaw::Illegal(Reason::Unlike { .. })), "{flaw:?}");
        // Something for the seller does not end as refunded.
        let last = log.records.len() - 1;
        assert_eq!(log.records[last].name, "settle_complaint");
        let flaw = spoiled(&log, |log| log.records[last].name = "refund".into());
        assert!(matches!(flaw, Flaw::Illegal(Reason::Missing { .. })), "{flaw:?}");
        let flaw = spoiled(&log, |log| {
            let mut again = log.records[at].clone();
            again.seq = log.records[at + 1].seq;
            log.records[at + 1] = again;
        });
        assert!(matches!(flaw, Flaw::Illegal(Reason::Already { .. })), "{flaw:?}");
    }

    async fn a_side_cannot_be_changed_in_a_handover(shop) {
        for (by, from, to) in [(Side::Buyer, "buyer", "seller"), (Side::Seller, "seller", "buyer")] {
            let deal = Deal::handed_over(&shop, by).await;
            let log = log(&deal).await;
            let flaw = altered(&log, "confirm_handover", from, to);
            assert!(matches!(flaw, Flaw::Illegal(_)), "{flaw:?}");
        }
    }

    async fn live_and_replayed_are_the_same_after_every_step(shop) {
        let deal = Deal::opened(&shop, terms()).await;
        let steps: [(Actor, Command<'_>); 10] = [
            (anna(), Command::Join {}),
            (anna(), card()),
            (sam(), Command::SetPayout { to: bank("ba_sam") }),
            (sam(), Command::AcceptPayment {}),
            (anna(), Command::ExtendTracking { until: shop.now().plus(5 * DAY) }),
            (ops(), Command::SetPayout { to: bank("ba_new") }),
            (sam(), track()),
            (ops(), Command::Deliver {}),
            (anna(), complain()),
            (judy(), award("0.01", "114.99")),
        ];
        // `act` compares the value that it returns with its replay, each time; so does `log`.
        let mut length = log(&deal).await.records.len();
        for (by, command) in steps {
            deal.act(by, command).await;
            shop.send().await;
            let longer = log(&deal).await.records.len();
            assert!(longer > length);
            length = longer;
        }
        deal.over(Status::FundsReleased).await;
    }
}
