//! `guard restore`: to scratch with proof, to a database, to a directory.

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::exit::{CliError, Exit};
use super::list::WhichBackup;
use super::output::{self, Answer};
use super::{Session, progress, report, workbench};
use crate::catalog::{BackupId, RunNote, Verdict};
use crate::config;
use crate::progress::Progress;
use crate::prove::{ProofOrder, keep_evidence, prove};
use crate::restore::{
    Confirmation, DatabaseTarget, KeyspaceTarget, RestoreOrder, RestoredKeys, restore_to_database, restore_to_dir,
    restore_to_server,
};
use crate::source::postgres::connection::Connection;
use crate::source::postgres::scratch::discard;
use crate::source::redis::address::Address;
use crate::undo;

/// Which backup to restore, where to, and how much of it.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    which: WhichBackup,
    /// `scratch` (throw-away, proven, removed), `source` (the database it was taken of, as it is configured), a postgres:// or
    /// redis:// URL, or a directory for the decrypted files
    #[arg(long, value_name = "TARGET")]
    to: String,
    /// source: not that database but this one on the same server, with the same connection settings
    #[arg(long, value_name = "DATABASE")]
    beside: Option<String>,
    /// The age identity file (private key) that opens an encrypted backup
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Parallel workers of pg_restore [default: one a core, at most 8]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroU32>,
    /// scratch: leave the restored database running and say where
    #[arg(long)]
    keep: bool,
    /// database: create it if it does not exist
    #[arg(long)]
    create: bool,
    /// database: first drop what the backup has; server: replace its keys. Everything else stays. Asks unless --yes
    #[arg(long)]
    clean: bool,
    /// database: first drop everything that it has, what came after the backup too; extensions stay. Asks unless --yes
    #[arg(long, conflicts_with_all = ["clean", "create", "table", "schema_only"])]
    replace: bool,
    /// database: allow it to be the very one that the backup was taken of; asks unless --yes
    #[arg(long)]
    over_source: bool,
    /// Redis: only keys whose names match this pattern (`session:*`), without functions; may be repeated
    #[arg(long, value_name = "PATTERN")]
    key: Vec<String>,
    /// Redis: put all keys into this database
    #[arg(long, value_name = "N")]
    database: Option<u32>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// database: only this table (schema.name), with its indexes, constraints and sequences; may be repeated
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
    /// database: definitions without data
    #[arg(long)]
    schema_only: bool,
    /// database: leave owners and grants out
    #[arg(long)]
    no_owner: bool,
    /// database: do not compare what came back with the manifest afterwards
    #[arg(long)]
    no_compare: bool,
}

pub(super) async fn run(args: RestoreArgs, session: &Session) -> Result<Answer, CliError> {
    if args.beside.is_some() && args.to != "source" {
        return Err(CliError::usage("--beside goes with --to source".to_owned()));
    }
    let config = session.config()?;
    let catalog = workbench::open(&config).await?;
    let backup = args.which.find(&catalog).await?;
    let identities = workbench::identities(&config, args.identity.as_ref()).await?;
    let client = workbench::client_search(&config, &backup.manifest.source);
    let order = RestoreOrder {
        catalog: &catalog,
        backup: &backup,
        identities: &identities,
        temp_dir: config.scratch.dir.as_deref(),
        client: &client,
        jobs: workbench::jobs(&config, args.jobs),
    };
    let progress = Arc::new(Progress::default());
    let shown = progress::show(backup.manifest.source.as_str(), &progress, session.style);
    let work = async {
        match &args.to {
            to if to == "scratch" => to_scratch(&args, &config, &order, &progress).await,
            to if to == "source" => {
                let connection = source_target(&args, &config, &order).await?;
                to_database(&args, connection, &order, &progress).await
            }
            to if is_redis(to) => to_server(&args, &config, &order, &progress).await,
            to if is_url(to) => {
                let parsed = Connection::parse(to);
                let connection = parsed.map_err(|error| CliError::unable("connection-string", error.to_string()))?;
                to_database(&args, connection, &order, &progress).await
            }
            to => to_dir(to, &order, &progress).await,
        }
    };
    let outcome = tokio::select! {
        outcome = work => Some(outcome),
        () = session.cancel.cancelled() => None,
    };
    drop(shown);
    match outcome {
        Some(outcome) => outcome,
        None => Err(interrupted(&args, &config, &backup.manifest.id).await),
    }
}

