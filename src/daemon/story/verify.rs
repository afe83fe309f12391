//! A scheduled verification: every stored byte of the source's backups is read and compared with its manifest.

use std::sync::Arc;

use super::super::run::Run;
use super::{Break, Failure, Told, hold, in_repository, let_go, shown};
use crate::catalog::{CatalogError, CompleteBackup, SourceName};
use crate::cli::CliError;
use crate::lease::Subject;
use crate::schedule::Kind;
use crate::verify::self_test::{SelfTestError, stored_bytes};
use crate::verify::{Checked, verify};

pub(super) async fn tell(run: Run<'_>) -> Result<Told, Break> {
    let (mut n_read, mut damaged) = (0, Vec::new());
    for source in in_repository(run).await? {
        let lease = hold(run, Subject::Backups(source.clone())).await?;
        let checked = shown(run, Kind::Verify, &source, &Arc::default(), check(run, &source)).await;
        let_go(lease).await;
        let checked = checked?;
        n_read += checked.len();
        damaged.extend(checked.into_iter().filter(|checked| !checked.ok));
    }
    let Some(first) = damaged.first() else {
        tracing::info!(objects = n_read, "every stored byte matches");
        return Ok(if n_read == 0 { Told::NothingYet } else { Told::Done { backup: None } });
    };
    let reason = first.reason.as_deref().unwrap_or_default();
    let message =
        format!("{} of {n_read} stored objects are damaged, the first is {}: {reason}", damaged.len(), first.key);
    let help = Some("see `guard verify`; take a new backup, and look at the store".to_owned());
    Ok(Told::Failed(Failure { code: "damaged", message, help, is_told: false }))
}

async fn check(run: Run<'_>, source: &SourceName) -> Result<Vec<Checked>, Break> {
    let mut checked = Vec::new();
    let mut newest = None;
    for listed in run.place.catalog.backups(source).await? {
        let backup = match listed.backup {
            Ok(backup) => backup,
            Err(CatalogError::Untrusted { key, reason }) => {
                checked.push(Checked { key: key.to_string(), ok: false, reason: Some(format!("untrusted: {reason}")) });
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        tokio::select! {
            read = verify(&**run.place.catalog.store(), &backup) => checked.extend(read?),
            () = run.token.cancelled() => return Err(Break::Stopped),
        }
        newest = Some(backup);
    }
    if let Some(newest) = newest {
        tokio::select! {
            tested = test_verifier(run, &newest) => checked.extend(tested?),
            () = run.token.cancelled() => return Err(Break::Stopped),
        }
    }
    Ok(checked)
}

/// That nothing was found means something only if damage would have been: the verifier is put to the test each time.
async fn test_verifier(run: Run<'_>, backup: &CompleteBackup) -> Result<Vec<Checked>, Break> {
    let cases = match stored_bytes(&run.place.catalog, backup).await {
        Ok(cases) => cases,
        // That is found and told already.
        Err(SelfTestError::Unsound { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(CliError::from(error).into()),
    };
    tracing::debug!(n_cases = cases.len(), "the verifier was put to the test");
    let missed = cases.into_iter().filter(|case| case.ok == Some(false)).map(|case| {
        let found = case.found.as_deref().unwrap_or("nothing");
        let reason = format!("verifier-blind: {}: {found} was found instead of {}", case.damage, case.expected);
        Checked { key: backup.keys.folder().to_string(), ok: false, reason: Some(reason) }
    });
    Ok(missed.collect())
}
