//! Every row of every table, every column of it: altered alone, it is found and named; put back, nothing is found.

use crate::{
    face_to_face,
    harness::{Shop, euro, ops, seed, terms},
    properties, transaction,
};
use escrowed::{
    order::{Draft, Order, OrderId},
    party::Stamp,
    sandbox::Chaos,
    sqlite::Sqlite,
    store::Request,
    verify::{Difference, Place, Verified},
};
use futures_lite::future::block_on;
use rusqlite::{Connection, types::Value};
use std::collections::BTreeSet;

/// A column whose alteration cannot be found, wholly or in part, and why.
struct Blind {
    column: &'static str,
    why: &'static str,
    /// The rows in which it cannot be, by a condition.
    rows: &'static str,
}

const EVERY: &str = "1";

/// Neither an id, nor a key, nor an account.
const NONSENSE: &str = "nothing";

const BLIND: [Blind; 24] = [
    Blind { column: "escrowed_subjects.revision", why: "a mark without a meaning", rows: EVERY },
    Blind { column: "escrowed_subjects.worker", why: "a lease, the workers' own", rows: EVERY },
    Blind { column: "escrowed_subjects.lease_until", why: "a lease, the workers' own", rows: EVERY },
    Blind { column: "escrowed_calls.worker", why: "a lease, the workers' own", rows: EVERY },
    Blind { column: "escrowed_calls.lease_until", why: "a lease, the workers' own", rows: EVERY },
    Blind { column: "escrowed_calls.number", why: "only orders those that wait", rows: EVERY },
    Blind { column: "escrowed_calls.attempts", why: "counted by the workers", rows: EVERY },
    Blind { column: "escrowed_calls.problem", why: "noted by the workers", rows: EVERY },
    Blind { column: "escrowed_calls.leases", why: "counted by the workers", rows: EVERY },
    Blind { column: "escrowed_calls.sent", why: "noted by the workers", rows: EVERY },
    Blind { column: "escrowed_calls.due", why: "put off by the workers, once they took it", rows: "attempts > 0" },
    Blind {
        column: "escrowed_calls.status",
        why: "what was taken and not answered for good is queued, looked up or parked by the workers",
        rows: "status IN ('queued', 'pending', 'parked') AND attempts > 0",
    },
    Blind { column: "escrowed_entries.number", why: "only keeps the order of a subject's entries", rows: EVERY },
    Blind {
        column: "escrowed_events.actor",
        why: "whoever opens it, and whoever comes while the other side is not known yet, may be anybody",
        rows: BEFORE_BOTH_ARE_KNOWN,
    },
    Blind { column: "escrowed_events.at", why: "nothing bears the time of such an event", rows: SILENT },
    Blind { column: "escrowed_events.body", why: "words, and amounts that have not moved", rows: WITHOUT_AMOUNTS },
    Blind { column: "escrowed_requests.key", why: "no log knows of requests", rows: EVERY },
    Blind { column: "escrowed_requests.digest", why: "no log knows of requests", rows: EVERY },
    Blind { column: "escrowed_requests", why: "no log knows of requests", rows: EVERY },
    Blind { column: "escrowed_migrations.version", why: "read when the file is opened", rows: EVERY },
    Blind { column: "escrowed_migrations.applied_at", why: "for people to read", rows: EVERY },
    Blind { column: "escrowed_migrations", why: "read when the file is opened", rows: EVERY },
    Blind { column: "shop_steps", why: "the host's own table", rows: EVERY },
    Blind { column: "sqlite_", why: "SQLite's own tables", rows: EVERY },
];

const BEFORE_BOTH_ARE_KNOWN: &str = "seq = 1 OR NOT (
    subject GLOB 'pi_*' OR subject GLOB 'po_*' OR subject GLOB 're_*' OR EXISTS (
        SELECT 1 FROM escrowed_events AS e
        WHERE e.subject = escrowed_events.subject AND e.seq < escrowed_events.seq AND e.name IN ('join', 'identify_buyer')
    )
)";
// Neither the last event of a commit that booked something, nor one from which a call took its time.
const SILENT: &str = "NOT EXISTS (
    SELECT 1 FROM escrowed_entries AS e WHERE e.subject = escrowed_events.subject AND e.seq = escrowed_events.seq
)";
// Those whose amounts are moved by the event itself or were counted with it.
const WITHOUT_AMOUNTS: &str = "body NOT GLOB '*\"amount\":*' OR NOT (
    subject GLOB 'pi_*' OR subject GLOB 'po_*' OR subject GLOB 're_*' OR name IN ('publish', 'validate', 'refund_part')
)";

