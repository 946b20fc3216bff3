//! Which way each line goes, without a single coordinate: only what stands left or right of what, and in which lane.
//!
//! The happy path is lane 0, and every other status has a lane above or below it. Between two lanes runs a street. A line
//! climbs in a slot of its own, so that no two lines ever lie on each other. A status is drawn as a bar that stretches
//! over the slots of its lines as far as no other line has to pass; a line whose slot is out of reach is led along the
//! street to a port at the bar's end.
//!
//! Depth counts from the spine outwards, 400 for each lane. A street has three zones: 100 for labels beside the inner
//! lane, 200 for what runs along it, 300 for labels beside the outer lane.

use super::graph::Graph;

/// From one lane to the next.
pub(super) const LANE: i32 = 400;
/// Labels beside the inner lane.
pub(super) const INNER: i32 = 100;
/// What runs along a street.
const ALONG: i32 = 200;
/// Labels beside the outer lane.
const OUTER: i32 = 300;
/// As deep as a line gets that stops short of the next lane.
const SHORT: i32 = LANE - INNER;

/// What may be chosen freely. Any choice can be drawn; the best is sought by [`plan`](super::plan).
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The lane of each status: 0 for the spine, below zero above it.
    pub(super) lane: Vec<i32>,
    /// The order of the lines within a column.
    pub(super) rank: Vec<usize>,
    /// Whether a line that both begins and ends in the spine runs below it.
    pub(super) below: Vec<bool>,
    /// Where a line that crosses the spine does so: left of this column.
    pub(super) gap: Vec<usize>,
}

/// A place where one line runs up and down.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) line: Option<usize>,
    /// How far it reaches above and below the spine.
    pub(super) reach: [Option<(i32, i32)>; 2],
    /// Which zone its label is in.
    pub(super) label: Option<(usize, i32)>,
    /// The gap between two columns in which it crosses the spine.
    pub(super) gap: Option<usize>,
    pub(super) is_loop: bool,
}

/// A part of a line that runs along a street.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    pub(super) side: usize,
    /// Its depth.
    pub(super) depth: i32,
    /// Its slots, with whether each goes on outwards.
    pub(super) ends: [(usize, bool); 2],
}

/// The way of all lines.
#[derive(Debug)]
pub(super) struct Routes {
    pub(super) slots: Vec<Slot>,
    /// The slots above and below the spine, from left to right.
    pub(super) order: [Vec<usize>; 2],
    /// Where each slot stands in them.
    at: Vec<[usize; 2]>,
    pub(super) wires: Vec<Wire>,
    /// The slots that touch each status.
    pub(super) held: Vec<Vec<usize>>,
    /// The slots of each line, from its beginning to its end.
    pub(super) trail: Vec<Vec<usize>>,
}

impl Plan {
    /// 0 above the spine, 1 below; and how far away.
    pub(super) fn at(&self, node: usize) -> (usize, i32) {
        (usize::from(self.lane[node] > 0), self.lane[node].abs())
    }
}

impl Slot {
    fn new(line: Option<usize>, side: usize, reach: (i32, i32), label: Option<i32>) -> Self {
        let mut slot =
            Self { line, reach: [None; 2], label: label.map(|depth| (side, depth)), gap: None, is_loop: false };
        slot.reach[side] = Some(reach);
        slot
    }

    /// Whether it runs past a lane.
    pub(super) fn passes(&self, side: usize, lane: i32) -> bool {
        self.reach[side].is_some_and(|(near, far)| near < lane * LANE && lane * LANE < far)
    }
}

impl Routes {
    pub(super) fn new(graph: &Graph, plan: &Plan) -> Self {
        let mut routes = Self {
            slots: Vec::new(),
            order: [Vec::new(), Vec::new()],
            at: Vec::new(),
            wires: Vec::new(),
            held: vec![Vec::new(); graph.nodes.len()],
            trail: vec![Vec::new(); graph.lines.len()],
        };
        routes.lead(graph, plan);
        let mut placed = vec![false; graph.nodes.len()];
        for node in graph.away() {
            routes.place(graph, plan, node, &placed);
            placed[node] = true;
        }
        routes.stack();
        routes
    }

    /// Where a slot stands on its side.
    pub(super) fn position(&self, side: usize, slot: usize) -> usize {
        self.at[slot][side]
    }

