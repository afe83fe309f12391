//! `guard prune`: why each backup is kept or goes, and with `--confirm`, removing what goes and what was left behind.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::backup::busy;
use super::exit::{CliError, Exit};
use super::output::{self, Answer};
use super::{Session, workbench};
use crate::catalog::{Catalog, CatalogError, SourceName};
use crate::lease::{Claim, Claimed, HeldLease, Purpose, Subject};
use crate::prune::{Leftovers, Locked, PrunePlan, Pruned, carry_out, decide, leftovers, sweep};
use crate::retention::Rules;

/// Whether to remove, of which sources, and what is old enough.
#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// Names of sources; all of them by default
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// Remove; without it only what would be removed is told
    #[arg(long)]
    confirm: bool,
    /// How old a leftover must be: a backup that runs right now must not be mistaken for one
    #[arg(long, value_name = "AGE", default_value = "24h", value_parser = humantime::parse_duration)]
    leftovers_older_than: Duration,
}

/// What was decided and done.
#[derive(Default)]
struct Told {
    plans: Vec<PrunePlan>,
    pruned: Pruned,
    failures: Vec<CliError>,
}

pub(super) async fn run(args: PruneArgs, session: &Session) -> Result<Answer, CliError> {
    let config = session.config()?;
    let catalog = workbench::open(&config).await?;
    let now = workbench::leases(&catalog).now().await?;
    let mut told = Told::default();
    for source in workbench::source_names(&catalog, &args.sources).await? {
        let rules = workbench::retention_rules(&config, &source);
        let outcome = if args.confirm {
            prune_source(&catalog, &source, &rules, now, session).await
        } else {
            decide(&catalog, &source, &rules, now).await.map(|plan| (plan, Pruned::default())).map_err(CliError::from)
        };
        match outcome {
            Ok((plan, pruned)) => told.add(plan, pruned),
            // One source that is busy must not keep the others from being pruned.
            Err(error) => told.failures.push(CliError { message: format!("{source}: {error}"), ..error }),
        }
        if session.cancel.is_cancelled() {
            let text = "interrupted; what was begun is finished by the next prune".to_owned();
            return Err(CliError { exit: Exit::Interrupted, ..CliError::unable("interrupted", text) });
        }
    }
    let grace = TimeDelta::from_std(args.leftovers_older_than).unwrap_or(TimeDelta::MAX);
    let left = leftovers(&catalog, now, grace).await?;
    if args.confirm {
        told.pruned.locked.extend(sweep(&catalog, &left).await?);
    }
    let keeps_versions = catalog.store().keeps_versions().await.unwrap_or_default();
    Ok(told.answer(&left, args.confirm, keeps_versions))
}

/// Nobody reads what is removed: a proof and a prune hold the same lease.
async fn prune_source(
    catalog: &Catalog,
    source: &SourceName,
    rules: &Rules,
    now: DateTime<Utc>,
    session: &Session,
) -> Result<(PrunePlan, Pruned), CliError> {
    let lease = hold(catalog, source, session).await?;
    let outcome = async {
        let plan = decide(catalog, source, rules, now).await?;
        let pruned = carry_out(catalog, &plan, now, lease.token()).await?;
        Ok::<_, CatalogError>((plan, pruned))
    };
    let outcome = outcome.await;
    if let Err(error) = lease.release().await {
        tracing::warn!(%error, "the lease of the source's backups could not be given back");
    }
    Ok(outcome?)
}

async fn hold(catalog: &Catalog, source: &SourceName, session: &Session) -> Result<HeldLease, CliError> {
    let subject = Subject::Backups(source.clone());
    let claim = Claim { subject, purpose: Purpose::Prune, reason: "guard prune by hand".to_owned() };
    match workbench::leases(catalog).claim(&claim, &session.cancel).await? {
        Claimed::Won(lease) => Ok(lease),
        Claimed::Held(record) | Claimed::Finished(record) => Err(busy(&record)),
    }
}

