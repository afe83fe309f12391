//! Pruning: what goes goes in an order that can be killed anywhere, and nothing goes that is not guard's, pinned, changed,
//! or needed while the source is failing.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

mod support;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use futures_util::{StreamExt as _, stream};
use guard::catalog::{BackupId, BackupKeys, Catalog, Manifest, Mark, Pin, SourceName};
use guard::prune::{LEFTOVER_GRACE, Pruned, carry_out, decide, leftovers, sweep};
use guard::retention::{Policy, Rules};
use guard::store::{Fault, Faulty, Key, Operation, Store, StoreError};
use nix::sys::signal::Signal;
use support::ceph::Ceph;
use support::guard::{Guard, text};
use support::past::{Past, Taken};
use support::postgres::{TestPostgres, Version};
use support::process::{Running, SOON};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const SOURCE: &str = "shop";

fn source() -> SourceName {
    SOURCE.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    at("2026-11-21T12:00:00Z")
}

fn keeping_last(n: u32) -> Rules {
    let policy = Policy {
        last: NonZeroU32::new(n),
        within: None,
        daily: None,
        weekly: None,
        monthly: None,
        yearly: None,
        timezone: Tz::UTC,
    };
    Rules { policies: vec![policy], rpo: None }
}

/// A repository with a backup for each of the last days, the newest two hours old, with objects and evidence.
async fn repository(n_days: i64, now: DateTime<Utc>) -> (Past, Vec<Manifest>) {
    let past = Past::begin(now - TimeDelta::days(n_days + 1)).await;
    let mut manifests = Vec::new();
    for day in (0..n_days).rev() {
        manifests.push(take(&past, now - TimeDelta::days(day) - TimeDelta::hours(2)).await);
    }
    (past, manifests)
}

async fn take(past: &Past, at: DateTime<Utc>) -> Manifest {
    let tables = vec![("public.orders".to_owned(), 3, 30)];
    let manifest = past.take(&Taken { source: SOURCE, at, seconds: 5, stored: 4, tables }).await;
    let keys = keys(&manifest.id);
    for name in ["dump.pgdump.zst", "globals.sql.zst", "RESTORE.md"] {
        past.store.create(&keys.stream(name).unwrap(), Bytes::from("dump")).await.unwrap();
    }
    past.prove(&manifest, at + TimeDelta::hours(1), 3.0, false).await;
    manifest
}

fn keys(id: &BackupId) -> BackupKeys {
    BackupKeys::new(&source(), id).unwrap()
}

async fn listed(catalog: &Catalog) -> Vec<BackupId> {
    catalog.backups(&source()).await.unwrap().into_iter().map(|listed| listed.id).collect()
}

fn ids(manifests: &[Manifest]) -> Vec<BackupId> {
    manifests.iter().map(|manifest| manifest.id.clone()).collect()
}

/// One whole prune, as `guard prune --confirm` does it.
async fn prune(catalog: &Catalog, rules: &Rules, now: DateTime<Utc>) -> Result<Pruned, guard::catalog::CatalogError> {
    let plan = decide(catalog, &source(), rules, now).await?;
    let mut pruned = carry_out(catalog, &plan, now, &CancellationToken::new()).await?;
    pruned.locked.extend(sweep(catalog, &leftovers(catalog, now, LEFTOVER_GRACE).await?).await?);
    Ok(pruned)
}

/// Whatever is listed has all its objects, and the backups that must stay are listed.
async fn check_whole(catalog: &Catalog, must_stay: &[BackupId], when: &str) {
    let mut seen = BTreeSet::new();
    for found in catalog.backups(&source()).await.unwrap() {
        let backup = found.backup.unwrap_or_else(|error| panic!("{when}: {error}"));
        for key in backup.manifest.object_keys().unwrap() {
            let stored = catalog.store().stat(&key).await.unwrap();
            assert!(stored.is_some(), "{when}: {} is listed and {key} is gone", found.id);
        }
        seen.insert(found.id);
    }
    for id in must_stay {
        assert!(seen.contains(id), "{when}: {id} is gone");
    }
}

async fn folders(store: &Arc<dyn Store>) -> Vec<String> {
    store.list_folders(Some(&SOURCE.parse().unwrap())).await.unwrap()
}

