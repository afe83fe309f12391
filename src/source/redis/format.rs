//! Which versions of the snapshot's format a server reads: Redis and Valkey went apart after version 11.

/// Redis counts on from 12; Valkey keeps 12 to 79 free for it and took 80 for itself (`RDB_FOREIGN_VERSION_*` in its `rdb.h`).
const FOREIGN_TO_VALKEY: std::ops::Range<u32> = 12..VALKEY;

/// From here on versions are Valkey's own, and so is the header.
pub(super) const VALKEY: u32 = 80;

/// The version of Valkey whose format guard reads. To a replica that does not say what it is Valkey 9 sends version 11, and
/// nothing at all if a field of a hash expires (valkey#2735).
pub(super) const NEWEST_VALKEY: &str = "9.0.0";

/// Whether a format is another product's: it is refused however new the server is.
pub fn is_foreign(program: &str, rdb_version: u32) -> bool {
    if program == "valkey" { FOREIGN_TO_VALKEY.contains(&rdb_version) } else { rdb_version >= VALKEY }
}

/// The newest format that a server of this version reads, which is the one that it writes; `None` if that is not known.
pub fn newest(program: &str, version: &str) -> Option<u32> {
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    let version: (u32, u32) = (numbers.next()??, numbers.next()??);
    match (program, version) {
        ("valkey", (..9, _)) => Some(11),
        ("valkey", (9, 0..=1)) => Some(VALKEY),
        ("valkey", _) => None,
        (_, (..4, _)) => Some(7),
        (_, (4, _)) => Some(8),
        (_, (5 | 6, _)) => Some(9),
        (_, (7, 0)) => Some(10),
        (_, (7, 1..4)) => Some(11),
        (_, (7, 4..) | (8, 0..=2)) => Some(12),
        _ => None,
    }
}

/// Whether a server of this version reads a format, as far as is known.
pub fn may_read(program: &str, version: &str, rdb_version: u32) -> bool {
    !is_foreign(program, rdb_version) && newest(program, version).is_none_or(|newest| rdb_version <= newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_reads_what_is_older_and_not_the_other_products() {
        let check = |program: &str, version: &str, reads: &[u32]| {
            let found: Vec<u32> =
                [9, 10, 11, 12, 13, 80, 81].into_iter().filter(|rdb| may_read(program, version, *rdb)).collect();
            assert_eq!(found, reads, "{program} {version}");
        };
        check("redis", "6.2.14", &[9]);
        check("redis", "7.0.15", &[9, 10]);
        check("redis", "7.2.4", &[9, 10, 11]);
        check("redis", "7.4.0", &[9, 10, 11, 12]);
        check("redis", "8.2.3", &[9, 10, 11, 12]);
        check("valkey", "7.2.5", &[9, 10, 11]);
        check("valkey", "8.1.8", &[9, 10, 11]);
        check("valkey", "9.1.2", &[9, 10, 11, 80]);
        // What comes after is asked itself.
        check("redis", "9.0.0", &[9, 10, 11, 12, 13]);
        check("valkey", "10.0.0", &[9, 10, 11, 80, 81]);
        check("redis", "unknown", &[9, 10, 11, 12, 13]);
    }
}
