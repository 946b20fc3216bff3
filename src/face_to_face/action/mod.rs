//! What can be done with a face-to-face deal, status by status.

mod handover;
mod paying;