fn is_blind(connection: &Connection, table: &Table, column: &str, key: &[Value]) -> bool {
    let full = format!("{}.{column}", table.name);
    BLIND.iter().filter(|blind| blind.column == full || (column.is_empty() && blind.column == table.name)).any(
        |blind| {
            assert!(!blind.why.is_empty());
            let query = format!("SELECT count(*) FROM {} WHERE {} AND ({})", table.name, table.by_key(), blind.rows);
            connection.query_row(&query, rusqlite::params_from_iter(key), |row| row.get::<_, i64>(0)).unwrap() > 0
        },
    )
}

/// A table, its columns and those of its key.
struct Table {
    name: String,
    columns: Vec<String>,
    key: Vec<usize>,
}

impl Table {
    fn all(connection: &Connection) -> Vec<Self> {
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let names: Vec<String> = column(connection, names);
        let names = names.into_iter().filter(|name| !name.starts_with("sqlite_") && name != "shop_steps");
        let table = |name: String| {
            let columns = column(connection, &format!("SELECT name FROM pragma_table_info('{name}') ORDER BY cid"));
            let key: Vec<i64> =
                column(connection, &format!("SELECT cid FROM pragma_table_info('{name}') WHERE pk > 0 ORDER BY cid"));
            Self { name, columns, key: key.into_iter().map(|cid| usize::try_from(cid).unwrap()).collect() }
        };
        names.map(table).collect()
    }

