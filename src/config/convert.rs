//! From the shape of the file to what the program uses: every field is named here, so none can be forgotten.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::diagnose::Problem;
use super::file::{CompressionFile, ConfigFile, EncryptionFile, RehearseFile, RestoreFile, ScratchFile, SslMode};
use super::twin::{Origin, Origins};
use super::{
    Compression, Encryption, Http, Notify, Restore, Run, Scratch, SecretSource, SourceConfig, SourceName, StoreConfig,
};
use crate::gate::Policy;
use crate::rehearse::mask::Mask;
use crate::source::postgres::connection::Connection;

mod gate;
mod notify;
mod source;
mod store;

pub(super) use gate::convert_gate;

/// What the conversion must know besides the shape.
pub(super) struct Surroundings<'a> {
    /// Where relative paths of the file begin.
    pub(super) file_dir: &'a Path,
    /// Where relative paths of variables and flags begin.
    pub(super) current_dir: &'a Path,
    /// What came from variables and flags.
    pub(super) origins: &'a Origins,
    /// Whether a file was read that others than its owner may read.
    pub(super) others_can_read: bool,
    /// Whether there is no file: then the store has a default.
    pub(super) no_file: bool,
}

/// The configuration without what needs more files or the environment.
pub(super) struct Converted {
    pub(super) schedules: Option<PathBuf>,
    pub(super) store: StoreConfig,
    pub(super) encryption: Encryption,
    pub(super) compression: Compression,
    pub(super) sources: BTreeMap<SourceName, SourceConfig>,
    pub(super) scratch: Scratch,
    pub(super) restore: Restore,
    pub(super) masks: Vec<Mask>,
    pub(super) run: Run,
    pub(super) http: Http,
    pub(super) notify: BTreeMap<String, Notify>,
    pub(super) gates: BTreeMap<String, Policy>,
}

/// Converts, or says everything that is wrong.
pub(super) fn convert(file: ConfigFile, around: &Surroundings<'_>) -> Result<Converted, Vec<Problem>> {
    let ConfigFile {
        schedules,
        store,
        encryption,
        compression,
        source,
        scratch,
        restore,
        rehearse,
        run,
        http,
        notify,
        gate,
    } = file;
    let mut problems = Problems { around, found: Vec::new() };
    let schedules = schedules.map(|path| problems.absolute("schedules", &path));
    let store = store::convert_store(store, &mut problems);
    let encryption = convert_encryption(encryption, &mut problems);
    let compression = convert_compression(&compression, &mut problems);
    let mut sources = BTreeMap::new();
    for (name, file) in source {
        let source = source::convert_source(&name, file, &mut problems);
        match name.parse::<SourceName>() {
            Ok(name) => drop(source.map(|source| sources.insert(name, source))),
            Err(error) => problems.found.push(Problem::new(&["source", &name], error.to_string())),
        }
    }
    let scratch = convert_scratch(scratch, &mut problems);
    let RestoreFile { jobs } = restore;
    let restore = Restore { jobs: problems.count(&["restore", "jobs"], jobs, 1..=64) };
    let masks = convert_masks(rehearse, &mut problems);
    let run = notify::convert_run(&run, &mut problems);
    let http = notify::convert_http(http, &mut problems);
    let mut told = BTreeMap::new();
    for (name, file) in notify {
        let receiver = notify::convert_notify(&name, file, &mut problems);
        told.insert(name, receiver);
    }
    let mut gates = BTreeMap::new();
    for (environment, file) in gate {
        match convert_gate(&environment, file) {
            Ok(policy) => drop(gates.insert(environment, policy)),
            Err(wrong) => problems.found.extend(wrong),
        }
    }
    match (store, run) {
        (Some(store), Some(run)) if problems.found.is_empty() => Ok(Converted {
            schedules,
            store,
            encryption,
            compression,
            sources,
            scratch,
            restore,
            masks,
            run,
            http,
            notify: told,
            gates,
        }),
        _ => Err(problems.found),
    }
}

/// Collects what is wrong.
struct Problems<'a> {
    around: &'a Surroundings<'a>,
    found: Vec<Problem>,
}

