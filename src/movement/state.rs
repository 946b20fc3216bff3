//! The statuses of a movement, each with what only it knows.

use crate::order::OrderId;
use serde::{Deserialize, Serialize};

/// The orders are opened. Leads on by `collect`, by itself; ends by `undo`.
#[derive(Debug, Default)]
pub struct Planned {}

/// The payments are awaited. Leads on by `commit`, by itself; ends by `undo`.
#[derive(Debug)]
pub struct Collecting {}

/// The orders are settled. Leads on by `finish`, by itself.
#[derive(Debug)]
pub struct Committed {}

/// Every payee has the money.
#[derive(Debug)]
pub struct Done {}

/// The orders are called off. Leads on by `end_undoing`, by itself.
#[derive(Debug)]
pub struct Undoing {
    pub(super) why: Why,
}

/// Every order was called off.
#[derive(Debug)]
pub struct Undone {
    pub(super) why: Why,
}

/// Why a movement was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Somebody called it off.
    CalledOff,
    /// Not everything was paid by the deadline.
    TooLate,
    /// This order could no longer be paid: its last payment failed, was called off, or ran out of time.
    Failed(OrderId),
}

impl Undoing {
    /// Why.
    #[must_use]
    pub const fn why(&self) -> Why {
        self.why
    }
}

impl Undone {
    /// Why.
    #[must_use]
    pub const fn why(&self) -> Why {
        self.why
    }
}

/// A status before the point of no return.
pub trait Undoable {}
impl Undoable for Planned {}
impl Undoable for Collecting {}

/// A status in which a movement learns how far its orders are.
pub trait Counting {
    #[doc(hidden)]
    const STAGE: Stage;
}

/// Before the point of no return, after it, or on the way back.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Before,
    After,
    Back,
}

macro_rules! counting {
    ($($status:ident: $stage:ident),+) => { $(
        impl Counting for $status {
            const STAGE: Stage = Stage::$stage;
        }
    )+ };
}

counting!(Planned: Before, Collecting: Before, Committed: After, Undoing: Back);
