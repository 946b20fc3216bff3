//! Where everything is, in pixels.

use super::{
    across::{ASIDE, Across, BEFORE, LOOP},
    graph::Graph,
    plan,
    route::{INNER, LANE, Plan, Routes},
    text,
};

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// The places of all that is drawn.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: i32,
    pub(super) height: i32,
    /// Of each status.
    pub(super) boxes: Vec<Rect>,
    /// Of each line: the points it goes through. The last bears the arrow's tip.
    pub(super) ways: Vec<Vec<(i32, i32)>>,
    /// Of each line: where its label is.
    pub(super) labels: Vec<Rect>,
    /// Where the arrow into the first status begins and ends, if that is the first of the spine.
    pub(super) start: Option<[(i32, i32); 2]>,
}

/// The height of a box.
pub(super) const BOX: i32 = 48;
/// From one wire of a street to the next.
const ROW: i32 = 10;
/// What stays free above and below a label.
const AIR: i32 = 9;
/// How far a loop stands out.
const BULGE: i32 = 24;

impl Layout {
    pub(super) fn new(graph: &Graph) -> Self {
        let (plan, routes) = plan::plan(graph);
        Self::by_plan(graph, &plan, &routes)
    }

    fn by_plan(graph: &Graph, plan: &Plan, routes: &Routes) -> Self {
        let (across, down) = (Across::new(graph, plan, routes), Down::new(graph, plan, routes));
        let boxes: Vec<Rect> = across
            .boxes
            .iter()
            .enumerate()
            .map(|(node, (left, right))| {
                let (side, lane) = plan.at(node);
                Rect { x: *left, y: down.at(side, lane * LANE) - BOX / 2, width: right - left, height: BOX }
            })
            .collect();
        let (mut ways, mut labels) = (Vec::new(), Vec::new());
        for (i, line) in graph.lines.iter().enumerate() {
            let (from, to) = (boxes[line.from], boxes[line.to]);
            let (way, label) = if graph.is_straight(line) {
                let gap = graph.nodes[line.to].column;
                let crossing = routes.slots.iter().zip(&across.slots).filter(|(slot, _)| slot.gap == gap);
                let until = crossing.map(|(_, x)| *x).min().unwrap_or(to.x - 8);
                straight(from, to, until, text::size(line))
            } else {
                (winding(i, (from, to), routes, &across, &down), beside(i, text::size(line), routes, &across, &down))
            };
            ways.push(way);
            labels.push(label);
        }
        let first = graph.spine.first().filter(|first| graph.initial == Some(**first));
        let start = first.map(|first| {
            let (x, y) = (boxes[*first].x, down.at(0, 0));
            [(x - BEFORE + 10, y), (x, y)]
        });
        Self { width: across.width, height: down.height, boxes, ways, labels, start }
    }
}

/// From a status of the spine to the next.
fn straight(from: Rect, to: Rect, until: i32, (width, height): (i32, i32)) -> (Vec<(i32, i32)>, Rect) {
    let (y, left) = (from.y + BOX / 2, from.x + from.width);
    let label = Rect { x: (left + until - width) / 2, y: y - height - 6, width, height };
    (vec![(left, y), (to.x, y)], label)
}

/// Up or down, along streets, and down or up again.
fn winding(i: usize, (from, to): (Rect, Rect), routes: &Routes, across: &Across, down: &Down) -> Vec<(i32, i32)> {
    let trail = &routes.trail[i];
    let (Some(first), Some(last)) = (trail.first(), trail.last()) else { return Vec::new() };
    let (begin, end) = (across.slots[*first], across.slots[*last]);
    if let (true, Some((side, _))) = (routes.slots[*first].is_loop, routes.slots[*first].label) {
        let (edge, far) = if side == 0 { (from.y, from.y - BULGE) } else { (from.y + BOX, from.y + BOX + BULGE) };
        return vec![(begin - LOOP, edge), (begin - LOOP, far), (begin + LOOP, far), (begin + LOOP, edge)];
    }
    let mut bends = Vec::new();
    for pair in trail.windows(2) {
        let wire = routes.wires.iter().find(|wire| wire.ends.iter().all(|(slot, _)| pair.contains(slot)));
        let y = wire.map_or(from.y, |wire| down.at(wire.side, wire.depth));
        bends.extend(pair.iter().map(|slot| (across.slots[*slot], y)));
    }
    // The face of a box that looks towards a height.
    let face = |rect: Rect, y: i32| if y > rect.y { rect.y + BOX } else { rect.y };
    let leave = face(from, bends.first().map_or(to.y, |bend| bend.1));
    let arrive = face(to, bends.last().map_or(from.y, |bend| bend.1));
    std::iter::once((begin, leave)).chain(bends).chain([(end, arrive)]).collect()
}

