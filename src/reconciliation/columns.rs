//! Which columns of a settlement file say what.

use super::SettlementFileError;
use crate::money::Currency;
use csv::ByteRecord;

/// Which columns of a settlement file say what.
///
/// ```
/// use escrowed::reconciliation::{AmountColumn, Columns, CurrencyColumn, SettlementFile};
///
/// let file = "\
/// Date;Reference;Type;Gross;Currency\r\n\
/// 2026-05-07;pi_01kr1hgnqred6999kp7cqmx8ss:charge;payment;120.00;EUR\r\n\
/// 2026-05-08;re_01kr1hgnqred6999kp7cqmx8st:refund;refund;-20.00;EUR\r\n";
/// let mut columns = Columns::new("Reference", AmountColumn::Decimal("Gross".into()), CurrencyColumn::Named("Currency".into()));
/// columns.kind = Some("Type".into());
/// columns.separator = escrowed::reconciliation::Separator::Semicolon;
///
/// let lines: Vec<_> = SettlementFile::new(file.as_bytes(), columns)?.collect::<Result<_, _>>()?;
/// assert_eq!((lines[0].line, lines[0].amount.minor()), (2, 12_000));
/// assert_eq!((lines[1].line, lines[1].amount.minor()), (3, -2_000));
/// # Ok::<(), escrowed::reconciliation::SettlementFileError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The header of the column with what a line is for. An empty cell is none.
    pub reference: String,
    /// That of the amount.
    pub amount: AmountColumn,
    /// That of the currency.
    pub currency: CurrencyColumn,
    /// That of the date, if it is to be shown.
    pub date: Option<String>,
    /// That of the kind of movement, if it is to be shown.
    pub kind: Option<String>,
    /// Whether amounts bear a sign. By default they do.
    pub signs: Signs,
    /// What separates the columns. A comma by default.
    pub separator: Separator,
}

/// How amounts are written, and under which header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmountColumn {
    /// In whole units with decimals: `12.34` for €12.34. No separators of thousands, no decimal comma.
    Decimal(String),
    /// In whole minor units (ISO 4217): `1234` for €12.34.
    Minor(String),
}

/// Where the currency is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CurrencyColumn {
    /// Under this header, as an ISO 4217 code in either case.
    Named(String),
    /// Nowhere: all of the file is in this one.
    Always(Currency),
}

/// What the sign of an amount says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signs {
    /// What the gateway took from a payer is above zero, what it paid out below.
    #[default]
    FromTheGateway,
    /// Nothing: no amount is below zero. What refers to one of our payouts or refunds went out, anything else came in.
    Unsigned,
}

/// What separates the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

impl Columns {
    /// The columns that every file has.
    #[must_use]
    pub fn new(reference: impl Into<String>, amount: AmountColumn, currency: CurrencyColumn) -> Self {
        let (date, kind) = (None, None);
        let (signs, separator) = (Signs::default(), Separator::default());
        Self { reference: reference.into(), amount, currency, date, kind, signs, separator }
    }
}

/// Where each column is, from 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) width: usize,
    pub(super) reference: usize,
    pub(super) amount: usize,
    pub(super) currency: CurrencyPlace,
    pub(super) date: Option<usize>,
    pub(super) kind: Option<usize>,
}

/// Where the currency is, or what it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum CurrencyPlace {
    At(usize),
    Always(Currency),
}

impl Places {
    pub(super) fn find(columns: &Columns, line: u64, header: &ByteRecord) -> Result<Self, SettlementFileError> {
        let place = |name: &str| {
            let mut found = header.iter().enumerate().filter(|(_, cell)| cell.trim_ascii() == name.as_bytes());
            match (found.next(), found.next()) {
                (Some((place, _)), None) => Ok(place),
                (None, _) => Err(SettlementFileError::NoColumn { line, name: name.to_owned() }),
                (Some(_), Some(_)) => Err(SettlementFileError::ColumnTwice { line, name: name.to_owned() }),
            }
        };
        let maybe = |name: &Option<String>| name.as_deref().map(place).transpose();
        let (AmountColumn::Decimal(amount) | AmountColumn::Minor(amount)) = &columns.amount;
        Ok(Self {
            width: header.len(),
            reference: place(&columns.reference)?,
            amount: place(amount)?,
            currency: match &columns.currency {
                CurrencyColumn::Named(name) => CurrencyPlace::At(place(name)?),
                CurrencyColumn::Always(currency) => CurrencyPlace::Always(*currency),
            },
            date: maybe(&columns.date)?,
            kind: maybe(&columns.kind)?,
        })
    }
}
