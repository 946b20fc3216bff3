//! The two sides of a deal.

use crate::{
    lifecycle::{Payees, Reason, once},
    party::{Actor, PartyId, Role},
    payment::Destination,
};
use serde::{Deserialize, Serialize};

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Who pays.
    Buyer,
    /// Who is paid.
    Seller,
}

/// Who is on which side. The side that opened the deal is known from the start, the other once it has joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sides {
    /// The side that opened it.
    pub creator: Side,
    /// Who pays.
    pub buyer: Option<PartyId>,
    /// Who is paid.
    pub seller: Option<PartyId>,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Buyer => Self::Seller,
            Self::Seller => Self::Buyer,
        }
    }
}

impl Sides {
    /// A deal that this party opened from this side; nobody has joined yet.
    #[must_use]
    pub fn opened_by(party: PartyId, side: Side) -> Self {
        match side {
            Side::Buyer => Self { creator: side, buyer: Some(party), seller: None },
            Side::Seller => Self { creator: side, buyer: None, seller: Some(party) },
        }
    }

    /// Who is on a side.
    #[must_use]
    pub const fn on(&self, side: Side) -> Option<&PartyId> {
        match side {
            Side::Buyer => self.buyer.as_ref(),
            Side::Seller => self.seller.as_ref(),
        }
    }

    /// The side that an actor is on.
    #[must_use]
    pub fn side_of(&self, actor: &Actor) -> Option<Side> {
        let Actor::Party(who) = actor else { return None };
        [Side::Buyer, Side::Seller].into_iter().find(|side| self.on(*side) == Some(who))
    }

    pub(crate) fn plays(&self, role: Role, who: &PartyId) -> bool {
        let (creator, other) = (self.on(self.creator), self.on(self.creator.other()));
        match role {
            Role::BUYER => self.buyer.as_ref() == Some(who),
            Role::SELLER => self.seller.as_ref() == Some(who),
            Role::CREATOR => creator == Some(who),
            // Until it is known, the other side may turn out to be anybody but the creator.
            Role::OTHER => creator != Some(who) && other.is_none_or(|known| known == who),
            _ => false,
        }
    }

    // Nobody pays before both are known.
    pub(crate) fn payees(&self) -> Payees<'_> {
        self.seller.as_ref().map_or(Payees::Unsaid, Payees::One)
    }

    pub(crate) fn parties(&self) -> Vec<PartyId> {
        once(self.buyer.iter().chain(&self.seller).cloned())
    }

    /// The creator is known and acts for itself; the sides differ.
    pub(crate) fn check(&self, by: &Actor) -> Result<(), Reason> {
        let creator = self.on(self.creator).ok_or(Reason::Missing { what: "the party that opens it" })?;
        if self.buyer.is_some() && self.buyer == self.seller {
            return Err(Reason::SameParty);
        }
        Reason::for_itself(by, [creator], "the party that opens it")
    }

    /// Where the seller is paid may be said by this actor: into a bank account only by who can vouch that it is the seller's,
    /// which the other side cannot.
    pub(crate) fn may_pay_into(&self, to: Option<&Destination>, by: &Actor) -> Result<(), Reason> {
        let vouches = match by {
            Actor::Party(who) => self.seller.as_ref() == Some(who),
            Actor::Office { .. } | Actor::Clock | Actor::Gateway => by.is_platform(),
        };
        match to {
            Some(Destination::Account { .. }) if !vouches => {
                Err(Reason::OthersAccount(self.known(Side::Seller)?.clone()))
            }
            Some(Destination::Account { .. } | Destination::Wallet) | None => Ok(()),
        }
    }

    /// Puts whoever joins on the open side.
    pub(crate) fn join(&mut self, by: &Actor) {
        if let Actor::Party(who) = by {
            match self.creator.other() {
                Side::Buyer => self.buyer = Some(who.clone()),
                Side::Seller => self.seller = Some(who.clone()),
            }
        }
    }

    /// Who is on a side that has to be known by then.
    pub(crate) fn known(&self, side: Side) -> Result<&PartyId, Reason> {
        self.on(side).ok_or(Reason::Missing {
            what: match side {
                Side::Buyer => "the buyer",
                Side::Seller => "the seller",
            },
        })
    }
}
