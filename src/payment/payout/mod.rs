//! Money going out to a payee: to a bank account, or into the payee's wallet.
//!
//! ```
//! use escrowed::{order::OrderId, party::{Actor, Stamp}};
//! use escrowed::payment::payout::{self, Command, Destination, PayoutId, Terms};
//!
//! let ops = Stamp::new(Actor::platform("ops".parse()?), "2026-05-07T15:39:46Z".parse()?);
//! let opened = payout::open(PayoutId::generate(ops.at), Terms {
//!     about: OrderId::generate(ops.at).subject(),
//!     payee: "sam".parse()?,
//!     amount: "90.00 EUR".parse()?,
//!     to: Destination::Account { bankaccount_id: "ba_closed".parse()? },
//!     gateway: "stripe".parse()?,
//!     again: None,
//! }, &ops)?;
//!
//! // The bank declines it. It still holds the money, until that goes on to another payout, or back to the order.
//! let reason = "account closed".parse()?;
//! let denied = opened.then(|payout| payout.handle(Command::Deny { reason }, &Stamp::gateway(ops.at)))?;
//! let (payout, wallet) = (denied.value().id(), Destination::Wallet);
//! let replaced = denied.then(|payout| payout.handle(Command::Replace { to: wallet }, &ops))?;
//! let [denied, other] = replaced.commits() else { panic!("one write of both") };
//! assert_eq!((denied.subject(), denied.index().held), (payout.subject(), "0.00 EUR".parse()?));
//! assert_eq!(other.index().status, "CONFIRMED");          // into a wallet it settles at once
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A payout is opened by what held the money, in the same commit, and holds it from then on, so it cannot be paid
//! twice. To a bank account it takes 24 to 72 hours, into a wallet none (`001_146075c5300aa4f1.txt`).
//!
//! Before the gateway is asked, the host's [`Kyc`](crate::escrow::Kyc) policy may hold it: it is `HELD` then, for a reason,
//! and goes out by itself once the policy allows it.
//!
//! A bank may send the money back days after the gateway has said that it arrived. The payout holds it again then, as
//! `RETURNED`, until it goes on to another account of the payee's or into the payee's wallet. It is the payee's money: what
//! it was paid out of is done with it, notes it and keeps its status. What the bank keeps as its charge is the payee's to bear.
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod event;
mod state;
mod step;

pub use action::open;
pub use event::{Destination, Terms};
pub use state::{Cancelled, Confirmed, Created, Denied, Held, Returned, Went};

use crate::{id::Id, money::Money, party::Role, text::Prose};

/// The id of a payout: `po_…`.
pub type PayoutId = Id<AnyPayout>;

crate::lifecycle! {
    /// A payout: money on its way to a payee.
    pub lifecycle Payout, AnyPayout as "payout" with ids "po" {
        version 1;
        facts Terms;
        opening Terms;
        initial Created;
        happy Created -> Confirmed;
        statuses {
            /// It holds the money; the gateway has been or is about to be asked.
            Created = "CREATED", Funds;
            /// It holds the money, and the gateway is not asked: the host's policy says that its payee may not be paid yet.
            Held = "HELD", Funds;
            /// The payee has the money.
            Confirmed = "CONFIRMED", Nothing;
            /// Declined, for a reason. It still holds the money until it is replaced or given back.
            Denied = "DENIED", Either;
            /// Called off before the gateway was asked; the money is back where it came from.
            Cancelled = "CANCELLED", Nothing;
            /// The bank sent the money back after it had arrived. It holds it again until it is replaced.
            Returned = "RETURNED", Either;
        }
        edges {
            /// The payee has the money.
            confirm(moved: Money) => Confirm records event::Confirmed {
                /// Exactly the amount that was asked.
                Created -> Confirmed by Role::GATEWAY, Release, Seed;
            }
            /// The host's policy says that its payee may not be paid yet.
            hold(reason: Prose) => Hold records event::Held {
                /// Before the gateway is asked; again only for another reason.
                Created | Held -> Held by Role::GATEWAY, Keep, Own;
            }
            /// The host's policy allows it: the gateway is about to be asked.
            let_go => LetGo records event::LetGo {
                /// By itself.
                Held -> Created by Role::GATEWAY, Keep, Own;
            }
            /// It is declined.
            deny(reason: Prose) => Deny records event::Denied {
                /// With the gateway's reason; it still holds the money.
                Created -> Denied by Role::GATEWAY, Keep, Seed;
                /// For good, by the platform: its payee will never be allowed. It still holds the money, and only the platform
                /// says what becomes of it.
                Held -> Denied by Role::PLATFORM, Keep, Own;
            }
            /// The bank sent the money back.
            come_back(moved: Money, reason: Prose) => ComeBack records event::CameBack {
                /// All of it, from a bank account.
                Confirmed -> Returned by Role::GATEWAY, Collect, Own;
            }
            /// Its money goes on to a new payout with another destination.
            replace(to: Destination) => Replace records event::Replaced {
                /// Once, unless it was given back. By the platform alone where it denied the payout for good.
                Denied -> Denied by Role::PAYEE | Role::PLATFORM, Release, Seed;
                /// Once.
                Returned -> Returned by Role::PAYEE | Role::PLATFORM, Release, Own;
            }
            /// Its money returns to where it came from.
            give_back => GiveBack records event::GivenBack {
                /// Once, unless it was replaced. Not one that is sent again: what it came from is done with it.
                Denied -> Denied by Role::PLATFORM, Release, Seed;
            }
            /// The platform calls it off.
            cancel => Cancel records event::Cancelled {
                /// Only while the gateway has not been asked; the money returns to where it came from.
                Created -> Cancelled by Role::PLATFORM, Release, Seed;
                /// As above.
                Held -> Cancelled by Role::PLATFORM, Release, Own;
            }
        }
        notes {}
        commands Command;
    }
}
