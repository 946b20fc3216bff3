//! What people do: open, act on an order, act on a payment.

use super::{
    Caller, Clock, Escrow, EscrowError,
    follow::{about_confirmed, about_denied, about_denied_refund, after_refund},
    gather::{Acted, Gathering},
    member::{Reaction, onward},
};
use crate::{
    gateway::Gateway,
    id::{Id, Subject},
    lifecycle::{Lifecycle, Opening, Reason, Refused, Transition, Value},
    order::{Draft, Order, Terms},
    party::{Actor, Stamp},
    payment::{
        After, Agreement, AnyPayin, AnyPayout, AnyRefund, Evidence, PayinId, PayoutId, RefundId, payin, payout, refund,
    },
    store::{Request, Store, UnitOfWork},
};

/// What is asked for when a `V` is opened: its terms.
type Asked<V> = <<V as Value>::Any as Lifecycle>::Opening;

// What is to be done about a command.
pub(super) enum Step<L> {
    Taken(Transition<L>, Stamp),
    Before(L),
}

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Opens an order, in `DRAFT`. Who may open orders, for whom, is for the host to decide; until its buyer is known, a draft
    /// may be claimed by anybody but the seller.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_order<U: UnitOfWork>(
        &self,
        unit: &mut U,
        terms: Terms,
        by: impl Into<Caller>,
    ) -> Result<Order<Draft>, Fails<U>> {
        self.open(unit, Order::open, terms, by).await
    }

    /// Opens anything by its own `open`, under a new id: `escrow.open(&mut unit, FaceToFace::open, terms, anna)`. Who may
    /// open what is for the host to decide.
    ///
    /// # Errors
    /// [`EscrowError`] when the terms are refused or name another gateway, the caller's key was used for another request,
    /// or nothing could be written.
    pub async fn open<V, U: UnitOfWork>(
        &self,
        unit: &mut U,
        open: impl FnOnce(Id<V::Any>, Asked<V>, &Stamp) -> Result<Transition<V>, Refused<Asked<V>>>,
        terms: Asked<V>,
        by: impl Into<Caller>,
    ) -> Result<V, Fails<U>>
    where
        V: Value + TryFrom<<V as Value>::Any>,
    {
        let (mut caller, served) = (by.into(), self.gateway.name());
        if let Some(asked) = terms.gateway().filter(|asked| *asked != served) {
            return Err(EscrowError::OtherGateway { asked: asked.clone(), served: served.clone() });
        }
        let request = caller.opens::<V::Any, _>(&terms)?;
        let needing = caller.needing.take();
        let at = self.stamp(caller.actor);
        let mut gathered = Gathering::over(unit);
        if let Some(request) = &request
            && let Some(before) = gathered.answer::<V::Any>(Some(request)).await?
        {
            return before.try_into().map_err(|_| EscrowError::OtherRequest { key: request.key.clone() });
        }
        let opened = open(Id::generate(at.at), terms, &at)?;
        if needing.is_some() {
            return Err(NOTHING_PAID.into());
        }
        Ok(under(opened, request).save(unit).await?)
    }

    /// Does what a command says, and what follows from it by itself: the value as it is afterwards. A payin under way that
    /// nobody waits for any more is called off in the name of the platform, as `escrowed`.
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, refused, stale, the caller's key was used for another request, or an account
    /// does not hold enough.
    pub async fn act<L: Agreement, U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: Id<L>,
        command: L::Command<'_>,
        by: impl Into<Caller>,
    ) -> Result<L, Fails<U>> {
        let mut gathered = Gathering::over(unit);
        let acted = self.gather_act(&mut gathered, id, command, by.into()).await;
        gathered.conclude(acted).await
    }

    /// What a request was answered with before: the value as it was then; `None` when nothing was done under its key. For
    /// hosts that take steps by typed methods and save them [`under`](Transition::under) a request.
    ///
    /// # Errors
    /// [`EscrowError::OtherRequest`] when the key was used for another request.
    pub async fn answer<L: Lifecycle, U: UnitOfWork>(
        &self,
        unit: &mut U,
        request: &Request,
    ) -> Result<Option<L>, Fails<U>> {
        Gathering::over(unit).answer(Some(request)).await
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
        let mut gathered = Gathering::over(unit);
        let acted = self.gather_step(&mut gathered, taken.widen(), at).await.map(Acted::Now);
        gathered.conclude(acted).await
    }

    /// A value by its id.
    ///
    /// # Errors
    /// [`EscrowError`] when there is none, or its log is corrupt.
    pub async fn load<L: Lifecycle, U: UnitOfWork>(&self, unit: &mut U, id: Id<L>) -> Result<L, Fails<U>> {
        Gathering::over(unit).load(id).await
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
        by: impl Into<Caller>,
    ) -> Result<AnyPayin, Fails<U>> {
        self.act_on(unit, id, command, by.into()).await
    }

    /// Acts on a payout: replaces or gives back a denied one, replaces one that came back from the bank, denies a held one, or
    /// calls one off before the gateway is asked.
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, refused, stale or was sent.
    pub async fn act_on_payout<U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: PayoutId,
        command: payout::Command,
        by: impl Into<Caller>,
    ) -> Result<AnyPayout, Fails<U>> {
        self.act_on(unit, id, command, by.into()).await
    }

    /// Acts on a refund: approves, calls off or replaces one that waits for approval, or replaces one that was denied or came
    /// back from the bank. One that its order can no longer take back is replaced, by one into the payer's wallet, say. Only into
    /// the wallet goes one whose payer has charged the payment back and owes it
    /// ([`Reason::ChargedBack`]).
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, refused or stale.
    pub async fn act_on_refund<U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: RefundId,
        command: refund::Command<'_>,
        by: impl Into<Caller>,
    ) -> Result<AnyRefund, Fails<U>> {
        self.act_on(unit, id, command, by.into()).await
    }

    async fn act_on<P: Payment, U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: Id<P>,
        command: P::Command<'_>,
        caller: Caller,
    ) -> Result<P, Fails<U>> {
        only_people(&caller.actor)?;
        let mut gathered = Gathering::over(unit);
        let acted = self.gather_act_on(&mut gathered, id, command, caller).await;
        gathered.conclude(acted).await
    }

    async fn gather_act<L: Agreement, U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: Id<L>,
        command: L::Command<'_>,
        caller: Caller,
    ) -> Result<Acted<L>, Fails<U>> {
        match self.step(gathered, id, command, caller).await? {
            Step::Taken(taken, at) => self.gather_step(gathered, taken, &at).await.map(Acted::Now),
            Step::Before(value) => Ok(Acted::Before(value)),
        }
    }

    // A payment's step, and what its order or deal does about it.
    async fn gather_act_on<P: Payment, U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: Id<P>,
        command: P::Command<'_>,
        caller: Caller,
    ) -> Result<Acted<P>, Fails<U>> {
        let (taken, at) = match self.step(gathered, id, command, caller).await? {
            Step::Taken(taken, at) => (taken, at),
            Step::Before(value) => return Ok(Acted::Before(value)),
        };
        let reaction = match taken.value().news() {
            Some((about, evidence)) => self.asked(gathered, about, &evidence, &at).await?,
            None => Reaction::default(),
        };
        self.gather_with(gathered, taken, reaction, &at).await.map(Acted::Now)
    }

    // The step that a command asks for; or what the same request was answered with before.
    pub(super) async fn step<L: Lifecycle, U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: Id<L>,
        command: L::Command<'_>,
        mut caller: Caller,
    ) -> Result<Step<L>, Fails<U>> {
        let request = caller.commands(id, &command)?;
        let needing = caller.needing.take();
        if let Some(before) = gathered.answer(request.as_ref()).await? {
            return Ok(Step::Before(before));
        }
        let at = self.stamp(caller.actor);
        let refused = match gathered.load(id).await?.handle(command, &at) {
            Ok(taken) => {
                let taken = self.authenticate(gathered, taken, needing, &at).await?;
                return Ok(Step::Taken(under(taken, request), at));
            }
            Err(refused) => refused,
        };
        // Where a unit sees what others commit meanwhile, the same request may have been done between the two looks, and
        // that is what the value refuses to do twice.
        match gathered.answer(request.as_ref()).await? {
            Some(before) => Ok(Step::Before(before)),
            None => Err(refused.into()),
        }
    }

    /// Gathers an agreement's step, and what follows from it by itself.
    pub(super) async fn gather_step<L: Agreement, U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        taken: Transition<L>,
        at: &Stamp,
    ) -> Result<L, Fails<U>> {
        let value = self.gather(gathered, onward(taken, at)?, at).await?;
        if let Some(payin) = value.abandoned() {
            self.abandon(gathered, payin, at).await?;
        }
        Ok(value)
    }
}

