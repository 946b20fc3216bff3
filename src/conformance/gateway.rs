//! What every gateway promises, to be tried against a provider's test mode.
//!
//! ```
//! use escrowed::conformance::gateway::{Provider, a_payout_arrives_once};
//! use escrowed::gateway::{BankAccount, IdempotencyKey};
//! use escrowed::{money::Money, sandbox::{Resolution, Sandbox}};
//!
//! /// Your gateway, and its provider's test mode; here a sandbox stands in for both.
//! struct TestMode(Sandbox);
//!
//! impl Provider for TestMode {
//!     type Gateway = Sandbox;
//!     fn gateway(&self) -> &Sandbox { &self.0 }
//!     fn amount(&self) -> Money { "12.50 EUR".parse().unwrap() }
//!     fn bank_account(&self) -> BankAccount { "ba_1".parse().unwrap() }
//!     async fn effects(&self, key: &IdempotencyKey) -> u32 { self.0.effects(key) }
//!     async fn finish(&self, key: &IdempotencyKey) { self.0.resolve(key, Resolution::Settle); }
//! }
//!
//! fn in_test_mode(promise: impl AsyncFnOnce(&TestMode)) {
//!     futures_lite::future::block_on(promise(&TestMode(Sandbox::new(7))));
//! }
//!
//! escrowed::gateway_promises!(in_test_mode);              // in a host's tests: one for each promise
//! in_test_mode(async |provider| a_payout_arrives_once(provider).await);
//! ```
//!
//! A webhook's parser is the host's own and tried by nobody here: what it reports has to be what a lookup says.

use crate::{
    gateway::{BankAccount, Capture, Channel, Gateway, IdempotencyKey, Instruction, Outcome, RefundTo},
    id::{Kind, Subject},
    money::Money,
    payment::{PayinId, PayoutId, RefundId},
    sca::{Authentication, Binding, Exemption},
};
use futures_util::future::join_all;
use std::future::Future;
use uuid::Uuid;

/// A gateway, and what its provider's test mode has to tell.
pub trait Provider: Sync {
    /// The gateway.
    type Gateway: Gateway;

    /// The gateway.
    fn gateway(&self) -> &Self::Gateway;

    /// An amount that test payers can pay: at least four minor units.
    fn amount(&self) -> Money;

    /// A bank account that test payouts reach.
    fn bank_account(&self) -> BankAccount;

    /// How often a call has moved or reserved money, by the provider's own books. Nobody asks it about a void.
    fn effects(&self, key: &IdempotencyKey) -> impl Future<Output = u32> + Send;

