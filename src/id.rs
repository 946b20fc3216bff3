//! Identifiers that say what they identify: a TypeID is a short prefix and a UUIDv7, `ord_01kr1hgnqred6999kp7cqmx8ss`.
//!
//! ```
//! use escrowed::{id::Subject, order::OrderId, time::Timestamp};
//!
//! let at: Timestamp = "2026-05-07T15:39:46Z".parse()?;
//! let id = OrderId::generate(at);
//! let text = id.to_string();
//! assert!(text.starts_with("ord_"));
//! assert_eq!(text.parse::<OrderId>()?, id);
//! assert_eq!(text.parse::<Subject>()?, id.subject());
//! assert!("pi_01kr1hgnqred6999kp7cqmx8ss".parse::<OrderId>().is_err());   // a payin's id is no order's
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The text form follows the TypeID specification 0.3: lower-case prefix, underscore, 26 characters of base32 in
//! Crockford's alphabet. `003_781515c6c4d9c1ef.txt` shows one: `tx_01kr1hgnqred6999kp7cqmx8ss`.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};
use uuid::Uuid;

/// The prefix of a TypeID: 1 to 15 lower-case letters, with underscores inside. Names a kind of thing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind([u8; 15], u8);

/// Anything that has a log of its own: an order, a transaction, a payin, a payout, a refund, a host's own lifecycle.
///
/// The untyped form of [`Id`], for stores and for accounts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Subject {
    kind: Kind,
    uuid: Uuid,
}

/// What an [`Id`] identifies. Implemented by the `lifecycle!` macro.
pub trait Identified {
    /// The prefix of its ids.
    const KIND: Kind;
}

/// The id of a `T`. An id of another kind of thing is another type.
pub struct Id<T>(Uuid, PhantomData<fn() -> T>);

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Not a prefix, an underscore and 26 characters of base32.
    #[error("`{text}` is no TypeID: it is a prefix, an underscore and 26 characters of lower-case base32")]
    Malformed {
        /// What was given.
        text: String,
    },
    /// An id, but of something else.
    #[error("`{found}` identifies another kind of thing: an id that starts with `{expected}_` is wanted")]
    OtherKind {
        /// The prefix that was wanted.
        expected: Kind,
        /// The id that was given.
        found: Subject,
    },
}

impl Kind {
    /// A prefix. In a `const`, a malformed one does not compile.
    ///
    /// # Panics
    /// When it is not 1 to 15 lower-case letters, with underscores inside only.
    #[must_use]
    pub const fn new(prefix: &str) -> Self {
        match Self::checked(prefix.as_bytes()) {
            Some(kind) => kind,
            None => panic!("the prefix of an id is 1 to 15 lower-case letters, with underscores inside only"),
        }
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0[..usize::from(self.1)]).unwrap_or_default()
    }

    const fn checked(prefix: &[u8]) -> Option<Self> {
        let length = prefix.len();
        if length == 0 || length > 15 || prefix[0] == b'_' || prefix[length - 1] == b'_' {
            return None;
        }
        let mut bytes = [0; 15];
        let mut i = 0;
        while i < length {
            if !(prefix[i].is_ascii_lowercase() || prefix[i] == b'_') {
                return None;
            }
            bytes[i] = prefix[i];
            i += 1;
        }
        Some(Self(bytes, length as u8))
    }
}

impl Subject {
    /// Puts a prefix and a UUID together. Meant for stores, which read them back.
    #[must_use]
    pub const fn new(kind: Kind, uuid: Uuid) -> Self {
        Self { kind, uuid }
    }

    /// What kind of thing it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The UUID: 16 bytes, in order of creation to the millisecond.
    #[must_use]
    pub const fn uuid(&self) -> Uuid {
        self.uuid
    }
}

