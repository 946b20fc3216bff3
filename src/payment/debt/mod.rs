//! What somebody owes after the end: money that was charged back, or given back, and that was no longer there to take.
//!
//! ```
//! use escrowed::ledger::Account;
//! use escrowed::payment::debt;
//!
//! // A debt is booked: what the account is below zero is owed, and it never goes above.
//! let owed: Account = "debt:sam".parse()?;
//! assert!(owed.owed() && owed.may_hold(-5_000) && !owed.may_hold(1));
//! // Whoever owes it may pay, the platform may set its own money aside for it, and somebody may write it off.
//! let open = debt::TABLE.status("OPEN").expect("a status of the table");
//! for action in [debt::Action::Recover, debt::Action::PayOff, debt::Action::Cover, debt::Action::WriteOff] {
//!     assert!(debt::TABLE.edge(open, action as usize).is_some());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A debt is opened by what has to be paid all the same, in the same commit: its amount goes from `debt:PARTY` there. No
//! wallet ever goes below zero for it.
//!
//! It is paid off out of the debtor's wallet: by the worker, which looks there each time the debt's deadline comes (see
//! [`Terms::every`]), and at once by [`Escrow::recover`](crate::escrow::Escrow::recover). Not in the write that pays into the
//! wallet: whoever pays may spend it before the worker comes. A host that wants no such gap calls `recover` in the same unit.
//! Only what a payer owes for a chargeback is paid at once by a refund of the same payin into the payer's wallet, such as of a
//! pledge that goes back: the bank has given it back before.
//!
//! Until then nobody's money stands for it. The platform may set its own aside, which makes the debt `COVERED`: then all that
//! others own is there, whatever becomes of the debt. Writing off is an office's act, and the platform's loss: out of its
//! wallet, which must hold it, or out of what it had set aside. Never anybody else's.
//!
//! Who owes what is asked of the index, by status or party, and of the statement of `debt:PARTY`.
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod event;
mod state;
mod step;

pub use action::{Owing, open};
pub use event::{Source, Terms};
pub use state::{Covered, Facts, Open, Paid, WrittenOff};

use crate::{
    id::{Id, Subject},
    money::Money,
    party::Role,
};

/// The id of a debt: `debt_…`.
pub type DebtId = Id<AnyDebt>;

/// The party that owes it.
pub const DEBTOR: Role = Role::party("debtor");

crate::lifecycle! {
    /// A debt: what a party owes the platform.
    pub lifecycle Debt, AnyDebt as "debt" with ids "debt" {
        version 1;
        facts Facts;
        opening Terms;
        initial Open;
        happy Open -> Paid;
        statuses {
            /// It is owed, and nobody's money stands for it.
            Open = "OPEN", Nothing;
            /// It is owed, and the platform has set as much of its own aside.
            Covered = "COVERED", Funds;
            /// All of it was paid off.
            Paid = "PAID", Nothing;
            /// The rest of it is the platform's loss.
            WrittenOff = "WRITTEN_OFF", Nothing;
        }
        edges {
            /// Some of it is paid off.
            recover(amount: Money, from: Source) => Recover records event::Recovered {
                /// Less than remains.
                Open -> Open by Role::CLOCK | Role::PLATFORM | DEBTOR | Role::GATEWAY, Pass, Own;
                /// Less than remains. The platform has as much back of what it set aside.
                Covered -> Covered by Role::CLOCK | Role::PLATFORM | DEBTOR | Role::GATEWAY, Part, Own;
            }
            /// The rest of it is paid off.
            pay_off(from: Source) => PayOff records event::PaidOff {
                Open -> Paid by Role::CLOCK | Role::PLATFORM | DEBTOR | Role::GATEWAY, Pass, Own;
                /// The platform has the rest back of what it set aside.
                Covered -> Paid by Role::CLOCK | Role::PLATFORM | DEBTOR | Role::GATEWAY, Release, Own;
            }
            /// The platform sets its own money aside for it.
            cover => Cover records event::Covered {
                /// For all that remains.
                Open -> Covered by Role::PLATFORM, Collect, Own;
            }
            /// The platform gives it up.
            write_off => WriteOff records event::WrittenOff {
                /// Out of the platform's wallet.
                Open -> WrittenOff by Role::PLATFORM, Pass, Own;
                /// Out of what the platform set aside.
                Covered -> WrittenOff by Role::PLATFORM, Release, Own;
            }
        }
        notes {
            /// The debtor's wallet was empty: it is looked at again later.
            defer => Defer records event::Deferred {
                Open | Covered by Role::CLOCK, Keep, Own;
            }
        }
        commands Command;
    }
}

impl Terms {
    /// What the money that is owed was of, once: whoever looks for it finds the debt, too.
    #[must_use]
    pub const fn about(&self) -> Subject {
        self.about
    }
}
