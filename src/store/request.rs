//! A host's own key for a command, so that sending the command again does nothing twice.

use crate::{
    id::Subject,
    text::{Text, TextError},
};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// A host's own name for one request, such as the `Idempotency-Key` header of an HTTP request: 1 to 200 characters.
pub type RequestKey = Text<200>;

/// A digest of what a request asked for: the first 122 bits of SHA-1 in the form of a UUID of version 5 (RFC 9562). It
/// tells an honest repetition from another request under the same key; it is no protection against a forger.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(Uuid);

/// That a commit does what a request asked for. A store keeps it, and never takes a second one under the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The host's key.
    pub key: RequestKey,
    /// What was asked.
    pub digest: Digest,
}

/// A request that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// What was asked.
    pub digest: Digest,
    /// What it was about.
    pub subject: Subject,
    /// The number of the last event that it wrote there: the answer is the value as it was after this event.
    pub seq: u32,
}

impl Digest {
    /// The digest of a content.
    #[must_use]
    pub fn of(content: &str) -> Self {
        Self(Uuid::new_v5(&Uuid::NAMESPACE_OID, content.as_bytes()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Digest {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

impl Request {
    /// A request of this content.
    ///
    /// # Errors
    /// [`TextError`] when the key is empty, too long or has control characters.
    pub fn new(key: &str, content: &str) -> Result<Self, TextError> {
        Ok(Self { key: key.parse()?, digest: Digest::of(content) })
    }
}
