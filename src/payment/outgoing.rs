//! What leaves an escrow account all at once, leg by leg: payouts to payees, refunds to the payer.

use super::{
    Consent, Destination, PayinId, PayoutId, RefundId, Route,
    payout::{self, Went},
    refund,
};
use crate::{
    id::{Id, IdError, Identified, Subject},
    ledger::{Account, GatewayName, Purpose},
    lifecycle::{Effects, Reason},
    money::Money,
    party::PartyId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The payments by which an escrow account was emptied, and where each stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outgoing(Vec<Leg>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// The payout or refund: the one that replaced it, once it was replaced.
    pub payment: Subject,
    /// Who gets it.
    pub party: PartyId,
    /// How much, above zero, in minor units.
    pub amount: Money,
    /// By which way it was sent first.
    pub way: Way,
    /// Where it stands.
    pub stands: Stands,
}

/// By which way money leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To a payee.
    Payout(Destination),
    /// Back to the payer of this payin.
    Refund {
        /// The payin.
        payin: PayinId,
        /// How it goes back.
        route: Route,
    },
}

/// Where a leg stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// On its way.
    Open,
    /// Whoever is to get it has the money.
    Confirmed,
    /// The gateway declined; the payment still holds the money.
    Denied,
    /// It gave its money back.
    Returned,
}

/// What became of a leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// Whoever is to get it has the money.
    Confirmed,
    /// The gateway declined.
    Denied,
    /// Its money went on to another payment, which settled at once or did not.
    Replaced {
        /// The other one.
        by: Subject,
        /// Whether it settled at once, into a wallet.
        settled: bool,
    },
    /// It gave its money back.
    Returned,
}

impl Outgoing {
    /// The legs, in the order they were planned.
    #[must_use]
    pub fn legs(&self) -> &[Leg] {
        &self.0
    }

    /// Whether whoever is to get something has it.
    #[must_use]
    pub fn all_confirmed(&self) -> bool {
        self.0.iter().all(|leg| leg.stands == Stands::Confirmed)
    }

    /// The legs that stand there.
    pub fn standing(&self, wanted: Stands) -> impl Iterator<Item = &Leg> {
        self.0.iter().filter(move |leg| leg.stands == wanted)
    }

    /// The legs for these amounts, in minor units, as the `seq`-th event of `parent` opens them. Who gets nothing gets no leg. The
    /// same step plans the same legs each time, so replay can compare them.
    pub fn plan(
        parent: Subject,
        seq: u32,
        at: Timestamp,
        parts: impl IntoIterator<Item = (PartyId, Money, Way)>,
    ) -> Self {
        let legs = (0..).zip(parts).filter(|(_, (_, amount, _))| amount.is_positive());
        Self(
            legs.map(|(nth, (party, amount, way))| Leg {
                payment: way.id(parent, seq, nth, at),
                party,
                amount,
                stands: if way.settles_at_once() { Stands::Confirmed } else { Stands::Open },
                way,
            })
            .collect(),
        )
    }

    /// Books each leg's money to it, and opens it, in the step that is being checked.
    ///
    /// # Errors
    /// [`Reason`] when more would leave than is held.
    pub fn open(&self, gateway: &GatewayName, step: &mut Effects<'_>) -> Result<(), Reason> {
        let about = step.subject();
        for leg in &self.0 {
            let (amount, gateway, party) = (leg.amount, gateway.clone(), leg.party.clone());
            match &leg.way {
                Way::Payout(to) => {
                    step.pay(Account::Escrow(leg.payment), amount, Purpose::Release)?;
                    let terms = payout::Terms { about, payee: party, amount, to: to.clone(), gateway, again: None };
                    step.open(payout::open(id(leg.payment)?, terms, step.stamp())?);
                }
                Way::Refund { payin, route } => {
                    step.pay(Account::Escrow(leg.payment), amount, Purpose::GiveBack)?;
                    let (payin, route, consent) = (*payin, route.clone(), Consent::NotNeeded);
                    let (payer, source, shares) = (party, about, Vec::new());
                    let terms = refund::Terms {
                        about,
                        payin,
                        payer,
                        amount,
                        route,
                        consent,
                        source,
                        gateway,
                        shares,
                        again: None,
                    };
                    step.open(refund::open(id(leg.payment)?, terms, step.stamp())?);
                }
            }
        }
        Ok(())
    }

