//! `guard lint`: reads files, finds migration sets, lints them, and says what to print and whether the answer is yes.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use migrations_lint::engine::{Engine, ServerVersion};
use migrations_lint::layout::{FoundSet, Layout};
use migrations_lint::migration::TransactionMode;
use migrations_lint::render::{Document, Format, Look, Sources, render};
use migrations_lint::report::{Report, Severity};
use migrations_lint::{Options, RuleSeverity};

mod analyse;
mod baseline;
mod collect;
mod environment;
pub(crate) mod examine;
mod explain;
mod fix;
mod pending;
mod since;

pub use environment::Environment;

use analyse::{Analysis, Selection};

/// Lint migrations.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct LintArgs {
    /// Files and directories; a directory may hold several sets of migrations
    #[arg(value_name = "PATH", required_unless_present_any = ["explain", "list_rules"])]
    pub paths: Vec<PathBuf>,
    /// The database that runs the migrations, if the files do not tell
    #[arg(long, value_parser = engine)]
    pub engine: Option<Engine>,
    /// The server's version, such as 15 or 8.0
    #[arg(long, value_name = "VERSION", value_parser = server_version)]
    pub server_version: Option<ServerVersion>,
    /// The framework, if detection is wrong: prisma, drizzle, atlas, supabase, diesel, refinery, flyway, liquibase, goose,
    /// dbmate, sqlx, golang-migrate or plain
    #[arg(long, value_parser = layout)]
    pub layout: Option<Layout>,
    /// How the framework opens transactions, if it is set up in an unusual way
    #[arg(long, value_enum)]
    pub transaction: Option<Transaction>,
    /// From which severity on the answer is no
    #[arg(long, value_enum, default_value_t)]
    pub fail_on: FailOn,
    /// Set the severity of a rule: ID=error, ID=warning or ID=off
    #[arg(long = "rule", value_name = "ID=SEVERITY", value_parser = rule_severity)]
    pub rules: Vec<(String, RuleSeverity)>,
    /// Report on all migrations (the default)
    #[arg(long, conflicts_with_all = ["since", "pending"])]
    pub all: bool,
    /// Report only on files added or changed since the merge base with this git ref
    #[arg(long, value_name = "GITREF")]
    pub since: Option<String>,
    /// Report only on migrations that the database has not run, and on those edited since it ran them
    #[arg(long)]
    pub pending: bool,
    /// The database to ask for --pending; `DATABASE_URL` if not given
    #[arg(long, value_name = "URL", requires = "pending")]
    pub database: Option<String>,
    /// Rewrite files where the rewrite keeps the meaning
    #[arg(long, conflicts_with = "diff")]
    pub fix: bool,
    /// Print what --fix would change
    #[arg(long)]
    pub diff: bool,
    /// Leave out the findings that this file lists; guard-baseline.toml in the current directory if it exists
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write all findings to the baseline, to adopt guard lint on old migrations
    #[arg(long, conflicts_with_all = ["fix", "diff"])]
    pub write_baseline: bool,
    /// Who answers for new rows of the baseline
    #[arg(long, value_name = "NAME", requires = "write_baseline")]
    pub owner: Option<String>,
    /// When new rows of the baseline count again; in 180 days if not given
    #[arg(long, value_name = "YYYY-MM-DD", requires = "write_baseline", value_parser = baseline::date)]
    pub expires: Option<migrations_lint::baseline::Date>,
    /// Explain a rule
    #[arg(long, value_name = "RULE")]
    pub explain: Option<String>,
    /// List all rules
    #[arg(long)]
    pub list_rules: bool,
    /// The form of the output: human, json, sarif, github, gitlab, junit, checkstyle or markdown; github if
    /// `GITHUB_ACTIONS` is set, else human
    #[arg(long, value_parser = format)]
    pub format: Option<Format>,
}

/// What opens and ends transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transaction {
    /// One for each file
    File,
    /// One for all pending files
    Set,
    /// None: each statement commits by itself
    None,
}

/// From which severity on the exit code is 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Errors only
    #[default]
    Error,
    /// Warnings too
    Warning,
    /// Nothing: report only
    Never,
}

/// What to print, and the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintOutcome {
    /// For standard output, whole.
    pub text: String,
    /// For standard error, one line each.
    pub notes: Vec<String>,
    /// Whether nothing at or above the fail level was found: exit code 0, else 1.
    pub passes: bool,
}

/// Does what is asked, in the environment of this process. An error means exit code 2.
pub async fn run(args: LintArgs) -> anyhow::Result<LintOutcome> {
    run_in(args, &Environment::detect()).await
}

