//! What is known of a movement in every status, and what opening one demands.

use super::{
    AnyMovement, OWNER, Plan, Stands,
    leg::{Leg, Legs},
};
use crate::{
    ledger::GatewayName,
    lifecycle::{self, Effects, Opening, Reason},
    money::Money,
    party::{Actor, PartyId, Role, Stamp},
    time::Timestamp,
};

/// What is known of a movement in every status: its plan, and how far each of its orders is.
#[derive(Debug)]
pub struct Facts {
    plan: Plan,
    opener: Option<PartyId>,
    pub(super) legs: Legs,
    pub(super) stands: Vec<Stands>,
}

impl Facts {
    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Who opened it; none when that was the platform.
    #[must_use]
    pub const fn opener(&self) -> Option<&PartyId> {
        self.opener.as_ref()
    }

    /// How far each of its orders is: first those that are paid from outside, then those that are paid from its own wallet.
    #[must_use]
    pub fn stands(&self) -> &[Stands] {
        &self.stands
    }

    /// How much was paid from outside and is not on its way back, in minor units.
    #[must_use]
    pub fn paid(&self) -> Money {
        self.sum(self.firsts(), |stands| matches!(stands, Stands::Paid | Stands::Going | Stands::Released))
    }

    /// How much the payees have, in minor units.
    #[must_use]
    pub fn released(&self) -> Money {
        let to_payees = self.legs.all().zip(&self.stands).filter(|(leg, _)| leg.payee.is_some());
        self.sum(to_payees, |stands| stands == Stands::Released)
    }

    /// The orders that are paid from outside.
    pub(super) fn first(&self) -> &[Stands] {
        self.stands.split_at(self.legs.first.len().min(self.stands.len())).0
    }

    /// The orders that are paid from the movement's own wallet.
    pub(super) fn last(&self) -> &[Stands] {
        self.stands.split_at(self.legs.first.len().min(self.stands.len())).1
    }

    fn firsts(&self) -> impl Iterator<Item = (&Leg, &Stands)> {
        self.legs.first.iter().zip(&self.stands)
    }

    fn sum<'f>(&self, orders: impl Iterator<Item = (&'f Leg, &'f Stands)>, wanted: fn(Stands) -> bool) -> Money {
        let zero = Opening::held(&self.plan);
        let amounts = orders.filter(|(_, stands)| wanted(**stands)).map(|(leg, _)| leg.amount);
        Money::sum(amounts, zero.currency()).expect("the plan was checked: all of it together fits")
    }
}

impl Opening<AnyMovement> for Plan {
    fn check(&self, step: &mut Effects<'_>) -> Result<(), Reason> {
        Self::check(self)?;
        let (at, deadline) = (step.stamp(), self.frame().until);
        if at.at >= deadline {
            return Err(Reason::TooLate { action: "open", deadline });
        }
        Reason::for_itself(&at.by, &self.parties(), "somebody who pays or is paid by the movement")
    }
    // The money is in its orders.
    fn held(&self) -> Money {
        Money::zero(self.currency())
    }
    fn facts(self, at: &Stamp) -> Facts {
        let opener = match &at.by {
            Actor::Party(who) => Some(who.clone()),
            Actor::Office { .. } | Actor::Clock | Actor::Gateway => None,
        };
        let legs = self.legs().expect("`check` has found that they add up");
        let stands = vec![Stands::Planned; legs.all().count()];
        Facts { plan: self, opener, legs, stands }
    }
    fn gateway(&self) -> Option<&GatewayName> {
        Some(&self.frame().gateway)
    }
    fn deadline(&self) -> Option<Timestamp> {
        Some(self.frame().until)
    }
}

impl lifecycle::Facts for Facts {
    fn plays(&self, role: Role, who: &PartyId) -> bool {
        role == OWNER && (self.opener.as_ref() == Some(who) || self.plan.only_payer() == Some(who))
    }
    fn parties(&self) -> Vec<PartyId> {
        self.plan.parties()
    }
}
