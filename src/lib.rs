#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

extern crate self as escrowed;

pub mod campaign;
pub mod coalescing;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod deal;
pub mod diagram;
pub mod distribution;
pub mod escrow;
pub mod face_to_face;
pub mod gateway;
pub mod id;
pub mod ledger;
pub mod lifecycle;
pub mod loan;
pub mod memory;
pub mod money;
pub mod movement;
pub mod order;
pub mod party;
pub mod payment;
pub mod pledge;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod reconciliation;
pub mod sandbox;
pub mod sca;
#[cfg(test)]
#[path = "../tests/all/seed.rs"]
mod seed;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod statement;
pub mod store;
pub mod text;
pub mod time;
pub mod transaction;
pub mod verify;

/// For the code that [`lifecycle!`] writes into other crates.
#[doc(hidden)]
pub mod __private {
    pub use serde::{self, Deserialize, Serialize, Serializer};
    pub use serde_json::{Error as JsonError, from_str};
}
