//! A store in PostgreSQL, which the host's own tables may share.
//!
//! ```no_run
//! use escrowed::{postgres::Postgres, store::{Query, Store, Views}};
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Postgres::connect("postgres://shop@localhost/shop").await?;
//! let mut unit = store.begin().await?;                     // sqlx's own Transaction
//! sqlx::query("UPDATE listings SET sold = true WHERE id = 7").execute(&mut *unit).await?;
//! let due = unit.find(&Query::DueBy("2026-05-07T15:39:46Z".parse()?), None, 50).await?;
//! store.commit(unit).await?;                               // the host's row and the crate's, together
//! # Ok(()) }
//! ```
//!
//! # Units
//! The traits are implemented on sqlx's [`Transaction`] and on a bare [`PgConnection`]. In a transaction, everything
//! becomes durable when the host commits it. On a bare connection each append is a transaction of its own: one statement,
//! one round trip, durable when it answers. So is what the store itself appends
//! [durably](crate::store::Store::append_durably), as for [shared commits](crate::coalescing). A transaction is what sqlx's
//! `begin` has opened: of one that the host opens by sending BEGIN itself nothing is known here, and a refusal gives it up.
//!
//! When a statement fails in a transaction, PostgreSQL gives it up: nothing that was written in it will ever be there. It
//! answers the COMMIT of such a transaction with a ROLLBACK, which is no error, and sqlx's own `commit` takes it for success.
//! [`Store::commit`](crate::store::Store::commit) therefore asks first, which costs one round trip, and says
//! [`PostgresError::GivenUp`]. Commit through it whatever the pool has begun; who commits by sqlx's `commit` has to roll back
//! after every error, those of the host's own statements included.
//!
//! # One commit, one statement
//! An append is a single statement with data-modifying CTEs, made of only those parts that its commits need. For more than a
//! few commits it is the same over arrays, and what sixteen rows or more have all in common is bound once.
//! - A few commits in a transaction are checked ahead: the rows are locked and looked at, and only if all is well is
//!   anything written. The statement does not fail, so the transaction goes on after a refusal. Only what somebody else
//!   writes at the same moment can still stand against it: see [below](#isolation-and-lost-races). A savepoint against that
//!   would cost two round trips each time, for what is done again in a fresh unit anyway.
//! - On a bare connection, and for more commits or more than one new subject in a transaction, the writing itself finds what
//!   is wrong (a row too few, a row too many, a balance that its column refuses): then the statement fails, PostgreSQL takes
//!   all of it back, and the cause is looked up. In a transaction a savepoint stands around it: two round trips more.
//!
//! # No hot row
//! What many orders share must not make them wait for one another. The account of a gateway or a wallet has up to 64 rows,
//! its *stripes*; a connection adds to the stripe that its number in the server stands for, and nobody waits. What an
//! account holds is the sum of its stripes.
//! - The world may go below zero: whatever leaves it or arrives there goes to the connection's own stripe.
//! - A wallet may not. What leaves it locks all its stripes, is compared with their sum, and is drained from one after
//!   another. No stripe goes below zero, which the database itself makes sure of; so their sum never does, whatever
//!   happens at the same time.
//! - An escrow account belongs to one subject, whose revision lets one commit through at a time. It has one stripe.
//!
//! Each kind of rows is locked in one order (subjects by id, calls by key, stripes by account) wherever PostgreSQL's plan takes
//! them as they come, so appends hardly ever lock each other out; where they do, one of them has lost a race.
//!
//! # Isolation and lost races
//! It works under READ COMMITTED, which is PostgreSQL's default, and under SERIALIZABLE ([`Postgres::serializable`]). An
//! append may lose a race although all was well a moment ago: by a serialization failure (SQLSTATE 40001), a deadlock
//! (40P01), or a row of the crate's that somebody else has just written (23505, 23514), such as the same request's. What is written
//! on a bare connection has the isolation that the server gives it by default, and may lose more races where that is a higher one.
//! - On a bare connection it is tried again up to three times and then answers [`Stale`](crate::store::Appended::Stale).
//! - In a transaction PostgreSQL has by then given up all that was written in it, so no answer may look as if it went on: it
//!   is [`PostgresError::LostRace`]. Roll back and begin a fresh unit. Where a savepoint stands around the append, it is
//!   `Stale`, and the transaction goes on.
//! - From a read or a COMMIT it is PostgreSQL's own error.
//!
//! [`PostgresError::is_lost_race`] says yes to all of these errors. The acts of an [`Escrow`](crate::escrow::Escrow) tell
//! an append's as [stale](crate::escrow::EscrowError::Stale), and the crate's own workers begin anew.
//!
//! # What to know
//! - Tables begin with `escrowed_` and live in the first schema of the `search_path`, as do the domains that say what a column may
//!   hold, and a view of each account's balance (`escrowed_balances`). Every text is compared byte by byte.
//! - What is held stands in a column that does not go below zero and what is owed in one that does not go above, whoever writes to
//!   it. Money that somebody wrote by hand where nobody who takes from the account would look is
//!   [`Corrupt`](PostgresError::Corrupt) to whoever reads the balance, which [`verify`](crate::verify) does, or needs it.
//! - Numbers of entries grow in the order of writing, not of committing: while others write, an entry may appear below
//!   one that was read already.
//! - A stripe holds up to 2^57 minor units (1.4 quadrillion euros), so that no sum of stripes leaves 64 bits.
//! - Where an append was stale or refused, PostgreSQL's own log may show a statement that failed, such as *value for domain
//!   escrowed_whole violates check constraint "escrowed_not_all"*. The answer is the same as ever; there is nothing to do.
//! - A connection behind a pooler in transaction mode works if the pooler keeps prepared statements apart.
//! - TLS comes with the host's own `sqlx` features.

