//! Money going back to the payer: to where it came from, to a bank account, or into the payer's wallet.
//!
//! ```
//! use escrowed::{order::OrderId, party::{Actor, Stamp}};
//! use escrowed::payment::{PayinId, refund::{self, Command, Consent, RefundId, Route, Terms}};
//!
//! let ops = Stamp::new(Actor::platform("ops".parse()?), "2026-05-07T15:39:46Z".parse()?);
//! let order = OrderId::generate(ops.at).subject();
//! let opened = refund::open(RefundId::generate(ops.at), Terms {
//!     about: order,
//!     payin: PayinId::generate(ops.at),
//!     payer: "anna".parse()?,
//!     amount: "25.00 EUR".parse()?,
//!     route: Route::Original,
//!     consent: Consent::ByHand,
//!     source: order,
//!     gateway: "stripe".parse()?,
//!     shares: Vec::new(),
//!     again: None,
//! }, &ops)?;
//!
//! // Nobody is asked for it until an operator approves it.
//! assert!(opened.commits()[0].calls().is_empty());
//! let sent = opened.then(|refund| refund.handle(Command::Approve {}, &ops))?;
//! assert_eq!(sent.commits()[0].calls().len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A refund is opened by what held the money, in the same commit, and holds it from then on. One that a rejected order
//! owes, or that an operator opened by hand, is sent only after an operator's approval. Until then the operator may send its
//! money another way instead: into the payer's wallet, say, where the card is that of somebody who has charged the payment
//! back meanwhile, so that it [pays what the payer owes](super::debt).
//!
//! A refund may have been opened, or have arrived, before the payment is charged back; then its payer owes that. The refund notes
//! it ([`Sendable::owed_for`]). One that a gateway was asked for cannot be stopped. But whatever is still to be sent after that,
//! because it waits for approval, is denied or comes back, goes into the payer's wallet only, unless the dispute is won: any other
//! way is refused ([`Reason::ChargedBack`](crate::lifecycle::Reason::ChargedBack)).
//!
//! A bank may send the money back days after the gateway has said that it arrived: the account is closed, the card has expired.
//! The refund holds it again then, as `RETURNED`, until the platform sends it to another account or into the payer's wallet.
//! It is the payer's money, and what the bank keeps as its charge is the payer's to bear. What it was refunded out of is done with it, notes it and keeps its status; the payin has counted
//! it, and does not count it again when it is sent again.
//!
//! # After the release
//!
//! What was released is no longer held: [`Escrow::refund_released`](crate::escrow::Escrow::refund_released) takes it back from
//! those who were paid, each by what it had, fees included, [as a chargeback is borne](super::chargeback#who-bears-it). Each
//! wallet gives as far as it holds. What is missing is a [debt](super::debt) of that payee, which the platform covers at once
//! out of its own wallet, so nobody else's money is ever sent; where that does not hold it, nothing is done.
//!
//! Of an order of €100.00 sam was paid €90.00 and the shop €10.00 as its fee. €50.00 go back while sam's wallet holds €12.00
//! and the shop's €60.00: €12.00 come from sam and €5.00 from the shop, €33.00 are owed by sam, and as much of the shop's is set
//! aside, which leaves it €22.00. As sam earns again and pays the debt off, that goes back to the shop.
//!
//! ```
//! use escrowed::money::{Currency, FeePolicy, FeeRule};
//! use escrowed::movement::{Frame, Outside, Plan};
//! use escrowed::order::{Account, Command};
//! use escrowed::{payment::Method, store::{Store, Views}};
//! # use escrowed::{escrow::{Escrow, ManualClock}, memory::Memory, party::Actor, sandbox::Sandbox};
//! # futures_lite::future::block_on(async {
//! # let escrow = Escrow::with_clock(Memory::new(), Sandbox::new(7), ManualClock::at("2026-05-07T12:00:00Z".parse()?));
//! # let party = |name: &str| Actor::Party(name.parse().unwrap());
//! # let (worker, ops) = ("worker-1".parse()?, Actor::platform("ops".parse()?));
//! let mut shop = Account::new("shop".parse()?, "sandbox".parse()?).paying_wallets([]);
//! shop.fees = Some(FeePolicy::new(FeeRule::new("10%".parse()?, "0.00 EUR".parse()?)?, "0.00 EUR".parse()?)?);
//! let terms = shop.terms("A bicycle".parse()?, "100.00 EUR".parse()?, "sam".parse()?);
//! let mut unit = escrow.store().begin().await?;
//! let order = escrow.open_order(&mut unit, terms, ops.clone()).await?.id();
//! escrow.act(&mut unit, order, Command::IdentifyBuyer { buyer: "anna".parse()? }, ops.clone()).await?;
//! escrow.act(&mut unit, order, Command::Pay { by: Method::Card }, party("anna")).await?;
//! # escrow.store().commit(unit).await?;
//! # escrow.send(&worker, 10).await?;
//! # let mut unit = escrow.store().begin().await?;
//! escrow.act(&mut unit, order, Command::Accept { payout: None }, party("sam")).await?;
//! escrow.act(&mut unit, order, Command::Validate {}, ops.clone()).await?;         // €90.00 to sam, €10.00 to the shop
//!
//! let frame = Frame::new("Later".parse()?, "2026-05-08T12:00:00Z".parse()?, "shop".parse()?, "sandbox".parse()?);
//! let spent = Plan::wallet_to_wallet(frame.clone(), "sam".parse()?, "ben".parse()?, "78.00 EUR".parse()?);
//! escrow.move_money(&mut unit, spent, party("sam")).await?;
//! let top_up = Plan::top_up(frame, "shop".parse()?, Outside::Card, "50.00 EUR".parse()?);
//! escrow.move_money(&mut unit, top_up, party("shop")).await?;
//! # escrow.store().commit(unit).await?;
//! # escrow.send(&worker, 10).await?;
//! # let mut unit = escrow.store().begin().await?;
//! escrow.refund_released(&mut unit, order, "50.00 EUR".parse()?, ops).await?;
//! for (account, left) in [("wallet:sam", "0.00 EUR"), ("wallet:shop", "22.00 EUR")] {
//!     assert_eq!(unit.balance(&account.parse()?, Currency::EUR).await?, left.parse()?);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod event;
mod state;
mod step;

