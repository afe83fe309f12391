//! PostgreSQL as a source, through its own client tools.

pub mod archive;
