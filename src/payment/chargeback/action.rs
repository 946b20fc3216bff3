//! What can be done with a chargeback, status by status.

use super::{
    Accepted, Action, AnyChargeback, Back, Chargeback, ChargebackId, Lost, Open, Terms, Undecided, Won, event,
};
use crate::{
    lifecycle::{Reason, Refused, Transition, Value},
    party::Stamp,
};

/// Opens a chargeback: the money is taken. What it was of, and the debts, give their parts in the same unit, before it.
///
/// # Errors
/// [`Reason`] when the parts do not add up to what was taken.
pub fn open(id: ChargebackId, terms: Terms, at: &Stamp) -> Result<Transition<Chargeback<Open>>, Reason> {
    Chargeback::opened(id, terms, at).map_err(|refused| refused.reason)
}

impl<S: Undecided> Chargeback<S>
where
    Self: Value<Any = AnyChargeback>,
{
    /// The money came back: each share has its own. What it was of, and the debts, count theirs in the same unit.
    ///
    /// # Errors
    /// [`Refused`] when what each has back is not what it gave.
    pub fn win(self, back: Vec<Back>, at: &Stamp) -> Result<Transition<Chargeback<Won>>, Refused<Self>> {
        self.take(event::Won { back }, at)
    }

    /// The money will not come back.
    ///
    /// # Errors
    /// [`Refused`] when a person asks.
    pub fn lose(self, at: &Stamp) -> Result<Transition<Chargeback<Lost>>, Refused<Self>> {
        self.take(event::Lost {}, at)
    }
}

impl Chargeback<Open> {
    /// The platform does not fight it.
    ///
    /// # Errors
    /// [`Refused`] when somebody else than the platform asks.
    pub fn accept(self, at: &Stamp) -> Result<Transition<Chargeback<Accepted>>, Refused<Self>> {
        self.take(event::Accepted {}, at)
    }
}

impl AnyChargeback {
    // What the table cannot say about an action being possible now: nothing.
    pub(super) const fn ready(&self, _: Action, _: &Stamp) -> Result<(), Reason> {
        Ok(())
    }
}
