//! Two units that are open at the same time.

use super::*;
use crate::{
    escrow::Escrow,
    order::Terms,
    party::Actor,
    sandbox::Sandbox,
    store::{DueLease, Revision},
};
use futures_util::future::join;

/// Returns once somebody waits for what this unit has locked: the number of one of them in the server.
pub(crate) async fn somebody_waits_for(unit: &mut PostgresUnit) -> i32 {
    const WAITING: &str =
        "SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))";
    for _ in 0..100_000 {
        let waiting: Option<i32> = sqlx::query_scalar(WAITING).fetch_optional(&mut **unit).await.unwrap();
        if let Some(waiting) = waiting {
            return waiting;
        }
    }
    panic!("nobody ever waited");
}

/// What becomes of a write that waits, if this is done to it in the server.
async fn told_while_it_waits(store: &Postgres, tell: &'static str) -> Unacknowledged<PostgresError> {
    let first = saved(store, &opens(order(1))).await;
    let mut other = store.begin().await.unwrap();
    stored(&mut other, &goes_on(order(1), first, 2)).await;
    let waits = goes_on(order(1), first, 2);
    let (told, ()) = join(store.append_durably(std::slice::from_ref(&waits)), async {
        let waiting = somebody_waits_for(&mut other).await;
        sqlx::query(tell).bind(waiting).execute(&mut *other).await.unwrap();
    })
    .await;
    told.unwrap_err()
}

#[test]
fn what_the_server_takes_back_is_not_written_and_what_is_cut_off_is_in_doubt() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let cancelled = told_while_it_waits(&store, "SELECT pg_cancel_backend($1)").await;
        assert!(matches!(cancelled, Unacknowledged::Unwritten(PostgresError::Database(_))), "{cancelled:?}");
    });
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let cut_off = told_while_it_waits(&store, "SELECT pg_terminate_backend($1)").await;
        assert!(matches!(cut_off, Unacknowledged::Unknown(PostgresError::InDoubt(_))), "{cut_off:?}");
        // The pool finds out, and goes on with another connection.
        assert!(store.append_durably(&[opens(order(2))]).await.is_ok());
        store.pool().close().await;
        let closed = store.append_durably(&[opens(order(3))]).await.unwrap_err();
        assert!(matches!(closed, Unacknowledged::NotBegun(PostgresError::Database(_))), "{closed:?}");
    });
}

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
        let lost = two.append(&goes_on(order(1), first, 2)).await.unwrap_err();
        assert!(matches!(lost, PostgresError::LostRace(_)) && store.is_lost_race(&lost), "{lost:?}");
        let gone = two.log(order(1)).await.unwrap_err();
        assert!(matches!(gone, PostgresError::GivenUp(_)) && !store.is_lost_race(&gone), "{gone:?}");

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
        somebody_waits_for(&mut one).await;
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
            somebody_waits_for(&mut one).await;
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
        // Whoever has lost is told so, and cannot commit what it had written before. The other one goes on.
        let go_on = |mut unit: PostgresUnit, commit| {
            let store = &store;
            async move {
                match unit.append(commit).await {
                    Ok(answer) => {
                        assert!(matches!(answer, Appended::Stored(_)), "{answer:?}");
                        store.commit(unit).await.unwrap();
                        true
                    }
                    Err(lost) => {
                        assert!(matches!(lost, PostgresError::LostRace(_)) && lost.is_lost_race(), "{lost:?}");
                        let lost = store.commit(unit).await.unwrap_err();
                        assert!(matches!(lost, PostgresError::GivenUp(_)), "{lost:?}");
                        false
                    }
                }
            }
        };
        let (a, b) = join(go_on(one, &second), go_on(two, &first)).await;
        assert!(a != b, "one of them goes on");
        let mut unit = store.begin().await.unwrap();
        for number in [1, 2] {
            assert_eq!(unit.log(order(number)).await.unwrap().unwrap().records.len(), 2);
        }
    });
}

