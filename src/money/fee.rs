//! What the platform takes of an amount.
//!
//! ```
//! use escrowed::money::{FeePolicy, FeeRule, Money};
//!
//! let money = Money::parse;
//! // 10 % and €5, whichever is greater, but never below €1.
//! let policy = FeePolicy::new(FeeRule::new("10%".parse()?, money("5.00 EUR")?)?, money("1.00 EUR")?)?;
//! assert_eq!(policy.fee(money("100.00 EUR")?, None)?, money("10.00 EUR")?);
//! assert_eq!(policy.fee(money("20.00 EUR")?, None)?, money("5.00 EUR")?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{Currency, Money, MoneyError, Percent};

/// A percentage and an absolute amount, of which the greater is the fee (Truust public API reference).
///
/// In serde `{"percent":"10%","absolute":{"amount":500,"currency":"EUR"}}`, checked as in [`FeeRule::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "UncheckedRule")]
pub struct FeeRule {
    percent: Percent,
    absolute: Money,
}

/// The fees of an account: its rule, which an order may override, and the minimum of the platform, which it may not.
///
/// A policy is for one currency, that of its amounts. In serde `{"default":…,"minimum":…}`, a [`FeeRule`] and a
/// [`Money`], checked as in [`FeePolicy::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "UncheckedPolicy")]
pub struct FeePolicy {
    default: FeeRule,
    minimum: Money,
}

/// What to put into an order so that its buyer bears the fee: see [`FeePolicy::borne_by_buyer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BorneByBuyer {
    /// The amount of the order, which the buyer pays: the price and the fee.
    pub amount: Money,
    /// The order's own rule: the fee as an absolute amount, and 0 %.
    pub rule: FeeRule,
}

/// Why there is no fee to be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeeError {
    /// An amount, an absolute fee or a minimum is below zero.
    #[error("{amount} is below zero: fees and what they are taken from cannot be")]
    Negative {
        /// The amount that was given.
        amount: Money,
    },
    /// The fee is more than the amount it is taken from, so the seller would have to pay to sell.
    #[error("the fee of {fee} is more than the amount of {amount}: raise the amount or lower the fee")]
    ExceedsAmount {
        /// The fee that the rule and the minimum make.
        fee: Money,
        /// The amount it would be taken from.
        amount: Money,
    },
    /// Two currencies met, or the price and its fee together do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl FeeRule {
    /// The greater of a percentage of the amount and an absolute fee.
    ///
    /// # Errors
    /// [`FeeError::Negative`] if `absolute` is below zero.
    pub fn new(percent: Percent, absolute: Money) -> Result<Self, FeeError> {
        Ok(Self { percent, absolute: not_negative(absolute)? })
    }

    /// An absolute fee and 0 %.
    ///
    /// # Errors
    /// [`FeeError::Negative`] if `absolute` is below zero.
    pub fn flat(absolute: Money) -> Result<Self, FeeError> {
        Self::new(Percent::ZERO, absolute)
    }

    /// The percentage.
    #[must_use]
    pub const fn percent(&self) -> Percent {
        self.percent
    }

    /// The absolute fee.
    #[must_use]
    pub const fn absolute(&self) -> Money {
        self.absolute
    }

    /// The currency of the rule: that of its absolute fee.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.absolute.currency()
    }

    fn of(&self, amount: Money) -> Result<Money, FeeError> {
        greater(self.absolute, self.percent.of(amount))
    }
}

impl FeePolicy {
    /// A rule, and the least that the platform takes of any order.
    ///
    /// # Errors
    /// [`FeeError::Negative`] if `minimum` is below zero, [`MoneyError::Mixed`] if it is of another currency than the
    /// rule.
    pub fn new(default: FeeRule, minimum: Money) -> Result<Self, FeeError> {
        default.absolute.same_currency(minimum)?;
        Ok(Self { default, minimum: not_negative(minimum)? })
    }

    /// No fees, unless an order brings a rule of its own.
    #[must_use]
    pub const fn free(currency: Currency) -> Self {
        let nothing = Money::zero(currency);
        Self { default: FeeRule { percent: Percent::ZERO, absolute: nothing }, minimum: nothing }
    }

    /// The rule for orders that have none of their own.
    #[must_use]
    pub const fn default_rule(&self) -> &FeeRule {
        &self.default
    }

    /// The least that the platform takes of any order.
    #[must_use]
    pub const fn minimum(&self) -> Money {
        self.minimum
    }

    /// The fee of an order of this amount, by its own rule or else by the default. The minimum holds for both.
    ///
    /// The seller bears it, and gets the amount less the fee. The percentage is rounded as in [`Percent::of`].
    ///
    /// # Errors
    /// [`FeeError::ExceedsAmount`] if the seller would get less than nothing, [`FeeError::Negative`] for an amount
    /// below zero, [`MoneyError::Mixed`] if amount, rule and policy are not of one currency.
    pub fn fee(&self, amount: Money, own: Option<&FeeRule>) -> Result<Money, FeeError> {
        let fee = self.due(amount, own)?;
        match fee.compare(amount)? {
            Ordering::Greater => Err(FeeError::ExceedsAmount { fee, amount }),
            Ordering::Equal | Ordering::Less => Ok(fee),
        }
    }

