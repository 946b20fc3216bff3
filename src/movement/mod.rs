//! Movements: money from some to others by one order or several, which succeed together or are undone together.
//!
//! ```
//! use escrowed::escrow::{Escrow, ManualClock};
//! use escrowed::movement::{Frame, Outside, Plan, Status};
//! use escrowed::{ledger::Account, memory::Memory, money::Currency, party::Actor, sandbox::Sandbox};
//! use escrowed::store::{Store, Views};
//! # futures_lite::future::block_on(async {
//! let clock = ManualClock::at("2026-05-07T12:00:00Z".parse()?);
//! let escrow = Escrow::with_clock(Memory::new(), Sandbox::new(7), clock);
//! let (anna, until) = (Actor::Party("anna".parse()?), "2026-05-08T12:00:00Z".parse()?);
//! let frame = |name: &str| Frame::new(name.parse().unwrap(), until, "shop".parse().unwrap(), "sandbox".parse().unwrap());
//!
//! let mut unit = escrow.store().begin().await?;
//! let plan = Plan::top_up(frame("Pocket money"), "anna".parse()?, Outside::Card, "50.00 EUR".parse()?);
//! let top_up = escrow.move_money(&mut unit, plan, anna.clone()).await?;
//! assert_eq!(top_up.status(), Status::Collecting);
//! escrow.store().commit(unit).await?;
//! escrow.send(&"worker-1".parse()?, 10).await?;       // asks the gateway, which settles at once
//!
//! let mut unit = escrow.store().begin().await?;
//! assert_eq!(escrow.load(&mut unit, top_up.id()).await?.status(), Status::Done);
//! let plan = Plan::wallet_to_wallet(frame("Lunch"), "anna".parse()?, "ben".parse()?, "12.50 EUR".parse()?);
//! let lunch = escrow.move_money(&mut unit, plan, anna).await?;
//! assert_eq!(lunch.status(), Status::Done);           // no gateway: at once, in the same write
//! for (name, left) in [("anna", "37.50 EUR"), ("ben", "12.50 EUR")] {
//!     let balance = unit.balance(&Account::Wallet(name.parse()?), Currency::EUR).await?;
//!     assert_eq!(balance, left.parse()?);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! | movement ([`Plan`]) | made of |
//! |---|---|
//! | [`payin_to_wallet`](Plan::payin_to_wallet) | one order: card or bank payin, payout to the payee's wallet |
//! | [`payin_from_wallet`](Plan::payin_from_wallet) | one order: from the payer's wallet, payout to the payee's bank account |
//! | [`top_up`](Plan::top_up) | one order: card or bank payin, payout to the payer's own wallet |
//! | [`wallet_to_wallet`](Plan::wallet_to_wallet) | one order: settles at once, no gateway |
//! | [`one_to_one`](Plan::one_to_one) | one order, any way |
//! | [`one_to_many`](Plan::one_to_many) | the payer's order into the movement's own wallet, then one from there for each payee |
//! | [`many_to_one`](Plan::many_to_one) | an order of each payer's into the payee's wallet |
//! | [`many_to_many`](Plan::many_to_many) | an order of each payer's into the movement's own wallet, then one from there for each payee |
//!
//! # All or nothing
//! Each order is an [`order`](crate::order) like any other, with a log, an escrow account, a payin and a payout of its own;
//! it bears the movement's id ([`Part`](crate::order::Part)), so nobody acts on it past the movement: its payer pays it, and
//! that is all. [`Query::About`](crate::store::Query::About) lists a movement's orders.
//!
//! Until every payer has paid, each order keeps what it was paid in its own escrow account. A payer's last try
//! ([`Frame::payin_intents`]) that fails, is called off or runs out of time, the deadline, or somebody who calls it off
//! undoes the movement: every order is called off, and what was paid goes back the way it came, by a refund of each order's
//! own; what was charged back meanwhile goes into its payer's wallet and pays what the payer owes for it. Once the last one
//! is paid, the movement is `COMMITTED`: from then on nothing can fail. Each order is settled; a payout that a bank
//! declines is replaced by one into the payee's wallet, so that the payee has the money in any case.
//!
//! Where money of several goes to several, it passes through a [wallet] that is the movement's alone. In the payer's own
//! it could be spent on something else between two batches, and would be there for good once a top-up was released.
//!
//! ```
//! use escrowed::{movement::{Frame, Payer, Plan, Stands, Status}, order::Command, payment::Method};
//! # use escrowed::escrow::{Escrow, ManualClock};
//! # use escrowed::{memory::Memory, party::{Actor, PartyId}, gateway::Verb, sandbox::{Behaviour, Sandbox}, store::Store};
//! # futures_lite::future::block_on(async {
//! # let escrow = Escrow::with_clock(Memory::new(), Sandbox::new(7), ManualClock::at("2026-05-07T12:00:00Z".parse()?));
//! # let until = "2026-05-08T12:00:00Z".parse()?;
//! let frame = Frame::new("The rent".parse()?, until, "shop".parse()?, "sandbox".parse()?);
//! let share = |party: &str, amount: &str| Payer { party: party.parse().unwrap(), amount: amount.parse().unwrap() };
//! let plan = Plan::many_to_one(frame, vec![share("anna", "180.00 EUR"), share("ben", "120.00 EUR")], "landlady".parse()?);
//! let mut unit = escrow.store().begin().await?;
//! let rent = escrow.move_money(&mut unit, plan, Actor::Party("landlady".parse()?)).await?;
//! escrow.store().commit(unit).await?;
//!
//! for (name, behaviour) in [("anna", Behaviour::Settle), ("ben", Behaviour::Decline { reason: "no cover".parse()? })] {
//!     escrow.gateway().script(Verb::Charge, [behaviour]);
//!     let payer: PartyId = name.parse()?;
//!     let order = rent.order_of(&payer).expect("one of the payers");
//!     let mut unit = escrow.store().begin().await?;
//!     escrow.act(&mut unit, order, Command::Pay { by: Method::Card }, Actor::Party(payer)).await?;
//!     escrow.store().commit(unit).await?;
//!     escrow.send(&"worker-1".parse()?, 10).await?;
//! }
//! let mut unit = escrow.store().begin().await?;
//! let rent = escrow.load(&mut unit, rent.id()).await?;
//! assert_eq!(rent.status(), Status::Undone);
//! assert_eq!(rent.facts().stands(), [Stands::Undone, Stands::Undone]);        // anna's €180 are on their way back
//! # drop(unit);
//! escrow.send(&"worker-1".parse()?, 10).await?;
//! assert!(escrow.gateway().net("EUR".parse()?).is_zero());                    // and now her card has them
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # Many orders
//! One write opens, settles or undoes [`Frame::batch`] orders, and says so in the movement's log. What is left is due at once:
//! [`Escrow::run_due`](crate::escrow::Escrow::run_due) or [`Escrow::resume`](crate::escrow::Escrow::resume) goes on there,
//! after a crash too. The ids of the orders are derived from the movement's, so none is opened twice.
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod agreement;
mod course;
mod event;
mod leg;
mod plan;
mod rule;
mod state;
mod step;
mod terms;
mod work;

