//! Slots: the moments of a cron expression in a time zone, and what a change of the clocks makes of them.
//!
//! croner enumerates wall-clock times; which instants they are is decided here, because croner's own rule for clock changes
//! covers only expressions with a single hour and minute: `0 2,14 * * *` would be skipped in spring and run twice in autumn.
//!
//! The rule: an expression that names hours is about the wall clock. A time that the clock skips runs at the end of the
//! gap, once however many of its times are skipped; a time that comes twice runs the first time. An expression for every
//! hour is about elapsed time: it goes on every hour, through both of a repeated hour and past a skipped one.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use croner::Cron;
use xxhash_rust::xxh3::xxh3_64;

/// One moment of a timetable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The moment that the expression names: the slot's identity.
    pub at: DateTime<Utc>,
    /// When it is to be run: a little later, by the jitter.
    pub due: DateTime<Utc>,
}

/// The slots of one job.
#[derive(Debug, Clone)]
pub struct Timetable {
    cron: Cron,
    zone: Tz,
    jitter: TimeDelta,
    salt: String,
    /// Whether it runs in every hour, so that it follows elapsed time.
    hourly: bool,
}

impl Timetable {
    /// The slots of `cron` in `zone`, each delayed by up to `jitter`. The delay depends on `salt` and the slot alone, so
    /// that every daemon and every restart agrees on it.
    pub fn new(cron: Cron, zone: Tz, jitter: TimeDelta, salt: String) -> Self {
        let hourly = cron.pattern.hours.values().len() == 24;
        Self { cron, zone, jitter, salt, hourly }
    }

    /// The zone of its times.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The first slot that is due after this moment. None if the expression has no more times.
    pub fn next_due(&self, after: DateTime<Utc>) -> Option<Slot> {
        self.slots_after(after - self.jitter - TimeDelta::seconds(1)).find(|slot| slot.due > after)
    }

    /// The newest slot that is due by `now`, and not longer than `within` ago.
    pub fn newest_due(&self, now: DateTime<Utc>, within: TimeDelta) -> Option<Slot> {
        let mut window = TimeDelta::minutes(2);
        loop {
            // Looked for from near to far: a timetable of every second has many slots in a day.
            let from = now - window.min(within);
            let slots = self.slots_after(from - self.jitter - TimeDelta::seconds(1));
            let found = slots.take_while(|slot| slot.due <= now).filter(|slot| slot.due >= from).last();
            if found.is_some() || window >= within {
                return found;
            }
            window = window * 4;
        }
    }

    /// The slot of this moment.
    pub fn slot(&self, at: DateTime<Utc>) -> Slot {
        let next = self.instant_after(at).unwrap_or(DateTime::<Utc>::MAX_UTC);
        Slot { at, due: at + self.delay(at, next) }
    }

    /// All slots after this moment, in order.
    pub fn slots_after(&self, after: DateTime<Utc>) -> impl Iterator<Item = Slot> + '_ {
        let mut upcoming = self.instant_after(after);
        std::iter::from_fn(move || {
            let at = upcoming?;
            upcoming = self.instant_after(at);
            Some(Slot { at, due: at + self.delay(at, upcoming.unwrap_or(DateTime::<Utc>::MAX_UTC)) })
        })
    }

    /// At most half of the way to the next slot, so that slots stay in order, in whole seconds.
    fn delay(&self, at: DateTime<Utc>, next: DateTime<Utc>) -> TimeDelta {
        let longest = self.jitter.min((next - at) / 2).num_seconds().max(0).unsigned_abs();
        let hash = xxh3_64(format!("{} {}", self.salt, at.timestamp()).as_bytes());
        TimeDelta::seconds(i64::try_from(hash % (longest + 1)).unwrap_or(0))
    }

    /// The first moment of the expression after this one.
    fn instant_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut wall = after.with_timezone(&self.zone).naive_local() - self.look_back(after);
        let mut is_included = true;
        // The second of two instants with one wall-clock time; an earlier instant of a later time may still come before it.
        let mut repeated: Option<DateTime<Utc>> = None;
        loop {
            let Ok(next) = self.cron.find_next_occurrence(&wall, is_included) else { return repeated };
            (wall, is_included) = (next, false);
            let (first, second) = match self.zone.from_local_datetime(&wall) {
                MappedLocalTime::Single(one) => (one.to_utc(), None),
                MappedLocalTime::Ambiguous(one, two) => (one.to_utc(), self.hourly.then(|| two.to_utc())),
                MappedLocalTime::None if self.hourly => continue,
                MappedLocalTime::None => (end_of_gap(self.zone, wall), None),
            };
            if first > after {
                return Some(repeated.map_or(first, |second| second.min(first)));
            }
            let second = second.filter(|second| *second > after);
            repeated = repeated.into_iter().chain(second).min();
        }
    }

    /// How far behind the wall clock times may lie that come again after this moment: as far as the clock is about to be
    /// put back.
    fn look_back(&self, after: DateTime<Utc>) -> TimeDelta {
        if !self.hourly {
            return TimeDelta::zero();
        }
        let offset = |at: DateTime<Utc>| at.with_timezone(&self.zone).offset().fix().local_minus_utc();
        let put_back = offset(after) - offset(after + TimeDelta::days(1));
        TimeDelta::seconds(i64::from(put_back.max(0)))
    }
}

