//! Many at the same moment: each promise starts several units in one task, so that a store that lets them work side by
//! side is made to, and one in which they take turns is not asked for more.

use super::{commits::*, workers::take};
use crate::{
    gateway::Outcome,
    ledger::Entry,
    money::Currency,
    store::{
        Answered, Appended, Commit, Digest, DueLease, IndexEntry, Outbox, Record, Request, Settlement, Store,
        UnitOfWork, Views,
    },
};
use futures_util::future::join_all;

/// How many work at the same moment.
pub(super) const MANY: u32 = 8;

/// Writes a commit in a unit of its own: what it answered, once it is durable. A race that is lost with an error is `Stale`,
/// too.
pub(super) async fn alone<S: Store>(store: &S, commit: &Commit) -> Appended {
    let mut unit = store.begin().await.unwrap();
    let written = match unit.append(commit).await {
        Ok(Appended::Stored(revision)) => store.commit(unit).await.map(|()| Appended::Stored(revision)),
        Ok(refused) => return refused,
        Err(error) => Err(error),
    };
    match written {
        Ok(stored) => stored,
        Err(error) if store.is_lost_race(&error) => Appended::Stale,
        Err(error) => panic!("{error}"),
    }
}

/// Writes a commit of which nobody else writes the subject, until nobody is faster.
pub(super) async fn insist<S: Store>(store: &S, commit: &Commit) -> Appended {
    loop {
        match alone(store, commit).await {
            Appended::Stale => {}
            answer => return answer,
        }
    }
}

fn won(answers: &[Appended]) -> usize {
    answers.iter().filter(|answer| matches!(answer, Appended::Stored(_))).count()
}

/// Many open the same subject: one does, the others learn that it exists.
pub async fn one_of_many_creators_wins<S: Store>(store: &S) {
    let opening = opens(order(1));
    let answers = join_all((0..MANY).map(|_| alone(store, &opening))).await;
    assert_eq!(won(&answers), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| matches!(answer, Appended::Stored(_) | Appended::Stale)), "{answers:?}");
    assert_eq!(store.begin().await.unwrap().log(order(1)).await.unwrap().unwrap().records.len(), 1);
}

/// Many go on from the same revision: one does, and nothing of the others is left.
pub async fn one_of_many_goes_on<S: Store>(store: &S) {
    let first = saved(store, &opens(order(1))).await;
    let commits: Vec<_> = (1..=MANY)
        .map(|number| {
            let mut commit = goes_on(order(1), first, 2);
            commit.entries = vec![entry("world:sandbox", &format!("wallet:w{number}"), 5)];
            commit
        })
        .collect();
    let answers = join_all(commits.iter().map(|commit| alone(store, commit))).await;
    assert_eq!(won(&answers), 1, "{answers:?}");
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.log(order(1)).await.unwrap().unwrap().records.len(), 2);
    assert_eq!(unit.balance(&account("world:sandbox"), Currency::EUR).await.unwrap(), euro(-5));
}

/// Many do what one request asks for, each with a subject of its own: one does, and what is answered under the key is what it
/// did.
pub async fn one_of_many_does_what_was_asked<S: Store>(store: &S) {
    let asked = |number: u32| {
        let mut commit = opens(order(number.into()));
        commit.request = Some(Request::new("anna-1", "open").unwrap());
        commit.entries = vec![entry("world:sandbox", &format!("wallet:w{number}"), 5)];
        commit
    };
    let commits: Vec<_> = (1..=MANY).map(asked).collect();
    let answers = join_all(commits.iter().map(|commit| alone(store, commit))).await;
    assert_eq!(won(&answers), 1, "one request was done more than once, or never: {answers:?}");
    assert!(answers.iter().all(|answer| matches!(answer, Appended::Stored(_) | Appended::Stale)), "{answers:?}");
    let mut unit = store.begin().await.unwrap();
    for (commit, answer) in commits.iter().zip(&answers) {
        let there = unit.log(commit.subject()).await.unwrap().is_some();
        assert_eq!(there, matches!(answer, Appended::Stored(_)), "{}", commit.subject());
        if there {
            let expected = Answered { digest: Digest::of("open"), subject: commit.subject(), seq: 1 };
            assert_eq!(unit.answered(&"anna-1".parse().unwrap()).await.unwrap(), Some(expected));
        }
    }
    assert_eq!(unit.balance(&account("world:sandbox"), Currency::EUR).await.unwrap(), euro(-5));
}

