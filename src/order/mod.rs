//! Orders: a buyer pays, the money waits in escrow, the seller accepts, the platform validates, the payees are paid.
//!
//! ```
//! use escrowed::order::{Order, OrderId, Status, Terms};
//! use escrowed::party::{Actor, Stamp};
//!
//! let (seller, buyer) = ("sam".parse()?, "anna".parse()?);
//! let terms = Terms::new("A bicycle".parse()?, "120.00 EUR".parse()?, seller, "shop".parse()?, "sandbox".parse()?);
//! let at = Stamp::new(Actor::platform("ops".parse()?), "2026-05-07T15:39:46Z".parse()?);
//!
//! let order = Order::open(OrderId::generate(at.at), terms, &at)?;
//! let order = order.then(|draft| draft.identify_buyer(buyer, &at))?;
//! assert_eq!(order.value().status(), Status::PendingPublish);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Statuses and their meaning are those of Truust (`000_abea8bff83c3eaaf.txt`, `001_146075c5300aa4f1.txt`). Edges that
//! those documents leave out, and without which money could be stuck, are marked `Own` in the [`TABLE`].
//!
//! | to learn | read |
//! |---|---|
//! | what an order is about | [`Terms`] |
//! | what holds for all orders of a marketplace | [`Account`] |
//! | who is paid how much and where to | [`PayoutPlan`] |
//! | what an order is that several make up together | [`Part`] |
//! | what each status knows and which method leads out of it | the types of the statuses, such as [`Published`] |
//! | what a screen may offer | [`AnyOrder::actions`] |
//! | what an HTTP handler calls | [`AnyOrder::handle`] |
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod account;
mod action;
mod after;
mod agreement;
mod event;
mod part;
mod plan;
mod rule;
mod state;
mod step;
mod terms;

pub use account::Account;
pub use action::{Blocking, PayoutBack, PayoutNews};
pub use event::Amendment;
pub use part::Part;
pub use plan::{Payee, PayoutPlan};
pub use state::{
    Accepted, BlockedRelease, Cancelled, Draft, Failure, PendingPublish, PendingRelease, PendingValidate, Published,
    Rejected, Released, Was,
};
pub use terms::{Facts, Fees, ReturnUrls, Terms};

use crate::{
    id::Id,
    money::Money,
    party::{PartyId, Role},
    payment::{
        After, AllTaken, Chargeback, Closed, Method, Noted, PartTaken, Payin, Payout, Refund, Regained, chargeback,
        payin, payout, refund,
    },
};

/// The id of an order: `ord_…`.
pub type OrderId = Id<AnyOrder>;

