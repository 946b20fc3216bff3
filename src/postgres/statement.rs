//! A statement that is put together from parts, each with the values it needs.

use crate::money::Currency;
use smallvec::SmallVec;
use sqlx::{
    Arguments, AssertSqlSafe, Encode, PgConnection, Postgres, Type,
    postgres::{PgArguments, PgRow},
};
use std::fmt::{self, Display, Write};

/// One statement: CTEs in order, and what it answers with.
///
/// Which parts it has depends on what a commit needs; its text therefore takes few forms, which PostgreSQL prepares once
/// per connection. No value that comes from outside is ever part of the text: see [`Plain`]. It is put together for each commit, so
/// it is built in one piece.
pub(super) struct Statement {
    text: String,
    arguments: PgArguments,
    bound: u16,
    short: bool,
    // What was bound already, if parts share it.
    known: Option<SmallVec<[(Known, Bound); 16]>>,
}

/// Why the statement for one commit need not bind a value anew. It takes PostgreSQL longer to read a value than to use it.
///
/// What several parts need is bound once, and referred to by each. It is told by what it is and not by its value, so that the text
/// does not depend on values that are alike by chance. For several commits it would depend on how their ids happen to be
/// ordered: there, nothing is shared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The id of the subject of a commit, by its place in the batch.
    Id(usize),
    /// What that subject belongs to.
    About(usize),
    /// The number of one of its events, and how many come after it.
    Seq(usize, usize),
    /// That event's time.
    At(usize, usize),
    /// A currency.
    Currency(Currency),
    /// What one of few entries moves, or its opposite.
    Moved { entry: usize, taken: bool },
    /// One of the accounts of few entries.
    Account(usize),
    /// It stands in the text.
    Plain(Plain),
}

/// A value of which there are few, and which is therefore part of the text for one commit: PostgreSQL reads it once, with the text,
/// and works out what follows from it when it makes its plan.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    /// A small number of which there are not many.
    Number(u32),
    /// Yes or no.
    Is(bool),
    /// No text.
    NoText,
    /// No number.
    NoNumber,
}

/// From how many rows on a column is bound once if its values are the same. Each group of such columns doubles the forms that
/// a text may take; for fewer rows that would cost more than it spares.
const MANY: usize = 16;

/// The part that lets a row be written: what follows the rows in a FROM. Without one, they are written at once.
#[derive(Clone, Copy)]
pub(super) struct Gate(pub(super) Option<&'static str>);

impl Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |part| write!(f, ", {part}"))
    }
}

/// How the text refers to a value: by its number.
#[derive(Clone, Copy)]
pub(super) struct Bound(u16);

impl Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.0)
    }
}

/// How a row refers to a value.
#[derive(Clone, Copy)]
enum Cell {
    Bound(Bound),
    Plain(Plain),
}

impl Cell {
    fn write(self, text: &mut String) {
        match self {
            Self::Bound(Bound(number)) => {
                text.push('$');
                digits(text, number.into());
            }
            Self::Plain(Plain::Number(number)) => digits(text, number),
            Self::Plain(Plain::Is(true)) => text.push_str("true"),
            Self::Plain(Plain::Is(false)) => text.push_str("false"),
            Self::Plain(Plain::NoText) => text.push_str("NULL::text"),
            Self::Plain(Plain::NoNumber) => text.push_str("NULL::bigint"),
        }
    }
}

