//! A small file system of a test's own: a tmpfs in a mount namespace that a helper process holds, reached through
//! `/proc/<pid>/root`. Nothing is mounted that anybody else sees, and it is gone with the helper.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// Mounts a tmpfs of size `$2` on `$1` and then obeys the one command there is.
const HOLDER: &str = r#"
set -e
mount -t tmpfs -o "size=$2" tmpfs "$1"
echo ready
while read -r _; do mount -o remount,ro "$1"; echo read-only; done
"#;

/// A mounted tmpfs.
#[derive(Debug)]
pub struct Mount {
    holder: Child,
    answers: BufReader<ChildStdout>,
    point: TempDir,
}

impl Mount {
    /// Mounts a tmpfs of `size` (as `mount` takes it). Root needs no more; anybody else needs user namespaces.
    pub fn new(size: &str) -> Self {
        let point = tempfile::tempdir().unwrap();
        let namespaces =
            if nix::unistd::geteuid().is_root() { &["--mount"][..] } else { &["--mount", "--user", "--map-root-user"] };
        let mut holder = Command::new("unshare")
            .args(namespaces)
            .args(["sh", "-c", HOLDER, "sh"])
            .arg(point.path())
            .arg(size)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`unshare` is part of util-linux");
        let answers = BufReader::new(holder.stdout.take().unwrap());
        let mut mount = Self { holder, answers, point };
        mount.expect("ready");
        mount
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        let outside = Path::new("/proc").join(self.holder.id().to_string()).join("root");
        outside.join(self.point.path().strip_prefix("/").unwrap())
    }

    /// From now on nothing can be written to it.
    pub fn make_read_only(&mut self) {
        let input = self.holder.stdin.as_mut().unwrap();
        input.write_all(b"read-only\n").unwrap();
        self.expect("read-only");
    }

    fn expect(&mut self, answer: &str) {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), answer, "this test must be allowed to mount a tmpfs in a namespace of its own");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
