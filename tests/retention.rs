//! Retention's invariants as properties over random histories, clocks, zones and rules; and each property shown to notice a
//! plan that breaks it.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use chrono::{DateTime, Datelike, Days, NaiveDate, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use guard::catalog::BackupId;
use guard::retention::{Candidate, Decision, Policy, Proof, Reason, Standing, plan};
use proptest::prelude::*;

/// What a plan was made of.
#[derive(Debug, Clone)]
struct World {
    history: Vec<Candidate>,
    policies: Vec<Policy>,
    rpo: Option<TimeDelta>,
    now: DateTime<Utc>,
}

/// With daylight saving of an hour and of half an hour, on both hemispheres, with odd offsets, and without a 30 December 2011.
const ZONES: [Tz; 8] = [
    Tz::UTC,
    Tz::Europe__Kyiv,
    Tz::America__New_York,
    Tz::Australia__Lord_Howe,
    Tz::Asia__Kathmandu,
    Tz::Pacific__Apia,
    Tz::Africa__Casablanca,
    Tz::America__St_Johns,
];

impl World {
    fn plan(&self) -> Vec<Decision> {
        plan(&self.history, &self.policies, self.rpo, self.now)
    }

    /// Complete backups that are not dated in the future, newest first.
    fn dated(&self) -> Vec<(&BackupId, DateTime<Utc>, DateTime<Utc>, Proof)> {
        let complete = self.history.iter().filter_map(|each| match each.standing {
            Standing::Complete { begun, data_of, proof } => Some((&each.id, begun, data_of, proof)),
            Standing::NotOurs { .. } => None,
        });
        let mut dated: Vec<_> = complete.filter(|each| each.1 <= self.now + TimeDelta::minutes(1)).collect();
        dated.sort_by_key(|each| std::cmp::Reverse((each.1, each.0)));
        dated
    }
}

type Check = fn(&World, &[Decision]) -> Result<(), String>;

fn require_kept(decisions: &[Decision], id: &BackupId, what: &str) -> Result<(), String> {
    match decisions.iter().find(|decision| decision.id == *id) {
        Some(decision) if decision.keep => Ok(()),
        _ => Err(format!("{what} ({id}) goes")),
    }
}

fn the_newest_complete_sound_proven_and_pinned_are_kept(world: &World, decisions: &[Decision]) -> Result<(), String> {
    let dated = world.dated();
    let kinds = [
        ("the newest complete", dated.first()),
        ("the newest sound", dated.iter().find(|each| each.3 != Proof::Failed)),
        ("the newest proven", dated.iter().find(|each| each.3 == Proof::Proven)),
    ];
    for (what, newest) in kinds {
        if let Some(newest) = newest {
            require_kept(decisions, newest.0, what)?;
        }
    }
    let mut pinned = world.history.iter().filter(|each| each.pinned.is_some());
    pinned.try_for_each(|each| require_kept(decisions, &each.id, "a pinned one"))
}

/// The sound ones fare as if the failed ones were not there.
fn the_failed_count_towards_no_quota(world: &World, decisions: &[Decision]) -> Result<(), String> {
    if world.history.iter().any(|each| each.alarmed) {
        return Ok(());
    }
    let is_failed = |each: &Candidate| matches!(each.standing, Standing::Complete { proof: Proof::Failed, .. });
    let history: Vec<Candidate> = world.history.iter().filter(|each| !is_failed(each)).cloned().collect();
    let alone = World { history, ..world.clone() }.plan();
    for expected in alone {
        let found = decisions.iter().find(|decision| decision.id == expected.id);
        if found.is_none_or(|found| found.keep != expected.keep) {
            return Err(format!("{} fares differently because of failed ones", expected.id));
        }
    }
    Ok(())
}

