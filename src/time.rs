//! Points in time: UTC, to the microsecond, written as RFC 3339.
//!
//! ```
//! use escrowed::time::Timestamp;
//! use std::time::Duration;
//!
//! let opened: Timestamp = "2026-05-07T15:39:46Z".parse()?;
//! assert_eq!(opened.plus(Duration::from_secs(86_400)).to_string(), "2026-05-08T15:39:46Z");
//! # Ok::<(), escrowed::time::TimeError>(())
//! ```

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};
use time::{OffsetDateTime, UtcDateTime, format_description::well_known::Rfc3339};

/// A point in time in UTC, in whole microseconds (what PostgreSQL keeps), between the years 1 and 9999.
///
/// Text is RFC 3339, as in `003_781515c6c4d9c1ef.txt`: `2026-05-07T15:39:46Z`, with a fraction only where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// Why a point in time was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Not RFC 3339.
    #[error("`{text}` is no RFC 3339 time: write it as 2026-05-07T15:39:46Z")]
    Malformed {
        /// What was given.
        text: String,
    },
    /// Before the year 1 or after the year 9999.
    #[error("the time is outside the years 1 to 9999")]
    OutOfRange,
}

const FIRST: i64 = -62_135_596_800_000_000;
const LAST: i64 = 253_402_300_799_999_999;

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] outside the years 1 to 9999.
    pub const fn from_unix_micros(micros: i64) -> Result<Self, TimeError> {
        if micros < FIRST || micros > LAST { Err(TimeError::OutOfRange) } else { Ok(Self(micros)) }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970-01-01T00:00:00Z, or 0 for what lies before: the time part of a UUIDv7.
    #[must_use]
    pub const fn unix_millis(self) -> u64 {
        if self.0 < 0 { 0 } else { (self.0 / 1000).unsigned_abs() }
    }

    /// This much later; stays at the end of the year 9999 instead of leaving the calendar.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros).min(LAST))
    }
}

impl From<UtcDateTime> for Timestamp {
    /// Drops what is finer than a microsecond.
    fn from(time: UtcDateTime) -> Self {
        let micros = i64::try_from(time.unix_timestamp_nanos() / 1000).unwrap_or(LAST);
        Self(micros.clamp(FIRST, LAST))
    }
}

impl From<Timestamp> for UtcDateTime {
    fn from(time: Timestamp) -> Self {
        Self::from_unix_timestamp_nanos(i128::from(time.0) * 1000).unwrap_or(Self::MAX)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimeError::Malformed { text: text.into() })?;
        // What is at the end of the calendar elsewhere may be outside of it in UTC.
        let time = time.checked_to_utc().filter(|time| time.year() >= 1).ok_or(TimeError::OutOfRange)?;
        Ok(Self::from(time))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = UtcDateTime::from(*self).format(&Rfc3339).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_both_ways() {
        for text in
            ["2026-05-07T15:39:46Z", "2026-05-07T15:39:46.25Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"]
        {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        let zoned: Timestamp = "2026-05-07T17:39:46+02:00".parse().unwrap();
        assert_eq!(zoned.to_string(), "2026-05-07T15:39:46Z");
        assert!(matches!("yesterday".parse::<Timestamp>(), Err(TimeError::Malformed { .. })));
    }

    #[test]
    fn the_calendar_has_ends() {
        for text in ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+00:01", "0000-12-31T23:59:59Z"] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimeError::OutOfRange), "{text}");
        }
        let last: Timestamp = "9999-12-31T23:59:59.999999Z".parse().unwrap();
        assert_eq!(last.plus(Duration::from_secs(9)), last);
        assert_eq!(Timestamp::from_unix_micros(i64::MAX), Err(TimeError::OutOfRange));
    }
}
