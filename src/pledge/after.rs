//! What happens to the money of a pledge behind its back. It stays a pledge: what is charged back, its backer owes. Where it
//! goes back after all, that part goes into the backer's wallet and pays what is owed: the bank gave it back before.

use super::{AnyPledge, Gathered, Paid, Pledge, Refunded, Returned};
use crate::payment::notes_after;

notes_after!(Pledge, AnyPledge: Paid, Gathered, Returned, Refunded);
