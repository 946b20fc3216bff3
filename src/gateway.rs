//! What is asked of a payment gateway, and what it answers.
//!
//! ```
//! use escrowed::gateway::{IdempotencyKey, Outcome, Verb};
//! use escrowed::money::{Currency, Money};
//!
//! let key: IdempotencyKey = "pi_01kr1hgnqred6999kp7cqmx8ss:charge".parse()?;
//! assert_eq!(key.verb, Verb::Charge);
//! let outcome: Outcome = serde_json::from_str(r#"{"settled": {"moved": {"amount": 1250, "currency": "EUR"}}}"#)?;
//! assert_eq!(outcome, Outcome::Settled { moved: Money::from_minor(1250, Currency::EUR) });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A call goes through the outbox: it is written in the commit that wants it, sent afterwards by whoever holds its
//! lease, sent again under the same [`IdempotencyKey`], and looked up when nobody knows what became of it.

use crate::{
    id::{Subject, Written},
    ledger::GatewayName,
    money::Money,
    sca::{Assurance, Authentication},
    text::{Link, Prose, Text},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{error::Error, fmt, future::Future, str::FromStr};

// What a payin has to ask for depends on it, so `sca`, which is below this, defines it.
pub use crate::sca::channel::Channel;

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
    /// Let go of what was reserved, or stop waiting for the payer. Settles with what was let go: all or nothing.
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

/// What a gateway answers, at once or later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done, and so much moved. It is compared with what was asked.
    Settled {
        /// How much moved (or was reserved, or let go), in minor units.
        moved: Money,
    },
    /// Not done, and it will not be.
    Declined {
        /// Why, in the gateway's words.
        reason: Prose,
    },
    /// It was done, and undone since: the bank sent the money of a payout or refund back, days after it had settled. Only what
    /// went out can be returned, to a bank account or a card; whoever says it says that it had settled, too.
    Returned {
        /// How much came back, in minor units: all of it.
        moved: Money,
        /// Why, in the bank's words.
        reason: Prose,
    },
    /// Not done yet: an answer will follow.
    Pending {
        /// The page to send the payer to, if there is one (`direct_link` in `001_146075c5300aa4f1.txt`).
        direct_link: Option<Link>,
    },
    /// A charge is done, as [`Settled`](Self::Settled) is, and it is known whether the payer was authenticated and who is
    /// liable. Only of a charge.
    Assured {
        /// How much moved, or was reserved, in minor units.
        moved: Money,
        /// Whether the payer was authenticated, and who is liable.
        assurance: Assurance,
    },
    /// A charge is not done yet: the payer has to pass a challenge first. Where an exemption was asked for, it was not granted. Only
    /// of a charge.
    Challenged {
        /// The page to send the payer to.
        direct_link: Link,
        /// When the challenge ends (UTC), if it does. Then the clock calls the payin off.
        until: Option<Timestamp>,
    },
}

/// What became of a call: a webhook, or the answer to the call itself. They are the same thing arriving twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The call.
    pub key: IdempotencyKey,
    /// What became of it.
    pub outcome: Outcome,
}

/// Under which name a gateway knows a dispute: 1 to 100 characters.
pub type DisputeReference = Text<100>;

/// What a gateway says of a card payment that is charged back: a webhook about a dispute, which tells all of it each time.
///
/// ```
/// use escrowed::gateway::{Dispute, DisputeStage};
///
/// let told: Dispute = serde_json::from_str(r#"{
///     "payin": "pi_01kr1hgnqred6999kp7cqmx8ss",
///     "reference": "dp_1",
///     "amount": {"amount": 10000, "currency": "EUR"},
///     "fee": {"amount": 1500, "currency": "EUR"},
///     "reason": "fraudulent",
///     "stage": "open"
/// }"#)?;
/// assert_eq!(told.stage, DisputeStage::Open);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// The payin whose money it is about.
    pub payin: Subject,
    /// Under which name the gateway knows it. Several disputes of one payin have a name each.
    pub reference: DisputeReference,
    /// How much of the payin the card network took, in minor units: all of it or a part.
    pub amount: Money,
    /// What the gateway charges besides, in minor units of the same currency; may be nothing. It does not come back.
    pub fee: Money,
    /// Why, in the card network's words.
    pub reason: Prose,
    /// How it stands.
    pub stage: DisputeStage,
}

