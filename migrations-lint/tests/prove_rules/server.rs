//! A PostgreSQL server of the test's own, with a fresh database for each example.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where Debian and the PostgreSQL project install servers, newest last.
const INSTALLED: &str = "/usr/lib/postgresql";

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    directory: tempfile::TempDir,
    bin: PathBuf,
    n_databases: AtomicUsize,
}

/// A database that is dropped when this is.
pub(crate) struct Database<'s> {
    server: &'s Server,
    name: String,
}

impl Server {
    /// Starts a server that listens on a socket in its own directory only.
    pub(crate) fn start() -> Self {
        let bin = binaries();
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        if is_root() {
            let status = Command::new("chown").arg("postgres").arg(directory.path()).status().expect("chown runs");
            assert!(status.success(), "the server's user owns its directory");
        }
        let server = Self { directory, bin, n_databases: AtomicUsize::new(0) };
        let data = server.data();
        server.tool(
            "initdb",
            &["-D", path(&data), "-U", "prover", "-A", "trust", "--no-sync", "--locale=C", "--encoding=UTF8"],
        );
        let options =
            format!("-k {} -c listen_addresses= -c fsync=off -c autovacuum=off", path(server.directory.path()));
        let log = server.directory.path().join("log");
        server.tool("pg_ctl", &["-D", path(&data), "-l", path(&log), "-o", &options, "-w", "start"]);
        server
    }

    /// A fresh, empty database.
    pub(crate) fn database(&self) -> Database<'_> {
        let name = format!("example_{}", self.n_databases.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}")).expect("a database can be made");
        Database { server: self, name }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// PostgreSQL refuses to run as root.
    fn tool(&self, name: &str, arguments: &[&str]) {
        let program = self.bin.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let output = command.args(arguments).stdin(Stdio::null()).output().expect("the server's tools run");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Statements one by one, as a client that stops at the first error; the answer holds rows and warnings.
    fn psql(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut command = Command::new(self.bin.join("psql"));
        command.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-F",
            " ",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "prover",
            "-d",
            database,
            "-h",
        ]);
        let mut child = command
            .arg(self.directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("psql starts");
        std::io::Write::write_all(&mut child.stdin.take().expect("psql's input is a pipe"), sql.as_bytes())
            .expect("psql reads");
        let Output { status, stdout, stderr } = child.wait_with_output().expect("psql ends");
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        if status.success() { Ok(format!("{stdout}{}", only_warnings(&stderr))) } else { Err(first_error(&stderr)) }
    }
}

impl Database<'_> {
    /// Runs statements; the error is the server's, without its position.
    pub(crate) fn run(&self, sql: &str) -> Result<String, String> {
        self.server.psql(&self.name, sql)
    }

    /// Runs statements of which the last gives rows.
    pub(crate) fn query(&self, sql: &str) -> Result<String, String> {
        self.run(sql)
    }
}

impl Drop for Database<'_> {
    /// Roles and server settings outlive a database: they go too.
    fn drop(&mut self) {
        let _ = self.server.psql("postgres", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        let _ = self.server.psql("postgres", "ALTER SYSTEM RESET ALL");
        for role in ["app", "app_reader", "reader"] {
            let _ = self.server.psql("postgres", &format!("DROP ROLE IF EXISTS {role}"));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tool("pg_ctl", &["-D", path(&self.data()), "-m", "immediate", "-w", "stop"]);
    }
}

fn binaries() -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir(INSTALLED)
        .map(|entries| entries.filter_map(|entry| entry.ok().map(|entry| entry.path().join("bin"))).collect())
        .unwrap_or_default();
    versions.retain(|bin| bin.join("initdb").exists());
    versions.sort();
    versions.pop().expect("a PostgreSQL server is installed: the proof needs one")
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("temporary paths are UTF-8")
}

fn only_warnings(stderr: &str) -> String {
    stderr.lines().filter(|line| line.contains("WARNING")).map(strip_position).collect::<Vec<_>>().join(" ")
}

fn first_error(stderr: &str) -> String {
    stderr.lines().find(|line| line.contains("ERROR")).map_or_else(|| stderr.trim().to_owned(), strip_position)
}

/// psql puts `psql:<stdin>:3: ` before it.
fn strip_position(line: &str) -> String {
    let start = ["ERROR", "WARNING"].iter().filter_map(|word| line.find(word)).min().unwrap_or(0);
    line[start..].to_owned()
}
