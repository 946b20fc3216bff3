//! What is repaid when: the schedule, worked out to the last minor unit before and after the money is paid out.

use super::day_count::{self, DayCount, day, midnight, months_after};
use crate::{
    lifecycle::Reason,
    money::{Decimal, Money, MoneyError, Percent},
    time::Timestamp,
};
use rust_decimal::{RoundingStrategy, prelude::ToPrimitive as _};
use serde::{Deserialize, Serialize};
use time::Date;

/// How a loan is repaid.
///
/// ```
/// use escrowed::loan::{DayCount, Form, Plan};
///
/// // 10,000.00 at 6 % for a year. The payment is 10,000 · 0.005 / (1 − 1.005⁻¹²) = 860.66.
/// let plan = Plan { rate: "6%".parse()?, form: Form::Annuity, instalments: 12, months: 1, day_count: DayCount::Thirty360E };
/// let schedule = plan.schedule("10000.00 EUR".parse()?, "2026-01-15T12:00:00Z".parse()?)?;
/// let line = |number: usize| {
///     let line = &schedule[number - 1];
///     format!("{} {} {} {}", &line.due.to_string()[..10], line.principal, line.interest, line.outstanding)
/// };
/// assert_eq!(line(1), "2026-02-15 810.66 EUR 50.00 EUR 9189.34 EUR");      // 10,000 · 0.06 / 12 = 50.00
/// assert_eq!(line(2), "2026-03-15 814.71 EUR 45.95 EUR 8374.63 EUR");      // 9,189.34 · 0.005 = 45.9467
/// assert_eq!(line(3), "2026-04-15 818.79 EUR 41.87 EUR 7555.84 EUR");
/// assert_eq!(line(12), "2027-01-15 856.42 EUR 4.28 EUR 0.00 EUR");         // the last one takes what rounding left: 860.70
/// assert_eq!(schedule.iter().map(|line| line.interest.minor()).sum::<i64>(), 32_796);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # The formulas
/// The instalment *k* is due *k · months* months after the day on which the borrower was paid (UTC); in a month that is too
/// short, on its last day. Its interest is the principal that was outstanding since the last one, times the yearly rate,
/// times the part of a year that its [`DayCount`] says, rounded to a whole minor unit, half to even.
///
/// - [`Form::Annuity`]: *A = P · r / (1 − (1 + r)⁻ⁿ)* with *r = rate · months / 12*, rounded to a whole minor unit, half to
///   even (the present value of an ordinary annuity, solved for the payment: any textbook, such as S. Broverman, "Mathematics
///   of Investment and Credit", chapter 2). *A* less its interest is principal, if that is above nothing. The last instalment
///   takes whatever principal is left, so it may differ by what the others were rounded, and by what the day count makes of
///   months of different lengths.
/// - [`Form::InterestOnly`]: interest in each, all principal in the last.
/// - [`Form::Bullet`]: one payment at the end of the term, of all principal and simple interest.
///
/// So the principal of all lines is what was lent, to the last minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The interest of a year, on the principal that is outstanding.
    pub rate: Percent,
    /// What is repaid when.
    pub form: Form,
    /// How many instalments, from 1 to 600. A bullet loan's term is as long as theirs would be.
    pub instalments: u16,
    /// How many months lie between two, from 1 to 12.
    pub months: u8,
    /// How days are counted.
    pub day_count: DayCount,
}

/// What is repaid when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Equal payments of interest and principal.
    Annuity,
    /// Interest in each instalment, the principal at the end.
    InterestOnly,
    /// Everything at the end.
    Bullet,
}

/// A line of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instalment {
    /// Its number, from 1.
    pub number: u16,
    /// The first moment (UTC) of the day on which it is due. It is in time until that day is over.
    pub due: Timestamp,
    /// What is repaid of the principal, in minor units.
    pub principal: Money,
    /// The interest, in minor units.
    pub interest: Money,
    /// The principal that is outstanding afterwards, in minor units.
    pub outstanding: Money,
}

impl Instalment {
    /// Principal and interest, in minor units.
    ///
    /// # Errors
    /// [`MoneyError`] when they do not fit.
    pub fn sum(&self) -> Result<Money, MoneyError> {
        self.principal.checked_add(self.interest)
    }
}

impl Plan {
    /// The schedule of a loan of `lent` that is paid out at `start` (UTC), if nothing is paid early or late.
    ///
    /// # Errors
    /// [`Reason`] when the plan is none, nothing is lent, or an amount or a day is out of range.
    pub fn schedule(&self, lent: Money, start: Timestamp) -> Result<Vec<Instalment>, Reason> {
        self.check()?;
        let (start, currency) = (day(start), lent.require_positive()?.currency());
        let mut outstanding = lent.minor();
        let mut since = start;
        let payment = self.payment(lent)?.minor();
        let mut lines = Vec::with_capacity(usize::from(self.lines()));
        for number in 1..=self.lines() {
            let due = self.due(start, number)?;
            let exact = i128::from(outstanding) * self.grows(since, due);
            let interest = i64::try_from(half_even(exact, self.unit())).map_err(|_| MoneyError::Overflow)?;
            let principal = match self.form {
                _ if number == self.lines() => outstanding,
                Form::Annuity => payment.saturating_sub(interest).clamp(0, outstanding),
                Form::InterestOnly | Form::Bullet => 0,
            };
            outstanding -= principal;
            since = due;
            let [principal, interest, outstanding] =
                [principal, interest, outstanding].map(|minor| Money::from_minor(minor, currency));
            principal.checked_add(interest)?;
            lines.push(Instalment { number, due: midnight(due), principal, interest, outstanding });
        }
        Ok(lines)
    }

