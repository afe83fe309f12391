//! `guard backup`: take backups now.

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::exit::{CliError, Exit};
use super::output::{self, Answer};
use super::workbench::{self, ConfiguredSource};
use super::{Session, progress};
use crate::backup::{BackupError, BackupOrder, backup};
use crate::catalog::{Alarm, Guarantee, Manifest, RunNote, SourceFacts, SourceName};
use crate::lease::{Claim, Claimed, Leases, Purpose, Record, Subject};
use crate::progress::Progress;

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
    let leases = workbench::leases(&catalog);
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
        match leased(&leases, &order, configured, session).instrument(span).await {
            Ok(manifest) => done.push(manifest),
            Err(error) if error.exit == Exit::Interrupted => return Err(error),
            // One source that fails must not keep the others from being backed up.
            Err(error) => failures.push((configured.source.name().clone(), error)),
        }
    }
    answer(&done, failures)
}

/// Backs a source up under its lease: never two runs of one source at once, by whoever.
async fn leased(
    leases: &Leases,
    order: &BackupOrder<'_>,
    configured: &ConfiguredSource,
    session: &Session,
) -> Result<Manifest, CliError> {
    let source = configured.source.name();
    let subject = Subject::Source(source.clone());
    let claim = Claim { subject, purpose: Purpose::Backup, reason: "guard backup by hand".to_owned() };
    let lease = match leases.claim(&claim, &session.cancel).await? {
        Claimed::Won(lease) => lease,
        Claimed::Held(record) | Claimed::Finished(record) => return Err(busy(&record)),
    };
    let outcome = with_retries(order, configured, session, lease.token()).await;
    let lost = lease.is_lost();
    match (outcome, lease.release().await) {
        (Err(BackupError::Interrupted), Err(error)) if lost => Err(error.into()),
        (outcome, released) => {
            if let Err(error) = released {
                tracing::warn!(%error, "the source's lease could not be given back");
            }
            Ok(outcome?)
        }
    }
}

pub(super) fn busy(record: &Record) -> CliError {
    let Record { purpose, holder, acquired, reason, .. } = record;
    let message = format!("it is taken by {holder} since {} ({purpose}: {reason})", acquired.format("%F %T UTC"));
    let help = format!("wait for its end; if it has died, its lease ends at {}", record.expires().format("%F %T UTC"));
    CliError::unable("busy", message).with_help(help)
}

/// A dump that gave way to the database's users is tried again later; nothing else is worth a second try.
async fn with_retries(
    order: &BackupOrder<'_>,
    configured: &ConfiguredSource,
    session: &Session,
    cancel: &CancellationToken,
) -> Result<Manifest, BackupError> {
    let name = configured.source.name().as_str();
    let mut retries_left = configured.retries;
    loop {
        let progress = Arc::new(Progress::default());
        let shown = progress::show(name, &progress, session.style);
        let outcome = backup(order, &progress, cancel).await;
        drop(shown);
        match outcome {
            Err(BackupError::Source(error)) if error.is_retryable() && retries_left > 0 => {
                retries_left -= 1;
                let delay = humantime::format_duration(configured.retry_delay);
                output::note(&format!("{name}: {error}; trying again in {delay}"));
                tokio::select! {
                    () = tokio::time::sleep(configured.retry_delay) => {}
                    () = cancel.cancelled() => return Err(BackupError::Interrupted),
                }
            }
            outcome => return outcome,
        }
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
