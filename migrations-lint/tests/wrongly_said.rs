//! What guard once said wrongly of public migrations: each cause with SQL of which the rule is silent now, and its like of which it still speaks.

use migrations_lint::engine::Engine;
use migrations_lint::migration::{Direction, MigrationFile, MigrationSet, Part, TransactionMode};
use migrations_lint::report::Finding;
use migrations_lint::source_text::{SourceText, Span};
use migrations_lint::{Options, lint};

/// The findings of the last of these PostgreSQL files, each run in a transaction.
fn findings(files: &[&str]) -> Vec<Finding> {
    let files = files.iter().enumerate().map(|(idx, text)| MigrationFile {
        source: SourceText::new(format!("{idx}.sql"), *text),
        version: None,
        name: String::new(),
        parts: vec![Part {
            direction: Direction::Up,
            span: Span::new(0, text.len()),
            transaction: TransactionMode::PerPart,
        }],
        reported: idx + 1 == files.len(),
    });
    let set =
        MigrationSet { layout: "sqlx", engine: Some(Engine::PostgreSql), server_version: None, files: files.collect() };
    lint(&set, &Options::default()).findings
}

/// The rule says nothing of the first set of files and speaks of the second.
fn check(rule: &str, silent: &[&str], loud: &[&str]) {
    let speaks = |files| findings(files).iter().any(|finding| finding.rule == rule);
    assert!(!speaks(silent), "{rule} speaks of {silent:?}");
    assert!(speaks(loud), "{rule} is silent of {loud:?}");
}

#[test]
fn an_emptied_table_has_nothing_to_violate_or_to_read() {
    let made = "CREATE TABLE t (a int, b text);";
    for (rule, change) in [
        ("add-column-not-null", "ALTER TABLE t ADD COLUMN c int NOT NULL;"),
        ("add-column-rewrites-table", "ALTER TABLE t ADD COLUMN c serial;"),
        ("constraint-fails-on-existing-rows", "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a);"),
        ("constraint-fails-on-existing-rows", "CREATE UNIQUE INDEX u ON t (a);"),
        ("set-not-null-fails-on-nulls", "ALTER TABLE t ALTER COLUMN a SET NOT NULL;"),
        ("change-column-type", "ALTER TABLE t ALTER COLUMN a TYPE bigint;"),
    ] {
        for emptied in ["TRUNCATE t;", "DELETE FROM t;", "DELETE FROM t WHERE true;"] {
            check(rule, &[made, &format!("{emptied} {change}")], &[made, change]);
        }
        for not_emptied in [
            "DELETE FROM t WHERE a = 1;",
            "TRUNCATE t; INSERT INTO t SELECT 1, 'x';",
            "DO $$ BEGIN IF current_user = 'x' THEN TRUNCATE t; END IF; END $$;",
        ] {
            check(rule, &[made], &[made, &format!("{not_emptied} {change}")]);
        }
    }
    for (rule, change) in [
        ("create-index-not-concurrent", "CREATE INDEX i ON t (a);"),
        ("set-not-null-scans", "ALTER TABLE t ALTER COLUMN a SET NOT NULL;"),
        ("add-check-not-valid", "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);"),
        ("slow-statement-under-lock", "ALTER TABLE u ADD COLUMN c int; CREATE INDEX i ON t (a);"),
    ] {
        // Deleted rows are still there to be read over.
        check(rule, &[made, &format!("TRUNCATE t; {change}")], &[made, &format!("DELETE FROM t; {change}")]);
    }
    check(
        "add-column-not-null",
        &[made, "SELECT 1;"],
        &[made, "TRUNCATE t;", "ALTER TABLE t ADD COLUMN c int NOT NULL;"],
    );
}

#[test]
fn what_is_unique_already_stays_unique_with_more_columns() {
    let rule = "constraint-fails-on-existing-rows";
    let made = "CREATE TABLE t (id int PRIMARY KEY, a int, b int, CONSTRAINT u UNIQUE (a));";
    let more = "ALTER TABLE t DROP CONSTRAINT u; ALTER TABLE t ADD CONSTRAINT u2 UNIQUE (a, b);";
    check(rule, &[made, more], &[made, "ALTER TABLE t DROP CONSTRAINT u; ALTER TABLE t ADD CONSTRAINT u2 UNIQUE (b);"]);
    check(
        rule,
        &[made, "ALTER TABLE t ADD CONSTRAINT t_id UNIQUE (id);"],
        &[
            made,
            "ALTER TABLE t DROP CONSTRAINT u; UPDATE t SET a = 1 WHERE b = 2; ALTER TABLE t ADD CONSTRAINT u2 UNIQUE (a, b);",
        ],
    );
    check(
        rule,
        &[made, "CREATE UNIQUE INDEX i ON t (a, lower(b::text));"],
        &[made, "ALTER TABLE t DROP CONSTRAINT u; ALTER TABLE t ADD CONSTRAINT u2 UNIQUE NULLS NOT DISTINCT (a, b);"],
    );
    check(rule, &[made, more], &[made, "ALTER TABLE t DROP CONSTRAINT u;", "CREATE UNIQUE INDEX i ON t (a, b);"]);
    let wider =
        |made: &str| format!("{made} ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id, b);");
    check(rule, &[made, &wider("ALTER TABLE t ALTER COLUMN b SET NOT NULL;")], &[made, &wider("")]);
}

