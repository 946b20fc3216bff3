//! Who acts, and when: parties, roles, actors and the stamp that every event bears.
//!
//! ```
//! use escrowed::{party::{Actor, PartyId, Stamp}, time::Timestamp};
//!
//! let seller: PartyId = "1-3f546125-2ec2-4b14-87f6-54a14ae73e98".parse()?;
//! let at: Timestamp = "2026-05-07T15:39:46Z".parse()?;
//! let stamp = Stamp::new(Actor::Party(seller), at);
//! assert_eq!(stamp.at, at);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Role`] is what a lifecycle's table speaks of (the buyer, the platform); an [`Actor`] is who somebody is (this
//! user, that operator). Which role an actor plays is a fact of each order, so the order decides it.

use crate::{
    text::{Text, TextError},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A party by the host's own name for it: 1 to 100 characters. Buyers, sellers, payees and the platform itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartyId(Text<100>);

/// The role of an office: `platform`, `arbiter`, or one of the host's own. 1 to 40 characters.
pub type Office = Text<40>;

/// A role that a lifecycle's table gives to an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// Its name in tables and diagrams.
    pub name: &'static str,
    /// What kind of role it is, which decides whether money may depend on it.
    pub duty: Duty,
}

/// What can be expected of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// One of the two sides. May fall silent for ever: money must never depend on it alone.
    Party,
    /// An office somebody holds on behalf of the marketplace. Can be counted on to act.
    Office,
    /// The clock: a deadline passed.
    Clock,
    /// A payment gateway settled something.
    Gateway,
}

impl Role {
    /// Who pays.
    pub const BUYER: Self = Self::party("buyer");
    /// Who is paid.
    pub const SELLER: Self = Self::party("seller");
    /// Whichever of the two opened it.
    pub const CREATOR: Self = Self::party("creator");
    /// Whichever of the two did not open it.
    pub const OTHER: Self = Self::party("other");
    /// Who a payout goes to.
    pub const PAYEE: Self = Self::party("payee");
    /// The marketplace's operator.
    pub const PLATFORM: Self = Self::office("platform");
    /// Who decides a dispute.
    pub const ARBITER: Self = Self::office("arbiter");
    /// A deadline passed.
    pub const CLOCK: Self = Self { name: "clock", duty: Duty::Clock };
    /// A payment was settled.
    pub const GATEWAY: Self = Self { name: "gateway", duty: Duty::Gateway };

    /// A side of a host's own lifecycle, such as a customer.
    #[must_use]
    pub const fn party(name: &'static str) -> Self {
        Self { name, duty: Duty::Party }
    }

    /// An office of a host's own lifecycle, such as an operator.
    #[must_use]
    pub const fn office(name: &'static str) -> Self {
        Self { name, duty: Duty::Office }
    }
}

/// Who somebody is. The host has made sure of it before it says so.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A user of the marketplace.
    Party(PartyId),
    /// Somebody who holds an office of the marketplace.
    Office {
        /// Which office: `platform`, `arbiter` or the host's own.
        role: Office,
        /// Who holds it.
        id: PartyId,
    },
    /// The clock. It may take an edge only once its deadline has passed.
    Clock,
    /// A payment gateway, by way of a report.
    Gateway,
}

impl Actor {
    /// An operator of the marketplace.
    #[must_use]
    pub fn platform(id: PartyId) -> Self {
        Self::office(Role::PLATFORM, id)
    }

    /// Somebody who decides disputes.
    #[must_use]
    pub fn arbiter(id: PartyId) -> Self {
        Self::office(Role::ARBITER, id)
    }

    /// Whoever holds the office that `role` names.
    ///
    /// # Panics
    /// When the name of the role is empty or longer than 40 characters.
    #[must_use]
    pub fn office(role: Role, id: PartyId) -> Self {
        Self::Office { role: Office::new(role.name).expect("a role has a name of 1 to 40 characters"), id }
    }

    /// Whether it is an operator of the marketplace.
    #[must_use]
    pub fn is_platform(&self) -> bool {
        match self {
            Self::Office { role, .. } => role.as_str() == Role::PLATFORM.name,
            Self::Party(_) | Self::Clock | Self::Gateway => false,
        }
    }

    /// The party or the holder of the office; none for the clock and a gateway.
    #[must_use]
    pub fn id(&self) -> Option<&PartyId> {
        match self {
            Self::Party(id) | Self::Office { id, .. } => Some(id),
            Self::Clock | Self::Gateway => None,
        }
    }
}

/// Who did something, and when (UTC).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Who.
    pub by: Actor,
    /// When, in UTC.
    pub at: Timestamp,
}

impl Stamp {
    /// A stamp.
    #[must_use]
    pub const fn new(by: Actor, at: Timestamp) -> Self {
        Self { by, at }
    }

    /// A gateway's stamp.
    #[must_use]
    pub const fn gateway(at: Timestamp) -> Self {
        Self { by: Actor::Gateway, at }
    }

    /// The clock's stamp.
    #[must_use]
    pub const fn clock(at: Timestamp) -> Self {
        Self { by: Actor::Clock, at }
    }
}

impl PartyId {
    /// The host's own name for the party.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for PartyId {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Party(id) => write!(f, "{id}"),
            Self::Office { role, id } => write!(f, "{id} ({role})"),
            Self::Clock => f.write_str("the clock"),
            Self::Gateway => f.write_str("a gateway"),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_keep_their_form() {
        let ops: PartyId = "ops-1".parse().unwrap();
        for (actor, text) in [
            (Actor::Party(ops.clone()), r#"{"party":"ops-1"}"#),
            (Actor::platform(ops), r#"{"office":{"role":"platform","id":"ops-1"}}"#),
            (Actor::Clock, r#""clock""#),
            (Actor::Gateway, r#""gateway""#),
        ] {
            assert_eq!(serde_json::to_string(&actor).unwrap(), text);
            assert_eq!(serde_json::from_str::<Actor>(text).unwrap(), actor);
        }
    }
}
