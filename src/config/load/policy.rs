//! Reading the policies of `guard gate` from a file of their own.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Value;

use super::super::convert::convert_gate;
use super::super::diagnose::Document;
use super::super::file::gate::PolicyFile;
use super::super::setting;
use super::{ConfigError, read_file, stop_at, worth_telling};
use crate::gate::Policy;

/// The policies of a file, by environment, or everything that is wrong with it.
pub fn load_policies(path: &Path, current_dir: &Path) -> Result<BTreeMap<String, Policy>, ConfigError> {
    let read = read_file(&current_dir.join(path), current_dir)?;
    let settings = setting::settings::<PolicyFile>();
    let (document, mut reports) = Document::parse(&read.shown, &read.text, &settings);
    stop_at(&mut reports)?;
    let (said, mut reports) = document.read::<PolicyFile>();
    let shape = PolicyFile::deserialize(Value::Table(said)).expect("each part was accepted before");
    let mut policies = BTreeMap::new();
    for (environment, file) in shape.gate {
        match convert_gate(&environment, file) {
            Ok(policy) => drop(policies.insert(environment, policy)),
            Err(problems) => {
                let problems = worth_telling(problems, !reports.is_empty());
                reports.extend(problems.iter().map(|problem| document.place(problem)));
            }
        }
    }
    if reports.is_empty() { Ok(policies) } else { Err(ConfigError::of_file(reports)) }
}
