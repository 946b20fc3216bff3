//! What comes back to somebody who lent.

use crate::{
    lifecycle::Reason,
    money::{Currency, Money, MoneyError},
};
use serde::{Deserialize, Serialize};

/// What comes back to somebody who lent: principal and interest, which never mix. In minor units, neither below zero.
///
/// ```
/// use escrowed::pledge::Proceeds;
///
/// let one = Proceeds { principal: "33.34 EUR".parse()?, interest: "1.67 EUR".parse()? };
/// assert_eq!(one.sum()?, "35.01 EUR".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proceeds {
    /// What was lent and comes back.
    pub principal: Money,
    /// What it earned, interest for late payment included.
    pub interest: Money,
}

impl Proceeds {
    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { principal: Money::zero(currency), interest: Money::zero(currency) }
    }

    /// Both together, in minor units.
    ///
    /// # Errors
    /// [`MoneyError`] when they are of two currencies, or do not fit.
    pub fn sum(&self) -> Result<Money, MoneyError> {
        self.principal.checked_add(self.interest)
    }

    /// These and others.
    ///
    /// # Errors
    /// [`MoneyError`] when they are of two currencies, or do not fit.
    pub fn checked_add(&self, other: &Self) -> Result<Self, MoneyError> {
        let (principal, interest) =
            (self.principal.checked_add(other.principal)?, self.interest.checked_add(other.interest)?);
        Ok(Self { principal, interest })
    }

    pub(crate) fn require_not_negative(&self) -> Result<(), Reason> {
        match [self.principal, self.interest].into_iter().find(|amount| amount.is_negative()) {
            Some(amount) => Err(MoneyError::Negative { amount }.into()),
            None => Ok(()),
        }
    }
}
