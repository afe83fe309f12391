//! The command line.

pub mod lint;
