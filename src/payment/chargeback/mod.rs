//! Card payments that are charged back: the card network takes money of a payin, and a dispute decides whether it comes
//! back.
//!
//! ```
//! use escrowed::payment::chargeback;
//!
//! // The money is gone from the start. How the dispute ends is the gateway's word, whether the platform fights it or not.
//! for status in ["OPEN", "ACCEPTED"] {
//!     let status = chargeback::TABLE.status(status).expect("a status of the table");
//!     for action in [chargeback::Action::Win, chargeback::Action::Lose] {
//!         assert!(chargeback::TABLE.edge(status, action as usize).is_some());
//!     }
//! }
//! ```
//!
//! Gateways tell of it by way of [`Escrow::dispute`](crate::escrow::Escrow::dispute), under a reference of their own: what
//! comes twice is one chargeback.
//!
//! # Who bears it
//!
//! 1. What a refund of the payin is yet to bring the payer, the payer bears: it has that from its bank now. The refund is its
//!    to have all the same, and pays what it owes once it goes into its wallet. Each refund counts once, for whichever
//!    chargeback came first, also where its money was passed on to another, or came back from a bank.
//! 2. What the order or deal still holds is taken next, and it is stopped: what is not there must not be released.
//! 3. What has left goes by what each party was paid out of it, fees included: nobody gives back more than it had.
//! 4. What is beyond that had gone back to the payer, who now has it twice, and bears the rest.
//!
//! A payin that was declined or called off, and whose money came all the same, has gone back by itself: its payer bears all.
//!
//! Of a part of a movement its payer bears all, before the release and after it: the parts stand or fall together.
//!
//! Of what a party bears, its wallet gives as much as it holds; the rest is a [debt](super::debt). The gateway's own fee is
//! the platform's to bear, in the same way. Money that is already in a payout or a refund is not called back from there: who
//! is to get it owes it. A refund whose payer owes it [notes that](super::refund), and is sent outside no more.
//!
//! A released order of €100.00 with a fee of €10.00, of which sam was paid €60.00 and tom €30.00. €50.00 are charged back:
//!
//! ```
//! use escrowed::payment::chargeback::shared;
//!
//! let paid = [("sam", "60.00 EUR"), ("tom", "30.00 EUR"), ("shop", "10.00 EUR")];
//! let paid = paid.map(|(party, amount)| (party.parse().unwrap(), amount.parse().unwrap()));
//! let (shares, rest) = shared("50.00 EUR".parse()?, &paid)?;
//! let shares: Vec<_> = shares.iter().map(|(party, amount)| format!("{party} {amount}")).collect();
//! assert_eq!(shares, ["sam 30.00 EUR", "tom 15.00 EUR", "shop 5.00 EUR"]);
//! assert!(rest.is_zero());
//!
//! // Of €50.01 the odd cent goes to the largest remainder, and of €120.00 nobody bears more than it had.
//! let (shares, _) = shared("50.01 EUR".parse()?, &paid)?;
//! assert_eq!(shares.iter().map(|(_, amount)| amount.minor()).collect::<Vec<_>>(), [3001, 1500, 500]);
//! let (shares, rest) = shared("120.00 EUR".parse()?, &paid)?;
//! assert_eq!(shares.iter().map(|(_, amount)| amount.minor()).collect::<Vec<_>>(), [6000, 3000, 1000]);
//! assert_eq!(rest, "20.00 EUR".parse()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where sam's wallet holds €12.00, those are taken, and €18.00 are a debt of sam's. When the dispute is won, the debt is
//! lessened first; what sam had given of its own, then or since, goes into its wallet.
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod event;
mod share;
mod state;
mod step;

pub use action::open;
pub use event::{Back, Terms};
pub(crate) use share::{Borne, borne, owe_their_own};
pub use share::{Part, Share, Stake, shared};
pub use state::{Accepted, Lost, Open, Undecided, Won};

use super::PayinId;
use crate::{gateway::DisputeReference, id::Id, party::Role};

/// The id of a chargeback: `cb_…`.
pub type ChargebackId = Id<AnyChargeback>;

/// The id of the chargeback that a gateway knows by this name, of this payin.
#[must_use]
pub fn id_of(payin: PayinId, reference: &DisputeReference) -> ChargebackId {
    Id::named(payin.subject(), reference.as_str())
}

crate::lifecycle! {
    /// A chargeback: money of a payin that the card network took back.
    pub lifecycle Chargeback, AnyChargeback as "chargeback" with ids "cb" {
        version 1;
        facts Terms;
        opening Terms;
        initial Open;
        happy Open -> Won;
        statuses {
            /// The money is gone; the dispute is not decided.
            Open = "OPEN", Nothing;
            /// The dispute was won: whoever bore it has the money back.
            Won = "WON", Nothing;
            /// The dispute was lost: the money stays gone.
            Lost = "LOST", Nothing;
            /// The platform does not fight it. What holds is the gateway's word all the same.
            Accepted = "ACCEPTED", Nothing;
        }
        edges {
            /// The money came back.
            win(back: Vec<Back>) => Win records event::Won {
                /// All of it, to whoever bore it; the gateway's fee stays gone.
                Open | Accepted -> Won by Role::GATEWAY, Pass, Own;
            }
            /// It will not come back.
            lose => Lose records event::Lost {
                Open | Accepted -> Lost by Role::GATEWAY, Keep, Own;
            }
            /// The platform does not fight it.
            accept => Accept records event::Accepted {
                Open -> Accepted by Role::PLATFORM, Keep, Own;
            }
        }
        notes {}
        commands Command;
    }
}
