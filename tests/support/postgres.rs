//! Real PostgreSQL servers for the tests: started in a temporary directory, stopped and removed whatever happens.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use tempfile::TempDir;

use super::port::free_port;

/// The server versions that the tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Debian 12's.
    V15,
    /// The newest, from `.test-tools/pg18`.
    V18,
}

impl Version {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V15, Self::V18];

    /// Where its programs are. A missing server fails the test: it must never pass for want of one.
    pub fn bin_dir(self) -> PathBuf {
        let (variable, default) = match self {
            Self::V15 => ("GUARD_TEST_PG15", PathBuf::from("/usr/lib/postgresql/15")),
            Self::V18 => ("GUARD_TEST_PG18", Path::new(env!("CARGO_MANIFEST_DIR")).join(".test-tools/pg18")),
        };
        let bin = std::env::var_os(variable).map_or(default, PathBuf::from).join("bin");
        let server = bin.join("postgres");
        assert!(server.exists(), "this test needs {}: run scripts/setup, or set {variable}", server.display());
        bin
    }
}

/// A running server. Its superuser is `postgres`; everybody who reaches its socket or its port is trusted.
#[derive(Debug)]
pub struct TestPostgres {
    version: Version,
    dir: TempDir,
    port: u16,
    settings: Vec<String>,
    pid: Pid,
    /// Starts the server, waits for its end. The kernel signals the server when this thread dies with the test.
    keeper: Option<JoinHandle<()>>,
}

impl TestPostgres {
    /// Starts a server with an empty UTF-8 cluster.
    pub fn start(version: Version) -> Self {
        Self::start_with(version, &[])
    }

    /// Starts a server with further settings, such as `log_statement=all`.
    pub fn start_with(version: Version, settings: &[&str]) -> Self {
        Self::start_copy(version, "template", settings)
    }

    /// Starts a server that is not a copy of the others: its system identifier is another one.
    pub fn start_foreign(version: Version, settings: &[&str]) -> Self {
        Self::start_copy(version, "foreign-template", settings)
    }

    fn start_copy(version: Version, name: &str, settings: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("guard-test-pg-").tempdir().expect("a temporary directory");
        let data = dir.path().join("data");
        copy_tree(&template(version, name), &data);
        give_to_server_user(dir.path());
        Self::launch(version, dir, settings)
    }

    fn launch(version: Version, dir: TempDir, settings: &[&str]) -> Self {
        let (port, settings) = (free_port(), settings.iter().map(ToString::to_string).collect::<Vec<_>>());
        let (pid, keeper) = run_server(version, dir.path(), port, &settings);
        let started = Self { version, dir, port, settings, pid, keeper: Some(keeper) };
        started.wait_until_ready();
        started
    }

    /// Starts it again with the same data, once the server that was is gone.
    pub fn restart(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.join().expect("the thread only waits");
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let (pid, keeper) = run_server(self.version, self.dir.path(), self.port, &self.settings);
            (self.pid, self.keeper) = (pid, Some(keeper));
            // While a child of a killed server lives on, the shared memory is in use and no server starts.
            if self.comes_up() || Instant::now() > deadline {
                break;
            }
        }
        self.wait_until_ready();
    }

    /// Which version runs.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Starts a hot standby of this server, which has replayed everything that was committed before.
    #[must_use]
    pub fn start_replica(&self) -> Self {
        let dir = tempfile::Builder::new().prefix("guard-test-pg-").tempdir().expect("a temporary directory");
        let data = dir.path().join("data");
        let mut copy = self.command("pg_basebackup");
        copy.args(["--checkpoint=fast", "--write-recovery-conf", "--no-sync", "-D"]).arg(&data);
        run(copy, b"");
        give_to_server_user(dir.path());
        let replica = Self::launch(self.version, dir, &[]);
        let committed = self.psql("postgres", "SELECT pg_current_wal_lsn()");
        let deadline = Instant::now() + Duration::from_mins(1);
        while replica.psql("postgres", format!("SELECT pg_last_wal_replay_lsn() >= '{committed}'")) != "t" {
            assert!(Instant::now() < deadline, "the replica does not catch up");
            thread::sleep(Duration::from_millis(10));
        }
        replica
    }

    /// A URL for TCP.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The directory of the Unix socket.
    pub fn socket_dir(&self) -> &Path {
        self.dir.path()
    }

    /// The port, for TCP and in the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's main process.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// A client program of this version that connects here, with output pinned as guard pins it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.version.bin_dir().join(program));
        command
            .env("PGHOST", self.socket_dir())
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", "postgres")
            .env("PGTZ", "UTC")
            .env("PGOPTIONS", "-c bytea_output=hex -c lc_monetary=C")
            .env_remove("PGDATABASE");
        command
    }

    /// Runs SQL in a database and returns what it prints; an error fails the test.
    pub fn psql(&self, database: &str, sql: impl AsRef<[u8]>) -> String {
        let mut psql = self.command("psql");
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database]);
        String::from_utf8_lossy(&run(psql, sql.as_ref())).trim_end().to_owned()
    }

    /// Creates a database from the pristine template; `options` as in `ENCODING 'LATIN1' LOCALE 'C'`.
    pub fn create_database(&self, name: &str, options: &str) {
        self.psql("postgres", format!("CREATE DATABASE {name} TEMPLATE template0 {options}"));
    }

    /// Dumps a database through a pipe in the custom format.
    pub fn dump(&self, database: &str) -> Vec<u8> {
        let mut dump = self.command("pg_dump");
        dump.args(["-Fc", "-Z0", database]);
        run(dump, b"")
    }

    /// Restores an archive into an empty database; any error fails the test.
    pub fn restore(&self, database: &str, archive: &[u8]) {
        let mut restore = self.command("pg_restore");
        restore.args(["--exit-on-error", "-d", database]);
        run(restore, archive);
    }

    fn wait_until_ready(&self) {
        if !self.comes_up() {
            let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            panic!("the test server does not start:\n{log}");
        }
    }

    fn comes_up(&self) -> bool {
        let deadline = Instant::now() + Duration::from_mins(1);
        let pid_file = self.dir.path().join("data/postmaster.pid");
        // The server writes its number into the first line of this file, its status into the eighth (`LOCK_FILE_LINE_*`). A
        // killed one leaves it as it was.
        let is_ready = |text: &str| {
            let mut lines = text.lines();
            lines.next() == Some(self.pid.to_string().as_str())
                && lines.nth(6).is_some_and(|line| line.trim() == "ready")
        };
        while !fs::read_to_string(&pid_file).is_ok_and(|text| is_ready(&text)) {
            if self.keeper.as_ref().is_none_or(JoinHandle::is_finished) || Instant::now() > deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        true
    }
}

