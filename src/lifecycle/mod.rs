//! The kernel: a lifecycle as a table, the check that its money is safe, steps, transitions and replay.
//!
//! ```
//! use escrowed::order;
//!
//! let published = order::TABLE.status("PUBLISHED").expect("a status of the table");
//! let ways: Vec<_> = order::TABLE.edges.iter().filter(|edge| edge.from.contains(&published)).collect();
//! assert!(ways.iter().any(|edge| order::TABLE.actions[edge.action] == "accept"));
//! assert!(order::TABLE.statuses[published].holds == escrowed::lifecycle::Holds::Funds);
//! ```
//!
//! - [`Table`]: statuses, what they hold, edges, who takes them, what the money does. [`lifecycle!`](crate::lifecycle!)
//!   writes it as a `const` and checks it while the crate is compiled.
//! - [`Takes`]: what one event demands of a value of one status and what it makes of it, the same live and in replay.
//! - [`Transition`]: a step that was taken but not yet saved.
//! - [`Refused`]: a step that was not taken, with the value unchanged and the [`Reason`].
//! - [`replay`]: a value from its log, trusting nothing of it; [`replay_to`]: as it was once.

mod check;
mod effects;
mod expand;
mod head;
mod macros;
mod only;
mod plain;
mod query;
mod refused;
mod replay;
mod step;
mod table;
mod transition;

pub(crate) use effects::Written;
pub use effects::{Effects, once};
pub use head::{Facts, Head, History, Known, Passage, Payees};
pub(crate) use only::{only, wrong_status};
pub(crate) use plain::plain;
pub use refused::{Reason, Refused};
pub use replay::{Corrupt, Flaw, replay, replay_to};
pub(crate) use replay::{Retraced, retrace};
pub(crate) use step::note;
pub use step::{Kernel, Lifecycle, Opening, Recorded, Takes, Value, open, take};
#[doc(hidden)]
pub use step::{may, may_take, redo};
pub use table::{Edge, Flow, Holds, Origin, StatusRow, Table, UnknownStatus};
pub(crate) use transition::revise;
pub use transition::{Failure, Transition, Unsaved};
