//! `guard lint` as a user meets it: paths, selections, formats, the baseline, exit decisions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use guard::cli::lint::{Environment, LintArgs, LintOutcome, run_in};
use migrations_lint::baseline::Date;
use migrations_lint::layout::{InputFile, Layout, find_sets};
use serde_json::Value;
use tempfile::TempDir;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    lint: LintArgs,
}

/// A temporary directory that is no repository and has no framework's file above it.
struct Project {
    root: TempDir,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let project = Self { root: tempfile::tempdir().expect("a temporary directory") };
        for (path, text) in files {
            project.write(path, text.as_bytes());
        }
        project
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
        fs::write(path, bytes).expect("a file");
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"];
        let output = Command::new("git").args(identity).args(arguments).current_dir(self.root.path()).output();
        let output = output.expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs with arguments in which `{}` stands for the root.
    fn try_lint(&self, arguments: &str) -> anyhow::Result<LintOutcome> {
        let root = self.root.path().to_str().expect("a readable path");
        let arguments = arguments.split_whitespace().map(|argument| argument.replace("{}", root));
        let cli = Cli::try_parse_from(std::iter::once("lint".to_owned()).chain(arguments))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(run_in(cli.lint, &environment()))
    }

    fn lint(&self, arguments: &str) -> LintOutcome {
        self.try_lint(arguments).expect("the run succeeds")
    }

    /// `rule file-name` of each finding.
    fn found(&self, arguments: &str) -> Vec<String> {
        let document = json(&self.lint(&format!("{arguments} --format json")));
        let findings = document["findings"].as_array().expect("a list").iter();
        let name = |path: &Value| {
            let path = Path::new(path.as_str().expect("a path")).strip_prefix(self.root.path());
            path.expect("below the root").display().to_string()
        };
        findings
            .map(|finding| format!("{} {}", finding["rule"].as_str().expect("a rule"), name(&finding["file"])))
            .collect()
    }

    /// Only the findings of one rule.
    fn found_of(&self, rule: &str, arguments: &str) -> Vec<String> {
        let mut found = self.found(arguments);
        found.retain(|finding| finding.starts_with(rule));
        found
    }
}

fn environment() -> Environment {
    let today = Date { year: 2027, month: 1, day: 1 };
    Environment { today, color: false, width: 100, is_github: false, database_url: None }
}

fn json(outcome: &LintOutcome) -> Value {
    serde_json::from_str(&outcome.text).expect("JSON")
}

/// Everything below a directory, as the listing of a caller that does the reading.
fn listing(folder: &Path, root: &Path) -> Vec<InputFile> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(listing(&path, root));
        } else {
            let text = fs::read_to_string(&path).expect("text");
            let shown = path.strip_prefix(root).expect("below");
            files.push(InputFile::new(shown, Path::new("/project").join(shown), text));
        }
    }
    files
}

fn copy(from: &Path, project: &Project) {
    for file in listing(from, from) {
        project.write(file.path.to_str().expect("a readable path"), file.text.as_bytes());
    }
}

#[test]
fn every_layout_is_detected_from_its_files() {
    let layouts = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lint/layouts");
    for layout in Layout::ALL {
        let folder = layouts.join(layout.as_str());
        let sets = find_sets(listing(&folder, &folder), None);
        let found: Vec<_> = sets.iter().map(|found| found.layout).collect();
        assert_eq!(found, [layout], "{}", folder.display());
        let n_files = sets[0].set.files.len();
        let project = Project::new(&[]);
        copy(&folder, &project);
        let document = json(&project.lint("{} --format json --fail-on never"));
        assert_eq!(document["files"], n_files, "{}", folder.display());
        let set_findings = project.found_of("edited-after-apply", "{}");
        assert_eq!(set_findings, Vec::<String>::new(), "{}", folder.display());
    }
}