#[test]
fn a_request_that_somebody_else_does_first_gives_the_transaction_up() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let mut one = store.begin().await.unwrap();
        stored(&mut one, &full()).await;
        let mut two = store.begin().await.unwrap();
        stored(&mut two, &opens(order(2))).await;
        // It was not there yet when this one looked.
        let same = Commit { request: full().request, ..opens(order(3)) };
        let (lost, ()) = join(two.append(&same), async {
            somebody_waits_for(&mut one).await;
            store.commit(one).await.unwrap();
        })
        .await;
        let lost = lost.unwrap_err();
        assert!(matches!(lost, PostgresError::LostRace(_)) && store.is_lost_race(&lost), "{lost:?}");
        let lost = store.commit(two).await.unwrap_err();
        assert!(matches!(lost, PostgresError::GivenUp(_)), "{lost:?}");
        let mut unit = store.begin().await.unwrap();
        assert_eq!(unit.log(order(2)).await.unwrap(), None);
        // By now there is nothing to wait for, so it is data, and the unit goes on.
        stored(&mut unit, &opens(order(2))).await;
        assert_eq!(unit.append(&same).await.unwrap(), Appended::Stale);
        store.commit(unit).await.unwrap();
        assert!(store.begin().await.unwrap().log(order(2)).await.unwrap().is_some());
    });
}

#[test]
fn an_act_that_loses_its_transaction_is_stale_and_answered_in_a_fresh_unit() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let escrow = Escrow::new(store.clone(), Sandbox::new(1));
        let open = async |unit: &mut PostgresUnit| {
            let (name, price) = ("A bicycle".parse().unwrap(), "120.00 EUR".parse().unwrap());
            let [seller, shop] = ["sam", "shop"].map(|name| name.parse().unwrap());
            let terms = Terms::new(name, price, seller, shop, "sandbox".parse().unwrap());
            let ops = Actor::platform("ops".parse().unwrap()).under("ops-1".parse().unwrap());
            escrow.open_order(unit, terms, ops).await
        };
        let (mut one, mut two) = (store.begin().await.unwrap(), store.begin().await.unwrap());
        let first = open(&mut one).await.unwrap();
        let (lost, ()) = join(open(&mut two), async {
            somebody_waits_for(&mut one).await;
            store.commit(one).await.unwrap();
        })
        .await;
        let lost = lost.unwrap_err();
        assert!(lost.is_lost_race(), "{lost:?}");
        assert!(matches!(store.commit(two).await, Err(PostgresError::GivenUp(_))));
        let again = open(&mut store.begin().await.unwrap()).await.unwrap();
        assert_eq!(again.id(), first.id());
    });
}

#[test]
fn a_debt_that_somebody_else_pays_off_first_gives_the_transaction_up() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let owe = Commit { entries: vec![entry("debt:alice", "world:sandbox", 8)], ..opens(order(1)) };
        saved(&store, &owe).await;
        let pay = |number| Commit { entries: vec![entry("world:sandbox", "debt:alice", 5)], ..opens(order(number)) };
        let (mut one, mut two) = (store.begin().await.unwrap(), store.begin().await.unwrap());
        stored(&mut one, &pay(2)).await;
        let second = pay(3);
        let (lost, ()) = join(two.append(&second), async {
            somebody_waits_for(&mut one).await;
            store.commit(one).await.unwrap();
        })
        .await;
        let lost = lost.unwrap_err();
        assert!(store.is_lost_race(&lost), "{lost:?}");
        drop(two);
        let refused = Appended::Overdrawn { account: account("debt:alice") };
        assert_eq!(store.begin().await.unwrap().append(&second).await.unwrap(), refused);
    });
}

#[test]
fn what_the_hosts_own_tables_refuse_is_no_lost_race() {
    const TRIGGER: &str = "CREATE TABLE seen (id text PRIMARY KEY);
INSERT INTO seen VALUES ('once');
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO seen VALUES ('once'); RETURN NEW; END $$;
CREATE TRIGGER see BEFORE INSERT ON escrowed_subjects FOR EACH ROW EXECUTE FUNCTION see()";
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        sqlx::raw_sql(TRIGGER).execute(store.pool()).await.unwrap();
        let mut unit = store.begin().await.unwrap();
        let refused = unit.append(&opens(order(1))).await.unwrap_err();
        assert!(matches!(refused, PostgresError::Database(_)) && !store.is_lost_race(&refused), "{refused:?}");
        assert!(matches!(store.commit(unit).await, Err(PostgresError::GivenUp(_))));
    });
}

