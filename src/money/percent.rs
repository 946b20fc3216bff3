//! A part of an amount.
//!
//! ```
//! use escrowed::money::{Money, Percent};
//!
//! let fee: Percent = "2.5%".parse()?;
//! let price: Money = "10.20 EUR".parse()?;
//! assert_eq!(fee.of(price).to_string(), "0.26 EUR"); // 0.255, half a cent goes up
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{
    Money,
    fixed::{self, Misfit},
};

/// From 0 % to 100 %, exact to 0.0001 %.
///
/// Counted in millionths (ppm): 10 000 ppm are 1 %. As text and in serde it is `2.5%`. The sign must be there, since
/// `0.1` alone may mean a tenth of a percent or a tenth of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    ppm: u32,
}

/// Why something is no [`Percent`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PercentError {
    /// It is below 0 % or above 100 %.
    #[error("a percentage goes from 0% to 100%: give one in between")]
    OutOfRange,
    /// It has more than four decimals, trailing zeros aside.
    #[error("a percentage has at most 4 decimals, not {given}: round it first")]
    TooPrecise {
        /// How many decimals it has.
        given: u32,
    },
    /// The text is not a number and a percent sign.
    #[error("{text:?} is no percentage: write a number and a percent sign, such as \"2.5%\"")]
    Text {
        /// The text that was given.
        text: String,
    },
}

impl Percent {
    /// Nothing of it.
    pub const ZERO: Self = Self { ppm: 0 };
    /// All of it.
    pub const HUNDRED: Self = Self { ppm: Self::WHOLE };

    /// The whole, in millionths.
    pub(super) const WHOLE: u32 = 1_000_000;
    const DECIMALS: u32 = 4;

    /// So many millionths: 25 000 are 2.5 %.
    ///
    /// # Errors
    /// [`PercentError::OutOfRange`] above 1 000 000.
    pub const fn from_ppm(ppm: u32) -> Result<Self, PercentError> {
        if ppm <= Self::WHOLE { Ok(Self { ppm }) } else { Err(PercentError::OutOfRange) }
    }

    /// A number of percent: 2.5 is 2.5 %.
    ///
    /// # Errors
    /// [`PercentError::OutOfRange`] outside of 0 to 100, [`PercentError::TooPrecise`] beyond four decimals.
    pub fn from_decimal(number: Decimal) -> Result<Self, PercentError> {
        Self::fitting(fixed::from_decimal(number, Self::DECIMALS), || number.to_string())
    }

