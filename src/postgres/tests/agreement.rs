//! In a transaction and on a bare connection, PostgreSQL says what the store in memory says: whichever way it finds out what
//! stands against a commit.

use super::*;
use crate::{
    memory::agreement::{self, Op},
    seed::random,
    store::Revision,
};
use proptest::prelude::*;
use sqlx::{Connection, PgConnection};

/// Each append is a transaction of its own.
struct Bare(PgConnectOptions);

impl Store for Bare {
    type Unit = PgConnection;
    type Error = PostgresError;

    async fn begin(&self) -> Result<PgConnection, PostgresError> {
        Ok(PgConnection::connect_with(&self.0).await?)
    }

    async fn commit(&self, unit: PgConnection) -> Result<(), PostgresError> {
        Ok(unit.close().await?)
    }

    fn is_lost_race(&self, error: &PostgresError) -> bool {
        error.is_lost_race()
    }
}

proptest! {
    #![proptest_config(random(24))]

    #[test]
    fn in_a_transaction(ops in agreement::ops()) {
        let database = Database::new();
        block_on(async {
            // With one connection, what a unit had locked is let go of before the next one begins.
            let pool = PgPoolOptions::new().max_connections(1).connect_with(database.options()).await.unwrap();
            agreement::agrees(&Postgres::from_pool(pool).await.unwrap(), &ops).await
        })?;
    }

    #[test]
    fn on_a_bare_connection(ops in agreement::ops()) {
        let database = Database::new();
        // What was appended is durable at once, so there is nothing to roll back.
        let ops: Vec<_> = ops.into_iter().filter(|op| !matches!(op, Op::RollBack)).collect();
        block_on(async {
            database.store().await;
            agreement::agrees(&Bare(database.options()), &ops).await
        })?;
    }
}

/// Where a wallet is looked at ahead and a subject is opened, all else waits for both. One commit that has changed, or a wallet that
/// has too little, takes all of it back.
#[test]
fn a_batch_that_drains_and_opens_is_written_whole_or_not_at_all() {
    let database = Database::new();
    block_on(async {
        let store = database.store().await;
        let mut bare = store.pool().acquire().await.unwrap();
        let mut revisions = Vec::new();
        for number in 0..7 {
            let funded = Commit { entries: vec![entry("world:sandbox", "wallet:shop", 10)], ..opens(order(number)) };
            revisions.push(stored(&mut *bare, &funded).await);
        }
        // As many as are listed one by one, and as many as stand in arrays.
        for (going, fresh) in [(0..3, order(7)), (3..7, order(8))] {
            let batch = |minor, last: Option<Revision>| {
                let drains = going.clone().map(|number| Commit {
                    entries: vec![entry("wallet:shop", "wallet:bob", minor)],
                    ..goes_on(order(number as u128), revisions[number], 2)
                });
                let mut batch: Vec<_> = std::iter::once(opens(fresh)).chain(drains).collect();
                let end = batch.last_mut().unwrap();
                end.expected = last.or(end.expected);
                batch
            };
            let before = bare.balances(None, usize::MAX).await.unwrap();
            let stale = AppendedAll::Refused { position: going.len(), why: Appended::Stale };
            assert_eq!(bare.append_all(&batch(1, Some(Revision::new(-1)))).await.unwrap(), stale);
            let overdrawn = Appended::Overdrawn { account: account("wallet:shop") };
            let refused = bare.append_all(&batch(50, None)).await.unwrap();
            assert!(matches!(&refused, AppendedAll::Refused { why, .. } if *why == overdrawn), "{refused:?}");
            assert_eq!(bare.balances(None, usize::MAX).await.unwrap(), before);
            assert!(bare.log(fresh).await.unwrap().is_none());
            let commits = batch(1, None);
            let AppendedAll::Stored(marks) = bare.append_all(&commits).await.unwrap() else { panic!("all is well") };
            assert_eq!(marks.len(), commits.len());
            for (commit, mark) in commits.iter().zip(marks) {
                assert_eq!(bare.log(commit.subject()).await.unwrap().unwrap().revision, mark);
            }
        }
    });
}
