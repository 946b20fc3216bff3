//! What can be done with a refund, status by status.

use super::{
    Action, AnyRefund, Cancelled, Confirmed, Consent, Created, Denied, Refund, RefundId, Replaced, Returned, Route,
    Sendable, Terms, event,
};
use crate::{
    lifecycle::{Reason, Refused, Transition, Value},
    money::Money,
    party::Stamp,
    payment::{
        ChargebackId,
        chargeback::{self, Chargeback},
    },
    text::Prose,
};

/// Opens a refund for money that is booked to it in the same unit. Into a wallet it is confirmed in the same breath.
///
/// Without that money nothing comes of it: the store refuses to pay out what the account does not hold.
///
/// # Errors
/// [`Reason`] when the amount is not above zero.
pub fn open(id: RefundId, terms: Terms, at: &Stamp) -> Result<Transition<AnyRefund>, Reason> {
    let settles_at_once = terms.route == Route::Wallet && terms.consent == Consent::NotNeeded;
    let amount = terms.amount;
    let opened = Refund::opened(id, terms, at).map_err(|refused| refused.reason)?;
    if settles_at_once {
        let confirmed = opened.then(|refund| refund.confirm(amount, &Stamp::gateway(at.at)));
        confirmed.map(Transition::widen).map_err(|refused| refused.reason)
    } else {
        Ok(opened.widen())
    }
}

impl Refund<Created> {
    /// Approves it: it is sent. Into a wallet it takes a [`confirm`](Self::confirm) in the same breath.
    ///
    /// # Errors
    /// [`Refused`] when it needs no approval, or has it; or when its payer has charged the payment back and owes it
    /// ([`Reason::ChargedBack`]): replace it by one into the payer's wallet.
    pub fn approve(self, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Approved {}, at)
    }

    /// The payer has the money. `moved` in minor units.
    ///
    /// # Errors
    /// [`Refused`] when another amount moved than was asked, or it was not approved.
    pub fn confirm(self, moved: Money, at: &Stamp) -> Result<Transition<Refund<Confirmed>>, Refused<Self>> {
        self.take(event::Confirmed { moved }, at)
    }

    /// The gateway declined.
    ///
    /// # Errors
    /// [`Refused`] when it was not sent.
    pub fn deny(self, reason: Prose, at: &Stamp) -> Result<Transition<Refund<Denied>>, Refused<Self>> {
        self.take(event::Denied { reason }, at)
    }

    /// Calls it off. Its money returns to where it came from, which has to count it in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when it was not opened by hand, or was approved.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<Refund<Cancelled>>, Refused<Self>> {
        self.take(event::Cancelled {}, at)
    }

    /// Passes its money on to a new refund by another route, in place of an approval. The new one is sent at once.
    ///
    /// # Errors
    /// [`Refused`] when it needs no approval, or has it: it may have been sent; when the route is the one that it has
    /// ([`Reason::SameRoute`]); or when its payer has charged the payment back and owes it ([`Reason::ChargedBack`]), and the
    /// route is not the payer's wallet.
    pub fn replace(self, route: Route, at: &Stamp) -> Result<Transition<Refund<Replaced>>, Refused<Self>> {
        let by = self.next(at);
        self.take(event::Replaced { by, route }, at)
    }

    // Approves it, and confirms it in the same breath where no gateway is needed.
    pub(super) fn approve_and_settle(self, at: &Stamp) -> Result<Transition<AnyRefund>, Refused<Self>> {
        let (amount, to_wallet) = (self.facts().amount, self.facts().route == Route::Wallet);
        let approved = self.approve(at)?;
        if to_wallet {
            let confirmed = approved.then(|refund| refund.confirm(amount, &Stamp::gateway(at.at)));
            Ok(confirmed.expect("an approved refund into a wallet is confirmed as it was asked").widen())
        } else {
            Ok(approved.widen())
        }
    }
}

impl Refund<Confirmed> {
    /// The bank sent the money back: it holds it again. `moved` in minor units, which may be less than was refunded where the
    /// bank keeps a charge.
    ///
    /// # Errors
    /// [`Refused`] when more came back than was refunded, or nothing, or it went into a wallet.
    pub fn come_back(
        self,
        moved: Money,
        reason: Prose,
        at: &Stamp,
    ) -> Result<Transition<Refund<Returned>>, Refused<Self>> {
        self.take(event::CameBack { moved, reason }, at)
    }
}

