//! The database that holds everything whose round trip has gone wrong somewhere.

use super::postgres::{TestPostgres, Version};

/// Creates the database and fills it from `fixtures/everything.sql` and the version's own file.
pub fn load(server: &TestPostgres, database: &str) {
    server.create_database(database, "");
    server.psql(database, include_str!("../../fixtures/everything.sql"));
    let own = match server.version() {
        Version::V15 => include_str!("../../fixtures/everything-15.sql"),
        Version::V18 => include_str!("../../fixtures/everything-18.sql"),
    };
    server.psql(database, own);
}

/// Creates a database of definitions that the server rewrites when it reads them back.
pub fn load_deparse(server: &TestPostgres, database: &str) {
    server.create_database(database, "");
    server.psql(database, include_str!("../../fixtures/deparse.sql"));
}
