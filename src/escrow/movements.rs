//! Movements: opening them, what happens to their orders together, and what their orders' payments mean for them.

use super::{
    Caller, Clock, Escrow, EscrowError, Needs,
    act::under,
    follow::by_platform,
    gather::{Acted, Gathering},
    member::onward,
};
use crate::{
    gateway::Gateway,
    id::Identified,
    lifecycle::{Opening as _, Reason, Transition},
    movement::{AnyMovement, Command, Movement, MovementId, Orders, Plan, Stands, Work, wallet},
    order::{self, AnyOrder, Order, OrderId, Was},
    party::{PartyId, Stamp},
    payment::{Agreement as _, AnyPayout, Destination, Evidence, PayoutId, payin::ONE_PAYIN},
    store::{Commit, IndexEntry, Store, UnitOfWork},
};

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

/// What an act has written of movements.
pub(super) enum Moved {
    /// An order that is part of one.
    Part { of: MovementId, order: OrderId },
    /// The movement itself.
    Whole(MovementId),
}

/// The movements that these commits have to do with.
pub(super) fn moved(commits: &[Commit]) -> Vec<Moved> {
    let movement = <AnyMovement as Identified>::KIND;
    let of = |commit: &Commit| {
        let (subject, about) = (commit.subject(), commit.index().about);
        if subject.kind() == movement {
            return subject.try_into().ok().map(Moved::Whole);
        }
        let of = about.filter(|about| about.kind() == movement)?.try_into().ok()?;
        Some(Moved::Part { of, order: subject.try_into().ok()? })
    };
    commits.iter().filter_map(of).collect()
}

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Moves money by a plan: opens the movement and its orders, and the payins of what the caller pays. From wallet to
    /// wallet everything happens in this one write, and the movement comes back `DONE`.
    ///
    /// Where several pay, each pays the order of theirs ([`AnyMovement::order_of`]) by
    /// [`act`](Self::act) with [`order::Command::Pay`]. A movement is called off by `act` with
    /// [`Command::Undo`].
    ///
    /// # Errors
    /// [`EscrowError`] when the plan is refused or names another gateway, somebody else's money would be spent, a wallet
    /// does not hold enough, or the caller's key was used for another request. Nothing was written then.
    pub async fn move_money<U: UnitOfWork>(
        &self,
        unit: &mut U,
        plan: Plan,
        who: impl Into<Caller>,
    ) -> Result<AnyMovement, Fails<U>> {
        let mut gathered = Gathering::over(unit);
        let acted = self.gather_movement(&mut gathered, plan, who.into()).await;
        gathered.conclude(acted).await
    }

    async fn gather_movement<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        plan: Plan,
        mut caller: Caller,
    ) -> Result<Acted<AnyMovement>, Fails<U>> {
        let served = self.gateway.name();
        if let Some(asked) = plan.gateway().filter(|asked| *asked != served) {
            return Err(EscrowError::OtherGateway { asked: asked.clone(), served: served.clone() });
        }
        let request = caller.opens::<AnyMovement, _>(&plan)?;
        if let Some(before) = gathered.answer(request.as_ref()).await? {
            return Ok(Acted::Before(before));
        }
        let mut needing = caller.needing.take();
        let at = self.stamp(caller.actor);
        let opened = Movement::open(MovementId::generate(at.at), plan, &at)?;
        let movement = gathered.take(under(opened, request).widen())?;
        self.go_on_needing(gathered, movement.id(), &at, &mut needing).await?;
        match needing {
            None => Ok(Acted::Now(movement)),
            Some(_) => Err(ONE_PAYIN.into()),
        }
    }

    /// Does the next batch of what a movement has to do by itself; what the workers do, for a host with a schedule of its
    /// own. Nothing is written when there is nothing to do: it waits for somebody, or is over.
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, or somebody else was faster.
    pub async fn resume<U: UnitOfWork>(&self, unit: &mut U, id: MovementId) -> Result<AnyMovement, Fails<U>> {
        let mut gathered = Gathering::over(unit);
        let acted = self.gather_resumed(&mut gathered, id).await;
        gathered.conclude(acted).await
    }

    async fn gather_resumed<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: MovementId,
    ) -> Result<Acted<AnyMovement>, Fails<U>> {
        self.movement_due(gathered, id, &Stamp::clock(self.clock.now())).await?;
        let movement = gathered.load(id).await?;
        Ok(if gathered.writes(id.subject()) { Acted::Now(movement) } else { Acted::Before(movement) })
    }

    /// What is due of a movement, one batch of it; `None` for anything else.
    pub(super) async fn movements_due(
        &self,
        gathered: &mut Gathering<'_, S::Unit>,
        row: &IndexEntry,
        at: &Stamp,
    ) -> Result<Option<bool>, EscrowError<S::Error>> {
        let Ok(id) = MovementId::try_from(row.subject) else { return Ok(None) };
        self.movement_due(gathered, id, at).await?;
        Ok(Some(gathered.writes(row.subject)))
    }

    async fn movement_due<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: MovementId,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let movement: AnyMovement = gathered.load(id).await?;
        if movement.deadline().is_some_and(|due| at.at >= due) {
            let reaction = (self.member(id.subject())?.due)(gathered.log(id.subject()).await?, at)?;
            gathered.take_all(reaction.commits)?;
        }
        self.go_on(gathered, id, at).await
    }

    /// What was written means for movements, in the same write.
    pub(super) async fn follow_movements<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        moved: Vec<Moved>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        for moved in moved {
            match moved {
                Moved::Part { of, order } => {
                    self.divert(gathered, order, at).await?;
                    let order = gathered.load(order).await?;
                    self.tell_movement(gathered, of, vec![order], at).await?;
                    self.go_on(gathered, of, at).await?;
                }
                Moved::Whole(id) => self.go_on(gathered, id, at).await?,
            }
        }
        Ok(())
    }

    // The movement takes to its knowledge how far orders are now, and draws its conclusions.
    async fn tell_movement<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        of: MovementId,
        mut orders: Vec<AnyOrder>,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let movement: AnyMovement = gathered.load(of).await?;
        let known = movement.facts().stands();
        orders.retain(|order| {
            let nth = order.facts().part().and_then(|part| usize::try_from(part.nth).ok());
            let known = nth.and_then(|nth| known.get(nth));
            // What was gone through before is no news: a payment that is tried again.
            known.zip(Stands::of(order)).is_some_and(|(known, now)| now > *known)
        });
        if orders.is_empty() {
            return Ok(());
        }
        let by_itself = Stamp::gateway(at.at);
        let counted = movement.handle(Command::Count { orders: Orders(&orders) }, &by_itself)?;
        gathered.take(onward(counted, &by_itself)?)?;
        Ok(())
    }

    // What a movement has to do by itself, up to a batch of it. Whoever pays now pays what is to be paid at once.
    async fn go_on<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: MovementId,
        payer: &Stamp,
    ) -> Result<(), Fails<U>> {
        self.go_on_needing(gathered, id, payer, &mut None).await
    }

    // The same, where the payin of the first order that is opened needs a challenge or an exemption.
    async fn go_on_needing<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: MovementId,
        payer: &Stamp,
        needing: &mut Option<(Needs, PartyId)>,
    ) -> Result<(), Fails<U>> {
        let mut movement: AnyMovement = gathered.load(id).await?;
        let mut left = usize::from(movement.facts().plan().frame().batch);
        while let Some(work) = movement.work(left) {
            let mut orders = Vec::new();
            let (Work::Open(all) | Work::Settle(all) | Work::Spread(all) | Work::Undo(all)) = &work;
            for nth in all {
                let taken = match &work {
                    Work::Open(_) => {
                        let opened = open(&movement, *nth, payer)?;
                        self.authenticate(gathered, opened, needing.take(), payer).await?
                    }
                    Work::Spread(_) => spread(&movement, *nth, payer)?,
                    Work::Settle(_) => settle(gathered.load(movement.order(*nth)).await?, payer)?,
                    Work::Undo(_) => undo(gathered.load(movement.order(*nth)).await?, payer)?,
                };
                orders.push(self.gather_part(gathered, taken, payer).await?);
            }
            left = left.saturating_sub(all.len());
            self.tell_movement(gathered, id, orders, payer).await?;
            if left == 0 {
                break;
            }
            movement = gathered.load(id).await?;
        }
        Ok(())
    }

    // An order's step that its movement takes: what follows from it, but for the movement, which knows.
    async fn gather_part<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        taken: Transition<AnyOrder>,
        at: &Stamp,
    ) -> Result<AnyOrder, Fails<U>> {
        let order = self.gather_alone(gathered, taken, at).await?;
        if let Some(payin) = order.abandoned() {
            self.abandon(gathered, payin, at).await?;
        }
        Ok(order)
    }

    // After the point of no return a payout that a bank declines goes into the payee's wallet, which cannot decline.
    async fn divert<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        order: OrderId,
        at: &Stamp,
    ) -> Result<(), Fails<U>> {
        let platform = Stamp::new(by_platform(), at.at);
        let denied = match gathered.load(order).await? {
            AnyOrder::BlockedRelease(blocked) => match blocked.state().was() {
                Was::PendingRelease(release) => release.payouts().legs().first().map(|leg| leg.payment),
                Was::Published(_) | Was::Accepted(_) | Was::PendingValidate(_) => None,
            },
            AnyOrder::Draft(_)
            | AnyOrder::PendingPublish(_)
            | AnyOrder::Failure(_)
            | AnyOrder::Published(_)
            | AnyOrder::Cancelled(_)
            | AnyOrder::Accepted(_)
            | AnyOrder::Rejected(_)
            | AnyOrder::PendingValidate(_)
            | AnyOrder::PendingRelease(_)
            | AnyOrder::Released(_) => None,
        };
        let Some(payout) = denied.and_then(|payment| PayoutId::try_from(payment).ok()) else { return Ok(()) };
        let AnyPayout::Denied(payout) = gathered.load(payout).await? else { return Ok(()) };
        let payout = gathered.take(payout.replace(Destination::Wallet, &platform)?)?;
        let reaction = self.asked(gathered, order.subject(), &Evidence::PayoutReplaced(&payout), at).await?;
        gathered.take_all(reaction.commits)?;
        let unblocked = gathered.load(order).await?.handle(order::Command::Unblock {}, &platform)?;
        gathered.take(onward(unblocked, &Stamp::gateway(at.at))?)?;
        Ok(())
    }
}

