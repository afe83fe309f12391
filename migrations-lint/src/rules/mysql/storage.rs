//! Storage engines that know no transactions, and the character set that is not all of UTF-8.

use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::source_text::Span;
use crate::statement::{ActionKind, Kind};

pub(crate) static ENGINE: Rule = Rule::new(
    RuleInfo {
        id: "mysql-engine-without-transactions",
        class: Class::Transaction,
        default_severity: RuleSeverity::Warning,
        summary: "The table's storage engine knows no transactions: ROLLBACK leaves its rows as they are.",
        docs: "MyISAM, Aria, MEMORY, CSV and ARCHIVE take part in no transaction, lock the whole table for a write, and may lose rows in a crash; consistent \
               backups (`--single-transaction`) do not cover them. Leave ENGINE out, or write InnoDB.",
        bad: &[
            Example::new("", "CREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY) ENGINE=MyISAM;\nSTART TRANSACTION;\nREPLACE INTO t VALUES (1);\nROLLBACK;").mysql(),
            Example::new("CREATE TABLE t (a int PRIMARY KEY);", "ALTER TABLE t ENGINE=MyISAM;\nSTART TRANSACTION;\nREPLACE INTO t VALUES (1);\nROLLBACK;").mysql(),
        ],
        good: &[Example::new("", "CREATE TABLE IF NOT EXISTS t (a int) ENGINE=InnoDB;").mysql()],
    },
    Engines::MySql,
    engine,
);

pub(crate) static CHARSET: Rule = Rule::new(
    RuleInfo {
        id: "mysql-three-byte-charset",
        class: Class::Style,
        default_severity: RuleSeverity::Off,
        summary: "utf8 (utf8mb3) holds no character beyond three bytes: emoji and many names cannot be stored.",
        docs: "Inserting one fails in strict mode and cuts the text off otherwise. Use utf8mb4.",
        bad: &[Example::new("", "CREATE TABLE IF NOT EXISTS t (a varchar(20)) DEFAULT CHARSET=utf8;").mysql()],
        good: &[Example::new("", "CREATE TABLE IF NOT EXISTS t (a varchar(20)) DEFAULT CHARSET=utf8mb4;").mysql()],
    },
    Engines::MySql,
    charset,
);

fn engine(view: &View<'_>, found: &mut Vec<Draft>) {
    let mut check = |table: &str, span: Span, engine: &str| {
        if matches!(engine, "myisam" | "aria" | "memory" | "heap" | "csv" | "archive" | "merge" | "mrg_myisam") {
            found.push(
                Draft::new(span, format!("{table} is stored by {engine}, which knows no transactions"))
                    .why("ROLLBACK does not take its changes back, a write locks the whole table, and a crash may lose rows.")
                    .help("Leave ENGINE out, or write ENGINE=InnoDB."),
            );
        }
    };
    match view.kind() {
        Kind::CreateTable(create) if !create.is_temporary => {
            if let Some(engine) = &create.engine {
                check(view.written(&create.name), engine.span, &engine.name);
            }
        }
        Kind::AlterTable(alter) => {
            for action in &alter.actions {
                if let ActionKind::TableOption { name, value } = &action.kind
                    && &**name == "engine"
                {
                    check(view.written(&alter.name), action.span, value);
                }
            }
        }
        _ => {}
    }
}

fn charset(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::CreateTable(create) = view.kind() else { return };
    let is_short = |charset: &str| matches!(charset, "utf8" | "utf8mb3");
    let of_table = create.charset.iter().filter(|charset| is_short(&charset.name)).map(|charset| charset.span);
    let of_columns = create
        .columns
        .iter()
        .filter(|column| column.charset.as_deref().is_some_and(is_short))
        .map(|column| column.span);
    found.extend(of_table.chain(of_columns).map(|span| {
        Draft::new(span, "utf8 is three bytes at most: no emoji, no rarer characters")
            .why("An insert with such a character fails, or is cut off before it.")
            .help("Write utf8mb4.")
    }));
}