impl Told {
    fn add(&mut self, plan: PrunePlan, pruned: Pruned) {
        let Pruned { removed, freed_bytes, spared, locked } = pruned;
        self.plans.push(plan);
        self.pruned.removed.extend(removed);
        self.pruned.freed_bytes += freed_bytes;
        self.pruned.spared.extend(spared);
        self.pruned.locked.extend(locked);
    }

    fn answer(self, left: &Leftovers, confirmed: bool, keeps_versions: bool) -> Answer {
        let text = self.text(left, confirmed, keeps_versions);
        let json = self.json(left, confirmed);
        let exit = match (self.failures.is_empty(), self.pruned.locked.is_empty()) {
            (false, _) => Exit::Unable,
            (true, false) => Exit::No,
            (true, true) => Exit::Yes,
        };
        Answer { errors: self.failures, ..Answer::new(text, json, exit) }
    }

    fn text(&self, left: &Leftovers, confirmed: bool, keeps_versions: bool) -> String {
        let rows: Vec<Vec<String>> = self.rows().collect();
        let mut text =
            if rows.is_empty() { String::new() } else { output::table(&["", "SOURCE", "ID", "WHY"], &rows) + "\n" };
        let done = if confirmed { "removed" } else { "would remove" };
        text.extend(left.objects.iter().map(|key| format!("{done} {key} (of a backup that does not exist)\n")));
        text.extend(left.uploads.iter().map(|upload| format!("{done} the unfinished upload of {}\n", upload.key)));
        for id in &self.pruned.spared {
            text.push_str(&format!("{id} stayed: it was pinned or changed meanwhile\n"));
        }
        for Locked { key, reason } in &self.pruned.locked {
            text.push_str(&format!("LOCKED {key}: {reason}\n"));
        }
        let n_going = self.plans.iter().flat_map(|plan| &plan.decisions).filter(|decision| !decision.keep).count();
        if confirmed {
            let n_removed = self.pruned.removed.len();
            text.push_str(&format!("{n_removed} backups removed ({})\n", output::bytes(self.pruned.freed_bytes)));
        } else if n_going > 0 || !left.is_empty() {
            text.push_str("nothing was removed; add --confirm\n");
        } else {
            text.push_str("nothing to remove\n");
        }
        if keeps_versions && (n_going > 0 || !left.is_empty()) {
            text.push_str("the bucket is versioned: what is removed stays as older versions until a lifecycle rule of the bucket expires them\n");
        }
        text
    }

    fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.plans.iter().flat_map(|plan| {
            plan.decisions.iter().map(|decision| {
                let what = if decision.keep { "keep" } else { "GO" };
                let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
                vec![what.to_owned(), plan.source.to_string(), decision.id.to_string(), reasons.join(", ")]
            })
        })
    }

    fn json(&self, left: &Leftovers, confirmed: bool) -> Value {
        let decisions: Vec<Value> = self
            .plans
            .iter()
            .flat_map(|plan| {
                plan.decisions.iter().map(|decision| {
                    let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
                    json!({ "id": decision.id, "source": plan.source, "keep": decision.keep, "reasons": reasons })
                })
            })
            .collect();
        let objects: Vec<String> = left.objects.iter().map(ToString::to_string).collect();
        let uploads: Vec<String> = left.uploads.iter().map(|upload| upload.key.to_string()).collect();
        let locked: Vec<Value> = self
            .pruned
            .locked
            .iter()
            .map(|Locked { key, reason }| json!({ "key": key.to_string(), "reason": reason }))
            .collect();
        json!({
            "decisions": decisions,
            "leftovers": { "objects": objects, "uploads": uploads },
            "removed": confirmed,
            "removed_backups": self.pruned.removed,
            "freed_bytes": self.pruned.freed_bytes,
            "locked": locked,
        })
    }
}
