//! Transactions: goods are paid, accepted, shipped or handed over, and the money goes once nobody has complained in time.
//!
//! ```
//! use escrowed::{deal::Side, transaction::{Person, Pricing, Status, Terms, Transaction, TransactionId}};
//! use escrowed::party::{Actor, Stamp};
//!
//! let at = Stamp::new(Actor::Party("sam".parse()?), "2026-05-07T15:39:46Z".parse()?);
//! let pricing = Pricing::of("200.00 GBP".parse()?);
//! let terms = Terms::new(Side::Seller, Person::user("sam".parse()?), pricing, "socks".parse()?, "shop".parse()?, "sandbox".parse()?);
//! let created = Transaction::open(TransactionId::generate(at.at), terms, &at)?;
//!
//! let anna = Stamp::new(Actor::Party("anna".parse()?), at.at);
//! let joined = created.then(|created| created.join(&anna))?;
//! assert_eq!(joined.value().status(), Status::Joined);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Statuses are those of Trustap's second model (`003_781515c6c4d9c1ef.txt`), and so is the JSON: see [`Response`]. Where
//! that document leaves money stuck, an edge of the [`TABLE`] says `Own`.
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod after;
mod agreement;
mod event;
mod response;
mod rule;
mod state;
mod step;
mod terms;

pub use response::{Deadlines, Event as ResponseEvent, Events, Response, ResponseFees, ResponsePricing, StatusKey};
pub use state::{
    BuyerHandoverConfirmed, Cancelled, ComplaintPeriodEnded, ComplaintSubmitted, Created, Delivered, FundsReleased,
    Joined, Paid, PaymentAccepted, Refunded, Running, SellerHandoverConfirmed, Tracked,
};
pub use terms::{Category, Complaint, Facts, Fees, Person, Policy, Pricing, Terms, Tracking};

use crate::{
    deal::{Award, Counted, Lost, PayinClosed, PayinOpened},
    id::Id,
    party::Role,
    payment::{
        After, AllTaken, Chargeback, Closed, Destination, Evidence, Method, Noted, PartTaken, Payin, Regained,
        chargeback, payin,
    },
    time::Timestamp,
};

/// The id of a transaction: `tx_…`.
pub type TransactionId = Id<AnyTransaction>;

