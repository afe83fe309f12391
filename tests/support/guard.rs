//! Runs the real binary: a store and temporary files of its own, nothing of the tester's environment, every answer checked
//! for the secrets that guard was given.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::postgres::{TestPostgres, Version};

/// One user of guard: a directory with a store, a place for temporary files, and an environment.
#[derive(Debug)]
pub struct Guard {
    dir: TempDir,
    variables: Vec<(String, String)>,
    secrets: Vec<String>,
}

/// What a run of guard left behind.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; a death by signal is no code.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Default for Guard {
    fn default() -> Self {
        // The user that runs scratch clusters must be able to pass through.
        let everybody = fs::Permissions::from_mode(0o755);
        let dir = tempfile::Builder::new().prefix("guard-test-").permissions(everybody).tempdir();
        let guard = Self { dir: dir.expect("a temporary directory"), variables: Vec::new(), secrets: Vec::new() };
        fs::create_dir(guard.temp_dir()).expect("a directory for temporary files");
        let store = guard.store().display().to_string();
        guard.with("GUARD_STORE_URL", &store)
    }
}

impl Guard {
    /// A user whose only source is this database, named by it.
    pub fn of(server: &TestPostgres, database: &str) -> Self {
        Self::default().with("DATABASE_URL", &server.url(database))
    }

    /// A user with a configuration file, which names a source; the store is this user's own.
    pub fn configured(toml: &str) -> Self {
        let guard = Self::default();
        guard.configure(toml);
        guard
    }

    /// Writes the configuration file.
    pub fn configure(&self, toml: &str) {
        let file = self.dir().join("guard.toml");
        fs::write(&file, toml).expect("the configuration");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("the configuration's mode");
    }

    /// Sets a variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(set, _)| set != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a variable away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(set, _)| set != name);
        self
    }

    /// Encrypts to the public half of a new key pair, whose private half is kept in a file.
    #[must_use]
    pub fn encrypted(self) -> Self {
        let key = self.new_identity("key.txt");
        self.with("GUARD_ENCRYPTION_RECIPIENTS", &key)
    }

    /// Gives guard the private key of [`Self::encrypted`].
    #[must_use]
    pub fn with_identity(self) -> Self {
        let file = self.identity_file().display().to_string();
        self.with("GUARD_ENCRYPTION_IDENTITY_FILE", &file)
    }

    /// Puts the programs of a server version where guard looks for them.
    #[must_use]
    pub fn with_programs_of(self, version: Version) -> Self {
        let path = format!("{}:{SYSTEM_PATH}", version.bin_dir().display());
        self.with("PATH", &path)
    }

    /// Says that this text must never appear in an answer.
    #[must_use]
    pub fn with_secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    /// Another user of a copy of the same store, with the same keys.
    #[must_use]
    pub fn with_copied_store(&self) -> Self {
        let copy = Self { secrets: self.secrets.clone(), ..Self::default() };
        let mut cp = Command::new("cp");
        cp.arg("-a").arg(self.store()).arg(copy.dir());
        super::postgres::run(cp, b"");
        let others = self.variables.iter().filter(|(name, _)| name != "GUARD_STORE_URL").cloned();
        Self { variables: copy.variables.iter().cloned().chain(others).collect(), ..copy }
    }

    /// The directory that everything of this user is in.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.dir().join("store")
    }

    /// The private key of [`Self::encrypted`].
    pub fn identity_file(&self) -> PathBuf {
        self.dir().join("key.txt")
    }

    /// Makes a key pair; the private half goes into a file, the public half is returned.
    pub fn new_identity(&self, file: &str) -> String {
        let identity = age::x25519::Identity::generate();
        let text = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
        fs::write(self.dir().join(file), format!("# a test's key\n{text}\n")).expect("a key file");
        identity.to_public().to_string()
    }

    /// Runs guard to its end. Whatever happens, no secret is shown and no temporary file is left.
    pub fn run<S: AsRef<str>>(&self, args: &[S]) -> Outcome {
        let output = self.command(args).output().expect("guard runs");
        let outcome = self.checked(&output);
        let left: Vec<_> =
            fs::read_dir(self.temp_dir()).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        assert!(left.is_empty(), "guard left temporary files: {left:?}");
        outcome
    }

    /// The same with `--json`.
    pub fn json<S: AsRef<str>>(&self, args: &[S]) -> Outcome {
        let mut args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        args.push("--json");
        self.run(&args)
    }

    /// The command, for tests that must see guard while it runs.
    pub fn command<S: AsRef<str>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guard"));
        command.args(args.iter().map(AsRef::as_ref)).current_dir(self.dir()).env_clear();
        command.env("PATH", SYSTEM_PATH).env("HOME", self.dir()).env("TMPDIR", self.temp_dir());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What a run said, once it is sure that it gave no secret away.
    pub fn checked(&self, output: &Output) -> Outcome {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let outcome =
            Outcome { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) };
        for secret in &self.secrets {
            let said = outcome.stdout.contains(secret) || outcome.stderr.contains(secret);
            assert!(!said, "guard gave away {secret}: {outcome}");
        }
        // No private key at all; only how they begin may be said.
        let all = outcome.stdout.clone() + &outcome.stderr;
        let mut keys = all.split("AGE-SECRET-KEY-1").skip(1);
        assert!(
            !keys.any(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric())),
            "guard gave away a key: {outcome}"
        );
        outcome
    }

    /// Takes one backup and returns its id.
    pub fn backup(&self) -> String {
        let answer = self.json(&["backup"]).yes();
        let backups = answer["backups"].as_array().expect("a list of backups");
        assert_eq!(backups.len(), 1, "{answer}");
        text(&backups[0]["id"])
    }

    /// The folder of a backup in the store.
    pub fn folder(&self, source: &str, id: &str) -> PathBuf {
        self.store().join(source).join(id)
    }

    /// Ids of the backups that guard lists, oldest first.
    pub fn listed(&self) -> Vec<String> {
        let answer = self.json(&["list"]).yes();
        answer["backups"].as_array().expect("a list").iter().map(|backup| text(&backup["id"])).collect()
    }

    fn temp_dir(&self) -> PathBuf {
        self.dir().join("tmp")
    }
}

impl Outcome {
    /// The answer of a run that ended with yes.
    #[track_caller]
    pub fn yes(&self) -> Value {
        self.answer(0)
    }

    /// The answer of a run that ended with no.
    #[track_caller]
    pub fn no(&self) -> Value {
        self.answer(1)
    }

    /// The error of a run that could not do its work, after its code was compared.
    #[track_caller]
    pub fn error(&self, exit: i32, code: &str) -> Value {
        assert_eq!(self.code, Some(exit), "{self}");
        assert_eq!(self.stdout, "", "an error goes to standard error alone");
        self.last_error(code)
    }

    /// The answer and the error of a run that did a part of its work.
    #[track_caller]
    pub fn partly(&self, exit: i32, code: &str) -> (Value, Value) {
        (self.answer(exit), self.last_error(code))
    }

    #[track_caller]
    fn last_error(&self, code: &str) -> Value {
        let last = self.stderr.lines().rfind(|line| line.starts_with('{')).unwrap_or_default();
        let error: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self}"));
        assert_eq!(error["error"]["code"], code, "{self}");
        error["error"].clone()
    }

    #[track_caller]
    fn answer(&self, exit: i32) -> Value {
        assert_eq!(self.code, Some(exit), "{self}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, stdout, stderr } = self;
        write!(f, "exit {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// A JSON text as text.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
