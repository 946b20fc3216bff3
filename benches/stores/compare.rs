//! Ways to do the same, measured by turns: whatever slows the machine down for a while slows all of them.

use crate::clock::quartiles;
use std::time::Duration;

/// What is measured of each round, as the table calls it: the time on the wall, then that on a processor.
const KINDS: [&str; 3] = ["µs per commit", "processor, µs", "the server's, µs"];

/// Times of one way: microseconds per commit, one of each kind for each round.
#[derive(Debug)]
pub struct Way {
    name: String,
    times: Vec<Vec<f64>>,
}

impl Way {
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), times: Vec::new() }
    }

    /// The times of one round, of the first so many kinds.
    pub fn took<const N: usize>(&mut self, times: [Duration; N], commits: usize) {
        self.times.resize_with(N, Vec::new);
        for (all, time) in self.times.iter_mut().zip(times) {
            all.push(time.as_secs_f64() * 1e6 / commits as f64);
        }
    }

    // How many times as fast the other one is, in each round: they ran side by side.
    fn beside(&self, first: &Self, kind: usize) -> [f64; 3] {
        let ratios = self.times[kind].iter().zip(&first.times[kind]).map(|(own, first)| own / first);
        quartiles(ratios.collect())
    }
}

/// The ways in the order of a round. Over the rounds each comes after each other one about as often, forward and backward: what runs
/// first leaves caches, pages to be written and a log to be flushed to whoever comes after it. (A Williams design; it comes out
/// even after twice as many rounds as there are ways.)
pub fn turns(round: usize, ways: usize) -> impl Iterator<Item = usize> {
    (0..ways).map(move |turn| {
        let turn = if round % 2 == 1 { ways - 1 - turn } else { turn };
        let zigzag = if turn % 2 == 1 { turn.div_ceil(2) } else { ways - turn / 2 };
        (zigzag + round / 2) % ways
    })
}

/// Prints a table: the median of each way with its quartiles, and how many times as fast as it the first one is: the median
/// over the rounds, each of which compares what ran side by side, with its quartiles.
pub fn print(title: &str, ways: &[Way]) {
    // What the machine does not tell is nothing.
    let told: Vec<_> =
        (0..ways[0].times.len()).filter(|kind| ways[0].times[*kind].iter().any(|time| *time > 0.0)).collect();
    println!("\n{title}\n");
    print!("| | commits/s |");
    told.iter().for_each(|kind| print!(" {} | the first one is |", KINDS[*kind]));
    println!("\n|---|---:|{}", "---:|---:|".repeat(told.len()));
    // Not each way can do everything.
    for way in ways.iter().filter(|way| !way.times.is_empty()) {
        print!("| {} | {:.0} ", way.name, 1e6 / quartiles(way.times[0].clone())[1]);
        for kind in &told {
            if way.times[*kind].iter().all(|time| *time == 0.0) {
                print!("| | ");
                continue;
            }
            let [low, median, high] = quartiles(way.times[*kind].clone());
            let [less, ratio, more] = way.beside(&ways[0], *kind);
            print!("| {median:.1} ({low:.1}–{high:.1}) | **{ratio:.2} x** ({less:.2}–{more:.2}) ");
        }
        println!("|");
    }
}
