//! Ways to do the same, measured by turns: whatever slows the machine down for a while slows all of them.

use crate::clock::quartiles;
use std::time::Duration;

/// Times of one way: microseconds per commit on the wall and on the processor, one of each for each round.
#[derive(Debug)]
pub struct Way {
    name: String,
    times: [Vec<f64>; 2],
}

impl Way {
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), times: Default::default() }
    }

    pub fn took(&mut self, times: [Duration; 2], commits: usize) {
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

/// Prints a table: the median of each way with its quartiles, and how many times as fast as it the first one is: the median
/// over the rounds, each of which compares what ran side by side, with its quartiles.
pub fn print(title: &str, ways: &[Way]) {
    let on_processor = ways[0].times[1].iter().any(|time| *time > 0.0);
    println!("\n{title}\n");
    print!("| | commits/s | µs per commit | the first one is |");
    println!("{}", if on_processor { " processor, µs | the first one is |" } else { "" });
    println!("|---|---:|---:|---:|{}", if on_processor { "---:|---:|" } else { "" });
    // Not each way can do everything.
    for way in ways.iter().filter(|way| !way.times[0].is_empty()) {
        print!("| {} ", way.name);
        for kind in 0..=usize::from(on_processor) {
            let [low, median, high] = quartiles(way.times[kind].clone());
            if kind == 0 {
                print!("| {:.0} ", 1e6 / median);
            }
            let [less, ratio, more] = way.beside(&ways[0], kind);
            print!("| {median:.1} ({low:.1}–{high:.1}) | **{ratio:.2} x** ({less:.2}–{more:.2}) ");
        }
        println!("|");
    }
}
