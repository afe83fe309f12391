//! Daemons to look at: each with a directory and a log of its own, all of them with the same store if a test wants that.

#![allow(dead_code, reason = "shared by several test binaries")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use chrono::Timelike as _;
use guard::store::Key;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::guard::Guard;
use crate::support::process::{Offspring, Running, wait_for};

/// How long anything may take that a daemon does at once.
pub(crate) const LONG: Duration = Duration::from_mins(2);

/// A time of day that was missed half a day ago and does not come again for as long.
pub(crate) static DUE: LazyLock<String> =
    LazyLock::new(|| format!("0 {} * * *", (chrono::Utc::now() - chrono::TimeDelta::hours(12)).hour()));

/// Everything is due at once: what was missed is made up for.
pub(crate) static DAILY: LazyLock<String> =
    LazyLock::new(|| format!("sources = [\"*\"]\ntimezone = \"UTC\"\nbackup = \"{}\"\n", *DUE));

/// A user who runs a daemon.
pub(crate) struct Site {
    pub(crate) guard: Guard,
}

/// A daemon that runs.
pub(crate) struct Daemon {
    running: Running,
    log: PathBuf,
}

impl Site {
    /// With this configuration, and one schedule.
    pub(crate) fn new(guard: Guard, toml: &str, schedule: &str) -> Self {
        guard.configure(&format!("[http]\nlisten = \"127.0.0.1:0\"\n{toml}"));
        let site = Self { guard };
        site.schedule(schedule);
        site
    }

    /// Writes the schedule anew.
    pub(crate) fn schedule(&self, schedule: &str) {
        let dir = self.guard.dir().join("schedules");
        fs::create_dir_all(&dir).expect("a directory");
        fs::write(dir.join("plan.toml"), schedule).expect("a schedule");
    }

    /// Starts a daemon, whose log is read while it runs.
    pub(crate) fn start(&self) -> Daemon {
        let log = tempfile::Builder::new().prefix("log-").tempfile_in(self.guard.dir()).expect("a file");
        let (file, path) = log.keep().expect("a file that stays");
        let mut command = self.guard.command(&["run", "--log-format", "json", "-vv"]);
        command.stderr(file.try_clone().unwrap_or_else(|_| File::create(&path).expect("a file")));
        Daemon { running: Running::start(command), log: path }
    }

    /// What the records of the schedule's slots say, by time.
    pub(crate) fn slots(&self) -> Vec<(String, Value)> {
        documents(&self.guard.store().join("leases/plan"))
    }

    /// The names of slots with this state.
    pub(crate) fn slots_in(&self, state: &str) -> Vec<String> {
        self.slots().into_iter().filter(|(_, record)| record["state"] == state).map(|(name, _)| name).collect()
    }

    /// The manifests of a source's backups.
    pub(crate) fn manifests(&self, source: &str) -> Vec<Value> {
        let folders = fs::read_dir(self.guard.store().join(source)).into_iter().flatten().flatten();
        let manifests = folders.filter_map(|folder| fs::read(folder.path().join("manifest.json")).ok());
        let documents = manifests.map(|text| serde_json::from_slice::<Value>(&text).expect("a manifest"));
        // A tombstone lies where the manifest of a removed backup was.
        documents.filter(|document| document["deleted"].is_null()).collect()
    }
}

impl Daemon {
    /// Every line of the log so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        // The last line may be half written.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }

    /// Lines with this message.
    pub(crate) fn said(&self, message: &str) -> Vec<Value> {
        self.log().into_iter().filter(|line| line["message"] == message).collect()
    }

    /// Waits for something, and shows the log if it does not come.
    #[track_caller]
    pub(crate) fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = std::time::Instant::now() + LONG;
        wait_for(what, LONG * 2, || {
            let seen = look();
            assert!(
                seen.is_some() || std::time::Instant::now() < deadline,
                "waited in vain for {what}:\n{}",
                fs::read_to_string(&self.log).unwrap_or_default()
            );
            seen
        })
    }

    /// Waits for a line with this message.
    #[track_caller]
    pub(crate) fn wait_for_line(&self, message: &str) -> Value {
        self.wait(message, || self.said(message).pop())
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.running.signal(signal);
    }

    /// Waits until a program that it has started runs.
    #[track_caller]
    pub(crate) fn wait_for_program(&mut self, program: &str) {
        self.running.wait_for(program, LONG);
    }

    /// Has it stop in good order. Nothing of it is left, and it never warned or complained of anything else than this.
    #[track_caller]
    pub(crate) fn stop(self, expected: &[&str]) -> Vec<Value> {
        self.signal(Signal::SIGTERM);
        let (offspring, log): (Offspring, PathBuf) = (self.running.offspring(), self.log.clone());
        let output = self.running.end_within(LONG);
        let said = fs::read_to_string(&log).unwrap_or_default();
        assert_eq!(output.status.code(), Some(0), "{said}");
        offspring.is_gone_soon();
        let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let is_bad = |line: &&Value| line["level"] == "WARN" || line["level"] == "ERROR";
        for line in lines.iter().filter(is_bad) {
            let message = line["message"].as_str().unwrap_or_default();
            assert!(expected.contains(&message), "an unexpected line: {line}");
        }
        lines
    }

    /// Whether a program that it has started runs.
    pub(crate) fn is_running_program(&self, program: &str) -> bool {
        self.running.find(program).is_some()
    }

    /// Kills it at once.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Kills it at once, and reads what it said until then.
    pub(crate) fn kill_and_read(self) -> Vec<Value> {
        let log = self.log.clone();
        drop(self);
        let text = fs::read_to_string(&log).unwrap_or_default();
        // It may have died in the middle of a line.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

fn documents(dir: &Path) -> Vec<(String, Value)> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_object =
        |name: &str| name.parse::<Key>().is_ok() && Path::new(name).extension().is_some_and(|it| it == "json");
    let mut found: Vec<(String, Value)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|name| is_object(name))?;
            // One that is being replaced right now is read next time.
            let record = serde_json::from_slice(&fs::read(entry.path()).ok()?).ok()?;
            Some((name, record))
        })
        .collect();
    found.sort_by(|one, two| one.0.cmp(&two.0));
    found
}
