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
        self.state().books.send_back(key, reason)
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
mod tests {
    use super::*;
    use crate::{
        gateway::{Capture, Channel, RefundTo},
        id::Kind,
        sca::{Assurance, Authentication, Binding, Exemption},
    };
    use futures_lite::future::block_on;
    use uuid::Uuid;

    pub(super) fn subject(number: u64) -> Subject {
        Subject::new(Kind::new("pi"), Uuid::from_u128(number.into()))
    }

    pub(super) fn eur(minor: i64) -> Money {
        Money::from_minor(minor, Currency::EUR)
    }

    pub(super) fn charge(payin: u64, amount: Money, capture: Capture) -> Instruction {
        let authentication = Authentication::ByGateway;
        Instruction::Charge { payin: subject(payin), channel: Channel::Card, amount, capture, authentication }
    }

    pub(super) fn capture(payin: u64, amount: Money) -> Instruction {
        Instruction::Capture { payin: subject(payin), amount }
    }

    pub(super) fn void(payin: u64, amount: Money) -> Instruction {
        Instruction::Void { payin: subject(payin), amount }
    }

    pub(super) fn payout(payout: u64, amount: Money) -> Instruction {
        Instruction::Payout { payout: subject(payout), amount, to: "hers".parse().unwrap() }
    }

    pub(super) fn refund(refund: u64, payin: u64, amount: Money) -> Instruction {
        let to = RefundTo::Original;
        Instruction::Refund { refund: subject(refund), payin: subject(payin), amount, to }
    }

    pub(super) fn send(sandbox: &Sandbox, call: &Instruction) -> Result<Outcome, SandboxError> {
        block_on(sandbox.execute(&call.key(), call))
    }

    pub(super) fn settled(moved: Money) -> Outcome {
        Outcome::Settled { moved }
    }

    pub(super) fn look_up(sandbox: &Sandbox, call: &Instruction) -> Option<Outcome> {
        block_on(sandbox.lookup(&call.key())).unwrap()
    }

    /// A sandbox, and a charge of 10.00 EUR that will meet this.
    pub(super) fn scripted<const N: usize>(behaviours: [Behaviour; N]) -> (Sandbox, Instruction) {
        let sandbox = Sandbox::new(1);
        sandbox.script(Verb::Charge, behaviours);
        (sandbox, charge(1, eur(1000), Capture::Now))
    }

    #[test]
    fn settles_unless_told_otherwise() {
        let (sandbox, call) = scripted([]);
        assert_eq!(look_up(&sandbox, &call), None);
        for _ in 0..3 {
            assert_eq!(send(&sandbox, &call), Ok(settled(eur(1000))));
        }
        assert_eq!(look_up(&sandbox.clone(), &call), Some(settled(eur(1000))));
        assert_eq!((sandbox.net(Currency::EUR), sandbox.effects(&call.key())), (eur(1000), 1));
        assert_eq!((sandbox.reports(), sandbox.pending(), sandbox.calls()), (vec![], vec![], vec![call.key()]));
        assert_eq!(
            (sandbox.name().as_str(), Sandbox::named("b".parse().unwrap(), 1).name().as_str()),
            ("sandbox", "b")
        );
    }

    #[test]
    fn a_declined_call_stays_declined() {
        let reason: crate::text::Prose = "no funds".parse().unwrap();
        let (sandbox, call) = scripted([Behaviour::Decline { reason: reason.clone() }]);
        for _ in 0..2 {
            assert_eq!(send(&sandbox, &call), Ok(Outcome::Declined { reason: reason.clone() }));
        }
        assert_eq!((sandbox.moved(&call.key()), sandbox.effects(&call.key())), (None, 0));
    }

