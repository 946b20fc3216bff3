//! Money coming in: by card, by bank wire, or from a wallet.
//!
//! ```
//! use escrowed::{gateway::Capture, order::OrderId, party::{Actor, Stamp}};
//! use escrowed::payment::{Method, Payin, PayinId, payin};
//!
//! let at = Stamp::new(Actor::Party("anna".parse()?), "2026-05-07T15:39:46Z".parse()?);
//! let opened = Payin::open(PayinId::generate(at.at), payin::Terms {
//!     about: OrderId::generate(at.at).subject(),
//!     payer: "anna".parse()?,
//!     amount: "120.00 EUR".parse()?,
//!     method: Method::Card,
//!     capture: Capture::Now,
//!     gateway: "sandbox".parse()?,
//!     expires: None,
//! }, &at)?;
//! assert_eq!(opened.value().status(), payin::Status::Created);
//! assert_eq!(opened.commits()[0].calls().len(), 1);           // the charge, for the outbox
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Statuses are those of Truust's payins (its public API reference). A failed payin is over: the order opens another.
//! Money that arrives after the end, or that nobody waits for any more, opens its own refund in the same commit.
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod event;
mod rule;
mod state;
mod step;

pub use action::{Opened, open};
pub use event::{Method, Terms};
pub use state::{After, Authorized, Cancelled, Confirmed, Created, Denied, Disputes, Over, Refunded, Taken};

use super::{
    chargeback::{self, Chargeback},
    refund::{Confirmed as RefundConfirmed, Refund, Route},
};
use crate::{
    gateway::{Outcome, Verb},
    id::{Id, Subject},
    money::Money,
    party::Role,
    text::{Link, Prose},
};

/// The id of a payin: `pi_…`.
pub type PayinId = Id<AnyPayin>;

crate::lifecycle! {
    /// A payin: money coming in for one order or transaction.
    pub lifecycle Payin, AnyPayin as "payin" with ids "pi" {
        version 1;
        facts Terms;
        opening Terms;
        initial Created;
        happy Created -> Confirmed;
        statuses {
            /// The payer is to pay; the gateway has been or is about to be asked.
            Created = "CREATED", Nothing;
            /// The amount is reserved on the payer's card, and can be captured or let go.
            Authorized = "AUTHORIZED", Nothing;
            /// The money is there.
            Confirmed = "CONFIRMED", Either;
            /// The gateway declined, for a reason.
            Denied = "DENIED", Nothing;
            /// Called off; a reservation is let go.
            Cancelled = "CANCELLED", Nothing;
            /// All of it went back to the payer.
            Refunded = "REFUNDED", Nothing;
        }
        edges {
            /// The gateway reserved the amount.
            authorize(moved: Money) => Authorize records event::Authorized {
                /// Only of a payin that is captured later.
                Created -> Authorized by Role::GATEWAY, Keep, Seed;
            }
            /// The money is there.
            confirm(moved: Money) => Confirm records event::Confirmed {
                /// Exactly the amount that was asked.
                Created | Authorized -> Confirmed by Role::GATEWAY, Collect, Seed;
            }
            /// The gateway declined.
            deny(reason: Prose) => Deny records event::Denied {
                /// With the gateway's reason.
                Created | Authorized -> Denied by Role::GATEWAY, Keep, Seed;
            }
            /// Somebody called it off, or its time ran out.
            cancel => Cancel records event::Cancelled {
                /// An authorisation is voided.
                Created | Authorized -> Cancelled by Role::BUYER | Role::PLATFORM | Role::CLOCK, Keep, Seed;
            }
            /// A refund of it was confirmed.
            refund(refund: &'e Refund<RefundConfirmed>) => Refund records event::RefundCounted {
                /// Refunded once all of it is; partial refunds are counted.
                Confirmed -> Confirmed | Refunded by Role::GATEWAY, Keep, Seed;
            }
        }
        notes {
            /// The gateway waits for the payer.
            await_payer(direct_link: Option<Link>) => AwaitPayer records event::PayerAwaited {
                /// With the page to send the payer to, if there is one.
                Created by Role::GATEWAY, Keep, Seed;
            }
            /// The platform wants the reserved money.
            capture => Capture records event::CaptureAsked {
                /// Once.
                Authorized by Role::PLATFORM, Keep, Implied;
            }
            /// The gateway answered after the end: the void, or that no money comes of what it was asked before.
            note_answer(verb: Verb, outcome: Outcome) => NoteAnswer records event::Answered {
                Denied | Cancelled by Role::GATEWAY, Keep, Own;
            }
            /// The order or transaction that it paid for took its money.
            hand_over(to: Subject) => HandOver records event::HandedOver {
                /// To what it was opened for, all of it.
                Confirmed by Role::GATEWAY, Release, Seed;
            }
            /// The card network took some of its money back.
            charge_back(chargeback: &'e Chargeback<chargeback::Open>) => ChargeBack records event::ChargedBack {
                /// Once each, and none takes more than was paid. Not from a wallet.
                Confirmed | Refunded by Role::GATEWAY, Keep, Own;
            }
            /// The card network returned what it had taken.
            win_back(chargeback: &'e Chargeback<chargeback::Won>) => WinBack records event::WonBack {
                /// Once each.
                Confirmed | Refunded by Role::GATEWAY, Keep, Own;
            }
            /// Nobody waits for its money any more: it goes back.
            give_back => GiveBack records event::GivenBack {
                /// Opens a refund of all of it.
                Confirmed by Role::GATEWAY, Refund, Own;
            }
            /// An amount was reserved after the end: it is let go.
            let_go(moved: Money) => LetGo records event::LetGo {
                /// Once.
                Denied | Cancelled by Role::GATEWAY, Keep, Own;
            }
            /// Money arrived after the end: it goes back.
            bounce(moved: Money) => Bounce records event::Bounced {
                /// Opens a refund of all of it.
                Denied | Cancelled by Role::GATEWAY, Pass, Own;
            }
        }
        commands Command<'e>;
    }
}

impl Terms {
    /// How a refund of it goes back: the way it came.
    #[must_use]
    pub fn route(&self) -> Route {
        match &self.method {
            Method::Card => Route::Original,
            Method::BankWire { refund_to } => Route::Account(refund_to.clone()),
            Method::Wallet => Route::Wallet,
        }
    }
}
