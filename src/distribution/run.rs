//! Who gets how much: the rounding of running totals.

use crate::money::{Money, MoneyError};
use serde::{Deserialize, Serialize};

/// Principal or interest of a loan: what is shared out now, and what was before. In minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tranche {
    /// What was repaid before, and is with the lenders or on its way to them.
    pub before: Money,
    /// What is shared out now.
    pub now: Money,
}

/// How far a tranche has been shared out among the lenders, one after another, each once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    // What those who had their turn pledged, had before, and got now, all in minor units.
    pledged: i64,
    had: i64,
    given: i64,
}

impl Tranche {
    /// Together, in minor units.
    ///
    /// # Errors
    /// [`MoneyError`] when they are of two currencies, or do not fit.
    pub fn after(&self) -> Result<Money, MoneyError> {
        self.before.checked_add(self.now)
    }
}

impl Run {
    /// The next lender's part, in minor units: one who `pledged` so much of what was `lent` in all, and `had` so much of the
    /// tranche's kind before.
    ///
    /// # Errors
    /// [`MoneyError`] when the amounts are of several currencies, below zero, or do not fit; when nothing was lent.
    pub fn part(&mut self, tranche: &Tranche, lent: Money, pledged: Money, had: Money) -> Result<Money, MoneyError> {
        let currency = lent.require_positive()?.currency();
        for amount in [tranche.before, tranche.now, pledged, had] {
            // Of the same currency.
            lent.compare(amount)?;
            if amount.is_negative() {
                return Err(MoneyError::Negative { amount });
            }
        }
        let add = |sum: i64, amount: Money| sum.checked_add(amount.minor()).ok_or(MoneyError::Overflow);
        let (row, row_had) = (add(self.pledged, pledged)?, add(self.had, had)?);
        // Below 2^126.
        let due = i128::from(tranche.after()?.minor()) * i128::from(row) / i128::from(lent.minor());
        let lacks = due - i128::from(row_had);
        let given = lacks.clamp(i128::from(self.given), i128::from(tranche.now.minor()).max(i128::from(self.given)));
        let given = i64::try_from(given).map_err(|_| MoneyError::Overflow)?;
        let part = given - self.given;
        *self = Self { pledged: row, had: row_had, given };
        Ok(Money::from_minor(part, currency))
    }