    /// The payment of an annuity, in minor units: what each instalment but the last one comes to, rounding aside.
    ///
    /// # Errors
    /// [`Reason`] when the plan is none, or the amount is out of range.
    pub fn payment(&self, lent: Money) -> Result<Money, Reason> {
        self.check()?;
        let overflow = || Reason::Money(MoneyError::Overflow);
        let principal = Decimal::from(lent.require_positive()?.minor());
        let part = Decimal::from(self.rate.ppm()) * Decimal::from(self.months) / Decimal::from(12_000_000);
        let exact = if part.is_zero() {
            principal / Decimal::from(self.instalments)
        } else {
            // (1 + r)⁻ⁿ only ever shrinks, so nothing overflows, to 28 decimals.
            let discount = Decimal::ONE / (Decimal::ONE + part);
            let discounted = (0..self.instalments).fold(Decimal::ONE, |power, _| power * discount);
            principal.checked_mul(part / (Decimal::ONE - discounted)).ok_or_else(overflow)?
        };
        let rounded = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        Ok(Money::from_minor(rounded.to_i64().ok_or_else(overflow)?, lent.currency()))
    }

    pub(super) fn check(&self) -> Result<(), Reason> {
        Reason::within("the number of instalments", self.instalments.into(), 1..=600)?;
        Reason::within("the number of months between two instalments", self.months.into(), 1..=12)
    }

    const fn lines(&self) -> u16 {
        match self.form {
            Form::Annuity | Form::InterestOnly => self.instalments,
            Form::Bullet => 1,
        }
    }

    fn due(&self, start: Date, number: u16) -> Result<Date, Reason> {
        let instalments = match self.form {
            Form::Annuity | Form::InterestOnly => number,
            Form::Bullet => self.instalments,
        };
        let out_of_range =
            |_| Reason::OutOfRange { what: "the year in which an instalment falls due", least: 1, most: 9999 };
        months_after(start, u32::from(instalments) * u32::from(self.months)).map_err(out_of_range)
    }

    /// What one minor unit of principal earns between two days, counted in [`unit`](Self::unit)ths of a minor unit.
    pub(super) fn grows(&self, from: Date, to: Date) -> i128 {
        grows(self.rate, self.day_count, from, to)
    }

    /// Into how many parts a minor unit is divided to count interest exactly.
    pub(super) fn unit(&self) -> i128 {
        1_000_000 * i128::from(self.day_count.year())
    }
}

/// What one minor unit earns at a rate between two days, in parts of a minor unit as [`Plan::unit`] says. Not below zero.
pub(super) fn grows(rate: Percent, day_count: DayCount, from: Date, to: Date) -> i128 {
    i128::from(rate.ppm()) * i128::from((day_count.mark(to) - day_count.mark(from)).max(0))
}

/// The nearest whole number to `exact / unit`, half to even. Neither is below zero.
pub(super) const fn half_even(exact: i128, unit: i128) -> i128 {
    let (whole, twice) = (exact / unit, 2 * (exact % unit));
    if twice > unit || (twice == unit && whole % 2 == 1) { whole + 1 } else { whole }
}

/// When an instalment is late (UTC): once its day and the period of grace are over.
pub(super) fn late_at(due: Date, grace: crate::deal::Period) -> Timestamp {
    grace.after(midnight(due).plus(std::time::Duration::from_secs(24 * 3600)))
}

