//! Pledges: one backer's money for something that many pay for, such as a campaign. Each is a lifecycle of its own, so that
//! what happens to one of fifty thousand costs what it would cost if there were one.
//!
//! ```
//! use escrowed::campaign::{Campaign, CampaignId, Terms};
//! use escrowed::party::{Actor, Stamp};
//! use escrowed::pledge::{Offer, Pledge, PledgeId, Status};
//!
//! let at = |name: &str| Stamp::new(Actor::Party(name.parse().unwrap()), "2026-05-07T15:39:46Z".parse().unwrap());
//! let (owner, shop, until) = ("olga".parse()?, "shop".parse()?, "2026-06-06T12:00:00Z".parse()?);
//! let terms = Terms::new("A record".parse()?, "5000.00 EUR".parse()?, until, owner, shop, "sandbox".parse()?);
//! let campaign = Campaign::open(CampaignId::generate(at("olga").at), terms, &at("olga"))?.widen();
//!
//! // The campaign is the evidence: nobody can pledge to one that is closed.
//! let offer = Offer { backer: "anna".parse()?, amount: "25.00 EUR".parse()? };
//! let pledge = Pledge::open(PledgeId::generate(at("anna").at), campaign.value(), offer, &at("anna"))?;
//! assert_eq!(pledge.value().status(), Status::Created);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is pledged to is a [`Pool`]: a [`campaign`](crate::campaign), a [`loan`](crate::loan), or a lifecycle of the host's
//! own. A pledge's payins and refunds are about the pledge, and the pledge is about its pool
//! ([`Query::About`](crate::store::Query::About) lists a pool's pledges). Its money goes from the payin to the pledge, and on
//! to the pool's own escrow account at the next *gathering*, together with that of the others who paid meanwhile: one event
//! of the pool for all of them. What has to go back comes back to the pledge, and goes on into a refund in the same commit.
//!
//! A pledge whose pool was paid out stays `GATHERED`: what became of the money is told once, by the pool. One to a
//! [`loan`](crate::loan) notes what it has [`received`](Facts::received) of each repayment.
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod after;
mod agreement;
mod event;
mod pool;
mod pooled;
mod pooling;
mod proceeds;
mod raising;
mod rule;
mod state;
mod step;
mod terms;

pub use pool::{Pool, Stage};
pub(crate) use pooled::{Back, PoolGathered, PoolGaveBack, PoolGaveRestBack};
pub use proceeds::Proceeds;
pub use raising::Close;
pub use state::{Cancelled, Created, Gathered, Paid, Refunded, Returned};
pub use terms::{Facts, Offer, Terms};
pub(crate) use {pooling::pooled, raising::raised_by_pledges};

use crate::{
    deal::{Counted, Lost, PayinClosed, PayinOpened},
    id::Id,
    party::Role,
    payment::{After, Evidence, Method, Noted, Payin, payin},
};

/// The id of a pledge: `pl_…`.
pub type PledgeId = Id<AnyPledge>;

/// Who pledges.
pub const BACKER: Role = Role::party("backer");

crate::lifecycle! {
    /// A pledge: one backer's money for what many pay for.
    pub lifecycle Pledge, AnyPledge as "pledge" with ids "pl" {
        version 1;
        facts Facts;
        opening Terms;
        initial Created;
        happy Created -> Paid -> Gathered;
        statuses {
            /// The payment is awaited.
            Created = "CREATED", Nothing;
            /// Paid; the money waits for the next gathering.
            Paid = "PAID", Funds;
            /// The money is in the escrow account of what it was pledged to.
            Gathered = "GATHERED", Nothing;
            /// Withdrawn, too late, or not needed: the refund is on its way.
            Returned = "RETURNED", Nothing;
            /// The backer has the money back.
            Refunded = "REFUNDED", Nothing;
            /// Called off before anything was paid.
            Cancelled = "CANCELLED", Nothing;
        }
        edges {
            /// The payment is there, in time.
            collect(payin: &'e Payin<payin::Confirmed>) => Collect records event::Collected {
                /// Needs a confirmed payin of exactly the pledge, before the deadline.
                Created -> Paid by Role::GATEWAY, Collect, Own;
            }
            /// The payment is there, too late.
            turn_away(payin: &'e Payin<payin::Confirmed>) => TurnAway records event::TurnedAway {
                /// Needs a confirmed payin at the deadline or later. Opens the refund.
                Created -> Returned by Role::GATEWAY, Pass, Own;
            }
            /// The money goes to what it was pledged to.
            gather => Gather records event::Gathered {
                /// Together with what counts it.
                Paid -> Gathered by Role::GATEWAY, Release, Seed;
            }
            /// The backer changes its mind.
            withdraw => Withdraw records event::Withdrawn {
                /// Before the deadline, where the policy allows it. Opens the refund.
                Paid -> Returned by BACKER | Role::PLATFORM, Refund, Own;
                /// Before the deadline, where the policy allows it, together with what gives it up. Opens the refund.
                Gathered -> Returned by BACKER | Role::PLATFORM, Pass, Own;
            }
            /// It is not needed.
            give_back => GiveBack records event::GivenBack {
                /// Opens the refund.
                Paid -> Returned by Role::GATEWAY, Refund, Seed;
                /// Together with what gives it up. Opens the refund.
                Gathered -> Returned by Role::GATEWAY, Pass, Seed;
            }
            /// The backer has the money back.
            refund => Refund records event::Refunded {
                /// Needs the refund confirmed.
                Returned -> Refunded by Role::GATEWAY, Keep, Own;
            }
            /// Calls it off before anything was paid. A payin under way is called off, too.
            cancel => Cancel records event::Cancelled {
                /// The clock comes at the deadline, the gateway when what was pledged to is closed.
                Created -> Cancelled by BACKER | Role::PLATFORM | Role::CLOCK | Role::GATEWAY, Keep, Own;
            }
        }
        notes {
            /// Opens a payin. From a wallet it is paid in the same breath.
            pay(by: Method) => Pay records PayinOpened {
                /// One at a time, before the deadline.
                Created by BACKER | Role::PLATFORM, Keep, Own;
            }
            /// No money comes of the payin under way: another may be opened.
            drop_payin(payin: Lost<'e>) => DropPayin records PayinClosed {
                Created by Role::GATEWAY, Keep, Own;
            }
            /// The refund was confirmed or denied, or passed its money to another.
            count(evidence: &'e Evidence<'e>) => Count records Counted {
                Returned by Role::GATEWAY, Keep, Own;
            }
            /// What happened to its money behind its back, such as a payment that was charged back.
            note_after(after: After<'e>) => NoteAfter records Noted {
                Paid | Gathered | Returned | Refunded by Role::GATEWAY, Keep, Own;
            }
            /// What it was lent to repays: its part goes on into the backer's wallet.
            receive(proceeds: Proceeds) => Receive records event::Received {
                /// Together with what shares it out.
                Gathered by Role::GATEWAY, Pass, Own;
            }
        }
        commands Command<'e>;
    }
}
