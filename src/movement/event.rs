//! What is logged of a movement.

use super::{Stands, Why};
use crate::lifecycle::plain;
use serde::{Deserialize, Serialize};

plain!(Collected, Committed, Finished, Undone);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CalledOff {
    pub(super) why: Why,
}

// Which of its orders, and how far each is now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Counted {
    pub(super) orders: Vec<(u32, Stands)>,
}
