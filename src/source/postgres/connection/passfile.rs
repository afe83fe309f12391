//! The password file, `~/.pgpass`, with libpq's rules (<https://www.postgresql.org/docs/current/libpq-pgpass.html>).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tracing::warn;

use super::{Connection, DEFAULT_PORT, default_host};
use crate::secret::Secret;

/// The password for a connection's first host, if the file has one.
pub(super) fn look_up(connection: &Connection) -> Option<Secret> {
    let path = match connection.parameter("passfile") {
        Some(path) => PathBuf::from(path),
        None => std::env::home_dir()?.join(".pgpass"),
    };
    let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        warn!(file = %path.display(), "ignored a password file that others can read, as libpq does: chmod 600 it");
        return None;
    }
    find(&fs::read_to_string(path).ok()?, connection).map(Secret::new)
}

fn find(text: &str, connection: &Connection) -> Option<String> {
    let host = connection.hosts_or_default().swap_remove(0);
    let name = if host.name.is_empty() { default_host(host.port) } else { host.name };
    // libpq looks a Unix socket in its default directory up as `localhost`.
    let name = if name == "/var/run/postgresql" || name == "/tmp" { "localhost".to_owned() } else { name };
    let wanted = [name, host.port.unwrap_or(DEFAULT_PORT).to_string(), connection.database(), connection.user()];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = split(line);
        let (password, pattern) = fields.split_last().filter(|(_, pattern)| pattern.len() == wanted.len())?;
        let matches = pattern.iter().zip(&wanted).all(|(pattern, value)| pattern == "*" || pattern == value);
        (matches && !password.is_empty()).then(|| password.clone())
    })
}

/// Fields at colons that no backslash escapes. A password is the whole rest of the line.
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let n_fields = fields.len();
        let field = fields.last_mut().expect("there is always a last field");
        match character {
            '\\' => field.extend(characters.next()),
            ':' if n_fields < 5 => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::{Connection, find};

    #[test]
    fn the_first_matching_line_gives_the_password() {
        let connection = Connection::parse("postgres://app@db.example.com/shop").unwrap();
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(find(text, &connection).as_deref(), expected, "{text}");
        check("# app\nother:5432:shop:app:no\ndb.example.com:5432:*:app:yes\n*:*:*:*:late", Some("yes"));
        check(r"db.example.com:5432:shop:app:with\:colon\\", Some(r"with:colon\"));
        check("*:5433:shop:app:no", None);
        check("*:*:shop:app", None);
    }
}
