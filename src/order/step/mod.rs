//! What each event of an order demands, and what it makes of it. The same live and in replay.

mod ending;
mod paying;
mod releasing;

pub(super) use paying::Amendable;
