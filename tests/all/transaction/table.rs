//! The table is that of `tests/data/lifecycles.toml`, edge by edge.

use escrowed::{
    lifecycle::Edge,
    transaction::{Status, TABLE},
};
use std::collections::BTreeSet;

fn wanted() -> toml::Table {
    let all: toml::Table = include_str!("../../data/lifecycles.toml").parse().expect("the file is TOML");
    all["transaction"].as_table().expect("a part of the file").clone()
}

fn rows(list: &str) -> BTreeSet<String> {
    let wanted = wanted();
    let rows = wanted[list].as_array().expect("a list");
    let set: BTreeSet<String> = rows.iter().map(|row| row.as_str().expect("text").to_owned()).collect();
    assert_eq!(set.len(), rows.len(), "{list} repeats itself");
    set
}

fn names(positions: &[usize]) -> String {
    positions.iter().map(|at| TABLE.statuses[*at].name).collect::<Vec<_>>().join(" | ")
}

fn line(edge: &Edge) -> String {
    let by = edge.by.iter().map(|role| role.name).collect::<Vec<_>>().join(" | ");
    let (action, money, origin) = (TABLE.actions[edge.action], edge.money.name(), edge.origin.name());
    format!("{action}: {} -> {} by {by}, {money}, {origin}", names(edge.from), names(edge.to))
}

#[test]
fn the_table_is_as_it_should_be() {
    assert_eq!(TABLE.name, "transaction");
    let statuses = TABLE.statuses.iter().map(|row| format!("{} holds {}", row.name, row.holds.name()));
    assert_eq!(statuses.collect::<BTreeSet<_>>(), rows("statuses"));
    assert_eq!(TABLE.edges.iter().map(line).collect::<BTreeSet<_>>(), rows("edges"));
    assert_eq!(TABLE.statuses[TABLE.initial].name, wanted()["initial"].as_str().expect("text"));
    assert!(TABLE.statuses.iter().all(|row| row.says.ends_with('.')));
}

#[test]
fn the_happy_path_is_the_documents() {
    // `idealPath` of 003_781515c6c4d9c1ef.txt.
    let ideal =
        "created | joined | paid | payment_accepted | tracked | delivered | complaint_period_ended | funds_released";
    assert_eq!(names(TABLE.happy), ideal);
}

#[test]
fn statuses_are_written_as_in_the_document() {
    assert_eq!(Status::ALL.len(), TABLE.statuses.len());
    for (row, status) in TABLE.statuses.iter().zip(Status::ALL) {
        let text = serde_json::to_value(status).unwrap();
        assert_eq!((text.as_str().unwrap(), status.to_string().as_str()), (row.name, row.name));
        assert_eq!(serde_json::from_value::<Status>(text).unwrap(), *status);
        assert_eq!(row.name.parse::<Status>().unwrap(), *status);
    }
    for unknown in ["NoStatus", "PaymentAccepted", "PAID", "funds_released_released", "complain", ""] {
        assert!(serde_json::from_value::<Status>(unknown.into()).is_err(), "{unknown}");
        assert!(unknown.parse::<Status>().is_err(), "{unknown}");
    }
}

#[test]
fn complained_is_read_and_never_written() {
    let old: Status = serde_json::from_str("\"complained\"").unwrap();
    assert_eq!(
        (old, "complained".parse::<Status>().unwrap()),
        (Status::ComplaintSubmitted, Status::ComplaintSubmitted)
    );
    assert_eq!(serde_json::to_string(&old).unwrap(), "\"complaint_submitted\"");
    assert_eq!((old.name(), old.to_string().as_str()), ("complaint_submitted", "complaint_submitted"));
    assert_eq!(TABLE.status("complained"), None, "no row of the table has the old name");
}
