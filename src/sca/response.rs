//! What comes back from the page of a challenge, and how it is told from a forgery.

use crate::{id::Subject, money::Money, party::PartyId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// What a challenge is bound to besides the payin and its amount: dynamic linking (RTS, article 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The payee that the payer is shown.
    pub payee: PartyId,
    /// What only the gateway's page can know.
    pub code: ReturnCode,
}

/// A secret that the gateway is given with a charge, and that the payer's browser brings back from the gateway's page: 122
/// random bits.
///
/// [`Payin::come_back`](crate::payment::Payin::come_back) compares it in constant time. `Debug` does not show it; `Display` does.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReturnCode(Uuid);

/// Why a text is no return code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a return code is a UUID")]
pub struct ReturnCodeError;

/// What the payer's browser says when it comes back from the gateway's page, read from the address it was sent to.
///
/// It is never trusted with money: only the gateway's own report confirms a payin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Which payin the payer was asked about.
    pub payin: Subject,
    /// Which amount the payer was shown, in minor units.
    pub amount: Money,
    /// Which payee the payer was shown.
    pub payee: PartyId,
    /// The secret.
    pub code: ReturnCode,
}

/// What is wrong with a response. Nothing has changed; ask the gateway how the charge stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Forged {
    /// It is about another payin.
    #[error("the response is about {found}, not about {expected}: it is forged, or was sent to the wrong place")]
    Payin {
        /// Which payin it has to be about.
        expected: Subject,
        /// Which it is about.
        found: Subject,
    },
    /// The payer was shown another amount.
    #[error("the response is about {found}, not about {expected}: it is forged, or the page showed another amount")]
    Amount {
        /// How much is asked, in minor units.
        expected: Money,
        /// How much it says, in minor units.
        found: Money,
    },
    /// The payer was shown another payee.
    #[error(
        "the response is about payments to {found}, not to {expected}: it is forged, or the page showed another payee"
    )]
    Payee {
        /// Who is paid.
        expected: PartyId,
        /// Who it says is paid.
        found: PartyId,
    },
    /// It does not bring the secret.
    #[error("the response does not bring the code that the gateway was given: it is forged")]
    Code,
    /// A response came before.
    #[error("the payer has come back already: this response was used before")]
    Replayed,
}

impl Binding {
    /// One with a new secret.
    #[must_use]
    pub fn to(payee: PartyId) -> Self {
        Self { payee, code: ReturnCode::generate() }
    }

    /// The response to a challenge that is bound to this.
    #[must_use]
    pub fn response(&self, payin: Subject, amount: Money) -> Response {
        Response { payin, amount, payee: self.payee.clone(), code: self.code }
    }

    pub(crate) fn check(&self, payin: Subject, amount: Money, response: &Response) -> Result<(), Forged> {
        // The secret first: who does not know it learns nothing about the rest.
        if !self.code.matches(response.code) {
            return Err(Forged::Code);
        }
        if response.payin != payin {
            return Err(Forged::Payin { expected: payin, found: response.payin });
        }
        if response.amount != amount {
            return Err(Forged::Amount { expected: amount, found: response.amount });
        }
        if response.payee != self.payee {
            return Err(Forged::Payee { expected: self.payee.clone(), found: response.payee.clone() });
        }
        Ok(())
    }
}

impl ReturnCode {
    /// A new one, from the operating system's random numbers.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::new_v4())
    }

    /// Whether it is the same one, in constant time.
    #[must_use]
    pub fn matches(self, other: Self) -> bool {
        constant_time_eq::constant_time_eq_16(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl FromStr for ReturnCode {
    type Err = ReturnCodeError;
    fn from_str(text: &str) -> Result<Self, ReturnCodeError> {
        text.parse().map(Self).map_err(|_| ReturnCodeError)
    }
}

impl TryFrom<String> for ReturnCode {
    type Error = ReturnCodeError;
    fn try_from(text: String) -> Result<Self, ReturnCodeError> {
        text.parse()
    }
}

impl From<ReturnCode> for String {
    fn from(code: ReturnCode) -> Self {
        code.to_string()
    }
}

impl fmt::Display for ReturnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for ReturnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReturnCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_bound_to_payin_amount_payee_and_code() {
        let payin: Subject = "pi_01kr1hgnqred6999kp7cqmx8ss".parse().unwrap();
        let other: Subject = "pi_01kr1hgnqred6999kp7cqmx8st".parse().unwrap();
        let amount: Money = "12.50 EUR".parse().unwrap();
        let binding = Binding::to("sam".parse().unwrap());
        let right = binding.response(payin, amount);
        assert_eq!(binding.check(payin, amount, &right), Ok(()));

        let expected = payin;
        let wrong = binding.response(other, amount);
        assert_eq!(binding.check(payin, amount, &wrong), Err(Forged::Payin { expected, found: other }));
        let less: Money = "12.49 EUR".parse().unwrap();
        let wrong = binding.response(payin, less);
        assert_eq!(binding.check(payin, amount, &wrong), Err(Forged::Amount { expected: amount, found: less }));
        let wrong = Response { payee: "mallory".parse().unwrap(), ..right.clone() };
        assert!(matches!(binding.check(payin, amount, &wrong), Err(Forged::Payee { .. })));
        let wrong = Response { code: ReturnCode::generate(), ..right };
        assert_eq!(binding.check(payin, amount, &wrong), Err(Forged::Code));
    }

    #[test]
    fn a_code_is_read_as_it_is_written_and_not_shown() {
        let code = ReturnCode::generate();
        assert!(code.to_string().parse::<ReturnCode>().unwrap().matches(code));
        assert!(!code.matches(ReturnCode::generate()));
        assert!(!format!("{code:?}").contains(&code.to_string()));
        assert_eq!("open sesame".parse::<ReturnCode>(), Err(ReturnCodeError));
    }
}
