//! How days are counted for interest.

use crate::time::{TimeError, Timestamp};
use serde::{Deserialize, Serialize};
use time::{Date, Month, UtcDateTime, util::is_leap_year};

/// How days are counted for interest: what part of a year lies between two days. The names and formulas are those of the
/// 2006 ISDA Definitions, section 4.16.
///
/// ```
/// use escrowed::loan::DayCount;
///
/// let (new_year, june) = ("2026-01-01T09:30:00Z".parse()?, "2026-06-01T00:00:00Z".parse()?);
/// assert_eq!(DayCount::Thirty360E.fraction(new_year, june), (150, 360));        // five months
/// assert_eq!(DayCount::Actual360.fraction(new_year, june), (151, 360));
/// assert_eq!(DayCount::Actual365Fixed.fraction(new_year, june), (151, 365));
///
/// // 184 days of 2023, and 182 of 2024, a leap year: 184/365 + 182/366.
/// let (july, next) = ("2023-07-01T00:00:00Z".parse()?, "2024-07-01T00:00:00Z".parse()?);
/// assert_eq!(DayCount::ActualActualIsda.fraction(july, next), (184 * 366 + 182 * 365, 365 * 366));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Each of them adds up: from one day to a second and on to a third is from the first to the third. Times of day do not
/// count; days are those of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DayCount {
    /// 30E/360, the Eurobond basis (section 4.16 (g)): (360 · (Y₂ − Y₁) + 30 · (M₂ − M₁) + D₂ − D₁) / 360, where a day 31
    /// counts as 30. A month is a twelfth of a year, except around the end of February.
    #[serde(rename = "30E/360")]
    Thirty360E,
    /// Actual/365 (Fixed) (section 4.16 (d)): the days that passed, / 365.
    #[serde(rename = "ACT/365F")]
    Actual365Fixed,
    /// Actual/360 (section 4.16 (e)): the days that passed, / 360.
    #[serde(rename = "ACT/360")]
    Actual360,
    /// Actual/Actual (ISDA) (section 4.16 (b)): the days that lie in leap years / 366, and the others / 365.
    #[serde(rename = "ACT/ACT ISDA")]
    ActualActualIsda,
}

impl DayCount {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Thirty360E, Self::Actual365Fixed, Self::Actual360, Self::ActualActualIsda];

    /// What part of a year lies between two days (UTC), as a numerator and a denominator; below zero when the second is the
    /// earlier one.
    #[must_use]
    pub fn fraction(self, from: Timestamp, to: Timestamp) -> (i64, i64) {
        (self.mark(day(to)) - self.mark(day(from)), self.year())
    }

    // The denominator of every fraction.
    pub(super) const fn year(self) -> i64 {
        match self {
            Self::Thirty360E | Self::Actual360 => 360,
            Self::Actual365Fixed => 365,
            Self::ActualActualIsda => 365 * 366,
        }
    }

    // A day's place on a scale of its own: a fraction's numerator is the distance of two.
    pub(super) fn mark(self, day: Date) -> i64 {
        let year = i64::from(day.year());
        match self {
            Self::Thirty360E => 360 * year + 30 * i64::from(u8::from(day.month())) + i64::from(day.day().min(30)),
            Self::Actual365Fixed | Self::Actual360 => i64::from(day.to_julian_day()),
            Self::ActualActualIsda => {
                let of_a_day = if is_leap_year(day.year()) { 365 } else { 366 };
                self.year() * year + of_a_day * i64::from(day.ordinal() - 1)
            }
        }
    }
}

/// The day (UTC) of a time.
pub(super) fn day(at: Timestamp) -> Date {
    UtcDateTime::from(at).date()
}

/// The first moment (UTC) of a day.
pub(super) fn midnight(day: Date) -> Timestamp {
    UtcDateTime::new(day, time::Time::MIDNIGHT).into()
}

/// The same day so many months later; the last one of a month that is too short for it.
///
/// # Errors
/// [`TimeError::OutOfRange`] after the year 9999.
pub(super) fn months_after(start: Date, months: u32) -> Result<Date, TimeError> {
    let month = i64::from(start.year()) * 12 + i64::from(u8::from(start.month())) - 1 + i64::from(months);
    let year = i32::try_from(month / 12).map_err(|_| TimeError::OutOfRange)?;
    let month = Month::December.nth_next(u8::try_from(month % 12 + 1).map_err(|_| TimeError::OutOfRange)?);
    let last = month.length(year);
    Date::from_calendar_date(year, month, start.day().min(last)).map_err(|_| TimeError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::random;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        format!("{text}T00:00:00Z").parse().unwrap()
    }

    #[test]
    fn the_thirty_first_counts_as_the_thirtieth() {
        let days = |from, to| DayCount::Thirty360E.fraction(at(from), at(to)).0;
        assert_eq!(days("2026-01-31", "2026-02-28"), 28);
        assert_eq!(days("2026-02-28", "2026-03-31"), 32);
        assert_eq!(days("2026-01-30", "2026-01-31"), 0);
        assert_eq!(days("2025-12-15", "2026-12-15"), 360);
    }

    #[test]
    fn leap_years_are_told_apart() {
        let isda = |from, to| DayCount::ActualActualIsda.fraction(at(from), at(to)).0;
        assert_eq!(isda("2024-01-01", "2025-01-01"), 365 * 366);
        assert_eq!(isda("2025-01-01", "2026-01-01"), 365 * 366);
        assert_eq!(isda("2023-12-31", "2024-01-02"), 366 + 365);
        assert_eq!(DayCount::Actual365Fixed.fraction(at("2024-01-01"), at("2025-01-01")), (366, 365));
    }

    #[test]
    fn months_end_where_they_are_too_short() {
        let later = |from, months| midnight(months_after(day(at(from)), months).unwrap()).to_string();
        assert_eq!(later("2026-01-31", 1), "2026-02-28T00:00:00Z");
        assert_eq!(later("2026-01-31", 2), "2026-03-31T00:00:00Z");
        assert_eq!(later("2027-08-30", 6), "2028-02-29T00:00:00Z");
        assert_eq!(later("2026-12-01", 12), "2027-12-01T00:00:00Z");
        assert!(months_after(day(at("9999-12-01")), 1).is_err());
    }

    #[test]
    fn they_are_written_as_people_write_them() {
        let texts = DayCount::ALL.map(|count| serde_json::to_string(&count).unwrap());
        assert_eq!(texts, ["\"30E/360\"", "\"ACT/365F\"", "\"ACT/360\"", "\"ACT/ACT ISDA\""]);
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn fractions_add_up(days in [0..300_000_i64, 0..300_000, 0..300_000], count in prop::sample::select(&DayCount::ALL)) {
            let [a, b, c] = days.map(|day| Timestamp::from_unix_micros(day * 86_400_000_000 + 5).unwrap());
            let part = |from, to| count.fraction(from, to).0;
            prop_assert_eq!(part(a, b) + part(b, c), part(a, c));
            prop_assert_eq!(part(a, b) >= 0, a <= b || part(a, b) == 0);
        }
    }
}
