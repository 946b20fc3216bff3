//! What can be done with a debt, status by status.

use super::{
    Action, AnyDebt, Covered, Debt, DebtId, Open, Paid, Refund, RefundConfirmed, Source, Terms, WrittenOff, event,
};
use crate::{
    lifecycle::{Reason, Refused, Transition, Value},
    money::Money,
    party::Stamp,
    payment::Route,
};

/// A status in which it is owed.
pub trait Owing {}
impl Owing for Open {}
impl Owing for Covered {}

/// Opens a debt: its amount goes to its cause, which counts it in the same unit.
///
/// # Errors
/// [`Reason`] when the amount is not above zero.
pub fn open(id: DebtId, terms: Terms, at: &Stamp) -> Result<Transition<Debt<Open>>, Reason> {
    Debt::opened(id, terms, at).map_err(|refused| refused.reason)
}

impl<S: Owing> Debt<S>
where
    Self: Value<Any = AnyDebt>,
{
    /// Pays some of it off, in minor units: less than remains.
    ///
    /// # Errors
    /// [`Refused`] when it is all that remains, or more, or a stranger asks. Saving it fails with
    /// [`Failure::Overdrawn`](crate::lifecycle::Failure::Overdrawn) when the debtor's wallet does not hold it.
    pub fn recover(self, amount: Money, from: Source, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Recovered { amount, from }, at)
    }

    /// Pays off all that remains.
    ///
    /// # Errors
    /// [`Refused`] when a stranger asks. Saving it fails as [`recover`](Self::recover) does.
    pub fn pay_off(self, from: Source, at: &Stamp) -> Result<Transition<Debt<Paid>>, Refused<Self>> {
        self.take(event::PaidOff { from }, at)
    }

    /// Gives it up: what remains is the platform's loss. What comes into the debtor's wallet afterwards pays nothing of it, but
    /// for the money it was for: see [`recoup`](Debt::recoup). What a loan brings to a lender is none of that, so wait while one
    /// is repaid.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks. Saving it fails with
    /// [`Failure::Overdrawn`](crate::lifecycle::Failure::Overdrawn) when the platform's wallet does not hold what remains
    /// of a debt that was not covered.
    pub fn write_off(self, at: &Stamp) -> Result<Transition<Debt<WrittenOff>>, Refused<Self>> {
        self.take(event::WrittenOff {}, at)
    }

    /// The debtor's wallet was empty.
    ///
    /// # Errors
    /// [`Refused`] when it is not due.
    pub fn defer(self, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Deferred {}, at)
    }
}

impl Debt<Open> {
    /// The platform sets its own money aside for all that remains.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks. Saving it fails with
    /// [`Failure::Overdrawn`](crate::lifecycle::Failure::Overdrawn) when the platform's wallet does not hold it.
    pub fn cover(self, at: &Stamp) -> Result<Transition<Debt<Covered>>, Refused<Self>> {
        self.take(event::Covered {}, at)
    }
}

impl Debt<WrittenOff> {
    /// The debtor got the money here after all, by a refund into its wallet: so much of what was written off comes out of that
    /// again, into the platform's wallet. In minor units. [`Escrow`](crate::escrow::Escrow) does so in the write that brings the
    /// refund, where it is of the payin whose chargeback the debt is for.
    ///
    /// # Errors
    /// [`Refused`] when the refund is another's, went elsewhere or was counted before, it is more than was written off or came,
    /// or somebody asks: it happens by itself. Saving it fails with
    /// [`Failure::Overdrawn`](crate::lifecycle::Failure::Overdrawn) when the debtor's wallet does not hold it.
    pub fn recoup(
        self,
        amount: Money,
        of: &Refund<RefundConfirmed>,
        at: &Stamp,
    ) -> Result<Transition<AnyDebt>, Refused<Self>> {
        let event = self.may_recoup(of).map(|()| event::Recouped { amount, refund: of.id(), came: of.facts().amount });
        self.take_if(event, at)
    }

    fn may_recoup(&self, of: &Refund<RefundConfirmed>) -> Result<(), Reason> {
        let (own, refund) = (&self.facts().terms, of.facts());
        if refund.about != own.about {
            Err(Reason::WrongSubject { expected: own.about, found: refund.about })
        } else if refund.payer != own.debtor || refund.route != Route::Wallet {
            Err(Reason::Missing { what: "a refund into the debtor's wallet" })
        } else {
            Ok(())
        }
    }
}

impl AnyDebt {
    // What the table cannot say about an action being possible now.
    pub(super) fn ready(&self, action: Action, _: &Stamp) -> Result<(), Reason> {
        match action {
            Action::Recover if self.facts().remains().minor() < 2 => {
                Err(Reason::TooMuch { asked: self.facts().remains(), available: self.facts().remains() })
            }
            Action::Recover | Action::PayOff | Action::Cover | Action::WriteOff | Action::Recoup | Action::Defer => {
                Ok(())
            }
        }
    }

    /// Whether something of it is still owed.
    #[must_use]
    pub const fn is_owed(&self) -> bool {
        match self {
            Self::Open(_) | Self::Covered(_) => true,
            Self::Paid(_) | Self::WrittenOff(_) => false,
        }
    }

    // Pays off as much as there is, in minor units, above zero.
    pub(crate) fn pay(self, amount: Money, from: Source, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let all = amount.minor() >= self.facts().remains().minor();
        match self {
            Self::Open(debt) if all => any(debt.pay_off(from, at)),
            Self::Open(debt) => any(debt.recover(amount, from, at)),
            Self::Covered(debt) if all => any(debt.pay_off(from, at)),
            Self::Covered(debt) => any(debt.recover(amount, from, at)),
            over @ (Self::Paid(_) | Self::WrittenOff(_)) => Err(Refused::wrong_status(over, Action::PayOff as usize)),
        }
    }
}

fn any<T, V>(taken: Result<Transition<T>, Refused<V>>) -> Result<Transition<AnyDebt>, Refused<AnyDebt>>
where
    T: Value<Any = AnyDebt>,
    V: Value<Any = AnyDebt>,
{
    taken.map(Transition::widen).map_err(|refused| refused.map(Value::widen))
}
