//! A MariaDB server of the test's own, on a socket in its own directory, with a fresh database for each example.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    directory: tempfile::TempDir,
    child: Child,
    n_databases: AtomicUsize,
}

/// A database that is dropped when this is.
pub(crate) struct Database<'s> {
    server: &'s Server,
    name: String,
}

/// A connection that keeps a transaction open; it ends when this is dropped.
pub(crate) struct Reader(Child);

impl Server {
    /// Starts a server that no network reaches.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let data = directory.path().join("data");
        let mut install = Command::new("mariadb-install-db");
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        install.arg(format!("--datadir={}", data.display())).args(as_this_user());
        let output =
            install.stdin(Stdio::null()).output().expect("mariadb-install-db is installed: the proof needs MariaDB");
        assert!(output.status.success(), "mariadb-install-db: {}", String::from_utf8_lossy(&output.stderr));
        let log = std::fs::File::create(directory.path().join("log")).expect("a log can be made");
        let mut command = Command::new(daemon());
        command.args([
            "--no-defaults",
            "--skip-networking",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=32M",
        ]);
        command.args(["--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"]);
        command.arg(format!("--datadir={}", data.display())).args(as_this_user());
        command.arg(format!("--socket={}", directory.path().join("socket").display()));
        command.arg(format!("--pid-file={}", directory.path().join("pid").display()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("mariadbd starts");
        let server = Self { directory, child, n_databases: AtomicUsize::new(0) };
        let ready = Command::new("mariadb-admin")
            .arg("--no-defaults")
            .arg(format!("--socket={}", server.socket().display()))
            .args(["--user=root", "--wait=60", "--silent", "ping"])
            .status();
        assert!(ready.expect("mariadb-admin runs").success(), "the server answers");
        server
    }

    /// Its version, as pages name it: `MariaDB 10.11`.
    pub(crate) fn version(&self) -> String {
        let version = self.client("", "SELECT @@version;", &[]).expect("the server tells its version");
        let numbers: Vec<&str> = version.trim().split(['.', '-']).take(2).collect();
        format!("MariaDB {}", numbers.join("."))
    }

    /// A fresh, empty database.
    pub(crate) fn database(&self) -> Database<'_> {
        let name = format!("example_{}", self.n_databases.fetch_add(1, Ordering::Relaxed));
        self.client("", &format!("CREATE DATABASE {name};"), &[]).expect("a database can be made");
        Database { server: self, name }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    fn command(&self, database: &str) -> Command {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names", "--unbuffered"]);
        command.arg(format!("--socket={}", self.socket().display()));
        if !database.is_empty() {
            command.arg(database);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Statements one by one, as a client that stops at the first error.
    fn client(&self, database: &str, sql: &str, arguments: &[&str]) -> Result<String, String> {
        let mut child = self.command(database).args(arguments).spawn().expect("the client starts");
        child.stdin.take().expect("its input is a pipe").write_all(sql.as_bytes()).expect("the client reads");
        let Output { status, stdout, stderr } = child.wait_with_output().expect("the client ends");
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        let stderr = String::from_utf8_lossy(&stderr);
        Err(stderr
            .lines()
            .find(|line| line.starts_with("ERROR"))
            .map_or_else(|| stderr.trim().to_owned(), without_line))
    }
}

impl Database<'_> {
    /// Runs statements; the error is the server's, without its line and without what differs from one proof to the
    /// next: the number of the database, and those of the process and the connection in the name of a table's copy.
    pub(crate) fn run(&self, sql: &str) -> Result<String, String> {
        let outcome = self.server.client(&self.name, sql, &[]);
        outcome.map_err(|error| cut(&error.replace(&self.name, "example"), "-alter-", "`"))
    }

    /// A transaction that has read the table and stays open.
    pub(crate) fn reader(&self, table: &str) -> Reader {
        let mut child = self.server.command(&self.name).spawn().expect("the client starts");
        let input = child.stdin.as_mut().expect("its input is a pipe");
        writeln!(input, "START TRANSACTION; SELECT count(*) FROM {table};").expect("the client reads");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output is a pipe")).read_line(&mut line).expect("a row comes");
        Reader(child)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Database<'_> {
    /// Accounts and server settings outlive a database: they go too.
    fn drop(&mut self) {
        let _ = self.server.client("", &format!("DROP DATABASE IF EXISTS {};", self.name), &[]);
        let _ = self.server.client(
            "",
            "DROP DATABASE IF EXISTS app; DROP USER IF EXISTS 'app'@'%', 'app'@'localhost', 'reader'@'%';",
            &[],
        );
        let _ = self.server.client("", "SET GLOBAL log_bin_trust_function_creators = DEFAULT;", &[]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Debian keeps the server outside the path of ordinary users.
fn daemon() -> PathBuf {
    ["/usr/sbin/mariadbd", "/usr/bin/mariadbd", "/usr/local/bin/mariadbd"]
        .iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .expect("a MariaDB server is installed: the proof needs one")
}

/// The server runs as root only if told so.
fn as_this_user() -> Option<&'static str> {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    is_root.then_some("--user=root")
}

/// The client writes `ERROR 1064 (42000) at line 3: `.
fn without_line(line: &str) -> String {
    cut(line, " at line ", ": ")
}

/// The text without what begins with `start`, up to the next `end`.
fn cut(text: &str, start: &str, end: &str) -> String {
    let Some((head, tail)) = text.split_once(start) else { return text.to_owned() };
    tail.find(end).map_or_else(|| text.to_owned(), |at| format!("{head}{}", &tail[at..]))
}
