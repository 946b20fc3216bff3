//! What the sandbox knows: which calls have arrived, what became of them and what has really moved.

use super::{Resolution, behaviour::plain, rules::Broken};
use crate::{
    gateway::{Capture, Dispute, DisputeReference, DisputeStage, IdempotencyKey, Instruction, Outcome, Report, Verb},
    id::Subject,
    money::{Currency, Money},
    sca::{Assurance, Authentication, Response},
    text::{Link, Prose},
    time::Timestamp,
};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Books {
    calls: BTreeMap<IdempotencyKey, Call>,
    /// What the gateway holds for the marketplace.
    net: BTreeMap<Currency, Money>,
    /// What has been given back of each payin, and has not come back.
    refunded: BTreeMap<(Subject, Currency), Money>,
    reports: Vec<Report>,
    disputes: BTreeMap<DisputeReference, Dispute>,
    notices: Vec<Dispute>,
}

#[derive(Debug)]
struct Call {
    instruction: Instruction,
    outcome: Outcome,
    effects: u32,
    /// Whether the payer was told to pass a challenge.
    challenged: bool,
}

/// The answer of a call that has none yet. Only a charge has a page to send the payer to; `.invalid` is reserved for
/// addresses that lead nowhere (RFC 2606).
pub(super) fn not_yet(key: &IdempotencyKey) -> Outcome {
    let direct_link = match key.verb {
        Verb::Charge => Some(page(key)),
        Verb::Capture | Verb::Void | Verb::Payout | Verb::Refund => None,
    };
    Outcome::Pending { direct_link }
}

fn page(key: &IdempotencyKey) -> Link {
    plain(&format!("https://sandbox.invalid/pay/{key}"))
}

impl Books {
    pub(super) fn instruction(&self, key: &IdempotencyKey) -> Option<&Instruction> {
        self.calls.get(key).map(|call| &call.instruction)
    }

    pub(super) fn outcome(&self, key: &IdempotencyKey) -> Option<Outcome> {
        self.calls.get(key).map(|call| call.outcome.clone())
    }

    pub(super) fn effects(&self, key: &IdempotencyKey) -> u32 {
        self.calls.get(key).map_or(0, |call| call.effects)
    }

    pub(super) fn calls(&self) -> Vec<IdempotencyKey> {
        self.calls.keys().copied().collect()
    }

    pub(super) fn pending(&self) -> Vec<IdempotencyKey> {
        self.calls.iter().filter(|(_, call)| !call.outcome.is_final()).map(|(key, _)| *key).collect()
    }

    pub(super) fn net(&self, currency: Currency) -> Money {
        self.net.get(&currency).copied().unwrap_or(Money::zero(currency))
    }

    pub(super) fn moved(&self, key: &IdempotencyKey) -> Option<Money> {
        match self.calls.get(key)?.instruction {
            Instruction::Charge { capture: Capture::Now, .. }
            | Instruction::Capture { .. }
            | Instruction::Payout { .. }
            | Instruction::Refund { .. } => self.settled(key),
            Instruction::Charge { capture: Capture::Later, .. } | Instruction::Void { .. } => None,
        }
    }

    pub(super) fn reserved(&self, payin: Subject) -> Option<Money> {
        let key = |verb| IdempotencyKey { subject: payin, verb };
        match self.calls.get(&key(Verb::Charge))?.instruction {
            Instruction::Charge { capture: Capture::Later, .. } => {
                let over = self.settled(&key(Verb::Capture)).or(self.settled(&key(Verb::Void)));
                if over.is_some() { None } else { self.settled(&key(Verb::Charge)) }
            }
            Instruction::Charge { capture: Capture::Now, .. }
            | Instruction::Capture { .. }
            | Instruction::Void { .. }
            | Instruction::Payout { .. }
            | Instruction::Refund { .. } => None,
        }
    }

    /// Settles a call with what the rules give it, or `instead` with another amount; declines it if they forbid it.
    pub(super) fn settle(&mut self, instruction: &Instruction, instead: Option<Money>) -> Outcome {
        let moved = self.allowed(instruction).and_then(|amount| {
            let moved = instead.unwrap_or(amount);
            self.book(instruction, moved)?;
            Ok(moved)
        });
        match moved {
            Ok(moved) => {
                let outcome = match self.assurance(instruction) {
                    Some(assurance) => Outcome::Assured { moved, assurance },
                    None => Outcome::Settled { moved },
                };
                self.enter(instruction, outcome)
            }
            Err(broken) => self.decline(instruction, plain(broken.reason())),
        }
    }

