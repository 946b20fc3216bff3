//! The lifecycles that an escrow serves, each behind plain functions: a report names a payment, the payment names
//! what it belongs to, and only the prefix of that id says which lifecycle it is.

use crate::{
    id::{Identified, Kind},
    lifecycle::{Corrupt, Reason, Refused, Retraced, Transition, replay, retrace},
    party::Stamp,
    payment::{Agreement, Evidence, Learned, PayinId},
    store::{Commit, Log},
};

/// What an escrow has to know of a lifecycle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) kind: Kind,
    pub(crate) retrace: fn(&Log) -> Result<Retraced, Corrupt>,
    pub(super) wants: fn(&Log, PayinId) -> Result<bool, Corrupt>,
    pub(super) learn: fn(&Log, &Evidence<'_>, &Stamp) -> Result<Reaction, Lapse>,
    pub(super) due: fn(&Log, &Stamp) -> Result<Reaction, Lapse>,
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
            due: |log, at| reaction(replay::<L>(log)?.due(at), at),
        }
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
