//! guard as a process among others: started, signalled, looked at while it runs; everything that it started is found again
//! by a mark in the environment, whoever the parent is by then.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long anything may take that should take no time, on a machine whose processors are somebody else's for a while.
pub const SOON: Duration = Duration::from_secs(60);

const MARK: &str = "TEST_MARK";

/// A started program. Dropped, it and whatever it started are killed.
#[derive(Debug)]
pub struct Running {
    child: Option<Child>,
    pid: Pid,
    mark: String,
}

/// A living process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// Its command line.
    pub command: String,
}

impl Running {
    /// Starts a program.
    pub fn start(mut command: Command) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let mark = format!("{MARK}={}-{}-", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let (name, value) = mark.split_once('=').expect("the mark has a value");
        let child = command.env(name, value).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("process ids are positive ints"));
        Self { child: Some(child), pid, mark }
    }

    /// Its number.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends it a signal; gone is as good.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(self.pid, signal);
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().expect("a child of ours").is_none())
    }

    /// Waits for its end, but not for ever.
    #[track_caller]
    pub fn end_within(mut self, limit: Duration) -> Output {
        wait_for("the program's end", limit, || (!self.is_running()).then_some(()));
        let child = self.child.take().expect("it is taken here alone");
        child.wait_with_output().expect("the program's output")
    }

    /// What lives of all that it started, itself excepted.
    pub fn started(&self) -> Vec<Process> {
        let mut found = living_with(&self.mark);
        found.retain(|process| process.pid != self.pid);
        found
    }

    /// The process of a program that it started for its work, not just to learn its version.
    pub fn find(&self, program: &str) -> Option<Pid> {
        let is_it = |process: &Process| {
            let name = process.command.split(' ').next().unwrap_or_default();
            name.rsplit('/').next() == Some(program) && !process.command.contains("--version")
        };
        self.started().into_iter().find(is_it).map(|process| process.pid)
    }

    /// Waits until it has started this program.
    #[track_caller]
    pub fn wait_for(&mut self, program: &str, limit: Duration) -> Pid {
        wait_for(program, limit, || {
            let found = self.find(program);
            assert!(found.is_some() || self.is_running(), "it ended without {program}");
            found
        })
    }

    /// The same, and has it stand still there: until it is told to go on (`SIGCONT`) it comes no further.
    #[track_caller]
    pub fn stop_at(&mut self, program: &str, limit: Duration) -> Pid {
        self.stop_when(program, limit, |it| it.find(program))
    }

    /// Has it stand still as soon as there is something to see.
    #[track_caller]
    pub fn stop_when<T>(&mut self, what: &str, limit: Duration, look: impl Fn(&Self) -> Option<T>) -> T {
        wait_for(what, limit, || {
            let seen = look(self);
            assert!(seen.is_some() || self.is_running(), "it ended without {what}");
            seen?;
            self.signal(Signal::SIGSTOP);
            // It may have been over in the moment between.
            let seen = look(self);
            if seen.is_none() {
                self.signal(Signal::SIGCONT);
            }
            seen
        })
    }

    /// A look at what it started that can be taken after it has ended.
    pub fn offspring(&self) -> Offspring {
        Offspring(self.mark.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
            for left in living_with(&self.mark) {
                let _ = kill(left.pid, Signal::SIGKILL);
            }
        }
    }
}

/// Everything that a program started.
#[derive(Debug, Clone)]
pub struct Offspring(String);

impl Offspring {
    /// Fails the test unless all of it is gone before long.
    #[track_caller]
    pub fn is_gone_soon(&self) {
        let mut left = Vec::new();
        let gone = within(SOON, || {
            left = living_with(&self.0);
            left.is_empty().then_some(())
        });
        assert!(gone.is_some(), "still alive: {left:#?}");
    }
}

/// Writes a program. Another process does it: a file that is open for writing cannot be run, and whatever another test is just
/// starting holds a copy of what is open here for a while.
pub fn write_program(path: &Path, text: &str) {
    let mut writer = Command::new("sh");
    writer.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(path);
    super::postgres::run(writer, text.as_bytes());
}

/// Looks again and again until there is something to see.
#[track_caller]
pub fn wait_for<T>(what: &str, limit: Duration, look: impl FnMut() -> Option<T>) -> T {
    within(limit, look).unwrap_or_else(|| panic!("waited {limit:?} in vain for {what}"))
}

/// Looks again and again until there is something to see or the time is up.
pub fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if Instant::now() > deadline {
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// How a program ended, in words.
pub fn ending(output: &Output) -> String {
    match (output.status.code(), output.status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an odd end".to_owned(),
    }
}

/// The largest resident size that a running process ever had, in KiB.
pub fn peak_kib(pid: Pid) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

fn living_with(mark: &str) -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc is there").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    // The dead have no environment.
    let is_marked = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    let described = |pid: i32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        Process { pid: Pid::from_raw(pid), command }
    };
    pids.filter(is_marked).map(described).collect()
}
