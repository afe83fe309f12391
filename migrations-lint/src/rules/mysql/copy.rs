//! ALTER TABLE that copies or rebuilds the table, or lets nobody write meanwhile.

use super::algorithm::{Cost, cost};
use crate::options::RuleSeverity;
use crate::report::Class;
use crate::rule::{Draft, Engines, Example, Rule, RuleInfo, View};
use crate::statement::{ActionKind, AlterTable, Kind};

const SETUP: &str = "CREATE TABLE t (id int NOT NULL PRIMARY KEY, a int, b varchar(20)) ENGINE=InnoDB; INSERT INTO t VALUES (1, 1, 'x');";
const WITH_PARENT: &str =
    "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int NOT NULL PRIMARY KEY, p_id int);";

pub(crate) static COPY: Rule = Rule::new(
    RuleInfo {
        id: "mysql-table-copy",
        class: Class::Lock,
        default_severity: RuleSeverity::Error,
        summary: "MySQL copies the whole table for this change, and nobody writes to it meanwhile.",
        docs: "InnoDB changes most things in place, but not a column's type or character set, the order of rows, a stored column, a checked constraint, or \
               the loss of the primary key: these run with `ALGORITHM=COPY`, which lets readers in and no writer, and holds up every replica for as \
               long. A `VARCHAR` may grow within one byte of length (up to 255 bytes, a quarter as many characters of utf8mb4), an `ENUM` at its end. A \
               foreign key is added in place only with `foreign_key_checks = 0`: ask for orphans before. For the rest use gh-ost or \
               pt-online-schema-change, or add a column and move over. Writing `ALGORITHM=INSTANT` (or `INPLACE, LOCK=NONE`) makes the server refuse \
               rather than copy.\n\nThe old type is known when a migration of the set has made the column.",
        bad: &[
            Example::new(SETUP, "ALTER TABLE t MODIFY COLUMN a bigint;").mysql(),
            Example::new(SETUP, "ALTER TABLE t CONVERT TO CHARACTER SET latin1;").mysql(),
            Example::new(SETUP, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int AS (a + 1) STORED;").mariadb(),
            Example::new(SETUP, "ALTER TABLE t ADD COLUMN IF NOT EXISTS k varchar(36) DEFAULT (uuid());").mariadb(),
            Example::new(SETUP, "ALTER TABLE t DROP PRIMARY KEY;").mysql(),
            Example::new(WITH_PARENT, "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id);").mysql(),
            Example::new(SETUP, "ALTER TABLE t ADD CONSTRAINT t_a CHECK (a > 0);").mysql(),
            Example::new(SETUP, "ALTER TABLE t ENGINE=Aria;").mariadb(),
            Example::new(SETUP, "ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 2;").mysql(),
        ],
        good: &[
            Example::new(SETUP, "CREATE TABLE IF NOT EXISTS work (a int);\nALTER TABLE work MODIFY COLUMN a bigint;").mysql(),
            Example::new(SETUP, "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int NOT NULL DEFAULT 0;").mariadb(),
            Example::new(SETUP, "ALTER TABLE t COMMENT = 'things';").mysql(),
            Example::new(SETUP, "CREATE INDEX IF NOT EXISTS t_a ON t (a);").mariadb(),
        ],
    },
    Engines::MySql,
    check_copy,
)
.in_downs();

pub(crate) static REBUILD: Rule = Rule::new(
    RuleInfo {
        id: "mysql-table-rebuild",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "MySQL writes the whole table anew in place; the application goes on, the disk and the replicas pay.",
        docs: "Making a column `NOT NULL` or nullable, a new primary key, another row format, `FORCE` and `OPTIMIZE TABLE` rebuild the table and all its \
               indexes. Writes go on and are kept in a log that may overflow; a replica starts when the source has finished and lags by the whole time. \
               Put such changes into one ALTER, run it when little is going on, or use gh-ost.",
        bad: &[
            Example::new(SETUP, "ALTER TABLE t FORCE;").mysql(),
            Example::new(SETUP, "OPTIMIZE TABLE t;").mysql(),
            Example::new(SETUP, "ALTER TABLE t ROW_FORMAT=COMPRESSED;").mysql(),
            Example::new(SETUP, "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, a);").mysql(),
        ],
        good: &[Example::new(SETUP, "ALTER TABLE t AUTO_INCREMENT = 100, COMMENT = 'x';").mysql()],
    },
    Engines::MySql,
    check_rebuild,
);

pub(crate) static BLOCKS: Rule = Rule::new(
    RuleInfo {
        id: "mysql-blocks-writes",
        class: Class::Lock,
        default_severity: RuleSeverity::Warning,
        summary: "The change is made in place, but writers wait until it is done.",
        docs: "Full-text and spatial indexes, a new AUTO_INCREMENT column, and whatever is asked to run with `LOCK=SHARED` or `LOCK=EXCLUSIVE` hold \
               writers up (with EXCLUSIVE, readers as well). Ordinary indexes do not.",
        bad: &[Example::new(
            "CREATE TABLE t (id int PRIMARY KEY, b text); INSERT INTO t VALUES (1, 'x');",
            "CREATE FULLTEXT INDEX IF NOT EXISTS t_b ON t (b);",
        )
        .mariadb()],
        good: &[Example::new(SETUP, "ALTER TABLE t ADD INDEX IF NOT EXISTS t_a (a), LOCK=NONE;").mariadb()],
    },
    Engines::MySql,
    check_blocks,
);

fn check_copy(view: &View<'_>, found: &mut Vec<Draft>) {
    report(view, Cost::Copy, found, |table, what| {
        Draft::new(crate::source_text::Span::default(), format!("writers of {table} wait while it is copied: {what}"))
            .why("ALGORITHM=COPY holds a lock against writes until every row is copied, and a metadata lock against all at the end.")
            .help("Use gh-ost or pt-online-schema-change, or add a new column and move over; ALGORITHM=INSTANT makes the server refuse instead.")
    });
}

fn check_rebuild(view: &View<'_>, found: &mut Vec<Draft>) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    if heaviest(view, alter) != Some(Cost::Rebuild) {
        return;
    }
    report(view, Cost::Rebuild, found, |table, what| {
        Draft::new(crate::source_text::Span::default(), format!("{table} is written anew: {what}"))
            .why("The whole table and its indexes are built again beside the old; replicas begin when it is done and lag by as long.")
            .help("Join it with other changes to the table into one ALTER, and run it when little is going on.")
    });
}

