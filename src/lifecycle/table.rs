//! A lifecycle as a table: its statuses, its edges, and what the money does on each.

use crate::party::{Actor, Duty, Role};

/// A lifecycle, whole. One `const` per lifecycle, from which its code, its documentation and its tests come.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name in stores, such as `order`.
    pub name: &'static str,
    /// The statuses, in the order of the status enum.
    pub statuses: &'static [StatusRow],
    /// The names of the actions, in the order of the action enum; those of edges first, those of notes after them.
    pub actions: &'static [&'static str],
    /// The status it begins in, by its position.
    pub initial: usize,
    /// The way it is meant to go, status by status; empty when nobody has said. Diagrams draw it straight.
    pub happy: &'static [usize],
    /// Who takes it from which status to which.
    pub edges: &'static [Edge],
    /// What may be written down without a change of status.
    pub notes: &'static [Edge],
}

/// A status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRow {
    /// Its name as it is written in JSON and stores.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Whether the escrow account holds money in it.
    pub holds: Holds,
}

/// Who may take it from where to where, and what the money does.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// The action, by its position in [`Table::actions`].
    pub action: usize,
    /// From which statuses, by position.
    pub from: &'static [usize],
    /// To which: one, or several that the step chooses from. Empty for a note, which stays.
    pub to: &'static [usize],
    /// Who may take it.
    pub by: &'static [Role],
    /// What the money does.
    pub money: Flow,
    /// Where it comes from.
    pub origin: Origin,
    /// What it needs, and what else is to be said of it.
    pub says: &'static str,
}

/// Whether the escrow account holds money in a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Never.
    Nothing,
    /// Always.
    Funds,
    /// That depends on the way there.
    Either,
}

/// What the money in the escrow account does on an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It stays as it is.
    Keep,
    /// More comes in: from a confirmed payin, or from a payment that gives it back.
    Collect,
    /// A refund of all of it is opened.
    Refund,
    /// Payouts and fees are opened for all of it, or it reaches its end.
    Release,
    /// A refund and payouts are opened for all of it, by an award.
    Divide,
    /// Some of it leaves, and some stays.
    Part,
    /// What comes in goes on in the same breath; what is held stays as it is.
    Pass,
}

/// Where an edge comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A published document names it.
    Seed,
    /// A published document says it in prose though its table does not.
    Implied,
    /// Added here, because without it money could be stuck or lost.
    Own,
}

/// A name that is no status of a lifecycle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no status of {lifecycle}: see the statuses of its table")]
pub struct UnknownStatus {
    /// The lifecycle.
    pub lifecycle: &'static str,
    /// The name.
    pub name: String,
}

impl UnknownStatus {
    #[doc(hidden)]
    #[must_use]
    pub fn new(lifecycle: &'static str, name: &str) -> Self {
        Self { lifecycle, name: name.chars().take(80).collect() }
    }
}

impl Table {
    /// The edges or notes for an action in a status, both by position. Where there are several, each is for other
    /// roles.
    pub fn ways(&self, status: usize, action: usize) -> impl Iterator<Item = &'static Edge> + use<> {
        self.steps().filter(move |edge| edge.action == action && edge.from.contains(&status))
    }

    /// The first of them.
    #[must_use]
    pub fn edge(&self, status: usize, action: usize) -> Option<&'static Edge> {
        self.ways(status, action).next()
    }

    /// All edges, then all notes.
    pub fn steps(&self) -> impl Iterator<Item = &'static Edge> + use<> {
        self.edges.iter().chain(self.notes)
    }

    /// Whether no edge leads out of a status, given by position.
    #[must_use]
    pub fn is_end(&self, status: usize) -> bool {
        !self.edges.iter().any(|edge| edge.from.contains(&status))
    }

    /// The position of a status by its name.
    #[must_use]
    pub fn status(&self, name: &str) -> Option<usize> {
        self.statuses.iter().position(|row| row.name == name)
    }
}

impl Edge {
    /// Whether an actor who plays these roles of a side may take it.
    #[must_use]
    #[inline]
    pub fn takes(&self, actor: &Actor, mut plays: impl FnMut(Role) -> bool) -> bool {
        self.by.iter().any(|role| match (actor, role.duty) {
            (Actor::Party(_), Duty::Party) => plays(*role),
            (Actor::Office { role: held, .. }, Duty::Office) => held.as_str() == role.name,
            (Actor::Clock, Duty::Clock) | (Actor::Gateway, Duty::Gateway) => true,
            (Actor::Party(_), Duty::Office | Duty::Clock | Duty::Gateway)
            | (Actor::Office { .. }, Duty::Party | Duty::Clock | Duty::Gateway)
            | (Actor::Clock, Duty::Party | Duty::Office | Duty::Gateway)
            | (Actor::Gateway, Duty::Party | Duty::Office | Duty::Clock) => false,
        })
    }

    /// Whether it is a note, which changes no status.
    #[must_use]
    pub const fn is_note(&self) -> bool {
        self.to.is_empty()
    }
}

impl Holds {
    /// Whether the status may hold money (`full`), or may hold none.
    #[must_use]
    pub const fn admits(self, full: bool) -> bool {
        match self {
            Self::Nothing => !full,
            Self::Funds => full,
            Self::Either => true,
        }
    }

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Funds => "funds",
            Self::Either => "either",
        }
    }
}

impl Flow {
    /// What it makes of an account that holds money (`full`) or none: whether it holds money afterwards. `None` when
    /// it cannot happen.
    #[must_use]
    pub const fn after(self, full: bool) -> Option<bool> {
        match (self, full) {
            (Self::Keep | Self::Pass, full) => Some(full),
            (Self::Collect, _) | (Self::Part, true) => Some(true),
            (Self::Refund | Self::Release | Self::Divide, true) => Some(false),
            (Self::Refund | Self::Release | Self::Divide | Self::Part, false) => None,
        }
    }

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Collect => "collect",
            Self::Refund => "refund",
            Self::Release => "release",
            Self::Divide => "divide",
            Self::Part => "part",
            Self::Pass => "pass",
        }
    }
}

impl Origin {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Implied => "implied",
            Self::Own => "own",
        }
    }
}