    #[test]
    fn a_pending_call_waits_for_its_resolution() {
        for resolution in [Resolution::Settle, Resolution::Decline { reason: "no".parse().unwrap() }] {
            let (sandbox, call) = scripted([Behaviour::Pend]);
            let Ok(Outcome::Pending { direct_link: Some(link) }) = send(&sandbox, &call) else { panic!("no link") };
            assert_eq!(link.as_str(), format!("https://sandbox.invalid/pay/{}", call.key()));
            assert_eq!((sandbox.pending(), sandbox.net(Currency::EUR)), (vec![call.key()], eur(0)));

            let outcome = sandbox.resolve(&call.key(), resolution.clone()).unwrap();
            assert_eq!(send(&sandbox, &call), Ok(outcome.clone()));
            assert_eq!(sandbox.reports(), [Report { key: call.key(), outcome }]);
            assert_eq!(sandbox.effects(&call.key()), u32::from(resolution == Resolution::Settle));
            assert_eq!(sandbox.resolve(&call.key(), Resolution::Settle), None);
            assert!(sandbox.pending().is_empty() && sandbox.reports().is_empty());
        }
        let (sandbox, call) = (Sandbox::new(1), payout(1, eur(5)));
        sandbox.script(Verb::Payout, [Behaviour::Pend]);
        assert_eq!(send(&sandbox, &call), Ok(Outcome::Pending { direct_link: None }));
        assert_eq!(sandbox.resolve(&payout(2, eur(5)).key(), Resolution::Settle), None);
    }

    #[test]
    fn a_webhook_comes_again_or_first() {
        let (sandbox, call) = scripted([Behaviour::SettleTwice]);
        let report = Report { key: call.key(), outcome: settled(eur(1000)) };
        assert_eq!(send(&sandbox, &call), Ok(report.outcome.clone()));
        assert_eq!((sandbox.reports(), sandbox.effects(&call.key())), (vec![report.clone()], 1));

        let (sandbox, call) = scripted([Behaviour::WebhookFirst]);
        assert_eq!(send(&sandbox, &call), Ok(books::not_yet(&call.key())));
        assert_eq!((sandbox.reports(), sandbox.pending()), (vec![report.clone()], vec![]));
        assert_eq!(look_up(&sandbox, &call), Some(report.outcome));
        assert_eq!(sandbox.resolve(&call.key(), Resolution::Settle), None);
        assert_eq!((sandbox.net(Currency::EUR), sandbox.effects(&call.key())), (eur(1000), 1));
    }

    fn asking(payin: u64, authentication: Authentication) -> Instruction {
        let (payin, amount) = (subject(payin), eur(1000));
        Instruction::Charge { payin, channel: Channel::Card, amount, capture: Capture::Now, authentication }
    }

    #[test]
    fn what_is_said_of_a_payer_follows_from_what_was_asked() {
        let sandbox = Sandbox::new(1);
        let binding = Binding::to("sam".parse().unwrap());
        let exempt = || Authentication::Exempt { exemption: Exemption::Corporate, binding: binding.clone() };
        let challenge = Behaviour::Challenge { until: None };
        for (number, asked, behaviour, assurance) in [
            (1, Authentication::ByGateway, Behaviour::Settle, None),
            (2, Authentication::ByGateway, challenge.clone(), Some(Assurance::AUTHENTICATED)),
            (3, Authentication::Challenge(binding.clone()), Behaviour::Pend, Some(Assurance::AUTHENTICATED)),
            (4, exempt(), Behaviour::Pend, Some(Assurance::EXEMPT)),
            (5, exempt(), challenge, Some(Assurance::AUTHENTICATED)),
            (
                6,
                Authentication::Challenge(binding.clone()),
                Behaviour::Assure(Assurance::EXEMPT),
                Some(Assurance::EXEMPT),
            ),
        ] {
            let call = asking(number, asked);
            sandbox.script_call(&call.key(), [behaviour]);
            send(&sandbox, &call).unwrap();
            sandbox.resolve(&call.key(), Resolution::Settle);
            let said =
                assurance.map_or(settled(eur(1000)), |assurance| Outcome::Assured { moved: eur(1000), assurance });
            assert_eq!(send(&sandbox, &call), Ok(said));
            assert_eq!((sandbox.moved(&call.key()), sandbox.effects(&call.key())), (Some(eur(1000)), 1));
        }
    }

