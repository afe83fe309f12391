//! From the shape of `[gate.ENV]` to the policy that a gate decides by.

use migrations_lint::report::{Class, Severity};

use super::super::diagnose::Problem;
use super::super::file::gate::{FailOn, GateFile, Harm, ProofOf, RunningBackup, SchemaRule};
use crate::catalog::SourceName;
use crate::{gate, window};

/// Converts one policy, or says everything that is wrong with it.
pub(in super::super) fn convert_gate(environment: &str, file: GateFile) -> Result<gate::Policy, Vec<Problem>> {
    let GateFile {
        source,
        fail_on,
        backup_max_age,
        proof_max_age,
        proof_of,
        schema,
        rehearsal_for,
        rehearsal_max_age,
        approval_for,
        approvers,
        approval_max_term,
        running_backup,
        max_wait,
        backup,
    } = file;
    let mut problems = Vec::new();
    let wrong = source.as_ref().and_then(|source| source.parse::<SourceName>().err());
    problems.extend(wrong.map(|error| Problem::new(&["gate", environment, "source"], error.to_string())));
    // An age of nothing would close the gate for ever, and nobody would find out why.
    let ages = [("backup_max_age", backup_max_age), ("proof_max_age", proof_max_age)];
    for (key, _) in ages.into_iter().filter(|(_, age)| age.0.is_zero()) {
        let problem = Problem::new(&["gate", environment, key], "nothing is ever this young");
        problems.push(problem.help("write how old it may be, such as \"26h\""));
    }
    let policy = gate::Policy {
        source,
        fail_on: match fail_on {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Never => None,
        },
        backup_max_age: backup_max_age.0,
        proof_max_age: proof_max_age.0,
        proof_of: match proof_of {
            ProofOf::Source => gate::ProofOf::Source,
            ProofOf::Backup => gate::ProofOf::Backup,
        },
        schema: match schema {
            SchemaRule::Required => gate::SchemaRule::Required,
            SchemaRule::WhenKnown => gate::SchemaRule::WhenKnown,
            SchemaRule::Off => gate::SchemaRule::Off,
        },
        rehearsal_for: rehearsal_for.into_iter().map(class).collect(),
        rehearsal_max_age: rehearsal_max_age.0,
        approval_for: approval_for.into_iter().map(class).collect(),
        approvers,
        approval_max_term: approval_max_term.0,
        running_backup: match running_backup {
            RunningBackup::Wait => window::RunningBackup::Wait,
            RunningBackup::Cancel => window::RunningBackup::Cancel,
            RunningBackup::Refuse => window::RunningBackup::Refuse,
        },
        max_wait: max_wait.0,
        backup,
    };
    if problems.is_empty() { Ok(policy) } else { Err(problems) }
}

fn class(harm: Harm) -> Class {
    match harm {
        Harm::Destructive => Class::Destructive,
        Harm::NonIdempotent => Class::NonIdempotent,
        Harm::Lock => Class::Lock,
        Harm::Breaking => Class::Breaking,
        Harm::MayFail => Class::MayFail,
        Harm::Transaction => Class::Transaction,
        Harm::Irreversible => Class::Irreversible,
        Harm::Security => Class::Security,
        Harm::Style => Class::Style,
        Harm::MigrationSet => Class::MigrationSet,
    }
}

#[cfg(test)]
mod tests {
    use super::{GateFile, convert_gate};
    use crate::gate::Policy;

    #[test]
    fn the_defaults_of_the_file_are_those_of_the_policy() {
        assert_eq!(convert_gate("prod", GateFile::default()).unwrap(), Policy::default());
    }

    #[test]
    fn a_policy_that_nothing_can_meet_is_refused() {
        let file = GateFile { source: Some("a/b".to_owned()), ..toml::from_str("backup_max_age = \"0s\"").unwrap() };
        let problems = convert_gate("prod", file).unwrap_err();
        let keys: Vec<&str> = problems.iter().map(|problem| problem.path[2].as_str()).collect();
        assert_eq!(keys, ["source", "backup_max_age"]);
    }
}