#[test]
fn a_repository_with_several_sets_is_linted_whole() {
    let project = Project::new(&[
        ("app/prisma/migrations/migration_lock.toml", "provider = \"postgresql\""),
        ("app/prisma/migrations/20240101000000_a/migration.sql", "-- nothing"),
        ("db/migrate/1_x.up.sql", "-- nothing"),
        ("node_modules/x/1_x.sql", "-- nothing"),
        (".hidden/1_x.sql", "-- nothing"),
    ]);
    let expected = [
        "empty-migration app/prisma/migrations/20240101000000_a/migration.sql",
        "empty-migration db/migrate/1_x.up.sql",
    ];
    assert_eq!(project.found("{}"), expected);
}

#[test]
fn queries_and_seeds_beside_migrations_are_left_out_unless_named() {
    let project = Project::new(&[("m/1_a.up.sql", "-- nothing"), ("src/find.sql", "DROP TABLE t;")]);
    assert_eq!(project.found("{}"), ["empty-migration m/1_a.up.sql"]);
    assert!(project.lint("{}").notes[0].starts_with("1 SQL files that belong to no set"));
    assert!(project.found("{} {}/src/find.sql").contains(&"drop-table src/find.sql".to_owned()));
    assert!(project.found("{}/src").contains(&"drop-table src/find.sql".to_owned()));
}

#[test]
fn migrations_for_a_database_that_is_not_understood_are_left_out_with_a_note() {
    let project = Project::new(&[("db/clickhouse/1_a.sql", "-- nothing"), ("db/postgres/1_a.sql", "-- nothing")]);
    assert_eq!(project.found("{}"), ["empty-migration db/postgres/1_a.sql"]);
    assert!(project.lint("{}").notes[0].contains("clickhouse"));
    assert_eq!(project.found("{} --engine postgresql").len(), 2);
    let error = project.try_lint("{}/db/clickhouse").expect_err("nothing to lint is no pass");
    assert!(error.to_string().contains("clickhouse"), "{error}");
}

#[test]
fn a_single_file_is_reported_alone_with_its_set_as_context() {
    let project = Project::new(&[
        ("m/1_a.up.sql", "-- nothing"),
        ("m/2_b.up.sql", "-- nothing"),
        ("m/2_b.down.sql", "SELECT 1;"),
        ("m/1_a.down.sql", "SELECT 1;"),
    ]);
    assert_eq!(project.found("{}/m/2_b.up.sql"), ["empty-migration m/2_b.up.sql"]);
    assert_eq!(json(&project.lint("{}/m/2_b.up.sql --format json"))["files"], 1);
}

#[test]
fn a_single_migration_folder_is_linted_in_its_set() {
    let project = Project::new(&[
        ("migrations/migration_lock.toml", "provider = \"postgresql\""),
        ("migrations/20240101000000_a/migration.sql", "-- nothing"),
        ("migrations/20240102000000_b/migration.sql", "-- nothing"),
    ]);
    let expected = ["empty-migration migrations/20240102000000_b/migration.sql"];
    assert_eq!(project.found("{}/migrations/20240102000000_b"), expected);
    assert_eq!(project.found("{}/migrations/20240102000000_b/migration.sql"), expected);
}

#[test]
fn plain_files_named_one_by_one_do_not_look_at_their_neighbours() {
    let project = Project::new(&[("1_a.sql", "-- nothing"), ("01_b.sql", "-- nothing")]);
    assert_eq!(project.found("{}/1_a.sql"), ["empty-migration 1_a.sql"]);
    assert_eq!(project.found_of("duplicate", "{}/1_a.sql {}/01_b.sql"), ["duplicate-version 01_b.sql"]);
}

#[test]
fn since_reports_what_was_added_or_changed_and_knows_what_is_older() {
    let project = Project::new(&[("m/1_a.sql", "SELECT 1;"), ("m/3_c.sql", "SELECT 3;"), ("m/4_d.sql", "SELECT 4;")]);
    project.git(&["init", "-q"]);
    project.git(&["add", "."]);
    project.git(&["commit", "-qm", "base"]);
    project.git(&["checkout", "-qb", "feature"]);
    project.write("m/2_b.sql", b"-- nothing");
    project.git(&["add", "."]);
    project.git(&["commit", "-qm", "new"]);
    project.write("m/3_c.sql", b"SELECT 33;");
    project.write("m/5_e.sql", b"-- nothing");
    let expected = [
        "empty-migration m/2_b.sql",
        "out-of-order-version m/2_b.sql",
        "edited-after-apply m/3_c.sql",
        "empty-migration m/5_e.sql",
    ];
    assert_eq!(project.found("{}/m --since main"), expected);
    let error = project.try_lint("{}/m --since no-such-ref").expect_err("an unknown ref");
    assert!(format!("{error:#}").contains("no-such-ref"), "{error:#}");
}

