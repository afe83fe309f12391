//! Which functions give a new value for each row; from a real server's `pg_proc` (`scripts/gen-volatility`).

use crate::statement::Expr;

const TABLE: &str = include_str!("volatility.txt");

/// The first function in the expression that is volatile, or that the server does not ship and may be.
pub(super) fn volatile_call(expr: &Expr) -> Option<&str> {
    expr.calls.iter().map(|call| &**call).find(|call| is_volatile(call))
}

/// Functions that the table does not have are somebody's own, and volatile unless declared otherwise.
fn is_volatile(function: &str) -> bool {
    // Syntax that looks like a call, with its volatility.
    const SYNTAX: &[&str] = &[
        "current_timestamp",
        "current_date",
        "current_time",
        "localtime",
        "localtimestamp",
        "current_user",
        "session_user",
        "user",
        "coalesce",
        "nullif",
        "greatest",
        "least",
        "row",
        "interval",
        "numeric",
        "varchar",
        "char",
        "character",
        "timestamp",
        "timestamptz",
        "time",
        "decimal",
        "bit",
        "xmlelement",
        "xmlforest",
        "trim",
        "substring",
        "position",
        "overlay",
        "normalize",
    ];
    if SYNTAX.contains(&function) {
        return false;
    }
    find(function).is_none_or(|volatility| volatility == "v")
}

/// Lines are sorted by name: `name volatility`.
fn find(function: &str) -> Option<&'static str> {
    let (mut low, mut high) = (0, TABLE.len());
    while low < high {
        let middle = low.midpoint(high);
        let start = TABLE[..middle].rfind('\n').map_or(0, |newline| newline + 1);
        let line = TABLE[start..].split('\n').next().unwrap_or("");
        let (name, volatility) = line.split_once(' ')?;
        match name.cmp(function) {
            std::cmp::Ordering::Equal => return Some(volatility),
            std::cmp::Ordering::Less => low = start + line.len() + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_knows_every_function_and_its_volatility() {
        for line in TABLE.lines() {
            let (name, volatility) = line.split_once(' ').expect("each line has two words");
            assert_eq!(find(name), Some(volatility));
        }
        assert!(
            ["random", "clock_timestamp", "gen_random_uuid", "nextval", "uuid_generate_v4"]
                .map(is_volatile)
                .iter()
                .all(|is| *is)
        );
        assert!(!["now", "lower", "current_timestamp", "to_timestamp", "md5"].map(is_volatile).iter().any(|is| *is));
    }
}
