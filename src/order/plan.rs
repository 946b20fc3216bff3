//! Who is paid, how much, and where to.

use super::Terms;
use crate::{
    id::Subject,
    lifecycle::Reason,
    money::{Money, Share, split},
    party::{Actor, PartyId},
    payment::Destination,
};
use serde::{Deserialize, Serialize};

/// Who is paid at the release: one payee, or several who share what is left after the fee.
///
/// ```
/// use escrowed::{money::Share, order::{Payee, PayoutPlan}, payment::Destination};
///
/// let band = PayoutPlan::among([
///     Payee { party: "singer".parse()?, share: Share::Percent("50%".parse()?), to: Destination::Wallet },
///     Payee { party: "drummer".parse()?, share: Share::Fixed("20.00 EUR".parse()?), to: Destination::Wallet },
///     Payee { party: "bassist".parse()?, share: Share::Rest, to: Destination::Wallet },
/// ]);
/// let amounts = band.amounts("99.99 EUR".parse()?)?;
/// assert_eq!(amounts.iter().map(ToString::to_string).collect::<Vec<_>>(), ["50.00 EUR", "20.00 EUR", "29.99 EUR"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Who is paid answers for it: a chargeback is borne by the payee, and the host's [`Kyc`](crate::escrow::Kyc) policy is asked
/// about the payee, whosever account the money goes to. So it depends on who sets a plan whom it may name, in
/// [`Terms::payout`] as later:
///
/// | who sets it | whom it may name, and where |
/// |---|---|
/// | the seller | itself anywhere, others in their wallets, the platform's own party not at all |
/// | the buyer, or another party, in the terms of an order it opens | everybody in their wallets, the platform's own party not at all |
/// | the platform | everybody anywhere: it has looked whose account it is |
/// | anybody | whom the account's defaults name ([`Terms::others`]), where they do |
///
/// A name that is the id of something here, such as a movement's, is nobody's, whoever sets the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PayoutPlan(Vec<Payee>);

/// One who is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payee {
    /// Who.
    pub party: PartyId,
    /// How much: fixed, a percentage, a weight or the rest.
    pub share: Share,
    /// Where to.
    pub to: Destination,
}

const PAYEES: std::ops::RangeInclusive<u64> = 1..=100;

impl PayoutPlan {
    /// All to one payee.
    #[must_use]
    pub fn to(party: PartyId, to: Destination) -> Self {
        Self(vec![Payee { party, share: Share::Rest, to }])
    }

    /// Among several payees, at most 100.
    #[must_use]
    pub fn among(payees: impl IntoIterator<Item = Payee>) -> Self {
        Self(payees.into_iter().collect())
    }

    /// Who is paid, in order.
    #[must_use]
    pub fn payees(&self) -> &[Payee] {
        &self.0
    }

    /// What each payee gets of `net`, in minor units, adding up exactly.
    ///
    /// # Errors
    /// [`Reason::Split`] when the shares do not add up, [`Reason::OutOfRange`] for more than 100 payees.
    pub fn amounts(&self, net: Money) -> Result<Vec<Money>, Reason> {
        // Of none at all, the split says more.
        if !self.0.is_empty() {
            Reason::within("the number of payees", self.0.len() as u64, PAYEES)?;
        }
        let shares: Vec<Share> = self.0.iter().map(|payee| payee.share).collect();
        Ok(split(net, &shares)?)
    }

    // Whether this actor may set it for an order of these terms.
    pub(super) fn may_be_set(&self, by: &Actor, terms: &Terms) -> Result<(), Reason> {
        self.0.iter().try_for_each(|payee| payee.may_be_named(by, terms))
    }
}

impl Payee {
    fn may_be_named(&self, by: &Actor, terms: &Terms) -> Result<(), Reason> {
        if Subject::is_named(self.party.as_str()) {
            return Err(Reason::NobodysName(self.party.clone()));
        }
        // What an account's defaults name is the platform's word, too, whatever the share.
        if by.is_platform() || terms.others.iter().any(|known| (&known.party, &known.to) == (&self.party, &self.to)) {
            return Ok(());
        }
        let seller = self.party == terms.seller;
        if self.party == terms.platform && !seller {
            return Err(Reason::PlatformsShare(self.party.clone()));
        }
        match self.to {
            Destination::Wallet => Ok(()),
            Destination::Account { .. } => match by {
                Actor::Party(who) if seller && *who == self.party => Ok(()),
                Actor::Party(_) | Actor::Office { .. } | Actor::Clock | Actor::Gateway => {
                    Err(Reason::OthersAccount(self.party.clone()))
                }
            },
        }
    }
}
