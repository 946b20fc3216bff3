//! The check that every table goes through while it is compiled: no lifecycle may strand money or conjure it.
//!
//! It walks the table as a graph of pairs (status, whether money is held). A `const fn` cannot allocate, so the
//! sets are arrays of fixed size and the words of a complaint are put together byte by byte.

mod edges;
mod taken;
mod words;

use super::{Edge, Holds, Table};
use crate::party::Duty;
use words::Words;

/// At most so many statuses.
const LIMIT: usize = 32;

/// Which pairs (status, money held) a walk has seen.
type Seen = [[bool; 2]; LIMIT];

impl Table {
    /// Checks the table. Called in a `const` by the `lifecycle!` macro, so that a bad table does not compile.
    ///
    /// # Panics
    /// With a sentence that names the status or action, when
    /// - an edge keeps, takes or gives money that its statuses say is not there,
    /// - a status cannot be reached from the first,
    /// - a lifecycle ends in a status that still holds money,
    /// - money is held in a status from which no path leads to an empty end unless one of the two sides acts,
    /// - the happy path takes a way that no edge leads,
    /// - two edges give one action in one status two meanings for one role, or nobody may take an edge.
    #[track_caller]
    pub const fn check(&self) {
        assert!(self.statuses.len() <= LIMIT, "a lifecycle has at most 32 statuses");
        self.check_edges();
        self.check_happy_path();
        let reached = self.reached();
        let mut status = 0;
        while status < self.statuses.len() {
            if !reached[status][0] && !reached[status][1] {
                self.complain(&[
                    "status ",
                    self.statuses[status].name,
                    " cannot be reached: add an edge that leads there, or remove it",
                ]);
            }
            status += 1;
        }
        self.check_ways_out(&reached);
    }

    // All pairs that can be reached from the first status.
    const fn reached(&self) -> Seen {
        let mut seen = [[false; 2]; LIMIT];
        let initially_full = matches!(self.statuses[self.initial].holds, Holds::Funds);
        seen[self.initial][initially_full as usize] = true;
        let mut grown = true;
        while grown {
            grown = false;
            let mut i = 0;
            while i < self.edges.len() + self.notes.len() {
                let edge = self.step(i);
                let mut f = 0;
                while f < edge.from.len() {
                    let mut full = 0;
                    while full < 2 {
                        if seen[edge.from[f]][full]
                            && let Some(after) = edge.money.after(full == 1)
                        {
                            let mut t = 0;
                            while t < edge.landings() {
                                let to = edge.landing(edge.from[f], t);
                                if self.statuses[to].holds.admits(after) && !seen[to][after as usize] {
                                    seen[to][after as usize] = true;
                                    grown = true;
                                }
                                t += 1;
                            }
                        }
                        full += 1;
                    }
                    f += 1;
                }
                i += 1;
            }
        }
        seen
    }

    // From every pair with money there must be a way to an empty end that needs neither of the two sides. Computed
    // backwards: first the empty ends, then all from which somebody other than a side leads there.
    #[track_caller]
    const fn check_ways_out(&self, reached: &Seen) {
        let mut safe = [[false; 2]; LIMIT];
        let mut status = 0;
        while status < self.statuses.len() {
            let mut full = 0;
            while full < 2 {
                if reached[status][full] && self.is_dead_end(status, full == 1) {
                    if full == 1 {
                        self.complain(&[
                            "status ", self.statuses[status].name,
                            " ends the lifecycle but still holds money: add an edge that refunds, releases or divides it",
                        ]);
                    }
                    safe[status][0] = true;
                }
                full += 1;
            }
            status += 1;
        }
        let mut grown = true;
        while grown {
            grown = false;
            let mut i = 0;
            while i < self.edges.len() + self.notes.len() {
                if self.needs_no_side(i) && self.spread(i, &mut safe) {
                    grown = true;
                }
                i += 1;
            }
        }
        let mut status = 0;
        while status < self.statuses.len() {
            if reached[status][1] && !safe[status][1] {
                self.complain(&[
                    "status ", self.statuses[status].name,
                    " holds money, and every way to an empty end needs one of its sides to act: give an office, the clock or a gateway a way out, or a silent party strands the money",
                ]);
            }
            status += 1;
        }
    }

    // Marks as safe what edge `i` leads from, where it leads to something safe. Whether that is new.
    const fn spread(&self, i: usize, safe: &mut Seen) -> bool {
        let edge = self.step(i);
        let mut grown = false;
        let mut f = 0;
        while f < edge.from.len() {
            let from = edge.from[f];
            let mut full = 0;
            while full < 2 {
                if !safe[from][full]
                    && self.statuses[from].holds.admits(full == 1)
                    && let Some(after) = edge.money.after(full == 1)
                {
                    let mut t = 0;
                    while t < edge.landings() {
                        let to = edge.landing(from, t);
                        if self.statuses[to].holds.admits(after) && safe[to][after as usize] {
                            safe[from][full] = true;
                            grown = true;
                        }
                        t += 1;
                    }
                }
                full += 1;
            }
            f += 1;
        }
        grown
    }

    const fn needs_no_side(&self, i: usize) -> bool {
        let by = self.step(i).by;
        let mut b = 0;
        while b < by.len() {
            match by[b].duty {
                Duty::Party => b += 1,
                Duty::Office | Duty::Clock | Duty::Gateway => return true,
            }
        }
        false
    }

