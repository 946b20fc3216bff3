//! Settlement files as they come: sound, careless and hostile.

use super::*;
use crate::{
    conformance::store::commits::{entry, opens, order, payin, saved},
    memory::Memory,
    money::{Currency, CurrencyError},
    seed::random,
    statement::Span,
    store::Store,
    text::TextError,
};
use proptest::{collection::vec, prelude::*};
use std::io::{self, Read};

const PAYIN: &str = "pi_01kr1hgnqred6999kp7cqmx8ss:charge";

fn columns() -> Columns {
    Columns::new("ref", AmountColumn::Decimal("amount".into()), CurrencyColumn::Named("cur".into()))
}

fn all(file: &[u8], columns: Columns) -> Result<Vec<SettlementLine>, SettlementFileError> {
    SettlementFile::new(file, columns)?.collect()
}

fn read(file: &str) -> Vec<SettlementLine> {
    all(file.as_bytes(), columns()).unwrap_or_else(|error| panic!("{file:?}: {error}"))
}

/// The line and what is wrong with it.
fn wrong_with(file: &[u8], columns: Columns) -> (u64, LineProblem) {
    match all(file, columns) {
        Err(SettlementFileError::Line { line, problem }) => (line, problem),
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(&file[..file.len().min(200)])),
    }
}

fn wrong(file: &str) -> (u64, LineProblem) {
    wrong_with(file.as_bytes(), columns())
}

fn euros(text: &str) -> Money {
    format!("{text} EUR").parse().unwrap()
}

fn summary(lines: &[SettlementLine]) -> Vec<(u64, Option<&str>, Money)> {
    lines.iter().map(|line| (line.line, line.reference.as_ref().map(Name::as_str), line.amount)).collect()
}

#[test]
fn lines_are_counted_whatever_breaks_them() {
    let expected = [(2, Some("a"), euros("1.00")), (5, Some("b"), euros("-2.50"))];
    for end in ["\n", "\r\n"] {
        for last in ["", end] {
            for mark in ["", "\u{feff}"] {
                let file = ["ref,amount,cur,note", "a,1,EUR,\"one", "two\"", "", "b,-2.5,eur,"].join(end);
                assert_eq!(summary(&read(&format!("{mark}{file}{last}"))), expected);
            }
        }
    }
    assert_eq!(wrong("\r\n\r\nref,amount,cur\r\n\r\nx\r\n"), (5, LineProblem::Cells { expected: 3, found: 1 }));
}

#[test]
fn columns_are_found_by_name_wherever_they_are() {
    let file = "cur; when ;note;amount;\"ref\";what\nEUR;7 May;\u{e9}t\u{e9};3;  ;fee\n";
    let columns =
        Columns { date: Some("when".into()), kind: Some("what".into()), separator: Separator::Semicolon, ..columns() };
    let lines = all(file.as_bytes(), columns).unwrap();
    let name = |text: &str| Some(text.parse().unwrap());
    let expected =
        SettlementLine { line: 2, reference: None, amount: euros("3.00"), date: name("7 May"), kind: name("fee") };
    assert_eq!(lines, [expected]);
}

#[test]
fn amounts_may_be_minor_units_and_the_currency_may_go_without_saying() {
    let yen = CurrencyColumn::Always(Currency::JPY);
    let columns = Columns::new("ref", AmountColumn::Minor("minor".into()), yen);
    let lines = all(b"minor\tref\n-1250\tx\n", Columns { separator: Separator::Tab, ..columns }).unwrap();
    assert_eq!(lines[0].amount, Money::from_minor(-1250, Currency::JPY));
}

#[test]
fn amounts_without_a_sign_get_it_from_what_they_are_for() {
    let [payout, refund] = ["po_01kr1hgnqred6999kp7cqmx8ss:payout", "re_01kr1hgnqred6999kp7cqmx8ss"];
    let file = format!("ref,amount,cur\n{PAYIN},1,EUR\n{payout},2,EUR\n{refund},3,EUR\nfee,4,EUR\n");
    let unsigned = || Columns { signs: Signs::Unsigned, ..columns() };
    let amounts =
        |columns| all(file.as_bytes(), columns).unwrap().iter().map(|line| line.amount.minor()).collect::<Vec<_>>();
    assert_eq!(amounts(unsigned()), [100, -200, -300, 400]);
    assert_eq!(amounts(columns()), [100, 200, 300, 400]);
    let below = wrong_with(b"ref,amount,cur\nx,-1,EUR\n", unsigned());
    assert_eq!(below, (2, LineProblem::Negative { amount: euros("-1.00") }));
}

