//! The client programs of the server's own major version: where they are and what to install if they are not.
//!
//! An older `pg_dump` refuses the server; a newer one writes dumps that the server's own version may not read (from 17 on
//! they set `transaction_timeout`, unknown to 16). So the major versions must agree.

use std::path::{Path, PathBuf};

use crate::source::child::{ChildCommand, ChildError, Ending};

/// The directory that holds one version's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTools {
    dir: PathBuf,
    version: String,
    major: u32,
}

/// Where to look for client programs.
#[derive(Debug, Clone, Default)]
pub struct ClientSearch {
    /// The user's setting: only this directory is tried.
    pub dir: Option<PathBuf>,
}

/// Why no suitable programs were found.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// None of the server's version.
    #[error("the server is PostgreSQL {server}, and no pg_dump of that version was found ({})", seen(found))]
    NoneOfVersion {
        /// The server's major version.
        server: u32,
        /// The versions that were found, with their directories.
        found: Vec<ClientTools>,
    },
    /// The configured directory holds another version.
    #[error("client_dir {dir} holds PostgreSQL {major}, the server is PostgreSQL {server}")]
    OtherVersion {
        /// The directory.
        dir: PathBuf,
        /// Its version.
        major: u32,
        /// The server's.
        server: u32,
    },
    /// The configured directory holds no usable `pg_dump`.
    #[error(transparent)]
    Unusable(#[from] ChildError),
}

impl ClientError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::NoneOfVersion { server, .. } | Self::OtherVersion { server, .. } => format!(
                "install postgresql-client-{server} (Debian and Ubuntu: from apt.postgresql.org if your release has \
                 another version), or set client_dir to the directory that holds its pg_dump"
            ),
            Self::Unusable(_) => "set client_dir to the directory that holds pg_dump and pg_restore".to_owned(),
        }
    }
}

impl ClientTools {
    /// The programs for a server of this major version.
    pub async fn find(server: u32, search: &ClientSearch) -> Result<Self, ClientError> {
        if let Some(dir) = &search.dir {
            let tools = Self::probe(dir).await?;
            if tools.major != server {
                return Err(ClientError::OtherVersion { dir: dir.clone(), major: tools.major, server });
            }
            return Ok(tools);
        }
        let mut found: Vec<Self> = Vec::new();
        for dir in candidate_dirs() {
            let Ok(tools) = Self::probe(&dir).await else { continue };
            if tools.major == server {
                return Ok(tools);
            }
            if found.iter().all(|seen| seen.major != tools.major) {
                found.push(tools);
            }
        }
        Err(ClientError::NoneOfVersion { server, found })
    }

    /// The newest version whose server programs are installed too.
    pub async fn newest_with_server() -> Option<Self> {
        let mut newest: Option<Self> = None;
        for dir in candidate_dirs() {
            let Ok(tools) = Self::probe(&dir).await else { continue };
            if tools.has_server() && newest.as_ref().is_none_or(|newest| newest.major < tools.major) {
                newest = Some(tools);
            }
        }
        newest
    }

    /// The path of one program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// As `pg_dump --version` prints it, without the program's name.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// Whether the server's own programs lie here too (`initdb`, `postgres`).
    pub fn has_server(&self) -> bool {
        self.program("initdb").is_file() && self.program("postgres").is_file()
    }

    async fn probe(dir: &Path) -> Result<Self, ChildError> {
        let program = dir.join("pg_dump");
        let output = ChildCommand::new(&program, Ending::Kill).args(["--version"]).output().await?;
        let text = String::from_utf8_lossy(&output);
        let version = text.trim().rsplit_once(") ").map_or(text.trim(), |(_, version)| version).to_owned();
        let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
        let major = digits.parse().map_err(|_| ChildError::Failed {
            program: program.display().to_string(),
            status: "no version in its answer".to_owned(),
            stderr: vec![text.trim().to_owned()],
        })?;
        Ok(Self { dir: dir.to_owned(), version, major })
    }
}

/// Every directory where distributions put `pg_dump`, newest version first, then `PATH` (whose wrapper on Debian may
/// choose any version).
fn candidate_dirs() -> Vec<PathBuf> {
    let versioned = |root: &str, suffix: &str| {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        let mut dirs: Vec<PathBuf> = entries.map(|entry| entry.path().join(suffix)).collect();
        dirs.sort();
        dirs.reverse();
        dirs
    };
    let mut dirs = versioned("/usr/lib/postgresql", "bin");
    dirs.extend(versioned("/usr", "bin").into_iter().filter(|dir| dir.to_string_lossy().contains("/pgsql-")));
    dirs.extend(versioned("/usr/libexec", "").into_iter().filter(|dir| dir.to_string_lossy().contains("/postgresql")));
    dirs.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    dirs.retain(|dir| dir.join("pg_dump").is_file());
    dirs
}

fn seen(found: &[ClientTools]) -> String {
    if found.is_empty() {
        return "no pg_dump of any version is installed".to_owned();
    }
    let list: Vec<String> = found.iter().map(|tools| format!("{} in {}", tools.version, tools.dir.display())).collect();
    format!("found {}", list.join(", "))
}
