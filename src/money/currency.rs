//! The currencies of ISO 4217 that have a minor unit.
//!
//! ```
//! use escrowed::money::Currency;
//!
//! let pound = Currency::from_code("gbp")?;
//! assert_eq!(pound, Currency::GBP);
//! assert_eq!(pound.to_string(), "GBP");
//! assert_eq!([Currency::JPY, Currency::GBP, Currency::KWD].map(Currency::exponent), [0, 2, 3]);
//! # Ok::<(), escrowed::money::CurrencyError>(())
//! ```

use std::{cmp::Ordering, fmt, str::FromStr};

use iso_currency::Currency as Iso;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A currency of ISO 4217 that has a minor unit, such as [`Currency::EUR`] with its cents.
///
/// Gold (XAU), special drawing rights (XDR) and the test codes (XTS, XXX) have none: no amount of them can be counted
/// in whole units, so they are not currencies here. Currencies that were replaced (HRK) still are: what was stored in
/// them must stay readable.
///
/// The order is that of the codes. In serde it is the upper-case code; either case is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(Iso);

/// Why a text names no [`Currency`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CurrencyError {
    /// ISO 4217 has no such code.
    #[error("{code:?} is no ISO 4217 currency code: give three letters, such as EUR")]
    Unknown {
        /// The text that was given.
        code: String,
    },
    /// The code exists, but names something without a minor unit, such as gold.
    #[error("{code} has no minor unit in ISO 4217, so it cannot be held: use a currency that has one, such as EUR")]
    NoMinorUnit {
        /// The code, in upper case.
        code: &'static str,
    },
}

