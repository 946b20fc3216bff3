//! Whatever is asked of it, a store answers as the store in memory does: for the tests of the others.

use super::Memory;
use crate::{
    conformance::store::commits::{account, at, charge, entry, euro, goes_on, key, opens, order, payin, void},
    gateway::{IdempotencyKey, Outcome},
    id::Subject,
    ledger::{Account, Entry},
    money::{Currency, Money},
    party::{Actor, PartyId},
    store::{
        Appended, AppendedAll, Call, CallStatus, Commit, IfSent, Inventory, Lease, Outbox, Postponement, Query,
        Request, Revision, Settlement, Store, UnitOfWork, Views, Withdrawal,
    },
};
use proptest::{collection::vec, option, prelude::*};
use std::{collections::HashMap, fmt::Debug};

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Append(Box<Step>),
    AppendAll(Vec<Step>),
    Lease { now: u64, limit: usize },
    Postpone { call: Asked, status: usize, due: u64, taken: Option<u64>, unsent: bool },
    Commit,
    RollBack,
}

/// A call: the charge of a payment, or its void.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    payment: u128,
    void: bool,
}

/// A commit that may be well made or not.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    subject: u128,
    current: bool,
    by: usize,
    about: Option<u128>,
    closed: bool,
    pounds: bool,
    entries: Vec<(usize, usize, i64)>,
    parties: Vec<usize>,
    deadline: Option<u64>,
    call: Option<(Asked, u64)>,
    settles: Vec<(Asked, bool)>,
    withdraws: Option<(Asked, Option<Asked>)>,
    request: Option<u8>,
}

const SUBJECTS: u128 = 7;
const ACCOUNTS: [&str; 4] = ["world:sandbox", "wallet:alice", "wallet:bob", "debt:carol"];
// The subject's own account, beside those.
const OWN: usize = ACCOUNTS.len();
const PARTIES: [&str; 3] = ["alice", "bob", "carol"];
const STATUSES: [CallStatus; 4] = [CallStatus::Queued, CallStatus::Pending, CallStatus::Held, CallStatus::Parked];

impl Asked {
    fn call(self, due: u64) -> Call {
        let of = if self.void { void } else { charge };
        of(payin(self.payment), at(due))
    }

    fn key(self) -> IdempotencyKey {
        key(&self.call(0))
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    (1..3_u128, prop::bool::weighted(0.3)).prop_map(|(payment, void)| Asked { payment, void })
}

fn step() -> impl Strategy<Value = Step> {
    (
        1..=SUBJECTS,
        prop::bool::weighted(0.9),
        manner(),
        vec((0..=OWN, 0..=OWN, 1..9_i64), 0..4),
        vec(0..3_usize, 0..3),
        option::of(0..9_u64),
        option::weighted(0.3, (asked(), 0..9_u64)),
        option::weighted(0.2, vec((asked(), any::<bool>()), 1..3)).prop_map(Option::unwrap_or_default),
        option::weighted(0.2, (asked(), option::of(asked()))),
        option::weighted(0.1, 0..9_u8),
    )
        .prop_map(|(subject, current, manner, entries, parties, deadline, call, settles, withdraws, request)| {
            Step {
                subject,
                current,
                by: manner.0,
                about: manner.1,
                closed: manner.2,
                pounds: manner.3,
                entries,
                parties,
                deadline,
                call,
                settles,
                withdraws,
                request,
            }
        })
}

// Most are alike in these, as the commits of one batch are.
fn manner() -> impl Strategy<Value = (usize, Option<u128>, bool, bool)> {
    let rarely = || prop::bool::weighted(0.1);
    (rarely(), option::weighted(0.1, 1..=SUBJECTS), rarely(), rarely())
        .prop_map(|(other, about, closed, pounds)| (usize::from(other), about, closed, pounds))
}

/// Several at once, most of them of different subjects and in good order: those are written.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    (vec(step(), 0..=SUBJECTS as usize), prop::bool::weighted(0.8)).prop_map(|(mut steps, apart)| {
        for (place, step) in steps.iter_mut().enumerate().filter(|_| apart) {
            step.subject = (place as u128 * 3) % SUBJECTS + 1;
            // Of payments and requests there are few.
            if place > 0 {
                (step.call, step.withdraws, step.request) = (None, None, None);
                step.settles.clear();
            }
        }
        steps
    })
}