crate::lifecycle! {
    /// A transaction.
    pub lifecycle Transaction, AnyTransaction as "transaction" with ids "tx" {
        version 1;
        facts Facts;
        opening Terms;
        initial Created;
        happy Created -> Joined -> Paid -> PaymentAccepted -> Tracked -> Delivered -> ComplaintPeriodEnded -> FundsReleased;
        statuses {
            /// Opened by a buyer or a seller.
            Created = "created", Nothing;
            /// Both sides are there; the payment is awaited.
            Joined = "joined", Nothing;
            /// The buyer paid; the seller must accept.
            Paid = "paid", Funds;
            /// The seller accepted; shipping or handover is awaited.
            PaymentAccepted = "payment_accepted", Funds;
            /// The seller gave a tracking number.
            Tracked = "tracked", Funds;
            /// Delivery is confirmed; the complaint period runs.
            Delivered = "delivered", Funds;
            /// The buyer confirmed the handover; the complaint period runs.
            BuyerHandoverConfirmed = "buyer_handover_confirmed", Funds;
            /// The seller confirmed the handover; the complaint period runs.
            SellerHandoverConfirmed = "seller_handover_confirmed", Funds;
            /// In dispute; an arbiter decides. Older documents write complained: it is read too, never written.
            ComplaintSubmitted = "complaint_submitted" | "complained", Either;
            /// Nobody complained in time; the payout is on the way.
            ComplaintPeriodEnded = "complaint_period_ended", Nothing;
            /// Called off. Over at once if nothing was paid; else the refund is on the way.
            Cancelled = "cancelled", Nothing;
            /// The buyer has the money back.
            Refunded = "refunded", Nothing;
            /// Over; the money went where it was due.
            FundsReleased = "funds_released", Nothing;
        }
        edges {
            /// The other side joins.
            join => Join records event::Joined {
                Created -> Joined by Role::OTHER, Keep, Seed;
            }
            /// Calls it off.
            cancel => Cancel records event::Cancelled {
                Created -> Cancelled by Role::CREATOR, Keep, Seed;
                Joined -> Cancelled by Role::BUYER | Role::SELLER, Keep, Seed;
                /// Opens the refund.
                Paid -> Cancelled by Role::BUYER | Role::SELLER | Role::PLATFORM, Refund, Seed;
                /// Opens the refund. The clock comes when the seller misses the tracking deadline.
                PaymentAccepted -> Cancelled by Role::PLATFORM | Role::CLOCK, Refund, Seed;
                /// Opens the refund: a parcel that never arrives must not strand the money.
                Tracked -> Cancelled by Role::PLATFORM, Refund, Own;
            }
            /// The payment is there.
            pay(payin: &'e Payin<payin::Confirmed>) => Pay records event::Paid {
                /// Needs a confirmed payin of exactly what the buyer owes: amount, amount_extra and the buyer's fees.
                Joined -> Paid by Role::GATEWAY, Collect, Seed;
            }
            /// The seller accepts.
            accept_payment => AcceptPayment records event::PaymentAccepted {
                /// Starts the tracking window.
                Paid -> PaymentAccepted by Role::SELLER, Keep, Seed;
            }
            /// The seller gives a tracking number.
            track(tracking: Tracking) => Track records event::Tracked {
                PaymentAccepted -> Tracked by Role::SELLER, Keep, Seed;
            }
            /// The goods arrived.
            deliver => Deliver records event::Delivered {
                /// Starts the complaint period.
                Tracked -> Delivered by Role::SELLER | Role::PLATFORM, Keep, Seed;
            }
            /// One side says that the goods changed hands.
            confirm_handover => ConfirmHandover records event::HandoverConfirmed {
                /// Starts the complaint period.
                PaymentAccepted -> BuyerHandoverConfirmed by Role::BUYER, Keep, Seed;
                /// Starts the complaint period.
                PaymentAccepted -> SellerHandoverConfirmed by Role::SELLER, Keep, Seed;
            }
            /// The buyer is not content.
            complain(complaint: Complaint) => Complain records event::Complained {
                /// Before the complaint period's deadline.
                Delivered | BuyerHandoverConfirmed | SellerHandoverConfirmed -> ComplaintSubmitted by Role::BUYER, Keep, Seed;
            }
            /// The complaint period is over, or the buyer waives the rest of it.
            end_complaint_period => EndComplaintPeriod records event::ComplaintPeriodEnded {
                /// Opens the payouts.
                Delivered | BuyerHandoverConfirmed | SellerHandoverConfirmed -> ComplaintPeriodEnded by Role::CLOCK | Role::BUYER, Release, Seed;
            }
            /// The money went where it was due.
            release => Release records event::FundsReleased {
                /// Needs every payout confirmed.
                ComplaintPeriodEnded -> FundsReleased by Role::GATEWAY, Keep, Seed;
            }
            /// The arbiter decides.
            award(award: Award) => Award records event::Awarded {
                /// Needs exact amounts that add up to all that is held; once.
                ComplaintSubmitted -> ComplaintSubmitted by Role::ARBITER, Divide, Implied;
            }
            /// The award reached both sides.
            settle_complaint => SettleComplaint records event::ComplaintSettled {
                /// Needs an award that leaves the seller something, with its refund and payouts confirmed.
                ComplaintSubmitted -> FundsReleased by Role::GATEWAY, Keep, Seed;
            }
            /// The buyer has the money back.
            refund => Refund records event::Refunded {
                /// Needs an award of everything to the buyer, and its refund confirmed.
                ComplaintSubmitted -> Refunded by Role::GATEWAY, Keep, Seed;
                /// Needs something paid, and its refund confirmed.
                Cancelled -> Refunded by Role::GATEWAY, Keep, Seed;
            }
            /// The card network took some of what is held: it stops.
            charge_back(chargeback: &'e Chargeback<chargeback::Open>) => ChargeBack records PartTaken {
                Paid | PaymentAccepted | Tracked | Delivered | BuyerHandoverConfirmed | SellerHandoverConfirmed | ComplaintSubmitted -> ComplaintSubmitted by Role::GATEWAY, Part, Own;
            }
            /// The card network took all that is held: it stops.
            charge_back_all(chargeback: &'e Chargeback<chargeback::Open>) => ChargeBackAll records AllTaken {
                Paid | PaymentAccepted | Tracked | Delivered | BuyerHandoverConfirmed | SellerHandoverConfirmed | ComplaintSubmitted -> ComplaintSubmitted by Role::GATEWAY, Release, Own;
            }
            /// Ends what has nothing left, because all of it was charged back.
            close => Close records Closed {
                /// Needs nothing held, and every dispute decided.
                ComplaintSubmitted -> Refunded by Role::PLATFORM, Keep, Own;
            }
        }
        notes {
            /// Opens a payin of what the buyer owes.
            open_payin(by: Method) => OpenPayin records PayinOpened {
                Joined by Role::BUYER | Role::PLATFORM, Keep, Seed;
            }
            /// No money comes of the payin under way: another may be opened.
            drop_payin(payin: Lost<'e>) => DropPayin records PayinClosed {
                Joined by Role::GATEWAY, Keep, Own;
            }
            /// Says where the seller is paid; into the seller's wallet unless said.
            set_payout(to: Destination) => SetPayout records event::PayoutSet {
                Joined | Paid | PaymentAccepted | Tracked | Delivered | BuyerHandoverConfirmed | SellerHandoverConfirmed
                    by Role::SELLER | Role::PLATFORM, Keep, Implied;
            }
            /// Gives the seller more time for a tracking number.
            extend_tracking(until: Timestamp) => ExtendTracking records event::TrackingExtended {
                /// Before the tracking deadline.
                PaymentAccepted by Role::BUYER, Keep, Implied;
            }
            /// A payout or refund was confirmed or denied, or passed its money to another.
            count(evidence: &'e Evidence<'e>) => Count records Counted {
                Cancelled | ComplaintPeriodEnded | ComplaintSubmitted by Role::GATEWAY, Keep, Own;
            }
            /// A dispute was won: what was held and charged back is there again.
            regain(chargeback: &'e Chargeback<chargeback::Won>) => Regain records Regained {
                ComplaintSubmitted by Role::GATEWAY, Collect, Own;
            }
            /// What happened to money that had left for good, such as a payout or refund that came back from the bank.
            note_after(after: After<'e>) => NoteAfter records Noted {
                ComplaintSubmitted | ComplaintPeriodEnded | Cancelled | Refunded | FundsReleased by Role::GATEWAY, Keep, Own;
            }
        }
        commands Command<'e>;
    }
}
