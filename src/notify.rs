//! Telling people and their tools how things went: one message per outcome, to every receiver that wants it.
//!
//! Whoever holds the lease of what the message is about sends it, so several daemons tell it once. Delivery is tried again
//! with growing pauses and never holds up a run; what could not be delivered is an error in the log. Addresses are secrets:
//! they hold tokens, and no message or error here repeats them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::secret::Secret;

mod command;
mod ping;
mod post;
mod slack;
mod smtp;
mod webhook;

pub use post::Poster;
pub use smtp::Mailbox;
pub use webhook::{SIGNATURE_HEADER, TIMESTAMP_HEADER, signature};

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A run failed: told when that begins, and once a day while it lasts.
    Failure,
    /// What had failed succeeds again.
    Recovery,
    /// What a test restore found.
    Proof,
    /// A backup holds much less than the one before.
    Alarm,
    /// The newest backup is older than was promised.
    Rpo,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What it is about.
    pub event: Event,
    /// When that was.
    pub at: DateTime<Utc>,
    /// Which source, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What was done, such as `backup`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The run's id, as in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The machine that sends it.
    pub host: String,
    /// The message in a line.
    pub summary: String,
    /// What there is to know besides.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// A sign of life of a backup, for monitors that miss it when it does not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// A backup begins.
    Start,
    /// It is complete.
    Success,
    /// It failed.
    Fail,
}

/// Somebody who wants messages.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Its name in the configuration.
    pub name: String,
    /// What it wants to hear of.
    pub on: BTreeSet<Event>,
    /// Of which sources; messages about none go to everybody.
    pub sources: Vec<String>,
    /// The way to it.
    pub channel: Channel,
}

/// A way to a receiver.
#[derive(Debug, Clone)]
pub enum Channel {
    /// JSON by HTTP, signed if there is a key.
    Webhook {
        /// Where to.
        url: Secret,
        /// What it is signed with.
        key: Option<Secret>,
    },
    /// A text for Slack and what is compatible with it.
    Slack {
        /// Where to.
        url: Secret,
    },
    /// A check in the manner of healthchecks.io: pinged when a backup begins and ends.
    Ping {
        /// Where to; `/start` and `/fail` are added.
        url: Secret,
    },
    /// A check that is pinged as long as the daemon is well.
    Heartbeat {
        /// Where to.
        url: Secret,
        /// How often.
        every: Duration,
    },
    /// A letter.
    Email(Mailbox),
    /// A program that reads the JSON on its standard input.
    Program {
        /// The program and its arguments. No shell is involved.
        words: Vec<String>,
    },
}

/// How often, and how long apart, a delivery is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Persistence {
    /// Attempts in all.
    pub attempts: u32,
    /// The pause after the first; it triples with each further one.
    pub pause: Duration,
}

impl Default for Persistence {
    /// About two minutes: long enough for a receiver that is restarted.
    fn default() -> Self {
        Self { attempts: 5, pause: Duration::from_secs(3) }
    }
}

/// Why a message did not arrive. It names no address.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The receiver said no.
    #[error("the receiver answered with status {status}")]
    Refused {
        /// What it said.
        status: u16,
    },
    /// The receiver was not reached.
    #[error("the receiver could not be reached: {0}")]
    Unreachable(String),
    /// A letter could not be written or handed over.
    #[error("the letter could not be sent: {0}")]
    Mail(String),
    /// The program failed.
    #[error("the program {program} {reason}")]
    Program {
        /// Which.
        program: String,
        /// What it did.
        reason: String,
    },
    /// There is no way to speak HTTP.
    #[error("no HTTP client: {0}")]
    Client(String),
}

impl NotifyError {
    /// Whether trying again is pointless: the receiver understood and said no.
    fn is_final(&self) -> bool {
        matches!(self, Self::Refused { status } if (400..500).contains(status) && ![408, 425, 429].contains(status))
    }
}

/// Delivers messages in the background.
#[derive(Debug, Clone)]
pub struct Notifier {
    receivers: Arc<[Receiver]>,
    poster: Poster,
    persistence: Persistence,
    deliveries: TaskTracker,
}

impl Notifier {
    /// For these receivers.
    pub fn new(receivers: Vec<Receiver>, persistence: Persistence) -> Result<Self, NotifyError> {
        Ok(Self { receivers: receivers.into(), poster: Poster::new()?, persistence, deliveries: TaskTracker::new() })
    }

    /// Tells everybody who wants to hear of it.
    pub fn tell(&self, notice: Notice) {
        let notice = Arc::new(notice);
        for receiver in self.receivers.iter().filter(|receiver| receiver.wants(&notice)) {
            self.deliver(receiver.clone(), Message::Notice(Arc::clone(&notice)));
        }
    }

    /// Gives a sign of life of a source's backup.
    pub fn beat(&self, source: &str, beat: Beat) {
        let pinged =
            |receiver: &&Receiver| matches!(receiver.channel, Channel::Ping { .. }) && receiver.hears_of(source);
        for receiver in self.receivers.iter().filter(pinged) {
            self.deliver(receiver.clone(), Message::Beat(beat));
        }
    }

