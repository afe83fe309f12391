//! The program: parse, start tracing, run, turn the result into an exit code; nothing else.

use std::process::ExitCode;

use clap::Parser as _;
use guard::cli::{self, Cli, LogFormat, Logging};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli::logging(&cli, std::env::var("GUARD_LOG_FORMAT").ok().as_deref()));
    // The linter has threads of its own and waits for one database at most: it starts without the runtime's.
    let mut runtime = if cli::is_lint(&cli) { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    let runtime = runtime.enable_all().build().expect("the system gives a process its first threads and files");
    runtime.block_on(async {
        let cancel = CancellationToken::new();
        tokio::spawn(cancel_on_signal(cancel.clone()));
        Box::pin(cli::run(cli, cancel)).await.into()
    })
}

fn start_log(logging: Logging) {
    // The scheduler's crate complains of jobs that it was told to forget; a lost alarm is noticed by whoever waits for it.
    let default = match logging.verbosity {
        0 => "warn,tokio_cron_scheduler=off",
        1 => "warn,tokio_cron_scheduler=off,guard=info",
        _ => "warn,tokio_cron_scheduler=off,guard=debug",
    };
    let filter = EnvFilter::try_from_env("GUARD_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match (logging.format, logging.timed) {
        (LogFormat::Json, _) => log.json().flatten_event(true).with_current_span(false).init(),
        (LogFormat::Text, true) => log.init(),
        (LogFormat::Text, false) => log.without_time().init(),
    }
}

/// The first SIGINT or SIGTERM asks for an orderly end, which removes everything half-done.
async fn cancel_on_signal(cancel: CancellationToken) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    cancel.cancel();
}
