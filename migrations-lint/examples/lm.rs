//! Scratch.
use migrations_lint::engine::Engine;
use migrations_lint::layout::{InputFile, find_sets};
use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part, TransactionMode};
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Options, lint};
use std::path::Path;
fn walk(dir: &Path, out: &mut Vec<InputFile>) {
    let Ok(rd) = std::fs::read_dir(dir) else { return };
    let mut v: Vec<_> = rd.flatten().collect();
    v.sort_by_key(|e| e.path());
    for e in v {
        let p = e.path();
        if p.is_dir() {
            walk(&p, out);
        } else {
            let name = p.file_name().unwrap().to_string_lossy().to_string();
            if [".sql", ".toml", "_journal.json", ".conf", "atlas.sum"].iter().any(|x| name.ends_with(x)) {
                let b = std::fs::read(&p).unwrap();
                let text = String::from_utf8_lossy(&b).into_owned();
                out.push(InputFile { path: p.clone(), location: p.clone(), text, is_lossy: false });
            }
        }
    }
}
fn cases(path: &str, engine: Engine) {
    let text = std::fs::read_to_string(path).unwrap();
    let (mut nb, mut ng, mut fb, mut ag) = (0, 0, 0, 0);
    for c in text.split("\n-- case: ").skip(1) {
        let (head, sql) = c.split_once('\n').unwrap();
        let mut words = head.split(", ");
        let label = words.next().unwrap();
        let mut engine = engine;
        let mut tx = TransactionMode::None;
        for w in words {
            match w {
                "mariadb" => engine = Engine::MariaDb,
                _ => tx = TransactionMode::PerPart,
            }
        }
        let files: Vec<_> = sql
            .split("\n-- next file\n")
            .enumerate()
            .map(|(i, t)| MigrationFile {
                source: SourceText::new(format!("{i}.sql"), t),
                version: None,
                name: String::new(),
                parts: vec![Part { direction: Direction::Up, span: Span::new(0, t.len()), transaction: tx }],
                reported: true,
            })
            .collect();
        let r = lint(
            &MigrationSet { layout: "plain", engine: Some(engine), server_version: None, files },
            &Options::default(),
        );
        let said: Vec<_> = r.findings.iter().map(|f| format!("{} {}", f.class.as_str(), f.rule)).collect();
        if label == "good" {
            ng += 1;
            if !said.is_empty() {
                ag += 1;
                println!("ALARM {}\n    {said:?}", sql.trim());
            }
        } else {
            nb += 1;
            if r.findings.iter().any(|f| f.class.as_str() == label) {
                fb += 1;
            } else {
                println!("MISS {label} {}\n    {said:?}", sql.trim());
            }
        }
    }
    println!("== {path} found {fb}/{nb} alarms {ag}/{ng}");
}
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args[0] == "cases" {
        let e = match args[2].as_str() {
            "my" => Engine::MySql,
            "sq" => Engine::Sqlite,
            _ => Engine::PostgreSql,
        };
        return cases(&args[1], e);
    }
    for dir in &args {
        let mut files = Vec::new();
        walk(Path::new(dir), &mut files);
        for found in find_sets(files, None) {
            if found.foreign.is_some() {
                continue;
            }
            let r = lint(&found.set, &Options::default());
            eprintln!(
                "SET\t{}\t{}\t{:?}\tguessed={}\tfiles={}\tstatements={}\tfindings={}",
                found.folder.display(),
                found.layout.as_str(),
                found.set.engine,
                found.is_engine_guessed,
                r.n_files,
                r.n_statements,
                r.findings.len()
            );
            for f in &r.findings {
                println!(
                    "{}",
                    serde_json::json!({"rule": f.rule, "class": f.class.as_str(), "file": f.file.display().to_string(), "line": f.start.line, "message": f.message, "why": f.why, "statement": f.statement, "layout": found.layout.as_str(), "engine": format!("{:?}", found.set.engine)})
                );
            }
        }
    }
}
