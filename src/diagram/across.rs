//! What is how far from the left.
//!
//! All that is asked has one form, "this is at least so far right of that", so the narrowest picture is the longest way
//! through a graph. It is solved from the left and from the right, and everything is put midway between the two.

use super::{
    graph::{Graph, Node},
    route::{LANE, Plan, Routes},
    text,
};

/// The horizontal places.
#[derive(Debug)]
pub(super) struct Across {
    /// Of each slot.
    pub(super) slots: Vec<i32>,
    /// Of each status: its left and right ends.
    pub(super) boxes: Vec<(i32, i32)>,
    pub(super) width: i32,
}

/// That the second variable is at least so far right of the first. The slots come first, then two ends for each status,
/// then the right end of all.
type Rule = (usize, usize, i32);

/// The room left of the first status.
pub(super) const BEFORE: i32 = 38;
/// From a line to its label.
pub(super) const ASIDE: i32 = 6;
/// Half the width of a loop.
pub(super) const LOOP: i32 = 9;
/// Between lines that have no label between them.
const APART: i32 = 14;
/// From a line to the end of the box it touches.
const INSET: i32 = 16;
/// The length of an arrow beyond its label.
const SHAFT: i32 = 30;

impl Across {
    pub(super) fn new(graph: &Graph, plan: &Plan, routes: &Routes) -> Self {
        let (slots, count) = (routes.slots.len(), routes.slots.len() + 2 * graph.nodes.len() + 1);
        let rules = rules(graph, plan, routes);
        let mut from_left = vec![0; count];
        if let Some(first) = graph.spine.first() {
            from_left[slots + 2 * first] = BEFORE;
        }
        // No way is longer than there are variables.
        for _ in 0..count {
            let before = from_left.clone();
            for (left, right, apart) in &rules {
                from_left[*right] = from_left[*right].max(from_left[*left] + apart);
            }
            if from_left == before {
                break;
            }
        }
        let width = from_left[count - 1];
        let mut from_right = vec![width; count];
        for _ in 0..count {
            let before = from_right.clone();
            for (left, right, apart) in &rules {
                from_right[*left] = from_right[*left].min(from_right[*right] - apart);
            }
            if from_right == before {
                break;
            }
        }
        let middle: Vec<i32> = from_left.iter().zip(&from_right).map(|(one, two)| (one + two) / 2).collect();
        let ends = |node: usize| (middle[slots + 2 * node], middle[slots + 2 * node + 1]);
        let boxes = graph.nodes.iter().enumerate().map(|(node, row)| {
            let room = if row.column.is_some() { ends(node) } else { room(plan, routes, node, &middle, ends, width) };
            snug(row, room, routes.held[node].iter().map(|slot| inset(routes, *slot, middle[*slot])))
        });
        Self { boxes: boxes.collect(), slots: middle[..slots].to_vec(), width }
    }
}

/// How far a status off the spine could stretch: to what runs past it, and halfway to its neighbours.
fn room(
    plan: &Plan,
    routes: &Routes,
    node: usize,
    middle: &[i32],
    ends: impl Fn(usize) -> (i32, i32),
    width: i32,
) -> (i32, i32) {
    let (side, lane) = plan.at(node);
    let (mut left, mut right) = (0, width);
    let (mine, first) = (ends(node), routes.run(side, node).unwrap_or_default().0);
    for (at, slot) in routes.order[side].iter().enumerate().filter(|(_, slot)| !routes.held[node].contains(slot)) {
        if routes.slots[*slot].passes(side, lane) && at < first {
            left = left.max(middle[*slot] + APART);
        } else if routes.slots[*slot].passes(side, lane) {
            right = right.min(middle[*slot] - APART);
        }
    }
    for other in (0..plan.lane.len()).filter(|other| *other != node && plan.lane[*other] == plan.lane[node]) {
        let other = ends(other);
        if other.0 < mine.0 {
            left = left.max((other.1 + mine.0) / 2 + APART);
        } else {
            right = right.min((mine.1 + other.0) / 2 - APART);
        }
    }
    (left, right)
}

/// How far a box has to reach around a slot.
fn inset(routes: &Routes, slot: usize, x: i32) -> (i32, i32) {
    let inset = if routes.slots[slot].is_loop { INSET + LOOP } else { INSET };
    (x - inset, x + inset)
}

