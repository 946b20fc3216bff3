//! What each event of a payin demands, and what it makes of it. The same live and in replay.

use super::{
    AnyPayin, Authorized, Cancelled, Confirmed, Created, Denied, Disputes, Method, Payin, Refunded, Taken, Terms,
    event,
    rule::may_spend,
    state::{After, Challenge, Chargeable, Over, Sca, Secured, Void},
};
use crate::{
    gateway::{Capture, IdempotencyKey, Instruction, Outcome, Verb},
    ledger::{Account, Purpose},
    lifecycle::{Effects, Facts, Opening, Reason, Takes, Value},
    money::Money,
    party::{PartyId, Role, Stamp},
    payment::refund::{self, Consent},
    sca::Authentication,
    store::{Call, IfSent},
    time::Timestamp,
};

impl Facts for Terms {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        role == Role::BUYER && *who == self.payer
    }
    fn parties(&self) -> Vec<PartyId> {
        vec![self.payer.clone()]
    }
    fn about(&self) -> Option<crate::id::Subject> {
        Some(self.about)
    }
}

impl Opening<AnyPayin> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        let amount = self.amount.require_positive()?;
        if self.capture == Capture::Later && self.method != Method::Card {
            return Err(Reason::Missing { what: "a card, which alone can reserve an amount" });
        }
        match self.method.channel() {
            Some(channel) => {
                if let Some(exemption) = self.authentication.exemption() {
                    exemption.check(amount, &channel)?;
                }
                let (payin, capture, authentication) = (step.subject(), self.capture, self.authentication.clone());
                let charge = Instruction::Charge { payin, channel, amount, capture, authentication };
                step.call(self.gateway.clone(), charge);
                Ok(())
            }
            None if !self.authentication.is_by_gateway() => Err(Reason::Missing {
                what: "a gateway, which alone challenges or exempts a payer; a wallet has none: it",
            }),
            None if may_spend(&self.payer, &step.stamp().by) => Ok(()),
            None => Err(Reason::WrongActor {
                action: "open",
                status: "CREATED",
                by: step.stamp().by.clone(),
                roles: vec!["the wallet's owner", Role::PLATFORM.name],
            }),
        }
    }
    fn held(&self) -> Money {
        Money::zero(self.amount.currency())
    }
    fn facts(self, _: &Stamp) -> Terms {
        self
    }
    fn deadline(&self) -> Option<Timestamp> {
        self.expires
    }
}

impl<S> Payin<S> {
    fn key(&self, verb: Verb) -> IdempotencyKey {
        IdempotencyKey { subject: self.id().subject(), verb }
    }

    // Exactly what was asked, to the minor unit and the currency.
    fn exactly(&self, moved: Money) -> Result<Money, Reason> {
        let expected = self.facts().amount;
        if moved == expected { Ok(moved) } else { Err(Reason::WrongAmount { expected, found: moved }) }
    }

    // Where its money comes from.
    fn source(&self) -> Account {
        match self.facts().method {
            Method::Card | Method::BankWire { .. } => Account::World(self.facts().gateway.clone()),
            Method::Wallet => Account::Wallet(self.facts().payer.clone()),
        }
    }

    // A refund of all of it that needs nobody's consent.
    fn open_refund(&self, id: crate::payment::RefundId, step: &mut Effects<'_>) -> Result<(), Reason> {
        let terms = self.facts();
        step.pay(Account::Escrow(id.subject()), terms.amount, Purpose::GiveBack)?;
        let opened = refund::Terms {
            about: terms.about,
            payin: self.id(),
            payer: terms.payer.clone(),
            amount: terms.amount,
            route: terms.route(),
            consent: Consent::NotNeeded,
            source: self.id().subject(),
            gateway: terms.gateway.clone(),
            shares: Vec::new(),
        };
        step.open(refund::open(id, opened, step.stamp())?);
        Ok(())
    }

    fn challenge_needed(&self, sca: &Sca) -> bool {
        match self.facts().authentication {
            Authentication::ByGateway => false,
            Authentication::Challenge(_) => true,
            Authentication::Exempt { .. } => sca.challenge.is_some(),
        }
    }

    fn void(&self) -> Instruction {
        Instruction::Void { payin: self.id().subject(), amount: self.facts().amount }
    }
}

impl<S: Chargeable> Payin<S> {
    // What the gateway answered to the charge: with what it said of the payer, if it did.
    fn charged(&self, moved: Money) -> Outcome {
        match self.state.sca().assurance {
            Some(assurance) if self.state.charging() => Outcome::Assured { moved, assurance },
            Some(_) | None => Outcome::Settled { moved },
        }
    }
}

