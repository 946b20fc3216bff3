//! What the callers of one queue promise each other, whatever becomes of any of them.

mod answers;
mod dropped;
mod promises;
#[cfg(feature = "postgres")]
mod races;
mod rig;
mod serial;
