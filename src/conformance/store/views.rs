//! Queries over the index rows and the books.

use super::commits::*;
use crate::{
    id::Subject,
    ledger::{Account, Entry, Purpose},
    money::{Currency, Money},
    party::{Actor, PartyId},
    store::{
        Appended, CallStatus, Cursor, IndexEntry, IndexRow, Inventory, LifecycleName, Outbox, Query, Request, Store,
        UnitOfWork, Views,
    },
};

fn party(name: &str) -> PartyId {
    name.parse().unwrap()
}

fn open() -> Query {
    Query::status(LifecycleName::new("order").unwrap(), "OPEN")
}

/// All the rows, a page at a time.
async fn all<U: Views>(unit: &mut U, query: &Query, limit: usize) -> Vec<Subject> {
    let (mut seen, mut after): (Vec<Subject>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let page = unit.find(query, after.as_ref(), limit).await.unwrap();
        assert!(page.rows.len() <= limit && (page.next.is_none() || page.rows.len() == limit));
        seen.extend(page.rows.iter().map(|row| row.subject));
        after = page.next;
        if after.is_none() {
            return seen;
        }
    }
}

/// Each query finds the rows that answer it, with everything in them, and no others.
pub async fn each_query_finds_its_rows<S: Store>(store: &S) {
    let mut commit = opens(payin(1));
    commit.index = IndexRow {
        lifecycle: "payin",
        status: "PENDING",
        parties: [party("alice"), party("bob"), party("alice")].into(),
        about: Some(order(1)),
        deadline: Some(at(60)),
        held: euro(7),
    };
    commit.entries = vec![entry("world:sandbox", &format!("escrow:{}", payin(1)), 7)];
    let revision = saved(store, &commit).await;
    saved(store, &opens(order(1))).await;
    let expected = IndexEntry {
        subject: payin(1),
        lifecycle: "payin".into(),
        status: "PENDING".into(),
        parties: ["alice", "bob", "alice"].map(party).into(),
        about: Some(order(1)),
        deadline: Some(at(60)),
        held: euro(7),
        revision,
    };
    let mut unit = store.begin().await.unwrap();
    let found = [
        Query::status("payin".parse().unwrap(), "PENDING"),
        Query::Party(party("alice")),
        Query::Party(party("bob")),
        Query::About(order(1)),
        Query::DueBy(at(60)),
    ];
    for query in found {
        let page = unit.find(&query, None, 1).await.unwrap();
        assert_eq!((page.rows.as_slice(), page.next), (&[expected.clone()][..], None), "{query:?}");
    }
    let missed = [
        Query::status("payin".parse().unwrap(), "OPEN"),
        Query::status("loan".parse().unwrap(), "PENDING"),
        Query::Party(party("carol")),
        Query::About(order(2)),
        Query::DueBy(at(59)),
    ];
    for query in missed {
        assert!(unit.find(&query, None, 9).await.unwrap().rows.is_empty(), "{query:?}");
    }
}

