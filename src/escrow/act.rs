//! What people do: open, act on an order, act on a payment.

use super::{
    Clock, Escrow, EscrowError,
    member::{Lapse, Member, Reaction, onward},
};
use crate::{
    gateway::Gateway,
    id::{Id, Subject},
    lifecycle::{Lifecycle, Reason, Transition, Value, replay},
    order::{Draft, Order, OrderId, Terms},
    party::{Actor, Stamp},
    payment::{
        Agreement, AnyPayin, AnyPayout, AnyRefund, Evidence, PayinId, PayoutId, RefundId, payin, payout, payout::Went,
        refund,
    },
    store::{AppendedAll, Commit, Log, Store, UnitOfWork},
};

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Opens an order, in `DRAFT`. Who may open orders, for whom, is for the host to decide; until its buyer is known, a draft
    /// may be claimed by anybody but the seller.
    ///
    /// # Errors
    /// [`EscrowError`] when the terms are refused or name another gateway, or nothing could be written.
    pub async fn open_order<U: UnitOfWork>(
        &self,
        unit: &mut U,
        terms: Terms,
        by: Actor,
    ) -> Result<Order<Draft>, Fails<U>> {
        let served = self.gateway.name();
        if terms.gateway != *served {
            return Err(EscrowError::OtherGateway { asked: terms.gateway, served: served.clone() });
        }
        let at = self.stamp(by);
        Ok(Order::open(OrderId::generate(at.at), terms, &at)?.save(unit).await?)
    }

    /// Does what a command says, and what follows from it by itself: the value as it is afterwards. A payin under way that
    /// nobody waits for any more is called off in the name of the platform, as `escrowed`.
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, refused, stale, or an account does not hold enough.
    pub async fn act<L: Agreement, U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: Id<L>,
        command: L::Command<'_>,
        by: Actor,
    ) -> Result<L, Fails<U>> {
        let at = self.stamp(by);
        let taken = self.load(unit, id).await?.handle(command, &at)?;
        self.save(unit, taken, &at).await
    }

    /// Saves a step of an order that the host took by its typed method, and what follows from it by itself.
    ///
    /// # Errors
    /// [`EscrowError`] when it is stale, or an account does not hold enough.
    pub async fn save<T, U: UnitOfWork>(
        &self,
        unit: &mut U,
        taken: Transition<T>,
        at: &Stamp,
    ) -> Result<T::Any, Fails<U>>
    where
        T: Value,
        T::Any: Agreement,
    {
        let value = self.write(unit, onward(taken.widen(), at)?, at).await?;
        if let Some(payin) = value.abandoned() {
            self.abandon(unit, payin, at).await?;
        }
        Ok(value)
    }

    /// A value by its id.
    ///
    /// # Errors
    /// [`EscrowError`] when there is none, or its log is corrupt.
    pub async fn load<L: Lifecycle, U: UnitOfWork>(&self, unit: &mut U, id: Id<L>) -> Result<L, Fails<U>> {
        Ok(replay(&log(unit, id.subject()).await?)?)
    }

    /// Acts on a payin: captures what was reserved, or calls it off.
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, refused or stale.
    pub async fn act_on_payin<U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: PayinId,
        command: payin::Command<'_>,
        by: Actor,
    ) -> Result<AnyPayin, Fails<U>> {
        let at = self.stamp(by);
        only_people(&at)?;
        let taken = self.load(unit, id).await?.handle(command, &at)?;
        let reaction = match taken.value() {
            AnyPayin::Cancelled(payin) => {
                self.asked(unit, payin.facts().about, &Evidence::PayinCancelled(payin), &at).await?
            }
            AnyPayin::Created(_)
            | AnyPayin::Authorized(_)
            | AnyPayin::Confirmed(_)
            | AnyPayin::Denied(_)
            | AnyPayin::Refunded(_) => Reaction::default(),
        };
        self.write_with(unit, taken, reaction, &at).await
    }

    /// Acts on a payout: replaces or gives back a denied one, or calls one off before the gateway is asked.
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, refused, stale or was sent.
    pub async fn act_on_payout<U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: PayoutId,
        command: payout::Command,
        by: Actor,
    ) -> Result<AnyPayout, Fails<U>> {
        let at = self.stamp(by);
        only_people(&at)?;
        let taken = self.load(unit, id).await?.handle(command, &at)?;
        let evidence = match taken.value() {
            AnyPayout::Created(_) => None,
            AnyPayout::Confirmed(payout) => Some(Evidence::PayoutConfirmed(payout)),
            AnyPayout::Cancelled(payout) => Some(Evidence::PayoutCancelled(payout)),
            AnyPayout::Denied(payout) => Some(match payout.state().went() {
                None => Evidence::PayoutDenied(payout),
                Some(Went::On { .. }) => Evidence::PayoutReplaced(payout),
                Some(Went::Back) => Evidence::PayoutGivenBack(payout),
            }),
        };
        let reaction = match &evidence {
            Some(evidence) => self.asked(unit, taken.value().facts().about, evidence, &at).await?,
            None => Reaction::default(),
        };
        self.write_with(unit, taken, reaction, &at).await
    }

    /// Acts on a refund: approves or calls off one that waits for it, or replaces a denied one.
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, refused or stale.
    pub async fn act_on_refund<U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: RefundId,
        command: refund::Command,
        by: Actor,
    ) -> Result<AnyRefund, Fails<U>> {
        let at = self.stamp(by);
        only_people(&at)?;
        let taken = self.load(unit, id).await?.handle(command, &at)?;
        let evidence = match taken.value() {
            // One that is confirmed at once is told of when it is written.
            AnyRefund::Created(_) | AnyRefund::Confirmed(_) => None,
            AnyRefund::Denied(refund) => Some(Evidence::RefundReplaced(refund)),
            AnyRefund::Cancelled(refund) => Some(Evidence::RefundCancelled(refund)),
        };
        let reaction = match &evidence {
            Some(evidence) => self.asked(unit, taken.value().facts().about, evidence, &at).await?,
            None => Reaction::default(),
        };
        self.write_with(unit, taken, reaction, &at).await
    }

    /// Writes a payment's step together with what its order or deal does about it: all of it, or nothing.
    pub(super) async fn write_with<T: Value, U: UnitOfWork>(
        &self,
        unit: &mut U,
        taken: Transition<T>,
        reaction: Reaction,
        at: &Stamp,
    ) -> Result<T, Fails<U>> {
        let value = self.write(unit, taken.and_all(reaction.commits), at).await?;
        if let Some(payin) = reaction.abandoned {
            self.abandon(unit, payin, at).await?;
        }
        Ok(value)
    }

    /// Writes a transition. Refunds into wallets are confirmed by the commit that opens them: their payin and what
    /// they belong to learn of it here.
    pub(super) async fn write<T: Value, U: UnitOfWork>(
        &self,
        unit: &mut U,
        taken: Transition<T>,
        at: &Stamp,
    ) -> Result<T, Fails<U>> {
        let refunds = confirmed_refunds(taken.commits());
        let value = taken.save(unit).await?;
        for refund in refunds {
            self.refund_confirmed(unit, refund, at).await?;
        }
        Ok(value)
    }

    /// A refund reached the payer: its payin counts it, and what it belongs to learns of it.
    pub(super) async fn refund_confirmed<U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: RefundId,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let AnyRefund::Confirmed(refund) = self.load(unit, id).await? else { return Ok(()) };
        // A payin that failed and whose money arrived late has nothing to count.
        if let AnyPayin::Confirmed(payin) = self.load(unit, refund.facts().payin).await? {
            payin.refund(&refund, &Stamp::gateway(at.at))?.save(unit).await?;
        }
        self.tell(unit, refund.facts().about, &Evidence::RefundConfirmed(&refund), at).await
    }

    /// Tells what a payment belongs to what became of it.
    pub(super) async fn tell<U: UnitOfWork>(
        &self,
        unit: &mut U,
        about: Subject,
        evidence: &Evidence<'_>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let reaction = self.asked(unit, about, evidence, at).await?;
        self.react(unit, reaction, at).await
    }

    /// What a payment's order or deal does about what became of it. Nothing is written yet.
    pub(super) async fn asked<U: UnitOfWork>(
        &self,
        unit: &mut U,
        about: Subject,
        evidence: &Evidence<'_>,
        at: &Stamp,
    ) -> Result<Reaction, Fails<U>> {
        let log = log(unit, about).await?;
        Ok((self.member(about)?.learn)(&log, evidence, &Stamp::gateway(at.at))?)
    }

    /// Writes what a lifecycle behind plain functions does about something.
    pub(super) async fn react<U: UnitOfWork>(
        &self,
        unit: &mut U,
        reaction: Reaction,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let Reaction { commits, abandoned } = reaction;
        if commits.is_empty() {
            return Ok(());
        }
        match unit.append_all(&commits).await.map_err(EscrowError::Storage)? {
            AppendedAll::Stored(_) => {}
            AppendedAll::Refused { why, .. } => return Err(crate::lifecycle::Failure::refused(why).into()),
        }
        for refund in confirmed_refunds(&commits) {
            Box::pin(self.refund_confirmed(unit, refund, at)).await?;
        }
        match abandoned {
            Some(payin) => self.abandon(unit, payin, at).await,
            None => Ok(()),
        }
    }

    pub(super) fn member<E>(&self, subject: Subject) -> Result<&Member, EscrowError<E>> {
        let kind = subject.kind();
        self.members.iter().find(|member| member.kind == kind).ok_or(EscrowError::UnknownLifecycle(kind))
    }

    // A payin that nobody waits for any more is called off where that is still possible; where it is not, its money
    // will bounce.
    pub(super) async fn abandon<U: UnitOfWork>(&self, unit: &mut U, id: PayinId, at: &Stamp) -> Result<(), Fails<U>> {
        let payin = self.load(unit, id).await?;
        // Whoever ended it: that nobody waits for the payin any more is the platform's business.
        let platform = Stamp::new(by_platform(), at.at);
        if payin.may(payin::Action::Cancel, &platform).is_ok() {
            payin.handle(payin::Command::Cancel {}, &platform)?.save(unit).await?;
        }
        Ok(())
    }
}