impl Payin<Created> {
    // Whoever needs a challenge has passed one.
    fn authenticated(&self) -> Result<(), Reason> {
        let sca = &self.state.sca;
        if !self.challenge_needed(sca) || sca.assurance.is_some_and(|assurance| assurance.authenticated) {
            Ok(())
        } else {
            Err(Reason::NotAuthenticated(self.id().subject()))
        }
    }
}

impl Takes<event::Authorized> for Payin<Created> {
    type Next = Payin<Authorized>;
    fn check(&self, event: &event::Authorized, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.reserves()?;
        let moved = self.exactly(event.moved)?;
        self.authenticated()?;
        step.settle(self.key(Verb::Charge), self.charged(moved));
        Ok(())
    }
    fn make(mut self, _: event::Authorized, _: &Stamp) -> Payin<Authorized> {
        let (expires, sca) = (self.facts().expires, self.sca_taken());
        let mut next = self.enter(Authorized { capturing: false, sca });
        // A reservation that nobody captures in time is let go.
        next.head.deadline = expires;
        next
    }
}

impl Takes<event::Confirmed> for Payin<Created> {
    type Next = Payin<Confirmed>;
    fn check(&self, event: &event::Confirmed, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.taken_at_once()?;
        let moved = self.exactly(event.moved)?;
        self.authenticated()?;
        if self.facts().method != Method::Wallet {
            step.settle(self.key(Verb::Charge), self.charged(moved));
        }
        step.receive(self.source(), moved, Purpose::Payin)
    }
    fn make(mut self, _: event::Confirmed, _: &Stamp) -> Payin<Confirmed> {
        let sca = self.sca_taken();
        let state = confirmed(self.facts(), sca);
        self.enter(state)
    }
}

impl Takes<event::Confirmed> for Payin<Authorized> {
    type Next = Payin<Confirmed>;
    fn check(&self, event: &event::Confirmed, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.capturing()?;
        let moved = self.exactly(event.moved)?;
        step.settle(self.key(Verb::Capture), Outcome::Settled { moved });
        step.receive(self.source(), moved, Purpose::Payin)
    }
    fn make(mut self, _: event::Confirmed, _: &Stamp) -> Payin<Confirmed> {
        let sca = self.sca_taken();
        let state = confirmed(self.facts(), sca);
        self.enter(state)
    }
}

fn confirmed(terms: &Terms, sca: Sca) -> Confirmed {
    let (refunded, disputes) = (Money::zero(terms.amount.currency()), Disputes::default());
    Confirmed { refunded, refunds: Vec::new(), handed_to: None, disputes, sca }
}

impl Takes<event::Denied> for Payin<Created> {
    type Next = Payin<Denied>;
    fn check(&self, event: &event::Denied, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.awaits_gateway()?;
        step.settle(self.key(Verb::Charge), Outcome::Declined { reason: event.reason.clone() });
        Ok(())
    }
    fn make(mut self, event: event::Denied, _: &Stamp) -> Payin<Denied> {
        let sca = self.sca_taken();
        self.enter(Denied { reason: event.reason, after: After::of(Verb::Charge, Void::NotAsked), sca })
    }
}

impl Takes<event::Denied> for Payin<Authorized> {
    type Next = Payin<Denied>;
    fn check(&self, event: &event::Denied, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.capturing()?;
        step.settle(self.key(Verb::Capture), Outcome::Declined { reason: event.reason.clone() });
        // What could not be taken is let go.
        step.call(self.facts().gateway.clone(), self.void());
        Ok(())
    }
    fn make(mut self, event: event::Denied, _: &Stamp) -> Payin<Denied> {
        let sca = self.sca_taken();
        self.enter(Denied { reason: event.reason, after: After::of(Verb::Capture, Void::Asked), sca })
    }
}

impl Takes<event::Cancelled> for Payin<Created> {
    type Next = Payin<Cancelled>;
    fn check(&self, _: &event::Cancelled, step: &mut Effects<'_>) -> Result<(), Reason> {
        // A charge nobody has sent yet is simply taken back. One that is with the gateway has to be voided, and may
        // still succeed before that: then it bounces.
        let (gateway, due) = (self.facts().gateway.clone(), step.stamp().at);
        let void = Call { gateway, instruction: self.void(), due };
        step.withdraw(self.key(Verb::Charge), IfSent::Follow(Box::new(void)));
        Ok(())
    }
    fn make(mut self, _: event::Cancelled, _: &Stamp) -> Payin<Cancelled> {
        let sca = self.sca_taken();
        self.enter(Cancelled { after: After::of(Verb::Charge, Void::Asked), sca })
    }
}