/// The label of a line, right of the slot that bears it.
fn beside(i: usize, (width, height): (i32, i32), routes: &Routes, across: &Across, down: &Down) -> Rect {
    let bears = |slot: &usize| routes.slots[*slot].label.map(|label| (*slot, label));
    let (slot, (side, depth)) = routes.trail[i].iter().find_map(bears).unwrap_or((0, (0, INNER)));
    let aside = if routes.slots.get(slot).is_some_and(|slot| slot.is_loop) { ASIDE + LOOP } else { ASIDE };
    let x = across.slots.get(slot).copied().unwrap_or(0) + aside;
    Rect { x, y: down.at(side, depth) - height / 2, width, height }
}

/// The vertical places, by depth.
#[derive(Debug)]
struct Down {
    spine: i32,
    /// For each side, from the spine outwards: how far the middle of each quarter of a lane is from the spine.
    quarters: [Vec<i32>; 2],
    height: i32,
}

impl Down {
    fn new(graph: &Graph, plan: &Plan, routes: &Routes) -> Self {
        let highest = graph.lines.iter().filter(|line| graph.is_straight(line)).map(|line| text::size(line).1).max();
        let spine = BOX.max(2 * (highest.unwrap_or(0) + 6));
        let mut quarters = [Vec::new(), Vec::new()];
        let mut whole = [0, 0];
        for (side, quarters) in quarters.iter_mut().enumerate() {
            let nodes = || (0..graph.nodes.len()).map(|node| plan.at(node)).filter(|at| at.0 == side && at.1 > 0);
            let lanes = nodes().map(|at| at.1).max().unwrap_or(0);
            let mut far = 0;
            for quarter in 0..4 * lanes + 3 {
                let height = if quarter == 0 {
                    spine
                } else if quarter % 4 == 0 {
                    if nodes().any(|at| 4 * at.1 == quarter) { BOX } else { 0 }
                } else {
                    street(graph, routes, side, quarter)
                };
                // The rows of wires are counted from the first, all else from its middle.
                quarters.push(match quarter {
                    0 => 0,
                    quarter if quarter % 4 == 2 => far + ROW / 2,
                    _ => far + height / 2,
                });
                far += if quarter == 0 { height / 2 } else { height };
            }
            whole[side] = far;
        }
        Self { spine: whole[0], quarters, height: whole[0] + whole[1] }
    }

    fn at(&self, side: usize, depth: i32) -> i32 {
        let quarter = usize::try_from(depth * 4 / LANE).unwrap_or(0);
        let away = self.quarters[side].get(quarter).copied().unwrap_or(0);
        let row = if quarter % 4 == 2 { depth % INNER * ROW } else { 0 };
        let away = away + row;
        if side == 0 { self.spine - away } else { self.spine + away }
    }
}

