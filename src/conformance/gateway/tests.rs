//! The sandbox keeps every promise, and each gateway that breaks one is found out.

use super::*;
use crate::{
    gateway::Verb,
    ledger::GatewayName,
    money::Currency,
    sandbox::{Behaviour, Resolution, Sandbox, SandboxError},
};
use futures_lite::future::{block_on, yield_now};
use std::{collections::HashMap, sync::Mutex};

impl Provider for Sandbox {
    type Gateway = Self;

    fn gateway(&self) -> &Self {
        self
    }

    fn amount(&self) -> Money {
        Money::from_minor(1250, Currency::EUR)
    }

    fn bank_account(&self) -> BankAccount {
        "ba_1".parse().unwrap()
    }

    async fn effects(&self, key: &IdempotencyKey) -> u32 {
        Self::effects(self, key)
    }

    async fn finish(&self, key: &IdempotencyKey) {
        self.resolve(key, Resolution::Settle);
    }
}

mod that_settles_at_once {
    use super::*;

    fn on_sandbox(promise: impl AsyncFnOnce(&Sandbox)) {
        block_on(promise(&Sandbox::new(1)));
    }

    crate::gateway_promises!(on_sandbox);
}

mod that_lets_one_wait {
    use super::*;

    fn on_sandbox(promise: impl AsyncFnOnce(&Sandbox)) {
        let sandbox = Sandbox::new(2);
        for verb in Verb::ALL {
            sandbox.script(verb, [Behaviour::Pend, Behaviour::Pend, Behaviour::Pend]);
        }
        block_on(promise(&sandbox));
    }

    crate::gateway_promises!(on_sandbox);
}

mod that_insists_on_challenges {
    use super::*;

    fn on_sandbox(promise: impl AsyncFnOnce(&Sandbox)) {
        let sandbox = Sandbox::new(2);
        sandbox.script(Verb::Charge, [const { Behaviour::Challenge { until: None } }; 3]);
        block_on(promise(&sandbox));
    }

    crate::gateway_promises!(on_sandbox);
}

#[test]
#[should_panic(expected = "left: (Money")]
fn a_gateway_that_skips_a_challenge_is_found_out() {
    let sandbox = Sandbox::new(3);
    sandbox.script(Verb::Charge, [Behaviour::Assure(crate::sca::Assurance::EXEMPT)]);
    let promise = a_challenge_that_is_asked_for_is_passed_before_anything_moves(&sandbox);
    block_on(promise);
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn a_gateway_that_acts_twice_is_found_out() {
    struct Twice(Sandbox);

    impl Provider for Twice {
        type Gateway = Sandbox;
        fn gateway(&self) -> &Sandbox {
            &self.0
        }
        fn amount(&self) -> Money {
            self.0.amount()
        }
        fn bank_account(&self) -> BankAccount {
            self.0.bank_account()
        }
        async fn effects(&self, key: &IdempotencyKey) -> u32 {
            2 * Sandbox::effects(&self.0, key)
        }
    }

    block_on(the_same_key_acts_once(&Twice(Sandbox::new(3))));
}

/// A gateway that says of every void that it is done.
struct Deaf(Sandbox);

impl Gateway for Deaf {
    type Error = SandboxError;

    fn name(&self) -> &GatewayName {
        self.0.name()
    }

    async fn execute(&self, key: &IdempotencyKey, instruction: &Instruction) -> Result<Outcome, SandboxError> {
        if key.verb == Verb::Void {
            return Ok(Outcome::Settled { moved: Money::zero(self.0.amount().currency()) });
        }
        self.0.execute(key, instruction).await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Option<Outcome>, SandboxError> {
        self.0.lookup(key).await
    }
}

impl Provider for Deaf {
    type Gateway = Self;

    fn gateway(&self) -> &Self {
        self
    }

    fn amount(&self) -> Money {
        self.0.amount()
    }

    fn bank_account(&self) -> BankAccount {
        self.0.bank_account()
    }

    async fn effects(&self, key: &IdempotencyKey) -> u32 {
        self.0.effects(key)
    }

    async fn finish(&self, key: &IdempotencyKey) {
        self.0.resolve(key, Resolution::Settle);
    }
}

#[test]
#[should_panic(expected = "was stopped, and is Some(Settled")]
fn a_gateway_that_stops_nothing_is_found_out() {
    let sandbox = Sandbox::new(5);
    sandbox.script(Verb::Charge, [Behaviour::Pend]);
    block_on(a_void_stops_a_charge_that_waits_for_its_payer(&Deaf(sandbox)));
}

#[test]
#[should_panic(expected = "has to be declined, and is Settled")]
fn a_gateway_that_lets_go_of_what_was_taken_is_found_out() {
    block_on(a_void_stops_a_charge_that_waits_for_its_payer(&Deaf(Sandbox::new(5))));
}

/// A gateway that looks whether it knows a key, and then acts: with one kind of call, and not as one step.
struct Hasty {
    sandbox: Sandbox,
    verb: Verb,
    acted: Mutex<HashMap<IdempotencyKey, u32>>,
}

impl Hasty {
    fn with(verb: Verb) -> Self {
        Self { sandbox: Sandbox::new(4), verb, acted: Mutex::default() }
    }
}

impl Gateway for Hasty {
    type Error = SandboxError;

    fn name(&self) -> &GatewayName {
        self.sandbox.name()
    }

    async fn execute(&self, key: &IdempotencyKey, instruction: &Instruction) -> Result<Outcome, SandboxError> {
        if key.verb == self.verb && self.sandbox.lookup(key).await?.is_none() {
            yield_now().await;
            *self.acted.lock().unwrap().entry(*key).or_default() += 1;
        }
        self.sandbox.execute(key, instruction).await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Option<Outcome>, SandboxError> {
        self.sandbox.lookup(key).await
    }
}

impl Provider for Hasty {
    type Gateway = Self;

    fn gateway(&self) -> &Self {
        self
    }

    fn amount(&self) -> Money {
        self.sandbox.amount()
    }

    fn bank_account(&self) -> BankAccount {
        self.sandbox.bank_account()
    }

    async fn effects(&self, key: &IdempotencyKey) -> u32 {
        if key.verb == self.verb { self.acted.lock().unwrap()[key] } else { self.sandbox.effects(key) }
    }
}

mod that_is_hasty {
    use super::*;

    #[test]
    fn with_the_same_call_again_keeps_its_promises() {
        for verb in [Verb::Charge, Verb::Capture, Verb::Payout] {
            let hasty = Hasty::with(verb);
            block_on(the_same_key_acts_once(&hasty));
            block_on(a_reservation_is_captured(&hasty));
            block_on(a_payout_arrives_once(&hasty));
        }
    }

    #[test]
    #[should_panic(expected = ":charge has acted")]
    fn with_charges_is_found_out() {
        block_on(the_same_key_at_the_same_moment_acts_once(&Hasty::with(Verb::Charge)));
    }

    #[test]
    #[should_panic(expected = ":capture has acted")]
    fn with_captures_is_found_out() {
        block_on(the_same_key_at_the_same_moment_acts_once(&Hasty::with(Verb::Capture)));
    }

    #[test]
    #[should_panic(expected = ":refund has acted")]
    fn with_refunds_is_found_out() {
        block_on(the_same_key_at_the_same_moment_acts_once(&Hasty::with(Verb::Refund)));
    }

    #[test]
    #[should_panic(expected = ":payout has acted")]
    fn with_payouts_is_found_out() {
        block_on(the_same_key_at_the_same_moment_acts_once(&Hasty::with(Verb::Payout)));
    }
}
