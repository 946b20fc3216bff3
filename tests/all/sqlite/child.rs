//! The other process: this very program, run again for one test, which does what its environment says.

use super::{
    host, two,
    watch::{self, AFTER, Fate},
};
use crate::market::{
    Market, Plot,
    audit::Ack,
    process::{acks, say, spawn, wait_for_the_parent},
};
use escrowed::sqlite::Sqlite;
use futures_lite::future::block_on;
use std::{
    env,
    path::{Path, PathBuf},
    process,
};

const FILE: &str = "ESCROWED_CHILD_FILE";
const ROLE: &str = "ESCROWED_CHILD_ROLE";
const NUMBER: &str = "ESCROWED_CHILD_NUMBER";
const LIFE: &str = "ESCROWED_CHILD_LIFE";

/// What a child does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    /// Drives an order of each plot to its end, and dies at this point.
    AtPoint(u64),
    /// The same, and dies after so many steps.
    AfterSteps(u64),
    /// The same, and tells the number of steps.
    Count,
    /// Opens orders and drives them until it is killed, by this seed.
    Load(u64),
    /// Works on the same file as its parent until its input ends.
    Share,
    /// Waits for its input to end, and opens the file.
    Open,
    /// Writes to the host's table and dies at this place.
    Host(u64),
}

/// What became of a child.
#[derive(Debug)]
pub(crate) struct End {
    /// What it was doing when it died; none when it lived.
    pub(crate) death: Option<Death>,
    /// What it acknowledged.
    pub(crate) acks: Vec<Ack>,
    /// All it said.
    pub(crate) said: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Death {
    /// The table that was being written, or the statement at the transaction's end.
    pub(crate) place: String,
    /// How many writes the transaction had made.
    pub(crate) writes: u64,
}

impl Death {
    /// Whether it fell between the first write of a transaction and the end of its COMMIT.
    pub(crate) fn inside(&self) -> bool {
        self.writes > 0 && self.place != AFTER && self.place != "ROLLBACK"
    }
}

impl Role {
    fn told(self) -> (&'static str, u64) {
        match self {
            Self::AtPoint(number) => ("at-point", number),
            Self::AfterSteps(number) => ("after-steps", number),
            Self::Count => ("count", 0),
            Self::Load(number) => ("load", number),
            Self::Share => ("share", 0),
            Self::Open => ("open", 0),
            Self::Host(number) => ("host", number),
        }
    }
}

/// Starts a child on a file, for the `life`-th time.
pub(crate) fn start(file: &Path, role: Role, life: u64) -> process::Child {
    let (name, number) = role.told();
    let (number, life) = (number.to_string(), life.to_string());
    let environment =
        [(ROLE, name.as_ref()), (NUMBER, number.as_ref()), (LIFE, life.as_ref()), (FILE, file.as_os_str())];
    spawn("sqlite::child::child", &environment)
}

/// Runs a child to its end, which is a death or a success.
pub(crate) fn run(file: &Path, role: Role, life: u64) -> End {
    let output = start(file, role, life).wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let told: Vec<Vec<&str>> = said.lines().map(|line| line.split(' ').collect()).collect();
    let death = told.iter().find_map(|words| match words[..] {
        ["death", place, writes] => Some(Death { place: place.to_owned(), writes: writes.parse().unwrap() }),
        _ => None,
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), death.is_none(), "{role:?}: {said}\n{errors}");
    End { death, acks: acks(&said), said }
}

/// Returns at once unless this process is a child.
#[test]
fn child() {
    let Some(file) = env::var_os(FILE).map(PathBuf::from) else { return };
    let number = |name| env::var(name).unwrap().parse().unwrap();
    let (number, life) = (number(NUMBER), number(LIFE));
    match env::var(ROLE).unwrap().as_str() {
        "at-point" => drive(&file, Fate::AtPoint(number), life),
        "after-steps" => drive(&file, Fate::AfterSteps(number), life),
        "count" => drive(&file, Fate::Live, life),
        "load" => two::load(&file, number, life),
        "share" => two::share(&file),
        "open" => {
            say("ready");
            wait_for_the_parent();
            drop(Sqlite::open(&file).unwrap());
        }
        "host" => host::die(&file, number),
        other => panic!("there is no role {other}"),
    }
}

fn drive(file: &Path, fate: Fate, life: u64) {
    let (store, watch) = watch::open(file, fate);
    block_on(async {
        let market = Market::open(store, life, true).await;
        market.open_missing(&Plot::ALL).await;
        market.run().await;
    });
    say(&format!("steps {}", watch.lock().unwrap().steps()));
}
