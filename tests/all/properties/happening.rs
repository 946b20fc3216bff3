//! What may happen to orders, at random.

use super::*;

/// Something that happens.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Open {
        minor: i64,
        yen: bool,
        fee: bool,
        tries: Option<u32>,
    },
    /// Somebody does something to an order: mostly what a screen offers, sometimes anything at all.
    Act {
        order: usize,
        pick: usize,
        offered: bool,
        with: With,
    },
    Payin {
        which: usize,
        capture: bool,
    },
    Payout {
        which: usize,
        wish: PayoutWish,
    },
    Refund {
        which: usize,
        wish: RefundWish,
    },
    Send {
        limit: usize,
    },
    Webhooks,
    Repeat {
        which: usize,
    },
    Resolve {
        which: usize,
        decline: bool,
    },
    Wait {
        seconds: u64,
    },
}

/// What a command may need.
#[derive(Debug, Clone)]
pub(super) struct With {
    pub(super) method: Method,
    pub(super) reserve: bool,
    pub(super) plan: Option<PayoutPlan>,
    pub(super) minor: i64,
}

#[derive(Debug, Clone)]
pub(super) enum PayoutWish {
    Replace(Destination),
    GiveBack,
    Cancel,
}

#[derive(Debug, Clone)]
pub(super) enum RefundWish {
    Approve,
    Replace(Route),
    Cancel,
}

pub(super) fn destination() -> impl Strategy<Value = Destination> {
    prop_oneof![Just(Destination::Wallet), Just(bank("ba_1"))]
}

pub(super) fn plan() -> impl Strategy<Value = PayoutPlan> {
    let share = prop_oneof![
        3 => Just(Share::Rest),
        1 => (1..9u64).prop_map(Share::Weight),
        1 => (0..600_000u32).prop_map(|ppm| Share::Percent(escrowed::money::Percent::from_ppm(ppm).unwrap())),
    ];
    let payee = (prop_oneof![Just("sam"), Just("pia"), Just("tom")], share, destination())
        .prop_map(|(name, share, to)| Payee { party: party(name), share, to });
    prop::collection::vec(payee, 1..4).prop_map(PayoutPlan::among)
}

pub(super) fn with() -> impl Strategy<Value = With> {
    let method = prop_oneof![
        3 => Just(Method::Card),
        1 => Just(Method::BankWire { refund_to: "ba_anna".parse().unwrap() }),
        2 => Just(Method::Wallet),
    ];
    (method, prop::bool::weighted(0.1), prop::option::of(plan()), -1..2_000i64)
        .prop_map(|(method, reserve, plan, minor)| With { method, reserve, plan, minor })
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    let which = 0..64usize;
    let payout = prop_oneof![
        2 => destination().prop_map(PayoutWish::Replace), 1 => Just(PayoutWish::GiveBack), 1 => Just(PayoutWish::Cancel)
    ];
    let route =
        prop_oneof![Just(Route::Original), Just(Route::Wallet), Just(Route::Account("ba_anna".parse().unwrap()))];
    let refund = prop_oneof![
        2 => Just(RefundWish::Approve), 2 => route.prop_map(RefundWish::Replace), 1 => Just(RefundWish::Cancel)
    ];
    prop_oneof![
        2 => (400..50_000i64, any::<bool>(), any::<bool>(), prop::option::of(1..4u32))
            .prop_map(|(minor, yen, fee, tries)| Happening::Open { minor, yen, fee, tries }),
        20 => (which.clone(), 0..1_000usize, prop::bool::weighted(0.85), with())
            .prop_map(|(order, pick, offered, with)| Happening::Act { order, pick, offered, with }),
        1 => (which.clone(), any::<bool>()).prop_map(|(which, capture)| Happening::Payin { which, capture }),
        2 => (which.clone(), payout).prop_map(|(which, wish)| Happening::Payout { which, wish }),
        2 => (which.clone(), refund).prop_map(|(which, wish)| Happening::Refund { which, wish }),
        6 => (1..5usize).prop_map(|limit| Happening::Send { limit }),
        3 => Just(Happening::Webhooks),
        1 => which.clone().prop_map(|which| Happening::Repeat { which }),
        2 => (which, any::<bool>()).prop_map(|(which, decline)| Happening::Resolve { which, decline }),
        2 => (1..7_200u64).prop_map(|seconds| Happening::Wait { seconds }),
    ]
}
