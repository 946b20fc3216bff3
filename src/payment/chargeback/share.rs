//! Who bears a chargeback, and how much each.

use crate::{
    lifecycle::{Effects, Reason},
    money::{Currency, Money},
    party::PartyId,
    payment::{DebtId, RefundId},
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

/// Who bears a chargeback.
#[derive(Debug)]
pub(crate) struct Borne {
    /// What the payer bears first: for which refunds, and how much for each.
    pub(crate) refunds: Vec<(RefundId, Money)>,
    /// What comes out of what is held.
    pub(crate) held: Money,
    /// What each party bears in all.
    pub(crate) by: Vec<(PartyId, Money)>,
}

/// Who bears a chargeback of this amount: the payer for what it is yet to get by refunds, each with what it has; then what
/// is held; then those who were paid. What is beyond all that the payer has twice. In minor units.
pub(crate) fn borne(
    amount: Money,
    payer: &PartyId,
    refunds: Vec<(RefundId, Money)>,
    stake: &Stake,
) -> Result<Borne, Reason> {
    let mut left = amount;
    let mut take = |there: Money| {
        let part = if there.compare(left)?.is_gt() { left } else { there };
        left = left.checked_sub(part)?;
        Ok::<_, Reason>(part)
    };
    let mut called = Vec::new();
    for (refund, has) in refunds {
        let part = take(has)?;
        if part.is_positive() {
            called.push((refund, part));
        }
    }
    let held = take(stake.held)?;
    let (mut by, beyond) = shared(left, &stake.paid)?;
    let first = Money::sum(called.iter().map(|(_, part)| *part), amount.currency())?;
    let of_payer = first.checked_add(beyond)?;
    if of_payer.is_positive() {
        by.push((payer.clone(), of_payer));
    }
    Ok(Borne { refunds: called, held, by })
}

impl Stake {
    /// Nothing is held, and nobody was paid: the payer bears all, this platform the fee.
    #[must_use]
    pub const fn none(platform: PartyId, currency: Currency) -> Self {
        Self { held: Money::zero(currency), paid: Vec::new(), platform }
    }
}

// That each debt of these shares is that of the step which opens what they bear.
pub(crate) fn owe_their_own(shares: &[Share], step: &Effects<'_>) -> Result<(), Reason> {
    for (nth, share) in (0..).zip(shares) {
        let own = share.owed.is_positive().then(|| DebtId::derived(step.subject(), 1, nth, step.stamp().at));
        if share.debt != own {
            return Err(Reason::Unlike { what: "the debt of a share" });
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
    use crate::seed::random;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(random(256))]

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

        #[test]
        fn who_is_to_get_it_bears_it_first_and_all_of_it_is_borne(
            amount in 1_i64..400_000,
            refunds in prop::collection::vec(1_i64..90_000, 0..4),
            held in 0_i64..90_000,
            paid in prop::collection::vec((0_usize..3, 0_i64..90_000), 0..4),
        ) {
            let euro = |minor| Money::from_minor(minor, Currency::EUR);
            let party = |nth: usize| ["sam", "tom", "shop", "anna"][nth].parse::<PartyId>().unwrap();
            let (payer, at) = (party(3), "2026-05-07T15:39:46Z".parse().unwrap());
            let refunds: Vec<_> = refunds.into_iter().map(|minor| (RefundId::generate(at), euro(minor))).collect();
            let all_paid: i64 = paid.iter().map(|(_, minor)| minor).sum();
            let paid = paid.into_iter().map(|(nth, minor)| (party(nth), euro(minor))).collect();
            let stake = Stake { held: euro(held), paid, platform: party(2) };
            let borne = borne(euro(amount), &payer, refunds.clone(), &stake).unwrap();

            let sum = |parts: &mut dyn Iterator<Item = &Money>| parts.map(|part| part.minor()).sum::<i64>();
            let (on_its_way, first) = (sum(&mut refunds.iter().map(|(_, has)| has)), sum(&mut borne.refunds.iter().map(|(_, part)| part)));
            prop_assert_eq!(first, amount.min(on_its_way));
            prop_assert_eq!(borne.held.minor(), (amount - first).min(held));
            let by = sum(&mut borne.by.iter().map(|(_, part)| part));
            prop_assert_eq!(borne.held.minor() + by, amount);
            let of_payer = sum(&mut borne.by.iter().filter(|(party, _)| *party == payer).map(|(_, part)| part));
            prop_assert_eq!(of_payer, first + (amount - first - held - all_paid).max(0));
            for (refund, part) in &borne.refunds {
                let has = refunds.iter().find(|(id, _)| id == refund).unwrap().1;
                prop_assert!(part.is_positive() && part.minor() <= has.minor());
            }
        }
    }
}
