//! Campaigns: many back one owner. The target is met by the deadline and the owner is paid, or everybody has the money back.
//!
//! ```
//! use escrowed::campaign::{AnyCampaign, Campaign, Status, Terms};
//! use escrowed::escrow::{Escrow, ManualClock};
//! use escrowed::{memory::Memory, party::Actor, payment::Method, pledge::Offer, sandbox::Sandbox, store::Store};
//! # use std::time::Duration;
//! # futures_lite::future::block_on(async {
//! let clock = ManualClock::at("2026-05-07T12:00:00Z".parse()?);
//! let escrow = Escrow::with_clock(Memory::new(), Sandbox::new(7), clock.clone());
//! let (owner, shop, until) = ("olga".parse()?, "shop".parse()?, "2026-05-08T12:00:00Z".parse()?);
//! let terms = Terms::new("A record".parse()?, "50.00 EUR".parse()?, until, owner, shop, "sandbox".parse()?);
//!
//! let mut unit = escrow.store().begin().await?;
//! let campaign = escrow.open(&mut unit, Campaign::open, terms, Actor::Party("olga".parse()?)).await?.id();
//! for backer in ["anna", "ben"] {
//!     let offer = Offer { backer: backer.parse()?, amount: "30.00 EUR".parse()? };
//!     escrow.pledge::<AnyCampaign, _>(&mut unit, campaign, offer, Method::Card, Actor::Party(backer.parse()?)).await?;
//! }
//! escrow.store().commit(unit).await?;
//! escrow.send(&"worker-1".parse()?, 10).await?;       // both are paid
//!
//! clock.advance(Duration::from_secs(24 * 3600));
//! escrow.run_due(&"worker-1".parse()?, 100).await?;   // gathers what was paid, then decides
//! let mut unit = escrow.store().begin().await?;
//! let campaign = escrow.load(&mut unit, campaign).await?;
//! assert_eq!((campaign.status(), campaign.facts().raised()), (Status::Funded, "60.00 EUR".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Each backer's money is a [`pledge`] of its own. Paid pledges are gathered in the campaign's escrow
//! account, every ten minutes unless the [`Policy`] says otherwise, so what is [`raised`](Facts::raised) is at most that
//! old. At the deadline the campaign is `COUNTING`: what was paid in time is gathered, what was not paid is called off.
//! Only then it is decided. Where the target was missed, or somebody called it off, every pledge goes back, each with a
//! refund of its own. Money that comes later goes back by itself.
//!
//! # Tens of thousands of pledges
//! Counting and giving back are done in batches, [`Policy::batch`] pledges at a time and each by one write in a unit of its
//! own: to a worker, one deadline that it takes ([`run_due`](crate::escrow::Escrow::run_due)), so other deadlines have their
//! turn between two batches. A batch is one event of the campaign, which says how far it got, so whoever comes next goes on
//! there, after a crash too; the ids of refunds are derived from the step that opens them, so none is opened twice.
//! Everything that happens to one pledge (a payment, a webhook, a refund) reads and writes that pledge only.
//!
#![doc = include_str!("costs.md")]
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod after;
mod agreement;
mod event;
mod raising;
mod rule;
mod state;
mod step;
mod terms;

pub use crate::pledge::Close;
pub use raising::{Cancelled, Counting, Funded, Missed, Open, Returned};
pub use state::{PendingRelease, Released};
pub use terms::{Facts, Keep, Policy, Terms};

use crate::{
    deal::Counted,
    id::Id,
    party::Role,
    payment::{After, Destination, Evidence, Noted},
    pledge::{self, Pledge, PledgeId},
};

/// The id of a campaign: `cmp_…`.
pub type CampaignId = Id<AnyCampaign>;

/// Whose campaign it is.
pub const OWNER: Role = Role::party("owner");

