//! Money going back to the payer: to where it came from, to a bank account, or into the payer's wallet.
//!
//! ```
//! use escrowed::payment::refund;
//!
//! // A denied refund still holds the money, and has a way on.
//! let denied = refund::TABLE.status("DENIED").expect("a status of the table");
//! assert!(refund::TABLE.edge(denied, refund::Action::Replace as usize).is_some());
//! ```
//!
//! A refund is opened by what held the money, in the same commit, and holds it from then on. One that a rejected order
//! owes, or that an operator opened by hand, is sent only after an operator's approval.
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod event;
mod state;
mod step;

pub use action::open;
pub use event::{Consent, Route, Terms};
pub use state::{Cancelled, Confirmed, Created, Denied};

use crate::{id::Id, money::Money, party::Role, text::Prose};

/// The id of a refund: `re_…`.
pub type RefundId = Id<AnyRefund>;

crate::lifecycle! {
    /// A refund: money of a payin on its way back to the payer.
    pub lifecycle Refund, AnyRefund as "refund" with ids "re" {
        version 1;
        facts Terms;
        opening Terms;
        initial Created;
        happy Created -> Confirmed;
        statuses {
            /// It holds the money; it waits for approval, or for the gateway.
            Created = "CREATED", Funds;
            /// The payer has the money.
            Confirmed = "CONFIRMED", Nothing;
            /// The gateway declined, for a reason. It still holds the money until it is replaced.
            Denied = "DENIED", Either;
            /// Called off by the operator who opened it; the money is back where it came from.
            Cancelled = "CANCELLED", Nothing;
        }
        edges {
            /// An operator approves a refund that needs it.
            approve => Approve calls approve_and_settle records event::Approved {
                /// Once; it is sent only after it.
                Created -> Created by Role::PLATFORM, Keep, Seed;
            }
            /// The payer has the money.
            confirm(moved: Money) => Confirm records event::Confirmed {
                /// Exactly the amount that was asked.
                Created -> Confirmed by Role::GATEWAY, Release, Seed;
            }
            /// The gateway declined.
            deny(reason: Prose) => Deny records event::Denied {
                /// With the gateway's reason; it still holds the money.
                Created -> Denied by Role::GATEWAY, Keep, Seed;
            }
            /// Its money goes on to a new refund by another route.
            replace(route: Route) => Replace records event::Replaced {
                /// Once.
                Denied -> Denied by Role::PLATFORM, Release, Seed;
            }
            /// The operator who opened it calls it off.
            cancel => Cancel records event::Cancelled {
                /// Only one that was opened by hand, before its approval; the money returns to where it came from.
                Created -> Cancelled by Role::PLATFORM, Release, Seed;
            }
        }
        notes {}
        commands Command;
    }
}
