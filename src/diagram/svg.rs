//! A lifecycle as SVG that needs nothing else, on paper of its own, so that it reads on a light page and a dark one.

use super::{
    graph::{Graph, Line, Node},
    layout::{BOX, Layout, Rect},
    legend::{self, Entry, Shows, Trace},
    palette::{Colour, INK, PALE, PAPER, Place, QUIET, Taker},
    text::{self, LABEL, NAME, escape},
};
use std::fmt::{Arguments, Write};

/// Around everything.
const MARGIN: i32 = 24;
/// The title above the picture.
const HEAD: i32 = 44;
/// The line below it.
const LINE: i32 = 22;
/// No picture is narrower, for its legend's sake.
const NARROWEST: i32 = 560;
/// How round the bends of a line are.
const ROUND: i32 = 7;
/// The sign that the value is here.
const TAG: i32 = 36;
/// The thickness of the lines of a path, in tenths of a pixel.
const THICK: i32 = 40;
const FONT: &str = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

pub(super) fn draw(graph: &Graph) -> String {
    let layout = Layout::new(graph);
    let inner = layout.width.max(headline(graph).map_or(0, |text| text::width(&text, NAME))).max(NARROWEST);
    let head = if graph.traced { HEAD + LINE } else { HEAD };
    let (entries, legend) = legend::entries(graph, head + layout.height + MARGIN, inner);
    let (width, height) = (inner + 2 * MARGIN, head + layout.height + legend + 3 * MARGIN);

    // Of its own for each lifecycle, so that one page can show several.
    let id: String = graph.name.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut svg = Svg(String::new());
    svg.put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" font-family=\"{FONT}\" font-size=\"{LABEL}\" fill=\"{INK}\">\n"
    ));
    svg.put(format_args!("<title id=\"{id}-title\">Lifecycle: {}</title>\n", escape(graph.name)));
    svg.put(format_args!("<desc id=\"{id}-desc\">{}</desc>\n", escape(&description(graph))));
    svg.put(format_args!("<rect width=\"{width}\" height=\"{height}\" rx=\"10\" fill=\"{PAPER}\"/>\n"));
    svg.put(format_args!("<g transform=\"translate({MARGIN} {MARGIN})\">\n"));
    svg.put(format_args!("<text y=\"16\" font-size=\"20\" font-weight=\"bold\">{}</text>\n", escape(graph.name)));
    if let Some(text) = headline(graph) {
        svg.put(format_args!("<text y=\"37\" font-size=\"{NAME}\">{}</text>\n", escape(&text)));
    }
    svg.put(format_args!("<g transform=\"translate({} {head})\">\n", (inner - layout.width) / 2));
    if let Some([(x, y), tip]) = layout.start {
        svg.line(&[(x, y), tip], Stroke::PLAIN);
        svg.put(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"5\"/>\n"));
    }
    // What is lit is drawn last, on top.
    let mut lines: Vec<(usize, &Line)> = graph.lines.iter().enumerate().collect();
    lines.sort_by_key(|(_, line)| line.lit || line.next);
    for (i, line) in lines {
        svg.step(graph, line, &layout.ways[i], layout.labels[i]);
    }
    for (node, place) in graph.nodes.iter().zip(&layout.boxes) {
        svg.status(node, *place);
    }
    svg.put(format_args!("</g>\n"));
    for entry in entries {
        svg.entry(entry);
    }
    svg.put(format_args!("</g>\n</svg>\n"));
    svg.0
}

/// Where the one value is, and what may come next.
fn headline(graph: &Graph) -> Option<String> {
    let now = graph.nodes.iter().find(|node| node.now)?;
    let steps = graph.lines.iter().flat_map(|line| &line.steps).filter(|step| step.next).map(|step| step.action);
    let mut next: Vec<&str> = Vec::new();
    for action in steps.chain(graph.notes.iter().copied()) {
        if !next.contains(&action) {
            next.push(action);
        }
    }
    let next = if next.is_empty() { "nothing".to_owned() } else { next.join(", ") };
    Some(format!("now {}; possible next: {next}", now.name))
}

