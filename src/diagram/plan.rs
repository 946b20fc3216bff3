//! Where each status goes: the plan whose picture is the calmest, sought step by step from a few beginnings.
//!
//! The search is a plain descent: it tries every small change, keeps what helps, and stops when nothing does. It has no
//! chance in it, so one table has one picture.

use super::{
    graph::{Graph, Line},
    palette::Place,
    route::{LANE, Plan, Routes},
    text,
};

/// From each beginning so many pictures are tried, divided by the square of how much there is to draw.
const EFFORT: usize = 800_000;
/// No status is moved further from the spine than this.
const FARTHEST: i32 = 5;

/// The best plan that was found, and its routes.
pub(super) fn plan(graph: &Graph) -> (Plan, Routes) {
    let changes = changes(graph);
    let sides = [|away| 1 - 2 * (away % 2), |away| 2 * (away % 2) - 1, |_| 1, |away| 1 - away / 2 % 2 * 2];
    let mut best = (i64::MAX, beginning(graph, sides[0], false));
    for (side, turned) in sides.into_iter().flat_map(|side| [(side, false), (side, true)]) {
        let found = descend(graph, beginning(graph, side, turned), &changes);
        if found.0 < best.0 {
            best = found;
        }
    }
    let routes = Routes::new(graph, &best.1);
    (best.1, routes)
}

/// A plan to begin with: the statuses off the spine in one lane after another, on the side that their number gives them.
fn beginning(graph: &Graph, side: fn(i32) -> i32, turned: bool) -> Plan {
    let count = i32::try_from(graph.nodes.len() - graph.spine.len()).unwrap_or(0);
    let mut away = 0;
    let lane = graph.nodes.iter().map(|node| {
        if node.column.is_some() {
            return 0;
        }
        away += 1;
        (1 + if turned { count - away } else { away } / 2 % FARTHEST) * side(away)
    });
    Plan {
        lane: lane.collect(),
        rank: (0..graph.lines.len()).collect(),
        below: vec![false; graph.lines.len()],
        gap: vec![graph.spine.len() / 2; graph.lines.len()],
    }
}

/// The best plan that small changes lead to.
fn descend(graph: &Graph, plan: Plan, changes: &[Change]) -> (i64, Plan) {
    let mut best = (cost(graph, &plan), plan);
    let mut tries = 0;
    let patience = EFFORT / (graph.lines.len() + graph.nodes.len()).pow(2).max(1);
    loop {
        let before = best.0;
        for change in changes {
            let mut plan = best.1.clone();
            if !change.apply(graph, &mut plan) {
                continue;
            }
            tries += 1;
            let cost = cost(graph, &plan);
            if cost < best.0 {
                best = (cost, plan);
            }
            if tries >= patience {
                return best;
            }
        }
        if best.0 == before {
            return best;
        }
    }
}

/// A small change of a plan.
enum Change {
    Lane(usize, i32, Option<usize>),
    Swap(usize, usize),
    Rank(usize, usize),
    Below(usize),
    Gap(usize, usize),
}

fn changes(graph: &Graph) -> Vec<Change> {
    let away: Vec<usize> = (0..graph.nodes.len()).filter(|node| graph.nodes[*node].column.is_none()).collect();
    let farthest = i32::try_from(away.len()).unwrap_or(FARTHEST).min(FARTHEST);
    let mut all = Vec::new();
    for (i, node) in away.iter().enumerate() {
        for lane in (1..=farthest).flat_map(|lane| [lane, -lane]) {
            all.push(Change::Lane(*node, lane, None));
            if graph.lines.iter().any(|line| (line.from == *node || line.to == *node) && is_free(graph, line)) {
                all.extend([0, graph.spine.len()].map(|gap| Change::Lane(*node, lane, Some(gap))));
            }
        }
        all.extend(away[i + 1..].iter().map(|other| Change::Swap(*node, *other)));
    }
    let column = |node: usize| graph.nodes[node].column;
    for (i, line) in graph.lines.iter().enumerate() {
        match (column(line.from), column(line.to)) {
            (Some(_), Some(_)) => all.push(Change::Below(i)),
            (None, None) if is_free(graph, line) => all.extend((0..=graph.spine.len()).map(|gap| Change::Gap(i, gap))),
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => {}
        }
        let columns = [column(line.from), column(line.to)];
        for (j, other) in graph.lines.iter().enumerate().skip(i + 1) {
            if [column(other.from), column(other.to)].iter().any(|one| one.is_some() && columns.contains(one)) {
                all.push(Change::Rank(i, j));
            }
        }
    }
    all
}

