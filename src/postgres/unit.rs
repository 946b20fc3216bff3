//! The traits, on sqlx's transaction and on a bare connection.

use super::{Postgres, PostgresError, append, inventory, log, outbox, views};
use crate::{
    gateway::IdempotencyKey,
    id::Subject,
    ledger::{Account, Balance},
    money::{Currency, Money},
    party::PartyId,
    store::{
        Answered, Appended, AppendedAll, BookedEntry, CallState, CallStatus, Commit, Cursor, DueLease, IndexEntry,
        Inventory, Lease, LeasedCall, Log, Outbox, Page, Postponement, Query, RequestKey, Store, Unacknowledged,
        UnitOfWork, Unreadable, Views, in_a_unit,
    },
};
use sqlx::{PgConnection, Transaction};

/// An open transaction of a [`Postgres`]: sqlx's own. Dropped without a commit, it is rolled back.
pub type PostgresUnit = Transaction<'static, sqlx::Postgres>;

impl Store for Postgres {
    type Unit = PostgresUnit;
    type Error = PostgresError;

    async fn begin(&self) -> Result<PostgresUnit, PostgresError> {
        self.transaction().await
    }

    /// Asks before it commits, which is one round trip more: PostgreSQL answers the COMMIT of a transaction that it has given
    /// up with a ROLLBACK instead of an error, and sqlx does not tell the two apart.
    ///
    /// # Errors
    /// [`PostgresError::GivenUp`] when a statement in it had failed, one of the host's own perhaps: nothing was written.
    /// [`PostgresError::Database`] when PostgreSQL fails or is lost. Unless that
    /// [is a lost race](PostgresError::is_lost_race), it may be unknown then whether the unit was committed.
    async fn commit(&self, mut unit: PostgresUnit) -> Result<(), PostgresError> {
        sqlx::raw_sql(STANDS).execute(&mut *unit).await?;
        Ok(unit.commit().await?)
    }

    /// On a bare connection, by a single statement: one round trip, where a unit takes one each to begin, to append, to ask and
    /// to commit. A [serializable](Postgres::serializable) store does it in a unit.
    async fn append_durably(&self, commits: &[Commit]) -> Result<AppendedAll, Unacknowledged<PostgresError>> {
        if self.serializable {
            return in_a_unit(self, commits).await;
        }
        let mut bare = self.pool().acquire().await.map_err(|error| Unacknowledged::NotBegun(error.into()))?;
        append::append_all(&mut bare, commits).await.map_err(|error| match error {
            PostgresError::InDoubt(_) => Unacknowledged::Unknown(error),
            PostgresError::Database(_)
            | PostgresError::LostRace(_)
            | PostgresError::GivenUp(_)
            | PostgresError::Corrupt { .. }
            | PostgresError::LaterVersion { .. }
            | PostgresError::Unwritable(_)
            | PostgresError::Overflow { .. }
            | PostgresError::DuplicateCall { .. }
            | PostgresError::UnknownCall { .. } => Unacknowledged::Unwritten(error),
        })
    }
}

/// The least that can be asked: any statement is refused in a transaction that was given up.
const STANDS: &str = "SELECT";

// A transaction is a connection with something open on it, so both do the same.
macro_rules! units {
    ($($unit:ty),+) => { $(
        impl UnitOfWork for $unit {
            type Error = PostgresError;

            async fn log(&mut self, subject: Subject) -> Result<Option<Log>, PostgresError> {
                log::log(self, subject).await
            }

            async fn answered(&mut self, key: &RequestKey) -> Result<Option<Answered>, PostgresError> {
                log::answered(self, key).await
            }

            async fn append(&mut self, commit: &Commit) -> Result<Appended, PostgresError> {
                append::append(self, commit).await
            }

            async fn append_all(&mut self, commits: &[Commit]) -> Result<AppendedAll, PostgresError> {
                append::append_all(self, commits).await
            }

            fn is_lost_race(error: &PostgresError) -> bool {
                error.is_lost_race()
            }
        }

        impl Outbox for $unit {
            async fn lease(&mut self, lease: &Lease) -> Result<Vec<Result<LeasedCall, Unreadable>>, PostgresError> {
                outbox::lease(self, lease).await
            }

            async fn call(&mut self, key: &IdempotencyKey) -> Result<Option<CallState>, PostgresError> {
                outbox::call(self, key).await
            }

            async fn postpone(&mut self, postponement: &Postponement<'_>) -> Result<bool, PostgresError> {
                outbox::postpone(self, postponement).await
            }

            async fn lease_due(
                &mut self,
                lease: &DueLease,
            ) -> Result<Vec<Result<IndexEntry, Unreadable>>, PostgresError> {
                outbox::lease_due(self, lease).await
            }

            async fn calls(
                &mut self,
                status: CallStatus,
                after: Option<&str>,
                limit: usize,
            ) -> Result<Vec<Result<CallState, Unreadable>>, PostgresError> {
                outbox::calls(self, status, after, limit).await
            }
        }

        impl Views for $unit {
            async fn find(
                &mut self,
                query: &Query,
                after: Option<&Cursor>,
                limit: usize,
            ) -> Result<Page, PostgresError> {
                views::find(self, query, after, limit).await
            }

            async fn balance(&mut self, account: &Account, currency: Currency) -> Result<Money, PostgresError> {
                views::balance(self, account, currency).await
            }

            async fn balances(
                &mut self,
                after: Option<(&Account, Currency)>,
                limit: usize,
            ) -> Result<Vec<Balance>, PostgresError> {
                views::balances(self, after, limit).await
            }

            async fn entries(
                &mut self,
                account: &Account,
                after: i64,
                limit: usize,
            ) -> Result<Vec<BookedEntry>, PostgresError> {
                views::entries(self, account, after, limit).await
            }

            async fn books(&mut self, after: i64, limit: usize) -> Result<Vec<BookedEntry>, PostgresError> {
                views::books(self, after, limit).await
            }
        }

        impl Inventory for $unit {
            async fn subjects(&mut self, after: Option<Subject>, limit: usize) -> Result<Vec<Subject>, PostgresError> {
                inventory::subjects(self, after, limit).await
            }

            async fn row(&mut self, subject: Subject) -> Result<Option<IndexEntry>, PostgresError> {
                inventory::row(self, subject).await
            }

            async fn members(
                &mut self,
                after: Option<(&PartyId, Subject)>,
                limit: usize,
            ) -> Result<Vec<(PartyId, Subject)>, PostgresError> {
                inventory::members(self, after, limit).await
            }

            async fn accounts(&mut self, after: Option<&Account>, limit: usize) -> Result<Vec<Account>, PostgresError> {
                inventory::accounts(self, after, limit).await
            }

            async fn balances_of(&mut self, account: &Account) -> Result<Vec<Balance>, PostgresError> {
                inventory::balances_of(self, account).await
            }

            async fn lane(&mut self, key: &IdempotencyKey) -> Result<Option<Subject>, PostgresError> {
                inventory::lane(self, key).await
            }

            async fn requests(
                &mut self,
                after: Option<&RequestKey>,
                limit: usize,
            ) -> Result<Vec<(RequestKey, Answered)>, PostgresError> {
                inventory::requests(self, after, limit).await
            }
        }
    )+ };
}

units!(Transaction<'_, sqlx::Postgres>, PgConnection);
