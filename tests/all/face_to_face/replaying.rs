//! Replay trusts nothing: what was altered in a log is found, or it is another log.

use super::{DAY, Deal, anna, complain, judy, sam, terms};
use crate::harness::{bank, euro, on_each_store, ops, user};
use escrowed::{
    deal::Award,
    face_to_face::{AnyFaceToFace, Command, Status, Terms},
    lifecycle::{Flaw, Reason, replay},
    party::Actor,
    store::{Log, Store, StoredRecord, UnitOfWork},
};

async fn log<S: Store>(deal: &Deal<'_, S>) -> Log {
    let mut unit = deal.shop.begin().await;
    unit.log(deal.id.subject()).await.unwrap().unwrap()
}

fn to_bank() -> Terms {
    Terms { payout: Some(bank("ba_sam")), ..terms() }
}

/// What replay says to a log of which one record was changed.
fn spoiled(log: &Log, name: &str, spoil: impl Fn(&mut StoredRecord)) -> Flaw {
    let mut log = log.clone();
    let record = log.records.iter_mut().find(|record| record.name == name).unwrap_or_else(|| panic!("no {name}"));
    let before = record.clone();
    spoil(record);
    assert_ne!(*record, before, "nothing was spoiled in {name}: {}", before.body);
    match replay::<AnyFaceToFace>(&log) {
        Ok(deal) => panic!("{name} was altered and nobody noticed: {deal:?}"),
        Err(corrupt) => corrupt.flaw,
    }
}

fn altered(log: &Log, name: &str, from: &str, to: &str) {
    let flaw = spoiled(log, name, |record| record.body = record.body.replacen(from, to, 1));
    assert!(matches!(flaw, Flaw::Illegal(_)), "{name}, {from} for {to}: {flaw:?}");
}

/// Cut short anywhere, it is an earlier part of the same history; with a gap or out of order, it is none.
fn check_form(log: &Log) {
    let whole: AnyFaceToFace = replay(log).unwrap();
    for length in 1..log.records.len() {
        let mut short = log.clone();
        short.records.truncate(length);
        let earlier: AnyFaceToFace = replay(&short).unwrap();
        assert!(whole.history().by_time().starts_with(earlier.history().by_time()));
        let mut gap = log.clone();
        gap.records.remove(length - 1);
        assert!(matches!(replay::<AnyFaceToFace>(&gap).unwrap_err().flaw, Flaw::Gap { .. }));
        let mut swapped = log.clone();
        swapped.records.swap(length - 1, length);
        assert!(matches!(replay::<AnyFaceToFace>(&swapped).unwrap_err().flaw, Flaw::Gap { .. }));
        // Left out, and the numbers put right: then an event is missing, unless it only was a note.
        let mut forged = log.clone();
        forged.records.remove(length - 1);
        (1..).zip(&mut forged.records).for_each(|(seq, record)| record.seq = seq);
        assert!(replay::<AnyFaceToFace>(&forged).is_err(), "{} was left out", log.records[length - 1].name);
    }
}

