//! The PostgreSQL store when things die: the server, a process that works on it, the connection in between. What was
//! acknowledged is there, what was not is there whole or not at all, and everything goes on.
//!
//! `ESCROWED_SEED=123` repeats what was drawn, though not what the server and the network made of it.

mod cluster;
pub(crate) mod database;
mod gateway;
mod proxy;
mod requests;
mod server;
mod workers;

use database::Database;
use escrowed::postgres::Postgres;
use std::cell::RefCell;

/// A store in a schema of its own, which is kept with the others.
pub(crate) fn fresh(databases: &RefCell<Vec<Database>>) -> Postgres {
    let database = Database::new();
    let store = database::block_on(database.store());
    databases.borrow_mut().push(database);
    store
}
