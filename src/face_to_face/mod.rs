//! Face-to-face deals: a deposit holds the goods, the rest is paid or skipped, both sides confirm the handover.
//!
//! ```
//! use escrowed::{deal::{Side, Sides}, face_to_face::{FaceToFace, FaceToFaceId, JoinCode, Status, Terms}};
//! use escrowed::party::{Actor, Stamp};
//!
//! let at = Stamp::new(Actor::Party("sam".parse()?), "2026-05-07T15:39:46Z".parse()?);
//! let sides = Sides::opened_by("sam".parse()?, Side::Seller);
//! let terms = Terms::new(sides, "50.00 EUR".parse()?, "shop".parse()?, "sandbox".parse()?);
//! let opened = FaceToFace::open(FaceToFaceId::generate(at.at), terms, &at)?;
//! let code: JoinCode = opened.value().facts().terms().join_code.clone();      // for sam to hand to the buyer
//!
//! let anna = Stamp::new(Actor::Party("anna".parse()?), at.at);
//! let joined = opened.then(|created| created.join(&code, &anna))?;
//! assert_eq!(joined.value().status(), Status::Joined);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Statuses are those of Trustap's peer-to-peer model (`002_60aeaf01b8972a78.txt`); where that document contradicts
//! itself or leaves money stuck, an edge of the [`TABLE`] says `Own` or `Implied`. A complaint ends in an arbiter's
//! [`Award`].
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod after;
mod agreement;
mod event;
mod join_code;
mod rule;
mod state;
mod step;
mod terms;

pub use join_code::{JoinCode, JoinCodeError};
pub use state::{
    BuyerHandoverConfirmed, Cancelled, CancelledWithDeposit, Complained, ComplaintPeriodEnded, Created,
    DepositAccepted, DepositPaid, DepositRefunded, FundsReleased, Joined, Priced, Rejected, RemainderPaid,
    RemainderSkipped, Running, SellerHandoverConfirmed,
};
pub use terms::{Charges, Facts, Kept, Policy, Terms};

use crate::{
    deal::{Award, Counted, Lost, PayinClosed, PayinOpened},
    id::Id,
    money::Money,
    party::Role,
    payment::{
        After, AllTaken, Chargeback, Closed, Destination, Evidence, Method, Noted, PartTaken, Payin, Regained,
        chargeback, payin,
    },
    text::Prose,
    time::Timestamp,
};

/// The id of a face-to-face deal: `ftf_…`.
pub type FaceToFaceId = Id<AnyFaceToFace>;

