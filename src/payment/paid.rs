//! What was paid, and how it would go back.

use super::{Aftermath, Payin, PayinId, Route, Way, payin};
use crate::{money::Money, party::PartyId};
use serde::{Deserialize, Serialize};

/// A payin whose money was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paid {
    /// The payin.
    pub payin: PayinId,
    /// How much, in minor units.
    pub amount: Money,
    /// How money goes back to the payer: the way it came.
    pub route: Route,
}

impl Paid {
    /// What a confirmed payin paid.
    #[must_use]
    pub fn by(payin: &Payin<payin::Confirmed>) -> Self {
        let terms = payin.facts();
        Self { payin: payin.id(), amount: terms.amount, route: terms.route() }
    }

    /// How `amount` goes back to the payer of these payins: the last one first, none beyond what it paid. In minor
    /// units.
    #[must_use]
    pub fn back(paid: &[Self], payer: &PartyId, amount: Money) -> Vec<(PartyId, Money, Way)> {
        let mut left = amount.minor();
        let mut parts = Vec::new();
        for one in paid.iter().rev() {
            // A gateway may have taken more of one than it paid, which is missing in the others then.
            let part = left.min(one.amount.minor()).max(0);
            let way = Way::Refund { payin: one.payin, route: one.route.clone() };
            parts.push((payer.clone(), Money::from_minor(part, amount.currency()), way));
            left -= part;
        }
        parts
    }

    /// The same after what happened to it meanwhile: what was charged back and is the payer's to bear, it has by way of its
    /// bank. That part goes into its wallet, out of which it is borne, not the way it came once more.
    pub(crate) fn back_after(
        paid: &[Self],
        payer: &PartyId,
        amount: Money,
        aftermath: &Aftermath,
    ) -> Vec<(PartyId, Money, Way)> {
        let parts = paid.iter().rev().zip(Self::back(paid, payer, amount));
        let split = parts.flat_map(|(one, (payer, part, way))| {
            let borne = aftermath.borne_by(&payer, one.payin).min(part.minor());
            let minor = |minor| Money::from_minor(minor, part.currency());
            let wallet = Way::Refund { payin: one.payin, route: Route::Wallet };
            [(payer.clone(), minor(part.minor() - borne), way), (payer, minor(borne), wallet)]
        });
        split.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn the_last_payin_goes_back_first() {
        let at = "2026-05-07T15:39:46Z".parse().unwrap();
        let euro = |minor| Money::from_minor(minor, Currency::EUR);
        let paid = |minor| Paid { payin: PayinId::generate(at), amount: euro(minor), route: Route::Original };
        let (paid, payer) = ([paid(2_000), paid(8_000)], "anna".parse().unwrap());
        let amounts =
            |minor| Paid::back(&paid, &payer, euro(minor)).iter().map(|part| part.1.minor()).collect::<Vec<_>>();
        assert_eq!(amounts(10_000), [8_000, 2_000]);
        assert_eq!(amounts(8_001), [8_000, 1]);
        assert_eq!(amounts(5), [5, 0]);
    }

    #[test]
    fn of_what_more_was_taken_than_it_paid_nothing_goes_back() {
        let at = "2026-05-07T15:39:46Z".parse().unwrap();
        let euro = |minor| Money::from_minor(minor, Currency::EUR);
        let paid = |minor| Paid { payin: PayinId::generate(at), amount: euro(minor), route: Route::Original };
        let (paid, payer) = ([paid(8_000), paid(-2_000)], "anna".parse().unwrap());
        let back: Vec<_> = Paid::back(&paid, &payer, euro(6_000)).iter().map(|part| part.1.minor()).collect();
        assert_eq!(back, [0, 6_000], "no more than is held");
    }
}
