//! Several processes share one database: what a unit for many callers loses to somebody else's.

use crate::{
    coalescing::Coalescing,
    conformance::store::commits::{goes_on, opens, order, saved, stored},
    postgres::tests::{
        database::{Database, block_on},
        races::somebody_waits_for,
    },
    store::{Appended, Commit, Request, Store, UnitOfWork},
};
use futures_lite::future::or;
use futures_util::future::{join, join_all};

#[test]
fn what_was_written_before_a_lost_race_is_acknowledged_only_if_it_is_there() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let (first, second) = (saved(&store, &opens(order(1))).await, saved(&store, &opens(order(2))).await);
        let asked = |commit| Commit { request: Some(Request::new("anna-1", "open").unwrap()), ..commit };
        // Another process has done what the last caller was asked, and has not committed it yet.
        let mut other = store.begin().await.unwrap();
        stored(&mut other, &asked(opens(order(3)))).await;
        // The second caller meets the first, so the first one's commit is written by itself, and then the others'.
        let callers = [goes_on(order(1), first, 2), goes_on(order(1), first, 2), asked(goes_on(order(2), second, 2))];
        let shared = Coalescing::new(store.clone());
        let answers = join_all(callers.iter().map(|commit| {
            let mut writer = shared.writer();
            async move { writer.append(commit).await.unwrap() }
        }));
        let (answers, ()) = join(answers, async {
            somebody_waits_for(&mut other).await;
            store.commit(other).await.unwrap();
        })
        .await;
        assert!(matches!(answers[..], [Appended::Stored(_), Appended::Stale, Appended::Stale]), "{answers:?}");
        let mut unit = store.begin().await.unwrap();
        let Appended::Stored(revision) = answers[0] else { unreachable!() };
        assert_eq!(unit.log(order(1)).await.unwrap().unwrap().revision, revision, "it was acknowledged and is lost");
        assert_eq!(unit.log(order(2)).await.unwrap().unwrap().revision, second);
    });
}

#[test]
fn who_is_dropped_while_it_is_written_keeps_nobody_waiting() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let first = saved(&store, &opens(order(1))).await;
        let mut other = store.begin().await.unwrap();
        stored(&mut other, &goes_on(order(1), first, 2)).await;
        let shared = Coalescing::new(store.clone());
        let (waits, mut writer) = (goes_on(order(1), first, 2), shared.writer());
        let dropped = async { drop(writer.append(&waits).await) };
        or(dropped, async { _ = somebody_waits_for(&mut other).await }).await;
        // The server still waits for the lock. The next one does not.
        let next = shared.writer().append(&opens(order(2))).await.unwrap();
        assert!(matches!(next, Appended::Stored(_)), "{next:?}");
        drop(other);
        // Now it is written, or has been called off: once, and whole.
        let last = shared.writer().append(&goes_on(order(1), first, 2)).await.unwrap();
        assert!(matches!(last, Appended::Stored(_) | Appended::Stale), "{last:?}");
        let log = store.begin().await.unwrap().log(order(1)).await.unwrap().unwrap();
        assert_eq!(log.records.len(), 2);
    });
}