    // Whether nothing leads on from this pair: neither an edge nor a note that moves the money.
    const fn is_dead_end(&self, status: usize, full: bool) -> bool {
        let mut i = 0;
        while i < self.edges.len() + self.notes.len() {
            let edge = self.step(i);
            let mut f = 0;
            while f < edge.from.len() {
                if edge.from[f] == status
                    && let Some(after) = edge.money.after(full)
                {
                    let mut t = 0;
                    while t < edge.landings() {
                        let to = edge.landing(status, t);
                        if self.statuses[to].holds.admits(after) && (!edge.is_note() || after != full) {
                            return false;
                        }
                        t += 1;
                    }
                }
                f += 1;
            }
            i += 1;
        }
        true
    }

    pub(super) const fn step(&self, i: usize) -> &'static Edge {
        if i < self.edges.len() { &self.edges[i] } else { &self.notes[i - self.edges.len()] }
    }

    #[track_caller]
    const fn complain(&self, words: &[&str]) -> ! {
        let mut text = Words::new();
        text.push("lifecycle ");
        text.push(self.name);
        text.push(": ");
        let mut i = 0;
        while i < words.len() {
            text.push(words[i]);
            i += 1;
        }
        panic!("{}", text.as_str())
    }
}

impl Edge {
    // A note lands where it is.
    pub(super) const fn landings(&self) -> usize {
        if self.is_note() { 1 } else { self.to.len() }
    }

    pub(super) const fn landing(&self, from: usize, nth: usize) -> usize {
        if self.is_note() { from } else { self.to[nth] }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        lifecycle::{Edge, Flow, Holds, Origin, StatusRow, Table},
        party::Role,
    };
    use std::panic;

    const fn status(name: &'static str, holds: Holds) -> StatusRow {
        StatusRow { name, says: "", holds }
    }

    const fn edge(
        action: usize,
        from: &'static [usize],
        to: &'static [usize],
        by: &'static [Role],
        money: Flow,
    ) -> Edge {
        Edge { action, from, to, by, money, origin: Origin::Own, says: "" }
    }

    const STATUSES: &[StatusRow] =
        &[status("OPEN", Holds::Nothing), status("PAID", Holds::Funds), status("DONE", Holds::Nothing)];
    const PAY: Edge = edge(0, &[0], &[1], &[Role::GATEWAY], Flow::Collect);
    const GIVE: Edge = edge(1, &[1], &[2], &[Role::PLATFORM], Flow::Release);

    fn verdict(statuses: &'static [StatusRow], edges: Vec<Edge>) -> Option<String> {
        let edges = Vec::leak(edges);
        let table = Table {
            name: "t",
            statuses,
            actions: &["pay", "give", "other"],
            initial: 0,
            happy: &[],
            edges,
            notes: &[],
        };
        let said = panic::catch_unwind(|| table.check()).err()?;
        said.downcast_ref::<String>().cloned().or_else(|| said.downcast_ref::<&str>().map(ToString::to_string))
    }

    #[test]
    fn a_sound_table_passes() {
        assert_eq!(verdict(STATUSES, vec![PAY, GIVE]), None);
    }

    #[test]
    fn an_unsound_one_is_named() {
        const SELLER: &[Role] = &[Role::SELLER];
        const OFFICE: &[Role] = &[Role::PLATFORM];
        const UNFINISHED: &[StatusRow] = &[status("OPEN", Holds::Nothing), status("PAID", Holds::Funds)];
        let cases: [(&'static [StatusRow], Vec<Edge>, &str); 9] = [
            (STATUSES, vec![PAY, edge(1, &[1], &[2], OFFICE, Flow::Keep)], "give from PAID to DONE would strand money"),
            (
                STATUSES,
                vec![edge(0, &[0], &[1], OFFICE, Flow::Keep), GIVE],
                "pay from OPEN to PAID would conjure money",
            ),
            (
                STATUSES,
                vec![PAY, GIVE, edge(2, &[0], &[2], OFFICE, Flow::Refund)],
                "other from OPEN to DONE would conjure",
            ),
            (
                STATUSES,
                vec![edge(0, &[0], &[2], OFFICE, Flow::Keep), edge(1, &[1], &[2], OFFICE, Flow::Release)],
                "status PAID cannot be reached",
            ),
            (UNFINISHED, vec![PAY], "PAID ends the lifecycle but still holds money"),
            (STATUSES, vec![PAY, edge(1, &[1], &[2], SELLER, Flow::Release)], "needs one of its sides"),
            (
                STATUSES,
                vec![PAY, GIVE, edge(1, &[1], &[2], OFFICE, Flow::Release)],
                "give is said twice of status PAID and of one role",
            ),
            (STATUSES, vec![PAY, edge(1, &[1], &[2], &[], Flow::Release)], "nobody may take give"),
            (
                STATUSES,
                vec![PAY, GIVE, edge(2, &[0], &[2], OFFICE, Flow::Collect)],
                "other from OPEN to DONE leaves money",
            ),
        ];
        for (statuses, edges, says) in cases {
            let said = verdict(statuses, edges).unwrap_or_else(|| panic!("passed, though {says}"));
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn a_circle_among_offices_is_no_way_out() {
        const ROUND: &[StatusRow] = &[
            status("OPEN", Holds::Nothing),
            status("PAID", Holds::Funds),
            status("DONE", Holds::Nothing),
            status("PARKED", Holds::Funds),
        ];
        let said = verdict(
            ROUND,
            vec![
                PAY,
                edge(1, &[1], &[2], &[Role::BUYER], Flow::Release),
                edge(2, &[1], &[3], &[Role::PLATFORM], Flow::Keep),
                edge(0, &[3], &[1], &[Role::PLATFORM], Flow::Keep),
            ],
        );
        assert!(said.is_some_and(|said| said.contains("status PAID holds money")));
    }
}
