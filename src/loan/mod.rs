//! Loans: many lend to one borrower, who repays by a schedule; each repayment is shared among the lenders.
//!
//! ```
//! use escrowed::escrow::{Escrow, ManualClock};
//! use escrowed::loan::{AnyLoan, Command, DayCount, Form, Loan, Plan, Status, Terms};
//! use escrowed::{memory::Memory, party::Actor, payment::Method, pledge::Offer, sandbox::Sandbox, store::Store};
//! use escrowed::store::Views;
//! # use std::time::Duration;
//! # futures_lite::future::block_on(async {
//! let clock = ManualClock::at("2026-01-14T12:00:00Z".parse()?);
//! let escrow = Escrow::with_clock(Memory::new(), Sandbox::new(7), clock.clone());
//! let (bea, shop, until) = ("bea".parse()?, "shop".parse()?, "2026-01-15T12:00:00Z".parse()?);
//! let plan = Plan { rate: "6%".parse()?, form: Form::Annuity, instalments: 12, months: 1, day_count: DayCount::Thirty360E };
//! let terms = Terms::new("A bakery".parse()?, "10000.00 EUR".parse()?, until, bea, shop, "sandbox".parse()?, plan);
//!
//! let (mut unit, bea) = (escrow.store().begin().await?, Actor::Party("bea".parse()?));
//! let loan = escrow.open(&mut unit, Loan::open, terms, bea.clone()).await?.id();
//! for (lender, amount) in [("anna", "5000.00 EUR"), ("ben", "3000.00 EUR"), ("cleo", "2000.00 EUR")] {
//!     let offer = Offer { backer: lender.parse()?, amount: amount.parse()? };
//!     escrow.pledge::<AnyLoan, _>(&mut unit, loan, offer, Method::Card, Actor::Party(lender.parse()?)).await?;
//! }
//! escrow.store().commit(unit).await?;
//! escrow.send(&"worker-1".parse()?, 10).await?;       // all are paid
//! clock.advance(Duration::from_secs(24 * 3600));
//! escrow.run_due(&"worker-1".parse()?, 100).await?;   // gathers what was paid, then decides
//!
//! let mut unit = escrow.store().begin().await?;
//! let validated = escrow.act(&mut unit, loan, Command::Validate {}, bea.clone()).await?;
//! escrow.store().commit(unit).await?;
//! assert_eq!(validated.status(), Status::Repaying);   // paid into bea's wallet, at once
//!
//! clock.advance(Duration::from_secs(31 * 24 * 3600));
//! let (mut unit, amount) = (escrow.store().begin().await?, "860.66 EUR".parse()?);
//! escrow.act(&mut unit, loan, Command::Repay { amount, by: Method::Wallet }, bea).await?;
//! escrow.store().commit(unit).await?;
//! escrow.run_due(&"worker-1".parse()?, 100).await?;   // shares it out: 810.66 of principal and 50.00 of interest
//!
//! let mut unit = escrow.store().begin().await?;
//! let has = unit.balance(&"wallet:anna".parse()?, escrowed::money::Currency::EUR).await?;
//! assert_eq!(has, "430.33 EUR".parse()?);             // half of each: 405.33 and 25.00
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! Up to the payout a loan is what a [`campaign`](crate::campaign) is: each lender's money is a [`pledge`] of its own, paid
//! pledges are gathered, and where the target is missed, or somebody calls it off, each goes back. What was raised is lent:
//! the borrower is paid less the platform's fee, and owes all of it.
//!
//! From the day of the payout the borrower owes by a schedule ([`Plan`]), and what it owes on any day is told exactly
//! ([`Debt`]): what accrues, what is due, what would pay the loan off, and what is still to come. A repayment
//! ([`repay`](Loan::repay)) is a payin of any amount up to the payoff; more is refused. Its principal and its interest are
//! shared out by a [`distribution`](crate::distribution), to the last minor unit, into the lenders' wallets, where each is
//! an entry of its own ([`Purpose::Principal`](crate::ledger::Purpose::Principal) and
//! [`Purpose::Interest`](crate::ledger::Purpose::Interest)). Each pledge tells what it has
//! [`received`](crate::pledge::Facts::received).
//!
//! # Early, partial, late, never
//! With €10,000 at 6 % for 12 months, paid out on January 15th:
//!
//! - **Early**: on January 30th, 15 days of 360 later, €10,025.00 pay it off, and no interest beyond that day is owed.
//! - **Partial**: €500.00 on February 15th are €50.00 of interest and €450.00 of principal; €360.66 stay due.
//! - **Late**: an instalment's day and the [`Policy::grace`] after it pass; the clock makes the loan `LATE`. It is `REPAYING` again
//!   once all that has fallen due is paid.
//! - **Never**: the platform declares a default. Nothing more accrues. Whatever the borrower still pays, or the platform
//!   [`recover`](Loan::recover)s, is shared out in the same way, principal first; the rest is written off by the platform, and
//!   [`WrittenOff::lost`] tells it.
//!
//! ```
//! use escrowed::loan::{DayCount, Form, Plan};
//!
//! let plan = Plan { rate: "6%".parse()?, form: Form::Annuity, instalments: 12, months: 1, day_count: DayCount::Thirty360E };
//! let debt = plan.debt("10000.00 EUR".parse()?, "2026-01-15T12:00:00Z".parse()?)?;
//! let early = debt.owed("2026-01-30T23:00:00Z".parse()?)?;
//! assert_eq!((early.interest.to_string(), early.payoff()?.to_string()), ("25.00 EUR".into(), "10025.00 EUR".into()));
//!
//! let later = debt.repaid("500.00 EUR".parse()?, "2026-02-15T08:00:00Z".parse()?)?;
//! let owed = later.owed("2026-02-15T08:00:00Z".parse()?)?;
//! assert_eq!((owed.principal.to_string(), owed.due.to_string()), ("9550.00 EUR".into(), "360.66 EUR".into()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod agreement;
mod day_count;
mod debt;
mod event;
mod plan;
mod raising;
mod rule;
mod state;
mod step;
mod terms;

