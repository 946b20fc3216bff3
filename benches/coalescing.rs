//! Durable commits into one SQLite file, and into PostgreSQL if the feature is on and ESCROWED_TEST_DATABASE_URL names a
//! server: each caller for itself, and sharing. Callers are tasks on one thread or, for SQLite, threads of their own, too.
//! Read the ratios: each is from one run, the two kinds by turns on the same disk.
//!
//! ```text
//! bash benches/run.sh coalescing
//! ```

#![cfg_attr(
    feature = "postgres",
    expect(unreachable_pub, reason = "a benchmark is a program: nothing in it can be reached from outside")
)]

#[cfg(feature = "postgres")]
#[path = "stores/durable.rs"]
mod durable;

use escrowed::{
    coalescing::Coalescing,
    order::{Order, OrderId, Terms},
    party::{Actor, Stamp},
    sqlite::Sqlite,
    store::Store,
};
use futures_lite::future::block_on;
use futures_util::future::join_all;
use std::{
    future::Future,
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
async fn plain(store: &impl Store) {
    let at = stamp();
    let opened = Order::open(OrderId::generate(at.at), terms(), &at).unwrap();
    let mut unit = store.begin().await.unwrap();
    opened.save(&mut unit).await.unwrap();
    store.commit(unit).await.unwrap();
}

async fn sharing<S: Store + 'static>(store: &Coalescing<S>) {
    let at = stamp();
    let opened = Order::open(OrderId::generate(at.at), terms(), &at).unwrap();
    opened.save(&mut store.writer()).await.unwrap();
}

/// Tasks on one thread, each of which saves several times.
async fn tasks<F: Future<Output = ()>>(callers: usize, save: impl Fn() -> F) -> Duration {
    let each = COMMITS.div_ceil(callers);
    let task = || async {
        for _ in 0..each {
            save().await;
        }
    };
    let begun = Instant::now();
    join_all((0..callers).map(|_| task())).await;
    begun.elapsed() / u32::try_from(callers * each).unwrap()
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
    println!("{:>8} {:>8} {:>8} {:>14} {:>14} {:>7}", "store", "", "callers", "plain/commit", "shared/commit", "ratio");
    for &callers in callers {
        for (kind, on_threads) in [("tasks", false), ("threads", true)] {
            let (own, shared) = (open("plain.db"), Coalescing::new(open("shared.db")));
            let measure = if on_threads {
                medians(|| threads(callers, || plain(&own)), || threads(callers, || sharing(&shared)))
            } else {
                medians(|| block_on(tasks(callers, || plain(&own))), || block_on(tasks(callers, || sharing(&shared))))
            };
            tell("sqlite", kind, callers, measure);
        }
    }
    #[cfg(feature = "postgres")]
    postgres::measure(callers);
}

fn tell(store: &str, kind: &str, callers: usize, (plain, shared): (Duration, Duration)) {
    let ratio = plain.as_secs_f64() / shared.as_secs_f64();
    println!("{store:>8} {kind:>8} {callers:>8} {plain:>14.1?} {shared:>14.1?} {ratio:>6.2}x");
}

/// As many connections as a service of moderate size has; further callers wait for one.
#[cfg(feature = "postgres")]
mod postgres {
    use super::{Coalescing, durable, medians, plain, sharing, tasks, tell};
    use escrowed::postgres::Postgres;
    use sqlx::postgres::PgPoolOptions;
    use tokio::runtime::Builder;

    const CONNECTIONS: u32 = 32;

    pub(super) fn measure(callers: &[usize]) {
        let Ok(url) = std::env::var("ESCROWED_TEST_DATABASE_URL") else {
            println!("postgres: left out, because ESCROWED_TEST_DATABASE_URL names no server");
            return;
        };
        let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
        let own = runtime.block_on(async {
            durable::must_be_durable(&url).await;
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(&url).await.unwrap();
            Postgres::from_pool(pool).await.unwrap()
        });
        let shared = Coalescing::new(own.clone());
        for &callers in callers {
            let measure = medians(
                || runtime.block_on(tasks(callers, || plain(&own))),
                || runtime.block_on(tasks(callers, || sharing(&shared))),
            );
            tell("postgres", "tasks", callers, measure);
        }
    }
}
