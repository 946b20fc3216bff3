//! What is measured on PostgreSQL is durable, or it is not measured.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Looks at the server's settings.
///
/// # Panics
/// Where one of them would let a commit be lost.
pub async fn must_be_durable(url: &str) {
    let mut connection = PgConnection::connect(url).await.expect("a server");
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let show = sqlx::query_scalar(AssertSqlSafe(format!("SHOW {setting}")));
        let is: String = show.fetch_one(&mut connection).await.expect("a setting");
        assert_eq!(is, "on", "{setting}: set ESCROWED_TEST_POSTGRES_DURABLE=1 for a server that waits for its disk");
    }
}
