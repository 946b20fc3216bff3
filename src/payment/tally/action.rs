//! What can be done with the count of a payer's low values.

use super::{Action, AnyTally, Counting, Tally, TallyId, Terms, event};
use crate::{
    ledger::GatewayName,
    lifecycle::{Reason, Refused, Transition, note},
    money::Money,
    party::{PartyId, Stamp},
    payment::{Payin, PayinId, payin},
    sca::{Exemption, LowValue, NotExempt},
    store::Commit,
    time::Timestamp,
};
use serde::Serialize;
use uuid::Uuid;

/// A payin whose payer has passed a challenge, as evidence.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Passed<'e> {
    /// Its amount is reserved.
    Authorized(&'e Payin<payin::Authorized>),
    /// Its money is there.
    Confirmed(&'e Payin<payin::Confirmed>),
}

/// The id of the count of this payer's low values through this gateway.
#[must_use]
pub fn id_of(payer: &PartyId, gateway: &GatewayName) -> TallyId {
    let name = format!("escrowed tally\n{}\n{payer}", gateway.as_str());
    TallyId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
}

impl Passed<'_> {
    fn payin(&self) -> (PayinId, &payin::Terms, Option<Timestamp>) {
        match self {
            Self::Authorized(payin) => (payin.id(), payin.facts(), payin.history().by_key(payin::Status::Created)),
            Self::Confirmed(payin) => (payin.id(), payin.facts(), payin.history().by_key(payin::Status::Created)),
        }
    }

    /// Whether the payer has passed a challenge at all.
    #[must_use]
    pub fn authenticated(&self) -> bool {
        match self {
            Self::Authorized(payin) => payin.is_authenticated(),
            Self::Confirmed(payin) => payin.is_authenticated(),
        }
    }

    /// The count that it resets.
    #[must_use]
    pub fn tally(&self) -> TallyId {
        let (_, terms, _) = self.payin();
        id_of(&terms.payer, &terms.gateway)
    }
}

impl Tally<Counting> {
    /// Begins to count. Its id follows from its terms.
    ///
    /// # Errors
    /// [`Refused`] never, but every lifecycle's opening may be.
    pub fn open(terms: Terms, at: &Stamp) -> Result<Transition<Self>, Refused<Terms>> {
        Self::opened(id_of(&terms.payer, &terms.gateway), terms, at)
    }

    /// Counts a payin. [`Need::LowValue`](payin::Need::LowValue) does so in the write that opens it. In minor units.
    ///
    /// # Errors
    /// [`Refused`] when it is beyond the limits.
    pub fn count(
        self,
        payin: PayinId,
        amount: Money,
        limits: LowValue,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Self>> {
        self.take(event::Counted { payin, amount, limits }, at)
    }

    /// The payer has passed a challenge: what was opened before that payin counts no more, nor does that payin.
    ///
    /// # Errors
    /// [`Refused`] when the payer has not, or it is another payer or gateway.
    pub fn reset(self, passed: Passed<'_>, at: &Stamp) -> Result<Transition<Self>, Refused<Self>> {
        let event = self.reset_by(passed);
        self.take_if(event, at)
    }

    /// How much is counted, in minor units.
    #[must_use]
    pub fn total(&self) -> Money {
        let minor = self.state.lows.iter().map(|low| low.amount.minor()).sum();
        Money::from_minor(minor, self.facts().currency)
    }

    /// How many are counted.
    #[must_use]
    pub fn number(&self) -> u32 {
        u32::try_from(self.state.lows.len()).unwrap_or(u32::MAX)
    }

    /// Whether a challenge would clear any of what is counted.
    #[must_use]
    pub fn is_reset_by(&self, passed: Passed<'_>) -> bool {
        self.reset_by(passed).is_ok_and(|event| self.state.lows.iter().any(|low| !event.leaves(low)))
    }

    // What has to be written to count a payin, and the exemption with what was counted.
    pub(crate) fn counted(
        &self,
        payin: PayinId,
        terms: &payin::Terms,
        limits: LowValue,
        at: &Stamp,
    ) -> Result<(Exemption, Commit), Reason> {
        let known = self.facts();
        if known.payer != terms.payer || known.gateway != terms.gateway {
            return Err(NotExempt::Other { earlier: self.id().subject(), what: "payer or gateway" }.into());
        }
        let (amount, number) = (terms.amount, self.number());
        let total = limits.fits(amount, number, self.total())?;
        let counted = note(self, event::Counted { payin, amount, limits }, at)?;
        Ok((Exemption::LowValue { number: number.saturating_add(1), total, limits }, counted))
    }

    fn reset_by(&self, passed: Passed<'_>) -> Result<event::Reset, Reason> {
        let (payin, terms, opened) = passed.payin();
        if !passed.authenticated() {
            return Err(NotExempt::NoChallenge(payin.subject()).into());
        }
        if passed.tally() != self.id() {
            let (expected, found) = (self.id().subject(), id_of(&terms.payer, &terms.gateway).subject());
            return Err(Reason::WrongSubject { expected, found });
        }
        let opened = opened.ok_or(Reason::Missing { what: "the time at which the payin was opened" })?;
        Ok(event::Reset { payin, opened })
    }
}

impl AnyTally {
    // The table says it all.
    #[allow(clippy::unused_self, reason = "the macro calls it on a value")]
    pub(super) const fn ready(&self, _: Action, _: &Stamp) -> Result<(), Reason> {
        Ok(())
    }
}
