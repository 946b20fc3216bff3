//! How a dispute ends: so much to the buyer, so much to the seller.
//!
//! Both lifecycles with two sides are decided in one way, which is written here once.

use crate::{lifecycle::Reason, money::Money, payment::Outgoing};
use serde::{Deserialize, Serialize};

/// An arbiter's award: exact amounts that add up to all that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Award {
    /// Goes back to the buyer, in minor units; may be nothing.
    pub buyer: Money,
    /// Goes to the seller, in minor units; may be nothing.
    pub seller: Money,
}

/// An award that was made, and the payments it opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awarded {
    /// The award.
    pub award: Award,
    /// Its payments.
    pub outgoing: Outgoing,
}

impl Award {
    /// Checks it against what is held, in minor units.
    ///
    /// # Errors
    /// [`Reason`] when a part is negative or of another currency, or the parts do not add up.
    pub fn adds_up_to(&self, held: Money) -> Result<(), Reason> {
        for part in [self.buyer, self.seller] {
            if part.is_negative() {
                return Err(Reason::Money(crate::money::MoneyError::Negative { amount: part }));
            }
        }
        let found = self.buyer.checked_add(self.seller)?;
        if found == held { Ok(()) } else { Err(Reason::WrongAmount { expected: held, found }) }
    }
}

/// Says in which status an arbiter decides, once, and gives it the award: what may be awarded, and the payments of it.
macro_rules! decided_by_award {
    ($Value:ident: $Disputed:ident; |$facts:ident| $sides:expr) => {
        impl $Value<$Disputed> {
            fn not_awarded(&self) -> Result<(), $crate::lifecycle::Reason> {
                let awarded = self.state.awarded.as_ref();
                awarded.map_or(Ok(()), |_| Err($crate::lifecycle::Reason::Already { what: "the award" }))
            }

            // What is not there, or may not stay, cannot be awarded.
            pub(super) fn may_decide(&self) -> Result<(), $crate::lifecycle::Reason> {
                self.not_awarded()?;
                self.facts().aftermath.decided()?;
                let missing =
                    $crate::lifecycle::Reason::NotThisWay { instead: "nothing is in escrow any more: `close` it" };
                if self.held().is_positive() { Ok(()) } else { Err(missing) }
            }

            pub(super) fn may_close(&self) -> Result<(), $crate::lifecycle::Reason> {
                self.not_awarded()?;
                self.facts().aftermath.nothing_left(self.held())
            }

            // The payments that an award at this time opens. Computed anew in replay and compared.
            pub(super) fn awarding(
                &self,
                award: $crate::deal::Award,
                at: &$crate::party::Stamp,
            ) -> Result<event::Awarded, $crate::lifecycle::Reason> {
                self.may_decide()?;
                award.adds_up_to(self.held())?;
                let $facts = self.facts();
                let (sides, terms, till) = ($sides, &$facts.terms, &$facts.till);
                let buyer = sides.known($crate::deal::Side::Buyer)?;
                let seller = sides.known($crate::deal::Side::Seller)?;
                let mut parts = till.back(buyer, award.buyer);
                let to = terms.payout.clone().unwrap_or($crate::payment::Destination::Wallet);
                parts.push((seller.clone(), award.seller, $crate::payment::Way::Payout(to)));
                let subject = self.id().subject();
                let outgoing = $crate::payment::Outgoing::plan(subject, self.head.seq() + 1, at.at, parts);
                Ok(event::Awarded { award, outgoing })
            }
        }

        impl $crate::lifecycle::Takes<event::Awarded> for $Value<$Disputed> {
            type Next = Self;
            fn check(
                &self,
                event: &event::Awarded,
                step: &mut $crate::lifecycle::Effects<'_>,
            ) -> Result<(), $crate::lifecycle::Reason> {
                if *event != self.awarding(event.award.clone(), step.stamp())? {
                    return Err($crate::lifecycle::Reason::Unlike { what: "what the award opens" });
                }
                event.outgoing.open(&self.facts().terms.gateway, step)
            }
            fn make(mut self, event: event::Awarded, _: &$crate::party::Stamp) -> Self {
                let event::Awarded { award, outgoing } = event;
                self.state.awarded = Some($crate::deal::Awarded { award, outgoing });
                self
            }
        }
    };
}

pub(crate) use decided_by_award;
