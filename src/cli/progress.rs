//! Shows how far a run is: a bar on a terminal, a line now and then elsewhere, nothing with `--quiet`.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use super::output::{self, Style};
use crate::progress::{Moment, Progress};

/// Shows until it is dropped.
#[derive(Debug)]
pub(super) struct Shown {
    showing: Option<JoinHandle<()>>,
    bar: Option<ProgressBar>,
}

const REDRAW: Duration = Duration::from_millis(200);
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// Begins to show a run called `name`.
pub(super) fn show(name: &str, progress: &Arc<Progress>, style: Style) -> Shown {
    if style.quiet {
        return Shown { showing: None, bar: None };
    }
    let (name, progress) = (name.to_owned(), Arc::clone(progress));
    if std::io::stderr().is_terminal() {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let drawn = bar.clone();
        return Shown { showing: Some(tokio::spawn(draw(name, progress, drawn))), bar: Some(bar) };
    }
    Shown { showing: Some(tokio::spawn(print_lines(name, progress))), bar: None }
}

async fn draw(name: String, progress: Arc<Progress>, bar: ProgressBar) {
    let counted = ProgressStyle::with_template("{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {msg}");
    let open = ProgressStyle::with_template("{prefix} {spinner} {bytes} {bytes_per_sec} {msg}");
    let counted = counted.expect("a constant template that is valid");
    let open = open.expect("a constant template that is valid");
    let mut phase = String::new();
    loop {
        let Moment { phase: current, table, bytes, estimate } = progress.now();
        if current != phase {
            bar.reset();
            bar.set_prefix(format!("{name}: {current}"));
            phase = current;
        }
        // The estimate is the database's size; the dump of it may well be larger.
        if estimate > bytes {
            bar.set_style(counted.clone());
            bar.set_length(estimate);
        } else {
            bar.set_style(open.clone());
        }
        bar.set_position(bytes);
        bar.set_message(table.unwrap_or_default());
        tokio::time::sleep(REDRAW).await;
    }
}

async fn print_lines(name: String, progress: Arc<Progress>) {
    let mut last = 0;
    loop {
        tokio::time::sleep(LINE_INTERVAL).await;
        let Moment { phase, table, bytes, estimate } = progress.now();
        let rate = output::bytes(bytes.saturating_sub(last) / LINE_INTERVAL.as_secs());
        last = bytes;
        let of = if estimate > bytes { format!(" of about {}", output::bytes(estimate)) } else { String::new() };
        let table = table.map(|table| format!(", {table}")).unwrap_or_default();
        output::note(&format!("{name}: {phase}, {}{of}, {rate}/s{table}", output::bytes(bytes)));
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(showing) = &self.showing {
            showing.abort();
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