/// Everything a store holds is listed, each once and page by page, whether or not the index knows of it.
pub async fn everything_is_listed_once<S: Store>(store: &S) {
    let (alice, bob) = (party("alice"), party("bob"));
    let mut commit = opens(payin(1));
    commit.index.parties = [bob.clone(), alice.clone()].into();
    commit.index.about = Some(order(2));
    commit.index.held = euro(5);
    commit.entries = vec![entry("world:sandbox", &format!("escrow:{}", payin(1)), 7)];
    commit.entries.push(entry(&format!("escrow:{}", payin(1)), "wallet:alice", 2));
    commit.calls = vec![charge(payin(1), at(0))];
    commit.request = Some(Request::new("second", "pay").unwrap());
    saved(store, &commit).await;
    let mut commit = opens(order(2));
    commit.index.parties = [alice.clone()].into();
    commit.request = Some(Request::new("first", "open").unwrap());
    saved(store, &commit).await;
    let mut unit = store.begin().await.unwrap();
    let (mut subjects, mut after) = (Vec::new(), None);
    while let Some(subject) = unit.subjects(after, 1).await.unwrap().pop() {
        subjects.push(subject);
        after = Some(subject);
    }
    assert_eq!(subjects, [order(2), payin(1)]);
    assert_eq!(unit.row(payin(1)).await.unwrap().map(|row| (row.subject, row.held)), Some((payin(1), euro(5))));
    assert_eq!(unit.row(payin(9)).await.unwrap(), None);
    let members = unit.members(None, 9).await.unwrap();
    assert_eq!(members, [(alice.clone(), order(2)), (alice.clone(), payin(1)), (bob, payin(1))]);
    assert_eq!(unit.members(Some((&alice, order(2))), 1).await.unwrap(), members[1..2]);
    assert_eq!(unit.members(Some((&alice, order(1))), 1).await.unwrap(), members[..1]);
    let (mut accounts, mut after) = (Vec::new(), None::<crate::ledger::Account>);
    while let Some(account) = unit.accounts(after.as_ref(), 1).await.unwrap().pop() {
        accounts.push(account.to_string());
        after = Some(account);
    }
    accounts.sort();
    assert_eq!(accounts, [format!("escrow:{}", payin(1)), "wallet:alice".into(), "world:sandbox".into()]);
    let of = unit.balances_of(&account("world:sandbox")).await.unwrap();
    assert_eq!(of.iter().map(|balance| balance.amount).collect::<Vec<_>>(), [euro(-7)]);
    assert_eq!(unit.balances_of(&account("wallet:bob")).await.unwrap(), []);
    let key = key(&charge(payin(1), at(0)));
    assert!(unit.call(&key).await.unwrap().is_some());
    assert_eq!(unit.lane(&key).await.unwrap(), Some(order(2)));
    assert_eq!(unit.lane(&super::commits::key(&charge(payin(9), at(0)))).await.unwrap(), None);
    let requests = unit.requests(None, 9).await.unwrap();
    let told: Vec<_> = requests.iter().map(|(key, answered)| (key.as_str(), answered.subject, answered.seq)).collect();
    assert_eq!(told, [("first", order(2), 1), ("second", payin(1), 1)]);
    assert_eq!(unit.requests(Some(&requests[0].0), 9).await.unwrap(), requests[1..]);
}

/// Pages of any size show every row once, in order, and say whether more follow.
pub async fn pages_end_where_the_next_begins<S: Store>(store: &S) {
    let mut unit = store.begin().await.unwrap();
    for number in [3, 1, 5, 2, 4] {
        let mut commit = opens(order(number));
        commit.index.parties = [party("alice")].into();
        commit.index.about = Some(order(9));
        commit.index.deadline = Some(at(1));
        stored(&mut unit, &commit).await;
    }
    let expected = [1, 2, 3, 4, 5].map(order);
    for query in [Query::All, open(), Query::Party(party("alice")), Query::About(order(9)), Query::DueBy(at(1))] {
        for limit in [1, 2, 4, 5, 6, usize::MAX] {
            assert_eq!(all(&mut unit, &query, limit).await, expected, "{query:?} by {limit}");
        }
    }
}

/// While rows change between pages, one that stays is seen exactly once and none is seen twice.
pub async fn rows_that_change_between_pages_are_seen_once<S: Store>(store: &S) {
    let mut revisions = Vec::new();
    for number in 1..=4 {
        revisions.push(saved(store, &opens(order(number))).await);
    }
    let mut unit = store.begin().await.unwrap();
    let page = unit.find(&open(), None, 2).await.unwrap();
    // One that was seen leaves and one that was not leaves too; one that was seen changes and stays.
    for (number, status) in [(1, "OPEN"), (2, "DONE"), (3, "DONE")] {
        let mut commit = goes_on(order(number), revisions[number as usize - 1], 2);
        commit.index.status = status;
        stored(&mut unit, &commit).await;
    }
    let rest = unit.find(&open(), page.next.as_ref(), 2).await.unwrap();
    assert_eq!(rest.rows.iter().map(|row| row.subject).collect::<Vec<_>>(), [order(4)]);
    assert_eq!(rest.next, None);
    let done = Query::status("order".parse().unwrap(), "DONE");
    assert_eq!(all(&mut unit, &done, 1).await, [order(2), order(3)]);
}