pub use crate::pledge::Close;
pub use day_count::DayCount;
pub use debt::{Allotment, Debt, Owed};
pub use plan::{Form, Instalment, Plan};
pub use raising::{Cancelled, Counting, Funded, Missed, Open, Returned};
pub use state::{Defaulted, Disbursing, Late, Repaid, Repaying, WrittenOff};
pub use terms::{Facts, Policy, Terms};

use crate::{
    deal::{Counted, Lost, PayinClosed},
    id::Id,
    money::Money,
    party::Role,
    payment::{Destination, Evidence, Method, Payin, payin},
    pledge::{self, Pledge, PledgeId},
};

/// The id of a loan: `ln_…`.
pub type LoanId = Id<AnyLoan>;

/// Who borrows.
pub const BORROWER: Role = Role::party("borrower");

crate::lifecycle! {
    /// A loan: many lend to one borrower.
    pub lifecycle Loan, AnyLoan as "loan" with ids "ln" {
        version 1;
        facts Facts;
        opening Terms;
        initial Open;
        happy Open -> Counting -> Funded -> Disbursing -> Repaying -> Repaid;
        statuses {
            /// Pledges are taken, and gathered once they are paid.
            Open = "OPEN", Either;
            /// No more pledges are taken; the last paid ones are gathered, batch by batch.
            Counting = "COUNTING", Either;
            /// The target is met; the borrower's word is awaited.
            Funded = "FUNDED", Funds;
            /// Validated; the payout is on its way. Needs nobody.
            Disbursing = "DISBURSING", Nothing;
            /// The borrower has the money, and pays it back in time.
            Repaying = "REPAYING", Nothing;
            /// An instalment was not paid in time.
            Late = "LATE", Nothing;
            /// The platform has given it up; what is recovered is shared out.
            Defaulted = "DEFAULTED", Nothing;
            /// Nothing is owed any more.
            Repaid = "REPAID", Nothing;
            /// What was not recovered is lost.
            WrittenOff = "WRITTEN_OFF", Nothing;
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
                /// Funded when the target is met.
                Counting -> Funded | Missed by Role::GATEWAY, Keep, Seed;
            }
            /// The borrower takes the loan.
            validate => Validate records event::Validated {
                /// Opens the payout and books the fee.
                Funded -> Disbursing by BORROWER | Role::PLATFORM, Release, Seed;
            }
            /// The borrower is paid: from that day on it owes.
            disburse => Disburse records event::Disbursed {
                /// Needs the payout confirmed.
                Disbursing -> Repaying by Role::GATEWAY, Keep, Seed;
            }
            /// An instalment was not paid in time.
            fall_behind => FallBehind records event::FellBehind {
                /// Once its day and the period of grace are over.
                Repaying -> Late by Role::CLOCK, Keep, Seed;
            }
            /// All that has fallen due is paid.
            catch_up => CatchUp records event::CaughtUp {
                /// By itself.
                Late -> Repaying by Role::GATEWAY, Keep, Seed;
            }
            /// Everything is paid.
            settle => Settle records event::Settled {
                /// By itself, with the repayment that leaves nothing owed.
                Repaying | Late | Defaulted -> Repaid by Role::GATEWAY, Keep, Seed;
            }
            /// The borrower will not pay.
            declare_default => DeclareDefault records event::DefaultDeclared {
                /// The platform's word: nothing more accrues, and all of it is due.
                Repaying | Late -> Defaulted by Role::PLATFORM, Keep, Seed;
            }
            /// Nothing more will come.
            write_off => WriteOff records event::WroteOff {
                /// The platform's word. A payin under way is called off.
                Defaulted -> WrittenOff by Role::PLATFORM, Keep, Seed;
            }
            /// Calls the loan off.
            cancel => Cancel records event::Cancelled {
                Open | Counting -> Cancelled by BORROWER | Role::PLATFORM, Keep, Seed;
                /// The clock comes when the borrower does not take it in time.
                Funded -> Cancelled by BORROWER | Role::PLATFORM | Role::CLOCK, Keep, Own;
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
            /// Says where the borrower is paid; into the borrower's wallet unless said.
            set_payout(to: Destination) => SetPayout records event::PayoutSet {
                Open | Counting | Funded by BORROWER | Role::PLATFORM, Keep, Own;
            }
            /// The payout was confirmed or denied, or passed its money to another.
            count(evidence: &'e Evidence<'e>) => Count records Counted {
                Disbursing by Role::GATEWAY, Keep, Own;
            }
            /// Opens a payin of so much. From a wallet it is paid in the same breath.
            repay(amount: Money, by: Method) => Repay records event::RepaymentOpened {
                /// One at a time, up to all that is owed.
                Repaying | Late | Defaulted by BORROWER | Role::PLATFORM, Keep, Seed;
            }
            /// Opens a payin of so much that the platform pays: what it recovered otherwise.
            recover(amount: Money, by: Method) => Recover records event::RecoveryOpened {
                /// One at a time, up to all that is owed.
                Defaulted by Role::PLATFORM, Keep, Seed;
            }
            /// The repayment is there: it is on its way to the lenders.
            collect(payin: &'e Payin<payin::Confirmed>) => Collect records event::Collected {
                /// Needs the payin under way, confirmed. Opens the distribution.
                Repaying | Late | Defaulted by Role::GATEWAY, Pass, Seed;
            }
            /// No money comes of the payin under way: another may be opened.
            drop_payin(payin: Lost<'e>) => DropPayin records PayinClosed {
                Repaying | Late | Defaulted by Role::GATEWAY, Keep, Own;
            }
        }
        commands Command<'e>;
    }
}
