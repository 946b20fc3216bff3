//! Takes times, and sums them up.

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
    processor_of("thread-self")
}

/// The time that a processor was given to a process or thread by this name in `/proc`.
pub fn processor_of(process: &str) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/schedstat")).unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

/// The quartiles of some numbers.
pub fn quartiles(mut numbers: Vec<f64>) -> [f64; 3] {
    numbers.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| numbers[(numbers.len() - 1) * quarter / 4])
}
