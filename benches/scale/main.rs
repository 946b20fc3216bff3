//! What a commit and a deadline cost with 10 thousand, 100 thousand and 1 million orders in the store, and how much memory
//! the process takes while it pages through all of them. On SQLite, and on PostgreSQL if the feature is on and
//! ESCROWED_TEST_DATABASE_URL names a server. A number narrows it down: the largest store to be measured.
//!
//! ```text
//! bash benches/run.sh scale 100000
//! ```

#![expect(unreachable_pub, reason = "a benchmark is a program: nothing in it can be reached from outside")]

#[path = "../stores/clock.rs"]
mod clock;
#[cfg(feature = "postgres")]
#[path = "../stores/durable.rs"]
mod durable;
#[path = "../stores/tab.rs"]
mod tab;

use clock::{Clock, quartiles};
use escrowed::{
    escrow::{Escrow, ManualClock},
    sandbox::Sandbox,
    sqlite::Sqlite,
    store::{Appended, AppendedAll, Query, Store, UnitOfWork, Views},
    time::Timestamp,
};
use std::{env, fs, future::Future, time::Duration};
use tab::{AnyTab, Running, Tab};

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
/// Commits and deadlines that are measured at each size.
const COMMITS: usize = 300;
const DEADLINES: usize = 100;
const DAY: Duration = Duration::from_secs(86_400);

fn main() {
    let largest = env::args().skip(1).find_map(|text| text.parse().ok()).unwrap_or(usize::MAX);
    println!(
        "| store | orders | µs per commit | processor, µs | µs per deadline | processor, µs | paging, orders/s | memory, MiB |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let folder = tempfile::tempdir().expect("a folder for the file");
    let sqlite = Sqlite::open(folder.path().join("scale.db")).expect("a fresh file");
    futures_lite::future::block_on(scale("SQLite", sqlite, largest));
    #[cfg(feature = "postgres")]
    if let Ok(url) = env::var("ESCROWED_TEST_DATABASE_URL") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            durable::must_be_durable(&url).await;
            let store = escrowed::postgres::Postgres::connect(&url).await.expect("a server");
            scale("PostgreSQL", store, largest).await;
        });
    }
}

async fn scale<S: Store + Clone>(name: &str, store: S, largest: usize) {
    let mut there = 0;
    for size in SIZES.into_iter().filter(|size| *size <= largest) {
        // Their deadlines are far away.
        let far = tab::stamp().at.plus(3_650 * DAY);
        while there < size {
            open(&store, there..there + 1_000, Some(far)).await;
            there += 1_000;
        }
        let commits = commits(&store).await;
        let deadlines = deadlines(&store).await;
        let (pages, memory) = pages(&store, size).await;
        println!(
            "| {name} | {size} | {} | {} | {pages:.0} | {memory:.1} |",
            commits.map(median).join(" | "),
            deadlines.map(median).join(" | ")
        );
    }
}

fn median(times: Vec<f64>) -> String {
    let [low, median, high] = quartiles(times);
    format!("{median:.0} ({low:.0}–{high:.0})")
}

/// Opens some orders, which have a payee each.
async fn open<S: Store>(store: &S, numbers: std::ops::Range<usize>, until: Option<Timestamp>) -> Vec<Tab<Running>> {
    let opened: Vec<_> = numbers.map(|number| tab::opened(&format!("seller-{number}"), until)).collect();
    let mut unit = store.begin().await.expect("a unit");
    let appended = unit.append_all(&tab::commits(&opened)).await.expect("it is written");
    let AppendedAll::Stored(revisions) = appended else { panic!("{appended:?}") };
    store.commit(unit).await.expect("it is durable");
    tab::saved(opened, revisions).await
}

/// Durable commits, one at a time.
async fn commits<S: Store>(store: &S) -> [Vec<f64>; 2] {
    let at = tab::stamp();
    let mut times = [Vec::new(), Vec::new()];
    for (number, tab) in open(store, 0..COMMITS, None).await.into_iter().enumerate() {
        let paid = tab.pay(vec![format!("seller-{number}").parse().expect("a name")], &at).expect("there is enough");
        let took = timed(async {
            let mut unit = store.begin().await.expect("a unit");
            let appended = unit.append(&paid.commits()[0]).await.expect("it is written");
            assert!(matches!(appended, Appended::Stored(_)), "{appended:?}");
            store.commit(unit).await.expect("it is durable");
        });
        let (_, took) = took.await;
        times.iter_mut().zip(took).for_each(|(all, time)| all.push(time));
    }
    times
}

/// Deadlines that have passed: each order is read, replayed and closed in a commit of its own.
async fn deadlines<S: Store + Clone>(store: &S) -> [Vec<f64>; 2] {
    let clock = ManualClock::at(tab::stamp().at.plus(2 * DAY));
    let escrow = Escrow::with_clock(store.clone(), Sandbox::new(7), clock).with::<AnyTab>();
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..7 {
        open(store, 0..DEADLINES, Some(tab::stamp().at.plus(DAY))).await;
        let worker = "clock-1".parse().expect("a name");
        let (due, took) = timed(escrow.run_due(&worker, DEADLINES)).await;
        assert_eq!(due.expect("it runs").taken, DEADLINES, "each is seen to");
        times.iter_mut().zip(took).for_each(|(all, time)| all.push(time / DEADLINES as f64));
    }
    times
}

/// Pages through everything: orders per second, and by how much the process grew at most.
async fn pages<S: Store>(store: &S, size: usize) -> (f64, f64) {
    let before = resident();
    let (mut most, mut after, mut seen) = (before, None, 0);
    let all = async {
        loop {
            let mut unit = store.begin().await.expect("a unit");
            let page = unit.find(&Query::All, after.as_ref(), 500).await.expect("it is read");
            seen += page.rows.len();
            most = most.max(resident());
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    };
    let (_, [took, _]) = timed(all).await;
    assert!(seen >= size, "it sees all of them");
    (seen as f64 / took * 1e6, most - before)
}

/// Microseconds on the wall and on the processor.
async fn timed<T>(work: impl Future<Output = T>) -> (T, [f64; 2]) {
    let clock = Clock::start();
    let done = work.await;
    (done, clock.stop().map(|time| time.as_secs_f64() * 1e6))
}

// Mebibytes, from Linux; nothing elsewhere.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kibibytes.unwrap_or_default() / 1024.0
}