fn nothing_goes_while_the_source_is_failing(world: &World, decisions: &[Decision]) -> Result<(), String> {
    let Some(rpo) = world.rpo else { return Ok(()) };
    let sound = world.dated().into_iter().filter(|each| each.3 != Proof::Failed);
    let newest = sound.map(|each| each.1.min(each.2)).max();
    if newest.is_some_and(|newest| world.now - newest <= rpo) {
        return Ok(());
    }
    decisions.iter().try_for_each(|decision| require_kept(decisions, &decision.id, "one of a failing source"))
}

fn nothing_goes_while_an_alarm_is_open(world: &World, decisions: &[Decision]) -> Result<(), String> {
    if !world.history.iter().any(|each| each.alarmed) {
        return Ok(());
    }
    decisions.iter().try_for_each(|decision| require_kept(decisions, &decision.id, "one beside an alarmed one"))
}

fn what_is_not_guards_or_dated_in_the_future_stays(world: &World, decisions: &[Decision]) -> Result<(), String> {
    for each in &world.history {
        match each.standing {
            Standing::NotOurs { .. } => require_kept(decisions, &each.id, "a foreign one")?,
            Standing::Complete { begun, .. } if begun > world.now + TimeDelta::minutes(1) => {
                require_kept(decisions, &each.id, "one of the future")?;
            }
            Standing::Complete { .. } => {}
        }
    }
    Ok(())
}

fn everything_is_decided_once_and_says_why(world: &World, decisions: &[Decision]) -> Result<(), String> {
    let ids: BTreeSet<_> = decisions.iter().map(|decision| &decision.id).collect();
    if ids.len() != decisions.len() || decisions.len() != world.history.len() {
        return Err(format!("{} decisions about {} backups", decisions.len(), world.history.len()));
    }
    let silent = decisions.iter().find(|decision| {
        let kept_for = decision.reasons.iter().any(|reason| *reason != Reason::NoRuleKeepsIt);
        decision.reasons.is_empty() || decision.keep != kept_for
    });
    silent.map_or(Ok(()), |decision| Err(format!("{decision:?} does not say why")))
}

/// The rules once more, by other means: the calendar day that the zone's offset gives, counted without formatting; the
/// newest of each group of days; so many groups.
fn the_rules_compose_as_in_restic_in_the_policys_zone(world: &World, decisions: &[Decision]) -> Result<(), String> {
    let dated: Vec<_> = world.dated().into_iter().filter(|each| each.3 != Proof::Failed).collect();
    let mut expected = BTreeSet::new();
    for policy in &world.policies {
        let day = |at: DateTime<Utc>| {
            let offset = policy.timezone.offset_from_utc_datetime(&at.naive_utc()).fix();
            (at.naive_utc() + offset).date()
        };
        let monday = |at| day(at) - Days::new(u64::from(day(at).weekday().num_days_from_monday()));
        let month = |at| day(at).with_day(1).unwrap();
        let year = |at| NaiveDate::from_yo_opt(day(at).year(), 1).unwrap();
        let mut rule = |count: Option<NonZeroU32>, group: &dyn Fn(DateTime<Utc>) -> NaiveDate| {
            let Some(count) = count else { return };
            let mut groups: BTreeMap<NaiveDate, &BackupId> = BTreeMap::new();
            // From the oldest to the newest, so that the newest of a group stays.
            groups.extend(dated.iter().rev().map(|each| (group(each.1), each.0)));
            let n_groups = groups.len();
            expected.extend(groups.into_values().rev().take(count.get() as usize).cloned());
            if n_groups < count.get() as usize {
                expected.extend(dated.last().map(|each| each.0.clone()));
            }
        };
        rule(policy.daily, &day);
        rule(policy.weekly, &monday);
        rule(policy.monthly, &month);
        rule(policy.yearly, &year);
        expected.extend(dated.iter().take(policy.last.map_or(0, NonZeroU32::get) as usize).map(|each| each.0.clone()));
        if let (Some(within), Some(newest)) = (policy.within, dated.first()) {
            expected.extend(dated.iter().filter(|each| each.1 >= newest.1 - within).map(|each| each.0.clone()));
        }
        if is_without_rules(policy) {
            expected.extend(dated.iter().map(|each| each.0.clone()));
        }
    }
    if world.policies.is_empty() {
        expected.extend(dated.iter().map(|each| each.0.clone()));
    }
    for each in &dated {
        let decision = decisions.iter().find(|decision| decision.id == *each.0).ok_or("undecided")?;
        let is_rule = |reason: &Reason| matches!(reason, Reason::Rule { .. } | Reason::NoRule);
        if decision.reasons.iter().any(is_rule) != expected.contains(each.0) {
            return Err(format!("{decision:?}: the rules say otherwise"));
        }
    }
    Ok(())
}