/// Does what is asked in a given environment.
pub async fn run_in(args: LintArgs, environment: &Environment) -> anyhow::Result<LintOutcome> {
    if let Some(rule) = &args.explain {
        return explain::explain(rule);
    }
    if args.list_rules {
        return Ok(explain::list(args.format));
    }
    let options = options(&args)?;
    let selection = select(&args, environment).await?;
    let files = collect::collect(&args.paths)?;
    let listed = baseline::read(&args)?;
    // Only a rewrite looks at them a second time.
    let again_files = args.fix.then(|| files.clone());
    let mut analysis = analyse::analyse(files, &selection, &options);
    let mut notes = analysis.take_notes();
    if analysis.sets.is_empty() {
        bail!("nothing is left to lint: {}", notes.join("; "));
    }
    if args.write_baseline {
        notes.push(baseline::write(&args, &analysis.report, listed.as_ref(), environment)?);
        return Ok(LintOutcome { text: String::new(), notes, passes: true });
    }
    notes.extend(analysis.leave_out(listed.as_ref(), environment.today));
    let mut text = None;
    if args.diff {
        text = Some(fix::diff(&analysis));
    } else if let Some(files) = again_files {
        let again = |files| {
            let mut analysis = analyse::analyse(files, &selection, &options);
            analysis.leave_out(listed.as_ref(), environment.today);
            analysis
        };
        analysis = fix::fix(analysis, files, again, &mut notes)?;
    }
    let text = text.unwrap_or_else(|| rendered(&analysis, args.format, environment));
    Ok(LintOutcome { text, notes, passes: passes(&analysis.report, args.fail_on) })
}

/// The one set of PostgreSQL migrations that paths name, for a command that runs it.
pub(super) fn one_set(paths: &[PathBuf], layout: Option<Layout>) -> anyhow::Result<FoundSet> {
    let (mut sets, notes) = analyse::runnable(collect::collect(paths)?, layout);
    match sets.len() {
        1 => Ok(sets.swap_remove(0)),
        0 => bail!("no migrations for PostgreSQL are left: {}", notes.join("; ")),
        n_sets => {
            let folders: Vec<_> = sets.iter().map(|found| found.folder.display().to_string()).collect();
            bail!("{n_sets} sets of migrations are found, name one of them: {}", folders.join(", "))
        }
    }
}

fn rendered(analysis: &Analysis, format: Option<Format>, environment: &Environment) -> String {
    let document = Document {
        report: &analysis.report,
        sources: Sources::of(&analysis.sets),
        n_suppressed: analysis.suppressed.len(),
        n_baselined: analysis.n_baselined,
    };
    let automatic = if environment.is_github { Format::Github } else { Format::Human };
    let look = Look { color: environment.color, width: environment.width };
    render(&document, format.unwrap_or(automatic), look)
}

fn passes(report: &Report, fail_on: FailOn) -> bool {
    match fail_on {
        FailOn::Never => true,
        FailOn::Warning => report.findings.is_empty(),
        FailOn::Error => report.findings.iter().all(|finding| finding.severity != Severity::Error),
    }
}

fn options(args: &LintArgs) -> anyhow::Result<Options> {
    for (id, _) in &args.rules {
        explain::find(id)?;
    }
    Ok(Options {
        engine: args.engine,
        server_version: args.server_version,
        transaction: args.transaction.map(|transaction| match transaction {
            Transaction::File => TransactionMode::PerPart,
            Transaction::Set => TransactionMode::WholeSet,
            Transaction::None => TransactionMode::None,
        }),
        severities: args.rules.iter().cloned().collect(),
    })
}

async fn select(args: &LintArgs, environment: &Environment) -> anyhow::Result<Selection> {
    let changes = match &args.since {
        Some(reference) => Some(since::changes(reference, &args.paths)?),
        None => None,
    };
    let database = if args.pending {
        let url = args.database.clone().or_else(|| environment.database_url.clone());
        let url = url.context("--pending needs --database URL, or DATABASE_URL in the environment")?;
        Some(pending::connect(&url).await?)
    } else {
        None
    };
    let mut history = None;
    if let Some(mut connection) = database {
        history = Some(pending::history(&mut connection).await?);
    }
    Ok(Selection { layout: args.layout, changes, history })
}

fn engine(name: &str) -> Result<Engine, String> {
    let all = [Engine::PostgreSql, Engine::MySql, Engine::MariaDb, Engine::Sqlite];
    one_of(all, Engine::as_str, name)
}

pub(crate) fn layout(name: &str) -> Result<Layout, String> {
    one_of(Layout::ALL, Layout::as_str, name)
}

fn format(name: &str) -> Result<Format, String> {
    one_of(Format::ALL, Format::as_str, name)
}

fn one_of<T: Copy, const N: usize>(all: [T; N], name_of: fn(T) -> &'static str, name: &str) -> Result<T, String> {
    let found = all.into_iter().find(|item| name_of(*item) == name);
    found.ok_or_else(|| format!("not one of {}", all.map(name_of).join(", ")))
}

fn server_version(text: &str) -> Result<ServerVersion, String> {
    let mut parts = text.split('.').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), None) => Ok(ServerVersion { major, minor: 0 }),
        (Some(Ok(major)), Some(Ok(minor))) => Ok(ServerVersion { major, minor }),
        _ => Err("not a version such as 15 or 8.0".to_owned()),
    }
}

fn rule_severity(text: &str) -> Result<(String, RuleSeverity), String> {
    let (id, severity) = text.split_once('=').ok_or("not of the form ID=SEVERITY")?;
    let all = [RuleSeverity::Error, RuleSeverity::Warning, RuleSeverity::Off];
    Ok((id.to_owned(), one_of(all, RuleSeverity::as_str, severity)?))
}
