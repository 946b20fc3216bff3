//! From the opening to the payment.

use crate::{
    deal::{Leaving, PayinClosed, PayinOpened},
    face_to_face::{
        AnyFaceToFace, Cancelled, CancelledWithDeposit, Created, DepositAccepted, DepositPaid, DepositRefunded,
        FaceToFace, Joined, Kept, Priced, Rejected, RemainderPaid, RemainderSkipped, event,
        state::{Payable, Unpaid},
    },
    ledger::{Account, Purpose},
    lifecycle::{Effects, Reason, Takes, Value},
    money::Money,
    party::Stamp,
    payment::Outgoing,
};

impl FaceToFace<Created> {
    // Until when, and how often, a code may be tried.
    pub(in crate::face_to_face) fn may_try(&self, action: &'static str, at: &Stamp) -> Result<(), Reason> {
        let limit = self.facts().terms.policy.join_attempts;
        if self.state.misses >= limit {
            return Err(Reason::NoAttemptsLeft { limit });
        }
        match self.facts().join_until() {
            Some(deadline) if at.at >= deadline => Err(Reason::TooLate { action, deadline }),
            Some(_) | None => Ok(()),
        }
    }
}

impl Takes<event::Joined> for FaceToFace<Created> {
    type Next = FaceToFace<Joined>;
    fn check(&self, _: &event::Joined, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_try("join", step.stamp())
    }
    fn make(mut self, _: event::Joined, at: &Stamp) -> FaceToFace<Joined> {
        self.head.facts.terms.sides.join(&at.by);
        self.enter(Joined {})
    }
}

impl Takes<event::Rejected> for FaceToFace<Created> {
    type Next = FaceToFace<Rejected>;
    fn check(&self, _: &event::Rejected, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_try("reject", step.stamp())
    }
    fn make(self, _: event::Rejected, _: &Stamp) -> FaceToFace<Rejected> {
        self.enter(Rejected {})
    }
}

impl Takes<event::Missed> for FaceToFace<Created> {
    type Next = Self;
    fn check(&self, _: &event::Missed, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.may_try("join", step.stamp())
    }
    fn make(mut self, _: event::Missed, _: &Stamp) -> Self {
        self.state.misses += 1;
        self
    }
}

fn nothing_paid(event: &event::Cancelled) -> Result<(), Reason> {
    if event.kept.is_none() && event.refund.legs().is_empty() {
        Ok(())
    } else {
        Err(Reason::Unlike { what: "what goes back to the buyer" })
    }
}

impl Takes<event::Cancelled> for FaceToFace<Created> {
    type Next = FaceToFace<Cancelled>;
    fn check(&self, event: &event::Cancelled, _: &mut Effects<'_>) -> Result<(), Reason> {
        nothing_paid(event)
    }
    fn make(self, _: event::Cancelled, _: &Stamp) -> FaceToFace<Cancelled> {
        self.enter(Cancelled {})
    }
}

impl Takes<event::Cancelled> for FaceToFace<Joined> {
    type Next = FaceToFace<Cancelled>;
    fn check(&self, event: &event::Cancelled, _: &mut Effects<'_>) -> Result<(), Reason> {
        nothing_paid(event)
    }
    fn make(self, _: event::Cancelled, _: &Stamp) -> FaceToFace<Cancelled> {
        self.enter(Cancelled {})
    }
}

/// A status in which the deposit is held and may go back, and what the policy keeps of it then.
pub trait Refundable {
    #[doc(hidden)]
    fn kept(policy: &crate::face_to_face::Policy) -> Kept;
}

impl Refundable for DepositPaid {
    fn kept(policy: &crate::face_to_face::Policy) -> Kept {
        policy.kept_before_acceptance
    }
}

impl Refundable for DepositAccepted {
    fn kept(policy: &crate::face_to_face::Policy) -> Kept {
        policy.kept_after_acceptance
    }
}

impl Refundable for Priced {
    fn kept(policy: &crate::face_to_face::Policy) -> Kept {
        policy.kept_after_acceptance
    }
}

impl<S: Refundable> FaceToFace<S> {
    // What a cancellation at this time keeps and gives back. Computed anew in replay and compared.
    pub(in crate::face_to_face) fn cancellation(&self, at: &Stamp) -> Result<event::Cancelled, Reason> {
        let terms = &self.facts().terms;
        let kept = terms.kept(S::kept(&terms.policy));
        let back = self.held().checked_sub(kept)?;
        let payer = terms.sides.known(crate::deal::Side::Buyer)?;
        let parts = self.facts().till.back(payer, back);
        let refund = Outgoing::plan(self.id().subject(), self.head.seq() + 1, at.at, parts);
        Ok(event::Cancelled { kept: Some(kept), refund })
    }
}

impl<S: Refundable> Takes<event::Cancelled> for FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    type Next = FaceToFace<CancelledWithDeposit>;
    fn check(&self, event: &event::Cancelled, step: &mut Effects<'_>) -> Result<(), Reason> {
        if *event != self.cancellation(step.stamp())? {
            return Err(Reason::Unlike { what: "what goes back to the buyer" });
        }
        let terms = &self.facts().terms;
        if let Some(kept) = event.kept.filter(|kept| kept.is_positive()) {
            step.pay(Account::Wallet(terms.platform.clone()), kept, Purpose::Fee)?;
        }
        event.refund.open(&terms.gateway, step)
    }
    fn make(self, event: event::Cancelled, _: &Stamp) -> FaceToFace<CancelledWithDeposit> {
        self.enter(CancelledWithDeposit { refund: event.refund })
    }
}

