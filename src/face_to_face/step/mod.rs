//! What each event of a face-to-face deal demands, and what it makes of it. The same live and in replay.

mod dispute;
mod handover;
mod paying;

pub(super) use dispute::{Disputable, may_escalate};
pub(super) use paying::Refundable;
