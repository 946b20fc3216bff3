//! What each event of a refund demands, and what it makes of it. The same live and in replay.

use super::{
    Action, AnyRefund, Cancelled, Confirmed, Consent, Created, Denied, Refund, RefundId, Replaced, Returned, Route,
    Sendable, Terms, action, event,
};
use crate::{
    gateway::{IdempotencyKey, Instruction, Outcome, Verb},
    id::Subject,
    ledger::{Account, Purpose},
    lifecycle::{Effects, Facts, Opening, Reason, Takes, Value},
    money::Money,
    party::{Actor, PartyId, Role, Stamp},
    payment::{
        chargeback::{Share, owe_their_own},
        outgoing::may_come_back,
    },
};
use std::mem::take;

impl Facts for Terms {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        role == Role::BUYER && *who == self.payer
    }
    fn parties(&self) -> Vec<PartyId> {
        vec![self.payer.clone()]
    }
    fn about(&self) -> Option<Subject> {
        Some(self.about)
    }
}

impl Opening<AnyRefund> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.amount.require_positive()?;
        if !self.shares.is_empty() {
            self.take_back(step)?;
        }
        match self.consent {
            Consent::NotNeeded => self.send(step),
            Consent::Owed | Consent::ByHand => {}
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

/// What was released is refunded by the platform alone.
pub(crate) fn only_platform(by: &Actor) -> Result<(), Reason> {
    if by.is_platform() {
        return Ok(());
    }
    Err(Reason::WrongActor {
        action: "refund_released",
        status: "RELEASED",
        by: by.clone(),
        roles: vec![Role::PLATFORM.name],
    })
}

impl Terms {
    // All of it is borne by those who were paid: their wallets give here, their debts in the same unit.
    fn take_back(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        only_platform(&step.stamp().by)?;
        if self.consent != Consent::NotNeeded {
            // Called off, it would have nowhere to return to.
            return Err(Reason::NotThisWay {
                instead: "nobody has to approve a refund of what was released: open it with `Consent::NotNeeded`",
            });
        }
        let parts = self.shares.iter().map(Share::total).collect::<Result<Vec<_>, _>>()?;
        let found = Money::sum(parts, self.amount.currency())?;
        if found != self.amount {
            return Err(Reason::WrongAmount { expected: self.amount, found });
        }
        owe_their_own(&self.shares, step)?;
        for share in &self.shares {
            if !share.owed.is_zero() {
                share.owed.require_positive()?;
            }
            if !share.wallet.is_zero() {
                step.receive(Account::Wallet(share.party.clone()), share.wallet, Purpose::GiveBack)?;
            }
        }
        Ok(())
    }

    fn send(&self, step: &mut Effects<'_>) {
        if let Some(to) = self.route.to() {
            let (refund, payin, amount) = (step.subject(), self.payin.subject(), self.amount);
            step.call(self.gateway.clone(), Instruction::Refund { refund, payin, amount, to });
        }
    }
}

impl Refund<Created> {
    pub(super) fn ready(&self, action: Action) -> Result<(), Reason> {
        match action {
            Action::Approve => self.may_approve(),
            Action::Confirm => self.sent(),
            Action::Deny => self.sent().and_then(|()| self.through_gateway()),
            Action::Cancel => self.by_hand(),
            Action::Replace => self.unsent(),
            Action::ComeBack | Action::NoteChargedBack | Action::NoteWonBack => Ok(()),
        }
    }

    fn needs_approval(&self) -> bool {
        match self.facts().consent {
            Consent::NotNeeded => false,
            Consent::Owed | Consent::ByHand => !self.state.approved,
        }
    }

    fn awaits_approval(&self) -> Result<(), Reason> {
        if self.needs_approval() { Ok(()) } else { Err(Reason::Already { what: "approving the refund" }) }
    }

    fn may_approve(&self) -> Result<(), Reason> {
        self.awaits_approval()?;
        self.may_go(&self.facts().route)
    }

    fn sent(&self) -> Result<(), Reason> {
        if self.needs_approval() { Err(Reason::Missing { what: "an operator's approval" }) } else { Ok(()) }
    }

    // Nobody has asked a gateway for it, and nobody will.
    fn unsent(&self) -> Result<(), Reason> {
        if self.needs_approval() { Ok(()) } else { Err(Reason::Already { what: "sending the refund" }) }
    }

    fn by_hand(&self) -> Result<(), Reason> {
        match self.facts().consent {
            Consent::ByHand => self.awaits_approval(),
            Consent::NotNeeded | Consent::Owed => Err(Reason::NotThisWay {
                instead: "a refund that is owed goes out: only one that was opened by hand is cancelled",
            }),
        }
    }
}

impl<S: Sendable> Refund<S> {
    // Whoever owes what the card network took has it outside already. In the wallet it pays that.
    fn may_go(&self, route: &Route) -> Result<(), Reason> {
        match (route, self.state.owed_for().first()) {
            (Route::Original | Route::Account(_), Some(chargeback)) => Err(Reason::ChargedBack(chargeback.subject())),
            (Route::Original | Route::Account(_), None) | (Route::Wallet, _) => Ok(()),
        }
    }
}

impl<S> Refund<S> {
    fn settle(&self, outcome: Outcome, step: &mut Effects<'_>) {
        step.settle(IdempotencyKey { subject: self.id().subject(), verb: Verb::Refund }, outcome);
    }

    pub(super) fn through_gateway(&self) -> Result<(), Reason> {
        match self.facts().route {
            Route::Original | Route::Account(_) => Ok(()),
            Route::Wallet => Err(Reason::NotThisWay {
                instead: "what goes into a wallet is there at once: no gateway declines it or sends it back",
            }),
        }
    }

    // The id of the refund that the next event opens.
    pub(super) fn next(&self, at: &Stamp) -> RefundId {
        RefundId::derived(self.id().subject(), self.head.seq() + 1, 0, at.at)
    }

    // Passes the money on to another refund, which is sent without further consent. Who bears it has borne it.
    fn pass_on(&self, event: &event::Replaced, again: Option<RefundId>, step: &mut Effects<'_>) -> Result<(), Reason> {
        let terms = Terms {
            route: event.route.clone(),
            consent: Consent::NotNeeded,
            shares: Vec::new(),
            again,
            amount: self.held(),
            ..self.facts().clone()
        };
        step.pay(Account::Escrow(event.by.subject()), terms.amount, Purpose::Replace)?;
        step.open(action::open(event.by, terms, step.stamp())?);
        Ok(())
    }
}

fn once(went: Option<&(RefundId, Route)>) -> Result<(), Reason> {
    went.map_or(Ok(()), |_| Err(Reason::Already { what: "replacing the refund" }))
}

impl Refund<Denied> {
    pub(super) fn not_replaced(&self) -> Result<(), Reason> {
        once(self.state.went())
    }
}

impl Refund<Returned> {
    pub(super) fn not_replaced(&self) -> Result<(), Reason> {
        once(self.state.went())
    }
}

impl Takes<event::Approved> for Refund<Created> {
    type Next = Self;
    fn check(&self, _: &event::Approved, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_approve()?;
        self.facts().send(step);
        Ok(())
    }
    fn make(mut self, _: event::Approved, _: &Stamp) -> Self {
        self.state.approved = true;
        self
    }
}

impl Takes<event::Confirmed> for Refund<Created> {
    type Next = Refund<Confirmed>;
    fn check(&self, event: &event::Confirmed, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.sent()?;
        let terms = self.facts();
        if event.moved != terms.amount {
            return Err(Reason::WrongAmount { expected: terms.amount, found: event.moved });
        }
        let to = match &terms.route {
            Route::Wallet => Account::Wallet(terms.payer.clone()),
            Route::Original | Route::Account(_) => {
                self.settle(Outcome::Settled { moved: event.moved }, step);
                Account::World(terms.gateway.clone())
            }
        };
        step.pay(to, terms.amount, Purpose::Refund)
    }
    fn make(mut self, _: event::Confirmed, _: &Stamp) -> Refund<Confirmed> {
        let owed_for = take(&mut self.state.owed_for);
        self.enter(Confirmed { owed_for })
    }
}

impl Takes<event::Denied> for Refund<Created> {
    type Next = Refund<Denied>;
    fn check(&self, event: &event::Denied, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.sent()?;
        self.through_gateway()?;
        self.settle(Outcome::Declined { reason: event.reason.clone() }, step);
        Ok(())
    }
    fn make(mut self, event: event::Denied, _: &Stamp) -> Refund<Denied> {
        let owed_for = take(&mut self.state.owed_for);
        self.enter(Denied { reason: event.reason, owed_for, went: None })
    }
}

impl Takes<event::Replaced> for Refund<Denied> {
    type Next = Self;
    fn check(&self, event: &event::Replaced, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.not_replaced()?;
        self.may_go(&event.route)?;
        self.pass_on(event, self.facts().again, step)
    }
    fn make(mut self, event: event::Replaced, _: &Stamp) -> Self {
        self.state.went = Some((event.by, event.route));
        self
    }
}

impl Takes<event::Replaced> for Refund<Created> {
    type Next = Refund<Replaced>;
    fn check(&self, event: &event::Replaced, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.unsent()?;
        if event.route == self.facts().route {
            return Err(Reason::SameRoute);
        }
        self.may_go(&event.route)?;
        self.pass_on(event, self.facts().again, step)
    }
    fn make(self, event: event::Replaced, _: &Stamp) -> Refund<Replaced> {
        self.enter(Replaced { went: (event.by, event.route) })
    }
}

impl Takes<event::CameBack> for Refund<Confirmed> {
    type Next = Refund<Returned>;
    fn check(&self, event: &event::CameBack, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.through_gateway()?;
        let (moved, terms) = (event.moved, self.facts());
        may_come_back(moved, terms.amount)?;
        self.settle(Outcome::Returned { moved, reason: event.reason.clone() }, step);
        step.receive(Account::World(terms.gateway.clone()), moved, Purpose::SentBack)
    }
    fn make(mut self, event: event::CameBack, _: &Stamp) -> Refund<Returned> {
        let owed_for = take(&mut self.state.owed_for);
        self.enter(Returned { back: event.moved, reason: event.reason, owed_for, went: None })
    }
}

impl Takes<event::Replaced> for Refund<Returned> {
    type Next = Self;
    fn check(&self, event: &event::Replaced, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.not_replaced()?;
        self.may_go(&event.route)?;
        self.pass_on(event, Some(self.id()), step)
    }
    fn make(mut self, event: event::Replaced, _: &Stamp) -> Self {
        self.state.went = Some((event.by, event.route));
        self
    }
}

impl<S: Sendable> Takes<event::ChargedBack> for Refund<S>
where
    Self: Value<Any = AnyRefund>,
{
    type Next = Self;
    fn check(&self, event: &event::ChargedBack, _: &mut Effects<'_>) -> Result<(), Reason> {
        if self.state.owed_for().contains(&event.chargeback) {
            return Err(Reason::Already { what: "noting this chargeback" });
        }
        Ok(())
    }
    fn make(mut self, event: event::ChargedBack, _: &Stamp) -> Self {
        self.state.owed_for_mut().push(event.chargeback);
        self
    }
}

impl<S: Sendable> Takes<event::WonBack> for Refund<S>
where
    Self: Value<Any = AnyRefund>,
{
    type Next = Self;
    fn check(&self, event: &event::WonBack, _: &mut Effects<'_>) -> Result<(), Reason> {
        if self.state.owed_for().contains(&event.chargeback) {
            return Ok(());
        }
        Err(Reason::Missing { what: "a chargeback that was noted and not won" })
    }
    fn make(mut self, event: event::WonBack, _: &Stamp) -> Self {
        self.state.owed_for_mut().retain(|chargeback| *chargeback != event.chargeback);
        self
    }
}

impl Takes<event::Cancelled> for Refund<Created> {
    type Next = Refund<Cancelled>;
    fn check(&self, _: &event::Cancelled, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.by_hand()?;
        step.pay(Account::Escrow(self.facts().source), self.facts().amount, Purpose::Return)
    }
    fn make(self, _: event::Cancelled, _: &Stamp) -> Refund<Cancelled> {
        self.enter(Cancelled {})
    }
}
