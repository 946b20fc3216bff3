//! Two units that are open at the same time.

use super::*;

#[test]
fn accounts_that_many_share_do_not_wait() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let fee = |number: u128| {
            let mut commit = opens(order(number));
            commit.entries = vec![entry("world:sandbox", "wallet:payer", 5), entry("world:sandbox", "wallet:shop", 1)];
            commit
        };
        // All of them have written and none has committed: nobody waits for anybody.
        let mut units = Vec::new();
        for number in 1..=8 {
            let mut unit = store.begin().await.unwrap();
            stored(&mut unit, &fee(number)).await;
            units.push(unit);
        }
        for unit in units {
            store.commit(unit).await.unwrap();
        }
        let mut unit = store.begin().await.unwrap();
        assert_eq!(unit.balance(&account("wallet:shop"), Currency::EUR).await.unwrap(), euro(8));
        assert_eq!(unit.balance(&account("world:sandbox"), Currency::EUR).await.unwrap(), euro(-48));
    });
}

#[test]
fn a_serialization_failure_is_a_lost_race() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await.serializable();
        let first = saved(&store, &opens(order(1))).await;
        let (mut one, mut two) = (store.begin().await.unwrap(), store.begin().await.unwrap());
        for unit in [&mut one, &mut two] {
            unit.log(order(1)).await.unwrap();
        }
        stored(&mut one, &goes_on(order(1), first, 2)).await;
        store.commit(one).await.unwrap();
        assert_eq!(two.append(&goes_on(order(1), first, 2)).await.unwrap(), Appended::Stale);
        let gone = two.log(order(1)).await.unwrap_err();
        assert!(!store.is_lost_race(&gone), "the transaction has ended: {gone:?}");

        // Each reads what the other writes: the second to commit has lost.
        let (mut one, mut two) = (store.begin().await.unwrap(), store.begin().await.unwrap());
        assert!(one.balance(&account("wallet:a"), Currency::EUR).await.unwrap().is_zero());
        assert!(two.balance(&account("wallet:b"), Currency::EUR).await.unwrap().is_zero());
        for (unit, number, name) in [(&mut one, 2, "wallet:b"), (&mut two, 3, "wallet:a")] {
            let mut commit = opens(order(number));
            commit.entries = vec![entry("world:sandbox", name, 1)];
            assert!(matches!(unit.append(&commit).await.unwrap(), Appended::Stored(_)));
        }
        store.commit(one).await.unwrap();
        let lost = store.commit(two).await.unwrap_err();
        assert!(store.is_lost_race(&lost), "{lost:?}");
        assert_eq!(store.begin().await.unwrap().log(order(3)).await.unwrap(), None);
    });
}

#[test]
fn one_request_at_two_connections_is_done_once() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let asked = |number| {
            let request = Some(Request::new("anna-1", "open").unwrap());
            Commit { request, ..opens(order(number)) }
        };
        let mut one = store.begin().await.unwrap();
        stored(&mut one, &asked(1)).await;
        let other = store.clone();
        let (first, second) = (asked(2), asked(3));
        let waiting = tokio::spawn(async move {
            let mut bare = other.pool().acquire().await.unwrap();
            bare.append_all(&[first]).await.unwrap()
        });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        store.commit(one).await.unwrap();
        let refused = AppendedAll::Refused { position: 0, why: Appended::Stale };
        assert_eq!(waiting.await.unwrap(), refused);
        let mut bare = store.pool().acquire().await.unwrap();
        assert_eq!(bare.append(&second).await.unwrap(), Appended::Stale);
    });
}

#[test]
fn subjects_that_two_open_at_once_are_opened_by_one() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        for in_transaction in [false, true] {
            let base = if in_transaction { 10 } else { 0 };
            let mut one = store.begin().await.unwrap();
            stored(&mut one, &opens(order(base + 2))).await;
            let other = store.clone();
            // Its second subject is being opened by somebody else, its first and third are not.
            let waiting = tokio::spawn(async move {
                let all = [1, 2, 3].map(|number| opens(order(base + number)));
                if in_transaction {
                    let mut unit = other.begin().await.unwrap();
                    let answer = unit.append_all(&all).await.unwrap();
                    // The unit is as usable as before.
                    stored(&mut unit, &opens(order(base + 4))).await;
                    other.commit(unit).await.unwrap();
                    answer
                } else {
                    other.pool().acquire().await.unwrap().append_all(&all).await.unwrap()
                }
            });
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            store.commit(one).await.unwrap();
            let answer = waiting.await.unwrap();
            assert!(matches!(answer, AppendedAll::Refused { why: Appended::Stale, .. }), "{answer:?}");
            let mut unit = store.begin().await.unwrap();
            for (number, there) in [(1, false), (2, true), (3, false), (4, in_transaction)] {
                assert_eq!(unit.log(order(base + number)).await.unwrap().is_some(), there, "{number}");
            }
        }
    });
}

#[test]
fn a_deadlock_is_a_lost_race_and_loses_nothing() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let mut revisions = Vec::new();
        for number in [1, 2] {
            revisions.push(saved(&store, &opens(order(number))).await);
        }
        let (first, second) = (goes_on(order(1), revisions[0], 2), goes_on(order(2), revisions[1], 2));
        let (mut one, mut two) = (store.begin().await.unwrap(), store.begin().await.unwrap());
        stored(&mut one, &first).await;
        stored(&mut two, &second).await;
        let (a, b) = futures_util::future::join(
            async {
                let answer = one.append(&second).await.unwrap();
                if answer == Appended::Stale {
                    one.rollback().await.unwrap()
                } else {
                    one.commit().await.unwrap()
                }
                answer
            },
            async {
                let answer = two.append(&first).await.unwrap();
                if answer == Appended::Stale {
                    two.rollback().await.unwrap()
                } else {
                    two.commit().await.unwrap()
                }
                answer
            },
        )
        .await;
        let stale = [&a, &b].iter().filter(|answer| ***answer == Appended::Stale).count();
        assert_eq!(stale, 1, "{a:?} {b:?}");
        let mut unit = store.begin().await.unwrap();
        for number in [1, 2] {
            assert_eq!(unit.log(order(number)).await.unwrap().unwrap().records.len(), 2);
        }
    });
}
