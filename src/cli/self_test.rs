//! `guard verify --self-test`: damage that guard makes on purpose must be found by guard, or its "ok" means nothing.

use std::sync::Arc;

use serde_json::json;

use super::exit::{CliError, Exit};
use super::output::Answer;
use super::{Session, progress, workbench};
use crate::catalog::{Catalog, CompleteBackup, RunNote, SourceName};
use crate::config::Config;
use crate::progress::Progress;
use crate::prove::sabotage::Sabotage;
use crate::prove::{ProofOrder, ProveError, Targets, prove};
use crate::restore::RestoreOrder;
use crate::verify::self_test::{Case, SelfTestError, stored_bytes};

/// Puts the verifier to the test on these backups.
pub(super) async fn run(
    config: &Config,
    catalog: &Catalog,
    backups: &[CompleteBackup],
    session: &Session,
) -> Result<Answer, CliError> {
    if backups.is_empty() {
        let error = CliError::usage("there is no backup to damage a copy of".to_owned());
        return Err(error.with_help("take one: guard backup"));
    }
    let mut told: Vec<(SourceName, String, Vec<Case>)> = Vec::new();
    for backup in backups {
        let mut cases = stored_bytes(catalog, backup).await?;
        cases.extend(restored_copy(config, catalog, backup, session).await?);
        told.push((backup.manifest.source.clone(), backup.manifest.id.to_string(), cases));
    }
    Ok(answer(&told))
}

/// Restores the backup to scratch, damages the copy, and looks whether the comparison tells every damage.
async fn restored_copy(
    config: &Config,
    catalog: &Catalog,
    backup: &CompleteBackup,
    session: &Session,
) -> Result<Vec<Case>, CliError> {
    let sabotage = Sabotage::of(&backup.manifest.contents);
    let skipped = |why: String| {
        let skip = |(damage, ..): &(String, _, _)| Case::skipped(damage.clone(), EXPECTED, why.clone());
        sabotage.expected.iter().map(skip).collect::<Vec<_>>()
    };
    let identities = workbench::identities(config, None).await?;
    let is_encrypted = backup.manifest.streams.iter().any(|stream| !stream.recipients.is_empty());
    if is_encrypted && identities.is_empty() {
        return Ok(skipped("it is encrypted, and there is no key here to restore it with".to_owned()));
    }
    let (place, run) = (workbench::scratch_place(config).await?, RunNote::new(None));
    let client = workbench::client_search(config, &backup.manifest.source);
    let order = ProofOrder {
        restore: RestoreOrder {
            catalog,
            backup,
            identities: &identities,
            temp_dir: config.scratch.dir.as_deref(),
            client: &client,
            jobs: workbench::jobs(config, None),
        },
        place: &place,
        targets: Targets::default(),
        started_by: "guard verify --self-test",
        run: &run,
        damage: Some(&sabotage.statement),
        clock: workbench::now,
    };
    let progress = Arc::new(Progress::default());
    let shown = progress::show(backup.manifest.source.as_str(), &progress, session.style);
    let proved = Box::pin(prove(&order, &progress)).await;
    drop(shown);
    let (evidence, scratch) = match proved {
        Ok(proved) => proved,
        Err(ProveError::Scratch(error)) => return Ok(skipped(format!("no scratch could be made or damaged: {error}"))),
        Err(error) => return Err(error.into()),
    };
    scratch.stop().await;
    match &evidence.reason {
        // Something else was wrong with it before it was damaged.
        Some(reason) if reason != EXPECTED => {
            let detail = evidence.rungs.last().map(|rung| rung.detail.as_str()).unwrap_or_default();
            let message = format!("{} fails its proof by itself ({reason}): {detail}", backup.keys.folder());
            Err(CliError { exit: Exit::No, ..CliError::unable("proof-failed", message) }
                .with_help("the self-test needs a sound backup: guard restore --to scratch"))
        }
        _ => {
            let found = sabotage.found_in(&evidence.differences);
            Ok(found.map(|(damage, found)| Case::tried(damage, EXPECTED, found.then(|| EXPECTED.to_owned()))).collect())
        }
    }
}

const EXPECTED: &str = "contents-differ";

fn answer(told: &[(SourceName, String, Vec<Case>)]) -> Answer {
    let mut text = String::new();
    let (mut n_found, mut n_missed, mut n_skipped) = (0, 0, 0);
    for (source, id, cases) in told {
        text.push_str(&format!("self-test on {source}/{id}\n"));
        for Case { damage, expected, found, ok } in cases {
            let said = found.as_deref().unwrap_or("nothing");
            match ok {
                Some(true) => {
                    n_found += 1;
                    text.push_str(&format!("  found    {damage}: {expected}\n"));
                }
                Some(false) => {
                    n_missed += 1;
                    text.push_str(&format!("  MISSED   {damage}: {said} was found instead of {expected}\n"));
                }
                None => {
                    n_skipped += 1;
                    text.push_str(&format!("  skipped  {damage}: {said}\n"));
                }
            }
        }
    }
    text.push_str(&format!("{n_found} damages found, {n_missed} missed, {n_skipped} skipped\n"));
    let (verdict, exit) = if n_missed == 0 { ("ok", Exit::Yes) } else { ("blind", Exit::No) };
    let documents: Vec<_> =
        told.iter().map(|(source, id, cases)| json!({ "source": source, "backup": id, "cases": cases })).collect();
    Answer::new(text, json!({ "self_test": documents, "verdict": verdict }), exit)
}

impl From<SelfTestError> for CliError {
    fn from(error: SelfTestError) -> Self {
        match error {
            SelfTestError::Store(error) => error.into(),
            SelfTestError::Catalog(error) => error.into(),
            SelfTestError::Unsound { .. } => {
                Self { exit: Exit::No, ..Self::unable("damaged", error.to_string()) }.with_help("see `guard verify`")
            }
        }
    }
}
