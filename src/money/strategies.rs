//! What the property tests of this layer draw from.

use proptest::prelude::*;

use super::{Currency, Money, Percent};

/// Every currency there is, in the order of the codes.
pub(super) fn all_currencies() -> Vec<Currency> {
    let letters = || 'A'..='Z';
    letters()
        .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c].iter().collect::<String>())))
        .filter_map(|code| Currency::from_code(&code).ok())
        .collect()
}

pub(super) fn currency() -> impl Strategy<Value = Currency> {
    proptest::sample::select(vec![Currency::JPY, Currency::EUR, Currency::USD, Currency::KWD])
}

/// Any amount at all, the ends of the range included.
pub(super) fn money() -> impl Strategy<Value = Money> {
    let minor = prop_oneof![8 => any::<i64>(), 4 => -10_000_i64..10_000, 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
    (minor, currency()).prop_map(|(minor, currency)| Money::from_minor(minor, currency))
}

pub(super) fn percent() -> impl Strategy<Value = Percent> {
    (0..=1_000_000_u32).prop_map(|ppm| Percent::from_ppm(ppm).unwrap())
}
