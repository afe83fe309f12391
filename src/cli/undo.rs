//! The undo export, as `guard rehearse` and `guard migrate` take it and tell of it.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::exit::CliError;
use super::way_back::undo_command;
use super::workbench::{self, ConfiguredSource};
use super::{Session, progress};
use crate::backup::BackupOrder;
use crate::catalog::{Catalog, Manifest, RunNote};
use crate::config::Config;
use crate::progress::Progress;
use crate::undo::{Losing, export_before};

/// Of which source, into which repository.
#[derive(Clone, Copy)]
pub(super) struct UndoOrder<'a> {
    pub(super) config: &'a Config,
    pub(super) catalog: &'a Catalog,
    pub(super) source: &'a str,
    pub(super) run: &'a RunNote,
    pub(super) cancel: &'a CancellationToken,
}

/// An export that is there.
pub(super) struct Exported {
    manifest: Manifest,
    losing: Losing,
    /// What lays it beside the database.
    pub(super) restore: String,
}

/// Takes the export of what is about to be lost; none if nothing is.
pub(super) async fn export(
    order: UndoOrder<'_>,
    losing: &Losing,
    session: &Session,
) -> Result<Option<Exported>, CliError> {
    let UndoOrder { config, catalog, source, run, cancel } = order;
    let ConfiguredSource { source, environment, vigilance, .. } = workbench::only_source(config, source).await?;
    let (compression, recipients) = workbench::sealing(config)?;
    let order = BackupOrder {
        source: &source,
        catalog,
        compression,
        recipients: &recipients,
        environment,
        run,
        source_lock: None,
        vigilance: &vigilance,
        clock: workbench::now,
    };
    let progress = Arc::new(Progress::default());
    let shown = progress::show("undo export", &progress, session.style);
    let exported = Box::pin(export_before(&order, losing, &progress, cancel)).await;
    drop(shown);
    Ok(exported?.map(|manifest| {
        let restore = undo_command(&manifest, config, session);
        Exported { manifest, losing: losing.clone(), restore }
    }))
}

/// What was exported, in a sentence.
pub(super) fn sentence(exported: Option<&Exported>) -> String {
    let Some(Exported { manifest, losing, .. }) = exported else {
        return "nothing to export: neither a rehearsal nor the text of the migrations shows a loss\n".to_owned();
    };
    let tables: Vec<&str> = losing.tables.iter().map(String::as_str).collect();
    let (tables, losses) = (tables.join(", "), losing.losses.join("; "));
    format!("exported {tables} as {} {}: {losses}\n", manifest.source, manifest.id)
}

impl Exported {
    /// How to look at it.
    pub(super) fn way_back(&self) -> String {
        let Manifest { source, id, .. } = &self.manifest;
        format!("To lay what is lost beside the database ({source} {id}):\n  {}\n", self.restore)
    }

    /// For `--json`.
    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.manifest.id,
            "source": self.manifest.source,
            "losing": self.losing,
            "restore": self.restore,
        })
    }
}
