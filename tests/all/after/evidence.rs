//! Evidence of what happens after the end, for the tests that try every command.

use crate::harness::{bank, euro, ops, party};
use escrowed::{
    id::Subject,
    lifecycle::Transition,
    party::Stamp,
    payment::{AnyPayout, Payout, PayoutId, payout},
    time::Timestamp,
};

/// A payout of this order or deal that came back from the bank. It was never saved.
pub(crate) fn came_back(about: Subject, at: Timestamp) -> Transition<Payout<payout::Returned>> {
    let (amount, gateway) = (euro("1.00"), Stamp::gateway(at));
    let terms = payout::Terms {
        about,
        payee: party("sam"),
        amount,
        to: bank("ba_closed"),
        gateway: "sandbox".parse().unwrap(),
        again: None,
    };
    let opened = payout::open(PayoutId::generate(at), terms, &Stamp::new(ops(), at)).unwrap();
    let confirmed = opened.then(|payout| match payout {
        AnyPayout::Created(payout) => Ok(payout.confirm(amount, &gateway).unwrap()),
        other => unreachable!("{other:?}"),
    });
    let why = "account closed".parse().unwrap();
    confirmed.unwrap().then(|payout| payout.come_back(amount, why, &gateway)).unwrap()
}
