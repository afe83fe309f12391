//! A program of the user's: the message as JSON on its standard input. It is run without a shell, and not for ever.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{Notice, NotifyError};

/// How long it may take.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) async fn run(words: &[String], notice: &Notice) -> Result<(), NotifyError> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let failed = |reason: String| NotifyError::Program { program: program.clone(), reason };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("cannot be run: {error}")))?;
    let body = serde_json::to_vec(notice).expect("a notice has string keys");
    let work = async {
        if let Some(mut input) = child.stdin.take() {
            // A program that does not care to read is free not to.
            let _ = input.write_all(&body).await;
        }
        child.wait().await
    };
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(format!("failed: {status}"))),
        Ok(Err(error)) => Err(failed(format!("could not be awaited: {error}"))),
        Err(_) => Err(failed(format!("did not end within {}", humantime::format_duration(PATIENCE)))),
    }
}
