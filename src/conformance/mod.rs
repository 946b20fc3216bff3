//! What every store and every gateway promises, as plain async functions: a host runs them against its own.
//!
//! ```
//! # mod tests {
//! use escrowed::memory::Memory;
//!
//! /// Builds an empty store, tries a promise on it, and keeps whatever the store needs until then.
//! fn on_memory(promise: impl AsyncFnOnce(&Memory)) {
//!     let store = Memory::new();                              // and, for a database, the guard that removes it
//!     futures_lite::future::block_on(promise(&store));        // or the runtime that the store needs
//! }
//!
//! escrowed::store_promises!(on_memory);                       // one #[test] per promise
//! # }
//! # futures_lite::future::block_on(async {
//! // One promise by itself is an async function of a store.
//! escrowed::conformance::store::append::a_subject_is_created_once(&escrowed::memory::Memory::new()).await;
//! # });
//! ```
//!
//! A gateway is tried in its provider's test mode: see [`gateway::Provider`] and [`gateway_promises!`](crate::gateway_promises).
//!
//! Each promise wants an empty store, and panics where it is broken. No runtime is named: what happens at the same moment
//! happens in one task. A store has to let eight units be asked for at once; whether they work side by side or take turns
//! is its own affair.

pub mod gateway;
pub mod store;