    /// The millionths: 25 000 for 2.5 %.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        self.ppm
    }

    /// The number of percent: 2.5 for 2.5 %.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(i64::from(self.ppm), Self::DECIMALS).normalize()
    }

    /// This part of an amount, in its currency, rounded to a whole minor unit: the nearest, and half a unit away from
    /// zero, as people round and invoices are checked. Never further from zero than the amount itself.
    ///
    /// To divide an amount among several, use [`split`](super::split): parts that are rounded one by one need not add
    /// up to it.
    #[must_use]
    pub fn of(self, amount: Money) -> Money {
        let whole = i128::from(Self::WHOLE);
        let exact = i128::from(amount.minor()) * i128::from(self.ppm);
        let rounded = (exact + exact.signum() * whole / 2) / whole;
        let minor = i64::try_from(rounded).expect("a part of an amount is no larger than the amount");
        Money::from_minor(minor, amount.currency())
    }

    fn fitting(ppm: Result<i128, Misfit>, text: impl FnOnce() -> String) -> Result<Self, PercentError> {
        match ppm.map(u32::try_from) {
            Ok(Ok(ppm)) => Self::from_ppm(ppm),
            Ok(Err(_)) | Err(Misfit::TooBig) => Err(PercentError::OutOfRange),
            Err(Misfit::TooPrecise { given }) => Err(PercentError::TooPrecise { given }),
            Err(Misfit::NotANumber) => Err(PercentError::Text { text: text() }),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}%", self.to_decimal()))
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        // Without its sign it is no number either, so one error serves both.
        let number = text.strip_suffix('%').unwrap_or("");
        Self::fitting(fixed::read(number, Self::DECIMALS), || text.to_owned())
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Currency, strategies};
    use crate::seed::random;
    use proptest::prelude::*;

    fn percent(text: &str) -> Percent {
        text.parse().unwrap()
    }

    fn of(text: &str, minor: i64) -> i64 {
        percent(text).of(Money::from_minor(minor, Currency::EUR)).minor()
    }

    #[test]
    fn a_percentage_is_between_nothing_and_all() {
        assert_eq!(percent("0%"), Percent::ZERO);
        assert_eq!(percent("100.0000%"), Percent::HUNDRED);
        assert_eq!(Percent::from_ppm(1_000_001), Err(PercentError::OutOfRange));
        let far = "9".repeat(50) + "%";
        for text in ["-0.0001%", "100.0001%", "4294967396%", far.as_str()] {
            assert_eq!(text.parse::<Percent>(), Err(PercentError::OutOfRange), "{text}");
        }
        assert_eq!(Percent::from_decimal(Decimal::NEGATIVE_ONE), Err(PercentError::OutOfRange));
        assert_eq!(Percent::from_decimal(Decimal::MAX), Err(PercentError::OutOfRange));
    }

    #[test]
    fn four_decimals_and_a_sign() {
        assert_eq!(percent("2.5%").ppm(), 25_000);
        assert_eq!(percent("33.3333%").to_string(), "33.3333%");
        assert_eq!(percent("10.50%").to_string(), "10.5%");
        assert_eq!("1.00001%".parse::<Percent>(), Err(PercentError::TooPrecise { given: 5 }));
        assert_eq!(Percent::from_decimal(Decimal::new(25, 1)), Ok(percent("2.5%")));
        assert_eq!(Percent::from_decimal(Decimal::new(1, 5)), Err(PercentError::TooPrecise { given: 5 }));
        for text in ["", "%", "10", "0.1", "10 %", "10%%", "ten%", "%10"] {
            assert_eq!(text.parse::<Percent>(), Err(PercentError::Text { text: text.to_owned() }));
        }
    }

    #[test]
    fn half_a_unit_goes_away_from_zero() {
        assert_eq!(of("10%", 10_000), 1_000);
        assert_eq!(of("10%", 4), 0);
        assert_eq!(of("10%", 5), 1);
        assert_eq!(of("10%", 15), 2);
        assert_eq!(of("10%", 25), 3);
        assert_eq!(of("10%", -4), 0);
        assert_eq!(of("10%", -5), -1);
        assert_eq!(of("49.9999%", 1), 0);
    }

    #[test]
    fn json_is_the_text() {
        assert_eq!(serde_json::to_string(&percent("2.50%")).unwrap(), "\"2.5%\"");
        for json in ["\"101%\"", "2.5", "\"2.5\""] {
            assert!(serde_json::from_str::<Percent>(json).is_err(), "{json}");
        }
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn text_json_and_decimals_give_it_back(percent in strategies::percent()) {
            prop_assert_eq!(percent.to_string().parse(), Ok(percent));
            prop_assert_eq!(Percent::from_decimal(percent.to_decimal()), Ok(percent));
            let json = serde_json::to_string(&percent).unwrap();
            prop_assert_eq!(serde_json::from_str::<Percent>(&json).unwrap(), percent);
        }

        #[test]
        fn a_part_is_the_nearest_whole_unit(percent in strategies::percent(), amount in strategies::money()) {
            let part = percent.of(amount);
            let off = i128::from(part.minor()) * 1_000_000 - i128::from(amount.minor()) * i128::from(percent.ppm());
            prop_assert!(off.abs() <= 500_000);
            prop_assert!(off.abs() < 500_000 || off.signum() == i128::from(amount.minor().signum()));
            prop_assert_eq!(part.currency(), amount.currency());
            prop_assert_eq!(Percent::HUNDRED.of(amount), amount);
            prop_assert!(Percent::ZERO.of(amount).is_zero());
        }
    }
}
