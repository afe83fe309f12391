//! `guard verify`: does every stored byte still match its manifest?

use clap::Args;
use serde_json::json;

use super::exit::{CliError, Exit};
use super::output::Answer;
use super::{Session, self_test, workbench};
use crate::catalog::{Catalog, CatalogError, CompleteBackup};
use crate::verify::{Checked, verify};

/// Which backups to read.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Ids, beginnings of ids, `latest`, `latest~2`; every backup by default
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only this source's backups
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Verify the verifier: read the newest backup as if it were damaged, restore it to scratch and damage the copy, and see
    /// that each damage is found. Nothing in the store changes
    #[arg(long)]
    self_test: bool,
}

pub(super) async fn run(args: VerifyArgs, session: &Session) -> Result<Answer, CliError> {
    let config = session.config()?;
    let catalog = workbench::open(&config).await?;
    let Chosen { backups, untrusted } = choose(&args, &catalog).await?;
    let work = async {
        if args.self_test {
            return self_test::run(&config, &catalog, &backups, session).await;
        }
        let mut checked = untrusted;
        for backup in &backups {
            checked.extend(verify(&**catalog.store(), backup).await?);
        }
        Ok(answer(&checked, backups.len()))
    };
    tokio::select! {
        answer = work => answer,
        () = session.cancel.cancelled() => Err(CliError {
            exit: Exit::Interrupted,
            ..CliError::unable("interrupted", "interrupted; nothing was changed".to_owned())
        }),
    }
}

/// What is to be read, and what cannot be.
#[derive(Default)]
struct Chosen {
    backups: Vec<CompleteBackup>,
    untrusted: Vec<Checked>,
}

/// The backups that are named; else all of them, or for a self-test the newest of each source.
async fn choose(args: &VerifyArgs, catalog: &Catalog) -> Result<Chosen, CliError> {
    let mut chosen = Chosen::default();
    for id in &args.ids {
        chosen.backups.push(workbench::find_backup(catalog, args.source.as_ref(), &id.parse()?).await?);
    }
    if !args.ids.is_empty() {
        return Ok(chosen);
    }
    let names: Vec<String> = args.source.iter().cloned().collect();
    for source in workbench::source_names(catalog, &names).await? {
        let mut listed = catalog.backups(&source).await?;
        if args.self_test {
            listed = listed.pop().into_iter().collect();
        }
        for listed in listed {
            match listed.backup {
                Ok(backup) => chosen.backups.push(backup),
                Err(CatalogError::Untrusted { key, reason }) => {
                    let reason = Some(format!("untrusted: {reason}"));
                    chosen.untrusted.push(Checked { key: key.to_string(), ok: false, reason });
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(chosen)
}

fn answer(checked: &[Checked], n_backups: usize) -> Answer {
    let bad: Vec<&Checked> = checked.iter().filter(|checked| !checked.ok).collect();
    let mut text: String = bad
        .iter()
        .map(|checked| format!("DAMAGED {}: {}\n", checked.key, checked.reason.as_deref().unwrap_or_default()))
        .collect();
    let (verdict, exit) = if bad.is_empty() { ("ok", Exit::Yes) } else { ("damaged", Exit::No) };
    text.push_str(&format!("{n_backups} backups, {} objects read, {} damaged\n", checked.len(), bad.len()));
    Answer::new(text, json!({ "objects": checked, "verdict": verdict }), exit)
}