on_each_store! {
    async fn a_release_that_was_tampered_with(shop) {
        let deal = Deal::handed_over(&shop, to_bank()).await;
        deal.wait(DAY);
        deal.clock().await;
        shop.send().await;
        let log = log(&deal).await;
        check_form(&log);
        for (name, from, to) in [
            ("pay_deposit", "5000", "5001"),
            ("pay_deposit", "5000", "-5000"),
            ("pay_deposit", "pi_", "po_"),
            ("set_price", "18000", "18001"),
            ("set_price", "18000", "5000"),
            ("pay_remainder", "13000", "12999"),
            ("confirm_handover", "seller", "buyer"),
            ("end_complaint_period", "17500", "17501"),
            ("end_complaint_period", "500,", "499,"),
            ("end_complaint_period", "\"sam\"", "\"eve\""),
            ("end_complaint_period", "ba_sam", "ba_eve"),
            ("end_complaint_period", "open", "confirmed"),
        ] {
            if name == "pay_deposit" && from == "pi_" {
                let flaw = spoiled(&log, name, |record| record.body = record.body.replacen(from, to, 1));
                assert!(matches!(flaw, Flaw::Unreadable(_)), "{flaw:?}");
            } else {
                altered(&log, name, from, to);
            }
        }
        let early = |record: &mut StoredRecord| record.stamp.at = crate::harness::START.parse().unwrap();
        assert!(matches!(spoiled(&log, "end_complaint_period", early), Flaw::Illegal(Reason::NotDue { .. })));
        for (name, by) in [
            ("join", sam()), ("pay", user("eve")), ("pay_deposit", anna()), ("accept_deposit", anna()),
            ("set_price", ops()), ("confirm_handover", ops()), ("end_complaint_period", sam()), ("release", ops()),
            ("count", Actor::Clock),
        ] {
            let flaw = spoiled(&log, name, |record| record.stamp.by = by.clone());
            assert!(matches!(flaw, Flaw::Illegal(Reason::WrongActor { .. })), "{name}: {flaw:?}");
        }
        // The buyer never confirmed, and the period would have begun all the same.
        let flaw = spoiled(&log, "confirm_handover", |record| record.stamp.by = anna());
        assert!(matches!(flaw, Flaw::Illegal(Reason::Unlike { .. })), "{flaw:?}");
    }

    async fn an_award_that_was_tampered_with(shop) {
        let deal = Deal::complained(&shop, to_bank()).await;
        let award = Award { buyer: euro("140.00"), seller: euro("40.00") };
        deal.act(judy(), Command::Award { award }).await;
        shop.send().await;
        assert_eq!(deal.status().await, Status::FundsReleased);
        let log = log(&deal).await;
        check_form(&log);
        for (from, to) in [
            ("14000", "14001"), ("4000}", "3999}"), ("13000", "13001"), ("1000,", "999,"), ("ba_sam", "ba_eve"),
            ("\"anna\"", "\"eve\""), ("\"sam\"", "\"eve\""), ("\"original\"", "\"wallet\""), ("open", "confirmed"),
        ] {
            let record = log.records.iter().find(|record| record.name == "award").unwrap();
            if record.body.contains(from) {
                altered(&log, "award", from, to);
            } else {
                assert!(from.ends_with(['}', ',']), "{from} is not in {}", record.body);
            }
        }
        // An award that adds up, but not to the payments that it opened.
        let moved = |record: &mut StoredRecord| {
            let mut body: serde_json::Value = serde_json::from_str(&record.body).unwrap();
            body["award"]["buyer"]["amount"] = 13_999.into();
            body["award"]["seller"]["amount"] = 4_001.into();
            record.body = body.to_string();
        };
        assert!(matches!(spoiled(&log, "award", moved), Flaw::Illegal(Reason::Unlike { .. })));
        let flaw = spoiled(&log, "award", |record| record.stamp.by = ops());
        assert!(matches!(flaw, Flaw::Illegal(Reason::WrongActor { .. })));
        let flaw = spoiled(&log, "complain", |record| record.stamp.by = sam());
        assert!(matches!(flaw, Flaw::Illegal(Reason::WrongActor { .. })));
        assert!(matches!(spoiled(&log, "award", |record| record.version = 2), Flaw::FutureVersion { .. }));
        assert!(matches!(spoiled(&log, "award", |record| record.name = "steal".into()), Flaw::UnknownEvent { .. }));
        assert!(matches!(spoiled(&log, "award", |record| record.body.truncate(9)), Flaw::Unreadable(_)));
    }

    async fn a_cancellation_that_was_tampered_with(shop) {
        let deal = Deal::accepted(&shop, terms()).await;
        deal.act(anna(), Command::Cancel {}).await;
        shop.send().await;
        let log = log(&deal).await;
        check_form(&log);
        altered(&log, "cancel", "4800", "4801");
        altered(&log, "cancel", "\"amount\":200", "\"amount\":100");
        altered(&log, "cancel", "\"anna\"", "\"sam\"");
        // Not without its refund either.
        let nothing = |record: &mut StoredRecord| record.body = r#"{"kept":null,"refund":[]}"#.into();
        assert!(matches!(spoiled(&log, "cancel", nothing), Flaw::Illegal(Reason::Unlike { .. })));
        // The fee belongs to the opening.
        altered(&log, "open", "\"amount\":200", "\"amount\":300");
    }

    async fn a_late_complaint_that_was_made_to_look_early_and_the_reverse(shop) {
        let deal = Deal::handed_over(&shop, terms()).await;
        deal.act(anna(), complain()).await;
        let log = log(&deal).await;
        let late = |record: &mut StoredRecord| record.stamp.at = record.stamp.at.plus(DAY);
        assert!(matches!(spoiled(&log, "complain", late), Flaw::Illegal(Reason::TooLate { .. })));
    }

    async fn a_release_by_the_platform_that_was_tampered_with(shop) {
        let deal = Deal::handed_over(&shop, terms()).await;
        deal.act(anna(), Command::Waive {}).await;
        deal.act(ops(), Command::Release {}).await;
        let log = log(&deal).await;
        altered(&log, "release", "17500", "17499");
        altered(&log, "release", "\"sam\"", "\"eve\"");
        let none = |record: &mut StoredRecord| record.body = r#"{"settled":null}"#.into();
        assert!(matches!(spoiled(&log, "release", none), Flaw::Illegal(Reason::Unlike { .. })));
        let unwaived = spoiled(&log, "waive", |record| record.stamp.by = sam());
        assert!(matches!(unwaived, Flaw::Illegal(Reason::WrongActor { .. })));
    }

    async fn what_the_clock_escalated_was_due(shop) {
        let deal = Deal::paid(&shop, terms()).await;
        deal.wait(30 * DAY);
        assert_eq!(deal.clock().await, 1);
        let log = log(&deal).await;
        let early = |record: &mut StoredRecord| record.stamp.at = crate::harness::START.parse().unwrap();
        assert!(matches!(spoiled(&log, "escalate", early), Flaw::Illegal(Reason::NotDue { .. })));
        let early_by_hand = |record: &mut StoredRecord| {
            early(record);
            record.stamp.by = ops();
        };
        assert!(matches!(spoiled(&log, "escalate", early_by_hand), Flaw::Illegal(Reason::NotDue { .. })));
    }
}
