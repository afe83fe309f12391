use super::*;

/// A listing under `/repo`, as a caller would hand it over.
fn listing(files: &[(&str, &str)]) -> Vec<InputFile> {
    files.iter().map(|(path, text)| InputFile::new(*path, Path::new("/repo").join(path), *text)).collect()
}

fn found(files: &[(&str, &str)]) -> Vec<FoundSet> {
    find_sets(listing(files), None)
}

/// One line a part: layout, version, name, direction, transaction, text.
fn describe(sets: &[FoundSet]) -> Vec<String> {
    let mut lines = Vec::new();
    for found in sets {
        for file in &found.set.files {
            let version = file.version.as_deref().unwrap_or("-");
            for part in &file.parts {
                let text = file.source.slice(part.span).trim();
                let (direction, transaction) = (part.direction, part.transaction);
                lines
                    .push(format!("{} {version} {} {direction:?} {transaction:?} {text}", found.set.layout, file.name));
            }
        }
    }
    lines
}

fn check(files: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(describe(&found(files)), expected);
}

fn observations(files: &[(&str, &str)]) -> Vec<String> {
    let sets = found(files);
    let describe = |observation: &Observation| match observation {
        Observation::NotRun { file, .. } => format!("not run: {}", file.display()),
        Observation::Missing { name, .. } => format!("missing: {name}"),
        Observation::Skipped { file, .. } => format!("skipped: {}", file.display()),
        Observation::SumMismatch { file, what } => format!("sum: {}: {what}", file.display()),
        Observation::NotUtf8 { file } => format!("not utf-8: {}", file.display()),
    };
    sets.iter().flat_map(|found| &found.observations).map(describe).collect()
}

#[test]
fn prisma_is_known_by_its_lock_file_and_gives_the_engine() {
    let files = [
        ("prisma/migrations/migration_lock.toml", "provider = \"mysql\""),
        ("prisma/migrations/20240202000000_b/migration.sql", "b"),
        ("prisma/migrations/20240101000000_a/migration.sql", "a"),
        ("prisma/migrations/20240101000000_a/down.sql", "undo a"),
    ];
    check(
        &files,
        &[
            "prisma 20240101000000_a a Up ImplicitPerPart a",
            "prisma 20240101000000_a a Down ImplicitPerPart undo a",
            "prisma 20240202000000_b b Up ImplicitPerPart b",
        ],
    );
    assert_eq!(found(&files)[0].set.engine, Some(Engine::MySql));
}

#[test]
fn prisma_without_its_lock_file_is_known_by_its_folders() {
    check(&[("migrations/20240101000000_a/migration.sql", "a")], &["prisma 20240101000000_a a Up ImplicitPerPart a"]);
}

#[test]
fn drizzle_follows_its_journal_and_shows_what_it_skips() {
    let journal = r#"{"dialect":"postgresql","entries":[
        {"idx":0,"when":200,"tag":"0000_a","breakpoints":true},
        {"idx":1,"when":100,"tag":"0001_b","breakpoints":true},
        {"idx":2,"when":300,"tag":"0002_gone","breakpoints":true}]}"#;
    let files = [
        ("drizzle/meta/_journal.json", journal),
        ("drizzle/0000_a.sql", "a"),
        ("drizzle/0001_b.sql", "b"),
        ("drizzle/9999_manual.sql", "m"),
    ];
    check(&files, &["drizzle 200 a Up WholeSet a", "drizzle 100 b Up WholeSet b"]);
    assert_eq!(
        observations(&files),
        ["skipped: drizzle/0001_b.sql", "missing: 0002_gone.sql", "not run: drizzle/9999_manual.sql"]
    );
}

#[test]
fn the_newer_drizzle_layout_is_told_from_prisma_by_its_snapshots() {
    let files = [("migrations/20240101000000_a/migration.sql", "a"), ("migrations/20240101000000_a/snapshot.json", "")];
    check(&files, &["drizzle 20240101000000 a Up WholeSet a"]);
}

#[test]
fn supabase_reads_the_server_version_from_its_configuration() {
    let files = [
        ("supabase/config.toml", "[db]\nmajor_version = 17\n"),
        ("supabase/migrations/20240101000000_a.sql", "a"),
        ("supabase/migrations/notes.sql", "n"),
    ];
    check(&files, &["supabase 20240101000000 a Up PerPart a"]);
    assert_eq!(found(&files)[0].set.server_version, Some(ServerVersion { major: 17, minor: 0 }));
    assert_eq!(observations(&files), ["not run: supabase/migrations/notes.sql"]);
}