impl Takes<event::DepositRefunded> for FaceToFace<CancelledWithDeposit> {
    type Next = FaceToFace<DepositRefunded>;
    fn check(&self, _: &event::DepositRefunded, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.state.must_have_arrived()
    }
    fn make(self, _: event::DepositRefunded, _: &Stamp) -> FaceToFace<DepositRefunded> {
        let refund = self.state.refund.clone();
        self.enter(DepositRefunded { refund })
    }
}

impl<S: Payable> Takes<PayinOpened> for FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    type Next = Self;
    fn check(&self, _: &PayinOpened, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().till.is_free()
    }
    fn make(mut self, event: PayinOpened, _: &Stamp) -> Self {
        self.head.facts.till.open(event.payin);
        self
    }
}

impl<S: Payable> Takes<PayinClosed> for FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    type Next = Self;
    fn check(&self, event: &PayinClosed, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().till.awaits(event.payin)
    }
    fn make(mut self, _: PayinClosed, _: &Stamp) -> Self {
        self.head.facts.till.close();
        self
    }
}

impl Takes<event::DepositPaid> for FaceToFace<Joined> {
    type Next = FaceToFace<DepositPaid>;
    fn check(&self, event: &event::DepositPaid, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().till.may_take(&event.paid, self.facts().terms.deposit)?;
        step.count_in(event.paid.amount)
    }
    fn make(mut self, event: event::DepositPaid, _: &Stamp) -> FaceToFace<DepositPaid> {
        self.head.facts.till.take(event.paid);
        self.enter(DepositPaid { under_review: false })
    }
}

impl Takes<event::Reviewed> for FaceToFace<DepositPaid> {
    type Next = Self;
    fn make(mut self, event: event::Reviewed, _: &Stamp) -> Self {
        self.state.under_review = event.under_review;
        self
    }
}

impl FaceToFace<DepositPaid> {
    pub(in crate::face_to_face) fn reviewed(&self) -> Result<(), Reason> {
        if self.state.under_review { Err(Reason::Missing { what: "the end of the payment's review" }) } else { Ok(()) }
    }
}

impl Takes<event::DepositAccepted> for FaceToFace<DepositPaid> {
    type Next = FaceToFace<DepositAccepted>;
    fn check(&self, _: &event::DepositAccepted, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.reviewed()
    }
    fn make(self, _: event::DepositAccepted, _: &Stamp) -> FaceToFace<DepositAccepted> {
        self.enter(DepositAccepted {})
    }
}

impl Takes<event::Priced> for FaceToFace<DepositAccepted> {
    type Next = FaceToFace<Priced>;
    fn check(&self, event: &event::Priced, _: &mut Effects<'_>) -> Result<(), Reason> {
        let deposit = self.facts().terms.deposit;
        if event.price.checked_sub(deposit)?.is_positive() {
            Ok(())
        } else {
            Err(Reason::NotThisWay { instead: "name a price above the deposit, or `skip_remainder`" })
        }
    }
    fn make(mut self, event: event::Priced, _: &Stamp) -> FaceToFace<Priced> {
        self.head.facts.price = Some(event.price);
        self.enter(Priced { price: event.price })
    }
}

impl FaceToFace<Priced> {
    // The price less the deposit, in minor units.
    pub(in crate::face_to_face) fn remainder(&self) -> Result<Money, Reason> {
        Ok(self.state.price.checked_sub(self.facts().terms.deposit)?)
    }
}

impl Takes<event::RemainderPaid> for FaceToFace<Priced> {
    type Next = FaceToFace<RemainderPaid>;
    fn check(&self, event: &event::RemainderPaid, step: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().till.may_take(&event.paid, self.remainder()?)?;
        step.count_in(event.paid.amount)
    }
    fn make(mut self, event: event::RemainderPaid, at: &Stamp) -> FaceToFace<RemainderPaid> {
        self.head.facts.till.take(event.paid);
        self.head.deadline = Some(self.facts().terms.policy.handover.after(at.at));
        self.enter(RemainderPaid {})
    }
}

impl Takes<event::RemainderSkipped> for FaceToFace<DepositAccepted> {
    type Next = FaceToFace<RemainderSkipped>;
    fn make(mut self, _: event::RemainderSkipped, at: &Stamp) -> FaceToFace<RemainderSkipped> {
        self.head.deadline = Some(self.facts().terms.policy.handover.after(at.at));
        self.enter(RemainderSkipped {})
    }
}

impl Takes<event::RemainderSkipped> for FaceToFace<Priced> {
    type Next = FaceToFace<RemainderSkipped>;
    fn check(&self, _: &event::RemainderSkipped, _: &mut Effects<'_>) -> Result<(), Reason> {
        self.facts().till.is_free()
    }
    fn make(mut self, _: event::RemainderSkipped, at: &Stamp) -> FaceToFace<RemainderSkipped> {
        self.head.deadline = Some(self.facts().terms.policy.handover.after(at.at));
        self.enter(RemainderSkipped {})
    }
}

impl<S: Unpaid> Takes<event::PayoutSet> for FaceToFace<S>
where
    Self: Value<Any = AnyFaceToFace>,
{
    type Next = Self;
    fn make(mut self, event: event::PayoutSet, _: &Stamp) -> Self {
        self.head.facts.terms.payout = Some(event.to);
        self
    }
}
