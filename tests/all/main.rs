//! What a user of the crate sees, on every store.

mod attacks;
mod bad_input;
mod campaign;
mod diagrams;
mod face_to_face;
mod handling;
mod harness;
mod legality;
mod orders;
mod payments;
mod properties;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tables;
mod threads;
mod transaction;
