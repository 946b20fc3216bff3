//! Reads the columns of a row, and trusts none: what cannot be what this crate wrote is the store's own typed error.
//!
//! The stores in SQL databases share it. Each says how to read text and numbers; what they stand for is said here, once.

use super::{BookedEntry, CallState, CallStatus, IndexEntry, LeasedCall, Revision, StoredRecord, Unreadable};
use crate::{
    gateway::{IdempotencyKey, Instruction},
    id::Subject,
    ledger::{Balance, Purpose},
    money::{Currency, Money},
    party::Stamp,
    text::Prose,
    time::Timestamp,
};
use serde::de::DeserializeOwned;
use std::{fmt, str::FromStr};

/// A call that was just taken, or that cannot be read.
pub(crate) struct TakenCall {
    // What to sort by: no database promises an order for what an update returns.
    due: i64,
    /// Its place in the outbox.
    pub(crate) number: i64,
    pub(crate) call: Result<LeasedCall, Unreadable>,
}

impl TakenCall {
    /// In the order in which they became due.
    pub(crate) fn in_order(mut taken: Vec<Self>) -> Vec<Result<LeasedCall, Unreadable>> {
        taken.sort_by_key(|taken| (taken.due, taken.number));
        taken.into_iter().map(|taken| taken.call).collect()
    }
}

/// A row of one table, its columns counted from 0.
pub(crate) trait Columns {
    /// The store's error.
    type Error;

    /// Text, if there is any.
    fn maybe_text(&self, column: usize) -> Result<Option<String>, Self::Error>;

    /// A number, if there is any.
    fn maybe_integer(&self, column: usize) -> Result<Option<i64>, Self::Error>;

    /// That the row cannot be right.
    fn corrupt(&self, column: usize, what: &dyn fmt::Display) -> Self::Error;

    /// What is wrong with the row, if that is the error; any other error as it is.
    fn problem(error: Self::Error) -> Result<String, Self::Error>;

    /// What was read of the row, or that it cannot be read. Column 0 is its key or id.
    fn apart<T>(&self, read: Result<T, Self::Error>) -> Result<Result<T, Unreadable>, Self::Error> {
        match read {
            Ok(read) => Ok(Ok(read)),
            Err(error) => {
                let problem = Self::problem(error)?;
                let id = self.text(0).or_else(|error| Self::problem(error).map(|_| "?".to_owned()))?;
                Ok(Err(Unreadable { id, problem }))
            }
        }
    }

    /// Text as it is.
    fn text(&self, column: usize) -> Result<String, Self::Error> {
        self.maybe_text(column)?.ok_or_else(|| self.corrupt(column, &"there is nothing"))
    }

    /// A number as it is.
    fn integer(&self, column: usize) -> Result<i64, Self::Error> {
        self.maybe_integer(column)?.ok_or_else(|| self.corrupt(column, &"there is nothing"))
    }

    /// A number of a narrower type.
    fn number<T: TryFrom<i64>>(&self, column: usize) -> Result<T, Self::Error> {
        let number = self.integer(column)?;
        T::try_from(number).map_err(|_| self.corrupt(column, &format_args!("{number} is out of range")))
    }

    /// A number of a narrower type, if there is any.
    fn maybe_number<T: TryFrom<i64>>(&self, column: usize) -> Result<Option<T>, Self::Error> {
        let number = self.maybe_integer(column)?;
        let narrow = |number: i64| {
            T::try_from(number).map_err(|_| self.corrupt(column, &format_args!("{number} is out of range")))
        };
        number.map(narrow).transpose()
    }

    /// Text that stands for something.
    fn parsed<T: FromStr<Err: fmt::Display>>(&self, column: usize) -> Result<T, Self::Error> {
        self.text(column)?.parse().map_err(|error| self.corrupt(column, &error))
    }

    /// Text that stands for something, if there is any.
    fn maybe_parsed<T: FromStr<Err: fmt::Display>>(&self, column: usize) -> Result<Option<T>, Self::Error> {
        let text = self.maybe_text(column)?;
        text.map(|text| text.parse().map_err(|error| self.corrupt(column, &error))).transpose()
    }

    /// JSON.
    fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T, Self::Error> {
        serde_json::from_str(&self.text(column)?).map_err(|error| self.corrupt(column, &error))
    }

