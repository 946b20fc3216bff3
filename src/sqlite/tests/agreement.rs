//! Whatever is asked of it, SQLite answers as the store in memory does.

use super::*;
use crate::{
    conformance::store::commits::void,
    id::Subject,
    memory::Memory,
    store::{AppendedAll, CallStatus, IfSent, Postponement, Revision, Withdrawal},
};
use proptest::{collection::vec, option, prelude::*};
use std::{collections::HashMap, fmt::Debug};

#[derive(Debug, Clone)]
enum Op {
    Append(Step),
    AppendAll(Vec<Step>),
    Lease { now: u64, limit: usize },
    Postpone { payment: u128, status: usize, due: u64 },
    Commit,
    RollBack,
}

/// A commit that may be well made or not.
#[derive(Debug, Clone)]
struct Step {
    subject: u128,
    current: bool,
    entries: Vec<(usize, usize, i64)>,
    parties: Vec<usize>,
    deadline: Option<u64>,
    call: Option<(u128, u64)>,
    settles: Option<(u128, bool)>,
    withdraws: Option<(u128, bool)>,
}

const ACCOUNTS: [&str; 4] = ["world:sandbox", "wallet:alice", "wallet:bob", "wallet:carol"];
const PARTIES: [&str; 3] = ["alice", "bob", "carol"];
const STATUSES: [CallStatus; 4] = [CallStatus::Queued, CallStatus::Pending, CallStatus::Held, CallStatus::Parked];

fn step() -> impl Strategy<Value = Step> {
    let payment = || 1..3_u128;
    (
        1..4_u128,
        prop::bool::weighted(0.9),
        vec((0..4_usize, 0..4_usize, 1..9_i64), 0..4),
        vec(0..3_usize, 0..3),
        option::of(0..9_u64),
        option::weighted(0.3, (payment(), 0..9_u64)),
        option::weighted(0.2, (payment(), any::<bool>())),
        option::weighted(0.2, (payment(), any::<bool>())),
    )
        .prop_map(|(subject, current, entries, parties, deadline, call, settles, withdraws)| Step {
            subject,
            current,
            entries,
            parties,
            deadline,
            call,
            settles,
            withdraws,
        })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => step().prop_map(Op::Append),
        2 => vec(step(), 0..3).prop_map(Op::AppendAll),
        2 => (0..9_u64, 0..3_usize).prop_map(|(now, limit)| Op::Lease { now, limit }),
        1 => (1..3_u128, 0..3_usize, 0..9_u64).prop_map(|(payment, status, due)| Op::Postpone { payment, status, due }),
        2 => Just(Op::Commit),
        1 => Just(Op::RollBack),
    ]
}

/// Where a store's subjects stand: revisions differ between stores.
type Known = HashMap<Subject, (Revision, u32)>;

fn commit_of(step: &Step, known: &Known) -> Commit {
    let subject = order(step.subject);
    let mut commit = match known.get(&subject) {
        Some((revision, seq)) if step.current => goes_on(subject, *revision, seq + 1),
        Some((revision, seq)) => goes_on(subject, *revision, *seq),
        None if step.current => opens(subject),
        None => goes_on(subject, Revision::new(0), 1),
    };
    let distinct = step.entries.iter().filter(|(from, to, _)| from != to);
    commit.entries = distinct.map(|(from, to, minor)| entry(ACCOUNTS[*from], ACCOUNTS[*to], *minor)).collect();
    commit.index.parties = step.parties.iter().map(|party| PARTIES[*party].parse().unwrap()).collect();
    commit.index.deadline = step.deadline.map(at);
    commit.calls = step.call.iter().map(|(payment, due)| charge(payin(*payment), at(*due))).collect();
    commit.settles = step.settles.map(|(payment, last)| {
        let outcome = if last { Outcome::Settled { moved: euro(1) } } else { Outcome::Pending { direct_link: None } };
        Settlement { key: key(&charge(payin(payment), at(0))), outcome }
    });
    commit.withdraws = step.withdraws.map(|(payment, follow)| {
        let follower = Box::new(void(payin(payment), at(0)));
        let if_sent = if follow { IfSent::Follow(follower) } else { IfSent::Refuse };
        Withdrawal { key: key(&charge(payin(payment), at(0))), if_sent }
    });
    commit
}

async fn standing<U: Views>(unit: &mut U) -> Known {
    let mut known = Known::new();
    for number in 1..4 {
        if let Some(log) = unit.log(order(number)).await.unwrap() {
            known.insert(order(number), (log.revision, log.records.last().unwrap().seq));
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
        Op::Postpone { payment, status, due } => {
            let key = key(&charge(payin(*payment), at(0)));
            told(
                open.postpone(&Postponement { status: STATUSES[*status], ..Postponement::queued(key, at(*due)) }).await,
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
    for number in 1..4 {
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
        shown.push(format!("{:?}", unit.entries(&account(name), 0, 99).await.unwrap()));
    }
    for status in CallStatus::ALL {
        shown.push(format!("{:?}", unit.calls(status, None, 9).await.unwrap()));
    }
    shown.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_say_the_same(ops in vec(op(), 1..40)) {
        let memory = Memory::new();
        let sqlite = Sqlite::from_connection(Connection::open_in_memory().unwrap()).unwrap();
        block_on(async {
            let mut one = Some(memory.begin().await.unwrap());
            let mut two = Some(sqlite.begin().await.unwrap());
            for op in &ops {
                let (expected, found) = (does(&memory, &mut one, op).await, does(&sqlite, &mut two, op).await);
                prop_assert_eq!(expected, found, "{:?}", op);
            }
            Ok(())
        })?;
    }
}
