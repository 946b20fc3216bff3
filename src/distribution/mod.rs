//! Distributions: a repayment on its way to everybody who lent, batch by batch, to the last minor unit.
//!
//! ```
//! use escrowed::distribution::{Run, Tranche};
//!
//! // 100.00 of principal and 5.00 of interest for pledges of 50.00, 30.00 and 20.00 to a loan of 100.00: a third now, the
//! // rest later.
//! let pledges = [("50.00", "0.00"), ("30.00", "0.00"), ("20.00", "0.00")];
//! let nothing = "0.00 EUR".parse()?;
//! let first = Tranche { before: nothing, now: "33.33 EUR".parse()? };
//! let mut run = Run::default();
//! let mut parts = Vec::new();
//! for (pledged, had) in pledges {
//!     let (pledged, had) = (format!("{pledged} EUR").parse()?, format!("{had} EUR").parse()?);
//!     parts.push(run.part(&first, "100.00 EUR".parse()?, pledged, had)?.to_string());
//! }
//! assert_eq!(parts, ["16.66 EUR", "10.00 EUR", "6.67 EUR"]);      // together 33.33
//!
//! let rest = Tranche { before: first.now, now: "66.67 EUR".parse()? };
//! let (mut run, mut later) = (Run::default(), Vec::new());
//! for ((pledged, _), had) in pledges.iter().zip(&parts) {
//!     let (pledged, had) = (format!("{pledged} EUR").parse()?, had.parse()?);
//!     later.push(run.part(&rest, "100.00 EUR".parse()?, pledged, had)?.to_string());
//! }
//! assert_eq!(later, ["33.34 EUR", "20.00 EUR", "13.33 EUR"]);     // with the first: 50.00, 30.00 and 20.00
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A repayment is one event of its [`loan`](crate::loan), which opens a distribution with the money. A worker shares it
//! out, a batch in each step of the clock: an event that says how far it got, so whoever comes next goes on there, after a
//! crash too. Each [`pledge`](crate::pledge) notes its part and passes it on into the backer's wallet in the same write.
//! A log of its own keeps the loan's short: with fifty thousand lenders and sixty instalments it would have three million
//! parts to read in every step otherwise.
//!
//! So a repayment is taken in the time of one step, however many lent, and each step of the clock takes the time of one batch:
//! `cargo bench --bench loan --features sqlite` measures both.
//!
//! # Who gets how much
//! The lenders stand in a row, in the order of their pledges' ids. Of all that has been repaid so far, `R`, to a loan of `W`,
//! the first `i` of them, who pledged `P` together, have ⌊R · P / W⌋ in the end; a lender gets what its row still lacks when
//! its turn comes, never less than nothing, and none beyond what there is. Principal and interest are shared each for
//! itself, by their own totals. So
//!
//! - what is shared out is the repayment, to the last minor unit;
//! - rounding is made good by the next repayment, as all are counted together: nothing drifts, however many there are;
//! - nobody is ever a whole minor unit ahead of the exact part R · w / W of a pledge of `w`, nor as much behind while each
//!   repayment brings everybody at least one minor unit; with less than that for some, these wait for the next;
//! - once all principal is repaid, R = W, everybody has exactly what was pledged.
//!
//! This is the rounding of running totals ("cumulative rounding"), of which the unit tests prove each of the four.
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod agreement;
mod event;
mod run;
mod state;
mod step;
mod terms;

pub use event::Batch;
pub use run::{Run, Tranche};
pub use state::{Shared, Sharing};
pub use terms::{Facts, Terms};

use crate::{id::Id, party::Role};

/// The id of a distribution: `dst_…`.
pub type DistributionId = Id<AnyDistribution>;

crate::lifecycle! {
    /// A distribution: a repayment on its way to everybody who lent.
    pub lifecycle Distribution, AnyDistribution as "distribution" with ids "dst" {
        version 1;
        facts Facts;
        opening Terms;
        initial Sharing;
        happy Sharing -> Shared;
        statuses {
            /// It is shared out, batch by batch.
            Sharing = "SHARING", Funds;
            /// Everybody has their part.
            Shared = "SHARED", Nothing;
        }
        edges {
            /// The last batch: all that is left.
            finish(batch: Batch) => Finish records event::Finished {
                /// Together with the pledges that get it.
                Sharing -> Shared by Role::GATEWAY, Release, Own;
            }
        }
        notes {
            /// A batch of lenders gets its parts.
            share(batch: Batch) => Share records event::Shared {
                /// Together with the pledges that get them.
                Sharing by Role::GATEWAY, Part, Own;
            }
            /// A batch of lenders gets nothing: there is less than a minor unit for each.
            pass(batch: Batch) => Pass records event::Passed {
                Sharing by Role::GATEWAY, Keep, Own;
            }
        }
        commands Command;
    }
}