/// How a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStage {
    /// The money is gone; it is not decided yet.
    Open,
    /// The money is back.
    Won,
    /// The money stays gone.
    Lost,
}

/// A payment gateway. The host implements it over its provider's API.
///
/// `Err` means that the outcome is *unknown*. It never means that nothing happened.
///
/// ```
/// use escrowed::gateway::{Gateway, IdempotencyKey, Instruction, Outcome};
/// use escrowed::ledger::GatewayName;
///
/// /// A provider that needs nobody to wait: it does what it is asked.
/// struct Prompt(GatewayName);
///
/// impl Gateway for Prompt {
///     type Error = std::io::Error;
///     fn name(&self) -> &GatewayName {
///         &self.0
///     }
///     async fn execute(&self, _: &IdempotencyKey, asked: &Instruction) -> Result<Outcome, Self::Error> {
///         // A real one sends `key` as the provider's idempotency key and as its own reference. Asked again under the
///         // same key, it tells how that call stands: pending calls are looked up, not sent twice.
///         Ok(Outcome::Settled { moved: asked.amount() })
///     }
///     async fn lookup(&self, _: &IdempotencyKey) -> Result<Option<Outcome>, Self::Error> {
///         Ok(None)
///     }
/// }
/// ```
pub trait Gateway: Send + Sync {
    /// What can go wrong on the way.
    type Error: Error + Send + Sync + 'static;

    /// Its name: that of its account in the books, [`Account::World`](crate::ledger::Account::World).
    fn name(&self) -> &GatewayName;

    /// Does what is asked, once per key: the same key again must have no second effect. It answers as the call stands by then:
    /// the same as before or, where that was a pending one, what has become of it.
    ///
    /// A charge says what it needs of the payer (`authentication`): one that asks for a challenge may settle only as
    /// [`Outcome::Assured`] with the payer authenticated, one that asks for an exemption as `Assured` with whoever is liable. Where
    /// the payer has to pass a challenge, it is [`Outcome::Challenged`] until then. The page of a challenge shows the amount and the
    /// payee that it is bound to, and sends the payer's browser back with a [`Response`](crate::sca::Response).
    ///
    /// It has to give up before a worker's lease ends, which is 60 seconds by default: the crate starts no timer. Until it
    /// does, a worker that was told to stop waits for it. One that is dropped meanwhile may have had its effect.
    ///
    /// # Errors
    /// When the outcome is unknown. The call will be looked up by its key.
    fn execute(
        &self,
        key: &IdempotencyKey,
        instruction: &Instruction,
    ) -> impl Future<Output = Result<Outcome, Self::Error>> + Send;

    /// What became of a call; `None` when it never arrived.
    ///
    /// # Errors
    /// When that is still unknown.
    fn lookup(&self, key: &IdempotencyKey) -> impl Future<Output = Result<Option<Outcome>, Self::Error>> + Send;
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

impl Outcome {
    /// Whether it is an answer for good: the call is not looked up any more. A payout or refund that settled may still come back.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Settled { .. } | Self::Assured { .. } | Self::Declined { .. } | Self::Returned { .. } => true,
            Self::Pending { .. } | Self::Challenged { .. } => false,
        }
    }

    /// How much moved, or was reserved or let go, in minor units; `None` when the call is not done, or came back.
    #[must_use]
    pub const fn moved(&self) -> Option<Money> {
        match self {
            Self::Settled { moved } | Self::Assured { moved, .. } => Some(*moved),
            Self::Declined { .. } | Self::Pending { .. } | Self::Challenged { .. } | Self::Returned { .. } => None,
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
    fn only_what_is_done_has_moved_anything() {
        let (moved, link) = (Money::from_minor(5, crate::money::Currency::EUR), "https://example.org".parse().unwrap());
        let assured = Outcome::Assured { moved, assurance: Assurance::EXEMPT };
        for (outcome, is_final, amount) in [
            (Outcome::Settled { moved }, true, Some(moved)),
            (assured, true, Some(moved)),
            (Outcome::Declined { reason: "no".parse().unwrap() }, true, None),
            (Outcome::Pending { direct_link: None }, false, None),
            (Outcome::Challenged { direct_link: link, until: None }, false, None),
        ] {
            assert_eq!((outcome.is_final(), outcome.moved()), (is_final, amount), "{outcome:?}");
            let json = serde_json::to_string(&outcome).unwrap();
            assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
        }
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
