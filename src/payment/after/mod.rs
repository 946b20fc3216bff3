//! What happens to money behind the back of what it is or was of: told to that, which notes it.

mod aftermath;
mod noting;
mod stopping;

pub use aftermath::Aftermath;
pub(crate) use aftermath::Loss;
pub(crate) use {noting::notes_after, stopping::stops_when_charged_back};

use super::{
    AnyRefund, Chargeback, ChargebackId, Destination, PayinId, Payout, PayoutId, Refund, RefundId, Route,
    chargeback::{self, Part, Share},
    payout, refund,
};
use crate::{id::Subject, lifecycle::Reason, money::Money, party::PartyId, text::Prose};
use serde::{Deserialize, Serialize, Serializer};

/// What happened, as evidence: a value of the status that proves it.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum After<'e> {
    /// The bank sent a payout's money back. The payout holds it again.
    PayoutReturned(&'e Payout<payout::Returned>),
    /// A payout that came back passed its money on to another one.
    PayoutSentAgain(&'e Payout<payout::Returned>),
    /// A payout of money that had come back reached its payee.
    PayoutArrived(&'e Payout<payout::Confirmed>),
    /// The card network took money of a payin. What is still held gives its part.
    ChargedBack(&'e Chargeback<chargeback::Open>),
    /// The card network returned what it had taken. What had given its part takes it back.
    ChargebackWon(&'e Chargeback<chargeback::Won>),
    /// It will not come back.
    ChargebackLost(&'e Chargeback<chargeback::Lost>),
    /// What was released is refunded: those who were paid gave it back, or owe it.
    Refunded(#[serde(serialize_with = "by_id")] &'e AnyRefund),
    /// The bank sent a refund's money back. The refund holds it again.
    RefundReturned(&'e Refund<refund::Returned>),
    /// A refund that came back passed its money on to another one.
    RefundSentAgain(&'e Refund<refund::Returned>),
    /// A refund of money that had come back reached the payer.
    RefundArrived(&'e Refund<refund::Confirmed>),
}

/// The same as it is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Afterwards {
    /// The bank sent a payout's money back. The payout holds it again.
    PayoutReturned {
        /// The payout.
        payout: PayoutId,
        /// Whose money it is.
        payee: PartyId,
        /// How much came back, in minor units.
        amount: Money,
        /// Why, in the bank's words.
        reason: Prose,
    },
    /// A payout that came back passed its money on to another one.
    PayoutSentAgain {
        /// The one that came back.
        payout: PayoutId,
        /// The other one.
        by: PayoutId,
        /// Where that one goes. In a wallet it is at once.
        to: Destination,
    },
    /// A payout of money that had come back reached its payee.
    PayoutArrived {
        /// The payout.
        payout: PayoutId,
    },
    /// The card network took money of a payin. In minor units.
    ChargedBack {
        /// The chargeback.
        chargeback: ChargebackId,
        /// The payin.
        payin: PayinId,
        /// How much.
        amount: Money,
        /// How much of it came out of what was still held.
        held: Money,
        /// Who bore the rest, out of its wallet or as a debt.
        borne: Vec<(PartyId, Money)>,
        /// The refunds on their way to the payer for which it bears its part.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        refunds: Vec<RefundId>,
        /// Why, in the card network's words.
        reason: Prose,
    },
    /// The card network returned what it had taken: whoever bore it has it back.
    ChargebackWon {
        /// The chargeback.
        chargeback: ChargebackId,
    },
    /// What was charged back stays gone.
    ChargebackLost {
        /// The chargeback.
        chargeback: ChargebackId,
    },
    /// What was released is refunded. Its own log says what becomes of it. In minor units.
    Refunded {
        /// The refund.
        refund: RefundId,
        /// The payin.
        payin: PayinId,
        /// How much.
        amount: Money,
        /// Who bore it, out of its wallet or as a debt.
        borne: Vec<(PartyId, Money)>,
    },
    /// The bank sent a refund's money back. The refund holds it again.
    RefundReturned {
        /// The refund.
        refund: RefundId,
        /// Whose money it is.
        payer: PartyId,
        /// How much, in minor units.
        amount: Money,
        /// Why, in the bank's words.
        reason: Prose,
    },
    /// A refund that came back passed its money on to another one.
    RefundSentAgain {
        /// The one that came back.
        refund: RefundId,
        /// The other one.
        by: RefundId,
        /// How that one goes back.
        route: Route,
    },
    /// A refund of money that had come back reached the payer.
    RefundArrived {
        /// The refund.
        refund: RefundId,
    },
}

macro_rules! logged {
    ($($(#[doc = $doc:literal])+ $name:ident),+) => { $(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub struct $name {
            pub(crate) what: Afterwards,
        }
    )+ };
}

logged!(
    /// Something happened that takes and brings no money: a note.
    Noted,
    /// Some of what was held was charged back.
    PartTaken,
    /// All that was held was charged back.
    AllTaken,
    /// What was held and charged back is there again.
    Regained
);

/// Nothing is left of what was charged back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Closed {}

impl After<'_> {
    /// What the money was of.
    #[must_use]
    pub fn about(&self) -> Subject {
        match self {
            Self::PayoutReturned(payout) | Self::PayoutSentAgain(payout) => payout.facts().about,
            Self::PayoutArrived(payout) => payout.facts().about,
            Self::ChargedBack(chargeback) => chargeback.facts().about,
            Self::ChargebackWon(chargeback) => chargeback.facts().about,
            Self::ChargebackLost(chargeback) => chargeback.facts().about,
            Self::Refunded(refund) => refund.facts().about,
            Self::RefundReturned(refund) | Self::RefundSentAgain(refund) => refund.facts().about,
            Self::RefundArrived(refund) => refund.facts().about,
        }
    }

    /// What it says, to be logged.
    ///
    /// # Errors
    /// [`Reason::Missing`] when the money of the payout or refund that came back has not gone on, or what is refunded was
    /// never released.
    pub fn noted(&self) -> Result<Afterwards, Reason> {
        Ok(match self {
            Self::PayoutReturned(payout) => {
                let terms = payout.facts();
                Afterwards::PayoutReturned {
                    payout: payout.id(),
                    payee: terms.payee.clone(),
                    amount: payout.state().back(),
                    reason: payout.state().reason().clone(),
                }
            }
            Self::PayoutSentAgain(payout) => {
                let (by, to) =
                    payout.state().went().ok_or(Reason::Missing { what: "the payout that sends it again" })?;
                Afterwards::PayoutSentAgain { payout: payout.id(), by: *by, to: to.clone() }
            }
            Self::PayoutArrived(payout) => Afterwards::PayoutArrived { payout: payout.id() },
            Self::ChargedBack(chargeback) => charged_back(chargeback)?,
            Self::ChargebackWon(chargeback) => Afterwards::ChargebackWon { chargeback: chargeback.id() },
            Self::ChargebackLost(chargeback) => Afterwards::ChargebackLost { chargeback: chargeback.id() },
            Self::Refunded(refund) => {
                let terms = refund.facts();
                if terms.shares.is_empty() {
                    return Err(Reason::Missing { what: "a refund of what was released" });
                }
                let (refund, payin, amount) = (refund.id(), terms.payin, terms.amount);
                Afterwards::Refunded { refund, payin, amount, borne: borne(&terms.shares)? }
            }
            Self::RefundReturned(refund) => {
                let terms = refund.facts();
                Afterwards::RefundReturned {
                    refund: refund.id(),
                    payer: terms.payer.clone(),
                    amount: refund.state().back(),
                    reason: refund.state().reason().clone(),
                }
            }
            Self::RefundSentAgain(refund) => {
                let (by, route) =
                    refund.state().went().ok_or(Reason::Missing { what: "the refund that sends it again" })?;
                Afterwards::RefundSentAgain { refund: refund.id(), by: *by, route: route.clone() }
            }
            Self::RefundArrived(refund) => Afterwards::RefundArrived { refund: refund.id() },
        })
    }

    // What it says to what bears this id.
    pub(crate) fn told_to(&self, expected: Subject) -> Result<Afterwards, Reason> {
        let found = self.about();
        if found == expected { self.noted() } else { Err(Reason::WrongSubject { expected, found }) }
    }
}

// As evidence of one status is written.
fn by_id<Z: Serializer>(refund: &&AnyRefund, serializer: Z) -> Result<Z::Ok, Z::Error> {
    refund.id().subject().serialize(serializer)
}

fn charged_back(chargeback: &Chargeback<chargeback::Open>) -> Result<Afterwards, Reason> {
    let terms = chargeback.facts();
    Ok(Afterwards::ChargedBack {
        chargeback: chargeback.id(),
        payin: terms.payin,
        amount: terms.amount,
        held: terms.held,
        borne: borne(&terms.shares)?,
        refunds: terms.refunds.iter().map(|(refund, _)| *refund).collect(),
        reason: terms.reason.clone(),
    })
}

fn borne(shares: &[Share]) -> Result<Vec<(PartyId, Money)>, Reason> {
    let of_amount = shares.iter().filter(|share| share.of == Part::Amount);
    of_amount.map(|share| Ok((share.party.clone(), share.total()?))).collect()
}