    /// The first and the last position of a status' slots on its side.
    pub(super) fn run(&self, side: usize, node: usize) -> Option<(usize, usize)> {
        let positions = || self.held[node].iter().map(|slot| self.position(side, *slot));
        Some((positions().min()?, positions().max()?))
    }

    fn add(&mut self, slot: Slot) -> usize {
        self.slots.push(slot);
        self.at.push([0; 2]);
        self.slots.len() - 1
    }

    fn insert(&mut self, side: usize, at: usize, slot: usize) {
        self.order[side].insert(at, slot);
        self.number(side, at);
    }

    fn number(&mut self, side: usize, from: usize) {
        for (at, slot) in self.order[side].iter().enumerate().skip(from) {
            self.at[*slot][side] = at;
        }
    }

    // The slots of all lines that touch the spine or cross it.
    fn lead(&mut self, graph: &Graph, plan: &Plan) {
        let mut order: [Vec<(usize, usize, usize)>; 2] = [Vec::new(), Vec::new()];
        for (i, line) in graph.lines.iter().enumerate() {
            let (from, to) = (graph.nodes[line.from].column, graph.nodes[line.to].column);
            let ((from_side, from_lane), (to_side, to_lane)) = (plan.at(line.from), plan.at(line.to));
            let mut lead = |routes: &mut Self, column: usize, node: usize, slot: Slot| {
                let side = usize::from(slot.reach[1].is_some());
                let slot = routes.add(slot);
                order[side].push((2 * column + 1, plan.rank[i], slot));
                routes.held[node].push(slot);
                routes.trail[i].push(slot);
                slot
            };
            match (from, to) {
                (Some(column), Some(_)) if line.from == line.to => {
                    let slot = Slot::new(Some(i), usize::from(plan.below[i]), (INNER, INNER), Some(INNER));
                    lead(self, column, line.from, Slot { is_loop: true, ..slot });
                }
                (Some(_), Some(_)) if graph.is_straight(line) => {}
                (Some(from), Some(to)) => {
                    let side = usize::from(plan.below[i]);
                    let one = lead(self, from, line.from, Slot::new(Some(i), side, (INNER, ALONG), Some(INNER)));
                    let two = lead(self, to, line.to, Slot::new(Some(i), side, (INNER, ALONG), None));
                    self.wires.push(Wire { side, depth: ALONG, ends: [(one, false), (two, false)] });
                }
                (Some(column), None) => {
                    let reach = (INNER, to_lane * LANE - INNER);
                    lead(self, column, line.from, Slot::new(Some(i), to_side, reach, Some(INNER)));
                }
                (None, Some(column)) => {
                    let reach = (INNER, from_lane * LANE - INNER);
                    lead(self, column, line.to, Slot::new(Some(i), from_side, reach, Some(INNER)));
                }
                (None, None) if from_side != to_side => {
                    let gap = plan.gap[i];
                    let mut slot = Slot::new(Some(i), from_side, (0, from_lane * LANE - INNER), Some(INNER));
                    slot.reach[to_side] = Some((0, to_lane * LANE - INNER));
                    slot.gap = Some(gap);
                    let slot = self.add(slot);
                    self.trail[i].push(slot);
                    order.iter_mut().for_each(|order| order.push((2 * gap, plan.rank[i], slot)));
                }
                (None, None) => {}
            }
        }
        for (side, mut order) in order.into_iter().enumerate() {
            order.sort_unstable();
            self.order[side] = order.into_iter().map(|(_, _, slot)| slot).collect();
            self.number(side, 0);
        }
    }

