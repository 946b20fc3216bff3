//! What can go wrong with an amount.
//!
//! ```
//! use escrowed::money::{Currency, Money, MoneyError};
//!
//! let euros = Money::from_minor(100, Currency::EUR);
//! let yen = Money::from_minor(100, Currency::JPY);
//! assert_eq!(euros.checked_add(yen), Err(MoneyError::Mixed { left: Currency::EUR, right: Currency::JPY }));
//! ```

use super::{Currency, CurrencyError, Money};

/// Why an amount could not be made, read or worked out. Each message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// The number has more decimals than its currency, trailing zeros aside.
    #[error("{currency} has {allowed} decimals, not {given}: round the number first, by a rule of your own")]
    TooPrecise {
        /// The currency of the number.
        currency: Currency,
        /// How many decimals the currency has (ISO 4217).
        allowed: u32,
        /// How many decimals the number has.
        given: u32,
    },
    /// Two currencies met. Balances of different currencies never mix.
    #[error("{left} and {right} do not mix: convert one of them first")]
    Mixed {
        /// The currency of the amount whose method was called, or the one that was expected.
        left: Currency,
        /// The currency of the other amount.
        right: Currency,
    },
    /// The result does not fit into 64 bits of minor units.
    #[error("the amount is beyond what can be held (about 9.2 * 10^18 minor units): use smaller amounts")]
    Overflow,
    /// The amount is zero where money must move.
    #[error("the amount is zero: give at least one minor unit of {currency}")]
    Zero {
        /// The currency of the amount.
        currency: Currency,
    },
    /// The amount is below zero where it must not be.
    #[error("{amount} is below zero: give an amount above it")]
    Negative {
        /// The amount that was given.
        amount: Money,
    },
    /// The text is not an amount.
    #[error("{text:?} is no amount: write a number, a space and a currency code, such as \"12.34 EUR\"")]
    Text {
        /// The text that was given.
        text: String,
    },
    /// The text ends in something that is not a currency.
    #[error(transparent)]
    Currency(#[from] CurrencyError),
}
