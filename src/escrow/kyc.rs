//! Whom the host allows to be paid: know your customer, asked before money leaves.
//!
//! ```
//! use escrowed::{escrow::{Escrow, Kyc, Verdict}, memory::Memory, order, party::{Actor, PartyId}, sandbox::Sandbox};
//! use escrowed::payment::{AnyPayout, Destination, Method, PayoutId, payout};
//! use escrowed::store::{Query, Store, Views};
//! use std::{collections::BTreeSet, convert::Infallible, sync::{Arc, Mutex}};
//!
//! /// Who has shown papers. A host asks its own database here.
//! #[derive(Clone, Default)]
//! struct Papers(Arc<Mutex<BTreeSet<PartyId>>>);
//!
//! impl Kyc for Papers {
//!     type Error = Infallible;
//!     async fn may_be_paid(&self, payout: &payout::Terms) -> Result<Verdict, Infallible> {
//!         let known = self.0.lock().unwrap().contains(&payout.payee);
//!         Ok(if known { Verdict::Pay } else { Verdict::Hold { reason: "no papers yet".parse().unwrap() } })
//!     }
//! }
//!
//! # futures_lite::future::block_on(async {
//! let papers = Papers::default();
//! let escrow = Escrow::new(Memory::new(), Sandbox::new(7)).with_kyc(papers.clone());
//! # let (anna, sam, ops) = (Actor::Party("anna".parse()?), Actor::Party("sam".parse()?), Actor::platform("ops".parse()?));
//! # let terms = order::Terms::new("A bicycle".parse()?, "120.00 EUR".parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
//! # let mut unit = escrow.store().begin().await?;
//! # let id = escrow.open_order(&mut unit, terms, ops.clone()).await?.id();
//! # let buyer = "anna".parse()?;
//! # escrow.act(&mut unit, id, order::Command::IdentifyBuyer { buyer }, ops.clone()).await?;
//! # escrow.act(&mut unit, id, order::Command::Pay { by: Method::Card }, anna).await?;
//! # escrow.store().commit(unit).await?;
//! # escrow.send(&"worker-1".parse()?, 10).await?;
//! # let mut unit = escrow.store().begin().await?;
//! # let to = Destination::Account { bankaccount_id: "ba_sam".parse()? };
//! # let payout = Some(order::PayoutPlan::to("sam".parse()?, to));
//! # escrow.act(&mut unit, id, order::Command::Accept { payout }, sam).await?;
//! # escrow.act(&mut unit, id, order::Command::Validate {}, ops).await?;
//! # escrow.store().commit(unit).await?;
//! // Sam has sold a bicycle, and the order was validated: his money is on its way.
//! let sent = escrow.send(&"worker-1".parse()?, 10).await?;
//! assert_eq!((sent.held, sent.answered), (1, 0));
//!
//! // An operator's page: what is held, for whom, how much and why.
//! let mut unit = escrow.store().begin().await?;
//! let page = unit.find(&Query::status("payout".parse()?, "HELD"), None, 50).await?;
//! let held: PayoutId = page.rows[0].subject.try_into()?;
//! let AnyPayout::Held(payout) = escrow.load(&mut unit, held).await? else { panic!("it is held") };
//! assert_eq!((payout.held(), payout.state().reason().as_str()), ("120.00 EUR".parse()?, "no papers yet"));
//! let order = escrow.load(&mut unit, id).await?;
//! assert_eq!(order.status(), order::Status::PendingRelease);   // nothing is wrong with it: it waits
//!
//! // Sam shows his papers. Without this call the policy is asked again within the hour.
//! papers.0.lock().unwrap().insert("sam".parse()?);
//! assert_eq!(escrow.kyc_changed(&mut unit, &"sam".parse()?).await?, 1);
//! escrow.store().commit(unit).await?;
//!
//! let sent = escrow.send(&"worker-1".parse()?, 10).await?;
//! assert_eq!((sent.held, sent.answered), (0, 1));
//! # let mut unit = escrow.store().begin().await?;
//! assert_eq!(escrow.load(&mut unit, id).await?.status(), order::Status::Released);
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! - The policy is asked by the worker that is about to send a payout, whoever opened it and however it was saved: nothing
//!   leaves through a gateway without its word. Into a wallet it is not asked: that money stays on the host's own books.
//! - The policy is asked about the payee by name. Whose the bank account is that the money goes to
//!   ([`Destination::Account`](crate::payment::Destination::Account), in the terms it is given) the crate cannot know: the host
//!   checks that it is the payee's, here or when it is named. A seller names accounts for itself only: see
//!   [`PayoutPlan`](crate::order::PayoutPlan).
//! - A held payout is `HELD`, with the policy's reason, and keeps its money. Its order or deal waits as for any payout that
//!   takes its time. Payouts to others of the same order go out.
//! - The policy is asked again after [`Policy::ask_again`](super::Policy::ask_again), or at once after
//!   [`kyc_changed`](Escrow::kyc_changed). What it allows goes out by itself, under the key of the call that was held, so
//!   whatever dies in between, it is paid once.
//! - What may have been sent stays so, whatever the policy says next and however often the gateway is asked and knows nothing: a
//!   request may be under way for longer than any lease, and money that is taken back meanwhile would be paid twice. Such a
//!   payout is held like any other and goes out once it is allowed, under its key; but nobody denies or cancels it
//!   ([`EscrowError::Sent`]) until the gateway has said what became of it. That needs no payee: an operator asks the
//!   gateway, and [reports](Escrow::report) what it says, [`Outcome::Declined`](crate::gateway::Outcome::Declined) once it has
//!   made sure that it neither has the call nor will take it any more. A worker that died while the policy was asked about a
//!   fresh payout counts as one that may have sent it; one that died while it was asked about a held payout, or that had no
//!   answer, does not.
//! - A payee who will never be allowed is for the platform to say: it [denies](crate::payment::payout::Command::Deny) the held
//!   payout, which then leads on as one that the gateway declined, but by the platform alone: replaced, or given back to the
//!   order, which is cancelled. The payee cannot send it elsewhere, not into its wallet either. Where the order is blocked
//!   already, the payout may be [cancelled](crate::payment::payout::Command::Cancel), too. Only an order takes money back. In a
//!   deal, a campaign or a loan, where the award or the pledges have been counted by then, the platform replaces the payout by
//!   one into the payee's wallet and [moves](crate::escrow::Escrow::move_money) it from there to whomever it is to have.
//! - What the policy said is in the payout's log. Replay reads it there and asks nobody.