fn is_without_rules(policy: &Policy) -> bool {
    let Policy { last, within, daily, weekly, monthly, yearly, timezone: _ } = policy;
    within.is_none() && [last, daily, weekly, monthly, yearly].into_iter().all(Option::is_none)
}

/// What was spared once is spared again at the same moment: nothing was kept for the sake of something that went.
fn a_second_prune_finds_nothing_to_do(world: &World, decisions: &[Decision]) -> Result<(), String> {
    let stays = |each: &Candidate| decisions.iter().any(|decision| decision.keep && decision.id == each.id);
    let left = World { history: world.history.iter().filter(|each| stays(each)).cloned().collect(), ..world.clone() };
    match left.plan().iter().find(|decision| !decision.keep) {
        None => Ok(()),
        Some(decision) => Err(format!("{} goes only the second time", decision.id)),
    }
}

const CHECKS: [(&str, Check); 8] = [
    ("newest", the_newest_complete_sound_proven_and_pinned_are_kept),
    ("failed", the_failed_count_towards_no_quota),
    ("freeze", nothing_goes_while_the_source_is_failing),
    ("foreign", what_is_not_guards_or_dated_in_the_future_stays),
    ("decided", everything_is_decided_once_and_says_why),
    ("restic", the_rules_compose_as_in_restic_in_the_policys_zone),
    ("stable", a_second_prune_finds_nothing_to_do),
    ("alarm", nothing_goes_while_an_alarm_is_open),
];

prop_compose! {
    fn policies()(rules in prop::collection::vec(
        (prop::option::of(1_u32..6), prop::option::of(0_i64..60), prop::option::of(1_u32..9), prop::option::of(1_u32..6),
         prop::option::of(1_u32..6), prop::option::of(1_u32..4), 0..ZONES.len()), 0..3)
    ) -> Vec<Policy> {
        let count = |n: Option<u32>| n.and_then(NonZeroU32::new);
        rules.into_iter().map(|(last, within, daily, weekly, monthly, yearly, zone)| Policy {
            last: count(last),
            within: within.map(|hours| TimeDelta::hours(hours * 7)),
            daily: count(daily),
            weekly: count(weekly),
            monthly: count(monthly),
            yearly: count(yearly),
            timezone: ZONES[zone],
        }).collect()
    }
}

fn standing(at: DateTime<Utc>) -> impl Strategy<Value = Standing> {
    let proof = prop_oneof![4 => Just(Proof::Never), 2 => Just(Proof::Proven), 2 => Just(Proof::Failed)];
    // The source's clock, and a standby that lags.
    let complete = (proof, -200_000_i64..4_000).prop_map(move |(proof, lag)| Standing::Complete {
        begun: at,
        data_of: at + TimeDelta::seconds(lag.max(-180_000)),
        proof,
    });
    prop_oneof![9 => complete, 1 => Just(Standing::NotOurs { reason: "a copy".to_owned() })]
}

