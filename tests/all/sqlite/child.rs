//! The other process: this very program, run again for one test, which does what its environment says.

use super::{
    audit::Ack,
    host,
    market::{Market, Plot},
    two,
    watch::{self, AFTER, Fate, say},
};
use escrowed::sqlite::Sqlite;
use futures_lite::future::block_on;
use std::{
    env,
    io::Read,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
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
fn start(file: &Path, role: Role, life: u64) -> process::Child {
    let (name, number) = role.told();
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "sqlite::child::child", "--nocapture", "--test-threads=1"])
        .envs([(ROLE, name), (NUMBER, &number.to_string()), (LIFE, &life.to_string())])
        .env(FILE, file)
        .current_dir(file.parent().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
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

pub(crate) fn acks(said: &str) -> Vec<Ack> {
    let ack = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
        ["ack", id, seq, status] => Some((id.to_owned(), seq.parse().unwrap(), status.to_owned())),
        _ => None,
    };
    // The last line may be half of one.
    let whole = said.rfind('\n').map_or("", |end| &said[..end]);
    whole.lines().filter_map(ack).collect()
}

/// A child whose words are listened to while it lives.
pub(crate) struct Companion {
    child: process::Child,
    said: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

impl Companion {
    pub(crate) fn start(file: &Path, role: Role, life: u64) -> Self {
        let mut child = start(file, role, life);
        let (mut out, said) = (child.stdout.take().unwrap(), Arc::new(Mutex::new(String::new())));
        let heard = said.clone();
        let listen = move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut buffer) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        };
        Self { child, said, listener: Some(thread::spawn(listen)) }
    }

    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it has said this so many times.
    pub(crate) fn hear(&mut self, word: &str, times: usize) {
        for _ in 0..3000 {
            if self.said().matches(word).count() >= times {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("the child never said {word} {times} times: {}", self.end().1);
    }

    /// Kills it, wherever it is. All it said.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.listener.take().unwrap().join().unwrap();
        self.said()
    }

    /// Ends its input.
    pub(crate) fn let_go(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Lets it go, and waits for it. Whether it went well, and all it said.
    pub(crate) fn end(&mut self) -> (bool, String) {
        self.let_go();
        let status = self.child.wait().unwrap();
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (status.success(), self.said() + &errors)
    }
}

/// Returns when the parent lets go or dies.
pub(crate) fn wait_for_the_parent() {
    std::io::stdin().read_to_end(&mut Vec::new()).expect("the parent says nothing");
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
