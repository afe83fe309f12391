//! The baseline file: found, read, written.

use std::fs;
use std::path::Path;

use anyhow::Context;
use chrono::{Datelike, Days, NaiveDate};
use migrations_lint::baseline::{Baseline, Date, FILE_NAME, Terms};
use migrations_lint::report::Report;

use super::{Environment, LintArgs};

/// For how long new rows are left out if nobody says.
const DEFAULT_DAYS: u64 = 180;

/// The file that `--baseline` names, or the one of the usual name if there is one.
pub(super) fn read(args: &LintArgs) -> anyhow::Result<Option<Baseline>> {
    let path = args.baseline.as_deref().unwrap_or(Path::new(FILE_NAME));
    let may_be_absent = args.baseline.is_none() || args.write_baseline;
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if may_be_absent && error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read the baseline {}", path.display())),
    };
    let baseline = Baseline::parse(&text).with_context(|| format!("cannot use {}", path.display()))?;
    Ok(Some(baseline))
}

/// Writes all findings; says so in a line.
pub(super) fn write(
    args: &LintArgs,
    report: &Report,
    old: Option<&Baseline>,
    environment: &Environment,
) -> anyhow::Result<String> {
    let path = args.baseline.as_deref().unwrap_or(Path::new(FILE_NAME));
    let terms = Terms {
        owner: args.owner.clone().unwrap_or_else(|| "unassigned".to_owned()),
        expires: args.expires.unwrap_or_else(|| in_days(environment.today, DEFAULT_DAYS)),
    };
    let baseline = Baseline::of(&report.findings, old.unwrap_or(&Baseline::default()), &terms);
    fs::write(path, baseline.to_toml()).with_context(|| format!("cannot write the baseline {}", path.display()))?;
    Ok(format!("{} findings written to {}; new ones count from {}", baseline.len(), path.display(), terms.expires))
}

/// Reads a date of the command line.
pub(super) fn date(text: &str) -> Result<Date, String> {
    let date: NaiveDate = text.parse().map_err(|_| "not a date such as 2027-06-30".to_owned())?;
    convert(date).ok_or_else(|| "not a date such as 2027-06-30".to_owned())
}

fn in_days(from: Date, days: u64) -> Date {
    let from_chrono = NaiveDate::from_ymd_opt(from.year.into(), from.month.into(), from.day.into());
    from_chrono.and_then(|date| convert(date.checked_add_days(Days::new(days))?)).unwrap_or(from)
}

fn convert(date: NaiveDate) -> Option<Date> {
    Some(Date {
        year: u16::try_from(date.year()).ok()?,
        month: u8::try_from(date.month()).ok()?,
        day: u8::try_from(date.day()).ok()?,
    })
}
