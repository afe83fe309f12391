//! The data-loss alarm: what a backup holds much less of than the one before it. Two records and how much may go in,
//! losses out.
//!
//! A table that only has another name is no loss: its rows are there, digest for digest. Of a keyspace only the keys that
//! never expire are compared; the others are meant to go.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::pattern::matches_pattern;
use super::{Contents, Digest};

/// How much may be lost from one backup to the next before it is an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vigilance {
    /// Of a table's rows, and of their bytes.
    pub shrink: Tolerance,
    /// Of the bytes of all of them together.
    pub size: Tolerance,
    /// A table with fewer rows than this may lose as many as it wants, unless a rule names it.
    pub ignore_below: u64,
    /// Tables by name, `*` standing for anything: the first rule that fits says how much of them may go.
    pub rules: Vec<TableRule>,
}

/// How much of some tables may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRule {
    /// Their name, with `*` for anything.
    pub pattern: String,
    /// How much.
    pub tolerance: Tolerance,
}

/// How much may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    /// This part, in percent.
    Percent(u8),
    /// Everything.
    Everything,
}

/// Why a text is no tolerance or no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not {1}")]
pub struct VigilanceError(String, &'static str);

/// Something that is much less than it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// What kind of loss.
    pub code: LossCode,
    /// Of what: `table public.orders`, `large objects`, `db0 hash keys`, `everything`.
    pub object: String,
    /// How much there was: rows or keys, or bytes for the codes that are about bytes.
    pub before: u64,
    /// How much there is.
    pub now: u64,
    /// All of it in one sentence for people.
    pub message: String,
}

/// The kinds of loss; their names in manifests are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossCode {
    /// It is not there any more.
    Vanished,
    /// It has far fewer rows.
    RowsShrunk,
    /// It has about as many rows, and far fewer bytes in them.
    BytesShrunk,
    /// No table by itself, but all together are far smaller.
    BackupShrunk,
}

/// Below this a whole backup's size says nothing.
const MIN_BYTES: u64 = 1 << 20;

/// Everything that `now` holds too little of, by name.
pub fn losses(before: &Contents, now: &Contents, vigilance: &Vigilance) -> Vec<Loss> {
    let (was, is) = (amounts(before), amounts(now));
    // What is new may be what has vanished, under another name.
    let mut new: Vec<&Amount> = is.iter().filter(|(name, _)| !was.contains_key(*name)).map(|(_, it)| it).collect();
    let mut found = Vec::new();
    for (name, was) in &was {
        let loss = match is.get(name) {
            Some(is) => shrunk(name, was, is, vigilance),
            None => match new.iter().position(|it| it.same_rows_as(was)) {
                Some(idx) => {
                    new.swap_remove(idx);
                    None
                }
                None => vanished(name, was, vigilance),
            },
        };
        found.extend(loss);
    }
    if found.is_empty() {
        found.extend(smaller(&was, &is, vigilance));
    }
    found
}

/// How much there is of something.
#[derive(Debug, Clone, Copy)]
struct Amount {
    rows: u64,
    bytes: u64,
    digest: Digest,
    /// Whether it is there for good, as a table is; kinds of keys come and go.
    is_lasting: bool,
    /// What it is counted in.
    unit: &'static str,
}

impl Amount {
    fn same_rows_as(&self, other: &Self) -> bool {
        self.rows > 0 && (self.rows, self.digest) == (other.rows, other.digest)
    }
}

/// Everything that can be lost, by its name in messages.
fn amounts(contents: &Contents) -> BTreeMap<String, Amount> {
    let tables = contents.tables.iter().map(|(name, table)| {
        let amount =
            Amount { rows: table.rows, bytes: table.bytes, digest: table.digest, is_lasting: true, unit: "rows" };
        (format!("table {name}"), amount)
    });
    let objects = &contents.large_objects;
    let large = (objects.count > 0).then(|| {
        let (rows, bytes, digest) = (objects.count, objects.bytes, objects.digest);
        ("large objects".to_owned(), Amount { rows, bytes, digest, is_lasting: false, unit: "objects" })
    });
    let databases = contents.keyspace.iter().flat_map(|keyspace| &keyspace.databases);
    let kinds = databases.flat_map(|(database, kinds)| kinds.iter().map(move |(kind, it)| (database, kind, it)));
    let keys = kinds.filter(|(_, _, it)| it.persistent.keys > 0).map(|(database, kind, it)| {
        let (rows, bytes, digest) = (it.persistent.keys, it.persistent.bytes, it.persistent.digest);
        let amount = Amount { rows, bytes, digest, is_lasting: false, unit: "keys" };
        (format!("db{database} {} keys", kind.name()), amount)
    });
    tables.chain(large).chain(keys).collect()
}

