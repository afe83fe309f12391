//! `guard rehearse`: pending migrations on a restored copy, and what they did there.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use migrations_lint::layout::Layout;
use serde_json::json;

use super::exit::{CliError, Exit};
use super::output::Answer;
use super::undo::{self, Exported, UndoOrder};
use super::{Session, lint, progress, workbench};
use crate::catalog::{CompleteBackup, RunNote, Selector};
use crate::progress::Progress;
use crate::rehearse::inspect::Trials;
use crate::rehearse::judge::Limits;
use crate::rehearse::record::{ProblemCode, ProblemSeverity, Rehearsal, RehearsalVerdict, keep};
use crate::rehearse::report::text;
use crate::rehearse::stage::{Manner, Role, discard};
use crate::rehearse::{RehearsalOrder, Rehearsed, clear, rehearse};
use crate::restore::RestoreOrder;
use crate::source::postgres::connection::Connection;
use crate::source::postgres::scratch::ScratchPlace;
use crate::undo::Losing;

/// Which migrations to rehearse, on which backup, and how.
#[derive(Debug, Args)]
pub(super) struct RehearseArgs {
    /// Files and directories of one set of migrations
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// The source whose backup is restored, if the store has several
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The backup: `latest`, `latest~2`, an id, or the beginning of one
    #[arg(long, value_name = "ID", default_value = "latest")]
    backup: String,
    /// The framework, if detection is wrong; see `guard lint --help`
    #[arg(long, value_parser = lint::layout)]
    layout: Option<Layout>,
    /// The role that runs migrations in production; the copy's superuser if not given
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// The search path of the migrations' sessions, such as the `schema` of Prisma's URL
    #[arg(long, value_name = "SCHEMA")]
    schema: Option<String>,
    /// Also run each migration while two sessions read and write the tables that it touches
    #[arg(long)]
    load: bool,
    /// How long others' reads or writes may wait
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    max_block: Duration,
    /// From which severity on the answer is no
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,
    /// A problem that is as it should be, such as data-lost; may be repeated
    #[arg(long, value_name = "CODE", value_parser = code)]
    accept: Vec<ProblemCode>,
    /// Leave the restored copy running, masked by [rehearse.mask], and the migrated one beside it
    #[arg(long)]
    keep: bool,
    /// Use the copy that an earlier --keep left, by the URL that it printed, instead of restoring anew
    #[arg(long, value_name = "URL", conflicts_with = "keep")]
    copy: Option<String>,
    /// Afterwards, take a small backup of the tables in the source that lose something, to put it back from
    #[arg(long)]
    export: bool,
    /// The age identity file (private key) that opens an encrypted backup
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Parallel workers of pg_restore [default: one a core, at most 8]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroU32>,
    /// Do not keep the result beside the backup, where `guard gate` looks for it
    #[arg(long)]
    no_record: bool,
}

/// From which severity on the exit code is 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Errors only
    #[default]
    Error,
    /// Warnings too
    Warning,
    /// Nothing: report only
    Never,
}

pub(super) async fn run(args: RehearseArgs, session: &Session) -> Result<Answer, CliError> {
    let config = session.config()?;
    let catalog = workbench::open(&config).await?;
    let selector: Selector = args.backup.parse()?;
    let backup = workbench::find_backup(&catalog, args.source.as_ref(), &selector).await?;
    let identities = workbench::identities(&config, args.identity.as_ref()).await?;
    let client = workbench::client_search(&config, &backup.manifest.source);
    let place = workbench::scratch_place(&config).await?;
    let kept = args.copy.as_deref().map(Connection::parse).transpose();
    let kept = kept.map_err(|error| CliError::unable("connection-string", error.to_string()))?;
    let order = RehearsalOrder {
        restore: RestoreOrder {
            catalog: &catalog,
            backup: &backup,
            identities: &identities,
            temp_dir: config.scratch.dir.as_deref(),
            client: &client,
            jobs: workbench::jobs(&config, args.jobs),
        },
        place: &place,
        kept: kept.as_ref(),
        manner: &Manner { role: args.role.clone(), search_path: args.schema.clone() },
        trials: Trials { load: args.load },
        limits: Limits { max_block: args.max_block },
        fail_on: match args.fail_on {
            FailOn::Error => Some(ProblemSeverity::Error),
            FailOn::Warning => Some(ProblemSeverity::Warning),
            FailOn::Never => None,
        },
        accepted: &args.accept,
        masks: if args.keep { &config.masks } else { &[] },
        started_by: "guard rehearse",
        run: &RunNote::new(None),
        clock: workbench::now,
    };
    let work = Box::pin(answer(&args, &order, session));
    tokio::select! {
        answer = work => answer,
        () = session.cancel.cancelled() => Err(interrupted(&place, &backup).await),
    }
}