#[test]
fn a_header_has_each_column_once() {
    for empty in ["", "\n\n", "\r\n", "\u{feff}", "\u{feff}\n"] {
        assert!(matches!(all(empty.as_bytes(), columns()), Err(SettlementFileError::Empty)), "{empty:?}");
    }
    let refused = |file: &str| match all(file.as_bytes(), columns()) {
        Err(SettlementFileError::NoColumn { line, name }) => (line, name, "none"),
        Err(SettlementFileError::ColumnTwice { line, name }) => (line, name, "twice"),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("reference,amount,cur\n"), (1, "ref".into(), "none"));
    assert_eq!(refused("\nref;amount;cur\n"), (2, "ref".into(), "none"));
    assert_eq!(refused("ref,amount,cur,amount\n"), (1, "amount".into(), "twice"));
    assert_eq!(refused("ref,amount\n"), (1, "cur".into(), "none"));
    // A header alone is a file of nothing.
    assert_eq!(read("ref,amount,cur"), []);
    // What nobody asked for may be there as often as it likes.
    assert_eq!(read("ref,amount,cur,x,x\n"), []);
}

#[test]
fn amounts_have_one_meaning_or_none() {
    for amount in ["", "12,34", "1.234.5", "+1", "1e3", "12.34 ", "\u{a0}1", "1_000", "0x1", "--1", "NaN", "1 EUR"] {
        let file = format!("ref,amount,cur\nx,1,EUR\nx,\"{amount}\",EUR\n");
        if amount.trim() == "12.34" {
            assert_eq!(read(&file)[1].amount, euros("12.34"));
        } else {
            let text = amount.to_owned();
            assert_eq!(wrong(&file), (3, LineProblem::Amount(MoneyError::Text { text })));
        }
    }
    let amount = |amount: &str| wrong(&format!("ref,amount,cur\nx,{amount},EUR\n")).1;
    let precise = MoneyError::TooPrecise { currency: Currency::EUR, allowed: 2, given: 3 };
    assert_eq!(amount("1.005"), LineProblem::Amount(precise));
    assert_eq!(amount("92233720368547758.08"), LineProblem::Amount(MoneyError::Overflow));
    assert_eq!(amount(&"9".repeat(5_000)), LineProblem::Amount(MoneyError::Overflow));
    assert_eq!(amount(&"x".repeat(5_000)), LineProblem::Amount(MoneyError::Text { text: "x".repeat(80) }));
}

#[test]
fn minor_units_are_whole_numbers() {
    let columns = || Columns { amount: AmountColumn::Minor("amount".into()), ..columns() };
    let file = |amount: &str| format!("ref,amount,cur\nx,{amount},EUR\n").into_bytes();
    for (text, minor) in [("0", 0), ("-5", -5), ("9223372036854775807", i64::MAX), ("-9223372036854775808", i64::MIN)] {
        assert_eq!(all(&file(text), columns()).unwrap()[0].amount.minor(), minor);
    }
    for text in ["12.34", "+5", "", "-", "1 0"] {
        let problem = LineProblem::Amount(MoneyError::Text { text: text.into() });
        assert_eq!(wrong_with(&file(text), columns()), (2, problem));
    }
    let overflow = wrong_with(&file("9223372036854775808"), columns());
    assert_eq!(overflow, (2, LineProblem::Amount(MoneyError::Overflow)));
    // The least amount there is has no opposite.
    let out = b"ref,amount,cur\npo_01kr1hgnqred6999kp7cqmx8ss,-9223372036854775808,EUR\n";
    let unsigned = Columns { signs: Signs::Unsigned, ..columns() };
    assert!(matches!(wrong_with(out, unsigned).1, LineProblem::Negative { .. }));
}

#[test]
fn currencies_are_those_of_iso_4217() {
    let currency = |code: &str| wrong(&format!("ref,amount,cur\nx,1,{code}\n")).1;
    for code in ["", "EU", "euros", "978", "AAA"] {
        assert_eq!(currency(code), LineProblem::Currency(CurrencyError::Unknown { code: code.into() }));
    }
    assert_eq!(currency("xau"), LineProblem::Currency(CurrencyError::NoMinorUnit { code: "XAU" }));
    let long = CurrencyError::Unknown { code: "e".repeat(80) };
    assert_eq!(currency(&"e".repeat(9_000)), LineProblem::Currency(long));
}

