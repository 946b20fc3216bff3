//! A gateway's settlement file beside the books.

use crate::{
    after::{charged, decided, tell},
    harness::{Shop, bank, euro, key, on_each_store, ops, party, random, terms, user},
};
use escrowed::{
    gateway::{IdempotencyKey, Verb},
    id::Subject,
    money::{Currency, Money},
    order::{AnyOrder, Command, PayoutPlan},
    payment::{Method, chargeback, payin},
    reconciliation::{Finding, Reconciliation, SettlementLine, Unbooked, reconcile, reconcile_each},
    sandbox::{Behaviour, Resolution},
    statement::Span,
    store::{CallStatus, Store},
};
use proptest::{collection::vec, prelude::*};
use std::{convert::Infallible, time::Duration};

fn line(line: u64, reference: &str, amount: Money) -> SettlementLine {
    SettlementLine { line, reference: Some(reference.parse().unwrap()), amount, date: None, kind: None }
}

/// What an honest gateway would settle: all that it really moved, in the order of the keys.
pub(crate) fn settled<S: Store>(shop: &Shop<S>) -> Vec<SettlementLine> {
    let moved = |key: IdempotencyKey| {
        let amount = shop.gateway().moved(&key)?;
        Some((
            key,
            match key.verb {
                Verb::Charge | Verb::Capture => amount,
                Verb::Payout | Verb::Refund => amount.checked_neg().unwrap(),
                Verb::Void => panic!("a void moves nothing"),
            },
        ))
    };
    let moved = shop.gateway().calls().into_iter().filter_map(moved);
    (2..).zip(moved).map(|(number, (key, amount))| line(number, &key.to_string(), amount)).collect()
}

pub(crate) async fn reconciled<S: Store>(shop: &Shop<S>, span: Span, lines: Vec<SettlementLine>) -> Reconciliation {
    let mut unit = shop.begin().await;
    let lines = lines.into_iter().map(Ok::<_, Infallible>);
    reconcile(&mut unit, &"sandbox".parse().unwrap(), span, lines).await.unwrap()
}

/// Three payins, a payout and a refund have moved. The payins that are told of are reserved only, pending and declined; a
/// wallet was spent without the gateway's doing.
async fn busy<S: Store>(shop: &Shop<S>) -> [Subject; 3] {
    let sold = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
    shop.act(sold, Command::Validate {}, ops()).await;
    let cancelled = shop.paid(terms()).await;
    shop.act(cancelled, Command::Cancel {}, ops()).await;
    shop.send().await;
    shop.fill_wallet("anna", euro("100.00")).await;
    let from_wallet = shop.open(terms()).await;
    shop.act(from_wallet, Command::Pay { by: Method::Wallet }, user("anna")).await;

    let reserved = shop.open(terms()).await;
    let mut unit = shop.begin().await;
    let AnyOrder::PendingPublish(order) = shop.escrow.load(&mut unit, reserved).await.unwrap() else { panic!() };
    let at = shop.escrow.stamp(user("anna"));
    shop.escrow.save(&mut unit, order.reserve(&at).unwrap(), &at).await.unwrap();
    shop.commit(unit).await;
    shop.send().await;
    shop.gateway().script(Verb::Charge, [Behaviour::Pend, Behaviour::Decline { reason: "no".parse().unwrap() }]);
    let mut others = Vec::new();
    for _ in 0..2 {
        let id = shop.open(terms()).await;
        shop.act(id, Command::Pay { by: Method::Card }, user("anna")).await;
        shop.send().await;
        others.push(shop.payin(id).await.id().subject());
    }
    [shop.payin(reserved).await.id().subject(), others[0], others[1]]
}

