//! A schema of its own for each test, in the server that the environment names. The crate's own tests use it, too.

use escrowed::postgres::Postgres;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::{future::Future, sync::LazyLock};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

/// Whoever waits for the database has to be inside of it.
pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

/// A schema that is dropped in the end.
pub(crate) struct Database {
    options: PgConnectOptions,
    schema: String,
}

impl Database {
    pub(crate) fn new() -> Self {
        let url = std::env::var("ESCROWED_TEST_DATABASE_URL").unwrap_or_else(|_| {
            panic!("these tests need PostgreSQL: run `bash tests/postgres.sh cargo test --features postgres`")
        });
        let options: PgConnectOptions = url.parse().unwrap();
        let schema = format!("test_{}", Uuid::now_v7().simple());
        let database = Self { options: options.options([("search_path", schema.as_str())]), schema };
        database.run(&format!("CREATE SCHEMA {}", database.schema));
        database
    }

    /// Where it is.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    pub(crate) async fn store(&self) -> Postgres {
        let pool = PgPoolOptions::new().max_connections(12).connect_with(self.options()).await.unwrap();
        Postgres::from_pool(pool).await.unwrap()
    }

    fn run(&self, statement: &str) {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        block_on(async {
            let pool = PgPoolOptions::new().max_connections(1).connect_with(self.options()).await.unwrap();
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