#[test]
fn quotes_are_where_they_may_be() {
    let lines = read("ref,amount,cur\n\"a \"\"b\"\", c\",\"1\",\"EUR\"\r\n\"line\nbreak\",2,EUR\n");
    assert_eq!(summary(&lines), [(2, Some("a \"b\", c"), euros("1.00")), (3, Some("line\nbreak"), euros("2.00"))]);
    for stray in ["a\"b,1,EUR", "\"a\"b,1,EUR", "x,\"1\"2,EUR", "x, \"1\",EUR", "x,1,EUR\"", "\"x\"\r\"y\",1,EUR"] {
        assert_eq!(wrong(&format!("ref,amount,cur\n{stray}\n")), (2, LineProblem::StrayQuote), "{stray:?}");
    }
    // The lines after it are read again.
    let lines: Vec<_> =
        SettlementFile::new(&b"ref,amount,cur\na\"b,1,EUR\nc,2,EUR\n"[..], columns()).unwrap().collect();
    assert!(matches!(&lines[..], [Err(_), Ok(line)] if line.line == 3));
}

#[test]
fn a_quote_that_is_never_closed_swallows_nothing_in_silence() {
    let file = "ref,amount,cur,note\na,1,EUR,\nb,2,EUR,\"oops\nc,3,EUR,\nd,4,EUR,\n";
    let lines: Vec<_> = SettlementFile::new(file.as_bytes(), columns()).unwrap().collect();
    assert_eq!(lines.len(), 2, "nothing comes after it");
    assert_eq!(wrong(file), (3, LineProblem::OpenQuote));
    let long = format!("{file}{}", "e,5,EUR,\n".repeat(20_000));
    assert_eq!(wrong(&long), (3, LineProblem::TooLong));
}

/// As many bytes of a kind as anybody asks for, and how many that were.
struct Endless<'c>(u8, &'c std::cell::Cell<usize>);

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(self.0);
        self.1.set(self.1.get() + buffer.len());
        Ok(buffer.len())
    }
}

#[test]
fn a_line_without_end_is_given_up_on() {
    for byte in [b'x', b'"', b','] {
        let taken = std::cell::Cell::new(0);
        let file = (&b"ref,amount,cur\na,1,EUR\n\""[..]).chain(Endless(byte, &taken));
        let mut lines = SettlementFile::new(file, columns()).unwrap();
        assert!(lines.next().unwrap().is_ok());
        let problem = lines.next().unwrap().unwrap_err();
        assert!(matches!(problem, SettlementFileError::Line { line: 3, problem: LineProblem::TooLong }), "{problem:?}");
        assert!(lines.next().is_none());
        assert!(taken.get() < 100_000, "{} bytes were read", taken.get());
    }
    let taken = std::cell::Cell::new(0);
    let header = SettlementFile::new(Endless(b'x', &taken), columns());
    assert!(matches!(header, Err(SettlementFileError::Line { line: 1, problem: LineProblem::TooLong })));
    // As long as may be is not too long.
    let note = "n".repeat(60_000);
    assert_eq!(read(&format!("ref,amount,cur,note\na,1,EUR,{note}\n")).len(), 1);
}

#[test]
fn text_is_utf8_where_it_is_used() {
    let latin = b"ref,amount,cur,note\na,1,EUR,Z\xfcrich\nB\xe4r,2,EUR,\n";
    assert_eq!(wrong_with(latin, columns()), (3, LineProblem::NotUtf8 { column: "ref".into() }));
    assert_eq!(
        wrong_with(b"ref,amount,cur\na,1\xff,EUR\n", columns()),
        (2, LineProblem::NotUtf8 { column: "amount".into() })
    );
    let nul = LineProblem::Text { column: "ref".into(), error: TextError::Control { position: 1 } };
    assert_eq!(wrong("ref,amount,cur\na\0b,1,EUR\n"), (2, nul));
    let long = LineProblem::Text { column: "ref".into(), error: TextError::TooLong { limit: 200, length: 201 } };
    assert_eq!(wrong(&format!("ref,amount,cur\n{},1,EUR\n", "r".repeat(201))), (2, long));
}

/// Hands out a byte at a time, and an error at the end.
struct Torn<'f>(&'f [u8]);