on_each_store! {
    async fn what_the_gateway_really_did_matches(shop) {
        busy(&shop).await;
        let file = settled(&shop);
        assert_eq!(file.len(), 5);
        let found = reconciled(&shop, Span::ALL, file.clone()).await;
        assert!(found.is_clean(), "{found:?}");
        let lines: Vec<_> = found.matched.into_iter().map(|matched| matched.line).collect();
        assert_eq!(lines, file);
    }

    async fn the_id_of_a_payment_is_reference_enough(shop) {
        busy(&shop).await;
        let by_id = |one: SettlementLine| {
            let payment = one.reference.unwrap().as_str().split_once(':').unwrap().0.to_owned();
            line(one.line, &payment, one.amount)
        };
        let found = reconciled(&shop, Span::ALL, settled(&shop).into_iter().map(by_id).collect()).await;
        assert!(found.is_clean() && found.matched.len() == 5, "{found:?}");
    }

    async fn what_was_reserved_and_then_captured_matches_by_either_call(shop) {
        let [payment, ..] = busy(&shop).await;
        let mut unit = shop.begin().await;
        let id = payment.try_into().unwrap();
        shop.escrow.act_on_payin(&mut unit, id, payin::Command::Capture {}, ops()).await.unwrap();
        shop.commit(unit).await;
        let charged = line(2, &key(payment, Verb::Charge).to_string(), euro("100.00"));
        let found = reconciled(&shop, Span::ALL, vec![charged.clone()]).await;
        assert_eq!(found.missing_here[0].why, Unbooked::Unanswered(CallStatus::Queued));
        shop.send().await;
        let by_capture = settled(&shop);
        let is_capture = |one: &SettlementLine| one.reference.as_ref().unwrap().as_str().ends_with(":capture");
        let by_charge = by_capture.iter().filter(|one| !is_capture(one)).cloned().chain([charged]).collect();
        for file in [by_capture, by_charge] {
            let found = reconciled(&shop, Span::ALL, file).await;
            assert!(found.is_clean() && found.matched.len() == 6, "{found:?}");
        }
    }

    async fn what_our_books_have_not_is_told_with_what_is_known_of_it(shop) {
        let [reserved, pending, declined] = busy(&shop).await;
        let honest = settled(&shop);
        let mut file = honest.clone();
        let strangers = [
            (key(reserved, Verb::Charge).to_string(), Unbooked::NothingMoved),
            (key(pending, Verb::Charge).to_string(), Unbooked::Unanswered(CallStatus::Pending)),
            (key(declined, Verb::Charge).to_string(), Unbooked::Declined),
            ("po_01kr1hgnqred6999kp7cqmx8ss:payout".into(), Unbooked::Unknown),
            ("Monthly fee".into(), Unbooked::Unknown),
        ];
        file.extend((90..).zip(&strangers).map(|(number, (text, _))| line(number, text, euro("100.00"))));
        file.push(SettlementLine { reference: None, ..line(99, "-", euro("-0.30")) });
        let found = reconciled(&shop, Span::ALL, file.clone()).await;
        let whys: Vec<_> = found.missing_here.iter().map(|missing| missing.why.clone()).collect();
        let expected: Vec<_> = strangers.into_iter().map(|(_, why)| why).chain([Unbooked::Unknown]).collect();
        assert_eq!(whys, expected);
        assert_eq!(found.matched.len(), 5);
        assert!(found.missing_there.is_empty() && found.astray.is_empty());
        let json = serde_json::to_value(&found.missing_here[1].why).unwrap();
        assert_eq!(json, serde_json::json!({ "unanswered": "pending" }));

        // Once the lost report is heard, the line matches.
        shop.gateway().resolve(&key(pending, Verb::Charge), Resolution::Settle);
        for report in shop.gateway().reports() {
            shop.hear(&report).await;
        }
        let found = reconciled(&shop, Span::ALL, file).await;
        assert_eq!((found.matched.len(), found.missing_here.len()), (6, 5));

        // Another gateway's file has nothing to do with us.
        let mut unit = shop.begin().await;
        let other = "stripe".parse().unwrap();
        let lines = honest.into_iter().map(Ok::<_, Infallible>);
        let found = reconcile(&mut unit, &other, Span::ALL, lines).await.unwrap();
        assert!(found.missing_there.is_empty() && found.astray.is_empty());
        assert!(found.missing_here.iter().all(|one| one.why == Unbooked::OtherGateway("sandbox".parse().unwrap())));
        assert_eq!(found.missing_here.len(), 5);
    }

    async fn differences_repetitions_and_gaps_are_told(shop) {
        busy(&shop).await;
        let mut file = settled(&shop);
        let gone = file.remove(4);
        file[0].amount = Money::from_minor(file[0].amount.minor(), Currency::USD);
        file[1].amount = file[1].amount.checked_neg().unwrap();
        file.push(line(70, file[2].reference.as_ref().unwrap().as_str(), euro("1.00")));
        let found = reconciled(&shop, Span::ALL, file.clone()).await;
        let differing: Vec<_> = found.differing.iter().map(|one| (one.line.line, one.here.currency())).collect();
        assert_eq!(differing, [(2, Currency::EUR), (3, Currency::EUR)]);
        assert_eq!(found.differing[1].here, file[1].amount.checked_neg().unwrap());
        assert_eq!(found.matched.len(), 2);
        let [again] = &found.duplicates[..] else { panic!("{found:?}") };
        assert_eq!((again.line.line, again.first), (70, file[2].line));
        let [missing] = &found.missing_there[..] else { panic!("{found:?}") };
        assert!(gone.reference.unwrap().as_str().starts_with(&missing.payment.to_string()));
        assert_eq!(missing.amount, gone.amount);
    }

    async fn only_what_was_booked_within_the_span_has_to_be_in_the_file(shop) {
        let yesterday = shop.now();
        let first = shop.paid(terms()).await;
        shop.escrow.clock().advance(Duration::from_secs(86_400));
        let today = shop.now();
        let second = shop.paid(terms()).await;
        let found = reconciled(&shop, Span::new(yesterday, today).unwrap(), Vec::new()).await;
        let missing: Vec<_> = found.missing_there.iter().map(|one| one.payment).collect();
        assert_eq!(missing, [shop.payin(first).await.id().subject()]);
        // A line of a payin that was booked a day later matches all the same.
        let late = line(2, &shop.payin(second).await.id().to_string(), euro("100.00"));
        let found = reconciled(&shop, Span::new(yesterday, today).unwrap(), vec![late]).await;
        assert_eq!((found.matched.len(), found.missing_there.len()), (1, 1));
        assert_eq!(found.missing_there[0].at, yesterday);
    }

    async fn a_chargeback_is_taken_with_a_fee_and_comes_back(shop) {
        let payin = shop.payin(shop.paid(terms()).await).await.id();
        let dispute = charged(&shop, payin, "dp_1", euro("100.00"), euro("15.00"));
        tell(&shop, &dispute).await;
        let id = chargeback::id_of(payin, &dispute.reference).to_string();
        let paid = line(2, &payin.to_string(), euro("100.00"));
        let of = |number, amount| line(number, &id, euro(amount));
        let apart = [paid.clone(), of(3, "-100.00"), of(4, "-15.00")].to_vec();
        let at_once = [paid, of(3, "-115.00")].to_vec();
        for (file, mut missing) in [(apart, vec![]), (at_once, vec![]), (vec![of(2, "-15.00")], vec!["100.00", "-100.00"])] {
            let found = reconciled(&shop, Span::ALL, file.clone()).await;
            assert_eq!((found.matched.len(), found.differing.len()), (file.len(), 0), "{found:?}");
            for one in &found.missing_there {
                assert_eq!(one.amount, euro(missing.remove(0)));
            }
            assert!(missing.is_empty() && found.duplicates.is_empty(), "{found:?}");
        }
        // It comes back, without the fee.
        tell(&shop, &decided(&shop, &dispute, true)).await;
        let file = vec![of(2, "-115.00"), of(3, "100.00"), of(4, "-15.00"), of(5, "99.00")];
        let found = reconciled(&shop, Span::ALL, file).await;
        let first: Vec<_> = found.duplicates.iter().map(|again| (again.line.line, again.first)).collect();
        assert_eq!((found.matched.len(), first), (2, vec![(4, 2), (5, 3)]));
        let found = reconciled(&shop, Span::ALL, vec![of(2, "-100.00"), of(3, "-14.00"), of(4, "99.00")]).await;
        let differing: Vec<_> = found.differing.iter().map(|one| one.here).collect();
        assert_eq!((differing, found.duplicates.len()), (vec![euro("100.00")], 1));
    }

    async fn a_line_that_cannot_be_read_stops_it(shop) {
        let mut unit = shop.begin().await;
        let lines = [Err(std::io::Error::other("torn")), Ok(line(2, "x", euro("1.00")))];
        let mut told = 0;
        let stopped = reconcile_each(&mut unit, &"sandbox".parse().unwrap(), Span::ALL, lines, |_| told += 1).await;
        assert_eq!(stopped.unwrap_err().to_string(), "the settlement file cannot be read");
        assert_eq!(told, 0);
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn an_outbox_and_books_that_disagree_are_told() {
    futures_lite::future::block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let shop = Shop::new(escrowed::sqlite::Sqlite::open(&path).unwrap(), 1);
        let id = shop.paid(terms()).await;
        let file = settled(&shop);
        let tamper = r#"UPDATE escrowed_calls SET outcome = '{"settled":{"moved":{"amount":9999,"currency":"EUR"}}}'"#;
        rusqlite::Connection::open(&path).unwrap().execute(tamper, []).unwrap();
        let found = reconciled(&shop, Span::ALL, file).await;
        let [astray] = &found.astray[..] else { panic!("{found:?}") };
        assert_eq!((astray.called, astray.booked), (Some(euro("99.99")), Some(euro("100.00"))));
        assert_eq!(astray.payment, shop.payin(id).await.id().subject());
        assert_eq!(found.matched.len(), 1, "beside what became of the line");
        assert!(!found.is_clean());
    });
}

