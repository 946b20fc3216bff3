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
//! What the platform has written off of what a payer owes for a chargeback, it recoups where the payer gets the money here after
//! all: out of a refund of the same payin into the payer's wallet, in the write that brings it there. Such a refund first pays
//! what is still owed. Anna pledged €50.00 and charged them back while her wallet held €20.00, and the shop wrote off the rest.
//! Then the campaign is called off, and her pledge goes back:
//!
//! ```
//! use escrowed::campaign::{Campaign, Command, Terms};
//! use escrowed::gateway::{Dispute, DisputeStage};
//! use escrowed::money::Currency;
//! use escrowed::movement::{Frame, Outside, Plan};
//! use escrowed::payment::{AnyDebt, DebtId, Method, debt};
//! use escrowed::pledge::Offer;
//! use escrowed::store::{Query, Store, Views};
//! # use escrowed::{escrow::{Escrow, ManualClock}, memory::Memory, party::Actor, sandbox::Sandbox};
//! # futures_lite::future::block_on(async {
//! # let escrow = Escrow::with_clock(Memory::new(), Sandbox::new(7), ManualClock::at("2026-05-07T12:00:00Z".parse()?))
//! #     .with_platform("shop".parse()?);
//! # let party = |name: &str| Actor::Party(name.parse().unwrap());
//! # let (worker, ops, until) = ("worker-1".parse()?, Actor::platform("ops".parse()?), "2026-05-08T12:00:00Z".parse()?);
//! # let mut unit = escrow.store().begin().await?;
//! # let frame = Frame::new("Earlier".parse()?, until, "shop".parse()?, "sandbox".parse()?);
//! # for (name, amount) in [("shop", "100.00 EUR"), ("anna", "20.00 EUR")] {
//! #     let top_up = Plan::top_up(frame.clone(), name.parse()?, Outside::Card, amount.parse()?);
//! #     escrow.move_money(&mut unit, top_up, party(name)).await?;
//! # }
//! # let gateway = "sandbox".parse()?;
//! # let terms = Terms::new("A record".parse()?, "500.00 EUR".parse()?, until, "olga".parse()?, "shop".parse()?, gateway);
//! # let campaign = escrow.open(&mut unit, Campaign::open, terms, party("olga")).await?.id();
//! # let offer = Offer { backer: "anna".parse()?, amount: "50.00 EUR".parse()? };
//! # let pledge = escrow.pledge(&mut unit, campaign, offer, Method::Card, party("anna")).await?;
//! # escrow.store().commit(unit).await?;
//! # escrow.send(&worker, 10).await?;
//! # let dispute = Dispute {
//! #     payin: pledge.facts().till().opened()[0].subject(),
//! #     reference: "dp_1".parse()?,
//! #     amount: "50.00 EUR".parse()?,
//! #     fee: "0.00 EUR".parse()?,
//! #     reason: "fraudulent".parse()?,
//! #     stage: DisputeStage::Open,
//! # };
//! # let mut unit = escrow.store().begin().await?;
//! escrow.dispute(&mut unit, &dispute).await?;             // her wallet's €20.00 are taken, €30.00 are owed
//! let debts = unit.find(&Query::status("debt".parse()?, "OPEN"), None, 10).await?.rows;
//! let debt = DebtId::try_from(debts[0].subject)?;
//! escrow.act_on_debt(&mut unit, debt, debt::Command::WriteOff {}, ops.clone()).await?;
//! assert_eq!(unit.balance(&"wallet:shop".parse()?, Currency::EUR).await?, "70.00 EUR".parse()?);
//!
//! escrow.act(&mut unit, campaign, Command::Cancel {}, party("olga")).await?;
//! escrow.store().commit(unit).await?;
//! escrow.run_due(&worker, 10).await?;                     // the pledge goes back
//! # let mut unit = escrow.store().begin().await?;
//! for (account, left) in [("wallet:shop", "100.00 EUR"), ("wallet:anna", "20.00 EUR")] {
//!     assert_eq!(unit.balance(&account.parse()?, Currency::EUR).await?, left.parse()?);
//! }
//! let AnyDebt::Paid(debt) = escrow.load(&mut unit, debt).await? else { panic!() };
//! assert_eq!(debt.facts().recouped(), "30.00 EUR".parse()?);
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
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

use super::refund::{Confirmed as RefundConfirmed, Refund};
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
            /// All of it was paid off, or recouped.
            Paid = "PAID", Nothing;
            /// The rest of it is the platform's loss, as far as it is not recouped.
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
            /// What was written off comes in after all, by a refund into the debtor's wallet.
            recoup(amount: Money, of: &'e Refund<RefundConfirmed>) => Recoup records event::Recouped {
                /// Into the platform's wallet. Paid once all of it has come.
                WrittenOff -> WrittenOff | Paid by Role::GATEWAY, Pass, Own;
            }
        }
        notes {
            /// The debtor's wallet was empty: it is looked at again later.
            defer => Defer records event::Deferred {
                Open | Covered by Role::CLOCK, Keep, Own;
            }
        }
        commands Command<'e>;
    }
}

impl Terms {
    /// What the money that is owed was of, once: whoever looks for it finds the debt, too.
    #[must_use]
    pub const fn about(&self) -> Subject {
        self.about
    }
}
