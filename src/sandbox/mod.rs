//! A payment gateway to test with: in memory, seeded, and as unreliable as it is told to be.
//!
//! ```
//! use escrowed::gateway::{Capture, Channel, Gateway, Instruction, Outcome, Verb};
//! use escrowed::money::Money;
//! use escrowed::sandbox::{Behaviour, Resolution, Sandbox};
//! use futures_lite::future::block_on;
//!
//! let sandbox = Sandbox::new(7);
//! sandbox.script(Verb::Charge, [Behaviour::TimeoutBefore, Behaviour::Pend]);
//!
//! let price: Money = "12.50 EUR".parse()?;
//! let payin = "pi_01kr1hgnqred6999kp7cqmx8ss".parse()?;
//! let (channel, capture, authentication) = (Channel::Card, Capture::Now, Default::default());
//! let charge = Instruction::Charge { payin, channel, amount: price, capture, authentication };
//! let key = charge.key();
//!
//! assert!(block_on(sandbox.execute(&key, &charge)).is_err());               // nobody knows what happened
//! assert_eq!(block_on(sandbox.lookup(&key))?, None);                        // it never arrived: send it again
//! assert!(matches!(block_on(sandbox.execute(&key, &charge))?, Outcome::Pending { direct_link: Some(_) }));
//!
//! sandbox.resolve(&key, Resolution::Settle);                                // the payer pays at the link
//! assert_eq!(sandbox.reports()[0].outcome, Outcome::Settled { moved: price });
//! assert_eq!((sandbox.net(price.currency()), sandbox.effects(&key)), (price, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Unless told otherwise, every call settles at once with exactly the amount asked. [`Sandbox::script`] and
//! [`Sandbox::script_call`] say what the next calls meet, [`Sandbox::chaos`] leaves it to the seed.
//!
//! Whatever a call meets, the money stays true, by the rules of a careful gateway:
//! - A charge with [`Capture::Later`](crate::gateway::Capture::Later) reserves. A capture takes all or a part of what
//!   is reserved, and the rest is let go; without a reservation, or for more than it, a capture is declined.
//! - A void lets go of what is reserved and settles with that. It stops a pending charge for good, or one that has yet
//!   to arrive, and settles with zero. Once the money has been taken, it is declined.
//! - The refunds of a payin never ask for more than is left of what was taken for it; otherwise they are declined. What the
//!   bank [sent back](Sandbox::send_back) is left again.
//! - A charge that asks for a challenge settles with the payer authenticated and the payer's bank liable, one that asks for
//!   an exemption with the platform liable. [`Behaviour::Challenge`] insists on a challenge, [`Sandbox::response`] is what
//!   the payer's browser brings back from it.
//! - What was charged back is as good as refunded, until the dispute is won.
//! - What is asked for is above zero; otherwise the call is declined. A void may ask for zero.
//!
//! Only [`Behaviour::WrongAmount`] and [`Behaviour::Assure`] overstep them.
//!
//! The rules are checked when a call settles. So a call that was pending too long is declined if things have changed.

mod behaviour;
mod books;
mod rules;
mod state;

pub use behaviour::{Behaviour, Chaos, Resolution};

use crate::{
    gateway::{Dispute, DisputeReference, Gateway, IdempotencyKey, Instruction, Outcome, Report, Verb},
    id::Subject,
    ledger::GatewayName,
    money::{Currency, Money},
    sca::Response,
    text::Prose,
};
use state::State;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The gateway. A clone shares everything with the original.
///
/// It does what a call asks when its future is first polled, and never waits.
#[derive(Debug, Clone)]
pub struct Sandbox {
    name: GatewayName,
    state: Arc<Mutex<State>>,
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// No answer came, as scripted. The call may have acted or not: look it up.
    #[error("no answer came in time: look the call up by its key")]
    TimedOut,
    /// The key came with an instruction that is not its own, or not the one it came with before. The new instruction
    /// did nothing; a lookup tells what became of the old one.
    #[error("`{key}` came with another instruction: one key stands for one call, unchanged")]
    KeyReused {
        /// The key.
        key: IdempotencyKey,
    },
}