/// Many that read and write one subject again and again: no update is lost.
pub async fn no_update_is_lost<S: Store>(store: &S) {
    saved(store, &opens(order(1))).await;
    let add = || async {
        for _ in 0..5 {
            loop {
                let mut unit = store.begin().await.unwrap();
                let log = unit.log(order(1)).await.unwrap().unwrap();
                drop(unit);
                let seq = log.records.last().unwrap().seq + 1;
                let mut commit = goes_on(order(1), log.revision, seq);
                commit.entries = vec![entry("world:sandbox", "wallet:alice", 1)];
                if matches!(alone(store, &commit).await, Appended::Stored(_)) {
                    break;
                }
            }
        }
    };
    join_all((0..MANY).map(|_| add())).await;
    let mut unit = store.begin().await.unwrap();
    let added = i64::from(5 * MANY);
    assert_eq!(unit.balance(&account("wallet:alice"), Currency::EUR).await.unwrap(), euro(added));
    assert_eq!(unit.log(order(1)).await.unwrap().unwrap().records.len(), 1 + 5 * MANY as usize);
}

/// Many take from one account at the same moment: together they get what it held, and no more.
pub async fn an_overdraft_is_refused_among_many<S: Store>(store: &S) {
    let mut fund = opens(order(100));
    fund.entries = vec![entry("world:sandbox", "wallet:alice", 5)];
    saved(store, &fund).await;
    let spend = |number: u32| async move {
        let mut commit = opens(order(number.into()));
        commit.entries = vec![entry("wallet:alice", &format!("wallet:w{number}"), 1)];
        insist(store, &commit).await
    };
    let answers = join_all((1..=MANY).map(spend)).await;
    assert_eq!(won(&answers), 5, "{answers:?}");
    let refused = Appended::Overdrawn { account: account("wallet:alice") };
    assert_eq!(answers.iter().filter(|answer| **answer == refused).count(), MANY as usize - 5);
    let mut unit = store.begin().await.unwrap();
    assert!(unit.balance(&account("wallet:alice"), Currency::EUR).await.unwrap().is_zero());
}

/// Money goes round between two accounts in both directions at once: nobody waits for ever, and nothing is lost.
pub async fn money_that_crosses_arrives<S: Store>(store: &S) {
    let mut fund = opens(order(100));
    fund.entries = vec![entry("world:sandbox", "wallet:alice", 50), entry("world:sandbox", "wallet:bob", 50)];
    saved(store, &fund).await;
    let send = |number: u32| async move {
        let (from, to) =
            if number.is_multiple_of(2) { ("wallet:alice", "wallet:bob") } else { ("wallet:bob", "wallet:alice") };
        let mut commit = opens(order(number.into()));
        commit.entries = vec![entry(from, to, 3)];
        let answer = insist(store, &commit).await;
        assert!(matches!(answer, Appended::Stored(_)), "{answer:?}");
    };
    join_all((1..=4 * MANY).map(send)).await;
    let mut unit = store.begin().await.unwrap();
    for name in ["wallet:alice", "wallet:bob"] {
        assert_eq!(unit.balance(&account(name), Currency::EUR).await.unwrap(), euro(50));
    }
}

