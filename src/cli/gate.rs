//! `guard gate`: may the pending migrations run? One verdict for a pipeline, with a way out for each reason.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::exit::{CliError, Exit};
use super::output::{self, Answer};
use super::{Session, workbench};
use crate::catalog::{Manifest, RunNote};
use crate::gate::report::{Format, render};
use crate::gate::{Code, Facts, GateRecord, LeftOpen, Reason, decide, judge, keep};
use crate::window::{self, Window};

pub(super) mod asked;
pub(super) mod gather;

use asked::{Asked, IfMissing, PolicyArgs};
use gather::{Question, gather};

/// What to decide about, by which policy, and what to do on the way.
#[derive(Debug, Args)]
pub(super) struct GateArgs {
    /// Files and directories of migrations
    #[arg(value_name = "PATH", required_unless_present = "close")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    question: Question,
    /// Take a backup first and wait until it is complete; nothing else may be in the way
    #[arg(long)]
    backup: bool,
    /// Leave a migration window open for so long (15m), in which no dump starts; --close ends it before
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    window: Option<Duration>,
    /// Close the migration window that a gate left open
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["paths", "backup", "window", "since", "database"])]
    close: Option<String>,
    /// The form of the answer: human, json, markdown (a comment on a pull request) or junit
    #[arg(long, value_parser = Format::from_name)]
    format: Option<Format>,
    /// Also write the answer to a file, as markdown=gate.md; may be repeated
    #[arg(long, value_name = "FORMAT=FILE", value_parser = written)]
    write: Vec<(Format, PathBuf)>,
    /// Do not keep the decision beside the backup
    #[arg(long)]
    no_record: bool,
}

pub(super) async fn run(args: GateArgs, session: &Session) -> Result<Answer, CliError> {
    let asked = Asked::ask(&args.policy, IfMissing::Tell, session).await?;
    if let Some(token) = &args.close {
        return close(&asked, token).await;
    }
    let wants = Wants { window: args.window.is_some(), backup: args.backup || asked.policy.backup };
    let Decided { facts, mut record, window, manifest: _ } =
        Box::pin(resolve(&asked, &args.paths, &args.question, wants, session)).await?;
    record.window = settle(window, &record, args.window).await?;
    let on_record = !args.no_record && keep_record(&asked, &facts, &record, session).await;
    for (format, path) in &args.write {
        let wrote = std::fs::write(path, render(&record, *format));
        wrote.map_err(|error| CliError::usage(format!("cannot write {}: {error}", path.display())))?;
    }
    let exit = if record.is_open() { Exit::Yes } else { Exit::No };
    let mut json = json!(record);
    json["on_record"] = on_record.into();
    Ok(Answer::new(render(&record, args.format.unwrap_or(Format::Human)), json, exit))
}

/// What is to be done if nothing stands against it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wants {
    /// Whether a window is to be open afterwards.
    pub(super) window: bool,
    /// Whether a backup is to be taken in it.
    pub(super) backup: bool,
}

/// A decision, and what it has in its hands.
pub(super) struct Decided {
    pub(super) facts: Facts,
    pub(super) record: GateRecord,
    pub(super) window: Option<Window>,
    pub(super) manifest: Option<Manifest>,
}

/// Decides; where only what a window and a backup can cure stands against it, cures it and decides once more.
pub(super) async fn resolve(
    asked: &Asked,
    paths: &[PathBuf],
    question: &Question,
    wants: Wants,
    session: &Session,
) -> Result<Decided, CliError> {
    let run = RunNote::new(None);
    let mut facts = gather(asked, paths, question, session).await?;
    let (mut window, mut manifest) = (None, None);
    let first = decide(&facts, &asked.policy, workbench::now());
    let has_work = !facts.migrations.pending.is_empty();
    if has_work && (wants.window || wants.backup) && first.reasons().all(|reason| is_curable(reason.code, wants)) {
        match cure(asked, wants, &run, session).await {
            Ok((opened, taken)) => {
                facts = gather(asked, paths, question, session).await?;
                facts.window = Some(Ok(opened.record().expires()));
                (window, manifest) = (Some(opened), taken);
            }
            Err(Uncured::Stopped(error)) => return Err(error),
            Err(Uncured::Window(reason)) => facts.window = Some(Err(reason)),
            Err(Uncured::Backup(reason)) => facts.backup_failure = Some(reason),
        }
    }
    let record = judge(&facts, &asked.policy, asked.environment.as_deref(), &run, workbench::now());
    Ok(Decided { facts, record, window, manifest })
}