#[test]
fn the_fail_level_decides_the_answer() {
    let project = Project::new(&[("1_a.sql", "-- nothing"), ("2_b.sql", "SELECT 1;")]);
    let passes = |arguments: &str| project.lint(&format!("{{}} {arguments}")).passes;
    assert!(!passes(""));
    assert!(passes("--fail-on never"));
    assert!(passes("--rule empty-migration=warning"));
    assert!(!passes("--rule empty-migration=warning --fail-on warning"));
    assert!(passes("--rule empty-migration=off --fail-on warning"));
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_it() {
    let project = Project::new(&[("empty/README.md", "x"), ("x.txt", "x"), ("m/1_a.sql", "SELECT 1;")]);
    for (arguments, part) in [
        ("{}/missing", "missing"),
        ("{}/empty", "no SQL files found"),
        ("{}/x.txt", "is not an .sql file"),
        ("{} --rule no-such=off", "no-such"),
        ("{} --rule empty-migratio=off", "did you mean \"empty-migration\""),
        ("{}/m --baseline {}/none.toml", "none.toml"),
        ("{}/m --pending", "--database"),
    ] {
        let error = project.try_lint(arguments).expect_err(arguments);
        assert!(format!("{error:#}").contains(part), "{arguments}: {error:#}");
    }
}

#[test]
fn bytes_that_are_wrong_encoding_are_read_as_nearly_as_possible() {
    let project = Project::new(&[]);
    project.write("1_latin.sql", b"-- caf\xe9\nSELECT 1;");
    let utf16: Vec<u8> = "\u{feff}SELECT 1;".encode_utf16().flat_map(u16::to_le_bytes).collect();
    project.write("2_windows.sql", &utf16);
    assert_eq!(
        project.found_of("wrong-encoding", "{}"),
        ["wrong-encoding 1_latin.sql", "wrong-encoding 2_windows.sql"]
    );
    let document = json(&project.lint("{} --format json"));
    assert_eq!(document["findings"].as_array().map(Vec::len), Some(2), "{document}");
}

#[test]
fn a_baseline_silences_what_was_there_until_it_expires() {
    let project = Project::new(&[("m/1_a.sql", "-- nothing")]);
    let baseline = "--baseline {}/guard-baseline.toml --fail-on warning";
    let written = project.lint(&format!("{{}}/m {baseline} --write-baseline --owner ann --expires 2027-06-30"));
    assert!(written.passes && written.notes[0].starts_with("1 findings written"), "{written:?}");
    let text = fs::read_to_string(project.path("guard-baseline.toml")).expect("the baseline");
    assert!(text.contains("owner = \"ann\"") && text.contains("expires = 2027-06-30"), "{text}");
    assert!(project.lint(&format!("{{}}/m {baseline}")).passes);
    project.write("m/2_b.sql", b"-- nothing new");
    assert!(!project.lint(&format!("{{}}/m {baseline}")).passes);
    project.write("guard-baseline.toml", text.replace("2027-06-30", "2026-12-31").as_bytes());
    let expired = project.lint(&format!("{{}}/m {baseline}"));
    assert!(!expired.passes && expired.notes[0].contains("expired"), "{expired:?}");
}

#[test]
fn a_suppression_with_its_reason_is_counted_not_shown() {
    let project = Project::new(&[("1_a.sql", "-- guard:ignore-file empty-migration -- a placeholder")]);
    let document = json(&project.lint("{} --format json"));
    assert_eq!(document["findings"], serde_json::json!([]));
    assert_eq!(document["summary"]["suppressed"], 1);
}

#[test]
fn github_annotations_are_the_default_in_github_actions() {
    let project = Project::new(&[("1_a.sql", "-- nothing")]);
    let cli = Cli::try_parse_from(["lint", project.root.path().to_str().expect("a readable path")]).expect("arguments");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let environment = Environment { is_github: true, ..environment() };
    let outcome = runtime.block_on(run_in(cli.lint, &environment)).expect("the run succeeds");
    assert!(outcome.text.starts_with("::error file="), "{}", outcome.text);
}

#[test]
fn rules_are_listed_and_explained() {
    let project = Project::new(&[]);
    let list = project.lint("--list-rules").text;
    assert!(list.lines().any(|line| line.starts_with("missing-down ") && line.contains("migration-set")), "{list}");
    let rules = json(&project.lint("--list-rules --format json"));
    assert!(rules["rules"].as_array().is_some_and(|rules| rules.len() == list.lines().count()));
    assert!(project.lint("--explain missing-down").text.contains("RAISE EXCEPTION"));
    let error = project.try_lint("--explain missing-dwon").expect_err("a typing error");
    assert!(error.to_string().contains("did you mean \"missing-down\""), "{error}");
}

#[test]
fn unclear_arguments_are_refused() {
    for arguments in ["", "x --since a --all", "x --fix --diff", "x --layout rails", "x --rule a", "x --engine oracle"]
    {
        let parsed = Cli::try_parse_from(std::iter::once("lint").chain(arguments.split_whitespace()));
        assert!(parsed.is_err(), "{arguments}");
    }
}

#[test]
fn a_diff_shows_what_fix_writes_and_fix_leaves_nothing_to_fix() {
    let text = "CREATE TABLE a (id bigint);\r\nALTER TABLE b ADD COLUMN c int;\r\n";
    let project = Project::new(&[("1_a.sql", text)]);
    let diff = project.lint("{} --diff");
    assert!(!diff.passes && diff.text.contains("\n-CREATE TABLE a (id bigint);\r\n"), "{}", diff.text);
    assert!(diff.text.contains("\n+CREATE TABLE IF NOT EXISTS a (id bigint);\r\n"), "{}", diff.text);
    assert_eq!(fs::read_to_string(project.path("1_a.sql")).expect("text"), text);
    let fixed = project.lint("{} --fix");
    assert!(fixed.notes[0].contains("findings fixed in 1 files"), "{fixed:?}");
    let written = fs::read_to_string(project.path("1_a.sql")).expect("text");
    assert!(written.starts_with("CREATE TABLE IF NOT EXISTS a (id bigint);\r\n"), "{written}");
    assert!(written.contains("ADD COLUMN IF NOT EXISTS c int"), "{written}");
    assert_eq!(project.lint("{} --diff").text, "");
}

#[test]
fn what_could_not_be_read_exactly_is_never_written() {
    let project = Project::new(&[]);
    let bytes = b"-- caf\xe9\nCREATE TABLE a (id bigint);";
    project.write("1_a.sql", bytes);
    project.lint("{} --fix");
    assert_eq!(fs::read(project.path("1_a.sql")).expect("bytes"), bytes);
}

#[test]
fn squawk_comments_keep_their_meaning() {
    let project = Project::new(&[(
        "1_a.sql",
        "-- squawk-ignore ban-drop-table, prefer-robust-stmts\nDROP TABLE a;\nDROP TABLE b;",
    )]);
    let lines: Vec<_> = json(&project.lint("{} --format json"))["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|finding| finding["rule"] == "drop-table" || finding["rule"] == "drop-without-if-exists")
        .map(|finding| finding["start"]["line"].clone())
        .collect();
    assert_eq!(lines, [3, 3]);
}

#[test]
fn line_endings_matter_where_the_framework_hashes_bytes() {
    let text = "SELECT 1;\r\nSELECT 2;\n";
    let sqlx = Project::new(&[("sqlx.toml", ""), ("m/1_a.sql", text)]);
    assert_eq!(sqlx.found("{}"), ["mixed-line-endings m/1_a.sql"]);
    assert_eq!(Project::new(&[("m/1_a.sql", text)]).found("{}"), Vec::<String>::new());
}
