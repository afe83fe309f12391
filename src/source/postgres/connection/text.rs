//! Reading and writing connection strings as text: URLs of any driver, JDBC, and libpq's `keyword=value` pairs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Connection, ConnectionError, Host, parameter};

/// Reads any of the forms.
pub(super) fn parse(text: &str) -> Result<Connection, ConnectionError> {
    let text = unquote(text.trim());
    if let Some(rest) = text.strip_prefix("jdbc:") {
        return parse_jdbc(rest);
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        check_scheme(scheme)?;
        return parse_url(rest);
    }
    if text.contains('=') { parse_pairs(text) } else { Err(ConnectionError::NotAConnectionString) }
}

/// Percent-encodes a part of a URL.
pub(super) fn encode(text: &str) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, PLAIN).to_string()
}

/// `docker run --env-file` keeps the quotes that people write around values.
fn unquote(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'').filter(|inner| inner.contains("://"))).unwrap_or(text)
}

/// The driver after `+` is the ORM's business; `pgsql` is PHP's name and `postgis` Django's.
fn check_scheme(scheme: &str) -> Result<(), ConnectionError> {
    let lower = scheme.to_ascii_lowercase();
    match lower.split('+').next().unwrap_or_default() {
        "postgres" | "postgresql" | "pgsql" | "postgis" => Ok(()),
        "prisma" => Err(ConnectionError::PrismaProxy(lower)),
        // Only a known word is repeated: what stands before `://` in a mangled text may be a password.
        other if OTHER_SCHEMES.contains(&other) => Err(ConnectionError::OtherScheme(other.to_owned())),
        _ => Err(ConnectionError::NotAConnectionString),
    }
}

const OTHER_SCHEMES: [&str; 15] = [
    "cockroachdb",
    "file",
    "http",
    "https",
    "mariadb",
    "mongodb",
    "mssql",
    "mysql",
    "mysql2",
    "redis",
    "rediss",
    "sqlite",
    "sqlite3",
    "sqlserver",
    "tcp",
];

/// `postgresql://host/db?user=…`, or `postgresql:db` on the local host (pgjdbc, "Connecting to the Database").
fn parse_jdbc(rest: &str) -> Result<Connection, ConnectionError> {
    if let Some((scheme, rest)) = rest.split_once("://") {
        check_scheme(scheme)?;
        return parse_url(rest);
    }
    let database = rest.strip_prefix("postgresql:").ok_or(ConnectionError::NotAConnectionString)?;
    parse_url(&format!("localhost/{}", database.trim_start_matches('/')))
}

/// What follows `://`: `[user[:password]@][host[:port],…][/database][?key=value&…]`.
fn parse_url(rest: &str) -> Result<Connection, ConnectionError> {
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = address.split_once('/').unwrap_or((address, ""));
    // The last `@` ends the login: people do not encode the ones in passwords.
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    // An `@` behind the authority, or a `#` in the hosts, is the tail of a password that was cut at its `/`, `?` or `#`.
    let cut = login.is_empty() && (database.contains('@') || looks_like_hosts(query));
    if cut || hosts.contains('#') {
        return Err(ConnectionError::UnescapedPassword);
    }
    let mut connection = Connection::new();
    read_login(&mut connection, login)?;
    connection.hosts = read_hosts(hosts)?;
    if !database.is_empty() {
        connection.set("dbname", &decode(database, "database name")?)?;
    }
    read_query(&mut connection, query)?;
    Ok(connection)
}

/// Whether a query is really `…tail of a password@host`: a query's own values may hold an `@`, but only after a `=`.
fn looks_like_hosts(query: &str) -> bool {
    query.split('&').next().is_some_and(|first| first.contains('@') && !first.contains('='))
}

fn read_login(connection: &mut Connection, login: &str) -> Result<(), ConnectionError> {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    if !user.is_empty() {
        connection.set("user", &decode(user, "user name")?)?;
    }
    if !password.is_empty() {
        connection.set("password", &decode(password, "password")?)?;
    }
    Ok(())
}

fn read_hosts(text: &str) -> Result<Vec<Host>, ConnectionError> {
    if text.is_empty() { Ok(Vec::new()) } else { text.split(',').map(read_host).collect() }
}

fn read_host(text: &str) -> Result<Host, ConnectionError> {
    let (name, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, after) = rest.split_once(']').ok_or(ConnectionError::BadIpv6)?;
        (address.to_owned(), after.strip_prefix(':').unwrap_or(after))
    } else {
        let (name, port) = text.split_once(':').unwrap_or((text, ""));
        (decode(name, "host")?, port)
    };
    let port = if port.is_empty() { None } else { Some(parameter::read_port(port)?) };
    Ok(Host { name, port })
}

fn read_query(connection: &mut Connection, query: &str) -> Result<(), ConnectionError> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut decoded = Vec::new();
    for pair in pairs {
        let (keyword, value) = pair.split_once('=').unwrap_or((pair, ""));
        decoded.push((decode(keyword, "name of a parameter")?, decode(value, "value of a parameter")?));
    }
    for (keyword, value) in parameter::translate(&decoded)? {
        connection.set(&keyword, &value)?;
    }
    Ok(())
}

/// libpq's `keyword = 'value'` pairs: blanks around `=` are allowed, `\` escapes, quotes hold blanks.
fn parse_pairs(text: &str) -> Result<Connection, ConnectionError> {
    let mut connection = Connection::new();
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    let mut after = "the beginning".to_owned();
    while !rest.is_empty() {
        let (keyword, tail) = rest.split_once('=').ok_or(ConnectionError::BadKeywordValue { after: after.clone() })?;
        let keyword = keyword.trim();
        if !keyword.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') || keyword.is_empty() {
            return Err(ConnectionError::BadKeywordValue { after });
        }
        keyword.clone_into(&mut after);
        let (value, tail) =
            read_value(tail.trim_start()).ok_or(ConnectionError::BadKeywordValue { after: after.clone() })?;
        pairs.push((keyword.to_owned(), value));
        rest = tail.trim_start();
    }
    for (keyword, value) in parameter::translate(&pairs)? {
        connection.set(&keyword, &value)?;
    }
    Ok(connection)
}

/// One value and what follows it; `None` if a quote is never closed.
fn read_value(text: &str) -> Option<(String, &str)> {
    let quoted = text.starts_with('\'');
    let body = if quoted { &text[1..] } else { text };
    let mut value = String::new();
    let mut characters = body.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Some((value, &body[at + 1..])),
            blank if blank.is_ascii_whitespace() && !quoted => return Some((value, &body[at..])),
            other => value.push(other),
        }
    }
    (!quoted).then_some((value, ""))
}

fn decode(text: &str, part: &'static str) -> Result<String, ConnectionError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%' {
            let (escape, tail) = rest.split_at_checked(2).ok_or(ConnectionError::BadEscape { part })?;
            let digits =
                std::str::from_utf8(escape).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let byte = digits.and_then(|text| u8::from_str_radix(text, 16).ok());
            bytes.push(byte.ok_or(ConnectionError::BadEscape { part })?);
            rest = tail;
        } else {
            bytes.push(*first);
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| ConnectionError::NotText { part })?;
    if text.contains('\0') { Err(ConnectionError::NotText { part }) } else { Ok(text) }
}