impl Problems<'_> {
    fn add(&mut self, path: &[&str], message: impl Into<String>, help: &str) {
        self.found.push(Problem::new(path, message).help(help));
    }

    /// A path counted from the file that says it, or from the current directory.
    fn absolute(&self, key: &str, path: &Path) -> PathBuf {
        let elsewhere = self.around.origins.contains_key(key);
        let base = if elsewhere { self.around.current_dir } else { self.around.file_dir };
        base.join(path.strip_prefix("./").unwrap_or(path))
    }

    /// The same for the file of a secret.
    fn secret(&mut self, path: &[&str], source: Option<SecretSource>) -> Option<SecretSource> {
        match source? {
            SecretSource::File(file) => Some(SecretSource::File(self.absolute(&path.join("."), &file))),
            SecretSource::Text(text) => {
                if self.around.others_can_read {
                    let help = "write { env = \"NAME\" }, { file = \"/path\" } or { command = [\"program\"] }, or chmod 600 this file";
                    self.add(path, "a secret stands in a file that others can read", help);
                }
                Some(SecretSource::Text(text))
            }
            other => Some(other),
        }
    }

    fn in_range<T: PartialOrd + Display + Copy>(&mut self, path: &[&str], value: T, range: RangeInclusive<T>) -> T {
        if !range.contains(&value) {
            self.add(
                path,
                format!("{value} is out of range"),
                &format!("expected {} to {}", range.start(), range.end()),
            );
        }
        value
    }

    fn count(&mut self, path: &[&str], value: Option<u32>, range: RangeInclusive<u32>) -> Option<NonZeroU32> {
        NonZeroU32::new(self.in_range(path, value?, range))
    }
}

fn convert_encryption(file: EncryptionFile, problems: &mut Problems<'_>) -> Encryption {
    let EncryptionFile { recipients, identity } = file;
    for (recipient_idx, recipient) in recipients.iter().enumerate() {
        let path = ["encryption", "recipients", &recipient_idx.to_string()];
        if recipient.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
            let help = "put the public key here, `age-keygen -y` prints it; whoever has read this file has the secret key: make a new one";
            problems.add(&path, "this is a secret key, not a public one", help);
        } else if let Err(reason) = recipient.parse::<age::x25519::Recipient>() {
            problems.add(
                &path,
                format!("not an age public key: {reason}"),
                "a public key begins with `age1`; `age-keygen` makes a pair",
            );
        }
    }
    Encryption { recipients, identity: problems.secret(&["encryption", "identity"], identity) }
}

fn convert_compression(file: &CompressionFile, problems: &mut Problems<'_>) -> Compression {
    let CompressionFile { level, threads, long_window } = *file;
    Compression {
        level: problems.in_range(&["compression", "level"], level, 1..=22),
        threads: problems.count(&["compression", "threads"], threads, 1..=64),
        long_window: long_window.map(|bits| problems.in_range(&["compression", "long_window"], bits, 20..=27)),
    }
}

/// A connection string. Written out, it is checked at once, and may hold a password only in a file that nobody else can read.
fn convert_url(path: &[&str], url: Option<SecretSource>, problems: &mut Problems<'_>) -> Option<SecretSource> {
    let Some(url) = url else {
        problems.add(path, "`url` is missing", "add it, for example: url = { env = \"DATABASE_URL\" }");
        return None;
    };
    let SecretSource::Text(text) = &url else { return problems.secret(path, Some(url)) };
    match Connection::parse(text.expose()) {
        Ok(connection) if connection.has_password() => problems.secret(path, Some(url)),
        Ok(_) => Some(url),
        Err(error) => {
            problems.found.push(Problem::new(path, error.to_string()));
            None
        }
    }
}

fn convert_scratch(file: ScratchFile, problems: &mut Problems<'_>) -> Scratch {
    let ScratchFile { dir, user, url, bin_dir, keep } = file;
    Scratch {
        dir: dir.map(|path| problems.absolute("scratch.dir", &path)),
        user,
        url: url.and_then(|url| convert_url(&["scratch", "url"], Some(url), problems)),
        bin_dir: bin_dir.map(|path| problems.absolute("scratch.bin_dir", &path)),
        keep,
    }
}

fn convert_masks(file: RehearseFile, problems: &mut Problems<'_>) -> Vec<Mask> {
    let RehearseFile { mask } = file;
    let mut masks = Vec::new();
    for (column, with) in mask {
        match Mask::parse(&column, &with) {
            Some(mask) => masks.push(mask),
            None => problems.add(
                &["rehearse", "mask", &column],
                format!("`{column} = {with}` is no mask"),
                "write \"schema.table.column\" = \"null\", \"hash\", \"email\" or \"text:what stands there\"",
            ),
        }
    }
    masks
}

impl SslMode {
    /// libpq's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl Surroundings<'_> {
    /// The variable or flag that a problem is about, if it is not the file.
    pub(super) fn elsewhere(&self, problem: &Problem) -> Option<&str> {
        // The problem may be about one item of a list.
        let prefixes = (1..=problem.path.len()).rev().map(|length| problem.path[..length].join("."));
        match prefixes.into_iter().find_map(|key| self.origins.get(&key))? {
            Origin::Variable(name) | Origin::Flag(name) => Some(name),
            Origin::File { .. } => None,
        }
    }
}
