//! `guard backup`: take backups now.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tracing::Instrument as _;

use super::exit::{CliError, Exit};
use super::output::{self, Answer};
use super::workbench::{self, ConfiguredSource};
use super::{Session, progress};
use crate::backup::{BackupError, BackupOrder, backup};
use crate::catalog::{Alarm, Guarantee, Manifest, RunNote, SourceFacts, SourceName};
use crate::lease::{Claim, Claimed, HeldLease, Leases, Purpose, Record, Subject};
use crate::progress::Progress;
use crate::window;

/// Which sources to back up.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// Names of sources; all of them by default. Of a source with several databases, NAME.DATABASE is one
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
}

pub(super) async fn run(args: BackupArgs, session: &Session) -> Result<Answer, CliError> {
    let config = session.config()?;
    let (compression, recipients) = workbench::sealing(&config)?;
    let sources = workbench::sources(&config, &args.sources).await?;
    let catalog = workbench::open_or_create(&config).await?;
    let leases = workbench::leases(&catalog).lasting(config.run.lease_ttl);
    let exclusion = leases.exclusion().await?;
    let run = RunNote::new(None);
    let mut done = Vec::new();
    let mut failures = Vec::new();
    for configured in &sources {
        let order = BackupOrder {
            source: &configured.source,
            catalog: &catalog,
            compression,
            recipients: &recipients,
            environment: configured.environment.clone(),
            run: &run,
            vigilance: &configured.vigilance,
            source_lock: workbench::source_lock(&exclusion, &catalog, configured.source.name()),
            clock: workbench::now,
        };
        let span = tracing::info_span!("run", id = run.id, source = %configured.source.name());
        match with_retries(&leases, &order, configured, session).instrument(span).await {
            Ok(manifest) => done.push(manifest),
            Err(error) if error.exit == Exit::Interrupted => return Err(error),
            // One source that fails must not keep the others from being backed up.
            Err(error) => failures.push((configured.source.name().clone(), error)),
        }
    }
    answer(&done, failures)
}

/// Backs a source up under its lease: never two runs of one source at once, by whoever, and none in a migration window.
async fn leased(
    leases: &Leases,
    order: &BackupOrder<'_>,
    configured: &ConfiguredSource,
    session: &Session,
) -> Result<Manifest, Missed> {
    let name = configured.source.name();
    let lease = hold(leases, name, session).await.map_err(Missed::Failed)?;
    let progress = Arc::new(Progress::default());
    let shown = progress::show(name.as_str(), &progress, session.style);
    let outcome = backup(order, &progress, lease.token()).await;
    drop(shown);
    let (lost, asked) = (lease.is_lost(), lease.asked_to_yield().map(str::to_owned));
    match (outcome, lease.release().await, asked) {
        (Err(BackupError::Interrupted), Err(error), _) if lost => Err(Missed::Failed(error.into())),
        (Err(BackupError::Interrupted), _, Some(why)) if !session.cancel.is_cancelled() => Err(Missed::GaveWay(why)),
        (outcome, released, _) => {
            if let Err(error) = released {
                tracing::warn!(%error, "the source's lease could not be given back");
            }
            outcome.map_err(|error| match error {
                BackupError::Source(error) if error.is_retryable() => Missed::Passing(error.into()),
                error => Missed::Failed(error.into()),
            })
        }
    }
}

/// Why there is no backup yet.
enum Missed {
    /// A migration asked for the way.
    GaveWay(String),
    /// It may succeed a little later.
    Passing(CliError),
    /// It will not.
    Failed(CliError),
}

/// The source's lease. A migration window is waited for, however long it takes: a backup that comes later is no harm.
async fn hold(leases: &Leases, source: &SourceName, session: &Session) -> Result<HeldLease, CliError> {
    let subject = Subject::Source(source.clone());
    let claim = Claim { subject, purpose: Purpose::Backup, reason: "guard backup by hand".to_owned() };
    let mut told = None;
    loop {
        let record = match leases.claim(&claim, &session.cancel).await? {
            Claimed::Won(lease) => return Ok(lease),
            Claimed::Held(record) | Claimed::Finished(record) => record,
        };
        if record.purpose != Purpose::MigrationWindow {
            return Err(busy(&record));
        }
        if told.as_ref() != Some(&record.token) {
            let Record { holder, reason, .. } = &record;
            output::note(&format!("{source}: waiting for the end of a migration window of {holder} ({reason})"));
            told = Some(record.token);
        }
        pause(ASK_AGAIN, session).await?;
    }
}

/// How often somebody who waits for a window looks again.
const ASK_AGAIN: Duration = Duration::from_millis(500);

async fn pause(span: Duration, session: &Session) -> Result<(), CliError> {
    tokio::select! {
        () = tokio::time::sleep(span) => Ok(()),
        () = session.cancel.cancelled() => Err(BackupError::Interrupted.into()),
    }
}

