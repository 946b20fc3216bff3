//! All of a commit, or nothing of it.

use super::commits::*;
use crate::{
    ledger::{Entry, Purpose},
    money::{Currency, Money},
    party::Stamp,
    store::{
        Answered, Appended, AppendedAll, Commit, Digest, IndexRow, Query, Record, Request, RequestKey, Revision, Store,
        UnitOfWork, Views,
    },
};
use smallvec::smallvec;

/// Append, then log: every event comes back as it was written, in order, under the last revision.
pub async fn a_log_is_read_as_it_was_written<S: Store>(store: &S) {
    let first = saved(store, &opens(order(1))).await;
    let mut second = goes_on(order(1), first, 2);
    second.records.push(Record { version: 7, stamp: Stamp::clock(at(9)), ..record(3, "more") });
    let revision = saved(store, &second).await;
    assert_ne!(first, revision);

    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.log(order(2)).await.unwrap(), None);
    let log = unit.log(order(1)).await.unwrap().unwrap();
    assert_eq!((log.subject, log.revision), (order(1), revision));
    assert_eq!(log.records.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 2, 3]);
    let last = &log.records[2];
    assert_eq!((last.name.as_str(), last.version, last.body.as_str()), ("noted", 7, r#""more""#));
    assert_eq!(last.stamp, Stamp::clock(at(9)));
}

/// A subject that exists already, or one that does not exist yet, makes a commit stale.
pub async fn a_subject_is_created_once<S: Store>(store: &S) {
    saved(store, &opens(order(1))).await;
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.append(&opens(order(1))).await.unwrap(), Appended::Stale);
    assert_eq!(unit.append(&goes_on(order(2), Revision::new(1), 2)).await.unwrap(), Appended::Stale);
    assert_eq!(unit.log(order(1)).await.unwrap().unwrap().records.len(), 1);
    assert_eq!(unit.log(order(2)).await.unwrap(), None);
}

/// A commit on an old revision answers `Stale` and leaves nothing behind, however much it carries.
pub async fn a_stale_revision_writes_nothing<S: Store>(store: &S) {
    let first = saved(store, &opens(order(1))).await;
    let second = saved(store, &goes_on(order(1), first, 2)).await;
    let mut unit = store.begin().await.unwrap();
    let mut late = goes_on(order(1), first, 3);
    late.entries = vec![entry("world:sandbox", "wallet:alice", 5)];
    late.calls = vec![charge(payin(1), at(0))];
    late.index.parties = ["alice".parse().unwrap()].into();
    assert_eq!(unit.append(&late).await.unwrap(), Appended::Stale);
    store.commit(unit).await.unwrap();
    assert_nothing_of(store, &late).await;
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.log(order(1)).await.unwrap().unwrap().revision, second);
}

/// A commit whose events do not go on where the log ends is stale.
pub async fn a_wrong_number_is_stale<S: Store>(store: &S) {
    let mut second = opens(order(1));
    second.records[0].seq = 2;
    let first = saved(store, &opens(order(2))).await;
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.append(&second).await.unwrap(), Appended::Stale);
    for seq in [0, 1, 3] {
        assert_eq!(unit.append(&goes_on(order(2), first, seq)).await.unwrap(), Appended::Stale);
    }
    stored(&mut unit, &goes_on(order(2), first, 2)).await;
}

/// A unit that is dropped leaves no event, row, party, entry, balance or call.
pub async fn a_rollback_leaves_nothing_anywhere<S: Store>(store: &S) {
    let full = || Commit {
        entries: vec![entry("world:sandbox", "wallet:alice", 5)],
        calls: vec![charge(payin(1), at(0))],
        index: IndexRow { parties: ["alice".parse().unwrap()].into(), ..opens(order(1)).index },
        ..opens(order(1))
    };
    let mut unit = store.begin().await.unwrap();
    stored(&mut unit, &full()).await;
    drop(unit);
    assert_nothing_of(store, &full()).await;
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.log(order(1)).await.unwrap(), None);
    drop(unit);

    let first = saved(store, &opens(order(1))).await;
    let mut unit = store.begin().await.unwrap();
    stored(&mut unit, &Commit { expected: Some(first), records: smallvec![record(2, "x")], ..full() }).await;
    drop(unit);
    assert_nothing_of(store, &full()).await;
    let mut unit = store.begin().await.unwrap();
    let log = unit.log(order(1)).await.unwrap().unwrap();
    assert_eq!((log.revision, log.records.len()), (first, 1));
}