pub use course::{Course, Outside, Payer};
pub use leg::{Orders, Place, Stands, wallet};
pub use plan::{Frame, Plan};
pub use state::{Collecting, Committed, Done, Planned, Undoing, Undone, Why};
pub use terms::Facts;
pub(crate) use work::Work;

use crate::{id::Id, party::Role};

/// The id of a movement: `mov_…`.
pub type MovementId = Id<AnyMovement>;

/// Whose movement it is: who opened it, and who pays, if only one does.
pub const OWNER: Role = Role::party("owner");

crate::lifecycle! {
    /// A movement: orders that succeed together or are undone together.
    pub lifecycle Movement, AnyMovement as "movement" with ids "mov" {
        version 1;
        facts Facts;
        opening Plan;
        initial Planned;
        happy Planned -> Collecting -> Committed -> Done;
        statuses {
            /// The plan was checked; the orders that are to be paid are opened, batch by batch.
            Planned = "PLANNED", Nothing;
            /// Every payer has an order to pay.
            Collecting = "COLLECTING", Nothing;
            /// Everything is paid, and nothing can fail any more; the orders are settled, batch by batch.
            Committed = "COMMITTED", Nothing;
            /// Every payee has the money.
            Done = "DONE", Nothing;
            /// Something failed, or it was called off; what was paid goes back, batch by batch.
            Undoing = "UNDOING", Nothing;
            /// Every order was called off; each tells how far its refund is.
            Undone = "UNDONE", Nothing;
        }
        edges {
            /// Every payer has an order to pay.
            collect => Collect records event::Collected {
                Planned -> Collecting by Role::GATEWAY, Keep, Own;
            }
            /// Everything is paid: the point of no return.
            commit => Commit records event::Committed {
                /// In time.
                Collecting -> Committed by Role::GATEWAY, Keep, Own;
            }
            /// Every payee has the money.
            finish => Finish records event::Finished {
                Committed -> Done by Role::GATEWAY, Keep, Own;
            }
            /// Calls it off.
            undo => Undo records event::CalledOff {
                /// The clock comes at the deadline; by itself, when a payment has failed for good or all came too late.
                Planned | Collecting -> Undoing by OWNER | Role::PLATFORM | Role::CLOCK | Role::GATEWAY, Keep, Own;
            }
            /// Every order was called off.
            end_undoing => EndUndoing records event::Undone {
                Undoing -> Undone by Role::GATEWAY, Keep, Own;
            }
        }
        notes {
            /// Takes to its knowledge how far its orders are.
            count(orders: Orders<'e>) => Count records event::Counted {
                Planned | Collecting | Committed | Undoing by Role::GATEWAY, Keep, Own;
            }
        }
        commands Command<'e>;
    }
}
