//! `guard demo`: the whole story on a throw-away PostgreSQL.

use clap::Args;

use super::Session;
use super::exit::CliError;
use super::output::Answer;

/// How large the demo's database is.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Size of the shop: 1 is a few megabytes
    #[arg(long, default_value_t = 1)]
    scale: u32,
}

pub(super) async fn run(_args: DemoArgs, _session: &Session) -> Result<Answer, CliError> {
    Err(CliError::usage("the demo is not built yet".to_owned()))
}