macro_rules! common {
    ($($code:ident: $name:literal),+ $(,)?) => {
        /// The common ones by name; [`Currency::from_code`] gives all.
        impl Currency {
            $(#[doc = concat!($name, ".")] pub const $code: Self = Self(Iso::$code);)+

            #[cfg(test)]
            const COMMON: &[Self] = &[$(Self::$code),+];
        }
    };
}

common! {
    AUD: "Australian dollar, 2 decimals",
    BRL: "Brazilian real, 2 decimals",
    CAD: "Canadian dollar, 2 decimals",
    CHF: "Swiss franc, 2 decimals",
    CNY: "Chinese yuan, 2 decimals",
    CZK: "Czech koruna, 2 decimals",
    DKK: "Danish krone, 2 decimals",
    EUR: "Euro, 2 decimals",
    GBP: "Pound sterling, 2 decimals",
    HKD: "Hong Kong dollar, 2 decimals",
    HUF: "Hungarian forint, 2 decimals",
    INR: "Indian rupee, 2 decimals",
    ISK: "Icelandic króna, no decimals",
    JPY: "Japanese yen, no decimals",
    KRW: "South Korean won, no decimals",
    KWD: "Kuwaiti dinar, 3 decimals",
    MXN: "Mexican peso, 2 decimals",
    NOK: "Norwegian krone, 2 decimals",
    NZD: "New Zealand dollar, 2 decimals",
    PLN: "Polish złoty, 2 decimals",
    RON: "Romanian leu, 2 decimals",
    SEK: "Swedish krona, 2 decimals",
    SGD: "Singapore dollar, 2 decimals",
    TRY: "Turkish lira, 2 decimals",
    USD: "United States dollar, 2 decimals",
}

impl Currency {
    /// The currency of an ISO 4217 code of three letters, in upper or lower case: Trustap's responses write `gbp`
    /// (`003_781515c6c4d9c1ef.txt`).
    ///
    /// # Errors
    /// [`CurrencyError::Unknown`] for any other text, spaces around a code included;
    /// [`CurrencyError::NoMinorUnit`] for the codes of gold and the like.
    pub fn from_code(code: &str) -> Result<Self, CurrencyError> {
        let unknown = || CurrencyError::Unknown { code: code.to_owned() };
        let mut upper: [u8; 3] = code.as_bytes().try_into().map_err(|_| unknown())?;
        upper.make_ascii_uppercase();
        let iso = std::str::from_utf8(&upper).ok().and_then(Iso::from_code).ok_or_else(unknown)?;
        match iso.exponent() {
            Some(_) => Ok(Self(iso)),
            None => Err(CurrencyError::NoMinorUnit { code: iso.code() }),
        }
    }

    /// The ISO 4217 code: three letters, in upper case.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals the currency has (ISO 4217's minor unit): 0 for JPY, 2 for EUR, 3 for KWD, never above 4.
    #[must_use]
    pub fn exponent(self) -> u32 {
        let exponent = self.0.exponent().expect("made only from currencies that have a minor unit");
        u32::from(exponent)
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> Ordering {
        // The table of codes has an order of its own, which may change with the standard.
        self.code().cmp(other.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(code: &str) -> Result<Self, CurrencyError> {
        Self::from_code(code)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Code)
    }
}

/// Reads a code in place: every stored amount has one, and none of them should cost an allocation.
struct Code;

impl de::Visitor<'_> for Code {
    type Value = Currency;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ISO 4217 currency code")
    }

    fn visit_str<E: de::Error>(self, code: &str) -> Result<Currency, E> {
        Currency::from_code(code).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::strategies::all_currencies;
    use crate::seed::random;
    use proptest::prelude::*;

    #[test]
    fn either_case_names_the_same_currency() {
        assert_eq!(Currency::from_code("EUR"), Ok(Currency::EUR));
        assert_eq!("eur".parse(), Ok(Currency::EUR));
        assert_eq!("eUr".parse(), Ok(Currency::EUR));
        for code in ["", "EU", "EURO", " EUR", "EUR ", "AAA", "978", "€", "ÉU"] {
            assert_eq!(Currency::from_code(code), Err(CurrencyError::Unknown { code: code.to_owned() }));
        }
    }

    #[test]
    fn what_has_no_minor_unit_is_no_currency() {
        for code in ["XAU", "XDR", "XTS", "XXX"] {
            assert_eq!(Currency::from_code(&code.to_lowercase()), Err(CurrencyError::NoMinorUnit { code }));
        }
    }

    /// Stored amounts count minor units: a table that changed one exponent would make every stored amount of that
    /// currency ten or a hundred times as large, so the whole of ISO 4217 is pinned here.
    #[test]
    fn exponents_are_those_of_iso_4217() {
        let with = |exponent| -> Vec<_> {
            all_currencies()
                .into_iter()
                .filter(|currency| currency.exponent() == exponent)
                .map(Currency::code)
                .collect()
        };
        let none = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
        assert_eq!(with(0).join(" "), none);
        assert_eq!(with(3).join(" "), "BHD IQD JOD KWD LYD OMR TND");
        assert_eq!(with(4).join(" "), "CLF UYW");
        assert_eq!(with(0).len() + with(2).len() + with(3).len() + with(4).len(), all_currencies().len());
    }

    #[test]
    fn the_named_ones_are_sound_and_in_order() {
        assert!(Currency::COMMON.is_sorted_by_key(|currency| currency.code()));
        for &currency in Currency::COMMON {
            assert_eq!(Currency::from_code(currency.code()), Ok(currency));
        }
    }

    #[test]
    fn the_order_is_that_of_the_codes() {
        let by_code = all_currencies();
        assert!(by_code.len() > 150);
        assert!(by_code.is_sorted_by_key(|currency| currency.code()));
        assert!(by_code.is_sorted());
    }

    #[test]
    fn every_currency_survives_text_and_json() {
        for currency in all_currencies() {
            assert_eq!(currency.to_string().parse(), Ok(currency));
            let json = serde_json::to_string(&currency).unwrap();
            assert_eq!(json, format!("\"{}\"", currency.code()));
            assert_eq!(serde_json::from_str::<Currency>(&json).unwrap(), currency);
            assert_eq!(serde_json::from_str::<Currency>(&json.to_lowercase()).unwrap(), currency);
        }
        assert!(serde_json::from_str::<Currency>("\"XAU\"").is_err());
        assert!(serde_json::from_str::<Currency>("978").is_err());
    }

    #[test]
    fn text_can_be_padded() {
        assert_eq!(format!("[{:>5}] {:?}", Currency::EUR, Currency::EUR), "[  EUR] EUR");
    }

    proptest! {
        #![proptest_config(random(256))]

        #[test]
        fn any_text_is_a_currency_or_refused(text in ".{0,4}") {
            match Currency::from_code(&text) {
                Ok(currency) => prop_assert!(currency.code().eq_ignore_ascii_case(&text)),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