#[test]
fn diesel_takes_the_transaction_mode_from_metadata() {
    let files = [
        ("migrations/2024-01-02-000000_b/up.sql", "b"),
        ("migrations/2024-01-02-000000_b/metadata.toml", "run_in_transaction = false"),
        ("migrations/2024-01-01-000000_a/up.sql", "a"),
        ("migrations/2024-01-01-000000_a/down.sql", "undo a"),
        ("migrations/2024-01-03-000000_c/up.sql", "c"),
        ("migrations/2024-01-03-000000_c/metadata.toml", "# empty: the field defaults to false"),
    ];
    check(
        &files,
        &[
            "diesel 20240101000000 a Up PerPart a",
            "diesel 20240101000000 a Down PerPart undo a",
            "diesel 20240102000000 b Up None b",
            "diesel 20240103000000 c Up None c",
        ],
    );
}

#[test]
fn a_cargo_dependency_tells_refinery_from_flyway() {
    let files = [("crates/app/migrations/V2__b.sql", "b"), ("crates/app/migrations/V1__a.sql", "a")];
    check(&files, &["flyway 1 a Up PerPart a", "flyway 2 b Up PerPart b"]);
    let manifest =
        ("crates/app/Cargo.toml", "[dependencies]\nrefinery = { version = \"0.8\", features = [\"rusqlite\"] }");
    let with_manifest: Vec<_> = files.into_iter().chain([manifest]).collect();
    check(&with_manifest, &["refinery 1 a Up PerPart a", "refinery 2 b Up PerPart b"]);
    assert_eq!(found(&with_manifest)[0].set.engine, Some(Engine::Sqlite));
}

#[test]
fn flyway_orders_versions_by_their_parts_and_repeatables_last() {
    let files = [
        ("db/R__views.sql", "r"),
        ("db/V1.10__c.sql", "c"),
        ("db/V1.2__b.sql", "b"),
        ("db/U1.2__b.sql", "undo b"),
        ("db/V1_1__a.sql", "a"),
        ("db/V2_oops.sql", "o"),
    ];
    check(
        &files,
        &[
            "flyway 1.1 a Up PerPart a",
            "flyway 1.2 b Up PerPart b",
            "flyway 1.2 b Down PerPart undo b",
            "flyway 1.10 c Up PerPart c",
            "flyway - views Repeatable PerPart r",
        ],
    );
    assert_eq!(observations(&files), ["not run: db/V2_oops.sql"]);
}

#[test]
fn flyway_leaves_the_transaction_out_where_it_must_or_is_told() {
    let files = [
        ("db/V1__a.sql", "-- CREATE INDEX CONCURRENTLY is not here\nselect 1"),
        ("db/V2__b.sql", "create index concurrently i on t (c);"),
        ("db/V3__c.sql", "select 1"),
        ("db/V3__c.sql.conf", "executeInTransaction=false"),
    ];
    let modes: Vec<_> = found(&files)[0].set.files.iter().map(|file| file.parts[0].transaction).collect();
    assert_eq!(modes, [TransactionMode::PerPart, TransactionMode::None, TransactionMode::None]);
}

#[test]
fn goose_parts_are_those_between_its_annotations() {
    let text = "-- +goose NO TRANSACTION\n-- +goose Up\nup;\n-- +goose StatementBegin\nx;\n-- +goose StatementEnd\n-- +goose Down\ndown;\n";
    check(
        &[("m/00002_b.sql", text), ("m/00001_a.sql", "--+goose up\na;\n")],
        &[
            "goose 1 a Up PerPart a;",
            "goose 2 b Up None up;\n-- +goose StatementBegin\nx;\n-- +goose StatementEnd",
            "goose 2 b Down None down;",
        ],
    );
}

#[test]
fn dbmate_files_may_hold_several_pairs_with_options() {
    let text = "-- migrate:up transaction:false\na;\n-- migrate:down\nb;\n-- migrate:up\nc;\n";
    check(
        &[("db/migrations/20240101_x.sql", text)],
        &["dbmate 20240101 x Up None a;", "dbmate 20240101 x Down PerPart b;", "dbmate 20240101 x Up PerPart c;"],
    );
}

