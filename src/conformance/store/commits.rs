//! The commits that the promises are tried with.

use crate::{
    gateway::{Capture, Channel, IdempotencyKey, Instruction},
    id::{Kind, Subject},
    ledger::{Account, Entry, Purpose},
    money::{Currency, Money},
    party::{Actor, Stamp},
    store::{Appended, Call, Commit, IndexRow, Payload, Record, Revision, Store, UnitOfWork},
    time::Timestamp,
};
use smallvec::{SmallVec, smallvec};
use std::time::Duration;
use uuid::Uuid;

pub(crate) const ORDER: Kind = Kind::new("ord");
pub(crate) const PAYIN: Kind = Kind::new("pi");

pub(crate) fn order(number: u128) -> Subject {
    Subject::new(ORDER, Uuid::from_u128(number))
}

pub(crate) fn payin(number: u128) -> Subject {
    Subject::new(PAYIN, Uuid::from_u128(number))
}

pub(crate) fn at(second: u64) -> Timestamp {
    let start: Timestamp = "2026-05-07T15:39:46Z".parse().unwrap();
    start.plus(Duration::from_secs(second))
}

pub(crate) fn euro(minor: i64) -> Money {
    Money::from_minor(minor, Currency::EUR)
}

pub(crate) fn account(text: &str) -> Account {
    text.parse().unwrap()
}

pub(crate) fn entry(from: &str, to: &str, minor: i64) -> Entry {
    Entry::new(account(from), account(to), euro(minor), Purpose::Payin).unwrap()
}

pub(crate) fn record(seq: u32, body: &str) -> Record {
    let stamp = Stamp::new(Actor::Party("alice".parse().unwrap()), at(u64::from(seq)));
    Record { seq, name: "noted", version: 1, stamp, payload: Payload::new(body.to_owned()) }
}

/// The first commit of a subject, with one event and nothing else.
pub(crate) fn opens(subject: Subject) -> Commit {
    let index =
        IndexRow { lifecycle: "order", status: "OPEN", parties: [].into(), about: None, deadline: None, held: euro(0) };
    Commit {
        subject,
        expected: None,
        records: smallvec![record(1, "opened")],
        held_before: index.held,
        parties_before: None,
        index,
        entries: Vec::new(),
        calls: Vec::new(),
        settles: SmallVec::new(),
        withdraws: None,
        request: None,
    }
}

/// A further commit, with one event and nothing else.
pub(crate) fn goes_on(subject: Subject, expected: Revision, seq: u32) -> Commit {
    Commit { expected: Some(expected), records: smallvec![record(seq, "went on")], ..opens(subject) }
}

pub(crate) fn charge(subject: Subject, due: Timestamp) -> Call {
    let (payin, channel, amount, capture) = (subject, Channel::Card, euro(1250), Capture::Now);
    let instruction = Instruction::Charge { payin, channel, amount, capture, authentication: Default::default() };
    Call { gateway: "sandbox".parse().unwrap(), instruction, due }
}

pub(crate) fn void(subject: Subject, due: Timestamp) -> Call {
    let instruction = Instruction::Void { payin: subject, amount: euro(1250) };
    Call { gateway: "sandbox".parse().unwrap(), instruction, due }
}

pub(crate) fn key(call: &Call) -> IdempotencyKey {
    call.instruction.key()
}

pub(crate) async fn stored<U: UnitOfWork>(unit: &mut U, commit: &Commit) -> Revision {
    match unit.append(commit).await.unwrap() {
        Appended::Stored(revision) => revision,
        refused => panic!("refused: {refused:?}"),
    }
}

/// Appends and commits.
pub(crate) async fn saved<S: Store>(store: &S, commit: &Commit) -> Revision {
    let mut unit = store.begin().await.unwrap();
    let revision = stored(&mut unit, commit).await;
    store.commit(unit).await.unwrap();
    revision
}
