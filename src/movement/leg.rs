//! The orders that a movement is made of, and where each of them stands.

use super::{AnyMovement, MovementId};
use crate::{
    money::Money,
    order::{AnyOrder, OrderId, Part, Terms},
    party::PartyId,
    payment::{Destination, Method},
    time::Timestamp,
};
use serde::{Deserialize, Serialize, Serializer};

/// One order of a movement, as the movement knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The order: its id is known before it is opened.
    pub order: OrderId,
    /// Who pays. The movement's own wallet bears its id for a name.
    pub payer: PartyId,
    /// Who is paid.
    pub payee: PartyId,
    /// How much, in minor units.
    pub amount: Money,
    /// Where to.
    pub to: Destination,
    /// How far it is.
    pub stands: Stands,
}

/// How far an order of a movement is, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// It is not opened yet.
    Planned,
    /// It waits to be paid.
    Open,
    /// It can no longer be paid: its last payment failed, was called off, or ran out of time.
    Failed,
    /// It is paid, and holds the money.
    Paid,
    /// Its payout is on its way to the payee's bank account.
    Going,
    /// Its payee has the money.
    Released,
    /// It was called off; whatever was paid is on its way back.
    Undone,
}

/// Orders of a movement, as evidence of how far they are. As JSON they are their ids.
#[derive(Debug, Clone, Copy)]
pub struct Orders<'e>(pub &'e [AnyOrder]);

/// What one order moves. Where nobody is named, the movement's own wallet pays or is paid.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    pub(super) payer: Option<PartyId>,
    pub(super) payee: Option<PartyId>,
    pub(super) amount: Money,
    /// How it is paid as soon as it is opened; none where the payer does so by an act of their own.
    pub(super) by: Option<Method>,
    pub(super) to: Destination,
}

/// What all of them move.
#[derive(Debug, Default)]
pub(super) struct Legs {
    /// Those that are paid from outside the movement: before it is committed.
    pub(super) first: Vec<Leg>,
    /// Those that are paid by what the first ones brought: afterwards.
    pub(super) last: Vec<Leg>,
}

impl Legs {
    pub(super) const fn direct(first: Vec<Leg>) -> Self {
        Self { first, last: Vec::new() }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Leg> {
        self.first.iter().chain(&self.last)
    }
}

impl Stands {
    /// How far an order is; none in a status that no part of a movement is ever left in.
    #[must_use]
    pub fn of(order: &AnyOrder) -> Option<Self> {
        match order {
            // A payin that was called off counts as a try, too.
            AnyOrder::PendingPublish(awaited) if awaited.is_spent() => Some(Self::Failed),
            AnyOrder::PendingPublish(_) => Some(Self::Open),
            AnyOrder::Failure(failed) if failed.has_tries_left() => Some(Self::Open),
            AnyOrder::Failure(_) => Some(Self::Failed),
            AnyOrder::Published(_) => Some(Self::Paid),
            AnyOrder::PendingRelease(_) | AnyOrder::BlockedRelease(_) => Some(Self::Going),
            AnyOrder::Released(_) => Some(Self::Released),
            AnyOrder::Cancelled(_) => Some(Self::Undone),
            AnyOrder::Draft(_) | AnyOrder::Accepted(_) | AnyOrder::Rejected(_) | AnyOrder::PendingValidate(_) => None,
        }
    }
}

/// The party whose wallet is the movement's own: its id for a name. Nobody can act as this party: it spends by itself.
#[must_use]
pub fn wallet(movement: MovementId) -> PartyId {
    movement.to_string().parse().expect("an id is short enough for a party's name")
}

impl AnyMovement {
    /// When it was opened (UTC).
    fn opened_at(&self) -> Timestamp {
        let opened = self.history().by_time().first();
        opened.expect("whatever exists was opened").stamp.at
    }

    /// The id of its `nth` order, from 0.
    pub(crate) fn order(&self, nth: u32) -> OrderId {
        OrderId::derived(self.id().subject(), 1, nth, self.opened_at())
    }

    /// Its orders: first those that are paid from outside, then those that are paid from its own wallet.
    pub fn orders(&self) -> impl Iterator<Item = Place> {
        let own = wallet(self.id());
        let (all, stands) = (self.facts().legs.all(), self.facts().stands.iter());
        (0..).zip(all.zip(stands)).map(move |(nth, (leg, stands))| Place {
            order: self.order(nth),
            payer: leg.payer.clone().unwrap_or_else(|| own.clone()),
            payee: leg.payee.clone().unwrap_or_else(|| own.clone()),
            amount: leg.amount,
            to: leg.to.clone(),
            stands: *stands,
        })
    }

    /// The order that somebody has to pay; none when they are not one of the payers.
    #[must_use]
    pub fn order_of(&self, payer: &PartyId) -> Option<OrderId> {
        let nth = self.facts().legs.first.iter().position(|leg| leg.payer.as_ref() == Some(payer))?;
        u32::try_from(nth).ok().map(|nth| self.order(nth))
    }

    /// The terms of its `nth` order, and how it is paid once it is opened.
    pub(crate) fn terms_of(&self, nth: u32) -> Option<(Terms, PartyId, Option<Method>)> {
        let own = || wallet(self.id());
        let frame = self.facts().plan().frame();
        let leg = self.facts().legs.all().nth(usize::try_from(nth).ok()?)?;
        let payee = leg.payee.clone().unwrap_or_else(own);
        let payer = leg.payer.clone().unwrap_or_else(own);
        let mut terms =
            Terms::new(frame.name.clone(), leg.amount, payee, frame.platform.clone(), frame.gateway.clone());
        terms.buyer = Some(payer.clone());
        terms.payin_intents = Some(frame.payin_intents);
        terms.part = Some(Part { of: self.id().subject(), nth, to: leg.to.clone() });
        Some((terms, payer, leg.by.clone()))
    }
}

impl Serialize for Orders<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(AnyOrder::id))
    }
}