#[test]
fn sqlx_is_told_from_golang_migrate_by_its_project() {
    let files = [("m/2_b.up.sql", "-- no-transaction\nb"), ("m/2_b.down.sql", "undo b"), ("m/1_a.up.sql", "a")];
    check(
        &files,
        &[
            "golang-migrate 1 a Up ImplicitPerPart a",
            "golang-migrate 2 b Up ImplicitPerPart -- no-transaction\nb",
            "golang-migrate 2 b Down ImplicitPerPart undo b",
        ],
    );
    let with_marker: Vec<_> = files.into_iter().chain([("sqlx.toml", "")]).collect();
    check(
        &with_marker,
        &["sqlx 1 a Up PerPart a", "sqlx 2 b Up None -- no-transaction\nb", "sqlx 2 b Down PerPart undo b"],
    );
}

#[test]
fn liquibase_changesets_and_their_rollbacks_are_parts() {
    let text = "--liquibase formatted sql\n\n--changeset ann:1 dbms:postgresql runInTransaction:false\na;\n\
                --rollback undo a;\n--changeset ann:2 runOnChange:true\nb;\n/* liquibase rollback\nundo b;\n*/\n\
                --changeset ann:3 dbms:oracle\nc;\n";
    check(
        &[("db/changelog.sql", text)],
        &[
            "liquibase - changelog Up None a;",
            "liquibase - changelog Down None undo a;",
            "liquibase - changelog Repeatable PerPart b;",
            "liquibase - changelog Down PerPart undo b;",
        ],
    );
}

#[test]
fn liquibase_delimiters_ignored_lines_and_long_rollbacks_are_no_statements() {
    let text = "--liquibase formatted sql\n--changeset ann:1 endDelimiter:\\n/\na;\n/\nb;\n/\n--rollback DROP\n\
                --rollback TABLE t;\n--changeset ann:2\n--ignoreLines:start\nx;\n--ignoreLines:end\nc;\n";
    check(
        &[("db/changelog.sql", text)],
        &[
            "liquibase - changelog Up PerPart a;",
            "liquibase - changelog Up PerPart b;",
            "liquibase - changelog Up PerPart c;",
        ],
    );
}

#[test]
fn atlas_directives_set_the_transaction_mode_and_checkpoints_do_not_run() {
    let files = [
        ("m/atlas.sum", "h1:x\n"),
        ("m/1_a.sql", "-- atlas:txmode none\n\na"),
        ("m/2_b.sql", "-- atlas:txmode none\nb"),
        ("m/3_c.sql", "-- atlas:checkpoint\n\nc"),
        ("m/4_d.sql", "-- atlas:txtar\n\n-- migration.sql --\nd\n-- down.sql --\nundo d\n"),
    ];
    check(
        &files,
        &[
            "atlas 1 a Up None -- atlas:txmode none\n\na",
            "atlas 2 b Up PerPart -- atlas:txmode none\nb",
            "atlas 4 d Up PerPart d",
            "atlas 4 d Down PerPart undo d",
        ],
    );
}

#[test]
fn atlas_sum_is_checked_up_to_the_first_difference() {
    // The running SHA-256 over "1_a.sql", "a", "2_b.sql", "b": computed with another implementation.
    let sum = "h1:ignored\n1_a.sql h1:+1VkwTX4eVPjPuf/o2A2RwW+n3/dHN1n02igZ62f+18=\n2_b.sql h1:HbYuOckIE74MrJeiKtOVYXoT8OrxijS1c4RzwIOkIyY=\n";
    let files = |b: &'static str| [("m/atlas.sum", sum), ("m/1_a.sql", "a"), ("m/2_b.sql", b)];
    assert_eq!(observations(&files("b")), Vec::<String>::new());
    assert_eq!(observations(&files("edited")), ["sum: m/2_b.sql: its text differs from the one that was hashed"]);
    let added: Vec<_> = files("b").into_iter().chain([("m/3_c.sql", "c")]).collect();
    assert_eq!(observations(&added), ["sum: m/3_c.sql: it is not listed"]);
    assert_eq!(observations(&files("b")[..2]), ["missing: 2_b.sql"]);
}