    pub(super) fn decline(&mut self, instruction: &Instruction, reason: Prose) -> Outcome {
        self.enter(instruction, Outcome::Declined { reason })
    }

    pub(super) fn pend(&mut self, instruction: &Instruction) -> Outcome {
        self.enter(instruction, not_yet(&instruction.key()))
    }

    pub(super) fn challenge(&mut self, instruction: &Instruction, until: Option<Timestamp>) -> Outcome {
        let key = instruction.key();
        match key.verb {
            Verb::Charge => {
                let outcome = self.enter(instruction, Outcome::Challenged { direct_link: page(&key), until });
                self.calls.entry(key).and_modify(|call| call.challenged = true);
                outcome
            }
            Verb::Capture | Verb::Void | Verb::Payout | Verb::Refund => self.pend(instruction),
        }
    }

    pub(super) fn settle_assured(&mut self, instruction: &Instruction, assurance: Assurance) -> Outcome {
        match (self.settle(instruction, None), instruction.key().verb) {
            (Outcome::Settled { moved } | Outcome::Assured { moved, .. }, Verb::Charge) => {
                let outcome = Outcome::Assured { moved, assurance };
                self.calls.entry(instruction.key()).and_modify(|call| call.outcome = outcome.clone());
                outcome
            }
            (outcome, _) => outcome,
        }
    }

    /// What a careful gateway says of a payer: one that was challenged has passed, or nothing would settle.
    fn assurance(&self, instruction: &Instruction) -> Option<Assurance> {
        let Instruction::Charge { authentication, .. } = instruction else { return None };
        let challenged = self.calls.get(&instruction.key()).is_some_and(|call| call.challenged);
        match authentication {
            Authentication::ByGateway if !challenged => None,
            Authentication::Exempt { .. } if !challenged => Some(Assurance::EXEMPT),
            Authentication::ByGateway | Authentication::Challenge(_) | Authentication::Exempt { .. } => {
                Some(Assurance::AUTHENTICATED)
            }
        }
    }

    /// What the payer's browser brings back from the page of a charge.
    pub(super) fn response(&self, key: &IdempotencyKey) -> Option<Response> {
        match self.instruction(key)? {
            Instruction::Charge { payin, amount, authentication, .. } => {
                Some(authentication.binding()?.response(*payin, *amount))
            }
            Instruction::Capture { .. }
            | Instruction::Void { .. }
            | Instruction::Payout { .. }
            | Instruction::Refund { .. } => None,
        }
    }

    pub(super) fn resolve(&mut self, key: &IdempotencyKey, resolution: Resolution) -> Option<Outcome> {
        let call = self.calls.get(key).filter(|call| !call.outcome.is_final())?;
        let instruction = call.instruction.clone();
        let outcome = match resolution {
            Resolution::Settle => self.settle(&instruction, None),
            Resolution::Decline { reason } => self.decline(&instruction, reason),
        };
        self.report(*key, outcome.clone());
        Some(outcome)
    }

    /// The bank sends a payout or refund that settled back, but for its charge. What came back of a payin's refunds may be
    /// refunded again.
    pub(super) fn send_back(&mut self, key: &IdempotencyKey, charge: Option<Money>, reason: Prose) -> Option<Outcome> {
        let settled = self.settled(key)?;
        let currency = settled.currency();
        let charge = charge.unwrap_or(Money::zero(currency));
        let moved = settled.checked_sub(charge).ok().filter(|moved| moved.is_positive() && !charge.is_negative())?;
        let net = self.net(currency).checked_add(moved).ok()?;
        match self.instruction(key)? {
            Instruction::Payout { .. } => {}
            Instruction::Refund { payin, .. } => {
                let payin = *payin;
                let refunded = self.refunded(payin, currency).checked_sub(moved).ok()?;
                self.refunded.insert((payin, currency), refunded);
            }
            Instruction::Charge { .. } | Instruction::Capture { .. } | Instruction::Void { .. } => return None,
        }
        self.net.insert(currency, net);
        let outcome = Outcome::Returned { moved, reason };
        self.calls.get_mut(key)?.outcome = outcome.clone();
        self.report(*key, outcome.clone());
        Some(outcome)
    }

