//! Another process: this very program, run again for one test, which does what its environment says.

use super::audit::Ack;
use std::{
    env,
    ffi::OsStr,
    io::{Read, Write},
    process::{self, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Starts a child that runs this test, with these variables in its environment.
pub(crate) fn spawn(test: &str, environment: &[(&str, &OsStr)]) -> process::Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .envs(environment.iter().copied())
        // Where what is left of a death may lie.
        .current_dir(env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Tells the parent. At the beginning of a line, whatever the test runner has written before.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n{line}\n").as_bytes()).and_then(|()| out.flush()).expect("the parent reads");
}

/// What a child has acknowledged, by what it said.
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
    pub(crate) fn of(mut child: process::Child) -> Self {
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
