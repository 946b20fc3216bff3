//! What may happen to orders, at random.

use super::*;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Open {
        minor: i64,
        yen: bool,
        fee: bool,
        tries: Option<u32>,
        payout: Option<PayoutPlan>,
    },
    /// Somebody does something to an order: mostly what a screen offers, sometimes anything at all.
    Act {
        order: usize,
        pick: usize,
        offered: bool,
        with: With,
    },
    Weather(Weather),
}

/// What a command may need.
#[derive(Debug, Clone)]
pub(crate) struct With {
    pub(crate) method: Method,
    pub(crate) reserve: bool,
    pub(crate) plan: Option<PayoutPlan>,
    pub(crate) minor: i64,
}

pub(crate) fn plan() -> impl Strategy<Value = PayoutPlan> {
    let share = prop_oneof![
        3 => Just(Share::Rest),
        1 => (1..9u64).prop_map(Share::Weight),
        1 => (0..600_000u32).prop_map(|ppm| Share::Percent(escrowed::money::Percent::from_ppm(ppm).unwrap())),
    ];
    let payee = (prop_oneof![Just("sam"), Just("pia"), Just("tom")], share, destination())
        .prop_map(|(name, share, to)| Payee { party: party(name), share, to });
    prop::collection::vec(payee, 1..4).prop_map(PayoutPlan::among)
}

pub(crate) fn with() -> impl Strategy<Value = With> {
    let method = prop_oneof![
        3 => Just(Method::Card),
        1 => Just(Method::BankWire { refund_to: "ba_anna".parse().unwrap() }),
        2 => Just(Method::Wallet),
    ];
    (method, prop::bool::weighted(0.1), prop::option::of(plan()), -1..2_000i64)
        .prop_map(|(method, reserve, plan, minor)| With { method, reserve, plan, minor })
}

pub(crate) fn happening() -> impl Strategy<Value = Happening> {
    let which = 0..64usize;
    prop_oneof![
        2 => (400..50_000i64, any::<bool>(), any::<bool>(), prop::option::of(1..4u32), prop::option::of(plan()))
            .prop_map(|(minor, yen, fee, tries, payout)| Happening::Open { minor, yen, fee, tries, payout }),
        20 => (which, 0..1_000usize, prop::bool::weighted(0.85), with())
            .prop_map(|(order, pick, offered, with)| Happening::Act { order, pick, offered, with }),
        20 => weather((1..7_200u64).prop_map(|seconds| (Duration::from_secs(seconds), 100))).prop_map(Happening::Weather),
    ]
}