impl Takes<event::Cancelled> for Payin<Authorized> {
    type Next = Payin<Cancelled>;
    fn check(&self, _: &event::Cancelled, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.not_capturing()?;
        step.call(self.facts().gateway.clone(), self.void());
        Ok(())
    }
    fn make(mut self, _: event::Cancelled, _: &Stamp) -> Payin<Cancelled> {
        let sca = self.sca_taken();
        self.enter(Cancelled { after: After::of(Verb::Charge, Void::Asked), sca })
    }
}

impl Takes<event::RefundCounted> for Payin<Confirmed> {
    type Next = AnyPayin;
    fn check(&self, event: &event::RefundCounted, _: &mut Effects<'_>) -> Result<(), Reason> {
        if event.payin != self.id() {
            return Err(Reason::WrongSubject { expected: self.id().subject(), found: event.payin.subject() });
        }
        if self.state.refunds.contains(&event.refund) {
            return Err(Reason::Already { what: "counting this refund" });
        }
        let available = self.facts().amount.checked_sub(self.state.refunded)?;
        if available.checked_sub(event.amount.require_positive()?)?.is_negative() {
            return Err(Reason::TooMuch { asked: event.amount, available });
        }
        Ok(())
    }
    fn make(mut self, event: event::RefundCounted, _: &Stamp) -> AnyPayin {
        let all = self.counts_all(&event);
        self.state.refunds.push(event.refund);
        self.state.refunded = self.state.refunded.checked_add(event.amount).unwrap_or(self.facts().amount);
        if all {
            let Confirmed { refunds, handed_to, disputes, .. } = &mut self.state;
            let (refunds, disputes) = (std::mem::take(refunds), std::mem::take(disputes));
            let handed_to = *handed_to;
            self.enter(Refunded { refunds, handed_to, disputes }).into()
        } else {
            self.into()
        }
    }
    fn lands(&self, event: &event::RefundCounted) -> usize {
        let status = if self.counts_all(event) { super::Status::Refunded } else { super::Status::Confirmed };
        status as usize
    }
}

impl Payin<Confirmed> {
    fn counts_all(&self, event: &event::RefundCounted) -> bool {
        self.state.refunded.checked_add(event.amount) == Ok(self.facts().amount)
    }
}

impl Takes<event::PayerAwaited> for Payin<Created> {
    type Next = Self;
    fn check(&self, event: &event::PayerAwaited, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.awaits_gateway()?;
        step.settle(self.key(Verb::Charge), Outcome::Pending { direct_link: event.direct_link.clone() });
        Ok(())
    }
    fn make(mut self, event: event::PayerAwaited, _: &Stamp) -> Self {
        self.state.direct_link = event.direct_link.or(self.state.direct_link);
        self
    }
}

impl Takes<event::Challenged> for Payin<Created> {
    type Next = Self;
    fn check(&self, event: &event::Challenged, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.awaits_gateway()?;
        let (direct_link, until) = (event.direct_link.clone(), event.until);
        step.settle(self.key(Verb::Charge), Outcome::Challenged { direct_link, until });
        Ok(())
    }
    fn make(mut self, event: event::Challenged, _: &Stamp) -> Self {
        let event::Challenged { direct_link, until } = event;
        // Whichever comes first calls it off: the end of the challenge, or that of the payin.
        self.head.deadline = [self.facts().expires, until].into_iter().flatten().min();
        self.state.direct_link = Some(direct_link.clone());
        self.state.sca.challenge = Some(Challenge { direct_link, until });
        self
    }
}

impl<S: Secured> Payin<S> {
    fn sca_taken(&mut self) -> Sca {
        std::mem::take(self.state.sca_mut())
    }
}

impl<S: Secured> Takes<event::CameBack> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, _: &event::CameBack, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_come_back()
    }
    fn make(mut self, _: event::CameBack, _: &Stamp) -> Self {
        self.state.sca_mut().came_back = true;
        self
    }
}

impl<S: Chargeable> Takes<event::Assured> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, _: &event::Assured, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_be_assured()
    }
    fn make(mut self, event: event::Assured, _: &Stamp) -> Self {
        self.state.sca_mut().assurance = Some(event.assurance);
        self
    }
}

impl Takes<event::CaptureAsked> for Payin<Authorized> {
    type Next = Self;
    fn check(&self, _: &event::CaptureAsked, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.not_capturing()?;
        let (payin, amount) = (self.id().subject(), self.facts().amount);
        step.call(self.facts().gateway.clone(), Instruction::Capture { payin, amount });
        Ok(())
    }
    fn make(mut self, _: event::CaptureAsked, _: &Stamp) -> Self {
        self.state.capturing = true;
        // From here on the gateway's answer is waited for, not the clock.
        self.head.deadline = None;
        self
    }
}

