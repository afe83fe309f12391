//! `guard migrate -- CMD…`: a window in which no dump starts, a backup, the command, and what to do if it fails.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::exit::{CliError, Exit};
use super::gate::asked::{Asked, IfMissing, PolicyArgs};
use super::gate::gather::Question;
use super::gate::{Decided, Wants, close_quietly, resolve};
use super::output::{self, Answer};
use super::{Session, backup, workbench};
use crate::catalog::{Manifest, RunNote, Selector, SourceFacts};
use crate::gate::report::{Format, render};
use crate::gate::{GateRecord, keep};
use crate::migrate::{CommandEnd, Ended, MigrationOrder, run as run_command};
use crate::status::words;
use crate::window::Window;

/// What to run, of which source, by which policy.
#[derive(Debug, Args)]
#[command(after_help = EXITS)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    /// First decide by `guard gate PATH`; may be repeated. The command runs only if the gate is open
    #[arg(long, value_name = "PATH")]
    gate: Vec<PathBuf>,
    #[command(flatten)]
    question: Question,
    /// Take no backup before the command: the newest one is what could be restored
    #[arg(long)]
    no_backup: bool,
    /// The command and its arguments, run without a shell
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

const EXITS: &str = "Exit codes: the command's own (128 + N if signal N ended it); 1 if the gate is closed and 2 if guard \
     could not do its part, both before the command is run; 130 interrupted.";

/// What the command may run by.
struct Ready {
    window: Window,
    /// What could be restored if it fails.
    backup: Manifest,
    gate: Option<GateRecord>,
}

pub(super) async fn run(args: MigrateArgs, session: &Session) -> Result<Answer, CliError> {
    let is_first = if args.no_backup || !args.gate.is_empty() { IfMissing::Tell } else { IfMissing::Create };
    let asked = Asked::ask(&args.policy, is_first, session).await?;
    let source = asked.source()?;
    asked.catalog()?;
    let Ready { window, backup, gate } = match Box::pin(prepare(&args, &asked, session)).await? {
        Ok(ready) => ready,
        Err(closed) => return Ok(closed),
    };
    let shown = args.command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    output::say(&format!("{source}: running {shown}\n"), session.style);
    let order = MigrationOrder { command: &args.command, keep_stdout: session.style.json };
    let ended = run_command(&order, &window, &session.cancel).await;
    close_quietly(window).await;
    let restore = restore_command(&backup, &asked, session);
    Ok(Told { end: ended?, backup, gate, restore }.answer())
}

/// The window, the gate and the backup; or the answer, if the gate is closed.
async fn prepare(args: &MigrateArgs, asked: &Asked, session: &Session) -> Result<Result<Ready, Answer>, CliError> {
    let (window, taken, gate) = if args.gate.is_empty() {
        let window = asked.open_window(&reason(args), session).await?;
        output::say(&format!("{}: the migration window is open\n", asked.source()?), session.style);
        (window, None, None)
    } else {
        match decided(args, asked, session).await? {
            Ok((window, taken, record)) => (window, taken, Some(record)),
            Err(closed) => return Ok(Err(closed)),
        }
    };
    let taken = match taken {
        None if args.no_backup => newest(asked).await,
        None => asked.back_up(&window, &RunNote::new(None), session).await,
        Some(manifest) => Ok(manifest),
    };
    match taken {
        Ok(backup) => {
            if !args.no_backup {
                output::say(&backup::sentence(&backup), session.style);
            }
            Ok(Ok(Ready { window, backup, gate }))
        }
        Err(error) => {
            close_quietly(window).await;
            Err(error)
        }
    }
}

type Passed = (Window, Option<Manifest>, GateRecord);

