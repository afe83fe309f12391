//! A SQLite database in a file of its own, asked through the `sqlite3` program, and what it looks like from outside.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

/// A database that goes with its directory.
pub(crate) struct Database(tempfile::TempDir);

/// All that a database holds: objects with their text, tables with their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<String, String>);

/// The version as pages name it: `SQLite 3.40`.
pub(crate) fn version() -> String {
    let output = Command::new("sqlite3").arg("--version").output().expect("the proof needs the program sqlite3");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<&str> = text.split(['.', ' ']).take(2).collect();
    format!("SQLite {}", numbers.join("."))
}

impl Database {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory can be made"))
    }

    /// Runs statements on a connection of its own, with foreign keys on as frameworks have them; stops at the first error.
    pub(crate) fn run(&self, sql: &str) -> Result<String, String> {
        let mut command = Command::new("sqlite3");
        command.args(["-batch", "-bail", "-init", "/dev/null", "-separator", "\t"]).arg(self.0.path().join("db"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the proof needs the program sqlite3");
        let script = format!("PRAGMA foreign_keys = ON;\n{sql}\n");
        // It stops reading at the first error.
        let _ = child.stdin.take().expect("its input is a pipe").write_all(script.as_bytes());
        let output = child.wait_with_output().expect("the program ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.status.success() && stderr.is_empty() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let line = stderr.lines().next().unwrap_or_default();
        Err(line.split_once(": ").map_or(line, |(_, message)| message).to_owned())
    }

    /// Looks at everything.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let objects = self
            .run("SELECT type || ':' || name, replace(coalesce(sql, ''), char(10), ' ') FROM sqlite_master;")
            .expect("the catalogue can be read");
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for (key, sql) in objects.lines().filter_map(|line| line.split_once('\t')) {
            found.insert(key.to_owned(), sql.to_owned());
            if let Some(table) = key.strip_prefix("table:") {
                let rows = self.run(&format!("SELECT * FROM \"{table}\";")).unwrap_or_default();
                found.insert(format!("count:{table}"), rows.lines().count().to_string());
                found.insert(format!("rows:{table}"), rows);
            }
        }
        Snapshot(found)
    }
}

impl Snapshot {
    /// What is gone: objects, and rows.
    pub(crate) fn lost(&self, after: &Self) -> Vec<String> {
        let is_fewer = |key: &str, before: &str, now: &str| {
            key.starts_with("count:") && now.parse::<u64>().ok() < before.parse::<u64>().ok()
        };
        let lost = self.0.iter().filter(|(key, before)| match after.0.get(*key) {
            None => !key.starts_with("rows:"),
            Some(now) => is_fewer(key, before, now),
        });
        lost.map(|(key, _)| key.clone()).collect()
    }

    /// What differs, in words; empty if nothing does.
    pub(crate) fn change_to(&self, after: &Self) -> String {
        let mut changes = Vec::new();
        for (key, before) in &self.0 {
            match after.0.get(key) {
                None => changes.push(format!("{key} gone")),
                Some(now) if now == before => {}
                Some(_) if key.starts_with("rows:") => changes.push(format!("{key} differ")),
                Some(now) => changes.push(format!("{key}: {before} becomes {now}")),
            }
        }
        changes.extend(after.0.keys().filter(|key| !self.0.contains_key(*key)).map(|key| format!("{key} new")));
        changes.join("; ")
    }
}