/// That a commit's parties, entries and calls are nowhere to be seen.
pub(super) async fn assert_nothing_of<S: Store>(store: &S, commit: &Commit) {
    use crate::store::Outbox;
    let mut unit = store.begin().await.unwrap();
    for party in commit.index.parties.iter() {
        assert!(unit.find(&Query::Party(party.clone()), None, 9).await.unwrap().rows.is_empty());
    }
    for entry in &commit.entries {
        for account in [entry.from(), entry.to()] {
            assert!(unit.balance(account, Currency::EUR).await.unwrap().is_zero());
            assert!(unit.entries(account, 0, 9).await.unwrap().is_empty());
        }
    }
    for call in &commit.calls {
        assert_eq!(unit.call(&key(call)).await.unwrap(), None);
    }
    assert!(unit.balances(None, 9).await.unwrap().is_empty());
}

/// A revision out of a unit that was rolled back never comes again: what is built on it is stale.
pub async fn a_rolled_back_revision_is_stale_afterwards<S: Store>(store: &S) {
    let first = saved(store, &opens(order(1))).await;
    let mut unit = store.begin().await.unwrap();
    let lost = stored(&mut unit, &goes_on(order(1), first, 2)).await;
    drop(unit);
    let mut unit = store.begin().await.unwrap();
    let again = stored(&mut unit, &goes_on(order(1), first, 2)).await;
    assert_ne!(lost, again);
    assert_eq!(unit.append(&goes_on(order(1), lost, 3)).await.unwrap(), Appended::Stale);
    stored(&mut unit, &goes_on(order(1), again, 3)).await;
}

/// Two appends in one unit: the second sees the first, and both are committed together.
pub async fn a_unit_reads_its_own_writes<S: Store>(store: &S) {
    let mut unit = store.begin().await.unwrap();
    let mut commit = opens(order(1));
    commit.entries = vec![entry("world:sandbox", "wallet:alice", 5)];
    let first = stored(&mut unit, &commit).await;
    let second = stored(&mut unit, &goes_on(order(1), first, 2)).await;
    assert_eq!(unit.log(order(1)).await.unwrap().unwrap().revision, second);
    assert_eq!(unit.balance(&account("wallet:alice"), Currency::EUR).await.unwrap(), euro(5));
    store.commit(unit).await.unwrap();
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.log(order(1)).await.unwrap().unwrap().records.len(), 2);
}

/// A guarded account never goes below zero; the account that would is named. To zero it may go.
pub async fn an_overdraft_is_refused_and_named<S: Store>(store: &S) {
    let mut fund = opens(order(1));
    fund.entries = vec![entry("world:sandbox", "wallet:alice", 5)];
    saved(store, &fund).await;
    let mut unit = store.begin().await.unwrap();
    for (from, minor) in [("wallet:alice", 6), ("wallet:nobody", 1)] {
        let mut spend = opens(order(2));
        spend.entries = vec![entry("world:sandbox", "wallet:bob", 1), entry(from, "wallet:bob", minor)];
        spend.calls = vec![charge(payin(1), at(0))];
        let refused = Appended::Overdrawn { account: account(from) };
        assert_eq!(unit.append(&spend).await.unwrap(), refused);
    }
    assert_eq!(unit.log(order(2)).await.unwrap(), None);
    assert!(unit.balance(&account("wallet:bob"), Currency::EUR).await.unwrap().is_zero());
    assert!(unit.entries(&account("wallet:bob"), 0, 9).await.unwrap().is_empty());
    assert_eq!(unit.balance(&account("world:sandbox"), Currency::EUR).await.unwrap(), euro(-5));
    // Another currency of the same account is another balance.
    let mut other = opens(order(2));
    let pound = Money::from_minor(5, Currency::GBP);
    other.entries = vec![Entry::new(account("wallet:alice"), account("wallet:bob"), pound, Purpose::Fee).unwrap()];
    let refused = Appended::Overdrawn { account: account("wallet:alice") };
    assert_eq!(unit.append(&other).await.unwrap(), refused);
    // To the last unit it may be spent.
    let mut all = opens(order(2));
    all.entries = vec![entry("wallet:alice", "wallet:bob", 5)];
    stored(&mut unit, &all).await;
}