impl Drop for TestPostgres {
    fn drop(&mut self) {
        // An immediate stop: the data is thrown away. Already gone is as good.
        let _ = kill(self.pid, Signal::SIGQUIT);
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}

/// Runs a program with the given input; its failure fails the test with its own words.
pub fn run(mut command: Command, input: &[u8]) -> Vec<u8> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let output = thread::scope(|scope| {
        // A program may stop reading early; what it says about that is in its exit status.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().expect("the program's output")
    });
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn server_command(version: Version, data: &Path, port: u16) -> Command {
    let mut server = as_server_user(&version.bin_dir().join("postgres"));
    let socket_dir = data.parent().unwrap_or(data).display();
    server.arg("-D").arg(data).args(["-p", &port.to_string(), "-k", &socket_dir.to_string()]);
    let settings = ["listen_addresses=127.0.0.1", "fsync=off", "synchronous_commit=off", "full_page_writes=off"];
    let sizes =
        ["shared_buffers=32MB", "max_wal_size=4GB", "max_connections=40", "autovacuum=off", "wal_level=logical"];
    server.args(settings.iter().chain(&sizes).flat_map(|setting| ["-c", setting]));
    server
}

/// Starts a server on a directory that has its data.
fn run_server(version: Version, dir: &Path, port: u16, settings: &[String]) -> (Pid, JoinHandle<()>) {
    let mut server = server_command(version, &dir.join("data"), port);
    server.args(settings.iter().flat_map(|setting| ["-c", setting]));
    let log = fs::File::create(dir.join("log")).expect("a log file");
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    keep_running(server)
}

/// Starts a child in a thread that lives as long as the child does.
fn keep_running(mut command: Command) -> (Pid, JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel();
    let keeper = thread::spawn(move || {
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let pid = i32::try_from(child.id()).expect("process ids are positive ints");
        sender.send(Pid::from_raw(pid)).ok();
        child.wait().ok();
    });
    (receiver.recv().expect("the server's process"), keeper)
}

/// The server refuses to run as root. It also has to end with the test, however that ends.
fn as_server_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]).arg(program).current_dir("/");
    if let Some(user) = server_user() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

fn server_user() -> Option<User> {
    geteuid().is_root().then(|| User::from_name("postgres").ok().flatten().expect("the user postgres"))
}

fn give_to_server_user(dir: &Path) {
    let Some(user) = server_user() else { return };
    let mut chown = Command::new("chown");
    chown.arg("-R").arg(format!("{}:{}", user.uid, user.gid)).arg(dir);
    run(chown, b"");
}

fn copy_tree(from: &Path, to: &Path) {
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(from).arg(to);
    run(copy, b"");
}

/// A pristine cluster, made once per build directory: initdb costs a second, a copy a tenth of one.
fn template(version: Version, name: &str) -> PathBuf {
    let templates = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let template = templates.join(format!("postgres-{version:?}-{name}"));
    if template.exists() {
        return template;
    }
    let dir = tempfile::Builder::new().prefix("guard-test-initdb-").tempdir().expect("a temporary directory");
    give_to_server_user(dir.path());
    let data = dir.path().join("data");
    let mut initdb = as_server_user(&version.bin_dir().join("initdb"));
    initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"]).arg(&data);
    run(initdb, b"");
    // Tests run at the same time: each makes its own, the first rename wins.
    let own = tempfile::Builder::new().prefix("postgres-").tempdir_in(templates).expect("a directory");
    copy_tree(&data, &own.path().join("data"));
    fs::rename(own.path().join("data"), &template).ok();
    assert!(template.exists(), "{} cannot be made", template.display());
    template
}