// What a gateway or the clock does to a payment comes by a report or by `run_due`, which tell its order or deal of it.
fn only_people<E>(at: &Stamp) -> Result<(), EscrowError<E>> {
    match at.by {
        Actor::Party(_) | Actor::Office { .. } => Ok(()),
        Actor::Gateway | Actor::Clock => {
            Err(Reason::Missing { what: "a person: reports go through `report`; this" }.into())
        }
    }
}

// The crate's own hand, where nobody in particular acts.
fn by_platform() -> Actor {
    Actor::platform("escrowed".parse().expect("a party's name"))
}

pub(super) async fn log<U: UnitOfWork>(unit: &mut U, subject: Subject) -> Result<Log, Fails<U>> {
    unit.log(subject).await.map_err(EscrowError::Storage)?.ok_or(EscrowError::Unknown(subject))
}

fn confirmed_refunds(commits: &[Commit]) -> Vec<RefundId> {
    let confirmed = refund::Status::Confirmed.name();
    commits
        .iter()
        .filter(|commit| commit.index().status == confirmed)
        .filter_map(|commit| commit.subject().try_into().ok())
        .collect()
}

impl<E> From<Lapse> for EscrowError<E> {
    fn from(lapse: Lapse) -> Self {
        match lapse {
            Lapse::Corrupt(corrupt) => Self::Corrupt(corrupt),
            Lapse::Refused(reason) => Self::Refused(reason),
        }
    }
}