/// Entries of a commit are booked one after another: money has to come before it goes.
pub async fn entries_count_in_their_order<S: Store>(store: &S) {
    let mut unit = store.begin().await.unwrap();
    let mut early = opens(order(1));
    early.entries = vec![entry("wallet:alice", "wallet:bob", 5), entry("world:sandbox", "wallet:alice", 5)];
    let refused = Appended::Overdrawn { account: account("wallet:alice") };
    assert_eq!(unit.append(&early).await.unwrap(), refused);
    early.entries.reverse();
    stored(&mut unit, &early).await;
    assert!(unit.balance(&account("wallet:alice"), Currency::EUR).await.unwrap().is_zero());
    let mut split = opens(order(2));
    split.entries = vec![entry("wallet:bob", "wallet:alice", 4), entry("wallet:bob", "wallet:carol", 1)];
    stored(&mut unit, &split).await;
    let balances = unit.balances(None, 9).await.unwrap();
    assert_eq!(balances.iter().map(|balance| balance.amount.minor()).collect::<Vec<_>>(), [4, 0, 1, -5]);
}

/// What a party owes is below zero. Nobody pays off more of it than there is, in one commit or in several.
pub async fn nobody_pays_off_more_than_is_owed<S: Store>(store: &S) {
    let mut unit = store.begin().await.unwrap();
    let mut owe = opens(order(1));
    owe.entries = vec![entry("debt:alice", "world:sandbox", 5), entry("debt:alice", "wallet:alice", 3)];
    stored(&mut unit, &owe).await;
    assert_eq!(unit.balance(&account("debt:alice"), Currency::EUR).await.unwrap(), euro(-8));
    let refused = |party: &str| Appended::Overdrawn { account: account(party) };
    for (from, to, minor) in [("world:sandbox", "debt:alice", 9), ("world:sandbox", "debt:nobody", 1)] {
        let mut too_much = opens(order(2));
        too_much.entries = vec![entry(from, to, minor)];
        assert_eq!(unit.append(&too_much).await.unwrap(), refused(to));
    }
    // What is owed again in the same commit does not make up for what was too much before.
    let mut early = opens(order(2));
    early.entries = vec![entry("world:sandbox", "debt:alice", 9), entry("debt:alice", "world:sandbox", 9)];
    assert_eq!(unit.append(&early).await.unwrap(), refused("debt:alice"));
    assert_eq!(unit.balance(&account("debt:alice"), Currency::EUR).await.unwrap(), euro(-8));
    // To the last unit it may be paid off.
    let mut some = opens(order(2));
    some.entries = vec![entry("wallet:alice", "debt:alice", 3)];
    let mut rest = opens(order(3));
    rest.entries = vec![entry("world:sandbox", "debt:alice", 4), entry("world:sandbox", "debt:alice", 1)];
    stored(&mut unit, &some).await;
    stored(&mut unit, &rest).await;
    assert!(unit.balance(&account("debt:alice"), Currency::EUR).await.unwrap().is_zero());
}

/// A gateway's account may go below zero, and no other.
pub async fn only_the_world_goes_below_zero<S: Store>(store: &S) {
    let mut unit = store.begin().await.unwrap();
    let mut commit = opens(order(1));
    commit.entries = vec![entry("world:a", "world:b", 5), entry("world:b", "wallet:alice", 9)];
    stored(&mut unit, &commit).await;
    assert_eq!(unit.balance(&account("world:b"), Currency::EUR).await.unwrap(), euro(-4));
    let mut taken = opens(order(2));
    taken.entries = vec![entry("wallet:bob", "world:a", 1)];
    assert_eq!(unit.append(&taken).await.unwrap(), Appended::Overdrawn { account: account("wallet:bob") });
}

