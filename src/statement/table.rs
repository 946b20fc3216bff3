//! Statements as CSV.

use super::{Line, Statement};
use crate::{money::Money, time::Timestamp};
use csv::{Terminator, WriterBuilder};
use std::io::{self, Write};

const HEADER: [&str; 14] = [
    "statement",
    "row",
    "number",
    "at",
    "account",
    "counter",
    "purpose",
    "subject",
    "event",
    "currency",
    "amount_minor",
    "amount",
    "balance_minor",
    "balance",
];

/// Writes statements as CSV (RFC 4180, UTF-8), under one header: for each of them a row `opening`, a row `entry` per line
/// and a row `closing`. Amounts are given twice, in minor units and as decimal text.
///
/// ```
/// use escrowed::{memory::Memory, money::Currency, statement::{self, Span}, store::Store};
/// # futures_lite::future::block_on(async {
/// let mut unit = Memory::new().begin().await?;
/// let sam = statement::of_account(&mut unit, &"wallet:sam".parse()?, Currency::EUR, Span::ALL).await?;
/// let mut csv = Vec::new();
/// statement::write_csv([&sam], &mut csv)?;
/// let rows: Vec<_> = std::str::from_utf8(&csv)?.lines().skip(1).collect();
/// assert_eq!(rows, [
///     "wallet:sam,opening,,,,,,,,EUR,,,0,0.00",
///     "wallet:sam,closing,,,,,,,,EUR,,,0,0.00",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// Names of parties are whatever their owners chose, and a spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a
/// formula. No cell of text begins so: it begins with a word of this crate's own, as `wallet:=1+1` does. But a spreadsheet may
/// also split at semicolons, tabs or line breaks that are part of a name: where one of them would begin a formula, an
/// apostrophe is put in between, so `a;=1+1` is written `a;'=1+1`. The JSON has each name as it is. Of the numbers, those below
/// zero begin with a minus, as they must. Whoever cuts the class off an account has to see to the rest of it.
///
/// # Errors
/// When `to` cannot be written to.
pub fn write_csv<'s>(statements: impl IntoIterator<Item = &'s Statement>, to: impl Write) -> io::Result<()> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(to);
    writer.write_record(HEADER)?;
    for statement in statements {
        let span = statement.span;
        writer.write_record(edge(statement, "opening", span.from(), statement.opening))?;
        for line in &statement.lines {
            writer.write_record(row(statement, line))?;
        }
        writer.write_record(edge(statement, "closing", span.until(), statement.closing))?;
    }
    writer.flush()
}

fn edge(statement: &Statement, row: &str, at: Option<Timestamp>, balance: Money) -> [String; HEADER.len()] {
    let [minor, decimal] = twice(balance);
    let (of, at) = (harmless(&statement.of), at.map(|at| at.to_string()).unwrap_or_default());
    let nothing = String::new;
    [
        of,
        row.to_owned(),
        nothing(),
        at,
        nothing(),
        nothing(),
        nothing(),
        nothing(),
        nothing(),
        statement.currency.to_string(),
        nothing(),
        nothing(),
        minor,
        decimal,
    ]
}

fn row(statement: &Statement, line: &Line) -> [String; HEADER.len()] {
    let ([minor, decimal], [balance_minor, balance]) = (twice(line.amount), twice(line.balance));
    [
        harmless(&statement.of),
        "entry".to_owned(),
        line.number.to_string(),
        line.at.to_string(),
        harmless(&line.account),
        harmless(&line.counter),
        line.purpose.to_string(),
        line.subject.to_string(),
        line.seq.to_string(),
        statement.currency.to_string(),
        minor,
        decimal,
        balance_minor,
        balance,
    ]
}

fn twice(amount: Money) -> [String; 2] {
    [amount.minor().to_string(), amount.to_decimal().to_string()]
}

/// Text in which no separator is followed by what begins a formula.
fn harmless(cell: &impl ToString) -> String {
    let (mut text, mut begins) = (String::new(), false);
    for character in cell.to_string().chars() {
        if begins && matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') {
            text.push('\'');
        }
        // Blanks and quotes at the beginning of a cell may be dropped.
        begins =
            matches!(character, ',' | ';' | '|' | '\t' | '\n') || begins && matches!(character, ' ' | '"' | '\u{a0}');
        text.push(character);
    }
    text
}
