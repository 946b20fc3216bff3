//! A lifecycle for Mermaid. Its state diagrams draw all lines alike, so who takes a step is told by the label alone.

use super::{
    graph::{Graph, Line, Node, Step},
    palette::{INK, PALE, Place, QUIET},
};
use std::fmt::{Arguments, Write};

pub(super) fn draw(graph: &Graph) -> String {
    let mut out = String::from("stateDiagram-v2\n    direction LR\n");
    for (at, node) in graph.nodes.iter().enumerate() {
        let now = if node.now { "now, " } else { "" };
        let (name, sign, word) = (escape(node.name), node.place.sign(), node.place.word());
        put(&mut out, format_args!("    state \"{name}<br/>{sign} {now}{word}\" as s{at}\n"));
    }
    if let Some(initial) = graph.initial {
        put(&mut out, format_args!("    [*] --> s{initial}\n"));
    }
    // What comes first is laid out first: the happy path.
    let (straight, other): (Vec<_>, Vec<_>) = graph.lines.iter().partition(|line| graph.is_straight(line));
    for line in straight.into_iter().chain(other) {
        put(&mut out, format_args!("    s{} --> s{} : {}\n", line.from, line.to, label(line)));
    }
    let ends = graph.nodes.iter().enumerate().filter(|(_, node)| node.place == Place::Done);
    ends.for_each(|(at, _)| put(&mut out, format_args!("    s{at} --> [*]\n")));
    for place in Place::ALL {
        for (lit, kind, stroke, text) in [(true, "", INK, INK), (false, "Faded", PALE, QUIET)] {
            if graph.nodes.iter().any(|node| node.place == place && node.lit == lit) {
                let (name, fill) = (place.name(), if lit { place.fill() } else { place.faint() });
                let width = if place.is_heavy() { 3 } else { 1 };
                let dashes = place.dashes();
                let dashes = if dashes.is_empty() { String::new() } else { format!(",stroke-dasharray:{dashes}") };
                let style = format!("fill:{fill},stroke:{stroke},color:{text},stroke-width:{width}px{dashes}");
                put(&mut out, format_args!("    classDef {name}{kind} {style}\n"));
            }
        }
    }
    for (at, node) in graph.nodes.iter().enumerate() {
        put(&mut out, format_args!("    class s{at} {}\n", class(node)));
    }
    if let Some(at) = graph.nodes.iter().position(|node| node.now) {
        put(&mut out, format_args!("    classDef now stroke-width:5px,font-weight:bold\n    class s{at} now\n"));
    }
    out
}

fn label(line: &Line) -> String {
    let label = |step: &Step| {
        let next = if step.next { "▶ " } else { "" };
        format!("{next}{} ({})", escape(step.action), escape(&step.roles))
    };
    line.steps.iter().map(label).collect::<Vec<_>>().join("<br/>")
}

fn class(node: &Node) -> String {
    format!("{}{}", node.place.name(), if node.lit { "" } else { "Faded" })
}

/// A text that Mermaid takes for nothing else.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_alphanumeric() || " _-.,()".contains(letter) {
            safe.push(letter);
        } else {
            put(&mut safe, format_args!("#{};", u32::from(letter)));
        }
    }
    safe
}

fn put(out: &mut String, text: Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all that is written");
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
            let text = Diagram::of(table).mermaid();
            assert_eq!(text, Diagram::of(table).mermaid());
            assert!(text.starts_with("stateDiagram-v2\n") && !text.contains("<elsewhere>"));
            assert_eq!(text.matches(" as s").count(), table.statuses.len());
        }
        let status = |name| order::TABLE.status(name).unwrap();
        let path = [status("DRAFT"), status("PENDING_PUBLISH")];
        let text = Diagram::of(&order::TABLE).with_path(path).with_next([order::Action::Cancel as usize]).mermaid();
        assert!(text.contains("    s0 --> s1 : identify_buyer (buyer, platform)\n"));
        assert!(text.contains("    s1 --> s4 : ▶ cancel (buyer, platform)<br/>undo (gateway)\n"));
        assert!(text.contains("    class s1 now\n") && text.contains("heldFaded") && !text.contains("classDef held "));
    }
}
