//! A lifecycle for Graphviz, which lays it out by itself.

use super::{
    graph::{Graph, Line, Node},
    palette::{INK, PALE, PAPER, Place, QUIET, Taker},
};
use std::fmt::{Arguments, Write};

pub(super) fn draw(graph: &Graph) -> String {
    let mut dot = Dot(String::new());
    dot.put(format_args!("digraph \"{}\" {{\n", escape(graph.name)));
    dot.put(format_args!(
        "    graph [rankdir=LR, bgcolor=\"{PAPER}\", fontname=Helvetica, ranksep=0.6, nodesep=0.4];\n"
    ));
    dot.put(format_args!("    node [shape=box, fontname=Helvetica, fontsize=12];\n"));
    dot.put(format_args!("    edge [fontname=Helvetica, fontsize=10, fontcolor=\"{INK}\"];\n\n"));
    for (at, node) in graph.nodes.iter().enumerate() {
        dot.status(graph, at, node);
    }
    dot.put(format_args!("\n"));
    if let Some(initial) = graph.initial {
        dot.put(format_args!(
            "    start [shape=point, width=0.15, label=\"\"];\n    start -> s{initial} [weight=20];\n"
        ));
    }
    for line in &graph.lines {
        dot.line(graph, line);
    }
    dot.legend(graph);
    dot.put(format_args!("}}\n"));
    dot.0
}

/// A graph as far as it is written.
struct Dot(String);

impl Dot {
    fn put(&mut self, text: Arguments<'_>) {
        self.0.write_fmt(text).expect("a string takes all that is written");
    }

    fn status(&mut self, graph: &Graph, at: usize, node: &Node) {
        let (name, sign, word) = (escape(node.name), node.place.sign(), node.place.word());
        let now = if node.now { "now: " } else { "" };
        // What shares a group is kept in one line.
        let group = if node.column.is_some() && graph.spine.len() > 1 { ", group=happy" } else { "" };
        let look = look(node.place, node.lit, node.now);
        let says = escape(node.says);
        self.put(format_args!(
            "    s{at} [label=\"{name}\\n{sign} {now}{word}\", tooltip=\"{says}\", {look}{group}];\n"
        ));
    }

    fn line(&mut self, graph: &Graph, line: &Line) {
        let label = |step: &super::graph::Step| {
            let next = if step.next { "▶ " } else { "" };
            format!("{next}{}\\n({})", escape(step.action), escape(&step.roles))
        };
        let label = line.steps.iter().map(label).collect::<Vec<_>>().join("\\n");
        let bright = !graph.traced || line.lit || line.next;
        let width = if graph.traced && line.lit {
            3.5
        } else if line.next {
            2.2
        } else {
            1.2
        };
        let text = if bright { INK } else { QUIET };
        let (stroke, weight) = (stroke(line.taker, bright), if graph.is_straight(line) { 20 } else { 1 });
        let (from, to) = (line.from, line.to);
        self.put(format_args!(
            "    s{from} -> s{to} [label=\"{label}\", {stroke}, penwidth={width}, fontcolor=\"{text}\", weight={weight}];\n"
        ));
    }

    fn legend(&mut self, graph: &Graph) {
        self.put(format_args!("\n    subgraph cluster_legend {{\n        label=\"legend\"; color=\"{PALE}\";\n"));
        for place in Place::ALL.into_iter().filter(|place| graph.nodes.iter().any(|node| node.place == *place)) {
            let (name, sign, word) = (place.name(), place.sign(), place.word());
            self.put(format_args!("        {name} [label=\"{sign} {word}\", {}];\n", look(place, true, false)));
        }
        for (at, taker) in Taker::ALL.into_iter().enumerate() {
            if graph.lines.iter().any(|line| line.taker == taker) {
                let (word, stroke) = (taker.word(), stroke(taker, true));
                self.put(format_args!("        from{at} [shape=point]; to{at} [shape=plaintext, label=\"{word}\"];\n"));
                self.put(format_args!("        from{at} -> to{at} [{stroke}];\n"));
            }
        }
        self.put(format_args!("    }}\n"));
    }
}

/// How a status looks.
fn look(place: Place, lit: bool, now: bool) -> String {
    let (fill, border, text) = if lit { (place.fill(), INK, INK) } else { (place.faint(), PALE, QUIET) };
    let style = match place {
        Place::None | Place::Held | Place::Done => "filled,rounded",
        Place::Either => "filled,rounded,dashed",
        Place::Leaving => "filled,rounded,dotted",
    };
    let rims = if place == Place::Done { 2 } else { 1 };
    let width = if now {
        4.5
    } else if place.is_heavy() {
        2.6
    } else {
        1.2
    };
    format!(
        "style=\"{style}\", fillcolor=\"{fill}\", color=\"{border}\", fontcolor=\"{text}\", peripheries={rims}, penwidth={width}"
    )
}

/// How a line looks. Where the others have dashes, the gateway's is double.
fn stroke(taker: Taker, bright: bool) -> String {
    let colour = if bright { taker.colour() } else { PALE };
    let (style, colours) = match taker {
        Taker::Side | Taker::Several => ("solid", colour.to_owned()),
        Taker::Office => ("dashed", colour.to_owned()),
        Taker::Clock => ("dotted", colour.to_owned()),
        Taker::Gateway => ("solid", format!("{colour}:{PAPER}:{colour}")),
    };
    let head = if taker.is_hollow() { "onormal" } else { "normal" };
    format!("style={style}, color=\"{colours}\", arrowhead={head}")
}

/// A text within quotation marks.
fn escape(text: &str) -> String {
    let safe = text.replace('\\', "\\\\").replace('"', "\\\"");
    safe.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use crate::{
        diagram::{Diagram, tests::tables},
        order,
    };

    #[test]
    fn every_status_and_line_is_there() {
        for table in tables() {
            let dot = Diagram::of(table).dot();
            assert_eq!(dot, Diagram::of(table).dot());
            assert_eq!(dot.matches('{').count(), dot.matches('}').count());
            for at in 0..table.statuses.len() {
                assert!(dot.contains(&format!("\n    s{at} [label=")));
            }
        }
        let status = |name| order::TABLE.status(name).unwrap();
        let dot = Diagram::of(&order::TABLE).dot();
        assert!(dot.contains(&format!(
            "s{} -> s{} [label=\"cancel\\n(buyer, platform)\"",
            status("DRAFT"),
            status("CANCELLED")
        )));
        let lit = Diagram::of(&order::TABLE).with_path([status("DRAFT")]).with_next([order::Action::Cancel as usize]);
        assert!(lit.dot().contains("▶ cancel") && lit.dot().contains("now: no money yet"));
    }
}