/// Deadlines come the earliest first, and by id where they are the same.
pub async fn deadlines_come_in_order<S: Store>(store: &S) {
    let mut revisions = Vec::new();
    for (number, deadline) in [(1, Some(30)), (2, Some(10)), (3, None), (4, Some(20)), (5, Some(10))] {
        let mut commit = opens(order(number));
        commit.index.deadline = deadline.map(at);
        revisions.push(saved(store, &commit).await);
    }
    let mut unit = store.begin().await.unwrap();
    for limit in 1..4 {
        assert_eq!(all(&mut unit, &Query::DueBy(at(20)), limit).await, [2, 5, 4].map(order));
    }
    let page = unit.find(&Query::DueBy(at(99)), None, 2).await.unwrap();
    assert_eq!(page.next, Some(Cursor { deadline: Some(at(10)), subject: order(5) }));
    // A deadline that was met goes away, another one comes nearer.
    stored(&mut unit, &goes_on(order(2), revisions[1], 2)).await;
    let mut nearer = goes_on(order(1), revisions[0], 2);
    nearer.index.deadline = Some(at(15));
    stored(&mut unit, &nearer).await;
    let rest = unit.find(&Query::DueBy(at(99)), page.next.as_ref(), 9).await.unwrap();
    assert_eq!(rest.rows.iter().map(|row| row.subject).collect::<Vec<_>>(), [order(1), order(4)]);
    assert_eq!(all(&mut unit, &Query::DueBy(at(99)), 9).await, [5, 1, 4].map(order));
}

/// A subject is found by the parties it concerns now, and not by those it concerned before.
pub async fn parties_come_and_go<S: Store>(store: &S) {
    let mut commit = opens(order(1));
    commit.index.parties = [party("alice")].into();
    let first = saved(store, &commit).await;
    let mut commit = goes_on(order(1), first, 2);
    commit.parties_before = Some([party("alice")].into());
    commit.index.parties = [party("bob"), party("carol")].into();
    let mut unit = store.begin().await.unwrap();
    let second = stored(&mut unit, &commit).await;
    for (name, found) in [("alice", 0), ("bob", 1), ("carol", 1)] {
        assert_eq!(all(&mut unit, &Query::Party(party(name)), 9).await.len(), found, "{name}");
    }
    let mut stale = goes_on(order(1), first, 3);
    stale.index.parties = [party("dave")].into();
    assert_eq!(unit.append(&stale).await.unwrap(), Appended::Stale);
    assert!(all(&mut unit, &Query::Party(party("dave")), 9).await.is_empty());
    let row = &unit.find(&Query::Party(party("bob")), None, 1).await.unwrap().rows[0];
    assert_eq!(row.revision, second);
    drop(unit);
    let mut unit = store.begin().await.unwrap();
    for (name, found) in [("alice", 1), ("bob", 0), ("carol", 0)] {
        assert_eq!(all(&mut unit, &Query::Party(party(name)), 9).await.len(), found, "{name}");
    }
}

