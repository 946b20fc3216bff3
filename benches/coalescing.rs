//! Durable commits per second into one SQLite file: each caller for itself, and sharing. Callers are tasks on one thread,
//! or threads of their own. Read the ratios: each is from one run, the two kinds by turns on the same disk.
//!
//! ```text
//! cargo bench --bench coalescing --features sqlite
//! ```

use escrowed::{
    coalescing::Coalescing,
    order::{Order, OrderId, Terms},
    party::{Actor, Stamp},
    sqlite::Sqlite,
    store::Store,
};
use futures_lite::future::{block_on, poll_fn};
use std::{
    future::Future,
    pin::Pin,
    task::Poll,
    thread,
    time::{Duration, Instant},
};

/// How many callers there are at once.
const CALLERS: [usize; 5] = [1, 8, 32, 128, 512];
/// How many commits a measurement takes at least, and how often it is taken.
const COMMITS: usize = 512;
const ROUNDS: usize = 5;

fn stamp() -> Stamp {
    Stamp::new(Actor::platform("ops".parse().unwrap()), "2026-05-07T15:39:46Z".parse().unwrap())
}

fn terms() -> Terms {
    let [seller, platform] = ["sam", "shop"].map(|name| name.parse().unwrap());
    let (name, amount) = ("A bicycle".parse().unwrap(), "120.00 EUR".parse().unwrap());
    Terms::new(name, amount, seller, platform, "sandbox".parse().unwrap())
}

/// One order is opened, and is durable.
async fn plain(store: &Sqlite) {
    let at = stamp();
    let opened = Order::open(OrderId::generate(at.at), terms(), &at).unwrap();
    let mut unit = store.begin().await.unwrap();
    opened.save(&mut unit).await.unwrap();
    store.commit(unit).await.unwrap();
}

async fn sharing(store: &Coalescing<Sqlite>) {
    let at = stamp();
    let opened = Order::open(OrderId::generate(at.at), terms(), &at).unwrap();
    opened.save(&mut store.writer()).await.unwrap();
}

/// Tasks on one thread, each of which saves several times.
fn tasks<F: Future<Output = ()>>(callers: usize, save: impl Fn() -> F) -> Duration {
    let each = COMMITS.div_ceil(callers);
    let task = || async {
        for _ in 0..each {
            save().await;
        }
    };
    let begun = Instant::now();
    block_on(all((0..callers).map(|_| task())));
    begun.elapsed() / u32::try_from(callers * each).unwrap()
}

/// Waits for all of them. Polls all whenever one is woken, which both kinds pay for alike.
async fn all<F: Future<Output = ()>>(tasks: impl Iterator<Item = F>) {
    let mut tasks: Vec<Option<Pin<Box<F>>>> = tasks.map(|task| Some(Box::pin(task))).collect();
    poll_fn(|cx| {
        for slot in &mut tasks {
            if slot.as_mut().is_some_and(|task| task.as_mut().poll(cx).is_ready()) {
                *slot = None;
            }
        }
        if tasks.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Threads, each of which saves several times.
fn threads<F: Future<Output = ()>>(callers: usize, save: impl Fn() -> F + Sync) -> Duration {
    let each = COMMITS.div_ceil(callers);
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| (0..each).for_each(|_| block_on(save())));
        }
    });
    begun.elapsed() / u32::try_from(callers * each).unwrap()
}

/// The median of several measurements of each of two kinds, taken by turns.
fn medians(mut one: impl FnMut() -> Duration, mut other: impl FnMut() -> Duration) -> (Duration, Duration) {
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ones.push(one());
        others.push(other());
    }
    ones.sort();
    others.sort();
    (ones[ROUNDS / 2], others[ROUNDS / 2])
}

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let rounds = std::env::args().any(|argument| argument == "--bench");
    let callers = if rounds { &CALLERS[..] } else { &CALLERS[..1] };
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| Sqlite::open(folder.path().join(name)).unwrap();
    println!("{:>8} {:>8} {:>14} {:>14} {:>7}", "", "callers", "plain/commit", "shared/commit", "ratio");
    for &callers in callers {
        for (kind, on_threads) in [("tasks", false), ("threads", true)] {
            let (own, shared) = (open("plain.db"), Coalescing::new(open("shared.db")));
            let measure = if on_threads {
                medians(|| threads(callers, || plain(&own)), || threads(callers, || sharing(&shared)))
            } else {
                medians(|| tasks(callers, || plain(&own)), || tasks(callers, || sharing(&shared)))
            };
            let ratio = measure.0.as_secs_f64() / measure.1.as_secs_f64();
            println!("{kind:>8} {callers:>8} {:>14.1?} {:>14.1?} {ratio:>6.2}x", measure.0, measure.1);
        }
    }
}
