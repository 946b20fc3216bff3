//! What can be done with a payout, status by status.

use super::{
    Action, AnyPayout, Cancelled, Confirmed, Created, Denied, Destination, Held, Payout, PayoutId, Returned, Terms,
    event,
};
use crate::{
    lifecycle::{Reason, Refused, Transition},
    money::Money,
    party::Stamp,
    text::Prose,
};

/// Opens a payout for money that is booked to it in the same unit. Into a wallet it is confirmed in the same breath.
///
/// Without that money nothing comes of it: the store refuses to pay out what the account does not hold.
///
/// # Errors
/// [`Reason`] when the amount is not above zero.
pub fn open(id: PayoutId, terms: Terms, at: &Stamp) -> Result<Transition<AnyPayout>, Reason> {
    let (amount, settles_at_once) = (terms.amount, terms.to == Destination::Wallet);
    let opened = Payout::opened(id, terms, at).map_err(|refused| refused.reason)?;
    if settles_at_once {
        let confirmed = opened.then(|payout| payout.confirm(amount, &Stamp::gateway(at.at)));
        confirmed.map(Transition::widen).map_err(|refused| refused.reason)
    } else {
        Ok(opened.widen())
    }
}

impl Payout<Created> {
    /// The payee has the money. `moved` in minor units.
    ///
    /// # Errors
    /// [`Refused`] when another amount moved than was asked.
    pub fn confirm(self, moved: Money, at: &Stamp) -> Result<Transition<Payout<Confirmed>>, Refused<Self>> {
        self.take(event::Confirmed { moved }, at)
    }

    /// The gateway declined.
    ///
    /// # Errors
    /// [`Refused`] when it goes into a wallet, which no gateway can decline.
    pub fn deny(self, reason: Prose, at: &Stamp) -> Result<Transition<Payout<Denied>>, Refused<Self>> {
        self.take(event::Denied { reason }, at)
    }

    /// Its payee may not be paid yet. What has to be done about the call is up to whoever has it: the crate's worker.
    ///
    /// # Errors
    /// [`Refused`] when it goes into a wallet, or a person asks.
    pub fn hold(self, reason: Prose, at: &Stamp) -> Result<Transition<Payout<Held>>, Refused<Self>> {
        self.take(event::Held { reason }, at)
    }

    /// Calls it off. Its money returns to where it came from, which has to count it in the same unit. Saving it fails
    /// with [`Failure::Sent`](crate::lifecycle::Failure::Sent) when the gateway has been asked meanwhile.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<Payout<Cancelled>>, Refused<Self>> {
        self.take(event::Cancelled {}, at)
    }
}

impl Payout<Held> {
    /// It is held for another reason now.
    ///
    /// # Errors
    /// [`Refused`] when that is no other reason, or a person asks.
    pub fn hold(self, reason: Prose, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Held { reason }, at)
    }

    /// Its payee may be paid now.
    ///
    /// # Errors
    /// [`Refused`] when a person asks.
    pub fn let_go(self, at: &Stamp) -> Result<Transition<Payout<Created>>, Refused<Self>> {
        self.take(event::LetGo {}, at)
    }

    /// Its payee will never be allowed: the gateway is not asked any more. It still holds the money, and leads on as
    /// every denied payout does. Saving it fails with [`Failure::Sent`](crate::lifecycle::Failure::Sent) when it may have
    /// been sent before it was held: see [`kyc`](crate::escrow::kyc).
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks.
    pub fn deny(self, reason: Prose, at: &Stamp) -> Result<Transition<Payout<Denied>>, Refused<Self>> {
        self.take(event::Denied { reason }, at)
    }

    /// Calls it off, as [one that waits to be sent](Payout::<Created>::cancel).
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks.
    pub fn cancel(self, at: &Stamp) -> Result<Transition<Payout<Cancelled>>, Refused<Self>> {
        self.take(event::Cancelled {}, at)
    }
}

impl Payout<Confirmed> {
    /// The bank sent the money back: it holds it again. `moved` in minor units, which may be less than was paid where the bank
    /// keeps a charge.
    ///
    /// # Errors
    /// [`Refused`] when more came back than was paid, or nothing, or it went into a wallet.
    pub fn come_back(
        self,
        moved: Money,
        reason: Prose,
        at: &Stamp,
    ) -> Result<Transition<Payout<Returned>>, Refused<Self>> {
        self.take(event::CameBack { moved, reason }, at)
    }
}

impl Payout<Returned> {
    /// Passes its money on to a new payout: to another account of the payee's, or into the payee's wallet.
    ///
    /// # Errors
    /// [`Refused`] when its money went on before.
    pub fn replace(self, to: Destination, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let by = PayoutId::derived(self.id().subject(), self.head.seq() + 1, 0, at.at);
        self.take(event::Replaced { by, to }, at)
    }
}

impl Payout<Denied> {
    /// Passes its money on to a new payout with another destination.
    ///
    /// # Errors
    /// [`Refused`] when its money went on or back before, or its payee asks for what the platform denied for good.
    pub fn replace(self, to: Destination, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let by = PayoutId::derived(self.id().subject(), self.head.seq() + 1, 0, at.at);
        self.take(event::Replaced { by, to }, at)
    }

    /// Returns its money to where it came from, which has to count it in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when its money went on or back before, or it sends money again that came back.
    pub fn give_back(self, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::GivenBack {}, at)
    }
}

impl AnyPayout {
    // What the table cannot say about an action being possible now.
    pub(super) fn ready(&self, action: Action, at: &Stamp) -> Result<(), Reason> {
        match self {
            Self::Created(payout) if matches!(action, Action::Deny | Action::Hold) => payout.through_gateway(),
            Self::Created(payout) if action == Action::Cancel => payout.may_return(),
            Self::Held(payout) if action == Action::Cancel => payout.may_return(),
            Self::Confirmed(payout) => payout.through_gateway(),
            Self::Denied(payout) if action == Action::GiveBack => {
                payout.may_return().and_then(|()| payout.still_holds())
            }
            Self::Denied(payout) if action == Action::Replace => payout.may_go_on(&at.by),
            Self::Denied(payout) => payout.still_holds(),
            Self::Returned(payout) => payout.not_replaced(),
            Self::Created(_) | Self::Held(_) | Self::Cancelled(_) => Ok(()),
        }
    }
}
