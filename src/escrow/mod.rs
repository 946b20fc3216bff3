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
//! Whatever follows from an act by itself, such as a refund and what its payin and its order learn of it, is written
//! together with it by one [`append_all`](crate::store::UnitOfWork::append_all): all of it, or nothing.
//!
//! An HTTP handler passes its caller's idempotency key on: [`Actor::under`] makes a request of it that is done once, and is
//! answered the same each time it is sent. See [`Caller`].
//!
//! Every method but [`send`](Escrow::send), [`run_due`](Escrow::run_due) and [`work`](Escrow::work) works in a unit that
//! the host has begun and will commit, together with whatever else the host writes. Those three are the workers: they
//! begin and commit units of their own, one per call or subject. `send` and `run_due` do what there is to do now, for a
//! host with a schedule of its own; `work` goes on until it is told to stop. None of them starts a thread, a timer or a
//! runtime.
//!
//! Money that one or several pay to one or several, all of it or nothing, is moved by [`move_money`](Escrow::move_money): see
//! [`movement`](crate::movement).
//!
//! A host may hold payouts to a party it does not know well enough: see [`kyc`].
//!
//! What a worker could not do waits for a person: [`parked`](Escrow::parked) lists it, [`requeue`](Escrow::requeue) puts
//! it back.
//!
//! # Metrics and traces
//!
//! With the feature `tracing`, the crate says what it does through [`tracing`](https://docs.rs/tracing). It names ids,
//! verbs, gateways and outcomes; never amounts, parties, bank accounts or the reasons that a gateway gives.
//!
//! | span | of | fields |
//! |---|---|---|
//! | `escrowed.call` | each call that a worker sees to | `key`, `gateway`, `worker`, `attempt`, `outcome` |
//! | `escrowed.deadline` | each deadline that a worker sees to | `subject`, `lifecycle`, `worker`, `outcome` |
//! | `escrowed.report` | each report, from a worker or a webhook | `key`, `outcome` |
//!
//! Each span ends with an event at `INFO` that counts it: `monotonic_counter.escrowed.calls`, `.deadlines` and
//! `.reports`, with the outcome and what else is of few values. A parked call, a report that cannot be true and a deadline
//! that is refused though nobody has seen to it are told at `WARN`; a corrupt log, a row that a worker cannot read
//! (`monotonic_counter.escrowed.unreadable`) and a storage that fails a worker, at `ERROR`. The names of the counters are those
//! that the metrics layer of
//! [`tracing-opentelemetry`](https://docs.rs/tracing-opentelemetry/latest/tracing_opentelemetry/struct.MetricsLayer.html)
//! picks up.

mod act;
mod authenticate;
mod bearing;
mod caller;
mod clock;
mod debts;
mod disputes;
mod error;
mod follow;
mod gather;
mod judge;
pub mod kyc;
mod member;
mod movements;
mod paid_twice;
mod pledges;
mod refunds;
mod report;
mod sharing;
mod trace;
mod worker;

pub use authenticate::Needs;
pub use caller::Caller;
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::EscrowError;
pub use kyc::{Kyc, Verdict};
pub use report::Reported;
pub use worker::{Bell, Due, Policy, Sent, Shift, Worked};

use crate::{
    campaign::AnyCampaign,
    distribution::AnyDistribution,
    face_to_face::AnyFaceToFace,
    gateway::Gateway,
    loan::AnyLoan,
    movement::AnyMovement,
    order::AnyOrder,
    party::{Actor, PartyId, Stamp},
    payment::Agreement,
    pledge::{AnyPledge, Pool},
    sca::Limits,
    store::Store,
    transaction::AnyTransaction,
};
pub(crate) use member::Member;

/// Orders, payments, storage and a gateway, as one.
#[derive(Debug)]
pub struct Escrow<S, G, C = SystemClock> {
    store: S,
    gateway: G,
    clock: C,
    policy: Policy,
    kyc: kyc::Asks,
    limits: Vec<Limits>,
    platform: PartyId,
    members: Vec<Member>,
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
        let platform = "platform".parse().expect("a party's name");
        Self {
            store,
            gateway,
            clock,
            policy: Policy::default(),
            kyc: kyc::Asks::default(),
            limits: vec![Limits::euro()],
            platform,
            members: built_in(),
        }
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

    /// The marketplace's own party, to whom is owed what a lifecycle does not name its own platform for: `platform` unless
    /// said.
    #[must_use]
    pub fn with_platform(mut self, platform: PartyId) -> Self {
        self.platform = platform;
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

    /// The lifecycles that people agree on, which it serves.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// This actor's stamp, now.
    pub fn stamp(&self, by: Actor) -> Stamp {
        Stamp::new(by, self.clock.now())
    }
}

pub(crate) fn built_in() -> Vec<Member> {
    vec![
        Member::of::<AnyOrder>(),
        Member::of::<AnyFaceToFace>(),
        Member::of::<AnyTransaction>(),
        Member::of::<AnyPledge>(),
        Member::of_pool::<AnyCampaign>(),
        Member::of::<AnyMovement>(),
        Member::of_pool::<AnyLoan>(),
        Member::of::<AnyDistribution>(),
    ]
}
