//! The status page in a real browser: it shows what the manifests say, on a phone and on a desk, dark and light.

#![allow(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod support;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use guard::catalog::{Catalog, Manifest};
use guard::contents::{Difference, DifferenceCode};
use guard::http::Reached;
use guard::progress::Progress;
use guard::retention::{Policy, Rules};
use guard::status::history::moment_name;
use guard::status::live::Job;
use guard::status::{Expected, Upcoming};
use guard::store::{FsStore, Store};
use support::board::{Served, World, settings};
use support::chromium::{Chromium, View};
use support::guard::Guard;
use support::past::{Past, Taken, evidence};
use support::postgres::{TestPostgres, Version};

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
    let policy = Policy {
        last: NonZeroU32::new(7),
        within: None,
        daily: NonZeroU32::new(30),
        weekly: None,
        monthly: None,
        yearly: None,
        timezone: chrono_tz::Tz::UTC,
    };
    Expected {
        name: source.parse().unwrap(),
        kind: "PostgreSQL",
        environment: Some("production".to_owned()),
        rpo: Some(Duration::from_hours(26)),
        rto: Some(Duration::from_mins(15)),
        upcoming: vec![upcoming(Job::Backup, 14), upcoming(Job::TestRestore, 230)],
        proof_due: None,
        rules: Rules { policies: vec![policy], rpo: Some(TimeDelta::hours(26)) },
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
    (past, newest, served)
}

const DESK: View = View { width: 1280, height: 1500, dark: false };
const PHONE: View = View { width: 390, height: 2400, dark: false };

