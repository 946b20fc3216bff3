//! In a transaction and on a bare connection, PostgreSQL says what the store in memory says: whichever way it finds out what
//! stands against a commit.

use super::*;
use crate::{
    memory::agreement::{self, Op},
    seed::random,
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