/// How wide a status is at least: its name, and its word beside a sign.
fn least(node: &Node) -> i32 {
    let now = if node.now { 52 } else { 0 };
    (text::width(node.name, text::NAME) * 27 / 25).max(text::width(node.place.word(), text::LABEL) + 18 + now) + 20
}

/// A box around its slots, no wider than it has to be.
fn snug(node: &Node, (left, right): (i32, i32), slots: impl Iterator<Item = (i32, i32)> + Clone) -> (i32, i32) {
    let (Some(first), Some(last)) = (slots.clone().map(|slot| slot.0).min(), slots.map(|slot| slot.1).max()) else {
        return (left, left + least(node));
    };
    let wide = least(node).max(last - first);
    let first = (first - (wide - (last - first)) / 2).min(right - wide).max(left);
    (first, first + wide)
}

fn rules(graph: &Graph, plan: &Plan, routes: &Routes) -> Vec<Rule> {
    let slots = routes.slots.len();
    let end = slots + 2 * graph.nodes.len();
    let (left, right) = (|node: usize| slots + 2 * node, |node: usize| slots + 2 * node + 1);
    let mut rules = Vec::new();
    for side in 0..2 {
        for (at, one) in routes.order[side].iter().enumerate() {
            for other in &routes.order[side][at + 1..] {
                rules.extend(apart(graph, routes, side, *one, *other).map(|apart| (*one, *other, apart)));
            }
            rules.push((*one, end, beside(graph, routes, *one) + 2));
        }
    }
    for (node, row) in graph.nodes.iter().enumerate() {
        rules.extend([(left(node), right(node), least(row)), (right(node), end, 0)]);
        for slot in &routes.held[node] {
            let (_, inset) = inset(routes, *slot, 0);
            rules.extend([(left(node), *slot, inset), (*slot, right(node), inset)]);
        }
        let (side, lane) = plan.at(node);
        let Some((first, _)) = routes.run(side, node).filter(|_| lane > 0) else { continue };
        for (at, slot) in routes.order[side].iter().enumerate() {
            if routes.slots[*slot].passes(side, lane) && !routes.held[node].contains(slot) {
                rules.push(if at < first { (*slot, left(node), APART) } else { (right(node), *slot, APART) });
            }
        }
        for other in (0..graph.nodes.len()).filter(|other| plan.lane[*other] == plan.lane[node]) {
            if routes.run(side, other).is_some_and(|run| run.0 > first) {
                rules.push((right(node), left(other), 2 * APART));
            }
        }
    }
    for (column, node) in graph.spine.iter().enumerate() {
        let label = graph.straight(column).map_or(0, |line| text::size(line).0);
        if let Some(next) = graph.spine.get(column + 1) {
            rules.push((right(*node), left(*next), label + SHAFT));
        }
        for (i, slot) in routes.slots.iter().enumerate() {
            if slot.gap == Some(column + 1) {
                rules.push((right(*node), i, label + SHAFT / 2));
            }
            if slot.gap == Some(column) {
                // The arrow into the first status needs room, too.
                rules.push((i, left(*node), if column == 0 { BEFORE } else { SHAFT - 6 }));
            }
        }
    }
    rules
}

/// How far right of a slot its label reaches.
fn beside(graph: &Graph, routes: &Routes, slot: usize) -> i32 {
    let slot = &routes.slots[slot];
    let half = if slot.is_loop { LOOP } else { 0 };
    let line = slot.label.and(slot.line).map(|i| &graph.lines[i]);
    half + line.map_or(0, |line| ASIDE + text::size(line).0)
}

/// How far apart two slots of one side have to be; `None` when they never meet.
fn apart(graph: &Graph, routes: &Routes, side: usize, left: usize, right: usize) -> Option<i32> {
    let (one, other) = (&routes.slots[left], &routes.slots[right]);
    let zones = |reach: (i32, i32)| (4 * reach.0 / LANE, 4 * reach.1 / LANE);
    let (mine, yours) = (zones(one.reach[side]?), zones(other.reach[side]?));
    let half = if other.is_loop { LOOP } else { 0 };
    let labelled = one.label.filter(|label| label.0 == side).map(|label| 4 * label.1 / LANE);
    if labelled.is_some_and(|zone| (yours.0..=yours.1).contains(&zone)) {
        return Some(beside(graph, routes, left) + APART * 3 / 4 + half);
    }
    (mine.0 <= yours.1 && yours.0 <= mine.1).then_some(APART + half + if one.is_loop { LOOP } else { 0 })
}