impl<T: Identified> Id<T> {
    /// A new id: a UUIDv7 of this time (RFC 9562) with 74 random bits of the operating system's.
    #[must_use]
    pub fn generate(at: Timestamp) -> Self {
        let (seconds, nanos) = (at.unix_millis() / 1000, (at.unix_millis() % 1000) * 1_000_000);
        let timestamp = uuid::Timestamp::from_unix(uuid::NoContext, seconds, u32::try_from(nanos).unwrap_or_default());
        Self(Uuid::new_v7(timestamp), PhantomData)
    }

    /// The id of what `parent` opens with its event number `event`, as the `nth` of them.
    ///
    /// The same step gives the same ids each time it is computed, so a step that is repeated cannot open anything
    /// twice. It is a UUIDv7 whose random bits are taken from a UUIDv5 of the three (RFC 9562).
    #[must_use]
    pub fn derived(parent: Subject, event: u32, nth: u32, at: Timestamp) -> Self {
        let mut name = [0; 38];
        name[..15].copy_from_slice(&parent.kind.0);
        name[15..30].copy_from_slice(&Self::kind().0);
        name[30..34].copy_from_slice(&event.to_be_bytes());
        name[34..].copy_from_slice(&nth.to_be_bytes());
        let hash = Uuid::new_v5(&parent.uuid, &name).into_bytes();
        let mut bits = [0; 10];
        bits.copy_from_slice(&hash[6..]);
        Self(uuid::Builder::from_unix_timestamp_millis(at.unix_millis(), &bits).into_uuid(), PhantomData)
    }

    /// The id of what the outside world knows by this name, of all that belongs to `parent`: the same each time.
    ///
    /// It is a UUIDv7 of the parent's time, whose random bits are taken from a UUIDv5 of both (RFC 9562).
    #[must_use]
    pub(crate) fn named(parent: Subject, name: &str) -> Self {
        let mut key = Self::kind().0.to_vec();
        key.extend(name.as_bytes());
        let (hash, own) = (Uuid::new_v5(&parent.uuid, &key).into_bytes(), parent.uuid.into_bytes());
        let (mut bits, mut millis) = ([0; 10], [0; 8]);
        bits.copy_from_slice(&hash[6..]);
        millis[2..].copy_from_slice(&own[..6]);
        let uuid = uuid::Builder::from_unix_timestamp_millis(u64::from_be_bytes(millis), &bits).into_uuid();
        Self(uuid, PhantomData)
    }

    /// From a UUID, for a host that makes its own.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The same id without its type.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject { kind: Self::kind(), uuid: self.0 }
    }

    fn kind() -> Kind {
        T::KIND
    }
}

impl<T: Identified> TryFrom<Subject> for Id<T> {
    type Error = IdError;
    fn try_from(subject: Subject) -> Result<Self, IdError> {
        if subject.kind == T::KIND {
            Ok(Self(subject.uuid, PhantomData))
        } else {
            Err(IdError::OtherKind { expected: T::KIND, found: subject })
        }
    }
}

impl<T: Identified> From<Id<T>> for Subject {
    fn from(id: Id<T>) -> Self {
        id.subject()
    }
}

// Crockford's alphabet, as TypeID uses it.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// An id as text, made in one piece: stores write a dozen of them with each commit.
pub(crate) struct Written([u8; 15 + 1 + 26], usize);

impl Written {
    pub(crate) fn new(subject: &Subject) -> Self {
        let prefix = usize::from(subject.kind.1);
        let mut text = [0; 15 + 1 + 26];
        text[..prefix].copy_from_slice(&subject.kind.0[..prefix]);
        text[prefix] = b'_';
        // 12 characters are 60 bits: two such parts and the 8 bits before them, in words that a processor shifts at once.
        let all = subject.uuid.as_u128();
        for (part, characters) in [(all >> 120, 0..2), (all >> 60, 2..14), (all, 14..26)] {
            let mut rest = part as u64;
            for place in text[prefix + 1..prefix + 27][characters].iter_mut().rev() {
                *place = ALPHABET[(rest & 31) as usize];
                rest >>= 5;
            }
        }
        Self(text, prefix + 27)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0[..self.1]).unwrap_or_default()
    }
}

