//! From paths to texts: walks directories, finds what surrounds a single file, reads everything in parallel.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, bail};
use migrations_lint::layout::{InputFile, Interest, MARKERS, interest};

/// What was read, and which of it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Collected {
    /// Migrations, and the files by which frameworks are recognised.
    pub(super) files: Vec<InputFile>,
    pub(super) wanted: Wanted,
}

impl Collected {
    /// The absolute path of each file by the path that is shown.
    pub(super) fn locations(&self) -> HashMap<PathBuf, PathBuf> {
        self.files.iter().map(|file| (file.path.clone(), file.location.clone())).collect()
    }
}

/// The locations that the paths name; other files were read only because they surround these.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    directories: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Wanted {
    /// Whether the file itself was named, rather than a directory above it.
    pub(super) fn names(&self, location: &Path) -> bool {
        self.files.binary_search_by(|file| file.as_path().cmp(location)).is_ok()
    }

    pub(super) fn contains(&self, location: &Path) -> bool {
        self.names(location) || self.directories.iter().any(|directory| location.starts_with(directory))
    }
}

/// Reads everything that `paths` name and what surrounds it.
pub(super) fn collect(paths: &[PathBuf]) -> anyhow::Result<Collected> {
    let mut walk = Walk::default();
    let mut wanted = Wanted::default();
    for path in paths {
        let location = fs::canonicalize(path).with_context(|| format!("cannot read {}", path.display()))?;
        let is_directory = location.is_dir();
        if is_directory {
            walk.directory(path, &location)?;
            wanted.directories.push(location.clone());
        } else {
            if !is_sql(&location) {
                bail!("{} is not an .sql file", path.display());
            }
            walk.found.insert(location.clone(), (path.clone(), Interest::Text));
            wanted.files.push(location.clone());
        }
        if let Some((path, location)) = surrounding_set(path, &location, is_directory) {
            walk.directory(&path, &location)?;
        }
        walk.markers_above(&location);
    }
    wanted.files.sort();
    let files = read_all(walk.found)?;
    if !files.iter().any(|file| is_sql(&file.location) && wanted.contains(&file.location)) {
        let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        bail!("no SQL files found in {}", paths.join(", "));
    }
    Ok(Collected { files, wanted })
}

fn is_sql(location: &Path) -> bool {
    location.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
}

/// The directory of the set that a path lies in the middle of: for the context of the migrations before it.
fn surrounding_set(path: &Path, location: &Path, is_directory: bool) -> Option<(PathBuf, PathBuf)> {
    let parent = |path: &Path| match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Some(PathBuf::from(".")),
        other => other.map(Path::to_owned),
    };
    let is_one_migration =
        |location: &Path| ["migration.sql", "up.sql"].iter().any(|name| location.join(name).is_file());
    if is_directory {
        return is_one_migration(location).then(|| Some((parent(path)?, parent(location)?)))?;
    }
    let (folder, folder_location) = (parent(path)?, parent(location)?);
    if is_one_migration(&folder_location) {
        return Some((parent(&folder)?, parent(&folder_location)?));
    }
    let name = location.file_name()?.to_str()?;
    let is_versioned = name.starts_with(|first: char| first.is_ascii_digit()) || name.contains("__");
    is_versioned.then_some((folder, folder_location))
}

/// What was found, by absolute path: the path to show, and whether the content is needed.
#[derive(Debug, Default)]
struct Walk {
    found: BTreeMap<PathBuf, (PathBuf, Interest)>,
    walked: HashSet<PathBuf>,
    probed: HashSet<PathBuf>,
}

