//! Payins, payouts and refunds: lifecycles of their own, and the only ones that speak to a gateway.
//!
//! ```
//! use escrowed::{gateway::Capture, order::OrderId, party::{Actor, Stamp}, sca::Authentication};
//! use escrowed::payment::{Method, Payin, PayinId, payin::Terms};
//!
//! let anna = Stamp::new(Actor::Party("anna".parse()?), "2026-05-07T15:39:46Z".parse()?);
//! let opened = Payin::open(PayinId::generate(anna.at), Terms {
//!     about: OrderId::generate(anna.at).subject(),
//!     payer: "anna".parse()?,
//!     amount: "120.00 EUR".parse()?,
//!     method: Method::Card,
//!     capture: Capture::Now,
//!     gateway: "stripe".parse()?,
//!     expires: None,
//!     authentication: Authentication::ByGateway,
//! }, &anna)?;
//!
//! // What is saved asks the gateway, by way of the outbox. Its answer brings the money into the payin's account.
//! assert_eq!(opened.commits()[0].calls().len(), 1);
//! let paid = opened.then(|payin| payin.confirm("120.00 EUR".parse().unwrap(), &Stamp::gateway(anna.at)))?;
//! assert_eq!(paid.value().held().to_string(), "120.00 EUR");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Money always belongs to exactly one account. A payment has an escrow account of its own: opening a payout moves the
//! money from the order to the payout, so it cannot be paid twice; a denied payout holds it until it is replaced or
//! given back. Whoever gives books the entry; whoever receives counts it, in the same unit.
//!
//! What happens after the end has lifecycles, too: a [`chargeback`] takes money of a payin back, and what is no longer there to
//! take is a [`debt`]. What was released may be [refunded](refund#after-the-release) all the same, by those who were paid.
//!
//! What people agree on (an order, a transaction) opens payments and learns what became of them by way of
//! [`Agreement`]. Payments of type `WALLET` need no gateway and settle at once, in the unit that opens them.

mod after;
mod agreement;
pub mod chargeback;
pub mod debt;
mod outgoing;
mod paid;
pub mod payin;
pub mod payout;
pub mod refund;
pub mod tally;

pub use after::{After, Aftermath, Afterwards};
pub(crate) use after::{AllTaken, Closed, Loss, Noted, PartTaken, Regained, notes_after, stops_when_charged_back};
pub use agreement::{Agreement, Evidence, Learned};
pub use chargeback::{AnyChargeback, Chargeback, ChargebackId, Stake};
pub use debt::{AnyDebt, Debt, DebtId};
pub use outgoing::{Leg, News, Outgoing, Stands, Way};
pub use paid::Paid;
pub use payin::{AnyPayin, Method, Payin, PayinId};
pub use payout::{AnyPayout, Destination, Payout, PayoutId};
pub use refund::{AnyRefund, Consent, Refund, RefundId, Route};
pub use tally::{AnyTally, Tally, TallyId};
