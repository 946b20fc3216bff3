//! What is drawn: statuses and the lines between them, from a table. Whatever a table gets wrong is left out here, so
//! that nothing after this has to doubt a position.

use super::palette::{Place, Taker};
use crate::lifecycle::{Edge, Table};

/// A table as it is drawn.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) name: &'static str,
    pub(super) nodes: Vec<Node>,
    pub(super) lines: Vec<Line>,
    /// The statuses that are drawn in one row.
    pub(super) spine: Vec<usize>,
    pub(super) initial: Option<usize>,
    /// Whether one value's path is lit.
    pub(super) traced: bool,
    /// What is possible now and changes no status.
    pub(super) notes: Vec<&'static str>,
}

/// A status.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: &'static str,
    pub(super) says: &'static str,
    pub(super) place: Place,
    /// Whether it was visited, or no path is lit.
    pub(super) lit: bool,
    /// Whether the value is in it now.
    pub(super) now: bool,
    /// Where it stands in the spine.
    pub(super) column: Option<usize>,
}

/// All that leads from one status to another.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) steps: Vec<Step>,
    pub(super) taker: Taker,
    pub(super) lit: bool,
    pub(super) next: bool,
}

/// One action on a line.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) action: &'static str,
    pub(super) roles: String,
    pub(super) edge: &'static Edge,
    /// Whether it is possible now.
    pub(super) next: bool,
}

impl Graph {
    pub(super) fn new(table: &Table, path: &[usize], next: &[usize]) -> Self {
        let count = table.statuses.len();
        let path: Vec<usize> = path.iter().copied().filter(|status| *status < count).collect();
        let (now, traced) = (path.last().copied(), !path.is_empty());
        let spine = spine(table);
        let places = Place::all(table);
        let nodes = table.statuses.iter().zip(places).enumerate().map(|(status, (row, place))| Node {
            name: row.name,
            says: row.says,
            place,
            lit: !traced || path.contains(&status),
            now: now == Some(status),
            column: spine.iter().position(|on| *on == status),
        });
        let action = |edge: &Edge| table.actions.get(edge.action).copied().unwrap_or("?");
        let mut lines: Vec<Line> = Vec::new();
        for (edge, from, to) in ways(table) {
            let at = lines.iter().position(|line| (line.from, line.to) == (from, to)).unwrap_or_else(|| {
                let lit = !traced || path.windows(2).any(|pair| pair == [from, to]);
                lines.push(Line { from, to, steps: Vec::new(), taker: Taker::Several, lit, next: false });
                lines.len() - 1
            });
            let next = now == Some(from) && next.contains(&edge.action);
            let roles = edge.by.iter().map(|role| role.name).collect::<Vec<_>>().join(", ");
            lines[at].next |= next;
            lines[at].steps.push(Step { action: action(edge), roles, edge, next });
        }
        for line in &mut lines {
            let roles = line.steps.iter().flat_map(|step| step.edge.by);
            line.taker = roles.fold(None, |so_far, role| Some(Taker::and(so_far, role.duty))).unwrap_or(Taker::Several);
        }
        let possible = |note: &&Edge| now.is_some_and(|now| note.from.contains(&now)) && next.contains(&note.action);
        Self {
            name: table.name,
            nodes: nodes.collect(),
            lines,
            spine,
            initial: (table.initial < count).then_some(table.initial),
            traced,
            notes: table.notes.iter().filter(possible).map(action).collect(),
        }
    }

    /// Whether a line runs straight to the next status of the spine.
    pub(super) fn is_straight(&self, line: &Line) -> bool {
        match (self.nodes[line.from].column, self.nodes[line.to].column) {
            (Some(from), Some(to)) => to == from + 1,
            (Some(_), None) | (None, Some(_) | None) => false,
        }
    }

    /// The line that runs straight from a column of the spine to the next.
    pub(super) fn straight(&self, column: usize) -> Option<&Line> {
        self.lines.iter().find(|line| self.nodes[line.from].column == Some(column) && self.is_straight(line))
    }

    /// The statuses off the spine, nearest first.
    pub(super) fn away(&self) -> Vec<usize> {
        let mut near: Vec<bool> = self.nodes.iter().map(|node| node.column.is_some()).collect();
        let mut found = Vec::new();
        while found.len() + self.spine.len() < self.nodes.len() {
            let touches = |node: usize| {
                self.lines
                    .iter()
                    .any(|line| (line.from == node && near[line.to]) || (line.to == node && near[line.from]))
            };
            let next: Vec<usize> = (0..near.len()).filter(|node| !near[*node] && touches(*node)).collect();
            // Whatever has no way to the spine comes last.
            let next = if next.is_empty() { (0..near.len()).filter(|node| !near[*node]).collect() } else { next };
            for node in &next {
                near[*node] = true;
            }
            found.extend(next);
        }
        found
    }
}

/// Every way from a status to a status, edge by edge.
fn ways(table: &Table) -> impl Iterator<Item = (&'static Edge, usize, usize)> {
    let count = table.statuses.len();
    let pairs =
        |edge: &'static Edge| edge.from.iter().flat_map(move |from| edge.to.iter().map(move |to| (edge, *from, *to)));
    table.edges.iter().flat_map(pairs).filter(move |(_, from, to)| *from < count && *to < count)
}

/// The happy path; where nobody has said which that is, the first way out of each status, from the first on.
fn spine(table: &Table) -> Vec<usize> {
    let mut spine: Vec<usize> = Vec::new();
    for status in table.happy {
        if *status < table.statuses.len() && !spine.contains(status) {
            spine.push(*status);
        }
    }
    if spine.is_empty() && table.initial < table.statuses.len() {
        let mut next = Some(table.initial);
        while let Some(status) = next {
            spine.push(status);
            next = ways(table).find(|(_, from, to)| *from == status && !spine.contains(to)).map(|(_, _, to)| to);
        }
    }
    spine
}
