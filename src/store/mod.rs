//! What is written and read: plain values, and the small traits that a host's storage implements.
//!
//! ```
//! use escrowed::{memory::Memory, store::{Query, Store, Views}};
//! # futures_lite::future::block_on(async {
//! let store = Memory::new();
//! let mut unit = store.begin().await?;
//! let page = unit.find(&Query::status("order".parse()?, "PUBLISHED"), None, 50).await?;
//! assert!(page.rows.is_empty() && page.next.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! - [`Commit`]: everything that one step writes. An adapter's whole duty is to write it all or not at all.
//! - [`Log`]: everything that was written about one subject, from which its value is replayed.
//! - [`UnitOfWork`]: reads logs and appends commits, on the host's own open transaction.
//! - [`Outbox`]: hands out what waits for a worker, calls for a gateway and deadlines, under leases.
//! - [`Views`]: answers queries over the index rows and the books.
//! - [`Inventory`]: lists everything there is, for [`verify`](crate::verify).
//! - [`Store`]: begins and commits units, for what the crate runs by itself (sending calls, running deadlines).

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod columns;
mod commit;
mod inventory;
mod log;
mod outbox;
mod request;
mod unit;
mod unreadable;
mod views;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use columns::{Columns, TakenCall, by_deadline, why_parked};
pub use commit::{Call, Commit, IfSent, IndexRow, Payload, Record, Settlement, Withdrawal, books_agree};
pub use inventory::Inventory;
pub use log::{Log, StoredRecord};
pub use outbox::{CallState, CallStatus, DueLease, Lease, LeasedCall, Outbox, Postponement, WorkerId};
pub use request::{Answered, Digest, Request, RequestKey};
pub(crate) use unit::make_durable;
pub use unit::{Appended, AppendedAll, Revision, Store, Unacknowledged, UnitOfWork, in_a_unit};
pub use unreadable::Unreadable;
pub use views::{BookedEntry, Cursor, IndexEntry, LifecycleName, Page, Query, Views};