/// The whole picture in words.
fn description(graph: &Graph) -> String {
    let mut words = headline(graph).map_or(String::new(), |text| format!("{text}. "));
    for node in &graph.nodes {
        let word = node.place.word();
        words.push_str(&format!("{} ({word}): {} ", node.name, node.says));
    }
    for line in &graph.lines {
        for step in &line.steps {
            let (from, to) = (graph.nodes[line.from].name, graph.nodes[line.to].name);
            words.push_str(&format!("From {from} to {to}: {} ({}). ", step.action, step.roles));
        }
    }
    words.trim_end().to_owned()
}

/// A picture as far as it is written.
struct Svg(String);

impl Svg {
    fn put(&mut self, text: Arguments<'_>) {
        self.0.write_fmt(text).expect("a string takes all that is written");
    }

    /// A status: its shape, its name, and a word on its money.
    fn status(&mut self, node: &Node, at: Rect) {
        self.put(format_args!("<g><title>{}: {}</title>\n", escape(node.name), escape(node.says)));
        if node.now {
            // A ring around it, within its own place, so that the arrows still reach it.
            let Rect { x, y, width, height } = at;
            self.put(format_args!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"9\" fill=\"{PAPER}\" stroke=\"{INK}\" stroke-width=\"3.4\"/>\n"
            ));
            self.shape(node.place, Rect { x: x + 4, y: y + 4, width: width - 8, height: height - 8 }, true, 6);
        } else {
            self.shape(node.place, at, node.lit, 7);
        }
        let (ink, middle) = (if node.lit { INK } else { QUIET }, at.x + at.width / 2);
        self.put(format_args!(
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-size=\"{NAME}\" font-weight=\"bold\" fill=\"{ink}\">{}</text>\n",
            at.y + 20, escape(node.name)
        ));
        let word = node.place.word();
        let tag = if node.now { TAG + 6 } else { 0 };
        let left = middle - (text::width(word, LABEL) + 15 + tag) / 2;
        let line = at.y + BOX - 14;
        if node.now {
            self.tag(left, line);
        }
        self.sign(node.place, left + tag + 5, line, ink);
        self.put(format_args!(
            "<text x=\"{}\" y=\"{}\" fill=\"{ink}\">{word}</text>\n</g>\n",
            left + tag + 15,
            line + 4
        ));
    }

    /// The shape of a status: the fill and the border that its money gives it.
    fn shape(&mut self, place: Place, at: Rect, lit: bool, round: i32) {
        let Rect { x, y, width, height } = at;
        let (fill, border) = if lit { (place.fill(), INK) } else { (place.faint(), PALE) };
        let stroke = if place.is_heavy() { "2.6" } else { "1.3" };
        let dashes = dashes(place.dashes());
        self.put(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\" fill=\"{fill}\" stroke=\"{border}\" stroke-width=\"{stroke}\"{dashes}/>\n"
        ));
        if place == Place::Done {
            self.put(format_args!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" fill=\"none\" stroke=\"{border}\" stroke-width=\"1\"/>\n",
                x + 3, y + 3, width - 6, height - 6, round - 2
            ));
        }
    }

    /// A small sign: a purse that is empty, full, half full, on its way, or put away.
    fn sign(&mut self, place: Place, x: i32, y: i32, ink: &str) {
        let ring =
            format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"1.3\"/>");
        match place {
            Place::None => self.put(format_args!("{ring}\n")),
            Place::Held => self.put(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"4.5\" fill=\"{ink}\"/>\n")),
            Place::Either => {
                self.put(format_args!("{ring}<path d=\"M{x} {}a4 4 0 0 0 0 8z\" fill=\"{ink}\"/>\n", y - 4))
            }
            Place::Leaving => self.put(format_args!(
                "<path d=\"M{} {y}h7m-3-3l3 3-3 3\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"1.5\"/>\n",
                x - 4
            )),
            Place::Done => self.put(format_args!(
                "<path d=\"M{} {y}l3 3 5-6\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"1.8\"/>\n",
                x - 4
            )),
        }
    }

    /// An entry of the legend.
    fn entry(&mut self, entry: Entry) {
        let Rect { x, y, width, height } = entry.sample;
        let (middle, centre) = (y + height / 2, x + width / 2);
        let way = [(x, middle), (x + width, middle)];
        match entry.shows {
            Shows::Status(place) => {
                self.shape(place, entry.sample, true, 5);
                self.sign(place, centre, middle, INK);
            }
            Shows::Line(taker) => self.line(&way, Stroke::of(taker)),
            Shows::Trace(Trace::Now) => self.tag(centre - TAG / 2, middle),
            Shows::Trace(Trace::Came) => self.line(&way, Stroke { tenths: THICK, ..Stroke::PLAIN }),
            Shows::Trace(Trace::Next) => self.frame(Rect { y: y + 1, height: height - 2, ..entry.sample }),
            Shows::Trace(Trace::Elsewhere) => self.line(&way, Stroke { faded: true, ..Stroke::PLAIN }),
        }
        let (x, y) = (entry.label.x, middle + 4);
        self.put(format_args!("<text x=\"{x}\" y=\"{y}\">{}</text>\n", entry.word));
    }

    /// The sign that the value is here.
    fn tag(&mut self, x: i32, middle: i32) {
        self.put(format_args!("<rect x=\"{x}\" y=\"{}\" width=\"{TAG}\" height=\"16\" rx=\"8\"/>\n", middle - 8));
        self.put(format_args!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"bold\" fill=\"{PAPER}\">now</text>\n",
            x + TAG / 2,
            middle + 4
        ));
    }

    /// The frame around what may be done now.
    fn frame(&mut self, at: Rect) {
        let Rect { x, y, width, height } = at;
        self.put(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"5\" fill=\"{PAPER}\" stroke=\"{INK}\" stroke-width=\"1.6\"/>\n"
        ));
    }

    /// A line with its label.
    fn step(&mut self, graph: &Graph, line: &Line, way: &[(i32, i32)], label: Rect) {
        let bright = !graph.traced || line.lit || line.next;
        let told = |step: &super::graph::Step| {
            let says = if step.edge.says.is_empty() { String::new() } else { format!(" {}", step.edge.says) };
            format!("{} ({}), {}.{says}", step.action, step.roles, step.edge.money.name())
        };
        let told = line.steps.iter().map(told).collect::<Vec<_>>().join(" ");
        let (from, to) = (graph.nodes[line.from].name, graph.nodes[line.to].name);
        self.put(format_args!("<g><title>{} to {}: {}</title>\n", escape(from), escape(to), escape(&told)));
        let tenths = if graph.traced && line.lit {
            THICK
        } else if line.next {
            24
        } else {
            Stroke::PLAIN.tenths
        };
        self.line(way, Stroke { tenths, faded: !bright, ..Stroke::of(line.taker) });
        let mut y = label.y + text::LEADING - 3;
        for step in &line.steps {
            let (ink, weight) = match (bright, step.next || (graph.traced && line.lit)) {
                (true, true) => (INK, " font-weight=\"bold\""),
                (true, false) => (INK, ""),
                (false, true | false) => (QUIET, ""),
            };
            let x = label.x;
            if step.next {
                let width = text::width(step.action, LABEL).max(text::width(&step.roles, LABEL) + 8);
                self.frame(Rect { x: x - 3, y: y - 12, width: width + 3, height: 2 * text::LEADING + 1 });
            }
            self.put(format_args!("<text x=\"{x}\" y=\"{y}\" fill=\"{ink}\"{weight}>{}</text>\n", escape(step.action)));
            y += text::LEADING;
            self.put(format_args!(
                "<text x=\"{x}\" y=\"{}\" fill=\"{QUIET}\">({})</text>\n",
                y - 1,
                escape(&step.roles)
            ));
            y += text::LEADING;
        }
        self.put(format_args!("</g>\n"));
    }

    /// A line with round bends and an arrow's tip, on a rim of paper that lifts it over others.
    fn line(&mut self, way: &[(i32, i32)], stroke: Stroke) {
        let [.., before, tip] = way else { return };
        let toward = ((tip.0 - before.0).signum(), (tip.1 - before.1).signum());
        let neck = (tip.0 - 8 * toward.0, tip.1 - 8 * toward.1);
        let mut points = way.to_vec();
        points.pop();
        points.push(neck);
        let (path, Stroke { colour, tenths, .. }) = (rounded(&points), stroke);
        let faded = if stroke.faded { " opacity=\"0.5\"" } else { "" };
        let (width, dashes) = (format!("{}.{}", tenths / 10, tenths % 10), dashes(stroke.dashes));
        self.put(format_args!("<path d=\"{path}\" fill=\"none\" stroke=\"{PAPER}\" stroke-width=\"7\"/>\n"));
        self.put(format_args!(
            "<g{faded} stroke=\"{colour}\"><path d=\"{path}\" fill=\"none\" stroke-width=\"{width}\"{dashes}/>"
        ));
        let half = 4 + tenths / 20;
        let (across, fill) = ((half * toward.1, half * toward.0), if stroke.hollow { PAPER } else { colour });
        self.put(format_args!(
            "<path d=\"M{} {}L{} {}L{} {}z\" fill=\"{fill}\"/></g>\n",
            tip.0,
            tip.1,
            neck.0 - across.0,
            neck.1 - across.1,
            neck.0 + across.0,
            neck.1 + across.1
        ));
    }
}

