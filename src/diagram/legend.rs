//! What the colours, borders and dashes of a picture mean, in the picture.

use super::{
    graph::Graph,
    layout::Rect,
    palette::{Place, Taker},
    text,
};

/// One entry of a legend, with its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) shows: Shows,
    /// Where its sample is.
    pub(super) sample: Rect,
    pub(super) word: &'static str,
    /// Where its word is.
    pub(super) label: Rect,
}

/// What an entry explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// A status, by where its money is.
    Status(Place),
    /// A line, by who takes it.
    Line(Taker),
    /// What is said of one value.
    Trace(Trace),
}

/// What is said of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// The status it is in.
    Now,
    /// The way it came.
    Came,
    /// What may be done now.
    Next,
    /// Where it has not been.
    Elsewhere,
}

impl Trace {
    const ALL: [Self; 4] = [Self::Now, Self::Came, Self::Next, Self::Elsewhere];

    const fn word(self) -> &'static str {
        match self {
            Self::Now => "where it is",
            Self::Came => "the way it came",
            Self::Next => "possible now",
            Self::Elsewhere => "not so far",
        }
    }
}

const HEIGHT: i32 = 18;
const SAMPLE: i32 = 34;
const ROW: i32 = 28;

/// The entries of what a picture uses, in as many rows as its width asks for, and how high they are.
pub(super) fn entries(graph: &Graph, top: i32, width: i32) -> (Vec<Entry>, i32) {
    let places = Place::ALL.into_iter().filter(|place| graph.nodes.iter().any(|node| node.place == *place));
    let places = places.map(|place| (Shows::Status(place), place.word()));
    let takers = Taker::ALL.into_iter().filter(|taker| graph.lines.iter().any(|line| line.taker == *taker));
    let takers = takers.map(|taker| (Shows::Line(taker), taker.word()));
    let traces = Trace::ALL.into_iter().filter(|_| graph.traced).map(|trace| (Shows::Trace(trace), trace.word()));
    let mut entries = Vec::new();
    let mut y = top;
    for group in [places.collect::<Vec<_>>(), takers.collect(), traces.collect()] {
        if group.is_empty() {
            continue;
        }
        let mut x = 0;
        for (shows, word) in group {
            let wide = text::width(word, text::LABEL);
            if x > 0 && x + SAMPLE + 8 + wide > width {
                (x, y) = (0, y + ROW);
            }
            let sample = Rect { x, y, width: SAMPLE, height: HEIGHT };
            entries.push(Entry { shows, sample, word, label: Rect { x: x + SAMPLE + 8, width: wide, ..sample } });
            x += SAMPLE + 8 + wide + 26;
        }
        y += ROW;
    }
    (entries, y - top - ROW + HEIGHT)
}