/// Every page that the five sources have.
fn pages(served: &Served) -> Vec<(&'static str, String)> {
    let report = served.board.report();
    let failed = report.source("warehouse").unwrap().evidence()[0].clone();
    let proof = format!("/source/warehouse/{}/proof/{}", failed.backup, moment_name(&failed));
    let backup = report.source("orders").unwrap().history[2].id.clone();
    vec![
        ("overview", "/".to_owned()),
        ("warehouse", "/source/warehouse".to_owned()),
        ("proof", proof),
        ("orders", "/source/orders".to_owned()),
        ("sessions", "/source/sessions".to_owned()),
        ("backup", format!("/source/orders/{backup}")),
        ("evidence", "/evidence".to_owned()),
        ("missing", "/source/nobody".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_drawn_on_a_phone_and_on_a_desk_dark_and_light_without_a_complaint() {
    let (_past, _, served) = serve_five(Utc::now()).await;
    let chromium = Chromium::of_system();
    for (name, path) in pages(&served).into_iter().take(5) {
        let views = [("desk-light", DESK), ("phone-dark", View { dark: true, ..PHONE })];
        for (shape, view) in views {
            let file = gallery().join(format!("{name}-{shape}.png"));
            let said = chromium.picture(&served.url(&path), view, &file);
            assert_eq!(said, Vec::<String>::new(), "the console of {name}");
            // An empty page is a tenth of this.
            let size = std::fs::metadata(&file).unwrap().len();
            assert!(size > 30_000, "{name} {shape}: {size} bytes");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_fit_the_smallest_phone_and_can_be_read_by_everybody() {
    let (_past, _, served) = serve_five(Utc::now()).await;
    let chromium = Chromium::of_system();
    let pages = pages(&served);
    let mut htmls = Vec::new();
    for (_, path) in &pages {
        htmls.push(served.get(path).await.body);
    }
    for dark in [false, true] {
        let found = chromium.audit(&htmls, View { width: 320, height: 900, dark });
        for ((name, _), (problems, text)) in pages.iter().zip(found) {
            assert_eq!(problems, Vec::<String>::new(), "{name} dark: {dark}");
            assert!(text.len() > 80, "{name}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_on_the_page_are_the_manifests() {
    let now = Utc::now();
    let (past, newest, served) = serve_five(now).await;
    let chromium = Chromium::of_system();
    let (dom, said) = chromium.dom(&served.url("/source/orders"), DESK);
    assert_eq!(said, Vec::<String>::new());
    let listed = past.catalog.backups(&"orders".parse().unwrap()).await.unwrap();
    let rows: Vec<Vec<String>> = dom.split("<tr>").map(cells).collect();
    for listed in listed.iter().rev().take(50) {
        let manifest = &listed.backup.as_ref().unwrap().manifest;
        let row = rows.iter().find(|row| row.last().is_some_and(|id| id == manifest.id.as_str()));
        let row = row.unwrap_or_else(|| panic!("{} is not on the page", manifest.id));
        let rows: u64 = manifest.contents.tables.values().map(|table| table.rows).sum();
        let data_at = manifest.consistent.at.format("%Y-%m-%d %H:%M").to_string();
        assert_eq!(row[0], data_at);
        assert_eq!(row[1], mebibytes(manifest.stored_bytes()));
        assert_eq!(row[5].replace(',', ""), rows.to_string());
        assert_eq!(row[6], manifest.contents.tables.len().to_string());
    }
    for (name, table) in &newest[0].contents.tables {
        let row =
            rows.iter().find(|row| row.first() == Some(name)).unwrap_or_else(|| panic!("{name} is not on the page"));
        assert_eq!(row[1].replace(',', ""), table.rows.to_string(), "{name}");
    }
    // Every backup is a point of the chart, and its title has the figure.
    let drawn = dom.matches(" stored</title>").count();
    assert_eq!(drawn, listed.len());
    assert!(dom.contains(&format!("{} stored</title>", mebibytes(newest[0].stored_bytes()))));
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// The texts of a row's cells.
fn cells(row: &str) -> Vec<String> {
    let row = row.replace("<th ", "<td ");
    row.split("<td").skip(1).map(|cell| text(cell.split("</t").next().unwrap())).collect()
}

/// What is not between angle brackets; the first tag was cut open.
fn text(html: &str) -> String {
    let mut in_tag = true;
    let mut text = String::new();
    for character in html.chars() {
        match character {
            '<' => in_tag = true,
            '>' => in_tag = false,
            other if !in_tag => text.push(other),
            _ => {}
        }
    }
    text.trim().to_owned()
}

const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)>",
    "</code></style><svg onload=alert(3)>",
    "' onmouseover='alert(4)",
    "javascript:alert(5)//&lt;b&gt;",
    "\u{202e}<iframe srcdoc='<b>'>",
];

/// Names travel from a real server through dump, manifest, store and page, and are seen as they are.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_tables_can_inject_nothing() {
    let server = TestPostgres::start(Version::V18);
    server.create_database("shop", "");
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    for name in HOSTILE {
        server.psql("shop", format!("CREATE TABLE {} AS SELECT generate_series(1, 9)", quoted(name)));
    }
    let toml = format!(
        "[store]\nurl = \"./store\"\n[source.shop]\nurl = \"{}\"\nenvironment = \"<b onclick=alert(6)>prod\"",
        server.url("shop")
    );
    let guard = Guard::configured(&toml).with_programs_of(Version::V18);
    guard.json(&["backup"]).yes();
    // The first table is gone from the newest backup: it is shown in another way.
    server.psql("shop", format!("DROP TABLE {}", quoted(HOSTILE[0])));
    let id = guard.json(&["backup"]).yes()["backups"][0]["id"].as_str().unwrap().to_owned();
    let store: Arc<dyn Store> = Arc::new(FsStore::open(&guard.store()).unwrap());
    add_hostile_evidence(&store, &id).await;

    let served = Served::start(settings(&store, Arc::new(World::default()))).await;
    let proof = served.board.report().source("shop").unwrap().evidence()[0].clone();
    let proof = format!("/source/shop/{id}/proof/{}", moment_name(&proof));
    let chromium = Chromium::of_system();
    let paths =
        ["/".to_owned(), "/source/shop".to_owned(), format!("/source/shop/{id}"), proof, "/evidence".to_owned()];
    let mut htmls = Vec::new();
    for path in &paths {
        let (_, said) = chromium.dom(&served.url(path), DESK);
        assert_eq!(said, Vec::<String>::new(), "{path}");
        htmls.push(served.get(path).await.body);
    }
    // The same in the document for the auditor, which is opened as a file.
    htmls.push(guard.run(&["status", "--evidence", "--format", "html"]).stdout);
    let found = chromium.audit(&htmls, View { width: 360, ..PHONE });
    for (path, (problems, text)) in paths.iter().map(String::as_str).chain(["the document"]).zip(&found) {
        assert_eq!(*problems, Vec::<String>::new(), "{path}");
        assert!(!text.is_empty(), "{path}");
    }
    let shows = |page: usize, text: &str| {
        assert!(found[page].1.contains(text), "page {page} does not show {text}:\n{}", found[page].1);
    };
    for (idx, name) in HOSTILE.into_iter().enumerate() {
        shows(1, &format!("public.{}", quoted(name)));
        if idx > 0 {
            shows(2, &format!("public.{}", quoted(name)));
        }
        shows(3, &format!("table {name}"));
        shows(5, &format!("table {name}"));
    }
    shows(0, "<b onclick=alert(6)>prod");
    shows(4, HOSTILE[1]);
}

async fn add_hostile_evidence(store: &Arc<dyn Store>, id: &str) {
    let catalog = Catalog::open(Arc::clone(store)).await.unwrap();
    let shop = "shop".parse().unwrap();
    let backup = catalog.load(&shop, &id.parse().unwrap()).await.unwrap().unwrap();
    let difference = |name: &str| Difference {
        code: DifferenceCode::TableMissing,
        object: format!("table {name}"),
        expected: name.to_owned(),
        found: name.to_owned(),
        message: name.to_owned(),
    };
    let mut evidence = evidence(&backup.manifest, Utc::now(), 3.0, true);
    evidence.differences = HOSTILE.into_iter().map(difference).collect();
    HOSTILE[1].clone_into(&mut evidence.started_by);
    evidence.reason = Some(HOSTILE[2].to_owned());
    HOSTILE[1].clone_into(&mut evidence.rungs[0].detail);
    evidence.scratch = Some(HOSTILE[3].to_owned());
    catalog.add_evidence(&backup.keys, &evidence).await.unwrap();
}
