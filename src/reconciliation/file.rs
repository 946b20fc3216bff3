//! Reading a settlement file.

use super::{
    AmountColumn, Columns, SettlementLine, Signs,
    columns::{CurrencyPlace, Places},
    compare::refers_to,
    lines::Lines,
};
use crate::{
    money::{Currency, CurrencyError, Money, MoneyError},
    payment::{PayoutId, RefundId},
    text::{Name, TextError},
};
use csv::ByteRecord;
use std::{
    io::{self, Read},
    str::FromStr,
};

/// How long a line may be, in bytes, line breaks within quotes included: 64 KiB.
pub(super) const LONGEST: usize = 65_536;

/// A settlement file, line by line: CSV (RFC 4180, UTF-8) with a header, with or without a byte order mark. Empty lines are
/// passed over. It keeps one line in memory at a time.
///
/// Each line that cannot be taken is an error that names it. After one that says so, nothing more comes.
#[derive(Debug)]
pub struct SettlementFile<R> {
    lines: Lines<R>,
    columns: Columns,
    header: ByteRecord,
    places: Places,
}

/// Why a settlement file, or a line of it, was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettlementFileError {
    /// There is nothing in it, not even a header.
    #[error("the file is empty: not even a header is in it")]
    Empty,
    /// The header has no such column.
    #[error("line {line}: the header has no column {name:?}: check the names, and what separates the columns")]
    NoColumn {
        /// Where the header is, from 1.
        line: u64,
        /// Which column.
        name: String,
    },
    /// The header has that column more than once, so nobody knows which one counts.
    #[error("line {line}: the header has more than one column {name:?}")]
    ColumnTwice {
        /// Where the header is, from 1.
        line: u64,
        /// Which column.
        name: String,
    },
    /// A line is not what it should be.
    #[error("line {line}: {problem}")]
    Line {
        /// Where it begins, from 1.
        line: u64,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// The file could not be read any further. Nothing comes after it.
    #[error("line {line} cannot be read")]
    Read {
        /// Where it begins, from 1.
        line: u64,
        /// Why.
        #[source]
        error: io::Error,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineProblem {
    /// More or fewer cells than the header has.
    #[error("it has {found} cells, the header has {expected}")]
    Cells {
        /// How many the header has.
        expected: usize,
        /// How many the line has.
        found: usize,
    },
    /// Not UTF-8.
    #[error("column {column:?} is not UTF-8: convert the file")]
    NotUtf8 {
        /// Which column.
        column: String,
    },
    /// Text that cannot be kept.
    #[error("column {column:?}: {error}")]
    Text {
        /// Which column.
        column: String,
        /// Why.
        error: TextError,
    },
    /// No amount, more decimals than the currency has, or more than fits into 64 bits.
    #[error("{0}")]
    Amount(MoneyError),
    /// No currency.
    #[error("{0}")]
    Currency(CurrencyError),
    /// An amount below zero, in a file whose amounts have no sign.
    #[error("{amount} is below zero, in a file whose amounts have no sign")]
    Negative {
        /// The amount.
        amount: Money,
    },
    /// Longer than 64 KiB. A quote that is never closed looks so, too. Nothing comes after it.
    #[error("it is longer than {LONGEST} bytes: look for a quote that is not closed")]
    TooLong,
    /// A quote is not closed before the file ends. Nothing comes after it.
    #[error("a quote is not closed before the end of the file")]
    OpenQuote,
    /// A quote where none may be (RFC 4180): within a cell that is not quoted, or before the end of one that is.
    #[error("a quote is where none may be: quote the whole cell, and double the quotes in it")]
    StrayQuote,
}

impl<R: Read> SettlementFile<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`SettlementFileError`] when there is none, it has not each of the columns once, or the file cannot be read.
    pub fn new(file: R, columns: Columns) -> Result<Self, SettlementFileError> {
        let mut lines = Lines::new(file, columns.separator);
        let (line, header) = lines.next().ok_or(SettlementFileError::Empty)??;
        let places = Places::find(&columns, line, &header)?;
        Ok(Self { lines, columns, header, places })
    }

    fn read(&self, line: u64, cells: &ByteRecord) -> Result<SettlementLine, LineProblem> {
        let Places { width, reference, amount, currency, date, kind } = self.places;
        if cells.len() != width {
            return Err(LineProblem::Cells { expected: width, found: cells.len() });
        }
        let currency = match currency {
            CurrencyPlace::At(place) => currency_in(self.cell(cells, place)?)?,
            CurrencyPlace::Always(currency) => currency,
        };
        let number = self.cell(cells, amount)?;
        let amount = match self.columns.amount {
            AmountColumn::Decimal(_) => decimal(number, currency),
            AmountColumn::Minor(_) => minor(number, currency),
        };
        let reference = self.text(cells, reference)?;
        let amount = self.signed(amount.map_err(LineProblem::Amount)?, reference.as_ref())?;
        let date = date.map(|place| self.text(cells, place)).transpose()?.flatten();
        let kind = kind.map(|place| self.text(cells, place)).transpose()?.flatten();
        Ok(SettlementLine { line, reference, amount, date, kind })
    }

    fn cell<'c>(&self, cells: &'c ByteRecord, place: usize) -> Result<&'c str, LineProblem> {
        let bytes = cells.get(place).unwrap_or_default().trim_ascii();
        std::str::from_utf8(bytes).map_err(|_| LineProblem::NotUtf8 { column: self.header(place) })
    }

    fn text(&self, cells: &ByteRecord, place: usize) -> Result<Option<Name>, LineProblem> {
        match self.cell(cells, place)? {
            "" => Ok(None),
            text => Name::new(text).map(Some).map_err(|error| LineProblem::Text { column: self.header(place), error }),
        }
    }

    fn header(&self, place: usize) -> String {
        String::from_utf8_lossy(self.header.get(place).unwrap_or_default()).trim().to_owned()
    }

    fn signed(&self, amount: Money, reference: Option<&Name>) -> Result<Money, LineProblem> {
        match self.columns.signs {
            Signs::FromTheGateway => Ok(amount),
            Signs::Unsigned if amount.is_negative() => Err(LineProblem::Negative { amount }),
            Signs::Unsigned => {
                let leaves = reference
                    .and_then(refers_to)
                    .is_some_and(|payment| PayoutId::try_from(payment).is_ok() || RefundId::try_from(payment).is_ok());
                if leaves { amount.checked_neg().map_err(LineProblem::Amount) } else { Ok(amount) }
            }
        }
    }
}