// Every value of every commit is numbered: `write!` would set up more for it than the rest of the text takes.
fn digits(text: &mut String, number: u32) {
    if number > 9 {
        digits(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

impl Statement {
    /// A statement for many commits: an array of values for each column.
    pub(super) fn long() -> Self {
        let mut arguments = PgArguments::default();
        arguments.reserve(64, 1 << 16);
        Self { text: String::with_capacity(4096), arguments, bound: 0, short: false, known: None }
    }

    /// A statement for a few commits. Its values are bound one by one, so that PostgreSQL soon finds that its plan does not
    /// depend on them, and plans no more: for as little work as one commit, planning would take longer than doing it. Of a `single`
    /// commit, parts share what they need.
    pub(super) fn short(single: bool) -> Self {
        let mut arguments = PgArguments::default();
        arguments.reserve(64, 2048);
        Self { text: String::with_capacity(4096), arguments, bound: 0, short: true, known: single.then(SmallVec::new) }
    }

    /// Binds a value, and tells how the text refers to it.
    pub(super) fn bind<'v>(&mut self, value: impl Encode<'v, Postgres> + Type<Postgres>) -> Bound {
        // Encoding is what can fail, and none of ours does: texts, numbers, and arrays of them.
        self.arguments.add(value).expect("text and numbers can be encoded");
        self.bound += 1;
        Bound(self.bound)
    }

    // A value in a row of a short statement, with what is known of it.
    fn cell<'v>(&mut self, known: Option<Known>, value: impl Encode<'v, Postgres> + Type<Postgres>) -> Cell {
        let (Some(known), Some(all)) = (known, &self.known) else { return Cell::Bound(self.bind(value)) };
        if let Known::Plain(plain) = known {
            return Cell::Plain(plain);
        }
        if let Some((_, bound)) = all.iter().find(|(other, _)| *other == known) {
            return Cell::Bound(*bound);
        }
        let bound = self.bind(value);
        if let Some(all) = &mut self.known {
            all.push((known, bound));
        }
        Cell::Bound(bound)
    }

    /// Whether a long statement shall bind once what all its rows have: see [`Rows::alike`].
    pub(super) fn alike<T: PartialEq>(&self, mut values: impl Iterator<Item = T>) -> bool {
        let (first, mut rows) = (values.next(), 1);
        let same = !self.short && values.all(|value| (rows += 1, first.as_ref() == Some(&value)).1);
        same && rows >= MANY
    }

    /// Rows of values, as something to select from.
    pub(super) fn rows(&mut self) -> Rows<'_> {
        Rows { statement: self, cells: Cells::new(), columns: 0, once: 0 }
    }

    /// Binds some texts: what comes after a column that has to be one of them.
    pub(super) fn one_of<T: ToString>(&mut self, texts: impl Iterator<Item = T>) -> String {
        let texts = texts.map(|text| text.to_string());
        if self.short {
            let mut text = String::from("IN (");
            for (place, value) in texts.enumerate() {
                text.push_str(if place == 0 { "" } else { ", " });
                write!(text, "{}", self.bind(value)).expect("a string takes any text");
            }
            text.push(')');
            text
        } else {
            format!("= ANY({})", self.bind(texts.collect::<Vec<_>>()))
        }
    }

    /// Adds a part: `name AS (body)`.
    pub(super) fn part(&mut self, name: &str, body: fmt::Arguments<'_>) {
        self.text.push_str(if self.text.is_empty() { "WITH " } else { ",\n" });
        self.text.push_str(name);
        self.text.push_str(" AS (");
        self.add(body);
        self.text.push(')');
    }

    /// Adds a line of the query that comes after all parts.
    pub(super) fn answer(&mut self, line: &str) {
        self.text.push('\n');
        self.text.push_str(line);
    }

    /// Adds to what was added last.
    pub(super) fn add(&mut self, text: fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("a string takes any text");
    }

    /// Runs it.
    pub(super) async fn run(self, connection: &mut PgConnection) -> Result<Vec<PgRow>, sqlx::Error> {
        sqlx::query_with(AssertSqlSafe(self.text), self.arguments).fetch_all(connection).await
    }
}

/// Rows of values, put together column by column. The first column is always one of [`each`](Self::each).
pub(super) struct Rows<'s> {
    statement: &'s mut Statement,
    cells: Cells,
    columns: usize,
    // The columns, as bits, whose value is bound once for all rows.
    once: u64,
}

// Column by column: one for each row, or one array for each column.
type Cells = SmallVec<[Cell; 12]>;