/// Where `--to source` leads.
async fn source_target(
    args: &RestoreArgs,
    config: &config::Config,
    order: &RestoreOrder<'_>,
) -> Result<Connection, CliError> {
    let source = &order.backup.manifest.source;
    let origin = undo::origin_of(order.catalog, &order.backup.keys).await?;
    if origin.is_some() && args.beside.is_none() {
        // It defines every table and holds the rows of a few: over the source it could only do harm.
        return Err(CliError::usage(format!("{source} is an undo export: it goes beside its source, not over it"))
            .with_help("name a database for it: --beside NAME --create"));
    }
    let connection = workbench::source_connection(config, origin.as_ref().unwrap_or(source)).await?;
    Ok(args.beside.as_ref().map_or(connection.clone(), |database| connection.with_database(database)))
}

/// The work was dropped, and with it clusters, children and files; only a database on a named server is still there.
async fn interrupted(args: &RestoreArgs, config: &config::Config, backup: &BackupId) -> CliError {
    let mut message = "interrupted; temporary files are removed".to_owned();
    if is_url(&args.to) || args.to == "source" {
        message.push_str(", and the target may hold a part of the backup");
    }
    if args.to == "scratch" {
        match workbench::scratch_place(config).await {
            Ok(place) => match discard(&place, backup).await {
                Ok(()) => "interrupted; the scratch database and temporary files are removed".clone_into(&mut message),
                Err(error) => message = format!("interrupted; the scratch database remains: {error}"),
            },
            Err(error) => message = format!("interrupted; the scratch database may remain: {error}"),
        }
    }
    CliError { exit: Exit::Interrupted, ..CliError::unable("interrupted", message) }
}

async fn to_scratch(
    args: &RestoreArgs,
    config: &config::Config,
    order: &RestoreOrder<'_>,
    progress: &Arc<Progress>,
) -> Result<Answer, CliError> {
    let place = workbench::scratch_place(config).await?;
    let run = RunNote::new(None);
    let proof = ProofOrder {
        restore: *order,
        place: &place,
        targets: workbench::targets(config, &order.backup.manifest.source),
        started_by: "guard restore --to scratch",
        run: &run,
        damage: None,
        clock: workbench::now,
    };
    let (evidence, scratch) = prove(&proof, progress).await?;
    let mut text = report::text(&evidence);
    if let Err(error) = keep_evidence(order.catalog, order.backup, &evidence).await {
        // The answer was found at some cost; a store that may only be read does not make it worthless.
        tracing::error!(%error, "the evidence could not be kept beside the backup");
        text.push_str("this result is not on record: the store did not take the evidence\n");
    }
    if args.keep || config.scratch.keep {
        text.push_str(&format!("kept: {}\n", scratch.keep().await?));
    } else {
        scratch.stop().await;
    }
    let exit = if evidence.verdict == Verdict::Proven { Exit::Yes } else { Exit::No };
    Ok(Answer::new(text, json!(evidence), exit))
}

async fn to_database(
    args: &RestoreArgs,
    connection: Connection,
    order: &RestoreOrder<'_>,
    progress: &Arc<Progress>,
) -> Result<Answer, CliError> {
    let shown = connection.to_string();
    let clean = args
        .clean
        .then(|| confirm(args.yes, &format!("drop and replace in {shown} what the backup has")))
        .transpose()?;
    let replace =
        args.replace.then(|| confirm(args.yes, &format!("drop everything in {shown} and restore"))).transpose()?;
    let over_source =
        args.over_source.then(|| confirm(args.yes, &format!("restore over the source {shown}"))).transpose()?;
    let target = DatabaseTarget {
        connection,
        create: args.create,
        clean,
        replace,
        over_source,
        schema_only: args.schema_only,
        tables: args.table.clone(),
        without_roles: args.no_owner,
        compare: !args.no_compare,
    };
    restore_to_database(order, &target, progress).await?;
    let id = &order.backup.manifest.id;
    let json = json!({ "backup": id, "target": shown, "restored": true });
    Ok(Answer::yes(format!("restored {id} into {shown}\n"), json))
}