impl Sandbox {
    /// A gateway named `sandbox`. The same seed and the same calls in the same order give the same answers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::named(behaviour::plain("sandbox"), seed)
    }

    /// A gateway of another name, for tests with several.
    #[must_use]
    pub fn named(name: GatewayName, seed: u64) -> Self {
        Self { name, state: Arc::new(Mutex::new(State::new(seed))) }
    }

    /// What the next new calls of a verb meet, one each, after what was scripted before.
    ///
    /// A call is new until it has arrived: [`Behaviour::TimeoutBefore`] leaves it new.
    pub fn script(&self, verb: Verb, behaviours: impl IntoIterator<Item = Behaviour>) {
        // Collected first: the host's iterator may use the sandbox itself.
        let behaviours: Vec<_> = behaviours.into_iter().collect();
        self.state().by_verb.entry(verb).or_default().extend(behaviours);
    }

    /// What one call meets, try after try until it has arrived. It goes before [`script`](Self::script).
    pub fn script_call(&self, key: &IdempotencyKey, behaviours: impl IntoIterator<Item = Behaviour>) {
        let behaviours: Vec<_> = behaviours.into_iter().collect();
        self.state().by_call.entry(*key).or_default().extend(behaviours);
    }

    /// How calls without a script behave from now on. [`Chaos::default`] ends it.
    pub fn chaos(&self, chaos: Chaos) {
        self.state().chaos = chaos;
    }

    /// Ends a pending call, as the payer does at the `direct_link`, and queues the report. Tells how it ended: a call
    /// that the rules no longer allow is declined. `None`, and nothing happens, if the call is not pending.
    pub fn resolve(&self, key: &IdempotencyKey, resolution: Resolution) -> Option<Outcome> {
        self.state().books.resolve(key, resolution)
    }

    /// What the payer's browser brings back from the page of a charge, whatever came of it; `None` when there is no such
    /// charge, or it asked for nothing. A forger has to guess it.
    #[must_use]
    pub fn response(&self, key: &IdempotencyKey) -> Option<Response> {
        self.state().books.response(key)
    }

    /// The bank sends the money of a payout or refund back, days after it settled, and the report is queued. `None`, and nothing
    /// happens, if the call is no payout or refund that settled.
    pub fn send_back(&self, key: &IdempotencyKey, reason: Prose) -> Option<Outcome> {
        self.state().books.send_back(key, None, reason)
    }

    /// The same, by a bank that keeps this charge of it, in minor units. `None`, and nothing happens, if that leaves nothing, too.
    pub fn send_back_less(&self, key: &IdempotencyKey, charge: Money, reason: Prose) -> Option<Outcome> {
        self.state().books.send_back(key, Some(charge), reason)
    }

    /// The card network takes money of a payin back, and the notice is queued. The gateway takes its fee besides. `None`, and
    /// nothing happens, if it is more than was taken and not yet charged back, the dispute is not open or its reference is
    /// known.
    pub fn charge_back(&self, dispute: Dispute) -> Option<Dispute> {
        self.state().books.charge_back(dispute)
    }

    /// An open dispute is won or lost, and the notice is queued. `None`, and nothing happens, if there is none.
    pub fn decide(&self, reference: &DisputeReference, won: bool) -> Option<Dispute> {
        self.state().books.decide(reference, won)
    }

    /// Takes the queued notices of disputes, oldest first.
    #[must_use]
    pub fn disputes(&self) -> Vec<Dispute> {
        self.state().books.take_notices()
    }

    /// The calls that are pending, in the order of their keys.
    #[must_use]
    pub fn pending(&self) -> Vec<IdempotencyKey> {
        self.state().books.pending()
    }

    /// Every call that has arrived, in the order of their keys.
    #[must_use]
    pub fn calls(&self) -> Vec<IdempotencyKey> {
        self.state().books.calls()
    }

    /// Takes the queued webhooks, oldest first.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.state().books.take_reports()
    }

    /// Takes the queued webhooks in an order drawn from the seed, some of them twice if [`Chaos::repeat_report`] says so.
    #[must_use]
    pub fn reports_shuffled(&self) -> Vec<Report> {
        let mut state = self.state();
        let reports = state.books.take_reports();
        let chaos = state.chaos;
        chaos.shuffle(reports, &mut state.random)
    }

    /// How much money a call really moved, in minor units. `None` if it moved none: it is unknown, pending or
    /// declined, or it only reserved or let go.
    #[must_use]
    pub fn moved(&self, key: &IdempotencyKey) -> Option<Money> {
        self.state().books.moved(key)
    }

    /// What is reserved for a payin, in minor units, and neither captured nor voided.
    #[must_use]
    pub fn reserved(&self, payin: Subject) -> Option<Money> {
        self.state().books.reserved(payin)
    }

    /// What the gateway holds for the marketplace, in minor units: all that was taken, less all that was paid out and
    /// refunded and has not come back. It may be below zero.
    #[must_use]
    pub fn net(&self, currency: Currency) -> Money {
        self.state().books.net(currency)
    }

    /// How often a call took effect: how often it settled. A host is right to assert that it is never above 1.
    #[must_use]
    pub fn effects(&self, key: &IdempotencyKey) -> u32 {
        self.state().books.effects(key)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is locked, so a poisoned state is whole all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway for Sandbox {
    type Error = SandboxError;

    fn name(&self) -> &GatewayName {
        &self.name
    }

    /// Once a call has arrived, the same key has no second effect and tells how the call stands now.
    async fn execute(&self, key: &IdempotencyKey, instruction: &Instruction) -> Result<Outcome, SandboxError> {
        self.state().execute(key, instruction)
    }

    /// The truth, always: how the call stands now, or `None` if it never arrived.
    async fn lookup(&self, key: &IdempotencyKey) -> Result<Option<Outcome>, SandboxError> {
        Ok(self.state().books.outcome(key))
    }
}
#[cfg(test)]
mod tests;