    // Stretches a status over its slots, leads the others to it, and begins its lines to statuses yet to be placed.
    fn place(&mut self, graph: &Graph, plan: &Plan, node: usize, placed: &[bool]) {
        let (side, lane) = plan.at(node);
        let mates: Vec<(usize, usize)> = (0..graph.nodes.len())
            .filter(|other| placed[*other] && plan.at(*other) == (side, lane))
            .filter_map(|other| self.run(side, other))
            .collect();
        let mut runs: Vec<Vec<usize>> = vec![Vec::new()];
        let mut mine = Vec::new();
        for (at, slot) in self.order[side].iter().enumerate() {
            let taken = mates.iter().any(|(first, last)| (*first..=*last).contains(&at));
            let ends_here = self.ends_at(graph, node, *slot);
            if ends_here {
                mine.push(*slot);
            }
            if taken || (!ends_here && self.slots[*slot].passes(side, lane)) {
                runs.push(Vec::new());
            } else if let (true, Some(run)) = (ends_here, runs.last_mut()) {
                run.push(*slot);
            }
        }
        let mut best: Vec<usize> = Vec::new();
        for run in runs {
            if run.len() > best.len() {
                best = run;
            }
        }
        self.held[node] = best;
        if self.held[node].is_empty() {
            let slot = self.add(Slot::new(None, side, (lane * LANE - INNER, lane * LANE - INNER), None));
            // Beside the first of its slots, if it has one that is out of reach: else at the end.
            let beside = mine.first().map_or(self.order[side].len(), |slot| self.position(side, *slot) + 1);
            let at = self.free(side, beside, &mates);
            self.insert(side, at, slot);
            self.held[node].push(slot);
        }
        let (left, right): (Vec<usize>, Vec<usize>) = {
            let first = self.run(side, node).unwrap_or_default().0;
            let far: Vec<usize> = mine.into_iter().filter(|slot| !self.held[node].contains(slot)).collect();
            far.into_iter().partition(|slot| self.position(side, *slot) < first)
        };
        for slot in left.into_iter().rev().chain(right) {
            self.hook(graph, (node, side, lane), slot);
        }
        self.begin(graph, plan, node, placed);
    }

    // Whether a slot is the one by which its line comes to a status.
    fn ends_at(&self, graph: &Graph, node: usize, slot: usize) -> bool {
        self.slots[slot].line.is_some_and(|i| {
            let (line, trail) = (&graph.lines[i], &self.trail[i]);
            (line.from == node && trail.first() == Some(&slot)) || (line.to == node && trail.last() == Some(&slot))
        })
    }

    // The position nearest to the wanted one that is in no bar of the same lane.
    fn free(&self, side: usize, wanted: usize, mates: &[(usize, usize)]) -> usize {
        let inside = |at: usize| mates.iter().any(|(first, last)| *first < at && at <= *last);
        let all = 0..=self.order[side].len();
        all.filter(|at| !inside(*at)).min_by_key(|at| at.abs_diff(wanted)).unwrap_or(self.order[side].len())
    }

    // Leads a slot along the street to a port at the end of a status' bar.
    fn hook(&mut self, graph: &Graph, (node, side, lane): (usize, usize, i32), slot: usize) {
        let Some(i) = self.slots[slot].line else { return };
        let Some((near, far)) = self.slots[slot].reach[side] else { return };
        let outer = lane * LANE + ALONG;
        let (port, ends) = if far <= lane * LANE {
            self.slots[slot].reach[side] = Some((near, lane * LANE - ALONG));
            ((lane * LANE - ALONG, lane * LANE - INNER), [true, false])
        } else if (near, far) == (lane * LANE + INNER, outer) {
            ((lane * LANE + INNER, outer), [false, false])
        } else {
            self.slots[slot].reach[side] = Some((outer, far));
            ((lane * LANE + INNER, outer), [false, true])
        };
        let port = self.add(Slot::new(Some(i), side, port, None));
        let (first, last) = self.run(side, node).unwrap_or_default();
        let at = if self.position(side, slot) < first { first } else { last + 1 };
        self.insert(side, at, port);
        self.held[node].push(port);
        if graph.lines[i].from == node {
            self.trail[i].insert(0, port);
        } else {
            self.trail[i].push(port);
        }
        let depth = if ends[0] { lane * LANE - ALONG } else { outer };
        self.wires.push(Wire { side, depth, ends: [(port, ends[0]), (slot, ends[1])] });
    }

