//! The scheduler in simulated time: two years of slots in zones with odd clocks, daemons that are restarted and killed at
//! random, slots that are missed, paused and fought for. Nothing here sleeps.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Duration, NaiveDateTime, TimeDelta, Timelike as _, Utc, Weekday};
use chrono_tz::Tz;
use guard::config::schedule::parse_cron;
use guard::schedule::{Job, JobId, Kind, Timetable};
use proptest::prelude::*;

#[path = "schedule/world.rs"]
mod world;

use world::{Fate, World};

/// Clocks that change at two in the morning, at midnight, by half an hour, in the south, and around Ramadan.
const ZONES: [Tz; 6] = [
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::America__Santiago,
    Tz::Australia__Lord_Howe,
    Tz::Africa__Cairo,
    Tz::Africa__Casablanca,
];

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn begin() -> DateTime<Utc> {
    utc("2026-01-01T00:00:00Z")
}

fn end() -> DateTime<Utc> {
    utc("2028-01-01T00:00:00Z")
}

/// No zone is off by less than a quarter of an hour, and no clock changes within one.
const STEP: TimeDelta = TimeDelta::minutes(15);

/// Every quarter of an hour of the two years as the zone's clock shows it, in the order of time: what the oracle looks at.
fn quarters(zone: Tz) -> Vec<(DateTime<Utc>, NaiveDateTime)> {
    let instants = std::iter::successors(Some(begin()), |at| Some(*at + STEP)).take_while(|at| *at < end());
    instants.map(|at| (at, at.with_timezone(&zone).naive_local())).collect()
}

/// Wall-clock times that are wanted, as a question about a time.
type Wanted = fn(NaiveDateTime) -> bool;

/// What the documented rule says, found by looking at every time without croner: a wanted time that the clock shows runs the
/// first time it is shown; one that it skips runs at the first time after it.
fn expected(quarters: &[(DateTime<Utc>, NaiveDateTime)], wanted: Wanted) -> Vec<DateTime<Utc>> {
    let mut found = BTreeSet::new();
    let mut latest = quarters[0].1 - STEP;
    for (instant, wall) in quarters {
        // Everything between what was shown last and now was skipped; what was shown before is shown again.
        let mut passed = latest + STEP;
        while passed <= *wall {
            if wanted(passed) {
                found.insert(*instant);
            }
            passed += STEP;
        }
        latest = latest.max(*wall);
    }
    found.into_iter().collect()
}

fn timetable(cron: &str, zone: Tz) -> Timetable {
    Timetable::new(parse_cron(cron).unwrap(), zone, TimeDelta::zero(), String::new())
}

fn slots(cron: &str, zone: Tz) -> Vec<DateTime<Utc>> {
    let slots = timetable(cron, zone);
    slots.slots_after(begin() - TimeDelta::seconds(1)).map(|slot| slot.at).take_while(|at| *at < end()).collect()
}

#[test]
fn two_years_of_slots_are_what_the_rule_says_in_six_zones() {
    let cases: [(&str, Wanted); 8] = [
        ("30 2 * * *", |t| (t.hour(), t.minute()) == (2, 30)),
        ("0 0 * * *", |t| (t.hour(), t.minute()) == (0, 0)),
        ("0 2,14 * * *", |t| [2, 14].contains(&t.hour()) && t.minute() == 0),
        ("*/15 2 * * *", |t| t.hour() == 2 && t.minute() % 15 == 0),
        ("15 */6 * * *", |t| t.hour() % 6 == 0 && t.minute() == 15),
        ("0 4 1 * *", |t| (t.day(), t.hour(), t.minute()) == (1, 4, 0)),
        ("30 2 * * SUN", |t| t.weekday() == Weekday::Sun && (t.hour(), t.minute()) == (2, 30)),
        ("45 23 31 12 *", |t| (t.month(), t.day(), t.hour(), t.minute()) == (12, 31, 23, 45)),
    ];
    for zone in ZONES {
        let quarters = quarters(zone);
        for (cron, wanted) in cases {
            let found = slots(cron, zone);
            let expected = expected(&quarters, wanted);
            assert_eq!(found, expected, "{cron} in {zone}");
        }
    }
}

