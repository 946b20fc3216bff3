//! Money coming in: by card, by bank wire, or from a wallet.
//!
//! ```
//! use escrowed::{gateway::Capture, order::OrderId, party::{Actor, Stamp}};
//! use escrowed::payment::{Method, Payin, PayinId, payin};
//!
//! let at = Stamp::new(Actor::Party("anna".parse()?), "2026-05-07T15:39:46Z".parse()?);
//! let opened = Payin::open(PayinId::generate(at.at), payin::Terms {
//!     about: OrderId::generate(at.at).subject(),
//!     payer: "anna".parse()?,
//!     amount: "120.00 EUR".parse()?,
//!     method: Method::Card,
//!     capture: Capture::Now,
//!     gateway: "sandbox".parse()?,
//!     expires: None,
//!     authentication: Default::default(),                     // left to the gateway
//! }, &at)?;
//! assert_eq!(opened.value().status(), payin::Status::Created);
//! assert_eq!(opened.commits()[0].calls().len(), 1);           // the charge, for the outbox
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Strong customer authentication
//!
//! A card or a bank payin says what it [needs](Need) of its payer: a challenge at its `direct_link`, or a named exemption from
//! one ([`sca`](crate::sca) has the list and the law). What is asked goes to the gateway with the charge; what the gateway
//! answers is on the payin, and with it who is [liable](Payin::liability).
//!
//! | what happens | what becomes of the payin |
//! |---|---|
//! | the payer has to pass a challenge | [`challenge`](Payin::challenge): it waits, with the page's address. An exemption was not granted then |
//! | the payer passes it | `CONFIRMED` (or `AUTHORIZED`), the payer's bank is liable, the count of low values begins anew |
//! | an exemption is granted | `CONFIRMED` (or `AUTHORIZED`), the platform is liable |
//! | the payer fails | `DENIED`, with the gateway's reason: the order may try another |
//! | the challenge ends before | `CANCELLED` by the clock, the gateway is told; money that comes all the same goes back |
//! | the payer's browser comes back | [`come_back`](Payin::come_back): noted once, and no word on the money. A forged or repeated response is [`Forged`](crate::sca::Forged) and changes nothing |
//! | the gateway takes the money without the challenge | [`Reason::NotAuthenticated`](crate::lifecycle::Reason::NotAuthenticated): not booked; the call is parked for an operator, who cancels the payin, which sends it back |
//!
//! Until the gateway has settled, nothing is booked. Then the gateway holds the money, and the books say so: its account is
//! below zero by what it holds.
//!
//! ```
//! use escrowed::{escrow::{Escrow, Needs}, gateway::{Gateway, Verb}, memory::Memory, money::Currency, order, party::Actor};
//! use escrowed::payment::{AnyPayin, Method, payin};
//! use escrowed::sandbox::{Behaviour, Resolution, Sandbox};
//! use escrowed::{sca::Liability, store::{Store, Views}};
//! # futures_lite::future::block_on(async {
//! let escrow = Escrow::new(Memory::new(), Sandbox::new(7));
//! let (anna, ops, worker) = (Actor::Party("anna".parse()?), Actor::platform("ops".parse()?), "worker-1".parse()?);
//! escrow.gateway().script(Verb::Charge, [Behaviour::Challenge { until: None }]);
//!
//! let mut unit = escrow.store().begin().await?;
//! let terms = order::Terms::new("A bicycle".parse()?, "120.00 EUR".parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
//! let id = escrow.open_order(&mut unit, terms, ops.clone()).await?.id();
//! escrow.act(&mut unit, id, order::Command::IdentifyBuyer { buyer: "anna".parse()? }, ops).await?;
//! let challenge = anna.clone().needing(Needs::Challenge, "sam".parse()?);
//! let order = escrow.act(&mut unit, id, order::Command::Pay { by: Method::Card }, challenge).await?;
//! escrow.store().commit(unit).await?;
//! escrow.send(&worker, 10).await?;                                    // the gateway wants to see anna
//!
//! let (payin, world) = (order.facts().payins()[0], "world:sandbox".parse()?);
//! let mut unit = escrow.store().begin().await?;
//! let AnyPayin::Created(waiting) = escrow.load(&mut unit, payin).await? else { panic!() };
//! let page = &waiting.sca().challenge().expect("a challenge").direct_link;
//! assert!(page.as_str().starts_with("https://"));                     // anna goes there …
//! let key = escrow.gateway().pending()[0];
//! let response = escrow.gateway().response(&key).expect("a response");
//! escrow.act_on_payin(&mut unit, payin, payin::Command::ComeBack { response }, anna).await?;   // … and comes back
//! assert_eq!(unit.balance(&world, Currency::EUR).await?, "0.00 EUR".parse()?);
//! escrow.store().commit(unit).await?;
//!
//! escrow.gateway().resolve(&key, Resolution::Settle);                 // she has passed
//! let mut unit = escrow.store().begin().await?;
//! escrow.report(&mut unit, &escrow.gateway().reports()[0]).await?;
//! let AnyPayin::Confirmed(paid) = escrow.load(&mut unit, payin).await? else { panic!() };
//! assert_eq!(paid.liability(), Liability::Issuer);
//! assert_eq!(unit.balance(&world, Currency::EUR).await?, "-120.00 EUR".parse()?);
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! # Another amount than was asked
//!
//! What moves is compared with what was asked. Another amount is [`Reason::WrongAmount`](crate::lifecycle::Reason::WrongAmount):
//! it is not booked as paid, and the call is parked for an operator, who asks the gateway.
//!
//! - If the gateway had it wrong, its corrected report is taken, or the call is [put back](crate::escrow::Escrow::requeue) and
//!   looked up.
//! - If the amount is right, the operator [calls the payin off](Command::Cancel), which leaves room for another. Of a capture
//!   the payin knows by then [what moved](Authorized::captured), and sends it back in the same write; any other call is put
//!   back, looked up, and what moved goes [straight back](Payin::bounce).
//!
//! # Its lifecycle
//!
//! Statuses are those of Truust's payins (its public API reference). A failed payin is over: the order opens another.
//! Money that arrives after the end, or that nobody waits for any more, opens its own refund in the same commit. A card network
//! may take it back all the same: then the payer owes what it has twice, and the refund [pays that](super::chargeback) in the
//! payer's wallet.
//!
#![doc = "<div style=\"overflow-x: auto\">"]
#![doc = include_str!("lifecycle.svg")]
#![doc = "</div>"]

