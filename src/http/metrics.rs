//! Prometheus metrics. One table is the registry: what is scraped, what docs/guide/metrics.md lists and what the tests
//! expect all come from it.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::readiness::{Look, Readiness, State};
use crate::catalog::Verdict;
use crate::status::live::{Activity, Job};
use crate::status::{Report, SourceReport};

/// The text format's media type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One metric family.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What Prometheus takes it for.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
    collect: Values,
}

/// Where a metric's values come from.
#[derive(Debug, Clone, Copy)]
enum Values {
    /// From anywhere.
    Any(Collect),
    /// From each source's report.
    OfSource(fn(&SourceReport) -> Option<f64>),
}

/// What Prometheus takes a metric for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only goes up, until the process starts again.
    Counter,
}

/// What metrics are made of.
#[derive(Debug)]
pub struct Scene {
    /// The state of every source.
    pub report: Report,
    /// What runs and ran.
    pub activity: Activity,
    /// The last look at store and sources.
    pub look: Arc<Look>,
    /// Its judgement.
    pub readiness: Readiness,
    /// When the process started.
    pub started: DateTime<Utc>,
}

/// Values with their labels' values.
#[derive(Debug, Default)]
pub struct Samples(Vec<(Vec<String>, f64)>);

impl Samples {
    fn add(&mut self, labels: &[&str], value: f64) {
        self.0.push((labels.iter().map(ToString::to_string).collect(), value));
    }
}

/// Everything as Prometheus reads it.
pub fn render(scene: &Scene) -> String {
    let mut text = String::new();
    for metric in METRICS {
        let samples = metric.collect.of(scene);
        if samples.0.is_empty() {
            continue;
        }
        let Metric { name, kind, labels, help, .. } = metric;
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
        for (values, value) in &samples.0 {
            let pairs: Vec<String> =
                labels.iter().zip(values).map(|(label, value)| format!("{label}=\"{}\"", escape(value))).collect();
            let pairs = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
            let _ = writeln!(text, "{name}{pairs} {value}");
        }
    }
    text
}

/// The reference of docs/guide/metrics.md.
pub fn reference() -> String {
    let mut text = String::from("| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for Metric { name, kind, labels, help, .. } in METRICS {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(text, "| `{name}` | {} | {} | {help} |", kind.name(), labels.join(", "));
    }
    text
}