#[test]
fn a_dropped_constraint_may_have_a_successor_under_another_name() {
    let rule = "drop-constraint";
    let made = "CREATE TABLE p (id int PRIMARY KEY); \
                CREATE TABLE t (a int, p_id int, CONSTRAINT u UNIQUE (a), CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p (id));";
    let dropped = "ALTER TABLE t DROP CONSTRAINT fk;";
    for successor in [
        "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id);",
        "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id, a) REFERENCES p (id, a);",
        "ALTER TABLE t RENAME TO s; ALTER TABLE s RENAME COLUMN p_id TO parent; ALTER TABLE p RENAME TO parents; \
         ALTER TABLE s ADD CONSTRAINT s_p FOREIGN KEY (parent) REFERENCES parents (id);",
        "DROP TABLE t;",
        "DROP TABLE p;",
        "ALTER TABLE t DROP COLUMN p_id;",
    ] {
        check(rule, &[made, &format!("{dropped} {successor}")], &[made, dropped]);
    }
    for other in [
        "ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (a) REFERENCES p (id);",
        "ALTER TABLE t ADD CONSTRAINT t_q FOREIGN KEY (p_id) REFERENCES q (id);",
        "DROP TABLE q;",
        "ALTER TABLE t DROP COLUMN a;",
    ] {
        check(rule, &[made], &[made, &format!("{dropped} {other}")]);
    }
    let dropped = "ALTER TABLE t DROP CONSTRAINT u;";
    check(
        rule,
        &[made, &format!("{dropped} CREATE UNIQUE INDEX i ON t (a);")],
        &[made, &format!("{dropped} CREATE UNIQUE INDEX i ON t (a) WHERE p_id > 0;")],
    );
    check(
        rule,
        &["ALTER TABLE t DROP CONSTRAINT u; CREATE UNIQUE INDEX u ON t (a);"],
        &[made, &format!("{dropped} CREATE UNIQUE INDEX i ON t (a, p_id);")],
    );
}

#[test]
fn a_key_in_the_place_of_one_that_cascaded_changes_nothing() {
    let made = |action: &str| {
        format!(
            "CREATE TABLE p (id int PRIMARY KEY, x int); CREATE TABLE t (p_id int, x int, CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p (id) {action});"
        )
    };
    let renewed = "ALTER TABLE t DROP CONSTRAINT fk; ALTER TABLE t ADD CONSTRAINT fk2 FOREIGN KEY (p_id, x) REFERENCES p (id, x) ON DELETE CASCADE;";
    check("foreign-key-cascade", &[&made("ON DELETE CASCADE"), renewed], &[&made("ON DELETE NO ACTION"), renewed]);
}

#[test]
fn a_foreign_key_put_back_under_another_name_cannot_fail() {
    let made = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (p_id int, CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p (id));";
    check(
        "constraint-fails-on-existing-rows",
        &[
            made,
            "ALTER TABLE t DROP CONSTRAINT fk; ALTER TABLE t ADD CONSTRAINT fk2 FOREIGN KEY (p_id) REFERENCES p (id);",
        ],
        &[
            made,
            "ALTER TABLE t DROP CONSTRAINT fk; ALTER TABLE t ADD CONSTRAINT fk2 FOREIGN KEY (p_id) REFERENCES q (id);",
        ],
    );
}

#[test]
fn an_index_of_a_table_that_goes_as_well_costs_nothing() {
    let made = "CREATE TABLE t (a int); CREATE INDEX i ON t (a);";
    check("drop-index-not-concurrent", &[made, "DROP INDEX i; DROP TABLE t;"], &[made, "DROP INDEX i; DROP TABLE u;"]);
}

#[test]
fn an_index_goes_with_its_only_column() {
    let rest = "ALTER TABLE t ADD COLUMN a int; CREATE INDEX i ON t (a);";
    check(
        "create-without-guard",
        &[&format!("ALTER TABLE t DROP COLUMN a; {rest}")],
        &[&format!("ALTER TABLE t DROP COLUMN b; {rest}")],
    );
}

