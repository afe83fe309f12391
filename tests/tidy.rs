//! The house, held by a test: direction of dependencies, module docs, lengths, names, and what is absent on purpose.
//! The rules are in docs/architecture.md.

#![allow(clippy::unwrap_used, reason = "a tidy test may simply fail")]

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap::error::ErrorKind;
use guard::catalog::Selector;
use guard::cli::Cli;

/// Files that are one long table or one long text by nature.
const LONG_BY_NATURE: &[&str] = &[];

const MAX_FILE_LINES: usize = 500;
const MAX_FUNCTION_LINES: usize = 100;

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(String, String)> {
    let files = rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("migrations-lint/src")));
    files.map(|path| (relative(&path), fs::read_to_string(&path).unwrap())).collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

/// Production lines: what stands before the tests.
fn production(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text)
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn every_file_says_in_its_first_line_what_it_is_for() {
    let silent = sources().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path);
    assert_none(&silent.collect::<Vec<_>>());
}

#[test]
fn no_file_and_no_function_is_too_long() {
    let mut problems = Vec::new();
    for (path, text) in sources() {
        let n_lines = production(&text).lines().count();
        if n_lines > MAX_FILE_LINES && !LONG_BY_NATURE.contains(&path.as_str()) {
            problems.push(format!("{path}: {n_lines} lines, at most {MAX_FILE_LINES}"));
        }
        problems.extend(long_functions(&path, production(&text)));
    }
    assert_none(&problems);
}

/// Functions end, by rustfmt, with a closing brace at the indentation where they began.
fn long_functions(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut problems = Vec::new();
    for (idx, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let begins = trimmed.starts_with("fn ") || trimmed.contains(" fn ") && !trimmed.starts_with("//");
        if !begins || trimmed.ends_with(';') || trimmed.ends_with('}') {
            continue;
        }
        let closing = format!("{}}}", &line[..line.len() - trimmed.len()]);
        let Some(length) = lines[idx..].iter().position(|line| *line == closing) else { continue };
        if length > MAX_FUNCTION_LINES {
            problems.push(format!("{path}:{}: a function of {length} lines, at most {MAX_FUNCTION_LINES}", idx + 1));
        }
    }
    problems
}

#[test]
fn names_come_from_the_field_and_not_from_the_drawer() {
    let drawers = ["utils", "util", "helpers", "helper", "common", "misc", "manager", "mod"];
    let bad = sources()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| Path::new(path).file_stem().is_some_and(|stem| drawers.contains(&&*stem.to_string_lossy())));
    assert_none(&bad.collect::<Vec<_>>());
}

/// Who may not use whom. The rim is on top, then stories, then nouns, then the store.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "src/store",
        &["backup", "catalog", "cli", "config", "contents", "prove", "restore", "source", "stream", "verify"],
        "the store knows bytes and keys, not backups",
    ),
    (
        "src/stream",
        &["backup", "catalog", "cli", "config", "contents", "prove", "restore", "source", "verify"],
        "the stream and the catalogue do not know each other, nor what flows through",
    ),
    (
        "src/catalog",
        &["backup", "cli", "config", "prove", "restore", "source", "verify"],
        "the catalogue describes backups, it does not make them",
    ),
    (
        "src/contents",
        &["backup", "catalog", "cli", "config", "prove", "restore", "source", "store", "stream", "verify"],
        "the content record is plain data",
    ),
    (
        "src/source",
        &["backup", "cli", "config", "prove", "restore", "store", "verify"],
        "a source knows nothing of where its bytes go",
    ),
    ("src/backup", &["cli", "config", "prove", "restore", "verify"], "stories do not import each other"),
    ("src/restore", &["backup", "cli", "config", "prove", "verify"], "stories do not import each other"),
    ("src/verify", &["backup", "cli", "config", "prove", "restore"], "stories do not import each other"),
    ("src/prune", &["backup", "cli", "config", "prove", "restore"], "stories do not import each other"),
    (
        "src/rehearse",
        &["backup", "cli", "config", "gate", "migrate", "prove", "prune", "verify"],
        "a rehearsal restores, and nothing else",
    ),
    (
        "src/undo",
        &["cli", "config", "gate", "migrate", "prove", "prune", "restore", "verify"],
        "an undo export reads a rehearsal and takes a backup",
    ),
    ("src/prove", &["backup", "cli", "config", "verify"], "only a proof may use a restore"),
    (
        "src/gate",
        &["backup", "cli", "config", "migrate", "prove", "restore", "verify"],
        "a gate reads the records of the others and does none of their work",
    ),
    (
        "src/migrate",
        &["cli", "config", "gate", "prove", "restore", "verify"],
        "a migration takes a backup, and no more",
    ),
    ("src/window", &["backup", "cli", "config", "gate", "migrate", "prove", "restore"], "a window is a lease"),
];

