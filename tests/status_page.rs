//! The status page in a real browser: it shows what the manifests say, on a phone and on a desk, dark and light.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use guard::catalog::{BackupId, Manifest};
use guard::http::Reached;
use guard::progress::Progress;
use guard::status::live::Job;
use guard::status::{Decision, Expected, Preview, Upcoming};
use support::board::{Served, World, settings};
use support::chromium::{Chromium, View};
use support::past::{Past, Taken};

/// Where the pictures lie, for people to look at.
fn gallery() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("status-page");
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

const DAY: TimeDelta = TimeDelta::days(1);

/// Five sources: one as promised, one too old, one never proven, one that failed its proof, one that nobody configured.
async fn five_sources(now: DateTime<Utc>) -> (Past, Vec<Manifest>) {
    let past = Past::begin(now - DAY * 400).await;
    let mut newest = Vec::new();
    for (source, age, n_backups, size) in [
        ("orders", TimeDelta::hours(5), 64, 900_000_000u64),
        ("billing", TimeDelta::hours(49), 30, 40_000_000),
        ("sessions", TimeDelta::minutes(20), 6, 3_000_000),
        ("warehouse", TimeDelta::hours(7), 40, 12_000_000_000),
        ("legacy", TimeDelta::days(90), 2, 80_000),
    ] {
        let mut last = None;
        for idx in (0..n_backups).rev() {
            let at = now - age - DAY * idx;
            let wobble = u64::try_from(10 - (idx * 37) % 11).unwrap();
            let size = size - size / 120 * u64::try_from(idx).unwrap() + size / 400 * wobble;
            let table = |name: &str, share: u64| (name.to_owned(), size / share / 120, size * 3 / share);
            let mut tables = vec![
                table("public.orders", 2),
                table("public.order_items", 4),
                table("public.customers", 12),
                table("public.\"Größe\"", 50),
                table("audit.log", 5),
            ];
            if idx > 0 && source == "warehouse" {
                tables.push(table("public.stock_movements_2024", 9));
            }
            let taken = Taken {
                source,
                at,
                seconds: 40 + i64::try_from(size / 20_000_000).unwrap() + i64::from(idx % 7),
                stored: size,
                tables,
            };
            let manifest = past.take(&taken).await;
            if source != "sessions" && idx % 15 == 2 {
                past.prove(&manifest, at + TimeDelta::hours(2), 200.0 + f64::from(u32::try_from(idx).unwrap()), false)
                    .await;
            }
            if source == "warehouse" && idx == 1 {
                past.prove(&manifest, at + TimeDelta::hours(3), 1044.0, true).await;
            }
            last = Some(manifest);
        }
        newest.push(last.unwrap());
    }
    (past, newest)
}

fn expected(source: &str, now: DateTime<Utc>) -> Expected {
    let upcoming = |job, hours| Upcoming { job, at: now + TimeDelta::hours(hours), schedule: "daily".to_owned() };
    Expected {
        name: source.parse().unwrap(),
        kind: "PostgreSQL",
        environment: Some("production".to_owned()),
        rpo: Some(Duration::from_hours(26)),
        rto: Some(Duration::from_mins(15)),
        upcoming: vec![upcoming(Job::Backup, 14), upcoming(Job::TestRestore, 230)],
        proof_due: None,
    }
}

async fn serve_five(now: DateTime<Utc>) -> (Past, Vec<Manifest>, Served) {
    let (past, newest) = five_sources(now).await;
    let names = ["orders", "billing", "sessions", "warehouse"];
    let reached = |source: &&str| Reached {
        source: (*source).to_owned(),
        failure: (*source == "billing")
            .then(|| "cannot connect to postgres://guard@billing-db:5432/billing: connection refused".to_owned()),
    };
    let world = World {
        expected: names.iter().map(|source| expected(source, now)).collect(),
        reached: Mutex::new(names.iter().map(reached).collect()),
    };
    let served = Served::start(settings(&past.store, Arc::new(world))).await;
    let (billing, sessions) = ("billing".parse().unwrap(), "sessions".parse().unwrap());
    served.live.began(&billing, Job::Backup, now - TimeDelta::hours(10), Arc::default());
    served.live.ended(
        &billing,
        Job::Backup,
        now - TimeDelta::hours(10),
        Err("cannot connect: connection refused".to_owned()),
    );
    let progress = Arc::new(Progress::default());
    progress.begin("dumping", 9_000_000);
    progress.add(3_200_000);
    progress.table(Some("public.sessions"));
    served.live.began(&sessions, Job::Backup, now - TimeDelta::seconds(40), progress);
    let orders = past.catalog.backups(&"orders".parse().unwrap()).await.unwrap();
    let decision = |(idx, id): (usize, BackupId)| Decision {
        id,
        keep: idx < 60,
        reasons: vec![
            if idx < 7 {
                "last 7"
            } else if idx < 60 {
                "daily"
            } else {
                "no rule keeps it"
            }
            .to_owned(),
        ],
    };
    let decisions = orders.into_iter().rev().map(|listed| listed.id).enumerate().map(decision).collect();
    served.live.preview(&"orders".parse().unwrap(), Preview { frozen: None, decisions });
    (past, newest, served)
}

const DESK: View = View { width: 1280, height: 1500, dark: false };
const PHONE: View = View { width: 390, height: 2400, dark: false };

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_shown_on_a_phone_and_on_a_desk_dark_and_light() {
    let now = Utc::now();
    let (_past, newest, served) = serve_five(now).await;
    let report = served.board.report();
    let failed = report.source("warehouse").unwrap().evidence()[0].clone();
    let pages = [
        ("overview", "/".to_owned()),
        ("source", "/source/orders".to_owned()),
        ("source-bad", "/source/warehouse".to_owned()),
        ("running", "/source/sessions".to_owned()),
        ("backup", format!("/source/orders/{}", newest[0].id)),
        ("evidence", "/evidence".to_owned()),
        (
            "proof",
            format!("/source/warehouse/{}/proof/{}", failed.backup, guard::status::history::moment_name(&failed)),
        ),
    ];
    let chromium = Chromium::of_system();
    for (name, path) in pages {
        for (shape, view) in [("desk", DESK), ("phone", PHONE)] {
            for dark in [false, true] {
                let file = gallery().join(format!("{name}-{shape}-{}.png", if dark { "dark" } else { "light" }));
                let said = chromium.picture(&served.url(&path), View { dark, ..view }, &file);
                assert_eq!(said, Vec::<String>::new(), "{name}");
            }
        }
    }
}
