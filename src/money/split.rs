//! Dividing an amount among several, to the last minor unit.
//!
//! ```
//! use escrowed::money::{Money, Share, split};
//!
//! // €5 to the platform, 10 % to a partner, the rest to the seller.
//! let total: Money = "99.99 EUR".parse()?;
//! let parts = split(total, &[Share::Fixed("5.00 EUR".parse()?), Share::Percent("10%".parse()?), Share::Rest])?;
//! assert_eq!(parts.iter().map(Money::to_string).collect::<Vec<_>>(), ["5.00 EUR", "10.00 EUR", "84.99 EUR"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::{Money, MoneyError, Percent, remainder::largest_remainder};
use serde::{Deserialize, Serialize};

/// What one of several gets of an amount (split payments, `001_146075c5300aa4f1.txt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// This much, before all others; in the currency of the total.
    Fixed(Money),
    /// This part of the whole total, not of what the fixed shares leave.
    Percent(Percent),
    /// A part of what fixed shares and percentages leave, in proportion to the other weights. Weight 0 gets nothing.
    Weight(u64),
    /// What is left. The same as a weight of 1, so several of them share evenly.
    Rest,
}

/// Why an amount cannot be split that way. Nothing has been given to anyone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// There are no shares.
    #[error("there is nobody to share among: give at least one share")]
    Empty,
    /// The total is below zero.
    #[error("{total} cannot be shared out: give a total that is not below zero")]
    NegativeTotal {
        /// The total that was given.
        total: Money,
    },
    /// A fixed share is below zero.
    #[error("share {index} is {amount}: a share cannot be below zero")]
    NegativeShare {
        /// Its place in the list, from 0.
        index: usize,
        /// The share that was given.
        amount: Money,
    },
    /// All weights are 0.
    #[error("all weights are 0, so nobody gets what is left: give at least one above 0")]
    NoWeight,
    /// The shares do not use up the total, and none of them takes what is left.
    #[error("the shares leave {amount} of the total over: raise one, or add a rest")]
    LeftOver {
        /// How much nobody gets, rounded up to a whole minor unit.
        amount: Money,
    },
    /// Fixed shares and percentages ask for more than there is.
    #[error("the shares exceed the total by {amount}: lower one")]
    Exceeded {
        /// How much is missing, rounded up to a whole minor unit.
        amount: Money,
    },
    /// Another currency than the total's, or more than fits.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Divides `total` among `shares`: one amount each, in the same order, which together are exactly `total`.
///
/// 1. Fixed shares get what they say.
/// 2. Percentages are of `total`. Together they get their exact part, half a minor unit rounded up, so that a single
///    one gets what [`Percent::of`] says.
/// 3. What is left goes to weights and rests, in proportion.
///
/// Within 2 and 3 the minor units are handed out by the method of the largest remainder: each share gets its exact
/// part rounded down, and the units still missing go one each to the shares that lost most by the rounding. **Of
/// shares that lost the same, the earlier in the list comes first.** So no share is a whole unit or more away from its
/// exact part, and the same list always gives the same amounts.
///
/// Without a weight or a rest the shares must use up the total exactly, before any rounding: percentages that add up
/// to 99.99 % are refused for every total above zero, also where the difference would be less than a minor unit.
///
/// # Errors
/// A [`SplitError`]: for an empty list, anything below zero, another currency, weights that are all 0, shares that
/// ask for more than there is, or for less with nobody to take what is left.
pub fn split(total: Money, shares: &[Share]) -> Result<Vec<Money>, SplitError> {
    let base = countable(total, shares)?;
    let plan = Plan::new(total, base, shares)?;

    let whole = u128::from(Percent::WHOLE);
    let mut percents = largest_remainder(base, shares.iter().filter_map(ppm).collect(), whole, plan.percents);
    let mut weighted =
        largest_remainder(plan.left, shares.iter().filter_map(weight).collect(), plan.weights, plan.left);
    let mut parts = Vec::with_capacity(shares.len());
    for share in shares {
        let part = match share {
            Share::Fixed(amount) => Ok(*amount),
            Share::Percent(_) => money(percents.next().map_or(0, i128::from), total),
            Share::Weight(_) | Share::Rest => money(weighted.next().map_or(0, i128::from), total),
        };
        parts.push(part?);
    }
    assert_eq!(Money::sum(parts.iter().copied(), total.currency()), Ok(total), "parts add up to the total");
    Ok(parts)
}

