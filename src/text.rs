//! Text with a limit: names, reasons, links and outside identifiers that are safe to store anywhere.
//!
//! ```
//! use escrowed::text::{Text, TextError};
//!
//! let name: Text<10> = "A bicycle".parse()?;
//! assert_eq!(name.as_str(), "A bicycle");
//! assert_eq!("far too long a name".parse::<Text<10>>(), Err(TextError::TooLong { limit: 10, length: 19 }));
//! # Ok::<(), TextError>(())
//! ```

use serde::{Deserialize, Serialize, Serializer};
use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

/// Text of 1 to `MAX` characters (Unicode scalar values) without control characters other than line feed and tab.
///
/// A clone is cheap: the characters are shared. The NUL character is refused because PostgreSQL cannot store it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Text<const MAX: usize>(Arc<str>);

/// A name or title: at most 200 characters.
pub type Name = Text<200>;
/// Free prose, such as a description or a reason: at most 2,000 characters.
pub type Prose = Text<2000>;
/// An address of a page (URL): at most 2,000 characters. It is stored and handed out, never opened.
pub type Link = Text<2000>;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Nothing was given.
    #[error("the text is empty: leave it out, or say something")]
    Empty,
    /// More characters than the field takes.
    #[error("the text has {length} characters, {limit} are allowed: shorten it")]
    TooLong {
        /// How many characters the field takes.
        limit: usize,
        /// How many characters were given.
        length: usize,
    },
    /// A control character, which no store and no screen handles alike.
    #[error("the text has a control character at position {position}: remove it")]
    Control {
        /// Its position, counted in characters from 0.
        position: usize,
    },
}

impl<const MAX: usize> Text<MAX> {
    /// Checks a text.
    ///
    /// # Errors
    /// [`TextError`] when it is empty, longer than `MAX` characters or has control characters.
    pub fn new(text: &str) -> Result<Self, TextError> {
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        let mut length = 0;
        for (position, character) in text.chars().enumerate() {
            if character.is_control() && character != '\n' && character != '\t' {
                return Err(TextError::Control { position });
            }
            length = position + 1;
        }
        if length > MAX {
            return Err(TextError::TooLong { limit: MAX, length });
        }
        Ok(Self(text.into()))
    }

    /// As much of some words as there is room for, without control characters; `None` when nothing is left of them.
    pub(crate) fn of(words: &str) -> Option<Self> {
        let text: String = words.chars().filter(|c| !c.is_control()).take(MAX.min(500)).collect();
        Self::new(&text).ok()
    }

    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::new(text)
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::new(&text)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0.as_ref().into()
    }
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<const MAX: usize> Borrow<str> for Text<MAX> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_characters_not_bytes() {
        assert!(Text::<3>::new("äöü").is_ok());
        assert_eq!(Text::<2>::new("äöü"), Err(TextError::TooLong { limit: 2, length: 3 }));
    }

    #[test]
    fn refuses_what_stores_cannot_hold() {
        assert_eq!(Text::<9>::new(""), Err(TextError::Empty));
        assert_eq!(Text::<9>::new("a\0b"), Err(TextError::Control { position: 1 }));
        assert!(Text::<9>::new("a\nb\tc").is_ok());
        assert!(serde_json::from_str::<Text<9>>(r#""\u0000""#).is_err());
    }
}