/// Two answers to one call at the same moment: the call is settled once.
pub async fn a_call_is_settled_once<S: Store>(store: &S) {
    let call = charge(payin(1), at(0));
    let first = saved(store, &Commit { calls: vec![call.clone()], ..opens(payin(1)) }).await;
    let outcome = Outcome::Settled { moved: euro(1250) };
    let mut commit = goes_on(payin(1), first, 2);
    commit.settles = [Settlement { key: key(&call), outcome }].into();
    commit.entries = vec![entry("world:sandbox", "wallet:alice", 1250)];
    let answers = join_all((0..MANY).map(|_| alone(store, &commit))).await;
    assert_eq!(won(&answers), 1, "{answers:?}");
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.balance(&account("wallet:alice"), Currency::EUR).await.unwrap(), euro(1250));
}

/// Many workers take calls at the same moment: no call is held by two, and none is left.
pub async fn two_workers_never_hold_one_call<S: Store>(store: &S) {
    for number in 1..=20 {
        saved(store, &Commit { calls: vec![charge(payin(number), at(0))], ..opens(order(number)) }).await;
    }
    let mut held: Vec<_> = join_all((0..MANY).map(|worker| take(store, worker, 3))).await.concat();
    // A worker that found nothing because another had it for a moment comes again.
    held.extend(take(store, MANY, 3).await);
    held.sort();
    let all: Vec<_> = (1..=20).map(|number| key(&charge(payin(number), at(0)))).collect();
    assert_eq!(held, all);
}

/// Many workers take deadlines at the same moment: no subject is held by two, and none is left.
pub async fn two_workers_never_hold_one_deadline<S: Store>(store: &S) {
    for number in 1..=20 {
        let mut commit = opens(order(number));
        commit.index.deadline = Some(at(5));
        saved(store, &commit).await;
    }
    let take = |number: u32| async move {
        let mut mine: Vec<IndexEntry> = Vec::new();
        loop {
            let mut unit = store.begin().await.unwrap();
            let worker = format!("w{number}").parse().unwrap();
            let taken = match unit.lease_due(&DueLease { worker, now: at(5), until: at(60), limit: 3 }).await {
                Ok(taken) => taken,
                Err(error) if store.is_lost_race(&error) => continue,
                Err(error) => panic!("{error}"),
            };
            match store.commit(unit).await {
                Ok(()) if taken.is_empty() => return mine,
                Ok(()) => mine.extend(taken.into_iter().map(Result::unwrap)),
                Err(error) if store.is_lost_race(&error) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    let mut held: Vec<_> = join_all((0..MANY).map(take)).await.concat();
    held.extend(take(MANY).await);
    let mut held: Vec<_> = held.iter().map(|row| row.subject).collect();
    held.sort();
    assert_eq!(held, (1..=20).map(order).collect::<Vec<_>>());
}

/// Large data, many events in one commit and many parties come back whole.
pub async fn large_commits_come_back_whole<S: Store>(store: &S) {
    let mut commit = opens(order(1));
    let large = "ß".repeat(500_000);
    commit.records = (1..=200).map(|seq| record(seq, "x")).collect();
    commit.records.push(Record { ..record(201, &large) });
    commit.index.parties = (0..200).map(|number| format!("party-{number}").parse().unwrap()).collect();
    commit.entries =
        (0..200).map(|number| entry("world:sandbox", &format!("wallet:party-{number}"), 1)).collect::<Vec<Entry>>();
    saved(store, &commit).await;
    let mut unit = store.begin().await.unwrap();
    let log = unit.log(order(1)).await.unwrap().unwrap();
    assert_eq!(log.records.len(), 201);
    assert_eq!(serde_json::from_str::<String>(&log.records[200].body).unwrap(), large);
    assert_eq!(unit.entries(&account("world:sandbox"), 0, 999).await.unwrap().len(), 200);
    assert_eq!(unit.balance(&account("world:sandbox"), Currency::EUR).await.unwrap(), euro(-200));
    let all = store.begin();
    drop(unit);
    let rows = all.await.unwrap().find(&crate::store::Query::All, None, 9).await.unwrap().rows;
    assert_eq!(rows[0].parties.len(), 200);
}