#[test]
fn triggers_and_policies_have_a_name_for_each_table() {
    let policy = |table: &str| format!("CREATE POLICY p ON {table} USING (true);");
    check(
        "drop-object",
        &[&format!("{} DROP POLICY p ON t; DROP POLICY IF EXISTS p ON t;", policy("t"))],
        &[&policy("u"), &format!("{} DROP POLICY p ON u;", policy("t"))],
    );
}

#[test]
fn a_new_enum_value_compared_with_text_is_only_text() {
    let added = "ALTER TYPE mood ADD VALUE 'happy';";
    check(
        "enum-value-used-in-same-transaction",
        &[&format!("{added} ALTER TABLE t ADD CONSTRAINT c CHECK (m::text IN ('sad', 'happy'));")],
        &[&format!("{added} ALTER TABLE t ADD CONSTRAINT c CHECK (m IN ('sad', 'happy'));")],
    );
}

#[test]
fn char_fits_into_varchar_of_its_length() {
    let made = "CREATE TABLE t (a char(36));";
    check(
        "narrow-column-type",
        &[made, "ALTER TABLE t ALTER COLUMN a TYPE varchar(36);"],
        &[made, "ALTER TABLE t ALTER COLUMN a TYPE varchar(35);"],
    );
}

#[test]
fn a_setting_may_be_quoted() {
    let function = |path: &str| {
        format!("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER {path} AS $$ SELECT 1 $$;")
    };
    let rule = "security-definer-search-path";
    check(rule, &[&function("SET \"search_path\" TO ''")], &[&function("SET \"work_mem\" TO '1MB'")]);
    let altered = format!("{} ALTER FUNCTION f() SET \"search_path\" TO '';", function(""));
    check(rule, &[&altered], &[&function("")]);
}

#[test]
fn a_column_filled_under_its_former_name_is_filled() {
    let made = "CREATE TABLE t (a text NOT NULL);";
    let swap = "ALTER TABLE t ADD COLUMN b text; {} ALTER TABLE t DROP COLUMN a; ALTER TABLE t RENAME COLUMN b TO a; ALTER TABLE t ALTER COLUMN a SET NOT NULL;";
    check(
        "set-not-null-fails-on-nulls",
        &[made, &swap.replace("{}", "UPDATE t SET b = a;")],
        &[made, &swap.replace("{}", "UPDATE t SET c = a;")],
    );
}

#[test]
fn row_level_security_may_be_enabled_far_below() {
    let enabled = "CREATE TABLE o (a int); ALTER TABLE o ENABLE ROW LEVEL SECURITY;";
    let between = "SELECT 1;\n".repeat(2000);
    let rule = "table-without-row-level-security";
    let table = |end: &str| format!("CREATE TABLE t (a int);\n{between}{end}");
    check(rule, &[enabled, &table("ALTER TABLE t ENABLE ROW LEVEL SECURITY;")], &[enabled, &table("")]);
    check(
        rule,
        &[enabled],
        &[enabled, "ALTER TABLE t ENABLE ROW LEVEL SECURITY; DROP TABLE t; CREATE TABLE t (a int);"],
    );
}

#[test]
fn names_in_help_and_fixes_keep_their_quotes() {
    let of = |rule: &str, files: &[&str]| {
        let found = findings(files).into_iter().find(|finding| finding.rule == rule);
        found.map(|finding| finding.help).expect("the rule speaks")
    };
    let key = "ALTER TABLE \"T\" ADD CONSTRAINT \"T_p\" FOREIGN KEY (a) REFERENCES p (id);";
    assert!(of("add-foreign-key-not-valid", &[key]).contains("VALIDATE CONSTRAINT \"T_p\""));
    assert!(of("add-constraint-without-guard", &[key]).contains("DROP CONSTRAINT IF EXISTS \"T_p\""));
    let not_null = "ALTER TABLE t ALTER COLUMN \"createdAt\" SET NOT NULL;";
    assert!(of("set-not-null-scans", &[not_null]).contains("CHECK (\"createdAt\" IS NOT NULL)"));
    assert!(of("set-not-null-fails-on-nulls", &[not_null]).contains("WHERE \"createdAt\" IS NULL"));
}

#[test]
fn a_fix_puts_its_words_where_they_belong() {
    let sql = "ALTER TYPE item_value_kind ADD VALUE 'some value';";
    let found = findings(&[sql]);
    let fix = &found.iter().find(|finding| !finding.fix.is_empty()).expect("a fix").fix[0];
    assert_eq!(&sql[..fix.span.start], "ALTER TYPE item_value_kind ADD VALUE");
}
