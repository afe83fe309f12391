//! The database engines whose SQL is read, and their versions.

/// Which engine will run the migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Engine {
    /// PostgreSQL, the default.
    #[default]
    PostgreSql,
    /// Oracle's MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
    /// SQLite.
    Sqlite,
}

/// A server version: PostgreSQL `15` is `(15, 0)`, MySQL `8.0.34` is `(8, 0)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerVersion {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
}

impl Engine {
    /// The version assumed when neither a flag nor the layout tells.
    pub fn default_version(self) -> ServerVersion {
        match self {
            Self::PostgreSql => ServerVersion { major: 15, minor: 0 },
            Self::MySql => ServerVersion { major: 8, minor: 0 },
            Self::MariaDb => ServerVersion { major: 10, minor: 11 },
            Self::Sqlite => ServerVersion { major: 3, minor: 40 },
        }
    }

    /// The name used by `--engine` and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PostgreSql => "postgresql",
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
            Self::Sqlite => "sqlite",
        }
    }
}
