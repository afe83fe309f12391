//! `guard notify test`: does a message arrive? Asked before the night in which one must.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exit::{CliError, Exit};
use super::output::Answer;
use super::{Session, workbench};
use crate::daemon;
use crate::lease::Holder;
use crate::notify::{Event, Notice};

/// What to try.
#[derive(Debug, Args)]
pub(super) struct NotifyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum What {
    /// Send a message to every receiver, once
    Test,
}

pub(super) async fn run(args: NotifyArgs, session: &Session) -> Result<Answer, CliError> {
    let What::Test = args.what;
    let config = session.config()?;
    if config.notify.is_empty() {
        return Err(CliError::usage("nobody is to be told anything".to_owned())
            .with_help("add [notify.NAME] with webhook, slack, ping, heartbeat, smtp or program"));
    }
    let notice = Notice {
        event: Event::Recovery,
        at: workbench::now(),
        source: None,
        job: None,
        run: None,
        host: Holder::of_this_process().host,
        summary: "a test message: guard reaches you".to_owned(),
        details: BTreeMap::new(),
    };
    let outcomes = daemon::notifier(&config).await?.test(&notice).await;
    let mut text = String::new();
    let mut receivers = Vec::<Value>::new();
    for (name, outcome) in &outcomes {
        let reason = outcome.as_ref().err().map(ToString::to_string);
        let said = reason.as_ref().map_or_else(|| "delivered".to_owned(), |reason| format!("FAILED: {reason}"));
        text.push_str(&format!("{name}: {said}\n"));
        receivers.push(json!({ "receiver": name, "delivered": outcome.is_ok(), "reason": reason }));
    }
    let exit = if outcomes.iter().all(|(_, outcome)| outcome.is_ok()) { Exit::Yes } else { Exit::No };
    Ok(Answer::new(text, json!({ "receivers": receivers }), exit))
}
