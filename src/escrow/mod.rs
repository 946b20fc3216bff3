//! The service that ties everything together: open, act, take a gateway's report, send calls, run what is due.
//!
//! ```
//! use escrowed::{escrow::Escrow, memory::Memory, order, party::Actor, payment::{Destination, Method}, sandbox::Sandbox};
//! use escrowed::store::Store;
//! # futures_lite::future::block_on(async {
//! let escrow = Escrow::new(Memory::new(), Sandbox::new(7));
//! let (anna, sam, ops) = (Actor::Party("anna".parse()?), Actor::Party("sam".parse()?), Actor::platform("ops".parse()?));
//! let terms = order::Terms::new("A bicycle".parse()?, "120.00 EUR".parse()?, "sam".parse()?, "shop".parse()?, "sandbox".parse()?);
//!
//! let mut unit = escrow.store().begin().await?;       // the host's own transaction
//! let order = escrow.open_order(&mut unit, terms, ops.clone()).await?;
//! let buyer = "anna".parse()?;
//! escrow.act(&mut unit, order.id(), order::Command::IdentifyBuyer { buyer }, ops.clone()).await?;
//! escrow.act(&mut unit, order.id(), order::Command::Pay { by: Method::Card }, anna).await?;
//! escrow.store().commit(unit).await?;
//! escrow.send(&"worker-1".parse()?, 10).await?;       // asks the gateway, which settles at once
//!
//! let mut unit = escrow.store().begin().await?;
//! let payout = Some(order::PayoutPlan::to("sam".parse()?, Destination::Wallet));
//! escrow.act(&mut unit, order.id(), order::Command::Accept { payout }, sam).await?;
//! let order = escrow.act(&mut unit, order.id(), order::Command::Validate {}, ops).await?;
//! escrow.store().commit(unit).await?;
//! assert_eq!(order.status(), order::Status::Released);
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! Every method but [`send`](Escrow::send) and [`run_due`](Escrow::run_due) works in a unit that the host has begun and
//! will commit, together with whatever else the host writes. Those two are the workers: they begin and commit units of
//! their own, one per call or subject. None of them starts a thread, a timer or a runtime.

mod act;
mod clock;
mod error;
mod member;
mod pledges;
mod report;
mod worker;

pub use clock::{Clock, ManualClock, SystemClock};
pub use error::EscrowError;
pub use report::Reported;
pub use worker::{Due, Sent};

use crate::{
    campaign::AnyCampaign,
    face_to_face::AnyFaceToFace,
    gateway::Gateway,
    order::AnyOrder,
    party::{Actor, Stamp},
    payment::Agreement,
    pledge::{AnyPledge, Pool},
    store::Store,
    transaction::AnyTransaction,
};
use member::Member;
use std::time::Duration;

/// Orders, payments, storage and a gateway, as one.
#[derive(Debug)]
pub struct Escrow<S, G, C = SystemClock> {
    store: S,
    gateway: G,
    clock: C,
    policy: Policy,
    members: Vec<Member>,
}

/// How calls are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long a worker may hold a call. Longer than a gateway's slowest answer: 60 seconds by default.
    pub lease: Duration,
    /// How long to wait after the first failure; doubled by each further one. 1 second by default.
    pub back_off: Duration,
    /// At most so long: 10 minutes by default.
    pub back_off_limit: Duration,
    /// After so many attempts a call is parked for an operator: 20 by default.
    pub attempts: u32,
    /// How often a pending call is looked up, should its webhook get lost: every hour by default.
    pub look_up: Duration,
}

impl<S: Store, G: Gateway> Escrow<S, G> {
    /// An escrow by the operating system's clock that serves the built-in lifecycles.
    pub fn new(store: S, gateway: G) -> Self {
        Self::with_clock(store, gateway, SystemClock)
    }
}

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// The same by a clock of the host's.
    pub fn with_clock(store: S, gateway: G, clock: C) -> Self {
        Self { store, gateway, clock, policy: Policy::default(), members: built_in() }
    }

    /// Serves a lifecycle of the host's own, too. Registered again, it replaces the one with the same ids.
    #[must_use]
    pub fn with<L: Agreement>(self) -> Self {
        self.serving(Member::of::<L>())
    }

    /// Serves a lifecycle of the host's own that gathers pledges, too.
    #[must_use]
    pub fn with_pool<P: Pool>(self) -> Self {
        self.serving(Member::of_pool::<P>())
    }

    fn serving(mut self, member: Member) -> Self {
        self.members.retain(|known| known.kind != member.kind);
        self.members.push(member);
        self
    }

    /// Sends calls by this policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The store, to begin and commit units.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// The gateway.
    pub const fn gateway(&self) -> &G {
        &self.gateway
    }

    /// The clock.
    pub const fn clock(&self) -> &C {
        &self.clock
    }

    /// This actor's stamp, now.
    pub fn stamp(&self, by: Actor) -> Stamp {
        Stamp::new(by, self.clock.now())
    }
}

fn built_in() -> Vec<Member> {
    vec![
        Member::of::<AnyOrder>(),
        Member::of::<AnyFaceToFace>(),
        Member::of::<AnyTransaction>(),
        Member::of::<AnyPledge>(),
        Member::of_pool::<AnyCampaign>(),
    ]
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            back_off: Duration::from_secs(1),
            back_off_limit: Duration::from_secs(600),
            attempts: 20,
            look_up: Duration::from_secs(3600),
        }
    }
}
