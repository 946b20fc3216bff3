//! Ways to do the same, measured by turns: whatever slows the machine down for a while slows all of them.

use std::{
    fs,
    time::{Duration, Instant},
};

/// Takes the time on the wall, and that of it which this thread was given a processor for: where other programs run at the
/// same time, only the latter says much about work that waits for nobody.
#[derive(Debug)]
pub struct Clock {
    wall: Instant,
    processor: Duration,
}

impl Clock {
    pub fn start() -> Self {
        Self { processor: processor(), wall: Instant::now() }
    }

    pub fn stop(self) -> [Duration; 2] {
        let wall = self.wall.elapsed();
        [wall, processor().saturating_sub(self.processor)]
    }
}

// From Linux; nothing elsewhere.
fn processor() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

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

    pub fn is_empty(&self) -> bool {
        self.times[0].is_empty()
    }

    // How many times as fast the other one is, in each round: they ran side by side.
    fn beside(&self, first: &Self, kind: usize) -> [f64; 3] {
        let ratios = self.times[kind].iter().zip(&first.times[kind]).map(|(own, first)| own / first);
        quartiles(ratios.collect())
    }
}

pub fn quartiles(mut numbers: Vec<f64>) -> [f64; 3] {
    numbers.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| numbers[(numbers.len() - 1) * quarter / 4])
}

/// Prints a table: the median of each way with its quartiles, and how many times as fast as it the first one is: the median
/// over the rounds, each of which compares what ran side by side, with its quartiles.
pub fn print(title: &str, ways: &[Way]) {
    let on_processor = ways[0].times[1].iter().any(|time| *time > 0.0);
    println!("\n{title}\n");
    print!("| | commits/s | µs per commit | the first one is |");
    println!("{}", if on_processor { " processor, µs | the first one is |" } else { "" });
    println!("|---|---:|---:|---:|{}", if on_processor { "---:|---:|" } else { "" });
    for way in ways {
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
