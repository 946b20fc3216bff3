//! Measures a few ways to do the same in turns: whatever slows the machine down for a while slows all of them.

use std::{hint::black_box, time::Instant};

/// So many inputs are made ready before the clock starts, and so many outputs are kept until it has stopped.
const BATCH: u16 = 32;
const ROUNDS: usize = 10_000;

/// One way to do it, with its times so far in nanoseconds: of one step, and of one step with dropping what it gave.
pub(crate) struct Way<'w> {
    name: &'static str,
    round: Box<dyn FnMut() -> [f64; 2] + 'w>,
    times: [Vec<f64>; 2],
}

impl<'w> Way<'w> {
    /// The inputs are made outside of the clock.
    pub(crate) fn new<I, O>(
        name: &'static str,
        mut input: impl FnMut() -> I + 'w,
        mut step: impl FnMut(I) -> O + 'w,
    ) -> Self {
        let round = move || {
            let inputs: Vec<I> = (0..BATCH).map(|_| input()).collect();
            let mut outputs = Vec::with_capacity(inputs.len());
            let start = Instant::now();
            outputs.extend(inputs.into_iter().map(|input| step(black_box(input))));
            let kept = start.elapsed();
            drop(black_box(outputs));
            let dropped = start.elapsed();
            [kept, dropped].map(|time| time.as_secs_f64() * 1e9 / f64::from(BATCH))
        };
        Self { name, round: Box::new(round), times: Default::default() }
    }
}

/// Measures all of them and prints each: the median with the quartiles around it, and how many times the median of the
/// last that is.
pub(crate) fn compare<const N: usize>(title: &str, mut ways: [Way<'_>; N]) {
    for _ in 0..ROUNDS {
        for way in &mut ways {
            let times = (way.round)();
            way.times.iter_mut().zip(times).for_each(|(all, time)| all.push(time));
        }
    }
    let ways = ways.map(|way| (way.name, way.times.map(quartiles)));
    let [kept, dropped] = ways[N - 1].1.map(|[_, median, _]| median);
    println!("\n{title:<30} {:>9} {:>17} {:>7} {:>13} {:>7}", "ns", "quartiles", "ratio", "ns with drop", "ratio");
    for (name, [[low, median, high], [_, with_drop, _]]) in ways {
        let quartiles = format!("{low:.1}-{high:.1}");
        let ratios = [median / kept, with_drop / dropped];
        println!("  {name:<28} {median:>9.1} {quartiles:>17} {:>7.2} {with_drop:>13.1} {:>7.2}", ratios[0], ratios[1]);
    }
}

fn quartiles(mut times: Vec<f64>) -> [f64; 3] {
    times.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| times[times.len() * quarter / 4])
}