impl Kind {
    /// The format's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

impl Values {
    fn of(self, scene: &Scene) -> Samples {
        let mut samples = Samples::default();
        match self {
            Self::Any(collect) => collect(scene, &mut samples),
            Self::OfSource(value) => {
                for source in &scene.report.sources {
                    if let Some(value) = value(source) {
                        samples.add(&[source.source.as_str()], value);
                    }
                }
            }
        }
        samples
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The registry, in the order of the scrape.
pub const METRICS: &[Metric] = &[
    gauge("guard_build_info", &["version"], "The version that runs; always 1.", |_, samples| {
        samples.add(&[env!("CARGO_PKG_VERSION")], 1.0);
    }),
    gauge("guard_start_timestamp_seconds", &[], "When the process started.", |scene, samples| {
        samples.add(&[], timestamp(scene.started));
    }),
    gauge(
        "guard_ready",
        &["status"],
        "1 for the one of ready, degraded and down that holds now, as /readyz says.",
        |scene, samples| {
            for status in [State::Ready, State::Degraded, State::Down] {
                samples.add(&[status.name()], flag(scene.readiness.status == status));
            }
        },
    ),
    gauge("guard_store_up", &[], "Whether the store answered the last time it was asked.", |scene, samples| {
        if let Some(store) = &scene.look.store {
            samples.add(&[], flag(store.is_ok()));
        }
    }),
    gauge("guard_clock_skew_seconds", &[], "How far this host's clock is ahead of the store's.", |scene, samples| {
        if let Some(Ok(skew)) = &scene.look.store {
            samples.add(&[], skew.as_seconds_f64());
        }
    }),
    gauge(
        "guard_repository_read_timestamp_seconds",
        &[],
        "When the repository was last read: what the other figures are as of.",
        |scene, samples| samples.add(&[], timestamp(scene.report.read_at)),
    ),
    gauge(
        "guard_source_up",
        &["source"],
        "Whether the configured source answered the last time it was asked.",
        |scene, samples| {
            for source in &scene.look.sources {
                samples.add(&[&source.source], flag(source.failure.is_none()));
            }
        },
    ),
    of_source("guard_last_success_timestamp_seconds", "When the newest complete backup was finished.", |source| {
        Some(timestamp(source.last_backup.as_ref()?.finished))
    }),
    gauge(
        "guard_last_attempt_timestamp_seconds",
        JOB,
        "When this process last ended a run of the job, well or not.",
        |scene, samples| {
            for ((source, job), attempt) in &scene.activity.attempts {
                samples.add(&[source.as_str(), job.name()], timestamp(attempt.ended));
            }
        },
    ),
    gauge("guard_last_attempt_success", JOB, "Whether that run ended well.", |scene, samples| {
        for ((source, job), attempt) in &scene.activity.attempts {
            samples.add(&[source.as_str(), job.name()], flag(attempt.failure.is_none()));
        }
    }),
    counter(
        "guard_runs_total",
        &["source", "job", "outcome"],
        "Runs that ended since the process started, by outcome: success or failure.",
        |scene, samples| {
            for ((source, job), (succeeded, failed)) in &scene.activity.counts.runs {
                samples.add(&[source.as_str(), job.name(), "success"], *succeeded as f64);
                samples.add(&[source.as_str(), job.name(), "failure"], *failed as f64);
            }
        },
    ),
    gauge("guard_running", JOB, "1 while a run of the job is under way.", |scene, samples| {
        for (source, running) in &scene.activity.running {
            for running in running {
                samples.add(&[source.as_str(), running.job.name()], 1.0);
            }
        }
    }),
    gauge("guard_next_run_timestamp_seconds", JOB, "When the job runs next, without jitter.", |scene, samples| {
        for source in &scene.report.sources {
            for job in Job::ALL {
                if let Some(next) = source.next(job) {
                    samples.add(&[source.source.as_str(), job.name()], timestamp(next.at));
                }
            }
        }
    }),
    of_source("guard_data_age_seconds", "Age of the newest backup's data: what would be lost now.", |source| {
        source.age_seconds
    }),
    of_source("guard_rpo_target_seconds", "What that age may be.", |source| source.rpo_target_seconds),
    of_source("guard_rpo_breached", "1 if the data is older than promised, or there is no backup at all.", |source| {
        let is_promised = source.configured && source.rpo_target_seconds.is_some();
        is_promised.then(|| flag(source.has("rpo-missed") || source.has("never-backed-up")))
    }),
    of_source("guard_backup_duration_seconds", "How long the newest backup took.", |source| {
        Some(source.last_backup.as_ref()?.seconds)
    }),
    of_source("guard_backup_stored_bytes", "Bytes of the newest backup in the store.", |source| {
        Some(source.last_backup.as_ref()?.stored_bytes as f64)
    }),
    of_source("guard_backup_plain_bytes", "Bytes of the newest backup before compression.", |source| {
        Some(source.last_backup.as_ref()?.plain_bytes as f64)
    }),
    of_source("guard_backup_tables", "Tables in the newest backup.", |source| {
        Some(source.last_backup.as_ref()?.tables as f64)
    }),
    of_source("guard_backup_rows", "Rows in the newest backup.", |source| {
        Some(source.last_backup.as_ref()?.rows as f64)
    }),
    of_source("guard_backups", "Complete backups in the repository.", |source| Some(source.history.len() as f64)),
    of_source("guard_backups_stored_bytes", "Bytes of all of them in the store.", |source| {
        Some(source.history.iter().map(|backup| backup.stored_bytes).sum::<u64>() as f64)
    }),
    of_source("guard_backups_untrusted", "Backups whose manifest cannot be trusted.", |source| {
        Some(source.untrusted.len() as f64)
    }),
    of_source("guard_last_proof_timestamp_seconds", "When the last test restore ended.", |source| {
        Some(timestamp(source.last_proof.as_ref()?.at))
    }),
    of_source("guard_last_proof_success", "Whether it proved its backup.", |source| {
        Some(flag(source.last_proof.as_ref()?.verdict == Verdict::Proven))
    }),
    of_source("guard_last_proven_timestamp_seconds", "When a backup was last proven by a test restore.", |source| {
        let evidence = source.evidence();
        let proven = evidence.iter().find(|evidence| evidence.verdict == Verdict::Proven)?;
        Some(timestamp(proven.finished))
    }),
    of_source(
        "guard_restore_duration_seconds",
        "How long the last test restore took, from the first byte read to the last index built.",
        |source| source.restore_seconds,
    ),
    of_source("guard_proof_duration_seconds", "How long comparing the restored copy took.", |source| {
        Some(source.last_proof.as_ref()?.proof_seconds)
    }),
    of_source("guard_rto_target_seconds", "How long a recovery may take.", |source| source.rto_target_seconds),
    of_source("guard_rto_breached", "1 if the last test restore took longer than promised.", |source| {
        source.rto_target_seconds.map(|_| flag(source.has("rto-missed")))
    }),
    of_source(
        "guard_alarms_open",
        "Backups that hold much less than the one before them, and that nobody has released.",
        |source| Some(source.history.iter().filter(|backup| backup.alarm.is_some()).count() as f64),
    ),
    of_source(
        "guard_retention_frozen",
        "1 while retention removes nothing of the source: it is failing, or an alarm is open.",
        |source| {
            let frozen = source.retention.as_ref().is_some_and(|preview| preview.frozen.is_some());
            source.configured.then(|| flag(frozen))
        },
    ),
    gauge(
        "guard_findings",
        &["source", "code", "severity"],
        "1 for each finding that the status page shows.",
        |scene, samples| {
            for source in &scene.report.sources {
                for finding in &source.findings {
                    samples.add(&[source.source.as_str(), finding.code, finding.health.name()], 1.0);
                }
            }
        },
    ),
    counter(
        "guard_deleted_backups_total",
        SOURCE,
        "Backups that retention removed since the process started.",
        |scene, samples| {
            for (source, number) in &scene.activity.counts.deleted_backups {
                samples.add(&[source.as_str()], *number as f64);
            }
        },
    ),
    counter(
        "guard_aborted_uploads_total",
        &[],
        "Unfinished uploads that were aborted as leftovers since the process started.",
        |scene, samples| samples.add(&[], scene.activity.counts.aborted_uploads as f64),
    ),
    counter(
        "guard_swept_objects_total",
        &[],
        "Objects of unfinished backups that were removed as leftovers since the process started.",
        |scene, samples| samples.add(&[], scene.activity.counts.swept_objects as f64),
    ),
    gauge(
        "guard_lease_held",
        &["lease"],
        "1 if this process holds the lease, 0 if another one does.",
        |scene, samples| {
            for (name, lease) in &scene.activity.leases {
                samples.add(&[name], flag(lease.held));
            }
        },
    ),
    gauge(
        "guard_lease_expiry_timestamp_seconds",
        &["lease"],
        "When the lease ends unless it is renewed.",
        |scene, samples| {
            for (name, lease) in &scene.activity.leases {
                samples.add(&[name], timestamp(lease.until));
            }
        },
    ),
];

const SOURCE: &[&str] = &["source"];
const JOB: &[&str] = &["source", "job"];

type Collect = fn(&Scene, &mut Samples);

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str, collect: Collect) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, help, collect: Values::Any(collect) }
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str, collect: Collect) -> Metric {
    Metric { name, kind: Kind::Counter, labels, help, collect: Values::Any(collect) }
}

/// One value a source, where it has one.
const fn of_source(name: &'static str, help: &'static str, value: fn(&SourceReport) -> Option<f64>) -> Metric {
    Metric { name, kind: Kind::Gauge, labels: SOURCE, help, collect: Values::OfSource(value) }
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn timestamp(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}
