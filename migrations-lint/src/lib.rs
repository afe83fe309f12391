//! A linter for SQL migrations: text in, findings out; no clock, network, database or global state.