    /// The card network takes some of what was taken for a payin, in as many disputes as it likes.
    pub(super) fn charge_back(&mut self, dispute: Dispute) -> Option<Dispute> {
        let currency = dispute.amount.currency();
        let gone = self.charged_back(dispute.payin, currency).checked_add(dispute.amount).ok()?;
        let taken = self.taken(dispute.payin)?;
        let known = self.disputes.contains_key(&dispute.reference);
        if known || dispute.stage != DisputeStage::Open || !gone.compare(taken).is_ok_and(|order| order.is_le()) {
            return None;
        }
        let after = self.net(currency).checked_sub(dispute.amount).and_then(|net| net.checked_sub(dispute.fee)).ok()?;
        self.net.insert(currency, after);
        self.disputes.insert(dispute.reference.clone(), dispute.clone());
        self.notices.push(dispute.clone());
        Some(dispute)
    }

    /// An open dispute is decided.
    pub(super) fn decide(&mut self, reference: &DisputeReference, won: bool) -> Option<Dispute> {
        let dispute = self.disputes.get(reference).filter(|dispute| dispute.stage == DisputeStage::Open)?;
        let stage = if won { DisputeStage::Won } else { DisputeStage::Lost };
        let decided = Dispute { stage, ..dispute.clone() };
        if won {
            let (currency, amount) = (decided.amount.currency(), decided.amount);
            self.net.insert(currency, self.net(currency).checked_add(amount).ok()?);
        }
        self.disputes.insert(reference.clone(), decided.clone());
        self.notices.push(decided.clone());
        Some(decided)
    }

    pub(super) fn take_notices(&mut self) -> Vec<Dispute> {
        std::mem::take(&mut self.notices)
    }

    /// What of a payin the card network took and has not returned.
    pub(super) fn charged_back(&self, payin: Subject, currency: Currency) -> Money {
        let gone = self.disputes.values().filter(|dispute| {
            dispute.payin == payin && dispute.amount.currency() == currency && dispute.stage != DisputeStage::Won
        });
        Money::sum(gone.map(|dispute| dispute.amount), currency).unwrap_or(Money::zero(currency))
    }

    pub(super) fn report(&mut self, key: IdempotencyKey, outcome: Outcome) {
        self.reports.push(Report { key, outcome });
    }

    pub(super) fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// Moves the money. Nothing is written unless all of it fits.
    fn book(&mut self, instruction: &Instruction, moved: Money) -> Result<(), Broken> {
        let currency = moved.currency();
        let (before, too_much) = (self.net(currency), |_| Broken::MoreThanBooksHold);
        match instruction {
            Instruction::Charge { capture: Capture::Now, .. } | Instruction::Capture { .. } => {
                self.net.insert(currency, before.checked_add(moved).map_err(too_much)?);
            }
            Instruction::Payout { .. } => {
                self.net.insert(currency, before.checked_sub(moved).map_err(too_much)?);
            }
            Instruction::Refund { payin, .. } => {
                let refunded = self.refunded(*payin, currency).checked_add(moved).map_err(too_much)?;
                self.net.insert(currency, before.checked_sub(moved).map_err(too_much)?);
                self.refunded.insert((*payin, currency), refunded);
            }
            Instruction::Charge { capture: Capture::Later, .. } => {}
            Instruction::Void { payin, .. } => self.stop_waiting(*payin),
        }
        Ok(())
    }

    /// Sees to it that a pending charge never settles, and says so: whoever heard `Pending` was promised an answer.
    fn stop_waiting(&mut self, payin: Subject) {
        let key = IdempotencyKey { subject: payin, verb: Verb::Charge };
        self.resolve(&key, Resolution::Decline { reason: plain(Broken::Voided.reason()) });
    }

    fn enter(&mut self, instruction: &Instruction, outcome: Outcome) -> Outcome {
        let key = instruction.key();
        let effect = match outcome {
            Outcome::Settled { .. } | Outcome::Assured { .. } => 1,
            Outcome::Declined { .. }
            | Outcome::Pending { .. }
            | Outcome::Challenged { .. }
            | Outcome::Returned { .. } => 0,
        };
        let effects = self.effects(&key).saturating_add(effect);
        let challenged = self.calls.get(&key).is_some_and(|call| call.challenged);
        self.calls
            .insert(key, Call { instruction: instruction.clone(), outcome: outcome.clone(), effects, challenged });
        outcome
    }

    /// What a call settled with.
    pub(super) fn settled(&self, key: &IdempotencyKey) -> Option<Money> {
        self.calls.get(key)?.outcome.moved()
    }

