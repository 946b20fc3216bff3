//! The diagrams in the documentation are those of the tables. `ESCROWED_BLESS=1` writes them anew.

use escrowed::{
    campaign, diagram::Diagram, distribution, face_to_face, lifecycle::Table, loan, movement, order, payment, pledge,
    transaction,
};
use std::path::Path;

const DIAGRAMS: [(&str, Table); 14] = [
    ("src/order/lifecycle.svg", order::TABLE),
    ("src/face_to_face/lifecycle.svg", face_to_face::TABLE),
    ("src/transaction/lifecycle.svg", transaction::TABLE),
    ("src/campaign/lifecycle.svg", campaign::TABLE),
    ("src/pledge/lifecycle.svg", pledge::TABLE),
    ("src/movement/lifecycle.svg", movement::TABLE),
    ("src/loan/lifecycle.svg", loan::TABLE),
    ("src/distribution/lifecycle.svg", distribution::TABLE),
    ("src/payment/payin/lifecycle.svg", payment::payin::TABLE),
    ("src/payment/payout/lifecycle.svg", payment::payout::TABLE),
    ("src/payment/refund/lifecycle.svg", payment::refund::TABLE),
    ("src/payment/tally/lifecycle.svg", payment::tally::TABLE),
    ("src/payment/chargeback/lifecycle.svg", payment::chargeback::TABLE),
    ("src/payment/debt/lifecycle.svg", payment::debt::TABLE),
];

#[test]
fn the_documentation_shows_the_tables_as_they_are() {
    for (file, table) in DIAGRAMS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let drawn = format!("{}\n", Diagram::of(&table).svg().trim_end());
        if std::env::var_os("ESCROWED_BLESS").is_some() {
            std::fs::write(&path, &drawn).unwrap();
        }
        let shown = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(shown == drawn, "{file} is stale: run the tests with ESCROWED_BLESS=1 and look at what has changed");
        // Markdown ends a block of HTML at an empty line.
        assert!(!drawn.contains("\n\n"), "{file} would be cut in the documentation");
    }
}

#[test]
fn every_lifecycle_can_be_drawn_in_three_forms() {
    for (file, table) in DIAGRAMS {
        let diagram = Diagram::of(&table);
        for status in table.statuses {
            for drawn in [diagram.mermaid(), diagram.dot(), diagram.svg()] {
                assert!(drawn.contains(status.name), "{file} does not show {}", status.name);
            }
        }
    }
}
