//! What a payin asks for, and the evidence for it.

use super::{AnyPayin, Confirmed, Created, Payin, PayinId, Secured, Terms};
use crate::{
    lifecycle::{Facts as _, Payees, Reason, Refused, Transition, Value},
    money::Percent,
    party::{Actor, PartyId, Stamp},
    payment::tally::{Counting, Tally},
    sca::{Authentication, Binding, Exemption, Liability, Limits, NotExempt},
    store::Commit,
};

/// What a payin needs of its payer before its money may be taken. What exempts it comes as evidence.
#[derive(Debug, Clone, Copy)]
pub enum Need<'e> {
    /// A challenge.
    Challenge,
    /// Nothing, for its low value: counted in the same write.
    LowValue {
        /// What the payer has paid as low values since its last challenge.
        tally: &'e Tally<Counting>,
        /// Up to which amounts.
        limits: &'e Limits,
    },
    /// Nothing, for the payer trusts the payee.
    TrustedBeneficiary {
        /// An earlier payin of the payer to that payee, with a challenge.
        listed: &'e Payin<Confirmed>,
    },
    /// Nothing, for the payer pays the same again to the same payee.
    Recurring {
        /// The payin of the series that the payer has passed a challenge for.
        first: &'e Payin<Confirmed>,
    },
    /// Nothing, for its risk is low.
    TransactionRisk {
        /// The rate of fraud.
        fraud: Percent,
        /// Up to which amounts.
        limits: &'e Limits,
    },
    /// Nothing, for the payee takes what the payer has agreed to.
    MerchantInitiated {
        /// The payin at which the payer has agreed, with a challenge.
        mandate: &'e Payin<Confirmed>,
    },
    /// Nothing, for a company pays by a process that only companies can use.
    Corporate,
}

// What is written of a need: with the payin, and in front of it.
type Asked = (Authentication, Option<Commit>);

impl Need<'_> {
    // Whether a payer may be led to this payee by what pays these, and the evidence is about all who are paid.
    fn leads_to(&self, payees: Payees<'_>, named: &PartyId) -> Result<(), Reason> {
        match payees {
            Payees::Unsaid => Ok(()),
            Payees::One(expected) if expected == named => Ok(()),
            Payees::One(expected) => Err(Reason::WrongPayee { expected: expected.clone(), found: named.clone() }),
            // An earlier payin was to one of them at most.
            Payees::Several => match self {
                Self::TrustedBeneficiary { listed: earlier }
                | Self::Recurring { first: earlier }
                | Self::MerchantInitiated { mandate: earlier } => {
                    Err(NotExempt::Other { earlier: earlier.id().subject(), what: "payee" }.into())
                }
                Self::Challenge | Self::LowValue { .. } | Self::TransactionRisk { .. } | Self::Corporate => Ok(()),
            },
        }
    }

    fn ask(self, id: PayinId, terms: &Terms, payee: PartyId, at: &Stamp) -> Result<Asked, Reason> {
        let (exemption, before) = match self {
            Self::Challenge => return Ok((Authentication::Challenge(Binding::to(payee)), None)),
            Self::LowValue { tally, limits } => {
                let (exemption, counted) = tally.counted(id, terms, limits.low_value(), at)?;
                (exemption, Some(counted))
            }
            Self::TrustedBeneficiary { listed } => {
                (Exemption::TrustedBeneficiary { listed: passed(listed, terms, &payee)? }, None)
            }
            Self::Recurring { first } => {
                let subject = passed(first, terms, &payee)?;
                if first.facts().amount != terms.amount {
                    return Err(NotExempt::Other { earlier: subject, what: "amount" }.into());
                }
                (Exemption::Recurring { first: subject }, None)
            }
            Self::TransactionRisk { fraud, limits } => {
                let channel = terms
                    .method
                    .channel()
                    .ok_or(Reason::NotThisWay { instead: "a wallet needs no exemption: ask without one" })?;
                let threshold = limits.risk_threshold(&channel, fraud);
                let threshold = threshold.ok_or(NotExempt::TooMuchFraud { rate: fraud })?;
                (Exemption::TransactionRisk { fraud, threshold }, None)
            }
            Self::MerchantInitiated { mandate } => {
                if matches!(&at.by, Actor::Party(who) if *who == terms.payer) {
                    return Err(NotExempt::ByPayer.into());
                }
                (Exemption::MerchantInitiated { mandate: passed(mandate, terms, &payee)? }, None)
            }
            Self::Corporate => (Exemption::Corporate, None),
        };
        Ok((Authentication::Exempt { exemption, binding: Binding::to(payee) }, before))
    }
}

// An earlier payin of the same payer to the same payee, for which the payer has passed a challenge.
fn passed(earlier: &Payin<Confirmed>, terms: &Terms, payee: &PartyId) -> Result<crate::id::Subject, NotExempt> {
    let (subject, known) = (earlier.id().subject(), earlier.facts());
    if !earlier.is_authenticated() {
        return Err(NotExempt::NoChallenge(subject));
    }
    let other = |what| Err(NotExempt::Other { earlier: subject, what });
    if known.payer != terms.payer {
        return other("payer");
    }
    match known.authentication.binding() {
        Some(binding) if binding.payee == *payee => Ok(subject),
        Some(_) | None => other("payee"),
    }
}

