//! A session with a test server that stays open: what it begins and locks lasts until it is dropped.

use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};

use super::postgres::TestPostgres;
use super::process::{SOON, wait_for};

/// An open `psql`.
#[derive(Debug)]
pub struct OpenSession<'a> {
    server: &'a TestPostgres,
    name: String,
    psql: Child,
    input: Option<ChildStdin>,
}

impl<'a> OpenSession<'a> {
    /// Opens a session that `pg_stat_activity` shows under this name.
    pub fn open(server: &'a TestPostgres, database: &str, name: &str) -> Self {
        let mut psql = server.command("psql");
        psql.args(["-Xq", "-d", database]).env("PGAPPNAME", name).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut psql = psql.spawn().expect("psql runs");
        let input = psql.stdin.take();
        Self { server, name: name.to_owned(), psql, input }
    }

    /// Opens one that holds an ACCESS EXCLUSIVE lock on a table.
    #[track_caller]
    pub fn locking(server: &'a TestPostgres, database: &str, table: &str) -> Self {
        let mut session = Self::open(server, database, "test locker");
        session.send(&format!("BEGIN; LOCK TABLE {table};"));
        session.wait_until("state = 'idle in transaction'");
        session
    }

    /// Sends statements and does not wait for them.
    pub fn send(&mut self, sql: &str) {
        let input = self.input.as_mut().expect("it is open");
        writeln!(input, "{sql}").expect("psql reads");
    }

    /// Waits until this condition holds for its row in `pg_stat_activity`.
    #[track_caller]
    pub fn wait_until(&self, condition: &str) {
        wait_for(condition, SOON, || self.is(condition).then_some(()));
    }

    /// Whether this condition holds for its row in `pg_stat_activity`.
    pub fn is(&self, condition: &str) -> bool {
        let sql =
            format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}' AND {condition}", self.name);
        self.server.psql("postgres", sql) == "1"
    }

    /// The server process of the session.
    pub fn pid(&self) -> String {
        let sql = format!("SELECT pid FROM pg_stat_activity WHERE application_name = '{}'", self.name);
        self.server.psql("postgres", sql)
    }
}

impl Drop for OpenSession<'_> {
    fn drop(&mut self) {
        drop(self.input.take());
        // Busy with a statement, it would not see the end of its input before that ends.
        let _ = self.psql.kill();
        let _ = self.psql.wait();
        let end =
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}'", self.name);
        if !std::thread::panicking() {
            self.server.psql("postgres", end);
        }
    }
}
