//! Payins, payouts and refunds: lifecycles of their own, and the only ones that speak to a gateway.
//!
//! ```
//! use escrowed::payment::{payin, payout, refund};
//!
//! // Each has its table, as every lifecycle has.
//! let names = |table: escrowed::lifecycle::Table| table.statuses.iter().map(|row| row.name).collect::<Vec<_>>();
//! assert_eq!(names(payin::TABLE), ["CREATED", "AUTHORIZED", "CONFIRMED", "DENIED", "CANCELLED", "REFUNDED"]);
//! assert_eq!(names(payout::TABLE), ["CREATED", "HELD", "CONFIRMED", "DENIED", "CANCELLED", "RETURNED"]);
//! assert_eq!(names(refund::TABLE), ["CREATED", "CONFIRMED", "DENIED", "CANCELLED", "RETURNED", "REPLACED"]);
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