#[test]
fn dependencies_point_inwards() {
    let mut problems = Vec::new();
    for (path, text) in sources() {
        for (place, forbidden, why) in FORBIDDEN {
            if path != format!("{place}.rs") && !path.starts_with(&format!("{place}/")) {
                continue;
            }
            for module in *forbidden {
                if production(&text).contains(&format!("crate::{module}::")) {
                    problems.push(format!("{path} uses {module}: {why}"));
                }
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn what_is_absent_on_purpose_is_absent() {
    let mut problems = Vec::new();
    for (path, text) in sources() {
        let text = production(&text);
        let is_rim = path.starts_with("src/cli") || path == "src/main.rs";
        let mut forbid = |needle: &str, allowed: bool, why: &str| {
            let used = text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(needle));
            if used && !allowed {
                problems.push(format!("{path} has `{needle}`: {why}"));
            }
        };
        forbid("Utc::now()", is_rim || path.starts_with("src/store/"), "time is passed in from the rim");
        forbid("Confirmation::given_by_user", path.starts_with("src/cli/"), "only the command line can confirm");
        forbid("std::process::exit", false, "the exit code is main's to return");
        forbid("println!", false, "printing lives in cli/output.rs");
        forbid("io::stdout().lock()", path == "src/cli/output.rs", "printing lives in cli/output.rs");
    }
    assert_none(&problems);
}

#[test]
fn every_decision_and_every_shipped_schedule_is_listed_where_readers_look() {
    let readme = fs::read_to_string(root().join("docs/decisions/README.md")).unwrap();
    let mut missing = Vec::new();
    for entry in fs::read_dir(root().join("docs/decisions")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "README.md" && !readme.contains(&name) {
            missing.push(format!("docs/decisions/README.md does not list {name}"));
        }
    }
    assert_none(&missing);
}

/// Where readers are shown how to call guard.
fn shown_to_readers() -> Vec<PathBuf> {
    let files = |dir: &str| {
        let mut found = Vec::new();
        let mut open = vec![root().join(dir)];
        while let Some(dir) = open.pop() {
            for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() { open.push(path) } else { found.push(path) }
            }
        }
        found
    };
    let mut found = [files("docs"), files("deploy"), files("schedules"), files(".github")].concat();
    found.push(root().join("README.md"));
    // What was decided once is left as it was written.
    found.retain(|path| !relative(path).starts_with("docs/decisions/"));
    found.sort();
    found
}

/// An invocation as it is shown, and whether it is a whole one or a mention that may leave out what it must have.
type Invocation = (String, Vec<String>, bool);

fn invocations(path: &Path) -> Vec<Invocation> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    let place = |line: &str| format!("{}: {}", relative(path), line.trim());
    let whole = |line: &str| calls(line).into_iter().map(|words| (place(line), words, true)).collect::<Vec<_>>();
    let text = text.replace("\\\n", " ");
    if path.extension().is_none_or(|extension| extension != "md") {
        return text.lines().flat_map(whole).collect();
    }
    let mut found = Vec::new();
    for (idx, part) in text.split("\n```").enumerate() {
        if idx % 2 == 1 {
            found.extend(part.lines().skip(1).flat_map(whole));
            continue;
        }
        // What is quoted in a sentence may go on in the next line.
        let spans = part.split("\n\n").flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2));
        let spans = spans.map(|span| span.replace('\n', " "));
        found.extend(
            spans.flat_map(|span| {
                calls(&span).into_iter().map(|words| (place(&span), words, false)).collect::<Vec<_>>()
            }),
        );
    }
    found
}

/// The calls of guard in a line of shell, of a unit or of YAML.
fn calls(line: &str) -> Vec<Vec<String>> {
    let line = line.trim();
    for list in ["args: [", "CMD [", "command: [guard, "] {
        if let Some((_, items)) = line.split_once(list) {
            let items = items.trim_end_matches(']').split(',').map(|item| item.trim().trim_matches('"').to_owned());
            return vec![std::iter::once("guard".to_owned()).chain(items).collect()];
        }
    }
    if line.starts_with('#') {
        return Vec::new();
    }
    let mut line = line.to_owned();
    while let (Some(begin), Some(end)) = (line.find("${{"), line.find("}}")) {
        line.replace_range(begin..end + 2, "X");
    }
    let commands = ["&&", ";", "|", "$("].iter().fold(vec![line.as_str()], |pieces, mark| {
        pieces.into_iter().flat_map(|piece| piece.split(mark)).collect::<Vec<_>>()
    });
    commands.into_iter().filter_map(call).collect()
}

fn call(command: &str) -> Option<Vec<String>> {
    let mut command = command.trim();
    for lead in ["$ ", "- ", "run: ", "ExecStart=", "ExecStartPre=", "/usr/local/bin/"] {
        command = command.strip_prefix(lead).unwrap_or(command).trim_start();
    }
    let mut words = Vec::new();
    for word in command.split_whitespace().take_while(|word| !word.starts_with(['#', '>'])) {
        words.push(word.trim_matches(['"', '\'', ')']).to_owned());
    }
    // An ellipsis stands for what is not shown.
    words.retain(|word| word != "…");
    (words.first().is_some_and(|word| word == "guard") && words.len() > 1).then_some(words)
}

#[test]
fn every_call_of_guard_that_readers_are_shown_is_understood() {
    let mut problems = Vec::new();
    let mut n_calls = 0;
    for (place, words, is_whole) in shown_to_readers().iter().flat_map(|path| invocations(path)) {
        n_calls += 1;
        let backup = match Cli::command().try_get_matches_from(&words) {
            Ok(matches) => {
                let of_verb = matches.subcommand().map(|(_, matches)| matches.clone());
                of_verb.and_then(|matches| matches.try_get_one::<String>("id").ok()?.cloned())
            }
            Err(error) if !is_whole && error.kind() == ErrorKind::MissingRequiredArgument => None,
            Err(error) => {
                let reason = error.to_string();
                problems.push(format!("{place}\n    {}", reason.lines().next().unwrap_or_default()));
                None
            }
        };
        if let Some(Err(error)) = backup.filter(|id| id != "ID").map(|id| id.parse::<Selector>()) {
            problems.push(format!("{place}\n    {error}"));
        }
    }
    assert_none(&problems);
    assert!(n_calls > 120, "only {n_calls} calls were found");
}
