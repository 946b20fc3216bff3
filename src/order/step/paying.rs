//! From the draft to the payment: what each event demands, and what it makes of an order.

use crate::{
    lifecycle::{Effects, Reason, Takes, Value},
    order::{AnyOrder, Draft, Failure, Order, PendingPublish, Published, event},
    party::Stamp,
    payment::PayinId,
};

impl Order<Draft> {
    pub(in crate::order) fn may_be_bought_by(&self, buyer: &crate::party::PartyId, by: &Stamp) -> Result<(), Reason> {
        let terms = &self.facts().terms;
        if terms.part.is_none() && *buyer == terms.seller {
            return Err(Reason::SameParty);
        }
        // A party speaks for itself only, and nobody replaces the buyer the order was opened for.
        Reason::for_itself(&by.by, [buyer], "the buyer")?;
        if terms.buyer.as_ref().is_some_and(|known| known != buyer) {
            return Err(Reason::Fixed { what: "the buyer" });
        }
        Ok(())
    }
}

impl Order<PendingPublish> {
    // The evidence must be the payin under way.
    pub(in crate::order) fn awaits(&self, payin: PayinId) -> Result<(), Reason> {
        let expected = self.underway()?;
        if expected == payin {
            Ok(())
        } else {
            Err(Reason::WrongSubject { expected: expected.subject(), found: payin.subject() })
        }
    }

    pub(in crate::order) fn underway(&self) -> Result<PayinId, Reason> {
        self.state.payin.ok_or(Reason::Missing { what: "a payin under way" })
    }

    pub(in crate::order) fn may_pay(&self) -> Result<(), Reason> {
        if let Some(payin) = self.state.payin {
            return Err(Reason::Underway(payin.subject()));
        }
        self.facts().attempts_left()
    }
}

impl Takes<event::BuyerIdentified> for Order<Draft> {
    type Next = Order<PendingPublish>;
    fn check(&self, event: &event::BuyerIdentified, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_be_bought_by(&event.buyer, step.stamp())
    }
    fn make(mut self, event: event::BuyerIdentified, _: &Stamp) -> Order<PendingPublish> {
        self.head.facts.terms.buyer = Some(event.buyer);
        self.enter(PendingPublish { payin: None })
    }
}

impl Takes<event::PayinOpened> for Order<PendingPublish> {
    type Next = Self;
    fn check(&self, _: &event::PayinOpened, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_pay()
    }
    fn make(mut self, event: event::PayinOpened, _: &Stamp) -> Self {
        self.head.facts.payins.push(event.payin);
        self.state.payin = Some(event.payin);
        self
    }
}

impl Takes<event::PayinDropped> for Order<PendingPublish> {
    type Next = Self;
    fn check(&self, event: &event::PayinDropped, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.awaits(event.payin)
    }
    fn make(mut self, _: event::PayinDropped, _: &Stamp) -> Self {
        self.state.payin = None;
        self
    }
}

impl Takes<event::Published> for Order<PendingPublish> {
    type Next = Order<Published>;
    fn check(&self, event: &event::Published, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.awaits(event.paid.payin)?;
        let expected = self.facts().terms.amount;
        if event.paid.amount != expected {
            return Err(Reason::WrongAmount { expected, found: event.paid.amount });
        }
        step.count_in(event.paid.amount)
    }
    fn make(self, event: event::Published, _: &Stamp) -> Order<Published> {
        self.enter(Published { paid: Box::new(event.paid) })
    }
}

impl Takes<event::Failed> for Order<PendingPublish> {
    type Next = Order<Failure>;
    fn check(&self, event: &event::Failed, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.awaits(event.payin)
    }
    fn make(self, event: event::Failed, _: &Stamp) -> Order<Failure> {
        self.enter(Failure { payin: event.payin, reason: event.reason })
    }
}

impl Takes<event::Retried> for Order<Failure> {
    type Next = Order<PendingPublish>;
    fn check(&self, _: &event::Retried, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().attempts_left()
    }
    fn make(self, _: event::Retried, _: &Stamp) -> Order<PendingPublish> {
        self.enter(PendingPublish { payin: None })
    }
}

/// A status in which the order's terms may change, and how much of them.
pub trait Amendable {
    /// Whether the order was paid already.
    const PAID: bool;
}

macro_rules! amendable {
    ($($status:ident: $paid:literal),+ $(,)?) => { $(
        impl Amendable for crate::order::$status {
            const PAID: bool = $paid;
        }
    )+ };
}

amendable!(
    Draft: false,
    PendingPublish: false,
    Failure: false,
    Published: true,
    Accepted: true,
    PendingValidate: true,
);

impl<S: Amendable> Takes<event::Amended> for Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    type Next = Self;
    fn check(&self, event: &event::Amended, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.stands_alone()?;
        let changes = &event.changes;
        if S::PAID {
            let fixed = [
                (changes.name.is_some(), "the name of a paid order"),
                (changes.description.is_some(), "the description of a paid order"),
                (changes.tag.is_some(), "the tag of a paid order"),
                (changes.images.is_some(), "the images of a paid order"),
                (changes.urls.is_some(), "the return URLs of a paid order"),
            ];
            if let Some((_, what)) = fixed.into_iter().find(|(changed, _)| *changed) {
                return Err(Reason::Fixed { what });
            }
        }
        let terms = self.facts().terms.with(changes);
        terms.check()?;
        // What was refunded meanwhile is no longer there to take the fee from.
        let (fee, available) = (terms.fee()?, self.held());
        if S::PAID && available.checked_sub(fee)?.is_negative() {
            return Err(Reason::TooMuch { asked: fee, available });
        }
        Ok(())
    }
    fn make(mut self, event: event::Amended, _: &Stamp) -> Self {
        self.head.facts.terms = self.head.facts.terms.with(&event.changes);
        self
    }
}
