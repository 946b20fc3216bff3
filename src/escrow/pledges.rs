//! Pledges: opening them, what people do to one, and what has to happen to many, batch by batch.

use super::{
    Caller, Clock, Escrow, EscrowError,
    act::under,
    gather::{Acted, Gathering},
    member::{DynPool, Lapse, Reaction, onward},
};
use crate::{
    gateway::Gateway,
    id::{Id, Subject},
    lifecycle::{Reason, Transition, Value},
    party::Stamp,
    payment::{Agreement as _, Method, PayinId},
    pledge::{self, AnyPledge, Gathered, Offer, Paid, Pledge, PledgeId, Pool, Returned, Stage, Status},
    store::{Commit, Cursor, IndexEntry, Query, Store, UnitOfWork, Views},
};

type Fails<U> = EscrowError<<U as UnitOfWork>::Error>;

// How many rows of the index are read at a time.
const PAGE: usize = 500;

impl<S: Store, G: Gateway, C: Clock> Escrow<S, G, C> {
    /// Opens a pledge to a campaign, or to a pool of the host's own, and the payin that pays it. From a wallet it is paid
    /// at once.
    ///
    /// # Errors
    /// [`EscrowError`] when no pledges are taken any more, the offer is refused, the caller's key was used for another
    /// request, or the wallet does not hold enough.
    pub async fn pledge<P: Pool, U: UnitOfWork>(
        &self,
        unit: &mut U,
        to: Id<P>,
        offer: Offer,
        by: Method,
        who: impl Into<Caller>,
    ) -> Result<AnyPledge, Fails<U>> {
        let mut gathered = Gathering::over(unit);
        let acted = self.gather_pledge(&mut gathered, to, offer, by, who.into()).await;
        gathered.conclude(acted).await
    }

