//! One step in memory, beside the same step by hand: a published order is accepted, and one is cancelled with its
//! refund. Each way gives the next value, the event, the entries and the calls. And a replay of a whole life, beside
//! one by hand that reads the same JSON and believes it.
//!
//! ```text
//! cargo bench --bench steps
//! ```
//!
//! All ways of a group are measured in turns, in one run: compare the ratios, not the times of two runs.

mod by_hand;
mod measure;
mod orders;

use escrowed::{
    lifecycle::replay,
    order::{AnyOrder, Command},
};
use measure::{Way, compare};
use orders::{order, published, released, stamp};
use std::hint::black_box;

fn main() {
    accept();
    cancel();
    replays();
}

fn accept() {
    let (log, at) = (published(), stamp("sam"));
    compare(
        "accept",
        [
            Way::new("typed", || order(&log), |order| order.accept(black_box(&at)).expect("a step")),
            Way::new(
                "handle",
                || AnyOrder::from(order(&log)),
                |order| order.handle(Command::Accept { payout: None }, black_box(&at)).expect("a step"),
            ),
            Way::new(
                "by hand",
                || by_hand::Order::replay(&log).unwrap(),
                |order| order.accept(black_box(&at)).map_err(|(_, why)| why).expect("a step"),
            ),
        ],
    );
}

fn cancel() {
    let (log, at) = (published(), stamp("anna"));
    compare(
        "cancel, with its refund",
        [
            Way::new("typed", || order(&log), |order| order.cancel(black_box(&at)).expect("a step")),
            Way::new(
                "handle",
                || AnyOrder::from(order(&log)),
                |order| order.handle(Command::Cancel {}, black_box(&at)).expect("a step"),
            ),
            Way::new(
                "by hand",
                || by_hand::Order::replay(&log).unwrap(),
                |order| order.cancel(black_box(&at)).map_err(|(_, why)| why).expect("a step"),
            ),
        ],
    );
}

fn replays() {
    for log in [published(), released()] {
        compare(
            &format!("replay of {} events", log.records.len()),
            [
                Way::new("checked", || (), |()| replay::<AnyOrder>(black_box(&log)).expect("an order")),
                Way::new("by hand, unchecked", || (), |()| by_hand::Order::replay(black_box(&log)).expect("an order")),
            ],
        );
    }
}
