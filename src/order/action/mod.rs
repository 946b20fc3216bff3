//! What can be done with an order, status by status.

mod ending;
mod paying;
mod releasing;

use super::event::{self, News};
use crate::{
    payment::{
        Destination, Payout,
        payout::{self, Went},
    },
    text::Prose,
};

/// Why a release is stopped.
#[derive(Debug)]
pub enum Blocking<'e> {
    /// An operator stops it, for a reason.
    Operator(Prose),
    /// A payout was denied.
    Denied(&'e Payout<payout::Denied>),
}

/// What became of a payout of an order that is being released.
#[derive(Debug)]
pub enum PayoutNews<'e> {
    /// The payee has the money.
    Confirmed(&'e Payout<payout::Confirmed>),
    /// The gateway declined.
    Denied(&'e Payout<payout::Denied>),
    /// Its money went on to another payout.
    Replaced(&'e Payout<payout::Denied>),
}

/// A payout that gave its money back to the order.
#[derive(Debug)]
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
            Self::Denied(payout) => event::PayoutCounted { payout: payout.id(), news: News::Denied },
            Self::Replaced(payout) => {
                let news = match payout.state().went() {
                    Some(Went::On { payout, to }) => {
                        News::Replaced { by: *payout, settled: *to == Destination::Wallet }
                    }
                    Some(Went::Back) | None => News::Denied,
                };
                event::PayoutCounted { payout: payout.id(), news }
            }
        }
    }
}