    async fn gather_pledge<P: Pool, U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        to: Id<P>,
        offer: Offer,
        by: Method,
        mut caller: Caller,
    ) -> Result<Acted<AnyPledge>, Fails<U>> {
        let request = caller.pledges(to.subject(), &offer, &by)?;
        let needing = caller.needing.take();
        if let Some(before) = gathered.answer(request.as_ref()).await? {
            return Ok(Acted::Before(before));
        }
        let at = self.stamp(caller.actor);
        let pool = gathered.load(to).await?;
        let opened = Pledge::open(PledgeId::generate(at.at), &pool, offer, &at)?;
        let paying = opened.then(|pledge| pledge.pay(by, &at))?;
        let paying = self.authenticate(gathered, paying, needing, &at).await?;
        self.gather_step(gathered, under(paying, request), &at).await.map(Acted::Now)
    }

    /// Acts on a pledge: opens another payin, withdraws it or calls it off. One whose money has been gathered is given up
    /// by what it was pledged to in the same write.
    ///
    /// # Errors
    /// [`EscrowError`] when it is unknown, refused, stale, or the caller's key was used for another request.
    pub async fn act_on_pledge<U: UnitOfWork>(
        &self,
        unit: &mut U,
        id: PledgeId,
        command: pledge::Command<'_>,
        by: impl Into<Caller>,
    ) -> Result<AnyPledge, Fails<U>> {
        let mut gathered = Gathering::over(unit);
        let acted = self.gather_act_on_pledge(&mut gathered, id, command, by.into()).await;
        gathered.conclude(acted).await
    }

    async fn gather_act_on_pledge<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        id: PledgeId,
        command: pledge::Command<'_>,
        mut caller: Caller,
    ) -> Result<Acted<AnyPledge>, Fails<U>> {
        let request = caller.commands(id, &command)?;
        let needing = caller.needing.take();
        if let Some(before) = gathered.answer(request.as_ref()).await? {
            return Ok(Acted::Before(before));
        }
        let at = self.stamp(caller.actor);
        let taken = match (gathered.load(id).await?, command.action()) {
            (AnyPledge::Gathered(pledge), pledge::Action::Withdraw) => {
                let (about, withdrawn) = (pledge.facts().terms().about, pledge.withdraw(&at)?);
                let pool = self.pool(gathered, about).await?;
                let given = pool.give_back(&[withdrawn.value()], None, &Stamp::gateway(at.at))?;
                withdrawn.widen().after_all(given.commits)
            }
            (pledge, _) => pledge.handle(command, &at)?,
        };
        let taken = self.authenticate(gathered, taken, needing, &at).await?;
        self.gather_step(gathered, under(taken, request), &at).await.map(Acted::Now)
    }

    /// What is due of a pledge or of what is pledged to, one batch of it. Whether anything was; `None` where the
    /// lifecycle itself has to be asked.
    pub(super) async fn pledges_due(
        &self,
        gathered: &mut Gathering<'_, S::Unit>,
        row: &IndexEntry,
        at: &Stamp,
    ) -> Result<Option<bool>, EscrowError<S::Error>> {
        if let Ok(id) = PledgeId::try_from(row.subject) {
            let AnyPledge::Paid(pledge) = gathered.load(id).await? else { return Ok(None) };
            return self.gather_due(gathered, row, pledge, at).await.map(Some);
        }
        if self.member(row.subject)?.pool.is_none() {
            return Ok(None);
        }
        let pool = self.pool(gathered, row.subject).await?;
        let after = match pool.stage() {
            Stage::Open | Stage::Closed => return Ok(None),
            Stage::Counting { after } | Stage::Returning { after } => after,
        };
        self.next_batch(gathered, row.subject, pool, after, at).await.map(Some)
    }

    // A paid pledge is to be gathered: together with all others to the same pool that are due next to it.
    async fn gather_due(
        &self,
        gathered: &mut Gathering<'_, S::Unit>,
        row: &IndexEntry,
        first: Pledge<Paid>,
        at: &Stamp,
    ) -> Result<bool, EscrowError<S::Error>> {
        let about = first.facts().terms().about;
        let pool = self.pool(gathered, about).await?;
        let mut batch = Batch::new(at);
        match pool.stage() {
            Stage::Open | Stage::Counting { .. } => {
                let cursor = Cursor { deadline: row.deadline, subject: row.subject };
                let limit = pool.batch() - 1;
                let others = gathered.unit.find(&Query::DueBy(at.at), Some(&cursor), limit).await;
                batch.gather(first)?;
                for other in others.map_err(EscrowError::Storage)?.rows {
                    if let (Some(id), Some(Status::Paid)) = (pledge_to(about, &other), status(&other)) {
                        batch.count(gathered.load(id).await?)?;
                    }
                }
            }
            // It is over: what was paid too late to be counted goes back.
            Stage::Returning { .. } | Stage::Closed => batch.return_one(AnyPledge::Paid(first))?,
        }
        self.write_batch(gathered, pool, batch, None, at).await?;
        Ok(true)
    }

    // The next pledges of a pool that is closed, in the order of their ids. Nobody can open more, so whoever was passed
    // once need not be looked at again.
    async fn next_batch(
        &self,
        gathered: &mut Gathering<'_, S::Unit>,
        subject: Subject,
        pool: Box<dyn DynPool>,
        after: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<bool, EscrowError<S::Error>> {
        let returning = matches!(pool.stage(), Stage::Returning { .. });
        let wanted: &[Status] = if returning {
            &[Status::Created, Status::Paid, Status::Gathered]
        } else {
            &[Status::Created, Status::Paid]
        };
        let (mut batch, mut through, mut number) = (Batch::new(at), after, 0);
        let mut cursor = after.map(|pledge| Cursor { deadline: None, subject: pledge.subject() });
        'pages: loop {
            let page = gathered
                .unit
                .find(&Query::About(subject), cursor.as_ref(), PAGE)
                .await
                .map_err(EscrowError::Storage)?;
            for row in &page.rows {
                let Some(id) = pledge_to(subject, row) else { continue };
                if status(row).is_some_and(|status| wanted.contains(&status)) {
                    let pledge = gathered.load(id).await?;
                    if returning {
                        batch.return_one(pledge)?
                    } else {
                        batch.count(pledge)?
                    }
                    number += 1;
                }
                through = Some(id);
                if number == pool.batch() {
                    break 'pages;
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        if number == 0 {
            let reaction = pool.end_stage(&batch.at)?;
            self.react(gathered, reaction, at).await?;
        } else {
            self.write_batch(gathered, pool, batch, through, at).await?;
        }
        Ok(true)
    }

    async fn write_batch(
        &self,
        gathered: &mut Gathering<'_, S::Unit>,
        pool: Box<dyn DynPool>,
        batch: Batch,
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<(), EscrowError<S::Error>> {
        let (commits, abandoned) = batch.commits(pool, through)?;
        self.react(gathered, Reaction { commits, abandoned: None }, at).await?;
        for payin in abandoned {
            self.abandon(gathered, payin, at).await?;
        }
        Ok(())
    }

    async fn pool<U: UnitOfWork>(
        &self,
        gathered: &mut Gathering<'_, U>,
        subject: Subject,
    ) -> Result<Box<dyn DynPool>, Fails<U>> {
        let load = self.member(subject)?.pool.ok_or(EscrowError::UnknownLifecycle(subject.kind()))?;
        Ok(load(gathered.log(subject).await?)?)
    }
}

// What happens to several pledges by one write, and to what they were pledged to.
struct Batch {
    at: Stamp,
    gathered: Vec<Transition<Pledge<Gathered>>>,
    returned: Vec<Transition<Pledge<Returned>>>,
    // Those whose pool need not know.
    alone: Vec<Transition<AnyPledge>>,
}

impl Batch {
    // All of it follows by itself from what was decided before.
    fn new(at: &Stamp) -> Self {
        let (gathered, returned, alone) = (Vec::new(), Vec::new(), Vec::new());
        Self { at: Stamp::gateway(at.at), gathered, returned, alone }
    }

    fn gather(&mut self, pledge: Pledge<Paid>) -> Result<(), Reason> {
        self.gathered.push(pledge.gather(&self.at).map_err(|refused| refused.reason)?);
        Ok(())
    }

    // What was paid counts; what was not is called off.
    fn count(&mut self, pledge: AnyPledge) -> Result<(), Reason> {
        match pledge {
            AnyPledge::Created(pledge) => self.leave(pledge.cancel(&self.at).map_err(|refused| refused.reason)?),
            AnyPledge::Paid(pledge) => self.gather(pledge)?,
            // The index is written with the log: these were never asked for.
            AnyPledge::Gathered(_) | AnyPledge::Returned(_) | AnyPledge::Refunded(_) | AnyPledge::Cancelled(_) => {}
        }
        Ok(())
    }

    // What was paid goes back; what was not is called off.
    fn return_one(&mut self, pledge: AnyPledge) -> Result<(), Reason> {
        match pledge {
            AnyPledge::Created(pledge) => self.leave(pledge.cancel(&self.at).map_err(|refused| refused.reason)?),
            AnyPledge::Paid(pledge) => self.leave(pledge.give_back(&self.at).map_err(|refused| refused.reason)?),
            AnyPledge::Gathered(pledge) => {
                self.returned.push(pledge.give_back(&self.at).map_err(|refused| refused.reason)?);
            }
            AnyPledge::Returned(_) | AnyPledge::Refunded(_) | AnyPledge::Cancelled(_) => {}
        }
        Ok(())
    }

    fn leave<V: Value<Any = AnyPledge>>(&mut self, taken: Transition<V>) {
        self.alone.push(taken.widen());
    }

    // Everything that has to be written, and the payins that nobody waits for any more.
    fn commits(self, pool: Box<dyn DynPool>, through: Option<PledgeId>) -> Result<(Vec<Commit>, Vec<PayinId>), Lapse> {
        // A pool gathers or gives back, never both at once.
        let pools = if self.returned.is_empty() {
            let pledges: Vec<_> = self.gathered.iter().map(Transition::value).collect();
            if pledges.is_empty() { Vec::new() } else { pool.gather(&pledges, through, &self.at)?.commits }
        } else {
            let pledges: Vec<_> = self.returned.iter().map(Transition::value).collect();
            pool.give_back(&pledges, through, &self.at)?.commits
        };
        // Pledges hand their money over before the pool counts it, and take it after the pool gave it.
        let mut commits: Vec<Commit> = self.gathered.into_iter().flat_map(Transition::into_commits).collect();
        commits.extend(pools);
        let mut abandoned = Vec::new();
        let returned = self.returned.into_iter().map(Transition::widen);
        for pledge in returned.chain(self.alone) {
            let pledge = onward(pledge, &self.at)?;
            abandoned.extend(pledge.value().abandoned());
            commits.extend(pledge.into_commits());
        }
        Ok((commits, abandoned))
    }
}

// The pledge of a row, if it is one to this.
fn pledge_to(subject: Subject, row: &IndexEntry) -> Option<PledgeId> {
    PledgeId::try_from(row.subject).ok().filter(|_| row.about == Some(subject))
}

fn status(row: &IndexEntry) -> Option<Status> {
    row.status.parse().ok()
}
