//! Where a secret comes from, and fetching it when it is needed and not before.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::environment::Environment;
use crate::secret::Secret;

/// The source of a secret: `{ env = "NAME" }`, `{ file = "/path" }`, `{ command = ["program", "argument"] }`, or the text.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// The text itself, from a file that nobody else can read or without a secret in it.
    Text(Secret),
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
    /// What a program prints. It is run without a shell.
    Command(Vec<String>),
}

/// Why a secret could not be had. It names the place, never the text.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    /// The file cannot be read, or is not text.
    #[error("cannot read the secret from {path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// The program cannot be run.
    #[error("cannot run {program} to get a secret: {reason}")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        reason: std::io::Error,
    },
    /// The program failed, took too long or printed no text.
    #[error("{program}, run to get a secret, {reason}")]
    Command {
        /// The program.
        program: String,
        /// What it did.
        reason: String,
    },
    /// Nothing but blanks.
    #[error("the secret from {0} is empty")]
    Empty(String),
}

impl SecretSource {
    /// Fetches the secret. One line break at the end of a file or of a program's output is not part of it.
    pub async fn resolve(&self, environment: &Environment) -> Result<Secret, SecretError> {
        let text = match self {
            Self::Text(secret) => return Ok(secret.clone()),
            Self::Env(name) => environment.get(name).ok_or_else(|| SecretError::NoVariable(name.clone()))?.to_owned(),
            Self::File(path) => tokio::fs::read_to_string(path)
                .await
                .map_err(|reason| SecretError::File { path: path.clone(), reason })?,
            Self::Command(words) => run(words).await?,
        };
        let text = Secret::new(text);
        let trimmed = text.expose().strip_suffix('\n').unwrap_or(text.expose());
        let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed);
        if trimmed.trim().is_empty() { Err(SecretError::Empty(self.to_string())) } else { Ok(Secret::new(trimmed)) }
    }
}

/// Names the place, never the secret.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("the configuration"),
            Self::Env(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Command(words) => write!(f, "the program {}", program(words)),
        }
    }
}

/// A program that waits for a person would hang a scheduled backup.
const PATIENCE: Duration = Duration::from_mins(1);

async fn run(words: &[String]) -> Result<String, SecretError> {
    let program = program(words).to_owned();
    let failed = |reason: String| SecretError::Command { program: program.clone(), reason };
    // Its complaints go to guard's own standard error; its output is the secret and goes nowhere.
    let child = tokio::process::Command::new(&program)
        .args(words.iter().skip(1))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|reason| SecretError::Spawn { program: program.clone(), reason })?;
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = output.map_err(|_| failed(format!("did not answer within {} seconds", PATIENCE.as_secs())))?;
    let output = output.map_err(|reason| failed(format!("could not be awaited: {reason}")))?;
    if !output.status.success() {
        return Err(failed(format!("failed: {}", output.status)));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("printed something that is not UTF-8 text".to_owned()))
}

fn program(words: &[String]) -> &str {
    words.first().map_or("", String::as_str)
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Form)
    }
}

/// Every other type of value is refused without being repeated.
struct Form;

const FORMS: [&str; 3] = ["env", "file", "command"];

impl<'de> Visitor<'de> for Form {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret: { env = \"NAME\" }, { file = \"/path\" } or { command = [\"program\", \"argument\"] }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SecretSource, E> {
        Ok(SecretSource::Text(Secret::new(text)))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<SecretSource, E> {
        Err(E::custom("a secret is a text in quotes, not a number"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<SecretSource, E> {
        Err(E::custom("a secret is a text in quotes, not a number"))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<SecretSource, M::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            let source = match key.as_str() {
                "env" => SecretSource::Env(map.next_value()?),
                "file" => SecretSource::File(map.next_value()?),
                "command" => SecretSource::Command(map.next_value()?),
                _ => return Err(M::Error::unknown_field(&key, &FORMS)),
            };
            if found.replace(source).is_some() {
                return Err(M::Error::custom("a secret comes from one place: give one of `env`, `file` and `command`"));
            }
        }
        match found {
            Some(SecretSource::Command(words)) if program(&words).is_empty() => {
                Err(M::Error::custom("`command` needs a program: [\"program\", \"argument\"]"))
            }
            Some(source) => Ok(source),
            None => Err(M::Error::custom("a secret needs one of `env`, `file` and `command`")),
        }
    }
}

impl JsonSchema for SecretSource {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let form = |key: &str, value: serde_json::Value| serde_json::json!({ "type": "object", "properties": { key: value }, "required": [key], "additionalProperties": false });
        json_schema!({
            "format": "secret",
            "anyOf": [
                { "type": "string" },
                form("env", serde_json::json!({ "type": "string" })),
                form("file", serde_json::json!({ "type": "string" })),
                form("command", serde_json::json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })),
            ],
        })
    }
}
