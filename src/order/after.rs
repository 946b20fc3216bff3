//! What happens to the money of an order after it has left.

use super::{AnyOrder, BlockedRelease, Order, PendingRelease, Released};
use crate::payment::notes_after;

notes_after!(Order, AnyOrder: PendingRelease, BlockedRelease, Released);