crate::lifecycle! {
    /// A campaign: many back one owner.
    pub lifecycle Campaign, AnyCampaign as "campaign" with ids "cmp" {
        version 1;
        facts Facts;
        opening Terms;
        initial Open;
        happy Open -> Counting -> Funded -> PendingRelease -> Released;
        statuses {
            /// Pledges are taken, and gathered once they are paid.
            Open = "OPEN", Either;
            /// No more pledges are taken; the last paid ones are gathered, batch by batch.
            Counting = "COUNTING", Either;
            /// The target is met, or the owner keeps it all; the payout must be validated.
            Funded = "FUNDED", Funds;
            /// Validated; the payout is on its way. Needs nobody.
            PendingRelease = "PENDING_RELEASE", Nothing;
            /// The owner has the money.
            Released = "RELEASED", Nothing;
            /// The target was missed; the pledges go back, batch by batch.
            Missed = "MISSED", Either;
            /// Called off; the pledges go back, batch by batch.
            Cancelled = "CANCELLED", Either;
            /// Every pledge has gone back; each tells how far its refund is.
            Returned = "RETURNED", Nothing;
        }
        edges {
            /// No more pledges are taken.
            close => Close records event::Closed {
                /// The clock comes at the deadline; by itself, once the target is met, where the policy says so.
                Open -> Counting by Role::CLOCK | Role::GATEWAY, Keep, Seed;
            }
            /// Everything is counted.
            decide => Decide records event::Decided {
                /// Funded when the target is met; with less, where the owner keeps it all and it covers the fee.
                Counting -> Funded | Missed by Role::GATEWAY, Keep, Seed;
            }
            /// The word that the money may go.
            validate => Validate records event::Validated {
                /// Opens the payout and books the fee.
                Funded -> PendingRelease by OWNER | Role::PLATFORM, Release, Seed;
            }
            /// The owner is paid.
            release => Release records event::Released {
                /// Needs the payout confirmed.
                PendingRelease -> Released by Role::GATEWAY, Keep, Seed;
            }
            /// Calls the campaign off.
            cancel => Cancel records event::Cancelled {
                Open | Counting -> Cancelled by OWNER | Role::PLATFORM, Keep, Seed;
                /// The clock comes when nobody validates in time.
                Funded -> Cancelled by OWNER | Role::PLATFORM | Role::CLOCK, Keep, Own;
            }
            /// Every pledge has gone back.
            finish => Finish records event::Finished {
                /// Needs nothing held.
                Missed | Cancelled -> Returned by Role::GATEWAY, Keep, Seed;
            }
        }
        notes {
            /// Takes the money of paid pledges.
            gather(pledges: &'e [&'e Pledge<pledge::Gathered>], through: Option<PledgeId>) => Gather records event::Gathered {
                Open | Counting by Role::GATEWAY, Collect, Seed;
            }
            /// Gives some of the pledges back: one that was withdrawn, or a batch.
            give_back(pledges: &'e [&'e Pledge<pledge::Returned>], through: Option<PledgeId>) => GiveBack records event::GivenBack {
                Open | Missed | Cancelled by Role::GATEWAY, Part, Seed;
            }
            /// Gives the only pledge back, or the last batch.
            give_rest_back(pledges: &'e [&'e Pledge<pledge::Returned>], through: Option<PledgeId>) => GiveRestBack records event::RestGivenBack {
                Open | Missed | Cancelled by Role::GATEWAY, Refund, Seed;
            }
            /// Says where the owner is paid; into the owner's wallet unless said.
            set_payout(to: Destination) => SetPayout records event::PayoutSet {
                Open | Counting | Funded by OWNER | Role::PLATFORM, Keep, Own;
            }
            /// The payout was confirmed or denied, or passed its money to another.
            count(evidence: &'e Evidence<'e>) => Count records Counted {
                PendingRelease by Role::GATEWAY, Keep, Own;
            }
            /// What happened to money that had left for good, such as a payout that came back from the bank.
            note_after(after: After<'e>) => NoteAfter records Noted {
                Released by Role::GATEWAY, Keep, Own;
            }
        }
        commands Command<'e>;
    }
}
