//! What `guard gate` and `guard migrate` are asked about: the policy, the repository, the source; and what both do with them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::backup::BackupOrder;
use crate::catalog::{Catalog, Manifest, RunNote, SourceName};
use crate::cli::exit::CliError;
use crate::cli::workbench::{self, ConfiguredSource};
use crate::cli::{Session, output, progress};
use crate::config::{Config, load_policies};
use crate::gate::{Code, Policy, Reason};
use crate::lease::{Leases, Record};
use crate::migrate::back_up_before;
use crate::progress::Progress;
use crate::window::{self, Opening, Window};

/// By which policy, of which source.
#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyArgs {
    /// The environment: [gate.NAME] of the configuration is its policy. Without it the defaults are
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// A file with [gate.NAME] sections, instead of those of the configuration
    #[arg(long, value_name = "FILE", requires = "env")]
    policy: Option<PathBuf>,
    /// The source whose backups count, if the policy does not say and there are several
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

/// What is known before anything is decided.
pub(in crate::cli) struct Asked {
    pub(in crate::cli) config: Config,
    pub(in crate::cli) environment: Option<String>,
    pub(in crate::cli) policy: Policy,
    /// The repository, or why there is none.
    pub(in crate::cli) catalog: Result<Catalog, Reason>,
    /// The source, or why it is not clear which.
    pub(in crate::cli) source: Result<SourceName, Reason>,
}

/// What to do where there is no repository yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum IfMissing {
    /// That is a reason.
    Tell,
    /// A backup is about to be taken, which makes one.
    Create,
}

impl Asked {
    /// Reads the configuration and the policy, and opens the repository. A store that fails is a reason, not an error.
    pub(in crate::cli) async fn ask(
        args: &PolicyArgs,
        repository: IfMissing,
        session: &Session,
    ) -> Result<Self, CliError> {
        let config = session.config()?;
        let policy = policy(args, &config, session)?;
        let catalog = match repository {
            IfMissing::Tell => workbench::open(&config).await,
            IfMissing::Create => workbench::open_or_create(&config).await,
        };
        let catalog = catalog.map_err(reason);
        let named = args.source.clone().or_else(|| policy.source.clone());
        let source = match (named, &catalog) {
            (Some(name), _) => Ok(name.parse()?),
            (None, catalog) => only_source(&config, catalog.as_ref().ok()).await,
        };
        Ok(Self { config, environment: args.env.clone(), policy, catalog, source })
    }

    /// The source, for what cannot be done without one.
    pub(in crate::cli) fn source(&self) -> Result<&SourceName, CliError> {
        self.source.as_ref().map_err(unable)
    }

    /// The repository, for what cannot be done without one.
    pub(in crate::cli) fn catalog(&self) -> Result<&Catalog, CliError> {
        self.catalog.as_ref().map_err(unable)
    }

    /// The leases of the repository.
    pub(in crate::cli) fn leases(&self) -> Result<Leases, CliError> {
        Ok(workbench::leases(self.catalog()?).lasting(self.config.run.lease_ttl))
    }

    /// Opens the source's migration window, as the policy says.
    pub(in crate::cli) async fn open_window(&self, reason: &str, session: &Session) -> Result<Window, CliError> {
        let source = self.source()?;
        let opening = Opening {
            source: source.clone(),
            reason: reason.to_owned(),
            running: self.policy.running_backup,
            max_wait: self.policy.max_wait,
        };
        let waiting = |record: &Record| {
            let Record { holder, purpose, .. } = record;
            output::note(&format!("{source}: waiting for the end of a {purpose} by {holder}"));
        };
        Ok(window::open(&self.leases()?, &opening, &session.cancel, waiting).await?)
    }

    /// Takes a backup inside the window.
    pub(in crate::cli) async fn back_up(
        &self,
        window: &Window,
        run: &RunNote,
        session: &Session,
    ) -> Result<Manifest, CliError> {
        let ConfiguredSource { source, environment, vigilance, .. } =
            workbench::only_source(&self.config, self.source()?.as_str()).await?;
        let (compression, recipients) = workbench::sealing(&self.config)?;
        let order = BackupOrder {
            source: &source,
            catalog: self.catalog()?,
            compression,
            recipients: &recipients,
            environment,
            vigilance: &vigilance,
            run,
            // A window exists only where the store's leases can be relied on.
            source_lock: None,
            clock: workbench::now,
        };
        let progress = Arc::new(Progress::default());
        let shown = progress::show(source.name().as_str(), &progress, session.style);
        let taken = Box::pin(back_up_before(&order, window, &progress)).await;
        drop(shown);
        Ok(taken?)
    }
}

fn policy(args: &PolicyArgs, config: &Config, session: &Session) -> Result<Policy, CliError> {
    let Some(environment) = &args.env else { return Ok(Policy::default()) };
    let of_file = match &args.policy {
        Some(path) => Some(load_policies(path, &session.request.current_dir)?),
        None => None,
    };
    let mut policies: BTreeMap<String, Policy> = of_file.unwrap_or_else(|| config.gates.clone());
    policies.remove(environment).ok_or_else(|| {
        let known: Vec<&str> = policies.keys().map(String::as_str).collect();
        let help = match known.as_slice() {
            [] => format!("add [gate.{environment}] to guard.toml, or name a file with --policy"),
            known => format!("there are: {}", known.join(", ")),
        };
        CliError::usage(format!("there is no policy [gate.{environment}]")).with_help(help)
    })
}

/// The only source that is configured, or else the only one that has backups.
async fn only_source(config: &Config, catalog: Option<&Catalog>) -> Result<SourceName, Reason> {
    let unclear = |message: String, known: &[String]| {
        let help = format!("say which with --source or in the policy: {}", known.join(", "));
        Err(Reason::new(Code::SourceUnknown, message, help))
    };
    let configured: Vec<String> = config.sources.keys().map(ToString::to_string).collect();
    if let [only] = configured.as_slice()
        && let Ok(name) = only.parse()
    {
        return Ok(name);
    }
    let Some(catalog) = catalog else {
        return unclear("which source's backups count is not clear".to_owned(), &configured);
    };
    let mut stored = catalog.sources().await.map_err(|error| crate::gate::facts::of_catalog(&error))?;
    workbench::leave_out_undo(&mut stored);
    match stored.as_slice() {
        [only] => Ok(only.clone()),
        [] => unclear(format!("{} has no backups of anything", catalog.store().location()), &configured),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            unclear("the repository has backups of several sources".to_owned(), &names)
        }
    }
}

/// What an error of the repository means to a gate.
fn reason(error: CliError) -> Reason {
    let code = match error.code {
        "not-a-repository" => Code::NoRepository,
        "clock-skew" => Code::ClockSkew,
        "untrusted" | "newer-format" => Code::BackupUntrusted,
        _ => Code::StoreUnreachable,
    };
    let help = error.help.unwrap_or_else(|| "check the store's url, the network and the credentials".to_owned());
    Reason::new(code, error.message, help)
}

/// A reason as the error of a command that cannot go on.
pub(in crate::cli) fn unable(reason: &Reason) -> CliError {
    CliError::unable(reason.code.as_str(), reason.message.clone()).with_help(reason.help.clone())
}