fn check_blocks(view: &View<'_>, found: &mut Vec<Draft>) {
    report(view, Cost::BlocksWrites, found, |table, what| {
        Draft::new(crate::source_text::Span::default(), format!("writers of {table} wait: {what}"))
            .why("The lock against writes is held until the work is done.")
            .help("Run it when nobody writes, or on a copy of the table that is swapped in.")
    });
}

fn heaviest(view: &View<'_>, alter: &AlterTable) -> Option<Cost> {
    alter.actions.iter().filter_map(|action| cost(view, alter, &action.kind)).map(|(cost, _)| cost).max()
}

/// Each clause of an ALTER TABLE in use that costs this much.
fn report(view: &View<'_>, wanted: Cost, found: &mut Vec<Draft>, draft: fn(&str, &str) -> Draft) {
    let Kind::AlterTable(alter) = view.kind() else { return };
    if view.catalog.is_new(&alter.name) || super::refused::asks_for_less(alter) {
        return;
    }
    for action in &alter.actions {
        let what = match &action.kind {
            ActionKind::Algorithm { name } if &**name == "copy" && wanted == Cost::Copy => "ALGORITHM=COPY asks for it",
            ActionKind::Lock { name } if matches!(&**name, "exclusive" | "shared") && wanted == Cost::BlocksWrites => {
                "LOCK= asks for it"
            }
            kind => match cost(view, alter, kind) {
                Some((cost, what)) if cost == wanted => what,
                _ => continue,
            },
        };
        if is_of_new_columns(view, alter, &action.kind) {
            continue;
        }
        found.push(Draft { span: action.span, ..draft(view.written(&alter.name), what) });
    }
}

/// A key over columns that this file has added costs what the columns cost.
fn is_of_new_columns(view: &View<'_>, alter: &AlterTable, kind: &ActionKind) -> bool {
    match kind {
        ActionKind::ModifyColumn { from, .. } => view.catalog.is_new_column(&alter.name, &from.name),
        _ => false,
    }
}
