//! What a payer has paid as low values since its last challenge: one log for each payer and gateway.
//!
//! ```
//! use escrowed::party::{Actor, Stamp};
//! use escrowed::payment::{PayinId, Tally, tally};
//! use escrowed::{money::Currency, sca::Limits};
//!
//! let at = Stamp::new(Actor::Party("anna".parse()?), "2026-05-07T15:39:46Z".parse()?);
//! let terms = tally::Terms { payer: "anna".parse()?, gateway: "sandbox".parse()?, currency: Currency::EUR };
//! let mut tally = Tally::open(terms, &at)?;
//! for _ in 0..5 {
//!     let (payin, limits) = (PayinId::generate(at.at), Limits::euro().low_value());
//!     tally = tally.then(|tally| tally.count(payin, "19.90 EUR".parse().unwrap(), limits, &at))?;
//! }
//! assert_eq!(tally.value().total(), "99.50 EUR".parse()?);
//! let sixth = tally.then(|tally| tally.count(PayinId::generate(at.at), "0.50 EUR".parse().unwrap(), Limits::euro().low_value(), &at));
//! assert!(sixth.is_err());                        // a challenge is needed
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A payin that asks to be exempt for its low value is counted in the same write that opens it
//! ([`Need::LowValue`](super::payin::Need::LowValue)). The id of the log follows from payer and gateway, so whoever opens two
//! payins at the same moment meets the same log, and its revision lets one of them through; the other one counts anew.
//!
//! What was counted stays counted, whatever becomes of the payin, until the payer passes a challenge: so the count may be too
//! high, and never too low. A challenge clears what was opened before its own payin, and that payin; what was opened after it
//! may have come after the challenge, and stays. All of a payer's payins are counted in one currency, that of the first: in
//! another one the payer has to pass a challenge.
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod event;
mod state;
mod step;

pub use action::{Passed, id_of};
pub use event::Terms;
pub use state::{Counting, Low};

use super::PayinId;
use crate::{id::Id, money::Money, party::Role, sca::LowValue};

/// The id of a tally: `tally_…`. It follows from payer and gateway: see [`id_of`].
pub type TallyId = Id<AnyTally>;

crate::lifecycle! {
    /// What a payer has paid as low values since its last challenge.
    pub lifecycle Tally, AnyTally as "tally" with ids "tally" {
        version 1;
        facts Terms;
        opening Terms;
        initial Counting;
        statuses {
            /// It counts.
            Counting = "COUNTING", Nothing;
        }
        edges {
            /// The payer has passed a challenge.
            reset(passed: Passed<'e>) => Reset records event::Reset {
                /// What was opened before it counts no more.
                Counting -> Counting by Role::GATEWAY, Keep, Own;
            }
        }
        notes {
            /// A payin is exempt for its low value.
            count(payin: PayinId, amount: Money, limits: LowValue) => Count records event::Counted {
                /// Within the limits, together with those before.
                Counting by Role::BUYER | Role::PLATFORM, Keep, Own;
            }
        }
        commands Command<'e>;
    }
}
