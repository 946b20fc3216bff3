//! The crate's tables are those of `tests/data/lifecycles.toml`, edge by edge.

use escrowed::{
    campaign, distribution, face_to_face,
    lifecycle::{Edge, Table},
    loan, movement, order,
    payment::{chargeback, debt, payin, payout, refund, tally},
    pledge, transaction,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{Debug, Display},
    str::FromStr,
};

const WANTED: &str = include_str!("../data/lifecycles.toml");

fn wanted(lifecycle: &str, list: &str) -> BTreeSet<String> {
    let all: toml::Table = WANTED.parse().expect("the file is TOML");
    let rows = all[lifecycle][list].as_array().expect("a list");
    let set: BTreeSet<String> = rows.iter().map(|row| row.as_str().expect("text").to_owned()).collect();
    assert_eq!(set.len(), rows.len(), "{lifecycle}.{list} repeats itself");
    set
}

fn initial(lifecycle: &str) -> String {
    let all: toml::Table = WANTED.parse().expect("the file is TOML");
    all[lifecycle]["initial"].as_str().expect("text").to_owned()
}

fn names(table: &Table, positions: &[usize]) -> String {
    positions.iter().map(|at| table.statuses[*at].name).collect::<Vec<_>>().join(" | ")
}

fn line(table: &Table, edge: &Edge) -> String {
    let by = edge.by.iter().map(|role| role.name).collect::<Vec<_>>().join(" | ");
    let action = table.actions[edge.action];
    format!("{action}: {} -> {} by {by}", names(table, edge.from), names(table, edge.to))
}

/// What people agree on.
const AGREEMENTS: [Table; 7] = [
    order::TABLE,
    face_to_face::TABLE,
    campaign::TABLE,
    pledge::TABLE,
    movement::TABLE,
    loan::TABLE,
    distribution::TABLE,
];

#[test]
fn agreements_are_as_they_should_be() {
    for table in AGREEMENTS {
        let name = table.name;
        let statuses = table.statuses.iter().map(|row| format!("{} holds {}", row.name, row.holds.name()));
        assert_eq!(statuses.collect::<BTreeSet<_>>(), wanted(name, "statuses"));
        let edge = |edge| format!("{}, {}, {}", line(&table, edge), edge.money.name(), edge.origin.name());
        assert_eq!(table.edges.iter().map(edge).collect::<BTreeSet<_>>(), wanted(name, "edges"));
        assert_eq!(table.statuses[table.initial].name, initial(name));
    }
}

#[test]
fn payments_are_as_they_should_be() {
    for (name, table) in [("payin", payin::TABLE), ("payout", payout::TABLE), ("refund", refund::TABLE)] {
        let statuses = table.statuses.iter().map(|row| row.name.to_owned());
        assert_eq!(statuses.collect::<BTreeSet<_>>(), wanted(name, "statuses"));
        let edges = table.edges.iter().map(|edge| line(&table, edge));
        assert_eq!(edges.collect::<BTreeSet<_>>(), wanted(name, "edges"));
        assert_eq!(table.statuses[table.initial].name, initial(name));
    }
}

#[test]
fn statuses_are_written_as_in_the_documents() {
    fn check<S>(table: &Table, statuses: &[S])
    where
        S: Serialize + DeserializeOwned + FromStr<Err: Debug> + Display + Debug + PartialEq,
    {
        assert_eq!(statuses.len(), table.statuses.len());
        for (row, status) in table.statuses.iter().zip(statuses) {
            let text = serde_json::to_value(status).unwrap();
            assert_eq!((text.as_str().unwrap(), status.to_string().as_str()), (row.name, row.name));
            assert_eq!(serde_json::from_value::<S>(text).unwrap(), *status);
            assert_eq!(row.name.parse::<S>().unwrap(), *status);
        }
        assert!(serde_json::from_str::<S>("\"NoStatus\"").is_err());
    }
    check(&order::TABLE, order::Status::ALL);
    check(&face_to_face::TABLE, face_to_face::Status::ALL);
    check(&campaign::TABLE, campaign::Status::ALL);
    check(&pledge::TABLE, pledge::Status::ALL);
    check(&movement::TABLE, movement::Status::ALL);
    check(&loan::TABLE, loan::Status::ALL);
    check(&distribution::TABLE, distribution::Status::ALL);
    assert!(serde_json::from_str::<order::Status>("\"Draft\"").is_err());
    assert!(serde_json::from_str::<face_to_face::Status>("\"DepositPaid\"").is_err());
}

