//! Statements as tables.

use super::*;

/// Names that strangers may choose, and how they are written.
const STRANGERS: [(&str, &str); 10] = [
    ("=1+1", "=1+1"),
    ("+1", "+1"),
    ("-1", "-1"),
    ("@SUM(A1)", "@SUM(A1)"),
    ("Smith-Jones; ltd, 5 - 4", "Smith-Jones; ltd, 5 - 4"),
    ("a;=1+1", "a;'=1+1"),
    ("a\",\"=1+1", "a\",\"'=1+1"),
    ("a\n=1+1,b", "a\n'=1+1,b"),
    ("\t=HYPERLINK(\"x\")", "\t'=HYPERLINK(\"x\")"),
    ("a; \t-1", "a; \t'-1"),
];

async fn paid_to(name: &str) -> Memory {
    let store = Memory::new();
    let mut commit = opens(order(1));
    let wallet = Account::Wallet(name.parse().unwrap()).to_string();
    commit.entries = vec![entry("world:sandbox", "wallet:alice", 1250), entry("wallet:alice", &wallet, 50)];
    saved(&store, &commit).await;
    store
}

#[test]
fn a_statement_is_a_table_that_any_reader_takes() {
    block_on(async {
        for (name, written) in STRANGERS {
            let store = paid_to(name).await;
            let statement = alice(&store, Span::new(at(0), at(9)).unwrap()).await;
            let mut csv = Vec::new();
            write_csv([&statement, &statement], &mut csv).unwrap();
            assert!(csv.ends_with(b"\r\n"));
            let rows: Vec<_> = ::csv::Reader::from_reader(&csv[..]).into_records().map(Result::unwrap).collect();
            assert_eq!(rows.len(), 8);
            let cells: Vec<_> = rows[2].iter().collect();
            let counter = format!("wallet:{written}");
            let (id, at) = (order(1).to_string(), at(1).to_string());
            assert_eq!(
                cells,
                [
                    "wallet:alice",
                    "entry",
                    "2",
                    &at,
                    "wallet:alice",
                    &counter,
                    "payin",
                    &id,
                    "1",
                    "EUR",
                    "-50",
                    "-0.50",
                    "1200",
                    "12.00"
                ]
            );
            let edges: Vec<_> = [0, 3].map(|row| (&rows[row][1], &rows[row][3], &rows[row][13])).into();
            let (from, until) = (super::at(0).to_string(), super::at(9).to_string());
            assert_eq!(edges, [("opening", &*from, "0.00"), ("closing", &*until, "12.00")]);
        }
    });
}

#[test]
fn no_cell_is_a_formula_wherever_a_spreadsheet_splits() {
    block_on(async {
        for (name, _) in STRANGERS {
            let store = paid_to(name).await;
            let mut csv = Vec::new();
            write_csv([&alice(&store, Span::ALL).await], &mut csv).unwrap();
            for separator in [b',', b';', b'\t'] {
                let reader = ::csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(&csv[..]);
                for cell in
                    reader.into_records().flat_map(|row| row.unwrap().iter().map(String::from).collect::<Vec<_>>())
                {
                    let bare = cell.trim_start_matches([' ', '"', '\t', '\n']);
                    let formula = bare.starts_with(['=', '+', '-', '@']);
                    assert!(!formula || bare.parse::<f64>().is_ok(), "{name:?} split at {separator} gives {cell:?}");
                }
            }
        }
    });
}