/// What a careless gateway does to a line.
#[derive(Debug, Clone, Copy)]
enum Slip {
    None,
    Forgets,
    Changes(i64),
    Repeats,
    Invents,
}

fn slip() -> impl Strategy<Value = Slip> {
    prop_oneof![
        2 => Just(Slip::None),
        1 => Just(Slip::Forgets),
        1 => (1_i64..1_000).prop_map(Slip::Changes),
        1 => Just(Slip::Repeats),
        1 => Just(Slip::Invents),
    ]
}

proptest! {
    #![proptest_config(random(40))]

    /// Whatever a gateway gets wrong, each slip is told once and under its name, and nothing else is.
    #[test]
    fn each_slip_is_told_once(slips in vec(slip(), 9)) {
        futures_lite::future::block_on(async {
            let shop = Shop::memory();
            busy(&shop).await;
            let id = shop.planned(terms(), PayoutPlan::to(party("sam"), bank("ba_sam"))).await;
            shop.act(id, Command::Validate {}, ops()).await;
            shop.send().await;
            let (mut file, mut expected) = (Vec::new(), [0; 5]);
            for (honest, slip) in settled(&shop).into_iter().zip(&slips) {
                let matched = usize::from(!matches!(slip, Slip::Forgets | Slip::Changes(_)));
                expected[0] += matched;
                match slip {
                    Slip::None => file.push(honest),
                    Slip::Forgets => expected[3] += 1,
                    Slip::Changes(by) => {
                        let minor = honest.amount.minor() + by;
                        file.push(SettlementLine { amount: Money::from_minor(minor, Currency::EUR), ..honest });
                        expected[1] += 1;
                    }
                    Slip::Repeats => {
                        file.extend([honest.clone(), honest]);
                        expected[4] += 1;
                    }
                    Slip::Invents => {
                        file.extend([line(1_000, "ch_unknown", honest.amount), honest]);
                        expected[2] += 1;
                    }
                }
            }
            let mut told = [0; 5];
            let mut unit = shop.begin().await;
            let lines = file.into_iter().map(Ok::<_, Infallible>);
            let each = |finding| {
                told[match finding {
                    Finding::Matched(_) => 0,
                    Finding::Differs(_) => 1,
                    Finding::MissingHere(_) => 2,
                    Finding::MissingThere(_) => 3,
                    Finding::Duplicate(_) => 4,
                    Finding::Astray(astray) => panic!("{astray:?}"),
                }] += 1;
            };
            reconcile_each(&mut unit, &"sandbox".parse().unwrap(), Span::ALL, lines, each).await.unwrap();
            assert_eq!(told, expected);
        });
    }
}