fn decode(text: &[u8]) -> Option<Uuid> {
    // 26 characters carry 130 bits: the first may not exceed 7.
    if text.len() != 26 || text[0] > b'7' {
        return None;
    }
    let mut value: u128 = 0;
    for character in text {
        let digit = ALPHABET.iter().position(|known| known == character)?;
        value = value << 5 | digit as u128;
    }
    Some(Uuid::from_u128(value))
}

impl FromStr for Subject {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let malformed = || IdError::Malformed { text: text.chars().take(64).collect() };
        let (prefix, suffix) = text.rsplit_once('_').ok_or_else(malformed)?;
        let kind = Kind::checked(prefix.as_bytes()).ok_or_else(malformed)?;
        let uuid = decode(suffix.as_bytes()).ok_or_else(malformed)?;
        Ok(Self { kind, uuid })
    }
}

impl<T: Identified> FromStr for Id<T> {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse::<Subject>()?.try_into()
    }
}

impl Subject {
    /// Whether a text is an id, of whatever kind. A party of that name would be taken for what bears the id.
    pub(crate) fn is_named(text: &str) -> bool {
        text.parse::<Self>().is_ok()
    }
}

impl TryFrom<String> for Subject {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        Written::new(&subject).as_str().to_owned()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Written::new(self).as_str())
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: Identified> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.subject(), f)
    }
}

impl<T: Identified> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.subject(), f)
    }
}

impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Written::new(self).as_str())
    }
}

impl<T: Identified> Serialize for Id<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.subject().serialize(serializer)
    }
}

impl<'de, T: Identified> Deserialize<'de> for Id<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Subject::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

// Written out: derives would ask the same of `T`, which is only a name.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> hash::Hash for Id<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;
    impl Identified for Thing {
        const KIND: Kind = Kind::new("thing");
    }

    #[test]
    fn reads_and_writes_the_seeds_id() {
        let text = "tx_01kr1hgnqred6999kp7cqmx8ss";
        let subject: Subject = text.parse().unwrap();
        assert_eq!(subject.to_string(), text);
        assert_eq!(subject.uuid().get_version_num(), 7);
    }

    #[test]
    fn follows_the_specifications_valid_cases() {
        for (text, uuid) in [
            ("prefix_00000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
            ("prefix_7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
            ("prefix_0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
            ("pre_fix_00000000000000000000000001", "00000000-0000-0000-0000-000000000001"),
        ] {
            assert_eq!(text.parse::<Subject>().unwrap().uuid().to_string(), uuid);
        }
    }

    #[test]
    fn follows_the_specifications_invalid_cases() {
        for text in [
            "PREFIX_00000000000000000000000000",
            "12345_00000000000000000000000000",
            "pre.fix_00000000000000000000000000",
            "_00000000000000000000000000",
            "_prefix_00000000000000000000000000",
            "prefix__00000000000000000000000000",
            "prefix_",
            "prefix_1234567890123456789012345",
            "prefix_123456789012345678901234567",
            "prefix_0123456789ABCDEFGHJKMNPQRS",
            "prefix_123456789-0123456789-0123456",
            "prefix_ooooooiiiiiiuuuuuuulllllll",
            "prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "",
        ] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }

    #[test]
    fn derived_ids_repeat_and_differ() {
        let at: Timestamp = "2026-05-07T15:39:46Z".parse().unwrap();
        let parent = Id::<Thing>::generate(at).subject();
        let first = Id::<Thing>::derived(parent, 3, 0, at);
        assert_eq!(first, Id::derived(parent, 3, 0, at));
        assert_ne!(first, Id::derived(parent, 3, 1, at));
        assert_ne!(first, Id::derived(parent, 4, 0, at));
        assert_eq!(first.subject().uuid().get_version_num(), 7);
    }
}
