//! Names for findings that survive line moves: of rule, file name, normalised statement and its occurrence number.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

/// Counts equal findings, so that the second of two equal statements has a name of its own.
#[derive(Default)]
pub(crate) struct Fingerprints {
    seen: FxHashMap<u64, u32>,
    /// Of files that are called the same, which one of them each is, unless it is the first.
    namesakes: FxHashMap<PathBuf, u32>,
}

impl Fingerprints {
    /// For findings in these files, whichever of them are reported: so that a run over a part gives the names that a run
    /// over everything gives.
    pub(crate) fn among<'a>(files: impl Iterator<Item = &'a Path>) -> Self {
        let mut counted: FxHashMap<Vec<&OsStr>, u32> = FxHashMap::default();
        let mut namesakes = FxHashMap::default();
        for file in files {
            let n_before = counted.entry(telling_names(file).collect()).or_default();
            if *n_before > 0 {
                namesakes.insert(file.to_owned(), *n_before);
            }
            *n_before += 1;
        }
        Self { seen: FxHashMap::default(), namesakes }
    }

    /// The fingerprint of the next finding of this rule in this file about this statement.
    pub(crate) fn of(&mut self, rule: &str, file: &Path, statement: &str) -> String {
        let mut hash = Fnv::new();
        hash.write(rule.as_bytes());
        hash.write(b"\0");
        for name in telling_names(file) {
            hash.write(name.as_encoded_bytes());
        }
        if let Some(namesake) = self.namesakes.get(file) {
            hash.write(&namesake.to_le_bytes());
        }
        hash.write(b"\0");
        for word in statement.split_ascii_whitespace() {
            hash.write(word.as_bytes());
            hash.write(b" ");
        }
        let occurrence = self.seen.entry(hash.0).or_default();
        *occurrence += 1;
        hash.write(&occurrence.to_le_bytes());
        format!("{:016x}", hash.0)
    }
}

/// The file's name, with its folder's where every migration's file is called the same (Prisma, Drizzle, Diesel).
fn telling_names(file: &Path) -> impl Iterator<Item = &OsStr> {
    let name = file.file_name().unwrap_or(file.as_os_str());
    let is_common = ["migration.sql", "up.sql", "down.sql"].iter().any(|common| name == *common);
    let folder = if is_common { file.parent().and_then(Path::file_name) } else { None };
    folder.into_iter().chain([name])
}

/// FNV-1a: the same on every machine and in every version, which the standard hasher does not promise.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_ignores_white_space_and_directories_but_not_repetition() {
        let of = |statements: &[(&str, &str)]| {
            let mut fingerprints = Fingerprints::default();
            statements.iter().map(|(file, sql)| fingerprints.of("r", Path::new(file), sql)).collect::<Vec<_>>()
        };
        assert_eq!(of(&[("a/1.sql", "drop  table\nt")]), of(&[("1.sql", "drop table t")]));
        let prisma = of(&[("m/1_a/migration.sql", "drop table t"), ("m/2_b/migration.sql", "drop table t")]);
        assert_eq!(prisma[1], of(&[("2_b/migration.sql", "drop table t")])[0]);
        let twice = of(&[("1.sql", "drop table t"), ("1.sql", "drop table t")]);
        assert_ne!(twice[0], twice[1]);
    }

    #[test]
    fn files_of_one_name_differ_whichever_of_them_are_reported() {
        let files = ["a/1.sql", "b/1.sql"].map(Path::new);
        let of = |reported: &[&str]| {
            let mut fingerprints = Fingerprints::among(files.into_iter());
            reported.iter().map(|file| fingerprints.of("r", Path::new(file), "drop table t")).collect::<Vec<_>>()
        };
        let both = of(&["a/1.sql", "b/1.sql"]);
        assert_ne!(both[0], both[1]);
        assert_eq!(of(&["b/1.sql"])[0], both[1]);
    }
}