impl Vigilance {
    /// How much may go of a table, and whether a rule says so.
    fn of(&self, name: &str) -> (Tolerance, bool) {
        let table = name.strip_prefix("table ").unwrap_or(name);
        let rule = self.rules.iter().find(|rule| matches_pattern(&rule.pattern, table));
        rule.map_or((self.shrink, false), |rule| (rule.tolerance, true))
    }
}

fn vanished(name: &str, was: &Amount, vigilance: &Vigilance) -> Option<Loss> {
    let (tolerance, is_named) = vigilance.of(name);
    let matters = was.rows > 0 && (was.is_lasting || is_named || was.rows >= vigilance.ignore_below);
    (matters && tolerance != Tolerance::Everything).then(|| Loss {
        code: LossCode::Vanished,
        object: name.to_owned(),
        before: was.rows,
        now: 0,
        message: format!("{name} vanished, with {} {}", was.rows, was.unit),
    })
}

fn shrunk(name: &str, was: &Amount, is: &Amount, vigilance: &Vigilance) -> Option<Loss> {
    let (tolerance, is_named) = vigilance.of(name);
    if was.rows < vigilance.ignore_below && !is_named {
        return None;
    }
    let loss = |code, before, now, unit: &str| Loss {
        code,
        object: name.to_owned(),
        before,
        now,
        message: format!("{name}: {now} {unit}, {before} in the backup before"),
    };
    if tolerance.is_exceeded(was.rows, is.rows) {
        return Some(loss(LossCode::RowsShrunk, was.rows, is.rows, was.unit));
    }
    // Of what may lose nothing at all each byte would count, and a shorter value is no loss.
    let of_bytes = if tolerance == Tolerance::Percent(0) { vigilance.shrink } else { tolerance };
    let is_shrunk = of_bytes.is_exceeded(was.bytes, is.bytes);
    is_shrunk.then(|| loss(LossCode::BytesShrunk, was.bytes, is.bytes, "bytes"))
}

fn smaller(was: &BTreeMap<String, Amount>, is: &BTreeMap<String, Amount>, vigilance: &Vigilance) -> Option<Loss> {
    let watched = |amounts: &BTreeMap<String, Amount>| {
        let watched = amounts.iter().filter(|(name, _)| vigilance.of(name).0 != Tolerance::Everything);
        watched.map(|(_, amount)| amount.bytes).sum::<u64>()
    };
    let (before, now) = (watched(was), watched(is));
    (before >= MIN_BYTES && vigilance.size.is_exceeded(before, now)).then(|| Loss {
        code: LossCode::BackupShrunk,
        object: "everything".to_owned(),
        before,
        now,
        message: format!("all data together: {now} bytes, {before} in the backup before"),
    })
}

impl Tolerance {
    /// Whether more than this was lost.
    fn is_exceeded(self, before: u64, now: u64) -> bool {
        let lost = u128::from(before.saturating_sub(now));
        match self {
            Self::Percent(percent) => lost * 100 > u128::from(before) * u128::from(percent),
            Self::Everything => false,
        }
    }
}

impl Default for Vigilance {
    /// Half of a table, or half of everything.
    fn default() -> Self {
        let half = Tolerance::Percent(50);
        Self { shrink: half, size: half, ignore_below: 100, rules: Vec::new() }
    }
}

impl FromStr for Tolerance {
    type Err = VigilanceError;

    fn from_str(text: &str) -> Result<Self, VigilanceError> {
        if text.trim() == "off" {
            return Ok(Self::Everything);
        }
        let percent = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
        let percent = percent.filter(|percent| *percent <= 100);
        percent.map(Self::Percent).ok_or_else(|| VigilanceError(text.to_owned(), "a percentage or `off`"))
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Everything => f.write_str("off"),
        }
    }
}

/// `public.audit 0%`, `public.session_* off`. The last word says how much; a quoted name may have blanks.
impl FromStr for TableRule {
    type Err = VigilanceError;

