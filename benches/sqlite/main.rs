//! Durable commits into one SQLite file, beside hand-written SQL that writes the same rows: one, 100 and 1,000 of them in a
//! transaction. Both are flushed at every commit (`synchronous = FULL`), by turns, on the same disk.
//!
//! ```text
//! cargo bench --bench sqlite --features sqlite
//! ```

#![expect(unreachable_pub, reason = "a benchmark is a program: nothing in it can be reached from outside")]

#[path = "../stores/clock.rs"]
mod clock;
#[path = "../stores/compare.rs"]
mod compare;
#[path = "../stores/tab.rs"]
mod tab;

mod by_hand;

use by_hand::{ByHand, Row, Settings};
use clock::Clock;
use compare::Way;
use escrowed::{
    sqlite::Sqlite,
    store::{Appended, AppendedAll, Store, UnitOfWork},
};
use futures_lite::future::block_on;
use std::time::Duration;
use tab::{Running, Tab};

/// How many orders there are; a batch takes some of them in turn.
const TABS: usize = 4_000;
/// Commits per transaction, transactions per round, and rounds.
const SHAPES: [(usize, usize, usize); 3] = [(1, 100, 41), (100, 4, 41), (1_000, 1, 41)];

fn main() {
    let folder = tempfile::tempdir().expect("a folder for the files");
    let mut ours = Ours::new(&folder.path().join("ours.db"));
    let ids: Vec<_> = ours.tabs.iter().map(|(tab, _)| tab.id()).collect();
    let mut plain = ByHand::new(&folder.path().join("plain.db"), Settings::Plain, &ids);
    let mut tuned = ByHand::new(&folder.path().join("tuned.db"), Settings::Tuned, &ids);
    println!("SQLite {}, one connection, WAL, synchronous = FULL, {TABS} orders.", rusqlite::version());
    for (batch, transactions, rounds) in SHAPES {
        let mut ways = [
            Way::new("escrowed"),
            Way::new("by hand, tuned page cache and checkpoints"),
            Way::new("by hand, SQLite's own settings"),
        ];
        let commits = batch * transactions;
        // The first round is to get warm.
        for round in 0..=rounds {
            let mut times = [[Duration::ZERO; 2]; 3];
            for way in compare::turns(round, ways.len()) {
                times[way] = match way {
                    0 => ours.round(batch, transactions),
                    1 => tuned.round(batch, transactions),
                    _ => plain.round(batch, transactions),
                };
            }
            if round > 0 {
                ways.iter_mut().zip(times).for_each(|(way, time)| way.took(time, commits));
            }
        }
        compare::print(&format!("### SQLite, {batch} per transaction"), &ways);
    }
}

struct Ours {
    store: Sqlite,
    // Those whose turn is next come last.
    tabs: Vec<(Tab<Running>, usize)>,
}

impl Ours {
    fn new(path: &std::path::Path) -> Self {
        let store = Sqlite::open(path).expect("a fresh file");
        let opened: Vec<_> = (0..TABS).map(|number| tab::opened(&payee(number), None)).collect();
        let tabs = block_on(async {
            let mut unit = store.begin().await.expect("a unit");
            let appended = unit.append_all(&tab::commits(&opened)).await.expect("it is written");
            let AppendedAll::Stored(revisions) = appended else { panic!("{appended:?}") };
            store.commit(unit).await.expect("it is durable");
            tab::saved(opened, revisions).await
        });
        Self { store, tabs: tabs.into_iter().zip(0..).collect() }
    }

    /// The steps are taken before the clock starts.
    fn round(&mut self, batch: usize, transactions: usize) -> [Duration; 2] {
        let (at, rest) = (tab::stamp(), self.tabs.len() - batch * transactions);
        let (mut numbers, mut paid) = (Vec::new(), Vec::new());
        for (tab, number) in self.tabs.drain(rest..) {
            paid.push(tab.pay(vec![payee(number).parse().expect("a name")], &at).expect("there is enough"));
            numbers.push(number);
        }
        let commits = tab::commits(&paid);
        let mut revisions = Vec::with_capacity(commits.len());
        let start = Clock::start();
        block_on(async {
            for commits in commits.chunks(batch) {
                let mut unit = self.store.begin().await.expect("a unit");
                if let [commit] = commits {
                    let appended = unit.append(commit).await.expect("it is written");
                    let Appended::Stored(revision) = appended else { panic!("{appended:?}") };
                    revisions.push(revision);
                } else {
                    let appended = unit.append_all(commits).await.expect("it is written");
                    let AppendedAll::Stored(more) = appended else { panic!("{appended:?}") };
                    revisions.extend(more);
                }
                self.store.commit(unit).await.expect("it is durable");
            }
        });
        let time = start.stop();
        let saved = block_on(tab::saved(paid, revisions));
        self.tabs.splice(0..0, saved.into_iter().zip(numbers));
        time
    }
}

fn payee(number: usize) -> String {
    format!("seller-{number}")
}

/// The same rows as text and numbers, made before the clock starts.
fn rows(numbers: impl Iterator<Item = usize>) -> Vec<Row> {
    numbers
        .map(|number| {
            let asks = tab::TabId::generate(tab::stamp().at).to_string().replace("tab_", "pi_");
            Row {
                number,
                wallet: format!("wallet:{}", payee(number)),
                actor: by_hand::ACTOR.to_owned(),
                body: format!("{{\"to\":[\"{}\"],\"asks\":\"{asks}\"}}", payee(number)),
                key: format!("{asks}:capture"),
                instruction: format!(
                    "{{\"capture\":{{\"payin\":\"{asks}\",\"amount\":{{\"amount\":125,\"currency\":\"EUR\"}}}}}}"
                ),
                at: tab::stamp().at.unix_micros(),
            }
        })
        .collect()
}
