//! The code that lets the other side join.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A secret that the creator hands to the other side: 16 characters of Crockford's base32, 80 random bits.
///
/// Two codes are compared in constant time, so that an answer's delay tells nothing. Letters may be typed in either
/// case. `Debug` does not show it; `Display` does.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JoinCode([u8; 16]);

/// Why a text is no join code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a join code has 16 letters and digits")]
pub struct JoinCodeError;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl JoinCode {
    /// A new code, from the operating system's random numbers.
    #[must_use]
    pub fn generate() -> Self {
        // A UUIDv4 has six bits that are not random. A second one, turned by half, covers them.
        let (one, two) = (uuid::Uuid::new_v4().as_u128(), uuid::Uuid::new_v4().as_u128());
        let mut bits = one ^ two.rotate_left(64);
        Self(std::array::from_fn(|_| {
            let digit = ALPHABET[(bits & 31) as usize];
            bits >>= 5;
            digit
        }))
    }

    /// The same code everywhere, where none may be told.
    pub(super) const fn blank() -> Self {
        Self(*b"0000000000000000")
    }

    /// Whether it is the same code, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        constant_time_eq::constant_time_eq_16(&self.0, &other.0)
    }
}

impl FromStr for JoinCode {
    type Err = JoinCodeError;
    fn from_str(text: &str) -> Result<Self, JoinCodeError> {
        let typed: [u8; 16] = text.to_ascii_lowercase().as_bytes().try_into().map_err(|_| JoinCodeError)?;
        if typed.iter().all(|digit| ALPHABET.contains(digit)) { Ok(Self(typed)) } else { Err(JoinCodeError) }
    }
}

impl TryFrom<String> for JoinCode {
    type Error = JoinCodeError;
    fn try_from(text: String) -> Result<Self, JoinCodeError> {
        text.parse()
    }
}

impl From<JoinCode> for String {
    fn from(code: JoinCode) -> Self {
        code.to_string()
    }
}

impl fmt::Display for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_read_as_they_are_written_in_either_case() {
        let code = JoinCode::generate();
        let typed: JoinCode = code.to_string().to_uppercase().parse().unwrap();
        assert!(code.matches(&typed) && !code.matches(&JoinCode::generate()));
        assert!("too short".parse::<JoinCode>().is_err());
        assert!("0123456789abcdeu".parse::<JoinCode>().is_err(), "u is not in the alphabet");
        assert!(!format!("{code:?}").contains(&code.to_string()));
    }

    #[test]
    fn every_place_takes_every_character() {
        let mut seen = vec![BTreeSet::new(); 16];
        for _ in 0..2_000 {
            for (place, digit) in seen.iter_mut().zip(JoinCode::generate().0) {
                place.insert(digit);
            }
        }
        // Missing one of 32 characters in 2,000 draws has a chance of 1 in 10^26.
        assert!(seen.iter().all(|place| place.len() == 32));
    }
}