    fn rows(&self, connection: &Connection) -> Vec<Vec<Value>> {
        let mut statement = connection.prepare(&format!("SELECT * FROM {}", self.name)).unwrap();
        let width = statement.column_count();
        let rows = statement.query_map([], |row| (0..width).map(|nth| row.get(nth)).collect());
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn by_key(&self) -> String {
        self.key.iter().map(|nth| format!("{} IS ?", self.columns[*nth])).collect::<Vec<_>>().join(" AND ")
    }

    fn key_of(&self, row: &[Value]) -> Vec<Value> {
        self.key.iter().map(|nth| row[*nth].clone()).collect()
    }

    /// False where the database itself does not take the row.
    fn replace(&self, connection: &Connection, from: &[Value], to: &[Value]) -> bool {
        let set = self.columns.iter().map(|column| format!("{column} = ?")).collect::<Vec<_>>().join(", ");
        let update = format!("UPDATE {} SET {set} WHERE {}", self.name, self.by_key());
        let values = to.iter().cloned().chain(self.key_of(from));
        match connection.execute(&update, rusqlite::params_from_iter(values)) {
            Ok(changed) => {
                assert_eq!(changed, 1, "{update}");
                true
            }
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == rusqlite::ErrorCode::ConstraintViolation => {
                false
            }
            Err(error) => panic!("{update}: {error}"),
        }
    }

    fn delete(&self, connection: &Connection, row: &[Value]) {
        let delete = format!("DELETE FROM {} WHERE {}", self.name, self.by_key());
        assert_eq!(connection.execute(&delete, rusqlite::params_from_iter(self.key_of(row))).unwrap(), 1);
    }

    fn insert(&self, connection: &Connection, row: &[Value]) {
        let places = vec!["?"; row.len()].join(", ");
        let insert = format!("INSERT INTO {} VALUES ({places})", self.name);
        assert_eq!(connection.execute(&insert, rusqlite::params_from_iter(row)).unwrap(), 1);
    }

    fn at<'r>(&self, row: &'r [Value], column: &str) -> &'r Value {
        &row[self.columns.iter().position(|known| known == column).unwrap()]
    }

    /// What a difference about this row has to name.
    fn name_of(&self, row: &[Value]) -> String {
        let column = match self.name.as_str() {
            "escrowed_subjects" => "id",
            "escrowed_balances" => "account",
            "escrowed_calls" | "escrowed_requests" => "key",
            "escrowed_parties" | "escrowed_events" | "escrowed_entries" => "subject",
            other => panic!("{other}: whom are its rows about?"),
        };
        let Value::Text(name) = self.at(row, column) else { panic!("{column} is text") };
        name.clone()
    }

    /// Other values for a column, each of which the database takes and none of which is nonsense; and one that is.
    fn others(&self, row: &[Value], nth: usize) -> Vec<Value> {
        let column = self.columns[nth].as_str();
        let text = |text: &str| Value::Text(text.to_owned());
        let one_of =
            |names: &[&str], is: &str| names.iter().filter(|name| **name != is).map(|name| text(name)).collect();
        match &row[nth] {
            Value::Integer(number) => vec![Value::Integer(number + 1), Value::Integer(number + 1_000_000)],
            Value::Null => match column {
                "about" => vec![text("ord_01kr1hgnqred6999kp7cqmx8ss")],
                "deadline" => vec![Value::Integer(1_800_000_000_000_000)],
                "outcome" => vec![text(r#"{"declined":{"reason":"no"}}"#), text(r#"{"pending":{"direct_link":null}}"#)],
                _ => vec![text("?")],
            },
            Value::Text(is) => match column {
                "id" | "subject" | "lane" | "about" | "key" if is.len() > 29 || column != "key" => {
                    vec![text(&other_id(is)), text(NONSENSE)]
                }
                "account" | "from_account" | "to_account" => vec![text(&other_account(is)), text(NONSENSE)],
                "currency" => one_of(&["USD", "EUR", "?"], is),
                "lifecycle" => one_of(&["order", "payin", "?"], is),
                "purpose" => one_of(&["payin", "payout", "?"], is),
                "status" if self.name == "escrowed_calls" => {
                    one_of(&["queued", "pending", "settled", "withdrawn", "parked", "?"], is)
                }
                "status" => one_of(&["CREATED", "CONFIRMED", "DENIED", "?"], is),
                "parties" => vec![text("[]"), text(r#"["mallory"]"#), text("[")],
                "party" | "gateway" => vec![text("mallory")],
                "actor" => vec![text(r#"{"party":"mallory"}"#), text("{")],
                "instruction" | "outcome" | "body" => {
                    let mut others: Vec<_> = other_amounts(is).into_iter().map(Value::Text).collect();
                    others.push(text("{"));
                    others
                }
                _ => vec![Value::Text(format!("{is}x"))],
            },
            Value::Real(_) | Value::Blob(_) => panic!("{column} is of no type that the crate uses"),
        }
    }
}

fn column<T: rusqlite::types::FromSql>(connection: &Connection, query: &str) -> Vec<T> {
    let mut statement = connection.prepare(query).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

// The id, or the key of a call, with another last digit of the id.
fn other_id(text: &str) -> String {
    let (id, rest) = text.split_once(':').map_or((text, String::new()), |(id, verb)| (id, format!(":{verb}")));
    let (head, last) = id.split_at(id.len() - 1);
    format!("{head}{}{rest}", if last == "0" { "1" } else { "0" })
}

fn other_account(text: &str) -> String {
    match text.split_once(':') {
        Some(("escrow", id)) => format!("escrow:{}", other_id(id)),
        Some((class, _)) => format!("{class}:mallory"),
        None => panic!("{text} is no account"),
    }
}

// The JSON with one amount in it changed, once for each.
fn other_amounts(json: &str) -> Vec<String> {
    let mark = "\"amount\":";
    let places = json.match_indices(mark).map(|(at, _)| at + mark.len());
    let digits = places.filter(|at| json[*at..].starts_with(|c: char| c.is_ascii_digit()));
    let other = |at: usize| {
        let end = at + json[at..].find(|c: char| !c.is_ascii_digit()).unwrap();
        let amount: i64 = json[at..end].parse().unwrap();
        format!("{}{}{}", &json[..at], amount + 1, &json[end..])
    };
    digits.map(other).collect()
}

#[test]
fn one_page_after_another_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("market.db");
    let seed = seed();
    block_on(async {
        let shop = shaken(Sqlite::open(&file).unwrap(), seed).await;
        let connection = Connection::open(&file).unwrap();
        connection.execute("UPDATE escrowed_balances SET minor = minor + 1 WHERE account = 'wallet:anna'", []).unwrap();
        connection.execute("UPDATE escrowed_subjects SET status = 'LOST' WHERE id GLOB 'pi_*'", []).unwrap();
        let mut at_once = Vec::new();
        let verifier = shop.escrow.verifier();
        let whole = verifier.verify(shop.escrow.store(), |found| at_once.push(found.to_string())).await.unwrap();
        assert!(whole.differences > 1 && whole.calls > 0 && whole.entries > 0 && whole.requests == 1, "{whole:?}");
        for rows in [1, 3, 1_000] {
            let verifier = shop.escrow.verifier().in_pages_of(rows);
            let (mut sum, mut one_by_one, mut place) = (Verified::default(), Vec::new(), Some(Place::START));
            while let Some(from) = place {
                // Kept by the host from one day to the next.
                let kept = serde_json::to_string(&from).unwrap();
                let step = verifier.page(shop.escrow.store(), &serde_json::from_str(&kept).unwrap()).await.unwrap();
                sum = sum.and(step.verified);
                one_by_one.extend(step.differences.iter().map(Difference::to_string));
                place = step.next;
            }
            assert_eq!((sum, &one_by_one), (whole, &at_once), "{rows} rows at a time");
        }
    });
}

/// A shop whose gateway fails in every way, in the middle of it all, with something in every table.
async fn shaken(store: Sqlite, seed: u64) -> Shop<Sqlite> {
    let shop = Shop::new(store, seed);
    shop.fill_wallet("anna", euro("300.00")).await;
    shop.gateway().chaos(Chaos::ROUGH);
    let shop = crate::storm::shaken::<_, properties::Life<_>>(shop, 60, seed).await;
    let shop = crate::storm::shaken::<_, transaction::storm::Life<_>>(shop, 25, seed).await;
    let shop = crate::storm::shaken::<_, face_to_face::storm::Life<_>>(shop, 25, seed).await;
    let at = Stamp::new(ops(), shop.now());
    let opened: Order<Draft> = {
        let mut unit = shop.begin().await;
        let request = Request::new("request-1", "open an order").unwrap();
        let opened = Order::open(OrderId::generate(at.at), terms(), &at).unwrap().under(request);
        let order = opened.save(&mut unit).await.unwrap();
        shop.commit(unit).await;
        order
    };
    assert_eq!(opened.held(), euro("0.00"));
    shop
}

fn found(shop: &Shop<Sqlite>) -> Vec<Difference> {
    let mut found = Vec::new();
    let verifier = shop.escrow.verifier().in_pages_of(1_000);
    let verified = block_on(verifier.verify(shop.escrow.store(), |difference| found.push(difference))).unwrap();
    assert_eq!(verified.differences, found.len());
    found
}

#[test]
fn whatever_is_altered_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("market.db");
    let shop = block_on(shaken(Sqlite::open(&file).unwrap(), seed()));
    assert!(found(&shop).is_empty(), "{:?}", found(&shop));
    let connection = Connection::open(&file).unwrap();
    let lax = "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF";
    connection.execute_batch(lax).unwrap();
    let (mut altered, mut missed) = (0, BTreeSet::new());
    for table in Table::all(&connection) {
        let rows = table.rows(&connection);
        assert!(!rows.is_empty(), "there is nothing in {}", table.name);
        for row in &rows {
            let key = table.key_of(row);
            let blind = |column: &str| is_blind(&connection, &table, column, &key);
            let mut judge = |column: &str, what: &str, lists: bool| {
                altered += 1;
                let name = table.name_of(row);
                let found: Vec<_> = found(&shop).iter().map(Difference::to_string).collect();
                // A key that is none breaks off the list in which it stands, and nobody knows whose it was.
                let named = found.iter().any(|told| told.contains(&name) || (lists && told.starts_with("the list of")));
                if !named {
                    missed.insert(format!("{}.{column} of {name} {what}: {row:?}: {found:?}", table.name));
                }
            };
            for (nth, column) in table.columns.iter().enumerate() {
                if blind(column) {
                    continue;
                }
                for other in table.others(row, nth) {
                    let mut changed = row.clone();
                    changed[nth] = other.clone();
                    if table.replace(&connection, row, &changed) {
                        judge(column, &format!("is {other:?}"), other == Value::Text(NONSENSE.to_owned()));
                        assert!(table.replace(&connection, &changed, row));
                    }
                }
            }
            if !blind("") {
                table.delete(&connection, row);
                judge("*", "is gone", false);
                table.insert(&connection, row);
                if table.name == "escrowed_entries" {
                    let mut twice = row.clone();
                    twice[0] = Value::Integer(1_000_000);
                    table.insert(&connection, &twice);
                    judge("*", "is there twice", false);
                    table.delete(&connection, &twice);
                }
            }
        }
        assert!(found(&shop).is_empty(), "{} is not as it was: {:?}", table.name, found(&shop));
    }
    eprintln!("{altered} alterations");
    assert!(missed.is_empty(), "{} of {altered} were missed: {missed:#?}", missed.len());
}