    fn from_str(text: &str) -> Result<Self, VigilanceError> {
        let wrong = || VigilanceError(text.to_owned(), "a table's name and a percentage or `off`");
        let (pattern, tolerance) = text.trim().rsplit_once(char::is_whitespace).ok_or_else(wrong)?;
        let tolerance = tolerance.parse().map_err(|_| wrong())?;
        Ok(Self { pattern: pattern.trim().to_owned(), tolerance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contents::TableContents;
    use crate::contents::keyspace::{KeyKind, Keys, Keyspace, KindContents};

    type Table<'a> = (&'a str, u64, u64, u128);

    fn tables(tables: &[Table<'_>]) -> Contents {
        let table = |(name, rows, bytes, digest): &Table<'_>| {
            let contents =
                TableContents { rows: *rows, bytes: *bytes, digest: Digest(*digest), ..TableContents::default() };
            ((*name).to_owned(), contents)
        };
        Contents { tables: tables.iter().map(table).collect(), ..Contents::default() }
    }

    fn check(before: &Contents, now: &Contents, rules: &[&str], expected: &[(LossCode, &str)]) {
        let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        let found = losses(before, now, &Vigilance { rules, ..Vigilance::default() });
        let found: Vec<_> = found.iter().map(|loss| (loss.code, loss.object.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_table_that_vanished_is_a_loss_unless_its_rows_are_under_another_name() {
        let before = tables(&[("a", 5, 50, 1), ("b", 500, 5000, 2), ("empty", 0, 0, 0)]);
        check(&before, &tables(&[("b", 500, 5000, 2)]), &[], &[(LossCode::Vanished, "table a")]);
        check(&before, &tables(&[("a2", 5, 50, 1), ("b", 500, 5000, 2)]), &[], &[]);
        check(&before, &tables(&[("a2", 4, 40, 9), ("b", 500, 5000, 2)]), &[], &[(LossCode::Vanished, "table a")]);
        // One new table stands for one that vanished, not for two.
        let twins = tables(&[("a", 5, 50, 1), ("b", 5, 50, 1)]);
        check(&twins, &tables(&[("c", 5, 50, 1)]), &[], &[(LossCode::Vanished, "table b")]);
        check(&before, &tables(&[("b", 500, 5000, 2)]), &["a off"], &[]);
    }

    #[test]
    fn a_table_may_lose_so_much_and_no_row_more() {
        let with = |rows, bytes| tables(&[("public.t", rows, bytes, 1), ("public.u", 1, 1, 1)]);
        let shrunk = [(LossCode::RowsShrunk, "table public.t")];
        check(&with(1000, 9000), &with(500, 4500), &[], &[]);
        check(&with(1000, 9000), &with(499, 4500), &[], &shrunk);
        check(&with(1000, 9000), &with(0, 0), &[], &shrunk);
        check(&with(99, 900), &with(0, 0), &[], &[]);
        check(&with(99, 900), &with(98, 890), &["public.t 0%"], &shrunk);
        check(&with(1000, 9000), &with(1000, 8990), &["public.t 0%"], &[]);
        check(&with(1000, 9000), &with(999, 8990), &["*.t 0%", "public.* off"], &shrunk);
        check(&with(1000, 9000), &with(1, 9), &["public.t 100%"], &[]);
        check(&with(1000, 9000), &with(1000, 90), &[], &[(LossCode::BytesShrunk, "table public.t")]);
    }

    #[test]
    fn many_small_losses_are_one() {
        let with = |share: u64| {
            let names: Vec<String> = (0..200).map(|idx| format!("t{idx:03}")).collect();
            let all: Vec<Table<'_>> = names.iter().map(|name| (name.as_str(), 99, 100_000 / share, 1)).collect();
            tables(&all)
        };
        check(&with(1), &with(2), &[], &[]);
        check(&with(1), &with(3), &[], &[(LossCode::BackupShrunk, "everything")]);
        check(&with(1), &with(3), &["t* off"], &[]);
    }

    #[test]
    fn keys_that_expire_may_go_and_those_that_do_not_are_missed() {
        let with = |persistent: u64, expiring: u64| {
            let keys = |keys| Keys { keys, elements: keys, bytes: keys * 10, digest: Digest(u128::from(keys)) };
            let kind =
                KindContents { persistent: keys(persistent), expiring: keys(expiring), ..KindContents::default() };
            let databases = [(0, [(KeyKind::Hash, kind)].into())].into();
            Contents { keyspace: Some(Keyspace { databases, ..Keyspace::default() }), ..Contents::default() }
        };
        check(&with(1000, 1000), &with(1000, 0), &[], &[]);
        check(&with(1000, 0), &with(400, 600), &[], &[(LossCode::RowsShrunk, "db0 hash keys")]);
        check(&with(1000, 0), &with(0, 600), &[], &[(LossCode::Vanished, "db0 hash keys")]);
        check(&with(99, 0), &with(0, 0), &[], &[]);
    }

    #[test]
    fn what_is_no_tolerance_is_refused() {
        for text in ["", "50", "101%", "-1%", "half"] {
            assert!(text.parse::<Tolerance>().is_err(), "{text}");
        }
        for text in ["public.t", "public.t 50", "50%"] {
            assert!(text.parse::<TableRule>().is_err(), "{text}");
        }
        let rule: TableRule = "public.\"odd name\" 5%".parse().unwrap();
        assert_eq!((&*rule.pattern, rule.tolerance.to_string()), ("public.\"odd name\"", "5%".to_owned()));
    }
}
