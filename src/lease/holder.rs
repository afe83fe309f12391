//! Who holds a lease: a process, named so that people find it and that its death can be seen from the same machine.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A process on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The host's name.
    pub host: String,
    /// The process's number there.
    pub pid: u32,
    /// The version of guard.
    pub guard: String,
    /// The boot, the process namespace and the process's start: who has the same of the first two can see whether the
    /// process still lives. Empty where the system does not say.
    #[serde(default)]
    pub machine: String,
    /// When the process started, in the system's own ticks since the boot.
    #[serde(default)]
    pub started: String,
}

impl Holder {
    /// This process.
    pub fn of_this_process() -> Self {
        let pid = std::process::id();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let machine = match (boot.trim(), namespace.to_string_lossy()) {
            ("", _) => String::new(),
            (_, namespace) if namespace.is_empty() => String::new(),
            (boot, namespace) => format!("{boot} {namespace}"),
        };
        Self {
            host: host.trim().to_owned(),
            pid,
            guard: env!("CARGO_PKG_VERSION").to_owned(),
            machine,
            started: start_of(pid).unwrap_or_default(),
        }
    }

    /// Whether `observer`, a process that runs now, knows for certain that this one has ended: it would see it. Then its
    /// lease need not run out first.
    pub fn is_known_dead(&self, observer: &Self) -> bool {
        let can_see = !self.machine.is_empty() && self.machine == observer.machine && !self.started.is_empty();
        can_see && start_of(self.pid).is_none_or(|started| started != self.started)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

/// Field 22 of `/proc/<pid>/stat`, counted behind the program's name, which may hold anything (proc(5)). The dead who were
/// not yet waited for count as dead.
fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    (state != "Z" && state != "X").then(|| fields.nth(18).map(str::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Holder, start_of};

    #[test]
    fn the_death_of_a_process_is_seen_on_its_own_machine_alone() {
        let here = Holder::of_this_process();
        assert!(!here.is_known_dead(&here));
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let started = start_of(child.id()).unwrap();
        let other = Holder { pid: child.id(), started, ..here.clone() };
        assert!(!other.is_known_dead(&here));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(other.is_known_dead(&here));
        let elsewhere = Holder { machine: "another boot".to_owned(), ..other.clone() };
        assert!(!elsewhere.is_known_dead(&here));
        let unknown = Holder { machine: String::new(), ..other };
        assert!(!unknown.is_known_dead(&Holder { machine: String::new(), ..here.clone() }));
        let reused = Holder { started: "1".to_owned(), ..here.clone() };
        assert!(reused.is_known_dead(&here), "another process has its number now");
    }
}