/// What may be asked in one run.
pub(crate) fn ops() -> impl Strategy<Value = Vec<Op>> {
    vec(op(), 1..40)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => step().prop_map(|step| Op::Append(Box::new(step))),
        4 => steps().prop_map(Op::AppendAll),
        2 => (0..9_u64, 0..3_usize).prop_map(|(now, limit)| Op::Lease { now, limit }),
        2 => postpone(),
        2 => Just(Op::Commit),
        1 => Just(Op::RollBack),
    ]
}

fn postpone() -> impl Strategy<Value = Op> {
    let lease = option::weighted(0.8, 1..4_u64);
    (asked(), 0..STATUSES.len(), 0..9_u64, lease, any::<bool>())
        .prop_map(|(call, status, due, taken, unsent)| Op::Postpone { call, status, due, taken, unsent })
}

/// Where a store's subjects stand: revisions differ between stores.
type Known = HashMap<Subject, (Revision, u32, Vec<PartyId>)>;

fn commit_of(step: &Step, known: &Known) -> Commit {
    let subject = order(step.subject);
    let mut commit = match known.get(&subject) {
        Some((revision, seq, parties)) => {
            let seq = if step.current { seq + 1 } else { *seq };
            Commit { parties_before: Some(parties.clone().into()), ..goes_on(subject, *revision, seq) }
        }
        None if step.current => opens(subject),
        None => goes_on(subject, Revision::new(0), 1),
    };
    let own = format!("escrow:{subject}");
    let name = |place: usize| ACCOUNTS.get(place).copied().unwrap_or(&own);
    let distinct = || step.entries.iter().filter(|(from, to, _)| from != to);
    commit.entries = distinct().map(|(from, to, minor)| booked(name(*from), name(*to), *minor, step.pounds)).collect();
    commit.records[0].stamp.by = Actor::Party(PARTIES[step.by].parse().unwrap());
    commit.index.about = step.about.map(order);
    commit.index.status = if step.closed { "CLOSED" } else { "OPEN" };
    // As the books have it.
    let comes = |(from, to, minor): &(usize, usize, i64)| minor * (i64::from(*to == OWN) - i64::from(*from == OWN));
    let held: i64 = distinct().map(comes).sum();
    (commit.held_before, commit.index.held) = (euro((-held).max(0)), euro(held.max(0)));
    commit.index.parties = step.parties.iter().map(|party| PARTIES[*party].parse().unwrap()).collect();
    commit.index.deadline = step.deadline.map(at);
    commit.calls = step.call.iter().map(|(call, due)| call.call(*due)).collect();
    for (call, last) in &step.settles {
        let outcome = if *last { Outcome::Settled { moved: euro(1) } } else { Outcome::Pending { direct_link: None } };
        commit.settles.retain(|word| word.key != call.key());
        commit.settles.push(Settlement { key: call.key(), outcome });
    }
    commit.withdraws = step.withdraws.map(|(call, follower)| {
        let if_sent = follower.map_or(IfSent::Refuse, |follower| IfSent::Follow(Box::new(follower.call(0))));
        Withdrawal { key: call.key(), if_sent }
    });
    commit.request = step.request.map(|number| Request::new(&format!("anna-{number}"), "pay").unwrap());
    commit
}

// What a subject holds is in euros.
fn booked(from: &str, to: &str, minor: i64, pounds: bool) -> Entry {
    let entry = entry(from, to, minor);
    let [pays, takes] = [entry.from().clone(), entry.to().clone()];
    let own = |account: &Account| matches!(account, Account::Escrow(_));
    if !pounds || own(&pays) || own(&takes) {
        return entry;
    }
    Entry::new(pays, takes, Money::from_minor(minor, Currency::GBP), entry.purpose()).unwrap()
}

async fn standing<U: Inventory>(unit: &mut U) -> Known {
    let mut known = Known::new();
    for number in 1..=SUBJECTS {
        if let Some(log) = unit.log(order(number)).await.unwrap() {
            let parties = unit.row(order(number)).await.unwrap().unwrap().parties;
            known.insert(order(number), (log.revision, log.records.last().unwrap().seq, parties));
        }
    }
    known
}

