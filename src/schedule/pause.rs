//! Pause windows: times of the week, or days of the year, in which no run begins.

use std::str::FromStr;

use chrono::{DateTime, Datelike as _, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};
use chrono::{TimeDelta, Utc, Weekday};
use chrono_tz::Tz;

use super::slot::end_of_gap;

/// A window in which no run begins, in a schedule's time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pause {
    /// From a time of these days to a time of the same day, or of the next if that is not later.
    Weekly {
        /// The days on which it begins, Monday first.
        days: [bool; 7],
        /// Its begin.
        from: NaiveTime,
        /// Its end; midnight is the end of the day.
        to: NaiveTime,
    },
    /// Whole days, the first and the last included.
    Dates {
        /// The first.
        first: NaiveDate,
        /// The last.
        last: NaiveDate,
    },
}

/// Why a text is not a pause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a pause")]
pub struct PauseError(String);

/// When the pause that now is ends; none if there is none now. Windows that touch are one.
pub fn paused_until(pauses: &[Pause], zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    // A pause without an end would be a mistake; it is looked at again after this many windows.
    const MOST_WINDOWS: usize = 64;
    let mut until = None;
    for _ in 0..MOST_WINDOWS {
        let wall = until.unwrap_or(now).with_timezone(&zone).naive_local();
        let Some(end) = pauses.iter().filter_map(|pause| pause.end_at(wall)).max() else { break };
        until = Some(instant(zone, end));
    }
    until
}

impl Pause {
    /// When it ends, if this wall-clock time is in it.
    fn end_at(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Dates { first, last } => {
                let day_after = last.checked_add_days(Days::new(1))?;
                (*first..=*last).contains(&wall.date()).then(|| day_after.and_time(NaiveTime::MIN))
            }
            Self::Weekly { days, from, to } => {
                // It may have begun yesterday.
                let begins = [Some(wall.date()), wall.date().pred_opt()].into_iter().flatten();
                let windows = begins.filter(|day| days[day.weekday().num_days_from_monday() as usize]).map(|day| {
                    let next_day = if to <= from { TimeDelta::days(1) } else { TimeDelta::zero() };
                    (day.and_time(*from), day.and_time(*to) + next_day)
                });
                windows.into_iter().find(|(begin, end)| (*begin..*end).contains(&wall)).map(|(_, end)| end)
            }
        }
    }
}

/// The latest instant of a wall-clock time: a pause ends when the hour that comes twice is over.
fn instant(zone: Tz, wall: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&wall) {
        MappedLocalTime::Single(one) | MappedLocalTime::Ambiguous(_, one) => one.to_utc(),
        MappedLocalTime::None => end_of_gap(zone, wall),
    }
}

/// `08:00-18:00`, `Mon-Fri 08:00-18:00`, `Sat,Sun 00:00-24:00`, `2026-12-24`, `2026-12-24..2027-01-02`.
impl FromStr for Pause {
    type Err = PauseError;

    fn from_str(text: &str) -> Result<Self, PauseError> {
        let wrong = || PauseError(text.to_owned());
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        if let (Ok(first), Ok(last)) = (first.trim().parse(), last.trim().parse()) {
            return if first <= last { Ok(Self::Dates { first, last }) } else { Err(wrong()) };
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, times) = match words[..] {
            [times] => (Some([true; 7]), times),
            [days, times] => (read_days(days), times),
            _ => return Err(wrong()),
        };
        let (from, to) = times.split_once('-').ok_or_else(wrong)?;
        match (days, read_time(from), read_time(to)) {
            (Some(days), Some(from), Some(to)) => Ok(Self::Weekly { days, from, to }),
            _ => Err(wrong()),
        }
    }
}

fn read_time(text: &str) -> Option<NaiveTime> {
    // The end of a day is the begin of the next.
    if text == "24:00" { Some(NaiveTime::MIN) } else { NaiveTime::parse_from_str(text, "%H:%M").ok() }
}

fn read_days(text: &str) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    let day = |name: &str| name.parse::<Weekday>().ok().map(|day| day.num_days_from_monday() as usize);
    for item in text.split(',') {
        let (first, last) = match item.split_once('-') {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(item)?, day(item)?),
        };
        // `Sat-Mon` goes over the end of the week.
        let length = (last + 7 - first) % 7;
        (first..=first + length).for_each(|idx| days[idx % 7] = true);
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use chrono_tz::Tz;

    use super::{Pause, paused_until};

    fn check(pauses: &[&str], now: &str, expected: Option<&str>) {
        let pauses: Vec<Pause> = pauses.iter().map(|text| text.parse().unwrap()).collect();
        let utc = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let found = paused_until(&pauses, Tz::Europe__Kyiv, utc(now));
        assert_eq!(found, expected.map(utc), "{pauses:?} at {now}");
    }

    #[test]
    fn a_pause_is_a_window_of_the_week_or_days_of_the_year_in_the_zone() {
        // 2026-11-23 is a Monday; Kyiv is two hours ahead in winter.
        check(&["Mon-Fri 08:00-18:00"], "2026-11-23T06:00:00Z", Some("2026-11-23T16:00:00Z"));
        check(&["Mon-Fri 08:00-18:00"], "2026-11-23T16:00:00Z", None);
        check(&["Mon-Fri 08:00-18:00"], "2026-11-22T10:00:00Z", None);
        check(&["22:00-06:00"], "2026-11-23T01:00:00Z", Some("2026-11-23T04:00:00Z"));
        check(&["Sun 22:00-06:00"], "2026-11-23T01:00:00Z", Some("2026-11-23T04:00:00Z"));
        check(&["Mon 22:00-06:00"], "2026-11-23T01:00:00Z", None);
        check(&["2026-12-24..2026-12-25"], "2026-12-24T12:00:00Z", Some("2026-12-25T22:00:00Z"));
        check(&["2026-12-24"], "2026-12-25T12:00:00Z", None);
    }

    #[test]
    fn windows_that_touch_are_one() {
        check(&["Sat 00:00-24:00", "Sun 00:00-24:00"], "2026-11-21T12:00:00Z", Some("2026-11-22T22:00:00Z"));
        check(&["Sat-Sun 00:00-24:00", "2026-11-23"], "2026-11-21T12:00:00Z", Some("2026-11-23T22:00:00Z"));
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in ["", "Mon", "8-18", "Mun 08:00-18:00", "2026-12-25..2026-12-24", "08:00-18:00 Mon", "25:00-26:00"] {
            assert!(text.parse::<Pause>().is_err(), "{text}");
        }
    }
}