    // The slots of a status' loop, and of its lines to statuses on the same side that are not placed yet.
    fn begin(&mut self, graph: &Graph, plan: &Plan, node: usize, placed: &[bool]) {
        let (side, lane) = plan.at(node);
        let depth = lane * LANE;
        for (i, line) in graph.lines.iter().enumerate().filter(|(_, line)| line.from == node || line.to == node) {
            let other = if line.from == node { line.to } else { line.from };
            let (other_side, other_lane) = plan.at(other);
            if other_lane == 0 || other_side != side || (placed[other] && other != node) {
                continue;
            }
            let other_depth = other_lane * LANE;
            let (reach, label) = if other == node {
                ((depth + INNER, depth + INNER), depth + INNER)
            } else if other_lane == lane {
                ((depth + INNER, depth + ALONG), depth + INNER)
            } else if other_lane > lane {
                ((depth + INNER, other_depth - INNER), depth + INNER)
            } else {
                ((other_depth + INNER, depth - INNER), depth - INNER)
            };
            let (first, last) = self.run(side, node).unwrap_or_default();
            let crossed: Vec<(usize, usize)> = (0..graph.nodes.len())
                .filter(|one| placed[*one] && plan.at(*one).0 == side)
                .filter(|one| (reach.0..reach.1).contains(&(plan.at(*one).1 * LANE)))
                .filter_map(|one| self.run(side, one))
                .collect();
            let mut slot = Slot::new(Some(i), side, reach, Some(label));
            slot.is_loop = other == node;
            let at = self.free(side, if self.leans_left(graph, other, first) { first } else { last + 1 }, &crossed);
            let slot = self.add(slot);
            self.insert(side, at, slot);
            self.trail[i].push(slot);
            if (first..=last + 1).contains(&at) {
                self.held[node].push(slot);
            } else {
                if reach.0 > depth {
                    self.slots[slot].label = Some((side, depth + OUTER));
                } else {
                    self.slots[slot].label = Some((side, depth - OUTER));
                }
                self.hook(graph, (node, side, lane), slot);
            }
        }
    }

    // Whether most slots of a status' lines are left of a position.
    fn leans_left(&self, graph: &Graph, node: usize, position: usize) -> bool {
        let (mut left, mut right) = (0, 0);
        for side in 0..2 {
            for (at, slot) in self.order[side].iter().enumerate() {
                let line = self.slots[*slot].line.map(|i| &graph.lines[i]);
                if line.is_some_and(|line| line.from == node || line.to == node) {
                    *(if at < position { &mut left } else { &mut right }) += 1;
                }
            }
        }
        left > right
    }

    // Gives each wire a row of its own in its street, where it crosses few others.
    fn stack(&mut self) {
        let mut streets: Vec<(usize, i32)> = self.wires.iter().map(|wire| (wire.side, wire.depth)).collect();
        streets.sort_unstable();
        streets.dedup();
        for (side, depth) in streets {
            let mut rows: Vec<usize> = Vec::new();
            for wire in (0..self.wires.len()).filter(|i| (self.wires[*i].side, self.wires[*i].depth) == (side, depth)) {
                let cost = |at: usize| {
                    let below = rows[..at].iter().map(|other| self.crossings(*other, wire)).sum::<usize>();
                    below + rows[at..].iter().map(|other| self.crossings(wire, *other)).sum::<usize>()
                };
                let at = (0..=rows.len()).min_by_key(|at| cost(*at)).unwrap_or_default();
                rows.insert(at, wire);
            }
            for (row, wire) in rows.into_iter().enumerate() {
                let depth = depth + i32::try_from(row).unwrap_or(i32::MAX).min(SHORT - ALONG - 1);
                self.wires[wire].depth = depth;
                for (slot, outwards) in self.wires[wire].ends {
                    if let Some((near, far)) = &mut self.slots[slot].reach[side] {
                        *(if outwards { near } else { far }) = depth;
                    }
                }
            }
        }
    }

    // How often two wires cross when the first is nearer to the spine.
    fn crossings(&self, near: usize, far: usize) -> usize {
        let (near, far) = (&self.wires[near], &self.wires[far]);
        let span = |wire: &Wire| {
            let (one, two) = (self.position(wire.side, wire.ends[0].0), self.position(wire.side, wire.ends[1].0));
            (one.min(two), one.max(two))
        };
        let cuts = |wire: &Wire, outwards: bool, (first, last): (usize, usize)| {
            let at = wire.ends.iter().filter(|end| end.1 == outwards).map(|end| self.position(wire.side, end.0));
            at.filter(|at| first < *at && *at < last).count()
        };
        cuts(near, true, span(far)) + cuts(far, false, span(near))
    }
}