#[test]
fn a_transaction_that_was_given_up_is_never_committed() {
    for serializable in [false, true] {
        let database = Database::new();
        block_on(async {
            let store = database.store().await;
            let store = if serializable { store.serializable() } else { store };
            let mut unit = store.begin().await.unwrap();
            stored(&mut unit, &opens(order(1))).await;
            // One of the host's own statements, and a host that does not look.
            sqlx::query("SELECT 1 / 0").execute(&mut *unit).await.unwrap_err();
            let refused = store.commit(unit).await.unwrap_err();
            assert!(matches!(refused, PostgresError::GivenUp(_)) && !store.is_lost_race(&refused), "{refused:?}");
            assert_eq!(store.begin().await.unwrap().log(order(1)).await.unwrap(), None);
            // The connection is as good as new, and so is a transaction that went back to a savepoint.
            let mut unit = store.begin().await.unwrap();
            stored(&mut unit, &opens(order(2))).await;
            let mut savepoint = sqlx::Connection::begin(&mut *unit).await.unwrap();
            sqlx::query("SELECT 1 / 0").execute(&mut *savepoint).await.unwrap_err();
            savepoint.rollback().await.unwrap();
            store.commit(unit).await.unwrap();
            assert!(store.begin().await.unwrap().log(order(2)).await.unwrap().is_some());
        });
    }
}

/// A commit of an order that was saved before, with money and a call.
fn pays(expected: Revision) -> Commit {
    let mut commit = goes_on(order(1), expected, 2);
    commit.entries = vec![entry("wallet:alice", "wallet:bob", 3)];
    commit.calls = vec![charge(payin(2), at(0))];
    commit
}

/// What a write on a bare connection is told that waits until this unit is committed.
async fn told_once_committed(store: &Postgres, mut unit: PostgresUnit, waits: &Commit) -> Appended {
    let mut bare = store.pool().acquire().await.unwrap();
    let (told, ()) = join(bare.append(waits), async {
        somebody_waits_for(&mut unit).await;
        store.commit(unit).await.unwrap();
    })
    .await;
    told.unwrap()
}

#[test]
fn a_commit_that_waited_for_one_that_was_faster_leaves_nothing() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let first = saved(&store, &full()).await;
        let mut other = store.begin().await.unwrap();
        let second = stored(&mut other, &goes_on(order(1), first, 2)).await;
        let waits = pays(first);
        let told = told_once_committed(&store, other, &waits).await;
        assert_eq!(told, Appended::Stale);
        let mut unit = store.begin().await.unwrap();
        assert_eq!(unit.log(order(1)).await.unwrap().unwrap().revision, second);
        assert_eq!(unit.balance(&account("wallet:alice"), Currency::EUR).await.unwrap(), euro(5));
        assert!(unit.balance(&account("wallet:bob"), Currency::EUR).await.unwrap().is_zero());
        assert_eq!(unit.books(0, 9).await.unwrap().len(), 1);
        assert_eq!(unit.call(&key(&waits.calls[0])).await.unwrap(), None);
    });
}

#[test]
fn a_commit_that_waited_for_a_lease_goes_through() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let mut due = full();
        due.index.deadline = Some(at(1));
        let first = saved(&store, &due).await;
        let mut other = store.begin().await.unwrap();
        let lease = DueLease { worker: "w".parse().unwrap(), now: at(2), until: at(3), limit: 9 };
        assert_eq!(other.lease_due(&lease).await.unwrap().len(), 1);
        let waits = pays(first);
        let told = told_once_committed(&store, other, &waits).await;
        assert!(matches!(told, Appended::Stored(_)), "{told:?}");
        let mut unit = store.begin().await.unwrap();
        assert_eq!(unit.balance(&account("wallet:bob"), Currency::EUR).await.unwrap(), euro(3));
        assert!(unit.call(&key(&waits.calls[0])).await.unwrap().is_some());
    });
}
