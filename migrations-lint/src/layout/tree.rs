//! The files given to the linter, indexed by folder: what the layouts look at to recognise themselves.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// One file as it was found: a migration, or one of the files by which a framework gives itself away.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// The path for reports, as the user named it.
    pub path: PathBuf,
    /// The absolute path: what folders and surroundings are told by. Nothing is read from it.
    pub location: PathBuf,
    /// The text; empty for files of which only the name matters.
    pub text: String,
    /// Whether the bytes were not UTF-8, so that `text` is only their nearest reading.
    pub is_lossy: bool,
}

impl InputFile {
    /// A file whose bytes were UTF-8.
    pub fn new(path: impl Into<PathBuf>, location: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { path: path.into(), location: location.into(), text: text.into(), is_lossy: false }
    }

    /// The last component of the path.
    pub fn file_name(&self) -> &str {
        name_of(&self.location)
    }

    pub(super) fn is_sql(&self) -> bool {
        has_sql_extension(self.file_name())
    }
}

/// What of a file a caller that lists directories has to hand over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Nothing here looks at it.
    None,
    /// It exists: its content is not needed.
    Name,
    /// Its content.
    Text,
}

/// Files that tell about the framework from above the migrations, up to the repository's root.
pub const MARKERS: &[&str] = &[
    "Cargo.toml",
    "sqlx.toml",
    ".sqlx",
    "diesel.toml",
    "flyway.conf",
    "flyway.toml",
    "refinery.toml",
    "config.toml",
    "go.mod",
];

/// What to hand over of a file with this name.
pub fn interest(file_name: &str) -> Interest {
    match file_name {
        "atlas.sum" | "_journal.json" | "migration_lock.toml" | "metadata.toml" => Interest::Text,
        "snapshot.json" | ".sqlx" | "go.mod" => Interest::Name,
        _ if has_sql_extension(file_name) || file_name.ends_with(".sql.conf") => Interest::Text,
        _ if MARKERS.contains(&file_name) => Interest::Text,
        _ => Interest::None,
    }
}

/// All files by folder and by location; a layout takes out those that it claims.
#[derive(Debug)]
pub(super) struct Tree {
    files: Vec<Option<InputFile>>,
    folders: BTreeMap<PathBuf, Vec<usize>>,
    by_location: HashMap<PathBuf, usize>,
}

impl Tree {
    pub(super) fn new(files: Vec<InputFile>) -> Self {
        let mut folders: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
        let mut by_location = HashMap::with_capacity(files.len());
        for (idx, file) in files.iter().enumerate() {
            // A file that is named twice is one file.
            if let Entry::Vacant(vacant) = by_location.entry(file.location.clone()) {
                vacant.insert(idx);
                folders.entry(folder_of(&file.location).to_owned()).or_default().push(idx);
            }
        }
        for idxs in folders.values_mut() {
            idxs.sort_by(|a, b| files[*a].file_name().cmp(files[*b].file_name()));
        }
        Self { files: files.into_iter().map(Some).collect(), folders, by_location }
    }

    /// Every folder that holds a file, parents before children.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        self.folders.keys().cloned().collect()
    }

    /// The unclaimed SQL files directly in `folder`, by name.
    pub(super) fn sql_in<'a>(&'a self, folder: &Path) -> impl Iterator<Item = (usize, &'a InputFile)> {
        let idxs = self.folders.get(folder).map_or(&[][..], Vec::as_slice);
        idxs.iter().filter_map(|idx| Some((*idx, self.files[*idx].as_ref()?))).filter(|(_, file)| file.is_sql())
    }

    /// The unclaimed SQL files in `folder` and below.
    pub(super) fn sql_below<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = (usize, &'a InputFile)> {
        self.folders_below(folder).flat_map(|below| self.sql_in(below))
    }

    /// `folder` itself and every folder below it that holds a file.
    pub(super) fn folders_below<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = &'a Path> {
        self.folders
            .range(folder.to_owned()..)
            .map(|(path, _)| path.as_path())
            .take_while(move |p| p.starts_with(folder))
    }

    /// The unclaimed file at `folder/name`.
    pub(super) fn file(&self, folder: &Path, name: &str) -> Option<&InputFile> {
        self.locate(folder, name).and_then(|idx| self.peek(idx))
    }

    /// The index of the unclaimed file at `folder/name`.
    pub(super) fn locate(&self, folder: &Path, name: &str) -> Option<usize> {
        self.by_location.get(&folder.join(name)).copied().filter(|idx| self.files[*idx].is_some())
    }

    /// Whether `folder/name` was listed, claimed or not.
    pub(super) fn has(&self, folder: &Path, name: &str) -> bool {
        self.by_location.contains_key(&folder.join(name))
    }

    /// The nearest file of this name in `folder` or above it.
    pub(super) fn above(&self, folder: &Path, name: &str) -> Option<&InputFile> {
        folder.ancestors().find_map(|ancestor| self.file(ancestor, name))
    }

    /// An unclaimed file by its index.
    pub(super) fn peek(&self, idx: usize) -> Option<&InputFile> {
        self.files[idx].as_ref()
    }

    /// Takes a file out, for the set that it belongs to.
    pub(super) fn take(&mut self, idx: usize) -> Option<InputFile> {
        self.files[idx].take()
    }
}

pub(super) fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or("")
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

fn has_sql_extension(name: &str) -> bool {
    name.len() > 4 && name.get(name.len() - 4..).is_some_and(|end| end.eq_ignore_ascii_case(".sql"))
}