mod append;
mod batch;
mod diagnose;
mod error;
mod inventory;
mod log;
mod migrate;
mod money;
mod outbox;
mod row;
mod statement;
mod unit;
mod views;

/// The library whose pools, connections and transactions are taken here: a host that opens its own has to use the same version.
#[doc(no_inline)]
pub use sqlx;

pub use error::PostgresError;
pub use unit::PostgresUnit;

use sqlx::{
    Connection, PgPool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::time::Duration;

#[cfg(doc)]
use sqlx::PgConnection;

/// A store in PostgreSQL. A clone shares its pool of connections.
#[derive(Debug, Clone)]
pub struct Postgres {
    pool: PgPool,
    serializable: bool,
}

/// How long a connection is trusted after its last use.
const RESTED: Duration = Duration::from_secs(1);

const READ_COMMITTED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const SERIALIZABLE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";

impl Postgres {
    /// Connects with up to 10 connections, and brings the crate's tables up to date. A connection that has rested for a second is
    /// asked whether it is there still before it is used. One that was lost within that second is found out by whoever uses it
    /// next, as one that is lost in the middle of a unit.
    ///
    /// # Errors
    /// [`PostgresError::LaterVersion`] when a later version of this crate has written the tables,
    /// [`PostgresError::Database`] when PostgreSQL cannot be reached or fails.
    pub async fn connect(url: &str) -> Result<Self, PostgresError> {
        let options: PgConnectOptions = url.parse()?;
        // What was in use a moment ago is there still, and asking it would be one more round trip for each unit.
        let pool =
            PgPoolOptions::new().max_connections(10).test_before_acquire(false).before_acquire(|connection, idle| {
                Box::pin(async move {
                    if idle.idle_for >= RESTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            });
        Self::from_pool(pool.connect_with(options).await?).await
    }

    /// Takes a pool that the host has set up, and brings the crate's tables up to date. By sqlx's own settings a pool asks each
    /// connection first whether it is there still, which is one round trip more for each unit (`test_before_acquire`).
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn from_pool(pool: PgPool) -> Result<Self, PostgresError> {
        migrate::migrate(&mut *pool.acquire().await?).await?;
        Ok(Self { pool, serializable: false })
    }

    /// The same store, whose units are SERIALIZABLE: PostgreSQL itself refuses whatever could not have happened one after
    /// another, at the price of more lost races.
    #[must_use]
    pub fn serializable(mut self) -> Self {
        self.serializable = true;
        self
    }

    /// The pool, for bare connections and for the host's own queries. Who sends a BEGIN of its own through one of them, and not by
    /// sqlx's `begin`, has to end it before the connection goes back: what is written through it next would be in that
    /// transaction, and lost with it.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    async fn transaction(&self) -> Result<Transaction<'static, sqlx::Postgres>, PostgresError> {
        Ok(self.pool.begin_with(if self.serializable { SERIALIZABLE } else { READ_COMMITTED }).await?)
    }
}

#[cfg(test)]
pub(crate) mod tests;