type Taken = Result<Transition<AnyOrder>, Reason>;

// An order for somebody to pay; paid at once where that was agreed and it is they who ask.
fn open(movement: &AnyMovement, nth: u32, by: &Stamp) -> Taken {
    let (own, platform) = (Stamp::gateway(by.at), Stamp::new(by_platform(), by.at));
    let (terms, payer, method) = movement.terms_of(nth).ok_or(NO_SUCH_ORDER)?;
    let draft = Order::open(movement.order(nth), terms, &own).map_err(|refused| refused.reason)?;
    let awaited = draft.then(|order| order.identify_buyer(payer, &platform)).map_err(|refused| refused.reason)?;
    let Some(method) = method.filter(|_| by.by.id().is_some()) else { return Ok(awaited.widen()) };
    let paid = awaited.widen().then(|order| order.handle(order::Command::Pay { by: method }, by));
    paid.map_err(|refused| refused.reason)
}

// An order that the movement's own wallet pays, and that is settled at once.
fn spread(movement: &AnyMovement, nth: u32, by: &Stamp) -> Taken {
    let (own, platform) = (Stamp::gateway(by.at), Stamp::new(by_platform(), by.at));
    let (terms, payer, _) = movement.terms_of(nth).ok_or(NO_SUCH_ORDER)?;
    assert_eq!(payer, wallet(movement.id()), "what is spread is the movement's own");
    let draft = Order::open(movement.order(nth), terms, &own).map_err(|refused| refused.reason)?;
    let awaited = draft.then(|order| order.identify_buyer(payer, &platform)).map_err(|refused| refused.reason)?;
    let paid = awaited.then(|order| order.pay_from_wallet(&platform)).map_err(|refused| refused.reason)?;
    let settled = paid.then(|order| order.settle(&own)).map_err(|refused| refused.reason)?;
    onward(settled.widen(), &own)
}

fn settle(order: AnyOrder, by: &Stamp) -> Taken {
    let own = Stamp::gateway(by.at);
    let settled = order.handle(order::Command::Settle {}, &own).map_err(|refused| refused.reason)?;
    onward(settled, &own)
}

fn undo(order: AnyOrder, by: &Stamp) -> Taken {
    order.handle(order::Command::Undo {}, &Stamp::gateway(by.at)).map_err(|refused| refused.reason)
}

const NO_SUCH_ORDER: Reason = Reason::Missing { what: "such an order of the movement" };