impl Refund<Denied> {
    /// Passes its money on to a new refund, by another route or once more by the same.
    ///
    /// # Errors
    /// [`Refused`] when that was done before; or when its payer has charged the payment back and owes it
    /// ([`Reason::ChargedBack`]), and the route is not the payer's wallet.
    pub fn replace(self, route: Route, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let by = self.next(at);
        self.take(event::Replaced { by, route }, at)
    }
}

impl Refund<Returned> {
    /// Passes its money on to a new refund: to another account of the payer's, or into the payer's wallet.
    ///
    /// # Errors
    /// [`Refused`] when its money went on before; or when its payer has charged the payment back and owes it
    /// ([`Reason::ChargedBack`]), and the route is not the payer's wallet.
    pub fn replace(self, route: Route, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let by = self.next(at);
        self.take(event::Replaced { by, route }, at)
    }
}

impl<S: Sendable> Refund<S>
where
    Self: Value<Any = AnyRefund>,
{
    /// The payment that it refunds was charged back, and its payer came to owe that.
    ///
    /// # Errors
    /// [`Refused`] when the chargeback is of another payin, its payer owes nothing for it, or it was noted before.
    pub fn note_charged_back(
        self,
        chargeback: &Chargeback<chargeback::Open>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        let event = match chargeback.facts().owed_by_payer().next() {
            Some(_) => {
                self.of_its_payin(chargeback.facts()).map(|()| event::ChargedBack { chargeback: chargeback.id() })
            }
            None => Err(Reason::Missing { what: "something that the payer owes for the chargeback" }),
        };
        self.take_if(event, at)
    }

    /// The dispute was won: its payer owes nothing for it any more.
    ///
    /// # Errors
    /// [`Refused`] when it was not noted before.
    pub fn note_won_back(
        self,
        chargeback: &Chargeback<chargeback::Won>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::WonBack { chargeback: chargeback.id() }, at)
    }

    fn of_its_payin(&self, chargeback: &chargeback::Terms) -> Result<(), Reason> {
        let (expected, found) = (self.facts().payin.subject(), chargeback.payin.subject());
        if expected == found { Ok(()) } else { Err(Reason::WrongSubject { expected, found }) }
    }
}

impl AnyRefund {
    /// Whether its money may still be sent, or may come back and be sent again: then it matters which way.
    pub(crate) fn may_be_sent(&self) -> bool {
        match self {
            Self::Created(refund) => refund.facts().route != Route::Wallet,
            Self::Confirmed(refund) => refund.facts().route != Route::Wallet,
            Self::Denied(refund) => refund.state().went().is_none(),
            Self::Returned(refund) => refund.state().went().is_none(),
            Self::Cancelled(_) | Self::Replaced(_) => false,
        }
    }

    /// The chargebacks of its payin for which its payer owes something.
    pub(crate) fn owed_for(&self) -> &[ChargebackId] {
        match self {
            Self::Created(refund) => refund.state().owed_for(),
            Self::Confirmed(refund) => refund.state().owed_for(),
            Self::Denied(refund) => refund.state().owed_for(),
            Self::Returned(refund) => refund.state().owed_for(),
            Self::Cancelled(_) | Self::Replaced(_) => &[],
        }
    }

    /// The refund that its money went on to, and by which route; none where it did not.
    #[must_use]
    pub const fn went(&self) -> Option<&(RefundId, Route)> {
        match self {
            Self::Denied(refund) => refund.state.went(),
            Self::Returned(refund) => refund.state.went(),
            Self::Replaced(refund) => Some(refund.state.went()),
            Self::Created(_) | Self::Confirmed(_) | Self::Cancelled(_) => None,
        }
    }

    // What the table cannot say about an action being possible now.
    pub(super) fn ready(&self, action: Action, _: &Stamp) -> Result<(), Reason> {
        match (self, action) {
            (Self::Created(refund), action) => refund.ready(action),
            (Self::Confirmed(refund), Action::ComeBack) => refund.through_gateway(),
            (Self::Denied(refund), Action::Replace) => refund.not_replaced(),
            (Self::Returned(refund), Action::Replace) => refund.not_replaced(),
            (
                Self::Confirmed(_) | Self::Denied(_) | Self::Returned(_) | Self::Cancelled(_) | Self::Replaced(_),
                Action::Approve
                | Action::Confirm
                | Action::Deny
                | Action::ComeBack
                | Action::Replace
                | Action::Cancel
                | Action::NoteChargedBack
                | Action::NoteWonBack,
            ) => Ok(()),
        }
    }
}
