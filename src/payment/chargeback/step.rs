//! What each event of a chargeback demands, and what it makes of it. The same live and in replay.

use super::{
    Accepted, AnyChargeback, Back, Chargeback, Lost, Open, Part, Share, Terms, Undecided, Won, event,
    share::owe_their_own,
};
use crate::{
    id::Subject,
    ledger::{Account, Purpose},
    lifecycle::{self, Effects, Facts, Opening, Reason, Takes, Value},
    money::Money,
    party::{PartyId, Role, Stamp},
    payment::DebtId,
};

impl Facts for Terms {
    fn plays(&self, _: Role, _: &PartyId) -> bool {
        false
    }
    fn parties(&self) -> Vec<PartyId> {
        let bearers = self.shares.iter().map(|share| share.party.clone());
        lifecycle::once([self.payer.clone()].into_iter().chain(bearers))
    }
    fn about(&self) -> Option<Subject> {
        Some(self.about)
    }
}

impl Terms {
    /// What its payer came to owe for it.
    pub(crate) fn owed_by_payer(&self) -> impl Iterator<Item = DebtId> {
        let own = self.shares.iter().filter(|share| share.of == Part::Amount && share.party == self.payer);
        own.filter_map(|share| share.debt)
    }

    fn sum(&self, of: Part) -> Result<Money, Reason> {
        let shares = self.shares.iter().filter(|share| share.of == of);
        let parts = shares.map(Share::total).collect::<Result<Vec<_>, _>>()?;
        Ok(Money::sum(parts, self.amount.currency())?)
    }

    // All of what was taken is borne by somebody, and each debt is this chargeback's own.
    fn adds_up(&self, step: &Effects<'_>) -> Result<(), Reason> {
        self.amount.require_positive()?;
        for (expected, found) in
            [(self.amount, self.held.checked_add(self.sum(Part::Amount)?)?), (self.fee, self.sum(Part::Fee)?)]
        {
            if expected != found {
                return Err(Reason::WrongAmount { expected, found });
            }
        }
        self.bears_its_refunds()?;
        owe_their_own(&self.shares, step)
    }

    // What is borne for refunds is part of what the payer bears.
    fn bears_its_refunds(&self) -> Result<(), Reason> {
        let parts = self.refunds.iter().map(|(_, part)| part.require_positive()).collect::<Result<Vec<_>, _>>()?;
        let asked = Money::sum(parts, self.amount.currency())?;
        let of_payer = self.shares.iter().filter(|share| share.of == Part::Amount && share.party == self.payer);
        let of_payer = of_payer.map(Share::total).collect::<Result<Vec<_>, _>>()?;
        let available = Money::sum(of_payer, self.amount.currency())?;
        if asked.compare(available)?.is_gt() { Err(Reason::TooMuch { asked, available }) } else { Ok(()) }
    }
}

impl Opening<AnyChargeback> for Terms {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.adds_up(step)?;
        // What it was of, and the debts, book what they give.
        for given in [self.held].into_iter().chain(self.shares.iter().map(|share| share.owed)) {
            if !given.is_zero() {
                step.count_in(given)?;
            }
        }
        for share in self.shares.iter().filter(|share| !share.wallet.is_zero()) {
            step.receive(Account::Wallet(share.party.clone()), share.wallet, Purpose::Chargeback)?;
        }
        let world = || Account::World(self.gateway.clone());
        step.pay(world(), self.amount, Purpose::Chargeback)?;
        if self.fee.is_zero() { Ok(()) } else { step.pay(world(), self.fee, Purpose::Fee) }
    }
    fn held(&self) -> Money {
        Money::zero(self.amount.currency())
    }
    fn facts(self, _: &Stamp) -> Terms {
        self
    }
}

impl Back {
    // Whether it is what a share gave.
    fn is_of(&self, share: &Share) -> Result<bool, Reason> {
        let sum = self.owed.checked_add(self.wallet)?.checked_add(self.written_off)?;
        let debt = self.debt == share.debt.filter(|_| self.owed.is_positive());
        let none_below = [self.owed, self.wallet, self.written_off].iter().all(|part| !part.is_negative());
        Ok(self.party == share.party && sum == share.total()? && debt && none_below)
    }
}

impl<S: Undecided> Chargeback<S> {
    fn gives_back(&self, back: &[Back]) -> Result<(), Reason> {
        let mut shares = self.facts().shares.iter().filter(|share| share.of == Part::Amount);
        for back in back {
            match shares.next() {
                Some(share) if back.is_of(share)? => {}
                Some(_) | None => return Err(Reason::Unlike { what: "what each has back" }),
            }
        }
        shares.next().map_or(Ok(()), |_| Err(Reason::Unlike { what: "what each has back" }))
    }
}

impl<S: Undecided> Takes<event::Won> for Chargeback<S>
where
    Self: Value<Any = AnyChargeback>,
{
    type Next = Chargeback<Won>;
    fn check(&self, event: &event::Won, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.gives_back(&event.back)?;
        let terms = self.facts();
        step.receive(Account::World(terms.gateway.clone()), terms.amount, Purpose::Chargeback)?;
        let mut give = |to: Account, amount: Money| {
            if amount.is_zero() { Ok(()) } else { step.pay(to, amount, Purpose::Chargeback) }
        };
        give(Account::Escrow(terms.about), terms.held)?;
        for back in &event.back {
            if let Some(debt) = back.debt {
                give(Account::Escrow(debt.subject()), back.owed)?;
            }
            give(Account::Wallet(back.party.clone()), back.wallet)?;
            give(Account::Wallet(terms.platform.clone()), back.written_off)?;
        }
        Ok(())
    }
    fn make(self, event: event::Won, _: &Stamp) -> Chargeback<Won> {
        self.enter(Won { back: event.back })
    }
}

impl<S: Undecided> Takes<event::Lost> for Chargeback<S>
where
    Self: Value<Any = AnyChargeback>,
{
    type Next = Chargeback<Lost>;
    fn make(self, _: event::Lost, _: &Stamp) -> Chargeback<Lost> {
        self.enter(Lost {})
    }
}

impl Takes<event::Accepted> for Chargeback<Open> {
    type Next = Chargeback<Accepted>;
    fn make(self, _: event::Accepted, _: &Stamp) -> Chargeback<Accepted> {
        self.enter(Accepted {})
    }
}
