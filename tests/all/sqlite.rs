//! The SQLite store when things die: the process between any two writes, the tail of the file, the host's own
//! transaction. What was acknowledged is there, what was not is there whole or not at all, and everything goes on.
//!
//! `ESCROWED_SEED=123` repeats a run.

mod child;
mod deaths;
mod host;
mod reopen;
mod torn;
mod two;
mod verify;
mod watch;
