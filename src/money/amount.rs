//! An amount of money.
//!
//! ```
//! use escrowed::money::{Currency, Money};
//!
//! let price: Money = "12.34 EUR".parse()?;
//! assert_eq!(price.minor(), 1234);
//! assert_eq!(price.checked_add(Money::from_minor(66, Currency::EUR))?.to_string(), "13.00 EUR");
//! assert!(price.checked_add(Money::from_minor(66, Currency::JPY)).is_err());
//! # Ok::<(), escrowed::money::MoneyError>(())
//! ```

use std::{cmp::Ordering, fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    Currency, MoneyError,
    fixed::{self, Misfit},
};

/// An amount of one currency, in whole minor units: 1234 of EUR is €12.34, of JPY ¥1,234. It may be below zero.
///
/// Two amounts are equal if number and currency are. There is no `<`, `+` or `-`, since currencies do not mix: see
/// [`compare`](Money::compare), [`checked_add`](Money::checked_add) and [`checked_sub`](Money::checked_sub).
///
/// As text it is `12.34 EUR`, in serde `{"amount":1234,"currency":"EUR"}`, and nothing else is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    #[serde(rename = "amount")]
    minor: i64,
    currency: Currency,
}

impl Money {
    /// So many minor units (ISO 4217) of a currency: 1234 of EUR is €12.34.
    #[must_use]
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// A number of whole units as an amount: 12.34 of EUR is 1234 minor units. Trailing zeros do no harm.
    ///
    /// # Errors
    /// [`MoneyError::TooPrecise`] if the number has more decimals than the currency; it is never rounded.
    /// [`MoneyError::Overflow`] if it does not fit.
    pub fn from_decimal(number: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let minor = fixed::from_decimal(number, currency.exponent());
        Self::fitting(minor, currency, || number.to_string())
    }