/// Decides by the gate; if it is open there is a window, and a backup in it unless nothing is pending.
async fn decided(args: &MigrateArgs, asked: &Asked, session: &Session) -> Result<Result<Passed, Answer>, CliError> {
    let wants = Wants { window: true, backup: !args.no_backup };
    let Decided { facts, record, window, manifest } =
        Box::pin(resolve(asked, &args.gate, &args.question, wants, session)).await?;
    if let Some(note) = keep(asked.catalog()?, &facts, &record).await {
        output::note(&note);
    }
    let text = render(&record, Format::Human);
    if !record.is_open() {
        if let Some(window) = window {
            close_quietly(window).await;
        }
        return Ok(Err(Answer::new(text, json!({ "gate": record, "command": null }), Exit::No)));
    }
    output::say(&text, session.style);
    let window = match window {
        Some(window) => window,
        None => asked.open_window(&reason(args), session).await?,
    };
    Ok(Ok((window, manifest, record)))
}

async fn newest(asked: &Asked) -> Result<Manifest, CliError> {
    let source = asked.source()?.to_string();
    Ok(workbench::find_backup(asked.catalog()?, Some(&source), &Selector::Latest(0)).await?.manifest)
}

/// The program alone: arguments may hold what is nobody else's business.
fn reason(args: &MigrateArgs) -> String {
    let program = args.command.first().map(|word| Path::new(word).file_name().unwrap_or(word).to_string_lossy());
    format!("guard migrate -- {}", program.unwrap_or_default())
}

/// How it went.
struct Told {
    end: CommandEnd,
    backup: Manifest,
    gate: Option<GateRecord>,
    /// What puts the database back.
    restore: String,
}

impl Told {
    fn answer(self) -> Answer {
        let CommandEnd { ended, took, stopped, window_lost } = self.end;
        let source = &self.backup.source;
        let took = words::seconds(took.as_secs_f64());
        if window_lost {
            output::note(&format!(
                "{source}: the migration window was lost while the command ran: a dump may have run beside it"
            ));
        }
        if ended.is_success() && !stopped {
            let text = format!("{source}: the command is done after {took}; the migration window is closed\n");
            return Answer::yes(text, self.json());
        }
        let text = format!(
            "{source}: the command {}failed ({ended}) after {took}; the migration window is closed\n\n\
             To put {source} back as it was at {} (what was written since is lost):\n  {}\n",
            if stopped { "was stopped and " } else { "" },
            self.backup.consistent.at.format("%F %T UTC"),
            self.restore
        );
        let exit = if stopped { Exit::Interrupted } else { Exit::OfCommand(ended.code()) };
        Answer::new(text, self.json(), exit)
    }

    fn json(&self) -> Value {
        let CommandEnd { ended, took, stopped, window_lost } = self.end;
        let (exit, signal) = match ended {
            Ended::Exited(code) => (Some(code), None),
            Ended::Signalled(signal) => (None, Some(signal)),
        };
        let command = json!({ "exit": exit, "signal": signal, "seconds": took.as_secs_f64(), "stopped": stopped });
        json!({
            "source": self.backup.source,
            "backup": self.backup.id,
            "command": command,
            "window_lost": window_lost,
            "gate": self.gate,
            "restore": self.restore,
        })
    }
}

/// What puts the database back, to be run as it stands: no secret is in it, for the source's own configuration is used.
fn restore_command(backup: &Manifest, asked: &Asked, session: &Session) -> String {
    let mut words = vec!["guard".to_owned()];
    if let Some(file) = &session.request.file {
        words.extend(["--config".to_owned(), quoted(&file.to_string_lossy())]);
    }
    words.extend(["restore", backup.id.as_str(), "--source", backup.source.as_str()].map(str::to_owned));
    match &backup.facts {
        SourceFacts::Postgres(facts) => {
            // What a partial backup lacks would be dropped for good.
            let drops = if facts.selection.is_empty() { "--replace" } else { "--clean" };
            words.extend(["--to", "source", drops, "--over-source", "--yes"].map(str::to_owned));
        }
        SourceFacts::Redis(_) => {
            words.extend(["--to", "URL", "--clean", "--over-source", "--yes"].map(str::to_owned));
        }
    }
    let is_encrypted = backup.streams.iter().any(|stream| !stream.recipients.is_empty());
    if is_encrypted && asked.config.encryption.identity.is_none() {
        words.extend(["--identity", "KEY_FILE"].map(str::to_owned));
    }
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+=@:,".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
