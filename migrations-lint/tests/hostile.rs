//! Text that no migration holds: an answer or a limit, in linear time, and never a panic.

use std::time::{Duration, Instant};

use migrations_lint::engine::Engine;
use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part, TransactionMode};
use migrations_lint::report::Finding;
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Options, lint};

fn check(text: &str, engine: Engine) -> Vec<Finding> {
    let file = MigrationFile {
        source: SourceText::new("hostile.sql", text),
        version: None,
        name: String::new(),
        parts: vec![Part {
            direction: Direction::Up,
            span: Span::new(0, text.len()),
            transaction: TransactionMode::None,
        }],
        reported: true,
    };
    let set = MigrationSet { layout: "plain", engine: Some(engine), server_version: None, files: vec![file] };
    lint(&set, &Options::default()).findings
}

fn has(findings: &[Finding], rule: &str) -> bool {
    findings.iter().any(|finding| finding.rule == rule)
}

#[test]
fn deep_nesting_is_said_and_what_follows_is_still_read() {
    for (open, close) in [("(", ")"), ("(SELECT ", ")")] {
        let text = format!("SELECT {}1{};\nDROP TABLE users;", open.repeat(10_000), close.repeat(10_000));
        let found = check(&text, Engine::PostgreSql);
        assert!(has(&found, "limit-exceeded") && has(&found, "drop-table"), "{open}");
    }
}

#[test]
fn deep_nesting_without_parentheses_does_not_overflow() {
    for (open, close) in [("ARRAY[", "]"), ("NOT ", ""), ("- ", ""), ("CASE WHEN a THEN ", " END")] {
        let text = format!("SELECT {}1{};\nDROP TABLE users;", open.repeat(6_000), close.repeat(6_000));
        assert!(has(&check(&text, Engine::PostgreSql), "drop-table"), "{open}");
    }
}

#[test]
fn quotes_that_never_end_cost_only_themselves() {
    for quote in ["'", "\"", "$$", "$body$", "/*", "E'\\"] {
        let found = check(&format!("DROP TABLE users;\nSELECT {quote} DROP TABLE x;"), Engine::PostgreSql);
        assert!(has(&found, "drop-table"), "{quote}");
        assert!(quote == "/*" || has(&found, "unparsed-statement"), "{quote}");
    }
}

#[test]
fn a_parenthesis_that_never_closes_does_not_hide_the_next_statements() {
    let found = check("CREATE TABLE a (id int;\nSELECT 1;\nDROP TABLE users;", Engine::PostgreSql);
    assert!(has(&found, "drop-table") && has(&found, "unparsed-statement"));
}

#[test]
fn byte_order_marks_nul_bytes_and_line_endings_are_survived() {
    let found = check("\u{feff}DROP TABLE users;\r\nSEL\0ECT 1;\r\nTRUNCATE b;\r\n", Engine::PostgreSql);
    assert!(has(&found, "drop-table") && has(&found, "truncate-table") && has(&found, "unparsed-statement"));
    let drop = found.iter().find(|finding| finding.rule == "drop-table").expect("it was found");
    assert_eq!((drop.start.line, drop.end.line), (1, 1));
}

#[test]
fn long_statements_take_time_in_proportion_to_their_length() {
    let made: [fn(usize) -> String; 6] = [
        |n| format!("SELECT {}1;", "a || ".repeat(n)),
        |n| format!("DELETE FROM t WHERE {} b = 2;", "a = 1 OR ".repeat(n)),
        |n| "INSERT INTO t (a) VALUES (1);\n".repeat(n / 4),
        |n| format!("ALTER TABLE t {};", vec!["ADD COLUMN c int"; n / 8].join(", ")),
        |n| "DROP TABLE IF EXISTS t; CREATE TABLE t (a int); CREATE INDEX i ON t (a);\n".repeat(n / 16),
        |n| format!("DO $$ BEGIN {} END $$;", "IF a THEN DROP TABLE x; END IF; ".repeat(n / 8)),
    ];
    for (idx, make) in made.iter().enumerate() {
        let time = |n: usize| {
            let text = make(n);
            let start = Instant::now();
            check(&text, Engine::PostgreSql);
            start.elapsed()
        };
        assert_in_proportion(&idx.to_string(), || (time(10_000), time(80_000)));
    }
}

#[test]
fn a_set_of_ups_and_downs_takes_time_in_proportion_to_its_files() {
    let time = |n_pairs: usize| {
        let up = |idx: usize| (Direction::Up, format!("CREATE TABLE IF NOT EXISTS t{idx} (a int, b text);"));
        let down = |idx: usize| (Direction::Down, format!("DROP TABLE IF EXISTS t{idx};"));
        let file = |idx: usize, (direction, text): (Direction, String)| MigrationFile {
            parts: vec![Part { direction, span: Span::new(0, text.len()), transaction: TransactionMode::None }],
            source: SourceText::new(format!("{idx}_{direction:?}.sql"), text),
            version: Some(idx.to_string()),
            name: String::new(),
            reported: true,
        };
        let files = (0..n_pairs).flat_map(|idx| [file(idx, up(idx)), file(idx, down(idx))]).collect();
        let set = MigrationSet { layout: "plain", engine: None, server_version: None, files };
        let start = Instant::now();
        assert!(lint(&set, &Options::default()).findings.is_empty());
        start.elapsed()
    };
    assert_in_proportion("pairs", || (time(500), time(5_000)));
}