impl Walk {
    /// Everything of interest in a directory and below it.
    fn directory(&mut self, path: &Path, location: &Path) -> anyhow::Result<()> {
        if location.ancestors().any(|ancestor| self.walked.contains(ancestor)) {
            return Ok(());
        }
        self.walked.insert(location.to_owned());
        let mut open = vec![(path.to_owned(), location.to_owned())];
        while let Some((path, location)) = open.pop() {
            let entries = fs::read_dir(&location).with_context(|| format!("cannot read {}", path.display()))?;
            for entry in entries {
                let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
                let file_name = entry.file_name();
                let Some(name) = file_name.to_str() else { continue };
                let (path, location) = (join(&path, name), location.join(name));
                let kind = entry.file_type().with_context(|| format!("cannot read {}", path.display()))?;
                let is_link = kind.is_symlink();
                if kind.is_dir() && !is_skipped(name, &location) {
                    open.push((path, location));
                } else if interest(name) != Interest::None && (kind.is_file() || (is_link && location.is_file())) {
                    self.found.entry(location).or_insert((path, interest(name)));
                } else if name == ".sqlx" {
                    self.found.entry(location).or_insert((path, Interest::Name));
                }
            }
        }
        Ok(())
    }

    /// The frameworks' own files in the directories above, up to the root of the repository.
    fn markers_above(&mut self, location: &Path) {
        for folder in location.ancestors().skip(1) {
            if !self.probed.insert(folder.to_owned()) {
                return;
            }
            for name in MARKERS {
                let marker = folder.join(name);
                // Its own path is shown nowhere.
                if marker.exists() {
                    let interest = if marker.is_file() { Interest::Text } else { Interest::Name };
                    self.found.entry(marker.clone()).or_insert((marker, interest));
                }
            }
            if folder.join(".git").exists() {
                return;
            }
        }
    }
}

/// `./x` is shown as `x`.
fn join(path: &Path, name: &str) -> PathBuf {
    if path == Path::new(".") { PathBuf::from(name) } else { path.join(name) }
}

/// Directories that hold no migrations of this project: hidden ones, installed packages, build output.
fn is_skipped(name: &str, location: &Path) -> bool {
    name.starts_with('.') || name == "node_modules" || (name == "target" && location.join("CACHEDIR.TAG").exists())
}

fn read_all(found: BTreeMap<PathBuf, (PathBuf, Interest)>) -> anyhow::Result<Vec<InputFile>> {
    let found: Vec<_> = found.into_iter().collect();
    let next = AtomicUsize::new(0);
    let read_some = || {
        let mut files = Vec::new();
        while let Some((location, (path, interest))) = found.get(next.fetch_add(1, Ordering::Relaxed)) {
            files.push(read(path, location, *interest)?);
        }
        Ok::<_, anyhow::Error>(files)
    };
    let n_useful = found.len() / 16 + 1;
    let n_threads =
        if n_useful == 1 { 1 } else { thread::available_parallelism().map_or(1, usize::from).min(n_useful) };
    let mut files = Vec::with_capacity(found.len());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..n_threads).map(|_| scope.spawn(read_some)).collect();
        for worker in workers {
            files.extend(worker.join().expect("reading a file does not panic")?);
        }
        Ok::<_, anyhow::Error>(())
    })?;
    Ok(files)
}

fn read(path: &Path, location: &Path, interest: Interest) -> anyhow::Result<InputFile> {
    if interest != Interest::Text {
        return Ok(InputFile::new(path, location, ""));
    }
    let bytes = fs::read(location).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => InputFile::new(path, location, text),
        Err(error) => InputFile { is_lossy: true, ..InputFile::new(path, location, nearest_text(error.as_bytes())) },
    })
}

/// UTF-16 as Windows editors write it, or UTF-8 with replacement characters.
fn nearest_text(bytes: &[u8]) -> String {
    let units = |from_bytes: fn([u8; 2]) -> u16| {
        bytes[2..].chunks_exact(2).map(move |pair| from_bytes([pair[0], pair[1]])).collect::<Vec<_>>()
    };
    match bytes {
        [0xff, 0xfe, ..] => String::from_utf16_lossy(&units(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => String::from_utf16_lossy(&units(u16::from_be_bytes)),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
