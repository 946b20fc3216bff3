//! The lifecycles that an escrow serves, each behind plain functions: a report names a payment, the payment names
//! what it belongs to, and only the prefix of that id says which lifecycle it is.

use crate::{
    id::{Identified, Kind},
    lifecycle::{Corrupt, Reason, Refused, Retraced, Transition, replay, retrace},
    party::Stamp,
    payment::{Agreement, Evidence, Learned, PayinId, Stake},
    pledge::{Gathered, Pledge, PledgeId, Pool, Returned, Stage},
    store::{Commit, Log},
};

/// What an escrow has to know of a lifecycle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) kind: Kind,
    pub(crate) retrace: fn(&Log) -> Result<Retraced, Corrupt>,
    pub(super) wants: fn(&Log, PayinId) -> Result<bool, Corrupt>,
    pub(super) learn: fn(&Log, &Evidence<'_>, &Stamp) -> Result<Reaction, Lapse>,
    pub(super) stake: fn(&Log) -> Result<Option<Stake>, Corrupt>,
    pub(super) due: fn(&Log, &Stamp) -> Result<Reaction, Lapse>,
    /// For what can be pledged to.
    pub(super) pool: Option<LoadPool>,
}

/// What can be pledged to, from its log.
pub(super) type LoadPool = fn(&Log) -> Result<Box<dyn DynPool>, Corrupt>;

/// What can be pledged to, behind a pointer.
pub(super) trait DynPool: Send {
    fn stage(&self) -> Stage;
    fn batch(&self) -> usize;
    fn gather(
        self: Box<Self>,
        pledges: &[&Pledge<Gathered>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Reaction, Lapse>;
    fn give_back(
        self: Box<Self>,
        pledges: &[&Pledge<Returned>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Reaction, Lapse>;
    fn end_stage(self: Box<Self>, at: &Stamp) -> Result<Reaction, Lapse>;
}

/// What a lifecycle does about something.
#[derive(Default)]
pub(super) struct Reaction {
    pub(super) commits: Vec<Commit>,
    /// A payin that it wants no longer.
    pub(super) abandoned: Option<PayinId>,
}

/// Why a lifecycle could not go on.
pub(super) enum Lapse {
    Corrupt(Corrupt),
    Refused(Reason),
}

impl Member {
    pub(super) fn of<L: Agreement>() -> Self {
        Self {
            kind: <L as Identified>::KIND,
            retrace: retrace::<L>,
            wants: |log, payin| Ok(replay::<L>(log)?.wants(payin)),
            learn: |log, evidence, at| reaction(replay::<L>(log)?.learn(evidence, at), at),
            stake: |log| Ok(replay::<L>(log)?.stake()),
            due: |log, at| reaction(replay::<L>(log)?.due(at), at),
            pool: None,
        }
    }

    pub(super) fn of_pool<P: Pool>() -> Self {
        Self { pool: Some(|log| Ok(Box::new(replay::<P>(log)?))), ..Self::of::<P>() }
    }
}

impl<P: Pool> DynPool for P {
    fn stage(&self) -> Stage {
        Pool::stage(self)
    }
    fn batch(&self) -> usize {
        Pool::batch(self).max(1)
    }
    fn gather(
        self: Box<Self>,
        pledges: &[&Pledge<Gathered>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Reaction, Lapse> {
        reaction(Learned::step(Pool::gather(*self, pledges, through, at)), at)
    }
    fn give_back(
        self: Box<Self>,
        pledges: &[&Pledge<Returned>],
        through: Option<PledgeId>,
        at: &Stamp,
    ) -> Result<Reaction, Lapse> {
        reaction(Learned::step(Pool::give_back(*self, pledges, through, at)), at)
    }
    fn end_stage(self: Box<Self>, at: &Stamp) -> Result<Reaction, Lapse> {
        reaction(Pool::end_stage(*self, at), at)
    }
}

fn reaction<L: Agreement>(learned: Result<Learned<L>, Refused<L>>, at: &Stamp) -> Result<Reaction, Lapse> {
    match learned.map_err(|refused| Lapse::Refused(refused.reason))? {
        Learned::Step(transition) => {
            let transition = onward(transition, at)?;
            let abandoned = transition.value().abandoned();
            Ok(Reaction { commits: transition.into_commits(), abandoned })
        }
        Learned::Nothing(_) => Ok(Reaction::default()),
    }
}

/// Adds what follows by itself, until nothing does.
pub(super) fn onward<L: Agreement>(mut transition: Transition<L>, at: &Stamp) -> Result<Transition<L>, Reason> {
    let by_itself = Stamp::gateway(at.at);
    loop {
        let step = |value: L| {
            Ok(match value.onward(&by_itself)? {
                Learned::Step(next) => Ok(next),
                Learned::Nothing(value) => Err(value),
            })
        };
        let went;
        (transition, went) = transition.then_maybe(step).map_err(|refused| refused.reason)?;
        if !went {
            return Ok(transition);
        }
    }
}

impl From<Corrupt> for Lapse {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt)
    }
}

impl From<Reason> for Lapse {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}