/// The store as it was, wherever a prune is cut short: at each call of each kind, before or after it took effect.
#[tokio::test]
async fn a_prune_cut_short_at_any_step_leaves_whole_backups_and_the_next_one_finishes() {
    let operations =
        [Operation::Replace, Operation::Delete, Operation::List, Operation::Stat, Operation::Read, Operation::Create];
    let mut n_cuts = 0;
    for operation in operations {
        for fault in [Fault::Permanent, Fault::LostAnswer] {
            for call_idx in 0.. {
                let (past, manifests) = repository(4, now()).await;
                // An unfinished backup and an unfinished deletion lie there as well.
                let unfinished = keys(&BackupId::new(now() - TimeDelta::days(9)));
                past.store.create(&unfinished.stream("dump.pgdump.zst").unwrap(), Bytes::from("half")).await.unwrap();
                let faulty = Arc::new(Faulty::new(Arc::clone(&past.store)));
                let shaky = Catalog::open(Arc::clone(&faulty) as Arc<dyn Store>).await.unwrap();
                let before = faulty.calls(operation);
                faulty.fail(operation, before + call_idx, fault.clone());
                let outcome = prune(&shaky, &keeping_last(2), now()).await;
                if faulty.calls(operation) <= before + call_idx {
                    outcome.unwrap();
                    break;
                }
                n_cuts += 1;
                let when = format!("{fault:?} at {operation:?} {call_idx}");
                // The lost answer that there is nothing is an answer all the same.
                let is_told = outcome.is_err() || matches!(fault, Fault::LostAnswer);
                assert!(is_told, "{when}: the fault was met and not told");
                let stay = ids(&manifests[2..]);
                check_whole(&past.catalog, &stay, &when).await;
                prune(&past.catalog, &keeping_last(2), now()).await.unwrap();
                check_whole(&past.catalog, &stay, &when).await;
                let expected: Vec<String> = stay.iter().map(ToString::to_string).collect();
                assert_eq!(folders(&past.store).await, expected, "{when}: not all of the rest was removed");
            }
        }
    }
    assert!(n_cuts > 40, "only {n_cuts} places were cut");
}

#[tokio::test]
async fn a_manifest_is_a_tombstone_before_anything_else_of_its_backup_goes() {
    let (past, manifests) = repository(2, now()).await;
    let faulty = Arc::new(Faulty::new(Arc::clone(&past.store)));
    let catalog = Catalog::open(Arc::clone(&faulty) as Arc<dyn Store>).await.unwrap();
    faulty.fail(Operation::Delete, 0, Fault::Permanent);
    prune(&catalog, &keeping_last(1), now()).await.unwrap_err();
    let keys = keys(&manifests[0].id);
    let Mark::Tombstone(tombstone) = past.catalog.mark(&keys).await.unwrap() else { panic!("no tombstone") };
    assert_eq!((tombstone.deleted, &*tombstone.why), (now(), "no rule keeps it"));
    for key in manifests[0].object_keys().unwrap() {
        assert!(past.store.stat(&key).await.unwrap().is_some(), "{key}");
    }
    assert_eq!(listed(&past.catalog).await, ids(&manifests[1..]));
    assert!(past.catalog.load(&source(), &manifests[0].id).await.unwrap().is_none());
}

/// The binary, killed with SIGKILL at random moments until a prune of many backups is through.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_prune_is_finished_by_the_next_and_no_listed_backup_lacks_anything() {
    let today = Utc::now();
    let (past, manifests) = repository(60, today).await;
    let user = user(&past, "rpo = \"26h\"", "last = 3");
    let stay = ids(&manifests[57..]);
    let mut moment = Duration::from_millis(20);
    let mut n_killed = 0;
    loop {
        let guard = Running::start(user.command(&["prune", "--confirm", "--json"]));
        std::thread::sleep(moment);
        guard.signal(Signal::SIGKILL);
        let killed = guard.end_within(SOON).status.code().is_none();
        check_whole(&past.catalog, &stay, &format!("killed after {moment:?}")).await;
        if !killed {
            break;
        }
        n_killed += 1;
        moment = moment.mul_f64(1.15);
    }
    assert!(n_killed > 2, "it was through after {n_killed} kills");
    assert_eq!(listed(&past.catalog).await, stay);
    assert_eq!(folders(&past.store).await.len(), 3);
}