/// Does it as what a request asked for, if one did.
pub(super) fn under<T: Value>(taken: Transition<T>, request: Option<Request>) -> Transition<T> {
    match request {
        Some(request) => taken.under(request),
        None => taken,
    }
}

/// A payment that people act on, and what its order or deal has to learn of what they did.
trait Payment: Lifecycle {
    fn news(&self) -> Option<(Subject, Evidence<'_>)>;
}

impl Payment for AnyPayin {
    fn news(&self) -> Option<(Subject, Evidence<'_>)> {
        match self {
            Self::Cancelled(payin) => Some((payin.facts().about, Evidence::PayinCancelled(payin))),
            Self::Created(_) | Self::Authorized(_) | Self::Confirmed(_) | Self::Denied(_) | Self::Refunded(_) => None,
        }
    }
}

impl Payment for AnyPayout {
    fn news(&self) -> Option<(Subject, Evidence<'_>)> {
        let evidence = match self {
            Self::Created(_) | Self::Held(_) => return None,
            Self::Confirmed(payout) => about_confirmed(payout),
            Self::Cancelled(payout) => Evidence::PayoutCancelled(payout),
            Self::Denied(payout) => about_denied(payout)?,
            Self::Returned(payout) => Evidence::After(After::PayoutSentAgain(payout)),
        };
        Some((self.facts().about, evidence))
    }
}

impl Payment for AnyRefund {
    fn news(&self) -> Option<(Subject, Evidence<'_>)> {
        let evidence = match self {
            // One that is confirmed at once is told of when it is written.
            Self::Created(_) | Self::Confirmed(_) => return None,
            Self::Denied(refund) => about_denied_refund(refund)?,
            Self::Cancelled(refund) => Evidence::RefundCancelled(refund),
            Self::Returned(refund) => after_refund(refund.facts(), After::RefundSentAgain(refund))?,
            Self::Replaced(refund) => Evidence::RefundRedirected(refund),
        };
        Some((self.facts().about, evidence))
    }
}

pub(super) const NOTHING_PAID: Reason =
    Reason::NotThisWay { instead: "nothing is paid by this: ask for it without `needing`" };

// What a gateway or the clock does to a payment comes by a report or by `run_due`, which tell its order or deal of it.
fn only_people<E>(by: &Actor) -> Result<(), EscrowError<E>> {
    match by {
        Actor::Party(_) | Actor::Office { .. } => Ok(()),
        Actor::Gateway | Actor::Clock => {
            Err(Reason::NotThisWay { instead: "only people act like this: give what a gateway says to `report`" }
                .into())
        }
    }
}
