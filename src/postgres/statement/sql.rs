//! The text of a statement, in pieces.
//!
//! Commits that do the same kind of thing have the same text, and differ in what they bind. To write the text anew for each of them
//! would be a quarter of the client's work. So it is put together from pieces that are told apart by numbers, and the text of
//! those is looked up.

use super::kept::KEPT;
use std::{iter, sync::Arc};

/// A text in pieces, which perhaps is not written.
pub(in crate::postgres) struct Sql {
    key: Key,
    written: Option<String>,
}

/// What the pieces are, in their order: of a literal how long it is and where it stands, of a list of values how many it has and
/// how the text refers to each. The same numbers are the same text.
// A text has two keys if the compiler has put one literal in two places, and is then kept twice.
type Key = Vec<u64>;

// Tells a list from a literal, whose length is never as much.
const LIST: u64 = 1 << 63;

/// What can stand in a text. Only what is written in the source can, and numbers: no value that comes from outside.
pub(in crate::postgres) trait Piece {
    /// Adds it.
    fn add_to(&self, sql: &mut Sql);
}

/// A text of literals and whatever else is a [`Piece`]: `sql!["SELECT " value]`.
macro_rules! sql {
    ($($piece:tt)*) => { &[$(&$piece as &dyn $crate::postgres::statement::Piece),*] };
}
pub(in crate::postgres) use sql;

/// How a text refers to a value.
#[derive(Clone, Copy)]
pub(super) enum Cell {
    Bound(Bound),
    Plain(Plain),
}

/// A value that is bound, by its number.
#[derive(Clone, Copy)]
pub(in crate::postgres) struct Bound(pub(super) u16);

/// A value of which there are few, and which is therefore part of the text for one commit: PostgreSQL reads it once, with the text,
/// and works out what follows from it when it makes its plan.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) enum Plain {
    /// A small number of which there are not many.
    Number(u32),
    /// Yes or no.
    Is(bool),
    /// No text.
    NoText,
    /// No number.
    NoNumber,
}

impl Sql {
    /// An empty text, which is written or only told apart.
    pub(super) fn new(write: bool) -> Self {
        Self { key: Key::with_capacity(128), written: write.then(|| String::with_capacity(4096)) }
    }

    /// An empty text that is to be a piece of this one.
    pub(super) fn within(&self) -> Self {
        Self { key: Key::new(), written: self.written.as_ref().map(|_| String::new()) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.key.is_empty()
    }

    /// Adds all of these.
    pub(in crate::postgres) fn add(&mut self, pieces: &[&dyn Piece]) {
        pieces.iter().for_each(|piece| piece.add_to(self));
    }

    /// Adds a text as it stands.
    pub(in crate::postgres) fn literal(&mut self, literal: &'static str) {
        if !literal.is_empty() {
            self.key.extend_from_slice(&[literal.len() as u64, literal.as_ptr().addr() as u64]);
            if let Some(written) = &mut self.written {
                written.push_str(literal);
            }
        }
    }

    /// Adds a list of values.
    pub(super) fn list(&mut self, cells: impl Iterator<Item = Cell> + Clone) {
        let first = self.key.len();
        self.key.push(LIST);
        self.key.extend(cells.clone().map(Cell::number));
        self.key[first] += (self.key.len() - first) as u64;
        if let Some(written) = &mut self.written {
            for (place, cell) in cells.enumerate() {
                written.push_str(if place == 0 { "" } else { ", " });
                cell.write(written);
            }
        }
    }

    /// The whole text, if it was [kept](Self::keep).
    pub(super) fn known(&self) -> Option<Arc<str>> {
        KEPT.find(&self.key)
    }

    /// Keeps what these pieces are as a text, and answers with it.
    pub(super) fn keep(&self, text: &str) -> Arc<str> {
        KEPT.keep(&self.key, text)
    }

    /// The text, which must be written.
    pub(super) fn text(&self) -> &str {
        self.written.as_deref().expect("it is written")
    }
}

impl Cell {
    fn number(self) -> u64 {
        match self {
            Self::Bound(Bound(number)) => u64::from(number) << 3,
            Self::Plain(Plain::Number(number)) => u64::from(number) << 3 | 1,
            Self::Plain(Plain::Is(true)) => 2,
            Self::Plain(Plain::Is(false)) => 3,
            Self::Plain(Plain::NoText) => 4,
            Self::Plain(Plain::NoNumber) => 5,
        }
    }