/// What an escrow account holds and what its subject's log says change together, or nothing is written.
pub async fn an_account_holds_what_its_log_says<S: Store>(store: &S) {
    let mut unit = store.begin().await.unwrap();
    let (first, second) = (format!("escrow:{}", order(1)), format!("escrow:{}", order(2)));
    let holding = |subject, before, held, entries: &[_]| {
        let mut commit = opens(subject);
        (commit.held_before, commit.index.held, commit.entries) = (euro(before), euro(held), entries.to_vec());
        commit
    };
    let unbooked = |subject| Appended::Unbooked { subject };
    // Counted without an entry; an entry that nobody counts; a wrong count.
    let wrong = [
        holding(order(1), 0, 5, &[]),
        holding(order(1), 0, 0, &[entry("world:a", &first, 5)]),
        holding(order(1), 0, 4, &[entry("world:a", &first, 5)]),
    ];
    for commit in wrong {
        assert_eq!(unit.append(&commit).await.unwrap(), unbooked(order(1)));
    }
    let mut right = holding(order(1), 0, 5, &[entry("world:a", &first, 5)]);
    let revision = stored(&mut unit, &right).await;
    // What one gives, another has to count in the same breath.
    right = holding(order(1), 5, 2, &[entry(&first, &second, 3)]);
    (right.expected, right.records) = (Some(revision), smallvec![record(2, "gave")]);
    assert_eq!(unit.append(&right).await.unwrap(), unbooked(order(2)));
    let both = [right, holding(order(2), 0, 3, &[])];
    assert!(matches!(unit.append_all(&both).await.unwrap(), AppendedAll::Stored(_)));
    assert_eq!(unit.balance(&account(&second), Currency::EUR).await.unwrap(), euro(3));
}

/// No balance leaves 64 bits: an entry that does not fit is an error that says so, and nothing of its commit is written.
pub async fn a_balance_stays_within_64_bits<S: Store>(store: &S) {
    let mut booked = 0;
    for number in 1..=4 {
        let mut commit = opens(order(number));
        commit.entries = vec![entry("world:a", "wallet:alice", i64::MAX)];
        let mut unit = store.begin().await.unwrap();
        match unit.append(&commit).await {
            Ok(answer) => {
                assert!(matches!(answer, Appended::Stored(_)), "{answer:?}");
                store.commit(unit).await.unwrap();
                booked += 1;
            }
            Err(error) => {
                assert!(error.to_string().contains("64 bits"), "{error}");
                // After an error a unit need not be of any more use.
                drop(unit);
                assert_eq!(store.begin().await.unwrap().log(order(number)).await.unwrap(), None);
            }
        }
    }
    assert!(booked <= 1);
    let mut unit = store.begin().await.unwrap();
    let held = euro(booked * i64::MAX);
    assert_eq!(unit.balance(&account("wallet:alice"), Currency::EUR).await.unwrap(), held);
    assert_eq!(unit.balance(&account("world:a"), Currency::EUR).await.unwrap(), euro(-held.minor()));
    // Two that fit overflow together before they are added to the balance.
    let mut both = opens(order(9));
    both.entries = vec![entry("world:b", "wallet:bob", i64::MAX), entry("world:b", "wallet:bob", 1)];
    let error = unit.append(&both).await.unwrap_err().to_string();
    assert!(error.contains("64 bits"), "{error}");
}