impl Money {
    /// Divides the amount in proportion to the weights: [`split`] with nothing but [`Share::Weight`]s.
    ///
    /// ```
    /// use escrowed::money::{Currency, Money};
    ///
    /// let parts = Money::from_minor(100, Currency::EUR).split_by_weights(&[1, 2, 0])?;
    /// assert_eq!(parts.iter().map(|part| part.minor()).collect::<Vec<_>>(), [33, 67, 0]);
    /// # Ok::<(), escrowed::money::SplitError>(())
    /// ```
    ///
    /// # Errors
    /// [`SplitError::Empty`], [`SplitError::NegativeTotal`], or [`SplitError::NoWeight`] if all weights are 0.
    pub fn split_by_weights(self, weights: &[u64]) -> Result<Vec<Money>, SplitError> {
        let shares: Vec<Share> = weights.iter().copied().map(Share::Weight).collect();
        split(self, &shares)
    }
}

/// The total's minor units, after the checks that look at one value at a time.
fn countable(total: Money, shares: &[Share]) -> Result<u64, SplitError> {
    if shares.is_empty() {
        return Err(SplitError::Empty);
    }
    for (index, share) in shares.iter().enumerate() {
        if let Share::Fixed(amount) = *share
            && amount.is_negative()
        {
            return Err(SplitError::NegativeShare { index, amount });
        }
    }
    u64::try_from(total.minor()).map_err(|_| SplitError::NegativeTotal { total })
}

/// How many minor units go where, once the fixed shares have theirs.
struct Plan {
    /// For all percentages together.
    percents: u64,
    /// For all weights and rests together.
    left: u64,
    /// What those weights add up to.
    weights: u128,
}

impl Plan {
    fn new(total: Money, base: u64, shares: &[Share]) -> Result<Self, SplitError> {
        let fixed = shares.iter().filter_map(|share| match share {
            Share::Fixed(amount) => Some(*amount),
            Share::Percent(_) | Share::Weight(_) | Share::Rest => None,
        });
        let unfixed = i128::from(base) - i128::from(Money::sum(fixed, total.currency())?.minor());
        let ppm: i128 = shares.iter().filter_map(ppm).map(i128::from).sum();

        // In millionths of a minor unit, so that nothing has been rounded when it is compared.
        let whole = i128::from(Percent::WHOLE);
        let percents = i128::from(base) * ppm;
        let left = unfixed * whole - percents;
        if left < 0 {
            return Err(SplitError::Exceeded { amount: money((whole - 1 - left) / whole, total)? });
        }
        let mut weights = shares.iter().filter_map(weight).peekable();
        let nobody = weights.peek().is_none();
        let weights: u128 = weights.map(u128::from).sum();
        if nobody && left > 0 {
            return Err(SplitError::LeftOver { amount: money((whole - 1 + left) / whole, total)? });
        }
        if !nobody && weights == 0 {
            return Err(SplitError::NoWeight);
        }
        let percents = (percents + whole / 2) / whole;
        let units = |units: i128| u64::try_from(units).map_err(|_| MoneyError::Overflow);
        Ok(Self { percents: units(percents)?, left: units(unfixed - percents)?, weights })
    }
}

fn ppm(share: &Share) -> Option<u64> {
    if let Share::Percent(percent) = share { Some(u64::from(percent.ppm())) } else { None }
}

fn weight(share: &Share) -> Option<u64> {
    match share {
        Share::Weight(weight) => Some(*weight),
        Share::Rest => Some(1),
        Share::Fixed(_) | Share::Percent(_) => None,
    }
}