/// Gaps between backups from minutes to months, around the changes of the clocks, and a host's clock that jumps either way.
fn histories(now: DateTime<Utc>) -> impl Strategy<Value = Vec<Candidate>> {
    let gap = prop_oneof![
        6 => 1_200_i64..7_200,
        6 => 80_000_i64..90_000,
        3 => 300_000_i64..3_000_000,
        1 => -700_000_i64..0,
        1 => 3_000_000_i64..30_000_000,
    ];
    let newest_is_ago = prop_oneof![5 => 0_i64..90_000, 2 => 90_000_i64..2_000_000, 1 => -2_000_000_i64..0];
    (newest_is_ago, prop::collection::vec((gap, prop::bool::weighted(0.1)), 0..40)).prop_flat_map(move |(ago, gaps)| {
        let mut at = now - TimeDelta::seconds(ago);
        let moments: Vec<_> = gaps
            .iter()
            .map(|(gap, pinned)| {
                at -= TimeDelta::seconds(*gap);
                (at, *pinned)
            })
            .collect();
        let candidates = moments.into_iter().map(|(at, pinned)| {
            (standing(at), prop::bool::weighted(0.005)).prop_map(move |(standing, alarmed)| Candidate {
                id: BackupId::new(at),
                standing,
                pinned: pinned.then(|| "audit".to_owned()),
                alarmed,
            })
        });
        candidates.collect::<Vec<_>>().prop_shuffle()
    })
}