    /// The order that gives its seller the whole price and takes the fee of that price from the buyer: the fee is
    /// added to the amount and given as an absolute fee with 0 % (Truust public API reference).
    ///
    /// ```
    /// use escrowed::money::{FeePolicy, FeeRule, Money};
    ///
    /// let money = Money::parse;
    /// let policy = FeePolicy::new(FeeRule::new("10%".parse()?, money("5.00 EUR")?)?, money("0.00 EUR")?)?;
    /// let order = policy.borne_by_buyer(money("100.00 EUR")?, None)?;
    /// assert_eq!(order.amount, money("110.00 EUR")?);
    ///
    /// let fee = policy.fee(order.amount, Some(&order.rule))?;
    /// assert_eq!(fee, money("10.00 EUR")?);
    /// assert_eq!(order.amount.checked_sub(fee)?, money("100.00 EUR")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FeeError::Negative`] for a price below zero, [`MoneyError::Mixed`] if price, rule and policy are not of one
    /// currency, [`MoneyError::Overflow`] if price and fee together do not fit.
    pub fn borne_by_buyer(&self, price: Money, own: Option<&FeeRule>) -> Result<BorneByBuyer, FeeError> {
        let fee = self.due(price, own)?;
        Ok(BorneByBuyer { amount: price.checked_add(fee)?, rule: FeeRule::flat(fee)? })
    }

    fn due(&self, amount: Money, own: Option<&FeeRule>) -> Result<Money, FeeError> {
        let fee = own.unwrap_or(&self.default).of(not_negative(amount)?)?;
        greater(self.minimum, fee)
    }
}

fn greater(one: Money, other: Money) -> Result<Money, FeeError> {
    Ok(if one.compare(other)?.is_lt() { other } else { one })
}

fn not_negative(amount: Money) -> Result<Money, FeeError> {
    if amount.is_negative() { Err(FeeError::Negative { amount }) } else { Ok(amount) }
}

/// A rule as it is stored, before it has been checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedRule {
    percent: Percent,
    absolute: Money,
}

impl TryFrom<UncheckedRule> for FeeRule {
    type Error = FeeError;

    fn try_from(rule: UncheckedRule) -> Result<Self, FeeError> {
        Self::new(rule.percent, rule.absolute)
    }
}

/// A policy as it is stored, before it has been checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedPolicy {
    default: FeeRule,
    minimum: Money,
}

impl TryFrom<UncheckedPolicy> for FeePolicy {
    type Error = FeeError;

