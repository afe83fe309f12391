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

    /// What is wrong with each page at this width, by the rules of `audit.js`, and its text as a reader sees it. The pages are
    /// laid out in frames of a test's own document, because they run no script themselves.
    pub fn audit(&self, pages: &[String], view: View) -> Vec<(Vec<String>, String)> {
        let file = self.profile.path().join("audit.html");
        let embedded = serde_json::to_string(pages).expect("texts").replace("</", "<\\/").replace("<!--", "<\\!--");
        let wrapper = AUDIT_PAGE
            .replace("WIDTH", &view.width.to_string())
            .replace("AUDIT", include_str!("audit.js"))
            .replace("PAGES", &embedded);
        std::fs::write(&file, wrapper).expect("the wrapper");
        // A window is never as narrow as a phone; the frame is.
        let (dom, _) = self.dom(&format!("file://{}", file.display()), View { width: 1400, ..view });
        let found = dom.split("<pre>").nth(1).and_then(|rest| rest.split("</pre>").next()).unwrap_or_default();
        let found = percent_encoding::percent_decode_str(found).decode_utf8().expect("text");
        let found: Vec<_> = serde_json::from_str(&found).unwrap_or_else(|error| panic!("{error}: {found}"));
        assert_eq!(found.len(), pages.len(), "every page was looked at");
        found
    }

    fn run(&self, view: View, args: &[&str]) -> Output {
        let View { width, height, dark } = view;
        let mut command = Command::new(&self.program);
        command.args(ALWAYS).arg(format!("--user-data-dir={}", self.profile.path().display()));
        command.arg(format!("--window-size={width},{height}"));
        command.arg(format!("--blink-settings=preferredColorScheme={}", i32::from(!dark)));
        command.args(args).env("HOME", self.profile.path()).stdin(Stdio::null());
        let output = command.output().expect("Chromium runs");
        assert!(output.status.success(), "Chromium failed: {}", String::from_utf8_lossy(&output.stderr));
        output
    }
}

const AUDIT_PAGE: &str = "<!doctype html><meta charset=utf-8><title>audit</title><pre></pre>
<script>
AUDIT
const show = (html) => new Promise((done) => {
  const frame = document.createElement('iframe');
  frame.width = WIDTH;
  frame.height = 900;
  frame.style.border = 0;
  frame.onload = () => done([audit(frame.contentDocument, WIDTH), frame.contentDocument.body.innerText]);
  frame.srcdoc = html;
  document.body.append(frame);
});
Promise.all(PAGES.map(show)).then((found) => {
  document.querySelector('pre').textContent = encodeURIComponent(JSON.stringify(found));
});
</script>";

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
