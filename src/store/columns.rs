//! Reads the columns of a row, and trusts none: what cannot be what this crate wrote is the store's own typed error.
//!
//! The stores in SQL databases share it. Each says how to read text and numbers; what they stand for is said here, once.

use super::{BookedEntry, CallState, CallStatus, IndexEntry, LeasedCall, Revision, StoredRecord};
use crate::{
    gateway::{IdempotencyKey, Instruction},
    ledger::{Balance, Purpose},
    money::{Currency, Money},
    party::Stamp,
    time::Timestamp,
};
use serde::de::DeserializeOwned;
use std::{fmt, str::FromStr};

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

    /// A call: key, instruction, gateway, status, attempts, outcome, problem, due.
    fn call_state(&self) -> Result<CallState, Self::Error> {
        Ok(CallState {
            instruction: self.instruction()?,
            gateway: self.parsed(2)?,
            status: self.one_of(3, &CallStatus::ALL, CallStatus::name)?,
            attempts: self.number(4)?,
            outcome: self.maybe_json(5)?,
            problem: self.maybe_parsed(6)?,
            due: self.time(7)?,
        })
    }

    /// A call that was just taken: key, instruction, the attempts before, due, number. With the last two to sort by, for
    /// no database promises an order for what an update returns.
    fn leased_call(&self) -> Result<((i64, i64), LeasedCall), Self::Error> {
        let call = LeasedCall { instruction: self.instruction()?, attempts: self.number(2)? };
        Ok(((self.integer(3)?, self.integer(4)?), call))
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