/// How a line is drawn.
#[derive(Clone, Copy)]
struct Stroke {
    colour: Colour,
    dashes: &'static str,
    hollow: bool,
    /// How thick it is, in tenths of a pixel.
    tenths: i32,
    faded: bool,
}

impl Stroke {
    const PLAIN: Self = Self { colour: INK, dashes: "", hollow: false, tenths: 16, faded: false };

    const fn of(taker: Taker) -> Self {
        Self { colour: taker.colour(), dashes: taker.dashes(), hollow: taker.is_hollow(), ..Self::PLAIN }
    }
}

fn dashes(dashing: &str) -> String {
    if dashing.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashing}\"") }
}

/// The points as a path whose bends are round.
fn rounded(points: &[(i32, i32)]) -> String {
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let bend = match (at.checked_sub(1).and_then(|before| points.get(before)), points.get(at + 1)) {
            (None, _) => format!("M{x} {y}"),
            (Some(_), None) => format!("L{x} {y}"),
            (Some(before), Some(after)) => {
                let near = |other: &(i32, i32)| {
                    let (dx, dy) = (other.0 - x, other.1 - y);
                    let step = ROUND.min(dx.abs().max(dy.abs()) / 2);
                    (x + dx.signum() * step, y + dy.signum() * step)
                };
                let (one, two) = (near(before), near(after));
                format!("L{} {}Q{x} {y} {} {}", one.0, one.1, two.0, two.1)
            }
        };
        path.push_str(&bend);
    }
    path
}

