//! Durable commits into PostgreSQL, beside hand-written SQL and other libraries, by turns on the same server: 1, 8 and 32
//! connections; 1, 100 and 1,000 commits at once; and many orders that share one fee account.
//!
//! ```text
//! bash benches/run.sh postgres
//! ```
//!
//! Words narrow it down: `commits` or `fees`, a number for batches of that size only, and `quick` for a third of the rounds.

#[cfg(feature = "libraries")]
mod cala;
#[path = "../../../stores/clock.rs"]
mod clock;
#[path = "../../../stores/compare.rs"]
mod compare;
#[cfg(feature = "libraries")]
mod cqrs;
#[path = "../../../stores/durable.rs"]
mod durable;
#[path = "../../../stores/tab.rs"]
mod tab;

mod by_hand;
mod ours;

use clock::{Clock, processor_of};
use compare::Way;
use escrowed::{
    coalescing::Coalescing,
    postgres::Postgres,
    store::{Commit, Revision},
};
use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use std::{env, future::Future, mem, time::Duration};

const CONNECTIONS: [usize; 3] = [1, 8, 32];
/// Commits at once, how often in one round, and rounds.
const SHAPES: [(usize, usize, usize); 3] = [(1, 48, 18), (100, 2, 9), (1_000, 1, 7)];
/// The orders of each connection.
const ORDERS: usize = 1_000;

const DATABASES: [&str; 5] = ["bench_ours", "bench_by_hand", "bench_cqrs", "bench_cala", "bench_sharing"];

fn payee(number: usize) -> String {
    format!("seller-{number}")
}

fn main() {
    let asked: Vec<String> = env::args().skip(1).collect();
    let says = |word: &str| asked.iter().any(|asked| asked == word);
    let url = env::var("ESCROWED_TEST_DATABASE_URL").expect("run it with: bash benches/run.sh postgres");
    let less = if says("quick") { 3 } else { 1 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        durable::must_be_durable(&url).await;
        let mut admin = PgConnection::connect(&url).await.unwrap();
        let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&mut admin).await.unwrap();
        let mut urls = Vec::new();
        for name in DATABASES {
            sqlx::query(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}"))).execute(&mut admin).await.unwrap();
            sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
            let (server, _) = url.rsplit_once('/').unwrap();
            urls.push(format!("{server}/{name}"));
        }
        println!("PostgreSQL {version}, fsync and synchronous_commit on, {ORDERS} orders per connection.");
        let fees = says("fees");
        let most = *CONNECTIONS.last().unwrap();
        let mut ours = Vec::new();
        let mut by_hand = Vec::new();
        let mut sharing = Vec::new();
        for url in &urls[..2] {
            // The tables.
            Postgres::connect(url).await.unwrap().pool().close().await;
        }
        for lane in 0..most {
            ours.push(Ours::new(&urls[0], lane).await);
            if !fees {
                by_hand.push(ByHand::new(&urls[1], &ours[lane]).await);
            }
        }
        analyze(&urls[..2]).await;
        if !fees {
            let store = Coalescing::new(Postgres::connect(&urls[4]).await.unwrap());
            for lane in 0..most {
                sharing.push(Ours::sharing(&urls[4], lane, &store).await);
            }
            analyze(&urls[4..]).await;
        }
        if !says("commits") {
            shared_fees(&mut ours, less, &Server::of(DATABASES[0], &mut admin).await).await;
        }
        if fees {
            return;
        }
        #[cfg(feature = "libraries")]
        let mut libraries = Libraries::new(&urls[2], &urls[3], most).await;
        analyze(&urls[2..4]).await;
        let mut servers = Vec::new();
        for name in &DATABASES[..3] {
            servers.push(Server::of(name, &mut admin).await);
        }
        // It opens and closes connections of its own as it goes, so nothing can be told.
        servers.push(Server(Vec::new()));
        let size: Option<usize> = asked.iter().find_map(|word| word.parse().ok());
        for (batch, times, rounds) in SHAPES.into_iter().filter(|(batch, ..)| size.is_none_or(|size| size == *batch)) {
            for connections in CONNECTIONS {
                let commits = connections * batch * times;
                let mut ways = [
                    Way::new("escrowed"),
                    Way::new(if batch == 1 { "by hand, one CTE" } else { "by hand, UNNEST" }),
                    Way::new("escrowed, commits share a write"),
                    Way::new("cqrs-es with postgres-es: event and snapshot"),
                    Way::new("cqrs-es with postgres-es: event, and the row to query by"),
                    Way::new("cqrs-es with postgres-es: all of our rows, as its views"),
                    Way::new("cqrs-es with postgres-es: all of our rows, by one statement by hand after the event"),
                    Way::new("cala-ledger: entries and balances only"),
                    Way::new("the same, and who pays may not go below zero"),
                ];
                // The first round is to get warm.
                for round in 0..=rounds.div_ceil(less) {
                    for way in compare::turns(round, ways.len()) {
                        let time = match way {
                            0 => Some(run(&mut ours[..connections], batch, times, &servers[0]).await),
                            1 => Some(run(&mut by_hand[..connections], batch, times, &servers[1]).await),
                            2 if batch == 1 => {
                                Some(run(&mut sharing[..connections], batch, times, &Server(Vec::new())).await)
                            }
                            #[cfg(feature = "libraries")]
                            3 if batch == 1 => {
                                Some(run(&mut libraries.executing[..connections], batch, times, &servers[2]).await)
                            }
                            #[cfg(feature = "libraries")]
                            4 if batch == 1 => {
                                Some(run(&mut libraries.viewing[..connections], batch, times, &servers[2]).await)
                            }
                            #[cfg(feature = "libraries")]
                            5 if batch == 1 => {
                                Some(run(&mut libraries.keeping[..connections], batch, times, &servers[2]).await)
                            }
                            #[cfg(feature = "libraries")]
                            6 if batch == 1 => {
                                Some(run(&mut libraries.stating[..connections], batch, times, &servers[2]).await)
                            }
                            #[cfg(feature = "libraries")]
                            7 => Some(run(&mut libraries.cala[..connections], batch, times, &servers[3]).await),
                            // It would take minutes for each round.
                            #[cfg(feature = "libraries")]
                            8 if connections * batch < 32_000 => {
                                Some(run(&mut libraries.guarded[..connections], batch, times, &servers[3]).await)
                            }
                            _ => None,
                        };
                        if let Some(time) = time
                            && round > 0
                        {
                            ways[way].took(time, commits);
                        }
                    }
                }
                let title = format!("### PostgreSQL, {batch} per transaction, {connections} connections");
                compare::print(&title, &ways);
            }
        }
    });
}