/// Balances are listed in order of account and currency, zeros included, and add up to zero.
pub async fn balances_are_listed_in_order<S: Store>(store: &S) {
    let mut commit = opens(order(1));
    let escrow = format!("escrow:{}", order(1));
    let yen = Money::from_minor(3, Currency::JPY);
    commit.entries = vec![
        entry("world:sandbox", "wallet:bob", 5),
        Entry::new(account("world:sandbox"), account("wallet:bob"), yen, Purpose::TopUp).unwrap(),
        entry("world:sandbox", "wallet:alice", 5),
        entry("wallet:alice", &escrow, 5),
    ];
    commit.index.held = euro(5);
    saved(store, &commit).await;
    let mut unit = store.begin().await.unwrap();
    let expected = [
        (escrow.as_str(), euro(5)),
        ("wallet:alice", euro(0)),
        ("wallet:bob", euro(5)),
        ("wallet:bob", yen),
        ("world:sandbox", euro(-10)),
        ("world:sandbox", Money::from_minor(-3, Currency::JPY)),
    ];
    let expected = expected.map(|(name, amount)| crate::ledger::Balance { account: account(name), amount });
    assert_eq!(unit.balances(None, 99).await.unwrap(), expected);
    let mut seen: Vec<crate::ledger::Balance> = Vec::new();
    loop {
        let after = seen.last().map(|last| (&last.account, last.amount.currency()));
        let page = unit.balances(after, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, expected);
    assert!(crate::ledger::trial_balance(&seen).unwrap().iter().all(|sum| sum.is_zero()));
}

/// Entries are listed by account and altogether, in order of their numbers, page by page.
pub async fn entries_are_listed_by_account<S: Store>(store: &S) {
    let mut commit = opens(order(1));
    commit.records.push(record(2, "paid"));
    commit.entries = vec![
        entry("world:sandbox", "wallet:alice", 5),
        entry("world:sandbox", "wallet:bob", 6),
        entry("wallet:alice", "wallet:bob", 1),
    ];
    saved(store, &commit).await;
    let mut unit = store.begin().await.unwrap();
    let on_alice = unit.entries(&account("wallet:alice"), 0, 9).await.unwrap();
    assert_eq!(on_alice.iter().map(|booked| booked.amount).collect::<Vec<_>>(), [euro(5), euro(1)]);
    assert!(on_alice[0].number < on_alice[1].number);
    let last = &on_alice[1];
    assert_eq!((last.subject, last.seq, last.at, last.purpose), (order(1), 2, at(2), Purpose::Payin));
    assert_eq!((&last.from, &last.to), (&account("wallet:alice"), &account("wallet:bob")));
    let rest = unit.entries(&account("wallet:alice"), on_alice[0].number, 9).await.unwrap();
    assert_eq!(rest, on_alice[1..]);
    assert_eq!(unit.entries(&account("wallet:bob"), i64::MIN, 1).await.unwrap().len(), 1);
    assert!(unit.entries(&account("wallet:carol"), 0, 9).await.unwrap().is_empty());
    assert!(unit.entries(&account("wallet:bob"), i64::MAX, 9).await.unwrap().is_empty());
    let all = unit.books(0, 9).await.unwrap();
    assert_eq!(all.iter().map(|booked| booked.amount.minor()).collect::<Vec<_>>(), [5, 6, 1]);
    assert!(all.windows(2).all(|pair| pair[0].number < pair[1].number));
    assert_eq!(unit.books(all[0].number, 1).await.unwrap(), all[1..2]);
    assert_eq!(unit.books(i64::MIN, 2).await.unwrap(), all[..2]);
    assert!(unit.books(all[2].number, 9).await.unwrap().is_empty());
}

/// Names and data that look like SQL, patterns or nothing printable come back as they went in; what nobody can be named finds
/// nothing.
pub async fn hostile_text_comes_back_unharmed<S: Store>(store: &S) {
    let longest = "ß".repeat(100);
    let names = ["'; DROP TABLE escrowed_events; --", "\"alice\"", "%_*?[", "\u{202e}ecila", "🦀\t\n", &longest];
    let mut unit = store.begin().await.unwrap();
    for (number, name) in (1..).zip(names) {
        let mut commit = opens(order(number));
        let wallet = Account::Wallet(party(name));
        commit.records[0] = record(1, name);
        commit.records[0].stamp.by = Actor::Party(party(name));
        commit.index.parties = [party(name)].into();
        commit.entries = vec![Entry::new(account("world:'"), wallet.clone(), euro(5), Purpose::TopUp).unwrap()];
        stored(&mut unit, &commit).await;
        assert_eq!(all(&mut unit, &Query::Party(party(name)), 9).await, [order(number)]);
        assert_eq!(unit.balance(&wallet, Currency::EUR).await.unwrap(), euro(5));
        let log = unit.log(order(number)).await.unwrap().unwrap();
        assert_eq!(serde_json::from_str::<String>(&log.records[0].body).unwrap(), name);
        assert_eq!(log.records[0].stamp.by, Actor::Party(party(name)));
    }
    assert!(unit.find(&Query::status("order".parse().unwrap(), "' OR 1=1 --"), None, 9).await.unwrap().rows.is_empty());
    // No name has a NUL in it, so nothing is found by one, and the unit goes on.
    assert_eq!(all(&mut unit, &Query::status("order".parse().unwrap(), "OPEN\0"), 9).await, []);
    let after = format!("{}\0", key(&charge(payin(1), at(0))));
    assert_eq!(unit.calls(CallStatus::Queued, Some(&after), 9).await.unwrap(), []);
    assert_eq!(unit.balances(None, 99).await.unwrap().len(), names.len() + 1);
    assert_eq!(all(&mut unit, &Query::Party(party("%")), 9).await, []);
}