    /// JSON, if there is any.
    fn maybe_json<T: DeserializeOwned>(&self, column: usize) -> Result<Option<T>, Self::Error> {
        let text = self.maybe_text(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| self.corrupt(column, &error))).transpose()
    }

    /// One of some names.
    fn one_of<T: Copy>(&self, column: usize, all: &[T], name: fn(T) -> &'static str) -> Result<T, Self::Error> {
        let text = self.text(column)?;
        let known = all.iter().copied().find(|one| name(*one) == text);
        known.ok_or_else(|| self.corrupt(column, &format_args!("`{text}` is no known name")))
    }

    /// A time.
    fn time(&self, column: usize) -> Result<Timestamp, Self::Error> {
        Timestamp::from_unix_micros(self.integer(column)?).map_err(|error| self.corrupt(column, &error))
    }

    /// A time, if there is any.
    fn maybe_time(&self, column: usize) -> Result<Option<Timestamp>, Self::Error> {
        let micros = self.maybe_integer(column)?;
        micros.map(|at| Timestamp::from_unix_micros(at).map_err(|error| self.corrupt(column, &error))).transpose()
    }

    /// An amount, of which the currency is in the column after it.
    fn money(&self, column: usize) -> Result<Money, Self::Error> {
        let code = self.text(column + 1)?;
        let currency = Currency::from_code(&code).map_err(|error| self.corrupt(column + 1, &error))?;
        Ok(Money::from_minor(self.integer(column)?, currency))
    }

    /// An event, its columns from `first` on: number, name, version, actor, time, data.
    fn record(&self, first: usize) -> Result<StoredRecord, Self::Error> {
        Ok(StoredRecord {
            seq: self.number(first)?,
            name: self.text(first + 1)?,
            version: self.number(first + 2)?,
            stamp: Stamp::new(self.json(first + 3)?, self.time(first + 4)?),
            body: self.text(first + 5)?,
        })
    }

    /// A row of the index: id, lifecycle, status, about, deadline, held, currency, revision, parties.
    fn index_entry(&self) -> Result<IndexEntry, Self::Error> {
        Ok(IndexEntry {
            subject: self.parsed(0)?,
            lifecycle: self.text(1)?,
            status: self.text(2)?,
            about: self.maybe_parsed(3)?,
            deadline: self.maybe_time(4)?,
            held: self.money(5)?,
            revision: Revision::new(self.integer(7)?),
            parties: self.json(8)?,
        })
    }

    /// A balance: account, minor units, currency.
    fn balance(&self) -> Result<Balance, Self::Error> {
        Ok(Balance { account: self.parsed(0)?, amount: self.money(1)? })
    }

    /// An entry: number, subject, event, from, to, minor units, currency, purpose, time.
    fn booked_entry(&self) -> Result<BookedEntry, Self::Error> {
        Ok(BookedEntry {
            number: self.integer(0)?,
            subject: self.parsed(1)?,
            seq: self.number(2)?,
            from: self.parsed(3)?,
            to: self.parsed(4)?,
            amount: self.money(5)?,
            purpose: self.one_of(7, &Purpose::ALL, Purpose::name)?,
            at: self.time(8)?,
        })
    }

    /// A call: key, instruction, gateway, status, attempts, outcome, problem, due, leases, the lease it may first have been
    /// sent under.
    fn call_state(&self) -> Result<CallState, Self::Error> {
        let (leases, sent) = (self.number(8)?, self.maybe_number(9)?);
        // It would be handed out as if it had never been sent.
        if sent > Some(leases) {
            return Err(self.corrupt(9, &format_args!("it was leased {leases} times")));
        }
        Ok(CallState {
            instruction: self.instruction()?,
            gateway: self.parsed(2)?,
            status: self.one_of(3, &CallStatus::ALL, CallStatus::name)?,
            attempts: self.number(4)?,
            outcome: self.maybe_json(5)?,
            problem: self.maybe_parsed(6)?,
            due: self.time(7)?,
            leases,
            sent,
        })
    }

    /// A call that was just taken: the columns of a call, with the attempts before, and its number.
    fn taken_call(&self) -> Result<TakenCall, Self::Error> {
        // All of it is read: what its answer could not be written beside had better not be sent.
        let call = self.call_state().map(|call| LeasedCall {
            instruction: call.instruction,
            status: call.status,
            lease: call.leases,
            attempts: call.attempts,
            sent: call.sent.is_some_and(|first| first < call.leases),
        });
        Ok(TakenCall { due: self.integer(7)?, number: self.integer(10)?, call: self.apart(call)? })
    }

    /// The instruction in column 1, which must be the one that the key in column 0 stands for.
    fn instruction(&self) -> Result<Instruction, Self::Error> {
        let (key, instruction): (IdempotencyKey, Instruction) = (self.parsed(0)?, self.json(1)?);
        if instruction.key() == key {
            Ok(instruction)
        } else {
            Err(self.corrupt(1, &format_args!("call {key} asks for {}", instruction.key())))
        }
    }
}

/// What a call is parked with that cannot be read, in words that every store can keep.
pub(crate) fn why_parked(unreadable: &Unreadable) -> Option<Prose> {
    Prose::of(&format!("it cannot be read: {}", unreadable.problem))
}

/// How subjects whose deadline has passed are handed out: the earliest first, and at the end those that cannot be read.
pub(crate) fn by_deadline(row: &Result<IndexEntry, Unreadable>) -> (bool, Option<(Option<Timestamp>, Subject)>) {
    (row.is_err(), row.as_ref().ok().map(|row| (row.deadline, row.subject)))
}
