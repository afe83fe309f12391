//! Gathers the facts that a gate decides by: the repository's, the database's if it is asked, the linter's.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;
use migrations_lint::Options;
use migrations_lint::engine::{Engine, ServerVersion};
use migrations_lint::layout::{Applied, Layout};

use super::asked::Asked;
use crate::cli::exit::{CliError, Exit};
use crate::cli::lint::examine::{Examined, Which, examine};
use crate::cli::{Session, lint, output, workbench};
use crate::gate::database::{self, Applied as AppliedByLayout};
use crate::gate::facts::{Backup, Database, Facts, KnownBy, Migrations, PendingFile, Repository, look};
use crate::gate::{Code, Reason};
use crate::source::postgres::connection::Connection;
use crate::stream::Hashed;

/// How to find out which migrations are pending.
#[derive(Debug, Args)]
pub(in crate::cli) struct Question {
    /// Ask this database what has run and compare its schema with the backup's: a URL, or `source` for the configured one.
    /// Without it the newest backup tells what has run
    #[arg(long, value_name = "URL", conflicts_with = "since")]
    database: Option<String>,
    /// Judge only migrations added or changed since the merge base with this git ref
    #[arg(long, value_name = "GITREF")]
    since: Option<String>,
    /// The framework, if detection is wrong
    #[arg(long, value_parser = lint::layout)]
    layout: Option<Layout>,
}

/// Everything. Only what makes no sense at all is an error; whatever cannot be found out is a fact.
pub(in crate::cli) async fn gather(
    asked: &Asked,
    paths: &[PathBuf],
    question: &Question,
    session: &Session,
) -> Result<Facts, CliError> {
    tokio::select! {
        facts = gather_all(asked, paths, question, session) => facts,
        () = session.cancel.cancelled() => {
            Err(CliError { exit: Exit::Interrupted, ..CliError::unable("interrupted", "interrupted".to_owned()) })
        }
    }
}

async fn gather_all(
    asked: &Asked,
    paths: &[PathBuf],
    question: &Question,
    session: &Session,
) -> Result<Facts, CliError> {
    let repository = repository(asked).await;
    let newest = repository.as_ref().ok().and_then(|found| found.newest.as_ref()?.as_ref().ok());
    let database = match &question.database {
        Some(text) => Some(ask_database(asked, text, newest).await),
        None => None,
    };
    let (which, known_by) = which(question, repository.as_ref().ok(), database.as_ref());
    let migrations = migrations(paths, question, newest, (which, known_by), session)?;
    let database = database.map(|told| told.map(|(database, _)| database));
    Ok(Facts { migrations, repository, database, window: None, backup_failure: None })
}

async fn repository(asked: &Asked) -> Result<Repository, Reason> {
    let catalog = asked.catalog.as_ref().map_err(Clone::clone)?;
    let source = asked.source.as_ref().map_err(Clone::clone)?;
    look(catalog, &workbench::leases(catalog), source, workbench::now).await
}

async fn ask_database(
    asked: &Asked,
    text: &str,
    newest: Option<&Backup>,
) -> Result<(Database, AppliedByLayout), Reason> {
    let failed = |message: String, help: Option<String>| {
        let help = help.unwrap_or_else(|| "check the URL given with --database".to_owned());
        Reason::new(Code::DatabaseUnreachable, message, help)
    };
    let source = asked.source.as_ref().map_err(Clone::clone)?;
    let connection = if text == "source" {
        let found = workbench::source_connection(&asked.config, source).await;
        found.map_err(|error| failed(error.message, error.help))?
    } else {
        let variable = |name: &str| asked.config.environment.get(name).map(str::to_owned);
        let parsed = Connection::parse(text).and_then(|connection| connection.or_environment(variable));
        parsed.map_err(|error| failed(error.to_string(), None))?
    };
    let client = workbench::client_search(&asked.config, source);
    database::ask(&connection, &client, newest.map_or(&[][..], |newest| &newest.selection)).await
}

/// Which migrations are to be judged. Where whoever keeps the history does not answer, nothing is known of it.
fn which(
    question: &Question,
    repository: Option<&Repository>,
    database: Option<&Result<(Database, AppliedByLayout), Reason>>,
) -> (Which, KnownBy) {
    if let Some(reference) = &question.since {
        return (Which::Since(reference.clone()), KnownBy::Since(reference.clone()));
    }
    match (database, repository.map(|repository| repository.newest.as_ref())) {
        (Some(Ok((_, applied))), _) => (Which::NotIn(rows(applied)), KnownBy::Database),
        (Some(Err(_)), _) | (None, None | Some(Some(Err(_)))) => (Which::All, KnownBy::Unknown),
        (None, Some(Some(Ok(Backup { id, migrations: Some(applied), .. })))) => {
            (Which::NotIn(rows(applied)), KnownBy::Backup(id.clone()))
        }
        (None, Some(_)) => (Which::All, KnownBy::Nothing),
    }
}

fn rows(applied: &AppliedByLayout) -> HashMap<Layout, Vec<Applied>> {
    let row = |row: &crate::catalog::AppliedMigration| Applied {
        version: row.version.clone(),
        checksum: row.checksum.clone(),
        failed: row.failed,
    };
    let of =
        |(name, migrations): (&String, &Vec<_>)| Some((Layout::from_name(name)?, migrations.iter().map(row).collect()));
    applied.iter().filter_map(of).collect()
}

fn migrations(
    paths: &[PathBuf],
    question: &Question,
    newest: Option<&Backup>,
    (which, known_by): (Which, KnownBy),
    session: &Session,
) -> Result<Migrations, CliError> {
    let options = Options {
        // The backup says what will run them, surer than any guess by their text.
        engine: version(newest).map(|_| Engine::PostgreSql),
        server_version: version(newest),
        ..Options::default()
    };
    let examined = examine(paths, question.layout, &options, which);
    let examined = examined.map_err(|error| CliError::unable("lint-failed", format!("{error:#}")))?;
    let Examined { pending, n_files, findings, suppressed, ahead, has_untracked, notes } = examined;
    if !session.style.quiet {
        for note in &notes {
            output::note(note);
        }
    }
    let hashed =
        |(file, text): (PathBuf, String)| PendingFile { file, sha256: Hashed::of(text.as_bytes()).sha256.to_string() };
    let pending = pending.into_iter().map(hashed).collect();
    Ok(Migrations { known_by, pending, n_files, findings, suppressed, ahead, has_untracked })
}

fn version(newest: Option<&Backup>) -> Option<ServerVersion> {
    let major = u16::try_from(newest?.major?).ok()?;
    Some(ServerVersion { major, minor: 0 })
}
