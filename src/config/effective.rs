//! The configuration in effect, setting by setting, each with the place it came from: what `guard config show` prints.

use schemars::JsonSchema;
use serde::Serialize;
use toml::{Table, Value};

use super::StoreConfig;
use super::file::ConfigFile;
use super::load::Loaded;
use super::schedule::ScheduleFile;
use super::setting::{Kind, Setting, settings};
use super::twin::Origin;

/// One setting in effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its dotted key.
    pub key: String,
    /// Its value as it would be written; `***` for a secret.
    pub value: String,
    /// Where it came from: `guard.toml:3`, a variable, a flag, or `default`.
    pub origin: String,
}

/// Every setting that has a value, said or by default.
pub fn effective(loaded: &Loaded) -> Vec<Shown> {
    let mut shown = Vec::new();
    collect::<ConfigFile>("", &loaded.said, loaded, &mut shown);
    if !shown.iter().any(|shown| shown.key == "store.url")
        && let StoreConfig::Directory { path, .. } = &loaded.config.store
    {
        let value = Value::from(path.display().to_string()).to_string();
        shown.push(Shown { key: "store.url".to_owned(), value, origin: "default".to_owned() });
    }
    shown.sort_by(|one, two| one.key.cmp(&two.key));
    for (name, table) in &loaded.schedules {
        collect::<ScheduleFile>(&format!("schedule.{name}."), table, loaded, &mut shown);
    }
    shown
}

/// The settings as lines of `key = value  # origin`, the origins in one column.
pub fn render(shown: &[Shown]) -> String {
    let lines =
        shown.iter().map(|shown| (format!("{} = {}", shown.key, shown.value), &shown.origin)).collect::<Vec<_>>();
    let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0).min(56);
    lines.iter().fold(String::new(), |text, (line, origin)| text + &format!("{line:width$}  # {origin}\n"))
}

fn collect<T: JsonSchema>(prefix: &str, said: &Table, loaded: &Loaded, shown: &mut Vec<Shown>) {
    for setting in settings::<T>() {
        for path in expand(&setting.path, said) {
            let key = format!("{prefix}{}", path.join("."));
            let value = look_up(said, &path);
            let origin = loaded.origins.get(&key).map_or("default".to_owned(), ToString::to_string);
            let text = match value {
                Some(value) if setting.kind == Kind::Secret => Some(mask(value)),
                Some(value) => Some((value.to_string(), None)),
                None => default_text(&setting).map(|text| (text, None)),
            };
            let Some((value, place)) = text else { continue };
            // A secret's own variable is named once.
            let place = place.filter(|_| !matches!(loaded.origins.get(&key), Some(Origin::Variable(_))));
            let origin = place.map_or_else(|| origin.clone(), |place| format!("{origin}, {place}"));
            shown.push(Shown { key, value, origin });
        }
    }
}

/// The path for each name that the configuration has in the place of a `*`.
fn expand(path: &[String], said: &Table) -> Vec<Vec<String>> {
    let Some(star) = path.iter().position(|key| key == "*") else { return vec![path.to_vec()] };
    let named = look_up(said, &path[..star]).and_then(Value::as_table);
    let replace = |name: &String| path.iter().map(|key| if key == "*" { name.clone() } else { key.clone() }).collect();
    named.into_iter().flat_map(Table::keys).map(replace).collect()
}

fn look_up<'a>(table: &'a Table, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let value = table.get(first)?;
    if rest.is_empty() { Some(value) } else { look_up(value.as_table()?, rest) }
}

/// The stars, and where the secret is read from: a variable's or a file's name is no secret, a program's arguments may be.
fn mask(value: &Value) -> (String, Option<String>) {
    let place = value.as_table().and_then(|place| place.iter().next()).map(|(form, place)| match place {
        Value::Array(words) => {
            format!("read from the program {}", words.first().map(Value::to_string).unwrap_or_default())
        }
        place => format!("read from the {} {place}", if form == "env" { "variable" } else { "file" }),
    });
    ("***".to_owned(), place)
}

fn default_text(setting: &Setting) -> Option<String> {
    setting.default.as_ref().map(ToString::to_string)
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { place } => f.write_str(place),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// One sentence about a configuration without problems.
pub fn summary(loaded: &Loaded) -> String {
    let config = &loaded.config;
    let file = config.file.as_ref().map_or("no configuration file".to_owned(), |file| file.display().to_string());
    let count = |number: usize, one: &str| if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") };
    let n_sources = config.sources.len();
    let store = match &config.store {
        StoreConfig::Directory { path, .. } => path.display().to_string(),
        StoreConfig::S3(bucket) => format!("s3://{}/{}", bucket.bucket, bucket.prefix),
    };
    let encryption = match config.encryption.recipients.len() {
        0 => "not encrypted".to_owned(),
        recipients => format!("encrypted to {}", count(recipients, "recipient")),
    };
    let schedules = count(config.schedules.len(), "schedule");
    format!("{file}: no problems: {}, {schedules}, store {store}, {encryption}", count(n_sources, "source"))
}
