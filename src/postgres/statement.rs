//! A statement that is put together from parts, each with the values it needs.

use crate::money::Currency;
use smallvec::SmallVec;
use sqlx::{
    Arguments, AssertSqlSafe, Encode, PgConnection, Postgres, Type,
    postgres::{PgArguments, PgRow},
};
use std::fmt::{self, Write};

/// One statement: CTEs in order, and what it answers with.
///
/// Which parts it has depends on what a commit needs; its text therefore takes few forms, which PostgreSQL prepares once
/// per connection. No value is ever part of the text. It is put together for each commit, so it is built in one piece.
pub(super) struct Statement {
    text: String,
    arguments: PgArguments,
    bound: u16,
    short: bool,
    // What was bound already, if parts share it.
    known: Option<SmallVec<[(Known, Bound); 16]>>,
}

/// What several parts of the statement for one commit need: bound once, and referred to by each. It takes PostgreSQL longer to read
/// a value than to use it. It is told by what it is and not by its value, so that the text does not depend on values that are
/// alike by chance. For several commits it would depend on how their ids happen to be ordered: there, nothing is shared.
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
}

/// From how many rows on a column is bound once if its values are the same. Each group of such columns doubles the forms that
/// a text may take; for fewer rows that would cost more than it spares.
const MANY: usize = 16;

/// The part that lets a row be written: what follows the rows in a FROM. Without one, they are written at once.
#[derive(Clone, Copy)]
pub(super) struct Gate(pub(super) Option<&'static str>);

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |part| write!(f, ", {part}"))
    }
}

/// How the text refers to a value: by its number.
#[derive(Clone, Copy)]
pub(super) struct Bound(u16);

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.0)
    }
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

    fn bind_known<'v>(&mut self, known: Known, value: impl Encode<'v, Postgres> + Type<Postgres>) -> Bound {
        let bound = self.known.as_ref().and_then(|all| all.iter().find(|(other, _)| *other == known));
        if let Some((_, bound)) = bound {
            return *bound;
        }
        let bound = self.bind(value);
        if let Some(all) = &mut self.known {
            all.push((known, bound));
        }
        bound
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
        let before = if self.text.is_empty() { "WITH " } else { ",\n" };
        write!(self.text, "{before}{name} AS ({body})").expect("a string takes any text");
    }

    /// Adds the query after all parts.
    pub(super) fn answer(&mut self, answer: &str) {
        self.text.push_str(if self.text.is_empty() { "" } else { "\n" });
        self.text.push_str(answer);
    }

    /// Runs it.
    pub(super) async fn run(self, connection: &mut PgConnection) -> Result<Vec<PgRow>, sqlx::Error> {
        sqlx::query_with(AssertSqlSafe(self.text), self.arguments).fetch_all(connection).await
    }
}

/// Rows of values, put together column by column. The first column is always one of [`each`](Self::each).
pub(super) struct Rows<'s> {
    statement: &'s mut Statement,
    // How the text refers to the values: column by column, one for each row, or one array for each column.
    cells: Cells,
    columns: usize,
    // The columns, as bits, whose value is bound once for all rows.
    once: u64,
}

type Cells = SmallVec<[Bound; 32]>;

impl Rows<'_> {
    /// A column. Its type is that of its values.
    pub(super) fn each<'v, T>(mut self, values: impl Iterator<Item = T>) -> Self
    where
        T: Encode<'v, Postgres> + Type<Postgres>,
        Vec<T>: Encode<'v, Postgres> + Type<Postgres>,
    {
        if self.statement.short {
            self.cells.extend(values.map(|value| self.statement.bind(value)));
        } else {
            self.cells.push(self.statement.bind(values.collect::<Vec<_>>()));
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
        self.cells.push(self.statement.bind(values.next().expect("there is at least one row")));
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
        self.cells.extend(values.map(|(known, value)| match known.into() {
            Some(known) => self.statement.bind_known(known, value),
            None => self.statement.bind(value),
        }));
        self.columns += 1;
        self
    }

    /// The rows as they stand in a FROM: as `u`, under names for their columns.
    pub(super) fn named(self, names: &str) -> String {
        self.text(names, false)
    }

    /// The rows, and what keeps them in order: by their place from 1, a further column. Where they are listed one by one they come
    /// as they stand, and no sort has to be set up: all that they are joined with is one row, a [`Gate`], so that PostgreSQL has no
    /// plan that orders them anew.
    pub(super) fn ordered(self, names: &str) -> (String, &'static str) {
        let listed = self.statement.short;
        (self.text(names, !listed), if listed { "" } else { " ORDER BY u.place" })
    }

    fn text(&self, names: &str, placed: bool) -> String {
        let mut text = String::with_capacity(256);
        if self.statement.short {
            self.values(&mut text)
        } else {
            self.arrays(&mut text, placed)
        }
        text.push_str(" AS u (");
        text.push_str(names);
        text.push_str(if placed { ", place)" } else { ")" });
        text
    }

    fn values(&self, text: &mut String) {
        let rows = self.cells.len() / self.columns;
        // PostgreSQL sees through a SELECT, where it would scan VALUES and join them.
        let [first, last] = if rows == 1 { ["(SELECT ", ")"] } else { ["(VALUES (", "))"] };
        for row in 0..rows {
            text.push_str(if row == 0 { first } else { "), (" });
            listed(text, "$", self.cells.iter().skip(row).step_by(rows).map(|bound| bound.0));
        }
        text.push_str(last);
    }

    fn arrays(&self, text: &mut String, placed: bool) {
        // Before they have their names, columns go by their numbers.
        let apart = || (0..self.columns).filter(|column| self.once >> column & 1 == 0);
        text.push_str("(SELECT ");
        for (column, bound) in self.cells.iter().enumerate() {
            text.push_str(if column == 0 { "" } else { ", " });
            let once = self.once >> column & 1 == 1;
            text.push(if once { '$' } else { 'c' });
            number(text, if once { bound.0 } else { column as u16 });
        }
        text.push_str(if placed { ", place FROM unnest(" } else { " FROM unnest(" });
        listed(text, "$", apart().map(|column| self.cells[column].0));
        text.push_str(if placed { ") WITH ORDINALITY AS v (" } else { ") AS v (" });
        listed(text, "c", apart().map(|column| column as u16));
        text.push_str(if placed { ", place))" } else { "))" });
    }
}

fn listed(text: &mut String, before: &str, numbers: impl Iterator<Item = u16>) {
    for (place, one) in numbers.enumerate() {
        text.push_str(if place == 0 { "" } else { ", " });
        text.push_str(before);
        number(text, one);
    }
}

// Every value of every commit is numbered: `write!` would set up more for it than the rest of the text takes.
fn number(text: &mut String, number: u16) {
    if number > 9 {
        self::number(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}
