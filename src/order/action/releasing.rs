//! From the payment to the payout: what can be done with an order.

use super::{Blocking, PayoutBack, PayoutNews};
use crate::{
    lifecycle::{Reason, Refused, Transition, Value, may},
    order::{
        Accepted, Action, AnyOrder, BlockedRelease, Order, PayoutPlan, PendingRelease, PendingValidate, Published,
        Released, event,
        state::{Blockable, Funded},
    },
    party::Stamp,
    payment::{
        PayinId, Payout,
        payout::{self, Went},
    },
    text::Prose,
};

impl Order<Published> {
    /// The seller accepts; payout details follow.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller asks.
    pub fn accept(self, at: &Stamp) -> Result<Transition<Order<Accepted>>, Refused<Self>> {
        self.take(event::Accepted {}, at)
    }

    /// The seller accepts with the payout details at hand: straight on to the validation, in one commit.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the seller asks, the plan names whom the [seller may not](PayoutPlan), or the shares
    /// do not add up.
    pub fn accept_with(
        self,
        plan: PayoutPlan,
        at: &Stamp,
    ) -> Result<Transition<Order<PendingValidate>>, Refused<Self>> {
        let may = may(&self, Action::Accept as usize, at).map(drop);
        if let Err(reason) = may.and_then(|()| self.may_plan(&plan, &at.by)) {
            return Err(Refused { value: self, reason });
        }
        let planned = self.accept(at)?.then(|order| order.set_payout(plan, at));
        Ok(planned.expect("the seller may set a plan that was looked at"))
    }

    /// Everything that it is part of is paid: its payout is opened, in the same unit as its movement's step.
    ///
    /// # Errors
    /// [`Refused`] when it stands alone, or somebody asks: it happens by itself.
    pub fn settle(self, at: &Stamp) -> Result<Transition<Order<PendingRelease>>, Refused<Self>> {
        let event = self.part_settlement(at);
        self.take_if(event, at)
    }

    // The command's form.
    pub(in crate::order) fn accept_as_told(
        self,
        payout: Option<PayoutPlan>,
        at: &Stamp,
    ) -> Result<Transition<AnyOrder>, Refused<Self>> {
        match payout.or_else(|| self.facts().terms.payout.clone()) {
            Some(plan) => self.accept_with(plan, at).map(Transition::widen),
            None => self.accept(at).map(Transition::widen),
        }
    }
}

impl Order<Accepted> {
    /// Says who is paid, how much, and where to.
    ///
    /// # Errors
    /// [`Refused`] when it names whom who asks [may not](PayoutPlan), or the shares do not add up.
    pub fn set_payout(self, plan: PayoutPlan, at: &Stamp) -> Result<Transition<Order<PendingValidate>>, Refused<Self>> {
        self.take(event::PayoutSet { plan }, at)
    }
}

impl Order<PendingValidate> {
    /// Says anew who is paid, how much, and where to: in place of a plan that is not to be validated, or no longer can be, as
    /// one of fixed amounts when more is there to divide than when it was made.
    ///
    /// # Errors
    /// As [`Order::<Accepted>::set_payout`].
    pub fn set_payout(self, plan: PayoutPlan, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::PayoutSet { plan }, at)
    }

    /// The platform's word that the money may go: the fee is booked and the payouts are opened.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks.
    pub fn validate(self, at: &Stamp) -> Result<Transition<Order<PendingRelease>>, Refused<Self>> {
        let event = self.settlement(at);
        self.take_if(event, at)
    }
}

impl Order<PendingRelease> {
    /// All payees are paid: needs the confirmation of every payout that was not counted yet.
    ///
    /// # Errors
    /// [`Refused`] when one is missing, or is another's.
    pub fn release(
        self,
        payouts: &[&Payout<payout::Confirmed>],
        at: &Stamp,
    ) -> Result<Transition<Order<Released>>, Refused<Self>> {
        let payouts = payouts.iter().map(|payout| payout.id()).collect();
        self.take(event::Released { payouts }, at)
    }

    /// A denied payout stops the release.
    ///
    /// # Errors
    /// [`Refused`] when the payout is another's.
    pub fn block(
        self,
        payout: &Payout<payout::Denied>,
        at: &Stamp,
    ) -> Result<Transition<Order<BlockedRelease>>, Refused<Self>> {
        let reason = payout.state().reason().clone();
        self.take(event::Blocked { reason, payout: Some(payout.id()) }, at)
    }

    /// Takes to the order's knowledge what became of a payout.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, was counted before, or has to block the release.
    pub fn count_payout(self, payout: PayoutNews<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(payout.counted(), at)
    }

    // The command's form.
    pub(in crate::order) fn block_because(
        self,
        why: Blocking<'_>,
        at: &Stamp,
    ) -> Result<Transition<Order<BlockedRelease>>, Refused<Self>> {
        match why {
            Blocking::Denied(payout) => self.block(payout, at),
            Blocking::Operator(_) => Err(Refused { value: self, reason: Reason::Missing { what: "a denied payout" } }),
        }
    }
}

impl<S: Blockable> Order<S>
where
    Self: Value<Any = AnyOrder>,
{
    /// An operator stops the release, for a reason.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks.
    pub fn block(self, reason: Prose, at: &Stamp) -> Result<Transition<Order<BlockedRelease>>, Refused<Self>> {
        self.take(event::Blocked { reason, payout: None }, at)
    }

    // The command's form.
    pub(in crate::order) fn block_because(
        self,
        why: Blocking<'_>,
        at: &Stamp,
    ) -> Result<Transition<Order<BlockedRelease>>, Refused<Self>> {
        match why {
            Blocking::Operator(reason) => self.block(reason, at),
            Blocking::Denied(_) => {
                Err(Refused { value: self, reason: Reason::Missing { what: "an operator's reason" } })
            }
        }
    }
}

impl<S: Funded> Order<S> {
    /// The payin that paid for it.
    #[must_use]
    pub fn payin(&self) -> PayinId {
        self.state.paid().payin
    }
}

impl Order<BlockedRelease> {
    /// Lets the release go on, in the status it was blocked in.
    ///
    /// # Errors
    /// [`Refused`] while a denied payout has no new one in its place.
    pub fn unblock(self, at: &Stamp) -> Result<Transition<AnyOrder>, Refused<Self>> {
        self.take(event::Unblocked {}, at)
    }

    /// Takes to the order's knowledge what became of a payout.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, or was counted before.
    pub fn count_payout(self, payout: PayoutNews<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(payout.counted(), at)
    }

    /// A payout gave its money back.
    ///
    /// # Errors
    /// [`Refused`] when it is another's, or was counted before.
    pub fn take_back_payout(self, payout: PayoutBack<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let (payout, amount) = match payout {
            PayoutBack::GivenBack(payout) if payout.state().went() == Some(&Went::Back) => {
                (payout.id(), payout.facts().amount)
            }
            PayoutBack::Cancelled(payout) => (payout.id(), payout.facts().amount),
            PayoutBack::GivenBack(_) => {
                return Err(Refused {
                    value: self,
                    reason: Reason::Missing { what: "a payout that gave its money back" },
                });
            }
        };
        self.take(event::PayoutTakenBack { payout, amount }, at)
    }
}
