//! A span of time.

use crate::time::Timestamp;
use serde::Serialize;

/// A span of time (UTC): from a point, which is in it, until another, which is not. Either may be left open.
///
/// ```
/// use escrowed::statement::Span;
///
/// let may = Span::new("2026-05-01T00:00:00Z".parse()?, "2026-06-01T00:00:00Z".parse()?)?;
/// assert!(may.contains("2026-05-01T00:00:00Z".parse()?));
/// assert!(!may.contains("2026-06-01T00:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Span {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// A span that would end before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a span from {from} until {until} ends before it begins: change the two round")]
pub struct SpanError {
    /// Where it would begin (UTC).
    pub from: Timestamp,
    /// Where it would end (UTC).
    pub until: Timestamp,
}

impl Span {
    /// All of time: its statements open at zero and close with what is held now.
    pub const ALL: Self = Self { from: None, until: None };

    /// From a point in time until another (UTC).
    ///
    /// # Errors
    /// [`SpanError`] when it would end before it begins.
    pub fn new(from: Timestamp, until: Timestamp) -> Result<Self, SpanError> {
        if from > until {
            return Err(SpanError { from, until });
        }
        Ok(Self { from: Some(from), until: Some(until) })
    }

    /// From a point in time on (UTC).
    #[must_use]
    pub const fn since(from: Timestamp) -> Self {
        Self { from: Some(from), until: None }
    }

    /// Until a point in time (UTC).
    #[must_use]
    pub const fn before(until: Timestamp) -> Self {
        Self { from: None, until: Some(until) }
    }

    /// Where it begins (UTC); `None` for the beginning of time.
    #[must_use]
    pub const fn from(&self) -> Option<Timestamp> {
        self.from
    }

    /// Where it ends (UTC); `None` if it does not.
    #[must_use]
    pub const fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Whether a point in time is in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        !self.begins_after(at) && self.ends_after(at)
    }

    /// Whether a point in time lies before it.
    pub(super) fn begins_after(&self, at: Timestamp) -> bool {
        self.from.is_some_and(|from| at < from)
    }

    /// Whether a point in time lies in or before it.
    pub(super) fn ends_after(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_does_not_end_before_it_begins() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let (early, late) = (time("2026-05-01T00:00:00Z"), time("2026-05-02T00:00:00Z"));
        assert_eq!(Span::new(late, early), Err(SpanError { from: late, until: early }));
        // Nothing is in an empty one.
        assert!(!Span::new(early, early).unwrap().contains(early));
        assert!(Span::ALL.contains(early) && Span::since(early).contains(early) && Span::before(late).contains(early));
        assert!(!Span::since(late).contains(early) && !Span::before(early).contains(early));
    }
}