crate::lifecycle! {
    /// An order: a movement of money from a buyer to one or more payees, by way of escrow.
    pub lifecycle Order, AnyOrder as "order" with ids "ord" {
        version 1;
        facts Facts;
        opening Terms;
        initial Draft;
        happy Draft -> PendingPublish -> Published -> Accepted -> PendingValidate -> PendingRelease -> Released;
        statuses {
            /// Somebody opened the order; the buyer may still be unknown.
            Draft = "DRAFT", Nothing;
            /// The buyer is identified; the payment is awaited.
            PendingPublish = "PENDING_PUBLISH", Nothing;
            /// The last payin failed; its reason is on the list of payins. The buyer may try again.
            Failure = "FAILURE", Nothing;
            /// Paid; waits for the seller to accept.
            Published = "PUBLISHED", Funds;
            /// Cancelled; whatever had been paid goes back by itself.
            Cancelled = "CANCELLED", Nothing;
            /// The seller accepted; payout details are awaited.
            Accepted = "ACCEPTED", Funds;
            /// The seller refused. The refund is owed and waits for an operator to send it.
            Rejected = "REJECTED", Nothing;
            /// Payout details are there; the platform must validate.
            PendingValidate = "PENDING_VALIDATE", Funds;
            /// Validated; the payouts are on their way. Needs nobody.
            PendingRelease = "PENDING_RELEASE", Nothing;
            /// An operator, or a payout that was denied, stopped the release.
            BlockedRelease = "BLOCKED_RELEASE", Either;
            /// Every payout is confirmed.
            Released = "RELEASED", Nothing;
        }
        edges {
            /// Says who pays.
            identify_buyer(buyer: PartyId) => IdentifyBuyer records event::BuyerIdentified {
                /// The buyer cannot be the seller.
                Draft -> PendingPublish by Role::BUYER | Role::PLATFORM, Keep, Seed;
            }
            /// The payment is there.
            publish(payin: &'e Payin<payin::Confirmed>) => Publish records event::Published {
                /// Needs a confirmed payin of exactly the order's amount.
                PendingPublish -> Published by Role::GATEWAY, Collect, Seed;
            }
            /// The payment failed.
            fail(payin: &'e Payin<payin::Denied>) => Fail records event::Failed {
                /// Needs a denied payin.
                PendingPublish -> Failure by Role::GATEWAY, Keep, Seed;
            }
            /// The buyer tries again.
            retry => Retry records event::Retried {
                /// Needs attempts left (payin_intents), when the order limits them.
                Failure -> PendingPublish by Role::BUYER | Role::PLATFORM, Keep, Own;
            }
            /// The seller accepts; with the payout details at hand it goes straight on to the validation.
            accept(payout: Option<PayoutPlan>) => Accept calls accept_as_told records event::Accepted {
                Published -> Accepted by Role::SELLER, Keep, Seed;
            }
            /// The seller refuses.
            reject => Reject records event::Rejected {
                /// Opens a refund that waits for an operator's approval.
                Published -> Rejected by Role::SELLER, Refund, Seed;
            }
            /// Calls the order off.
            cancel => Cancel records event::Cancelled {
                Draft | PendingPublish | Failure -> Cancelled by Role::BUYER | Role::PLATFORM, Keep, Own;
                /// Opens the refund.
                Published -> Cancelled by Role::BUYER | Role::PLATFORM, Refund, Seed;
                /// Opens the refund.
                Accepted | PendingValidate | BlockedRelease -> Cancelled by Role::PLATFORM, Refund, Implied;
            }
            /// Says who is paid, how much, and where to.
            set_payout(plan: PayoutPlan) => SetPayout records event::PayoutSet {
                Accepted -> PendingValidate by Role::SELLER | Role::PLATFORM, Keep, Seed;
                /// Another plan, where what a plan of fixed amounts divided has grown since, or before it is validated at all. By
                /// the platform alone, which validates what it has seen.
                PendingValidate -> PendingValidate by Role::PLATFORM, Keep, Own;
            }
            /// The platform's word that the money may go.
            validate => Validate records event::Validated {
                /// Opens the payouts, one per payee, and books the fee.
                PendingValidate -> PendingRelease by Role::PLATFORM, Release, Seed;
            }
            /// Everything that it is part of is paid: its payee is paid without another word.
            settle => Settle records event::Settled {
                /// Only of a part, together with its movement. Opens the payout.
                Published -> PendingRelease by Role::GATEWAY, Release, Own;
            }
            /// What it is part of is undone.
            undo => Undo records event::Undone {
                /// Only of a part, together with its movement.
                PendingPublish | Failure -> Cancelled by Role::GATEWAY, Keep, Own;
                /// Only of a part, together with its movement. Opens the refund.
                Published -> Cancelled by Role::GATEWAY, Refund, Own;
            }
            /// All payees are paid.
            release(payouts: &'e [&'e Payout<payout::Confirmed>]) => Release records event::Released {
                /// Needs every payout confirmed.
                PendingRelease -> Released by Role::GATEWAY, Keep, Seed;
            }
            /// Stops the release.
            block(why: Blocking<'e>) => Block calls block_because records event::Blocked {
                Published | Accepted | PendingValidate -> BlockedRelease by Role::PLATFORM, Keep, Implied;
                /// Needs a denied payout.
                PendingRelease -> BlockedRelease by Role::GATEWAY, Keep, Seed;
            }
            /// Lets the release go on: back to the status it was blocked in.
            unblock => Unblock records event::Unblocked {
                /// To PENDING_RELEASE only with a new payout in place of each that was denied.
                BlockedRelease -> Published | Accepted | PendingValidate | PendingRelease by Role::PLATFORM, Keep, Implied;
            }
            /// The card network took some of what is held: it stops.
            charge_back(chargeback: &'e Chargeback<chargeback::Open>) => ChargeBack records PartTaken {
                Published | Accepted | PendingValidate | BlockedRelease -> BlockedRelease by Role::GATEWAY, Part, Own;
            }
            /// The card network took all that is held: it stops.
            charge_back_all(chargeback: &'e Chargeback<chargeback::Open>) => ChargeBackAll records AllTaken {
                Published | Accepted | PendingValidate | BlockedRelease -> BlockedRelease by Role::GATEWAY, Release, Own;
            }
            /// Ends what has nothing left, because all of it was charged back.
            close => Close records Closed {
                /// Needs nothing held, every dispute decided, and nothing that could still be released.
                BlockedRelease -> Cancelled by Role::PLATFORM, Keep, Own;
            }
        }
        notes {
            /// Opens a payin. From a wallet it is confirmed, and the order published, in the same breath.
            pay(by: Method) => Pay calls pay_as_told records event::PayinOpened {
                /// One at a time.
                PendingPublish by Role::BUYER | Role::PLATFORM, Keep, Seed;
            }
            /// The payin under way was called off or ran out of time: another may be opened.
            drop_payin(payin: &'e Payin<payin::Cancelled>) => DropPayin records event::PayinDropped {
                PendingPublish by Role::GATEWAY, Keep, Own;
            }
            /// A payout was confirmed or denied, or passed its money to another.
            count_payout(payout: PayoutNews<'e>) => CountPayout records event::PayoutCounted {
                /// A first denial blocks the release instead.
                PendingRelease | BlockedRelease by Role::GATEWAY, Keep, Own;
            }
            /// A denied or cancelled payout gave its money back. Its payee must not bear a chargeback.
            take_back_payout(payout: PayoutBack<'e>) => TakeBackPayout records event::PayoutTakenBack {
                BlockedRelease by Role::GATEWAY, Collect, Own;
            }
            /// Opens a refund of some of the money by hand. It waits for an operator's approval.
            refund_part(amount: Money) => RefundPart records event::PartRefunded {
                /// What stays must cover the fee.
                Published | Accepted | PendingValidate by Role::PLATFORM, Part, Implied;
            }
            /// A refund that was opened by hand was called off, and gave its money back. The buyer must not bear a chargeback for it.
            take_back_refund(refund: &'e Refund<refund::Cancelled>) => TakeBackRefund records event::RefundTakenBack {
                Published | Accepted | PendingValidate by Role::GATEWAY, Collect, Own;
            }
            /// Changes what is known of the order. After payment only its metadata and its fee may change.
            amend(changes: Amendment) => Amend records event::Amended {
                Draft | PendingPublish | Failure | Published | Accepted | PendingValidate by Role::PLATFORM, Keep, Implied;
            }
            /// A dispute was won: what was held and charged back is there again.
            regain(chargeback: &'e Chargeback<chargeback::Won>) => Regain records Regained {
                BlockedRelease by Role::GATEWAY, Collect, Own;
            }
            /// What happened to money that had left for good, such as a payout or refund that came back from the bank.
            note_after(after: After<'e>) => NoteAfter records Noted {
                /// Before the release: a refund of some of it that came back, or a chargeback that its buyer bears.
                Published | Accepted | PendingValidate | PendingRelease | BlockedRelease | Released | Cancelled | Rejected by Role::GATEWAY, Keep, Own;
            }
        }
        commands Command<'e>;
    }
}
