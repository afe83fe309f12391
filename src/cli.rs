//! The command line: one match over the verbs. Printing is in `output`, exit codes are in `exit`, nothing else decides them.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;

mod backup;
pub mod config;
mod demo;
mod doctor;
mod exit;
mod gate;
mod keep;
pub mod lint;
mod list;
mod migrate;
mod notify;
mod output;
mod progress;
mod prune;
mod rehearse;
mod release;
mod report;
mod restore;
mod run;
mod self_test;
mod status;
mod undo;
mod verify;
pub mod watch;
mod way_back;
pub(crate) mod workbench;

pub use exit::{CliError, Exit};

use crate::config::{Config, Request, load};
use output::{Answer, Style};

/// Backups of PostgreSQL that are proven by restoring them.
///
/// Without a configuration, DATABASE_URL is the source and ./guard-store the store: `guard backup`, then
/// `guard restore --to scratch`.
#[derive(Debug, Parser)]
#[command(name = "guard", version, max_term_width = 110, after_help = EXIT_CODES)]
pub struct Cli {
    /// The configuration file [default: ./guard.toml, then /etc/guard/guard.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answer with one JSON document on standard output
    #[arg(long, global = true)]
    json: bool,
    /// No progress, no story: only the answer and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Log more to standard error; twice for details
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// How the log on standard error is written [default: text, or what GUARD_LOG_FORMAT says]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, and the answer is yes; 1 done, and the answer is no (proof failed, damage \
     found, findings, gate closed); 2 the work could not be done; 130 interrupted, everything half-done was cleaned up.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the schedules until a signal: backups, test restores, verification, retention, notifications
    Run(run::RunArgs),
    /// Take a backup now
    Backup(backup::BackupArgs),
    /// List the backups in the store
    List(list::ListArgs),
    /// Show one backup's manifest
    Show(list::ShowArgs),
    /// Restore a backup: to scratch (and prove it), to a database, or to a directory
    Restore(restore::RestoreArgs),
    /// Read every stored byte and compare it with the manifest; needs no database and no key
    Verify(verify::VerifyArgs),
    /// Tell why each backup is kept or goes; with --confirm, remove what goes and what was left behind
    Prune(prune::PruneArgs),
    /// Measure every source against what was promised; exit code 1 if a promise is broken
    Status(status::StatusArgs),
    /// Check configuration, store, sources, programs and promises with real requests; exit code 1 if something fails
    Doctor(doctor::DoctorArgs),
    /// Pin a backup so that it is never removed
    Keep(keep::KeepArgs),
    /// Take a pin away
    Unkeep(keep::UnkeepArgs),
    /// Release a data-loss alarm: what is missing is missing on purpose, and retention goes on
    Release(release::ReleaseArgs),
    /// Lint migrations: what destroys data, locks, breaks, or cannot be run again
    Lint(Box<lint::LintArgs>),
    /// Run pending migrations on a restored copy of the newest backup, and measure what they do
    Rehearse(Box<rehearse::RehearseArgs>),
    /// Decide whether pending migrations may run: lint, a fresh proven backup, a rehearsal; exit code 1 if not
    Gate(Box<gate::GateArgs>),
    /// Run a migration with a backup right before it, in a window in which no dump starts
    Migrate(Box<migrate::MigrateArgs>),
    /// Try out who is told how things went
    Notify(notify::NotifyArgs),
    /// Look at the configuration
    Config(config::ConfigArgs),
    /// The whole story on a throw-away PostgreSQL, without any configuration
    Demo(demo::DemoArgs),
}

/// What a command is given besides its own arguments.
struct Session {
    request: Request,
    style: Style,
    cancel: CancellationToken,
}

impl Session {
    fn config(&self) -> Result<Config, CliError> {
        Ok(load(&self.request)?.config)
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What the log is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logging {
    /// How much: 0 warnings, 1 steps, 2 everything of guard's own.
    pub verbosity: u8,
    /// How it is written.
    pub format: LogFormat,
    /// Whether each line begins with the time. The answer to a command needs none; a daemon's log does.
    pub timed: bool,
}

/// Whether the command reads files, says something about them and is done.
pub fn is_lint(cli: &Cli) -> bool {
    matches!(cli.command, Command::Lint(_))
}

/// What the log is to be; `format` is what the environment says about its form.
pub fn logging(cli: &Cli, format: Option<&str>) -> Logging {
    use clap::ValueEnum as _;
    let is_daemon = matches!(cli.command, Command::Run(_));
    let of_environment = format.and_then(|text| LogFormat::from_str(text, true).ok());
    let format = cli.log_format.or(of_environment).unwrap_or(LogFormat::Text);
    Logging {
        verbosity: if is_daemon { cli.verbose.max(1) } else { cli.verbose },
        format,
        timed: is_daemon || format == LogFormat::Json,
    }
}

/// Runs the command and prints its answer. `cancel` is triggered by the first signal.
pub async fn run(cli: Cli, cancel: CancellationToken) -> Exit {
    let Cli { config, json, quiet, verbose: _, log_format: _, command } = cli;
    let style = Style { json, quiet: quiet || json };
    let outcome = match Request::of_process(config) {
        Ok(request) => Box::pin(dispatch(command, &Session { request, style, cancel })).await,
        Err(error) => Err(CliError::usage(format!("the current directory cannot be read: {error}"))),
    };
    output::print(outcome, style)
}

async fn dispatch(command: Command, session: &Session) -> Result<Answer, CliError> {
    match command {
        Command::Run(args) => run::run(args, session).await,
        Command::Notify(args) => notify::run(args, session).await,
        Command::Backup(args) => backup::run(args, session).await,
        Command::List(args) => list::run(args, session).await,
        Command::Show(args) => list::show(args, session).await,
        Command::Restore(args) => Box::pin(restore::run(args, session)).await,
        Command::Verify(args) => verify::run(args, session).await,
        Command::Prune(args) => prune::run(args, session).await,
        Command::Status(args) => status::run(args, session).await,
        Command::Doctor(args) => doctor::run(args, session).await,
        Command::Keep(args) => keep::run(args, session).await,
        Command::Unkeep(args) => keep::undo(args, session).await,
        Command::Release(args) => release::run(args, session).await,
        Command::Lint(args) => lint_migrations(*args, session.style).await,
        Command::Rehearse(args) => Box::pin(rehearse::run(*args, session)).await,
        Command::Gate(args) => Box::pin(gate::run(*args, session)).await,
        Command::Migrate(args) => Box::pin(migrate::run(*args, session)).await,
        Command::Config(args) => {
            let config::Printed { text, json } = config::run(args, &session.request).await?;
            Ok(Answer::yes(text, json))
        }
        Command::Demo(args) => demo::run(args, session).await,
    }
}

/// The linter renders its own formats; `--json` is short for one of them.
async fn lint_migrations(mut args: lint::LintArgs, style: Style) -> Result<Answer, CliError> {
    if style.json {
        args.format.get_or_insert(migrations_lint::render::Format::Json);
    }
    let outcome = lint::run(args).await.map_err(|error| CliError::unable("lint-failed", format!("{error:#}")))?;
    let lint::LintOutcome { text, notes, passes } = outcome;
    if !style.quiet {
        for line in &notes {
            output::note(line);
        }
    }
    // A long document is not read again unless `--json` lays it out.
    let json = if style.json { serde_json::from_str(&text).unwrap_or_default() } else { serde_json::Value::Null };
    Ok(Answer::new(text, json, if passes { Exit::Yes } else { Exit::No }))
}
