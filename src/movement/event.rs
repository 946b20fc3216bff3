//! What is logged of a movement.

use super::{Stands, Why};
use serde::{Deserialize, Serialize};

macro_rules! plain {
    ($($name:ident),+) => { $(
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub struct $name {}
    )+ };
}

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