impl Read for Torn<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((first, rest)) = self.0.split_first() else { return Err(io::Error::other("torn")) };
        (buffer[0], self.0) = (*first, rest);
        Ok(1)
    }
}

#[test]
fn a_file_that_tears_says_where() {
    let file = Torn("\u{feff}ref,amount,cur\na,1,EUR\nb,2,E".as_bytes());
    let mut lines = SettlementFile::new(file, columns()).unwrap();
    assert_eq!(lines.next().unwrap().unwrap().line, 2);
    let torn = lines.next().unwrap();
    assert!(matches!(torn, Err(SettlementFileError::Read { line: 3, .. })), "{torn:?}");
    assert!(lines.next().is_none());
}

#[test]
fn the_gateways_account_is_read_to_its_end() {
    futures_lite::future::block_on(async {
        let store = Memory::new();
        for number in 1..=1_203 {
            let mut commit = opens(payin(number));
            commit.index.held = euros("0.01");
            commit.entries = vec![entry("world:sandbox", &format!("escrow:{}", payin(number)), 1)];
            saved(&store, &commit).await;
        }
        // Something of the host's own that goes back and forth, without any call.
        let mut commit = opens(order(1));
        let own = format!("escrow:{}", order(1));
        commit.entries =
            (0..600).flat_map(|_| [entry("world:sandbox", &own, 5), entry(&own, "world:sandbox", 4)]).collect();
        commit.index.held = euros("6.00");
        saved(&store, &commit).await;

        let mut unit = store.begin().await.unwrap();
        let line = SettlementLine {
            line: 2,
            reference: Some(order(1).to_string().parse().unwrap()),
            amount: euros("6.00"),
            date: None,
            kind: None,
        };
        let lines = [Ok::<_, SettlementFileError>(line)];
        let found = reconcile(&mut unit, &"sandbox".parse().unwrap(), Span::ALL, lines).await.unwrap();
        assert_eq!((found.matched.len(), found.missing_there.len(), found.astray.len()), (1, 1_203, 0));
    });
}

/// A cell as a gateway may write it: with whatever is in it.
fn any_cell() -> impl Strategy<Value = String> {
    prop_oneof![".{0,12}", "[a\", \n\r;]{0,8}"]
}

proptest! {
    #![proptest_config(random(256))]

    #[test]
    fn what_a_csv_writer_writes_is_read_back(
        rows in vec((any::<i64>(), any_cell()), 0..12), crlf: bool, always: bool, mark: bool,
    ) {
        let mut writer = csv::WriterBuilder::new();
        writer.terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') });
        writer.quote_style(if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary });
        let mut writer = writer.from_writer(if mark { "\u{feff}".as_bytes().to_vec() } else { Vec::new() });
        writer.write_record(["note", "ref", "amount", "cur"]).unwrap();
        let amount = |minor: i64| Money::from_minor(minor, Currency::EUR);
        for (minor, note) in &rows {
            writer.write_record([note, PAYIN, &amount(*minor).to_decimal().to_string(), "EUR"]).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let lines = all(&bytes, columns()).unwrap();
        let read: Vec<_> = lines.iter().map(|line| (line.reference.as_ref().map(Name::as_str), line.amount)).collect();
        let written: Vec<_> = rows.iter().map(|(minor, _)| (Some(PAYIN), amount(*minor))).collect();
        prop_assert_eq!(read, written);
        // Each line is where it says it is.
        let text: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
        for (line, (_, note)) in lines.iter().zip(&rows) {
            let begin = text[line.line as usize - 1];
            let first = note.split(['\n', '\r']).next().unwrap().replace('"', "\"\"");
            prop_assert!(String::from_utf8_lossy(begin).contains(&first));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in vec(prop_oneof![any::<u8>(), prop::sample::select(b"\",\n\r1E".to_vec())], 0..300),
    ) {
        let mut file = b"ref,amount,cur\n".to_vec();
        file.extend(&bytes);
        let breaks = file.iter().filter(|byte| **byte == b'\n').count() as u64;
        for line in SettlementFile::new(&file[..], columns()).unwrap() {
            let number = match line {
                Ok(line) => line.line,
                Err(SettlementFileError::Line { line, .. }) => line,
                Err(other) => panic!("{other:?}"),
            };
            prop_assert!((2..=breaks + 1).contains(&number));
        }
        let _ = all(&bytes, columns());
    }
}