pub(super) fn due_day(line: &Instalment) -> Date {
    day_count::day(line.due)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use crate::seed::random;
    use proptest::prelude::*;

    fn plan(rate: &str, form: Form, instalments: u16, months: u8, day_count: DayCount) -> Plan {
        Plan { rate: rate.parse().unwrap(), form, instalments, months, day_count }
    }

    fn lines(plan: &Plan, lent: &str) -> Vec<(i64, i64)> {
        let start = "2026-01-31T23:59:59Z".parse().unwrap();
        let schedule = plan.schedule(lent.parse().unwrap(), start).unwrap();
        schedule.iter().map(|line| (line.principal.minor(), line.interest.minor())).collect()
    }

    #[test]
    fn interest_is_paid_as_it_goes_or_at_the_end() {
        let quarterly = plan("8%", Form::InterestOnly, 4, 3, DayCount::Thirty360E);
        assert_eq!(lines(&quarterly, "1000.00 EUR"), [(0, 2000), (0, 2000), (0, 2000), (100_000, 2000)]);
        let bullet = plan("8%", Form::Bullet, 4, 3, DayCount::Actual360);
        // 365 days of 360.
        assert_eq!(lines(&bullet, "1000.00 EUR"), [(100_000, 8111)]);
    }

    #[test]
    fn without_interest_only_the_principal_is_divided() {
        let free = plan("0%", Form::Annuity, 3, 1, DayCount::Thirty360E);
        assert_eq!(lines(&free, "100.00 EUR"), [(3333, 0), (3333, 0), (3334, 0)]);
        assert_eq!(lines(&free, "1 JPY"), [(0, 0), (0, 0), (1, 0)]);
    }

    #[test]
    fn months_of_different_lengths_earn_differently() {
        let actual = plan("10%", Form::InterestOnly, 3, 1, DayCount::Actual365Fixed);
        // 28, 31 and 30 days.
        assert_eq!(lines(&actual, "3650.000 KWD"), [(0, 28_000), (0, 31_000), (3_650_000, 30_000)]);
    }

    #[test]
    fn half_a_unit_goes_to_the_even_one() {
        assert_eq!([1, 2, 3, 5, 6, 7].map(|exact| half_even(exact, 4)), [0, 0, 1, 1, 2, 2]);
        // 12 % of 0.50 for a month is half a cent.
        let month = plan("12%", Form::InterestOnly, 1, 1, DayCount::Thirty360E);
        let start = "2026-03-01T00:00:00Z".parse().unwrap();
        for (lent, interest) in [(50, 0), (150, 2), (250, 2)] {
            let line = month.schedule(Money::from_minor(lent, Currency::EUR), start).unwrap()[0];
            assert_eq!(line.interest.minor(), interest);
        }
    }

    #[test]
    fn a_plan_that_is_none_is_refused() {
        let start = "2026-01-31T00:00:00Z".parse().unwrap();
        let euro = |text: &str| text.parse::<Money>().unwrap();
        let good = plan("5%", Form::Annuity, 12, 1, DayCount::Thirty360E);
        for bad in [
            Plan { instalments: 0, ..good },
            Plan { instalments: 601, ..good },
            Plan { months: 0, ..good },
            Plan { months: 13, ..good },
        ] {
            assert!(matches!(bad.schedule(euro("1.00 EUR"), start), Err(Reason::OutOfRange { .. })));
        }
        assert!(good.schedule(euro("0.00 EUR"), start).is_err());
        assert!(good.schedule(euro("1.00 EUR"), "9999-06-01T00:00:00Z".parse().unwrap()).is_err());
        let huge = Money::from_minor(i64::MAX, Currency::EUR);
        assert!(Plan { form: Form::Bullet, ..good }.schedule(huge, start).is_err());
    }

    fn any_plan() -> impl Strategy<Value = Plan> {
        let form = prop::sample::select(vec![Form::Annuity, Form::InterestOnly, Form::Bullet]);
        (0..=1_000_000_u32, form, 1..=600_u16, 1..=12_u8, prop::sample::select(&DayCount::ALL)).prop_map(
            |(ppm, form, instalments, months, day_count)| Plan {
                rate: Percent::from_ppm(ppm).unwrap(),
                form,
                instalments,
                months,
                day_count,
            },
        )
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn the_principal_of_all_lines_is_what_was_lent(
            plan in any_plan(), lent in 1..1_000_000_000_000_i64, start in 0..40_000_i64,
            currency in prop::sample::select(vec![Currency::JPY, Currency::EUR, Currency::KWD]),
        ) {
            let start = Timestamp::from_unix_micros(start * 86_400_000_000).unwrap();
            let schedule = plan.schedule(Money::from_minor(lent, currency), start).unwrap();
            let (mut left, mut last) = (lent, start);
            for line in &schedule {
                prop_assert!(!line.principal.is_negative() && !line.interest.is_negative());
                left -= line.principal.minor();
                prop_assert_eq!(line.outstanding.minor(), left);
                prop_assert!(line.due > last);
                last = line.due;
            }
            prop_assert_eq!(left, 0);
        }

        // The definition of an annuity, apart from the formula that solves it: what is paid, discounted, is what was lent.
        #[test]
        fn an_annuity_discounts_to_what_was_lent(ppm in 1..300_000_u32, instalments in 1..240_u16, lent in 100_000..100_000_000_i64) {
            let plan = Plan {
                rate: Percent::from_ppm(ppm).unwrap(), form: Form::Annuity, instalments, months: 1, day_count: DayCount::Thirty360E,
            };
            let payment = plan.payment(Money::from_minor(lent, Currency::EUR)).unwrap().minor() as f64;
            let rate = f64::from(ppm) / 12e6;
            let value: f64 = (1..=i32::from(instalments)).map(|k| payment / (1.0 + rate).powi(k)).sum();
            // Half a unit in each payment.
            prop_assert!((value - lent as f64).abs() <= f64::from(instalments) / 2.0 + 1.0, "{value} for {lent}");
        }
    }
}
