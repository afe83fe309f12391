//! Why a backup is kept or may go, in words.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use crate::catalog::BackupId;

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is the newest complete one.
    Newest,
    /// It is the newest that did not fail its test restore.
    NewestSound,
    /// It is the newest that was proven.
    NewestProven,
    /// Somebody pinned it.
    Pinned {
        /// Why; may be empty.
        why: String,
    },
    /// It is not guard's to remove.
    NotOurs {
        /// Why.
        reason: String,
    },
    /// It says that it was begun in the future.
    Future {
        /// When it says it was begun.
        begun: DateTime<Utc>,
        /// The store's time.
        now: DateTime<Utc>,
    },
    /// A schedule that covers it removes nothing, or none does.
    NoRule,
    /// A rule's period.
    Rule {
        /// Which rule.
        period: Period,
        /// Which day, week, month or year it stands for, in the policy's zone; empty for `last` and `within`.
        bucket: String,
        /// Whether it stands there only because it is the oldest and the rule has room left.
        oldest: bool,
    },
    /// It failed its test restore; it is kept as if it counted, and counts for nothing.
    FailedBesides {
        /// The rule that would keep it.
        period: Period,
    },
    /// Nothing goes now.
    Frozen {
        /// The moment of the newest sound backup's data, if there is one.
        data_of: Option<DateTime<Utc>>,
        /// The target.
        rpo: TimeDelta,
    },
    /// Nothing goes now: this backup holds much less than the one before it.
    Alarm {
        /// The backup whose alarm is open.
        backup: BackupId,
    },
    /// It goes.
    NoRuleKeepsIt,
}

/// The rules by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the key of its name in a schedule")]
pub enum Period {
    Last,
    Within,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

impl Reason {
    /// Whether it keeps everything, and not this backup alone.
    pub fn is_freeze(&self) -> bool {
        matches!(self, Self::Frozen { .. } | Self::Alarm { .. })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Last => "last",
            Self::Within => "within",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => f.write_str("newest"),
            Self::NewestSound => f.write_str("newest that did not fail its test restore"),
            Self::NewestProven => f.write_str("newest proven"),
            Self::Pinned { why } if why.is_empty() => f.write_str("pinned"),
            Self::Pinned { why } => write!(f, "pinned: {why}"),
            Self::NotOurs { reason } => write!(f, "not guard's to remove: {reason}"),
            Self::Future { begun, now } => {
                write!(f, "dated in the future: {} (now {})", begun.format("%F %T UTC"), now.format("%F %T UTC"))
            }
            Self::NoRule => f.write_str("no retention rule applies, so everything is kept"),
            Self::Rule { period, bucket, oldest } => {
                if *oldest {
                    f.write_str("oldest, and room left in ")?;
                }
                write!(f, "{period}")?;
                if bucket.is_empty() { Ok(()) } else { write!(f, " {bucket}") }
            }
            Self::FailedBesides { period } => {
                write!(f, "failed its test restore; kept beside {period}, counts for nothing")
            }
            Self::Frozen { data_of: Some(data_of), rpo } => write!(
                f,
                "frozen: the newest sound backup is of {}, older than the RPO target of {}; nothing is removed meanwhile",
                data_of.format("%F %T UTC"),
                human(*rpo)
            ),
            Self::Frozen { data_of: None, .. } => f.write_str("frozen: there is no sound backup; nothing is removed"),
            Self::Alarm { backup } => write!(
                f,
                "frozen: the data-loss alarm of {backup} is open; nothing is removed before `guard release {backup}`"
            ),
            Self::NoRuleKeepsIt => f.write_str("no rule keeps it"),
        }
    }
}

fn human(duration: TimeDelta) -> String {
    duration.to_std().map_or_else(|_| duration.to_string(), |duration| humantime::format_duration(duration).to_string())
}