    /// What was taken for a payin, at once or by a capture.
    pub(super) fn taken(&self, payin: Subject) -> Option<Money> {
        let by = |verb| self.moved(&IdempotencyKey { subject: payin, verb });
        by(Verb::Charge).or(by(Verb::Capture))
    }

    pub(super) fn refunded(&self, payin: Subject, currency: Currency) -> Money {
        self.refunded.get(&(payin, currency)).copied().unwrap_or(Money::zero(currency))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Chaos, Sandbox, SandboxError,
            behaviour::SplitMix64,
            tests::{capture, charge, payout, refund, send, void},
        },
        *,
    };

    const EUR: Currency = Currency::EUR;

    /// One of a few calls, so that they meet: of each payin a charge, a capture, a void and two refunds; two payouts.
    fn any_call(random: &mut SplitMix64) -> Instruction {
        let payin = random.below(4);
        let amount = Money::from_minor([90, 100, 110][random.index(3)], [EUR, Currency::JPY][(payin % 2) as usize]);
        let later = if payin < 2 { Capture::Now } else { Capture::Later };
        match random.below(6) {
            0 | 1 => charge(payin, amount, later),
            2 => capture(payin, amount),
            3 => void(payin, amount),
            4 => payout(100 + payin, amount),
            _ => refund(10 + 2 * payin + random.below(2), payin, amount),
        }
    }

    /// By key: what is said first for good.
    type Said = BTreeMap<IdempotencyKey, Outcome>;

    fn hear(said: &mut Said, key: IdempotencyKey, outcome: Outcome) {
        if outcome.is_final() {
            assert_eq!(said.entry(key).or_insert_with(|| outcome.clone()), &outcome, "{key} changed its answer");
        }
    }

    fn one_step(sandbox: &Sandbox, random: &mut SplitMix64, said: &mut Said) {
        let call = any_call(random);
        match send(sandbox, &call) {
            Ok(outcome) => hear(said, call.key(), outcome),
            Err(SandboxError::TimedOut | SandboxError::KeyReused { .. }) => {}
        }
        let pending = sandbox.pending();
        if !pending.is_empty() && random.below(3) == 0 {
            let key = pending[random.index(pending.len())];
            let no = Resolution::Decline { reason: plain("no") };
            let resolution = if random.below(4) == 0 { no } else { Resolution::Settle };
            hear(said, key, sandbox.resolve(&key, resolution).unwrap());
        }
        if random.below(5) == 0 {
            sandbox.reports_shuffled().into_iter().for_each(|report| hear(said, report.key, report.outcome));
        }
    }

    fn check(sandbox: &Sandbox, said: &Said) {
        let mut nets = BTreeMap::from([(EUR, 0), (Currency::JPY, 0)]);
        for key in sandbox.calls() {
            let outcome = sandbox.state().books.outcome(&key).unwrap();
            let is_settled = outcome.moved().is_some();
            assert_eq!(sandbox.effects(&key), u32::from(is_settled), "{key}");
            assert!(said.get(&key).is_none_or(|heard| *heard == outcome), "{key}");
            if let Some(moved) = sandbox.moved(&key) {
                let sign = match key.verb {
                    Verb::Charge | Verb::Capture => 1,
                    Verb::Payout | Verb::Refund => -1,
                    Verb::Void => panic!("a void moved {moved}"),
                };
                *nets.entry(moved.currency()).or_default() += sign * moved.minor();
            }
        }
        for (currency, minor) in nets {
            assert_eq!(sandbox.net(currency), Money::from_minor(minor, currency));
        }
    }

    #[test]
    fn whatever_happens_the_books_are_true() {
        for seed in 0..300 {
            println!("seed {seed}");
            let (sandbox, mut random, mut said) = (Sandbox::new(seed), SplitMix64::new(seed), Said::new());
            sandbox.chaos(Chaos { wrong_amount: if seed % 2 == 0 { 0 } else { 100 }, ..Chaos::ROUGH });
            for _ in 0..80 {
                one_step(&sandbox, &mut random, &mut said);
                check(&sandbox, &said);
            }
        }
    }

    #[test]
    fn the_same_seed_and_calls_end_the_same() {
        let run = |seed| {
            let (sandbox, mut random, mut said) = (Sandbox::new(seed), SplitMix64::new(9), Said::new());
            sandbox.chaos(Chaos::ROUGH);
            (0..80).for_each(|_| one_step(&sandbox, &mut random, &mut said));
            (said, sandbox.net(EUR))
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }
}
