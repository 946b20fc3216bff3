//! A schema of its own for each test, in the server that the environment names.

use super::*;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::{future::Future, sync::LazyLock};
use uuid::Uuid;

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

/// A schema that is dropped in the end.
pub(super) struct Database {
    options: PgConnectOptions,
    schema: String,
}

impl Database {
    pub(super) fn new() -> Self {
        let url = std::env::var("ESCROWED_TEST_DATABASE_URL").unwrap_or_else(|_| {
            panic!("these tests need PostgreSQL: run `bash tests/postgres.sh cargo test --features postgres`")
        });
        let options: PgConnectOptions = url.parse().unwrap();
        let schema = format!("test_{}", Uuid::now_v7().simple());
        let database = Self { options, schema };
        database.run(&format!("CREATE SCHEMA {}", database.schema));
        database
    }

    pub(super) async fn store(&self) -> Postgres {
        let options = self.options.clone().options([("search_path", self.schema.as_str())]);
        let pool = PgPoolOptions::new().max_connections(12).connect_with(options).await.unwrap();
        Postgres::from_pool(pool).await.unwrap()
    }

    fn run(&self, statement: &str) {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        block_on(async {
            let pool = PgPoolOptions::new().max_connections(1).connect_with(self.options.clone()).await.unwrap();
            sqlx::raw_sql(statement).execute(&pool).await.unwrap();
            pool.close().await;
        });
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.run(&format!("DROP SCHEMA {} CASCADE", self.schema));
        }
    }
}
