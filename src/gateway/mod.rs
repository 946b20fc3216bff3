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

mod call;
mod dispute;
mod outcome;

pub use call::{BankAccount, Capture, IdempotencyKey, Instruction, KeyError, RefundTo, Verb};
pub use dispute::{Dispute, DisputeReference, DisputeStage};
pub use outcome::{Outcome, Report};
// What a payin has to ask for depends on it, so `sca`, which is below this, defines it.
pub use crate::sca::channel::Channel;

use crate::ledger::GatewayName;
use std::{error::Error, future::Future};

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
