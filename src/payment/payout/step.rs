//! What each event of a payout demands, and what it makes of it. The same live and in replay.

use super::{
    Action, AnyPayout, Cancelled, Confirmed, Created, Denied, Destination, Held, Payout, Returned, Status, Terms, Went,
    action, event,
};
use crate::{
    gateway::{IdempotencyKey, Instruction, Outcome, Verb},
    id::Subject,
    ledger::{Account, Purpose},
    lifecycle::{Effects, Facts, Opening, Reason, Takes},
    money::Money,
    party::{Actor, PartyId, Role, Stamp},
    payment::outgoing::may_come_back,
    store::IfSent,
};

impl Facts for Terms {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        role == Role::PAYEE && *who == self.payee
    }
    fn parties(&self) -> Vec<PartyId> {
        vec![self.payee.clone()]
    }
    fn about(&self) -> Option<Subject> {
        Some(self.about)
    }
}

impl Opening<AnyPayout> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        let amount = self.amount.require_positive()?;
        match &self.to {
            Destination::Account { bankaccount_id } => {
                let (payout, to) = (step.subject(), bankaccount_id.clone());
                step.call(self.gateway.clone(), Instruction::Payout { payout, amount, to });
            }
            Destination::Wallet => {}
        }
        Ok(())
    }
    fn held(&self) -> Money {
        self.amount
    }
    fn facts(self, _: &Stamp) -> Terms {
        self
    }
}

impl<S> Payout<S> {
    fn key(&self) -> IdempotencyKey {
        IdempotencyKey { subject: self.id().subject(), verb: Verb::Payout }
    }

    // Takes the call back, which nobody may have sent, and returns the money.
    fn call_off(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_return()?;
        step.withdraw(self.key(), IfSent::Refuse);
        step.pay(Account::Escrow(self.facts().about), self.facts().amount, Purpose::Return)
    }

    // What came back from the bank is the payee's, and no longer of what it was paid out of.
    pub(super) fn may_return(&self) -> Result<(), Reason> {
        match self.facts().again {
            None => Ok(()),
            Some(_) => Err(Reason::NotThisWay {
                instead: "what was sent came back once, and is its payee's: `replace` the payout",
            }),
        }
    }

    // Passes the money on to another payout.
    fn pass_on(&self, event: &event::Replaced, terms: Terms, step: &mut Effects<'_>) -> Result<(), Reason> {
        step.pay(Account::Escrow(event.by.subject()), self.held(), Purpose::Replace)?;
        step.open(action::open(event.by, terms, step.stamp())?);
        Ok(())
    }

    pub(super) fn through_gateway(&self) -> Result<(), Reason> {
        match self.facts().to {
            Destination::Account { .. } => Ok(()),
            Destination::Wallet => Err(Reason::NotThisWay {
                instead: "what goes into a wallet is there at once: no gateway declines it or sends it back",
            }),
        }
    }
}

impl Payout<Returned> {
    pub(super) fn not_replaced(&self) -> Result<(), Reason> {
        self.state.went.as_ref().map_or(Ok(()), |_| Err(Reason::Already { what: "replacing the payout" }))
    }
}

impl Payout<Denied> {
    pub(super) fn still_holds(&self) -> Result<(), Reason> {
        match self.state.went {
            None => Ok(()),
            Some(Went::On { .. }) => Err(Reason::Already { what: "replacing the payout" }),
            Some(Went::Back) => Err(Reason::Already { what: "giving the payout's money back" }),
        }
    }

    // Who will never be allowed to be paid is not to have the money by another way, a wallet about which nobody is asked.
    pub(super) fn may_go_on(&self, by: &Actor) -> Result<(), Reason> {
        match by {
            Actor::Party(_) if self.state.for_good => Err(Reason::WrongActor {
                action: Action::Replace.name(),
                status: Status::Denied.name(),
                by: by.clone(),
                roles: vec![Role::PLATFORM.name],
            }),
            Actor::Party(_) | Actor::Office { .. } | Actor::Clock | Actor::Gateway => self.still_holds(),
        }
    }
}

impl Takes<event::Confirmed> for Payout<Created> {
    type Next = Payout<Confirmed>;
    fn check(&self, event: &event::Confirmed, step: &mut Effects<'_>) -> Result<(), Reason> {
        let terms = self.facts();
        if event.moved != terms.amount {
            return Err(Reason::WrongAmount { expected: terms.amount, found: event.moved });
        }
        let to = match terms.to {
            Destination::Wallet => Account::Wallet(terms.payee.clone()),
            Destination::Account { .. } => {
                step.settle(self.key(), Outcome::Settled { moved: event.moved });
                Account::World(terms.gateway.clone())
            }
        };
        step.pay(to, terms.amount, Purpose::Payout)
    }
    fn make(self, _: event::Confirmed, _: &Stamp) -> Payout<Confirmed> {
        self.enter(Confirmed {})
    }
}

