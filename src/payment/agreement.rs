//! What a lifecycle that people agree on has to tell and to learn about its payments.

use super::{After, News, Payin, PayinId, Payout, Refund, Stake, payin, payout, refund};
use crate::{
    id::Subject,
    lifecycle::{Lifecycle, Refused, Transition, Value},
    party::Stamp,
};
use serde::Serialize;

/// What became of a payment, as evidence: a value of the status that proves it.
#[derive(Debug, Serialize)]
pub enum Evidence<'e> {
    /// A payin is confirmed: its money is there.
    PayinConfirmed(&'e Payin<payin::Confirmed>),
    /// A payin failed, for a reason.
    PayinDenied(&'e Payin<payin::Denied>),
    /// A payin was called off or ran out of time.
    PayinCancelled(&'e Payin<payin::Cancelled>),
    /// A payout reached its payee.
    PayoutConfirmed(&'e Payout<payout::Confirmed>),
    /// A payout failed, for a reason. It still holds the money.
    PayoutDenied(&'e Payout<payout::Denied>),
    /// A denied payout passed its money to another payout.
    PayoutReplaced(&'e Payout<payout::Denied>),
    /// A denied payout gave its money back.
    PayoutGivenBack(&'e Payout<payout::Denied>),
    /// A payout was called off before the gateway was asked, and gave its money back.
    PayoutCancelled(&'e Payout<payout::Cancelled>),
    /// A refund reached the payer.
    RefundConfirmed(&'e Refund<refund::Confirmed>),
    /// A refund failed, for a reason. It still holds the money.
    RefundDenied(&'e Refund<refund::Denied>),
    /// A denied refund passed its money to another refund.
    RefundReplaced(&'e Refund<refund::Denied>),
    /// A refund that waited for approval passed its money to another refund instead.
    RefundRedirected(&'e Refund<refund::Replaced>),
    /// A refund that was opened by hand was called off, and gave its money back.
    RefundCancelled(&'e Refund<refund::Cancelled>),
    /// What happened to money that had left for good. It is noted, and changes no status. Of refunds, what opened them is told:
    /// one of a payin that nobody waited for is nobody's business but the payer's.
    After(After<'e>),
}

impl Evidence<'_> {
    /// What it says of a payout or refund; none when it is about a payin.
    #[must_use]
    pub fn of_outgoing(&self) -> Option<(Subject, News)> {
        match self {
            Self::PayinConfirmed(_) | Self::PayinDenied(_) | Self::PayinCancelled(_) | Self::After(_) => None,
            Self::PayoutConfirmed(payout) => Some((payout.id().subject(), News::Confirmed)),
            Self::PayoutDenied(payout) | Self::PayoutReplaced(payout) | Self::PayoutGivenBack(payout) => {
                Some((payout.id().subject(), News::of_denied_payout(payout)))
            }
            Self::PayoutCancelled(payout) => Some((payout.id().subject(), News::Returned)),
            Self::RefundConfirmed(refund) => Some((refund.id().subject(), News::Confirmed)),
            Self::RefundDenied(refund) | Self::RefundReplaced(refund) => {
                Some((refund.id().subject(), News::of_denied_refund(refund)))
            }
            Self::RefundRedirected(refund) => Some((refund.id().subject(), News::of_redirected_refund(refund))),
            Self::RefundCancelled(refund) => Some((refund.id().subject(), News::Returned)),
        }
    }
}

/// What a piece of evidence, or the passing of time, means for a value.
#[derive(Debug)]
pub enum Learned<L> {
    /// A step, which has to be saved in the same unit as the payment's.
    Step(Transition<L>),
    /// Nothing: it stays as it is.
    Nothing(L),
}

impl<L: Agreement> Learned<L> {
    /// A step of a value of one status, taken or refused, as one of the enum of all.
    ///
    /// # Errors
    /// [`Refused`] when the step was.
    pub fn step<T, V>(taken: Result<Transition<T>, Refused<V>>) -> Result<Self, Refused<L>>
    where
        T: Value<Any = L>,
        V: Value<Any = L>,
    {
        match taken {
            Ok(transition) => Ok(Self::Step(transition.widen())),
            Err(refused) => Err(refused.map(Value::widen)),
        }
    }
}

/// A lifecycle that payments belong to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` says nothing of payments, so an `Escrow` cannot serve it",
    note = "implement `Agreement` for it: one that opens no payments wants none and learns nothing"
)]
pub trait Agreement: Lifecycle {
    /// Whether it waits for this payin's money. A confirmed payin that nobody waits for opens its own refund.
    fn wants(&self, payin: PayinId) -> bool;

    /// Takes a payment's result to its knowledge.
    ///
    /// # Errors
    /// [`Refused`] when the evidence is not its own, or comes in a status that does not allow for it. The payment's
    /// step must not be saved then either.
    fn learn(self, evidence: &Evidence<'_>, at: &Stamp) -> Result<Learned<Self>, Refused<Self>>;

    /// What it holds and whom it has paid, should a payin of it be charged back; `None` where it does not say: then the
    /// payer owes what the card network took, and what is held stays. What refunds of the payin have, their own logs say. One
    /// that says so gives what it holds when it learns of [`After::ChargedBack`], and takes it back by [`After::ChargebackWon`].
    fn stake(&self) -> Option<Stake> {
        None
    }

    /// What follows by itself, in the same unit, without anybody's doing: asked until nothing does.
    ///
    /// # Errors
    /// [`Refused`] when what has to follow is not possible.
    fn onward(self, _at: &Stamp) -> Result<Learned<Self>, Refused<Self>> {
        Ok(Learned::Nothing(self))
    }

    /// A payin under way that it wants no longer. It is called off in the same unit, where that is still possible.
    fn abandoned(&self) -> Option<PayinId> {
        None
    }

    /// What the clock does to it now that its deadline has passed.
    ///
    /// # Errors
    /// [`Refused`] when the clock may do nothing.
    fn due(self, _at: &Stamp) -> Result<Learned<Self>, Refused<Self>> {
        Ok(Learned::Nothing(self))
    }
}
