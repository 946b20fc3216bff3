//! A transaction as JSON: byte for byte in the shape of the API response of `003_781515c6c4d9c1ef.txt`.

use super::{DAY, Deal, anna, award, card, complain, euro, judy, sam, terms, track};
use crate::harness::{START, on_each_store, party};
use escrowed::{
    deal::Side,
    money::Money,
    party::{Actor, Stamp},
    time::Timestamp,
    transaction::{AnyTransaction, Command, Person, Pricing, Response, Status, Terms, Transaction, TransactionId},
};
use std::time::Duration;

/// The code block of the document, as it stands there.
const DOCUMENT: &str = include_str!("../../data/transaction_response.json");

const SECOND: Duration = Duration::from_secs(1);

/// Without the white space between the tokens.
fn compact(json: &str) -> String {
    let (mut text, mut quoted, mut escaped) = (String::new(), false, false);
    for character in json.chars() {
        if quoted || !character.is_whitespace() {
            text.push(character);
        }
        quoted ^= character == '"' && !escaped;
        escaped = quoted && character == '\\' && !escaped;
    }
    text
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

/// A response written by hand, key by key in the order of the document.
fn by_hand(response: &Response) -> String {
    let person = |person: &Option<Person>| match person {
        Some(person) => format!(r#"{{"id":"{}","is_guest":{}}}"#, person.id, person.is_guest),
        None => "null".to_owned(),
    };
    let keys = response.events.by_key.iter().map(|(key, at)| format!(r#""{key}":"{at}""#)).collect::<Vec<_>>();
    let times = response.events.by_time.iter();
    let times = times.map(|event| format!(r#"{{"at":"{}","code":"{}"}}"#, event.at, event.code)).collect::<Vec<_>>();
    let (pricing, fees) = (&response.pricing, &response.pricing.fees);
    [
        format!(r#"{{"buyer":{},"client_id":"{}""#, person(&response.buyer), response.client_id),
        format!(r#""deadlines":{{"complaints":{}}}"#, json(&response.deadlines.complaints)),
        format!(r#""description":{}"#, json(&response.description)),
        format!(r#""events":{{"by_key":{{{}}},"by_time":[{}]}}"#, keys.join(","), times.join(",")),
        format!(r#""id":"{}","payment_link":{}"#, response.id, json(&response.payment_link)),
        format!(r#""pricing":{{"amount":{},"amount_extra":{}"#, pricing.amount, pricing.amount_extra),
        format!(r#""currency":"{}""#, pricing.currency.code().to_lowercase()),
        format!(r#""fees":{{"buyer":{},"buyer_client":{}"#, fees.buyer, fees.buyer_client),
        format!(r#""seller":{},"seller_client":{}}}}}"#, fees.seller, fees.seller_client),
        format!(r#""seller":{},"status":"{}"}}"#, person(&response.seller), response.status),
    ]
    .join(",")
}

fn read(text: &str) -> Result<Response, serde_json::Error> {
    serde_json::from_str(text)
}

/// The document with one thing in it changed.
fn altered(from: &str, to: &str) -> Result<Response, serde_json::Error> {
    let document = compact(DOCUMENT);
    assert!(document.contains(from), "{from} is not in the document");
    read(&document.replacen(from, to, 1))
}

#[test]
fn the_document_is_read_and_written_unchanged() {
    let response = read(DOCUMENT).unwrap();
    assert_eq!(serde_json::to_string(&response).unwrap(), compact(DOCUMENT));
    assert_eq!(by_hand(&response), compact(DOCUMENT), "so this comparison is sound");
    assert_eq!(response.status, Status::Joined);
    assert_eq!((response.pricing.amount, response.pricing.fees.buyer), (20_000, 640));
    assert_eq!(response.events.by_time.len(), 2);
    assert!(response.buyer.is_some_and(|buyer| buyer.is_guest));
}

#[test]
fn the_documents_transaction_gives_the_document() {
    let id = |text: &str| text.parse::<escrowed::party::PartyId>().unwrap();
    let (buyer, seller) = ("1-def29dfe-8626-48a2-8863-b6fdf2b96ff0", "1-3f546125-2ec2-4b14-87f6-54a14ae73e98");
    let mut pricing = Pricing::of("200.00 GBP".parse().unwrap());
    pricing.fees.buyer = "6.40 GBP".parse().unwrap();
    let (client, gateway) = (id("5ad5451d-70c7-43c6-86c9-e1d90556856c"), "sandbox".parse().unwrap());
    let seller = Person::guest(id(seller));
    let mut terms =
        Terms::new(Side::Seller, seller.clone(), pricing, "Trustap socks".parse().unwrap(), client, gateway);
    terms.buyer = Some(Person::guest(id(buyer)));
    let link = "https://actions.stage.trustap.com/transactions/tx_01kr1hgnqred6999kp7cqmx8ss/pay";
    terms.payment_link = Some(link.parse().unwrap());
    let at = |who| Stamp::new(Actor::Party(who), START.parse().unwrap());
    let tx: TransactionId = "tx_01kr1hgnqred6999kp7cqmx8ss".parse().unwrap();
    let opened = Transaction::open(tx, terms, &at(seller.id)).unwrap();
    let joined = opened.then(|created| created.join(&at(id(buyer)))).unwrap().widen();
    let response = joined.value().response();
    assert_eq!(response, read(DOCUMENT).unwrap());
    assert_eq!(serde_json::to_string(&response).unwrap(), compact(DOCUMENT));
}

#[test]
fn complained_is_read_and_written_as_complaint_submitted() {
    let old = altered(r#""status":"joined""#, r#""status":"complained""#).unwrap();
    assert_eq!(old.status, Status::ComplaintSubmitted);
    assert!(serde_json::to_string(&old).unwrap().contains(r#""status":"complaint_submitted""#));
    let old = altered(r#""code":"joined""#, r#""code":"complained""#).unwrap();
    assert_eq!(old.events.by_time[1].code, Status::ComplaintSubmitted);
    assert!(!serde_json::to_string(&old).unwrap().contains("complained"));
}

#[test]
fn complained_is_never_written_as_a_key_either() {
    let old = altered(r#""joined":"2026"#, r#""complained":"2026"#).unwrap();
    let written = serde_json::to_string(&old).unwrap();
    assert!(!written.contains("complained") && written.contains(r#""complaint_submitted":"2026"#), "{written}");
}

#[test]
fn unknown_fields_are_refused() {
    let document = compact(DOCUMENT);
    let objects: Vec<_> = document.match_indices('{').map(|(at, _)| at + 1).collect();
    assert_eq!(objects.len(), 10, "{document}");
    for at in objects {
        // What stands in `by_key` are no fields: see below.
        if !document[..at].ends_with(r#""by_key":{"#) {
            let mut text = document.clone();
            text.insert_str(at, r#""stolen":"2026-05-07T15:39:46Z","#);
            assert!(read(&text).is_err(), "taken: {text}");
        }
    }
}

#[test]
fn only_statuses_are_keys_of_events() {
    for unknown in ["stolen", "Created", "JOINED", ""] {
        assert!(altered(r#""joined":"2026"#, &format!(r#""{unknown}":"2026"#)).is_err(), "{unknown:?} was taken");
    }
}

#[test]
fn what_is_missing_is_refused() {
    let whole: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
    let without = |path: &[&str], key: &str| {
        let mut value = whole.clone();
        let object = path.iter().fold(&mut value, |value, key| &mut value[*key]);
        assert!(object.as_object_mut().unwrap().remove(key).is_some(), "{key}");
        serde_json::from_value::<Response>(value)
    };
    for key in ["client_id", "deadlines", "description", "events", "id", "pricing", "status"] {
        assert!(without(&[], key).is_err(), "{key}");
    }
    for key in ["id", "is_guest"] {
        assert!(without(&["buyer"], key).is_err() && without(&["seller"], key).is_err(), "{key}");
    }
    for key in ["by_key", "by_time"] {
        assert!(without(&["events"], key).is_err(), "{key}");
    }
    for key in ["amount", "amount_extra", "currency", "fees"] {
        assert!(without(&["pricing"], key).is_err(), "{key}");
    }
    for key in ["buyer", "buyer_client", "seller", "seller_client"] {
        assert!(without(&["pricing", "fees"], key).is_err(), "{key}");
    }
}

#[test]
fn wrong_values_are_refused() {
    let wrong = [
        (r#""gbp""#, [r#""xyz""#, r#""xau""#, r#""""#, r#""pounds""#, "826", "null"].as_slice()),
        (
            r#""tx_01kr1hgnqred6999kp7cqmx8ss""#,
            [
                r#""ord_01kr1hgnqred6999kp7cqmx8ss""#,
                r#""tx_01kr1hgnqred6999kp7cqmx8s""#,
                r#""tx_01kr1hgnqred6999kp7cqmx8sss""#,
                r#""TX_01kr1hgnqred6999kp7cqmx8ss""#,
                r#""tx_01KR1HGNQRED6999KP7CQMX8SS""#,
                r#""tx_81kr1hgnqred6999kp7cqmx8ss""#,
                r#""01kr1hgnqred6999kp7cqmx8ss""#,
                r#""""#,
                "7",
                "null",
            ]
            .as_slice(),
        ),
        (
            r#""2026-05-07T15:39:46Z""#,
            [r#""2026-05-07""#, r#""2026-13-07T15:39:46Z""#, r#""2026-05-07T15:39:46""#, r#""yesterday""#, "0", "null"]
                .as_slice(),
        ),
        (r#""at":"2026-05-07T15:39:46Z""#, [r#""at":"15:39:46Z""#, r#""at":1778168386"#].as_slice()),
        (r#""complaints":null"#, [r#""complaints":"soon""#, r#""complaints":false"#].as_slice()),
        (r#""status":"joined""#, [r#""status":"JOINED""#, r#""status":"paid!""#, r#""status":null"#].as_slice()),
        (r#""code":"created""#, [r#""code":"Created""#, r#""code":"open""#].as_slice()),
        ("20000", ["200.00", r#""20000""#, "9223372036854775808", "null"].as_slice()),
        ("true", [r#""true""#, "1", "null"].as_slice()),
        (r#""Trustap socks""#, [r#""""#, "null", r#""a\u0000b""#].as_slice()),
        (r#""5ad5451d-70c7-43c6-86c9-e1d90556856c""#, [r#""""#, "null"].as_slice()),
        (r#""1-def29dfe-8626-48a2-8863-b6fdf2b96ff0""#, [r#""""#, "null", "[]"].as_slice()),
    ];
    for (from, others) in wrong {
        for to in others {
            assert!(altered(from, to).is_err(), "{to} was taken for {from}");
        }
    }
    assert!(read("{}").is_err() && read("[]").is_err() && read("").is_err());
    assert!(read(&format!("{DOCUMENT}x")).is_err(), "nothing may follow");
}

#[test]
fn other_forms_of_the_same_are_written_in_the_documents_form() {
    let written = |from: &str, to: &str| serde_json::to_string(&altered(from, to).unwrap()).unwrap();
    assert_eq!(written(r#""gbp""#, r#""GBP""#), compact(DOCUMENT));
    assert_eq!(written("2026-05-07T15:39:46Z", "2026-05-07T17:39:46+02:00"), compact(DOCUMENT));
    for minor in ["0", "9223372036854775807"] {
        assert!(written("20000", minor).contains(&format!(r#""amount":{minor},"#)));
    }
}

/// What has to hold of every response.
fn check(deal: &AnyTransaction) {
    let response = deal.response();
    let written = serde_json::to_string(&response).unwrap();
    assert_eq!(written, by_hand(&response));
    assert_eq!(read(&written).unwrap(), response, "it is read back as it was");
    assert_eq!(serde_json::to_string(&read(&written).unwrap()).unwrap(), written);
    assert_eq!((response.status, response.id), (deal.status(), deal.id()));

    let passages = deal.history().by_time();
    let told: Vec<_> = response.events.by_time.iter().map(|event| (event.code, event.at)).collect();
    assert_eq!(told, passages.iter().map(|one| (one.code, one.stamp.at)).collect::<Vec<_>>());
    assert_eq!(told.first().map(|(code, _)| *code), Some(Status::Created));
    assert_eq!(told.last().map(|(code, _)| *code), Some(deal.status()));
    assert!(told.is_sorted_by_key(|(_, at)| *at));
    assert_eq!(response.events.by_key.len(), told.len(), "each status is reached once: {told:?}");
    for status in Status::ALL {
        let first: Option<Timestamp> = told.iter().find(|(code, _)| code == status).map(|(_, at)| *at);
        assert_eq!(response.events.by_key.get(status.name()).copied(), first, "{status}");
    }
    assert!(response.events.by_key.keys().all(|key| Status::ALL.iter().any(|status| status.name() == key)));

    let runs =
        matches!(deal.status(), Status::Delivered | Status::BuyerHandoverConfirmed | Status::SellerHandoverConfirmed);
    let started = told.last().map(|(_, at)| at.plus(DAY));
    assert_eq!(response.deadlines.complaints, started.filter(|_| runs), "{}", deal.status());
    assert_eq!(deal.complaints_until(), response.deadlines.complaints);

    let pricing = &deal.facts().terms().pricing;
    assert_eq!(Money::from_minor(response.pricing.amount, response.pricing.currency), pricing.amount);
    let fees = &response.pricing.fees;
    assert_eq!((response.pricing.amount_extra, fees.buyer, fees.buyer_client), (900, 200, 400));
    assert_eq!((fees.seller, fees.seller_client), (300, 500));
    assert_eq!((pricing.owed().unwrap(), response.client_id), (euro("115.00"), party("shop")));
}

on_each_store! {
    async fn every_status_is_told(shop) {
        for status in Status::ALL.iter().copied() {
            let deal = Deal::in_status(&shop, status).await;
            let now = deal.now().await;
            assert_eq!(now.status(), status);
            check(&now);
        }
    }

    async fn every_step_is_told_with_its_time(shop) {
        let link = "https://example.org/pay?a=\"b\"\\c".parse().unwrap();
        let description = "Söcks, \"left\" \\ only\n".parse().unwrap();
        let deal = Deal::opened(&shop, Terms { payment_link: Some(link), description, ..terms() }).await;
        let opened = deal.now().await.response();
        assert_eq!((opened.buyer, opened.seller), (None, Some(Person::user(party("sam")))));
        let steps: [(Actor, Command<'_>); 7] = [
            (anna(), Command::Join {}),
            (anna(), card()),
            (sam(), Command::AcceptPayment {}),
            (sam(), track()),
            (sam(), Command::Deliver {}),
            (anna(), complain()),
            (judy(), award("15.00", "100.00")),
        ];
        for (by, command) in steps {
            check(&deal.now().await);
            deal.wait(SECOND);
            deal.act(by, command).await;
            check(&deal.now().await);
            // An award's refund is not sent before it was looked at.
            if deal.status().await == Status::Joined {
                deal.wait(SECOND);
                shop.send().await;
            }
        }
        deal.wait(SECOND);
        shop.send().await;
        let over = deal.now().await;
        check(&over);
        let start: Timestamp = START.parse().unwrap();
        let by_key = over.response().events.by_key;
        let after = |name: &str| (by_key[name].unix_micros() - start.unix_micros()) / 1_000_000;
        let reached = ["created", "joined", "paid", "payment_accepted", "tracked", "delivered", "complaint_submitted"];
        assert_eq!(reached.map(after), [0, 1, 4, 5, 6, 7, 8]);
        assert_eq!(after("funds_released"), 10);
        assert_eq!(by_key.len(), 8);
    }

    async fn times_are_told_to_the_microsecond(shop) {
        let deal = Deal::opened(&shop, terms()).await;
        deal.wait(Duration::from_micros(250_001));
        deal.act(anna(), Command::Join {}).await;
        let now = deal.now().await;
        check(&now);
        let written = serde_json::to_string(&now.response()).unwrap();
        assert!(written.contains(r#""joined":"2026-05-07T15:39:46.250001Z""#), "{written}");
    }
}
