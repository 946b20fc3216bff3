//! Who is paid, how much, and where to.

use crate::{
    lifecycle::Reason,
    money::{Money, Share, split},
    party::PartyId,
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

const PAYEES: usize = 100;

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
    /// [`Reason::Split`] when the shares do not add up, [`Reason::TooMuch`] for more than 100 payees.
    pub fn amounts(&self, net: Money) -> Result<Vec<Money>, Reason> {
        if self.0.len() > PAYEES {
            return Err(Reason::Fixed { what: "the number of payees, which is at most 100," });
        }
        let shares: Vec<Share> = self.0.iter().map(|payee| payee.share).collect();
        Ok(split(net, &shares)?)
    }
}
