//! A real Chromium without a window: what it makes of a page, as a document and as a picture.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A browser with a profile of its own, which goes when this is dropped.
#[derive(Debug)]
pub struct Chromium {
    profile: TempDir,
    program: PathBuf,
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// Whether the reader prefers dark.
    pub dark: bool,
}

impl Chromium {
    /// The system's. A missing browser fails the test: it must never pass for want of one.
    pub fn of_system() -> Self {
        let named = std::env::var_os("GUARD_TEST_CHROMIUM").map(PathBuf::from);
        let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].map(PathBuf::from);
        let program = named.into_iter().chain(usual).find(|path| path.exists());
        let program = program.expect("this test needs Chromium: run scripts/setup, or set GUARD_TEST_CHROMIUM");
        Self { profile: tempfile::tempdir().expect("a temporary directory"), program }
    }

    /// The document after it was loaded (and its scripts have run, if it had any), and what the console said.
    pub fn dom(&self, url: &str, view: View) -> (String, Vec<String>) {
        let output = self.run(view, &["--dump-dom", url]);
        (String::from_utf8_lossy(&output.stdout).into_owned(), console(&output))
    }

    /// Takes a picture into a PNG file.
    pub fn picture(&self, url: &str, view: View, file: &Path) -> Vec<String> {
        let screenshot = format!("--screenshot={}", file.display());
        console(&self.run(view, &[&screenshot, "--hide-scrollbars", url]))
    }

    fn run(&self, view: View, args: &[&str]) -> Output {
        let View { width, height, dark } = view;
        let mut command = Command::new(&self.program);
        command.args(ALWAYS).arg(format!("--user-data-dir={}", self.profile.path().display()));
        command.arg(format!("--window-size={width},{height}"));
        command.arg(format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }));
        command.args(args).env("HOME", self.profile.path()).stdin(Stdio::null());
        let output = command.output().expect("Chromium runs");
        assert!(output.status.success(), "Chromium failed: {}", String::from_utf8_lossy(&output.stderr));
        output
    }
}

/// What a test's browser needs, and what keeps it from asking the world for anything.
const ALWAYS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--enable-logging=stderr",
    "--virtual-time-budget=2000",
];

/// What the page, or the policy that it broke, wrote to the console.
fn console(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().filter(|line| line.contains("CONSOLE")).map(ToOwned::to_owned).collect()
}
