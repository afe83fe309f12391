//! One run over a set: read the files side by side, then walk them in order with the context and ask the rules.

use std::cell::OnceCell;

use crate::engine::{Engine, ServerVersion};
use crate::fingerprint::Fingerprints;
use crate::migration::{Direction, MigrationFile, MigrationSet, Part};
use crate::options::Options;
use crate::report::{Class, Finding, Report, Severity};
use crate::rule::{Check, Draft, PartView, Rule, View};
use crate::rules::ALL;
use crate::rules::parsing::{LIMIT_EXCEEDED, too_many};
use crate::schema::Catalog;
use crate::session::Session;
use crate::source_text::{Position, Span};
use crate::statement::Statement;

mod reading;

use reading::ReadPart;

/// Findings beyond this many in one file say nothing new and only fill memory.
const MAX_FINDINGS_PER_FILE: usize = 10_000;

/// A statement's text in a finding is cut off after this many bytes.
const MAX_STATEMENT_BYTES: usize = 8 * 1024;

/// Lints the set; see [`crate::lint`].
pub(crate) fn run(set: &MigrationSet, options: &Options) -> Report {
    let engine = options.engine.or(set.engine).unwrap_or_default();
    let version = options.server_version.or(set.server_version).unwrap_or(engine.default_version());
    let read = reading::read(set, options, engine);
    let first_new = set.files.iter().position(|file| file.reported).filter(|first| *first > 0);
    let mut walk = Walk {
        set,
        engine,
        version,
        rules: enabled(options),
        catalog: Catalog::new(first_new),
        report: Report::default(),
    };
    for (file_idx, parts) in read.iter().enumerate() {
        walk.file(file_idx, parts);
    }
    walk.pairs(&read);
    walk.whole_set();
    walk.finish()
}

/// The rules that are on, with the severity of their findings.
fn enabled(options: &Options) -> Vec<(&'static Rule, Severity)> {
    ALL.iter()
        .filter_map(|rule| {
            let severity = options.severities.get(rule.info.id).copied().unwrap_or(rule.info.default_severity);
            severity.severity().map(|severity| (*rule, severity))
        })
        .collect()
}

struct Walk<'a> {
    set: &'a MigrationSet,
    engine: Engine,
    version: ServerVersion,
    rules: Vec<(&'static Rule, Severity)>,
    catalog: Catalog,
    report: Report,
}

impl Walk<'_> {
    fn file(&mut self, file_idx: usize, parts: &[ReadPart]) {
        let file = &self.set.files[file_idx];
        self.catalog.enter_file(file_idx);
        if file.reported {
            self.report.n_files += 1;
            self.report.n_statements += parts.iter().map(|part| part.statements.len()).sum::<usize>();
        }
        let first_finding = self.report.findings.len();
        for (part, read) in file.parts.iter().zip(parts) {
            self.part(file, part, read, first_finding + MAX_FINDINGS_PER_FILE);
        }
        let findings = &mut self.report.findings[first_finding..];
        findings.sort_by_key(|finding| (finding.span, finding.rule));
        fill_positions(findings, file.source.text());
    }

    fn part(&mut self, file: &MigrationFile, part: &Part, read: &ReadPart, limit: usize) {
        let direction = part.direction;
        let ReadPart { statements, mode, places, failures } = read;
        let part = PartView {
            source: &file.source,
            layout: self.set.layout,
            direction,
            mode: *mode,
            engine: self.engine,
            version: self.version,
            statements,
            places,
            failures,
            secured: OnceCell::new(),
        };
        // A down starts where its up ended, and leads away from where the next file goes on.
        if direction == Direction::Down {
            self.catalog.remember();
        }
        let mut session = Session::default();
        for (statement_idx, statement) in statements.iter().enumerate() {
            let place = places[statement_idx];
            session.enter(place.transaction);
            if file.reported && self.report.findings.len() < limit {
                let view = View { part: &part, statement, statement_idx, catalog: &self.catalog, session: &session };
                let found = ask(&self.rules, &view);
                self.report.findings.extend(found);
                if self.report.findings.len() >= limit {
                    let draft = too_many(statement.span, MAX_FINDINGS_PER_FILE);
                    self.report.findings.push(place_finding(&LIMIT_EXCEEDED, Severity::Warning, draft, &view));
                }
            }
            if statement.is_defined_only {
                continue;
            }
            session.apply(statement, &self.catalog);
            if !place.rolled_back {
                self.catalog.apply(&statement.kind, place.transaction);
                self.catalog.note_rows(statement);
            }
        }
        if direction == Direction::Down {
            self.catalog.take_back();
        }
    }

    /// Each down with the up before it: in the same file, or in the file of the same version.
    fn pairs(&mut self, read: &[Vec<ReadPart>]) {
        let mut up: Option<(&MigrationFile, &[Statement])> = None;
        let mut ups: rustc_hash::FxHashMap<&str, &[Statement]> = rustc_hash::FxHashMap::default();
        for (file, parts) in self.set.files.iter().zip(read) {
            let only_up = |part: &&Part| part.direction == Direction::Up;
            if let (Some(version), 1, 1) = (&file.version, file.parts.len(), file.parts.iter().filter(only_up).count())
            {
                ups.insert(version, &parts[0].statements);
            }
        }
        for (file, parts) in self.set.files.iter().zip(read).filter(|(file, _)| file.reported) {
            for (part, ReadPart { statements, .. }) in file.parts.iter().zip(parts) {
                if part.direction == Direction::Up {
                    up = Some((file, statements));
                } else if part.direction == Direction::Down {
                    let same_file = up.filter(|(of, _)| std::ptr::eq(*of, file)).map(|(_, statements)| statements);
                    let of_version = file.version.as_deref().and_then(|version| ups.get(version).copied());
                    if let Some(up) = same_file.or(of_version) {
                        self.pair(file, up, statements);
                    }
                }
            }
        }
    }

    fn pair(&mut self, file: &MigrationFile, up: &[Statement], down: &[Statement]) {
        for (rule, severity) in &self.rules {
            let Check::Pair(check) = rule.check else { continue };
            let mut drafts = Vec::new();
            check(up, down, &mut drafts);
            for draft in drafts {
                self.report.findings.push(finding(rule, *severity, draft, file, ""));
            }
        }
    }

    fn whole_set(&mut self) {
        for (rule, severity) in &self.rules {
            let Check::Set(check) = rule.check else { continue };
            let mut drafts = Vec::new();
            check(self.set, &mut drafts);
            for found in drafts {
                let file = &self.set.files[found.file_idx];
                if file.reported {
                    self.report.findings.push(finding(rule, *severity, found.draft, file, ""));
                }
            }
        }
    }

    fn finish(mut self) -> Report {
        let order: rustc_hash::FxHashMap<&std::path::Path, usize> =
            self.set.files.iter().enumerate().map(|(file_idx, file)| (file.source.path(), file_idx)).collect();
        let place = |finding: &Finding| (order.get(&*finding.file).copied(), finding.span, finding.rule);
        self.report.findings.sort_by_cached_key(place);
        let mut fingerprints = Fingerprints::among(self.set.files.iter().map(|file| file.source.path()));
        for finding in &mut self.report.findings {
            finding.fingerprint = fingerprints.of(finding.rule, &finding.file, &finding.statement);
        }
        self.report
    }
}