    /// What was shared out, in minor units of the tranche's currency.
    #[must_use]
    pub const fn given(&self) -> i64 {
        self.given
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use crate::seed::random;
    use proptest::{collection::vec, prelude::*};

    fn minor(minor: i64, currency: Currency) -> Money {
        Money::from_minor(minor, currency)
    }

    /// What each lender has after these repayments, one after another.
    fn shared(pledges: &[i64], repayments: &[i64], currency: Currency) -> Vec<Vec<i64>> {
        let lent: i64 = pledges.iter().sum();
        let (mut had, mut before, mut all) = (vec![0; pledges.len()], 0, Vec::new());
        for now in repayments {
            let tranche = Tranche { before: minor(before, currency), now: minor(*now, currency) };
            let mut run = Run::default();
            for (pledged, had) in pledges.iter().zip(&mut had) {
                let (pledged, has) = (minor(*pledged, currency), minor(*had, currency));
                let part = run.part(&tranche, minor(lent, currency), pledged, has).unwrap();
                assert!(!part.is_negative() && part.currency() == currency);
                *had += part.minor();
            }
            assert_eq!(run.given(), *now, "all of it is shared out");
            before += now;
            assert_eq!(had.iter().sum::<i64>(), before, "and nothing else is");
            all.push(had.clone());
        }
        all
    }

    fn currency() -> impl Strategy<Value = Currency> {
        prop::sample::select(vec![Currency::JPY, Currency::EUR, Currency::KWD])
    }

    // How far off `has` is from the exact part, in `lent`ths of a minor unit.
    fn off(has: i64, repaid: i64, pledged: i64, lent: i64) -> i128 {
        i128::from(has) * i128::from(lent) - i128::from(repaid) * i128::from(pledged)
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn parts_add_up_and_nobody_is_a_unit_ahead(
            pledges in vec(1..5_000_i64, 1..40), repayments in vec(0..3_000_i64, 1..30), currency in currency(),
        ) {
            let (lent, mut repaid) = (pledges.iter().sum::<i64>(), 0);
            for (has, now) in shared(&pledges, &repayments, currency).iter().zip(&repayments) {
                repaid += now;
                for (has, pledged) in has.iter().zip(&pledges) {
                    prop_assert!(off(*has, repaid, *pledged, lent) < i128::from(lent), "{has} of {repaid} for {pledged}");
                }
            }
        }

        #[test]
        fn nobody_is_a_unit_behind_where_everybody_gets_one_each_time(
            pledges in vec(1..500_i64, 1..40), times in vec(1..9_i64, 1..30), currency in currency(),
        ) {
            let (lent, smallest) = (pledges.iter().sum::<i64>(), *pledges.iter().min().unwrap());
            let repayments: Vec<i64> = times.iter().map(|times| times * lent / smallest + 1).collect();
            let mut repaid = 0;
            for (has, now) in shared(&pledges, &repayments, currency).iter().zip(&repayments) {
                repaid += now;
                for (has, pledged) in has.iter().zip(&pledges) {
                    prop_assert!(off(*has, repaid, *pledged, lent).abs() < i128::from(lent), "{has} of {repaid}");
                }
            }
        }

        #[test]
        fn all_principal_is_what_was_pledged_however_it_is_repaid(
            pledges in vec(1..=1_000_000_000_000_i64, 1..40), cuts in vec(any::<u64>(), 0..40), currency in currency(),
        ) {
            let lent: i64 = pledges.iter().sum();
            let mut cuts: Vec<i64> = cuts.iter().map(|cut| i64::try_from(cut % (lent as u64 + 1)).unwrap()).collect();
            cuts.extend([0, lent]);
            cuts.sort_unstable();
            let repayments: Vec<i64> = cuts.windows(2).map(|pair| pair[1] - pair[0]).collect();
            prop_assert_eq!(shared(&pledges, &repayments, currency).pop().unwrap(), pledges);
        }

        #[test]
        fn repaid_unit_by_unit_it_is_exact_all_the_same(pledges in vec(1..60_i64, 1..20)) {
            let lent = usize::try_from(pledges.iter().sum::<i64>()).unwrap();
            prop_assert_eq!(shared(&pledges, &vec![1; lent], Currency::JPY).pop().unwrap(), pledges);
        }

        #[test]
        fn equal_pledges_never_differ_by_more_than_a_unit(number in 1..60_usize, repayments in vec(0..500_i64, 1..30)) {
            for has in shared(&vec![100; number], &repayments, Currency::EUR) {
                prop_assert!(has.iter().max().unwrap() - has.iter().min().unwrap() <= 1, "{has:?}");
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_are_safe() {
        let max = i64::MAX;
        assert_eq!(shared(&[max], &[max], Currency::EUR), [[max]]);
        assert_eq!(shared(&[max - 1, 1], &[max / 2, max - max / 2], Currency::EUR).pop(), Some(vec![max - 1, 1]));
        let (euro, mut run) = (|amount| minor(amount, Currency::EUR), Run::default());
        let tranche = Tranche { before: euro(1), now: euro(max) };
        assert_eq!(run.part(&tranche, euro(max), euro(1), euro(0)), Err(MoneyError::Overflow));
        let tranche = Tranche { before: euro(0), now: euro(1) };
        assert!(run.part(&tranche, euro(0), euro(1), euro(0)).is_err());
        assert!(run.part(&tranche, euro(1), euro(-1), euro(0)).is_err());
        assert!(run.part(&tranche, euro(1), minor(1, Currency::JPY), euro(0)).is_err());
        assert_eq!(run, Run::default(), "what is refused changes nothing");
    }
}