    /// Does what a call that is pending waits for, such as the payer's consent. Nothing, unless said.
    fn finish(&self, _key: &IdempotencyKey) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Writes one test per promise, named after it, which calls `$run` with the promise: an async function of a [`Provider`].
#[macro_export]
macro_rules! gateway_promises {
    ($run:path) => {
        $crate::gateway_promises! { $run =>
            a_name_stays,
            a_call_that_never_came_is_not_found,
            a_call_is_found_by_its_key,
            the_same_key_acts_once,
            the_same_key_at_the_same_moment_acts_once,
            a_key_stands_for_one_call,
            what_moved_is_what_was_asked,
            a_reservation_is_captured,
            a_reservation_is_let_go,
            a_void_stops_a_charge_that_waits_for_its_payer,
            a_refund_gives_back_and_no_more_than_was_taken,
            a_payout_arrives_once,
            a_final_answer_stays,
            a_challenge_that_is_asked_for_is_passed_before_anything_moves,
            an_exemption_that_is_asked_for_says_who_is_liable,
        }
    };
    ($run:path => $($name:ident),+ $(,)?) => {$(
        #[test]
        fn $name() {
            $run(async |provider| $crate::conformance::gateway::$name(provider).await);
        }
    )+};
}

/// Its name, which is that of its account in the books, is always the same.
pub async fn a_name_stays<P: Provider>(provider: &P) {
    let name = provider.gateway().name().clone();
    settled(provider, &charge(provider, Capture::Now)).await;
    assert_eq!(*provider.gateway().name(), name);
}

/// A call that never came is not found, and looking for it does nothing.
pub async fn a_call_that_never_came_is_not_found<P: Provider>(provider: &P) {
    let call = charge(provider, Capture::Now);
    for _ in 0..2 {
        assert_eq!(provider.gateway().lookup(&call.key()).await.unwrap(), None);
    }
    assert_eq!(provider.effects(&call.key()).await, 0);
}

/// A call that was answered is found by its key, with the same answer or, after a pending one, a later one.
pub async fn a_call_is_found_by_its_key<P: Provider>(provider: &P) {
    let call = charge(provider, Capture::Now);
    let answer = provider.gateway().execute(&call.key(), &call).await.unwrap();
    let found = provider.gateway().lookup(&call.key()).await.unwrap().expect("a call that was answered is found");
    assert_follows(&answer, &found);
}

/// Sent again under its key, a call has no second effect and gets the same answer or a later one.
pub async fn the_same_key_acts_once<P: Provider>(provider: &P) {
    let call = charge(provider, Capture::Now);
    let mut answer = provider.gateway().execute(&call.key(), &call).await.unwrap();
    for _ in 0..3 {
        let again = provider.gateway().execute(&call.key(), &call).await.unwrap();
        assert_follows(&answer, &again);
        answer = again;
    }
    settled(provider, &call).await;
    assert_eq!(provider.effects(&call.key()).await, 1);
}

/// Sent several times at the same moment, a call has one effect, whichever way it moves money.
pub async fn the_same_key_at_the_same_moment_acts_once<P: Provider>(provider: &P) {
    let (taken, reserved) = (charge(provider, Capture::Now), charge(provider, Capture::Later));
    let amount = provider.amount();
    let capture = Instruction::Capture { payin: reserved.key().subject, amount };
    let refund = Instruction::Refund {
        refund: fresh::<RefundId>("re"),
        payin: taken.key().subject,
        amount: minor(amount, 1),
        to: RefundTo::Original,
    };
    let payout = Instruction::Payout { payout: fresh::<PayoutId>("po"), amount, to: provider.bank_account() };
    for call in [taken, reserved, capture, refund, payout] {
        let key = call.key();
        // Some may fail, since their outcome is unknown. None may act twice.
        join_all((0..4).map(|_| provider.gateway().execute(&key, &call))).await;
        settled(provider, &call).await;
        assert_eq!(provider.effects(&key).await, 1, "how often {key} has acted");
    }
}

/// Another call under a key that was used does nothing: it is an error, or gets the first call's answer.
pub async fn a_key_stands_for_one_call<P: Provider>(provider: &P) {
    let call = charge(provider, Capture::Now);
    let first = answered(provider, &call).await;
    let Instruction::Charge { payin, channel, amount, capture, authentication } = call else {
        unreachable!("a charge")
    };
    let less = amount.checked_sub(minor(amount, 1)).unwrap();
    let other = Instruction::Charge { payin, channel, amount: less, capture, authentication };
    if let Ok(answer) = provider.gateway().execute(&other.key(), &other).await {
        assert_eq!(answer, first);
    }
    assert_eq!(provider.effects(&other.key()).await, 1);
    assert_eq!(settled(provider, &charge_of(payin, amount, capture)).await, amount);
}

/// A charge that settles has moved exactly what was asked.
pub async fn what_moved_is_what_was_asked<P: Provider>(provider: &P) {
    for capture in [Capture::Now, Capture::Later] {
        let call = charge(provider, capture);
        assert_eq!(settled(provider, &call).await, provider.amount());
    }
}

/// What was reserved can be taken, once.
pub async fn a_reservation_is_captured<P: Provider>(provider: &P) {
    let call = charge(provider, Capture::Later);
    settled(provider, &call).await;
    let capture = Instruction::Capture { payin: call.key().subject, amount: provider.amount() };
    assert_eq!(settled(provider, &capture).await, provider.amount());
    assert_eq!(settled(provider, &capture).await, provider.amount());
    assert_eq!(provider.effects(&capture.key()).await, 1);
}

/// What was reserved can be let go, all of it; it cannot be taken any more.
pub async fn a_reservation_is_let_go<P: Provider>(provider: &P) {
    let call = charge(provider, Capture::Later);
    settled(provider, &call).await;
    let payin = call.key().subject;
    let void = Instruction::Void { payin, amount: provider.amount() };
    assert_eq!(settled(provider, &void).await, provider.amount());
    let capture = Instruction::Capture { payin, amount: provider.amount() };
    declined(provider, &capture).await;
}

/// A void that settles has stopped a charge that was waiting for its payer, for good. One that comes when the money has been taken
/// is declined.
pub async fn a_void_stops_a_charge_that_waits_for_its_payer<P: Provider>(provider: &P) {
    let call = charge(provider, Capture::Now);
    let (key, amount) = (call.key(), provider.amount());
    let waits = !provider.gateway().execute(&key, &call).await.unwrap().is_final();
    let void = Instruction::Void { payin: key.subject, amount };
    if !waits {
        return declined(provider, &void).await;
    }
    assert_eq!(settled(provider, &void).await, minor(amount, 0), "nothing had been reserved");
    provider.finish(&key).await;
    let found = provider.gateway().lookup(&key).await.unwrap();
    let moved = found.as_ref().and_then(Outcome::moved);
    assert_eq!((moved, provider.effects(&key).await), (None, 0), "{key} was stopped, and is {found:?} now");
}

/// A part of what was taken is given back, and another; more than is left is declined.
pub async fn a_refund_gives_back_and_no_more_than_was_taken<P: Provider>(provider: &P) {
    let call = charge(provider, Capture::Now);
    let taken = settled(provider, &call).await;
    let payin = call.key().subject;
    let part = minor(taken, 1);
    let refund =
        |amount| Instruction::Refund { refund: fresh::<RefundId>("re"), payin, amount, to: RefundTo::Original };
    for _ in 0..2 {
        assert_eq!(settled(provider, &refund(part)).await, part);
    }
    declined(provider, &refund(taken)).await;
}

/// A payout moves what was asked, once.
pub async fn a_payout_arrives_once<P: Provider>(provider: &P) {
    settled(provider, &charge(provider, Capture::Now)).await;
    let payout =
        Instruction::Payout { payout: fresh::<PayoutId>("po"), amount: provider.amount(), to: provider.bank_account() };
    for _ in 0..2 {
        assert_eq!(settled(provider, &payout).await, provider.amount());
    }
    assert_eq!(provider.effects(&payout.key()).await, 1);
}

/// An answer that is final never changes, however often it is asked for.
pub async fn a_final_answer_stays<P: Provider>(provider: &P) {
    let call = charge(provider, Capture::Now);
    let answer = answered(provider, &call).await;
    assert_eq!(answer.moved(), Some(provider.amount()));
    for _ in 0..3 {
        let found = provider.gateway().lookup(&call.key()).await.unwrap();
        assert_eq!(found.as_ref(), Some(&answer));
    }
}

/// A charge that asks for a challenge settles only with the payer authenticated; nothing moves before.
pub async fn a_challenge_that_is_asked_for_is_passed_before_anything_moves<P: Provider>(provider: &P) {
    let call = asking(provider, Authentication::Challenge(binding()));
    let first = provider.gateway().execute(&call.key(), &call).await.unwrap();
    assert_eq!(provider.effects(&call.key()).await, u32::from(first.is_final()));
    let answer = answered(provider, &call).await;
    let Outcome::Assured { moved, assurance } = answer else { panic!("{}: {answer:?}", call.key()) };
    assert_eq!((moved, assurance.authenticated), (provider.amount(), true), "{}", call.key());
    assert_eq!(provider.effects(&call.key()).await, 1);
}

/// A charge that asks for an exemption settles with word of who is liable; where the payer's bank insists on a challenge, with the
/// payer authenticated.
pub async fn an_exemption_that_is_asked_for_says_who_is_liable<P: Provider>(provider: &P) {
    let call = asking(provider, Authentication::Exempt { exemption: Exemption::Corporate, binding: binding() });
    let first = provider.gateway().execute(&call.key(), &call).await.unwrap();
    let answer = answered(provider, &call).await;
    let Outcome::Assured { moved, assurance } = answer else { panic!("{}: {answer:?}", call.key()) };
    assert_eq!(moved, provider.amount());
    let challenged = matches!(first, Outcome::Challenged { .. });
    assert!(assurance.authenticated || !challenged, "{}: {assurance:?}", call.key());
}

/// How often a pending call is looked up before it counts as stuck.
const PATIENCE: usize = 100;

/// The final answer to a call, once whatever it waits for was done.
async fn answered<P: Provider>(provider: &P, call: &Instruction) -> Outcome {
    let key = call.key();
    let mut answer = provider.gateway().execute(&key, call).await.unwrap();
    for _ in 0..PATIENCE {
        if answer.is_final() {
            return answer;
        }
        provider.finish(&key).await;
        let later = provider.gateway().lookup(&key).await.unwrap().expect("a pending call is found");
        assert_follows(&answer, &later);
        answer = later;
    }
    panic!("{key} is still pending after {PATIENCE} lookups: let `finish` do what it waits for");
}

/// What a call has moved.
async fn settled<P: Provider>(provider: &P, call: &Instruction) -> Money {
    match answered(provider, call).await {
        Outcome::Settled { moved } | Outcome::Assured { moved, .. } => moved,
        declined @ Outcome::Declined { .. } => panic!("{}: {declined:?}", call.key()),
        returned @ Outcome::Returned { .. } => {
            panic!("{}: {returned:?} before it was said to have settled", call.key())
        }
        pending @ (Outcome::Pending { .. } | Outcome::Challenged { .. }) => {
            unreachable!("{pending:?} is no final answer")
        }
    }
}

/// A call that must not move anything.
async fn declined<P: Provider>(provider: &P, call: &Instruction) {
    let answer = answered(provider, call).await;
    assert!(matches!(answer, Outcome::Declined { .. }), "{} has to be declined, and is {answer:?}", call.key());
}

#[track_caller]
fn assert_follows(first: &Outcome, second: &Outcome) {
    assert!(!first.is_final() || first == second, "{first:?} became {second:?}");
}

fn charge<P: Provider>(provider: &P, capture: Capture) -> Instruction {
    charge_of(fresh::<PayinId>("pi"), provider.amount(), capture)
}

fn charge_of(payin: Subject, amount: Money, capture: Capture) -> Instruction {
    Instruction::Charge { payin, channel: Channel::Card, amount, capture, authentication: Authentication::ByGateway }
}

fn asking<P: Provider>(provider: &P, authentication: Authentication) -> Instruction {
    let (payin, amount, capture) = (fresh::<PayinId>("pi"), provider.amount(), Capture::Now);
    Instruction::Charge { payin, channel: Channel::Card, amount, capture, authentication }
}

fn binding() -> Binding {
    Binding::to("conformance".parse().expect("a party's name"))
}

fn minor(like: Money, minor: i64) -> Money {
    Money::from_minor(minor, like.currency())
}

// A provider remembers its keys for ever, so each run has its own.
fn fresh<I: TryFrom<Subject>>(prefix: &'static str) -> Subject {
    let subject = Subject::new(Kind::new(prefix), Uuid::now_v7());
    assert!(I::try_from(subject).is_ok(), "{prefix} is the prefix of such a payment");
    subject
}

#[cfg(test)]
mod tests;