/// Of a store that keeps a balance in one place: it may be any number of 64 bits.
#[cfg(test)]
pub(crate) async fn a_balance_uses_all_64_bits<S: Store>(store: &S) {
    let mut unit = store.begin().await.unwrap();
    let mut most = opens(order(1));
    most.entries = vec![entry("world:a", "wallet:alice", i64::MAX)];
    stored(&mut unit, &most).await;
    store.commit(unit).await.unwrap();
    let mut unit = store.begin().await.unwrap();
    for (from, to, minor) in [("world:b", "wallet:alice", 1), ("world:a", "wallet:bob", 2)] {
        let mut more = opens(order(2));
        more.entries = vec![entry(from, to, minor)];
        let error = unit.append(&more).await.unwrap_err().to_string();
        assert!(error.contains("64 bits"), "{error}");
        // After an error a unit need not be of any more use.
        drop(unit);
        unit = store.begin().await.unwrap();
        // Together they overflow before they are added to the balance.
        more.entries.insert(0, entry(from, to, i64::MAX));
        unit.append(&more).await.unwrap_err();
        drop(unit);
        unit = store.begin().await.unwrap();
    }
    assert_eq!(unit.log(order(2)).await.unwrap(), None);
    assert_eq!(unit.balance(&account("wallet:alice"), Currency::EUR).await.unwrap(), euro(i64::MAX));
    assert_eq!(unit.balance(&account("world:a"), Currency::EUR).await.unwrap(), euro(-i64::MAX));
    // The lowest number of 64 bits is a balance like any other.
    let mut lowest = opens(order(2));
    lowest.entries = vec![entry("world:a", "wallet:bob", 1)];
    stored(&mut unit, &lowest).await;
    assert_eq!(unit.balance(&account("world:a"), Currency::EUR).await.unwrap(), euro(i64::MIN));
}

/// What was done under a request key is found by it, and no second commit is written under the same key. That it was done is
/// told before anything else that stands against the second one: whoever asks again gets the first answer.
pub async fn a_request_is_answered_once<S: Store>(store: &S) {
    let request = |key, content| Some(Request::new(key, content).unwrap());
    let key = |text: &str| -> RequestKey { text.parse().unwrap() };
    let asked = Commit { request: request("anna-1", "accept"), ..opens(order(1)) };
    let mut unit = store.begin().await.unwrap();
    stored(&mut unit, &asked).await;
    drop(unit);
    let mut unit = store.begin().await.unwrap();
    assert_eq!(unit.answered(&key("anna-1")).await.unwrap(), None);
    let revision = stored(&mut unit, &asked).await;
    store.commit(unit).await.unwrap();

    let mut unit = store.begin().await.unwrap();
    let expected = Answered { digest: Digest::of("accept"), subject: order(1), seq: 1 };
    assert_eq!(unit.answered(&key("anna-1")).await.unwrap(), Some(expected));
    // A second one under the same key is never written, whatever it is about.
    for content in ["accept", "cancel"] {
        let again = Commit { request: request("anna-1", content), ..goes_on(order(1), revision, 2) };
        assert_eq!(unit.append(&again).await.unwrap(), Appended::Stale);
        let other = Commit { request: request("anna-1", content), ..opens(order(2)) };
        assert_eq!(unit.append(&other).await.unwrap(), Appended::Stale);
        let both = [Commit { request: request("anna-2", "x"), ..opens(order(3)) }, other];
        assert_eq!(unit.append_all(&both).await.unwrap(), AppendedAll::Refused { position: 1, why: Appended::Stale });
        let entries = vec![entry("wallet:nobody", "world:a", 1)];
        let poor = Commit { entries, request: request("anna-1", content), ..opens(order(4)) };
        assert_eq!(unit.append(&poor).await.unwrap(), Appended::Stale);
    }
    assert_eq!(unit.answered(&key("anna-2")).await.unwrap(), None);
    let next = Commit { request: request("anna-2", "x"), ..goes_on(order(1), revision, 2) };
    stored(&mut unit, &next).await;
    assert_eq!(unit.answered(&key("anna-2")).await.unwrap().unwrap().seq, 2);
}

/// After a refusal a unit goes on as if nothing had been asked, and what was written before stays.
pub async fn a_refusal_leaves_the_unit_usable<S: Store>(store: &S) {
    let mut unit = store.begin().await.unwrap();
    stored(&mut unit, &opens(order(1))).await;
    assert_eq!(unit.append(&opens(order(1))).await.unwrap(), Appended::Stale);
    let mut twice = opens(order(2));
    twice.calls = vec![charge(payin(1), at(0)), charge(payin(1), at(0))];
    unit.append(&twice).await.unwrap_err();
    stored(&mut unit, &opens(order(2))).await;
    store.commit(unit).await.unwrap();
    let mut unit = store.begin().await.unwrap();
    for number in [1, 2] {
        assert!(unit.log(order(number)).await.unwrap().is_some());
    }
}