async fn shared_fees(ours: &mut [Ours], less: usize, server: &Server) {
    for connections in [8, 32] {
        let fees = [Fee::Shared, Fee::Own, Fee::None];
        let mut ways = [
            Way::new("a fee to the one account that all orders share"),
            Way::new("a fee to an account of each order's own"),
            Way::new("no fee: one entry and one balance less"),
        ];
        let (times, rounds) = (32, 21);
        for round in 0..=rounds / less {
            for way in compare::turns(round, ways.len()) {
                for lane in &mut ours[..connections] {
                    lane.fee = fees[way];
                }
                let time = run(&mut ours[..connections], 1, times, server).await;
                if round > 0 {
                    ways[way].took(time, connections * times);
                }
            }
        }
        for lane in &mut ours[..connections] {
            lane.fee = Fee::None;
        }
        compare::print(&format!("### Shared fee account, PostgreSQL, {connections} connections"), &ways);
    }
}

/// What one connection does in a round.
trait Lane: Send + Sized + 'static {
    /// Makes everything ready that does not count.
    fn prepare(&mut self, batch: usize, times: usize);
    /// What counts.
    fn write(&mut self, batch: usize, times: usize) -> impl Future<Output = ()> + Send;
    /// Puts everything back.
    fn finish(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// All connections at once, on this thread: the time until the last one is done, and what a processor was given for on this
/// side of it and in the server's processes.
async fn run<L: Lane>(lanes: &mut [L], batch: usize, times: usize, server: &Server) -> [Duration; 3] {
    for lane in &mut *lanes {
        lane.prepare(batch, times);
    }
    let before = server.processor();
    let clock = Clock::start();
    join_all(lanes.iter_mut().map(|lane| lane.write(batch, times))).await;
    let [wall, client] = clock.stop();
    let server = server.processor().saturating_sub(before);
    for lane in lanes {
        lane.finish().await;
    }
    [wall, client, server]
}

/// The server's processes that work for one database, by their numbers, if they run on this machine.
struct Server(Vec<String>);

impl Server {
    async fn of(database: &str, admin: &mut PgConnection) -> Self {
        let pids = "SELECT pid::text FROM pg_stat_activity WHERE datname = $1";
        Self(sqlx::query_scalar(pids).bind(database).fetch_all(admin).await.unwrap())
    }

    fn processor(&self) -> Duration {
        self.0.iter().map(|pid| processor_of(pid)).sum()
    }
}

#[derive(Clone, Copy)]
enum Fee {
    Shared,
    Own,
    None,
}

struct Ours {
    through: Through,
    tabs: ours::Tabs,
    ready: Option<ours::Ready>,
    revisions: Vec<Revision>,
    fee: Fee,
}

enum Through {
    Own(PgConnection),
    Shared(Coalescing<Postgres>),
}

impl Ours {
    async fn new(url: &str, lane: usize) -> Self {
        let mut connection = connect(url).await;
        let tabs = ours::open(&mut connection, lane * ORDERS..(lane + 1) * ORDERS).await;
        Self { through: Through::Own(connection), tabs, ready: None, revisions: Vec::new(), fee: Fee::None }
    }

    async fn sharing(url: &str, lane: usize, store: &Coalescing<Postgres>) -> Self {
        Self { through: Through::Shared(store.clone()), ..Self::new(url, lane).await }
    }
}

impl Lane for Ours {
    fn prepare(&mut self, batch: usize, times: usize) {
        let rest = self.tabs.len() - batch * times;
        let fee = |number| match self.fee {
            Fee::Shared => Some("platform".to_owned()),
            Fee::Own => Some(format!("fees-{number}")),
            Fee::None => None,
        };
        self.ready = Some(ours::Ready::of(self.tabs.drain(rest..), fee));
    }

    async fn write(&mut self, batch: usize, _: usize) {
        let commits: &[Commit] = &self.ready.as_ref().unwrap().commits;
        for commits in commits.chunks(batch) {
            match &mut self.through {
                Through::Own(connection) => ours::write(connection, commits, &mut self.revisions).await,
                Through::Shared(store) => ours::write(&mut store.writer(), commits, &mut self.revisions).await,
            }
        }
    }

    async fn finish(&mut self) {
        let written = self.ready.take().unwrap().written(mem::take(&mut self.revisions)).await;
        self.tabs.splice(0..0, written);
    }
}

struct ByHand {
    connection: PgConnection,
    orders: Vec<by_hand::Order>,
    ready: Vec<by_hand::Row>,
}

impl ByHand {
    /// With orders of the same ids: how far apart those of one batch lie decides how many pages it writes.
    async fn new(url: &str, ours: &Ours) -> Self {
        let mut connection = connect(url).await;
        let ids = ours.tabs.iter().map(|(tab, number)| (tab.id(), *number));
        let orders = by_hand::open(&mut connection, ids).await;
        Self { connection, orders, ready: Vec::new() }
    }
}

impl Lane for ByHand {
    fn prepare(&mut self, batch: usize, times: usize) {
        let rest = self.orders.len() - batch * times;
        self.ready = self.orders.drain(rest..).map(by_hand::Row::of).collect();
    }

    async fn write(&mut self, batch: usize, _: usize) {
        for rows in self.ready.chunks(batch) {
            by_hand::write(&mut self.connection, rows).await;
        }
    }

    async fn finish(&mut self) {
        self.orders.splice(0..0, self.ready.drain(..).map(by_hand::Row::written));
    }
}

#[cfg(feature = "libraries")]
struct Libraries {
    executing: Vec<cqrs::Executing>,
    viewing: Vec<cqrs::Executing>,
    keeping: Vec<cqrs::Executing>,
    stating: Vec<cqrs::Executing>,
    cala: Vec<cala::Cala>,
    guarded: Vec<cala::Cala>,
    ledger: cala::Shared,
}

#[cfg(feature = "libraries")]
impl Libraries {
    async fn new(cqrs_url: &str, cala_url: &str, connections: usize) -> Self {
        cqrs::schema(cqrs_url).await;
        Postgres::connect(cqrs_url).await.unwrap().pool().close().await;
        let ledger = cala::Shared::new(cala_url, u32::try_from(connections).unwrap()).await;
        let mut libraries = Self {
            executing: Vec::new(),
            viewing: Vec::new(),
            keeping: Vec::new(),
            stating: Vec::new(),
            cala: Vec::new(),
            guarded: Vec::new(),
            ledger,
        };
        for _ in 0..connections {
            libraries.executing.push(cqrs::Executing::snapshots(cqrs_url, 48).await);
            // It reads all events of an order: no more than an order has.
            libraries.viewing.push(cqrs::Executing::view(cqrs_url, 480).await);
            libraries.keeping.push(cqrs::Executing::views(cqrs_url, 480).await);
            let ids = (0..480).map(|number| (tab::TabId::generate(tab::stamp().at), number));
            let opened = by_hand::open(&mut connect(cqrs_url).await, ids).await;
            libraries.stating.push(cqrs::Executing::statement(cqrs_url, &opened).await);
            libraries.cala.push(libraries.ledger.open(ORDERS).await);
            libraries.guarded.push(libraries.ledger.guarded(ORDERS).await);
        }
        libraries
    }
}

#[cfg(feature = "libraries")]
impl Lane for cqrs::Executing {
    fn prepare(&mut self, _: usize, _: usize) {}

    async fn write(&mut self, _: usize, times: usize) {
        for _ in 0..times {
            self.execute().await;
        }
    }
}

#[cfg(feature = "libraries")]
impl Lane for cala::Cala {
    fn prepare(&mut self, _: usize, _: usize) {}

    async fn write(&mut self, batch: usize, times: usize) {
        for _ in 0..times {
            cala::Cala::write(self, batch).await;
        }
    }
}

/// What the server knows of its tables must not depend on when it last looked by itself.
async fn analyze(urls: &[String]) {
    for url in urls {
        sqlx::query("ANALYZE").execute(&mut connect(url).await).await.unwrap();
    }
}

async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().unwrap();
    PgConnection::connect_with(&options).await.unwrap()
}
