//! A server of a test's own, to be killed.

use std::{
    env,
    net::TcpListener,
    path::PathBuf,
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// A server with nothing in it, on loopback and a port of its own. It keeps what it has promised: `fsync` is on. Removed
/// in the end.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
}

const MISSING: &str = "this test starts a PostgreSQL server of its own: run `bash tests/postgres.sh cargo test --features \
postgres`, or say in ESCROWED_TEST_POSTGRES where initdb and pg_ctl are (and in ESCROWED_TEST_POSTGRES_USER, when you are \
root, which user is to run them)";

impl Cluster {
    /// Creates and starts one.
    pub(crate) fn new() -> Self {
        let programs = PathBuf::from(env::var_os("ESCROWED_TEST_POSTGRES").expect(MISSING));
        for program in ["initdb", "pg_ctl"] {
            assert!(programs.join(program).is_file(), "{program} is not in {}: {MISSING}", programs.display());
        }
        let folder = tempfile::tempdir().unwrap();
        // A port that nobody uses now. Whoever takes it until the server starts makes the test fail, and say so.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { programs, folder, port };
        if let Some(user) = other_user() {
            run(Command::new("chown").arg(user).arg(cluster.folder.path()));
        }
        let options = ["-A", "trust", "-U", "escrowed", "-E", "UTF8", "--locale=C", "--no-sync"];
        run(cluster.command("initdb").args(options));
        cluster.start();
        cluster
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://escrowed@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Starts it; after a death it recovers first.
    pub(crate) fn start(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=100",
            self.port
        );
        let log = self.folder.path().join("data/log");
        let mut start = self.command("pg_ctl");
        start.args(["-w", "-t", "120", "-o", &options, "-l"]).arg(&log).arg("start");
        if !start.status().unwrap().success() {
            panic!("PostgreSQL did not start: {}", std::fs::read_to_string(log).unwrap_or_default());
        }
    }

    /// Kills it: its processes end at once, whatever they are doing, and write nothing down any more.
    pub(crate) fn kill(&self) {
        run(self.command("pg_ctl").args(["-w", "-m", "immediate", "stop"]));
    }

    /// One of its programs on its data, as the user who may run it.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = match other_user() {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", &user, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.arg("-D").arg(self.folder.path().join("data"));
        // The server would keep a pipe open for ever.
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.command("pg_ctl").args(["-w", "-m", "immediate", "stop"]).status();
    }
}

/// Who runs the server in place of root, who may not.
fn other_user() -> Option<String> {
    let id = Command::new("id").arg("-u").output().unwrap();
    (id.stdout.trim_ascii() == b"0").then(|| env::var("ESCROWED_TEST_POSTGRES_USER").expect(MISSING))
}

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
