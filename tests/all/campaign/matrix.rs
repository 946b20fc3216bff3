//! What a campaign or a pledge loaded at run time does with a command: for every status, action and kind of actor, as its
//! table says.

mod campaigns;
mod pledges;

use super::*;
use crate::harness::ops;
use escrowed::{
    lifecycle::{Edge, Flow, Lifecycle, Refused, Table, Transition},
    memory::Memory,
    party::Stamp,
    time::Timestamp,
};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Owner,
    Borrower,
    Backer,
    Stranger,
    Platform,
    Arbiter,
    Clock,
    Gateway,
}

impl Kind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Owner,
        Self::Borrower,
        Self::Backer,
        Self::Stranger,
        Self::Platform,
        Self::Arbiter,
        Self::Clock,
        Self::Gateway,
    ];

    pub(crate) fn at(self, time: Timestamp) -> Stamp {
        let by = match self {
            Self::Owner => olga(),
            Self::Borrower => user("bea"),
            Self::Backer => user("anna"),
            Self::Stranger => user("eve"),
            Self::Platform => ops(),
            Self::Arbiter => Actor::arbiter(party("judy")),
            Self::Clock => Actor::Clock,
            Self::Gateway => Actor::Gateway,
        };
        Stamp::new(by, time)
    }

    // An owner is nobody to a pledge, a backer nobody to a campaign: no table knows another's role.
    pub(crate) const fn role(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Borrower => "borrower",
            Self::Backer => "backer",
            Self::Stranger => "nobody",
            Self::Platform => "platform",
            Self::Arbiter => "arbiter",
            Self::Clock => "clock",
            Self::Gateway => "gateway",
        }
    }
}

/// What has to become of a command.
#[derive(Debug)]
pub(crate) enum Verdict {
    WrongStatus,
    WrongActor(Vec<&'static str>),
    NotDue,
    /// What its own facts forbid though the table allows it.
    Barred,
    Done(&'static Edge),
}

pub(crate) fn verdict<L: Lifecycle>(value: &L, action: usize, kind: Kind, at: &Stamp, barred: bool) -> Verdict {
    let ways = || L::TABLE.ways(value.position(), action);
    if ways().next().is_none() {
        return Verdict::WrongStatus;
    }
    let Some(edge) = ways().find(|edge| edge.by.iter().any(|role| role.name == kind.role())) else {
        return Verdict::WrongActor(ways().flat_map(|edge| edge.by).map(|role| role.name).collect());
    };
    if kind == Kind::Clock && value.head().deadline.is_none_or(|deadline| at.at < deadline) {
        Verdict::NotDue
    } else if barred {
        Verdict::Barred
    } else {
        Verdict::Done(edge)
    }
}

/// Whether what was done is what had to be. Whether it was a step.
pub(crate) fn judge<L: Lifecycle>(
    says: &str,
    before: &L,
    action: usize,
    verdict: &Verdict,
    may: Result<(), Reason>,
    done: Result<Transition<L>, Refused<L>>,
) -> bool {
    let (table, what): (&Table, _) = (L::TABLE, L::TABLE.actions[action]);
    let status = table.statuses[before.position()].name;
    let here = format!("{what} in {status} ({says}): {verdict:?}");
    match (verdict, done) {
        (Verdict::Done(edge), Ok(taken)) => {
            assert!(may.is_ok(), "{here}, but: {may:?}");
            let (after, held) = (taken.value(), |value: &L| value.head().held().minor());
            let (lands, was, is) = (after.position(), held(before), held(after));
            assert!(edge.to.contains(&lands) || (edge.is_note() && lands == before.position()), "{here}");
            let agrees = match edge.money {
                Flow::Keep | Flow::Pass => was == is,
                Flow::Collect => was < is,
                Flow::Refund | Flow::Release | Flow::Divide => was > 0 && is == 0,
                Flow::Part => was > is && is > 0,
            };
            assert!(agrees, "{here}: {was} became {is}");
            return true;
        }
        (Verdict::Done(_), Err(refused)) => panic!("{here}, but: {refused}"),
        (_, Ok(taken)) => panic!("{here}, but: {:?}", taken.value()),
        (verdict, Err(refused)) => {
            assert_eq!(may.expect_err(&here), refused.reason, "{here}");
            assert_eq!(format!("{:?}", refused.value), format!("{before:?}"), "{here}: a refusal changes nothing");
            match (verdict, refused.reason) {
                (Verdict::WrongStatus, Reason::WrongStatus { action, status: found }) => {
                    assert_eq!((action, found), (what, status));
                }
                (Verdict::WrongActor(wanted), Reason::WrongActor { roles, .. }) => assert_eq!(*wanted, roles, "{here}"),
                (Verdict::NotDue, Reason::NotDue { .. }) => {}
                (
                    Verdict::Barred,
                    Reason::NotDue { .. }
                    | Reason::TooLate { .. }
                    | Reason::Missing { .. }
                    | Reason::Fixed { .. }
                    | Reason::Underway(_),
                ) => {}
                (_, reason) => panic!("{here}, but: {reason:?}"),
            }
        }
    }
    false
}

/// What was met and done in a run through a table.
#[derive(Default)]
pub(crate) struct Covered {
    met: BTreeSet<usize>,
    done: BTreeSet<(usize, usize, &'static str)>,
}

impl Covered {
    pub(crate) fn met<L: Lifecycle>(&mut self, value: &L) {
        self.met.insert(value.position());
    }

    pub(crate) fn done<L: Lifecycle>(&mut self, before: &L, action: usize, kind: Kind) {
        self.done.insert((before.position(), action, kind.role()));
    }

    /// What the table allows and was never done. Every status was met.
    pub(crate) fn left<L: Lifecycle>(&self) -> Vec<String> {
        let Table { statuses, actions, .. } = L::TABLE;
        assert_eq!(self.met.len(), statuses.len(), "statuses met: {:?}", self.met);
        let ways = L::TABLE.steps().flat_map(move |edge| {
            let by = move |from: usize| edge.by.iter().map(move |role| (from, edge.action, role.name));
            edge.from.iter().copied().flat_map(by)
        });
        let never = ways.filter(|way| !self.done.contains(way));
        never.map(|(from, action, role)| format!("{} in {} by {role}", actions[action], statuses[from].name)).collect()
    }
}
