//! `guard doctor`: what works, what does not, and the way out, found by real requests and real connections.

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::exit::{CliError, Exit};
use super::output::{self, Answer};
use super::{Session, workbench};
use crate::config::{Loaded, effective, load};

mod host;
mod source;
mod store;

/// Nothing but what every command takes: what to look at stands in the configuration.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// What it is about: `config`, `store`, `source`, `scratch`, `schedule`, `notify`, `http`.
    area: &'static str,
    /// Which of them: the store's address, a source's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    /// Stable, for scripts.
    name: &'static str,
    /// How it is.
    status: Status,
    /// The same in a sentence.
    message: String,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    Ok,
    Warn,
    Fail,
}

/// Collects the lines about one thing.
#[derive(Debug)]
struct Checks {
    area: &'static str,
    subject: String,
    found: Vec<Check>,
}

pub(super) async fn run(_args: DoctorArgs, session: &Session) -> Result<Answer, CliError> {
    let examined = tokio::select! {
        checks = examine(session) => checks,
        () = session.cancel.cancelled() => return Err(CliError {
            exit: Exit::Interrupted,
            ..CliError::unable("interrupted", "interrupted; traces of the probe may stay in the store".to_owned())
        }),
    };
    let verdict = examined.iter().map(|check| check.status).max().unwrap_or(Status::Ok);
    let exit = if verdict == Status::Fail { Exit::No } else { Exit::Yes };
    Ok(Answer::new(text(&examined), json!({ "verdict": verdict, "checks": examined }), exit))
}

async fn examine(session: &Session) -> Vec<Check> {
    let mut config = Checks::about("config", "");
    let loaded = match load(&session.request) {
        Ok(loaded) => loaded,
        Err(error) => {
            config.fail("readable", error.to_string(), Some("`guard config check` tells the same".to_owned()));
            return config.found;
        }
    };
    config.ok("readable", effective::summary(&loaded));
    let mut found = config.found;
    let Loaded { config, .. } = &loaded;
    found.extend(host::encryption(config).await);
    found.extend(store::examine(config).await);
    let (sources, needs) = source::examine(config).await;
    found.extend(sources);
    found.extend(host::scratch(config, &needs).await);
    found.extend(host::schedules(config, workbench::now()));
    found.extend(host::notify(config).await);
    found.extend(host::http(config).await);
    found
}

fn text(checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { area, subject, status, message, help, .. } in checks {
        let mark = match status {
            Status::Ok => "ok  ",
            Status::Warn => "WARN",
            Status::Fail => "FAIL",
        };
        let what = if subject.is_empty() { (*area).to_owned() } else { format!("{area} {subject}") };
        text.push_str(&format!("{mark} {what}: {message}\n"));
        for line in help.iter().flat_map(|help| help.lines()) {
            text.push_str(&format!("       → {line}\n"));
        }
    }
    let count = |wanted: Status| checks.iter().filter(|check| check.status == wanted).count();
    let (n_warnings, n_failures) = (count(Status::Warn), count(Status::Fail));
    text.push_str(&format!("{} checks, {n_warnings} warnings, {n_failures} failures\n", checks.len()));
    text
}

impl Checks {
    fn about(area: &'static str, subject: impl Into<String>) -> Self {
        Self { area, subject: subject.into(), found: Vec::new() }
    }

    fn ok(&mut self, name: &'static str, message: impl Into<String>) {
        self.add(name, Status::Ok, message.into(), None);
    }

    fn warn(&mut self, name: &'static str, message: impl Into<String>, help: &str) {
        self.add(name, Status::Warn, message.into(), Some(help.to_owned()));
    }

    fn fail(&mut self, name: &'static str, message: impl Into<String>, help: Option<String>) {
        self.add(name, Status::Fail, message.into(), help);
    }

    fn error(&mut self, name: &'static str, error: CliError) {
        self.fail(name, error.message, error.help);
    }

    fn add(&mut self, name: &'static str, status: Status, message: String, help: Option<String>) {
        let (area, subject) = (self.area, self.subject.clone());
        self.found.push(Check { area, subject, name, status, message, help });
    }
}

/// Names of things, of which a few are enough.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

/// Bytes in words.
fn bytes(n_bytes: u64) -> String {
    output::bytes(n_bytes)
}
