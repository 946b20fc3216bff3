//! The crate's tables are those of `tests/data/lifecycles.toml`, edge by edge.

use escrowed::{
    campaign, distribution, face_to_face,
    lifecycle::{Edge, Table},
    loan, movement, order,
    payment::{payin, payout, refund},
    pledge,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeSet,
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
