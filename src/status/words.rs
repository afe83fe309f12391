//! Figures and moments in words, the same on the terminal, on the status page and in reports.

use chrono::{DateTime, TimeDelta, Utc};

/// Bytes for people.
pub fn bytes(n_bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = n_bytes as f64;
    let mut unit_idx = 0;
    while value >= 1024.0 && unit_idx + 1 < units.len() {
        value /= 1024.0;
        unit_idx += 1;
    }
    if unit_idx == 0 { format!("{n_bytes} B") } else { format!("{value:.1} {}", units[unit_idx]) }
}

/// A change of bytes with its sign.
pub fn bytes_change(change: i64) -> String {
    signed(change, &bytes(change.unsigned_abs()))
}

/// A count with its thousands apart: `63,014`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A change of a count with its sign.
pub fn count_change(change: i64) -> String {
    signed(change, &count(change.unsigned_abs()))
}

/// A length of time in its two largest units: `3 h 12 min`, `4.2 s`.
pub fn seconds(seconds: f64) -> String {
    let whole = seconds.abs();
    if whole < 60.0 {
        let text = if whole < 9.95 { format!("{whole:.1} s") } else { format!("{whole:.0} s") };
        // Rounding may reach what is shown in minutes.
        return if text == "60 s" { "1 min".to_owned() } else { text };
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a length of time in seconds, made positive"
    )]
    let whole = whole.round() as u64;
    let units = [(365 * 86_400, "y"), (86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    // Two days are promised as 48 h, and a day and two hours as 26 h.
    let fits = |(size, unit): &(u64, &str)| whole >= if *unit == "d" { 2 * size } else { *size };
    let first = units.iter().position(fits).unwrap_or(units.len() - 1);
    let (size, unit) = units[first];
    let rest = units.get(first + 1).map_or(String::new(), |(smaller, unit)| match whole % size / smaller {
        0 => String::new(),
        number => format!(" {number} {unit}"),
    });
    format!("{} {unit}{rest}", whole / size)
}

/// How far away a moment is: `3 h ago`, `in 12 min`.
pub fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let away = now - at;
    if away.abs() < TimeDelta::seconds(1) {
        return "now".to_owned();
    }
    let text = seconds(away.abs().as_seconds_f64());
    if away > TimeDelta::zero() { format!("{text} ago") } else { format!("in {text}") }
}

/// A moment to the minute, as everybody reads it: `2026-11-21 02:00 UTC`.
pub fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A moment to the second.
pub fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `1 backup`, `2 backups`.
pub fn counted(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", count(number as u64))
}

fn signed(change: i64, text: &str) -> String {
    match change {
        0 => "±0".to_owned(),
        1.. => format!("+{text}"),
        _ => format!("−{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes_change, count, count_change, seconds};

    #[test]
    fn lengths_of_time_have_two_units_at_most() {
        let check = |length: f64, expected: &str| assert_eq!(seconds(length), expected, "{length}");
        check(0.04, "0.0 s");
        check(9.94, "9.9 s");
        check(59.6, "1 min");
        check(60.0, "1 min");
        check(61.0, "1 min 1 s");
        check(11_520.0, "3 h 12 min");
        check(93_600.0, "26 h");
        check(176_400.0, "2 d 1 h");
        check(86_400.0 * 400.0, "1 y 35 d");
    }

    #[test]
    fn counts_are_grouped_and_changes_have_their_sign() {
        assert_eq!([count(0), count(999), count(63_014), count(1_000_000)], ["0", "999", "63,014", "1,000,000"]);
        assert_eq!([count_change(0), count_change(1200), count_change(-3)], ["±0", "+1,200", "−3"]);
        assert_eq!(bytes_change(-2048), "−2.0 KiB");
    }
}