#[test]
fn numbered_plain_files_are_one_set_and_each_other_file_its_own() {
    let files = [("sql/10_c.sql", "c"), ("sql/2-b.sql", "b"), ("sql/seed.sql", "s"), ("sql/schema.sql", "t")];
    check(
        &files,
        &["plain - schema Up None t", "plain - seed Up None s", "plain 2 b Up None b", "plain 10 c Up None c"],
    );
}

#[test]
fn the_way_back_is_known_by_the_markers_and_names_of_small_tools() {
    check(
        &[("m/1_a.sql", "-- +migrate Up notransaction\na;\n-- +migrate Down\nb;")],
        &["plain 1 a Up None a;", "plain 1 a Down PerPart b;"],
    );
    check(
        &[("m/001.sql", "a;\n---- create above / drop below ----\nb;")],
        &["plain 1  Up PerPart a;", "plain 1  Down PerPart b;"],
    );
    check(
        &[("m/001.undo.users.sql", "b;"), ("rollback/2_x.sql", "c;")],
        &["plain 1 undo.users Down None b;", "plain 2 x Down None c;"],
    );
}

#[test]
fn a_number_of_its_own_is_the_way_forward_whatever_its_name_says() {
    check(
        &[
            ("m/41_a.sql", "a;"),
            ("m/42-rollback-triggers.sql", "b;"),
            ("m/43_x.sql", "c;"),
            ("m/43_x_rollback.sql", "d;"),
        ],
        &[
            "plain 41 a Up None a;",
            "plain 42 rollback-triggers Up None b;",
            "plain 43 x Up None c;",
            "plain 43 x_rollback Down None d;",
        ],
    );
}

#[test]
fn a_v_before_the_number_of_a_plain_file_is_passed_over() {
    check(
        &[
            ("m/V0010.b.up.sql", "b;"),
            ("m/V0002.a.up.sql", "a;"),
            ("m/V0002.a.down.sql", "z;"),
            ("m/version.sql", "v;"),
        ],
        &[
            "plain - version Up None v;",
            "plain 2 a.up Up None a;",
            "plain 2 a.down Down None z;",
            "plain 10 b.up Up None b;",
        ],
    );
}

#[test]
fn flyway_runs_callbacks_at_their_events() {
    let files = [
        ("db/V1__a.sql", "a"),
        ("db/afterMigrate__views.sql", "c"),
        ("db/beforeEachMigrate.sql", "d"),
        ("db/V2-b.sql", "b"),
    ];
    assert_eq!(observations(&files), ["not run: db/V2-b.sql"]);
    assert_eq!(found(&files)[0].set.files.len(), 3);
}

#[test]
fn a_repository_with_several_sets_gives_each_of_them() {
    let files = [
        ("prisma/migrations/migration_lock.toml", "provider = \"postgresql\""),
        ("prisma/migrations/20240101000000_a/migration.sql", "a"),
        ("db/migrate/1_x.up.sql", "x"),
        ("db/seed.sql", "s"),
    ];
    let layouts: Vec<_> = found(&files).iter().map(|found| found.set.layout).collect();
    assert_eq!(layouts, ["plain", "golang-migrate", "prisma"]);
}

#[test]
fn a_layout_may_be_forced() {
    let files = listing(&[("m/1_x.sql", "x"), ("m/2_y.sql", "y")]);
    assert_eq!(describe(&find_sets(files, Some(Layout::Sqlx))), ["sqlx 1 x Up PerPart x", "sqlx 2 y Up PerPart y"]);
}

#[test]
fn text_after_a_byte_order_mark_is_what_runs() {
    check(&[("m/1_x.sql", "\u{feff}x")], &["plain 1 x Up None x"]);
}

#[test]
fn a_file_that_is_wrong_encoding_is_seen() {
    let mut files = listing(&[("m/1_x.sql", "x")]);
    files[0].is_lossy = true;
    let sets = find_sets(files, None);
    assert!(matches!(&sets[0].observations[..], [Observation::NotUtf8 { .. }]));
}

