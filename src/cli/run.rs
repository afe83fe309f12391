//! `guard run`: the daemon, with the signals that steer it.

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::exit::CliError;
use super::output::Answer;
use super::{Session, workbench};
use crate::daemon::{self, Orders};

/// Nothing but what every command takes: what to do stands in the configuration.
#[derive(Debug, Args)]
pub(super) struct RunArgs {}

pub(super) async fn run(_args: RunArgs, session: &Session) -> Result<Answer, CliError> {
    let orders = Orders {
        request: session.request.clone(),
        clock: workbench::now,
        stop: session.cancel.clone(),
        reload: hangups()?,
    };
    Box::pin(daemon::run(orders)).await?;
    Ok(Answer::yes(String::new(), json!({ "stopped": true })))
}

/// A message for each SIGHUP. Several that come at once are one.
fn hangups() -> Result<mpsc::Receiver<()>, CliError> {
    let mut hangups = signal(SignalKind::hangup())
        .map_err(|error| CliError::unable("signals", format!("cannot listen for signals: {error}")))?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            let _ = sender.try_send(());
        }
    });
    Ok(receiver)
}