    /// Gives a sign of the daemon's life to every heartbeat that is due, `since` being the last one.
    pub fn heartbeat(&self, since: Duration) {
        let is_due =
            |receiver: &&Receiver| matches!(&receiver.channel, Channel::Heartbeat { every, .. } if since >= *every);
        for receiver in self.receivers.iter().filter(is_due) {
            self.deliver(receiver.clone(), Message::Beat(Beat::Success));
        }
    }

    /// How often a heartbeat is due, if there are any.
    pub fn heartbeat_every(&self) -> Option<Duration> {
        let every = |receiver: &Receiver| match &receiver.channel {
            Channel::Heartbeat { every, .. } => Some(*every),
            _ => None,
        };
        self.receivers.iter().filter_map(every).min()
    }

    /// Tells every receiver now, once, whatever it wants to hear of, and says what became of it.
    pub async fn test(&self, notice: &Notice) -> Vec<(String, Result<(), NotifyError>)> {
        let notice = Arc::new(notice.clone());
        let deliveries = self.receivers.iter().map(|receiver| {
            let message = match receiver.channel {
                Channel::Ping { .. } | Channel::Heartbeat { .. } => Message::Beat(Beat::Success),
                _ => Message::Notice(Arc::clone(&notice)),
            };
            async move {
                let name = format!("{} ({})", receiver.name, receiver.channel);
                (name, deliver_once(&self.poster, receiver, &message).await)
            }
        });
        join_all(deliveries).await
    }

    /// Waits for what is under way, but not longer than this.
    pub async fn finish(&self, patience: Duration) {
        self.deliveries.close();
        if tokio::time::timeout(patience, self.deliveries.wait()).await.is_err() {
            tracing::error!(left = self.deliveries.len(), "notifications were given up: the time to stop is over");
        }
        self.deliveries.reopen();
    }

    fn deliver(&self, receiver: Receiver, message: Message) {
        let (poster, persistence) = (self.poster.clone(), self.persistence);
        let delivery = async move {
            if let Err(error) = deliver(&poster, &receiver, &message, persistence).await {
                let (receiver, channel) = (&receiver.name, receiver.channel.to_string());
                tracing::error!(%error, receiver, channel, "a notification was not delivered");
            }
        };
        self.deliveries.spawn(delivery.in_current_span());
    }
}

impl Receiver {
    fn wants(&self, notice: &Notice) -> bool {
        let is_told = !matches!(self.channel, Channel::Ping { .. } | Channel::Heartbeat { .. });
        is_told
            && self.on.contains(&notice.event)
            && notice.source.as_deref().is_none_or(|source| self.hears_of(source))
    }

    fn hears_of(&self, source: &str) -> bool {
        self.sources.iter().any(|name| name == "*" || name == source)
    }
}

/// What is sent.
#[derive(Debug, Clone)]
enum Message {
    Notice(Arc<Notice>),
    Beat(Beat),
}

async fn deliver(
    poster: &Poster,
    receiver: &Receiver,
    message: &Message,
    persistence: Persistence,
) -> Result<(), NotifyError> {
    let mut pause = persistence.pause;
    for _ in 1..persistence.attempts {
        match deliver_once(poster, receiver, message).await {
            Err(error) if !error.is_final() => {
                tracing::warn!(%error, receiver = receiver.name, ?pause, "a notification is tried again");
            }
            outcome => return outcome,
        }
        tokio::time::sleep(pause).await;
        pause *= 3;
    }
    deliver_once(poster, receiver, message).await
}

async fn deliver_once(poster: &Poster, receiver: &Receiver, message: &Message) -> Result<(), NotifyError> {
    match (&receiver.channel, message) {
        (Channel::Ping { url } | Channel::Heartbeat { url, .. }, Message::Beat(beat)) => {
            ping::send(poster, url, *beat).await
        }
        (Channel::Webhook { url, key }, Message::Notice(notice)) => {
            webhook::send(poster, url, key.as_ref(), notice).await
        }
        (Channel::Slack { url }, Message::Notice(notice)) => slack::send(poster, url, notice).await,
        (Channel::Email(mailbox), Message::Notice(notice)) => smtp::send(mailbox, notice).await,
        (Channel::Program { words }, Message::Notice(notice)) => command::run(words, notice).await,
        // A ping says nothing but that something happened, and nobody else hears of beats.
        (_, _) => Ok(()),
    }
}

/// The kind of way, without the address.
impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
            Self::Ping { .. } => "ping",
            Self::Heartbeat { .. } => "heartbeat",
            Self::Email(_) => "email",
            Self::Program { .. } => "program",
        })
    }
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 5] = [Self::Failure, Self::Recovery, Self::Proof, Self::Alarm, Self::Rpo];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Recovery => "recovery",
            Self::Proof => "proof",
            Self::Alarm => "alarm",
            Self::Rpo => "rpo",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Notice {
    /// The message as a text of several lines, for people.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.summary);
        for (name, value) in &self.details {
            text.push_str(&format!("{name}: {value}\n"));
        }
        let run = self.run.as_ref().map(|run| format!(", run {run}")).unwrap_or_default();
        text.push_str(&format!("{} on {}{run}\n", self.at.format("%Y-%m-%d %H:%M:%S UTC"), self.host));
        text
    }
}