pub use action::open;
pub use event::{Consent, Route, Terms};
pub use state::{Cancelled, Confirmed, Created, Denied, Replaced, Returned, Sendable};
pub(crate) use step::only_platform;

use super::chargeback::{self, Chargeback};
use crate::{id::Id, money::Money, party::Role, text::Prose};

/// The id of a refund: `re_…`.
pub type RefundId = Id<AnyRefund>;

crate::lifecycle! {
    /// A refund: money of a payin on its way back to the payer.
    pub lifecycle Refund, AnyRefund as "refund" with ids "re" {
        version 1;
        facts Terms;
        opening Terms;
        initial Created;
        happy Created -> Confirmed;
        statuses {
            /// It holds the money; it waits for approval, or for the gateway.
            Created = "CREATED", Funds;
            /// The payer has the money.
            Confirmed = "CONFIRMED", Nothing;
            /// The gateway declined, for a reason. It still holds the money until it is replaced.
            Denied = "DENIED", Either;
            /// Called off by the operator who opened it; the money is back where it came from.
            Cancelled = "CANCELLED", Nothing;
            /// The bank sent the money back after it had arrived. It holds it again until it is replaced.
            Returned = "RETURNED", Either;
            /// Sent nowhere: before its approval, its money went on to a new refund by another route.
            Replaced = "REPLACED", Nothing;
        }
        edges {
            /// An operator approves a refund that needs it.
            approve => Approve calls approve_and_settle records event::Approved {
                /// Once; it is sent only after it.
                Created -> Created by Role::PLATFORM, Keep, Seed;
            }
            /// The payer has the money.
            confirm(moved: Money) => Confirm records event::Confirmed {
                /// Exactly the amount that was asked.
                Created -> Confirmed by Role::GATEWAY, Release, Seed;
            }
            /// The gateway declined.
            deny(reason: Prose) => Deny records event::Denied {
                /// With the gateway's reason; it still holds the money.
                Created -> Denied by Role::GATEWAY, Keep, Seed;
            }
            /// The bank sent the money back.
            come_back(moved: Money, reason: Prose) => ComeBack records event::CameBack {
                /// All of it, not out of a wallet.
                Confirmed -> Returned by Role::GATEWAY, Collect, Own;
            }
            /// Its money goes on to a new refund by another route, which needs no further approval.
            replace(route: Route) => Replace records event::Replaced {
                /// Only one that waits for its approval, and not by the way that it goes already.
                Created -> Replaced by Role::PLATFORM, Release, Own;
                /// Once.
                Denied -> Denied by Role::PLATFORM, Release, Seed;
                /// Once.
                Returned -> Returned by Role::PLATFORM, Release, Own;
            }
            /// The operator who opened it calls it off.
            cancel => Cancel records event::Cancelled {
                /// Only one that was opened by hand, before its approval; the money returns to where it came from, unless it
                /// is to pay for a chargeback.
                Created -> Cancelled by Role::PLATFORM, Release, Seed;
            }
        }
        notes {
            /// The payment that it refunds was charged back.
            note_charged_back(chargeback: &'e Chargeback<chargeback::Open>) => NoteChargedBack records event::ChargedBack {
                /// And its payer owes it: from then on it goes into the payer's wallet only.
                Created | Confirmed | Denied | Returned by Role::GATEWAY, Keep, Own;
            }
            /// A dispute of the payment was won, and its payer owes nothing for it any more.
            note_won_back(chargeback: &'e Chargeback<chargeback::Won>) => NoteWonBack records event::WonBack {
                /// Once each.
                Created | Confirmed | Denied | Returned by Role::GATEWAY, Keep, Own;
            }
        }
        commands Command<'e>;
    }
}
