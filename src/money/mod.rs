//! Money: whole minor units of one ISO 4217 currency, split exactly, and the fees taken from it.
//!
//! ```
//! use escrowed::money::{Currency, FeePolicy, FeeRule, Money};
//!
//! let rule = FeeRule::new("10%".parse()?, "5.00 EUR".parse()?)?;
//! let policy = FeePolicy::new(rule, Money::zero(Currency::EUR))?;
//!
//! let price: Money = "100.00 EUR".parse()?;
//! let fee = policy.fee(price, None)?;
//! assert_eq!(fee, "10.00 EUR".parse()?);
//! assert_eq!(price.checked_sub(fee)?.to_string(), "90.00 EUR");
//!
//! let thirds = price.split_by_weights(&[1, 1, 1])?;
//! assert_eq!(thirds.iter().map(Money::to_string).collect::<Vec<_>>(), ["33.34 EUR", "33.33 EUR", "33.33 EUR"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | name a currency | [`Currency`] |
//! | hold, add, compare, read and write an amount | [`Money`] |
//! | take a part of an amount | [`Percent`] |
//! | divide an amount among several, to the last minor unit | [`split`] with [`Share`]s, [`Money::split_by_weights`] |
//! | work out what the platform takes | [`FeeRule`], [`FeePolicy`] |
//!
//! An amount is a whole number of minor units, so nothing is rounded by being stored. There are two places where
//! something is rounded: [`Percent::of`], half away from zero, and [`split`], by largest remainder. Both say so.
//! [`Decimal`] is accepted and given at the edges only, and a number with too many decimals is refused, not rounded.
//!
//! `Money` has no `+`, `-` or `<`: each of them would have to panic, wrap or guess when an amount overflows or two
//! currencies meet. The named methods return a [`MoneyError`] instead.

mod amount;
mod currency;
mod error;
mod fee;
mod fixed;
mod percent;
mod remainder;
mod split;
#[cfg(test)]
mod strategies;

pub use amount::Money;
pub use currency::{Currency, CurrencyError};
pub use error::MoneyError;
pub use fee::{BorneByBuyer, FeeError, FeePolicy, FeeRule};
pub use percent::{Percent, PercentError};
pub use split::{Share, SplitError, split};

pub use rust_decimal::Decimal;
