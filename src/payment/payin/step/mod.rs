//! What each event of a payin demands, and what it makes of it. The same live and in replay.

mod challenge;
mod money;
mod over;

use super::{
    AnyPayin, Authorized, Cancelled, Confirmed, Created, Denied, Disputes, Method, Payin, Terms, event,
    rule::may_spend,
    state::{After, Chargeable, Sca, Void},
};
use crate::{
    gateway::{Capture, IdempotencyKey, Instruction, Outcome, Verb},
    ledger::{Account, Purpose},
    lifecycle::{Effects, Facts, Opening, Reason, Takes},
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
            return Err(Reason::NotThisWay {
                instead: "only a card can reserve an amount: capture it now, or pay by card",
            });
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
            None if !self.authentication.is_by_gateway() => {
                Err(Reason::NotThisWay { instead: "a wallet needs neither a challenge nor an exemption: ask for none" })
            }
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

    // Another amount, which is not paid, but may go back.
    fn of_its_currency(&self, moved: Money) -> Result<Money, Reason> {
        let expected = self.facts().amount;
        if moved.currency() == expected.currency() {
            Ok(moved.require_positive()?)
        } else {
            Err(Reason::WrongAmount { expected, found: moved })
        }
    }

    // Where its money comes from.
    fn source(&self) -> Account {
        match self.facts().method {
            Method::Card | Method::BankWire { .. } => Account::World(self.facts().gateway.clone()),
            Method::Wallet => Account::Wallet(self.facts().payer.clone()),
        }
    }

    // A refund of all that it holds, which needs nobody's consent.
    fn open_refund(&self, id: crate::payment::RefundId, amount: Money, step: &mut Effects<'_>) -> Result<(), Reason> {
        let terms = self.facts();
        step.pay(Account::Escrow(id.subject()), amount, Purpose::GiveBack)?;
        let opened = refund::Terms {
            about: terms.about,
            payin: self.id(),
            payer: terms.payer.clone(),
            amount,
            route: terms.route(),
            consent: Consent::NotNeeded,
            source: self.id().subject(),
            gateway: terms.gateway.clone(),
            shares: Vec::new(),
            again: None,
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

    fn void(&self, amount: Money) -> Instruction {
        Instruction::Void { payin: self.id().subject(), amount }
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
        let mut next = self.enter(Authorized { capturing: false, captured: None, sca });
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
        let after = After::of(Verb::Charge, Void::NotAsked);
        self.enter(Denied { reason: event.reason, after, sca, disputes: Disputes::default() })
    }
}

impl Takes<event::Denied> for Payin<Authorized> {
    type Next = Payin<Denied>;
    fn check(&self, event: &event::Denied, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.capturing()?;
        step.settle(self.key(Verb::Capture), Outcome::Declined { reason: event.reason.clone() });
        // What could not be taken is let go.
        step.call(self.facts().gateway.clone(), self.void(self.facts().amount));
        Ok(())
    }
    fn make(mut self, event: event::Denied, _: &Stamp) -> Payin<Denied> {
        let sca = self.sca_taken();
        let after = After::of(Verb::Capture, Void::Asked);
        self.enter(Denied { reason: event.reason, after, sca, disputes: Disputes::default() })
    }
}

impl Takes<event::Cancelled> for Payin<Created> {
    type Next = Payin<Cancelled>;
    fn check(&self, _: &event::Cancelled, step: &mut Effects<'_>) -> Result<(), Reason> {
        // A charge nobody has sent yet is simply taken back. One that is with the gateway has to be voided, and may
        // still succeed before that: then it bounces.
        let (gateway, due) = (self.facts().gateway.clone(), step.stamp().at);
        let void = Call { gateway, instruction: self.void(self.facts().amount), due };
        step.withdraw(self.key(Verb::Charge), IfSent::Follow(Box::new(void)));
        Ok(())
    }
    fn make(mut self, _: event::Cancelled, _: &Stamp) -> Payin<Cancelled> {
        let sca = self.sca_taken();
        self.enter(Cancelled { after: After::of(Verb::Charge, Void::Asked), sca, disputes: Disputes::default() })
    }
}

impl Takes<event::Cancelled> for Payin<Authorized> {
    type Next = Payin<Cancelled>;
    fn check(&self, _: &event::Cancelled, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_be_called_off(&step.stamp().by)?;
        // Of what was captured in part, the rest may still be reserved.
        step.call(self.facts().gateway.clone(), self.void(self.facts().amount));
        Ok(())
    }
    fn make(mut self, _: event::Cancelled, _: &Stamp) -> Payin<Cancelled> {
        let (asked, sca) = (if self.state.capturing { Verb::Capture } else { Verb::Charge }, self.sca_taken());
        self.enter(Cancelled { after: After::of(asked, Void::Asked), sca, disputes: Disputes::default() })
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

impl Takes<event::OtherCaptured> for Payin<Authorized> {
    type Next = Self;
    fn check(&self, event: &event::OtherCaptured, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.capturing()?;
        let moved = self.of_its_currency(event.moved)?;
        if moved == self.facts().amount {
            return Err(Reason::NotThisWay { instead: "what was asked was captured: `confirm` it" });
        }
        if self.state.captured == Some(moved) {
            return Err(Reason::Already { what: "noting what was captured" });
        }
        // The call stays open: until the payin is called off, the gateway may correct itself.
        Ok(())
    }
    fn make(mut self, event: event::OtherCaptured, _: &Stamp) -> Self {
        self.state.captured = Some(event.moved);
        self
    }
}
