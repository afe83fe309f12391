//! Commands that put data back, printed to be run as they stand: no secret is in them, for the source's own configuration is used.

use super::Session;
use crate::catalog::{BackupId, Manifest, SourceFacts};
use crate::config::Config;

/// What puts a database back as its backup has it.
pub(super) fn restore_command(backup: &Manifest, config: &Config, session: &Session) -> String {
    let how: &[&str] = match &backup.facts {
        // What a partial backup lacks would be dropped for good.
        SourceFacts::Postgres(facts) if facts.selection.is_empty() => {
            &["--to", "source", "--replace", "--over-source", "--yes"]
        }
        SourceFacts::Postgres(_) => &["--to", "source", "--clean", "--over-source", "--yes"],
        SourceFacts::Redis(_) => &["--to", "URL", "--clean", "--over-source", "--yes"],
    };
    command(backup, how, config, session)
}

/// What lays an undo export beside the database that it was taken of.
pub(super) fn undo_command(export: &Manifest, config: &Config, session: &Session) -> String {
    let database = export.postgres().map_or("guard", |facts| facts.database.as_str());
    let beside = name_beside(database, &export.id);
    command(export, &["--to", "source", "--beside", &beside, "--create"], config, session)
}

/// A database of its own for each export: what was looked at before stays.
fn name_beside(database: &str, export: &BackupId) -> String {
    // 63 bytes are what PostgreSQL keeps of a name.
    let plain: String = database
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .take(48)
        .collect();
    let (_, tail) = export.as_str().split_once('-').unwrap_or_default();
    format!("{plain}_undo_{tail}")
}

fn command(backup: &Manifest, how: &[&str], config: &Config, session: &Session) -> String {
    let mut words = vec!["guard".to_owned()];
    if let Some(file) = &session.request.file {
        words.extend(["--config".to_owned(), quoted(&file.to_string_lossy())]);
    }
    words.extend(["restore", backup.id.as_str(), "--source", backup.source.as_str()].map(str::to_owned));
    words.extend(how.iter().map(ToString::to_string));
    let is_encrypted = backup.streams.iter().any(|stream| !stream.recipients.is_empty());
    if is_encrypted && config.encryption.identity.is_none() {
        words.extend(["--identity", "KEY_FILE"].map(str::to_owned));
    }
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+=@:,".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::name_beside;

    #[test]
    fn the_name_beside_needs_no_quotes_and_fits() {
        let export = "20261121T020000Z-k3m9xq".parse().unwrap();
        assert_eq!(name_beside("Shop-2", &export), "shop_2_undo_k3m9xq");
        let long = name_beside(&"ä".repeat(63), &export);
        assert_eq!((long.len(), long.ends_with("__undo_k3m9xq")), (60, true), "{long}");
    }
}