use super::{Clock, Escrow, EscrowError};
use crate::{
    gateway::{Gateway, IdempotencyKey, Verb},
    party::PartyId,
    payment::payout,
    store::{CallStatus, Outbox, Postponement, Query, Store, Views},
    text::Prose,
};
use std::{error::Error, fmt, pin::Pin};

/// Whom the host allows to be paid. Without a policy everybody is, and nobody is asked.
///
/// [The module's front page](self) has an example.
pub trait Kyc: Send + Sync {
    /// Why the policy may have no answer.
    type Error: Error + Send + Sync + 'static;

    /// Whether this payout may go out now. It is asked at least once for each payout through a gateway, and may be asked
    /// any number of times; it should answer within a worker's lease, which is 60 seconds by default.
    ///
    /// # Errors
    /// When nobody knows. Nothing is sent then; it is asked again as a failed call is sent again, with back-off, and parked
    /// for an operator in the end.
    fn may_be_paid(&self, payout: &payout::Terms) -> impl Future<Output = Result<Verdict, Self::Error>> + Send;
}

/// What the host's policy says of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may go out.
    Pay,
    /// It waits, until the policy says otherwise.
    Hold {
        /// Why, for the operator and the payee to read. It is kept in the payout's log for good: name what is missing,
        /// not what is known of a person.
        reason: Prose,
    },
}

/// The host's policy, if it has one.
#[derive(Default)]
pub(super) struct Asks(Option<Box<dyn Ask>>);

pub(super) type NoAnswer = Box<dyn Error + Send + Sync>;
type Answer<'a> = Pin<Box<dyn Future<Output = Result<Verdict, NoAnswer>> + Send + 'a>>;

// A policy is asked once per payout, beside a call to a gateway: a box costs nothing there, and a type parameter would be
// in every host's signatures.
trait Ask: Send + Sync {
    fn ask<'a>(&'a self, payout: &'a payout::Terms) -> Answer<'a>;
}

impl<K: Kyc> Ask for K {
    fn ask<'a>(&'a self, payout: &'a payout::Terms) -> Answer<'a> {
        Box::pin(async { Ok(self.may_be_paid(payout).await?) })
    }
}

impl Asks {
    /// Whether there is anybody to ask.
    pub(super) const fn anybody(&self) -> bool {
        self.0.is_some()
    }

    pub(super) async fn ask(&self, payout: &payout::Terms) -> Result<Verdict, NoAnswer> {
        match &self.0 {
            Some(kyc) => kyc.ask(payout).await,
            None => Ok(Verdict::Pay),
        }
    }
}

impl fmt::Debug for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.anybody() { "Asks(the host's policy)" } else { "Asks(nobody)" })
    }
}

/// How many held payouts are looked through at a time.
const PAGE: usize = 100;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Asks this policy before money leaves through the gateway. Every process that sends calls needs it.
    #[must_use]
    pub fn with_kyc(mut self, policy: impl Kyc + 'static) -> Self {
        self.kyc = Asks(Some(Box::new(policy)));
        self
    }

    /// What the policy says of a party may have changed: the workers ask it again about each payout of theirs that is held,
    /// at once, or, for one that a worker is asking about at this moment, at its next time. Returns how many there are.
    ///
    /// It allows nothing by itself, and nothing is lost when it is never called. Once the unit is committed,
    /// [ring](super::Bell::ring) for the workers.
    ///
    /// # Errors
    /// [`EscrowError::Storage`] when the storage fails.
    pub async fn kyc_changed<U: Outbox + Views>(
        &self,
        unit: &mut U,
        party: &PartyId,
    ) -> Result<usize, EscrowError<U::Error>> {
        let held = payout::Status::Held.name();
        let query = Query::status(payout::TABLE.name.parse().expect("a lifecycle's name"), held);
        let (mut after, mut asked) = (None, 0);
        loop {
            let page = unit.find(&query, after.as_ref(), PAGE).await.map_err(EscrowError::Storage)?;
            for row in page.rows.iter().filter(|row| row.parties.contains(party)) {
                let key = IdempotencyKey { subject: row.subject, verb: Verb::Payout };
                let call = unit.call(&key).await.map_err(EscrowError::Storage)?;
                let Some(call) = call.filter(|call| call.status == CallStatus::Held) else { continue };
                // It stays held, so that whoever takes it only asks. Whether it may have been sent is kept: who has taken it
                // meanwhile may have leave to send it.
                let (status, problem) = (CallStatus::Held, call.problem.as_ref());
                let now = Postponement { status, problem, ..Postponement::queued(key, self.clock.now()) };
                asked += usize::from(unit.postpone(&now).await.map_err(EscrowError::Storage)?);
            }
            after = page.next;
            if after.is_none() {
                return Ok(asked);
            }
        }
    }
}
