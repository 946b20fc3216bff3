//! How a dispute ends: so much to the buyer, so much to the seller.

use crate::{lifecycle::Reason, money::Money, payment::Outgoing};
use serde::{Deserialize, Serialize};

/// An arbiter's award: exact amounts that add up to all that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Award {
    /// Goes back to the buyer, in minor units; may be nothing.
    pub buyer: Money,
    /// Goes to the seller, in minor units; may be nothing.
    pub seller: Money,
}

/// An award that was made, and the payments it opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awarded {
    /// The award.
    pub award: Award,
    /// Its payments.
    pub outgoing: Outgoing,
}

impl Award {
    /// Checks it against what is held, in minor units.
    ///
    /// # Errors
    /// [`Reason`] when a part is negative or of another currency, or the parts do not add up.
    pub fn adds_up_to(&self, held: Money) -> Result<(), Reason> {
        for part in [self.buyer, self.seller] {
            if part.is_negative() {
                return Err(Reason::Money(crate::money::MoneyError::Negative { amount: part }));
            }
        }
        let found = self.buyer.checked_add(self.seller)?;
        if found == held { Ok(()) } else { Err(Reason::WrongAmount { expected: held, found }) }
    }
}