fn ask(rules: &[(&'static Rule, Severity)], view: &View<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut drafts = Vec::new();
    let is_down = view.part.direction == Direction::Down;
    let rolled_back = view.place().rolled_back;
    for (rule, severity) in rules {
        let Check::Statement(engines, check) = rule.check else { continue };
        let is_out_of_scope = view.statement.is_defined_only && rule.info.class != Class::Security;
        if is_out_of_scope
            || is_down && !rule.judges_downs
            || rolled_back && !rule.judges_rolled_back
            || !engines.include(view.part.engine)
        {
            continue;
        }
        check(view, &mut drafts);
        for draft in drafts.drain(..) {
            found.push(place_finding(rule, *severity, draft, view));
        }
    }
    found
}

fn place_finding(rule: &'static Rule, severity: Severity, draft: Draft, view: &View<'_>) -> Finding {
    let source = view.part.source;
    let span = draft.span;
    Finding {
        rule: rule.info.id,
        class: rule.info.class,
        severity,
        file: source.path().to_owned(),
        span,
        start: NOWHERE,
        end: NOWHERE,
        statement: cut_off(view.sql()).to_owned(),
        message: draft.message,
        why: draft.why,
        help: draft.help,
        fix: draft.fix,
        fingerprint: String::new(),
    }
}

/// Filled in when a file's findings are in order.
const NOWHERE: Position = Position { line: 1, column: 1 };

/// Counts lines and columns once through the text, however many findings there are and however long its lines.
fn fill_positions(findings: &mut [Finding], text: &str) {
    let (mut offset, mut position) = (0, NOWHERE);
    for finding in findings {
        position = position_after(position, &text[offset..finding.span.start]);
        offset = finding.span.start;
        finding.start = position;
        finding.end = position_after(position, &text[finding.span.range()]);
    }
}

fn position_after(start: Position, text: &str) -> Position {
    match text.rfind('\n') {
        None => Position { line: start.line, column: start.column + text.chars().count() },
        Some(newline) => Position {
            line: start.line + memchr::memchr_iter(b'\n', text.as_bytes()).count(),
            column: 1 + text[newline + 1..].chars().count(),
        },
    }
}

fn finding(rule: &'static Rule, severity: Severity, draft: Draft, file: &MigrationFile, statement: &str) -> Finding {
    let span: Span = draft.span;
    debug_assert!(rule.info.class == Class::MigrationSet, "only rules about the set look at files as a whole");
    Finding {
        rule: rule.info.id,
        class: rule.info.class,
        severity,
        file: file.source.path().to_owned(),
        span,
        start: file.source.position(span.start),
        end: file.source.position(span.end),
        statement: statement.to_owned(),
        message: draft.message,
        why: draft.why,
        help: draft.help,
        fix: draft.fix,
        fingerprint: String::new(),
    }
}

fn cut_off(sql: &str) -> &str {
    if sql.len() <= MAX_STATEMENT_BYTES {
        return sql;
    }
    let end = (0..=MAX_STATEMENT_BYTES).rev().find(|end| sql.is_char_boundary(*end)).unwrap_or(0);
    &sql[..end]
}
