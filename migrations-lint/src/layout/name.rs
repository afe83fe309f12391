//! How migration files are named: versions, descriptions and directions in file names.

use std::cmp::Ordering;

use crate::migration::Direction;

/// A file name taken apart as `<digits><separator><description>[.up|.down].sql`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Numbered<'a> {
    /// The digits, as written.
    pub(super) version: &'a str,
    /// What follows them, without separator, direction and extension.
    pub(super) name: &'a str,
    /// What the name says of the direction.
    pub(super) direction: Direction,
    /// Whether the name says it (`.up.sql`, `.down.sql`) rather than leaving it open.
    pub(super) says_direction: bool,
}

/// Reads `<digits>_<description>.sql`, `.up.sql`, `.down.sql`: sqlx, golang-migrate, goose, Supabase.
pub(super) fn numbered(file_name: &str) -> Option<Numbered<'_>> {
    let stem = stem(file_name);
    let (stem, direction, says_direction) = match (stem.strip_suffix(".up"), stem.strip_suffix(".down")) {
        (Some(stem), _) => (stem, Direction::Up, true),
        (_, Some(stem)) => (stem, Direction::Down, true),
        (None, None) => (stem, Direction::Up, false),
    };
    let (version, name) = stem.split_once('_')?;
    let all_digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then_some(Numbered { version, name, direction, says_direction })
}

/// The name without `.sql`.
pub(super) fn stem(file_name: &str) -> &str {
    match file_name.len().checked_sub(4).and_then(|at| file_name.get(at..).map(|end| (at, end))) {
        Some((at, end)) if end.eq_ignore_ascii_case(".sql") => &file_name[..at],
        _ => file_name,
    }
}

/// The digits a name begins with, and the rest.
pub(super) fn leading_digits(name: &str) -> (&str, &str) {
    name.split_at(name.bytes().take_while(u8::is_ascii_digit).count())
}

/// Compares two runs of digits as numbers of any length.
pub(super) fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// The number without leading zeros: `007` is `7`, `000` is `0`.
pub(super) fn number(digits: &str) -> String {
    match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

/// A key that orders names by the number they begin with, then by text: `2_x` before `10_x`, unnumbered ones last.
pub(super) fn natural_key(file_name: &str) -> (bool, usize, String, String) {
    let (digits, rest) = leading_digits(file_name);
    let number = if digits.is_empty() { String::new() } else { number(digits) };
    (digits.is_empty(), number.len(), number, rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_name_gives_version_description_and_direction() {
        let up = numbered("000012_add_users.up.sql").unwrap();
        assert_eq!(
            (up.version, up.name, up.direction, up.says_direction),
            ("000012", "add_users", Direction::Up, true)
        );
        let down = numbered("3_x.down.sql").unwrap();
        assert_eq!((down.version, down.name, down.direction), ("3", "x", Direction::Down));
        let plain = numbered("20240101000000_x.SQL").unwrap();
        assert_eq!((plain.version, plain.says_direction), ("20240101000000", false));
    }

    #[test]
    fn a_name_without_digits_or_separator_is_not_numbered() {
        for name in ["schema.sql", "v1_x.sql", "12.sql", "_x.sql", "12-x.sql"] {
            assert_eq!(numbered(name), None, "{name}");
        }
    }

    #[test]
    fn digits_compare_as_numbers_of_any_length() {
        assert_eq!(compare_numbers("0010", "9"), Ordering::Greater);
        assert_eq!(compare_numbers("007", "7"), Ordering::Equal);
        assert_eq!(compare_numbers("99999999999999999999999", "100000000000000000000000"), Ordering::Less);
        assert_eq!(number("000"), "0");
    }
}