/// How high a quarter of a lane is in which no status lies.
fn street(graph: &Graph, routes: &Routes, side: usize, quarter: i32) -> i32 {
    let depth = quarter * INNER;
    if quarter % 4 == 2 {
        let wires = routes.wires.iter().filter(|wire| wire.side == side && wire.depth / INNER == quarter);
        return i32::try_from(wires.count()).unwrap_or(0) * ROW;
    }
    let here = routes.slots.iter().filter(|slot| slot.label == Some((side, depth)));
    let highest = here.filter_map(|slot| slot.line).map(|i| text::size(&graph.lines[i]).1).max();
    let passed =
        routes.slots.iter().any(|slot| slot.reach[side].is_some_and(|(near, far)| near <= depth && depth <= far));
    highest.map_or(if passed { 2 * AIR } else { 0 }, |highest| highest.max(BULGE) + 2 * AIR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagram::tests::tables;

    impl Rect {
        fn meets(&self, other: &Self) -> bool {
            self.x < other.x + other.width
                && other.x < self.x + self.width
                && self.y < other.y + other.height
                && other.y < self.y + self.height
        }
    }

    // The stretch between two points, without its ends.
    fn stretch(one: (i32, i32), other: (i32, i32)) -> Rect {
        let (x, y) = (one.0.min(other.0), one.1.min(other.1));
        let (width, height) = ((one.0 - other.0).abs(), (one.1 - other.1).abs());
        assert!(width == 0 || height == 0, "a line is upright or level");
        if width == 0 {
            Rect { x, y: y + 1, width: 1, height: height - 2 }
        } else {
            Rect { x: x + 1, y, width: width - 2, height: 1 }
        }
    }

    fn is_tidy(graph: &Graph, layout: &Layout) {
        let whole = Rect { x: 0, y: 0, width: layout.width + 1, height: layout.height + 1 };
        for (i, one) in layout.boxes.iter().enumerate() {
            let name = graph.nodes[i].name;
            assert!(one.meets(&whole) && one.x >= 0 && one.x + one.width <= layout.width, "{name} is outside");
            assert!(layout.boxes[i + 1..].iter().all(|other| !one.meets(other)), "{name} meets a box");
            assert!(layout.labels.iter().all(|label| !one.meets(label)), "{name} meets a label");
        }
        for (i, one) in layout.labels.iter().enumerate() {
            assert!(layout.labels[i + 1..].iter().all(|other| !one.meets(other)), "label {i} meets another");
            assert!(
                one.x >= 0 && one.y >= 0 && one.x + one.width <= layout.width && one.y + one.height <= layout.height,
                "label {i} is outside"
            );
        }
        for (i, way) in layout.ways.iter().enumerate() {
            for pair in way.windows(2) {
                let stretch = stretch(pair[0], pair[1]);
                assert!(layout.boxes.iter().all(|one| !one.meets(&stretch)), "line {i} runs through a box");
                assert!(layout.labels.iter().all(|one| !one.meets(&stretch)), "line {i} runs through a label");
            }
            for (j, other) in layout.ways.iter().enumerate().skip(i + 1) {
                for (one, two) in way.windows(2).flat_map(|one| other.windows(2).map(move |two| (one, two))) {
                    let level = |pair: &[(i32, i32)]| pair[0].1 == pair[1].1;
                    let apart = level(one) != level(two) || !stretch(one[0], one[1]).meets(&stretch(two[0], two[1]));
                    assert!(apart, "lines {i} and {j} lie on each other");
                }
            }
        }
    }

    #[test]
    fn nothing_lies_on_anything_else() {
        for table in tables() {
            let graph = Graph::new(table, &[], &[]);
            let layout = Layout::new(&graph);
            is_tidy(&graph, &layout);
            let heights: Vec<i32> = graph.spine.iter().map(|node| layout.boxes[*node].y).collect();
            assert!(heights.windows(2).all(|pair| pair[0] == pair[1]), "the happy path of {} is straight", table.name);
        }
    }

    // Not only the plan that is found best: whatever is chosen can be drawn.
    #[test]
    fn every_plan_is_tidy() {
        let mut seed = 7_u64;
        let mut below = |limit: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 40).unwrap() % limit
        };
        for table in tables() {
            let graph = Graph::new(table, &[], &[]);
            for _ in 0..60 {
                let lanes = [-3, -2, -1, 1, 2, 3];
                let lane =
                    graph.nodes.iter().map(|node| if node.column.is_some() { 0 } else { lanes[below(6)] }).collect();
                let plan = Plan {
                    lane,
                    rank: graph.lines.iter().map(|_| below(9)).collect(),
                    below: graph.lines.iter().map(|_| below(2) == 0).collect(),
                    gap: graph.lines.iter().map(|_| below(graph.spine.len() + 1)).collect(),
                };
                is_tidy(&graph, &Layout::by_plan(&graph, &plan, &Routes::new(&graph, &plan)));
            }
        }
    }
}