fn money(minor: i128, like: Money) -> Result<Money, MoneyError> {
    let minor = i64::try_from(minor).map_err(|_| MoneyError::Overflow)?;
    Ok(Money::from_minor(minor, like.currency()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Currency, strategies};
    use crate::seed::random;
    use proptest::{collection::vec, prelude::*};

    fn eur(minor: i64) -> Money {
        Money::from_minor(minor, Currency::EUR)
    }

    fn percent(text: &str) -> Share {
        Share::Percent(text.parse().unwrap())
    }

    fn minor(parts: &[Money]) -> Vec<i64> {
        parts.iter().map(|part| part.minor()).collect()
    }

    fn parts(total: i64, shares: &[Share]) -> Result<Vec<i64>, SplitError> {
        split(eur(total), shares).map(|parts| minor(&parts))
    }

    #[test]
    fn fixed_first_then_percents_of_the_total_then_the_rest() {
        let shares = [Share::Rest, percent("10%"), Share::Fixed(eur(500))];
        assert_eq!(parts(10_000, &shares), Ok(vec![8_500, 1_000, 500]));
        assert_eq!(parts(10_000, &[Share::Rest, Share::Weight(2), Share::Fixed(eur(1))]), Ok(vec![3_333, 6_666, 1]));
        assert_eq!(parts(10_000, &[Share::Fixed(eur(10_000)), Share::Rest]), Ok(vec![10_000, 0]));
        assert_eq!(parts(0, &[percent("50%"), Share::Rest]), Ok(vec![0, 0]));
    }

    #[test]
    fn the_largest_remainder_gets_the_missing_unit() {
        // Exactly 16.67, 33.33 and 50: the first lost most.
        assert_eq!(eur(100).split_by_weights(&[1, 2, 3]).map(|parts| minor(&parts)), Ok(vec![17, 33, 50]));
        // Exactly 28.57, 28.57 and 42.86: two units are missing, the last lost most, the first two the same.
        assert_eq!(eur(100).split_by_weights(&[2, 2, 3]).map(|parts| minor(&parts)), Ok(vec![29, 28, 43]));
    }

    #[test]
    fn of_equal_remainders_the_earlier_share_comes_first() {
        assert_eq!(parts(2, &[Share::Rest, Share::Rest, Share::Rest]), Ok(vec![1, 1, 0]));
        assert_eq!(parts(2, &[Share::Weight(1), Share::Weight(3)]), Ok(vec![1, 1]));
        assert_eq!(parts(2, &[Share::Weight(3), Share::Weight(1)]), Ok(vec![2, 0]));
        assert_eq!(parts(5, &[percent("50%"), percent("50%")]), Ok(vec![3, 2]));
    }

    #[test]
    fn percents_that_are_the_whole_use_up_any_total() {
        let shares = [percent("33.33%"), percent("33.33%"), percent("33.34%")];
        assert_eq!(parts(10_000, &shares), Ok(vec![3_333, 3_333, 3_334]));
        assert_eq!(parts(100, &shares), Ok(vec![33, 33, 34]));
        assert_eq!(parts(1, &shares), Ok(vec![0, 0, 1]));
    }

    #[test]
    fn what_nobody_gets_is_an_error() {
        let left = |minor| Err(SplitError::LeftOver { amount: eur(minor) });
        assert_eq!(parts(1_000, &[Share::Fixed(eur(400)), percent("50%")]), left(100));
        // A tenth of a cent here, but of a larger total it would be more: the list is wrong for every total.
        assert_eq!(parts(1_000, &[percent("33.33%"), percent("33.33%"), percent("33.33%")]), left(1));
        assert_eq!(parts(1_000, &[Share::Fixed(eur(500)), percent("50%")]), Ok(vec![500, 500]));
    }

    #[test]
    fn more_than_there_is_is_an_error() {
        let exceeded = |minor| Err(SplitError::Exceeded { amount: eur(minor) });
        assert_eq!(parts(1_000, &[Share::Fixed(eur(1_001)), Share::Rest]), exceeded(1));
        assert_eq!(parts(1_000, &[percent("60%"), percent("60%"), Share::Rest]), exceeded(200));
        assert_eq!(parts(1_001, &[Share::Fixed(eur(501)), percent("50%"), Share::Rest]), exceeded(1));
        assert_eq!(parts(1_001, &[Share::Fixed(eur(500)), percent("50%"), Share::Rest]), Ok(vec![500, 501, 0]));
    }

    #[test]
    fn senseless_shares_are_refused() {
        assert_eq!(parts(1, &[]), Err(SplitError::Empty));
        assert_eq!(eur(1).split_by_weights(&[]), Err(SplitError::Empty));
        assert_eq!(parts(-1, &[Share::Rest]), Err(SplitError::NegativeTotal { total: eur(-1) }));
        let negative = [Share::Rest, Share::Fixed(eur(-1))];
        assert_eq!(parts(1, &negative), Err(SplitError::NegativeShare { index: 1, amount: eur(-1) }));
        assert_eq!(eur(1).split_by_weights(&[0, 0]), Err(SplitError::NoWeight));
        assert_eq!(parts(1, &[Share::Weight(0), Share::Rest]), Ok(vec![0, 1]));
        let yen = Share::Fixed(Money::zero(Currency::JPY));
        let mixed = MoneyError::Mixed { left: Currency::EUR, right: Currency::JPY };
        assert_eq!(parts(1, &[yen, Share::Rest]), Err(mixed.into()));
    }

    #[test]
    fn the_ends_of_the_range_are_safe() {
        let max = i64::MAX;
        assert_eq!(parts(max, &[Share::Weight(u64::MAX); 2]), Ok(vec![max / 2 + 1, max / 2]));
        assert_eq!(parts(max, &[Share::Weight(u64::MAX), Share::Weight(0)]), Ok(vec![max, 0]));
        assert_eq!(parts(max, &[percent("100%"), Share::Rest]), Ok(vec![max, 0]));
        assert_eq!(parts(max, &[percent("100%"); 3]), Err(MoneyError::Overflow.into()));
        assert_eq!(parts(max, &[Share::Fixed(eur(max)); 2]), Err(MoneyError::Overflow.into()));
    }

    fn share() -> impl Strategy<Value = Share> {
        prop_oneof![
            (0..=i64::MAX / 4).prop_map(|minor| Share::Fixed(eur(minor))),
            (0..2_000_i64).prop_map(|minor| Share::Fixed(eur(minor))),
            strategies::percent().prop_map(Share::Percent),
            (0..200_000_u32).prop_map(|ppm| Share::Percent(Percent::from_ppm(ppm).unwrap())),
            any::<u64>().prop_map(Share::Weight),
            Just(Share::Rest),
        ]
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn weights_share_fairly(total in 0..=i64::MAX, weights in vec(0..=u64::from(u32::MAX), 1..20)) {
            prop_assume!(weights.iter().any(|&weight| weight > 0));
            let parts = minor(&eur(total).split_by_weights(&weights).unwrap());
            prop_assert_eq!(parts.iter().map(|&part| i128::from(part)).sum::<i128>(), i128::from(total));
            let whole: i128 = weights.iter().copied().map(i128::from).sum();
            for (&part, &weight) in parts.iter().zip(&weights) {
                let off = i128::from(part) * whole - i128::from(total) * i128::from(weight);
                prop_assert!(off.abs() < whole, "{} of weight {} is off by a unit or more", part, weight);
            }
            for (early, late) in (0..weights.len()).flat_map(|late| (0..late).map(move |early| (early, late))) {
                if weights[early] == weights[late] {
                    prop_assert!(parts[early] == parts[late] || parts[early] == parts[late] + 1);
                }
            }
        }

        #[test]
        fn another_order_moves_nobody_by_more_than_one_unit(
            total in 0..=i64::MAX,
            (weights, shuffled) in vec(1..=u64::MAX, 1..12)
                .prop_map(|weights| weights.into_iter().enumerate().collect::<Vec<_>>())
                .prop_flat_map(|weights| (Just(weights.clone()), Just(weights).prop_shuffle())),
        ) {
            let split = |weights: &[(usize, u64)]| {
                eur(total).split_by_weights(&weights.iter().map(|&(_, weight)| weight).collect::<Vec<_>>()).unwrap()
            };
            let (before, after) = (split(&weights), split(&shuffled));
            for (part, (place, _)) in after.iter().zip(&shuffled) {
                prop_assert!(part.minor().abs_diff(before[*place].minor()) <= 1);
            }
            prop_assert_eq!(before, split(&weights));
        }

        #[test]
        fn percents_that_are_the_whole_share_fairly(total in 0..=i64::MAX, cuts in vec(0..=1_000_000_u32, 0..10)) {
            let mut cuts = [vec![0, 1_000_000], cuts].concat();
            cuts.sort_unstable();
            let ppm: Vec<u32> = cuts.windows(2).map(|ends| ends[1] - ends[0]).collect();
            let shares: Vec<Share> = ppm.iter().map(|&ppm| Share::Percent(Percent::from_ppm(ppm).unwrap())).collect();
            let parts = parts(total, &shares).unwrap();
            prop_assert_eq!(parts.iter().map(|&part| i128::from(part)).sum::<i128>(), i128::from(total));
            for (&part, &ppm) in parts.iter().zip(&ppm) {
                let off = i128::from(part) * 1_000_000 - i128::from(total) * i128::from(ppm);
                prop_assert!(off.abs() < 1_000_000);
            }
        }

        #[test]
        fn one_percentage_gets_what_it_is_of_the_total(total in 0..=i64::MAX, percent in strategies::percent()) {
            let parts = split(eur(total), &[Share::Percent(percent), Share::Rest]).unwrap();
            prop_assert_eq!(parts[0], percent.of(eur(total)));
        }

        #[test]
        fn any_list_adds_up_or_is_refused(total in strategies::money(), shares in vec(share(), 0..8)) {
            let total = Money::from_minor(total.minor(), Currency::EUR);
            let Ok(parts) = split(total, &shares) else { return Ok(()) };
            prop_assert_eq!(parts.len(), shares.len());
            prop_assert_eq!(Money::sum(parts.iter().copied(), Currency::EUR), Ok(total));
            for (part, share) in parts.iter().zip(&shares) {
                prop_assert!(!part.is_negative());
                match share {
                    Share::Fixed(amount) => prop_assert_eq!(part, amount),
                    Share::Percent(percent) => prop_assert!(part.minor().abs_diff(percent.of(total).minor()) <= 1),
                    Share::Weight(_) | Share::Rest => {}
                }
            }
        }
    }
}