/// A user of this repository, with one schedule for all sources.
fn user(past: &Past, target: &str, retention: &str) -> Guard {
    let toml = format!("[source.{SOURCE}]\nurl = \"postgres://nobody@127.0.0.1:1/shop\"\n");
    let user = Guard::configured(&toml);
    schedule(&user, target, retention);
    user.with("GUARD_STORE_URL", &past.dir.path().join("store").display().to_string())
}

fn schedule(user: &Guard, target: &str, retention: &str) {
    let dir = user.dir().join("schedules");
    std::fs::create_dir_all(&dir).unwrap();
    let text = format!(
        "sources = [\"*\"]\ntimezone = \"Europe/Kyiv\"\nbackup = \"0 2 * * *\"\n\
         [retention]\n{retention}\n[target]\n{target}\n"
    );
    std::fs::write(dir.join("daily.toml"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn prune_tells_of_each_backup_why_it_stays_or_goes_and_removes_only_when_confirmed() {
    let (past, manifests) = repository(5, Utc::now()).await;
    past.catalog
        .keep(&keys(&manifests[0].id), &Pin { at: Utc::now(), reason: Some("audit 2026".to_owned()) })
        .await
        .unwrap();
    let user = user(&past, "", "last = 2");
    let dry = user.json(&["prune"]).yes();
    let told = |answer: &serde_json::Value| -> Vec<(bool, String)> {
        let decisions = answer["decisions"].as_array().unwrap().iter();
        decisions.map(|each| (each["keep"] == true, text(&each["reasons"][0]))).collect()
    };
    let expected = [
        (true, "pinned: audit 2026"),
        (false, "no rule keeps it"),
        (false, "no rule keeps it"),
        (true, "last"),
        (true, "newest"),
    ];
    assert_eq!(told(&dry), expected.map(|(keep, why)| (keep, why.to_owned())));
    assert_eq!(
        (dry["decisions"][0]["id"].clone(), dry["removed"] == false),
        (serde_json::json!(manifests[0].id), true)
    );
    let newest: Vec<&serde_json::Value> = dry["decisions"][4]["reasons"].as_array().unwrap().iter().collect();
    assert_eq!(newest, ["newest", "newest proven", "last"]);
    assert_eq!(listed(&past.catalog).await, ids(&manifests), "a dry run");
    let human = user.run(&["prune"]).stdout;
    assert!(human.contains("pinned: audit 2026") && human.contains("nothing was removed; add --confirm"), "{human}");

    let done = user.json(&["prune", "--confirm"]).yes();
    assert_eq!(told(&done), told(&dry));
    assert_eq!(done["removed_backups"], serde_json::json!(ids(&manifests[1..3])));
    let left = [&manifests[0], &manifests[3], &manifests[4]].map(|manifest| manifest.id.clone());
    assert_eq!(listed(&past.catalog).await, left);
    assert_eq!(told(&user.json(&["prune", "--confirm"]).yes()).iter().filter(|(keep, _)| !keep).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_source_is_failing_nothing_of_it_goes_and_prune_says_so() {
    let (past, manifests) = repository(5, Utc::now() - TimeDelta::days(2)).await;
    let user = user(&past, "rpo = \"26h\"", "last = 1");
    let answer = user.json(&["prune", "--confirm"]).yes();
    for decision in answer["decisions"].as_array().unwrap().iter().take(4) {
        assert!(text(&decision["reasons"][0]).starts_with("frozen: the newest sound backup is of"), "{decision}");
    }
    assert_eq!(listed(&past.catalog).await, ids(&manifests));
    // With a fresh backup it goes on.
    let fresh = take(&past, Utc::now() - TimeDelta::minutes(1)).await;
    user.json(&["prune", "--confirm"]).yes();
    assert_eq!(listed(&past.catalog).await, [fresh.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_guards_or_of_no_schedule_is_left_alone() {
    let (past, manifests) = repository(3, Utc::now()).await;
    let (elsewhere, others) = repository(1, Utc::now() - TimeDelta::days(30)).await;
    // A backup of another repository, a manifest that is none, a folder that is no backup, a newer format.
    let foreign = keys(&others[0].id);
    for object in elsewhere.store.list(foreign.folder()).await.unwrap() {
        let body = elsewhere.store.fetch(&object.key).await.unwrap().unwrap().body;
        past.store.create(&object.key, body).await.unwrap();
    }
    let edited = keys(&BackupId::new(Utc::now() - TimeDelta::days(40)));
    past.store.create(&edited.manifest(), Bytes::from("{\"format\":1}")).await.unwrap();
    past.store.create(&edited.stream("dump.pgdump.zst").unwrap(), Bytes::from("x")).await.unwrap();
    let note: Key = "shop/notes/todo.txt".parse().unwrap();
    past.store.create(&note, Bytes::from("x")).await.unwrap();
    let mut unconfigured = Taken { source: "old-shop", at: Utc::now(), seconds: 1, stored: 1, tables: Vec::new() };
    for day in 0..3 {
        unconfigured.at = Utc::now() - TimeDelta::days(day);
        past.take(&unconfigured).await;
    }
    let before = past.store.list(&SOURCE.parse().unwrap()).await.unwrap().len();
    let user = user(&past, "", "last = 1");
    let answer = user.json(&["prune", "--confirm"]).yes();
    assert_eq!(answer["removed_backups"], serde_json::json!(ids(&manifests[..2])));
    let reasons: Vec<String> =
        answer["decisions"].as_array().unwrap().iter().map(|each| text(&each["reasons"][0])).collect();
    assert_eq!(reasons.iter().filter(|why| why.starts_with("not guard's to remove")).count(), 2, "{reasons:?}");
    assert_eq!(reasons.iter().filter(|why| why.starts_with("no retention rule applies")).count(), 2, "{reasons:?}");
    // A manifest, two streams, a note and a proof each.
    assert_eq!(past.store.list(&SOURCE.parse().unwrap()).await.unwrap().len(), before - 10);
    assert!(past.store.stat(&note).await.unwrap().is_some());
}

#[tokio::test]
async fn a_backup_that_was_pinned_since_the_decision_is_spared() {
    let (past, manifests) = repository(3, now()).await;
    let plan = decide(&past.catalog, &source(), &keeping_last(1), now()).await.unwrap();
    past.catalog.keep(&keys(&manifests[0].id), &Pin { at: now(), reason: None }).await.unwrap();
    let pruned = carry_out(&past.catalog, &plan, now(), &CancellationToken::new()).await.unwrap();
    assert_eq!(pruned.spared, ids(&manifests[..1]));
    assert_eq!(pruned.removed, ids(&manifests[1..2]));
    assert_eq!(listed(&past.catalog).await, [manifests[0].id.clone(), manifests[2].id.clone()]);
}

/// A call of a store: which operation, and the how-manieth of its kind.
type Call = (Operation, u64);

const ALL_OPERATIONS: [Operation; 8] = [
    Operation::Create,
    Operation::Replace,
    Operation::Read,
    Operation::Fetch,
    Operation::Stat,
    Operation::List,
    Operation::ListFolders,
    Operation::Delete,
];

/// A prune of one backup, and what it takes to stop it before any of its calls.
struct Pruning {
    past: Past,
    manifests: Vec<Manifest>,
    faulty: Arc<Faulty>,
    catalog: Catalog,
    plan: guard::prune::PrunePlan,
}

impl Pruning {
    async fn decided() -> Self {
        let (past, manifests) = repository(2, now()).await;
        let faulty = Arc::new(Faulty::new(Arc::clone(&past.store)));
        let catalog = Catalog::open(Arc::clone(&faulty) as Arc<dyn Store>).await.unwrap();
        let plan = decide(&catalog, &source(), &keeping_last(1), now()).await.unwrap();
        Self { past, manifests, faulty, catalog, plan }
    }

    async fn carry_out(&self) {
        carry_out(&self.catalog, &self.plan, now(), &CancellationToken::new()).await.unwrap();
    }

    /// Every call that it makes.
    async fn calls() -> Vec<Call> {
        let pruning = Self::decided().await;
        let before = ALL_OPERATIONS.map(|operation| pruning.faulty.calls(operation));
        pruning.carry_out().await;
        let of = |(operation, before): (Operation, u64)| {
            (before..pruning.faulty.calls(operation)).map(move |call_idx| (operation, call_idx))
        };
        ALL_OPERATIONS.into_iter().zip(before).flat_map(of).collect()
    }

    /// Has it wait before this call until it is told to go on.
    fn stop_before(&self, (operation, call_idx): Call) -> Arc<Notify> {
        let go_on = Arc::new(Notify::new());
        self.faulty.fail(operation, call_idx, Fault::Park(Arc::clone(&go_on)));
        go_on
    }

    fn has_reached(&self, (operation, call_idx): Call) -> bool {
        self.faulty.calls(operation) > call_idx
    }
}

/// Lets others go on until something is so.
async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

/// How long one of the interleavings may take, of which several run at a time.
const LONG: Duration = Duration::from_mins(1);

/// What becomes of a prune at the second of its stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoesOn,
    IsKilled,
}

/// Pins while a prune is stopped before the first of two of its calls, and has who pinned look after the backup before the
/// other. Whether it was promised that the backup stays.
async fn pinned_amid(one: Call, other: Call, then: Then) -> bool {
    let pruning = Pruning::decided().await;
    let mut stops = vec![(one, pruning.stop_before(one))];
    if other != one {
        stops.push((other, pruning.stop_before(other)));
    }
    let doubtful = Arc::new(Faulty::new(Arc::clone(&pruning.past.store)));
    let catalog = Catalog::open(Arc::clone(&doubtful) as Arc<dyn Store>).await.unwrap();
    let (look, first_look) = (Arc::new(Notify::new()), doubtful.calls(Operation::Stat));
    doubtful.fail(Operation::Stat, first_look, Fault::Park(Arc::clone(&look)));

    let folder = keys(&pruning.manifests[0].id);
    let pin = Pin { at: now(), reason: None };
    let (is_over, kill) = (Cell::new(false), Notify::new());
    let pinning = async {
        let is_reached = |(call, _): &(Call, Arc<Notify>)| pruning.has_reached(*call);
        until(|| stops.iter().any(is_reached)).await;
        let (_, first) = stops.swap_remove(stops.iter().position(is_reached).unwrap());
        let keep = catalog.keep(&folder, &pin);
        let rest = async {
            // The pin is there, and who put it has not looked yet whether the backup still is.
            until(|| doubtful.calls(Operation::Stat) > first_look).await;
            let second = stops.pop();
            if let Some((call, _)) = &second {
                first.notify_one();
                // One that sees the pin does not come as far.
                until(|| pruning.has_reached(*call) || is_over.get()).await;
            }
            look.notify_one();
            second.map_or(first, |(_, second)| second)
        };
        let (kept, stopped) = tokio::join!(keep, rest);
        match then {
            Then::GoesOn => stopped.notify_one(),
            Then::IsKilled => kill.notify_one(),
        }
        kept
    };
    let pruned = async {
        tokio::select! {
            () = pruning.carry_out() => {}
            () = kill.notified() => {}
        }
        is_over.set(true);
    };
    let ((), kept) = tokio::join!(pruned, pinning);
    let is_promised = kept.is_ok();
    let must_stay = ids(if is_promised { &pruning.manifests[..] } else { &pruning.manifests[1..] });
    let when = format!("pinned before one of {one:?} and {other:?}, looked before the other, and the prune {then:?}");
    let catalog = &pruning.past.catalog;
    check_whole(catalog, &must_stay, &when).await;
    prune(catalog, &keeping_last(1), now()).await.unwrap();
    check_whole(catalog, &must_stay, &format!("{when}, and the next one")).await;
    is_promised
}

/// Each of the two looks for the other after it has left its own sign: wherever the steps of the one fall between those of the
/// other, and wherever the prune is killed, a pin that was promised holds.
#[tokio::test]
async fn a_backup_that_is_pinned_while_it_is_pruned_is_whole_or_the_pin_is_refused() {
    let calls = Pruning::calls().await;
    let pairs = calls.iter().enumerate().flat_map(|(idx, one)| calls[idx..].iter().map(move |other| (*one, *other)));
    let cases = pairs.flat_map(|(one, other)| [Then::GoesOn, Then::IsKilled].map(|then| (one, other, then)));
    let tries = cases.map(async |(one, other, then)| {
        let outcome = tokio::time::timeout(LONG, pinned_amid(one, other, then)).await;
        outcome.unwrap_or_else(|_| panic!("{one:?}, {other:?}: they wait for each other"))
    });
    let promises: Vec<bool> = stream::iter(tries).buffer_unordered(8).collect().await;
    let n_promised = promises.iter().filter(|is_promised| **is_promised).count();
    let n_refused = promises.len() - n_promised;
    assert!(n_promised > 10 && n_refused > 40, "{n_promised} promised, {n_refused} refused in {calls:?}");

    let pruning = Pruning::decided().await;
    pruning.carry_out().await;
    let late = pruning.past.catalog.keep(&keys(&pruning.manifests[0].id), &Pin { at: now(), reason: None }).await;
    let late = late.unwrap_err().to_string();
    assert!(late.contains("was deleted while it was being pinned"), "{late}");
}

#[tokio::test]
async fn a_pin_that_a_killed_prune_stood_in_the_way_of_can_be_put_after_the_next_one() {
    let pruning = Pruning::decided().await;
    let (catalog, folder) = (&pruning.past.catalog, keys(&pruning.manifests[0].id));
    let bury = pruning.faulty.calls(Operation::Replace);
    pruning.faulty.fail(Operation::Replace, bury, Fault::Permanent);
    carry_out(&pruning.catalog, &pruning.plan, now(), &CancellationToken::new()).await.unwrap_err();
    let pin = Pin { at: now(), reason: None };
    let refused = catalog.keep(&folder, &pin).await.unwrap_err().to_string();
    assert!(refused.contains("is being deleted by a prune"), "{refused}");
    // The pin is there: no prune takes the backup, and the next one takes its sign away.
    prune(catalog, &keeping_last(1), now()).await.unwrap();
    check_whole(catalog, &ids(&pruning.manifests), "pinned too late for a promise").await;
    catalog.keep(&folder, &pin).await.unwrap();
    catalog.unkeep(&folder).await.unwrap();
    let pruned = prune(catalog, &keeping_last(1), now()).await.unwrap();
    assert_eq!(pruned.removed, ids(&pruning.manifests[..1]));
}

#[tokio::test]
async fn what_the_store_refuses_to_delete_is_told_and_taken_by_a_later_prune() {
    let (past, manifests) = repository(3, now()).await;
    let faulty = Arc::new(Faulty::new(Arc::clone(&past.store)));
    let catalog = Catalog::open(Arc::clone(&faulty) as Arc<dyn Store>).await.unwrap();
    // One object of the first backup, and the manifest of the second.
    faulty.fail(Operation::Delete, 1, Fault::Denied);
    faulty.fail(Operation::Replace, 1, Fault::Denied);
    let plan = decide(&catalog, &source(), &keeping_last(1), now()).await.unwrap();
    let pruned = carry_out(&catalog, &plan, now(), &CancellationToken::new()).await.unwrap();
    assert_eq!(pruned.removed, ids(&manifests[..1]), "the rest goes on");
    assert_eq!(pruned.locked.len(), 2);
    assert!(pruned.locked[0].reason.contains("access denied"), "{:?}", pruned.locked);
    // Five objects of the first, and the sign of the second, which stays.
    assert_eq!(faulty.calls(Operation::Delete), 6, "what is refused is not tried again by the same prune");
    past.catalog.keep(&keys(&manifests[1].id), &Pin { at: now(), reason: None }).await.unwrap();
    past.catalog.unkeep(&keys(&manifests[1].id)).await.unwrap();
    assert_eq!(listed(&past.catalog).await, ids(&manifests[1..]));
    let pruned = prune(&past.catalog, &keeping_last(1), now()).await.unwrap();
    assert_eq!((pruned.removed, pruned.locked.len()), (ids(&manifests[1..2]), 0));
    assert_eq!(folders(&past.store).await, [manifests[2].id.to_string()]);
}

#[tokio::test]
async fn a_manifest_that_is_on_its_way_never_appears_beside_swept_parts() {
    let (past, _) = repository(1, now()).await;
    let young = past.manifest_of(SOURCE, now() - TimeDelta::minutes(5));
    let part = keys(&young.id).stream("dump.pgdump.zst").unwrap();
    past.store.create(&part, Bytes::from("dump")).await.unwrap();
    // It lands between the finding and the sweep: nothing of it goes.
    let found = leftovers(&past.catalog, now(), TimeDelta::zero()).await.unwrap();
    assert_eq!(found.objects, std::slice::from_ref(&part));
    past.catalog.commit(&young).await.unwrap();
    sweep(&past.catalog, &found).await.unwrap();
    check_whole(&past.catalog, std::slice::from_ref(&young.id), "landed before the sweep").await;

    // It lands while the sweep is under way, or after it: it is refused.
    let late = past.manifest_of(SOURCE, now() - TimeDelta::minutes(4));
    let part = keys(&late.id).stream("dump.pgdump.zst").unwrap();
    past.store.create(&part, Bytes::from("dump")).await.unwrap();
    let found = leftovers(&past.catalog, now(), TimeDelta::zero()).await.unwrap();
    let faulty = Arc::new(Faulty::new(Arc::clone(&past.store)));
    let slow = Catalog::open(Arc::clone(&faulty) as Arc<dyn Store>).await.unwrap();
    let go_on = Arc::new(Notify::new());
    faulty.fail(Operation::Delete, 0, Fault::Park(Arc::clone(&go_on)));
    let landing = async {
        while faulty.calls(Operation::Delete) == 0 {
            tokio::task::yield_now().await;
        }
        let refused = past.catalog.commit(&late).await;
        go_on.notify_one();
        refused
    };
    let (swept, refused) = tokio::join!(sweep(&slow, &found), landing);
    assert_eq!(swept.unwrap(), []);
    let is_refused = |outcome| matches!(outcome, Err(guard::catalog::CatalogError::Store(StoreError::Exists { .. })));
    assert!(is_refused(refused));
    assert!(is_refused(past.catalog.commit(&late).await), "the tombstone stays for a day");
    assert!(past.catalog.load(&source(), &late.id).await.unwrap().is_none());
    // By then whatever was on its way has arrived.
    let tomorrow = now() + TimeDelta::hours(25);
    sweep(&past.catalog, &leftovers(&past.catalog, tomorrow, LEFTOVER_GRACE).await.unwrap()).await.unwrap();
    assert_eq!(past.catalog.mark(&keys(&late.id)).await.unwrap(), Mark::Nothing);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_proof_reads_a_sources_backups_they_are_not_pruned() {
    use guard::lease::{Claim, Claimed, Holder, Leases, Purpose, Subject};
    let (past, manifests) = repository(3, Utc::now()).await;
    let holder = Holder { host: "other".to_owned(), machine: "other".to_owned(), ..Holder::of_this_process() };
    let leases = Leases::new(Arc::clone(&past.store), holder, Arc::new(Utc::now));
    let claim = Claim { subject: Subject::Backups(source()), purpose: Purpose::Proof, reason: "schedule".to_owned() };
    let Claimed::Won(lease) = leases.claim(&claim, &CancellationToken::new()).await.unwrap() else { panic!("free") };
    let user = user(&past, "", "last = 1");
    let (_, error) = user.json(&["prune", "--confirm"]).partly(2, "busy");
    assert!(text(&error["message"]).starts_with("shop: it is taken by process"), "{error}");
    assert_eq!(listed(&past.catalog).await, ids(&manifests));
    lease.release().await.unwrap();
    user.json(&["prune", "--confirm"]).yes();
    assert_eq!(listed(&past.catalog).await, ids(&manifests[2..]));
}

/// Object Lock and versions on a real server: what guard deletes is hidden, what is locked stays beneath, and nothing fails.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_bucket_with_object_lock_backups_are_taken_and_pruned_and_the_versions_are_told() {
    let server = Ceph::start();
    server.make_locked_bucket("locked").await;
    let database = TestPostgres::start(Version::V15);
    database.create_database("shop", "");
    let user = server.keeps(Guard::of(&database, "shop"), "locked");
    tokio::task::block_in_place(|| {
        schedule(&user, "", "last = 1");
        user.configure("");
        let ids: Vec<String> = (0..2).map(|_| user.backup()).collect();
        let remembered =
            tokio::runtime::Handle::current().block_on(server.content("locked", "prod/leases/@store.json"));
        // On a versioned bucket this server honours no conditions, whichever of them is found out first.
        assert!(remembered.contains("\"fault\": \"it "), "{remembered}");
        let answer = user.json(&["prune", "--confirm"]).yes();
        assert_eq!(answer["removed_backups"], serde_json::json!(ids[..1]), "{answer}");
        assert_eq!(answer["locked"], serde_json::json!([]));
        assert_eq!(user.listed(), ids[1..]);
        assert_eq!(user.json(&["verify"]).yes()["verdict"], "ok");
        user.backup();
        let told = user.run(&["prune"]).stdout;
        assert!(told.contains("the bucket is versioned"), "{told}");
    });
    // Nothing was lost beneath: the versions of what was deleted are still there, locked.
    assert!(server.n_noncurrent("locked").await > 3);
    server.cannot_delete_a_version("locked").await;
}