    fn try_from(policy: UncheckedPolicy) -> Result<Self, FeeError> {
        Self::new(policy.default, policy.minimum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::strategies;
    use crate::seed::random;
    use proptest::prelude::*;

    fn eur(minor: i64) -> Money {
        Money::from_minor(minor, Currency::EUR)
    }

    fn rule(percent: &str, absolute: i64) -> FeeRule {
        FeeRule::new(percent.parse().unwrap(), eur(absolute)).unwrap()
    }

    fn policy(minimum: i64) -> FeePolicy {
        FeePolicy::new(rule("10%", 500), eur(minimum)).unwrap()
    }

    fn mixed(left: Currency, right: Currency) -> FeeError {
        MoneyError::Mixed { left, right }.into()
    }

    #[test]
    fn the_greater_of_percentage_and_absolute_applies() {
        assert_eq!(policy(0).fee(eur(10_000), None), Ok(eur(1_000)));
        assert_eq!(policy(0).fee(eur(2_000), None), Ok(eur(500)));
        assert_eq!(policy(0).fee(eur(5_000), None), Ok(eur(500)));
        assert_eq!(policy(0).fee(eur(5_005), None), Ok(eur(501)));
    }

    #[test]
    fn never_below_the_minimum_of_the_platform() {
        assert_eq!(policy(700).fee(eur(2_000), None), Ok(eur(700)));
        assert_eq!(policy(700).fee(eur(10_000), None), Ok(eur(1_000)));
        assert_eq!(policy(700).fee(eur(10_000), Some(&rule("0%", 0))), Ok(eur(700)));
    }

    #[test]
    fn an_order_may_override_the_rule() {
        assert_eq!(policy(0).fee(eur(10_000), Some(&rule("2.5%", 0))), Ok(eur(250)));
        assert_eq!(policy(0).fee(eur(10_000), Some(&rule("0%", 3_000))), Ok(eur(3_000)));
        assert_eq!(policy(0).fee(eur(10_000), Some(&rule("0%", 0))), Ok(eur(0)));
    }

    #[test]
    fn a_fee_is_not_more_than_the_amount() {
        assert_eq!(policy(0).fee(eur(500), None), Ok(eur(500)));
        let exceeds = FeeError::ExceedsAmount { fee: eur(500), amount: eur(499) };
        assert_eq!(policy(0).fee(eur(499), None), Err(exceeds));
    }

    #[test]
    fn nothing_is_below_zero() {
        let negative = FeeError::Negative { amount: eur(-1) };
        assert_eq!(FeeRule::flat(eur(-1)), Err(negative.clone()));
        assert_eq!(FeePolicy::new(rule("0%", 0), eur(-1)), Err(negative.clone()));
        assert_eq!(policy(0).fee(eur(-1), None), Err(negative.clone()));
        assert_eq!(policy(0).borne_by_buyer(eur(-1), None), Err(negative));
    }

    #[test]
    fn all_is_of_one_currency() {
        let (euro, yen) = (Currency::EUR, Currency::JPY);
        let free_yen = FeeRule::flat(Money::zero(yen)).unwrap();
        assert_eq!(policy(0).fee(Money::from_minor(9_999, yen), None), Err(mixed(euro, yen)));
        assert_eq!(policy(0).fee(eur(9_999), Some(&free_yen)), Err(mixed(yen, euro)));
        assert_eq!(policy(0).fee(Money::from_minor(9_999, yen), Some(&free_yen)), Err(mixed(euro, yen)));
        assert_eq!(FeePolicy::new(rule("0%", 0), Money::zero(yen)), Err(mixed(euro, yen)));
    }

    #[test]
    fn a_fee_borne_by_the_buyer_leaves_the_seller_the_price() {
        let order = policy(0).borne_by_buyer(eur(10_000), None).unwrap();
        assert_eq!(order, BorneByBuyer { amount: eur(11_000), rule: rule("0%", 1_000) });
        assert_eq!(policy(0).fee(order.amount, Some(&order.rule)), Ok(eur(1_000)));
        // Less than its fee, which the seller could not bear.
        assert_eq!(policy(0).borne_by_buyer(eur(200), None).unwrap().amount, eur(700));
        assert_eq!(policy(0).borne_by_buyer(eur(i64::MAX), None), Err(MoneyError::Overflow.into()));
    }

    #[test]
    fn without_fees_nothing_is_taken() {
        assert_eq!(FeePolicy::free(Currency::EUR).fee(eur(0), None), Ok(eur(0)));
        assert_eq!(FeePolicy::free(Currency::EUR).fee(eur(10_000), None), Ok(eur(0)));
    }

    #[test]
    fn json_goes_through_the_same_checks() {
        let json = concat!(
            r#"{"default":{"percent":"10%","absolute":{"amount":500,"currency":"EUR"}},"#,
            r#""minimum":{"amount":100,"currency":"EUR"}}"#
        );
        assert_eq!(serde_json::to_string(&policy(100)).unwrap(), json);
        assert_eq!(serde_json::from_str::<FeePolicy>(json).unwrap(), policy(100));
        for (right, wrong) in [
            ("500", "-500"),
            ("100,", "-100,"),
            ("10%", "101%"),
            (r#"100,"currency":"EUR""#, r#"100,"currency":"JPY""#),
            (r#""percent""#, r#""cap":1,"percent""#),
            (r#""default""#, r#""cap":1,"default""#),
        ] {
            assert!(json.contains(right));
            assert!(serde_json::from_str::<FeePolicy>(&json.replace(right, wrong)).is_err(), "{wrong}");
        }
    }

    fn any_rule() -> impl Strategy<Value = FeeRule> {
        (strategies::percent(), 0..100_000_i64)
            .prop_map(|(percent, absolute)| FeeRule::new(percent, eur(absolute)).unwrap())
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn a_fee_is_the_greatest_of_the_three(
            default in any_rule(),
            own in proptest::option::of(any_rule()),
            minimum in 0..100_000_i64,
            amount in 0..1_000_000_000_i64,
        ) {
            let policy = FeePolicy::new(default, eur(minimum)).unwrap();
            let rule = own.unwrap_or(default);
            let three = [rule.percent().of(eur(amount)).minor(), rule.absolute().minor(), minimum];
            let fee = eur(three.into_iter().max().unwrap());
            match policy.fee(eur(amount), own.as_ref()) {
                Ok(taken) => prop_assert_eq!(taken, fee),
                Err(error) => {
                    prop_assert_eq!(error, FeeError::ExceedsAmount { fee, amount: eur(amount) });
                    prop_assert!(fee.minor() > amount);
                }
            }
            let order = policy.borne_by_buyer(eur(amount), own.as_ref()).unwrap();
            let taken = policy.fee(order.amount, Some(&order.rule)).unwrap();
            prop_assert_eq!(taken, fee);
            prop_assert_eq!(order.amount.checked_sub(taken), Ok(eur(amount)));
            let json = serde_json::to_string(&policy).unwrap();
            prop_assert_eq!(serde_json::from_str::<FeePolicy>(&json).unwrap(), policy);
        }
    }
}