impl<R: Read> Iterator for SettlementFile<R> {
    type Item = Result<SettlementLine, SettlementFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (line, cells) = match self.lines.next()? {
            Ok(read) => read,
            Err(error) => return Some(Err(error)),
        };
        Some(self.read(line, &cells).map_err(|problem| SettlementFileError::Line { line, problem }))
    }
}

fn currency_in(text: &str) -> Result<Currency, LineProblem> {
    Currency::from_code(text).map_err(|error| match error {
        CurrencyError::Unknown { .. } => LineProblem::Currency(CurrencyError::Unknown { code: shortened(text) }),
        other => LineProblem::Currency(other),
    })
}

fn decimal(text: &str, currency: Currency) -> Result<Money, MoneyError> {
    if text.contains(' ') {
        return Err(MoneyError::Text { text: shortened(text) });
    }
    Money::parse(&format!("{text} {currency}")).map_err(|error| match error {
        MoneyError::Text { .. } => MoneyError::Text { text: shortened(text) },
        other => other,
    })
}

fn minor(text: &str, currency: Currency) -> Result<Money, MoneyError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(MoneyError::Text { text: shortened(text) });
    }
    i64::from_str(text).map(|minor| Money::from_minor(minor, currency)).map_err(|_| MoneyError::Overflow)
}

/// Enough of a text for a message.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