#[cfg(test)]
mod tests {
    use crate::{
        diagram::{Diagram, tests::tables},
        order,
    };

    #[test]
    fn a_picture_stands_alone() {
        for table in tables() {
            let svg = Diagram::of(table).svg();
            assert_eq!(svg, Diagram::of(table).svg(), "{} is the same each time", table.name);
            for part in ["viewBox=", "role=\"img\"", "<title id=", "<desc id=", "<rect width="] {
                assert!(svg.contains(part), "{} has {part}", table.name);
            }
            for part in ["<script", "<style", "href", "url(", "@import", "<elsewhere>", "go<on>"] {
                assert!(!svg.contains(part), "{} has no {part}", table.name);
            }
            assert_eq!(svg.matches("http").count(), 1, "the name space only");
            for tag in ["g", "text", "title", "desc", "svg"] {
                let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
                let opened = svg.match_indices(&open).filter(|(at, _)| svg[at + open.len()..].starts_with([' ', '>']));
                assert_eq!(opened.count(), svg.matches(&close).count(), "{} closes each <{tag}>", table.name);
            }
        }
    }

    #[test]
    fn a_path_is_lit() {
        let status = |name| order::TABLE.status(name).unwrap();
        let path = ["DRAFT", "PENDING_PUBLISH", "FAILURE"].map(status);
        let plain = Diagram::of(&order::TABLE);
        let lit = plain.clone().with_path(path).with_next([order::Action::Retry as usize, 999]);
        assert!(lit.svg().contains("now FAILURE; possible next: retry<"));
        assert_eq!(lit.svg().matches("stroke-width=\"4.0\"").count(), 3, "two lines, and the legend's");
        assert_eq!(plain.svg(), plain.clone().with_path([77]).with_next([0]).svg(), "no such status");
    }
}