impl Rows<'_> {
    /// A column. Its type is that of its values.
    pub(super) fn each<'v, T>(mut self, values: impl Iterator<Item = T>) -> Self
    where
        T: Encode<'v, Postgres> + Type<Postgres>,
        Vec<T>: Encode<'v, Postgres> + Type<Postgres>,
    {
        if self.statement.short {
            values.for_each(|value| self.cells.push(Cell::Bound(self.statement.bind(value))));
        } else {
            self.cells.push(Cell::Bound(self.statement.bind(values.collect::<Vec<_>>())));
        }
        self.columns += 1;
        self
    }

    /// A column that binds one value where [all are the same](Statement::alike): PostgreSQL takes an array apart value by
    /// value. Columns are told apart in few groups, so that a statement's text takes few forms.
    pub(super) fn alike<'v, T>(mut self, same: bool, mut values: impl Iterator<Item = T>) -> Self
    where
        T: Encode<'v, Postgres> + Type<Postgres>,
        Vec<T>: Encode<'v, Postgres> + Type<Postgres>,
    {
        if !same {
            return self.each(values);
        }
        self.once |= 1 << self.columns;
        self.cells.push(Cell::Bound(self.statement.bind(values.next().expect("there is at least one row"))));
        self.columns += 1;
        self
    }

    /// A column of what other parts need, too, where it says what it is. In a long statement it is like [`alike`](Self::alike).
    pub(super) fn known<'v, K, T>(mut self, same: bool, values: impl Iterator<Item = (K, T)>) -> Self
    where
        K: Into<Option<Known>>,
        T: Encode<'v, Postgres> + Type<Postgres>,
        Vec<T>: Encode<'v, Postgres> + Type<Postgres>,
    {
        if !self.statement.short {
            return self.alike(same, values.map(|(_, value)| value));
        }
        values.for_each(|(known, value)| self.cells.push(self.statement.cell(known.into(), value)));
        self.columns += 1;
        self
    }

    /// The rows as they stand in a FROM. The text that they are put into gives them and their columns names.
    pub(super) fn listed(self) -> Listed {
        let Self { statement, cells, columns, once } = self;
        Listed { cells, columns, once, placed: false, short: statement.short }
    }

    /// The rows, and what keeps them in order: a further column with their place from 1, and what orders by it. Where they are
    /// listed one by one they come as they stand, and no sort has to be set up: all that they are joined with is one row, a
    /// [`Gate`], so that PostgreSQL has no plan that orders them anew.
    pub(super) fn ordered(self) -> (Listed, [&'static str; 2]) {
        let placed = !self.statement.short;
        (Listed { placed, ..self.listed() }, if placed { [", place", " ORDER BY u.place"] } else { [""; 2] })
    }
}

/// Rows, ready to be put into the text.
pub(super) struct Listed {
    cells: Cells,
    columns: usize,
    once: u64,
    placed: bool,
    short: bool,
}

impl Display for Listed {
    // By way of a text of its own: a formatter takes longer for each of its small pieces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(256);
        if self.short {
            self.values(&mut text);
        } else {
            self.arrays(&mut text);
        }
        f.write_str(&text)
    }
}

impl Listed {
    fn values(&self, text: &mut String) {
        let rows = self.cells.len() / self.columns;
        // PostgreSQL sees through a SELECT, where it would scan VALUES and join them.
        let [first, last] = if rows == 1 { ["(SELECT ", ")"] } else { ["(VALUES (", "))"] };
        for row in 0..rows {
            text.push_str(if row == 0 { first } else { "), (" });
            listed(text, self.cells.iter().skip(row).step_by(rows), |text, cell| cell.write(text));
        }
        text.push_str(last);
    }

    fn arrays(&self, text: &mut String) {
        // Before they have their names, columns go by their numbers.
        let column = |text: &mut String, column: usize| {
            text.push('c');
            digits(text, column as u32);
        };
        let is_once = |column: &usize| self.once >> column & 1 == 1;
        let apart = || (0..self.columns).filter(|column| !is_once(column));
        text.push_str("(SELECT ");
        listed(
            text,
            0..self.columns,
            |text, one| if is_once(&one) { self.cells[one].write(text) } else { column(text, one) },
        );
        text.push_str(if self.placed { ", place FROM unnest(" } else { " FROM unnest(" });
        listed(text, apart(), |text, one| self.cells[one].write(text));
        text.push_str(if self.placed { ") WITH ORDINALITY AS v (" } else { ") AS v (" });
        listed(text, apart(), column);
        text.push_str(if self.placed { ", place))" } else { "))" });
    }
}

fn listed<T>(text: &mut String, all: impl Iterator<Item = T>, write: impl Fn(&mut String, T)) {
    for (place, one) in all.enumerate() {
        text.push_str(if place == 0 { "" } else { ", " });
        write(text, one);
    }
}