#[test]
fn what_was_applied_is_not_pending_and_edits_are_seen() {
    let mut sets = found(&[("sqlx.toml", ""), ("m/1_a.sql", "a"), ("m/2_b.sql", "b"), ("m/3_c.sql", "c")]);
    let row = |version: &str, checksum: &str| Applied {
        version: version.to_owned(),
        checksum: Some(checksum.to_owned()),
        failed: false,
    };
    let rows = [row("1", &checksum::sha384_hex(b"a")), row("2", &checksum::sha384_hex(b"before the edit"))];
    assert_eq!(mark_pending(&mut sets[0], &rows), [1]);
    let pending: Vec<_> = sets[0].set.files.iter().map(|file| file.reported).collect();
    assert_eq!(pending, [false, false, true]);
}

#[test]
fn golang_migrate_counts_everything_up_to_its_version_as_applied() {
    let mut sets = found(&[("m/1_a.up.sql", "a"), ("m/5_b.up.sql", "b"), ("m/9_c.up.sql", "c")]);
    let rows = [Applied { version: "5".to_owned(), checksum: None, failed: false }];
    assert_eq!(mark_pending(&mut sets[0], &rows), Vec::<usize>::new());
    let pending: Vec<_> = sets[0].set.files.iter().map(|file| file.reported).collect();
    assert_eq!(pending, [false, false, true]);
}

#[test]
fn an_edited_repeatable_is_pending_and_flyway_versions_compare_by_value() {
    let mut sets = found(&[("db/V1.0__a.sql", "a"), ("db/R__my_view.sql", "v2")]);
    let row = |version: &str, text: &str| Applied {
        version: version.to_owned(),
        checksum: Some(checksum::flyway_crc32(text).to_string()),
        failed: false,
    };
    assert_eq!(mark_pending(&mut sets[0], &[row("1", "a"), row("my view", "v1")]), Vec::<usize>::new());
    let pending: Vec<_> = sets[0].set.files.iter().map(|file| file.reported).collect();
    assert_eq!(pending, [false, true]);
}

#[test]
fn liquibase_is_pending_while_any_of_its_changesets_is() {
    let text = "--liquibase formatted sql\n--changeset ann:1\na;\n--changeset ann:2\nb;\n";
    let row = |version: &str| Applied { version: version.to_owned(), checksum: None, failed: false };
    let mut sets = found(&[("db/c.sql", text)]);
    mark_pending(&mut sets[0], &[row("ann:1")]);
    assert!(sets[0].set.files[0].reported);
    mark_pending(&mut sets[0], &[row("ann:1"), row("ann:2")]);
    assert!(!sets[0].set.files[0].reported);
}

#[test]
fn flyway_s_own_names_are_read_from_its_configuration() {
    let conf = "flyway.sqlMigrationPrefix=M\nflyway.sqlMigrationSeparator=--\nflyway.undoSqlMigrationPrefix=X\n";
    check(
        &[("flyway.conf", conf), ("sql/M2--b.sql", "b"), ("sql/M1--a_a.sql", "a"), ("sql/X1--a_a.sql", "undo")],
        &["flyway 1 a a Up PerPart a", "flyway 1 a a Down PerPart undo", "flyway 2 b Up PerPart b"],
    );
    let toml = "[flyway]\nsqlMigrationSuffixes = [\".up.sql\"]\nrepeatableSqlMigrationPrefix = \"REP\"\n";
    check(
        &[("flyway.toml", toml), ("sql/V1__a.up.sql", "a"), ("sql/REP__v.up.sql", "v")],
        &["flyway 1 a Up PerPart a", "flyway - v Repeatable PerPart v"],
    );
    let files = [("flyway.conf", conf), ("sql/M1--a.sql", "a"), ("sql/M2__b.sql", "b")];
    assert_eq!(observations(&files), ["not run: sql/M2__b.sql"]);
}

#[test]
fn each_dialect_of_pop_s_names_is_a_set_of_its_own() {
    let sets = found(&[
        ("m/1_a.up.sql", "a"),
        ("m/2_b.mysql.up.sql", "b"),
        ("m/2_b.sqlite3.up.sql", "c"),
        ("m/2_b.postgres.up.sql", "d"),
    ]);
    let engines: Vec<_> = sets.iter().map(|found| (found.set.engine, found.set.files.len())).collect();
    assert_eq!(engines, [(Some(Engine::PostgreSql), 2), (Some(Engine::MySql), 1), (Some(Engine::Sqlite), 1)]);
}
