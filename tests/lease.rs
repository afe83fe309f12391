//! Leases on real stores: of any number of claimants one wins, a dead holder is replaced, and one that lost its lease stops.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use guard::lease::{
    Claim, Claimed, Exclusion, HeldLease, Holder, LeaseError, Leases, Purpose, Slot, State, Subject, probe,
};
use guard::store::{Fault, Faulty, FsStore, Operation, RetryPolicy, Retrying, S3Store, Store, StoreError};
use support::ceph::Ceph;
use support::s3s::S3s;
use tokio_util::sync::CancellationToken;

fn directory() -> (tempfile::TempDir, Arc<dyn Store>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(FsStore::open(dir.path()).unwrap());
    (dir, store)
}

/// One daemon on a host of its own, whose death nobody can see.
fn daemon(store: &Arc<dyn Store>, name: &str, ttl: Duration) -> Leases {
    let holder = Holder { host: name.to_owned(), machine: name.to_owned(), ..Holder::of_this_process() };
    Leases::new(Arc::clone(store), holder, Arc::new(Utc::now)).lasting(ttl)
}

const LONG: Duration = Duration::from_secs(600);

fn slot_at(at: DateTime<Utc>) -> Slot {
    Slot { schedule: "daily".to_owned(), at, purpose: Purpose::Backup, source: "orders".parse().unwrap() }
}

fn slot(n: i64) -> Subject {
    Subject::Slot(slot_at(DateTime::from_timestamp(1_700_000_000 + n, 0).unwrap()))
}

fn source() -> Subject {
    Subject::Source("orders".parse().unwrap())
}

async fn claim(leases: &Leases, subject: Subject) -> Claimed {
    let claim = Claim { subject, purpose: Purpose::Backup, reason: "a test".to_owned() };
    leases.claim(&claim, &CancellationToken::new()).await.unwrap()
}

async fn win(leases: &Leases, subject: Subject) -> HeldLease {
    match claim(leases, subject).await {
        Claimed::Won(lease) => lease,
        other => panic!("not won: {other:?}"),
    }
}

/// Of two and of five daemons that want a slot at once, each time one gets it, and it is run once for good.
async fn check_races(store: Arc<dyn Store>) {
    for n_daemons in [2, 5] {
        let daemons: Vec<Leases> = (0..n_daemons).map(|n| daemon(&store, &format!("host-{n}"), LONG)).collect();
        for round in 0..10 {
            let subject = || slot(i64::from(n_daemons) * 1_000 + round);
            let outcomes = join_all(daemons.iter().map(|leases| claim(leases, subject()))).await;
            let mut won = Vec::new();
            for outcome in outcomes {
                match outcome {
                    Claimed::Won(lease) => won.push(lease),
                    Claimed::Held(record) => assert_eq!(record.state, State::Held),
                    Claimed::Finished(record) => panic!("{record:?}"),
                }
            }
            assert_eq!(won.len(), 1, "of {n_daemons} in round {round}");
            let backup = Some("20261121T020000Z-abc123".parse().unwrap());
            won.remove(0).finish(State::Done { backup: backup.clone() }).await.unwrap();
            for outcome in join_all(daemons.iter().map(|leases| claim(leases, subject()))).await {
                let Claimed::Finished(record) = outcome else { panic!("a slot that is done was claimed again") };
                assert_eq!(record.state, State::Done { backup: backup.clone() });
            }
        }
    }
}

/// Five want what a dead daemon held: nobody before its TTL is over by the store's clock, then one.
async fn check_takeover(store: Arc<dyn Store>) {
    let ttl = Duration::from_secs(3);
    let dead = daemon(&store, "dead", ttl);
    // Dropped without a word, as by a kill.
    let record = win(&dead, source()).await.record().clone();
    let daemons: Vec<Leases> = (0..5).map(|n| daemon(&store, &format!("host-{n}"), LONG)).collect();
    let mut won = Vec::new();
    while won.is_empty() {
        for outcome in join_all(daemons.iter().map(|leases| claim(leases, source()))).await {
            match outcome {
                Claimed::Won(lease) => won.push(lease),
                Claimed::Held(_) => {}
                Claimed::Finished(record) => panic!("{record:?}"),
            }
        }
    }
    let now = store.clock().await.unwrap();
    assert!(now >= record.expires(), "taken over at {now}, held until {}", record.expires());
    assert_eq!(won.len(), 1);
    assert!(won[0].record().holder.host.starts_with("host-"));
    won.remove(0).release().await.unwrap();
    win(&dead, source()).await.release().await.unwrap();
}