/// Whether a line touches the spine nowhere, and so may have to cross it.
fn is_free(graph: &Graph, line: &Line) -> bool {
    line.from != line.to && graph.nodes[line.from].column.is_none() && graph.nodes[line.to].column.is_none()
}

impl Change {
    /// Whether it made a difference.
    fn apply(&self, graph: &Graph, plan: &mut Plan) -> bool {
        match *self {
            Self::Lane(node, lane, gap) => {
                for (i, _) in graph.lines.iter().enumerate().filter(|(_, line)| line.from == node || line.to == node) {
                    plan.gap[i] = gap.unwrap_or(plan.gap[i]);
                }
                std::mem::replace(&mut plan.lane[node], lane) != lane
            }
            Self::Swap(one, other) => {
                plan.lane.swap(one, other);
                plan.lane[one] != plan.lane[other]
            }
            Self::Rank(one, other) => {
                plan.rank.swap(one, other);
                !graph.is_straight(&graph.lines[one]) && !graph.is_straight(&graph.lines[other])
            }
            Self::Below(line) => {
                plan.below[line] = !plan.below[line];
                !graph.is_straight(&graph.lines[line])
            }
            Self::Gap(line, gap) => {
                let crosses = plan.at(graph.lines[line].from).0 != plan.at(graph.lines[line].to).0;
                std::mem::replace(&mut plan.gap[line], gap) != gap && crosses
            }
        }
    }
}

/// What a picture costs its reader.
fn cost(graph: &Graph, plan: &Plan) -> i64 {
    let routes = Routes::new(graph, plan);
    let lanes = [0, 1].map(|side| {
        (0..graph.nodes.len()).filter(|node| plan.at(*node).0 == side).map(|node| plan.at(node).1).max().unwrap_or(0)
    });
    let mut cost = 60 * i64::from(lanes[0] + lanes[1]) + 25 * i64::from((lanes[0] - lanes[1]).abs());
    cost += 240 * count(crossings(graph, &routes));
    for wire in &routes.wires {
        let ends = wire.ends.map(|(slot, _)| routes.position(wire.side, slot));
        cost += 70 + 12 * count(ends[0].abs_diff(ends[1]));
    }
    for slot in &routes.slots {
        for (near, far) in slot.reach.into_iter().flatten() {
            cost += i64::from((far - near) / LANE) * 14;
        }
    }
    for slot in &routes.slots {
        let wide = slot.line.map_or(0, |i| i64::from(text::size(&graph.lines[i]).0));
        // Nothing should seem to happen before the beginning.
        cost += slot.gap.map_or(0, |gap| 60 + wide / 3 + if gap == 0 { 90 } else { 0 });
    }
    for (node, row) in graph.nodes.iter().enumerate().filter(|(_, node)| node.column.is_none()) {
        let (side, _) = plan.at(node);
        let (first, last) = routes.run(side, node).unwrap_or_default();
        cost += 5 * count(last - first);
        // Ends gather below, as far as that is for nothing.
        cost += i64::from((row.place == Place::Done) == (side == 0)) * 60;
    }
    cost + widths(graph, &routes) / 3
}

/// How wide the labels make the columns.
fn widths(graph: &Graph, routes: &Routes) -> i64 {
    let mut all = 0;
    for node in &graph.spine {
        let of = |side: usize| {
            let slots = routes.held[*node].iter().map(|slot| &routes.slots[*slot]);
            let labels = slots.filter(|slot| slot.label.is_some_and(|label| label.0 == side));
            labels.filter_map(|slot| slot.line).map(|i| 20 + i64::from(text::size(&graph.lines[i]).0)).sum::<i64>()
        };
        all += of(0).max(of(1)).max(140);
    }
    all
}

/// How often lines cross.
fn crossings(graph: &Graph, routes: &Routes) -> usize {
    let mut crossings = 0;
    for side in 0..2 {
        let upright = |at: usize| routes.slots[routes.order[side][at]].reach[side].unwrap_or_default();
        for wire in routes.wires.iter().filter(|wire| wire.side == side) {
            let ends = wire.ends.map(|(slot, _)| routes.position(side, slot));
            let between = ends[0].min(ends[1]) + 1..ends[0].max(ends[1]);
            crossings += between.filter(|at| upright(*at).0 < wire.depth && wire.depth < upright(*at).1).count();
        }
    }
    let cuts = |slot: &&super::route::Slot| slot.gap.is_some_and(|gap| gap > 0 && graph.straight(gap - 1).is_some());
    crossings + routes.slots.iter().filter(cuts).count()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