/// The first instant whose wall-clock time is not before one that the clock skips.
pub(super) fn end_of_gap(zone: Tz, skipped: NaiveDateTime) -> DateTime<Utc> {
    // No zone is further from UTC than this, and none changes its clock twice in the time between.
    let (mut before, mut after) = (skipped.and_utc() - TimeDelta::hours(27), skipped.and_utc() + TimeDelta::hours(27));
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if middle.with_timezone(&zone).naive_local() < skipped {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use chrono_tz::Tz;

    use super::Timetable;
    use crate::config::schedule::parse_cron;

    fn timetable(cron: &str, zone: Tz) -> Timetable {
        Timetable::new(parse_cron(cron).unwrap(), zone, TimeDelta::zero(), String::new())
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The slots of the day after `from`, as times of the zone.
    fn check(cron: &str, zone: Tz, from: &str, expected: &[&str]) {
        let from = utc(from);
        let slots = timetable(cron, zone);
        let day = slots.slots_after(from).take_while(|slot| slot.at < from + TimeDelta::days(1));
        let found: Vec<String> = day.map(|slot| slot.at.with_timezone(&zone).format("%H:%M%:z").to_string()).collect();
        assert_eq!(found, expected, "{cron} in {zone}");
    }

    #[test]
    fn a_time_that_the_clock_skips_runs_once_at_the_end_of_the_gap() {
        let spring = "2026-03-28T23:00:00Z";
        check("30 2 * * *", Tz::Europe__Berlin, spring, &["03:00+02:00"]);
        check("0 2,14 * * *", Tz::Europe__Berlin, spring, &["03:00+02:00", "14:00+02:00"]);
        check("*/20 2 * * *", Tz::Europe__Berlin, spring, &["03:00+02:00"]);
        check("30 2,3 * * *", Tz::Europe__Berlin, spring, &["03:00+02:00", "03:30+02:00"]);
        check("0 0 * * *", Tz::America__Santiago, "2026-09-06T03:00:00Z", &["01:00-03:00"]);
        check("15 2 * * *", Tz::Australia__Lord_Howe, "2026-10-03T13:30:00Z", &["02:30+11:00"]);
    }

    #[test]
    fn a_time_that_comes_twice_runs_the_first_time() {
        let autumn = "2026-10-24T22:00:00Z";
        check("30 2 * * *", Tz::Europe__Berlin, autumn, &["02:30+02:00"]);
        check("30 1,2,3 * * *", Tz::Europe__Berlin, autumn, &["01:30+02:00", "02:30+02:00", "03:30+01:00"]);
    }

    #[test]
    fn an_expression_for_every_hour_follows_elapsed_time() {
        let expect_hourly = |zone: Tz, from: &str| {
            let slots = timetable("7 * * * *", zone);
            let times: Vec<_> = slots.slots_after(utc(from)).take(48).map(|slot| slot.at).collect();
            assert!(times.windows(2).all(|two| two[1] - two[0] == TimeDelta::hours(1)), "{zone} {times:?}");
        };
        expect_hourly(Tz::Europe__Berlin, "2026-03-28T12:00:00Z");
        expect_hourly(Tz::Europe__Berlin, "2026-10-24T12:00:00Z");
        expect_hourly(Tz::America__New_York, "2026-10-31T12:00:00Z");
    }

    #[test]
    fn jitter_is_the_same_at_every_start_and_never_reorders() {
        let jittered = |salt: &str, cron: &str| {
            let jitter = TimeDelta::minutes(10);
            Timetable::new(parse_cron(cron).unwrap(), Tz::UTC, jitter, salt.to_owned())
        };
        let from = utc("2026-01-01T00:00:00Z");
        let list = |table: &Timetable| table.slots_after(from).take(200).map(|slot| slot.due).collect::<Vec<_>>();
        let one = jittered("daily/a/backup", "*/5 * * * *");
        assert_eq!(list(&one), list(&jittered("daily/a/backup", "*/5 * * * *")));
        assert_ne!(list(&one), list(&jittered("daily/b/backup", "*/5 * * * *")));
        assert!(list(&one).is_sorted());
        // A slot is found by its due time wherever the search begins.
        for slot in one.slots_after(from).take(200) {
            assert_eq!(one.next_due(slot.due - TimeDelta::seconds(1)), Some(slot));
            assert_eq!(one.newest_due(slot.due, TimeDelta::hours(1)), Some(slot));
            assert_eq!(one.slot(slot.at), slot);
        }
    }

    #[test]
    fn the_newest_slot_is_found_however_long_ago_it_was() {
        let slots = timetable("0 4 1 * *", Tz::Europe__Kyiv);
        let now = utc("2026-05-20T00:00:00Z");
        let found = slots.newest_due(now, TimeDelta::days(40)).unwrap();
        assert_eq!(found.at, utc("2026-05-01T01:00:00Z"));
        assert_eq!(slots.newest_due(now, TimeDelta::days(7)), None);
    }
}
