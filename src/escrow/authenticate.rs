//! What a payin needs of its payer: the evidence is loaded, the low values are counted.

use super::{Clock, Escrow, EscrowError, gather::Gathering};
use crate::{
    gateway::Gateway,
    lifecycle::{Transition, Value},
    money::{Currency, Percent},
    party::{PartyId, Stamp},
    payment::{
        AnyPayin, AnyTally, Payin, PayinId, Tally,
        payin::{self, Confirmed, Need},
        tally::{self, Counting, Passed},
    },
    sca::{Limits, NotExempt},
    store::{Store, UnitOfWork},
};
use serde::{Deserialize, Serialize};

/// What a payin that an act opens needs of its payer before its money may be taken: a challenge, or an exemption by name. The
/// escrow loads the evidence, checks the limits, and counts low values in the same write.
///
/// ```
/// use escrowed::escrow::{Escrow, EscrowError, Needs};
/// use escrowed::{lifecycle::Reason, memory::Memory, order, party::Actor, payment::Method, sandbox::Sandbox, store::Store};
/// # futures_lite::future::block_on(async {
/// let escrow = Escrow::new(Memory::new(), Sandbox::new(7));
/// let (anna, ops) = (Actor::Party("anna".parse()?), Actor::platform("ops".parse()?));
/// let mut exempt = 0;
/// for _ in 0..6 {
///     let mut terms = order::Terms::new("A song".parse()?, "19.90 EUR".parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
///     terms.buyer = Some("anna".parse()?);
///     let mut unit = escrow.store().begin().await?;
///     let id = escrow.open_order(&mut unit, terms, ops.clone()).await?.id();
///     escrow.act(&mut unit, id, order::Command::IdentifyBuyer { buyer: "anna".parse()? }, anna.clone()).await?;
///
///     let low = anna.clone().needing(Needs::LowValue, "sam".parse()?);
///     match escrow.act(&mut unit, id, order::Command::Pay { by: Method::Card }, low).await {
///         Ok(_) => exempt += 1,
///         Err(EscrowError::Refused(Reason::NotExempt(_))) => {
///             let challenge = anna.clone().needing(Needs::Challenge, "sam".parse()?);
///             escrow.act(&mut unit, id, order::Command::Pay { by: Method::Card }, challenge).await?;
///         }
///         Err(other) => return Err(other.into()),
///     }
///     escrow.store().commit(unit).await?;
/// }
/// assert_eq!(exempt, 5);                          // the sixth needs a challenge, which clears the count once it is passed
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// Two acts of one payer at the same moment count one after the other: the second one is
/// [`Stale`](EscrowError::Stale) and decided anew in a fresh unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Needs {
    /// A challenge.
    Challenge,
    /// Nothing, for its low value (RTS, article 16).
    LowValue,
    /// Nothing, for the payer trusts the payee (RTS, article 13).
    TrustedBeneficiary {
        /// An earlier payin of the payer to that payee, with a challenge.
        listed: PayinId,
    },
    /// Nothing, for the payer pays the same again to the same payee (RTS, article 14).
    Recurring {
        /// The payin of the series that the payer has passed a challenge for.
        first: PayinId,
    },
    /// Nothing, for its risk is low (RTS, article 18).
    TransactionRisk {
        /// The rate of fraud of the host or its gateway.
        fraud: Percent,
    },
    /// Nothing, for the payee takes what the payer has agreed to. Not for the payer to say.
    MerchantInitiated {
        /// The payin at which the payer has agreed, with a challenge.
        mandate: PayinId,
    },
    /// Nothing, for a company pays by a process that only companies can use (RTS, article 17).
    Corporate,
}

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Exempts payins by these limits in their currency, too. Those of the RTS in euro are there from the start; given
    /// again, a currency's limits are replaced.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits.retain(|known| known.currency() != limits.currency());
        self.limits.push(limits);
        self
    }

    /// Makes the payin that a step opens ask for what is needed.
    pub(super) async fn authenticate<T: Value, U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        taken: Transition<T>,
        needing: Option<(Needs, PartyId)>,
        at: &Stamp,
    ) -> Result<Transition<T>, Fails<U>> {
        let Some((needs, payee)) = needing else { return Ok(taken) };
        let terms = payin::opened_by(&taken)?.terms;
        let (tally, earlier);
        let need = match needs {
            Needs::Challenge => Need::Challenge,
            Needs::LowValue => {
                let limits = self.limits_in(terms.amount.currency())?;
                tally = self.tally(gathered, &terms, at).await?;
                Need::LowValue { tally: &tally, limits }
            }
            Needs::TrustedBeneficiary { listed } => {
                earlier = confirmed(gathered, listed).await?;
                Need::TrustedBeneficiary { listed: &earlier }
            }
            Needs::Recurring { first } => {
                earlier = confirmed(gathered, first).await?;
                Need::Recurring { first: &earlier }
            }
            Needs::TransactionRisk { fraud } => {
                Need::TransactionRisk { fraud, limits: self.limits_in(terms.amount.currency())? }
            }
            Needs::MerchantInitiated { mandate } => {
                earlier = confirmed(gathered, mandate).await?;
                Need::MerchantInitiated { mandate: &earlier }
            }
            Needs::Corporate => Need::Corporate,
        };
        Ok(payin::needing(taken, payee, need)?)
    }

    /// The payer has passed a challenge: what was exempt before it counts no more.
    pub(super) async fn reset_tally<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        passed: Passed<'_>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        if !passed.authenticated() {
            return Ok(());
        }
        match gathered.load(passed.tally()).await {
            Ok(AnyTally::Counting(tally)) if tally.is_reset_by(passed) => {
                gathered.take(tally.reset(passed, at)?)?;
                Ok(())
            }
            // Nothing was ever counted, or nothing of it counts still.
            Ok(AnyTally::Counting(_)) | Err(EscrowError::Unknown(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    // What the payer of a payin has paid as low values. Its first one begins the count.
    async fn tally<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        terms: &payin::Terms,
        at: &Stamp,
    ) -> Result<Tally<Counting>, Fails<U>> {
        match gathered.load(tally::id_of(&terms.payer, &terms.gateway)).await {
            Ok(AnyTally::Counting(tally)) => Ok(tally),
            Err(EscrowError::Unknown(_)) => {
                let (payer, gateway) = (terms.payer.clone(), terms.gateway.clone());
                let begun = tally::Terms { payer, gateway, currency: terms.amount.currency() };
                gathered.take(Tally::open(begun, at)?)
            }
            Err(error) => Err(error),
        }
    }

    fn limits_in<E>(&self, currency: Currency) -> Result<&Limits, EscrowError<E>> {
        let known = self.limits.iter().find(|limits| limits.currency() == currency);
        known.ok_or_else(|| EscrowError::Refused(NotExempt::NoLimits { currency }.into()))
    }
}

// An earlier payin, as evidence.
async fn confirmed<U: UnitOfWork>(gathered: &mut Gathering<'_, U>, id: PayinId) -> Result<Payin<Confirmed>, Fails<U>> {
    match gathered.load(id).await? {
        AnyPayin::Confirmed(payin) => Ok(payin),
        AnyPayin::Created(_)
        | AnyPayin::Authorized(_)
        | AnyPayin::Denied(_)
        | AnyPayin::Cancelled(_)
        | AnyPayin::Refunded(_) => Err(EscrowError::Refused(NotExempt::NoChallenge(id.subject()).into())),
    }
}