prop_compose! {
    fn worlds()(
        // 2011 has the day that Apia skipped.
        now in prop_oneof![1_300_000_000_i64..1_340_000_000, 1_700_000_000_i64..1_900_000_000],
        policies in policies(),
        rpo in prop::option::of(1_i64..400),
    )(history in histories(Utc.timestamp_opt(now, 0).unwrap()), policies in Just(policies), rpo in Just(rpo), now in Just(now))
    -> World {
        let mut seen = BTreeSet::new();
        let history = history.into_iter().filter(|each| seen.insert(each.id.clone())).collect();
        World { history, policies, rpo: rpo.map(TimeDelta::hours), now: Utc.timestamp_opt(now, 0).unwrap() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_invariant_holds_whatever_the_history_the_clocks_the_zones_and_the_rules(world in worlds()) {
        let decisions = world.plan();
        for (name, check) in CHECKS {
            if let Err(broken) = check(&world, &decisions) {
                prop_assert!(false, "{name}: {broken}\n{decisions:#?}");
            }
        }
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn candidate(text: &str, proof: Proof) -> Candidate {
    let begun = at(text);
    let standing = Standing::Complete { begun, data_of: begun, proof };
    Candidate { id: BackupId::new(begun), standing, pinned: None, alarmed: false }
}

const NO_RULES: Policy =
    Policy { last: None, within: None, daily: None, weekly: None, monthly: None, yearly: None, timezone: Tz::UTC };

fn keeping_last(n: u32) -> Policy {
    Policy { last: NonZeroU32::new(n), ..NO_RULES }
}

fn keeping_days(n: u32, timezone: Tz) -> Policy {
    Policy { daily: NonZeroU32::new(n), timezone, ..NO_RULES }
}

fn world(history: Vec<Candidate>, policy: Policy) -> World {
    World { history, policies: vec![policy], rpo: None, now: at("2026-11-21T12:00:00Z") }
}

fn kept(world: &World) -> Vec<bool> {
    world.plan().iter().map(|decision| decision.keep).collect()
}

/// Each property is worth something: a plan that breaks it is noticed.
#[test]
fn each_property_notices_a_plan_that_breaks_it() {
    let history = || {
        vec![
            candidate("2026-11-17T22:30:00Z", Proof::Proven),
            candidate("2026-11-18T02:00:00Z", Proof::Never),
            candidate("2026-11-18T22:30:00Z", Proof::Never),
            candidate("2026-11-19T02:00:00Z", Proof::Never),
            candidate("2026-11-20T02:00:00Z", Proof::Failed),
        ]
    };
    let doctored = |world: &World, doctor: &dyn Fn(&mut Vec<Decision>)| {
        let mut decisions = world.plan();
        doctor(&mut decisions);
        let broken = CHECKS.iter().filter(|(_, check)| check(world, &decisions).is_err()).map(|(name, _)| *name);
        broken.collect::<Vec<_>>()
    };
    let let_go = |idx: usize| move |decisions: &mut Vec<Decision>| decisions[idx].keep = false;
    let plain = world(history(), keeping_last(2));
    assert_eq!(doctored(&plain, &|_| {}), [""; 0]);
    assert!(doctored(&plain, &let_go(4)).contains(&"newest"), "the newest complete");
    assert!(doctored(&plain, &let_go(3)).contains(&"newest"), "the newest sound");
    assert!(doctored(&plain, &let_go(0)).contains(&"newest"), "the newest proven");
    assert!(doctored(&plain, &let_go(2)).contains(&"failed"), "the failed one took its place");
    let mut pinned = plain.clone();
    pinned.history[1].pinned = Some(String::new());
    assert!(doctored(&pinned, &let_go(1)).contains(&"newest"));
    let failing = World { rpo: Some(TimeDelta::hours(1)), ..plain.clone() };
    assert_eq!(doctored(&failing, &|_| {}), [""; 0]);
    assert!(doctored(&failing, &let_go(1)).contains(&"freeze"));
    let mut alarmed = plain.clone();
    alarmed.history[2].alarmed = true;
    assert_eq!(doctored(&alarmed, &|_| {}), [""; 0]);
    assert_eq!(doctored(&alarmed, &let_go(1)), ["decided", "alarm"]);
    let mut foreign = plain.clone();
    foreign.history[1].standing = Standing::NotOurs { reason: String::new() };
    assert!(doctored(&foreign, &let_go(1)).contains(&"foreign"));
    foreign.history[1] = candidate("2026-11-22T02:00:00Z", Proof::Never);
    assert!(doctored(&foreign, &let_go(4)).contains(&"foreign"), "the future");
    assert!(doctored(&plain, &|decisions| decisions[1].reasons.clear()).contains(&"decided"));
    assert!(doctored(&plain, &|decisions| drop(decisions.pop())).contains(&"decided"));
    // In Kyiv the last backup of the 18th is another than in UTC.
    let (kyiv, utc) = (world(history(), keeping_days(2, Tz::Europe__Kyiv)), world(history(), keeping_days(2, Tz::UTC)));
    let in_utc = utc.plan();
    assert!(CHECKS[5].1(&kyiv, &in_utc).is_err(), "cut in another zone");
    let spare = |decisions: &mut Vec<Decision>| decisions.iter_mut().for_each(|each| each.keep = true);
    assert!(doctored(&plain, &spare).contains(&"stable"));
}

#[test]
fn days_are_cut_in_the_schedules_own_zone() {
    // 22:30 UTC is half past midnight of the next day in Kyiv.
    let history = || ["2026-11-18T21:30:00Z", "2026-11-18T22:30:00Z", "2026-11-19T02:00:00Z"];
    let of = |zone| world(history().map(|text| candidate(text, Proof::Never)).to_vec(), keeping_days(2, zone));
    assert_eq!(kept(&of(Tz::Europe__Kyiv)), [true, false, true]);
    assert_eq!(kept(&of(Tz::UTC)), [false, true, true]);
}

#[test]
fn the_day_of_25_hours_is_one_day_and_the_skipped_day_is_none() {
    // Kyiv set its clocks back at 01:00 UTC on 2026-10-25: that day lasts from 21:00 to 22:00 UTC of the next.
    let autumn = ["2026-10-24T21:10:00Z", "2026-10-25T21:50:00Z", "2026-10-25T22:10:00Z"];
    let autumn = world(autumn.map(|text| candidate(text, Proof::Never)).to_vec(), keeping_days(2, Tz::Europe__Kyiv));
    assert_eq!(kept(&autumn), [false, true, true]);
    // Apia went from 29 to 31 December 2011.
    let apia = ["2011-12-29T10:00:00Z", "2011-12-30T09:00:00Z", "2011-12-30T11:00:00Z"];
    let apia = world(apia.map(|text| candidate(text, Proof::Never)).to_vec(), keeping_days(2, Tz::Pacific__Apia));
    assert_eq!(kept(&apia), [false, true, true]);
}

#[test]
fn a_future_backup_is_nobodys_newest_and_a_clock_that_jumps_ahead_freezes() {
    let mut ahead = world(
        vec![
            candidate("2026-11-19T02:00:00Z", Proof::Never),
            candidate("2026-11-20T02:00:00Z", Proof::Never),
            candidate("2036-11-21T02:00:00Z", Proof::Never),
        ],
        keeping_last(1),
    );
    assert_eq!(kept(&ahead), [false, true, true], "the true newest stays, and so does the odd one");
    ahead.rpo = Some(TimeDelta::days(2));
    assert_eq!(kept(&ahead), [false, true, true]);
    ahead.now = at("2027-11-21T02:00:00Z");
    assert_eq!(kept(&ahead), [true, true, true]);
    let reasons = ahead.plan()[0].reasons.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(reasons[0].starts_with("frozen: the newest sound backup is of 2026-11-20 02:00:00 UTC"), "{reasons:?}");
    // Once its time has come it is as any other; the freeze ends with a backup of today.
    ahead.now = at("2036-11-21T03:00:00Z");
    assert_eq!(kept(&ahead), [false, false, true]);
}

#[test]
fn two_schedules_keep_what_either_keeps_and_one_without_rules_keeps_all() {
    let days = ["2026-11-18T02:00:00Z", "2026-11-19T02:00:00Z", "2026-11-20T02:00:00Z", "2026-11-20T12:00:00Z"];
    let mut both = world(days.map(|text| candidate(text, Proof::Never)).to_vec(), keeping_last(1));
    assert_eq!(kept(&both), [false, false, false, true]);
    both.policies.push(keeping_days(3, Tz::UTC));
    assert_eq!(kept(&both), [true, true, false, true]);
    both.policies.push(NO_RULES);
    assert_eq!(kept(&both), [true; 4]);
    both.policies.clear();
    assert_eq!(kept(&both), [true; 4]);
}

/// Two years of a daily backup with everything that befalls it, pruned after each: the store neither empties nor swells.
#[test]
fn two_years_of_failures_never_leave_less_than_the_rules_promise() {
    let policy = Policy {
        last: NonZeroU32::new(7),
        daily: NonZeroU32::new(30),
        monthly: NonZeroU32::new(12),
        timezone: Tz::Europe__Kyiv,
        ..NO_RULES
    };
    let mut now = at("2025-01-01T01:00:00Z");
    let mut sim = World { history: Vec::new(), policies: vec![policy], rpo: Some(TimeDelta::hours(26)), now };
    let mut fullest = 0;
    for day in 0..730_u64 {
        now += TimeDelta::days(1);
        // For three days in each hundred the source cannot be reached, and one backup in eleven fails its proof.
        let is_down = day % 100 >= 97;
        let proof = [Proof::Never, Proof::Proven, Proof::Failed]
            [usize::from(day % 30 == 0) + 2 * usize::from(day % 11 == 5 && day % 30 != 0)];
        if !is_down {
            sim.history.push(candidate(&now.to_rfc3339(), proof));
        }
        // Pruned an hour later, or by a late daemon.
        sim.now = now + TimeDelta::hours(if day % 7 == 0 { 23 } else { 1 });
        let decisions = sim.plan();
        for (name, check) in CHECKS {
            check(&sim, &decisions).unwrap_or_else(|broken| panic!("day {day}: {name}: {broken}"));
        }
        let before = sim.history.len();
        sim.history.retain(|each| decisions.iter().any(|decision| decision.keep && decision.id == each.id));
        // From the second day without a backup on nothing goes.
        assert!(!(day % 100 >= 98 && sim.history.len() < before), "day {day}: removed while failing");
        fullest = fullest.max(sim.history.len());
    }
    let sound = sim
        .history
        .iter()
        .filter(|each| matches!(each.standing, Standing::Complete { proof, .. } if proof != Proof::Failed));
    let n_sound = sound.count();
    // Thirty days with a sound backup reach into three of the twelve months.
    assert!(n_sound >= 30 + 9, "{n_sound}: thirty days and the months before them");
    assert!(fullest <= 7 + 30 + 12 + 12, "{fullest} were kept at once");
}