/// Does it, and tells what came of it, all marks left out.
async fn does<S: Store>(store: &S, unit: &mut Option<S::Unit>, op: &Op) -> String {
    let open = unit.as_mut().unwrap();
    let known = standing(open).await;
    let said = match op {
        Op::Append(step) => match open.append(&commit_of(step, &known)).await {
            Ok(Appended::Stored(_)) => "stored".to_owned(),
            Ok(Appended::Overdrawn { .. }) => "overdrawn".to_owned(),
            other => told(other),
        },
        Op::AppendAll(steps) => {
            let commits: Vec<_> = steps.iter().map(|step| commit_of(step, &known)).collect();
            match open.append_all(&commits).await {
                Ok(AppendedAll::Stored(revisions)) => format!("stored {}", revisions.len()),
                Ok(AppendedAll::Refused { position, why: Appended::Overdrawn { .. } }) => {
                    format!("overdrawn {position}")
                }
                other => told(other),
            }
        }
        Op::Lease { now, limit } => {
            let (worker, gateway) = ("w".parse().unwrap(), "sandbox".parse().unwrap());
            let lease = Lease { worker, gateway, now: at(*now), until: at(now + 2), limit: *limit };
            told(open.lease(&lease).await)
        }
        Op::Postpone { call, status, due, taken, unsent } => {
            let (status, taken, unsent) = (STATUSES[*status], *taken, *unsent);
            told(
                open.postpone(&Postponement { status, taken, unsent, ..Postponement::queued(call.key(), at(*due)) })
                    .await,
            )
        }
        Op::Commit | Op::RollBack => String::new(),
    };
    if matches!(op, Op::Commit) {
        store.commit(unit.take().unwrap()).await.unwrap();
    }
    if matches!(op, Op::Commit | Op::RollBack) {
        *unit = None;
        *unit = Some(store.begin().await.unwrap());
    }
    said + &shown(unit.as_mut().unwrap()).await
}

fn told<T: Debug, E: std::error::Error>(answer: Result<T, E>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => format!("error: {error}"),
    }
}

/// Everything that a unit shows, all marks left out.
async fn shown<U: Outbox + Views>(unit: &mut U) -> String {
    let mut shown = Vec::new();
    for number in 1..=SUBJECTS {
        shown.push(format!("{:?}", unit.log(order(number)).await.unwrap().map(|log| log.records)));
    }
    let mut queries = vec![Query::status("order".parse().unwrap(), "OPEN"), Query::DueBy(at(5))];
    queries.extend(PARTIES.map(|party| Query::Party(party.parse().unwrap())));
    for query in queries {
        let mut page = unit.find(&query, None, 2).await.unwrap();
        page.rows.iter_mut().for_each(|row| row.revision = Revision::new(0));
        shown.push(format!("{page:?}"));
    }
    shown.push(format!("{:?}", unit.balances(None, 99).await.unwrap()));
    for name in ACCOUNTS {
        let mut entries = unit.entries(&account(name), 0, 99).await.unwrap();
        entries.iter_mut().for_each(|entry| entry.number = 0);
        shown.push(format!("{entries:?}"));
    }
    for status in CallStatus::ALL {
        shown.push(format!("{:?}", unit.calls(status, None, 9).await.unwrap()));
    }
    shown.join("\n")
}

/// Does it all, there and in memory.
pub(crate) async fn agrees<S: Store>(store: &S, ops: &[Op]) -> Result<(), TestCaseError> {
    let memory = Memory::new();
    let mut one = Some(memory.begin().await.unwrap());
    let mut two = Some(store.begin().await.unwrap());
    for op in ops {
        let (expected, found) = (does(&memory, &mut one, op).await, does(store, &mut two, op).await);
        let apart = expected.lines().zip(found.lines()).find(|(expected, found)| expected != found);
        prop_assert_eq!(apart, None, "{:?}", op);
        prop_assert_eq!(expected, found, "{:?}", op);
    }
    Ok(())
}
