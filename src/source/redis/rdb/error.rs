//! Why an RDB could not be read, and where.

use std::fmt;

/// An RDB that cannot be read to its promised end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdbError {
    /// Bytes before the one at which reading stopped.
    pub offset: u64,
    /// The key that was being read, if one was.
    pub key: Option<KeyPlace>,
    /// What is wrong there.
    pub problem: RdbProblem,
}

/// A key that was being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlace {
    /// Its database.
    pub database: u64,
    /// Its name: escaped, and cut if it is long.
    pub name: String,
    /// The number of its value's type and encoding.
    pub type_byte: u8,
}

/// What is wrong with an RDB.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RdbProblem {
    /// It begins with something else.
    #[error("this is not an RDB: it does not begin with REDIS or VALKEY and a version")]
    NotAnRdb,
    /// A format older than checksums.
    #[error("RDB version {0} is older than Redis 2.6: let a newer server load and save it")]
    TooOld(u32),
    /// The bytes end too early.
    #[error("the RDB is cut off")]
    Truncated,
    /// Bytes follow the end.
    #[error("bytes follow the end of the RDB")]
    TrailingBytes,
    /// A type or an opcode that this version of guard does not know.
    #[error("type {type_byte} is not known (RDB version {rdb_version}): a newer guard is needed")]
    UnknownType {
        /// Its number.
        type_byte: u8,
        /// The version that the RDB gives itself.
        rdb_version: u32,
    },
    /// A number that selects an encoding and has no meaning.
    #[error("{what} {value} is not known")]
    UnknownEncoding {
        /// What the number selects.
        what: &'static str,
        /// The number.
        value: u64,
    },
    /// A format that only pre-releases wrote, or that cannot be read without the module.
    #[error("{0} cannot be read: only pre-releases wrote it")]
    PreRelease(&'static str),
    /// Something does not hold together.
    #[error("{0}")]
    Malformed(&'static str),
    /// Something is larger than a server makes it.
    #[error("{what} has {bytes} bytes, at most {limit} can be read")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The bound.
        limit: u64,
    },
    /// The checksum at the end is not that of the bytes.
    #[error("the bytes have the checksum {computed:016x}, the RDB says {stored:016x}: it was damaged on its way")]
    Checksum {
        /// As the RDB says.
        stored: u64,
        /// As the bytes have it.
        computed: u64,
    },
}

impl fmt::Display for RdbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {} of the RDB", self.offset)?;
        if let Some(KeyPlace { database, name, type_byte }) = &self.key {
            write!(f, ", key \"{name}\" of database {database} (type {type_byte})")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for RdbError {}