#[test]
fn what_runs_every_hour_runs_whenever_the_clock_shows_it() {
    for zone in ZONES {
        let shown = quarters(zone).into_iter().filter(|(_, wall)| wall.minute() == 15).map(|(instant, _)| instant);
        assert_eq!(slots("15 * * * *", zone), shown.collect::<Vec<_>>(), "{zone}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn slots_are_the_same_wherever_the_search_begins(
        zone_idx in 0..ZONES.len(),
        cron in prop::sample::select(vec!["30 2 * * *", "7 * * * *", "0 2,14 * * *", "*/20 1-3 * * *", "0 0 * * MON"]),
        minute in 0_i64..(2 * 365 * 1440),
    ) {
        let slots = timetable(cron, ZONES[zone_idx]);
        let from = begin() + TimeDelta::minutes(minute) + TimeDelta::seconds(minute % 60);
        let next = slots.next_due(from).unwrap();
        prop_assert!(next.at > from);
        // No slot lies between, whether one looks from far or from near.
        let from_far = slots.slots_after(from - TimeDelta::days(3)).find(|slot| slot.at > from).unwrap();
        prop_assert_eq!(next, from_far);
        prop_assert_eq!(slots.newest_due(next.due, TimeDelta::days(8)), Some(next));
        let before = slots.newest_due(next.due - TimeDelta::seconds(1), TimeDelta::days(8)).unwrap();
        prop_assert_eq!(slots.next_due(before.due), Some(next));
    }
}

fn job(schedule: &str, source: &str, kind: Kind, cron: &str, zone: Tz) -> Job {
    let id = JobId { schedule: schedule.to_owned(), source: source.to_owned(), kind };
    let jitter = TimeDelta::minutes(10);
    let timetable = Timetable::new(parse_cron(cron).unwrap(), zone, jitter, id.to_string());
    Job { id, timetable, catch_up: TimeDelta::days(1), pauses: Vec::new() }
}

/// Two sources that are backed up every day at a time that clocks skip and repeat, and proven every month.
fn daily(zone: Tz) -> Vec<Job> {
    vec![
        job("daily", "orders", Kind::Backup, "30 2 * * *", zone),
        job("daily", "cache", Kind::Backup, "30 2 * * *", zone),
        job("daily", "orders", Kind::TestRestore, "0 4 1 * *", zone),
    ]
}

/// Every slot of every job in the world's time.
fn all_slots(world: &World) -> BTreeSet<(JobId, DateTime<Utc>)> {
    let of = |job: &Job| {
        let slots = job.timetable.slots_after(begin()).take_while(|slot| slot.due < end() - TimeDelta::days(1));
        let id = job.id.clone();
        slots.map(|slot| (id.clone(), slot.at)).collect::<Vec<_>>()
    };
    world.jobs.iter().flat_map(of).collect()
}

fn rounds() -> u64 {
    std::env::var("GUARD_TEST_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

#[track_caller]
fn assert_each_slot_once(world: &World) {
    let mut completed = BTreeMap::<_, u32>::new();
    for run in &world.completed {
        *completed.entry(run.clone()).or_default() += 1;
    }
    let twice: Vec<_> = completed.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "run twice to completion: {twice:?}");
    let lost: Vec<_> = all_slots(world).into_iter().filter(|slot| !completed.contains_key(slot)).collect();
    assert!(lost.is_empty(), "{} slots lost: {:?}", lost.len(), &lost[..lost.len().min(5)]);
    assert!(world.overlaps.is_empty(), "two runs in one lane at once: {:?}", world.overlaps);
}

#[test]
fn every_slot_of_two_years_is_run_exactly_once_though_the_daemon_restarts_at_random() {
    for round in 0..rounds() {
        for (zone_idx, zone) in ZONES.into_iter().enumerate() {
            let seed = 1000 * round + zone_idx as u64;
            // Each time it is gone for less than the time between two slots.
            let fate = Fate { mean_life: Duration::hours(36), longest_absence: Duration::hours(5), killed: false };
            let mut world = World::new(daily(zone), 1, begin(), seed);
            world.live(fate, end());
            assert_each_slot_once(&world);
        }
    }
}

#[test]
fn several_daemons_killed_at_random_lose_no_slot_and_complete_none_twice() {
    for round in 0..rounds() {
        for (n_daemons, zone) in [(2, Tz::Europe__Berlin), (5, Tz::America__Santiago)] {
            let fate = Fate { mean_life: Duration::hours(10), longest_absence: Duration::hours(3), killed: true };
            let mut world = World::new(daily(zone), n_daemons, begin(), 77 + round);
            world.live(fate, end());
            assert_each_slot_once(&world);
            assert!(world.n_taken_over > 0, "nobody was killed in the middle of a run: the test shows nothing");
        }
    }
}

#[test]
fn of_what_was_missed_only_the_newest_is_run_and_only_within_catch_up() {
    let jobs = vec![job("daily", "orders", Kind::Backup, "30 2 * * *", Tz::UTC)];
    let newest = |jobs: &[Job], now| jobs[0].timetable.newest_due(now, TimeDelta::days(2)).unwrap();
    let mut world = World::new(jobs, 1, begin(), 1);
    world.run_until(utc("2026-01-05T12:00:00Z"));
    assert_eq!(world.completed.len(), 6, "the slot of the evening before the first start, too");
    // Five days without a daemon: the slot of the last night is made up for, the four others are not.
    world.leave_for(Duration::days(5));
    world.run_until(utc("2026-01-10T13:00:00Z"));
    assert_eq!(world.completed.len(), 7);
    assert_eq!(world.completed[6].1, newest(&world.jobs, world.now).at);
    // With a short patience nothing of last night is made up for.
    world.jobs[0].catch_up = TimeDelta::hours(3);
    world.leave_for(Duration::days(2));
    world.run_until(utc("2026-01-12T22:00:00Z"));
    assert_eq!(world.completed.len(), 7);
    world.run_until(utc("2026-01-13T03:00:00Z"));
    assert_eq!(world.completed.len(), 8);
}

#[test]
fn a_run_that_was_due_in_a_pause_begins_when_the_pause_ends() {
    let mut jobs = vec![job("hourly", "orders", Kind::Backup, "0 * * * *", Tz::Europe__Kyiv)];
    jobs[0].pauses = vec!["08:00-18:00".parse().unwrap()];
    let mut world = World::new(jobs, 1, utc("2026-01-05T05:00:00Z"), 1);
    world.run_until(utc("2026-01-05T17:30:00Z"));
    let hours: Vec<u32> = world.begun.iter().map(|(_, at)| at.with_timezone(&Tz::Europe__Kyiv).hour()).collect();
    assert!(hours.iter().all(|hour| !(8..18).contains(hour)), "begun in the pause: {hours:?}");
    assert_eq!(hours, [7, 7, 18, 18, 19], "the newest of those that were missed, once");
}

#[test]
fn no_more_runs_than_allowed_and_never_two_in_one_lane() {
    let sources = ["a", "b", "c", "d", "e"];
    let mut jobs: Vec<Job> =
        sources.iter().map(|source| job("s", source, Kind::Backup, "0 * * * *", Tz::UTC)).collect();
    jobs.extend(sources.iter().map(|source| job("s", source, Kind::TestRestore, "0 * * * *", Tz::UTC)));
    jobs.extend(sources.iter().map(|source| job("other", source, Kind::Backup, "0 * * * *", Tz::UTC)));
    let mut world = World::new(jobs, 1, begin(), 5);
    world.run_until(begin() + TimeDelta::days(2));
    assert!(world.overlaps.is_empty(), "{:?}", world.overlaps);
    assert_eq!(world.most_at_once, world::PARALLEL.get() as usize);
}