    fn write(self, text: &mut String) {
        match self {
            Self::Bound(Bound(number)) => text.extend(["$", &number.to_string()]),
            Self::Plain(Plain::Number(number)) => text.push_str(&number.to_string()),
            Self::Plain(Plain::Is(true)) => text.push_str("true"),
            Self::Plain(Plain::Is(false)) => text.push_str("false"),
            Self::Plain(Plain::NoText) => text.push_str("NULL::text"),
            Self::Plain(Plain::NoNumber) => text.push_str("NULL::bigint"),
        }
    }
}

impl Piece for &'static str {
    fn add_to(&self, sql: &mut Sql) {
        sql.literal(self);
    }
}

impl Piece for Bound {
    fn add_to(&self, sql: &mut Sql) {
        sql.list(iter::once(Cell::Bound(*self)));
    }
}

impl Piece for Sql {
    fn add_to(&self, sql: &mut Sql) {
        sql.key.extend_from_slice(&self.key);
        if let Some(written) = &mut sql.written {
            written.push_str(self.text());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Each way to add something that differs from the others in one thing only.
    const WAYS: [fn(&mut Sql); 13] = [
        |sql| sql.literal("AND"),
        |sql| sql.literal("ASC"),
        |sql| sql.literal(&TEXT[..1]),
        |sql| sql.literal(&TEXT[..2]),
        |sql| sql.list(list(&[bound(1)])),
        |sql| sql.list(list(&[bound(2)])),
        |sql| sql.list(list(&[bound(1), bound(2)])),
        |sql| sql.list(list(&[bound(2), bound(1)])),
        |sql| sql.list(list(&[])),
        |sql| sql.list(list(&[plain(Plain::Number(0)), plain(Plain::Number(1))])),
        |sql| sql.list(list(&[plain(Plain::Is(false)), plain(Plain::NoText)])),
        |sql| sql.list(list(&[plain(Plain::Is(true)), plain(Plain::NoNumber)])),
        |sql| {
            let mut within = sql.within();
            within.add(sql![{Bound(1)} "AND"]);
            sql.add(sql![within]);
        },
    ];
    static TEXT: &str = "ORDER";

    fn bound(number: u16) -> Cell {
        Cell::Bound(Bound(number))
    }

    fn plain(plain: Plain) -> Cell {
        Cell::Plain(plain)
    }

    fn list(cells: &[Cell]) -> impl Iterator<Item = Cell> + Clone {
        cells.iter().copied()
    }

    /// All texts of up to three pieces.
    fn all() -> impl Iterator<Item = Sql> {
        let some = || iter::once(None).chain(WAYS.map(Some));
        some().flat_map(move |one| some().flat_map(move |two| some().map(move |three| [one, two, three]))).map(|ways| {
            let mut sql = Sql::new(true);
            ways.into_iter().flatten().for_each(|add| add(&mut sql));
            sql
        })
    }

    #[test]
    fn what_has_the_same_key_is_the_same_text() {
        let mut texts = HashMap::new();
        let mut found = 0;
        for sql in all() {
            let known = texts.entry(sql.key.clone()).or_insert_with(|| sql.text().to_owned());
            assert_eq!(*known, sql.text());
            found += 1;
        }
        assert_eq!(found, 14_usize.pow(3));
        assert!(texts.len() > 2_000, "most of them differ: {}", texts.len());
    }

    #[test]
    fn every_value_is_told_apart() {
        let numbers = (0..6).flat_map(|number| [bound(number), plain(Plain::Number(number.into()))]);
        let others = [Plain::Is(true), Plain::Is(false), Plain::NoText, Plain::NoNumber].map(plain);
        let mut keys = HashMap::new();
        for cell in numbers.chain(others) {
            let mut sql = Sql::new(true);
            sql.list(iter::once(cell));
            let text = sql.text().to_owned();
            assert_eq!(keys.insert(sql.key, text), None);
        }
        assert_eq!(keys.len(), 16);
    }

    #[test]
    fn a_text_is_told_apart_alike_whether_it_is_written_or_not() {
        for add in WAYS {
            let [mut told, mut written] = [false, true].map(Sql::new);
            add(&mut told);
            add(&mut written);
            assert_eq!(told.key, written.key);
        }
    }
}
