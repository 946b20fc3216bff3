//! Rows of values in a statement's text.

use super::{
    Known, Piece, Sql, Statement,
    sql::{Cell, Plain},
};
use smallvec::SmallVec;
use sqlx::{Encode, Postgres, Type};

/// Rows of values, put together column by column. There is at least one row; in a long statement, at least one column is an array.
pub(in crate::postgres) struct Rows<'s> {
    statement: &'s mut Statement,
    cells: Cells,
    columns: usize,
    // The columns, as bits, whose value is bound once for all rows.
    once: u64,
}

// Column by column: one for each row, or one array for each column.
type Cells = SmallVec<[Cell; 12]>;

impl<'s> Rows<'s> {
    pub(super) fn of(statement: &'s mut Statement) -> Self {
        Self { statement, cells: Cells::new(), columns: 0, once: 0 }
    }

    /// A column. Its type is that of its values.
    pub(in crate::postgres) fn each<'v, T>(&mut self, values: impl Iterator<Item = T>) -> &mut Self
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
    pub(in crate::postgres) fn alike<'v, T>(&mut self, same: bool, mut values: impl Iterator<Item = T>) -> &mut Self
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
    pub(in crate::postgres) fn known<'v, K, T>(&mut self, same: bool, values: impl Iterator<Item = (K, T)>) -> &mut Self
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
    pub(in crate::postgres) fn listed(self) -> Listed {
        let Self { statement, cells, columns, once } = self;
        Listed { cells, columns, once, placed: false, short: statement.short }
    }

    /// The rows, and what keeps them in order: a further column with their place from 1, and what orders by it. Where they are
    /// listed one by one they come as they stand, and no sort has to be set up: all that they are joined with is one row, a
    /// [`Gate`](super::Gate), so that PostgreSQL has no plan that orders them anew.
    pub(in crate::postgres) fn ordered(self) -> (Listed, [&'static str; 2]) {
        let placed = !self.statement.short;
        (Listed { placed, ..self.listed() }, if placed { [", place", " ORDER BY u.place"] } else { [""; 2] })
    }
}

/// Rows, ready to be put into the text.
pub(in crate::postgres) struct Listed {
    cells: Cells,
    columns: usize,
    once: u64,
    placed: bool,
    short: bool,
}

impl Piece for Listed {
    fn add_to(&self, sql: &mut Sql) {
        if self.short {
            self.values(sql);
        } else {
            self.arrays(sql);
        }
    }
}

impl Listed {
    fn values(&self, sql: &mut Sql) {
        let rows = self.cells.len() / self.columns;
        // PostgreSQL sees through a SELECT, where it would scan VALUES and join them.
        let [first, last] = if rows == 1 { ["(SELECT ", ")"] } else { ["(VALUES (", "))"] };
        for row in 0..rows {
            sql.literal(if row == 0 { first } else { "), (" });
            sql.list(self.cells.iter().skip(row).step_by(rows).copied());
        }
        sql.literal(last);
    }

    fn arrays(&self, sql: &mut Sql) {
        let is_once = |column: &usize| self.once >> column & 1 == 1;
        let apart = || (0..self.columns).filter(|column| !is_once(column));
        sql.literal("(SELECT ");
        for column in 0..self.columns {
            sql.literal(if column == 0 { "" } else { ", " });
            if is_once(&column) {
                sql.list(std::iter::once(self.cells[column]));
            } else {
                name(sql, column);
            }
        }
        sql.literal(if self.placed { ", place FROM unnest(" } else { " FROM unnest(" });
        sql.list(apart().map(|column| self.cells[column]));
        sql.literal(if self.placed { ") WITH ORDINALITY AS v (" } else { ") AS v (" });
        for (place, column) in apart().enumerate() {
            sql.literal(if place == 0 { "" } else { ", " });
            name(sql, column);
        }
        sql.literal(if self.placed { ", place))" } else { "))" });
    }
}

// Before they have their names, columns go by their numbers.
fn name(sql: &mut Sql, column: usize) {
    sql.literal("c");
    sql.list(std::iter::once(Cell::Plain(Plain::Number(column as u32))));
}