    /// The leg that is this payment.
    ///
    /// # Errors
    /// [`Reason::Missing`] when there is none.
    pub fn leg(&self, payment: Subject) -> Result<&Leg, Reason> {
        let missing = Reason::Missing { what: "a payment that this opened" };
        self.0.iter().find(|leg| leg.payment == payment).ok_or(missing)
    }

    /// Whether this can have become of a leg.
    ///
    /// # Errors
    /// [`Reason`] when there is no such leg, or it was counted already.
    pub fn may_count(&self, payment: Subject, news: &News) -> Result<(), Reason> {
        match (self.leg(payment)?.stands, news) {
            (Stands::Open, News::Confirmed | News::Denied | News::Returned)
            | (Stands::Denied, News::Replaced { .. } | News::Returned) => Ok(()),
            (Stands::Open, News::Replaced { .. })
            | (Stands::Denied, News::Confirmed | News::Denied)
            | (Stands::Confirmed | Stands::Returned, _) => {
                Err(Reason::Already { what: "counting what became of the payment" })
            }
        }
    }

    /// Notes what became of a leg.
    pub fn count(&mut self, payment: Subject, news: &News) {
        if let Some(leg) = self.0.iter_mut().find(|leg| leg.payment == payment) {
            match news {
                News::Confirmed => leg.stands = Stands::Confirmed,
                News::Denied => leg.stands = Stands::Denied,
                News::Returned => leg.stands = Stands::Returned,
                News::Replaced { by, settled } => {
                    leg.payment = *by;
                    leg.stands = if *settled { Stands::Confirmed } else { Stands::Open };
                }
            }
        }
    }
}

impl News {
    /// What became of a denied payout.
    pub(crate) fn of_denied_payout(payout: &super::Payout<payout::Denied>) -> Self {
        match payout.state().went() {
            None => Self::Denied,
            Some(Went::Back) => Self::Returned,
            Some(Went::On { payout, to }) => {
                Self::Replaced { by: payout.subject(), settled: *to == Destination::Wallet }
            }
        }
    }

    /// What became of a denied refund.
    pub(crate) fn of_denied_refund(refund: &super::Refund<refund::Denied>) -> Self {
        match refund.state().went() {
            None => Self::Denied,
            Some(went) => Self::went_on(went),
        }
    }

    /// What became of a refund that nobody has approved.
    pub(crate) fn of_redirected_refund(refund: &super::Refund<refund::Replaced>) -> Self {
        Self::went_on(refund.state().went())
    }

    fn went_on((by, route): &(RefundId, Route)) -> Self {
        Self::Replaced { by: by.subject(), settled: *route == Route::Wallet }
    }
}

impl Way {
    fn settles_at_once(&self) -> bool {
        match self {
            Self::Payout(to) => *to == Destination::Wallet,
            Self::Refund { route, .. } => *route == Route::Wallet,
        }
    }

    fn id(&self, parent: Subject, seq: u32, nth: u32, at: Timestamp) -> Subject {
        match self {
            Self::Payout(_) => PayoutId::derived(parent, seq, nth, at).subject(),
            Self::Refund { .. } => RefundId::derived(parent, seq, nth, at).subject(),
        }
    }
}

/// A bank may keep a charge of what it sends back, which is for whoever was to get it to bear. More than it had it cannot send.
pub(super) fn may_come_back(moved: Money, amount: Money) -> Result<(), Reason> {
    if moved.is_positive() && moved.compare(amount).is_ok_and(|order| order.is_le()) {
        return Ok(());
    }
    Err(Reason::WrongAmount { expected: amount, found: moved })
}

fn id<T: Identified>(payment: Subject) -> Result<Id<T>, Reason> {
    payment.try_into().map_err(|other: IdError| match other {
        IdError::OtherKind { found, .. } => Reason::WrongSubject { expected: payment, found },
        IdError::Malformed { .. } => Reason::Missing { what: "the id of a payment" },
    })
}
