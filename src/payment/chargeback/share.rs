//! Who bears a chargeback, and how much each.

use crate::{
    lifecycle::{Effects, Reason},
    money::Money,
    party::PartyId,
    payment::DebtId,
};
use serde::{Deserialize, Serialize};

/// What a party bears of a chargeback, or of a refund of what was released. In minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Who.
    pub party: PartyId,
    /// Of the amount, or of the gateway's fee.
    pub of: Part,
    /// What its wallet gave.
    pub wallet: Money,
    /// What it owes from then on.
    pub owed: Money,
    /// The debt; none where nothing is owed.
    pub debt: Option<DebtId>,
}

/// Of what a party bears a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Of what was charged back.
    Amount,
    /// Of what the gateway charges for it. It does not come back.
    Fee,
}

/// What a lifecycle says of its money when a payin of it is charged back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stake {
    /// What it still holds and would give, in minor units.
    pub held: Money,
    /// Who was paid out of it how much, fees included, less what each gave back since. In minor units.
    pub paid: Vec<(PartyId, Money)>,
    /// The marketplace's own party.
    pub platform: PartyId,
}

// That each debt of these shares is that of the step which opens what they bear.
pub(crate) fn owe_their_own(shares: &[Share], step: &Effects<'_>) -> Result<(), Reason> {
    for (nth, share) in (0..).zip(shares) {
        let own = share.owed.is_positive().then(|| DebtId::derived(step.subject(), 1, nth, step.stamp().at));
        if share.debt != own {
            return Err(Reason::Fixed { what: "the debt of a share" });
        }
    }
    Ok(())
}

/// Shares an amount among those who were paid, by what each had, to the last minor unit; and what is beyond that.
///
/// Each party is named once, in the order of first mention. Who had nothing bears nothing.
///
/// # Errors
/// [`Reason::Money`] when the currencies differ or the sums overflow.
pub fn shared(amount: Money, paid: &[(PartyId, Money)]) -> Result<(Vec<(PartyId, Money)>, Money), Reason> {
    let mut had: Vec<(PartyId, Money)> = Vec::new();
    for (party, part) in paid.iter().filter(|(_, part)| part.is_positive()) {
        match had.iter_mut().find(|(known, _)| known == party) {
            Some((_, sum)) => *sum = sum.checked_add(*part)?,
            None => had.push((party.clone(), *part)),
        }
    }
    let all = Money::sum(had.iter().map(|(_, part)| *part), amount.currency())?;
    let borne = if amount.compare(all)?.is_gt() { all } else { amount };
    let rest = amount.checked_sub(borne)?;
    if !borne.is_positive() {
        return Ok((Vec::new(), rest));
    }
    let weights: Vec<u64> = had.iter().map(|(_, part)| part.minor().unsigned_abs()).collect();
    let parts = borne.split_by_weights(&weights)?;
    let shares = had.into_iter().zip(parts).map(|((party, _), part)| (party, part));
    Ok((shares.filter(|(_, part)| part.is_positive()).collect(), rest))
}

impl Share {
    /// What it comes to, in minor units.
    ///
    /// # Errors
    /// [`Reason::Money`] when the currencies differ.
    pub fn total(&self) -> Result<Money, Reason> {
        Ok(self.wallet.checked_add(self.owed)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shares_add_up_and_nobody_bears_more_than_it_had(
            amount in 1_i64..1_000_000,
            paid in prop::collection::vec((0_usize..4, 0_i64..300_000), 0..8),
        ) {
            let euro = |minor| Money::from_minor(minor, Currency::EUR);
            let party = |nth: usize| ["sam", "tom", "shop", "anna"][nth].parse::<PartyId>().unwrap();
            let paid: Vec<_> = paid.into_iter().map(|(nth, minor)| (party(nth), euro(minor))).collect();
            let (shares, rest) = shared(euro(amount), &paid).unwrap();
            let sum: i64 = shares.iter().map(|(_, part)| part.minor()).sum();
            prop_assert_eq!(sum + rest.minor(), amount);
            for (nth, (party, part)) in shares.iter().enumerate() {
                let had: i64 = paid.iter().filter(|(other, _)| other == party).map(|(_, part)| part.minor()).sum();
                prop_assert!(part.is_positive() && part.minor() <= had);
                prop_assert!(shares[..nth].iter().all(|(other, _)| other != party));
            }
        }
    }
}
