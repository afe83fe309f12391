//! Reads a library of migrations: text files of cases, each with its files and what is true of it.

use migrations_lint::layout::Layout;

/// One migration whose truth is known.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) title: String,
    pub(crate) layout: Layout,
    /// Path and text.
    pub(crate) files: Vec<(String, String)>,
    /// What a rehearsal must find, in its order.
    pub(crate) truth: Vec<String>,
}

/// The cases of a text: `=== title`, then sections `--- up`, `--- down`, `--- no transaction` and `--- truth`.
pub(crate) fn library(layout: &str, text: &str) -> Vec<Case> {
    let layout = Layout::from_name(layout).expect("the file is named after a layout");
    let cases: Vec<Case> = text.split("\n=== ").skip(1).map(|case| read(layout, case)).collect();
    assert!(cases.len() >= 10, "the library has cases");
    cases
}

fn read(layout: Layout, text: &str) -> Case {
    let (title, rest) = text.split_once('\n').expect("a title");
    let sections: Vec<(&str, &str)> = format!("\n{rest}")
        .leak()
        .split("\n--- ")
        .skip(1)
        .map(|part| part.split_once('\n').unwrap_or((part, "")))
        .collect();
    let of = |name: &str| sections.iter().find(|(found, _)| *found == name).map(|(_, body)| body.trim_end());
    let up = of("up").or_else(|| of("up, no transaction")).expect("an up");
    let is_plain = of("up, no transaction").is_some();
    let files = files(layout, (up, is_plain), of("down"));
    let truth = of("truth").unwrap_or_default().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    Case { title: title.to_owned(), layout, files, truth }
}

/// The files as the framework has them. Its own marks stand on line 1, the SQL begins on line 2.
fn files(layout: Layout, (up, no_transaction): (&str, bool), down: Option<&str>) -> Vec<(String, String)> {
    let file = |path: &str, text: String| (path.to_owned(), text);
    let mark = |mark: &str| format!("{mark}\n{up}\n");
    match layout {
        Layout::Prisma => {
            let mut files = vec![
                file("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n".to_owned()),
                file("prisma/migrations/20260101000000_a/migration.sql", mark("-- a")),
            ];
            files.extend(
                down.map(|down| file("prisma/migrations/20260101000000_a/down.sql", format!("-- a\n{down}\n"))),
            );
            files
        }
        Layout::Supabase => vec![file("supabase/migrations/20260101000000_a.sql", mark("-- a"))],
        Layout::Dbmate => {
            let option = if no_transaction { " transaction:false" } else { "" };
            let down = down.unwrap_or_default();
            let text = format!("{}-- migrate:down{option}\n{down}\n", mark(&format!("-- migrate:up{option}")));
            vec![file("db/migrations/20260101000000_a.sql", text)]
        }
        Layout::Flyway => {
            let mut files = vec![file("sql/V1__a.sql", mark("-- a"))];
            files.extend(down.map(|down| file("sql/U1__a.sql", format!("-- a\n{down}\n"))));
            files
        }
        Layout::Sqlx | Layout::GolangMigrate => {
            let first = if no_transaction { "-- no-transaction" } else { "-- a" };
            let mut files = vec![file("migrations/1_a.up.sql", mark(first))];
            files.extend(down.map(|down| file("migrations/1_a.down.sql", format!("{first}\n{down}\n"))));
            files
        }
        other => panic!("no files are known for {}", other.as_str()),
    }
}