async fn answer(args: &RehearseArgs, order: &RehearsalOrder<'_>, session: &Session) -> Result<Answer, CliError> {
    let mut set = lint::one_set(&args.paths, args.layout).map_err(|error| CliError::usage(format!("{error:#}")))?;
    let backup = order.restore.backup;
    let progress = Arc::new(Progress::default());
    let shown = progress::show(backup.manifest.source.as_str(), &progress, session.style);
    let rehearsed = rehearse(order, &mut set, &progress).await;
    drop(shown);
    let Rehearsed { record, stage, copy } = rehearsed?;
    let mut text = text(&record);
    if !args.no_record
        && !record.migrations.is_empty()
        && let Err(error) = keep(order.restore.catalog, &backup.keys, &record).await
    {
        // The answer was found at some cost; a store that may only be read does not make it worthless.
        tracing::error!(%error, "the rehearsal could not be kept beside the backup");
        text.push_str("this result is not on record: the store did not take it\n");
    }
    let mut document = json!(record);
    match (args.keep, copy) {
        (true, Some(copy)) => {
            let cleared = stage.clear(&[Role::Main]).await;
            let migrated = stage.name(Role::Main);
            let address = copy.keep().await.map_err(crate::source::scratch::ScratchError::from)?;
            cleared?;
            text.push_str(&format!("kept: {address}, and what the migrations made of it as database {migrated}\n"));
            document["kept"] = json!({ "restored": address, "migrated": migrated });
        }
        (_, copy) => clear(&stage, copy).await,
    }
    if args.export {
        let exported = export(&record, session).await?;
        text.push_str(&exported.text);
        document["export"] = exported.json;
    }
    let exit = if record.verdict == RehearsalVerdict::Passed { Exit::Yes } else { Exit::No };
    Ok(Answer::new(text, document, exit))
}

/// Takes the undo export of what was seen to be lost, from the source itself.
async fn export(record: &Rehearsal, session: &Session) -> Result<Answer, CliError> {
    let config = session.config()?;
    let catalog = workbench::open(&config).await?;
    let order = UndoOrder {
        config: &config,
        catalog: &catalog,
        source: &record.source,
        run: &record.run,
        cancel: &session.cancel,
    };
    let exported = undo::export(order, &Losing::of(record), session).await?;
    let way_back = exported.as_ref().map(Exported::way_back).unwrap_or_default();
    let text = format!("{}{way_back}", undo::sentence(exported.as_ref()));
    Ok(Answer::yes(text, json!(exported.as_ref().map(Exported::json))))
}

/// The work was dropped, and with it clusters, children and files; only databases on a named server are still there.
async fn interrupted(place: &ScratchPlace, backup: &CompleteBackup) -> CliError {
    let message = match discard(place, &backup.manifest.id).await {
        Ok(()) => "interrupted; the copies and temporary files are removed".to_owned(),
        Err(error) => format!("interrupted; copies remain on the scratch server: {error}"),
    };
    CliError { exit: Exit::Interrupted, ..CliError::unable("interrupted", message) }
}

fn code(name: &str) -> Result<ProblemCode, String> {
    let found = ProblemCode::ALL.into_iter().find(|code| code.as_str() == name);
    found.ok_or_else(|| format!("not one of {}", ProblemCode::ALL.map(ProblemCode::as_str).join(", ")))
}
