//! What is asked of a gateway, and under which key.

use super::Channel;
use crate::{
    id::{Subject, Written},
    money::Money,
    sca::Authentication,
    text::Text,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A bank account by the name that the host and its gateway know it by (`bankaccount_id` in
/// `001_146075c5300aa4f1.txt`): never the number itself. 1 to 100 characters.
pub type BankAccount = Text<100>;

/// Under which a gateway knows a call, however often it is sent. One per call and unchanging.
///
/// As text: the id of the payin, payout or refund, a colon and the verb.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey {
    /// The payin, payout or refund that asks.
    pub subject: Subject,
    /// What it asks for.
    pub verb: Verb,
}

/// What a call asks for, in one word. A payment asks for each at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Collect from a payer, or reserve.
    Charge,
    /// Take what was reserved.
    Capture,
    /// Let go of what was reserved, or stop waiting for the payer.
    Void,
    /// Pay to a bank account.
    Payout,
    /// Give back.
    Refund,
}

/// When a charge takes the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// At once.
    Now,
    /// Reserve now, take it with a capture or let it go with a void.
    Later,
}

/// Where a gateway sends a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundTo {
    /// The card it came from.
    Original,
    /// A bank account.
    Bank(BankAccount),
}

/// One call: what a gateway is asked to do. Amounts are whole minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instruction {
    /// Collect `amount` from the payer, or reserve it.
    Charge {
        /// The payin.
        payin: Subject,
        /// How the payer pays.
        channel: Channel,
        /// How much.
        amount: Money,
        /// Take it now, or reserve it.
        capture: Capture,
        /// A challenge, an exemption from one, or whatever the gateway decides.
        #[serde(default, skip_serializing_if = "Authentication::is_by_gateway")]
        authentication: Authentication,
    },
    /// Take `amount`, which was reserved.
    Capture {
        /// The payin.
        payin: Subject,
        /// How much.
        amount: Money,
    },
    /// Let go of what was reserved, or stop waiting for the payer. It settles with what was let go, all of it; with zero where the
    /// charge was pending, was declined or has yet to arrive, and no such charge may settle after that. Where the money has been
    /// taken it is declined.
    Void {
        /// The payin.
        payin: Subject,
        /// How much had been asked for.
        amount: Money,
    },
    /// Pay `amount` to a bank account.
    Payout {
        /// The payout.
        payout: Subject,
        /// How much.
        amount: Money,
        /// To which account.
        to: BankAccount,
    },
    /// Give `amount` of a payin back.
    Refund {
        /// The refund.
        refund: Subject,
        /// The payin whose money it was.
        payin: Subject,
        /// How much.
        amount: Money,
        /// To where.
        to: RefundTo,
    },
}

/// Why a text is no idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no idempotency key: it is an id, a colon and charge, capture, void, payout or refund")]
pub struct KeyError {
    /// What was given.
    pub text: String,
}

impl Verb {
    /// Every verb there is.
    pub const ALL: [Self; 5] = [Self::Charge, Self::Capture, Self::Void, Self::Payout, Self::Refund];

    /// The word at the end of a key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Payout => "payout",
            Self::Refund => "refund",
        }
    }
}

impl Instruction {
    /// The key that this call goes under.
    #[must_use]
    pub const fn key(&self) -> IdempotencyKey {
        let (subject, verb) = match self {
            Self::Charge { payin, .. } => (*payin, Verb::Charge),
            Self::Capture { payin, .. } => (*payin, Verb::Capture),
            Self::Void { payin, .. } => (*payin, Verb::Void),
            Self::Payout { payout, .. } => (*payout, Verb::Payout),
            Self::Refund { refund, .. } => (*refund, Verb::Refund),
        };
        IdempotencyKey { subject, verb }
    }

    /// How much it asks to be moved, in minor units.
    #[must_use]
    pub const fn amount(&self) -> Money {
        match self {
            Self::Charge { amount, .. }
            | Self::Capture { amount, .. }
            | Self::Void { amount, .. }
            | Self::Payout { amount, .. }
            | Self::Refund { amount, .. } => *amount,
        }
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from(*self))
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for IdempotencyKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let unread = || KeyError { text: text.chars().take(80).collect() };
        let (subject, word) = text.split_once(':').ok_or_else(unread)?;
        let verb = Verb::ALL.into_iter().find(|verb| verb.name() == word).ok_or_else(unread)?;
        Ok(Self { subject: subject.parse().map_err(|_| unread())?, verb })
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = KeyError;
    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        [Written::new(&key.subject).as_str(), ":", key.verb.name()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_that_says_nothing_of_the_payer_is_written_as_it_always_was() {
        let before = r#"{"charge":{"payin":"pi_01kr1hgnqred6999kp7cqmx8ss","channel":"card","amount":{"amount":100,"currency":"EUR"},"capture":"now"}}"#;
        let charge: Instruction = serde_json::from_str(before).unwrap();
        let Instruction::Charge { authentication, .. } = &charge else { panic!() };
        assert_eq!(*authentication, Authentication::ByGateway);
        assert_eq!(serde_json::to_string(&charge).unwrap(), before);
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        for verb in Verb::ALL {
            let text = format!("pi_01kr1hgnqred6999kp7cqmx8ss:{}", verb.name());
            assert_eq!(text.parse::<IdempotencyKey>().unwrap().to_string(), text);
        }
        for text in ["", "pi_01kr1hgnqred6999kp7cqmx8ss", "pi_01kr1hgnqred6999kp7cqmx8ss:steal", "x:charge"] {
            assert!(text.parse::<IdempotencyKey>().is_err(), "{text}");
        }
    }
}
