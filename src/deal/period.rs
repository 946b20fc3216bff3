//! Lengths of time that a policy names, and the period in which a buyer may complain.

use super::Side;
use crate::{lifecycle::Reason, party::Stamp, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A length of time in whole seconds, above zero. In JSON a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Period(std::num::NonZeroU32);

/// The period in which the buyer may complain, once the goods are said to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplaintPeriod {
    until: Timestamp,
    // However often it is extended, not beyond this.
    latest: Timestamp,
    proposed: Option<(Side, Timestamp)>,
    waived: bool,
}

impl Period {
    /// So many seconds.
    ///
    /// # Panics
    /// When it is none. In a `const`, that does not compile.
    #[must_use]
    pub const fn seconds(seconds: u32) -> Self {
        match std::num::NonZeroU32::new(seconds) {
            Some(seconds) => Self(seconds),
            None => panic!("a period is longer than nothing"),
        }
    }

    /// So many hours, at most 1,193,046.
    ///
    /// # Panics
    /// When it is none, or more.
    #[must_use]
    pub const fn hours(hours: u32) -> Self {
        match hours.checked_mul(3600) {
            Some(seconds) => Self::seconds(seconds),
            None => panic!("a period is at most 136 years"),
        }
    }

    /// So many days.
    ///
    /// # Panics
    /// When it is none, or more than 136 years.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        match days.checked_mul(24) {
            Some(hours) => Self::hours(hours),
            None => panic!("a period is at most 136 years"),
        }
    }

    pub(crate) fn micros(self) -> i64 {
        i64::from(self.0.get()) * 1_000_000
    }

    /// When it ends, if it begins then.
    #[must_use]
    pub fn after(self, start: Timestamp) -> Timestamp {
        start.plus(Duration::from_secs(u64::from(self.0.get())))
    }
}

/// Whether an end can be moved from `now` to `then`, at most to `latest`.
pub(crate) fn later(what: &'static str, then: Timestamp, now: Timestamp, latest: Timestamp) -> Result<(), Reason> {
    if latest <= now {
        Err(Reason::Fixed { what })
    } else if then <= now || then > latest {
        Err(Reason::WrongTime { what, found: then, after: now, latest })
    } else {
        Ok(())
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get() {
            hours if hours.is_multiple_of(3600) => write!(f, "{} h", hours / 3600),
            seconds => write!(f, "{seconds} s"),
        }
    }
}

impl ComplaintPeriod {
    /// From `start` on, and with all extensions no longer than `limit`.
    pub(crate) fn from(start: Timestamp, period: Period, limit: Period) -> Self {
        let until = period.after(start);
        Self { until, latest: limit.after(start).max(until), proposed: None, waived: false }
    }

    /// When it ends (UTC): a complaint is possible before, not at that time or later.
    #[must_use]
    pub const fn ends(&self) -> Timestamp {
        self.until
    }

    /// The extension that one side has proposed, if the other has not agreed yet.
    #[must_use]
    pub const fn proposed(&self) -> Option<(Side, Timestamp)> {
        self.proposed
    }

    /// Whether the buyer has waived the rest of it.
    #[must_use]
    pub const fn waived(&self) -> bool {
        self.waived
    }

    pub(crate) fn open(&self, action: &'static str, at: &Stamp) -> Result<(), Reason> {
        if at.at < self.until && !self.waived { Ok(()) } else { Err(Reason::TooLate { action, deadline: self.until }) }
    }

    pub(crate) fn over(&self, action: &'static str, at: &Stamp) -> Result<(), Reason> {
        if at.at >= self.until || self.waived { Ok(()) } else { Err(Reason::NotDue { action, due: Some(self.until) }) }
    }

    /// Whether it may be extended to then.
    pub(crate) fn may_extend(&self, until: Timestamp, at: &Stamp) -> Result<(), Reason> {
        self.open("extend", at)?;
        later("the end of the complaint period", until, self.until, self.latest)
    }

    /// One side's word for an extension. It holds once both have said the same.
    pub(crate) fn extend(&mut self, side: Side, until: Timestamp) {
        match self.proposed {
            Some((proposer, agreed)) if proposer == side.other() && agreed == until => {
                self.until = until;
                self.proposed = None;
            }
            Some(_) | None => self.proposed = Some((side, until)),
        }
    }

    pub(crate) const fn waive(&mut self) {
        self.waived = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_moved_within_its_limit_and_told_which() {
        let at = |hour: u8| format!("2026-05-07T{hour:02}:00:00Z").parse::<Timestamp>().unwrap();
        let moved = |then, latest| later("the end", at(then), at(3), at(latest));
        assert_eq!((moved(4, 5), moved(5, 5)), (Ok(()), Ok(())));
        for then in [2, 3, 6] {
            let wrong = Reason::WrongTime { what: "the end", found: at(then), after: at(3), latest: at(5) };
            assert_eq!(moved(then, 5), Err(wrong));
        }
        // There is no later time that could be named.
        assert_eq!(moved(4, 3), Err(Reason::Fixed { what: "the end" }));
        assert_eq!(moved(2, 2), Err(Reason::Fixed { what: "the end" }));
    }
}