impl Takes<event::HandedOver> for Payin<Confirmed> {
    type Next = Self;
    fn check(&self, event: &event::HandedOver, step: &mut Effects<'_>) -> Result<(), Reason> {
        if event.to != self.facts().about {
            return Err(Reason::WrongSubject { expected: self.facts().about, found: event.to });
        }
        step.pay(Account::Escrow(event.to), self.facts().amount, Purpose::Collect)
    }
    fn make(mut self, event: event::HandedOver, _: &Stamp) -> Self {
        self.state.handed_to = Some(event.to);
        self
    }
}

impl<S: Taken> Takes<event::ChargedBack> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, event: &event::ChargedBack, _: &mut Effects<'_>) -> Result<(), Reason> {
        let terms = self.facts();
        if terms.method == Method::Wallet {
            return Err(Reason::Missing { what: "a card or a bank, which alone charges back" });
        }
        if self.state.disputes().stands(event.chargeback).is_some() {
            return Err(Reason::Already { what: "counting this chargeback" });
        }
        // Not of all together: the second may be heard of before the end of the first.
        let available = terms.amount;
        if available.checked_sub(event.amount.require_positive()?)?.is_negative() {
            return Err(Reason::TooMuch { asked: event.amount, available });
        }
        Ok(())
    }
    fn make(mut self, event: event::ChargedBack, _: &Stamp) -> Self {
        self.state.disputes_mut().count(event.chargeback, event.amount);
        self
    }
}

impl<S: Taken> Takes<event::WonBack> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, event: &event::WonBack, _: &mut Effects<'_>) -> Result<(), Reason> {
        match self.state.disputes().stands(event.chargeback) {
            Some(false) => Ok(()),
            Some(true) => Err(Reason::Already { what: "winning this chargeback" }),
            None => Err(Reason::Missing { what: "a chargeback of this payin" }),
        }
    }
    fn make(mut self, event: event::WonBack, _: &Stamp) -> Self {
        self.state.disputes_mut().win(event.chargeback);
        self
    }
}

impl Takes<event::GivenBack> for Payin<Confirmed> {
    type Next = Self;
    fn check(&self, event: &event::GivenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.open_refund(event.refund, step)
    }
    fn make(self, _: event::GivenBack, _: &Stamp) -> Self {
        self
    }
}

impl<S: Over + Chargeable> Takes<event::Answered> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, event: &event::Answered, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.expects(event.verb, &event.outcome)?;
        step.settle(self.key(event.verb), event.outcome.clone());
        Ok(())
    }
    fn make(mut self, event: event::Answered, _: &Stamp) -> Self {
        if event.verb == Verb::Void {
            self.state.after_mut().void = match event.outcome {
                Outcome::Settled { .. } | Outcome::Assured { .. } => Void::Settled,
                Outcome::Declined { .. } => Void::Declined,
                Outcome::Pending { .. } | Outcome::Challenged { .. } | Outcome::Returned { .. } => Void::Asked,
            };
        }
        self
    }
}

impl<S: Over + Chargeable> Takes<event::LetGo> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, event: &event::LetGo, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.came_late(Capture::Later)?;
        let moved = self.exactly(event.moved)?;
        step.settle(self.key(Verb::Charge), self.charged(moved));
        // A void is asked for once. If it was declined, the card's bank lets the amount go when the reservation ends.
        if self.state.after().void == Void::NotAsked {
            step.call(self.facts().gateway.clone(), self.void());
        }
        Ok(())
    }
    fn make(mut self, _: event::LetGo, _: &Stamp) -> Self {
        let after = self.state.after_mut();
        if after.void == Void::NotAsked {
            after.void = Void::Asked;
        }
        self
    }
}

impl<S: Over + Chargeable> Takes<event::Bounced> for Payin<S>
where
    Self: Value<Any = AnyPayin>,
{
    type Next = Self;
    fn check(&self, event: &event::Bounced, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.came_late(Capture::Now)?;
        let moved = self.exactly(event.moved)?;
        step.settle(self.key(self.state.after().asked), self.charged(moved));
        step.receive(self.source(), moved, Purpose::Payin)?;
        self.open_refund(event.refund, step)
    }
    fn make(mut self, event: event::Bounced, _: &Stamp) -> Self {
        self.state.after_mut().bounced = Some(event.refund);
        self
    }
}