pub(super) fn busy(record: &Record) -> CliError {
    let Record { purpose, holder, acquired, reason, .. } = record;
    let message = format!("it is taken by {holder} since {} ({purpose}: {reason})", acquired.format("%F %T UTC"));
    let help = format!("wait for its end; if it has died, its lease ends at {}", record.expires().format("%F %T UTC"));
    CliError::unable("busy", message).with_help(help)
}

/// A dump that gave way, to the database's users or to a migration, is tried again later; nothing else is worth a second try.
/// In between nobody is kept waiting: the lease is given back.
async fn with_retries(
    leases: &Leases,
    order: &BackupOrder<'_>,
    configured: &ConfiguredSource,
    session: &Session,
) -> Result<Manifest, CliError> {
    let name = configured.source.name().as_str();
    let mut retries_left = configured.retries;
    loop {
        let delay = match leased(leases, order, configured, session).await {
            Ok(manifest) => return Ok(manifest),
            Err(Missed::GaveWay(why)) => {
                output::note(&format!(
                    "{name}: the dump gave way to a migration ({why}); it is taken again afterwards"
                ));
                window::STAND_BACK
            }
            Err(Missed::Passing(error)) if retries_left > 0 => {
                retries_left -= 1;
                let delay = configured.retry_delay;
                let shown = humantime::format_duration(delay);
                output::note(&format!("{name}: {error}; trying again in {shown}"));
                delay
            }
            Err(Missed::Passing(error) | Missed::Failed(error)) => return Err(error),
        };
        pause(delay, session).await?;
    }
}

fn answer(done: &[Manifest], failures: Vec<(SourceName, CliError)>) -> Result<Answer, CliError> {
    let exit = if failures.is_empty() { Exit::Yes } else { Exit::Unable };
    let name_source =
        |(source, error): (SourceName, CliError)| CliError { message: format!("{source}: {error}"), ..error };
    let mut errors: Vec<CliError> = failures.into_iter().map(name_source).collect();
    if done.is_empty() && errors.len() == 1 {
        return Err(errors.swap_remove(0));
    }
    let text: String = done.iter().map(sentence).collect();
    let backups: Vec<Value> = done.iter().map(summary).collect();
    Ok(Answer { errors, ..Answer::new(text, json!({ "backups": backups }), exit) })
}

/// What was backed up, in a line; a second one if it is worth less than it may seem.
pub(super) fn sentence(manifest: &Manifest) -> String {
    let subject = match &manifest.facts {
        SourceFacts::Postgres(facts) => facts.database.clone(),
        SourceFacts::Redis(facts) => facts.subject(),
    };
    let mut text = format!(
        "{}: backed up {} as {}: {}, {} stored as {}, in {:.1} s\n",
        manifest.source,
        subject,
        manifest.id,
        manifest.contents.summary(),
        output::bytes(manifest.plain_bytes()),
        output::bytes(manifest.stored_bytes()),
        (manifest.finished - manifest.started).as_seconds_f64(),
    );
    if let Some(alarm) = &manifest.alarm {
        text.push_str(&alarm_text(manifest, alarm));
    }
    if let Some(guarantee) = weaker_guarantee(manifest) {
        text.push_str(&format!("{}: this backup is {}\n", manifest.source, guarantee.sentence()));
    }
    text
}

/// What is missing, and what to do about it.
pub(super) fn alarm_text(manifest: &Manifest, alarm: &Alarm) -> String {
    let Manifest { id, source, .. } = manifest;
    let losses: String = alarm.losses.iter().map(|loss| format!("{source}: ALARM: {}\n", loss.message)).collect();
    let advice = format!(
        "{source}: compared with {}; nothing is pruned until `guard release {id}` says that it is as it should be\n",
        alarm.against
    );
    losses + &advice
}

/// The guarantee of a backup that is not a snapshot.
pub(super) fn weaker_guarantee(manifest: &Manifest) -> Option<Guarantee> {
    manifest.redis().map(|facts| facts.guarantee).filter(|guarantee| *guarantee != Guarantee::PointInTime)
}

/// What `backup` and `list` say of a backup.
pub(super) fn summary(manifest: &Manifest) -> Value {
    let mut summary = json!({
        "id": manifest.id,
        "source": manifest.source,
        "state": "complete",
        "started": manifest.started,
        "finished": manifest.finished,
        "stored_bytes": manifest.stored_bytes(),
        "plain_bytes": manifest.plain_bytes(),
        "tables": manifest.contents.tables.len(),
        "rows": manifest.contents.tables.values().map(|table| table.rows).sum::<u64>(),
        "encrypted": manifest.streams.iter().any(|stream| !stream.recipients.is_empty()),
        "kind": manifest.facts.kind(),
        "alarm": manifest.alarm,
    });
    if let (Some(facts), Some(keyspace)) = (manifest.redis(), &manifest.contents.keyspace) {
        summary["guarantee"] = json!(facts.guarantee);
        summary["databases"] = json!(keyspace.databases.len());
        summary["keys"] = json!(keyspace.keys());
    }
    summary
}
