//! `guard migrate -- CMD…`: a window in which no dump starts, a backup, the command, and what to do if it fails.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use migrations_lint::report::{Class, Finding};
use serde_json::{Value, json};

use super::exit::{CliError, Exit};
use super::gate::asked::{Asked, IfMissing, PolicyArgs, unable};
use super::gate::gather::{Question, gather};
use super::gate::{Decided, Wants, close_quietly, resolve};
use super::output::{self, Answer};
use super::undo::{Exported, UndoOrder};
use super::way_back::restore_command;
use super::{Session, backup, workbench};
use crate::catalog::{Manifest, RunNote, Selector};
use crate::gate::facts::{Migrations, PendingFile};
use crate::gate::report::{Format, render};
use crate::gate::{GateRecord, keep};
use crate::migrate::{CommandEnd, Ended, MigrationOrder, run as run_command};
use crate::status::words;
use crate::undo::{self, Losing, Upcoming};
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
    /// Right before the command, store apart what the pending migrations in PATH take away, as a rehearsal of them saw it; may
    /// be repeated
    #[arg(long, value_name = "PATH")]
    export: Vec<PathBuf>,
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
    let losing = foresee(&args, &asked, session).await?;
    let Ready { window, backup, gate } = match Box::pin(prepare(&args, &asked, session)).await? {
        Ok(ready) => ready,
        Err(closed) => return Ok(closed),
    };
    let exported = match losing {
        None => Ok(None),
        Some(losing) => Box::pin(export(&losing, &asked, &window, session)).await,
    };
    let export = match exported {
        Ok(export) => export,
        Err(error) => {
            close_quietly(window).await;
            return Err(CliError { message: format!("{}; the command was not run", error.message), ..error });
        }
    };
    let shown = args.command.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    output::say(&format!("{source}: running {shown}\n"), session.style);
    let order = MigrationOrder { command: &args.command, keep_stdout: session.style.json };
    let ended = run_command(&order, &window, &session.cancel).await;
    close_quietly(window).await;
    let restore = restore_command(&backup, &asked.config, session);
    Ok(Told { end: ended?, backup, gate, restore, export }.answer())
}

/// What the pending migrations will take away, if that is to be exported. Asked before anything is done: who would find out
/// behind an hour of backup that the rehearsal is missing?
async fn foresee(args: &MigrateArgs, asked: &Asked, session: &Session) -> Result<Option<Losing>, CliError> {
    if args.export.is_empty() {
        return Ok(None);
    }
    let facts = Box::pin(gather(asked, &args.export, &args.question, session)).await?;
    if let Some(Err(reason)) = &facts.database {
        return Err(unable(reason));
    }
    let Migrations { pending, findings, suppressed, .. } = facts.migrations;
    // Signed for or not: what is signed for is lost all the same.
    let all = findings.iter().chain(suppressed.iter().map(|suppressed| &suppressed.finding));
    let destructive: Vec<&Finding> = all.filter(|finding| finding.class == Class::Destructive).collect();
    let upcoming = |PendingFile { file, sha256 }| Upcoming {
        is_destructive: destructive.iter().any(|finding| finding.file == file),
        path: file.display().to_string(),
        fingerprint: sha256,
    };
    let pending: Vec<Upcoming> = pending.into_iter().map(upcoming).collect();
    Ok(Some(undo::foresee(asked.catalog()?, asked.source()?, &pending).await?))
}

/// Exports it inside the window.
async fn export(
    losing: &Losing,
    asked: &Asked,
    window: &Window,
    session: &Session,
) -> Result<Option<Exported>, CliError> {
    let order = UndoOrder {
        config: &asked.config,
        catalog: asked.catalog()?,
        source: asked.source()?.as_str(),
        run: &RunNote::new(None),
        cancel: window.token(),
    };
    let exported = super::undo::export(order, losing, session).await?;
    output::say(&super::undo::sentence(exported.as_ref()), session.style);
    Ok(exported)
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
    /// What was stored apart.
    export: Option<Exported>,
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
        let undo = self.export.as_ref().map(|export| format!("\n{}", export.way_back())).unwrap_or_default();
        if ended.is_success() && !stopped {
            let text = format!("{source}: the command is done after {took}; the migration window is closed\n{undo}");
            return Answer::yes(text, self.json());
        }
        let text = format!(
            "{source}: the command {}failed ({ended}) after {took}; the migration window is closed\n\n\
             To put {source} back as it was at {} (what was written since is lost):\n  {}\n{undo}",
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
            "export": self.export.as_ref().map(Exported::json),
        })
    }
}