    /// Reads `12.34 EUR`: a number, one space, a currency code in either case. What [`Display`](fmt::Display) writes.
    ///
    /// The number may have fewer decimals than the currency, but no `+`, no separators of thousands, no exponent.
    ///
    /// # Errors
    /// [`MoneyError::Text`] for any other form, [`MoneyError::Currency`] for an unknown code,
    /// [`MoneyError::TooPrecise`] and [`MoneyError::Overflow`] as in [`from_decimal`](Money::from_decimal).
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let (number, code) = text.split_once(' ').ok_or_else(|| MoneyError::Text { text: text.to_owned() })?;
        let currency = Currency::from_code(code)?;
        Self::fitting(fixed::read(number, currency.exponent()), currency, || text.to_owned())
    }

    /// The minor units (ISO 4217): 1234 for €12.34.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in whole units, with the decimals of its currency: 12.34 for 1234 minor units of EUR.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.exponent())
    }

    /// Whether it is exactly nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether it is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Whether it is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The amount itself if it is above zero: the check before money moves.
    ///
    /// # Errors
    /// [`MoneyError::Zero`] or [`MoneyError::Negative`].
    pub fn require_positive(self) -> Result<Self, MoneyError> {
        match self.minor.cmp(&0) {
            Ordering::Greater => Ok(self),
            Ordering::Equal => Err(MoneyError::Zero { currency: self.currency }),
            Ordering::Less => Err(MoneyError::Negative { amount: self }),
        }
    }

    /// This amount and another.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] if the currencies differ, [`MoneyError::Overflow`] if the sum does not fit.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    /// This amount less another. The result may be below zero.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] if the currencies differ, [`MoneyError::Overflow`] if the difference does not fit.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    /// The amount with the other sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for [`i64::MIN`] minor units, whose opposite does not fit.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_neg())
    }

    /// All the amounts together; nothing of the currency if there are none.
    ///
    /// Only the result has to fit, so the order of the amounts does not matter.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] if an amount is of another currency, [`MoneyError::Overflow`] if the sum does not fit.
    pub fn sum(amounts: impl IntoIterator<Item = Self>, currency: Currency) -> Result<Self, MoneyError> {
        let zero = Self::zero(currency);
        let mut sum: i128 = 0;
        for amount in amounts {
            zero.same_currency(amount)?;
            sum = sum.checked_add(i128::from(amount.minor)).ok_or(MoneyError::Overflow)?;
        }
        zero.with(i64::try_from(sum).ok())
    }

    /// Which of two amounts is greater.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] if the currencies differ.
    pub fn compare(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// That the other amount is of the same currency.
    pub(super) fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::Mixed { left: self.currency, right: other.currency })
        }
    }

    fn with(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        minor.map(|minor| Self { minor, ..self }).ok_or(MoneyError::Overflow)
    }

    fn fitting(
        minor: Result<i128, Misfit>,
        currency: Currency,
        text: impl FnOnce() -> String,
    ) -> Result<Self, MoneyError> {
        match minor.map(i64::try_from) {
            Ok(Ok(minor)) => Ok(Self { minor, currency }),
            Ok(Err(_)) | Err(Misfit::TooBig) => Err(MoneyError::Overflow),
            Err(Misfit::TooPrecise { given }) => {
                Err(MoneyError::TooPrecise { currency, allowed: currency.exponent(), given })
            }
            Err(Misfit::NotANumber) => Err(MoneyError::Text { text: text() }),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", fixed::text(self.minor, self.currency.exponent()), self.currency))
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{CurrencyError, strategies};
    use crate::seed::random;
    use proptest::prelude::*;

    const EUR: Currency = Currency::EUR;
    const MAX: Money = Money::from_minor(i64::MAX, EUR);
    const MIN: Money = Money::from_minor(i64::MIN, EUR);

    fn eur(minor: i64) -> Money {
        Money::from_minor(minor, EUR)
    }

    #[test]
    fn each_currency_has_its_own_decimals() {
        for (text, minor, currency) in [
            ("1234 JPY", 1234, Currency::JPY),
            ("12.34 EUR", 1234, EUR),
            ("1.234 KWD", 1234, Currency::KWD),
            ("-0.05 EUR", -5, EUR),
        ] {
            assert_eq!(Money::parse(text), Ok(Money::from_minor(minor, currency)));
            assert_eq!(Money::from_minor(minor, currency).to_string(), text);
        }
        assert_eq!(format!("{:>10}", eur(5)), "  0.05 EUR");
    }

    #[test]
    fn more_decimals_than_the_currency_has_are_refused() {
        let refused = |currency, allowed, given| Err(MoneyError::TooPrecise { currency, allowed, given });
        assert_eq!("1.5 JPY".parse::<Money>(), refused(Currency::JPY, 0, 1));
        assert_eq!("1.234 EUR".parse::<Money>(), refused(EUR, 2, 3));
        assert_eq!(Money::from_decimal(Decimal::new(12_345, 4), Currency::KWD), refused(Currency::KWD, 3, 4));
        assert_eq!(Money::from_decimal(Decimal::new(12_300, 4), EUR), Ok(eur(123)));
        assert_eq!("1.2300 EUR".parse::<Money>(), Ok(eur(123)));
        assert_eq!("1 eur".parse::<Money>(), Ok(eur(100)));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "12.34", "EUR", "EUR 12.34", "12,34 EUR", "12.34EUR", "+1 EUR", "1e3 EUR", " EUR"] {
            let error = Money::parse(text).unwrap_err();
            assert!(matches!(error, MoneyError::Text { .. } | MoneyError::Currency(_)), "{text:?}: {error:?}");
        }
        assert_eq!(Money::parse("1,0 EUR"), Err(MoneyError::Text { text: "1,0 EUR".into() }));
        assert_eq!(Money::parse("1 ABC"), Err(CurrencyError::Unknown { code: "ABC".into() }.into()));
        assert_eq!(Money::parse("1  EUR"), Err(CurrencyError::Unknown { code: " EUR".into() }.into()));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert_eq!(MAX.checked_add(eur(1)), Err(MoneyError::Overflow));
        assert_eq!(MIN.checked_sub(eur(1)), Err(MoneyError::Overflow));
        assert_eq!(MIN.checked_neg(), Err(MoneyError::Overflow));
        assert_eq!(MAX.checked_neg(), Ok(eur(-i64::MAX)));
        assert_eq!("92233720368547758.07 EUR".parse(), Ok(MAX));
        assert_eq!("-92233720368547758.08 EUR".parse(), Ok(MIN));
        assert_eq!("92233720368547758.08 EUR".parse::<Money>(), Err(MoneyError::Overflow));
        assert_eq!(Money::from_decimal(Decimal::MAX, EUR), Err(MoneyError::Overflow));
    }

    #[test]
    fn currencies_do_not_mix() {
        let (one, yen) = (eur(1), Money::from_minor(1, Currency::JPY));
        let mixed = MoneyError::Mixed { left: EUR, right: Currency::JPY };
        assert_eq!(one.checked_add(yen), Err(mixed.clone()));
        assert_eq!(one.checked_sub(yen), Err(mixed.clone()));
        assert_eq!(one.compare(yen), Err(mixed.clone()));
        assert_eq!(Money::sum([one, yen], EUR), Err(mixed));
        assert_ne!(one, yen);
        assert_eq!(one.compare(eur(2)), Ok(Ordering::Less));
    }

    #[test]
    fn a_sum_needs_only_its_result_to_fit() {
        assert_eq!(Money::sum([MAX, MAX, MIN, MIN], EUR), Ok(eur(-2)));
        assert_eq!(Money::sum([MAX, eur(1)], EUR), Err(MoneyError::Overflow));
        assert_eq!(Money::sum([], EUR), Ok(eur(0)));
    }

    #[test]
    fn only_what_is_above_zero_may_move() {
        assert_eq!(eur(1).require_positive(), Ok(eur(1)));
        assert_eq!(eur(0).require_positive(), Err(MoneyError::Zero { currency: EUR }));
        assert_eq!(eur(-1).require_positive(), Err(MoneyError::Negative { amount: eur(-1) }));
        let signs = |money: Money| [money.is_negative(), money.is_zero(), money.is_positive()];
        assert_eq!(signs(eur(-1)), [true, false, false]);
        assert_eq!(signs(eur(0)), [false, true, false]);
        assert_eq!(signs(eur(1)), [false, false, true]);
    }

    #[test]
    fn json_has_one_form() {
        assert_eq!(serde_json::to_string(&eur(1234)).unwrap(), r#"{"amount":1234,"currency":"EUR"}"#);
        let read = serde_json::from_str::<Money>;
        assert_eq!(read(r#"{"currency":"eur","amount":1234}"#).unwrap(), eur(1234));
        for json in [
            r#"{"amount":1234}"#,
            r#"{"amount":12.34,"currency":"EUR"}"#,
            r#"{"amount":"1234","currency":"EUR"}"#,
            r#"{"amount":1234,"currency":"XAU"}"#,
            r#"{"amount":1234,"currency":"EUR","fee":1}"#,
            r#"{"amount":9223372036854775808,"currency":"EUR"}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn text_json_and_decimals_give_the_amount_back(money in strategies::money()) {
            prop_assert_eq!(money.to_string().parse(), Ok(money));
            prop_assert_eq!(Money::from_decimal(money.to_decimal(), money.currency()), Ok(money));
            prop_assert_eq!(money.to_decimal().to_string() + " " + money.currency().code(), money.to_string());
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }

        #[test]
        fn arithmetic_is_exact_or_refused(a: i64, b: i64) {
            let exact = |wide: i128| i64::try_from(wide).map(eur).map_err(|_| MoneyError::Overflow);
            let (wide_a, wide_b) = (i128::from(a), i128::from(b));
            prop_assert_eq!(eur(a).checked_add(eur(b)), exact(wide_a + wide_b));
            prop_assert_eq!(eur(a).checked_sub(eur(b)), exact(wide_a - wide_b));
            prop_assert_eq!(eur(a).checked_neg(), exact(-wide_a));
            prop_assert_eq!(Money::sum([eur(a), eur(b)], EUR), exact(wide_a + wide_b));
        }
    }
}