#[test]
fn every_status_says_what_it_means() {
    for table in AGREEMENTS.into_iter().chain([payin::TABLE, payout::TABLE, refund::TABLE]) {
        assert!(table.statuses.iter().all(|row| row.says.ends_with('.')), "{}", table.name);
    }
}

/// The comment above each status's type in these sources.
fn comments(sources: &[&str]) -> BTreeMap<String, String> {
    let (mut all, mut comment) = (BTreeMap::new(), String::new());
    for line in sources.iter().flat_map(|source| source.lines().map(str::trim)) {
        if let Some(text) = line.strip_prefix("///") {
            comment.push_str(text);
        } else if let Some(rest) = line.strip_prefix("pub struct ") {
            let name = rest.split(|other: char| !other.is_alphanumeric()).next().expect("a name");
            all.insert(name.to_lowercase(), std::mem::take(&mut comment));
        } else if !line.starts_with("#[") {
            comment.clear();
        }
    }
    all
}

#[test]
fn every_status_names_the_methods_that_lead_out_of_it() {
    const RAISING: &str = include_str!("../../src/pledge/raising.rs");
    let all: [(Table, &[&str]); 14] = [
        (order::TABLE, &[include_str!("../../src/order/state.rs")]),
        (transaction::TABLE, &[include_str!("../../src/transaction/state.rs")]),
        (face_to_face::TABLE, &[include_str!("../../src/face_to_face/state.rs")]),
        (campaign::TABLE, &[RAISING, include_str!("../../src/campaign/state.rs")]),
        (pledge::TABLE, &[include_str!("../../src/pledge/state.rs")]),
        (movement::TABLE, &[include_str!("../../src/movement/state.rs")]),
        (loan::TABLE, &[RAISING, include_str!("../../src/loan/state.rs")]),
        (distribution::TABLE, &[include_str!("../../src/distribution/state.rs")]),
        (payin::TABLE, &[include_str!("../../src/payment/payin/state.rs")]),
        (payout::TABLE, &[include_str!("../../src/payment/payout/state.rs")]),
        (refund::TABLE, &[include_str!("../../src/payment/refund/state.rs")]),
        (debt::TABLE, &[include_str!("../../src/payment/debt/state.rs")]),
        (chargeback::TABLE, &[include_str!("../../src/payment/chargeback/state.rs")]),
        (tally::TABLE, &[include_str!("../../src/payment/tally/state.rs")]),
    ];
    for (table, sources) in all {
        let comments = comments(sources);
        for (position, row) in table.statuses.iter().enumerate() {
            let place = format!("{} {}", table.name, row.name);
            let comment = comments.get(&row.name.replace('_', "").to_lowercase()).expect(&place);
            let told: BTreeSet<&str> = comment.split('`').skip(1).step_by(2).collect();
            let named = |steps: &[Edge]| -> BTreeSet<&str> {
                let possible = steps.iter().filter(|step| step.from.contains(&position));
                possible.map(|step| table.actions[step.action]).collect()
            };
            let (edges, notes) = (named(table.edges), named(table.notes));
            assert!(edges.is_subset(&told), "{place} leads on by {edges:?}, its comment says {told:?}");
            // A note stays, but it may be what an edge waits for, as a repayment is.
            assert!(told.is_subset(&(&edges | &notes)), "{place} has no other than {edges:?}, {notes:?}: {told:?}");
        }
    }
}