impl Takes<event::Held> for Payout<Created> {
    type Next = Payout<Held>;
    fn check(&self, _: &event::Held, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.through_gateway()
    }
    fn make(self, event: event::Held, _: &Stamp) -> Payout<Held> {
        self.enter(Held { reason: event.reason })
    }
}

impl Takes<event::Held> for Payout<Held> {
    type Next = Self;
    fn check(&self, event: &event::Held, _: &mut Effects<'_>) -> Result<(), Reason> {
        if event.reason == self.state.reason {
            return Err(Reason::Already { what: "holding the payout for this reason" });
        }
        Ok(())
    }
    fn make(mut self, event: event::Held, _: &Stamp) -> Self {
        self.state.reason = event.reason;
        self
    }
}

impl Takes<event::LetGo> for Payout<Held> {
    type Next = Payout<Created>;
    fn make(self, _: event::LetGo, _: &Stamp) -> Payout<Created> {
        self.enter(Created {})
    }
}

impl Takes<event::Denied> for Payout<Held> {
    type Next = Payout<Denied>;
    fn check(&self, _: &event::Denied, step: &mut Effects<'_>) -> Result<(), Reason> {
        step.withdraw(self.key(), IfSent::Refuse);
        Ok(())
    }
    fn make(self, event: event::Denied, _: &Stamp) -> Payout<Denied> {
        self.enter(Denied { reason: event.reason, for_good: true, went: None })
    }
}

impl Takes<event::Denied> for Payout<Created> {
    type Next = Payout<Denied>;
    fn check(&self, event: &event::Denied, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.through_gateway()?;
        step.settle(self.key(), Outcome::Declined { reason: event.reason.clone() });
        Ok(())
    }
    fn make(self, event: event::Denied, _: &Stamp) -> Payout<Denied> {
        self.enter(Denied { reason: event.reason, for_good: false, went: None })
    }
}

impl Takes<event::Replaced> for Payout<Denied> {
    type Next = Self;
    fn check(&self, event: &event::Replaced, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_go_on(&step.stamp().by)?;
        self.pass_on(event, Terms { to: event.to.clone(), ..self.facts().clone() }, step)
    }
    fn make(mut self, event: event::Replaced, _: &Stamp) -> Self {
        self.state.went = Some(Went::On { payout: event.by, to: event.to });
        self
    }
}

impl Takes<event::CameBack> for Payout<Confirmed> {
    type Next = Payout<Returned>;
    fn check(&self, event: &event::CameBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.through_gateway()?;
        let (moved, terms) = (event.moved, self.facts());
        may_come_back(moved, terms.amount)?;
        step.settle(self.key(), Outcome::Returned { moved, reason: event.reason.clone() });
        step.receive(Account::World(terms.gateway.clone()), moved, Purpose::SentBack)
    }
    fn make(self, event: event::CameBack, _: &Stamp) -> Payout<Returned> {
        self.enter(Returned { back: event.moved, reason: event.reason, went: None })
    }
}

impl Takes<event::Replaced> for Payout<Returned> {
    type Next = Self;
    fn check(&self, event: &event::Replaced, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.not_replaced()?;
        let (again, amount) = (Some(self.id()), self.state.back);
        self.pass_on(event, Terms { to: event.to.clone(), again, amount, ..self.facts().clone() }, step)
    }
    fn make(mut self, event: event::Replaced, _: &Stamp) -> Self {
        self.state.went = Some((event.by, event.to));
        self
    }
}

impl Takes<event::GivenBack> for Payout<Denied> {
    type Next = Self;
    fn check(&self, _: &event::GivenBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_return()?;
        self.still_holds()?;
        step.pay(Account::Escrow(self.facts().about), self.facts().amount, Purpose::Return)
    }
    fn make(mut self, _: event::GivenBack, _: &Stamp) -> Self {
        self.state.went = Some(Went::Back);
        self
    }
}

impl Takes<event::Cancelled> for Payout<Created> {
    type Next = Payout<Cancelled>;
    fn check(&self, _: &event::Cancelled, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.call_off(step)
    }
    fn make(self, _: event::Cancelled, _: &Stamp) -> Payout<Cancelled> {
        self.enter(Cancelled {})
    }
}

impl Takes<event::Cancelled> for Payout<Held> {
    type Next = Payout<Cancelled>;
    fn check(&self, _: &event::Cancelled, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.call_off(step)
    }
    fn make(self, _: event::Cancelled, _: &Stamp) -> Payout<Cancelled> {
        self.enter(Cancelled {})
    }
}
