//! What a user of the crate sees, on every store.

mod after;
mod attacks;
mod authentication;
mod bad_input;
mod campaign;
mod coalescing;
mod diagrams;
mod face_to_face;
mod handling;
mod harness;
mod kyc;
mod legality;
mod loan;
mod looks;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod market;
mod movement;
mod one_write;
mod orders;
mod payees;
mod payments;
#[cfg(feature = "postgres")]
mod postgres;
mod properties;
mod reasons;
mod reconciliation;
mod requests;
mod seed;
mod splits;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statements;
mod storm;
mod tables;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod tampered;
mod threads;
mod transaction;
mod workers;
