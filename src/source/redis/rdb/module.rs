//! What modules write: passed over by the marks that every piece of it carries, named by the type's number.

use super::error::RdbProblem;
use super::input::Input;
use super::value::{FieldExpiry, Value, mix};
use crate::contents::keyspace::KeyKind;

/// A module's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ModuleType {
    pub(super) name: String,
    pub(super) version: u64,
}

impl ModuleType {
    /// Nine letters of six bits and a version of ten.
    pub(super) fn of(id: u64) -> Self {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let letter = |idx: u32| char::from(LETTERS[(id >> (10 + 6 * idx) & 63) as usize]);
        Self { name: (0..9).rev().map(letter).collect(), version: id & 1023 }
    }
}

/// Reads a key's value: who wrote it is all that is known of it.
pub(super) async fn read_value(input: &mut Input) -> Result<Value, RdbProblem> {
    let id = input.length().await?;
    skip(input).await?;
    let hash = mix([u128::from(id >> 10)]);
    let module = Some(ModuleType::of(id));
    Ok(Value { kind: KeyKind::Module, hash, elements: 1, bytes: 0, field_expiry: FieldExpiry::default(), module })
}

/// Reads what a module keeps beside the keys; when it wants it back comes first, marked as all the rest.
pub(super) async fn read_record(input: &mut Input) -> Result<ModuleType, RdbProblem> {
    let id = input.length().await?;
    skip(input).await?;
    Ok(ModuleType::of(id))
}

/// Passes over marked pieces up to the mark of the end (`RDB_MODULE_OPCODE_*`).
pub(super) async fn skip(input: &mut Input) -> Result<(), RdbProblem> {
    loop {
        match input.length().await? {
            0 => return Ok(()),
            1 | 2 => {
                input.length().await?;
            }
            3 => {
                input.array::<4>().await?;
            }
            4 => {
                input.array::<8>().await?;
            }
            5 => {
                input.text().await?;
            }
            value => return Err(RdbProblem::UnknownEncoding { what: "module opcode", value }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_types_number_is_its_name_and_version() {
        let letter = |letter: u64, idx: u64| letter << (10 + 6 * idx);
        let id = (0..8).map(|idx| letter(26, idx)).sum::<u64>() + letter(63, 8) + 7;
        assert_eq!(ModuleType::of(id), ModuleType { name: "_aaaaaaaa".to_owned(), version: 7 });
    }
}