async fn to_server(
    args: &RestoreArgs,
    config: &config::Config,
    order: &RestoreOrder<'_>,
    progress: &Arc<Progress>,
) -> Result<Answer, CliError> {
    let mut address =
        Address::parse(&args.to).map_err(|error| CliError::unable("connection-string", error.to_string()))?;
    adopt_tls(&mut address, config);
    let shown = address.to_string();
    let clean = args
        .clean
        .then(|| confirm(args.yes, &format!("replace in {shown} the keys that the backup has")))
        .transpose()?;
    let over_source =
        args.over_source.then(|| confirm(args.yes, &format!("restore over the source {shown}"))).transpose()?;
    let target = KeyspaceTarget {
        // A number above 0 in the URL names the database as the flag does; 0 is what every URL has.
        database: args.database.or(address.database.filter(|database| *database > 0)),
        address,
        max_silence: Duration::from_mins(2),
        clean,
        over_source,
        patterns: args.key.clone(),
        compare: !args.no_compare,
    };
    let done = restore_to_server(order, &target, progress).await?;
    let RestoredKeys { loaded, compared, expired } = done;
    let id = &order.backup.manifest.id;
    let mut text =
        format!("restored {id} into {shown}: {} keys, {} function libraries\n", loaded.keys, loaded.libraries);
    if expired > 0 {
        text.push_str(&format!(
            "{expired} of the keys have expired since the backup, or may have by now: they are not missed\n"
        ));
    }
    text.push_str(match (compared, target.compare) {
        (true, _) => "what came back is what was backed up\n",
        (false, true) => "not compared: the server held other keys\n",
        (false, false) => "not compared\n",
    });
    let json = json!({
        "backup": id, "target": shown, "restored": true, "keys": loaded.keys, "functions": loaded.libraries,
        "compared": compared, "expired": expired,
    });
    Ok(Answer::yes(text, json))
}

/// A target with TLS is most often beside the source, signed by the same private authority.
fn adopt_tls(address: &mut Address, config: &config::Config) {
    let Some(tls) = &mut address.tls else { return };
    let redis = config.sources.values().find_map(|source| match source {
        config::SourceConfig::Redis(redis) => redis.sslrootcert.clone(),
        config::SourceConfig::Postgres(_) => None,
    });
    tls.ca_file = tls.ca_file.take().or(redis);
}

async fn to_dir(to: &str, order: &RestoreOrder<'_>, progress: &Arc<Progress>) -> Result<Answer, CliError> {
    let files = restore_to_dir(order, to.as_ref(), progress).await?;
    let text: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
    Ok(Answer::yes(text, json!({ "backup": order.backup.manifest.id, "files": files })))
}

fn is_redis(to: &str) -> bool {
    let schemes = ["redis", "valkey", "unix:"];
    to.contains("://") && schemes.iter().any(|scheme| to.starts_with(scheme))
}

fn is_url(to: &str) -> bool {
    to.contains("://") || to.contains("host=") || to.contains("dbname=")
}

/// Asks a person, unless they have said yes beforehand. Without a terminal nobody can be asked.
fn confirm(yes: bool, what: &str) -> Result<Confirmation, CliError> {
    if yes {
        return Ok(Confirmation::given_by_user());
    }
    let refuse = || CliError::usage(format!("not confirmed: {what}")).with_help("add --yes to confirm it beforehand");
    if !std::io::stdin().is_terminal() {
        return Err(refuse());
    }
    output::ask(&format!("{what}? Type yes to go on: "));
    let mut line = String::new();
    let _ = std::io::stderr().flush();
    std::io::stdin().read_line(&mut line).map_err(|_| refuse())?;
    if line.trim() == "yes" { Ok(Confirmation::given_by_user()) } else { Err(refuse()) }
}
