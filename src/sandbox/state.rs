//! What a sandbox and its clones share: the scripts, the seed and the books.

use super::{
    SandboxError,
    behaviour::{Behaviour, Chaos, SplitMix64},
    books::{Books, not_yet},
};
use crate::{
    gateway::{IdempotencyKey, Instruction, Outcome, Verb},
    money::Money,
};
use std::collections::{BTreeMap, VecDeque};

#[derive(Debug)]
pub(super) struct State {
    pub(super) random: SplitMix64,
    pub(super) chaos: Chaos,
    pub(super) by_verb: BTreeMap<Verb, VecDeque<Behaviour>>,
    pub(super) by_call: BTreeMap<IdempotencyKey, VecDeque<Behaviour>>,
    pub(super) books: Books,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: SplitMix64::new(seed),
            chaos: Chaos::default(),
            by_verb: BTreeMap::new(),
            by_call: BTreeMap::new(),
            books: Books::default(),
        }
    }

    pub(super) fn execute(&mut self, key: &IdempotencyKey, instruction: &Instruction) -> Result<Outcome, SandboxError> {
        if instruction.key() != *key || self.books.instruction(key).is_some_and(|known| known != instruction) {
            return Err(SandboxError::KeyReused { key: *key });
        }
        if let Some(outcome) = self.books.outcome(key) {
            return Ok(outcome);
        }
        match self.behaviour(key, instruction.amount()) {
            Behaviour::Settle => Ok(self.books.settle(instruction, None)),
            Behaviour::Decline { reason } => Ok(self.books.decline(instruction, reason)),
            Behaviour::Pend => Ok(self.books.pend(instruction)),
            Behaviour::Challenge { until } => Ok(self.books.challenge(instruction, until)),
            Behaviour::Assure(assurance) => Ok(self.books.settle_assured(instruction, assurance)),
            Behaviour::TimeoutBefore => Err(SandboxError::TimedOut),
            Behaviour::TimeoutAfter => {
                self.books.settle(instruction, None);
                Err(SandboxError::TimedOut)
            }
            Behaviour::SettleTwice => {
                let outcome = self.books.settle(instruction, None);
                self.books.report(*key, outcome.clone());
                Ok(outcome)
            }
            Behaviour::WebhookFirst => {
                let outcome = self.books.settle(instruction, None);
                self.books.report(*key, outcome);
                Ok(not_yet(key))
            }
            Behaviour::WrongAmount(amount) => Ok(self.books.settle(instruction, Some(amount))),
        }
    }

    fn behaviour(&mut self, key: &IdempotencyKey, asked: Money) -> Behaviour {
        let own = self.by_call.get_mut(key).and_then(VecDeque::pop_front);
        own.or_else(|| self.by_verb.get_mut(&key.verb)?.pop_front())
            .unwrap_or_else(|| self.chaos.draw(asked, &mut self.random))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Resolution,
            tests::{charge, eur, look_up, payout, scripted, send, settled},
        },
        *,
    };
    use crate::{
        gateway::{Capture, Gateway},
        money::Currency,
    };
    use futures_lite::future::block_on;

    #[test]
    fn a_timeout_leaves_the_truth_to_the_lookup() {
        let (sandbox, call) = scripted([Behaviour::TimeoutBefore, Behaviour::TimeoutBefore, Behaviour::TimeoutAfter]);
        for truth in [None, None, Some(settled(eur(1000)))] {
            assert_eq!(send(&sandbox, &call), Err(SandboxError::TimedOut));
            assert_eq!(look_up(&sandbox, &call), truth);
            assert_eq!(sandbox.effects(&call.key()), u32::from(truth.is_some()));
        }
        assert_eq!(send(&sandbox, &call), Ok(settled(eur(1000))));
        assert_eq!((sandbox.net(Currency::EUR), sandbox.effects(&call.key())), (eur(1000), 1));

        let (sandbox, call) = scripted([Behaviour::TimeoutBefore]);
        send(&sandbox, &call).unwrap_err();
        assert_eq!(send(&sandbox, &call), Ok(settled(eur(1000))));
    }

    #[test]
    fn a_key_stands_for_one_call() {
        let (sandbox, call) = scripted([]);
        let reused = Err(SandboxError::KeyReused { key: call.key() });
        assert_eq!(block_on(sandbox.execute(&call.key(), &payout(1, eur(1000)))), reused);
        assert_eq!(look_up(&sandbox, &call), None);
        send(&sandbox, &call).unwrap();
        assert_eq!(send(&sandbox, &charge(1, eur(1001), Capture::Now)), reused);
        assert_eq!((send(&sandbox, &call), sandbox.net(Currency::EUR)), (Ok(settled(eur(1000))), eur(1000)));
    }

    #[test]
    fn scripts_go_call_first_then_verb_then_chaos() {
        let (sandbox, call) = scripted([Behaviour::WrongAmount(eur(1)), Behaviour::WrongAmount(eur(2))]);
        sandbox.chaos(Chaos { pend: 1000, repeat_report: 1000, ..Chaos::default() });
        sandbox.script_call(&call.key(), [Behaviour::TimeoutBefore, Behaviour::WrongAmount(eur(3))]);
        assert_eq!(send(&sandbox, &payout(1, eur(7))), Ok(Outcome::Pending { direct_link: None }));
        assert_eq!(send(&sandbox, &call), Err(SandboxError::TimedOut));
        assert_eq!(send(&sandbox, &charge(2, eur(9), Capture::Now)), Ok(settled(eur(1))));
        assert_eq!(send(&sandbox, &call), Ok(settled(eur(3))));
        assert_eq!(send(&sandbox, &charge(3, eur(9), Capture::Now)), Ok(settled(eur(2))));
        let last = charge(4, eur(9), Capture::Now);
        assert_eq!(send(&sandbox, &last), Ok(not_yet(&last.key())));
        sandbox.resolve(&last.key(), Resolution::Settle);
        assert_eq!(sandbox.reports_shuffled().len(), 2);
        sandbox.chaos(Chaos::default());
        assert_eq!(send(&sandbox, &payout(5, eur(7))), Ok(settled(eur(7))));
    }
}
