//! What a server says of itself: `INFO`, as far as its user may ask for it.

use std::collections::BTreeMap;

use super::connection::{Connection, ConnectionError};

/// What a server is that does not say so.
pub(super) const REDIS: &str = "redis";

/// The fields of `INFO`; empty where it is not allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info(BTreeMap<String, String>);

impl Info {
    /// Asks. A user who may not is no failure: a snapshot needs none of it.
    pub fn ask(connection: &mut Connection) -> Result<Self, ConnectionError> {
        match connection.text(&[b"INFO"]) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.is_forbidden() => {
                tracing::warn!(
                    server = connection.server(),
                    "the user may not run INFO (ACL +info): whether this is a part of a cluster is not known"
                );
                Ok(Self::default())
            }
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str) -> Self {
        let fields = text.lines().filter_map(|line| line.trim_end().split_once(':'));
        Self(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A field's text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A field's number.
    pub fn number(&self, field: &str) -> Option<u64> {
        self.text(field)?.parse().ok()
    }

    /// Whether it is a node of a cluster.
    pub fn is_cluster(&self) -> bool {
        self.text("cluster_enabled") == Some("1")
    }

    /// `redis`, `valkey`, …: the program.
    pub fn program(&self) -> &str {
        self.known_program().unwrap_or(REDIS)
    }

    /// The program, unless nothing is known of the server.
    pub fn known_program(&self) -> Option<&str> {
        // Valkey says `server_name:valkey`; Dragonfly and KeyDB have fields of their own.
        self.text("server_name").or_else(|| (!self.0.is_empty()).then_some(REDIS))
    }

    /// Its version. Valkey keeps `redis_version` at 7.2.4 for old clients.
    pub fn version(&self) -> Option<&str> {
        self.text("valkey_version").or_else(|| self.text("redis_version"))
    }

    /// The databases that have keys, and how many: `db0:keys=1,expires=0,avg_ttl=0`.
    pub fn databases(&self) -> BTreeMap<u32, u64> {
        let database = |(name, value): (&String, &String)| {
            let number = name.strip_prefix("db")?.parse().ok()?;
            let keys = value.split(',').find_map(|part| part.strip_prefix("keys="))?.parse().ok()?;
            Some((number, keys))
        };
        self.0.iter().filter_map(database).collect()
    }

    /// The modules that are loaded: `module:name=search,ver=…`. Of several only the last is seen: the names are keys.
    pub fn modules(text: &str) -> Vec<String> {
        let names = text.lines().filter_map(|line| line.strip_prefix("module:name=")?.split(',').next());
        names.map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Info;

    #[test]
    fn the_fields_are_read_as_the_server_writes_them() {
        let info = Info::parse(
            "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\n# Cluster\r\n\
             cluster_enabled:1\r\n# Keyspace\r\ndb0:keys=12,expires=3,avg_ttl=0\r\ndb15:keys=1,expires=0,avg_ttl=0\r\n",
        );
        assert_eq!((info.program(), info.version(), info.is_cluster()), ("valkey", Some("8.1.1"), true));
        assert_eq!(info.databases().into_iter().collect::<Vec<_>>(), [(0, 12), (15, 1)]);
        assert_eq!((Info::default().version(), Info::default().known_program()), (None, None));
    }
}
