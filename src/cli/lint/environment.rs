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
        let mut environment = Self::of(|name| env::var(name).ok(), std::io::stdout().is_terminal());
        if environment.width == 0 {
            let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
            environment.width = terminal.unwrap_or(DEFAULT_WIDTH);
        }
        environment
    }

    /// What a set of variables says; a width of 0 if they say nothing about it.
    fn of(variable: impl Fn(&str) -> Option<String>, is_terminal: bool) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let is_dumb = set("TERM").is_some_and(|term| term == "dumb");
        Self {
            today: today(),
            // https://no-color.org: any value that is not empty counts.
            color: is_terminal && !is_dumb && set("NO_COLOR").is_none(),
            width: set("COLUMNS").and_then(|columns| columns.parse().ok()).unwrap_or(0),
            is_github: set("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
            database_url: set("DATABASE_URL"),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Environment {
        Environment::of(|asked| (asked == name).then(|| value.to_owned()), true)
    }

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        assert!(with("TERM", "xterm").color && with("NO_COLOR", "").color);
        assert!(!with("TERM", "dumb").color && !with("NO_COLOR", "1").color);
        assert!(!Environment::of(|_| None, false).color);
    }

    #[test]
    fn actions_columns_and_the_database_are_read() {
        assert!(with("GITHUB_ACTIONS", "true").is_github && !with("GITHUB_ACTIONS", "false").is_github);
        assert_eq!((with("COLUMNS", "72").width, with("COLUMNS", "x").width), (72, 0));
        assert_eq!(with("DATABASE_URL", "").database_url, None);
    }
}
