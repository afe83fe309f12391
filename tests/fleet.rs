//! Several daemons on one real S3 server, one of them killed in the middle of its work: no slot is lost, none is run twice.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

#[path = "daemon/site.rs"]
mod site;

use std::collections::BTreeMap;
use std::sync::Arc;

use guard::catalog::{Catalog, SourceName};
use guard::lease::{Holder, Leases};
use guard::lease::{Record, Slot, State, Subject};
use guard::store::{RetryPolicy, Retrying, S3Store, Store};
use serde_json::Value;
use site::{DAILY, DUE, Daemon, Site};
use support::ceph::Ceph;
use support::guard::{Guard, text};
use support::postgres::{TestPostgres, Version};

const SOURCES: [&str; 6] = ["orders", "billing", "users", "stock", "mail", "logs"];

/// Everything is due at once, for every source.
fn plan() -> String {
    format!("{}[verify]\ncron = \"{due}\"\n[prune]\ncron = \"{due}\"\n", *DAILY, due = *DUE)
}

const TAKEN_OVER: &str = "taken over: it was begun and not ended";

/// Ceph answers some of those who race for one object with 500; the store's wrapper asks again.
const CEPH_IN_A_RACE: &str = "trying again";

fn server() -> TestPostgres {
    let server = TestPostgres::start(Version::V15);
    for source in SOURCES {
        server.create_database(source, "");
        server.psql(
            source,
            "CREATE TABLE t AS SELECT i AS id, repeat(md5(i::text), 8) AS v FROM generate_series(1, 20000) i",
        );
    }
    server
}

fn toml(server: &TestPostgres) -> String {
    let source = |name: &&str| format!("[source.{name}]\nurl = \"{}\"\nretry_delay = \"1s\"\n", server.url(name));
    let sources: String = SOURCES.iter().map(source).collect();
    format!("[run]\nlease_ttl = \"20s\"\n{sources}")
}

/// What the bucket records.
struct Bucket {
    store: Arc<dyn Store>,
}

impl Bucket {
    async fn open(server: &Ceph, bucket: &str) -> Self {
        let mut settings = server.settings(bucket);
        settings.prefix = Some("prod".parse().unwrap());
        let store = Arc::new(S3Store::open(settings).await.unwrap());
        Self { store: Arc::new(Retrying::new(store, RetryPolicy::default())) }
    }

    async fn slots(&self) -> Vec<(Slot, Record)> {
        let clock = Arc::new(chrono::Utc::now);
        let leases = Leases::new(Arc::clone(&self.store), Holder::of_this_process(), clock);
        let mut found = Vec::new();
        for slot in leases.slots("plan").await.unwrap() {
            let record = leases.look(&Subject::Slot(slot.clone())).await.unwrap().unwrap();
            found.push((slot, record));
        }
        found
    }

    async fn n_done(&self) -> usize {
        self.slots().await.iter().filter(|(_, record)| matches!(record.state, State::Done { .. })).count()
    }

    /// The slot of each backup there is, by source.
    async fn backups(&self) -> BTreeMap<String, Vec<String>> {
        let catalog = Catalog::open(Arc::clone(&self.store)).await.unwrap();
        let mut found = BTreeMap::new();
        for source in catalog.sources().await.unwrap() {
            let source: SourceName = source;
            let listed = catalog.backups(&source).await.unwrap();
            let slots = listed.into_iter().map(|listed| listed.backup.unwrap().manifest.run.unwrap().slot.unwrap());
            found.insert(source.to_string(), slots.collect::<Vec<_>>());
        }
        found
    }
}

/// How often each slot was told to be done, over all logs.
fn completions(logs: &[Vec<Value>]) -> BTreeMap<String, u32> {
    let mut done = BTreeMap::new();
    for line in logs.iter().flatten().filter(|line| line["message"] == "the run is done") {
        let spans = line["spans"].as_array().unwrap();
        let run = spans.iter().find(|span| span["name"] == "run").unwrap();
        *done.entry(format!("{} {}", text(&run["job"]), text(&run["slot"]))).or_default() += 1;
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_and_of_five_daemons_one_is_killed_and_every_slot_is_run_exactly_once() {
    let (ceph, database) = (Ceph::start(), server());
    let toml = toml(&database);
    for n_daemons in [2, 5] {
        let bucket_name = format!("fleet-{n_daemons}");
        ceph.make_bucket(&bucket_name).await;
        let sites: Vec<Site> =
            (0..n_daemons).map(|_| Site::new(ceph.keeps(Guard::default(), &bucket_name), &toml, &plan())).collect();
        let mut daemons: Vec<Daemon> = sites.iter().map(Site::start).collect();
        let bucket = Bucket::open(&ceph, &bucket_name).await;
        // Somebody who is at work is killed, whoever that is.
        let victim_idx = tokio::task::block_in_place(|| {
            support::process::wait_for("a daemon at work", site::LONG, || {
                let first = rand::random_range(0..daemons.len());
                let order = (0..daemons.len()).map(|idx| (first + idx) % n_daemons);
                order.into_iter().find(|idx| daemons[*idx].is_running_program("pg_dump"))
            })
        });
        let mut logs = vec![daemons.remove(victim_idx).kill_and_read()];
        let begun = logs[0].iter().filter(|line| line["message"] == "the run begins").count();
        assert!(begun > 0, "it was killed before it began anything");

        let n_slots = SOURCES.len() * 3;
        let deadline = std::time::Instant::now() + site::LONG * 2;
        while bucket.n_done().await < n_slots {
            let late = std::time::Instant::now() > deadline;
            assert!(!late, "{:#?}", bucket.slots().await);
        }
        for daemon in daemons {
            logs.push(tokio::task::block_in_place(|| daemon.stop(&[TAKEN_OVER, CEPH_IN_A_RACE])));
        }

        let slots = bucket.slots().await;
        assert_eq!(slots.len(), n_slots);
        assert!(slots.iter().all(|(_, record)| matches!(record.state, State::Done { .. })), "{slots:#?}");
        for (source, of_source) in bucket.backups().await {
            assert_eq!(of_source.len(), 1, "{source} was backed up for {of_source:?}");
        }
        let twice: Vec<_> = completions(&logs).into_iter().filter(|(_, times)| *times > 1).collect();
        assert!(twice.is_empty(), "run twice to completion: {twice:?}");
        let holders: std::collections::BTreeSet<u32> = slots.iter().map(|(_, record)| record.holder.pid).collect();
        assert!(n_daemons == 2 || holders.len() > 1, "one daemon did it all: the test shows nothing");
    }
}
