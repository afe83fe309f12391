//! What the daemon works with, made from one reading of the configuration. A reload makes another; runs keep theirs.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::cli::{CliError, workbench};
use crate::config::{Config, Notify, SecretSource, Way};
use crate::lease::{Claim, Claimed, Exclusion, HeldLease, Leases, Purpose, Subject};
use crate::notify::{Channel, Mailbox, Notifier, Persistence, Receiver};
use crate::schedule::Job;
use crate::status::live::Live;

use super::plan;

/// One configuration at work.
pub(super) struct Workplace {
    pub(super) config: Config,
    pub(super) catalog: Catalog,
    pub(super) leases: Leases,
    pub(super) exclusion: Exclusion,
    pub(super) jobs: Vec<Job>,
    pub(super) notifier: Notifier,
    pub(super) live: Arc<Live>,
    pub(super) clock: fn() -> DateTime<Utc>,
}

impl Workplace {
    /// Opens the store and resolves what notifications need. A configuration that cannot work is refused here, at the
    /// start, and not in the night.
    pub(super) async fn open(config: Config, clock: fn() -> DateTime<Utc>, live: Arc<Live>) -> Result<Self, CliError> {
        if config.sources.is_empty() {
            return Err(CliError::usage("no source is configured".to_owned())
                .with_help("set DATABASE_URL, or name sources in guard.toml ([source.NAME] with url)"));
        }
        let jobs = plan::jobs(&config);
        if jobs.is_empty() {
            return Err(CliError::usage("no schedule covers any source".to_owned()).with_help(
                "put a schedule, such as the shipped schedules/daily.toml, into the directory `schedules`",
            ));
        }
        workbench::sealing(&config)?;
        let notifier = notifier(&config).await?;
        let catalog = workbench::open_or_create(&config).await?;
        let leases = workbench::leases(&catalog).lasting(config.run.lease_ttl);
        let exclusion = leases.probe_exclusion().await?;
        Ok(Self { config, catalog, leases, exclusion, jobs, notifier, live, clock })
    }

    /// Where the store's conditional puts cannot be relied on there is one daemon, and it holds this post.
    pub(super) async fn exclude_others(&self, stop: &CancellationToken) -> Result<Option<HeldLease>, CliError> {
        let Exclusion::Source { reason } = &self.exclusion else { return Ok(None) };
        let claim = Claim { subject: Subject::Daemon, purpose: Purpose::Daemon, reason: "guard run".to_owned() };
        let store = self.catalog.store().location();
        match self.leases.claim(&claim, stop).await? {
            Claimed::Won(post) => {
                tracing::warn!(
                    store,
                    reason,
                    "this store cannot tell several daemons apart; this must be the only one"
                );
                Ok(Some(post))
            }
            Claimed::Held(record) | Claimed::Finished(record) => Err(CliError::unable(
                "second-daemon",
                format!("{} runs already, and {store} cannot tell several daemons apart: {reason}", record.holder),
            )
            .with_help("run one daemon, or use a store that honours conditional puts")),
        }
    }
}

/// Everybody who is told, with secrets fetched.
pub(crate) async fn notifier(config: &Config) -> Result<Notifier, CliError> {
    let mut receivers = Vec::new();
    for (name, Notify { ways, on, sources }) in &config.notify {
        for way in ways {
            let channel = channel(config, way).await?;
            receivers.push(Receiver { name: name.clone(), on: on.clone(), sources: sources.clone(), channel });
        }
    }
    Ok(Notifier::new(receivers, Persistence::default())?)
}

async fn channel(config: &Config, way: &Way) -> Result<Channel, CliError> {
    let environment = &config.environment;
    let fetch = |source: &SecretSource| {
        let source = source.clone();
        async move { source.resolve(environment).await }
    };
    Ok(match way {
        Way::Webhook { url, key } => {
            let key = match key {
                Some(key) => Some(fetch(key).await?),
                None => None,
            };
            Channel::Webhook { url: fetch(url).await?, key }
        }
        Way::Slack { url } => Channel::Slack { url: fetch(url).await? },
        Way::Ping { url } => Channel::Ping { url: fetch(url).await? },
        Way::Heartbeat { url, every } => Channel::Heartbeat { url: fetch(url).await?, every: *every },
        Way::Email { server, from, to } => {
            Channel::Email(Mailbox { server: fetch(server).await?, from: from.clone(), to: to.clone() })
        }
        Way::Program { words } => Channel::Program { words: words.clone() },
    })
}
