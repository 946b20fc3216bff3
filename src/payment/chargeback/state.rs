//! The statuses of a chargeback, each with what only it knows.

use super::Back;

/// The dispute is not decided. Leads on by `win`, `lose` and `accept`.
#[derive(Debug, Default)]
pub struct Open {}

/// The dispute was won.
#[derive(Debug)]
pub struct Won {
    pub(super) back: Vec<Back>,
}

/// The dispute was lost.
#[derive(Debug)]
pub struct Lost {}

/// The platform does not fight it. Leads on by `win` and `lose`.
#[derive(Debug)]
pub struct Accepted {}

/// A status in which the dispute is not decided.
pub trait Undecided {}
impl Undecided for Open {}
impl Undecided for Accepted {}

impl Won {
    /// What each share has back.
    #[must_use]
    pub fn back(&self) -> &[Back] {
        &self.back
    }
}
