//! Whether each edge, by itself, agrees with the statuses it connects.

use crate::{
    lifecycle::{Edge, Flow, Holds, Table},
    party::Role,
};

impl Table {
    #[track_caller]
    pub(super) const fn check_edges(&self) {
        let mut i = 0;
        while i < self.edges.len() + self.notes.len() {
            let (edge, note) =
                if i < self.edges.len() { (&self.edges[i], false) } else { (&self.notes[i - self.edges.len()], true) };
            let action = self.actions[edge.action];
            if edge.by.is_empty() {
                self.complain(&["nobody may take ", action, ": say who may"]);
            }
            if edge.to.is_empty() != note {
                self.complain(&[action, " must lead somewhere if it is an edge, and stay if it is a note"]);
            }
            let mut f = 0;
            while f < edge.from.len() {
                let from = edge.from[f];
                self.check_single_meaning(i, from, edge.action);
                let mut t = 0;
                while t < edge.landings() {
                    self.check_money(i, from, edge.landing(from, t));
                    t += 1;
                }
                f += 1;
            }
            i += 1;
        }
    }

    // One action in one status is one edge for each role: else neither code nor people would know which is meant.
    #[track_caller]
    const fn check_single_meaning(&self, nth: usize, from: usize, action: usize) {
        let mut i = 0;
        while i < nth {
            let edge = self.step(i);
            let mut f = 0;
            while f < edge.from.len() {
                if edge.action == action && edge.from[f] == from && share_a_role(edge.by, self.step(nth).by) {
                    let (action, from) = (self.actions[action], self.statuses[from].name);
                    self.complain(&[action, " is said twice of status ", from, " and of one role: keep one of them"]);
                }
                f += 1;
            }
            i += 1;
        }
    }

    // A status that says for certain what it holds must agree with every edge; `either` agrees with what it can.
    #[track_caller]
    const fn check_money(&self, nth: usize, from: usize, to: usize) {
        let edge = self.step(nth);
        let (holds, arrives) = (self.statuses[from].holds, self.statuses[to].holds);
        let mut possible = false;
        let mut full = 0;
        while full < 2 {
            if holds.admits(full == 1)
                && let Some(after) = edge.money.after(full == 1)
                && arrives.admits(after)
            {
                possible = true;
            }
            full += 1;
        }
        if possible {
            return;
        }
        let why = match (edge.money, holds) {
            (Flow::Keep | Flow::Pass, Holds::Nothing) => {
                " would conjure money: the latter holds funds, but the former holds nothing and the edge brings none in; \
                 say Collect, or let the latter hold Nothing"
            }
            (Flow::Keep | Flow::Pass, Holds::Funds | Holds::Either) => {
                " would strand money: the former holds funds, the edge keeps them, and the latter holds nothing; say \
                 Refund, Release or Divide"
            }
            (Flow::Collect | Flow::Part, _) => {
                " leaves money in escrow, but the latter says that it holds nothing; let it hold Funds"
            }
            (Flow::Refund | Flow::Release | Flow::Divide, Holds::Nothing) => {
                " would conjure money: it pays out, but the former holds nothing; say Keep, or let it hold Funds"
            }
            (Flow::Refund | Flow::Release | Flow::Divide, Holds::Funds | Holds::Either) => {
                " pays out all that is held, but the latter says that it holds funds; let it hold Nothing"
            }
        };
        let (action, from, to) = (self.actions[edge.action], self.statuses[from].name, self.statuses[to].name);
        self.complain(&[action, " from ", from, " to ", to, why])
    }

    // Each step of the happy path is an edge.
    #[track_caller]
    pub(super) const fn check_happy_path(&self) {
        let mut h = 1;
        while h < self.happy.len() {
            let (from, to) = (self.happy[h - 1], self.happy[h]);
            if !self.leads(from, to) {
                self.complain(&[
                    "the happy path goes from ",
                    self.statuses[from].name,
                    " to ",
                    self.statuses[to].name,
                    ", but no edge does",
                ]);
            }
            h += 1;
        }
    }

    const fn leads(&self, from: usize, to: usize) -> bool {
        let mut action = 0;
        while action < self.actions.len() {
            if self.leads_by(action, from, to) {
                return true;
            }
            action += 1;
        }
        false
    }

    /// The first edge or note for an action in a status, both by position.
    pub(in crate::lifecycle) const fn first_way(&self, status: usize, action: usize) -> Option<&'static Edge> {
        let mut i = 0;
        while i < self.edges.len() + self.notes.len() {
            let (edge, mut f) = (self.step(i), 0);
            while f < edge.from.len() {
                if edge.action == action && edge.from[f] == status {
                    return Some(edge);
                }
                f += 1;
            }
            i += 1;
        }
        None
    }

    /// Whether an action leads from a status to a status, all by position; a note leads from each to itself.
    pub(in crate::lifecycle) const fn leads_by(&self, action: usize, from: usize, to: usize) -> bool {
        let mut i = 0;
        while i < self.edges.len() + self.notes.len() {
            let edge = self.step(i);
            let mut f = 0;
            while f < edge.from.len() {
                let mut t = 0;
                while t < edge.landings() {
                    if edge.action == action && edge.from[f] == from && edge.landing(from, t) == to {
                        return true;
                    }
                    t += 1;
                }
                f += 1;
            }
            i += 1;
        }
        false
    }
}

const fn share_a_role(some: &[Role], others: &[Role]) -> bool {
    let mut s = 0;
    while s < some.len() {
        let mut o = 0;
        while o < others.len() {
            if same(some[s].name.as_bytes(), others[o].name.as_bytes()) {
                return true;
            }
            o += 1;
        }
        s += 1;
    }
    false
}

pub(super) const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut i = 0;
    while i < one.len() && i < other.len() && one[i] == other[i] {
        i += 1;
    }
    i == one.len() && i == other.len()
}