impl Payin<Created> {
    /// Opens a payin that asks for a challenge or an exemption, on the way to this payee: who that is, is for whoever opens it to
    /// know. [`needing`] asks what it pays for.
    ///
    /// # Errors
    /// [`Refused`] as by [`open`](Self::open), and with [`NotExempt`] when the exemption does not apply.
    pub fn open_needing(
        id: PayinId,
        terms: Terms,
        payee: PartyId,
        need: Need<'_>,
        at: &Stamp,
    ) -> Result<Transition<Self>, Refused<Terms>> {
        let (authentication, before) = match need.ask(id, &terms, payee, at) {
            Ok(asked) => asked,
            Err(reason) => return Err(Refused { value: terms, reason }),
        };
        let asking = Terms { authentication, ..terms.clone() };
        match Self::opened(id, asking, at) {
            Ok(opened) => Ok(opened.after_all(before.into_iter().collect())),
            Err(refused) => Err(refused.map(|_| terms)),
        }
    }

    /// Whether an exemption was asked for and the payer's bank insists on a challenge.
    #[must_use]
    pub const fn is_exemption_refused(&self) -> bool {
        self.facts().authentication.exemption().is_some() && self.state.sca.challenge.is_some()
    }
}

impl<S: Secured> Payin<S> {
    /// How the payer was, or is to be, authenticated.
    #[must_use]
    pub fn sca(&self) -> &super::Sca {
        self.state.sca()
    }

    /// Whether the payer has passed a challenge for it, as the gateway said.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.sca().assurance().is_some_and(|assurance| assurance.authenticated)
    }
}

impl Payin<Confirmed> {
    /// Who bears the loss if the payer says that it was not the one who paid: the payer's bank once the gateway has said so,
    /// otherwise the platform.
    #[must_use]
    pub fn liability(&self) -> Liability {
        self.sca().assurance().map_or(Liability::Platform, |assurance| assurance.liability)
    }
}

/// The opening of a payin, among all that a step writes.
pub(crate) struct Opening {
    position: usize,
    id: PayinId,
    pub(crate) terms: Terms,
    at: Stamp,
}

/// Only one payin can be authenticated at a time.
pub(crate) const ONE_PAYIN: Reason = Reason::NotThisWay {
    instead: "only what opens one payin by card or bank wire can need a challenge or an exemption",
};

/// The opening of the one payin that a step opens, if it opens one that a gateway has to be asked for.
///
/// # Errors
/// [`Reason::NotThisWay`] when it opens none or several, or a payin's own opening is given.
pub(crate) fn opened_by<T: Value>(taken: &Transition<T>) -> Result<Opening, Reason> {
    let mut found = taken.commits().iter().enumerate().filter_map(|(position, commit)| {
        let id = PayinId::try_from(commit.subject()).ok()?;
        // One that is more than opened was paid from a wallet, or called off in the same breath.
        let [first] = commit.records() else { return None };
        (first.seq == 1).then_some((position, id, first))
    });
    let (Some((position, id, first)), None) = (found.next(), found.next()) else {
        return Err(ONE_PAYIN);
    };
    if taken.value().head().id().subject() == id.subject() {
        return Err(Reason::NotThisWay { instead: "a payin of its own is opened by `open_needing`" });
    }
    let body = first.payload.to_json().expect("a payin's terms can be written");
    let terms = serde_json::from_str(&body).expect("a payin's terms are read as they are written");
    Ok(Opening { position, id, terms, at: first.stamp.clone() })
}

/// Makes the payin that a step opens ask for a challenge or an exemption, on the way to this payee. Nothing of the step has
/// been saved yet: the payin is opened anew, under its id.
///
/// ```
/// use escrowed::{order::{Order, OrderId, Terms}, party::{Actor, Stamp}};
/// use escrowed::payment::{Method, payin::{self, Need}};
///
/// let at = Stamp::new(Actor::Party("anna".parse()?), "2026-05-07T15:39:46Z".parse()?);
/// let terms = Terms::new("A bicycle".parse()?, "120.00 EUR".parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
/// let draft = Order::open(OrderId::generate(at.at), terms, &at)?;
/// let paying = draft
///     .then(|order| order.identify_buyer("anna".parse().unwrap(), &at))?
///     .then(|order| order.pay(Method::Card, &at))?;
/// let paying = payin::needing(paying, "sam".parse()?, Need::Challenge)?;
/// assert_eq!(paying.value().facts().payins().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Refused`] with the step as it was: when it opens no payin or several, a wallet pays, another party [is
/// paid](crate::lifecycle::Facts::payees), or the exemption does not apply.
pub fn needing<T: Value>(
    taken: Transition<T>,
    payee: PartyId,
    need: Need<'_>,
) -> Result<Transition<T>, Refused<Transition<T>>> {
    let Opening { position, id, terms, at } = match opened_by(&taken) {
        Ok(found) => found,
        Err(reason) => return Err(Refused { value: taken, reason }),
    };
    if let Err(reason) = need.leads_to(taken.value().head().facts().payees(), &payee) {
        return Err(Refused { value: taken, reason });
    }
    match Payin::open_needing(id, terms, payee, need, &at) {
        Ok(asking) => Ok(taken.replacing(position, asking.into_commits())),
        Err(refused) => Err(refused.map(|_| taken)),
    }
}

impl AnyPayin {
    /// How the payer was, or is to be, authenticated; nothing once all of it went back.
    #[must_use]
    pub fn sca(&self) -> Option<&super::Sca> {
        match self {
            Self::Created(payin) => Some(payin.sca()),
            Self::Authorized(payin) => Some(payin.sca()),
            Self::Confirmed(payin) => Some(payin.sca()),
            Self::Denied(payin) => Some(payin.sca()),
            Self::Cancelled(payin) => Some(payin.sca()),
            Self::Refunded(_) => None,
        }
    }
}