    #[test]
    fn a_challenge_has_a_page_an_end_and_a_response() {
        let (sandbox, binding) = (Sandbox::new(1), Binding::to("sam".parse().unwrap()));
        let call = asking(1, Authentication::Challenge(binding.clone()));
        assert_eq!(sandbox.response(&call.key()), None);
        let until = Some("2026-05-07T15:39:46Z".parse().unwrap());
        sandbox.script(Verb::Charge, [Behaviour::Challenge { until }]);
        let Ok(Outcome::Challenged { direct_link, until: told }) = send(&sandbox, &call) else {
            panic!("no challenge")
        };
        assert_eq!(
            (direct_link.as_str(), told),
            (format!("https://sandbox.invalid/pay/{}", call.key()).as_str(), until)
        );
        assert_eq!((sandbox.pending(), sandbox.net(Currency::EUR)), (vec![call.key()], eur(0)));
        assert_eq!(sandbox.response(&call.key()), Some(binding.response(subject(1), eur(1000))));
        assert_eq!(sandbox.response(&asking(2, Authentication::ByGateway).key()), None);

        let (other, payout) = (Sandbox::new(1), payout(1, eur(5)));
        other.script(Verb::Payout, [Behaviour::Challenge { until }, Behaviour::Assure(Assurance::EXEMPT)]);
        assert_eq!(send(&other, &payout), Ok(Outcome::Pending { direct_link: None }), "nobody is there to challenge");
        assert_eq!(send(&other, &self::payout(2, eur(5))), Ok(settled(eur(5))));
    }

    #[test]
    fn a_wrong_amount_really_moves() {
        for wrong in [eur(999), Money::from_minor(1000, Currency::JPY)] {
            let (sandbox, call) = scripted([Behaviour::WrongAmount(wrong)]);
            assert_eq!(send(&sandbox, &call), Ok(settled(wrong)));
            assert_eq!((sandbox.net(wrong.currency()), sandbox.moved(&call.key())), (wrong, Some(wrong)));
        }
    }

    #[test]
    fn what_went_out_may_come_back_once_and_go_out_again() {
        let sandbox = Sandbox::new(1);
        for call in [charge(1, eur(1000), Capture::Now), refund(10, 1, eur(600)), payout(20, eur(300))] {
            assert_eq!(send(&sandbox, &call), Ok(settled(call.amount())));
        }
        let back = |call: &Instruction| sandbox.send_back(&call.key(), "closed".parse().unwrap());
        for (call, net) in [(refund(10, 1, eur(600)), 700), (payout(20, eur(300)), 1000)] {
            let outcome = Outcome::Returned { moved: call.amount(), reason: "closed".parse().unwrap() };
            assert_eq!((back(&call), sandbox.net(Currency::EUR)), (Some(outcome.clone()), eur(net)));
            assert_eq!(sandbox.reports(), [Report { key: call.key(), outcome: outcome.clone() }]);
            assert_eq!(
                (back(&call), look_up(&sandbox, &call), sandbox.moved(&call.key())),
                (None, Some(outcome), None)
            );
        }
        // Neither what was taken, nor what never went out.
        assert_eq!((back(&charge(1, eur(1000), Capture::Now)), back(&payout(21, eur(1)))), (None, None));
        assert!(sandbox.reports().is_empty());
        // All of the payin may be refunded again, and no more.
        assert_eq!(send(&sandbox, &refund(11, 1, eur(1000))), Ok(settled(eur(1000))));
        assert!(matches!(send(&sandbox, &refund(12, 1, eur(1))), Ok(Outcome::Declined { .. })));
        assert_eq!(sandbox.net(Currency::EUR), eur(0));
    }

    #[test]
    fn its_futures_may_cross_threads() {
        fn sent<T: Send>(future: T) -> T {
            future
        }
        let (sandbox, call) = scripted([]);
        assert_eq!(block_on(sent(sandbox.execute(&call.key(), &call))), Ok(settled(eur(1000))));
    }
}