/// A holder that is renewed keeps what it has for longer than a TTL.
async fn check_renewal(store: Arc<dyn Store>) {
    let ttl = Duration::from_secs(9);
    let (ours, theirs) = (daemon(&store, "ours", ttl), daemon(&store, "theirs", ttl));
    let lease = win(&ours, slot(1)).await;
    let end = lease.record().expires() + TimeDelta::seconds(1);
    while store.clock().await.unwrap() < end {
        assert!(matches!(claim(&theirs, slot(1)).await, Claimed::Held(_)));
    }
    assert!(!lease.token().is_cancelled() && !lease.is_lost());
    lease.finish(State::Failed { error: "no".to_owned() }).await.unwrap();
    assert!(matches!(claim(&theirs, slot(1)).await, Claimed::Finished(_)));
}

async fn check_all(store: Arc<dyn Store>) {
    check_races(Arc::clone(&store)).await;
    check_takeover(Arc::clone(&store)).await;
    check_renewal(Arc::clone(&store)).await;
    let found = probe(&*store).await.unwrap();
    assert!(found.are_dependable(), "{found:?}");
    assert_eq!(store.list(&"leases/@probe".parse().unwrap()).await.unwrap(), [], "the probe tidies up");
    assert_eq!(daemon(&store, "a", LONG).probe_exclusion().await.unwrap(), Exclusion::Store);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_directory_of_racing_daemons_one_wins_and_a_dead_one_is_replaced() {
    let (_dir, store) = directory();
    check_all(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_bucket_of_ceph_of_racing_daemons_one_wins_and_a_dead_one_is_replaced() {
    let server = Ceph::start();
    server.make_bucket("backups").await;
    let store = S3Store::open(server.settings("backups")).await.unwrap();
    check_all(Arc::new(Retrying::new(Arc::new(store), RetryPolicy::default()))).await;
}

#[tokio::test]
async fn a_store_whose_conditional_puts_race_is_found_out_and_remembered() {
    let server = S3s::start().await;
    let store: Arc<dyn Store> = Arc::new(S3Store::open(server.settings()).await.unwrap());
    let leases = daemon(&store, "a", LONG);
    let Exclusion::Source { reason } = leases.probe_exclusion().await.unwrap() else {
        panic!("s3s-fs looks first and then writes")
    };
    assert!(reason.contains("were told that they won"), "{reason}");
    let n_objects = store.list(&"leases".parse().unwrap()).await.unwrap().len();
    assert_eq!(leases.exclusion().await.unwrap(), Exclusion::Source { reason });
    assert_eq!(n_objects, 1, "what was found is remembered, and nothing else stays");
}

#[tokio::test]
async fn the_racers_of_a_probe_ask_once_and_a_store_that_answers_none_of_them_is_not_judged() {
    let (_dir, store) = directory();
    let faulty = Arc::new(Faulty::new(store));
    let retrying = Retrying::new(faulty.clone(), RetryPolicy::default());
    // Two swaps come before the races, four races of eight follow; in the first all but one are told to come again.
    for call_idx in 3..10 {
        faulty.fail(Operation::Swap, call_idx, Fault::Transient);
    }
    assert!(probe(&retrying).await.unwrap().are_dependable());
    assert_eq!(faulty.calls(Operation::Swap), 2 + 4 * 8);
    for call_idx in 0..4 * 8 {
        faulty.fail(Operation::Swap, 34 + 2 + call_idx, Fault::Transient);
    }
    assert!(matches!(probe(&retrying).await, Err(StoreError::Transient { .. })));
    assert_eq!(faulty.calls(Operation::Swap), 2 * 34);
}

#[tokio::test]
async fn a_holder_that_was_replaced_learns_so_and_ends_nothing() {
    let (_dir, store) = directory();
    let faulty = Arc::new(Faulty::new(Arc::clone(&store)));
    let cut_off: Arc<dyn Store> = faulty.clone();
    let ours = daemon(&cut_off, "ours", Duration::from_secs(10));
    let lease = win(&ours, source()).await;
    // The store is out of reach for this one daemon: no renewal gets through.
    let so_far = faulty.calls(Operation::Swap);
    for call_idx in 0..100 {
        faulty.fail(Operation::Swap, so_far + call_idx, Fault::Transient);
    }
    lease.token().cancelled().await;
    assert!(lease.is_lost());
    let now = store.clock().await.unwrap();
    assert!(now < lease.record().expires(), "told at {now}, while it was good until {}", lease.record().expires());
    let error = lease.release().await.unwrap_err();
    assert!(matches!(error, LeaseError::Lost { .. }), "{error}");
}

#[tokio::test]
async fn a_stolen_lease_is_noticed_at_the_next_renewal_and_names_the_thief() {
    let (_dir, store) = directory();
    let ours = daemon(&store, "ours", Duration::from_millis(600));
    let lease = win(&ours, source()).await;
    let thief = daemon(&store, "thief", LONG);
    store.delete(lease.key()).await.unwrap();
    let stolen = win(&thief, source()).await;
    lease.token().cancelled().await;
    let error = lease.release().await.unwrap_err().to_string();
    assert!(error.contains("on thief holds it since"), "{error}");
    stolen.release().await.unwrap();
}

#[tokio::test]
async fn a_renewal_whose_answer_is_lost_is_no_lost_lease() {
    let (_dir, store) = directory();
    let faulty = Arc::new(Faulty::new(Arc::clone(&store)));
    let shaky: Arc<dyn Store> = faulty.clone();
    let lease = win(&daemon(&shaky, "ours", Duration::from_secs(6)), source()).await;
    let so_far = faulty.calls(Operation::Swap);
    faulty.fail(Operation::Swap, so_far, Fault::LostAnswer);
    while faulty.calls(Operation::Swap) < so_far + 3 {
        assert!(!lease.is_lost());
        tokio::task::yield_now().await;
    }
    assert!(!lease.is_lost());
    lease.release().await.unwrap();
}

#[tokio::test]
async fn whoever_cancels_stops_the_work_and_still_ends_the_lease() {
    let (_dir, store) = directory();
    let (ours, cancel) = (daemon(&store, "ours", LONG), CancellationToken::new());
    let order = Claim { subject: slot(1), purpose: Purpose::Backup, reason: "a test".to_owned() };
    let Claimed::Won(lease) = ours.claim(&order, &cancel).await.unwrap() else { panic!("not won") };
    cancel.cancel();
    assert!(lease.token().is_cancelled() && !lease.is_lost());
    lease.release().await.unwrap();
    // A slot that was given back is run by whoever comes next.
    win(&daemon(&store, "theirs", LONG), slot(1)).await.release().await.unwrap();
}

#[tokio::test]
async fn the_stores_clock_rules_and_a_host_that_disagrees_is_refused_with_both_times() {
    let (_dir, store) = directory();
    let faulty = Arc::new(Faulty::new(store));
    let timed: Arc<dyn Store> = faulty.clone();
    let holder = Holder { machine: String::new(), ..Holder::of_this_process() };
    let store_now: DateTime<Utc> = "2026-11-21T02:00:00Z".parse().unwrap();
    faulty.set_clock(store_now);
    for (off, fits) in [(0, true), (59, true), (-59, true), (61, false), (-61, false), (86_400, false)] {
        let host = store_now + TimeDelta::seconds(off);
        let leases = Leases::new(Arc::clone(&timed), holder.clone(), Arc::new(move || host));
        match leases.now().await {
            Ok(now) => assert!(fits && now == store_now, "{off}"),
            Err(error) => {
                assert!(!fits, "{off}: {error}");
                let text = error.to_string();
                assert!(text.contains(&host.to_string()) && text.contains(&store_now.to_string()), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn a_lease_taken_at_a_simulated_time_is_over_by_that_time_alone() {
    let (_dir, store) = directory();
    let faulty = Arc::new(Faulty::new(store));
    let timed: Arc<dyn Store> = faulty.clone();
    let begun: DateTime<Utc> = "2026-03-29T00:59:30Z".parse().unwrap();
    let at = |now: DateTime<Utc>, name: &str| {
        faulty.set_clock(now);
        let holder = Holder { host: name.to_owned(), machine: name.to_owned(), ..Holder::of_this_process() };
        Leases::new(Arc::clone(&timed), holder, Arc::new(move || now))
    };
    drop(win(&at(begun, "dead"), source()).await);
    assert!(matches!(claim(&at(begun + TimeDelta::seconds(59), "b"), source()).await, Claimed::Held(_)));
    // A store's clock that went back makes a lease older than it is, never younger.
    assert!(matches!(claim(&at(begun - TimeDelta::hours(1), "b"), source()).await, Claimed::Held(_)));
    win(&at(begun + TimeDelta::seconds(60), "b"), source()).await.release().await.unwrap();
}

#[tokio::test]
async fn the_lease_of_a_process_that_is_known_to_be_dead_need_not_run_out() {
    let (_dir, store) = directory();
    let here = Holder::of_this_process();
    let gone = Holder { started: "1".to_owned(), ..here.clone() };
    let clock: guard::lease::Clock = Arc::new(Utc::now);
    drop(win(&Leases::new(Arc::clone(&store), gone, Arc::clone(&clock)), source()).await);
    let same_machine = Leases::new(Arc::clone(&store), here, clock);
    let second = win(&same_machine, source()).await;
    assert!(matches!(claim(&same_machine, source()).await, Claimed::Held(_)), "this process lives");
    second.release().await.unwrap();
}

#[tokio::test]
async fn a_window_outlives_its_process_and_is_ended_by_its_token() {
    let (_dir, store) = directory();
    let leases = daemon(&store, "gate", Duration::from_secs(10));
    let window = Claim { subject: source(), purpose: Purpose::MigrationWindow, reason: "deploy 42".to_owned() };
    let Claimed::Won(lease) = leases.claim(&window, &CancellationToken::new()).await.unwrap() else {
        panic!("not won")
    };
    let record = lease.detach(Duration::from_secs(900)).await.unwrap();
    assert_eq!(record.expires() - record.renewed, TimeDelta::seconds(900));
    let other = daemon(&store, "daemon", LONG);
    let Claimed::Held(seen) = claim(&other, source()).await else { panic!("the window is open") };
    assert_eq!((seen.purpose, &*seen.reason), (Purpose::MigrationWindow, "deploy 42"));
    leases.release_detached(&source(), "another token").await.unwrap();
    assert!(matches!(claim(&other, source()).await, Claimed::Held(_)));
    leases.release_detached(&source(), &record.token).await.unwrap();
    win(&other, source()).await.release().await.unwrap();
}

#[tokio::test]
async fn the_slots_of_a_schedule_are_listed_by_time_and_say_how_they_went() {
    let (_dir, store) = directory();
    let leases = daemon(&store, "a", LONG);
    for n in [2, 0, 1] {
        let state = if n == 1 { State::Skipped { why: "paused".to_owned() } } else { State::Done { backup: None } };
        win(&leases, slot(n)).await.finish(state).await.unwrap();
    }
    win(&leases, source()).await.release().await.unwrap();
    let slots = leases.slots("daily").await.unwrap();
    let seconds: Vec<i64> = slots.iter().map(|slot| slot.at.timestamp() - 1_700_000_000).collect();
    assert_eq!(seconds, [0, 1, 2]);
    let record = leases.look(&Subject::Slot(slots[1].clone())).await.unwrap().unwrap();
    assert_eq!(record.state, State::Skipped { why: "paused".to_owned() });
    assert!(record.ended.is_some());
    assert_eq!(leases.slots("hourly").await.unwrap(), []);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_stops_everybody_with_the_way_out() {
    let (_dir, store) = directory();
    store.create(&source().key().unwrap(), Bytes::from("{}")).await.unwrap();
    let order = Claim { subject: source(), purpose: Purpose::Backup, reason: String::new() };
    let error = daemon(&store, "a", LONG).claim(&order, &CancellationToken::new()).await.unwrap_err();
    assert!(error.to_string().starts_with("leases/@source/orders.json is no lease that can be read"), "{error}");
    assert!(error.help().is_some());
}