crate::lifecycle! {
    /// A face-to-face deal.
    pub lifecycle FaceToFace, AnyFaceToFace as "face_to_face" with ids "ftf" {
        version 1;
        facts Facts;
        opening Terms;
        initial Created;
        happy Created -> Joined -> DepositPaid -> DepositAccepted -> Priced -> RemainderPaid
            -> SellerHandoverConfirmed -> ComplaintPeriodEnded -> FundsReleased;
        statuses {
            /// Opened by a buyer or a seller; carries a join code.
            Created = "created", Nothing;
            /// Both sides are there; the deposit is awaited.
            Joined = "joined", Nothing;
            /// The other side refused it by its join code.
            Rejected = "rejected", Nothing;
            /// The deposit is in; the seller must accept it.
            DepositPaid = "deposit_paid", Funds;
            /// Called off before any money came in.
            Cancelled = "cancelled", Nothing;
            /// The seller took the deposit; pricing is awaited.
            DepositAccepted = "deposit_accepted", Funds;
            /// The full price is set; the remainder is awaited.
            Priced = "priced", Funds;
            /// Paid in full; handover is awaited.
            RemainderPaid = "remainder_paid", Funds;
            /// Nothing but the deposit goes through escrow; handover is awaited.
            RemainderSkipped = "remainder_skipped", Funds;
            /// Called off after the deposit; its refund is on the way.
            CancelledWithDeposit = "cancelled_with_deposit", Nothing;
            /// The deposit is back with the buyer.
            DepositRefunded = "deposit_refunded", Nothing;
            /// The buyer has the goods; the seller's confirmation is awaited.
            BuyerHandoverConfirmed = "buyer_handover_confirmed", Funds;
            /// The seller handed over; the complaint period runs.
            SellerHandoverConfirmed = "seller_handover_confirmed", Funds;
            /// In dispute; an arbiter decides.
            Complained = "complained", Either;
            /// Nobody complained in time; the payout is on the way.
            ComplaintPeriodEnded = "complaint_period_ended", Nothing;
            /// Over; the money went where it was due.
            FundsReleased = "funds_released", Nothing;
        }
        edges {
            /// The other side joins. As a command, a wrong code is no error: the answer is `Ok`, the deal stays `created`
            /// and its `misses` are one more. Commit that, or nobody counts it.
            join(code: &'e JoinCode) => Join calls join_or_miss records event::Joined {
                /// Needs the join code.
                Created -> Joined by Role::OTHER, Keep, Seed;
            }
            /// The other side wants nothing of it. A wrong code is counted as for `join`.
            reject(code: &'e JoinCode) => Reject calls reject_or_miss records event::Rejected {
                /// Needs the join code.
                Created -> Rejected by Role::OTHER, Keep, Seed;
            }
            /// Calls it off.
            cancel => Cancel records event::Cancelled {
                Created -> Cancelled by Role::CREATOR, Keep, Seed;
                Joined -> Cancelled by Role::BUYER | Role::SELLER, Keep, Seed;
                /// Opens the refund, in full.
                DepositPaid -> CancelledWithDeposit by Role::SELLER | Role::PLATFORM, Refund, Seed;
                /// Opens the refund, less what the policy keeps.
                DepositAccepted -> CancelledWithDeposit by Role::BUYER | Role::SELLER | Role::PLATFORM, Refund, Seed;
                /// Opens the refund, less what the policy keeps.
                Priced -> CancelledWithDeposit by Role::BUYER | Role::PLATFORM, Refund, Seed;
            }
            /// The deposit is there.
            pay_deposit(payin: &'e Payin<payin::Confirmed>) => PayDeposit records event::DepositPaid {
                /// Needs a confirmed payin of exactly the deposit.
                Joined -> DepositPaid by Role::GATEWAY, Collect, Seed;
            }
            /// The seller takes the deposit.
            accept_deposit => AcceptDeposit calls accept_deposit_as_agreed records event::DepositAccepted {
                /// Where the deal was opened with skip_remainder, it goes on to remainder_skipped in the same breath.
                DepositPaid -> DepositAccepted by Role::SELLER, Keep, Seed;
            }
            /// The seller says what it costs in full.
            set_price(price: Money) => SetPrice records event::Priced {
                /// Needs the deposit's currency and more than the deposit.
                DepositAccepted -> Priced by Role::SELLER, Keep, Seed;
            }
            /// The rest is paid in another way, or not at all.
            skip_remainder => SkipRemainder records event::RemainderSkipped {
                DepositAccepted | Priced -> RemainderSkipped by Role::SELLER, Keep, Seed;
            }
            /// The rest is there.
            pay_remainder(payin: &'e Payin<payin::Confirmed>) => PayRemainder records event::RemainderPaid {
                /// Needs a confirmed payin of exactly the price less the deposit.
                Priced -> RemainderPaid by Role::GATEWAY, Collect, Seed;
            }
            /// The deposit is back.
            refund_deposit => RefundDeposit records event::DepositRefunded {
                /// Needs the refund confirmed.
                CancelledWithDeposit -> DepositRefunded by Role::GATEWAY, Keep, Seed;
            }
            /// One side says that the goods changed hands.
            confirm_handover => ConfirmHandover calls confirm_own_handover records event::HandoverConfirmed {
                /// Starts the complaint period, so that a silent seller cannot strand the money.
                RemainderSkipped | RemainderPaid -> BuyerHandoverConfirmed by Role::BUYER, Keep, Seed;
                /// Starts the complaint period, or keeps the one that runs.
                RemainderSkipped | RemainderPaid | BuyerHandoverConfirmed -> SellerHandoverConfirmed by Role::SELLER, Keep, Seed;
            }
            /// The buyer is not content.
            complain(what: Prose) => Complain records event::Complained {
                /// Before the complaint period's deadline, where one runs.
                RemainderSkipped | RemainderPaid | BuyerHandoverConfirmed | SellerHandoverConfirmed -> Complained by Role::BUYER, Keep, Seed;
            }
            /// Nobody has confirmed the handover for too long: an arbiter decides.
            escalate => Escalate records event::Escalated {
                /// After the handover's deadline, so that two silent parties cannot strand the money.
                RemainderSkipped | RemainderPaid -> Complained by Role::PLATFORM | Role::CLOCK, Keep, Own;
            }
            /// The complaint period is over, or the buyer waives the rest of it.
            end_complaint_period => EndComplaintPeriod records event::ComplaintPeriodEnded {
                /// Opens the payouts.
                BuyerHandoverConfirmed | SellerHandoverConfirmed -> ComplaintPeriodEnded by Role::CLOCK | Role::BUYER, Release, Seed;
            }
            /// The money went where it was due.
            release => Release records event::FundsReleased {
                /// Needs every payout confirmed.
                ComplaintPeriodEnded -> FundsReleased by Role::GATEWAY, Keep, Seed;
                /// Needs the complaint period over or waived, and a payout into a wallet, which settles at once.
                SellerHandoverConfirmed -> FundsReleased by Role::PLATFORM, Release, Seed;
            }
            /// The arbiter decides.
            award(award: Award) => Award records event::Awarded {
                /// Needs exact amounts that add up to all that is held; once.
                Complained -> Complained by Role::ARBITER, Divide, Implied;
            }
            /// The award reached both sides.
            settle_complaint => SettleComplaint records event::ComplaintSettled {
                /// Needs an award, and its refund and payouts confirmed.
                Complained -> FundsReleased by Role::GATEWAY, Keep, Seed;
            }
            /// The card network took some of what is held: it stops.
            charge_back(chargeback: &'e Chargeback<chargeback::Open>) => ChargeBack records PartTaken {
                DepositPaid | DepositAccepted | Priced | RemainderPaid | RemainderSkipped | BuyerHandoverConfirmed | SellerHandoverConfirmed | Complained -> Complained by Role::GATEWAY, Part, Own;
            }
            /// The card network took all that is held: it stops.
            charge_back_all(chargeback: &'e Chargeback<chargeback::Open>) => ChargeBackAll records AllTaken {
                DepositPaid | DepositAccepted | Priced | RemainderPaid | RemainderSkipped | BuyerHandoverConfirmed | SellerHandoverConfirmed | Complained -> Complained by Role::GATEWAY, Release, Own;
            }
            /// Ends what has nothing left, because all of it was charged back.
            close => Close records Closed {
                /// Needs nothing held, and every dispute decided.
                Complained -> FundsReleased by Role::PLATFORM, Keep, Own;
            }
        }
        notes {
            /// Somebody tried a wrong join code. Bookkeeping of `join` and `reject`: not for a screen.
            miss => Miss records event::Missed {
                /// Counted, so that codes cannot be tried at will.
                Created by Role::OTHER, Keep, Own;
            }
            /// Opens a payin of what is due: the deposit, then the remainder.
            pay(by: Method) => Pay calls pay_as_told records PayinOpened {
                Joined | Priced by Role::BUYER | Role::PLATFORM, Keep, Seed;
            }
            /// No money comes of the payin under way: another may be opened.
            drop_payin(payin: Lost<'e>) => DropPayin records PayinClosed {
                Joined | Priced by Role::GATEWAY, Keep, Own;
            }
            /// The deposit's payment is, or is no longer, under review.
            review(under_review: bool) => Review records event::Reviewed {
                /// Accepting is refused meanwhile.
                DepositPaid by Role::PLATFORM | Role::GATEWAY, Keep, Implied;
            }
            /// Says where the seller is paid; into the seller's wallet unless said.
            set_payout(to: Destination) => SetPayout records event::PayoutSet {
                Joined | DepositPaid | DepositAccepted | Priced | RemainderPaid | RemainderSkipped
                    | BuyerHandoverConfirmed | SellerHandoverConfirmed by Role::SELLER | Role::PLATFORM, Keep, Implied;
            }
            /// Proposes a longer complaint period, or agrees to the same.
            extend(until: Timestamp) => Extend records event::Extended {
                /// Holds once both sides have said so.
                BuyerHandoverConfirmed | SellerHandoverConfirmed by Role::BUYER | Role::SELLER, Keep, Implied;
            }
            /// The buyer waives the rest of the complaint period.
            waive => Waive records event::Waived {
                /// Once.
                SellerHandoverConfirmed by Role::BUYER, Keep, Implied;
            }
            /// A payout or refund was confirmed or denied, or passed its money to another.
            count(evidence: &'e Evidence<'e>) => Count records Counted {
                CancelledWithDeposit | ComplaintPeriodEnded | Complained by Role::GATEWAY, Keep, Own;
            }
            /// A dispute was won: what was held and charged back is there again.
            regain(chargeback: &'e Chargeback<chargeback::Won>) => Regain records Regained {
                Complained by Role::GATEWAY, Collect, Own;
            }
            /// What happened to money that had left for good, such as a payout or refund that came back from the bank.
            note_after(after: After<'e>) => NoteAfter records Noted {
                CancelledWithDeposit | DepositRefunded | Complained | ComplaintPeriodEnded | FundsReleased by Role::GATEWAY, Keep, Own;
            }
        }
        commands Command<'e>;
    }
}
