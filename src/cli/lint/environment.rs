//! What the process's surroundings say about how to print: the only place of `guard lint` that looks at them.

use std::env;
use std::io::IsTerminal;

use chrono::{Datelike, Utc};
use migrations_lint::baseline::Date;

/// Columns where no terminal tells.
const DEFAULT_WIDTH: usize = 100;

/// Surroundings of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The day by which the baseline's rows expire.
    pub today: Date,
    /// Whether to write colours.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether this is a step of GitHub Actions.
    pub is_github: bool,
    /// `DATABASE_URL`.
    pub database_url: Option<String>,
}

impl Environment {
    /// What holds for this process.
    pub fn detect() -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_github = env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        Self {
            today: today(),
            color: !is_set("NO_COLOR") && !is_dumb && std::io::stdout().is_terminal(),
            width: columns.or_else(terminal).unwrap_or(DEFAULT_WIDTH),
            is_github,
            database_url: env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()),
        }
    }
}

fn today() -> Date {
    let today = Utc::now().date_naive();
    let small = |n: u32| u8::try_from(n).expect("a month or day is below 256");
    Date {
        year: u16::try_from(today.year()).expect("the year has four digits"),
        month: small(today.month()),
        day: small(today.day()),
    }
}
