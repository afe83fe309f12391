//! `guard config`: the schema, a check, and what is in effect.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::config::diagnose::Report;
use crate::config::file::ConfigFile;
use crate::config::file::gate::PolicyFile;
use crate::config::schedule::ScheduleFile;
use crate::config::{Address, Config, ConfigError, Loaded, Request, SecretSource, StoreConfig};
use crate::config::{effective, load, setting};

/// Look at the configuration.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the JSON schema of a configuration file, for editors and other checkers
    Schema {
        /// Which file
        #[arg(value_enum, default_value_t = Shape::Config)]
        file: Shape,
    },
    /// Check the configuration, its schedules and the GUARD_ variables; exits 2 if something is wrong
    Check {
        /// Also fetch every secret, which runs the commands that give them
        #[arg(long)]
        resolve: bool,
    },
    /// Print every setting in effect and where it came from, with secrets masked
    Show,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shape {
    /// `guard.toml`
    Config,
    /// `schedules/NAME.toml`
    Schedule,
    /// A file for `guard gate --policy`
    Policy,
}

/// What to print: one of the two.
#[derive(Debug)]
pub struct Printed {
    /// For people.
    pub text: String,
    /// For `--json`.
    pub json: Value,
}

/// Does what is asked. An error lists everything that is wrong, and means exit code 2.
pub async fn run(args: ConfigArgs, request: &Request) -> Result<Printed, ConfigError> {
    match args.command {
        Command::Schema { file } => Ok(schema(file)),
        Command::Check { resolve } => {
            let loaded = load(request)?;
            if resolve {
                resolve_all(&loaded.config).await?;
            }
            Ok(Printed { text: format!("{}\n", effective::summary(&loaded)), json: json!({ "problems": [] }) })
        }
        Command::Show => Ok(show(&load(request)?)),
    }
}

fn schema(file: Shape) -> Printed {
    let schema = match file {
        Shape::Config => setting::schema::<ConfigFile>(),
        Shape::Schedule => setting::schema::<ScheduleFile>(),
        Shape::Policy => setting::schema::<PolicyFile>(),
    };
    Printed { text: format!("{schema:#}\n"), json: schema }
}

fn show(loaded: &Loaded) -> Printed {
    let shown = effective::effective(loaded);
    Printed { text: effective::render(&shown), json: json!({ "settings": shown }) }
}

/// Fetches every secret once and forgets it; reads every connection string.
async fn resolve_all(config: &Config) -> Result<(), ConfigError> {
    let mut reports = Vec::new();
    let mut failed =
        |place: String, message: String| reports.push(Report { place, message, help: None, excerpt: None });
    for (name, source) in &config.sources {
        if let Err(error) = source.resolve(&config.environment).await {
            failed(format!("source.{name}.url"), error.to_string());
        }
    }
    if let Some(url) = &config.scratch.url
        && let Err(error) = Address::Secret(url.clone()).connection(&config.environment).await
    {
        failed("scratch.url".to_owned(), error.to_string());
    }
    for (key, secret) in secrets(config) {
        if let Err(error) = secret.resolve(&config.environment).await {
            failed(key.to_owned(), error.to_string());
        }
    }
    if reports.is_empty() { Ok(()) } else { Err(ConfigError { reports }) }
}

/// The secrets that are not connection strings.
fn secrets(config: &Config) -> Vec<(&'static str, &SecretSource)> {
    let mut secrets = Vec::new();
    secrets.extend(config.encryption.identity.iter().map(|secret| ("encryption.identity", secret)));
    if let StoreConfig::S3(bucket) = &config.store
        && let Some(credentials) = &bucket.credentials
    {
        secrets.push(("store.access_key", &credentials.access_key));
        secrets.push(("store.secret_key", &credentials.secret_key));
        secrets.extend(credentials.session_token.iter().map(|secret| ("store.session_token", secret)));
    }
    secrets
}