/// Eight or ten times the length is sixty to a hundred times the work of a quadratic reader. Others may have the processor for
/// a while: a bound that is held once is held.
#[track_caller]
fn assert_in_proportion(what: &str, measure: impl Fn() -> (Duration, Duration)) {
    let is_proportional = |(small, large): &(Duration, Duration)| *large < *small * 40 + Duration::from_millis(500);
    let mut measured = Vec::new();
    while measured.len() < 8 && !measured.last().is_some_and(is_proportional) {
        measured.push(measure());
    }
    assert!(measured.last().is_some_and(is_proportional), "{what}: for a part and for the whole {measured:?}");
}

/// A stand-in for the fuzz targets: the labelled cases, cut, doubled and mixed at random places.
#[test]
fn mutilated_migrations_never_panic() {
    let cases: Vec<&str> = include_str!("labelled.sql").split("\n-- case: ").collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("it is below a usize")
    };
    for round in 0..3_000 {
        let mut bytes = cases[random(cases.len())].as_bytes().to_vec();
        for _ in 0..=random(6) {
            let (at, other) = (random(bytes.len() + 1), cases[random(cases.len())].as_bytes());
            match random(4) {
                0 => bytes.truncate(at),
                1 => bytes.splice(at..at, other[..random(other.len())].iter().copied()).for_each(drop),
                2 => bytes.insert(at, b"'\"$();,\\/*-{}[]\0\n"[random(17)]),
                _ => drop(bytes.drain(at..(at + random(12)).min(bytes.len()))),
            }
            if bytes.is_empty() {
                bytes.push(b';');
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let engine = [Engine::PostgreSql, Engine::MySql, Engine::Sqlite][round % 3];
        let found = check(&text, engine);
        let is_fault = found.iter().any(|finding| finding.message.contains("the linter failed"));
        assert!(!is_fault, "{text}");
        assert!(found.iter().all(|finding| finding.span.end <= text.len()), "{text}");
    }
}

/// The engines whose judge is another one than PostgreSQL's.
const OTHERS: [Engine; 3] = [Engine::MySql, Engine::MariaDb, Engine::Sqlite];

#[test]
fn the_other_engines_readers_and_judge_survive_deep_nesting() {
    for engine in OTHERS {
        for (open, close) in
            [("(", ")"), ("(SELECT ", ")"), ("NOT ", ""), ("- ", ""), ("CASE WHEN a THEN ", " END"), ("`a`.", "")]
        {
            for depth in [300, 10_000] {
                let text = format!("SELECT {}1{};\nDROP TABLE users;", open.repeat(depth), close.repeat(depth));
                assert!(has(&check(&text, engine), "drop-table"), "{engine:?} {open}");
            }
        }
    }
}

#[test]
fn what_never_ends_in_mysql_costs_only_itself() {
    for opening in ["'", "\"", "`", "/*", "/*! ", "'\\", "-- ", "# "] {
        let found = check(&format!("DROP TABLE users;\nSELECT {opening} DROP TABLE x;"), Engine::MySql);
        assert!(has(&found, "drop-table"), "{opening}");
    }
    for text in [
        "DELIMITER ",
        "DELIMITER\n",
        "DELIMITER //",
        "CREATE PROCEDURE p() BEGIN",
        "/*!",
        "/*!99999999999 a */",
        "/*M!",
        "ALTER TABLE",
        "SET @",
        "GRANT",
    ] {
        check(text, Engine::MySql);
        check(text, Engine::MariaDb);
    }
}

#[test]
fn mysql_files_take_time_in_proportion_to_their_length() {
    let insert = |rows: usize| format!("INSERT INTO t VALUES {};", vec!["(1, 'a', NULL)"; rows].join(","));
    let columns = |rows: usize| format!("CREATE TABLE t ({});", vec!["a int NOT NULL"; rows].join(","));
    let delimiters = |rows: usize| "delimiter ".repeat(rows);
    let statements = |rows: usize| "ALTER TABLE t MODIFY a int, MODIFY b int;\n".repeat(rows);
    for (name, text) in [
        ("insert", insert(200_000)),
        ("columns", columns(100_000)),
        ("delimiters", delimiters(100_000)),
        ("statements", statements(5_000)),
        ("versions", "/*!40101 ".repeat(100_000)),
        ("dashes", "--".repeat(200_000)),
    ] {
        let start = Instant::now();
        check(&text, Engine::MySql);
        assert!(start.elapsed() < Duration::from_secs(20), "{name}: {:?}", start.elapsed());
    }
}
