//! What can be done with an order, status by status.

mod ending;
mod paying;
mod releasing;

use super::event;
use crate::{
    payment::{News, Payout, payout},
    text::Prose,
};
use serde::Serialize;

/// Why a release is stopped.
#[derive(Debug, Serialize)]
pub enum Blocking<'e> {
    /// An operator stops it, for a reason.
    Operator(Prose),
    /// A payout was denied.
    Denied(&'e Payout<payout::Denied>),
}

/// What became of a payout of an order that is being released.
#[derive(Debug, Serialize)]
pub enum PayoutNews<'e> {
    /// The payee has the money.
    Confirmed(&'e Payout<payout::Confirmed>),
    /// The gateway declined.
    Denied(&'e Payout<payout::Denied>),
    /// Its money went on to another payout.
    Replaced(&'e Payout<payout::Denied>),
}

/// A payout that gave its money back to the order.
#[derive(Debug, Serialize)]
pub enum PayoutBack<'e> {
    /// After a denial.
    GivenBack(&'e Payout<payout::Denied>),
    /// Before the gateway was asked.
    Cancelled(&'e Payout<payout::Cancelled>),
}

impl PayoutNews<'_> {
    fn counted(&self) -> event::PayoutCounted {
        match self {
            Self::Confirmed(payout) => event::PayoutCounted { payout: payout.id(), news: News::Confirmed },
            Self::Denied(payout) | Self::Replaced(payout) => {
                event::PayoutCounted { payout: payout.id(), news: News::of_denied_payout(payout) }
            }
        }
    }
}
