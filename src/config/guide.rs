//! The reference part of `docs/guide/configuration.md`, written from the types of the files.

use std::fmt::Write;

use schemars::JsonSchema;
use serde_json::Value;

use super::file::ConfigFile;
use super::schedule::ScheduleFile;
use super::setting::{Kind, Setting, schema, settings};

/// The line of the guide before the generated part.
pub const BEGIN: &str = "<!-- Generated from the types in src/config; do not edit below this line. -->";

/// Every setting of `guard.toml` and of a schedule file, as Markdown.
pub fn render() -> String {
    let mut text = String::new();
    section::<ConfigFile>(&mut text, "guard.toml", true);
    section::<ScheduleFile>(&mut text, "schedules/NAME.toml", false);
    text
}

fn section<T: JsonSchema>(text: &mut String, title: &str, with_variables: bool) {
    let schema = schema::<T>();
    writeln!(text, "\n## `{title}`").expect("writing to a text never fails");
    let mut table = None;
    for setting in in_sections(settings::<T>()) {
        let (key, tables) = setting.path.split_last().expect("a setting has a key");
        let header = tables.iter().map(|part| if part == "*" { "NAME" } else { part }).collect::<Vec<_>>().join(".");
        if table.as_ref() != Some(&header) {
            heading(text, &schema, &header, tables);
            table = Some(header);
        }
        entry(text, &setting, key, with_variables);
    }
}

/// The settings of the top level first, as TOML wants them, then table by table.
fn in_sections(mut settings: Vec<Setting>) -> Vec<Setting> {
    settings.sort_by_key(|setting| setting.path.len() > 1);
    settings
}

fn heading(text: &mut String, schema: &Value, header: &str, tables: &[String]) {
    if header.is_empty() {
        return;
    }
    let step = |schema: &'_ Value, part: &String| match part.as_str() {
        "*" => schema["additionalProperties"].clone(),
        key => schema["properties"][key].clone(),
    };
    let described = tables.iter().fold(schema.clone(), |schema, part| step(&schema, part));
    let about = described["description"].as_str().unwrap_or_default().to_owned();
    write!(text, "\n### `[{header}]`\n\n{about}\n").expect("writing to a text never fails");
}

fn entry(text: &mut String, setting: &Setting, key: &str, with_variables: bool) {
    let mut facts = vec![kind(&setting.kind)];
    if let Some(default) = &setting.default {
        facts.push(format!("default `{default}`"));
    }
    if with_variables {
        let variable = setting.variable();
        facts.push(if setting.kind == Kind::Secret {
            format!("`{variable}`, `…_FILE`, `…_COMMAND`")
        } else {
            format!("`{variable}`")
        });
    }
    write!(text, "\n**`{key}`** · {}  \n{}\n", facts.join(" · "), setting.about)
        .expect("writing to a text never fails");
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Duration => "duration".to_owned(),
        Kind::Choice(choices) => choices.iter().map(|choice| format!("`\"{choice}\"`")).collect::<Vec<_>>().join(", "),
        Kind::Integer => "number".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::List => "list of texts".to_owned(),
        Kind::Secret => "secret".to_owned(),
    }
}