mod action;
mod authentication;
mod event;
mod rule;
mod state;
mod step;

pub use action::{Opened, open};
pub use authentication::{Need, needing};
pub(crate) use authentication::{ONE_PAYIN, opened_by};
pub use event::{Method, Terms};
pub use state::{
    After, Authorized, Cancelled, Challenge, Chargeable, Confirmed, Created, Denied, Disputes, Over, Refunded, Sca,
    Secured, Taken,
};

use super::{
    chargeback::{self, Chargeback},
    refund::{Confirmed as RefundConfirmed, Refund, Route},
};
use crate::{
    gateway::{Outcome, Verb},
    id::{Id, Subject},
    money::Money,
    party::Role,
    sca::{Assurance, Response},
    text::{Link, Prose},
    time::Timestamp,
};

/// The id of a payin: `pi_…`.
pub type PayinId = Id<AnyPayin>;

crate::lifecycle! {
    /// A payin: money coming in for one order or transaction.
    pub lifecycle Payin, AnyPayin as "payin" with ids "pi" {
        version 1;
        facts Terms;
        opening Terms;
        initial Created;
        happy Created -> Confirmed;
        statuses {
            /// The payer is to pay; the gateway has been or is about to be asked.
            Created = "CREATED", Nothing;
            /// The amount is reserved on the payer's card, and can be captured or let go.
            Authorized = "AUTHORIZED", Nothing;
            /// The money is there.
            Confirmed = "CONFIRMED", Either;
            /// The gateway declined, for a reason.
            Denied = "DENIED", Nothing;
            /// Called off; a reservation is let go.
            Cancelled = "CANCELLED", Nothing;
            /// All of it went back to the payer.
            Refunded = "REFUNDED", Nothing;
        }
        edges {
            /// The gateway reserved the amount.
            authorize(moved: Money) => Authorize records event::Authorized {
                /// Only of a payin that is captured later.
                Created -> Authorized by Role::GATEWAY, Keep, Seed;
            }
            /// The money is there.
            confirm(moved: Money) => Confirm records event::Confirmed {
                /// Exactly the amount that was asked.
                Created | Authorized -> Confirmed by Role::GATEWAY, Collect, Seed;
            }
            /// The gateway declined.
            deny(reason: Prose) => Deny records event::Denied {
                /// With the gateway's reason.
                Created | Authorized -> Denied by Role::GATEWAY, Keep, Seed;
            }
            /// Somebody called it off, or its time ran out.
            cancel => Cancel calls cancel_as_told records event::Cancelled {
                /// An authorisation is voided. Once its capture is asked for, only by the platform, where another amount was
                /// captured: that goes back.
                Created | Authorized -> Cancelled by Role::BUYER | Role::PLATFORM | Role::CLOCK, Keep, Seed;
            }
            /// A refund of it was confirmed.
            refund(refund: &'e Refund<RefundConfirmed>) => Refund records event::RefundCounted {
                /// Refunded once all of it is; partial refunds are counted.
                Confirmed -> Confirmed | Refunded by Role::GATEWAY, Keep, Seed;
            }
        }
        notes {
            /// The gateway waits for the payer.
            await_payer(direct_link: Option<Link>) => AwaitPayer records event::PayerAwaited {
                /// With the page to send the payer to, if there is one.
                Created by Role::GATEWAY, Keep, Seed;
            }
            /// The gateway has a challenge for the payer.
            challenge(direct_link: Link, until: Option<Timestamp>) => Challenge records event::Challenged {
                /// With the page to send the payer to. Where an exemption was asked for, it was not granted.
                Created by Role::GATEWAY, Keep, Seed;
            }
            /// The payer is back from the challenge's page. It says nothing of the money.
            come_back(response: Response) => ComeBack records event::CameBack {
                /// Once, with the code that the gateway was given.
                Created | Authorized | Confirmed | Denied | Cancelled by Role::BUYER | Role::PLATFORM, Keep, Own;
            }
            /// The gateway says whether the payer was authenticated, and who is liable.
            assure(assurance: Assurance) => Assure records event::Assured {
                /// Once, in the same breath in which the charge settles.
                Created | Denied | Cancelled by Role::GATEWAY, Keep, Own;
            }
            /// The platform wants the reserved money.
            capture => Capture records event::CaptureAsked {
                /// Once.
                Authorized by Role::PLATFORM, Keep, Implied;
            }
            /// The gateway captured another amount than was asked. It is not booked.
            note_capture(moved: Money) => NoteCapture records event::OtherCaptured {
                /// The platform may call it off then.
                Authorized by Role::GATEWAY, Keep, Own;
            }
            /// The gateway answered after the end: the void, or that no money comes of what it was asked before.
            note_answer(verb: Verb, outcome: Outcome) => NoteAnswer records event::Answered {
                Denied | Cancelled by Role::GATEWAY, Keep, Own;
            }
            /// The order or transaction that it paid for took its money.
            hand_over(to: Subject) => HandOver records event::HandedOver {
                /// To what it was opened for, all of it.
                Confirmed by Role::GATEWAY, Release, Seed;
            }
            /// The card network took some of its money back.
            charge_back(chargeback: &'e Chargeback<chargeback::Open>) => ChargeBack records event::ChargedBack {
                /// Once each, and none takes more than was paid. Not from a wallet.
                Confirmed | Refunded by Role::GATEWAY, Keep, Own;
                /// Of what came late: the payer has it twice by what its refund has, too.
                Denied | Cancelled by Role::GATEWAY, Keep, Own;
            }
            /// The card network returned what it had taken.
            win_back(chargeback: &'e Chargeback<chargeback::Won>) => WinBack records event::WonBack {
                /// Once each.
                Confirmed | Refunded | Denied | Cancelled by Role::GATEWAY, Keep, Own;
            }
            /// Nobody waits for its money any more: it goes back.
            give_back => GiveBack records event::GivenBack {
                /// Opens a refund of all of it.
                Confirmed by Role::GATEWAY, Refund, Own;
            }
            /// An amount was reserved after the end: it is let go.
            let_go(moved: Money) => LetGo records event::LetGo {
                /// Once.
                Denied | Cancelled by Role::GATEWAY, Keep, Own;
            }
            /// Money arrived after the end: it goes back.
            bounce(moved: Money) => Bounce records event::Bounced {
                /// Opens a refund of all that moved, whatever was asked.
                Denied | Cancelled by Role::GATEWAY, Pass, Own;
            }
        }
        commands Command<'e>;
    }
}

impl Terms {
    /// How a refund of it goes back: the way it came.
    #[must_use]
    pub fn route(&self) -> Route {
        match &self.method {
            Method::Card => Route::Original,
            Method::BankWire { refund_to } => Route::Account(refund_to.clone()),
            Method::Wallet => Route::Wallet,
        }
    }
}