/// Whether a window, and a backup in it, does away with this reason.
fn is_curable(code: Code, wants: Wants) -> bool {
    match code {
        Code::BackupRunning | Code::WindowTaken => true,
        Code::NoBackup | Code::BackupTooOld | Code::OtherSchema => wants.backup,
        _ => false,
    }
}

/// Why the window or the backup could not be had.
enum Uncured {
    Stopped(CliError),
    Window(Reason),
    Backup(Reason),
}

async fn cure(
    asked: &Asked,
    wants: Wants,
    run: &RunNote,
    session: &Session,
) -> Result<(Window, Option<Manifest>), Uncured> {
    let reason_of = |code, error: CliError| match error.exit {
        Exit::Interrupted => Uncured::Stopped(error),
        _ => {
            let help = error.help.unwrap_or_else(|| "mend the cause and try again".to_owned());
            let reason = Reason::new(code, error.message, help);
            if code == Code::BackupFailed { Uncured::Backup(reason) } else { Uncured::Window(reason) }
        }
    };
    let opened = asked.open_window("guard gate", session).await;
    let opened = opened.map_err(|error| reason_of(Code::WindowNotOpened, error))?;
    if !wants.backup {
        return Ok((opened, None));
    }
    match asked.back_up(&opened, run, session).await {
        Ok(manifest) => Ok((opened, Some(manifest))),
        Err(error) => {
            close_quietly(opened).await;
            Err(reason_of(Code::BackupFailed, error))
        }
    }
}

/// Leaves the window open if that was asked for and the gate is open, else closes it.
async fn settle(
    window: Option<Window>,
    record: &GateRecord,
    lasting: Option<Duration>,
) -> Result<Option<LeftOpen>, CliError> {
    let Some(window) = window else { return Ok(None) };
    match lasting {
        Some(lasting) if record.is_open() => {
            let left = window.leave_open(lasting).await?;
            Ok(Some(LeftOpen { until: left.expires(), token: left.token }))
        }
        _ => {
            close_quietly(window).await;
            Ok(None)
        }
    }
}

/// A window that cannot be closed closes by itself.
pub(super) async fn close_quietly(window: Window) {
    if let Err(error) = window.close().await {
        tracing::warn!(%error, "the migration window could not be closed; it closes by itself");
    }
}

/// Whether the decision is on record; if not, why is told.
async fn keep_record(asked: &Asked, facts: &Facts, record: &GateRecord, session: &Session) -> bool {
    let Ok(catalog) = &asked.catalog else { return false };
    let note = keep(catalog, facts, record).await;
    if let Some(note) = &note
        && !session.style.quiet
    {
        output::note(note);
    }
    note.is_none() && record.backup.is_some()
}

async fn close(asked: &Asked, token: &str) -> Result<Answer, CliError> {
    let source = asked.source()?;
    let closed = window::close_left(&asked.leases()?, source, token).await?;
    let json = json!({ "source": source, "closed": closed });
    if closed {
        return Ok(Answer::yes(format!("{source}: the migration window is closed\n"), json));
    }
    let text = format!("{source}: no migration window is open under this token; it may have run out\n");
    Ok(Answer::new(text, json, Exit::No))
}

fn written(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or("not of the form FORMAT=FILE")?;
    Ok((Format::from_name(format)?, path.into()))
}
