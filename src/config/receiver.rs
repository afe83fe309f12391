//! Who is told how things went, and by which ways.

use std::collections::BTreeSet;
use std::time::Duration;

use super::SecretSource;
use crate::notify::Event;

/// Somebody who is told how things went.
#[derive(Debug, Clone)]
pub struct Notify {
    /// Every way to reach them.
    pub ways: Vec<Way>,
    /// What they want to hear of.
    pub on: BTreeSet<Event>,
    /// Of which sources; `*` is all.
    pub sources: Vec<String>,
}

/// A way to tell somebody, with its secrets where they are.
#[derive(Debug, Clone)]
pub enum Way {
    /// JSON by HTTP.
    Webhook {
        /// Where to.
        url: SecretSource,
        /// What it is signed with.
        key: Option<SecretSource>,
    },
    /// Slack's form of it.
    Slack {
        /// Where to.
        url: SecretSource,
    },
    /// A check that is pinged by backups.
    Ping {
        /// Where to.
        url: SecretSource,
    },
    /// A check that is pinged by the daemon.
    Heartbeat {
        /// Where to.
        url: SecretSource,
        /// How often.
        every: Duration,
    },
    /// E-mail.
    Email {
        /// The server, with its password.
        server: SecretSource,
        /// The sender.
        from: String,
        /// The recipients.
        to: Vec<String>,
    },
    /// A program that is run.
    Program {
        /// It and its arguments.
        words: Vec<String>,
    },
}
