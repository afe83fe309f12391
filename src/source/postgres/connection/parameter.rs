//! The parameters of a connection: which are libpq's, which variable carries each, and what other drivers call them.

use tracing::debug;

use super::{APPLICATION, Connection, ConnectionError, Host};
use crate::secret::Secret;

/// libpq's keywords that a child can be given, with the variable that carries each
/// (<https://www.postgresql.org/docs/current/libpq-envars.html>). Host, port, user, database and password are apart.
const CARRIED: [(&str, &str); 24] = [
    ("application_name", "PGAPPNAME"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("gssdelegation", "PGGSSDELEGATION"),
    ("gssencmode", "PGGSSENCMODE"),
    ("gsslib", "PGGSSLIB"),
    ("hostaddr", "PGHOSTADDR"),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("options", "PGOPTIONS"),
    ("passfile", "PGPASSFILE"),
    ("require_auth", "PGREQUIREAUTH"),
    ("requirepeer", "PGREQUIREPEER"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("sslcert", "PGSSLCERT"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslkey", "PGSSLKEY"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
];

/// Further variables that would change where a child connects, or the text of what it dumps.
const REMOVED: [&str; 14] = [
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGDATABASE",
    "PGPASSWORD",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGREQUIRESSL",
    "PGSSLCOMPRESSION",
    "PGSSLSNI",
    "PGCLIENTENCODING",
    "PGDATESTYLE",
    "PGTZ",
    "PGGEQO",
];

/// Every variable that must not reach a child by chance.
pub(super) fn ambient_variables() -> impl Iterator<Item = &'static str> {
    CARRIED.iter().map(|(_, variable)| *variable).chain(REMOVED)
}

/// The variables of the parameters that are set, besides host, port, user, database and password.
pub(super) fn variables(connection: &Connection) -> impl Iterator<Item = (&'static str, String)> {
    let carried = CARRIED.iter().filter_map(|(keyword, variable)| {
        let value = super::tls::libpq_value(connection, keyword)?;
        Some((*variable, value))
    });
    let name = connection.parameter("application_name").is_none().then(|| ("PGAPPNAME", APPLICATION.to_owned()));
    carried.chain(name)
}

/// Sets one parameter. An empty value is the same as none, as in libpq.
pub(super) fn set(connection: &mut Connection, keyword: &str, value: &str) -> Result<(), ConnectionError> {
    if value.is_empty() {
        return Ok(());
    }
    match keyword {
        "host" => set_hosts(connection, value),
        "port" => return set_ports(connection, value),
        "password" => connection.password = Some(Secret::new(value)),
        "dbname" | "user" => drop(connection.parameters.insert(static_keyword(keyword), value.to_owned())),
        "sslmode" => drop(connection.parameters.insert("sslmode", super::tls::read_mode(value)?.to_owned())),
        "service" => {
            return Err(ConnectionError::Unsupported {
                keyword: "service",
                instead: "write out the service's host, port, user and database",
            });
        }
        "sslpassword" | "sslidentity" => {
            let instead = "give sslcert and an unencrypted sslkey that only guard's user can read";
            return Err(ConnectionError::Unsupported { keyword: "an encrypted client key", instead });
        }
        "pgbouncer" => drop(connection.parameters.insert("pgbouncer", value.to_ascii_lowercase())),
        _ => {
            let Some((known, _)) = CARRIED.iter().find(|(known, _)| *known == keyword) else {
                // The value may be anything, a secret included: only the name is logged.
                debug!(parameter = keyword, "dropped a connection parameter that libpq's environment cannot carry");
                return Ok(());
            };
            connection.parameters.insert(known, check(known, value)?.to_owned());
        }
    }
    Ok(())
}

/// Fills unset parameters from the environment, in libpq's way.
pub(super) fn fill(
    connection: &mut Connection,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), ConnectionError> {
    let present = |name: &str| variable(name).filter(|value| !value.is_empty());
    if connection.hosts.iter().all(|host| host.name.is_empty()) {
        if present("PGSERVICE").is_some() {
            return set(connection, "service", "named");
        }
        set(connection, "host", &present("PGHOST").unwrap_or_default())?;
    }
    if connection.hosts.iter().all(|host| host.port.is_none()) {
        set(connection, "port", &present("PGPORT").unwrap_or_default())?;
    }
    if connection.password.is_none() {
        connection.password = present("PGPASSWORD").map(Secret::new);
    }
    for (keyword, name) in [("user", "PGUSER"), ("dbname", "PGDATABASE")].iter().chain(&CARRIED) {
        if !connection.parameters.contains_key(keyword) {
            set(connection, keyword, &present(name).unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Turns other drivers' parameters into libpq's. Order matters only where two say the same thing: libpq's own wins.
pub(super) fn translate(pairs: &[(String, String)]) -> Result<Vec<(String, String)>, ConnectionError> {
    let has = |keyword: &str| pairs.iter().any(|(known, _)| known == keyword);
    let strict = pairs.iter().any(|(keyword, value)| keyword == "sslaccept" && value == "strict");
    // Prisma calls the root certificate `sslcert`; in libpq a client certificate never comes without its key.
    let prisma_root = has("sslcert") && !has("sslkey") && !has("sslrootcert");
    let mut translated = Vec::new();
    for (keyword, value) in pairs {
        let pair = match (keyword.as_str(), value.as_str()) {
            ("ssl", value) if !has("sslmode") => ("sslmode", super::tls::mode_of_switch(value)?),
            ("ApplicationName", value) => ("application_name", value),
            ("loginTimeout" | "connectTimeout", value) if !has("connect_timeout") => ("connect_timeout", value),
            ("sslcert", value) if prisma_root => ("sslrootcert", value),
            // What node-postgres calls `no-verify` is what libpq means by `require`.
            ("sslmode", "no-verify") => ("sslmode", "require"),
            ("sslmode", value) if strict && value != "disable" => ("sslmode", "verify-full"),
            (keyword, value) => (keyword, value),
        };
        translated.push((pair.0.to_owned(), pair.1.to_owned()));
    }
    // `port` is matched to the hosts, so the hosts come first wherever they stand.
    translated.sort_by_key(|(keyword, _)| keyword != "host");
    Ok(translated)
}

/// `-c name=value` and `--name=value`, the forms of the `options` parameter that name a setting.
pub(super) fn session_options(text: &str) -> Vec<(String, String)> {
    let mut words = split_options(text).into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = if word == "-c" {
            words.next()
        } else {
            word.strip_prefix("--").or_else(|| word.strip_prefix("-c")).map(ToOwned::to_owned)
        };
        let pair = setting.as_deref().and_then(|setting| setting.split_once('='));
        settings.extend(pair.map(|(name, value)| (name.replace('-', "_"), value.to_owned())));
    }
    settings
}

/// A port number.
pub(super) fn read_port(text: &str) -> Result<u16, ConnectionError> {
    // A "port" that is not short is the tail of an unescaped password.
    let shown = if text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit()) { text } else { "…" };
    text.trim().parse().ok().filter(|port| *port != 0).ok_or_else(|| ConnectionError::BadPort(shown.to_owned()))
}

fn static_keyword(keyword: &str) -> &'static str {
    if keyword == "user" { "user" } else { "dbname" }
}

fn set_hosts(connection: &mut Connection, value: &str) {
    let port = |at: usize| connection.hosts.get(at).or(connection.hosts.first()).and_then(|host| host.port);
    let hosts = value.split(',').enumerate().map(|(at, name)| Host { name: name.trim().to_owned(), port: port(at) });
    connection.hosts = hosts.collect();
}

fn set_ports(connection: &mut Connection, value: &str) -> Result<(), ConnectionError> {
    let ports = value.split(',').map(read_port).collect::<Result<Vec<_>, _>>()?;
    if connection.hosts.is_empty() {
        connection.hosts.push(Host { name: String::new(), port: None });
    }
    if ports.len() > 1 && ports.len() != connection.hosts.len() {
        return Err(ConnectionError::PortCount { hosts: connection.hosts.len(), ports: ports.len() });
    }
    for (at, host) in connection.hosts.iter_mut().enumerate() {
        host.port = ports.get(at).or(ports.first()).copied();
    }
    Ok(())
}

fn check<'a>(keyword: &'static str, value: &'a str) -> Result<&'a str, ConnectionError> {
    let (ok, expected) = match keyword {
        "connect_timeout" => (value.parse::<u32>().is_ok(), "a number of seconds"),
        "target_session_attrs" => {
            let known = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"];
            (known.contains(&value), "any, read-write, read-only, primary, standby or prefer-standby")
        }
        "channel_binding" | "gssencmode" => {
            (["disable", "prefer", "require"].contains(&value), "disable, prefer or require")
        }
        _ => return Ok(value),
    };
    if ok { Ok(value) } else { Err(ConnectionError::BadValue { keyword, value: value.to_owned(), expected }) }
}

/// Words at blanks that no backslash escapes.
fn split_options(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let word = words.last_mut().expect("there is always a last word");
        match character {
            '\\' => word.extend(characters.next()),
            blank if blank.is_whitespace() => words.push(String::new()),
            other => word.push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
