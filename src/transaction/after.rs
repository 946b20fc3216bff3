//! What happens to the money of a transaction after it has left.

use super::{AnyTransaction, ComplaintSubmitted, FundsReleased, Transaction};
use crate::payment::notes_after;

notes_after!(Transaction, AnyTransaction: ComplaintSubmitted, FundsReleased);
