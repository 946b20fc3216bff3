//! What happens to the money of a pledge behind its back. It stays a pledge: what is charged back, its backer owes.

use super::{AnyPledge, Gathered, Paid, Pledge, Refunded, Returned};
use crate::payment::notes_after;

notes_after!(Pledge, AnyPledge: Paid, Gathered, Returned, Refunded);
